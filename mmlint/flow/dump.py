"""A graph as text, for people and golden tests.

    walk(mm, addr)
    b0:
        3  load t0 = mm->pgd
        4  t1 = pte_offset_map(t0, addr)
        5  if t1 then b1 else b2
    b1: from b0
        6  store t1->val = 0
    ...

Each op has its line; a second declaration of ``x`` is shown as ``x'1``. The text is not C: it cannot be parsed back.
"""

from __future__ import annotations

from mmlint.flow.ir import (
    AddressOf,
    Assign,
    Binary,
    Branch,
    Call,
    Cast,
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
    Opaque,
    Return,
    Store,
    Switch,
    Temp,
    Terminator,
    Unary,
    Unreachable,
    successors,
)
from mmlint.source import Source, Span


def dump_graph(graph: Graph, source: Source) -> str:
    """The blocks with their predecessors, ops and terminators, then what is not modelled; ends in a newline."""
    predecessors: dict[int, list[int]] = {index: [] for index in range(len(graph.blocks))}
    for index, block in enumerate(graph.blocks):
        for following in successors(block.terminator):
            predecessors[following].append(index)
    lines = [f"{graph.name}({', '.join(map(format_expr, graph.parameters))})"]
    for index, block in enumerate(graph.blocks):
        origins = " ".join(f"b{origin}" for origin in predecessors[index])
        lines.append(f"b{index}: from {origins}" if origins else f"b{index}:")
        lines += [_line(source, op.span, format_op(op)) for op in block.ops]
        lines.append(_line(source, block.terminator.span, format_terminator(block.terminator)))
    lines += [_line(source, span, f"unmodelled: {reason}") for span, reason in graph.unmodelled]
    return "\n".join(lines) + "\n"


def _line(source: Source, span: Span, text: str) -> str:
    place = str(source.line(span.start)) if span.start < span.end else ""
    return f"{place:>5}  {text}"


def format_op(op: Op) -> str:
    """One op on one line."""
    match op:
        case Assign(target, value):
            return f"{format_expr(target)} = {format_expr(value)}"
        case Load(target, place):
            return f"load {format_expr(target)} = {format_expr(place)}"
        case Store(place, value):
            return f"store {format_expr(place)} = {format_expr(value)}"
        case Call():
            return _format_call(op)
        case Declare(target):
            return f"declare {format_expr(target)}"


def _format_call(call: Call) -> str:
    callee = call.callee if call.callee is not None else f"(*{format_expr(call.pointer or Opaque('?'))})"
    text = f"{callee}({', '.join(map(format_expr, call.arguments))})"
    if call.result_used:
        text = f"{format_expr(call.target)} = {text}"
    if call.clobbers:
        text += f" writes {', '.join(map(format_expr, call.clobbers))}"
    return text


def format_terminator(terminator: Terminator) -> str:
    """A terminator on one line."""
    match terminator:
        case Jump(target):
            return f"goto b{target}"
        case Branch(condition, then, otherwise):
            return f"if {format_expr(condition)} then b{then} else b{otherwise}"
        case Switch(value, cases, default):
            arms = [f"{_format_range(low, high)} b{block}" for low, high, block in cases]
            return f"switch {format_expr(value)}: {', '.join([*arms, f'default b{default}'])}"
        case Return(value, _, implicit):
            if implicit:
                return "end"
            return "return" if value is None else f"return {format_expr(value)}"
        case Unreachable():
            return "unreachable"


def _format_range(low: Expr, high: Expr) -> str:
    return format_expr(low) if low == high else f"{format_expr(low)}...{format_expr(high)}"


def format_expr(expr: Expr) -> str:
    """An expression as C, with parentheses around every binary operator that is an operand."""
    match expr:
        case Const(value):
            return str(value)
        case Name(name, scope):
            return f"{name}'{scope}" if scope else name
        case Temp(index):
            return f"t{index}"
        case Opaque(text):
            return f"`{text}`"
        case AddressOf(place):
            return f"&{_primary(place)}"
        case Deref(pointer):
            return f"*{_primary(pointer)}"
        case Member(base, field, arrow):
            return f"{_primary(base)}{'->' if arrow else '.'}{field}"
        case Index(base, index):
            return f"{_primary(base)}[{format_expr(index)}]"
        case Unary(op, operand):
            return f"{op}{_primary(operand)}"
        case Binary(op, left, right):
            return f"{_operand(left)} {op} {_operand(right)}"
        case Cast(type_, operand):
            return f"({type_}){_primary(operand)}"


def _operand(expr: Expr) -> str:
    return f"({format_expr(expr)})" if isinstance(expr, Binary) else format_expr(expr)


def _primary(expr: Expr) -> str:
    """An expression as the operand of something that binds closer than any operator."""
    closed = isinstance(expr, Name | Temp | Opaque | Member | Index) or (isinstance(expr, Const) and expr.value >= 0)
    return format_expr(expr) if closed else f"({format_expr(expr)})"
