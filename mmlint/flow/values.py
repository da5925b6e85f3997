"""Values as polynomials over symbols, and PTE pointers as entries of a table.

Two expressions have equal values when their value numbers are equal: ``addr + nr * PAGE_SIZE`` is one polynomial
however it is spelled. A PTE pointer is ``Entry(table, address)``: adding k to the pointer adds k pages to the address,
so "ptep is the entry for addr" is equality of two polynomials. A product is kept when none of its terms has more than
three factors and it has at most sixteen terms; beyond that a value becomes a symbol of its own.

A symbol stands for the value that one place in the program defined: a parameter, the result of a call, a join of paths.
``makers`` names those places, so that a second execution can tell the old value from the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_MAX_TERMS = 16
_MAX_FACTORS = 3
_NONE: frozenset[str] = frozenset()


class Symbol(str):
    """The name of an unknown value. ``makers`` are the ops or joins that define it; empty for what never changes.

    ``label`` is what a person calls it; two symbols may share one.
    """

    __slots__ = ("label", "makers")
    makers: frozenset[str]
    label: str

    def __new__(cls, name: str, makers: frozenset[str] = _NONE, label: str = "") -> Symbol:
        symbol = super().__new__(cls, name)
        symbol.makers = makers
        symbol.label = label or name
        return symbol


Monomial = tuple[Symbol, ...]
PAGE = Symbol("PAGE_SIZE")


class Poly:
    """An immutable polynomial with integer coefficients: a sum of coefficient * product of symbols."""

    __slots__ = ("_hash", "makers", "terms")
    terms: tuple[tuple[Monomial, int], ...]
    # The places that define any symbol in it.
    makers: frozenset[str]

    def __init__(self, terms: Iterable[tuple[Monomial, int]] = ()) -> None:
        self._set(tuple(sorted([item for item in terms if item[1]])))

    def _set(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms
        self._hash = hash(terms)

    @classmethod
    def _sorted(cls, terms: tuple[tuple[Monomial, int], ...]) -> Poly:
        poly = cls.__new__(cls)
        poly._set(terms)
        return poly

    @classmethod
    def const(cls, value: int) -> Poly:
        return cls._sorted((((), value),) if value else ())

    @classmethod
    def symbol(cls, symbol: Symbol) -> Poly:
        poly = cls._sorted((((symbol,), 1),))
        poly.makers = symbol.makers
        return poly

    def __getattr__(self, name: str) -> frozenset[str]:
        # Asked for once, then it is there: to read it is what is done most.
        if name != "makers":
            raise AttributeError(name)
        found = {maker for monomial, _ in self.terms for symbol in monomial for maker in symbol.makers}
        self.makers = frozenset(found) if found else _NONE
        return self.makers

    def as_const(self) -> int | None:
        """The number it is, or None."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and not self.terms[0][0]:
            return self.terms[0][1]
        return None

    def as_symbol(self) -> Symbol | None:
        """The one symbol it is, or None."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1:
            return self.terms[0][0][0]
        return None

    def symbols(self) -> list[Symbol]:
        """All symbols in it, in order."""
        return list(dict.fromkeys(symbol for monomial, _ in self.terms for symbol in monomial))

    def __add__(self, other: Poly) -> Poly:
        if not other.terms:
            return self
        total = dict(self.terms)
        for monomial, factor in other.terms:
            total[monomial] = total.get(monomial, 0) + factor
        return Poly(total.items())

    def __neg__(self) -> Poly:
        return Poly._sorted(tuple([(monomial, -factor) for monomial, factor in self.terms]))

    def __sub__(self, other: Poly) -> Poly:
        return self + -other

    def times(self, other: Poly) -> Poly | None:
        """The product, or None when it grows too large."""
        total: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in other.terms:
                monomial = tuple(sorted(left + right))
                if len(monomial) > _MAX_FACTORS:
                    return None
                total[monomial] = total.get(monomial, 0) + a * b
        result = Poly(total.items())
        return result if len(result.terms) <= _MAX_TERMS else None

    def without_page(self) -> Poly | None:
        """This divided by PAGE_SIZE where that is exact, else None."""
        result: dict[Monomial, int] = {}
        for monomial, factor in self.terms:
            if PAGE not in monomial:
                return None
            index = monomial.index(PAGE)
            rest = monomial[:index] + monomial[index + 1 :]
            result[rest] = result.get(rest, 0) + factor
        return Poly(result.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self._hash == other._hash and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def __lt__(self, other: Poly) -> bool:
        return self.terms < other.terms

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self._text(str, False)

    @property
    def label(self) -> str:
        """The value as a person would write it."""
        return self._text(_label, True)

    def _text(self, name: Callable[[Symbol], str], pages_last: bool) -> str:
        if not self.terms:
            return "0"
        text = ""
        # The constant comes last, as a person writes it; for a person so do steps in pages.
        for monomial, factor in sorted(
            self.terms, key=lambda term: (not term[0], pages_last and PAGE in term[0], term[0])
        ):
            sign = " - " if factor < 0 else " + "
            parts = [name(symbol) for symbol in (sorted(monomial, key=PAGE.__eq__) if pages_last else monomial)]
            if abs(factor) != 1 or not parts:
                parts.insert(0, str(abs(factor)))
            text += sign + " * ".join(parts)
        return text[3:] if text.startswith(" + ") else "-" + text[3:]


def _label(symbol: Symbol) -> str:
    return symbol.label


class Entry:
    """A PTE pointer: the entry for ``address`` in the table ``table``."""

    __slots__ = ("_hash", "address", "makers", "table")
    table: Symbol
    address: Poly
    makers: frozenset[str]

    def __init__(self, table: Symbol, address: Poly) -> None:
        self.table = table
        self.address = address
        self.makers = address.makers | table.makers if table.makers else address.makers
        self._hash = hash((table, address))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.table == other.table and self.address == other.address

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"entry({self.table}, {self.address})"

    @property
    def label(self) -> str:
        """The value as a person would write it."""
        return f"the entry for {self.address.label}"


Value = Poly | Entry
ZERO = Poly()
ONE = Poly.const(1)
PAGE_POLY = Poly.symbol(PAGE)


def is_null(value: Value) -> bool:
    """True for the constant 0."""
    return isinstance(value, Poly) and not value.terms
