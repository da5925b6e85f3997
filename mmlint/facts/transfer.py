"""Transfer functions: what each op does to an abstract state.

A call that maps a table splits the state in two, mapped and failed, so that ``if (!pte)`` decides by itself; a trylock
splits in taken and not taken. A call of an unknown function gives a new value, and new values to the variables whose
address it gets and to all memory that is not stable by contract.
"""

from __future__ import annotations

from dataclasses import replace

from mmlint.facts.conditions import assume, decide
from mmlint.facts.evaluate import (
    NARROW,
    Context,
    Evaluator,
    Returned,
    address_symbol,
    as_poly,
    entry_address,
    opaque_entry,
)
from mmlint.facts.observer import Observer
from mmlint.facts.ownership import owner_of
from mmlint.facts.state import EPOCH, Field, State, Table, place_text
from mmlint.facts.summaries import Summary
from mmlint.flow import ir
from mmlint.flow.liveness import escaped_locals, live_temps
from mmlint.flow.values import ZERO, Entry, Poly, Symbol, Value
from mmlint.kernel import MapCall

_SILENT = Observer()
_MAX_DEPTH = 4


class Transfer:
    """Runs the ops of one function. ``cyclic`` are the blocks that may run more than once."""

    def __init__(self, context: Context, cyclic: frozenset[int]) -> None:
        self.context = context
        self.evaluator = Evaluator(context)
        self.cyclic = cyclic
        self.observer = _SILENT
        self._in_cycle = False
        self.live = live_temps(context.graph)
        self.escaped = escaped_locals(context.graph)
        self._named = {address_symbol(name): name for name in context.graph.variables}
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

    def entry_state(self) -> State:
        """The state in which the function starts: every parameter is a symbol of its own."""
        state = State({EPOCH: ZERO})
        for name in self.context.graph.parameters:
            self._assign(state, name, Poly.symbol(Symbol(name.name)))
        return state

    def block(self, index: int, state: State) -> list[tuple[int, State]]:
        """Run one block in a copy of ``state``: the states that reach each successor."""
        block = self.context.graph.blocks[index]
        self._in_cycle = index in self.cyclic
        states = [state.copy()]
        for op in block.ops:
            states = [after for before in states for after in self.op(before, op)]
        edges = [edge for after in states for edge in self._leave(after, block.terminator)]
        for target, after in edges:
            self._drop_temps(after, self.live[target])
        return edges

    def _drop_temps(self, state: State, live: frozenset[ir.Temp]) -> None:
        for place in [place for place in state.values if isinstance(place, ir.Temp) and place not in live]:
            del state.values[place]

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
            case ir.Assign(target, value):
                self._assign(state, target, self.evaluator.value(value, state))
            case ir.Load(target, place, span):
                self._renew(state, f"load@{span.start}")
                self._direct(state, op, place)
                state.values[target] = self.evaluator.load(place, state)
            case ir.Store():
                self._store(state, op)
            case ir.Declare(target, span):
                maker = f"declare@{span.start}"
                self._renew(state, maker)
                self._assign(state, target, self._fresh(f"unset {target.name}@{span.start}", maker, target.name))
        return [state]

    def _fresh(self, name: str, maker: str, label: str = "") -> Poly:
        return Poly.symbol(Symbol(name, frozenset((maker,)), label))

    def _renew(self, state: State, maker: str) -> None:
        if self._in_cycle:
            state.forget(maker, f"@{maker}")

    def _assign(self, state: State, target: ir.Name | ir.Temp, value: Value) -> None:
        variable = self.context.graph.variables.get(target) if isinstance(target, ir.Name) else None
        if variable is not None and isinstance(value, Poly):
            if variable.type == "pte_t" and variable.pointers == 1 and value.as_const() is None:
                value = opaque_entry(value)
            elif variable.pointers == 1 and variable.type.startswith("struct "):
                symbol = value.as_symbol()
                if symbol is not None:
                    self.context.types.setdefault(symbol, variable.type.removeprefix("struct "))
            elif not variable.pointers and self._cuts_off(state, variable.type, value):
                value = self.context.pure(f"({variable.type})", (value,), f"({variable.type}){{}}")
        state.values[target] = value

    def _direct(self, state: State, op: ir.Load | ir.Store, place: ir.Expr) -> None:
        base = self.evaluator.field(place, state).base
        if isinstance(base, Entry):
            self.observer.touch(state, op, -1, "direct", base)

    def _cuts_off(self, state: State, type_: str, value: Poly) -> bool:
        """True when a variable of a narrow type gets the value of one that is as wide as an address."""
        return (
            type_ in NARROW
            and value.as_const() is None
            and any(isinstance(place, ir.Name) and held == value and self._is_wide(place)
                    for place, held in state.values.items())
        )

    def _is_wide(self, name: ir.Name) -> bool:
        variable = self.context.graph.variables.get(name)
        return variable is not None and (variable.pointers > 0 or variable.type not in NARROW)

    def _store(self, state: State, op: ir.Store) -> None:
        self._direct(state, op, op.place)
        spot = self.evaluator.field(op.place, state)
        value = self.evaluator.value(op.value, state)
        # Any other base may be the same object.
        for place in [p for p in state.values if isinstance(p, Field) and p.field == spot.field and p != spot]:
            del state.values[place]
        if spot.field == "*" or spot.field.startswith("["):
            self._clobber_pointee(state, spot.base, op)
        state.values[spot] = value

    def _clobber_pointee(self, state: State, base: Value, op: ir.Store) -> None:
        symbol = base.as_symbol() if isinstance(base, Poly) else None
        name = self._named.get(symbol) if symbol is not None else None
        # A pointer of which nothing is known may point to any local that was given away.
        for target in (name,) if name is not None else self.escaped:
            maker = f"store@{op.span.start}"
            self._renew(state, maker)
            self._assign(state, target, self._fresh(f"{place_text(target)}@{maker}", maker, target.name))

    # ------------------------------------------------------------ calls

    def _call(self, state: State, op: ir.Call) -> list[State]:
        vocabulary = self.context.vocabulary
        name = op.callee or ""
        maker = f"{name or 'call'}@{op.span.start}"
        self._renew(state, maker)
        self.observer.call(state, op)
        if name in vocabulary.enters or name in vocabulary.ranged_enters:
            self._enable(state, op)
        elif name in vocabulary.leaves:
            self._disable(state, op)
        elif name in vocabulary.pauses or name in vocabulary.resumes:
            step = 1 if name in vocabulary.pauses else -1
            (self.observer.pause if step > 0 else self.observer.resume)(state, op)
            state.paused = min(_MAX_DEPTH, max(0, state.paused + step))
        elif name in vocabulary.maps:
            return self._map(state, op, vocabulary.maps[name], maker)
        elif name in vocabulary.unmaps:
            self._unmap(state, op)
        elif name in vocabulary.locks.try_:
            return self._try(state, op)
        elif self._lock(state, op):
            pass
        elif name in vocabulary.lock_pointers:
            self._lock_pointer(state, op, maker)
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
        """What a function of this file does to the section, the locks and the tables of its caller."""
        for _ in range(summary.leaves):
            self._disable(state, op)
        for index in summary.released:
            if index < len(values):
                self._release(state, op, as_poly(values[index]).as_symbol())
        for index in summary.unmapped:
            value = values[index] if index < len(values) else ZERO
            if isinstance(value, Entry) and value.table in state.tables:
                del state.tables[value.table]
        if summary.enters:
            state.stack = (*state.stack, *(op.span.start for _ in range(summary.enters)))[:_MAX_DEPTH]
        if not summary.certain:
            state.doubtful = True

    def _plain_call(self, state: State, op: ir.Call, maker: str) -> None:
        name = op.callee or ""
        vocabulary = self.context.vocabulary
        arguments = tuple(self.evaluator.value(argument, state) for argument in op.arguments)
        if name in vocabulary.macros.pure or name in vocabulary.bounds or name in vocabulary.arithmetic.entry_index:
            form = f"{name}({', '.join('{}' for _ in arguments)})"
            state.values[op.target] = self.context.pure(name, arguments, form, op.span)
            return
        self._touch(state, op, arguments)
        derived = vocabulary.derives.get(name, -1)
        if 0 <= derived < len(arguments) and isinstance(pointer := arguments[derived], Entry):
            state.values[op.target] = Entry(pointer.table, self._fresh(f"@{maker}", maker, f"an address from {name}()"))
            return
        symbol = Symbol(maker, frozenset((maker,)), f"{name}()" if name else "")
        self.context.origins.setdefault(symbol, Returned(name, op.span, arguments))
        state.values[op.target] = Poly.symbol(symbol)
        if name not in self._touches and name not in vocabulary.levels:
            self._clobber_memory(state, op, maker)
        self._clobber_arguments(state, op, maker)

    def _touch(self, state: State, op: ir.Call, arguments: tuple[Value, ...]) -> None:
        known = self._touches.get(op.callee or "")
        for index, value in enumerate(arguments):
            if isinstance(value, Entry):
                kind = known[1] if known and known[0] == index else ("carry" if known else "unknown")
                self.observer.touch(state, op, index, kind, value)

    def _clobber_memory(self, state: State, op: ir.Call, maker: str) -> None:
        state.values[EPOCH] = self._fresh(maker, maker)
        given = {self.evaluator.value(argument, state) for argument in op.arguments}
        for place in [p for p in state.values if isinstance(p, Field)]:
            assert isinstance(place, Field)
            symbol = place.base.as_symbol() if isinstance(place.base, Poly) else None
            private = symbol is not None and symbol.startswith("&") and place.base not in given
            if not private:
                del state.values[place]

    def _clobber_arguments(self, state: State, op: ir.Call, maker: str) -> None:
        names = [*op.clobbers, *self.escaped]
        for argument in op.arguments:
            while isinstance(argument, ir.Cast):
                argument = argument.operand
            if isinstance(argument, ir.AddressOf) and isinstance(argument.place, ir.Name):
                names.append(argument.place)
        for name in names:
            if name in self.context.graph.variables:
                self._assign(state, name, self._fresh(f"{place_text(name)}@{maker}", maker, name.name))

    # ------------------------------------------------------------ sections

    def _enable(self, state: State, op: ir.Call) -> None:
        if state.paused:
            return
        site = op.span.start
        if state.below:
            self.observer.resumed(state, op)
            state.below -= 1
        elif site in state.stack:
            self.observer.reopened(state, op)
        else:
            self.observer.enable(state, op)
            state.stack = (*state.stack, site)

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

    # ------------------------------------------------------------ tables and locks

    def _map(self, state: State, op: ir.Call, call: MapCall, maker: str) -> list[State]:
        if call.addr >= len(op.arguments):
            self._plain_call(state, op, maker)
            return [state]
        evaluator = self.evaluator
        makers = frozenset((maker,))
        table = Symbol(f"T{op.span.start}", makers)
        self.context.mapped[table] = op.span
        address = entry_address(self.context, evaluator.poly(op.arguments[call.addr], state))
        pmd = evaluator.value(op.arguments[call.pmd], state) if 0 <= call.pmd < len(op.arguments) else None
        owner, contract = owner_of(self.context, evaluator, call, op, state, pmd)
        lock = Symbol(f"lock({table})", makers) if call.lock >= 0 else None
        failed = state.copy() if call.fails and table not in self.context.infallible else None
        for known in [s for s in state.tables if s == table]:
            del state.tables[known]
        state.tables[table] = Table(
            table, owner, lock, call.kernel, address, pmd, call.name, op.span, call.allocates, contract
        )
        self.observer.mapped(state, op, table, call.held)
        if lock is not None:
            self._give_lock(state, op.arguments[call.lock] if call.lock < len(op.arguments) else None, lock)
            if call.held:
                self.observer.locked(state, op, lock)
                state.held = state.held | {lock}
        state.values[op.target] = Entry(table, address)
        if failed is None:
            return [state]
        failed.values[op.target] = ZERO
        self._clobber_arguments(failed, op, maker)
        return [state, failed]

    def _lock_pointer(self, state: State, op: ir.Call, maker: str) -> None:
        call = self.context.vocabulary.lock_pointers[op.callee or ""]
        values = [self.evaluator.value(argument, state) for argument in op.arguments]
        state.values[op.target] = self._fresh(maker, maker, f"{call.name}()")
        for symbol, table in state.tables.items():
            if call.pmd < len(values) and table.pmd is not None and state.equal(table.pmd, values[call.pmd]):
                lock = table.lock or Symbol(f"lock({symbol})", symbol.makers)
                owner = values[call.mm] if table.mm is None and 0 <= call.mm < len(values) else table.mm
                state.tables[symbol] = replace(table, lock=lock, mm=owner)
                state.values[op.target] = Poly.symbol(lock)

    def _give_lock(self, state: State, argument: ir.Expr | None, lock: Symbol) -> None:
        if isinstance(argument, ir.AddressOf) and isinstance(argument.place, ir.Name):
            state.values[argument.place] = Poly.symbol(lock)
        elif argument is not None:
            state.values[Field(self.evaluator.value(argument, state), "*")] = Poly.symbol(lock)

    def _unmap(self, state: State, op: ir.Call) -> None:
        call = self.context.vocabulary.unmaps[op.callee or ""]
        value = self.evaluator.value(op.arguments[call.pte], state) if call.pte < len(op.arguments) else ZERO
        table = state.tables.get(value.table) if isinstance(value, Entry) else None
        if call.lock >= 0 and call.lock < len(op.arguments):
            lock = as_poly(self.evaluator.value(op.arguments[call.lock], state)).as_symbol()
            if lock not in state.held and table is not None:
                lock = table.lock
            self._release(state, op, lock)
        if table is not None:
            del state.tables[table.symbol]
        elif isinstance(value, Entry):
            state.foreign = state.foreign | {value.table}
        state.values[op.target] = ZERO

    def _lock(self, state: State, op: ir.Call) -> bool:
        locks = self.context.vocabulary.locks
        name = op.callee or ""
        take = name in locks.acquire or name in locks.double_acquire
        give = name in locks.release or name in locks.double_release
        if not take and not give:
            return False
        count = 2 if name in locks.double_acquire or name in locks.double_release else 1
        for argument in op.arguments[:count]:
            lock = as_poly(self.evaluator.value(argument, state)).as_symbol()
            if take:
                self._acquire(state, op, lock)
            else:
                self._release(state, op, lock)
        state.values[op.target] = ZERO
        return True

    def _try(self, state: State, op: ir.Call) -> list[State]:
        lock = as_poly(self.evaluator.value(op.arguments[0], state)).as_symbol() if op.arguments else None
        failed = state.copy()
        failed.values[op.target] = ZERO
        state.values[op.target] = Poly.const(1)
        self._acquire(state, op, lock)
        return [state, failed]

    def _acquire(self, state: State, op: ir.Call, lock: Symbol | None) -> None:
        if lock is not None and any(table.lock == lock for table in state.tables.values()):
            self.observer.locked(state, op, lock)
            state.held = state.held | {lock}

    def _release(self, state: State, op: ir.Call, lock: Symbol | None) -> None:
        if lock is None:
            return
        if lock in state.held:
            self.observer.unlocked(state, op, lock)
            state.held = state.held - {lock}
        else:
            state.foreign = state.foreign | {lock}
