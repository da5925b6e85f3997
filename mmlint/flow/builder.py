"""Building the blocks of a control flow graph, and putting them in order.

Ops are added to the current block until a terminator ends it. After that nothing is current: the code is dead until a
block is entered again. `Builder.finish` removes what the entry does not reach, leaves out blocks that only forward
control, joins straight lines and numbers the rest in reverse postorder.
"""

from __future__ import annotations

from mmlint.flow.ir import (
    Block,
    Branch,
    Const,
    Expr,
    Jump,
    Op,
    Switch,
    Temp,
    Terminator,
    Unreachable,
    successors,
)
from mmlint.source import Span

_NOTHING = -1


class Builder:
    """Blocks under construction; block 0 is there and current from the start.

    ``nowhere`` is the empty span that jumps get which stand for no text.
    """

    def __init__(self, nowhere: Span) -> None:
        self.nowhere = nowhere
        self._ops: list[list[Op]] = [[]]
        self._terminators: list[Terminator | None] = [None]
        self._dead: list[Op | Terminator] = []
        self._current = 0
        self._temps = 0

    @property
    def current(self) -> int:
        """The block that ops are added to, or -1 in dead code."""
        return self._current

    @property
    def reachable(self) -> bool:
        """False in dead code."""
        return self._current != _NOTHING

    def temp(self) -> Temp:
        """A fresh temporary."""
        self._temps += 1
        return Temp(self._temps - 1)

    def block(self) -> int:
        """A fresh block, not entered yet."""
        self._ops.append([])
        self._terminators.append(None)
        return len(self._ops) - 1

    def enter(self, block: int) -> None:
        """Make a block current; control that reaches the end of the one before falls into it."""
        if self._current != _NOTHING:
            self._terminators[self._current] = Jump(block, self.nowhere)
        self._current = block

    def emit(self, op: Op) -> None:
        """Add an op to the current block."""
        if self._current != _NOTHING:
            self._ops[self._current].append(op)
        else:
            self._dead.append(op)

    def end(self, terminator: Terminator) -> None:
        """End the current block; what follows is dead code."""
        if self._current != _NOTHING:
            self._terminators[self._current] = terminator
            self._current = _NOTHING
        else:
            self._dead.append(terminator)

    def jump(self, target: int) -> None:
        """Fall through to a block."""
        self.end(Jump(target, self.nowhere))

    def branch(self, condition: Expr, then: int, otherwise: int, span: Span) -> None:
        """Branch on a condition; a constant one takes its arm."""
        if isinstance(condition, Const):
            self.jump(then if condition.value else otherwise)
        else:
            self.end(Branch(condition, then, otherwise, span))

    def terminate(self, block: int, terminator: Terminator) -> None:
        """Give a block that was left before its targets were known (a switch) its terminator."""
        if block != _NOTHING:
            self._terminators[block] = terminator

    def spans(self) -> set[Span]:
        """The source that became an op or a terminator, dead code included."""
        found = {op.span for ops in self._ops for op in ops}
        found.update(end.span for end in self._terminators if end is not None)
        found.update(part.span for part in self._dead)
        return found

    def finish(self) -> tuple[Block, ...]:
        """The blocks that can be reached, in reverse postorder, block 0 being the entry."""
        lost = Unreachable(self.nowhere)
        ends = [lost if end is None else end for end in self._terminators]
        targets = self._destinations()
        following = [tuple(dict.fromkeys([targets[block] for block in successors(end)])) for end in ends]
        order = _reverse_postorder(following)
        chains = _straight_lines(order, following, ends)
        number = {chain[0]: index for index, chain in enumerate(chains)}
        numbers = [number.get(target, _NOTHING) for target in targets]
        return tuple(
            [
                Block(
                    tuple([op for block in chain for op in self._ops[block]]),
                    _retarget(ends[chain[-1]], numbers),
                )
                for chain in chains
            ]
        )

    def _destinations(self) -> list[int]:
        """For each block the one that control gets to from there without doing anything."""
        found: dict[int, int] = {}
        for block in range(len(self._ops)):
            passed: dict[int, None] = {}
            while block not in found and block not in passed:
                passed[block] = None
                end = self._terminators[block]
                if self._ops[block] or not isinstance(end, Jump) or not _is_fallthrough(end):
                    break
                block = end.target
            found |= dict.fromkeys(passed, found.get(block, block))
        return [found[block] for block in range(len(self._ops))]


def _is_fallthrough(jump: Jump) -> bool:
    return jump.span.start == jump.span.end


def _retarget(end: Terminator, numbers: list[int]) -> Terminator:
    match end:
        case Jump(target, span):
            return Jump(numbers[target], span)
        case Branch(condition, then, otherwise, span):
            return Branch(condition, numbers[then], numbers[otherwise], span)
        case Switch(value, cases, default, span):
            moved = tuple([(low, high, numbers[block]) for low, high, block in cases])
            return Switch(value, moved, numbers[default], span)
    return end


def _reverse_postorder(following: list[tuple[int, ...]]) -> list[int]:
    """Blocks reachable from block 0; of two ways out, the one that stands first in the text comes first."""
    postorder: list[int] = []
    seen = {0}
    stack = [(0, list(following[0]))]
    while stack:
        block, left = stack[-1]
        if not left:
            postorder.append(block)
            stack.pop()
            continue
        target = left.pop()
        if target not in seen:
            seen.add(target)
            stack.append((target, list(following[target])))
    return postorder[::-1]


def _straight_lines(order: list[int], following: list[tuple[int, ...]], ends: list[Terminator]) -> list[list[int]]:
    """The order with each block that is only fallen into from one place put behind that place."""
    entries = dict.fromkeys(order, 0)
    for block in order:
        for target in following[block]:
            entries[target] += 1
    chains: list[list[int]] = []
    placed: set[int] = set()
    for block in order:
        if block in placed:
            continue
        chain = [block]
        end = ends[block]
        while isinstance(end, Jump) and _is_fallthrough(end):
            target = following[chain[-1]][0]
            if entries[target] != 1:
                break
            chain.append(target)
            end = ends[target]
        placed.update(chain)
        chains.append(chain)
    return chains
