"""What a call of a function does to its caller's section, locks and tables.

    static void walk_end(pte_t *pte, spinlock_t *ptl)
    {
            lazy_mmu_mode_disable();
            pte_unmap_unlock(pte, ptl);
    }

A call of walk_end() leaves the mode once, releases the lock in argument 1 and unmaps the table of argument 0. A summary
is certain when all returns of the function agree; otherwise whoever calls it cannot say whether its section is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mmlint.facts.observer import Observer
from mmlint.facts.state import State
from mmlint.flow.ir import Call, Op, Return
from mmlint.flow.values import Entry, Symbol

if TYPE_CHECKING:
    from mmlint.facts.dataflow import Dataflow


class Summary(NamedTuple):
    """The effect of a call. ``released`` and ``unmapped`` are argument indices.

    ``leaves`` and ``resumes`` come before ``enters`` and ``pauses``; ``ranged`` where it enters with a range.
    ``certain`` is False when the returns of the function differ in the sections they leave open.
    """

    leaves: int = 0
    enters: int = 0
    resumes: int = 0
    pauses: int = 0
    released: tuple[int, ...] = ()
    unmapped: tuple[int, ...] = ()
    certain: bool = True
    ranged: bool = False

    @property
    def is_neutral(self) -> bool:
        """True when a call changes nothing that the analysis follows."""
        return self == NEUTRAL


NEUTRAL = Summary()
UNCERTAIN = Summary(certain=False)


@dataclass
class Pending:
    """A function whose effect is being found; ``cut_short`` where a function that it calls was not looked at."""

    cut_short: bool = False


@dataclass
class ReturnStates(Observer):
    """Collects how each return leaves the caller's section, locks and tables."""

    depths: set[tuple[int, int, int, int]] = field(default_factory=set)
    foreign: frozenset[Symbol] | None = None
    opened: set[int] = field(default_factory=set)

    def leave(self, state: State, terminator: Return) -> None:
        del terminator
        self.opened.update(state.stack)
        self.depths.add((state.below, len(state.stack), state.resumed, state.paused))
        self.foreign = state.foreign if self.foreign is None else self.foreign & state.foreign


@dataclass
class ParameterTouches(Observer):
    """Collects how the tables of a function's own pte parameters are used: kind, callee and argument by table."""

    found: dict[Symbol, set[tuple[str, str, int]]] = field(default_factory=dict)

    def touch(self, state: State, op: Op, argument: int, kind: str, entry: Entry) -> None:
        del state
        callee = op.callee or "" if isinstance(op, Call) else ""
        self.found.setdefault(entry.table, set()).add((kind, callee, argument))


def parameter_table(name: str) -> Symbol:
    """The table symbol of a pte parameter of that name."""
    return Symbol(f"T[{name}]")


def summarise(dataflow: Dataflow) -> Summary:
    """The summary of one text of a function."""
    returns = ReturnStates()
    dataflow.observe(returns)
    if not returns.depths:
        return NEUTRAL
    parameters = [name.name for name in dataflow.graph.parameters]
    foreign = returns.foreign or frozenset()
    released = tuple(index for index, name in enumerate(parameters) if Symbol(name) in foreign)
    unmapped = tuple(index for index, name in enumerate(parameters) if parameter_table(name) in foreign)
    if len(returns.depths) > 1:
        return Summary(released=released, unmapped=unmapped, certain=False)
    leaves, enters, resumes, pauses = next(iter(returns.depths))
    ops = (op for block in dataflow.graph.blocks for op in block.ops if op.span.start in returns.opened)
    ranged = any(_is_ranged(dataflow, op) for op in ops if isinstance(op, Call))
    return Summary(leaves, enters, resumes, pauses, released, unmapped, ranged=ranged)


def _is_ranged(dataflow: Dataflow, op: Call) -> bool:
    """True for a call that enters the mode with a range."""
    context = dataflow.context
    if op.callee in context.vocabulary.ranged_enters:
        return True
    summary = context.summary(op.callee or "")
    return summary is not None and summary.ranged
