"""Comparisons that a loop goes on with: the first address behind the walk, and the pointers that go along."""

from __future__ import annotations

from collections.abc import Iterable

from mmlint.facts.state import State
from mmlint.flow import ir
from mmlint.flow.values import ONE, PAGE, PAGE_POLY, Entry, Poly, Symbol, Value

# The condition to go on, when the branch leaves the loop; and seen from the other side.
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED = {"!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def first_behind(op: str, limit: Poly, ahead: int) -> Poly | None:
    """The first address behind a walk that goes on while ``address + ahead pages op limit``, or None."""
    if op in ("<", "!="):
        return limit
    if op != "<=":
        return None
    if ahead == 1:
        return limit
    terms = dict(limit.terms)
    if terms.get(()) == -1:
        return limit + ONE
    return limit + PAGE_POLY if terms.get((PAGE,), 0) < 0 else None


def is_held(state: State, value: Poly) -> bool:
    """True when a variable has the value."""
    return any(held == value for place, held in state.values.items() if isinstance(place, ir.Name))


def walked(values: Iterable[Value], address: Poly) -> dict[Symbol | None, int]:
    """Tables of which some pointer is the entry for ``address`` or a number of pages before it: that number."""
    found: dict[Symbol | None, int] = {}
    for value in values:
        if isinstance(value, Entry):
            pages = (address - value.address).without_page()
            count = pages.as_const() if pages is not None else None
            if count is not None and (value.table not in found or abs(count) < abs(found[value.table])):
                found[value.table] = count
    return found


def behind_jumps(graph: ir.Graph, block: int) -> int:
    """The block that runs next, where ``block`` only jumps on."""
    for _ in graph.blocks:
        terminator = graph.blocks[block].terminator
        if graph.blocks[block].ops or not isinstance(terminator, ir.Jump):
            break
        block = terminator.target
    return block
