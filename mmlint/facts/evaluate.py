"""Expressions to value numbers.

What a symbol stands for is kept in `Context`: a field that was loaded, a pure function of other values, a table that a
call mapped. Equal expressions over equal values get the same symbol, so equality needs no proof search.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from mmlint.facts.forms import Form
from mmlint.facts.objects import NARROW, Objects, address_symbol
from mmlint.facts.readers import Readers
from mmlint.facts.state import EPOCH, Field, State, field_epoch, parts_epoch
from mmlint.facts.summaries import Summary
from mmlint.flow import ir
from mmlint.flow.values import PAGE_POLY, ZERO, Entry, Poly, Symbol, Value
from mmlint.source import Span
from mmlint.vocabulary import Vocabulary

ENTRY_POINTER = "pte_t*"
_WORD = re.compile(r"[A-Za-z_]\w*")
_QUALIFIER = re.compile(r"\b(?:const|volatile)\b")
# A call or a field: asked twice, the answers may differ.
_OPAQUE = re.compile(r"\w\(|->|\.")


class Loaded(NamedTuple):
    """``base->field``; ``struct`` is the type that base points to, or empty."""

    base: Value
    struct: str
    field: str


class Pure(NamedTuple):
    """A function of its arguments alone: an operator or a call named in the vocabulary."""

    function: str
    arguments: tuple[Value, ...]
    span: Span | None = None


class Returned(NamedTuple):
    """The result of a call."""

    callee: str
    span: Span
    arguments: tuple[Value, ...]


Origin = Loaded | Pure | Returned


@dataclass
class Context:
    """What is known of the symbols of one function; it only grows, so it can be shared by all its states.

    ``mapped`` are tables by the call that maps them, ``tested`` those whose pointer is compared with NULL somewhere,
    ``infallible`` those whose map call is taken to succeed. ``summary`` gives the effect of calling a function of the
    same file, None where it has none; ``readers`` what functions do to what an argument points to, ``form`` what
    its value is where that is an expression of its arguments; ``text`` the source of a span. ``in_section`` says that
    the function is looked at as it runs in a section of its caller. ``leads`` are tables that a field of the vocabulary
    leads to; ``kin`` are the tables that one comes from by a join, or by a call that may move the pointer. ``lent`` are
    structures of the caller that only those can write who are given their address, each with the parameter that leads
    there, ``handed`` the tables of the pte pointers in them.
    """

    graph: ir.Graph
    vocabulary: Vocabulary
    origins: dict[Symbol, Origin] = field(default_factory=dict)
    joins: dict[Symbol, tuple[Poly, ...]] = field(default_factory=dict)
    uppers: dict[Symbol, tuple[Poly, ...]] = field(default_factory=dict)
    types: dict[Symbol, str] = field(default_factory=dict)
    mapped: dict[Symbol, Span] = field(default_factory=dict)
    tested: set[Symbol] = field(default_factory=set)
    infallible: frozenset[Symbol] = frozenset()
    summary: Callable[[str], Summary | None] = lambda _: None
    readers: Readers = field(default_factory=Readers)
    form: Callable[[str], Form | None] = lambda _: None
    text: Callable[[Span], str] = lambda _: ""
    conditions: dict[Span, tuple[str, tuple[ir.Name, ...]]] = field(default_factory=dict)
    in_section: bool = False
    leads: set[Symbol] = field(default_factory=set)
    kin: dict[Symbol, tuple[Symbol, ...]] = field(default_factory=dict)
    lent: dict[Symbol, Symbol] = field(default_factory=dict)
    handed: set[Symbol] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.objects = Objects(self.graph)

    def is_private(self, address: Symbol) -> bool:
        """True for the address of a structure that only those can write who are given it."""
        local = self.objects.locals.get(address)
        return address in self.lent or (local is not None and local not in self.objects.escaped)

    def condition(self, span: Span) -> tuple[str, tuple[ir.Name, ...]]:
        """A condition's text and the variables in it; no variables where its values alone say what it means."""
        known = self.conditions.get(span)
        if known is None:
            text = "".join(self.text(span).split())
            words = set(_WORD.findall(text)) if _OPAQUE.search(text) else set()
            names = sorted(
                (name for name in self.graph.variables if name.name in words), key=lambda n: (n.name, n.scope)
            )
            known = self.conditions[span] = (text, tuple(names))
        return known

    def pure(self, function: str, arguments: tuple[Value, ...], form: str, span: Span | None = None) -> Poly:
        """The symbol of a pure function of these arguments; ``form`` writes it, with {} for each argument."""
        makers = frozenset[str]().union(*(argument.makers for argument in arguments))
        text = form.format(*map(_grouped, arguments))
        symbol = Symbol(text, makers, form.format(*(_parenthesised(argument.label) for argument in arguments)))
        self.origins.setdefault(symbol, Pure(function, arguments, span))
        return Poly.symbol(symbol)

    def type_of(self, value: Value) -> str:
        """The struct that a pointer value points to, or empty."""
        symbol = value.as_symbol() if isinstance(value, Poly) else None
        return self.types.get(symbol, "") if symbol is not None else ""


