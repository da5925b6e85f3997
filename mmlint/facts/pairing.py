"""Pairing and locking: how a section ends, and whether the page-table lock is held all the way.

Evidence for a fault is a path: the enable, the decisions that lead past the disable, and the exit.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable

from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.sections import Evidence, Leak, Obligation, Outside, Status
from mmlint.facts.sites import Site
from mmlint.facts.state import Key, State, Table, held_lock
from mmlint.flow.ir import Branch, Call
from mmlint.flow.loops import natural_loops
from mmlint.flow.values import Symbol
from mmlint.source import Source, Span

_SHOWN_DECISIONS = 4
Node = tuple[int, Key]


def path_to(solved: Solved, starts: list[Node], goal: Node) -> list[Node]:
    """A shortest path of (block, key) from one of ``starts`` to ``goal``; empty when there is none."""
    sources = solved.dataflow.solution.sources
    wanted = set(starts)
    after: dict[Node, Node] = {}
    pending = deque([goal])
    seen = {goal}
    while pending:
        node = pending.popleft()
        if node in wanted:
            path = [node]
            while path[-1] != goal:
                path.append(after[path[-1]])
            return path
        for source in sources.get(node, ()):
            if source not in seen:
                seen.add(source)
                after[source] = node
                pending.append(source)
    return []


def decisions(solved: Solved, source: Source, path: list[Node]) -> list[Evidence]:
    """The branches along a path, as lines that say which way they went."""
    lines = []
    for (block, _), (following, _) in itertools.pairwise(path):
        terminator = solved.dataflow.graph.blocks[block].terminator
        if isinstance(terminator, Branch) and terminator.then != terminator.otherwise:
            text = " ".join(source.text(terminator.span).split())
            outcome = "holds" if following == terminator.then else "does not hold"
            lines.append(Evidence(terminator.span, f"{_short(text)} {outcome}"))
    return lines[-_SHOWN_DECISIONS:]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def is_wrapper(solved: Solved, site: Site) -> bool:
    """True for a function that enters the mode for its caller to leave.

    It handles no page table itself, and either does next to nothing else, or enters the mode on some of its ways only,
    as one that gives back what a context switch took away.
    """
    if site.touches or site.mapped or any(snapshot.state.tables for snapshot in site.snapshots):
        return False
    graph = solved.dataflow.graph
    calls = [op for block in graph.blocks for op in block.ops if isinstance(op, Call) and op != site.op]
    if not calls and not natural_loops(graph):
        return True
    return any(exit_.terminator.span in solved.sites.clean_exits for exit_ in site.exits)


def opens_for_caller(analysis: FileAnalysis, name: str) -> bool:
    """True when a caller of the function leaves the mode for it, or calls one that does: two halves of a pair."""
    if any(_closes_for(analysis, caller, name) for caller in analysis.callers(name)):
        return True
    if analysis.graph is None or analysis.is_static(name):
        return False
    others = [analysis.graph.analysis(path) for path in analysis.graph.callers(name, analysis.path)]
    return any(
        _closes_for(other, caller, name)
        for other in others
        if name not in other.definitions
        for caller in other.callers(name)
    )


def _closes_for(analysis: FileAnalysis, caller: str, name: str) -> bool:
    for solved in analysis.solve(caller)[0]:
        starts = {op.span.start for _, op in solved.dataflow.calls_of(name)}
        if any(start in starts and borrowed.closings for start, borrowed in solved.sites.borrowed.items()):
            return True
    for other in analysis.called_names(caller):
        if other == name or analysis.enters_mode(other):
            continue
        summary = analysis.summary(other)
        if summary is not None and (summary.leaves or not summary.certain):
            return True
    return False


def leaks(solved: Solved, source: Source, site: Site, leave: str, opens: Callable[[], bool]) -> list[Leak]:
    """Ways out with the mode still on; none where the function ``opens`` the section for its caller to leave."""
    if not site.closings and site.exits and (is_wrapper(solved, site) or opens()):
        return []
    starts = [(snapshot.block, snapshot.key) for snapshot in site.snapshots]
    found: dict[Span, Leak] = {}
    for exit_ in site.exits:
        span = exit_.terminator.span
        if span not in found:
            lines = decisions(solved, source, path_to(solved, starts, (exit_.block, exit_.key)))
            message = f"lazy MMU mode is still on when the function returns: {leave}() is missing on this path"
            if not site.closings:
                message = f"lazy MMU mode is still on when the function returns: {leave}() is missing"
            found[span] = Leak(span, message, tuple(lines))
    for block, key, op in site.reopened:
        if op.span not in found and not found:
            lines = decisions(solved, source, path_to(solved, starts, (block, key)))
            message = f"lazy MMU mode is entered again without a {leave}() in between"
            found[op.span] = Leak(op.span, message, tuple(lines))
    return [found[span] for span in sorted(found)]


def borrowed_leaks(solved: Solved, source: Source) -> list[Leak]:
    """Ways out with a section still open that a called function has opened, where other ways do leave it."""
    found: dict[Span, Leak] = {}
    for index, block in enumerate(solved.dataflow.graph.blocks):
        for op in block.ops:
            borrowed = solved.sites.borrowed.get(op.span.start) if isinstance(op, Call) else None
            if borrowed is None or not borrowed.closings or not isinstance(op, Call):
                continue
            starts = [(index, key) for key in solved.dataflow.solution.states[index]]
            for exit_ in borrowed.exits:
                lines = decisions(solved, source, path_to(solved, starts, (exit_.block, exit_.key)))
                message = (
                    f"lazy MMU mode is still on when the function returns: what ends the section of {op.callee}() "
                    "is missing on this path"
                )
                entered = Evidence(op.name_span, f"{op.callee}() enters lazy MMU mode here")
                found.setdefault(exit_.terminator.span, Leak(exit_.terminator.span, message, (entered, *lines)))
    return [found[span] for span in sorted(found)]


def paired(site: Site, found: list[Leak]) -> Obligation:
    """Exactly one disable on every path."""
    if found:
        because = (Evidence(found[0].exit, found[0].message), *found[0].because)
        return Obligation("paired", Status.REFUTED, because, fault=found[0].message)
    if site.doubtful:
        text = "nothing shows that the mode is left on every path: a condition decides it that may change in between"
        return Obligation("paired", Status.UNKNOWN, (Evidence(site.op.span, text),), fault=text)
    spans = sorted({closing.op.span for closing in site.closings})
    if not spans and site.paused_out:
        text = "the mode is still paused when the function returns, and nothing has left it"
        return Obligation("paired", Status.UNKNOWN, (Evidence(site.op.span, text),), fault=text)
    if not spans:
        if site.exits:
            text = "the function returns with the mode on, for its caller to leave"
            return Obligation("paired", Status.UNKNOWN, (Evidence(site.op.span, text),), fault=text)
        return Obligation("paired", Status.PROVEN, (Evidence(site.op.span, "the function does not return from here"),))
    lines = tuple(Evidence(span, "the mode is left here") for span in spans)
    return Obligation("paired", Status.PROVEN, lines)


# ---------------------------------------------------------------- lock


def _touched_tables(site: Site) -> set[Symbol]:
    return {touch.entry.table for touch in site.touches}


def outside(site: Site, locked_at: dict[Symbol, list[Span]]) -> Outside | None:
    """The fault of a section that does not lie inside the lock, or None."""
    touched = _touched_tables(site)
    locks = _locks_of(site, touched)
    late = [op for op, lock in site.locked if lock in locks]
    released = {lock: op for op, lock in site.unlocked if lock in locks}
    enable = Evidence(site.op.span, "lazy MMU mode is entered here")
    before = any(_locked(snapshot.state, touched) for snapshot in site.snapshots)
    if late and not before:
        op = late[0]
        lines = [enable, Evidence(op.span, f"{op.callee}() takes the lock after that")]
        lines += [Evidence(unlock.span, "the lock is released here") for unlock in released.values()]
        lines += [
            Evidence(span, "the mode is left after that")
            for span in sorted({c.op.span for c in site.closings if released and c.op.span > op.span})[-1:]
        ]
        message = "lazy MMU mode is entered before the page-table lock is taken"
        return Outside(site.op.span, message, tuple(lines))
    if not released:
        return None
    lock, op = min(released.items(), key=lambda item: item[1].span)
    taken = [Evidence(span, "the lock is taken here") for span in locked_at.get(lock, ())[:1]]
    closing = next((c for c in site.closings if not c.held), None)
    if closing is None and site.exits and not late:
        # The mode is never left after that: the missing disable is the fault.
        return None
    lines = [*taken, enable, Evidence(op.span, "the lock is released here")]
    if closing is None:
        return Outside(op.span, "the page-table lock is released while lazy MMU mode is on", tuple(lines))
    lines.append(Evidence(closing.op.span, "the mode is left after that"))
    return Outside(closing.op.span, "lazy MMU mode is left after the page-table lock is released", tuple(lines))


def _locks_of(site: Site, touched: set[Symbol]) -> set[Symbol]:
    found = {Symbol(f"lock({table})") for table in touched}
    for snapshot in site.snapshots:
        found |= {table.lock for table in snapshot.state.tables.values() if table.lock and table.symbol in touched}
    return found


def _locked(state: State, touched: set[Symbol]) -> bool:
    return any(table.symbol in touched and held_lock(state, table) is not None for table in state.tables.values())


def locked(state: State, tables: list[Table], locked_at: dict[Symbol, list[Span]], fault: Outside | None) -> Obligation:
    """The lock of every user page table used is held from the enable to the disable."""
    if fault is not None:
        return Obligation("locked", Status.REFUTED, fault.because, fault=fault.message, subject=fault.subject)
    lines = []
    for table in tables:
        if table.kernel:
            lines.append(Evidence(table.site, "kernel page tables need no lock"))
        elif table.lockless:
            text = f"{table.call}() is for page tables that something else protects"
            return Obligation("locked", Status.ASSUMED, (Evidence(table.site, text),))
        elif (lock := held_lock(state, table)) is not None:
            span = next(iter(locked_at.get(lock, ())), table.site)
            lines.append(Evidence(span, "the page-table lock is taken here and held until the mode is left"))
        else:
            text = f"{table.call}() does not take the page-table lock, and nothing else does before the mode is entered"
            return Obligation("locked", Status.UNKNOWN, (Evidence(table.site, text),), fault=text)
    if not lines:
        return Obligation("locked", Status.UNKNOWN, (), fault="no page table is mapped when the mode is entered")
    return Obligation("locked", Status.PROVEN, tuple(lines))
