"""Lowering of blocks, if, switch and loops.

A loop macro is a call that decides before each round whether there is one: ``for_each_vma(vmi, vma) f(vma);`` is

    1: t0 = for_each_vma(vmi, vma);  branch t0 -> 2, 3;    2: f(vma);  jump 1;    3: ...

``scoped_guard(mutex, &m) { }`` runs its body once between ``guard`` and ``guard.exit``; break and continue leave it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tree_sitter import Node

from mmlint.flow.asm import Asm
from mmlint.flow.context import NESTING_LIMIT, WORD
from mmlint.flow.dialect import Dialect
from mmlint.flow.ir import Expr, Opaque, Switch
from mmlint.flow.jumps import INTO_SCOPE, Exit
from mmlint.flow.scopes import Cleanup, can_reach
from mmlint.syntax.functions import ParsedFunction

_SCOPED_GUARD, _SCOPED_COND_GUARD = b"scoped_guard", b"scoped_cond_guard"
# Guards of these kinds may not get the lock, and then the body does not run.
_CONDITIONAL = ("_try", "_intr", "_kill", "_timeout")
_IGNORED = (
    "type_definition",
    "struct_specifier",
    "union_specifier",
    "enum_specifier",
    "attribute_declaration",
    "attribute_specifier",
    "static_assert_declaration",
)


@dataclass(slots=True)
class _Cases:
    """What the body of a switch has shown so far; ``default`` is where control goes without a match."""

    default: int
    cleanups: Cleanup | None
    cases: list[tuple[Expr, Expr, int]] = field(default_factory=list)


class Statements(Asm):
    """Structured control flow."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        super().__init__(function, dialect)
        self._has_errors = function.tree.root_node.has_error
        self._switches: list[_Cases] = []
        self.statements |= dict.fromkeys(_IGNORED, _ignore)
        self.statements |= {
            "compound_statement": self._compound,
            "expression_statement": self._expression,
            "attributed_statement": self._attributed,
            "if_statement": self._if,
            "while_statement": self._while,
            "do_statement": self._do,
            "for_statement": self._for,
            "switch_statement": self._switch,
            "case_statement": self._case,
        }

    def statement(self, node: Node) -> None:
        lower = self.statements.get(node.type)
        if lower is None:
            self.unmodelled(node, f"statement that is not modelled: {node.type}")
        elif self._has_errors and node.has_error and node.type != "compound_statement":
            self.unmodelled(node, "syntax that is not understood")
        elif self.depth >= NESTING_LIMIT:
            self.unmodelled(node, "statement nested too deeply")
        else:
            self.depth += 1
            lower(node)
            self.depth -= 1

    def _compound(self, node: Node) -> None:
        self.open_scope(node)
        for child in node.named_children:
            self.statement(child)
        self.leave_scope()

    def _expression(self, node: Node) -> None:
        for child in node.named_children:
            self.effect(child)

    def _attributed(self, node: Node) -> None:
        self.statement(node.named_children[-1])

    # Branches.

    def _if(self, node: Node) -> None:
        if self.base + node.start_byte in self.loops and self._scoped_guard(node):
            return
        after = self.builder.block()
        while True:
            children = node.named_children
            then = self.builder.block()
            otherwise = self.builder.block() if len(children) > 2 else after
            self._tested(node, children[0], then, otherwise)
            self.builder.enter(then)
            self.statement(children[1])
            self.builder.jump(after)
            if len(children) < 3:
                break
            self.builder.enter(otherwise)
            node = children[2].named_children[-1]
            if node.type != "if_statement" or self.base + node.start_byte in self.loops:
                self.statement(node)
                break
        self.builder.enter(after)

    def _tested(self, node: Node, condition: Node, then: int, otherwise: int) -> None:
        """Branch on the condition of if or while, or on what a macro in its place says."""
        if self.base + node.start_byte in self.loops:
            self._macro_condition(node.start_byte, condition, then, otherwise)
        else:
            self.condition(condition, then, otherwise)

    def _macro_condition(self, start: int, condition: Node | None, then: int, otherwise: int) -> None:
        operands, end = self._macro_operands(start, condition)
        call = self.macro_call(start, operands, end)
        self.builder.branch(call.target, then, otherwise, call.span)

    def _macro_operands(self, start: int, condition: Node | None) -> tuple[list[Node], int]:
        """The arguments of a macro that the tree shows as a keyword, and where the call ends."""
        word = WORD.match(self.masked, start)
        name_end = word.end() if word else start
        rest = self.masked[name_end:].lstrip()
        if condition is None or rest[:1] != b"(":
            return [], name_end
        if rest[1:].lstrip()[:1] == b")":
            return [], self.masked.find(b")", name_end) + 1
        inner = condition.named_children[0] if condition.type == "parenthesized_expression" else condition
        return self.comma_operands(inner), condition.end_byte

    def _keyword(self, node: Node) -> bytes:
        """The word that a statement starts with, as written."""
        word = WORD.match(self.masked, node.start_byte)
        return word.group() if word else b""

    def _scoped_guard(self, node: Node) -> bool:
        name = self._keyword(node)
        if name not in (_SCOPED_GUARD, _SCOPED_COND_GUARD):
            return False
        condition, body = node.named_children[:2]
        operands, end = self._macro_operands(node.start_byte, condition)
        kind = self.words(operands[0]) if operands else ""
        conditional = name == _SCOPED_COND_GUARD or kind.endswith(_CONDITIONAL)
        self.open_scope(node)
        outside = self.scopes.cleanups
        call = self.macro_call(node.start_byte, operands, end, "guard", conditional)
        locked, after = self.builder.block(), self.builder.block()
        if conditional:
            self.builder.branch(call.target, locked, after, call.span)
        self.builder.enter(locked)
        self.add_cleanup("guard.exit", call)
        self._body(body, Exit(after, outside), Exit(after, outside))
        self.leave_scope()
        self.builder.enter(after)
        return True

    # Loops.

    def _body(self, node: Node, break_: Exit, continue_: Exit) -> None:
        self.breaks.append(break_)
        self.continues.append(continue_)
        self.statement(node)
        self.breaks.pop()
        self.continues.pop()

    def _while(self, node: Node) -> None:
        children = node.named_children
        head, body, after = self.builder.block(), self.builder.block(), self.builder.block()
        self.builder.enter(head)
        self._tested(node, children[0], body, after)
        self.builder.enter(body)
        here = self.scopes.cleanups
        self._body(children[1], Exit(after, here), Exit(head, here))
        self.builder.jump(head)
        self.builder.enter(after)

    def _do(self, node: Node) -> None:
        content, condition = node.named_children[:2]
        body, test, after = self.builder.block(), self.builder.block(), self.builder.block()
        self.builder.enter(body)
        here = self.scopes.cleanups
        self._body(content, Exit(after, here), Exit(test, here))
        self.builder.enter(test)
        keyword = self.text.rfind(b"while", content.end_byte, condition.start_byte)
        if self.base + keyword in self.loops:
            self._macro_condition(keyword, condition, body, after)
        else:
            self.condition(condition, body, after)
        self.builder.enter(after)

    def _for(self, node: Node) -> None:
        initialiser = node.child_by_field_name("initializer")
        condition = node.child_by_field_name("condition")
        update = node.child_by_field_name("update")
        content = node.named_children[-1]
        self.open_scope(node)
        if initialiser is not None and initialiser.type == "declaration":
            self.statement(initialiser)
        elif initialiser is not None:
            self.effect(initialiser)
        builder = self.builder
        head, body, step, after = builder.block(), builder.block(), builder.block(), builder.block()
        builder.enter(head)
        if condition is not None:
            self.condition(condition, body, after)
        elif self._keyword(node) != b"for":
            self._macro_condition(node.start_byte, None, body, after)
        builder.enter(body)
        here = self.scopes.cleanups
        self._body(content, Exit(after, here), Exit(step, here))
        builder.enter(step)
        if update is not None:
            self.effect(update)
        builder.jump(head)
        builder.enter(after)
        self.leave_scope()

    # Switches.

    def _switch(self, node: Node) -> None:
        condition, content = node.named_children[:2]
        value, span = self.value(condition), self.span(condition)
        builder = self.builder
        before, after = builder.current, builder.block()
        builder.end(Switch(value, (), after, span))
        switch = _Cases(after, self.scopes.cleanups)
        self._switches.append(switch)
        self.breaks.append(Exit(after, self.scopes.cleanups))
        self.statement(content)
        self.breaks.pop()
        self._switches.pop()
        builder.terminate(before, Switch(value, tuple(switch.cases), switch.default, span))
        builder.enter(after)

    def _case(self, node: Node) -> None:
        children = node.named_children
        if not self._switches:
            self.unmodelled(node, "case outside a switch")
            return
        switch = self._switches[-1]
        block = self.builder.block()
        self.builder.enter(block)
        label = node.child_by_field_name("value")
        if not can_reach(switch.cleanups, self.scopes.cleanups):
            self.unmodelled(node, INTO_SCOPE)
        elif label is None:
            switch.default = block
        else:
            switch.cases.append((*self._case_range(label), block))
        for child in children if label is None else children[1:]:
            self.statement(child)

    def _case_range(self, label: Node) -> tuple[Expr, Expr]:
        if label.type == "binary_expression":
            left, right = label.named_children
            if b"..." in self.masked[left.end_byte : right.start_byte]:
                return self._case_label(left), self._case_label(right)
        value = self._case_label(label)
        return value, value

    def _case_label(self, node: Node) -> Expr:
        """A constant; what is more than a name or number is opaque, for a case must not emit ops."""
        inner = node
        while inner.type == "parenthesized_expression" and len(inner.named_children) == 1:
            inner = inner.named_children[0]
        if inner.type == "unary_expression" and inner.named_children[0].type == "number_literal":
            return self.value(inner)
        if inner.type in ("identifier", "number_literal", "char_literal", "true", "false", "null"):
            return self.value(inner)
        return Opaque(self.words(node))


def _ignore(_: Node) -> None:
    """Types and attributes do nothing."""
