"""Transfer functions: what each op does to an abstract state.

A call of an unknown function gives a new value, and new values to the variables whose address it gets and to all memory
that is not stable by contract. What calls do to page tables stands in `mmlint.facts.tables`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mmlint.facts.conditions import assume, decide, extreme
from mmlint.facts.evaluate import Context, Returned, as_poly, opaque_entry
from mmlint.facts.gfp import sleeping_flag
from mmlint.facts.handed import Part, unpack
from mmlint.facts.modes import compared_constants
from mmlint.facts.state import EPOCH, State, normal
from mmlint.facts.summaries import Summary
from mmlint.facts.tables import TableCalls
from mmlint.flow import ir
from mmlint.flow.liveness import dead_temps
from mmlint.flow.values import ZERO, Entry, Poly, Symbol, Value

_MAX_DEPTH = 4


class Transfer(TableCalls):
    """Runs the ops of one function. ``cyclic`` are the blocks that may run more than once."""

    def __init__(self, context: Context, cyclic: frozenset[int]) -> None:
        super().__init__(context)
        self.cyclic = cyclic
        self.dead = dead_temps(context.graph)
        vocabulary = context.vocabulary
        self._touches: dict[str, tuple[int, str]] = {}
        for kind, table in (
            ("read", vocabulary.reads),
            ("update", vocabulary.updates),
            ("read_update", vocabulary.read_updates),
            ("carry", vocabulary.carries),
        ):
            self._touches.update({name: (index, kind) for name, index in table.items()})

    # ------------------------------------------------------------ blocks

    def entry_state(self, given: Mapping[int, Value], parts: Iterable[Part] = ()) -> State:
        """The state in which the function starts: a parameter is ``given`` by its index, or a symbol of its own.

        ``parts`` stand in the members of structures that parameters are or point to.
        """
        state = State({EPOCH: ZERO})
        for index, name in enumerate(self.context.graph.parameters):
            self.assign(state, name, given.get(index, Poly.symbol(Symbol(name.name))), "entry")
        unpack(self.context, state, parts)
        selecting = [
            given[i] for i, name in enumerate(self.context.graph.parameters) if i in given and self._is_enum(name)
        ]
        state.facts = frozenset(
            ("ne", normal(value - Poly.symbol(Symbol(constant))))
            for value in selecting
            if isinstance(value, Poly) and value.as_const() is None
            for constant in compared_constants(self.context.graph)
            if value.as_symbol() != constant
        )
        return state

    def _is_enum(self, name: ir.Name) -> bool:
        variable = self.context.graph.variables[name]
        return variable.type.startswith("enum ") and not variable.pointers

    def block(self, index: int, state: State) -> list[tuple[int, State]]:
        """Run one block in a copy of ``state``: the states that reach each successor."""
        block = self.context.graph.blocks[index]
        self.in_cycle = index in self.cyclic
        states = [state.copy()]
        for op in block.ops:
            states = [after for before in states for after in self.op(before, op)]
        edges = [edge for after in states for edge in self._leave(after, block.terminator)]
        for target, after in edges:
            for temp in self.dead[index, target]:
                after.values.pop(temp, None)
        return edges

    def _leave(self, state: State, terminator: ir.Terminator) -> list[tuple[int, State]]:
        match terminator:
            case ir.Jump(target):
                return [(target, state)]
            case ir.Branch():
                return self._branch(state, terminator)
            case ir.Switch():
                return self._switch(state, terminator)
            case ir.Return():
                self.observer.leave(state, terminator)
                return []
            case _:
                return []

    def _branch(self, state: State, branch: ir.Branch) -> list[tuple[int, State]]:
        self.observer.branch(state, branch)
        known = decide(self.evaluator, branch.condition, state)
        if known is not None:
            return [(branch.then if known else branch.otherwise, state)]
        then = state.copy()
        self._answered(then, branch, True)
        assume(self.evaluator, branch.condition, then, True)
        self._answered(state, branch, False)
        assume(self.evaluator, branch.condition, state, False)
        return [(branch.then, then), (branch.otherwise, state)]

    def _answered(self, state: State, branch: ir.Branch, outcome: bool) -> None:
        """Remember how a condition over variables came out; a second answer that contradicts it is doubtful."""
        text, names = self.context.condition(branch.span)
        if not names:
            return
        values = tuple(state.values.get(name) for name in names)
        if (text, values, not outcome) in state.answers:
            state.doubtful = True
        state.answers = state.answers | {(text, values, outcome)}

    def _switch(self, state: State, switch: ir.Switch) -> list[tuple[int, State]]:
        value = self.evaluator.poly(switch.value, state)
        edges = []
        rest = state.copy()
        for low, high, target in switch.cases:
            taken = rest.copy()
            if low == high:
                difference = value - self.evaluator.poly(low, state)
                known = rest.truth("eq", difference)
                if known is False:
                    continue
                if known is None:
                    taken.learn("eq", difference)
                    rest.learn("ne", difference)
                edges.append((target, taken))
                if known is True:
                    return edges
            else:
                edges.append((target, taken))
        edges.append((switch.default, rest))
        return edges

    # ------------------------------------------------------------ ops

    def op(self, state: State, op: ir.Op) -> list[State]:
        """The states after an op; ``state`` may be changed."""
        match op:
            case ir.Call():
                return self._call(state, op)
            case ir.Assign(target, value, span):
                maker = f"set@{span.start}"
                if self.makes_epoch(target):
                    self.renew(state, maker)
                held = self.evaluator.value(value, state)
                if isinstance(held, Entry) and isinstance(target, ir.Name) and self.is_global(target):
                    self.observer.stored(state, op, False, held)
                copied = self.members_of(state, value) if isinstance(value, ir.Name) else ()
                self.assign(state, target, held, maker)
                if copied and isinstance(target, ir.Name):
                    self.copy_members(state, target, copied)
            case ir.Load(target, place, span):
                self.renew(state, f"load@{span.start}")
                self.direct(state, op, place)
                state.values[target] = self.evaluator.load(place, state)
            case ir.Store():
                self.store(state, op)
            case ir.Declare(target, span):
                maker = f"declare@{span.start}"
                self.renew(state, maker)
                self.declare(state, target, maker)
        return [state]

    # ------------------------------------------------------------ calls

    def _call(self, state: State, op: ir.Call) -> list[State]:
        vocabulary = self.context.vocabulary
        name = op.callee or ""
        maker = f"{name or 'call'}@{op.span.start}"
        self.renew(state, maker)
        self.observer.call(state, op)
        if name in vocabulary.enters or name in vocabulary.ranged_enters:
            self._enable(state, op)
        elif name in vocabulary.leaves:
            self._disable(state, op)
        elif name in vocabulary.pauses or name in vocabulary.resumes:
            (self._pause if name in vocabulary.pauses else self._resume)(state, op)
        elif name in vocabulary.maps and vocabulary.maps[name].addr < len(op.arguments):
            return self.map_table(state, op, vocabulary.maps[name], maker)
        elif name in vocabulary.unmaps:
            self.unmap_table(state, op)
        elif name in vocabulary.locks.try_:
            return self.try_lock(state, op)
        elif self.lock(state, op) or self.guard(state, op):
            pass
        elif name in vocabulary.lock_pointers:
            self.lock_pointer(state, op, maker)
        elif name in vocabulary.macros.noreturn:
            return []
        else:
            summary = self.context.summary(name)
            values = [self.evaluator.value(argument, state) for argument in op.arguments] if summary else []
            self._plain_call(state, op, maker)
            if summary is not None:
                self._apply(state, op, summary, values)
        return [state]

    def _apply(self, state: State, op: ir.Call, summary: Summary, values: list[Value]) -> None:
        """What a function does to the section, the locks and the tables of its caller."""
        for _ in range(summary.resumes):
            self._resume(state, op)
        for _ in range(summary.leaves):
            self._disable(state, op)
        for index in summary.released:
            if index < len(values):
                self._release(state, op, as_poly(values[index]).as_symbol())
        for index in summary.unmapped:
            value = values[index] if index < len(values) else ZERO
            if isinstance(value, Entry) and value.table in state.tables:
                del state.tables[value.table]
        for _ in range(summary.enters):
            if state.below:
                self.observer.resumed(state, op, summary.ranged)
                state.below -= 1
            else:
                state.stack = (*state.stack, op.span.start)[:_MAX_DEPTH]
        for _ in range(summary.pauses):
            self._pause(state, op)
        if not summary.certain:
            state.doubtful = True

    def _plain_call(self, state: State, op: ir.Call, maker: str) -> None:
        name = op.callee or ""
        vocabulary = self.context.vocabulary
        arguments = tuple(self.evaluator.value(argument, state) for argument in op.arguments)
        if name in vocabulary.macros.pure or name in vocabulary.bounds or name in vocabulary.arithmetic.entry_index:
            form = f"{name}({', '.join('{}' for _ in arguments)})"
            known = extreme(self.evaluator, state, op)
            state.values[op.target] = known if known is not None else self.context.pure(name, arguments, form, op.span)
            return
        if self.context.in_section and self._answer(state, op, arguments):
            return
        if self._expression(state, op, arguments):
            return
        self._touch(state, op, arguments)
        if self._touches.get(name, (0, ""))[1] in ("update", "read_update"):
            for argument in op.arguments:
                if isinstance(argument, ir.Name):
                    self.drop_answers(state, rf"{argument.name}\b")
        if not op.result_used:
            self._effects(state, op, maker)
            return
        derived = vocabulary.derives.get(name, -1)
        if 0 <= derived < len(arguments) and isinstance(pointer := arguments[derived], Entry):
            state.values[op.target] = Entry(pointer.table, self.fresh(f"@{maker}", maker, f"an address from {name}()"))
            return
        symbol = Symbol(maker, frozenset((maker,)), f"{name}()" if name else "")
        self.context.origins.setdefault(symbol, Returned(name, op.span, arguments))
        tables = tuple(value.table for value in arguments if isinstance(value, Entry))
        if tables:
            # Where it is a pte pointer, it leads to where the ones do that the function is given.
            self.context.kin[Symbol(f"T[{symbol}]")] = tables
        state.values[op.target] = Poly.symbol(symbol)
        self._effects(state, op, maker)

    def _expression(self, state: State, op: ir.Call, arguments: tuple[Value, ...]) -> bool:
        """The value of a call that is an expression of its arguments, and does nothing else."""
        form = self.context.form(op.callee) if op.result_used and op.callee else None
        if form is None or form.arity != len(arguments):
            return False
        if form.chain and any(isinstance(value, Entry) for value in arguments):
            # It accesses the entry.
            return False
        state.values[op.target] = self.evaluator.value(form.of(op.arguments), state)
        return True

    def _answer(self, state: State, op: ir.Call, arguments: tuple[Value, ...]) -> bool:
        """The result of a call that has one answer in a section, where the table's lock is held."""
        calls, name = self.context.vocabulary.calls, op.callee or ""
        if name in calls.answers:
            state.values[op.target] = Poly.const(calls.answers[name])
        elif name in calls.blocking and arguments:
            flag = sleeping_flag(str(arguments[0]), self.context.vocabulary.sleepers)
            state.values[op.target] = Poly.const(int(flag is not None))
        return name in calls.answers or name in calls.blocking

    def _effects(self, state: State, op: ir.Call, maker: str) -> None:
        """What a call may write."""
        vocabulary, name = self.context.vocabulary, op.callee or ""
        if name not in self._touches and name not in vocabulary.levels:
            self.clobber_memory(state, op, maker)
        self.clobber_arguments(state, op, maker)

    def _touch(self, state: State, op: ir.Call, arguments: tuple[Value, ...]) -> None:
        known = self._touches.get(op.callee or "")
        raw = self.context.vocabulary.raw_arguments(op.callee or "")
        for index, value in enumerate(arguments):
            if known and known[0] == index and isinstance(value, Poly) and value.as_const() is None:
                value = opaque_entry(value)
            if index in raw:
                value = self.entry_around(op.arguments[index], value, state)
            if isinstance(value, Entry) and index in raw:
                self.observer.touch(state, op, index, "direct", value)
            elif isinstance(value, Entry):
                kind = known[1] if known and known[0] == index else ("carry" if known else "unknown")
                self.observer.touch(state, op, index, kind, value)

    # ------------------------------------------------------------ sections

    def _enable(self, state: State, op: ir.Call) -> None:
        if state.paused:
            return
        site = op.span.start
        if state.below:
            self.observer.resumed(state, op, op.callee in self.context.vocabulary.ranged_enters)
            state.below -= 1
        elif site in state.stack:
            self.observer.reopened(state, op)
        else:
            self.observer.enable(state, op)
            state.stack = (*state.stack, site)

    def _pause(self, state: State, op: ir.Call) -> None:
        self.observer.pause(state, op)
        state.paused_at = op.span.start if not state.paused else state.paused_at
        state.paused = min(_MAX_DEPTH, state.paused + 1)

    def _resume(self, state: State, op: ir.Call) -> None:
        self.observer.resume(state, op)
        if state.paused:
            state.paused -= 1
        else:
            state.resumed = min(_MAX_DEPTH, state.resumed + 1)

    def _disable(self, state: State, op: ir.Call) -> None:
        if state.paused:
            return
        if state.stack:
            self.observer.disable(state, op)
            state.stack = state.stack[:-1]
            state.closed = op.span.start
        elif state.closed >= 0:
            self.observer.surplus(state, op)
        elif state.below < _MAX_DEPTH:
            self.observer.unopened(state, op)
            state.below += 1