def opaque_entry(value: Poly) -> Entry:
    """A pte pointer of which only the value is known: a table and an address of its own."""
    label = f"the address of {value.label}"
    # For people: the pointer that a sum starts from.
    root = next((symbol.label for symbol in value.symbols() if " " not in symbol.label), value.label)
    table = Symbol(f"T[{value}]", value.makers, root)
    return Entry(table, Poly.symbol(Symbol(f"@[{value}]", value.makers, label)))


def entry_address(context: Context, address: Poly) -> Poly:
    """The address whose entry it is: ``(X & PMD_MASK) + pte_index(X)`` pages is X, ``X & PAGE_MASK`` is X."""
    arithmetic = context.vocabulary.arithmetic
    for monomial, factor in address.terms:
        if factor != 1 or len(monomial) != 1:
            continue
        origin = context.origins.get(monomial[0])
        if not isinstance(origin, Pure) or origin.function != "&":
            continue
        whole, mask = origin.arguments
        if not isinstance(whole, Poly) or not isinstance(mask, Poly):
            continue
        rest = address - Poly.symbol(monomial[0])
        if mask.as_symbol() in arithmetic.page_mask:
            return whole + rest
        for name in sorted(arithmetic.entry_index):
            index = Poly.symbol(Symbol(f"{name}({_grouped(whole)})", whole.makers)).times(PAGE_POLY)
            if (
                index is not None
                and mask.as_symbol() in arithmetic.pmd_mask
                and dict(rest.terms).items() >= dict(index.terms).items()
            ):
                return whole + rest - index
    return address


