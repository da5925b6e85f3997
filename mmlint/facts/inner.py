"""Calls in a section, with all that says what they run: arguments, pointers behind them, functions that pointers hold.

fn = careful ? look : peek;
sum += fn(pte, addr, NULL);          InnerCall(op, arguments, targets=("look", "peek"))
advance(&pte);                       behind=((0, T14),): argument 0 leads to a pointer into that table
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from mmlint.facts.evaluate import ENTRY_POINTER, Context, Evaluator, Loaded
from mmlint.facts.handed import Part, parts_of
from mmlint.facts.state import Field, State
from mmlint.flow import ir
from mmlint.flow.values import Entry, Poly, Symbol, Value

_FUNCTION = re.compile(r"&?([A-Za-z_]\w*)(?:~.*)?")
_PLACED = re.compile(r"&?[A-Za-z_]\w* of \S+")
_GLOBAL = re.compile(r"&?([A-Za-z_]\w*)(?:~.*?)?( of \S+)?")
_MAX_TARGETS = 4
_DEPTH = 6


class InnerCall(NamedTuple):
    """A call with the values of its arguments.

    ``targets`` are the functions that a pointer may hold, "name" or "name of path", and "" for what is not known.
    ``behind`` are arguments that lead to a pte pointer, with its table, ``parts`` what is known of the members of
    structures that are arguments, or that these point to. ``depth`` counts the sections around the call. ``mixed`` are
    tables that some elements of an array which is an argument lead to, and others do not.
    """

    op: ir.Call
    arguments: tuple[Value, ...]
    targets: tuple[str, ...] = ()
    behind: tuple[tuple[int, Symbol], ...] = ()
    depth: int = 1
    parts: tuple[Part, ...] = ()
    mixed: tuple[Symbol, ...] = ()

    @property
    def name(self) -> str:
        """The function, or the first that the pointer may hold, or empty."""
        return self.op.callee or next((target.split(" of ")[0] for target in self.targets), "")


def inner_call(evaluator: Evaluator, state: State, op: ir.Call, depth: int) -> InnerCall:
    """The call as it is made in a state."""
    arguments = tuple(evaluator.value(argument, state) for argument in op.arguments)
    targets: tuple[str, ...] = ()
    if op.pointer is not None:
        targets = tuple(targets_of(evaluator.context, evaluator.value(op.pointer, state)))
    behind, mixed = _behind(evaluator.context, state, arguments)
    parts = parts_of(evaluator.context, state, op, arguments)
    return InnerCall(op, arguments, targets, behind, depth, parts, mixed)


def function_name(value: Value, context: Context | None = None) -> str:
    """The name that a value is where it may be a function's, or empty. ``context`` knows which names are variables."""
    symbol = value.as_symbol() if isinstance(value, Poly) else None
    if symbol is None:
        return ""
    if _PLACED.fullmatch(symbol):
        return symbol
    found = _FUNCTION.fullmatch(symbol)
    # What was read from a global begins with its name.
    if found is None or "->" in symbol or ("~" not in symbol and symbol.makers):
        return ""
    name = found.group(1)
    return "" if context is not None and any(variable.name == name for variable in context.graph.variables) else name


def targets_of(context: Context, value: Value) -> Iterator[str]:
    """The functions that a pointer may hold, "name", "name of path" or a member of a global, and "" for any other."""
    symbol = value.as_symbol() if isinstance(value, Poly) else None
    incoming = context.joins.get(symbol, ()) if symbol is not None else ()
    known = incoming if 0 < len(incoming) <= _MAX_TARGETS else (value,)
    for one in dict.fromkeys(known):
        if not isinstance(one, Poly) or one.as_const() != 0:
            name = function_name(one, context)
            yield from (name,) if name else members_of(context, one) or ("",)


def members_of(context: Context, value: Value) -> list[str]:
    """The members of globals that a value was read from: "ops.f", "table[0]", "table[*].f", "ops.f of path"."""
    symbol = value.as_symbol() if isinstance(value, Poly) else None
    origin = context.origins.get(symbol) if symbol is not None else None
    if not isinstance(origin, Loaded) or not (origin.field.startswith("[") or origin.field.isidentifier()):
        return []
    step = f".{origin.field}" if origin.field.isidentifier() else _index(origin.field[1:-1])
    return [name + path + step + place for name, path, place in _globals(context, origin.base, _DEPTH)]


