"""Runs control flow graphs, so that a test can compare what a graph does with what C does.

Memory is one array ``g`` of eight numbers; pointers are indices into it. Structs are variables with named parts. The
functions a program may call are ``note(x)``, which logs x and is worth ``(x * 3 + 1) & 7``, ``tick()``, which is true
until the fuel runs out, ``guard``, ``guard.exit`` and ``free.note``, which log their argument. Numbers do not overflow:
programs have to keep them small.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field

from mmlint.flow.ir import (
    AddressOf,
    Assign,
    Binary,
    Branch,
    Call,
    Const,
    Declare,
    Deref,
    Expr,
    Graph,
    Index,
    Jump,
    Load,
    Member,
    Name,
    Op,
    Return,
    Store,
    Switch,
    Temp,
    Terminator,
    Unary,
)

CELLS = 8
ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass
class Machine:
    """One run of one graph. ``log`` is what the program was seen to do."""

    graph: Graph
    fuel: int = 40
    log: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=lambda: list(range(CELLS)))
    variables: dict[Name | Temp, int] = field(default_factory=dict)
    parts: dict[tuple[Expr, str], int] = field(default_factory=dict)

    def run(self, *arguments: int) -> int:
        """What the function returns."""
        self.variables = dict(zip(self.graph.parameters, arguments, strict=True))
        self.variables[Name("g")] = 0
        block: int | None = 0
        while block is not None:
            for op in self.graph.blocks[block].ops:
                self.execute(op)
            terminator = self.graph.blocks[block].terminator
            if isinstance(terminator, Return):
                return self.value(terminator.value) if terminator.value is not None else 0
            block = self.following(terminator)
        raise AssertionError("control got lost")

    def following(self, terminator: Terminator) -> int | None:
        """The block that runs next."""
        match terminator:
            case Jump(target):
                return target
            case Branch(condition, then, otherwise):
                return then if self.value(condition) else otherwise
            case Switch(value, cases, default):
                number = self.value(value)
                for low, high, block in cases:
                    if self.value(low) <= number <= self.value(high):
                        return block
                return default
        return None

    def execute(self, op: Op) -> None:
        """Run one op."""
        match op:
            case Assign(target, value):
                self.variables[target] = self.value(value)
            case Load(target, place):
                self.variables[target] = self.read(place)
            case Store(place, value):
                self.write(place, self.value(value))
            case Call():
                arguments = [self.value(argument) for argument in op.arguments]
                self.variables[op.target] = self.call(op.callee or "?", arguments)
            case Declare(target):
                self.variables.pop(target, None)

    def call(self, callee: str, arguments: list[int]) -> int:
        """The functions that programs may use."""
        match callee:
            case "note" | "free.note":
                self.log.append(arguments[0])
                return (arguments[0] * 3 + 1) & 7
            case "tick":
                self.fuel -= 1
                return int(self.fuel > 0)
            case "guard":
                self.log.append(arguments[1] + 100)
            case "guard.exit":
                self.log.append(arguments[1] + 200)
            case _:
                raise AssertionError(f"no such function: {callee}")
        return 0

    def value(self, expr: Expr) -> int:
        """The number an expression is worth."""
        match expr:
            case Const(number):
                return number
            case Name("cell"):
                return 0
            case Name() | Temp():
                return self.variables[expr]
            case Unary(op, operand):
                number = self.value(operand)
                return {"-": -number, "~": ~number, "!": int(not number)}[op]
            case Binary(op, left, right):
                return int(ARITHMETIC[op](self.value(left), self.value(right)))
            case AddressOf(Index(base, index)):
                return self.value(base) + self.value(index)
            case AddressOf(Deref(pointer)):
                return self.value(pointer)
        raise AssertionError(f"not a value: {expr}")

    def cell(self, place: Expr) -> int:
        """The cell that a place in memory is."""
        match place:
            case Deref(pointer):
                return self.value(pointer)
            case Index(base, index):
                return self.value(base) + self.value(index)
        raise AssertionError(f"not a cell: {place}")

    def read(self, place: Expr) -> int:
        """What a place in memory holds."""
        if isinstance(place, Member):
            return self.parts[place.base, place.field]
        return self.cells[self.cell(place)]

    def write(self, place: Expr, value: int) -> None:
        """Change a place in memory."""
        if isinstance(place, Member):
            self.parts[place.base, place.field] = value
        else:
            self.cells[self.cell(place)] = value
