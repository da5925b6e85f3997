"""The join of abstract states.

Places whose incoming values agree path by path get one common new symbol, named by the join and the first such place:
``pte += nr, addr += nr * PAGE_SIZE`` keeps "pte is the entry for addr" through any loop without a rule of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mmlint.facts.state import (
    EPOCH,
    Answer,
    Fact,
    Field,
    Place,
    State,
    Table,
    field_epoch,
    place_text,
    rests_on,
    table_uses,
)
from mmlint.flow.ir import Name, Temp
from mmlint.flow.values import ZERO, Entry, Poly, Symbol, Value


def _number(value: Value) -> Poly:
    return value if isinstance(value, Poly) else ZERO


@dataclass
class JoinMemory:
    """What earlier rounds of one join did. After `_PATIENCE` rounds a place that got a symbol keeps it, and places that
    were told apart stay apart, so that the iteration ends.
    """

    rounds: int = 0
    sticky: set[str] = field(default_factory=set)
    classes: dict[str, str] = field(default_factory=dict)


_PATIENCE = 8
# Paths that meet where a smaller value is chosen.
_FEW = 4


class Join:
    """The join of states with one key at one block; ``name`` identifies both.

    ``origins`` maps each new symbol to the values that come in, for those who ask where a walk began; ``uppers`` to
    those of them that none of the others exceeds: ``if (extent > rest) extent = rest;`` leaves the smaller one.
    """

    def __init__(self, name: str, states: Sequence[State], memory: JoinMemory) -> None:
        self.maker = name
        self.states = states
        self.memory = memory
        memory.rounds += 1
        self.firm = memory.rounds > _PATIENCE
        self.classes: dict[tuple[str, tuple[Poly, ...]], Poly] = {}
        self.tables: dict[tuple[Symbol, ...], Symbol] = {}
        self.origins: dict[Symbol, tuple[Poly, ...]] = {}
        self.uppers: dict[Symbol, tuple[Poly, ...]] = {}

    def run(self) -> State:
        """The joined state."""
        first = self.states[0]
        result = State(
            {},
            {},
            first.held,
            first.stack,
            first.below,
            first.paused,
            max(state.closed for state in self.states),
            self._facts(),
            self._equalities(),
            first.foreign.intersection(*(state.foreign for state in self.states[1:])),
            self._answers(),
            max(state.paused_at for state in self.states),
            first.doubtful,
            first.resumed,
        )
        moved = []
        others = [state.values for state in self.states[1:]]
        for place, value in first.values.items():
            same = True
            for values in others:
                other = values.get(place)
                if other is not value and other != value:
                    same = False
                    if other is None:
                        break
            else:
                if same and self._lasts(place, value):
                    result.values[place] = value
                elif self._lasts(place, ZERO):
                    moved.append(place)
        self._renew_epochs(result)
        for place in sorted(moved, key=_order):
            if place in result.values:
                continue
            result.values[place] = self._value(place_text(place), [state.values[place] for state in self.states])
        for symbol in first.tables:
            result.tables[symbol] = self._table(symbol, [state.tables[symbol] for state in self.states])
        return result

    def _lasts(self, place: Place, value: Value) -> bool:
        """True when neither a value nor the object that a field belongs to stems from an older round of this join."""
        return self.maker not in value.makers and not (place.__class__ is Field and place.rests_on(self.maker))

    def _renew_epochs(self, result: State) -> None:
        """Fields that were written on some of the paths only may have changed; so may all where the memory has."""
        partly: set[Name] = set()
        epochs: set[Name] = set()
        shared = set(self.states[0].values).intersection(*(state.values for state in self.states[1:]))
        for state in self.states:
            for place in state.values:
                if place.__class__ is Name and place.name.startswith(EPOCH.name):
                    epochs.add(place)
                elif place.__class__ is Field and place not in shared:
                    partly.add(field_epoch(place.field))
        for place in sorted(epochs | partly, key=_order):
            name = place_text(place)
            incoming = [_number(state.values.get(place, ZERO)) for state in self.states]
            same = all(value == incoming[0] for value in incoming) and self.maker not in incoming[0].makers
            if same and place not in partly:
                result.values[place] = incoming[0]
            else:
                result.values[place] = Poly.symbol(Symbol(f"{self.maker}:{name}", frozenset((self.maker,)), name))

    def _facts(self) -> frozenset[Fact]:
        common = self.states[0].facts.intersection(*(state.facts for state in self.states[1:]))
        return frozenset(fact for fact in common if self.maker not in fact[1].makers)

    def _equalities(self) -> frozenset[Poly]:
        common = self.states[0].equalities.intersection(*(state.equalities for state in self.states[1:]))
        return frozenset(poly for poly in common if self.maker not in poly.makers)

    def _answers(self) -> frozenset[Answer]:
        common = self.states[0].answers.intersection(*(state.answers for state in self.states[1:]))
        return frozenset(answer for answer in common if not rests_on(answer, self.maker))

    def _value(self, name: str, incoming: list[Value]) -> Value:
        entries = [value for value in incoming if isinstance(value, Entry)]
        if len(entries) == len(incoming):
            table = self._table_symbol(name, [entry.table for entry in entries])
            return Entry(table, self._poly(f"@{name}", [entry.address for entry in entries]))
        polys = [value for value in incoming if isinstance(value, Poly)]
        if len(polys) == len(incoming):
            return self._poly(name, polys)
        return Poly.symbol(Symbol(f"{self.maker}:{name}", frozenset((self.maker,)), name.lstrip("@")))

    def _poly(self, name: str, incoming: list[Poly]) -> Poly:
        settled = None if self.firm and name in self.memory.sticky else self._settled(name, incoming)
        if settled is not None:
            return settled
        form = (self.memory.classes.get(name, ""), tuple(incoming)) if self.firm else ("", tuple(incoming))
        known = self.classes.get(form)
        if known is None:
            symbol = Symbol(f"{self.maker}:{name}", frozenset((self.maker,)), name.lstrip("@"))
            known = self.classes[form] = Poly.symbol(symbol)
            self.origins[symbol] = form[1]
            if len(incoming) <= _FEW and all(state.facts for state in self.states):
                self.uppers[symbol] = tuple(poly for poly in dict.fromkeys(incoming) if self._bounds(poly, incoming))
        if self.firm:
            self.memory.sticky.add(name)
            self.memory.classes[name] = str(known)
        return known

    def _bounds(self, upper: Poly, incoming: list[Poly]) -> bool:
        """True when no incoming value is greater than ``upper``, on its own path."""
        return all(
            value == upper or state.truth("le", value - upper) is True
            for value, state in zip(incoming, self.states, strict=True)
        )

    def _settled(self, name: str, incoming: list[Poly]) -> Poly | None:
        """The value itself where all paths bring the same, or bring it and this join's own symbol for the place."""
        first = incoming[0]
        if self.maker not in first.makers and all(value == first for value in incoming):
            return first
        own = Poly.symbol(Symbol(f"{self.maker}:{name}"))
        distinct = dict.fromkeys(value for value in incoming if value != own)
        for candidate in distinct:
            if self.maker in candidate.makers:
                continue
            if all(
                value in (candidate, own) or state.equal(candidate, value)
                for value, state in zip(incoming, self.states, strict=True)
            ):
                return candidate
        return None

    def _table_symbol(self, name: str, incoming: list[Symbol]) -> Symbol:
        if all(symbol == incoming[0] for symbol in incoming) and self.maker not in incoming[0].makers:
            return incoming[0]
        form = tuple(incoming)
        if form not in self.tables:
            self.tables[form] = Symbol(f"T[{self.maker}:{name}]", frozenset((self.maker,)), name)
        return self.tables[form]

    def _table(self, symbol: Symbol, incoming: list[Table]) -> Table:
        first = incoming[0]
        if all(table == first for table in incoming) and not table_uses(first, self.maker):
            return first
        address = self._poly(f"{symbol}.addr", [table.address for table in incoming])
        owners = [table.mm for table in incoming if table.mm is not None]
        owner = self._value(f"{symbol}.mm", owners) if len(owners) == len(incoming) else None
        return Table(
            symbol,
            owner,
            first.lock,
            first.kernel,
            address,
            first.pmd,
            first.call,
            first.site,
            first.allocates,
            first.contract,
            first.lockless,
        )


def _order(place: Place) -> tuple[int, str]:
    if isinstance(place, Name):
        return (0, place_text(place))
    if isinstance(place, Temp):
        return (1, f"{place.index:06}")
    return (2, place_text(place))
