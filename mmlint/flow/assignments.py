"""Lowering of what writes: ``=``, ``+=``, ``++``; and of expressions that stand for their effect alone.

a = b->x += 1      load t0 = b->x;  store b->x = t0 + 1;  a = t0 + 1
f(i++)             t0 = i;  i = i + 1;  t1 = f(t0)
"""

from __future__ import annotations

from tree_sitter import Node

from mmlint.flow.conditions import Conditions
from mmlint.flow.context import NESTING_LIMIT
from mmlint.flow.dialect import Dialect
from mmlint.flow.ir import Assign, Binary, Const, Deref, Expr, Index, Member, Name, Store
from mmlint.source import Span
from mmlint.syntax.functions import ParsedFunction

_WRAPPERS = ("parenthesized_expression", "comma_expression", "extension_expression")


class Assignments(Conditions):
    """Assignments, increments, commas, effects."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        super().__init__(function, dialect)
        self.values |= {
            "assignment_expression": self._assignment,
            "update_expression": self._update,
            "comma_expression": self._comma,
        }

    def call(self, node: Node, used: bool) -> Expr:
        """Lower a call; see the class below."""
        raise NotImplementedError

    def unterminated_call(self, node: Node) -> bool:
        """Lower a macro call that became a comma expression for want of a semicolon; False when it is none."""
        raise NotImplementedError

    def assign(self, target: Expr, value: Expr, span: Span) -> Expr:
        """Write a value to a place; the result is what the assignment is worth."""
        if isinstance(target, Name):
            self.builder.emit(Assign(target, value, span))
            return target
        # A macro that gives an lvalue (per_cpu(x, cpu) = v) is taken as giving its address.
        place = target if isinstance(target, Member | Deref | Index) else Deref(target)
        self.builder.emit(Store(place, value, span))
        return value

    def _assignment(self, node: Node) -> Expr:
        left, right = node.named_children
        op = self.operator(left, right)
        target = self.place(left)
        value = self.value(right)
        if op != "=":
            value = Binary(op[:-1], self.load(target, left), value)
        return self.assign(target, value, self.span(node))

    def _update(self, node: Node) -> Expr:
        return self._step(node, True)

    def _step(self, node: Node, used: bool) -> Expr:
        """``x++`` is worth what x was, ``++x`` what it is now."""
        operand = node.named_children[0]
        prefix = operand.start_byte > node.start_byte
        op = chr(self.text[node.start_byte if prefix else node.end_byte - 1])
        target = self.place(operand)
        before = self.load(target, operand)
        worth = before
        if isinstance(target, Name) and used and not prefix:
            worth = self.hold(target, operand)
        after = self.assign(target, Binary(op, before, Const(1)), self.span(node))
        return after if prefix else worth

    def _comma(self, node: Node) -> Expr:
        while node.type == "comma_expression":
            left, node = node.named_children
            self.effect(left)
        return self.value(node)

    def effect(self, node: Node) -> None:
        kind = node.type
        while kind in _WRAPPERS:
            inner = node.named_children
            if not inner:
                return
            if kind == "comma_expression":
                if self.unterminated_call(node):
                    return
                self.effect(inner[0])
            node = inner[-1]
            kind = node.type
        if kind == "identifier":
            spelling = self.spelling(node)
            expansion = self.expansion(spelling) if spelling not in self.locals else None
            if expansion is not None:
                self.expand(spelling, expansion, node, self.effect)
            return
        if self.depth >= NESTING_LIMIT:
            self.unmodelled(node, "expression nested too deeply")
            return
        self.depth += 1
        if kind == "call_expression":
            self.call(node, False)
        elif kind == "update_expression":
            self._step(node, False)
        elif kind == "compound_statement":
            self.statement(node)
        elif kind == "conditional_expression" or self.logical(node):
            self._chosen_effect(node)
        elif kind == "cast_expression":
            self.effect(node.named_children[1])
        else:
            self.value(node)
        self.depth -= 1

    def _chosen_effect(self, node: Node) -> None:
        """``a ? f() : g();`` and ``a && f();``: no value is kept."""
        builder = self.builder
        after = builder.block()
        while True:
            children = node.named_children
            then, otherwise = builder.block(), builder.block()
            if node.type == "conditional_expression":
                self.condition(children[0], then, otherwise)
                builder.enter(then)
                if len(children) == 3:
                    self.effect(children[1])
            elif self.logical(node) == "&&":
                self.condition(children[0], otherwise, after)
            else:
                self.condition(children[0], after, otherwise)
            builder.jump(after)
            builder.enter(otherwise)
            node = children[-1]
            if node.type != "conditional_expression" and not self.logical(node):
                break
        self.effect(node)
        builder.enter(after)
