"""Runs control flow graphs of page-table walkers on concrete numbers, with map calls, locks, structs and pointers.

    run = Run(graph, Random(1), {"addr": 4096, ...})
    run.execute(op)

What the program does not decide, ``random`` does: the results of functions, whether a map call fails, what an unknown
function writes. `Stuck` ends a run that takes too long or does what C leaves open. Numbers do not overflow.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeGuard

from mmlint.flow import ir
from mmlint.kernel import load_vocabulary

VOCABULARY = load_vocabulary()
PAGE_SIZE = 4096
PMD_SIZE = 512 * PAGE_SIZE
CONSTANTS = {"PAGE_SIZE": PAGE_SIZE, "PMD_SIZE": PMD_SIZE, "PMD_MASK": -PMD_SIZE, "NULL": 0}
LARGEST = 1 << 50
# Unknown functions that write to what they are given, and to memory that others can reach.
WRITERS = ("step", "move", "fill", "memset", "memcpy")
# Members that are arrays: their value is their address.
ARRAYS = ("v",)


@dataclass(frozen=True, slots=True)
class Pointer:
    """A concrete PTE pointer: the entry for ``address`` in the table that one map call gave. Table -1 holds NULL."""

    table: int
    address: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A concrete pointer to a local, to an object of a number, or to a part of another object."""

    target: ir.Name | int | tuple[Reference, str]

    @property
    def root(self) -> ir.Name | int:
        """The whole object that it points into."""
        return self.target[0].root if isinstance(self.target, tuple) else self.target


@dataclass(frozen=True, slots=True)
class Struct:
    """The value of a struct: what stands in it, by the names that lead there."""

    cells: tuple[tuple[tuple[str, ...], Concrete], ...]


NULL = Pointer(-1, 0)
Concrete = int | Pointer | Reference | Struct
Spot = tuple[Concrete, str]


class Stuck(Exception):  # noqa: N818
    """The run does what C does not define, or takes too long."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one map call gave: the number of the table, its address and mm, and its lock or 0."""

    table: int
    address: int
    mm: Concrete
    lock: int


