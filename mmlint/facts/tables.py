"""Map, unmap and lock calls: the part of the transfer functions that is about page tables.

A call that maps a table splits the state in two, mapped and failed, so that ``if (!pte)`` decides by itself; a trylock
splits in taken and not taken.
"""

from __future__ import annotations

from mmlint.facts.evaluate import as_poly, entry_address
from mmlint.facts.memory import Memory
from mmlint.facts.ownership import kernel_mm, owner_of
from mmlint.facts.state import Field, State, Table
from mmlint.flow import ir
from mmlint.flow.values import ZERO, Entry, Poly, Symbol, Value
from mmlint.vocabulary import MapCall


class TableCalls(Memory):
    """Runs the calls that give, release and lock page tables."""

    def map_table(self, state: State, op: ir.Call, call: MapCall, maker: str) -> list[State]:
        evaluator = self.evaluator
        makers = frozenset((maker,))
        table = Symbol(f"T{op.span.start}", makers)
        self.context.mapped[table] = op.span
        address = entry_address(self.context, evaluator.poly(op.arguments[call.addr], state))
        pmd = evaluator.value(op.arguments[call.pmd], state) if 0 <= call.pmd < len(op.arguments) else None
        owner, contract = owner_of(self.context, evaluator, call, op, state, pmd)
        lock = Symbol(f"lock({table})", makers) if call.lock >= 0 else self._known_lock(state, pmd)
        failed = state.copy() if call.fails and table not in self.context.infallible else None
        for known in [s for s in state.tables if s == table]:
            del state.tables[known]
        state.tables[table] = Table(
            table,
            owner,
            lock,
            owner == kernel_mm(self.context),
            address,
            pmd,
            call.name,
            op.span,
            call.allocates,
            contract,
            call.usually_kernel,
        )
        self.observer.mapped(state, op, table, call.held)
        if lock is not None:
            self._give_lock(state, op.arguments[call.lock] if call.lock < len(op.arguments) else None, lock, maker)
            if call.held:
                self.observer.locked(state, op, lock)
                state.held = state.held | {lock}
        state.values[op.target] = Entry(table, address)
        if failed is None:
            return [state]
        failed.values[op.target] = ZERO
        self.clobber_arguments(failed, op, maker)
        return [state, failed]

    def lock_pointer(self, state: State, op: ir.Call, maker: str) -> None:
        call = self.context.vocabulary.lock_pointers[op.callee or ""]
        values = [self.evaluator.value(argument, state) for argument in op.arguments]
        state.values[op.target] = self.fresh(maker, maker, f"{call.name}()")
        pmd = values[call.pmd] if call.pmd < len(values) else None
        if pmd is not None:
            # A table of this pmd that is mapped later has this lock.
            state.values[Field(pmd, "<lock>")] = state.values[op.target]
        for symbol, table in state.tables.items():
            if call.pmd < len(values) and table.pmd is not None and state.equal(table.pmd, values[call.pmd]):
                lock = table.lock or Symbol(f"lock({symbol})", symbol.makers)
                owner = values[call.mm] if table.mm is None and 0 <= call.mm < len(values) else table.mm
                state.tables[symbol] = table._replace(lock=lock, mm=owner)
                state.values[op.target] = Poly.symbol(lock)

    def _known_lock(self, state: State, pmd: Value | None) -> Symbol | None:
        known = state.values.get(Field(pmd, "<lock>")) if pmd is not None else None
        return known.as_symbol() if isinstance(known, Poly) else None

    def _give_lock(self, state: State, argument: ir.Expr | None, lock: Symbol, maker: str) -> None:
        if isinstance(argument, ir.AddressOf) and isinstance(argument.place, ir.Name):
            state.values[argument.place] = Poly.symbol(lock)
        elif argument is not None:
            spot = self.objects.canonical(Field(self.evaluator.value(argument, state), "*"))
            self.write(state, spot, Poly.symbol(lock), maker)

    def unmap_table(self, state: State, op: ir.Call) -> None:
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

    def lock(self, state: State, op: ir.Call) -> bool:
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

    def guard(self, state: State, op: ir.Call) -> bool:
        """``guard(spinlock)(lock)`` takes a lock, the end of its scope releases it."""
        if op.callee not in ("guard", "guard.exit") or len(op.arguments) < 2:
            return False
        kind = op.arguments[0]
        if not isinstance(kind, ir.Name) or kind.name not in self.context.vocabulary.locks.guards:
            return False
        lock = as_poly(self.evaluator.value(op.arguments[1], state)).as_symbol()
        if op.callee == "guard":
            self._acquire(state, op, lock)
        else:
            self._release(state, op, lock)
        state.values[op.target] = ZERO
        return True

    def try_lock(self, state: State, op: ir.Call) -> list[State]:
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
