"""Lowering of what chooses: conditions, ``&&``, ``||``, ``!`` and ``?:``.

    if (a && !(b || c))      branch a -> 1, else;  1: branch b -> else, 2;  2: branch c -> else, then

A condition becomes branches on atoms, without a value. As a value it ends in one temporary that both arms assign.
"""

from __future__ import annotations

from tree_sitter import Node

from mmlint.flow.context import NESTING_LIMIT
from mmlint.flow.dialect import Dialect, Role
from mmlint.flow.expressions import Expressions
from mmlint.flow.ir import Assign, Const, Expr
from mmlint.syntax.functions import ParsedFunction


class Conditions(Expressions):
    """Short circuit and conditional expressions."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        super().__init__(function, dialect)
        self.values |= {
            "binary_expression": self._binary,
            "conditional_expression": self._conditional,
        }

    def condition(self, node: Node, then: int, otherwise: int) -> None:
        node, negated = self._bare(node)
        if negated:
            then, otherwise = otherwise, then
        if self.depth >= NESTING_LIMIT:
            self.unmodelled(node, "expression nested too deeply")
            self.builder.branch(self.unknown(node), then, otherwise, self.span(node))
            return
        self.depth += 1
        op = self.logical(node)
        if op:
            self._short_circuit(node, op, then, otherwise)
        elif node.type == "conditional_expression":
            self._chosen_condition(node, then, otherwise)
        else:
            value = self.value(node)
            self.builder.branch(value, then, otherwise, self.span(node))
        self.depth -= 1

    def _bare(self, node: Node) -> tuple[Node, bool]:
        """The condition without parentheses, ``likely()`` and ``!``, and whether it is negated."""
        negated = False
        while True:
            kind = node.type
            if kind == "parenthesized_expression":
                inner = node.named_children
                if len(inner) != 1 or inner[0].type == "compound_statement":
                    return node, negated
                node = inner[0]
            elif kind == "unary_expression" and self.text[node.start_byte] == 0x21:
                node = node.named_children[0]
                negated = not negated
            elif kind == "comma_expression":
                left, node = node.named_children
                self.effect(left)
            elif kind == "call_expression":
                argument = self.transparent_argument(node)
                if argument is None:
                    return node, negated
                node = argument
            else:
                return node, negated

    def transparent_argument(self, node: Node) -> Node | None:
        """The argument that a call stands for, or None for any other call."""
        function, arguments = node.named_children
        if self.roles.get(self.spelling(function)) is not Role.TRANSPARENT:
            return None
        operands = arguments.named_children
        return operands[0] if len(operands) == 1 else None

    def logical(self, node: Node) -> str:
        """``&&`` or ``||`` when the node is that, else empty."""
        if node.type != "binary_expression":
            return ""
        left, right = node.named_children
        op = self.operator(left, right)
        return op if op in ("&&", "||") else ""

    def _short_circuit(self, node: Node, op: str, then: int, otherwise: int) -> None:
        operands = []
        while self.logical(node) == op:
            node, right = node.named_children
            operands.append(right)
        operands.append(node)
        last = operands[0]
        for operand in reversed(operands[1:]):
            following = self.builder.block()
            if op == "&&":
                self.condition(operand, following, otherwise)
            else:
                self.condition(operand, then, following)
            self.builder.enter(following)
        self.condition(last, then, otherwise)

    def _chosen_condition(self, node: Node, then: int, otherwise: int) -> None:
        children = node.named_children
        if len(children) == 2:
            following = self.builder.block()
            self.condition(children[0], then, following)
            self.builder.enter(following)
            self.condition(children[1], then, otherwise)
            return
        first, second = self.builder.block(), self.builder.block()
        self.condition(children[0], first, second)
        self.builder.enter(first)
        self.condition(children[1], then, otherwise)
        self.builder.enter(second)
        self.condition(children[2], then, otherwise)

    def _binary(self, node: Node) -> Expr:
        return self._truth(node) if self.logical(node) else self.arithmetic(node)

    def _truth(self, node: Node) -> Expr:
        builder = self.builder
        then, otherwise, after = builder.block(), builder.block(), builder.block()
        target, span = builder.temp(), self.span(node)
        self.condition(node, then, otherwise)
        builder.enter(then)
        builder.emit(Assign(target, Const(1), span))
        builder.jump(after)
        builder.enter(otherwise)
        builder.emit(Assign(target, Const(0), span))
        builder.enter(after)
        return target

    def _conditional(self, node: Node) -> Expr:
        """``a ? b : c ? d : e`` and so on: each arm assigns the same temporary."""
        builder = self.builder
        target, after = builder.temp(), builder.block()
        while node.type == "conditional_expression":
            children = node.named_children
            then, otherwise = builder.block(), builder.block()
            if len(children) == 2:
                tested = self.value(children[0])
                builder.branch(tested, then, otherwise, self.span(children[0]))
                builder.enter(then)
                builder.emit(Assign(target, tested, self.span(children[0])))
            else:
                self.condition(children[0], then, otherwise)
                builder.enter(then)
                builder.emit(Assign(target, self.value(children[1]), self.span(children[1])))
            builder.jump(after)
            builder.enter(otherwise)
            node = children[-1]
        builder.emit(Assign(target, self.value(node), self.span(node)))
        builder.enter(after)
        return target