@dataclass
class Run:
    """One run of a graph. ``infallible`` are map calls that do not fail, as the names of their tables."""

    graph: ir.Graph
    random: Random
    infallible: frozenset[str]
    fuel: int = 150
    variables: dict[ir.Name | ir.Temp, Concrete] = field(default_factory=dict)
    memory: dict[tuple[Concrete, str], Concrete] = field(default_factory=dict)
    mapped: dict[str, Mapped] = field(default_factory=dict)
    held: list[Concrete] = field(default_factory=list)
    tables: int = 0

    def word(self) -> int:
        """A number that has a chance to meet another."""
        return self.random.choice((0, 1, 2, 3)) * self.random.choice((1, PAGE_SIZE))

    def execute(self, op: ir.Op) -> None:
        """Run one op."""
        self.fuel -= 1
        if self.fuel < 0:
            raise Stuck
        match op:
            case ir.Assign(target, value):
                self.set_variable(target, self.value(value))
            case ir.Load(target, place):
                self.variables[target] = self.read(place)
            case ir.Store(place, value):
                self.write(self.spot(place), self.value(value))
            case ir.Call():
                self.variables[op.target] = self.call(op)
            case ir.Declare(target) if self.is_array(target):
                self.fill_object(Reference(target), 0)
                self.variables[target] = Reference(target)
            case ir.Declare(target):
                self.set_variable(target, self.word())

    def set_variable(self, target: ir.Name | ir.Temp, value: Concrete) -> None:
        if isinstance(target, ir.Name) and self.is_struct(target):
            self.fill_object(Reference(target), value)
        else:
            self.variables[target] = self.typed(target, value)

    def is_array(self, target: object) -> bool:
        """Whether a variable is an array of the function's own."""
        variable = self.graph.variables.get(target) if isinstance(target, ir.Name) else None
        return variable is not None and variable.array and variable.parameter < 0

    def is_plain(self, target: object) -> TypeGuard[ir.Name]:
        """Whether what a reference leads to is a variable, not an object or an array."""
        return isinstance(target, ir.Name) and not self.is_array(target)

    def is_struct(self, name: ir.Name) -> bool:
        variable = self.graph.variables.get(name)
        return variable is not None and variable.type.startswith("struct ") and not variable.pointers

    def struct_at(self, base: Reference) -> Struct:
        """The object as a value; every member that was ever named is in it."""
        paths = sorted({path(place, member) for place, member in self.memory if isinstance(place, Reference)})
        cells = [(names, self.read_spot(cell(base, names))) for names in paths if names[0] != "[0]"]
        return Struct(tuple(cells))

    def fill_object(self, base: Reference, value: Concrete) -> None:
        """Write an object as a whole; what is not known of the value is found out later."""
        for place, member in list(self.memory):
            if isinstance(place, Reference) and is_inside(place, base):
                del self.memory[place, member]
        if isinstance(value, Struct):
            self.memory.update((cell(base, names), inner) for names, inner in value.cells)

    def typed(self, target: ir.Name | ir.Temp, value: Concrete) -> Concrete:
        """The value as the variable holds it: a null PTE pointer is one."""
        variable = self.graph.variables.get(target) if isinstance(target, ir.Name) else None
        if variable is None:
            return value
        is_pointer = variable.type == "pte_t" and variable.pointers == 1
        return NULL if is_pointer and value == 0 else narrowed(variable.type if not variable.pointers else "", value)

    def following(self, terminator: ir.Terminator) -> int | None:
        """The block that runs next, or None at the end."""
        self.fuel -= 1
        if self.fuel < 0:
            raise Stuck
        match terminator:
            case ir.Jump(target):
                return target
            case ir.Branch(condition, then, otherwise):
                return otherwise if self.value(condition) in (0, NULL) else then
            case ir.Switch(value, cases, default):
                number = self.number(value)
                for low, high, block in cases:
                    if self.number(low) <= number <= self.number(high):
                        return block
                return default
        return None

    # ------------------------------------------------------------ calls

    def call(self, op: ir.Call) -> Concrete:
        name = op.callee or ""
        arguments = [self.value(argument) for argument in op.arguments]
        if name in VOCABULARY.maps:
            return self.map(op, arguments)
        if name in VOCABULARY.unmaps:
            return self.release(arguments[1]) if len(arguments) > 1 else 0
        if name in VOCABULARY.locks.release:
            return self.release(arguments[0])
        if name in VOCABULARY.locks.acquire:
            self.held.append(arguments[0])
            return 0
        if name in VOCABULARY.locks.try_:
            taken = self.random.randint(0, 1)
            self.held += arguments[:taken]
            return taken
        if name in WRITERS:
            self.scribble(arguments)
        if name == "pte_index":
            return self.number(op.arguments[0]) // PAGE_SIZE % 512
        if name in ("min", "pmd_addr_end"):
            one, other = (self.number(argument) for argument in op.arguments)
            return min(other, one if name == "min" else (one & -PMD_SIZE) + PMD_SIZE)
        return self.random.randint(0, 1) if name == "coin" else self.word()

    def release(self, lock: Concrete) -> int:
        """Let go of a lock. Raises Stuck when it is not held: that would be another's."""
        if lock not in self.held:
            raise Stuck
        self.held.remove(lock)
        return 0

    def map(self, op: ir.Call, arguments: list[Concrete]) -> Concrete:
        """What a map call gives; its lock, where it has one, is another for each table."""
        call = VOCABULARY.maps[op.callee or ""]
        name = f"T{op.span.start}"
        fails = call.fails and name not in self.infallible and self.random.random() < 0.3
        self.tables += 1
        lock = 0
        if call.lock >= 0:
            pointer = arguments[call.lock]
            assert isinstance(pointer, Reference) and isinstance(pointer.target, ir.Name)
            lock = 1000 + self.tables
            self.variables[pointer.target] = self.word() if fails else lock
            self.held += [lock] if call.held and not fails else []
        address = arguments[call.addr]
        if not isinstance(address, int):
            raise Stuck
        if fails:
            return NULL
        self.mapped[name] = Mapped(self.tables, address, arguments[call.mm] if call.mm >= 0 else 0, lock)
        return Pointer(self.tables, address)

    def scribble(self, arguments: list[Concrete]) -> None:
        """What an unknown function may do: write to what it is given, and to memory."""
        given = {argument.root for argument in arguments if isinstance(argument, Reference)}
        for argument in arguments:
            if isinstance(argument, Reference) and self.is_plain(argument.target):
                is_pointer = isinstance(self.variables.get(argument.target), Pointer)
                pointer = self.random.choice((NULL, Pointer(900, self.word())))
                self.set_variable(argument.target, pointer if is_pointer else self.word())
        for name in [name for name in self.variables if isinstance(name, ir.Name) and name not in self.graph.variables]:
            self.variables[name] = self.word()
        for place in list(self.memory):
            root = place[0].root if isinstance(place[0], Reference) else None
            private = isinstance(root, ir.Name) and root not in given
            if not private and self.random.random() < 0.5:
                self.memory[place] = self.word()

    # ------------------------------------------------------------ values

    def number(self, expr: ir.Expr) -> int:
        value = self.value(expr)
        if not isinstance(value, int):
            raise Stuck
        return value

    def value(self, expr: ir.Expr) -> Concrete:
        match expr:
            case ir.Const(number):
                return number
            case ir.Name() if self.is_struct(expr):
                return self.struct_at(Reference(expr))
            case ir.Name() | ir.Temp() if expr in self.variables:
                return self.variables[expr]
            case ir.Name(name) if name in CONSTANTS:
                return CONSTANTS[name]
            case ir.Name(name):
                return self.variables.setdefault(expr, self.word())
            case ir.AddressOf(place):
                return self.address(place)
            case ir.Opaque():
                return self.word()
            case ir.Unary("!", operand):
                return int(self.value(operand) in (0, NULL))
            case ir.Unary("-", operand):
                return -self.number(operand)
            case ir.Binary(op, left, right):
                return operate(op, self.value(left), self.value(right))
            case ir.Cast(type_, operand):
                return narrowed(type_, self.value(operand))
        raise AssertionError(f"not a value: {expr}")

    def address(self, place: ir.Expr) -> Concrete:
        """The address of a place."""
        match place:
            case ir.Name() as name:
                return Reference(name)
            case ir.Deref(pointer):
                return self.value(pointer)
        base, member = self.spot(place)
        if not isinstance(base, Reference):
            raise Stuck
        return Reference((base, member))

    def spot(self, place: ir.Expr) -> Spot:
        match place:
            case ir.Member(base, member, arrow):
                return self.value(base) if arrow else self.address(base), member
            case ir.Deref(pointer):
                return self.element(self.value(pointer), 0)
            case ir.Index(base, index):
                return self.element(self.value(base), self.number(index))
        raise AssertionError(f"not a place: {place}")

    def element(self, pointer: Concrete, index: int) -> Spot:
        """What lies ``index`` steps behind a pointer. Raises Stuck where that is another object."""
        if isinstance(pointer, Reference) and isinstance(pointer.target, tuple) and pointer.target[1] not in ARRAYS:
            if index:
                raise Stuck
            return pointer.target
        return pointer, f"[{index}]"

    def read(self, place: ir.Expr) -> Concrete:
        base, member = self.spot(place)
        if isinstance(base, Reference) and self.holds_struct(place, base):
            return self.struct_at(base if isinstance(place, ir.Deref) else Reference((base, member)))
        return self.read_spot((base, member))

    def holds_struct(self, place: ir.Expr, base: Reference) -> bool:
        """Whether a place is a struct: ``in`` is the one member that is, and objects 1 and 2 are."""
        if isinstance(place, ir.Member):
            return place.field == "in"
        target = base.target
        return isinstance(place, ir.Deref) and (
            self.is_struct(target) if isinstance(target, ir.Name) else target in (1, 2)
        )

    def read_spot(self, spot: Spot) -> Concrete:
        base, member = spot
        if member in ARRAYS and isinstance(base, Reference):
            return Reference((base, member))
        if member == "[0]" and isinstance(base, Reference) and self.is_plain(base.target):
            return self.variables[base.target]
        return self.memory.setdefault(spot, self.word())

    def write(self, spot: Spot, value: Concrete) -> None:
        base, member = spot
        if isinstance(base, Reference) and (isinstance(value, Struct) or member == "in"):
            self.fill_object(base if member == "[0]" else Reference((base, member)), value)
        elif member == "[0]" and isinstance(base, Reference) and self.is_plain(base.target):
            self.set_variable(base.target, value)
        else:
            self.memory[spot] = value


