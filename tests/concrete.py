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

from mmlint.flow import ir
from mmlint.kernel import load_vocabulary

VOCABULARY = load_vocabulary()
PAGE_SIZE = 4096
CONSTANTS = {"PAGE_SIZE": PAGE_SIZE, "PMD_SIZE": 512 * PAGE_SIZE, "PMD_MASK": -512 * PAGE_SIZE, "NULL": 0}


@dataclass(frozen=True, slots=True)
class Pointer:
    """A concrete PTE pointer: the entry for ``address`` in the table that one map call gave. Table -1 holds NULL."""

    table: int
    address: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A concrete pointer to a local, or to an object of a number."""

    target: ir.Name | int


NULL = Pointer(-1, 0)
Concrete = int | Pointer | Reference


class Stuck(Exception):  # noqa: N818
    """The run does what C does not define, or takes too long."""


@dataclass
class Run:
    """One run of a graph; ``random`` decides what functions return."""

    graph: ir.Graph
    random: Random
    infallible: frozenset[str]
    fuel: int = 150
    variables: dict[ir.Name | ir.Temp, Concrete] = field(default_factory=dict)
    memory: dict[tuple[Concrete, str], Concrete] = field(default_factory=dict)
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
                self.variables[target] = self.typed(target, self.value(value))
                if isinstance(target, ir.Name) and isinstance(value, ir.Name):
                    self.copy_fields(target, value)
            case ir.Load(target, place):
                self.variables[target] = self.read(place)
            case ir.Store(place, value):
                self.write(place, self.value(value))
            case ir.Call():
                self.variables[op.target] = self.call(op)
            case ir.Declare(target):
                self.variables[target] = self.word()

    def copy_fields(self, target: ir.Name, source: ir.Name) -> None:
        """Structs are assigned field by field."""
        for (base, member), value in list(self.memory.items()):
            if base == Reference(source):
                self.memory[Reference(target), member] = value

    def typed(self, target: ir.Name | ir.Temp, value: Concrete) -> Concrete:
        """The value as the variable holds it: a null PTE pointer is one."""
        variable = self.graph.variables.get(target) if isinstance(target, ir.Name) else None
        is_pointer = variable is not None and variable.type == "pte_t" and variable.pointers == 1
        return NULL if is_pointer and value == 0 else value

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
        if name in VOCABULARY.unmaps or name in VOCABULARY.locks.acquire or name in VOCABULARY.locks.release:
            return 0
        if name in ("step", "move", "fill"):
            self.scribble(arguments)
        if name == "pte_index":
            return self.number(op.arguments[0]) // PAGE_SIZE % 512
        if name in ("coin", "spin_trylock"):
            return self.random.randint(0, 1)
        return self.word()

    def map(self, op: ir.Call, arguments: list[Concrete]) -> Concrete:
        call = VOCABULARY.maps[op.callee or ""]
        fails = call.fails and f"T{op.span.start}" not in self.infallible and self.random.random() < 0.3
        self.tables += 1
        if call.lock >= 0:
            lock = arguments[call.lock]
            assert isinstance(lock, Reference) and isinstance(lock.target, ir.Name)
            self.variables[lock.target] = self.word() if fails else 1000 + self.tables - self.random.randint(0, 1)
        address = arguments[call.addr]
        if not isinstance(address, int):
            raise Stuck
        return NULL if fails else Pointer(self.tables, address)

    def scribble(self, arguments: list[Concrete]) -> None:
        """What an unknown function may do: write to what it is given, and to memory."""
        for argument in arguments:
            if isinstance(argument, Reference) and isinstance(argument.target, ir.Name):
                before = self.variables.get(argument.target, 0)
                word = self.word()
                self.variables[argument.target] = Pointer(before.table, word) if isinstance(before, Pointer) else word
        for name in [name for name in self.variables if isinstance(name, ir.Name) and name not in self.graph.variables]:
            self.variables[name] = self.word()
        for place in list(self.memory):
            private = (
                isinstance(place[0], Reference) and isinstance(place[0].target, ir.Name) and place[0] not in arguments
            )
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
            case ir.Name() | ir.Temp() if expr in self.variables:
                return self.variables[expr]
            case ir.Name(name) if name in CONSTANTS:
                return CONSTANTS[name]
            case ir.Name(name):
                return self.variables.setdefault(expr, self.word())
            case ir.AddressOf(ir.Name() as name):
                return Reference(name)
            case ir.Unary("!", operand):
                return int(self.value(operand) in (0, NULL))
            case ir.Unary("-", operand):
                return -self.number(operand)
            case ir.Binary(op, left, right):
                return operate(op, self.value(left), self.value(right))
            case ir.Cast(_, operand):
                return self.value(operand)
        raise AssertionError(f"not a value: {expr}")

    def spot(self, place: ir.Expr) -> tuple[Concrete, str]:
        match place:
            case ir.Member(base, member, True):
                return self.value(base), member
            case ir.Member(ir.Name() as name, member, False):
                return Reference(name), member
            case ir.Deref(pointer):
                return self.value(pointer), "[0]"
            case ir.Index(base, index):
                return self.value(base), f"[{self.number(index)}]"
        raise AssertionError(f"not a place: {place}")

    def read(self, place: ir.Expr) -> Concrete:
        spot = self.spot(place)
        if spot[1] == "[0]" and isinstance(spot[0], Reference) and isinstance(spot[0].target, ir.Name):
            return self.variables[spot[0].target]
        return self.memory.setdefault(spot, self.word())

    def write(self, place: ir.Expr, value: Concrete) -> None:
        spot = self.spot(place)
        if spot[1] == "[0]" and isinstance(spot[0], Reference) and isinstance(spot[0].target, ir.Name):
            self.variables[spot[0].target] = value
        else:
            self.memory[spot] = value


def operate(op: str, left: Concrete, right: Concrete) -> Concrete:
    """The value of a binary operator. Raises Stuck where C leaves it open."""
    if isinstance(left, Pointer) or isinstance(right, Pointer):
        return operate_on_pointers(op, left, right)
    if not isinstance(left, int) or not isinstance(right, int):
        raise Stuck
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "&":
            return left & right
        case "/" if right > 0 and left >= 0:
            return left // right
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            return int(COMPARISONS[op](left, right))
    raise Stuck


COMPARISONS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


HOLDS = {"eq": lambda n: n == 0, "ne": lambda n: n != 0, "lt": lambda n: n < 0, "le": lambda n: n <= 0}


def operate_on_pointers(op: str, left: Concrete, right: Concrete) -> Concrete:
    if op in ("+", "-") and NULL in (left, right) and 0 not in (left, right):
        raise Stuck
    if op == "+" and isinstance(left, Pointer) and isinstance(right, int):
        return Pointer(left.table, left.address + right * PAGE_SIZE)
    if op == "-" and isinstance(left, Pointer) and isinstance(right, int):
        return Pointer(left.table, left.address - right * PAGE_SIZE)
    if op == "-" and isinstance(left, Pointer) and isinstance(right, Pointer) and left.table == right.table:
        return (left.address - right.address) // PAGE_SIZE
    if op in ("==", "!="):
        return int(((left or NULL) == (right or NULL)) is (op == "=="))
    raise Stuck


