"""The abstract state at a point of a function, and how states of different paths are joined.

A state maps places (variables, temporaries, fields) to value numbers and knows the mapped tables, the held locks and
the open sections. States are kept apart by `State.key` (open sections, pauses, locks, tables), so that a disable under
``if (start_pte)`` is not a false alarm; states with the same key are joined.

A join gives places whose incoming values agree path by path one common new symbol, named by the join and the first
such place: ``pte += nr, addr += nr * PAGE_SIZE`` keeps "pte is the entry for addr" through any loop without a rule of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mmlint.flow.ir import Name, Temp
from mmlint.flow.values import Entry, Poly, Symbol, Value
from mmlint.source import Span


@dataclass(frozen=True, slots=True)
class Field:
    """A place in memory: a field of the object that ``base`` points to, or of a local object named by a symbol."""

    base: Value
    field: str


Place = Name | Temp | Field
EPOCH = Name("<memory>")


def field_epoch(name: str) -> Name:
    """The place whose value tells when a field of that name was last written through a pointer."""
    return Name(f"<memory>.{name}")


Fact = tuple[str, Poly]
# A condition that values do not decide, the values of the variables in it, and how it came out.
Answer = tuple[str, tuple["Value | None", ...], bool]
Key = tuple[tuple[int, ...], int, int, tuple[Symbol, ...], tuple[Symbol, ...], bool]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapped PTE table. ``mm`` is None when nothing shows the owner, ``lock`` when it has none.

    ``address`` is the address it was mapped at, ``site`` the map call. ``contract`` is the text of the contract that
    the owner follows from, or empty.
    """

    symbol: Symbol
    mm: Value | None
    lock: Symbol | None
    kernel: bool
    address: Poly
    pmd: Value | None
    call: str
    site: Span
    allocates: bool
    contract: str = ""


@dataclass(slots=True)
class State:
    """One abstract state. Mutable while a block is run; a copy is made before each.

    ``stack`` holds the enables of the open sections (start of the call's span), ``below`` counts disables that had no
    enable in this function, ``paused`` the pauses. ``closed`` is a disable that ended a section before, or -1.
    ``paused_at`` is the pause that is in force, or -1. ``foreign`` are the caller's locks and tables that were released
    here. ``answers`` are conditions asked before.
    ``doubtful`` states may not exist: one condition over the same variables came out both ways, or a call before may or
    may not have entered a section. Nothing is reported from them.
    """

    values: dict[Place, Value]
    tables: dict[Symbol, Table] = field(default_factory=dict)
    held: frozenset[Symbol] = frozenset()
    stack: tuple[int, ...] = ()
    below: int = 0
    paused: int = 0
    closed: int = -1
    facts: frozenset[Fact] = frozenset()
    equalities: frozenset[Poly] = frozenset()
    foreign: frozenset[Symbol] = frozenset()
    answers: frozenset[Answer] = frozenset()
    paused_at: int = -1
    doubtful: bool = False

    @property
    def key(self) -> Key:
        """What keeps states apart."""
        return (
            self.stack,
            self.below,
            self.paused,
            tuple(sorted(self.held)),
            tuple(sorted(self.tables)),
            self.doubtful,
        )

    def copy(self) -> State:
        return State(
            dict(self.values),
            dict(self.tables),
            self.held,
            self.stack,
            self.below,
            self.paused,
            self.closed,
            self.facts,
            self.equalities,
            self.foreign,
            self.answers,
            self.paused_at,
            self.doubtful,
        )

    def forget(self, maker: str, site: str) -> None:
        """Make room for a new execution of ``maker``: what an older one defined becomes unknown, place by place."""
        stale = [place for place, value in self.values.items() if maker in value.makers]
        for place in stale:
            text = place_text(place)
            self.values[place] = _unknown(self.values[place], f"old {text}{site}", maker, f"an older {text}")
        if any(maker in poly.makers for _, poly in self.facts):
            self.facts = frozenset(fact for fact in self.facts if maker not in fact[1].makers)
        if any(maker in poly.makers for poly in self.equalities):
            self.equalities = frozenset(poly for poly in self.equalities if maker not in poly.makers)
        if any(_rests_on(answer, maker) for answer in self.answers):
            self.answers = frozenset(answer for answer in self.answers if not _rests_on(answer, maker))
        for symbol, table in list(self.tables.items()):
            if table_uses(table, maker):
                self.tables[symbol] = forget_in_table(table, maker, site)

    def equal(self, left: Value | None, right: Value | None) -> bool:
        """True when the two are shown to be equal here."""
        if left is None or right is None:
            return False
        if left == right:
            return True
        if isinstance(left, Entry) and isinstance(right, Entry):
            return left.table == right.table and self.equal(left.address, right.address)
        if isinstance(left, Poly) and isinstance(right, Poly):
            return bool(self.equalities) and normal(left - right) in self.equalities
        return False

    def truth(self, relation: str, poly: Poly) -> bool | None:
        """Whether ``poly relation 0`` (eq, ne, lt, le) holds, fails, or is not known."""
        number = poly.as_const()
        if number is not None:
            return {"eq": number == 0, "ne": number != 0, "lt": number < 0, "le": number <= 0}[relation]
        if relation in ("eq", "ne"):
            return self._equality(relation == "eq", poly)
        if relation == "lt":
            return self._less(poly)
        answer = self._less(-poly)
        return None if answer is None else not answer

    def _equality(self, wanted: bool, poly: Poly) -> bool | None:
        form = normal(poly)
        if form in self.equalities:
            return wanted
        if ("ne", form) in self.facts or ("lt", poly) in self.facts or ("lt", -poly) in self.facts:
            return not wanted
        return None

    def _less(self, poly: Poly) -> bool | None:
        if ("lt", poly) in self.facts:
            return True
        if ("lt", -poly) in self.facts or ("le", -poly) in self.facts or normal(poly) in self.equalities:
            return False
        return None

    def learn(self, relation: str, poly: Poly) -> None:
        """Record ``poly relation 0``."""
        if relation == "eq":
            self.equalities = self.equalities | {normal(poly)}
            return
        self.facts = self.facts | {(relation, normal(poly) if relation == "ne" else poly)}


