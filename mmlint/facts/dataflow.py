"""One function, solved: its states at every block, and a way to listen to its final run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mmlint.facts.evaluate import Context
from mmlint.facts.forms import Form
from mmlint.facts.handed import Part
from mmlint.facts.join import Join, JoinMemory
from mmlint.facts.observer import Observer
from mmlint.facts.readers import Readers
from mmlint.facts.state import Key, State
from mmlint.facts.summaries import Summary
from mmlint.facts.transfer import Transfer
from mmlint.flow.ir import Call, Graph
from mmlint.flow.solver import Solution, Solver, cyclic_blocks
from mmlint.flow.values import Value
from mmlint.source import Span
from mmlint.vocabulary import Vocabulary


class Dataflow:
    """The solved states of one function. Raises NoFixpoint from the constructor when they do not settle."""

    def __init__(
        self,
        graph: Graph,
        vocabulary: Vocabulary,
        summary: Callable[[str], Summary | None] = lambda _: None,
        text: Callable[[Span], str] = lambda _: "",
        given: Mapping[int, Value] | None = None,
        readers: Readers | None = None,
        parts: Sequence[Part] = (),
        form: Callable[[str], Form | None] = lambda _: None,
    ) -> None:
        """``given`` are values of parameters by index, for a call in a section; without it any call is meant.

        ``parts`` are members of structures that the call hands over.
        """
        self.graph = graph
        readers = readers or Readers()
        self.context = Context(
            graph, vocabulary, summary=summary, readers=readers, form=form, text=text, in_section=given is not None
        )
        self.given = given or {}
        self.parts = parts
        self._solve()
        # Before 6.5 a map call could not fail, and callers did not test its result.
        untested = frozenset(self.context.mapped) - self.context.tested
        if untested:
            self.context.infallible = untested
            self._solve()

    def _solve(self) -> None:
        self.memories: dict[tuple[int, int], JoinMemory] = {}
        self.transfer = Transfer(self.context, cyclic_blocks(self.graph))
        self.solution: Solution[Key, State] = Solver(
            self.graph, self, self.transfer.entry_state(self.given, self.parts)
        ).solve()

    # ------------------------------------------------------------ the domain that the solver asks

    def key(self, state: State) -> Key:
        return state.key

    def join(self, block: int, kid: int, states: Sequence[State]) -> State:
        memory = self.memories.setdefault((block, kid), JoinMemory())
        join = Join(f"b{block}" if not kid else f"b{block}.{kid}", states, memory)
        result = join.run()
        self.context.joins.update(join.origins)
        self.context.uppers.update(join.uppers)
        self.context.kin.update({table: form for form, table in join.tables.items()})
        return result

    def run(self, block: int, kid: int, state: State) -> list[tuple[int, State]]:
        del kid
        return self.transfer.block(block, state)

    def same(self, left: State, right: State) -> bool:
        return left == right

    # ------------------------------------------------------------ after the fixpoint

    def observe(self, observer: Observer) -> None:
        """Run every block once more over its final states, telling ``observer`` of each op."""
        silent = self.transfer.observer
        self.transfer.observer = observer
        try:
            for block, states in enumerate(self.solution.states):
                for key, state in states.items():
                    observer.block = block
                    observer.kid = self.solution.kids[block][key]
                    self.transfer.block(block, state)
        finally:
            self.transfer.observer = silent

    def calls_of(self, callee: str) -> list[tuple[State, Call]]:
        """The calls of a function with the states before them."""
        listener = _Calls(callee)
        self.observe(listener)
        return listener.found


class _Calls(Observer):
    def __init__(self, callee: str) -> None:
        self.callee = callee
        self.found: list[tuple[State, Call]] = []

    def call(self, state: State, op: Call) -> None:
        if op.callee == self.callee:
            self.found.append((state.copy(), op))
