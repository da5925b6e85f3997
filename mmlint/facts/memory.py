"""Assignments, stores and what a call may overwrite: the part of the transfer functions that is about memory."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmlint.facts.evaluate import ENTRY_POINTER, Context, Evaluator, opaque_entry
from mmlint.facts.objects import NARROW, address_symbol, object_epoch
from mmlint.facts.observer import Observer
from mmlint.facts.state import EPOCH, Field, Place, State, field_epoch, parts_epoch, place_text
from mmlint.flow import ir
from mmlint.flow.values import Entry, Poly, Symbol, Value

SILENT = Observer()


def _is_pointer(variable: ir.Variable) -> bool:
    return variable.pointers == 1 and not variable.array


class Memory:
    """Writes values into states."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.evaluator = Evaluator(context)
        self.observer = SILENT
        self.objects = context.objects
        self.in_cycle = False
        self._executed: set[str] = set()

    def fresh(self, name: str, maker: str, label: str = "") -> Poly:
        return Poly.symbol(Symbol(name, frozenset((maker,)), label))

    def renew(self, state: State, maker: str) -> None:
        # What was never executed has defined nothing yet.
        if self.in_cycle and maker in self._executed:
            state.forget(maker, f"@{maker}")
        self._executed.add(maker)

    def assign(self, state: State, target: ir.Name | ir.Temp, value: Value, maker: str) -> None:
        """Write a variable. ``maker`` is the op that does so, for the epochs of what changes with it."""
        variable = self.context.graph.variables.get(target) if isinstance(target, ir.Name) else None
        if variable is not None and isinstance(value, Poly):
            if variable.type == "pte_t" and _is_pointer(variable) and value.as_const() is None:
                value = opaque_entry(value)
            elif variable.pointers == 1 and variable.type.startswith("struct "):
                symbol = value.as_symbol()
                if symbol is not None:
                    self.context.types.setdefault(symbol, variable.type.removeprefix("struct "))
            elif variable.pointers == 2 and variable.type == "pte_t" and (pointer := value.as_symbol()) is not None:
                self.context.types.setdefault(pointer, ENTRY_POINTER)
            elif not variable.pointers and self._cuts_off(state, variable.type, value):
                value = self.context.pure(f"({variable.type})", (value,), f"({variable.type}){{}}")
        state.values[target] = value
        if isinstance(target, ir.Name) and variable is None:
            state.values[EPOCH] = self.fresh(f"{target.name} set@{maker}", maker)
        elif isinstance(target, ir.Name) and target in self.objects.parted:
            self._renew_object(state, target, maker)
        elif target in self.objects.escaped:
            self._renew_fields(state, ("*",), maker)

    def declare(self, state: State, name: ir.Name, maker: str) -> None:
        """A variable comes into being: of unknown value, or an array of unknown elements."""
        if self.objects.is_array(name):
            self._renew_object(state, name, maker)
            self.assign(state, name, Poly.symbol(address_symbol(name)), maker)
            return
        self.assign(
            state, name, self.fresh(f"unset {name.name}@{maker.removeprefix('declare@')}", maker, name.name), maker
        )

    def members_of(self, state: State, name: ir.Name) -> list[tuple[str, Value]]:
        """What is known of the members of a structure of the function."""
        if name not in self.objects.parted or not self.objects.is_struct(name):
            return []
        base = Poly.symbol(address_symbol(name))
        return [(p.field, value) for p, value in state.values.items() if isinstance(p, Field) and p.base == base]

    def copy_members(self, state: State, target: ir.Name, members: Sequence[tuple[str, Value]]) -> None:
        """``target`` was assigned a structure with these members."""
        base = Poly.symbol(address_symbol(target))
        state.values.update((Field(base, field), value) for field, value in members if field != "<lock>")

    def makes_epoch(self, target: ir.Name | ir.Temp) -> bool:
        """True where an assignment changes more than the variable: it is global, has members, or is pointed to."""
        return isinstance(target, ir.Name) and (
            target not in self.context.graph.variables
            or target in self.objects.parted
            or target in self.objects.escaped
        )

    def drop_answers(self, state: State, word: str) -> None:
        """A condition over ``word`` (a pattern) may come out otherwise from here on."""
        if state.answers:
            pattern = re.compile(rf"(?<!\w){word}")
            state.answers = frozenset(answer for answer in state.answers if not pattern.search(answer[0]))

    def _renew_object(self, state: State, name: ir.Name, maker: str) -> None:
        """A local is written as a whole: nothing is known of its members."""
        for place in [p for p in state.values if isinstance(p, Field) and self.objects.root(p.base) == name]:
            del state.values[place]
        state.values[object_epoch(name)] = self.fresh(f"{place_text(name)} written@{maker}", maker)
        if name in self.objects.escaped:
            self._renew_memory(state, maker)

    def _renew_memory(self, state: State, maker: str) -> None:
        """Whatever a pointer can lead to may have been written."""
        state.values[EPOCH] = self.fresh(maker, maker)
        for place in [p for p in state.values if isinstance(p, Field) and p.field != "<lock>"]:
            if isinstance(place, Field) and not self.objects.is_private(place):
                del state.values[place]

    def direct(self, state: State, op: ir.Load | ir.Store, place: ir.Expr) -> None:
        base = self.evaluator.field(place, state).base
        if isinstance(base, Entry):
            self.observer.touch(state, op, -1, "direct", base)

    def entry_around(self, argument: ir.Expr, value: Value, state: State) -> Value:
        """``value``, or the pte pointer whose entry the address that is given lies in: ``&ptep->pte``."""
        while isinstance(argument, ir.Cast):
            argument = argument.operand
        place = argument.place if isinstance(argument, ir.AddressOf) else None
        base = self.evaluator.field(place, state).base if isinstance(place, ir.Member) and place.arrow else value
        return base if isinstance(base, Entry) else value

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
        maker = f"store@{op.span.start}"
        self.renew(state, maker)
        spot = self.evaluator.field(op.place, state)
        value = self.evaluator.value(op.value, state)
        if isinstance(value, Entry):
            base = spot.base.as_symbol() if isinstance(spot.base, Poly) else None
            own = base is not None and (base.startswith("&") or base in self.context.lent)
            self.observer.stored(state, op, own, value)
        if not isinstance(op.place, ir.Member) and self.objects.is_whole(op.place):
            self.objects.wholes.add(spot)
        self.write(state, spot, value, maker, self.objects.writes_whole(op))

    def write(self, state: State, spot: Field, value: Value, maker: str, whole: bool = False) -> None:
        """Write memory. Any other base may be the same object: what was read from the field before may have changed."""
        kinds = self.objects.kinds(spot.field)
        kept: list[tuple[Place, Value]] = []
        if self.objects.arrays or spot.field[0] == "[":
            kept += [(p, v) for p, v in state.values.items() if isinstance(p, Field) and self.objects.apart(p, spot)]
        self.drop_answers(state, spot.field if spot.field.isidentifier() else "[*[]")
        self._renew_fields(state, kinds, maker, self.objects.owner(spot.base))
        for place in [p for p in state.values if isinstance(p, Field) and spot.field in self.objects.members(p.base)]:
            del state.values[place]
        self._renew_wholes(state, spot, maker)
        if "*" in kinds:
            self._write_pointee(state, spot, maker)
        root = self.objects.root(spot.base)
        if root in state.values and not self.context.graph.variables[root].pointers and kinds[0] != "*":
            state.values[root] = self.fresh(f"{place_text(root)}@{maker}", maker, root.name)
        if whole:
            self._renew_memory(state, maker)
        state.values.update(kept)
        state.values[spot] = value

    def _renew_wholes(self, state: State, spot: Field, maker: str) -> None:
        """Structs that may have the place in them have changed."""
        for name in dict.fromkeys(self.objects.around(spot.base)) if not self.objects.is_private(spot) else ():
            if name in self.objects.read:
                state.values[parts_epoch(name)] = self.fresh(maker, maker)
        for place in self.objects.wholes:
            state.values.pop(place, None)

    def _renew_fields(self, state: State, kinds: Sequence[str], maker: str, owner: ir.Name | None = None) -> None:
        """Members of these names may have changed, in the object of the ``owner`` or whatever object they are in."""
        epochs = {field_epoch(kind) for kind in kinds}
        for epoch in sorted(epochs, key=place_text):
            state.values[epoch] = self.fresh(maker, maker)
        for place in [p for p in state.values if isinstance(p, Field) and field_epoch(p.field) in epochs]:
            if owner is None or self.objects.owner(place.base) in (None, owner):
                del state.values[place]

    def _write_pointee(self, state: State, spot: Field, maker: str) -> None:
        """Locals that a write through a pointer changes: the one it points to, or any whose address was kept."""
        symbol = spot.base.as_symbol() if isinstance(spot.base, Poly) else None
        name = self.objects.locals.get(symbol) if symbol is not None else None
        if name is not None and (field_epoch(spot.field) != field_epoch("*") or self.objects.is_array(name)):
            return
        for target in (name,) if name is not None else self.objects.escaped:
            self.assign(state, target, self.fresh(f"{place_text(target)}@{maker}", maker, target.name), maker)
        for place in self.objects.globals if name is None else ():
            self.assign(state, place, self.fresh(f"{place.name}@{maker}", maker, place.name), maker)

    def clobber_memory(self, state: State, op: ir.Call, maker: str) -> None:
        state.values[EPOCH] = self.fresh(maker, maker)
        values = [self.evaluator.value(argument, state) for argument in op.arguments]
        given = {self.objects.root(value) for value in values}
        written = self._written(op, values)
        for place in [p for p in state.values if isinstance(p, Field)]:
            assert isinstance(place, Field)
            if place.field == "<lock>":
                continue
            root = self.objects.root(place.base)
            if root is None and self._is_kept(place, values):
                continue
            if root in written and place.base == Poly.symbol(address_symbol(root)) and place.field not in written[root]:
                continue
            if root is None or root in given:
                self._moved(state, place, op, root is not None, maker)
        for name in [n for n in state.values if n.__class__ is ir.Name and self.is_global(n)]:
            del state.values[name]

    def _is_kept(self, place: Field, given: Sequence[Value]) -> bool:
        """True for a member of a structure of the caller that none of these values leads to."""
        base = place.base.as_symbol() if isinstance(place.base, Poly) else None
        owner = self.context.lent.get(base) if base is not None else None
        return owner is not None and all(owner not in symbols for symbols in map(self.objects.sources, given))

    def _written(self, op: ir.Call, values: Sequence[Value]) -> dict[ir.Name, frozenset[str]]:
        """The structures that a call is given, as far as it is known which members it may write."""
        found: dict[ir.Name, frozenset[str] | None] = {}
        for index, value in enumerate(values):
            root = self.objects.root(value)
            if root is not None:
                members = self.context.readers.writes(op.callee, index) if op.callee is not None else None
                before = found.get(root, frozenset())
                found[root] = None if members is None or before is None else before | members
        return {root: members for root, members in found.items() if members is not None}

    def _moved(self, state: State, place: Field, op: ir.Call, own: bool, maker: str) -> None:
        """A call may have written a member: whoever is given the place of a pte pointer moves it along its table."""
        before = state.values.pop(place)
        base = place.base.as_symbol() if isinstance(place.base, Poly) else None
        if isinstance(before, Entry) and (own or base in self.context.lent):
            if op.callee is None or self.context.readers.may_put_elsewhere(op.callee, 0, place.field):
                return
            after = opaque_entry(self.fresh(f"{place_text(place)}@{maker}", maker, place_text(place)))
            self.context.kin[after.table] = (before.table,)
            state.values[place] = after

    def is_global(self, name: ir.Name) -> bool:
        """True for a variable that other functions can write."""
        return name not in self.context.graph.variables and not name.name.startswith(EPOCH.name)

    def clobber_arguments(self, state: State, op: ir.Call, maker: str) -> None:
        names = [*op.clobbers, *self.objects.escaped]
        elsewhere: list[ir.Name] = []
        for index, argument in enumerate(op.arguments):
            while isinstance(argument, ir.Cast):
                argument = argument.operand
            given = _locals_of(argument.place) if isinstance(argument, ir.AddressOf) else ()
            written = self.context.readers.writes(op.callee, index) if given and op.callee is not None else None
            if written is None:
                names += given
            elif isinstance(argument, ir.AddressOf) and isinstance(argument.place, ir.Name):
                self._write_members(state, argument.place, written, maker)
            elif written:
                names += given
            if given and op.callee is not None and self.context.readers.may_put_elsewhere(op.callee, index, ""):
                elsewhere += given
        for name in names:
            if name in self.context.graph.variables:
                before = state.values.get(name)
                kept: dict[Place, Value] = {
                    place: value
                    for place, value in state.values.items()
                    if isinstance(value, Entry) and isinstance(place, Field) and self.objects.root(place.base) == name
                }
                self.assign(state, name, self.fresh(f"{place_text(name)}@{maker}", maker, name.name), maker)
                after = state.values[name]
                if isinstance(before, Entry) and isinstance(after, Entry) and name not in elsewhere:
                    # Whoever is given the place of a pointer moves it along its table.
                    self.context.kin[after.table] = (before.table,)
                state.values.update(kept)

    def _write_members(self, state: State, name: ir.Name, members: frozenset[str], maker: str) -> None:
        """A call has written some members of a structure; pte pointers in it were moved as `_moved` says."""
        for member in sorted(members):
            spot = Field(Poly.symbol(address_symbol(name)), member)
            before = state.values.get(spot)
            fresh = self.fresh(f"{place_text(spot)}@{maker}", maker, place_text(spot))
            self.write(state, spot, before if isinstance(before, Entry) else fresh, maker)


def _locals_of(place: ir.Expr) -> tuple[ir.Name, ...]:
    """The variable that a place is or lies in."""
    while isinstance(place, ir.Member) and not place.arrow:
        place = place.base
    return (place,) if isinstance(place, ir.Name) else ()
