"""Which temporaries are still needed where a block begins: one that nobody reads again would only be carried along."""

from __future__ import annotations

from collections.abc import Iterator

from mmlint.flow import ir
from mmlint.flow.ir import Expr, Graph, Temp, successors


def temps_of(expr: Expr | None) -> Iterator[Temp]:
    """Every temporary in an expression."""
    pending = [expr]
    while pending:
        match pending.pop():
            case Temp() as temp:
                yield temp
            case ir.AddressOf(inner) | ir.Deref(inner) | ir.Member(inner, _, _) | ir.Unary(_, inner):
                pending.append(inner)
            case ir.Cast(_, inner):
                pending.append(inner)
            case ir.Index(left, right) | ir.Binary(_, left, right):
                pending += [left, right]
            case _:
                pass


def _reads(op: ir.Op) -> Iterator[Temp]:
    match op:
        case ir.Assign(_, value, _):
            yield from temps_of(value)
        case ir.Load(_, place, _):
            yield from temps_of(place)
        case ir.Store(place, value, _):
            yield from temps_of(place)
            yield from temps_of(value)
        case ir.Call():
            yield from temps_of(op.pointer)
            for argument in op.arguments:
                yield from temps_of(argument)
        case _:
            return


def _terminator_reads(terminator: ir.Terminator) -> Iterator[Temp]:
    match terminator:
        case ir.Branch(condition, _, _, _):
            yield from temps_of(condition)
        case ir.Switch():
            yield from temps_of(terminator.value)
        case ir.Return(value, _, _):
            yield from temps_of(value)
        case _:
            return


def _block_sets(block: ir.Block) -> tuple[set[Temp], set[Temp]]:
    """Temporaries read before they are set in the block, and those it sets."""
    used: set[Temp] = set()
    defined: set[Temp] = set()
    for op in block.ops:
        used.update(temp for temp in _reads(op) if temp not in defined)
        target = getattr(op, "target", None)
        if isinstance(target, Temp):
            defined.add(target)
    used.update(temp for temp in _terminator_reads(block.terminator) if temp not in defined)
    return used, defined


def dead_temps(graph: Graph) -> dict[tuple[int, int], tuple[Temp, ...]]:
    """For each edge (block, successor) the temporaries that have a value in the block and are not read after it."""
    sets = [_block_sets(block) for block in graph.blocks]
    live = _live_temps(graph, sets)
    return {
        (index, target): tuple(sorted((live[index] | sets[index][1]) - live[target], key=lambda temp: temp.index))
        for index, block in enumerate(graph.blocks)
        for target in successors(block.terminator)
    }


def _live_temps(graph: Graph, sets: list[tuple[set[Temp], set[Temp]]]) -> list[set[Temp]]:
    """For each block the temporaries that are read later without being set first."""
    live = [set(used) for used, _ in sets]
    changed = any(live)
    while changed:
        changed = False
        for index in range(len(graph.blocks) - 1, -1, -1):
            after = {temp for target in successors(graph.blocks[index].terminator) for temp in live[target]}
            grown = sets[index][0] | (after - sets[index][1])
            if grown != live[index]:
                live[index] = grown
                changed = True
    return live
