"""What a function does while the lazy MMU mode of its caller is on: calls, accesses of entries, sections of its own.

The caller's mode is on until the function leaves or pauses it. A function may do different things for different
arguments, so it is looked at anew for each set of arguments whose values are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from mmlint.facts.conditions import decide
from mmlint.facts.evaluate import Evaluator
from mmlint.facts.file import Called
from mmlint.facts.gfp import sleeps
from mmlint.facts.handed import entry_tables
from mmlint.facts.inner import InnerCall, PageTables, inner_call
from mmlint.facts.observer import Observer
from mmlint.facts.state import State
from mmlint.flow import ir
from mmlint.flow.values import Entry, Symbol


class Access(NamedTuple):
    """A dereference of a pte pointer into ``table``, or a call that makes one for its ``argument``."""

    op: ir.Op
    table: Symbol
    argument: int = -1


class Use(NamedTuple):
    """An accessor that is given a pte pointer into ``table`` as its ``argument``; ``kind`` as of `Observer.touch`."""

    op: ir.Op
    argument: int
    kind: str
    table: Symbol


@dataclass
class Effects(Observer):
    """Collects them from the final states of one text of a function; ``depth`` sections are open around it."""

    called: Called
    depth: int = 1
    calls: dict[InnerCall, None] = field(default_factory=dict)
    sleeps: dict[ir.Call, str] = field(default_factory=dict)
    accesses: dict[Access, None] = field(default_factory=dict)
    uses: dict[Use, None] = field(default_factory=dict)
    accessed: set[Symbol] = field(default_factory=set)
    enters: dict[ir.Call, None] = field(default_factory=dict)
    resumes: dict[ir.Call, None] = field(default_factory=dict)
    escapes: dict[tuple[ir.Store | ir.Assign | ir.Return, Symbol], None] = field(default_factory=dict)
    _blocks: dict[int, int] = field(default_factory=dict)
    _avoidable: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._context = self.called.dataflow.context
        self._evaluator = Evaluator(self._context)
        self.called.dataflow.observe(self)

    @property
    def parameters(self) -> tuple[ir.Name, ...]:
        return self.called.dataflow.graph.parameters

    def page_tables(self, handed: Iterable[str] = ()) -> PageTables:
        """What the function knows to be page tables, ``handed`` over by its caller or by what it does itself."""
        return PageTables(self._context, self.accessed, handed)

    def is_conditional(self, op: ir.Call) -> bool:
        """True when the function can come to its end without this call."""
        block = self._blocks.get(op.span.start, -1)
        known = self._avoidable.get(block)
        if known is None:
            known = self._avoidable[block] = self._can_avoid(block)
        return known

    def _can_avoid(self, avoided: int) -> bool:
        blocks = self.called.dataflow.graph.blocks
        states = self.called.dataflow.solution.states
        pending, seen = [0], {0, avoided}
        while pending and avoided:
            block = pending.pop()
            if isinstance(blocks[block].terminator, ir.Return):
                return True
            following = [b for b in ir.successors(blocks[block].terminator) if b not in seen and states[b]]
            seen.update(following)
            pending += following
        return False

    # ------------------------------------------------------------ what is heard

    def call(self, state: State, op: ir.Call) -> None:
        vocabulary = self._context.vocabulary
        if not self._is_on(state):
            return
        self._blocks[op.span.start] = self.block
        flag = sleeps(vocabulary.sleepers, self._evaluator, state, op)
        index = vocabulary.calls.conditional.get(op.callee or "", -1)
        if flag is not None:
            self.sleeps.setdefault(op, flag)
        elif 0 <= index < len(op.arguments) and decide(self._evaluator, op.arguments[index], state):
            self.sleeps.setdefault(op, "")
        if op.callee in vocabulary.enters or op.callee in vocabulary.ranged_enters:
            self.enters.setdefault(op)
        depth = self.depth - state.below + len(state.stack)
        self.calls.setdefault(inner_call(self._evaluator, state, op, depth))

    def resume(self, state: State, op: ir.Call) -> None:
        """The mode is entered plainly again."""
        if state.paused == 1 and not state.doubtful and self.depth + len(state.stack) > state.below:
            self.resumes.setdefault(op)

    def resumed(self, state: State, op: ir.Call, ranged: bool) -> None:
        """The section of the caller was left, and is entered again; with a range it has one again."""
        if not ranged and not state.doubtful and self.depth + len(state.stack) == state.below:
            self.resumes.setdefault(op)

    def stored(self, state: State, op: ir.Store | ir.Assign, local: bool, entry: Entry) -> None:
        if self._is_on(state) and not local:
            self.escapes.setdefault((op, entry.table))

    def leave(self, state: State, terminator: ir.Return) -> None:
        """A structure that is returned takes the pointers in it along."""
        if self._is_on(state):
            for table in entry_tables(self._context, state, terminator.value):
                self.escapes.setdefault((terminator, table))

    def touch(self, state: State, op: ir.Op, argument: int, kind: str, entry: Entry) -> None:
        if kind in ("read", "update", "read_update", "carry"):
            self.accessed.add(entry.table)
            if self._is_on(state):
                self.uses.setdefault(Use(op, argument, kind, entry.table))
        elif kind == "direct" and self._is_on(state):
            self.accesses.setdefault(Access(op, entry.table, argument))

    def _is_on(self, state: State) -> bool:
        """True where the mode is certainly on, be it by the caller's sections or by one of the function's own."""
        return not state.paused and not state.doubtful and self.depth + len(state.stack) > state.below