def held_lock(state: State, table: Table) -> Symbol | None:
    """The held lock that protects a table: its own, or one that is shown to be the same."""
    if table.lock is None:
        return None
    if table.lock in state.held:
        return table.lock
    own = Poly.symbol(table.lock)
    return next((lock for lock in sorted(state.held) if state.equal(own, Poly.symbol(lock))), None)


def normal(poly: Poly) -> Poly:
    """The one of poly and -poly that stands for both in an equality."""
    return -poly if poly.terms and poly.terms[0][1] < 0 else poly


def place_text(place: Place) -> str:
    """A place as a person would write it."""
    if isinstance(place, Name):
        return place.name if not place.scope else f"{place.name}#{place.scope}"
    if isinstance(place, Temp):
        return f"t{place.index}"
    return f"{place.base}->{place.field}"


def _unknown(value: Value, name: str, maker: str, label: str) -> Value:
    makers = frozenset((maker,))
    if isinstance(value, Entry):
        return Entry(Symbol(f"T[{name}]", makers), Poly.symbol(Symbol(f"@[{name}]", makers, f"the address of {label}")))
    return Poly.symbol(Symbol(name, makers, label))


def _rests_on(answer: Answer, maker: str) -> bool:
    return any(value is not None and maker in value.makers for value in answer[1])


def table_uses(table: Table, maker: str) -> bool:
    """True when the table's owner or address rests on what ``maker`` defined."""
    return maker in table.address.makers or (table.mm is not None and maker in table.mm.makers)


def forget_in_table(table: Table, maker: str, site: str) -> Table:
    """The table with what an older execution of ``maker`` defined made unknown."""
    address, owner = table.address, table.mm
    if maker in address.makers:
        address = Poly.symbol(Symbol(f"old {table.symbol}.addr{site}", frozenset((maker,))))
    if owner is not None and maker in owner.makers:
        owner = Poly.symbol(Symbol(f"old {table.symbol}.mm{site}", frozenset((maker,))))
    return Table(
        table.symbol,
        owner,
        table.lock,
        table.kernel,
        address,
        table.pmd,
        table.call,
        table.site,
        table.allocates,
        table.contract,
    )


# ---------------------------------------------------------------- join


@dataclass
class JoinMemory:
    """What earlier rounds of one join did. After `_PATIENCE` rounds a place that got a symbol keeps it, and places that
    were told apart stay apart, so that the iteration ends.
    """

    rounds: int = 0
    sticky: set[str] = field(default_factory=set)
    classes: dict[str, str] = field(default_factory=dict)


_PATIENCE = 8


class Join:
    """The join of states with one key at one block; ``name`` identifies both.

    ``origins`` maps each new symbol to the values that come in, for those who ask where a walk began.
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
        )
        moved = []
        others = [state.values for state in self.states[1:]]
        for place, value in first.values.items():
            values = [other.get(place) for other in others]
            if all(other is value or other == value for other in values) and self.maker not in value.makers:
                result.values[place] = value
            elif None not in values:
                moved.append(place)
        for place in sorted(moved, key=_order):
            result.values[place] = self._value(place_text(place), [state.values[place] for state in self.states])
        for symbol in first.tables:
            result.tables[symbol] = self._table(symbol, [state.tables[symbol] for state in self.states])
        return result

    def _facts(self) -> frozenset[Fact]:
        common = self.states[0].facts.intersection(*(state.facts for state in self.states[1:]))
        return frozenset(fact for fact in common if self.maker not in fact[1].makers)

    def _equalities(self) -> frozenset[Poly]:
        common = self.states[0].equalities.intersection(*(state.equalities for state in self.states[1:]))
        return frozenset(poly for poly in common if self.maker not in poly.makers)

    def _answers(self) -> frozenset[Answer]:
        common = self.states[0].answers.intersection(*(state.answers for state in self.states[1:]))
        return frozenset(answer for answer in common if not _rests_on(answer, self.maker))

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
        if self.firm:
            self.memory.sticky.add(name)
            self.memory.classes[name] = str(known)
        return known

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
        )


def _order(place: Place) -> tuple[int, str]:
    if isinstance(place, Name):
        return (0, place_text(place))
    if isinstance(place, Temp):
        return (1, f"{place.index:06}")
    return (2, place_text(place))


Origin = Callable[[Symbol], tuple[Poly, ...]]
