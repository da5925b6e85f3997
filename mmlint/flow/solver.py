"""A worklist solver for analyses that keep several states per block, told apart by a key.

The states that flow into a block are joined key by key; a block is run again when one of them changed. Blocks that
nothing reaches have no state at all. The solver gives up, with a reason, when a block is run too often or holds too
many states: no result is better than a wrong one.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mmlint.flow.ir import Graph, successors

K = TypeVar("K", bound=Hashable)
K_co = TypeVar("K_co", bound=Hashable, covariant=True)
S = TypeVar("S")

_MAX_RUNS = 120
_MAX_KEYS = 48


class NoFixpoint(Exception):  # noqa: N818
    """The analysis did not settle; the text says why."""


class Domain(Protocol[K_co, S]):
    """What the solver needs of an analysis."""

    def key(self, state: S) -> K_co:
        """What keeps states apart."""

    def join(self, block: int, kid: int, states: Sequence[S]) -> S:
        """The join of two or more states with one key; ``kid`` numbers the key within the block."""

    def run(self, block: int, kid: int, state: S) -> list[tuple[int, S]]:
        """The states that leave the block, with the successor each goes to."""

    def same(self, left: S, right: S) -> bool:
        """Whether nothing changed."""


@dataclass
class Solution(Generic[K, S]):
    """``states[block]`` maps keys to entry states; ``sources[block, key]`` are the (block, key) they came from."""

    states: list[dict[K, S]]
    sources: dict[tuple[int, K], list[tuple[int, K]]]
    kids: list[dict[K, int]]


class Solver(Generic[K, S]):
    """Solves one graph. Raises NoFixpoint."""

    def __init__(self, graph: Graph, domain: Domain[K, S], entry: S) -> None:
        self.graph = graph
        self.domain = domain
        count = len(graph.blocks)
        self.predecessors: list[list[int]] = [[] for _ in range(count)]
        for index, block in enumerate(graph.blocks):
            for target in successors(block.terminator):
                self.predecessors[target].append(index)
        # out[block][key][target]: what one entry state of a block sends to a successor.
        self.out: list[dict[K, dict[int, list[S]]]] = [{} for _ in range(count)]
        self.solution: Solution[K, S] = Solution([{} for _ in range(count)], {}, [{} for _ in range(count)])
        self.entry = entry
        self.runs = [0] * count
        self._lost = False

    def solve(self) -> Solution[K, S]:
        """Iterate in reverse postorder until nothing changes."""
        pending = [0]
        queued = {0}
        while pending:
            block = heapq.heappop(pending)
            queued.discard(block)
            changed = self._visit(block)
            if self._lost:
                changed |= self._drop_unreached()
            for target in sorted(changed):
                if target not in queued:
                    queued.add(target)
                    heapq.heappush(pending, target)
        return self.solution

    def _drop_unreached(self) -> set[int]:
        """Drop states that only feed each other since the path that led to them is gone; the blocks that lose some."""
        self._lost = False
        start = (0, self.domain.key(self.entry))
        reached = {start}
        pending = [start]
        while pending:
            block, key = pending.pop()
            for target, states in self.out[block].get(key, {}).items():
                for state in states:
                    node = (target, self.domain.key(state))
                    if node not in reached:
                        reached.add(node)
                        pending.append(node)
        changed: set[int] = set()
        for block, outgoing in enumerate(self.out):
            for key in [key for key in outgoing if (block, key) not in reached]:
                changed.update(outgoing.pop(key))
                self.solution.states[block].pop(key, None)
        return changed

    def _incoming(self, block: int) -> dict[K, list[tuple[tuple[int, K] | None, S]]]:
        found: dict[K, list[tuple[tuple[int, K] | None, S]]] = {}
        if block == 0:
            found[self.domain.key(self.entry)] = [(None, self.entry)]
        for before in self.predecessors[block]:
            for key, targets in self.out[before].items():
                for state in targets.get(block, ()):
                    found.setdefault(self.domain.key(state), []).append(((before, key), state))
        return found

    def _visit(self, block: int) -> set[int]:
        incoming = self._incoming(block)
        if len(incoming) > _MAX_KEYS:
            raise NoFixpoint("too many combinations of sections, locks and tables")
        self.runs[block] += 1
        if self.runs[block] > _MAX_RUNS:
            raise NoFixpoint("values do not settle")
        states = self.solution.states[block]
        changed: set[int] = set()
        for key in [key for key in states if key not in incoming]:
            del states[key]
            self._lost = True
            changed.update(self.out[block].pop(key, {}))
        for key, arrivals in incoming.items():
            kid = self.solution.kids[block].setdefault(key, len(self.solution.kids[block]))
            sources = [source for source, _ in arrivals if source is not None]
            self.solution.sources[block, key] = list(dict.fromkeys(sources))
            state = arrivals[0][1]
            if len(arrivals) > 1:
                state = self.domain.join(block, kid, [arrival for _, arrival in arrivals])
            known = states.get(key)
            if known is not None and self.domain.same(known, state):
                continue
            states[key] = state
            changed |= self._run(block, kid, key, state)
        return changed

    def _run(self, block: int, kid: int, key: K, state: S) -> set[int]:
        before = self.out[block].get(key, {})
        targets: dict[int, list[S]] = {}
        for target, after in self.domain.run(block, kid, state):
            targets.setdefault(target, []).append(after)
        self.out[block][key] = targets
        self._lost |= bool(self._nodes(before) - self._nodes(targets))
        return set(before) | set(targets)

    def _nodes(self, targets: dict[int, list[S]]) -> set[tuple[int, K]]:
        return {(target, self.domain.key(state)) for target, states in targets.items() for state in states}


def cyclic_blocks(graph: Graph) -> frozenset[int]:
    """Blocks that may run more than once, and perhaps a few more.

    In reverse postorder every cycle through a block has an edge that goes back over it, or to it.
    """
    found: set[int] = set()
    for index, block in enumerate(graph.blocks):
        for target in successors(block.terminator):
            if target <= index:
                found.update(range(target, index + 1))
    return frozenset(found)
