"""The abstract state at a point of a function, and how states of different paths are joined.

A state maps places (variables, temporaries, fields) to value numbers and knows the mapped tables, the held locks and
the open sections. States are kept apart by `State.key` (open sections, pauses, locks, tables), so that a disable under
``if (start_pte)`` is not a false alarm; states with the same key are joined.

A join gives places whose incoming values agree path by path one common new symbol, named by the join and the first
such place: ``pte += nr, addr += nr * PAGE_SIZE`` keeps "pte is the entry for addr" through any loop without a rule of
its own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from mmlint.flow.ir import Name, Temp
from mmlint.flow.values import Entry, Poly, Symbol, Value
from mmlint.source import Span


class Field(NamedTuple):
    """A place in memory: a field of the object that ``base`` points to, or of a local object named by a symbol.

    ``field`` is "*" for the object itself and "[index]" for an element, the index being a value.
    """

    base: Value
    field: str

    def rests_on(self, maker: str) -> bool:
        """True when which place it is depends on what ``maker`` defined."""
        return maker in self.base.makers or (self.field.startswith("[") and maker in self.field)


Place = Name | Temp | Field
EPOCH = Name("<memory>")


@lru_cache(maxsize=1024)
def field_epoch(name: str) -> Name:
    """The place whose value tells when a field of that name was last written through a pointer."""
    return Name(f"<memory>.{'*' if name.startswith('[') else name}")


@lru_cache(maxsize=1024)
def parts_epoch(name: str) -> Name:
    """The place whose value tells when a part of a struct of that name was last written through a pointer."""
    return Name(f"<memory>.{'*' if name.startswith('[') else name}.")


Fact = tuple[str, Poly]
# A condition that values do not decide, the values of the variables in it, and how it came out.
Answer = tuple[str, tuple["Value | None", ...], bool]
Key = tuple[tuple[int, ...], int, int, int, tuple[Symbol, ...], tuple[Symbol, ...], bool]


class Table(NamedTuple):
    """A mapped PTE table. ``mm`` is None when nothing shows the owner, ``lock`` when it has none.

    ``address`` is the address it was mapped at, ``site`` the map call. ``contract`` is the text of the contract that
    the owner follows from, or empty. ``lockless`` tables are mapped by a call that never takes a lock.
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
    lockless: bool = False


class State:
    """One abstract state. Mutable while a block is run; a copy is made before each.

    ``stack`` holds the enables of the open sections (start of the call's span), ``below`` counts disables that had no
    enable in this function, ``paused`` the pauses and ``resumed`` the resumes that had none. ``closed`` is a disable
    that ended a section before, or -1. ``paused_at`` is the pause that is in force, or -1. ``foreign`` are the caller's
    locks and tables that were released here. ``answers`` are conditions asked before.
    ``doubtful`` states may not exist: one condition over the same variables came out both ways, or a call before may or
    may not have entered a section. Nothing is reported from them.
    """

    __slots__ = (
        "answers",
        "below",
        "closed",
        "doubtful",
        "equalities",
        "facts",
        "foreign",
        "held",
        "paused",
        "paused_at",
        "resumed",
        "stack",
        "tables",
        "values",
    )

    def __init__(
        self,
        values: dict[Place, Value],
        tables: dict[Symbol, Table] | None = None,
        held: frozenset[Symbol] = frozenset(),
        stack: tuple[int, ...] = (),
        below: int = 0,
        paused: int = 0,
        closed: int = -1,
        facts: frozenset[Fact] = frozenset(),
        equalities: frozenset[Poly] = frozenset(),
        foreign: frozenset[Symbol] = frozenset(),
        answers: frozenset[Answer] = frozenset(),
        paused_at: int = -1,
        doubtful: bool = False,
        resumed: int = 0,
    ) -> None:
        self.values = values
        self.tables = {} if tables is None else tables
        self.held = held
        self.stack = stack
        self.below = below
        self.paused = paused
        self.closed = closed
        self.facts = facts
        self.equalities = equalities
        self.foreign = foreign
        self.answers = answers
        self.paused_at = paused_at
        self.doubtful = doubtful
        self.resumed = resumed

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, State)
            and self.values == other.values
            and self.answers == other.answers
            and self.facts == other.facts
            and self.equalities == other.equalities
            and self.tables == other.tables
            and self.key == other.key
            and (self.closed, self.foreign, self.paused_at) == (other.closed, other.foreign, other.paused_at)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def key(self) -> Key:
        """What keeps states apart."""
        return (
            self.stack,
            self.below,
            self.paused,
            self.resumed,
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
            self.resumed,
        )

    def forget(self, maker: str, site: str) -> None:
        """Make room for a new execution of ``maker``: what an older one defined becomes unknown, place by place."""
        values = self.values
        for field in [p for p in values if p.__class__ is Field and p.rests_on(maker)]:
            del values[field]
        for place, value in [(place, value) for place, value in values.items() if maker in value.makers]:
            text = place_text(place)
            values[place] = _unknown(value, f"old {text}{site}", maker, f"an older {text}")
        if any(maker in poly.makers for _, poly in self.facts):
            self.facts = frozenset(fact for fact in self.facts if maker not in fact[1].makers)
        if any(maker in poly.makers for poly in self.equalities):
            self.equalities = frozenset(poly for poly in self.equalities if maker not in poly.makers)
        if any(rests_on(answer, maker) for answer in self.answers):
            self.answers = frozenset(answer for answer in self.answers if not rests_on(answer, maker))
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


def rests_on(answer: Answer, maker: str) -> bool:
    """True when a variable of an answered condition had a value that ``maker`` defined."""
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
        table.lockless,
    )
