"""The small language that C functions are lowered to.

Expressions are pure: no call, no assignment, no short circuit. What has an effect or an order is an op of its own, and
reading memory through a pointer is a `Load`, so that an analysis sees every access with its place in the source.
Every op carries the span of the source text it stands for (bytes of the file).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from mmlint.flow.interned import Interned
from mmlint.source import Span

# ---------------------------------------------------------------- expressions


class Const(metaclass=Interned):
    """An integer constant (characters included)."""

    value: int


class Name(metaclass=Interned):
    """A variable, or any other identifier (global, enumerator, macro constant, function).

    ``scope`` tells declarations of one spelling apart inside a function: 0 for the first one (or a global), 1 for the
    next declaration that shadows or follows it, and so on.
    """

    name: str
    scope: int = 0


class Temp(metaclass=Interned):
    """The result of an op; assigned once in the text of the function, or once on each arm of a branch."""

    index: int


class AddressOf(metaclass=Interned):
    """``&place``."""

    place: Expr


class Deref(metaclass=Interned):
    """``*pointer``; a place. As a value it appears only in `Load`, `Store` and `AddressOf`."""

    pointer: Expr


class Member(metaclass=Interned):
    """``base->field`` (arrow: base is a pointer value) or ``base.field`` (base is a place)."""

    base: Expr
    field: str
    arrow: bool


class Index(metaclass=Interned):
    """``base[index]``; a place. ``base`` is a pointer value or the name of an array."""

    base: Expr
    index: Expr


class Unary(metaclass=Interned):
    """``- ~ !`` applied to a value."""

    op: str
    operand: Expr


class Binary(metaclass=Interned):
    """Arithmetic, bit and comparison operators; never ``&& || , =``."""

    op: str
    left: Expr
    right: Expr


class Cast(metaclass=Interned):
    """``(type)operand``; ``type`` with single blanks, as written."""

    type: str
    operand: Expr


class Opaque(metaclass=Interned):
    """A value that is not modelled: a string, sizeof, a compound literal, ..."""

    text: str


Expr = Const | Name | Temp | AddressOf | Deref | Member | Index | Unary | Binary | Cast | Opaque

# ---------------------------------------------------------------- ops


class Assign(NamedTuple):
    """``target = value`` for a variable or a temporary; also a parameter-free initialisation."""

    target: Name | Temp
    value: Expr
    span: Span


class Load(NamedTuple):
    """Read memory: ``target = place``, place being Deref, Member or Index."""

    target: Temp
    place: Expr
    span: Span


class Store(NamedTuple):
    """Write memory: ``place = value``, place being Deref, Member or Index."""

    place: Expr
    value: Expr
    span: Span


class Call(NamedTuple):
    """``target = callee(arguments)``.

    ``callee`` is the called name, or None for a call through ``pointer``. ``argument_spans`` runs parallel to
    ``arguments``. ``clobbers`` are variables that the call may write although their address is not taken: the arguments
    of a loop macro, the outputs of an asm statement. ``span`` covers the whole call, ``name_span`` the callee.
    ``result_used`` is False when the call stands alone as a statement.
    """

    target: Temp
    callee: str | None
    pointer: Expr | None
    arguments: tuple[Expr, ...]
    argument_spans: tuple[Span, ...]
    span: Span
    name_span: Span
    clobbers: tuple[Name, ...] = ()
    result_used: bool = True


class Declare(NamedTuple):
    """A local variable comes into scope without a value."""

    target: Name
    span: Span


Op = Assign | Load | Store | Call | Declare

# ---------------------------------------------------------------- terminators


class Jump(NamedTuple):
    """Go on at block ``target``; ``span`` is the goto/break/continue, or empty where control just falls through."""

    target: int
    span: Span


class Branch(NamedTuple):
    """``if (condition)``: to block ``then`` when it is non-zero, else to ``otherwise``."""

    condition: Expr
    then: int
    otherwise: int
    span: Span


class Switch(NamedTuple):
    """``cases``: (low, high, block), high equal to low except for a range; ``default`` is always there."""

    value: Expr
    cases: tuple[tuple[Expr, Expr, int], ...]
    default: int
    span: Span


class Return(NamedTuple):
    """Leave the function. ``implicit`` marks the end of a void function; its span is the closing brace."""

    value: Expr | None
    span: Span
    implicit: bool = False


class Unreachable(NamedTuple):
    """Control never gets past the call before it (``BUG()``, ``panic()``); ``span`` is that call."""

    span: Span


Terminator = Jump | Branch | Switch | Return | Unreachable

# ---------------------------------------------------------------- functions


class Variable(NamedTuple):
    """A parameter or local. ``type`` is the declared type as words without qualifiers ("struct mm_struct", "pte_t",
    "unsigned long"), ``pointers`` the number of stars (arrays count as one). ``scope`` is the span in which the name
    can be used: from the end of its declarator to the end of its block. ``parameter`` is its index, or -1. ``array``
    tells a local array, which lies on the stack, from a pointer.
    """

    name: Name
    type: str
    pointers: int
    scope: Span
    parameter: int = -1
    array: bool = False


class Block(NamedTuple):
    """Ops that run one after the other, then a terminator."""

    ops: tuple[Op, ...]
    terminator: Terminator


@dataclass(frozen=True)
class Graph:
    """The control flow graph of one function. Block 0 is the entry; blocks stand in reverse postorder and each is
    reachable from the entry. ``unmodelled`` lists, in file order, source that the graph does not show faithfully
    (span, why): a verdict that depends on the code there must not be called proven.
    """

    name: str
    span: Span
    body: Span
    blocks: tuple[Block, ...]
    variables: dict[Name, Variable] = field(default_factory=dict)
    parameters: tuple[Name, ...] = ()
    return_type: str = "int"
    return_pointers: int = 0
    unmodelled: tuple[tuple[Span, str], ...] = ()


def successors(terminator: Terminator) -> tuple[int, ...]:
    """Blocks that may run next, each once, in the order of the text."""
    match terminator:
        case Jump(target):
            return (target,)
        case Branch(_, then, otherwise):
            return (then,) if then == otherwise else (then, otherwise)
        case Switch(_, cases, default):
            return tuple(dict.fromkeys([block for _, _, block in cases] + [default]))
        case Return() | Unreachable():
            return ()