def _globals(context: Context, base: Value, depth: int) -> list[tuple[str, str, str]]:
    """The globals that a pointer leads into: name, path in it, and " of" the file that names it."""
    if not isinstance(base, Poly) or not depth:
        return []
    symbol = base.as_symbol()
    incoming = context.joins.get(symbol, ()) if symbol is not None else ()
    if incoming:
        found = [_globals(context, one, depth - 1) for one in incoming[:_MAX_TARGETS]]
        return [item for items in found for item in items] if all(found) and len(incoming) <= _MAX_TARGETS else []
    if symbol is not None:
        owner = context.objects.place_of(symbol)
        if owner is not None:
            return [(n, f"{path}.{owner.field}", at) for n, path, at in _globals(context, owner.base, depth - 1)]
        return [(name, "", place) for name, place in _global(context, symbol)]
    # An element: the array and its index.
    arrays = [found for one in base.symbols() for found in _global(context, one)]
    index = (base - Poly.symbol(base.symbols()[0])).as_const() if len(base.symbols()) == 1 else None
    return [(name, _index("" if index is None else str(index)), place) for name, place in arrays[:1]]


def _global(context: Context, symbol: Symbol) -> list[tuple[str, str]]:
    found = _GLOBAL.fullmatch(symbol)
    if found is None or "->" in symbol or any(variable.name == found.group(1) for variable in context.graph.variables):
        return []
    return [(found.group(1), found.group(2) or "")]


def _index(text: str) -> str:
    return f"[{text}]" if text.isdigit() else "[*]"


def _behind(
    context: Context, state: State, arguments: tuple[Value, ...]
) -> tuple[tuple[tuple[int, Symbol], ...], tuple[Symbol, ...]]:
    """``behind`` and ``mixed`` of a call."""
    behind: list[tuple[int, Symbol]] = []
    mixed: list[Symbol] = []
    for index, value in enumerate(arguments):
        symbol = value.as_symbol() if isinstance(value, Poly) else None
        if symbol is None:
            continue
        local = context.objects.locals.get(symbol)
        found = state.values.get(local) if local is not None else state.values.get(Field(value, "*"))
        if local is not None and context.objects.is_array(local):
            tables, same = _elements(state, value)
            behind += [(index, table) for table in tables if same]
            mixed += tables if not same else []
        if isinstance(found, Entry):
            behind.append((index, found.table))
        elif found is None and context.types.get(symbol) == ENTRY_POINTER:
            behind.append((index, Symbol(f"T[*{symbol}]")))
    return tuple(behind), tuple(mixed)


def _is_null(value: Value) -> bool:
    return isinstance(value, Poly) and value.as_const() == 0


def _elements(state: State, array: Value) -> tuple[list[Symbol], bool]:
    """The tables that the elements of an array of pte pointers lead to, and whether all lead to one or are NULL."""
    values = [
        value
        for place, value in state.values.items()
        if isinstance(place, Field) and place.base == array and place.field[0] == "[" and not _is_null(value)
    ]
    tables = (value.table for value in values if isinstance(value, Entry))
    return list(dict.fromkeys(tables)), all(isinstance(value, Entry) for value in values)


class PageTables(Container[Symbol]):
    """The tables that one function knows to be page tables, others being copies on the stack, or buffers.

    They are mapped, looked up, led to by a field of the vocabulary, or ``used``: given to an accessor; or the caller
    ``handed`` them over: "name" is a parameter, "*name" what it points to. A table that comes from such tables alone,
    by joins or by calls that may move the pointer, is one too.
    """

    def __init__(self, context: Context, used: Container[Symbol] = (), handed: Iterable[str] = ()) -> None:
        self._context = context
        self._used = used
        self._lookups = tuple(f"T[{name}@" for name in sorted(context.vocabulary.lookups))
        elements = [rf"{re.escape(name[1:])}->\[.*?\]" for name in sorted(handed) if name.startswith("*")]
        self._names = "|".join([*(re.escape(name) for name in sorted(handed)), *elements])
        self._handed = re.compile(rf"T\[(?:{self._names})(?:~.*)?\]")
        self._known: dict[Symbol, bool] = {}

    def __contains__(self, table: object) -> bool:
        if not isinstance(table, Symbol):
            return False
        if table not in self._known:
            self._known[table] = self._rests_on_ground(table)
        return self._known[table]

    def _rests_on_ground(self, table: Symbol) -> bool:
        pending, seen, grounded = [table], {table}, False
        while pending:
            current = pending.pop()
            if self._is_ground(current):
                grounded = True
                continue
            origins = self._context.kin.get(current, ())
            if not origins:
                return False
            pending += [origin for origin in dict.fromkeys(origins) if origin not in seen]
            seen.update(origins)
        return grounded

    def _is_ground(self, table: Symbol) -> bool:
        if table.startswith("T[&"):
            # An object that is no page table, whatever is done to it.
            return False
        context = self._context
        return (
            table in context.mapped
            or table in context.leads
            or table in context.handed
            or table in self._used
            or table.startswith(self._lookups)
            or (bool(self._names) and self._handed.fullmatch(table) is not None)
        )