class Evaluator:
    """Evaluates expressions in states of one function."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.arithmetic = context.vocabulary.arithmetic

    def value(self, expr: ir.Expr, state: State) -> Value:
        """The value number of an expression."""
        match expr:
            case ir.Const(number):
                return Poly.const(number)
            case ir.Name():
                return self._name(expr, state)
            case ir.Temp(index):
                known = state.values.get(expr)
                return known if known is not None else Poly.symbol(Symbol(f"t{index}"))
            case ir.AddressOf(place):
                return self._address(place, state)
            case ir.Unary(op, operand):
                return self._unary(op, self.value(operand, state))
            case ir.Binary(op, left, right):
                return self.binary(op, self.value(left, state), self.value(right, state))
            case ir.Cast(type_, operand):
                value = self.value(operand, state)
                pointed = _QUALIFIER.sub("", type_).replace(" ", "")
                if isinstance(value, Entry) and pointed in self.context.vocabulary.levels_above:
                    # Of a table above it: not an access of an entry.
                    return as_poly(value)
                if pointed == ENTRY_POINTER and isinstance(value, Poly) and value.as_const() is None:
                    return opaque_entry(value)
                if type_ in NARROW and isinstance(value, Poly) and value.as_const() is None:
                    return self.context.pure(f"({type_})", (value,), f"({type_}){{}}")
                return value
            case ir.Opaque(text):
                return Poly.symbol(Symbol(f"`{text}`"))
            case _:
                return self.load(expr, state)

    def poly(self, expr: ir.Expr, state: State) -> Poly:
        """The value as a number; a pte pointer becomes the symbol of its entry."""
        return as_poly(self.value(expr, state))

    def _name(self, name: ir.Name, state: State) -> Value:
        known = state.values.get(name)
        if known is not None:
            return known
        if name.name in self.arithmetic.page_size:
            return PAGE_POLY
        if name in self.context.graph.variables:
            return Poly.symbol(Symbol(f"unset {name.name}", label=name.name))
        epoch = state.values.get(EPOCH, ZERO)
        if name.name.isupper() or epoch == ZERO:
            return Poly.symbol(Symbol(name.name))
        # A global may have changed since; constants are spelled in capitals.
        return Poly.symbol(Symbol(f"{name.name}~{epoch}", epoch.makers, name.name))

    def _address(self, place: ir.Expr, state: State) -> Value:
        match place:
            case ir.Name():
                return Poly.symbol(address_symbol(place))
            case ir.Deref(pointer):
                return self.value(pointer, state)
            case ir.Index(base, index):
                return self.binary("+", self.value(base, state), self.value(index, state))
            case ir.Member(base, member, _):
                owner = self._base(place, state)
                if isinstance(owner, Entry):
                    return owner
                symbol = Symbol(f"&{owner}->{member}", owner.makers)
                self.context.objects.part(symbol, Field(owner, member))
                return Poly.symbol(symbol)
            case _:
                return self.value(place, state)

    def _unary(self, op: str, operand: Value) -> Value:
        number = as_poly(operand)
        if op == "-":
            return -number
        constant = number.as_const()
        if constant is not None:
            return Poly.const(~constant if op == "~" else int(not constant))
        symbol = number.as_symbol() if op == "~" else None
        origin = self.context.origins.get(symbol) if symbol is not None else None
        if isinstance(origin, Pure) and origin.function == "~":
            return origin.arguments[0]
        return self.context.pure(op, (operand,), op + "{}")

    def binary(self, op: str, left: Value, right: Value) -> Value:
        """The value of ``left op right``."""
        if isinstance(left, Entry) or isinstance(right, Entry):
            return self._pointer(op, left, right)
        result = self._number(op, left, right)
        if result is not None:
            return result
        return self.context.pure(op, (left, right), f"{{}} {op} {{}}")

    def _number(self, op: str, left: Poly, right: Poly) -> Poly | None:
        match op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left.times(right)
            case "<<":
                return self._shift(left, right)
            case "/":
                return left.without_page() if right == PAGE_POLY else self._constant(op, left, right)
            case ">>":
                if right.as_symbol() in self.arithmetic.page_shift:
                    exact = left.without_page()
                    return exact if exact is not None else self.context.pure("/", (left, PAGE_POLY), "{} / {}")
                return self._constant(op, left, right)
            case _:
                return self._constant(op, left, right)

    def _shift(self, left: Poly, right: Poly) -> Poly | None:
        if right.as_symbol() in self.arithmetic.page_shift:
            return left.times(PAGE_POLY)
        bits = right.as_const()
        return left.times(Poly.const(1 << bits)) if bits is not None and 0 <= bits < 64 else None

    def _constant(self, op: str, left: Poly, right: Poly) -> Poly | None:
        a, b = left.as_const(), right.as_const()
        if op in ("&", "|") and left == right:
            return left
        if 0 in (a, b) and op in ("&", "|", "^"):
            return ZERO if op == "&" else right if a == 0 else left
        if a is None or b is None:
            return None
        match op:
            case "&" | "|" | "^":
                return Poly.const({"&": a & b, "|": a | b, "^": a ^ b}[op])
            case ">>" if 0 <= b < 64:
                return Poly.const(a >> b)
            case "/" if b > 0 and a >= 0:
                return Poly.const(a // b)
            case "%" if b > 0 and a >= 0:
                return Poly.const(a % b)
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                table = {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}
                return Poly.const(int(table[op]))
        return None

    def _pointer(self, op: str, left: Value, right: Value) -> Value:
        if op == "-" and isinstance(left, Entry) and isinstance(right, Entry) and left.table == right.table:
            steps = (left.address - right.address).without_page()
            if steps is not None:
                return steps
        if op == "+" and isinstance(right, Entry) and isinstance(left, Poly):
            left, right = right, left
        if op in ("+", "-") and isinstance(left, Entry) and isinstance(right, Poly):
            pages = right.times(PAGE_POLY)
            if pages is not None:
                moved = left.address + (pages if op == "+" else -pages)
                return Entry(left.table, entry_address(self.context, moved))
            return opaque_entry(self.context.pure(op, (left, right), f"{{}} {op} {{}}"))
        return self.context.pure(op, (left, right), f"{{}} {op} {{}}")

    # ------------------------------------------------------------ memory

    def _base(self, place: ir.Member, state: State) -> Value:
        """The pointer to the object that a member belongs to."""
        if place.arrow:
            return self.value(place.base, state)
        return self._address(place.base, state)

    def field(self, place: ir.Expr, state: State) -> Field:
        """The memory place of a Deref, Member or Index."""
        match place:
            case ir.Member(_, member, _):
                return Field(self._base(place, state), member)
            case ir.Deref(pointer):
                return self.context.objects.canonical(Field(self.value(pointer, state), "*"))
            case ir.Index(base, index):
                element = Field(self.value(base, state), f"[{self.value(index, state)}]")
                return self.context.objects.canonical(element)
            case _:
                return Field(self.value(place, state), "?")

    def load(self, place: ir.Expr, state: State) -> Value:
        """The value read from a memory place: what was stored there, or a symbol for what the function found there."""
        spot = self.field(place, state)
        known = state.values.get(spot)
        if known is not None:
            return known
        local = self._local(spot)
        if local is not None and local in state.values:
            return state.values[local]
        struct = self.context.type_of(spot.base)
        stable = f"{struct}.{spot.field}" in self.context.vocabulary.stable
        places = self.context.objects.epochs(spot.base, stable)
        if not stable:
            places = (EPOCH, field_epoch(spot.field), *places)
            if self.context.objects.is_whole(place):
                places = (*places, parts_epoch(spot.field))
        text = f"{_grouped(spot.base)}->{spot.field}" if spot.field != "*" else f"*{_grouped(spot.base)}"
        makers = spot.base.makers
        if isinstance(place, ir.Index):
            makers = makers | self.value(place.index, state).makers
        for place_ in places:
            epoch = state.values.get(place_, ZERO)
            if epoch != ZERO:
                text = f"{text}~{epoch}"
                makers = makers | epoch.makers
        label = f"{_parenthesised(spot.base.label)}->{spot.field}" if spot.field != "*" else f"*{spot.base.label}"
        symbol = Symbol(text, makers, label)
        if symbol not in self.context.origins:
            self.context.origins[symbol] = Loaded(spot.base, struct, spot.field)
            self.context.objects.loaded(symbol, spot.base)
            type_ = self.context.vocabulary.types.get(f"{struct}.{spot.field}")
            if type_:
                self.context.types[symbol] = type_.removeprefix("struct ").replace(" ", "")
        found = Poly.symbol(symbol)
        if self.context.types.get(symbol) == ENTRY_POINTER:
            entry = opaque_entry(found)
            self.context.leads.add(entry.table)
            return entry
        return opaque_entry(found) if struct == ENTRY_POINTER and spot.field[0] in "*[" else found

    def _local(self, spot: Field) -> ir.Name | None:
        """The local that ``*p`` is, where p is known to hold its address."""
        symbol = spot.base.as_symbol() if isinstance(spot.base, Poly) and spot.field == "*" else None
        return self.context.objects.locals.get(symbol) if symbol is not None else None


def as_poly(value: Value) -> Poly:
    """A value as a number: a pte pointer becomes one symbol."""
    if isinstance(value, Poly):
        return value
    return Poly.symbol(Symbol(str(value), value.makers, value.label))


def _grouped(value: Value) -> str:
    return _parenthesised(str(value))


def _parenthesised(text: str) -> str:
    return text if " " not in text or text.startswith("entry(") else f"({text})"
