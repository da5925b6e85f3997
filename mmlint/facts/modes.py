"""Parameters that select what a function does: a flag, GFP flags, one of an enumeration.

    static void note_how(unsigned long addr, enum wish how)        how is one of the constants that it is compared with,
                                                                   or another value, and no two constants are the same

Where a caller does not tell the value, only what happens for every one of them is said to happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

from mmlint.flow import ir
from mmlint.flow.values import ONE, ZERO, Poly, Symbol, Value

Unknown = tuple[tuple[int, tuple[Value, ...]], ...]
# A value of an enumeration that is none of the constants that a function names.
_ANOTHER = Poly.symbol(Symbol("another value"))
_MAX_CHOICES = 8


def compared_constants(graph: ir.Graph) -> tuple[str, ...]:
    """Constants, by their spelling in capitals, that some value is compared with, in the order of the text."""
    found: dict[str, None] = {}
    for block in graph.blocks:
        match block.terminator:
            case ir.Branch():
                found.update(dict.fromkeys(_compared(graph, block.terminator.condition)))
            case ir.Switch():
                cases = [low for low, _, _ in block.terminator.cases]
                found.update(dict.fromkeys(c.name for c in cases if isinstance(c, ir.Name) and _is_constant(graph, c)))
            case _:
                pass
    return tuple(found)


def _compared(graph: ir.Graph, condition: ir.Expr) -> Iterator[str]:
    match condition:
        case ir.Unary(_, operand):
            yield from _compared(graph, operand)
        case ir.Binary("==" | "!=", left, right):
            yield from (side.name for side in (left, right) if isinstance(side, ir.Name) and _is_constant(graph, side))
        case _:
            pass


def _is_constant(graph: ir.Graph, name: ir.Name) -> bool:
    return name.name.isupper() and name not in graph.variables


def modes_of(graph: ir.Graph, types: frozenset[str]) -> dict[int, tuple[Value, ...]]:
    """The parameters that select what happens, by index, with the values that make a difference."""
    found: dict[int, tuple[Value, ...]] = {}
    for index, name in enumerate(graph.parameters):
        variable = graph.variables[name]
        if variable.pointers:
            continue
        if variable.type.startswith("enum "):
            constants = [Poly.symbol(Symbol(constant)) for constant in compared_constants(graph)]
            found[index] = (_ANOTHER, *constants)
        elif variable.type in types:
            found[index] = (ZERO, ONE)
    return found


def choices(unknown: Unknown) -> list[dict[int, Value]]:
    """Sets of values for parameters that are not known: all of them, or some where that would be too many."""
    if prod(len(values) for _, values in unknown) <= _MAX_CHOICES:
        indices = [index for index, _ in unknown]
        return [dict(zip(indices, chosen, strict=True)) for chosen in product(*(values for _, values in unknown))]
    most = max(len(values) for _, values in unknown)
    return [{index: values[k % len(values)] for index, values in unknown} for k in range(min(most, _MAX_CHOICES))]
