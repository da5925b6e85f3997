"""What happens inside each section: one listener over the solved function collects it, enable by enable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from mmlint.facts.conditions import difference
from mmlint.facts.dataflow import Dataflow
from mmlint.facts.evaluate import Evaluator
from mmlint.facts.gfp import sleeps
from mmlint.facts.inner import InnerCall, inner_call
from mmlint.facts.limits import MIRRORED, OPPOSITE, behind_jumps, first_behind, is_held, walked
from mmlint.facts.observer import Observer
from mmlint.facts.state import Key, State, Table, held_lock
from mmlint.flow import ir
from mmlint.flow.loops import exit_branches
from mmlint.flow.values import PAGE_POLY, Entry, Poly, Symbol, Value
from mmlint.source import Span


class Snapshot(NamedTuple):
    """The state in which an enable is reached, with its place in the solution."""

    block: int
    key: Key
    state: State


class Touch(NamedTuple):
    """A pte pointer used inside the section; see `Observer.touch`. ``given`` are all arguments of a call."""

    op: ir.Op
    argument: int
    kind: str
    entry: Entry
    given: tuple[Value, ...] = ()


class Bound(NamedTuple):
    """A loop inside the section that ends where a walk address meets ``limit``.

    ``table`` is the table whose entry moves with the address, or None when the address only starts at ``address``.
    """

    table: Symbol | None
    address: Poly
    limit: Poly
    limit_expr: ir.Expr
    address_expr: ir.Expr
    span: Span


class Counter(NamedTuple):
    """A loop inside the section goes on while ``difference op 0``.

    ``block`` asks, going on to ``targets``; ``touches`` says that it also uses entries before.
    """

    difference: Poly
    op: str
    block: int
    targets: tuple[int, int]
    touches: bool
    span: Span


class Exit(NamedTuple):
    """A return that is reached with the section open."""

    block: int
    key: Key
    terminator: ir.Return


class Closing(NamedTuple):
    """A disable that ends the section, the locks then held, and the tables then mapped."""

    op: ir.Call
    held: frozenset[Symbol]
    block: int
    key: Key


@dataclass
class Site:
    """Everything seen of the section that one enable call opens."""

    op: ir.Call
    snapshots: list[Snapshot] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    last: dict[Poly, Span] = field(default_factory=dict)
    counters: dict[Counter, None] = field(default_factory=dict)
    mapped: list[tuple[ir.Call, Symbol, bool]] = field(default_factory=list)
    locked: list[tuple[ir.Call, Symbol]] = field(default_factory=list)
    unlocked: list[tuple[ir.Call, Symbol]] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    reopened: list[tuple[int, Key, ir.Call]] = field(default_factory=list)
    sleeps: list[tuple[ir.Call, str]] = field(default_factory=list)
    calls: dict[InnerCall, None] = field(default_factory=dict)
    escapes: dict[tuple[ir.Store | ir.Assign, Symbol], None] = field(default_factory=dict)
    outer: list[int] = field(default_factory=list)
    paused: bool = False
    range_lost: list[tuple[ir.Call, ir.Call]] = field(default_factory=list)
    backward: bool = False
    paused_out: bool = False
    resumed: bool = False
    doubtful: bool = False


@dataclass
class Borrowed:
    """A section that a called function opens for this one to leave: how it is left, and returns that leave it open."""

    closings: list[ir.Call] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)


@dataclass
class Sites:
    """All sections of a function by the start of their enable call, and what does not belong to one."""

    sites: dict[int, Site] = field(default_factory=dict)
    surplus: dict[int, tuple[ir.Call, int]] = field(default_factory=dict)
    unopened: dict[int, ir.Call | None] = field(default_factory=dict)
    locked_at: dict[Symbol, list[Span]] = field(default_factory=dict)
    borrowed: dict[int, Borrowed] = field(default_factory=dict)
    mode_calls: dict[int, ir.Call] = field(default_factory=dict)
    pauses: dict[int, ir.Call] = field(default_factory=dict)
    pause_states: list[tuple[int, Key, ir.Call]] = field(default_factory=list)
    paused_exits: dict[Span, tuple[ir.Call | None, int, Key]] = field(default_factory=dict)
    clean_exits: set[Span] = field(default_factory=set)
    unpaused: dict[int, ir.Call] = field(default_factory=dict)
    resumes: dict[int, ir.Call] = field(default_factory=dict)
    released: list[tuple[ir.Call, Symbol]] = field(default_factory=list)
    lockless: dict[int, tuple[ir.Call, Symbol, bool]] = field(default_factory=dict)


class Collector(Observer):
    """Fills `Sites`."""

    def __init__(self, dataflow: Dataflow) -> None:
        # An earlier block may close what a later one opens: every enable is known from the start.
        self.result = Sites(_enables(dataflow))
        self.dataflow = dataflow
        self.evaluator = Evaluator(dataflow.context)
        self.exits = exit_branches(dataflow.graph)
        self.locks_elsewhere = _locks_elsewhere(dataflow)

    def _key(self) -> Key:
        kids = self.dataflow.solution.kids[self.block]
        return next(key for key, kid in kids.items() if kid == self.kid)

    def _open(self, state: State) -> Site | None:
        return self.result.sites.get(state.stack[-1]) if state.stack else None

    def _opens(self, state: State) -> list[Site]:
        """Every open section, the innermost last: what happens in one happens in those around it."""
        return [site for start in state.stack if (site := self.result.sites.get(start)) is not None]

    def _site(self, op: ir.Call) -> Site:
        return self.result.sites[op.span.start]

    def call(self, state: State, op: ir.Call) -> None:
        vocabulary = self.dataflow.context.vocabulary
        if op.callee in vocabulary.enters or op.callee in vocabulary.leaves or op.callee in vocabulary.hooks:
            self.result.mode_calls.setdefault(op.span.start, op)
        site = self._open(state)
        if site is not None and not state.paused and not state.doubtful:
            flag = sleeps(vocabulary.sleepers, self.evaluator, state, op)
            if flag is not None and (op, flag) not in site.sleeps:
                site.sleeps.append((op, flag))
            site.calls.setdefault(inner_call(self.evaluator, state, op, len(state.stack)))

    def pause(self, state: State, op: ir.Call) -> None:
        for site in self._opens(state):
            site.paused = True
        self.result.pause_states.append((self.block, self._key(), op))
        self.result.pauses.setdefault(op.span.start, op)

    def resume(self, state: State, op: ir.Call) -> None:
        if state.paused:
            self.result.resumes.setdefault(op.span.start, op)
        elif not state.doubtful:
            self.result.unpaused.setdefault(op.span.start, op)
        site = self._open(state)
        if state.paused == 1 and site is not None and not state.doubtful:
            pause = self.result.pauses.get(state.paused_at, op)
            site.range_lost += [(pause, op)] if (pause, op) not in site.range_lost else []

    def enable(self, state: State, op: ir.Call) -> None:
        site = self._site(op)
        site.snapshots.append(Snapshot(self.block, self._key(), state.copy()))
        if state.stack and not state.doubtful and state.stack[-1] not in site.outer:
            site.outer.append(state.stack[-1])

    def resumed(self, state: State, op: ir.Call, ranged: bool) -> None:
        del state, ranged
        if op.span.start in self.result.sites:
            self._site(op).resumed = True

    def reopened(self, state: State, op: ir.Call) -> None:
        if state.doubtful:
            return
        self._site(op).reopened.append((self.block, self._key(), op))

    def disable(self, state: State, op: ir.Call) -> None:
        site = self._open(state)
        if site is not None:
            site.closings.append(Closing(op, state.held, self.block, self._key()))
        elif state.stack and not state.doubtful:
            self.result.borrowed.setdefault(state.stack[-1], Borrowed()).closings.append(op)

    def surplus(self, state: State, op: ir.Call) -> None:
        if state.doubtful:
            return
        self.result.surplus.setdefault(op.span.start, (op, state.closed))

    def unopened(self, state: State, op: ir.Call) -> None:
        if not state.doubtful:
            self.result.unopened.setdefault(op.span.start, op)

    def mapped(self, state: State, op: ir.Call, table: Symbol, lock: bool) -> None:
        site = self._open(state)
        if site is not None:
            site.mapped.append((op, table, lock and not state.doubtful))

    def locked(self, state: State, op: ir.Call, lock: Symbol) -> None:
        spans = self.result.locked_at.setdefault(lock, [])
        if op.span not in spans:
            spans.append(op.span)
        site = self._open(state)
        if site is not None and not state.doubtful:
            site.locked.append((op, lock))

    def unlocked(self, state: State, op: ir.Call, lock: Symbol) -> None:
        if (op, lock) not in self.result.released:
            self.result.released.append((op, lock))
        site = self._open(state)
        if site is not None and not state.doubtful:
            site.unlocked.append((op, lock))

    def stored(self, state: State, op: ir.Store | ir.Assign, local: bool, entry: Entry) -> None:
        for site in self._opens(state) if not (local or state.paused) else ():
            site.escapes.setdefault((op, entry.table))

    def touch(self, state: State, op: ir.Op, argument: int, kind: str, entry: Entry) -> None:
        self._lockless(state, op, kind, entry)
        arguments = op.arguments if isinstance(op, ir.Call) else ()
        touch = Touch(op, argument, kind, entry, tuple(self.evaluator.value(each, state) for each in arguments))
        for site in self._opens(state) if not state.paused else ():
            if touch not in site.touches:
                site.touches.append(touch)

    def _lockless(self, state: State, op: ir.Op, kind: str, entry: Entry) -> None:
        table = state.tables.get(entry.table)
        if kind != "read" or not isinstance(op, ir.Call) or table is None or table.kernel or state.doubtful:
            return
        if self.locks_elsewhere or not _has_a_lock(table):
            return
        if self.dataflow.context.vocabulary.maps[table.call].usually_kernel:
            return
        if op.callee in self.dataflow.context.vocabulary.locked_reads and held_lock(state, table) is None:
            held = self.dataflow.context.vocabulary.maps[table.call].held
            self.result.lockless.setdefault(op.span.start, (op, table.symbol, held))

    def leave(self, state: State, terminator: ir.Return) -> None:
        if not state.stack:
            self.result.clean_exits.add(terminator.span)
        for open_site in self._opens(state) if state.paused else ():
            open_site.paused_out = True
        if state.paused and not state.doubtful:
            pause = self.result.pauses.get(state.paused_at)
            self.result.paused_exits.setdefault(terminator.span, (pause, self.block, self._key()))
        for start in state.stack:
            site = self.result.sites.get(start)
            if site is not None and state.doubtful:
                site.doubtful = True
            elif site is not None and not state.paused:
                site.exits.append(Exit(self.block, self._key(), terminator))
            elif site is None and not state.paused and not state.doubtful:
                borrowed = self.result.borrowed.setdefault(start, Borrowed())
                borrowed.exits.append(Exit(self.block, self._key(), terminator))

    # ------------------------------------------------------------ loop bounds

    def branch(self, state: State, terminator: ir.Branch) -> None:
        sites = self._opens(state)
        condition = terminator.condition
        goes_on = self.exits.get(self.block, True)
        while isinstance(condition, ir.Unary) and condition.op == "!":
            condition, goes_on = condition.operand, not goes_on
        if not sites or self.block not in self.exits:
            return
        if not isinstance(condition, ir.Binary) or condition.op not in OPPOSITE:
            if goes_on:
                self._count(sites, self.evaluator.value(condition, state), "!=", terminator)
            return
        op = condition.op if goes_on else OPPOSITE[condition.op]
        left = self.evaluator.value(condition.left, state)
        right = self.evaluator.value(condition.right, state)
        self._count(sites, difference(left, right), op, terminator)
        if op in MIRRORED and isinstance(left, Poly) and isinstance(right, Poly):
            sides = ((left, condition.left), (right, condition.right))
            for site in sites:
                forward = self._bounds(site, state, *sides, op, terminator.span)
                backward = self._bounds(site, state, *sides[::-1], MIRRORED[op], terminator.span)
                # Where one side is the address of an entry, the other is the limit.
                moving = [bound for bound in forward + backward if bound.table is not None]
                site.bounds += [bound for bound in moving or forward + backward if bound not in site.bounds]

    def _count(self, sites: list[Site], value: Value, op: str, branch: ir.Branch) -> None:
        """Note what a loop asks, where it is a number that some loop changes."""
        joins = self.dataflow.context.joins
        if op == "==" or not isinstance(value, Poly) or not any(symbol in joins for symbol in value.symbols()):
            return
        graph = self.dataflow.graph
        ops = graph.blocks[self.block].ops
        for site in sites:
            touches = any(touch.op in ops for touch in site.touches)
            targets = (behind_jumps(graph, branch.then), behind_jumps(graph, branch.otherwise))
            counter = Counter(value, op, self.block, targets, touches, branch.span)
            site.counters.setdefault(counter)

    def _bounds(
        self, site: Site, state: State, address: tuple[Poly, ir.Expr], limit: tuple[Poly, ir.Expr], op: str, span: Span
    ) -> list[Bound]:
        """The bounds that ``address op limit``, the condition to go on, puts on the walks of the tables."""
        if limit[0].as_const() is not None or address[0].as_const() is not None:
            return []
        moving = walked(state.values.values(), address[0]) or {None: 0}
        found = []
        for table, ahead in moving.items():
            if op == "<=" and ahead == 1 and not is_held(state, address[0] - PAGE_POLY):
                # The address has gone on and the pointer has not: it is no look ahead.
                ahead = 0
            end = first_behind(op, limit[0], ahead)
            direction = self._direction(address[0])
            if direction < 0 and table is not None:
                site.backward = True
            if end is None and direction > 0 and op == "<=":
                site.last.setdefault(limit[0], span)
            if end is not None and direction >= 0:
                found.append(Bound(table, address[0], end, limit[1], address[1], span))
        return found

    def _direction(self, address: Poly) -> int:
        """1 for an address that its loop moves up, -1 for one that it moves down, 0 where it does neither."""
        for symbol in address.symbols():
            for incoming in self.dataflow.context.joins.get(symbol, ()):
                step = incoming - Poly.symbol(symbol)
                if symbol in incoming.symbols() and step.terms:
                    return -1 if all(factor < 0 for _, factor in step.terms) else 1
        return 0


def collect(dataflow: Dataflow) -> Sites:
    """Listen to the final run of a solved function."""
    collector = Collector(dataflow)
    dataflow.observe(collector)
    collector.result.sites = {
        start: site for start, site in collector.result.sites.items() if site.snapshots or site.resumed
    }
    return collector.result


def _has_a_lock(table: Table) -> bool:
    """False for a table that hangs below a pmd of the function's own: it is not installed yet, and nobody locks it."""
    return table.lock is not None or not str(table.pmd).startswith("&")


def _locks_elsewhere(dataflow: Dataflow) -> bool:
    """True when a lock comes from the caller, is asserted, or is handed to a function that may take it."""
    graph, vocabulary = dataflow.graph, dataflow.context.vocabulary
    pointers = {name for name, v in graph.variables.items() if v.type == "spinlock_t" and v.pointers == 1}
    if any(graph.variables[name].parameter >= 0 for name in pointers):
        return True
    locks = vocabulary.locks
    known = {"guard", "guard.exit", *locks.acquire, *locks.release, *locks.try_, *vocabulary.maps, *vocabulary.unmaps}
    known |= locks.double_acquire | locks.double_release | locks.queries
    calls = [op for block in graph.blocks for op in block.ops if isinstance(op, ir.Call)]
    return any(
        op.callee in locks.asserts or (op.callee not in known and any(a in pointers for a in op.arguments))
        for op in calls
    )


def _enables(dataflow: Dataflow) -> dict[int, Site]:
    vocabulary = dataflow.context.vocabulary
    names = vocabulary.enters | vocabulary.ranged_enters
    return {
        op.span.start: Site(op)
        for block in dataflow.graph.blocks
        for op in block.ops
        if isinstance(op, ir.Call) and op.callee in names
    }
