"""Natural loops of a control flow graph, and the branches that leave them."""

from __future__ import annotations

from mmlint.flow.ir import Branch, Graph, successors


def natural_loops(graph: Graph) -> list[frozenset[int]]:
    """The blocks of every loop, one set for each edge that goes back in reverse postorder."""
    predecessors: list[list[int]] = [[] for _ in graph.blocks]
    for index, block in enumerate(graph.blocks):
        for target in successors(block.terminator):
            predecessors[target].append(index)
    loops = []
    for index, block in enumerate(graph.blocks):
        for head in successors(block.terminator):
            if head <= index:
                loops.append(_body(predecessors, head, index))
    return loops


def _body(predecessors: list[list[int]], head: int, latch: int) -> frozenset[int]:
    body = {head}
    pending = [latch]
    while pending:
        block = pending.pop()
        if block not in body:
            body.add(block)
            pending.extend(predecessors[block])
    return frozenset(body)


def exit_branches(graph: Graph) -> dict[int, bool]:
    """Blocks whose branch decides whether a loop goes on: whether it does so when the condition holds.

    For a branch that leaves several loops the innermost counts.
    """
    found: dict[int, bool] = {}
    for loop in sorted(natural_loops(graph), key=len):
        for index in loop:
            terminator = graph.blocks[index].terminator
            if isinstance(terminator, Branch) and (terminator.then in loop) != (terminator.otherwise in loop):
                found.setdefault(index, terminator.then in loop)
    return found
