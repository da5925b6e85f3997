"""Lowering of values and places.

    *p++ = s->a[i]      t0 = p;  p = p + 1;  load t1 = s->a;  load t2 = t1[i];  store *t0 = t2

A place leads to memory without reading it; a value reads it with a `Load` of its own, in the order of the text. Names
are read where they stand. The base of an index is a value: ``s->a[i]`` reads ``s->a`` whether it is a pointer or an
array, for without declarations of structs the two look alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from tree_sitter import Node

from mmlint.flow.context import NESTING_LIMIT, Lowering
from mmlint.flow.dialect import Dialect
from mmlint.flow.ir import (
    AddressOf,
    Binary,
    Cast,
    Const,
    Declare,
    Deref,
    Expr,
    Index,
    Load,
    Member,
    Opaque,
    Unary,
)
from mmlint.syntax.functions import ParsedFunction

# Deeper than that, and in longer chains, values go through a temporary, so that expressions stay shallow.
_DEEP = 40
_LONG = 32

_MEMORY = (Member, Deref, Index)
_COMPOUND = (Binary, Unary, Cast, AddressOf)
_SPELLED = "+ - * / % & | ^ << >> == != < <= > >= && || = += -= *= /= %= &= |= ^= <<= >>="
_BLANKS = b" \t\r\n\f\\"
_OPERATORS = {op.encode(): op for op in _SPELLED.split(" ")}
_ESCAPES = dict(zip("abfnrtv0e", (7, 8, 12, 10, 13, 9, 11, 0, 27), strict=True))
_UNARY = ("-", "+", "*", "&")
# A name in parentheses before - * & or ( may be a type: then it is a cast.
_TYPE_NAME = re.compile(rb"\w+_t|_*(?:u|s|le|be)(?:8|16|32|64|128)|bool|uint|ulong|ushort|__wsum|__sum16")


class Expressions(Lowering):
    """Values and places; calls, assignments and conditions are left to the classes below."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        super().__init__(function, dialect)
        self.values |= {
            "number_literal": self._number,
            "char_literal": self._character,
            "true": lambda _: Const(1),
            "false": lambda _: Const(0),
            "null": lambda _: Const(0),
            "string_literal": self._text,
            "concatenated_string": self._text,
            "sizeof_expression": self._text,
            "alignof_expression": self._text,
            "offsetof_expression": self._text,
            "type_descriptor": self._text,
            "parenthesized_expression": self._parenthesized,
            "extension_expression": self._extension,
            "unary_expression": self._unary,
            "cast_expression": self._cast,
            "compound_literal_expression": self._compound_literal,
            "field_expression": self._memory,
            "subscript_expression": self._memory,
            "pointer_expression": self._memory,
            "compound_statement": self._block_argument,
        }

    def value(self, node: Node) -> Expr:
        kind = node.type
        if kind == "identifier":
            return self._identifier(node, self.value)
        lower = self.values.get(kind)
        if lower is None:
            return self._unknown_kind(node)
        if self.depth >= NESTING_LIMIT:
            self.unmodelled(node, "expression nested too deeply")
            return self.unknown(node)
        self.depth += 1
        result = lower(node)
        self.depth -= 1
        if self.depth > _DEEP and isinstance(result, _COMPOUND):
            return self.hold(result, node)
        return result

    def _identifier(self, node: Node, lower: Callable[[Node], Expr]) -> Expr:
        spelling = self.masked[node.start_byte : node.end_byte]
        known = self.locals.get(spelling)
        if known is not None:
            return known
        expansion = self.expansion(spelling)
        return self.name(spelling) if expansion is None else self.expand(spelling, expansion, node, lower)

    def name(self, spelling: bytes) -> Expr:
        """The variable in scope, or the global, of that spelling."""
        return self.locals.get(spelling) or self.globals.get(spelling) or self.scopes.unknown(spelling)

    def place(self, node: Node) -> Expr:
        while node.type == "parenthesized_expression":
            inner = node.named_children
            if not inner or inner[0].type == "compound_statement":
                break
            node = inner[0]
        kind = node.type
        if kind == "identifier":
            return self._identifier(node, self.place)
        if self.depth < NESTING_LIMIT:
            self.depth += 1
            try:
                if kind == "field_expression":
                    return self._member(node)
                if kind == "subscript_expression":
                    base, index = node.named_children
                    return Index(self.value(base), self.value(index))
                if kind == "pointer_expression" and self.text[node.start_byte] == 0x2A:
                    return self._target(self.value(node.named_children[0]))
            finally:
                self.depth -= 1
        return self.value(node)

    def _member(self, node: Node) -> Expr:
        base, field = node.named_children
        name = self.spelling(field).decode("ascii", "backslashreplace")
        if b"-" not in self.text[base.end_byte : field.start_byte]:
            owner = self.place(base)
            return Member(owner.pointer, name, True) if isinstance(owner, Deref) else Member(owner, name, False)
        pointer = self.value(base)
        if isinstance(pointer, AddressOf):
            return Member(pointer.place, name, False)
        return Member(pointer, name, True)

    def _target(self, pointer: Expr) -> Expr:
        return pointer.place if isinstance(pointer, AddressOf) else Deref(pointer)

    def load(self, place: Expr, node: Node) -> Expr:
        """The value in a place, read where ``node`` stands."""
        if not isinstance(place, _MEMORY):
            return place
        target = self.builder.temp()
        self.builder.emit(Load(target, place, self.span(node)))
        return target

    def _memory(self, node: Node) -> Expr:
        start = node.start_byte
        if self.text[start] == 0x26 and node.type == "pointer_expression":
            if self.masked[start - 1 : start + 1] == b"&&":
                return Opaque("&&" + self.words(node.named_children[0]))
            return self._address(node.named_children[0])
        return self.load(self.place(node), node)

    def _address(self, node: Node) -> Expr:
        place = self.place(node)
        return place.pointer if isinstance(place, Deref) else AddressOf(place)

    def _parenthesized(self, node: Node) -> Expr:
        while node.type == "parenthesized_expression":
            inner = node.named_children
            if not inner:
                return self._unknown_kind(node)
            node = inner[0]
        if node.type == "compound_statement":
            return self.statement_expression(node)
        return self.value(node)

    def statement_expression(self, node: Node) -> Expr:
        """``({ ... })``: its value is that of the last expression in it."""
        children = node.named_children
        last = children.pop() if children and children[-1].type == "expression_statement" else None
        self.open_scope(node)
        self.add_border()
        for child in children:
            self.statement(child)
        expression = last.named_children if last is not None else []
        value = self.value(expression[0]) if expression else self.unknown(node)
        self.leave_scope()
        return value

    def _extension(self, node: Node) -> Expr:
        return self.value(node.named_children[0])

    def _unary(self, node: Node) -> Expr:
        op = chr(self.text[node.start_byte])
        operand = self.value(node.named_children[0])
        if op == "+":
            return operand
        if op == "-":
            return self._negated(operand)
        if op == "!" and isinstance(operand, Const):
            return Const(int(not operand.value))
        return Unary(op, operand)

    def _negated(self, operand: Expr) -> Expr:
        return Const(-operand.value) if isinstance(operand, Const) else Unary("-", operand)

    def operator(self, left: Node, right: Node) -> str:
        """The operator between two operands; the rewritten text counts where the written one has more than that."""
        start, end = left.end_byte, right.start_byte
        op = _OPERATORS.get(self.masked[start:end].strip(_BLANKS))
        return op or self.text[start:end].strip(_BLANKS).decode("ascii", "replace")

    def arithmetic(self, node: Node) -> Expr:
        """A chain of binary operators, ``&&`` and ``||`` excepted, from left to right."""
        operators: list[str] = []
        operands: list[Node] = []
        while node.type == "binary_expression":
            left, right = node.named_children
            op = self.operator(left, right)
            if op in ("&&", "||"):
                break
            operators.append(op)
            operands.append(right)
            node = left
        operands.append(node)
        value = self._operand(operators, operands)
        if len(operators) > 4 and isinstance(value, _COMPOUND):
            value = self.hold(value, node)
        count = 0
        while operators:
            value = Binary(operators.pop(), value, self._operand(operators, operands))
            count += 1
            if count % _LONG == 0:
                value = self.hold(value, node)
        return value

    def _operand(self, operators: list[str], operands: list[Node]) -> Expr:
        """Take the next operand from the end of the lists.

        The grammar takes ``(u64)-x`` for a subtraction and ``(pte_t)*p`` for a product; here they are casts.
        """
        node = operands.pop()
        if not operators or operators[-1] not in _UNARY or node.type != "parenthesized_expression":
            return self.value(node)
        spelling = self.type_name(node)
        if spelling is None:
            return self.value(node)
        op, node = operators.pop(), operands.pop()
        if node.type == "binary_expression":
            self.unmodelled(node, "cast that reads like an operator")
        if op == "*":
            operand = self.load(self._target(self.value(node)), node)
        elif op == "&":
            operand = self._address(node)
        else:
            operand = self._negated(self.value(node)) if op == "-" else self.value(node)
        return Cast(spelling.decode("ascii"), operand)

    def type_name(self, node: Node) -> bytes | None:
        """The type that is named in parentheses, where that is no variable."""
        inner = node.named_children
        if len(inner) != 1 or inner[0].type != "identifier":
            return None
        spelling = self.spelling(inner[0])
        is_type = spelling not in self.locals and _TYPE_NAME.fullmatch(spelling)
        return spelling if is_type else None

    def _cast(self, node: Node) -> Expr:
        type_, operand = node.named_children
        if b"{" in self.spelling(type_):
            # The grammar takes (f(({ ... }))) & x for a cast of &x.
            self.unmodelled(node, "cast that reads like an operator")
            return self.unknown(node)
        return Cast(self.words(type_), self.value(operand))

    def _compound_literal(self, node: Node) -> Expr:
        """``(struct walk){ .pte = pte }`` is a variable without a name."""
        type_, elements = node.named_children[0], node.named_children[-1]
        words = self.words(type_)
        if elements.type != "initializer_list" or not words.startswith("struct ") or not words[7:].isidentifier():
            self.initialise(elements, None)
            return self.unknown(node)
        name = self.scopes.declare(b"<literal>", words, 0, self.base + node.start_byte)
        self.builder.emit(Declare(name, self.span(node)))
        self.initialise(elements, name)
        return name

    def _block_argument(self, node: Node) -> Expr:
        self.unmodelled(node, "block in the argument of a macro")
        return self.unknown(node)

    def _text(self, node: Node) -> Expr:
        return Opaque(self.words(node))

    def _number(self, node: Node) -> Expr:
        return _integer(self.spelling(node))

    def _character(self, node: Node) -> Expr:
        value = _character_value(self.words(node))
        return self.unknown(node) if value is None else Const(value)

    def _unknown_kind(self, node: Node) -> Expr:
        """Something the grammar has and this module does not know: only its effects count."""
        self.unmodelled(node, f"expression that is not modelled: {node.type}")
        if self.depth < NESTING_LIMIT:
            self.depth += 1
            for child in node.named_children:
                if child.type in self.values:
                    self.value(child)
            self.depth -= 1
        return self.unknown(node)


@lru_cache(maxsize=4096)
def _integer(spelling: bytes) -> Expr:
    """``0x10UL`` and the like; floating point and other pre-processing numbers are opaque."""
    digits = spelling.decode("ascii", "backslashreplace").lower().rstrip("ulz")
    octal = digits[:1] == "0" and digits.isdigit()
    try:
        return Const(int(digits, 8 if octal else 0))
    except ValueError:
        return Opaque(spelling.decode("ascii", "backslashreplace"))


def _character_value(text: str) -> int | None:
    """The code of ``'x'``; None where the character is hidden or there are several."""
    inner = text[1:-1]
    if len(inner) == 1 and inner not in "_\\":
        return ord(inner)
    if inner[:1] != "\\" or len(inner) < 2:
        return None
    if len(inner) == 2 and not inner[1].isdigit():
        return _ESCAPES.get(inner[1], ord(inner[1]))
    digits, base = (inner[2:], 16) if inner[1] == "x" else (inner[1:], 8)
    try:
        return int(digits, base)
    except ValueError:
        return None