def path(place: Reference, member: str) -> tuple[str, ...]:
    """The names that lead from the whole object to a member of one of its parts."""
    return (*path(*place.target), member) if isinstance(place.target, tuple) else (member,)


def cell(base: Reference, names: tuple[str, ...]) -> tuple[Reference, str]:
    """Where the names lead from an object."""
    for name in names[:-1]:
        base = Reference((base, name))
    return base, names[-1]


def is_inside(place: Reference, base: Reference) -> bool:
    """Whether an object is the other or a part of it."""
    return place == base or (isinstance(place.target, tuple) and is_inside(place.target[0], base))


COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
}


def narrowed(type_: str, value: Concrete) -> Concrete:
    """The value as a number of the type holds it."""
    if not isinstance(value, int) or type_ not in ("u32", "int"):
        return value
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if type_ == "int" and low >> 31 else low


def operate(op: str, left: Concrete, right: Concrete) -> Concrete:
    """The value of a binary operator. Raises Stuck where C leaves it open."""
    if isinstance(left, Pointer) or isinstance(right, Pointer):
        return operate_on_pointers(op, left, right)
    if not isinstance(left, int) or not isinstance(right, int):
        raise Stuck
    if op in ARITHMETIC:
        result = ARITHMETIC[op](left, right)
        if abs(result) > LARGEST:
            raise Stuck
        return result
    if op in COMPARISONS:
        return int(COMPARISONS[op](left, right))
    raise Stuck


def operate_on_pointers(op: str, left: Concrete, right: Concrete) -> Concrete:
    """The same where one side at least is a PTE pointer; a step is a page."""
    if op in ("==", "!="):
        return int(((left or NULL) == (right or NULL)) is (op == "=="))
    if op not in ("+", "-") or not isinstance(left, Pointer):
        raise Stuck
    if isinstance(right, Pointer) and op == "-" and left.table == right.table:
        return (left.address - right.address) // PAGE_SIZE
    if not isinstance(right, int) or (left == NULL and right != 0):
        raise Stuck
    step = right * PAGE_SIZE
    return Pointer(left.table, left.address + (step if op == "+" else -step))
