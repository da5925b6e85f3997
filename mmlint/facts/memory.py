"""Assignments, stores and what a call may overwrite: the part of the transfer functions that is about memory."""

from __future__ import annotations

import re

from mmlint.facts.evaluate import NARROW, Context, Evaluator, address_symbol, opaque_entry
from mmlint.facts.observer import Observer
from mmlint.facts.state import EPOCH, Field, State, field_epoch, place_text
from mmlint.flow import ir
from mmlint.flow.liveness import escaped_locals
from mmlint.flow.values import Entry, Poly, Symbol, Value

SILENT = Observer()


def _is_pointer(variable: ir.Variable) -> bool:
    return variable.pointers == 1 and not variable.array


def _may_be(place: Field, spot: Field) -> bool:
    """Whether a write to ``spot`` may change ``place``: elements and the object itself are one kind."""
    return place != spot and field_epoch(place.field) == field_epoch(spot.field)


class Memory:
    """Writes values into states."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.evaluator = Evaluator(context)
        self.observer = SILENT
        self.escaped = escaped_locals(context.graph)
        self.in_cycle = False
        self._executed: set[str] = set()
        self._named = {address_symbol(name): name for name in context.graph.variables}

    def fresh(self, name: str, maker: str, label: str = "") -> Poly:
        return Poly.symbol(Symbol(name, frozenset((maker,)), label))

    def renew(self, state: State, maker: str) -> None:
        # What was never executed has defined nothing yet.
        if self.in_cycle and maker in self._executed:
            state.forget(maker, f"@{maker}")
        self._executed.add(maker)

    def assign(self, state: State, target: ir.Name | ir.Temp, value: Value) -> None:
        variable = self.context.graph.variables.get(target) if isinstance(target, ir.Name) else None
        if variable is not None and isinstance(value, Poly):
            if variable.type == "pte_t" and _is_pointer(variable) and value.as_const() is None:
                value = opaque_entry(value)
            elif variable.pointers == 1 and variable.type.startswith("struct "):
                symbol = value.as_symbol()
                if symbol is not None:
                    self.context.types.setdefault(symbol, variable.type.removeprefix("struct "))
            elif not variable.pointers and self._cuts_off(state, variable.type, value):
                value = self.context.pure(f"({variable.type})", (value,), f"({variable.type}){{}}")
        if isinstance(target, ir.Name) and variable is None:
            state.values[EPOCH] = self.fresh(f"{target.name} set", f"set {target.name}")
        if variable is not None and not variable.pointers and variable.type.startswith(("struct ", "union ")):
            self._forget_fields(state, address_symbol(variable.name))
        state.values[target] = value

    def drop_answers(self, state: State, word: str) -> None:
        """A condition over ``word`` (a pattern) may come out otherwise from here on."""
        if state.answers:
            pattern = re.compile(rf"(?<!\w){word}")
            state.answers = frozenset(answer for answer in state.answers if not pattern.search(answer[0]))

    def _forget_fields(self, state: State, address: Symbol) -> None:
        """An object is written as a whole: nothing is known of its fields."""
        for place in [p for p in state.values if isinstance(p, Field) and p.base == Poly.symbol(address)]:
            state.values[field_epoch(place.field)] = self.fresh(f"{address} written", f"write {address}")
            del state.values[place]

    def direct(self, state: State, op: ir.Load | ir.Store, place: ir.Expr) -> None:
        base = self.evaluator.field(place, state).base
        if isinstance(base, Entry):
            self.observer.touch(state, op, -1, "direct", base)

    def _cuts_off(self, state: State, type_: str, value: Poly) -> bool:
        """True when a variable of a narrow type gets the value of one that is as wide as an address."""
        return (
            type_ in NARROW
            and value.as_const() is None
            and any(
                isinstance(place, ir.Name) and held == value and self._is_wide(place)
                for place, held in state.values.items()
            )
        )

    def _is_wide(self, name: ir.Name) -> bool:
        variable = self.context.graph.variables.get(name)
        return variable is not None and (variable.pointers > 0 or variable.type not in NARROW)

    def store(self, state: State, op: ir.Store) -> None:
        self.direct(state, op, op.place)
        spot = self.evaluator.field(op.place, state)
        value = self.evaluator.value(op.value, state)
        # Any other base may be the same object: what was read from this field before may have changed.
        maker = f"store@{op.span.start}"
        self.renew(state, maker)
        state.values[field_epoch(spot.field)] = self.fresh(maker, maker)
        self.drop_answers(state, spot.field if spot.field.isidentifier() else "[*[]")
        for place in [p for p in state.values if isinstance(p, Field) and _may_be(p, spot)]:
            del state.values[place]
        if spot.field == "*" or spot.field.startswith("["):
            self._clobber_pointee(state, spot.base, op)
        state.values[spot] = value

    def _clobber_pointee(self, state: State, base: Value, op: ir.Store) -> None:
        symbol = base.as_symbol() if isinstance(base, Poly) else None
        name = self._named.get(symbol) if symbol is not None else None
        # A pointer of which nothing is known may point to any local that was given away.
        maker = f"store@{op.span.start}"
        for target in (name,) if name is not None else self.escaped:
            self.assign(state, target, self.fresh(f"{place_text(target)}@{maker}", maker, target.name))

    def clobber_memory(self, state: State, op: ir.Call, maker: str) -> None:
        state.values[EPOCH] = self.fresh(maker, maker)
        given = {self.evaluator.value(argument, state) for argument in op.arguments}
        for place in [p for p in state.values if isinstance(p, Field)]:
            assert isinstance(place, Field)
            symbol = place.base.as_symbol() if isinstance(place.base, Poly) else None
            if place.field == "<lock>":
                continue
            private = symbol is not None and symbol.startswith("&") and place.base not in given
            if not private:
                del state.values[place]
        for name in [n for n in state.values if isinstance(n, ir.Name) and self.is_global(n)]:
            del state.values[name]

    def is_global(self, name: ir.Name) -> bool:
        """True for a variable that other functions can write."""
        return name not in self.context.graph.variables and not name.name.startswith(EPOCH.name)

    def clobber_arguments(self, state: State, op: ir.Call, maker: str) -> None:
        names = [*op.clobbers, *self.escaped]
        for argument in op.arguments:
            while isinstance(argument, ir.Cast):
                argument = argument.operand
            if isinstance(argument, ir.AddressOf) and isinstance(argument.place, ir.Name):
                names.append(argument.place)
        for name in names:
            if name in self.context.graph.variables:
                self.assign(state, name, self.fresh(f"{place_text(name)}@{maker}", maker, name.name))
