"""Lowering of asm statements: a call of ``asm`` with the inputs as arguments.

    asm("..." : "=r"(a), "=m"(*p) : "r"(b))      t0 = asm(b), which writes a;  store *p = t0

Constraints are hidden in the text, so an operand that is read and written (``"+r"``) counts as written only. The
template is not looked at. ``asm goto`` may go to each of its labels, or on.
"""

from __future__ import annotations

from tree_sitter import Node

from mmlint.flow.dialect import Dialect
from mmlint.flow.ir import Call, Const, Deref, Expr, Index, Member, Name, Store, Switch, Temp
from mmlint.flow.jumps import Jumps
from mmlint.source import Span
from mmlint.syntax.functions import ParsedFunction


class Asm(Jumps):
    """asm and asm goto."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        super().__init__(function, dialect)
        self.values["gnu_asm_expression"] = self._asm

    def _asm(self, node: Node) -> Expr:
        outputs = _operands(node.child_by_field_name("output_operands"))
        inputs = _operands(node.child_by_field_name("input_operands"))
        labels = node.child_by_field_name("goto_labels")
        written = self.spelling(node)
        if not outputs and not inputs and b":" in written and written.count(b"(") > 1:
            self.unmodelled(node, "asm operands")
        values = tuple([self.value(operand) for operand in inputs])
        places = [self.place(operand) for operand in outputs]
        memory = any(isinstance(place, Member | Deref | Index) for place in places)
        span = self.span(node)
        call = Call(
            self.builder.temp(),
            "asm",
            None,
            values,
            tuple([self.span(operand) for operand in inputs]),
            span,
            Span(span.start, span.start + len(b"asm")),
            tuple(dict.fromkeys(place for place in places if isinstance(place, Name))),
            memory or labels is not None,
        )
        self.builder.emit(call)
        for operand, place in zip(outputs, places, strict=True):
            if isinstance(place, Member | Deref | Index):
                self.builder.emit(Store(place, call.target, self.span(operand)))
        if labels is not None:
            self._asm_goto(labels, call.target, span)
        return call.target

    def _asm_goto(self, labels: Node, result: Temp, span: Span) -> None:
        builder = self.builder
        before, onwards = builder.current, builder.block()
        builder.jump(onwards)
        cases = []
        for index, label in enumerate(labels.named_children, 1):
            block = builder.block()
            cases.append((Const(index), Const(index), block))
            builder.enter(block)
            self.goto(self.words(label), self.span(label))
        builder.terminate(before, Switch(result, tuple(cases), onwards, span))
        builder.enter(onwards)


def _operands(group: Node | None) -> list[Node]:
    """The expressions of an operand list."""
    values = [node.child_by_field_name("value") for node in group.named_children] if group is not None else []
    return [value for value in values if value is not None]
