"""Lowering of calls, and of the macros that only look like calls.

    READ_ONCE(p->x)         load t0 = p->x                 (the span is that of the macro call)
    BUG_ON(a)               branch a -> 1, 2;  1: t0 = BUG(), unreachable;  2:
    ops->fn(x)              load t0 = ops->fn;  t1 = (*t0)(x)
    guard(mutex)(&m)        t0 = guard(mutex, &m), and guard.exit(mutex, &m) wherever the scope is left
    BAIL(x)                 t0 = BAIL(x), and a branch on t0 to a return, where the macro has one
    for_each_vma(vmi, vma)  t0 = for_each_vma(vmi, vma), which may write vmi and vma

Macros are not expanded: what else they do is unknown here. The arguments of guard.exit are those of the guard, as they
are worth at the exit.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from mmlint.flow.assignments import Assignments
from mmlint.flow.context import WORD
from mmlint.flow.dialect import Dialect, Role
from mmlint.flow.ir import AddressOf, Assign, Call, Cast, Const, Expr, Name, Return, Temp, Unreachable
from mmlint.source import Span
from mmlint.syntax.functions import ParsedFunction

# guard(type)(arguments) and CLASS(type, variable)(arguments): see linux/cleanup.h.
_GUARD, _CLASS = b"guard", b"CLASS"


class Calls(Assignments):
    """Calls by name and by pointer."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        super().__init__(function, dialect)
        self.values["call_expression"] = self._call_value

    def _call_value(self, node: Node) -> Expr:
        return self.call(node, True)

    def call(self, node: Node, used: bool) -> Expr:
        function, arguments = node.named_children
        operands = arguments.named_children
        if function.type != "identifier":
            return self._unusual_call(node, function, operands, used)
        spelling = self.masked[function.start_byte : function.end_byte]
        if spelling in self.locals:
            return self._pointer_call(node, function, operands, used)
        role = self.roles.get(spelling)
        if role is None:
            expansion = self.expansion(spelling + b"()") if not operands else None
            if expansion is not None:
                return self.expand(spelling + b"()", expansion, node, self.value)
            return self._named_call(node, function, operands, used)
        return self._macro(node, role, function, operands, used)

    def _named_call(self, node: Node, function: Node, operands: list[Node], used: bool) -> Temp:
        values = tuple([self.value(operand) for operand in operands])
        spans = (self.span(node), self.span(function))
        return self.emit_call(self._spelled(function), operands, values, spans, used=used).target

    def emit_call(
        self,
        callee: str | None,
        operands: list[Node],
        values: tuple[Expr, ...],
        spans: tuple[Span, Span],
        *,
        pointer: Expr | None = None,
        clobbers: tuple[Name, ...] = (),
        used: bool = True,
    ) -> Call:
        """Emit a call whose arguments are already lowered; ``spans`` are those of the call and of the callee."""
        target = self.builder.temp()
        places = tuple([self.span(operand) for operand in operands])
        call = Call(target, callee, pointer, values, places, *spans, clobbers, used)
        self.builder.emit(call)
        return call

    def _spelled(self, function: Node) -> str:
        return self.masked[function.start_byte : function.end_byte].decode("ascii", "backslashreplace")

    # Macros with a role.

    def _macro(self, node: Node, role: Role, function: Node, operands: list[Node], used: bool) -> Expr:
        if role is Role.UNEVALUATED:
            return self._text(node)
        if role is Role.GENERIC:
            self.unmodelled(node, "choice by type")
            return self.unknown(node)
        if role is Role.NORETURN:
            result = self._named_call(node, function, operands, used)
            self.builder.end(Unreachable(self.span(node)))
            return result
        if role is Role.JUMP:
            self.unmodelled(node, f"jump in the macro {self._spelled(function)}()")
        if role in (Role.OUTPUT, Role.RETURN, Role.JUMP):
            result = self._writing_call(node, function, operands, used)
            if role is Role.RETURN:
                self._possible_return(result, node)
            return result
        if role is Role.SWAP and len(operands) == 2:
            return self._swap(node, *operands)
        if role is Role.WRITE and len(operands) == 2:
            target = self.place(operands[0])
            return self.assign(target, self.value(operands[1]), self.span(node))
        if role is Role.ASSERT and operands:
            self._assertion(node, function, operands)
            return self.unknown(node) if used else Const(0)
        if len(operands) == 1:
            return self._unary_macro(node, role, function, operands[0], used)
        return self._named_call(node, function, operands, used)

    def _swap(self, node: Node, left: Node, right: Node) -> Expr:
        """``swap(a, b)``: the places are looked up once, and each is read before either is written."""
        span, places = self.span(node), (self.place(left), self.place(right))
        held = self.builder.temp()
        self.builder.emit(Assign(held, self.load(places[0], left), span))
        self.assign(places[0], self.load(places[1], right), span)
        self.assign(places[1], held, span)
        return Const(0)

    def _unary_macro(self, node: Node, role: Role, function: Node, operand: Node, used: bool) -> Expr:
        if role is Role.READ:
            return self.load(self.place(operand), node)
        if role is Role.TRANSPARENT and used:
            return self.value(operand)
        if role is Role.TRANSPARENT:
            self.effect(operand)
            return Const(0)
        return self._named_call(node, function, [operand], used)

    def _assertion(self, node: Node, function: Node, operands: list[Node]) -> None:
        """Branch on the first operand; the others only say what to print."""
        builder = self.builder
        failed, passed = builder.block(), builder.block()
        for operand in operands[1:]:
            self.effect(operand)
        self.condition(operands[0], failed, passed)
        builder.enter(failed)
        span = self.span(node)
        self.emit_call("BUG", [], (), (span, self.span(function)), used=False)
        builder.end(Unreachable(span))
        builder.enter(passed)

    def _writing_call(self, node: Node, function: Node, operands: list[Node], used: bool) -> Temp:
        values = tuple([self.value(operand) for operand in operands])
        spans = (self.span(node), self.span(function))
        clobbers = tuple(dict.fromkeys((*self.written(values), *self._around(operands))))
        return self.emit_call(self._spelled(function), operands, values, spans, clobbers=clobbers, used=used).target

    def _around(self, operands: list[Node]) -> Iterator[Name]:
        """The variables that members and elements among the operands lie in."""
        for operand in operands:
            node, element = operand, False
            while node.type in ("field_expression", "subscript_expression", "parenthesized_expression"):
                element = node.type == "subscript_expression"
                inner = node.named_children
                if node.type == "field_expression" and b"->" in self.text[inner[0].end_byte : inner[-1].start_byte]:
                    break
                node = inner[0]
            name = self.name(self.masked[node.start_byte : node.end_byte]) if node.type == "identifier" else None
            variable = self.scopes.variables.get(name) if isinstance(name, Name) and node is not operand else None
            # What a pointer leads to is no part of it.
            if variable is not None and (variable.array or not element):
                yield variable.name

    def _possible_return(self, condition: Temp, node: Node) -> None:
        """Branch to a return from the function, whose value is not known."""
        builder, span = self.builder, self.span(node)
        left, stayed = builder.block(), builder.block()
        builder.branch(condition, left, stayed, span)
        builder.enter(left)
        self.run_cleanups(self.scopes.cleanups, None)
        builder.end(Return(condition, span))
        builder.enter(stayed)

    # Other calls.

    def _unusual_call(self, node: Node, function: Node, operands: list[Node], used: bool) -> Expr:
        if function.type == "call_expression":
            inner, inner_arguments = function.named_children
            spelling = self.spelling(inner)
            if spelling == _GUARD:
                return self._guard(node, inner, inner_arguments.named_children + operands)
            if spelling == _CLASS:
                return self._class(node, inner, inner_arguments.named_children, operands)
        elif function.type == "parenthesized_expression" and len(operands) == 1:
            type_ = self.type_name(function)
            if type_ is not None:
                return Cast(type_.decode("ascii"), self.value(operands[0]))
        callee = function
        while callee.type == "parenthesized_expression" or (
            callee.type == "pointer_expression" and self.text[callee.start_byte] == 0x2A
        ):
            inside = callee.named_children
            if not inside or inside[0].type == "compound_statement":
                break
            callee = inside[0]
        if callee.type == "identifier" and self.spelling(callee) not in self.locals:
            return self._named_call(node, callee, operands, used)
        return self._pointer_call(node, callee, operands, used)

    def _pointer_call(self, node: Node, callee: Node, operands: list[Node], used: bool) -> Temp:
        pointer = self.value(callee)
        values = tuple([self.value(operand) for operand in operands])
        spans = (self.span(node), self.span(callee))
        return self.emit_call(None, operands, values, spans, pointer=pointer, used=used).target

    # Guards.

    def _guard(self, node: Node, function: Node, operands: list[Node]) -> Temp:
        values = tuple([self.value(operand) for operand in operands])
        spans = (self.span(node), self.span(function))
        call = self.emit_call(self._spelled(function), operands, values, spans, used=False)
        self.add_cleanup("guard.exit", call)
        return call.target

    def _class(self, node: Node, function: Node, named: list[Node], operands: list[Node]) -> Expr:
        """``CLASS(type, variable)(arguments)`` also declares the variable."""
        if len(named) != 2 or named[1].type != "identifier":
            return self._guard(node, function, named + operands)
        type_ = self.value(named[0])
        values = tuple([self.value(operand) for operand in operands])
        start = self.base + named[1].end_byte
        variable = self.scopes.declare(self.spelling(named[1]), f"class_{self.words(named[0])}_t", 0, start)
        spans = (self.span(node), self.span(function))
        call = self.emit_call("CLASS", named + operands, (type_, variable, *values), spans)
        self.builder.emit(Assign(variable, call.target, call.span))
        self.add_cleanup("guard.exit", call)
        return variable

    # Macros that are no expressions.

    def written(self, values: tuple[Expr, ...]) -> tuple[Name, ...]:
        """The variables that a macro with these arguments may write: those named, and those whose address is given."""
        named = [value.place if isinstance(value, AddressOf) else value for value in values]
        return tuple(dict.fromkeys(name for name in named if isinstance(name, Name) and self.is_local(name)))

    def macro_call(self, start: int, operands: list[Node], end: int, callee: str = "", used: bool = True) -> Call:
        """Emit the call of a macro that the tree shows as something else; offsets count in the text."""
        word = WORD.match(self.masked, start)
        stop = word.end() if word else start
        name = self.masked[start:stop].decode("ascii", "backslashreplace")
        values = tuple([self.value(operand) for operand in operands])
        spans = (Span(self.base + start, self.base + max(end, stop)), Span(self.base + start, self.base + stop))
        return self.emit_call(callee or name, operands, values, spans, clobbers=self.written(values), used=used)

    def unterminated_call(self, node: Node) -> bool:
        name = node.named_children[0]
        if name.type != "identifier" or self.masked[name.end_byte : name.end_byte + 1] != b"(":
            return False
        operands = self.comma_operands(node)[1:]
        end = self.masked.find(b")", operands[-1].end_byte) + 1
        self.macro_call(node.start_byte, operands, max(end, node.end_byte), used=False)
        return True

    def comma_operands(self, node: Node) -> list[Node]:
        """The operands of ``a, b, c``; a single expression is its own operand."""
        operands = []
        while node.type == "comma_expression":
            left, node = node.named_children
            operands.append(left)
        operands.append(node)
        return operands
