"""What a call hands over in structures: members of which the caller knows the value.

    struct walk w = { .ptep = pte, .gfp = GFP_KERNEL };

    visit(&w);          Part(0, ("ptep",), an entry of pte's table), Part(0, ("gfp",), GFP_KERNEL)
    visit_copy(w);      the same, ``whole``: the callee has a structure of its own

In the callee they stand in the members of its parameter, until something may write there. Where the callee does more
with the structure than to use its members and to pass it on, they may be reached in ways that nobody follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mmlint.facts.evaluate import Context
from mmlint.facts.objects import address_symbol
from mmlint.facts.state import Field, State
from mmlint.flow import ir
from mmlint.flow.values import ZERO, Entry, Poly, Symbol, Value

# A structure in a structure in a structure is the deepest that is looked into.
_DEPTH = 2
# A structure with more members of known value is not looked into further.
_MAX_PARTS = 24
_EMBEDDED = "&"


class Part(NamedTuple):
    """A member of known value: the argument, and the way to the member, "&in" for a structure that lies in another.

    Of a pte pointer only the table is kept. ``whole`` is a structure that is passed by value; ``private`` one that only
    its function and those that are given its address can write.
    """

    argument: int
    path: tuple[str, ...]
    value: Value
    whole: bool = False
    private: bool = False


def parts_of(context: Context, state: State, op: ir.Call, arguments: tuple[Value, ...]) -> tuple[Part, ...]:
    """The parts of the structures that a call is given."""
    members = _members(state)
    found: list[Part] = []
    for index, value in enumerate(arguments) if members else ():
        given = op.arguments[index]
        whole = isinstance(given, ir.Name) and context.objects.is_struct(given)
        root = address_symbol(given) if whole and isinstance(given, ir.Name) else _symbol(value)
        if root is not None:
            private = context.is_private(root)
            found += [Part(index, path, known, whole, private) for path, known in _below(context, members, root, ())]
    return tuple(sorted(found[:_MAX_PARTS], key=lambda part: part[:2]))


def entry_tables(context: Context, state: State, value: ir.Expr | None) -> list[Symbol]:
    """The tables that members of a structure lead to, which is a value as a whole."""
    if not isinstance(value, ir.Name) or not context.objects.is_struct(value):
        return []
    members = _members(state)
    inside = _below(context, members, address_symbol(value), ()) if members else ()
    return [known.table for _, known in inside if isinstance(known, Entry)]


def _members(state: State) -> dict[Symbol, list[tuple[str, Value]]]:
    members: dict[Symbol, list[tuple[str, Value]]] = {}
    for place, value in state.values.items():
        if isinstance(place, Field) and place.field[0] not in "[*":
            base = _symbol(place.base)
            if base is not None:
                members.setdefault(base, []).append((place.field, value))
    return members


def _below(
    context: Context, members: dict[Symbol, list[tuple[str, Value]]], base: Symbol, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Value]]:
    for field, value in members.get(base, ()):
        symbol = _symbol(value)
        if isinstance(value, Entry):
            yield (*path, field), Entry(value.table, ZERO)
        elif symbol in members:
            if len(path) < _DEPTH and symbol is not None:
                yield from _below(context, members, symbol, (*path, field))
        elif not value.makers or (symbol is not None and "~" in symbol and "->" not in symbol):
            # What never changes; and the name of a function, which may as well be a global that has.
            yield (*path, field), value
    if len(path) < _DEPTH:
        for symbol, place in context.objects.parts_of(base):
            if symbol in members:
                yield from _below(context, members, symbol, (*path, _EMBEDDED + place.field))


def unpack(context: Context, state: State, parts: Iterable[Part]) -> None:
    """Put the parts that a function is handed into the state that it starts in."""
    for part in parts:
        if part.argument >= len(context.graph.parameters):
            continue
        name = context.graph.parameters[part.argument]
        root = address_symbol(name) if part.whole else _symbol(state.values[name])
        if root is None:
            continue
        base, text = root, name.name
        for element in part.path[:-1]:
            embedded = element.startswith(_EMBEDDED)
            member = element.removeprefix(_EMBEDDED)
            text = f"{text}->{member}"
            if embedded:
                inner = Symbol(f"&{base}->{member}")
                context.objects.part(inner, Field(Poly.symbol(base), member))
            else:
                inner = Symbol(f"{base}->{member}", label=text)
                state.values[Field(Poly.symbol(base), member)] = Poly.symbol(inner)
            base = inner
            if part.private:
                context.lent[base] = root
        if part.private and not part.whole:
            context.lent[root] = root
        value, text = part.value, f"{text}->{part.path[-1]}"
        if isinstance(value, Entry):
            table = Symbol(f"T[{part.argument}: {text}]", label=text)
            context.handed.add(table)
            value = Entry(table, Poly.symbol(Symbol(f"@[{part.argument}: {text}]", label=f"the address of {text}")))
        state.values[Field(Poly.symbol(base), part.path[-1])] = value


def out_of_sight(graph: ir.Graph, index: int) -> bool:
    """True where a function does more with the structure it is handed than to use its members and to pass it on."""
    if index >= len(graph.parameters):
        return True
    names: set[ir.Expr] = {graph.parameters[index]}
    ops = [op for block in graph.blocks for op in block.ops]
    before = 0
    while before != len(names):
        before = len(names)
        names.update(op.target for op in ops if isinstance(op, ir.Assign) and _bare(op.value) in names)
    ends = [block.terminator for block in graph.blocks]
    returned = any(isinstance(end, ir.Return) and end.value is not None and _mentions(end.value, names) for end in ends)
    own = {*graph.variables, *graph.parameters}
    return (
        returned
        or any(isinstance(name, ir.Name) and name not in own for name in names)
        or any(_leaks(op, names) for op in ops)
    )


def only_uses_members(graph: ir.Graph, index: int) -> bool:
    """True for a function that does no more with the structure it is handed than to use its members."""
    given = {graph.parameters[index]} if index < len(graph.parameters) else set()
    calls = (op for block in graph.blocks for op in block.ops if isinstance(op, ir.Call))
    return not out_of_sight(graph, index) and not any(_bare(a) in given for call in calls for a in call.arguments)


def _leaks(op: ir.Op, names: set[ir.Expr]) -> bool:
    match op:
        case ir.Assign(_, value, _):
            return _bare(value) not in names and _mentions(value, names) and not _compares(value)
        case ir.Load(_, place, _):
            return _place_leaks(place, names)
        case ir.Store(place, value, _):
            return _place_leaks(place, names) or _mentions(value, names)
        case ir.Call():
            return any(_bare(a) not in names and _mentions(a, names) for a in op.arguments)
        case _:
            return False


def _place_leaks(place: ir.Expr, names: set[ir.Expr]) -> bool:
    """True for a place that is the structure itself, or lies beside it."""
    while isinstance(place, ir.Member):
        if _bare(place.base) in names:
            return False
        place = place.base
    return _mentions(place, names)


def _compares(value: ir.Expr) -> bool:
    return isinstance(value, ir.Binary) and value.op in ("==", "!=")


def _bare(value: ir.Expr) -> ir.Expr:
    while isinstance(value, ir.Cast):
        value = value.operand
    return value


def _mentions(value: ir.Expr, names: set[ir.Expr]) -> bool:
    match value:
        case ir.Name() | ir.Temp():
            return value in names
        case ir.AddressOf(inner) | ir.Deref(inner) | ir.Member(inner, _, _) | ir.Unary(_, inner) | ir.Cast(_, inner):
            return _mentions(inner, names)
        case ir.Index(left, right) | ir.Binary(_, left, right):
            return _mentions(left, names) or _mentions(right, names)
        case _:
            return False


def _symbol(value: Value) -> Symbol | None:
    return value.as_symbol() if isinstance(value, Poly) else None
