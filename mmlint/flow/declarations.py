"""Lowering of declarations, parameters and initialisers.

    struct walk w = { .mm = mm, .at.addr = 0 };    declare w;  store w.mm = mm;  store w.at.addr = 0

Type words come from the rewritten text, where attributes are blank, in the spelling of the masked one. Sizes of arrays
are not evaluated, nor are elements of initialisers that have no designator given to a field; those of an array are
given to its elements.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tree_sitter import Node

from mmlint.flow.calls import Calls
from mmlint.flow.context import NESTING_LIMIT, WORD
from mmlint.flow.dialect import Dialect
from mmlint.flow.ir import AddressOf, Assign, Call, Const, Declare, Expr, Index, Member, Name, Store, Temp
from mmlint.source import Span
from mmlint.syntax.functions import ParsedFunction

_MAX_ELEMENTS = 16
_DECLARATORS = frozenset(
    {
        "identifier",
        "init_declarator",
        "pointer_declarator",
        "array_declarator",
        "function_declarator",
        "parenthesized_declarator",
        "attributed_declarator",
        "abstract_pointer_declarator",
        "abstract_array_declarator",
        "abstract_function_declarator",
        "abstract_parenthesized_declarator",
    }
)
_QUALIFIERS = frozenset(
    b"const volatile static extern inline register restrict typedef _Noreturn _Thread_local __thread __inline "
    b"__inline__ __restrict __restrict__ __const __volatile__ __extension__ __always_inline noinline _Atomic".split()
)
# Elements of an initialiser that are no pointers.
_WITHOUT_PLACE = ("number_literal", "char_literal", "string_literal", "concatenated_string", "comment")
_TYPEOF = re.compile(rb"_*(?:typeof|TYPEOF|auto_type)\w*")
_ON_EXIT = re.compile(rb"__(free|cleanup)\s*\(\s*([A-Za-z_]\w*)\s*\)")


class Declarator(NamedTuple):
    """What a declarator says. ``returned`` counts the stars of the type that a function returns."""

    name: Node | None
    pointers: int
    array: bool
    function: bool
    parameters: Node | None
    returned: int


def read_declarator(node: Node | None) -> Declarator:
    """Follow a declarator inwards to its name. Abstract ones have none."""
    pointers = returned = 0
    array = function = False
    parameters = None
    while node is not None and node.type != "identifier":
        kind = node.type
        if kind.endswith("pointer_declarator"):
            pointers += 1
        elif kind.endswith("array_declarator"):
            array = True
        elif kind.endswith("function_declarator"):
            returned, pointers = pointers, 0
            array, function = False, True
            parameters = node.child_by_field_name("parameters")
        node = next((child for child in node.named_children if child.type in _DECLARATORS), None)
    return Declarator(node, pointers, array, function, parameters, returned)


@lru_cache(maxsize=4096)
def _type_words(text: bytes, masked: bytes) -> str:
    words = []
    for match in WORD.finditer(text.partition(b"{")[0]):
        first, last = match.span()
        word = WORD.match(masked, first)
        spelling = word.group() if word and word.end() == last else match.group()
        if _TYPEOF.fullmatch(spelling):
            words += masked[first:].decode("ascii", "backslashreplace").split()
            break
        if spelling not in _QUALIFIERS:
            words.append(spelling.decode("ascii", "backslashreplace"))
    return " ".join(words)


class Declarations(Calls):
    """Variables and their first values."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        super().__init__(function, dialect)
        self.statements["declaration"] = self._declaration
        self._has_exits = _ON_EXIT.search(self.masked) is not None

    def type_words(self, start: int, end: int) -> str:
        """The type named in a stretch of text: words without qualifiers and attributes."""
        return _type_words(self.text[start:end], self.masked[start:end])

    def parameters(self, parameters: Node | None) -> tuple[Name, ...]:
        """Declare the parameters of the function; one without a name still has its place."""
        names: list[Name] = []
        for node in parameters.named_children if parameters is not None else []:
            if node.type != "parameter_declaration":
                continue
            declarator = node.child_by_field_name("declarator")
            type_ = self.type_words(node.start_byte, declarator.start_byte if declarator else node.end_byte)
            if declarator is None and type_ == "void":
                continue
            shape = read_declarator(declarator)
            spelling = self.spelling(shape.name) if shape.name is not None else b"<%d>" % len(names)
            pointers = max(shape.pointers, 1) if shape.function else shape.pointers
            names.append(
                self.scopes.declare(
                    spelling,
                    "function" if shape.function else type_,
                    pointers + shape.array,
                    self.function.body.start,
                    len(names),
                )
            )
        return tuple(names)

    def _declaration(self, node: Node) -> None:
        declarators = [child for child in node.named_children if child.type in _DECLARATORS]
        if not declarators:
            return
        head = self.text[node.start_byte : declarators[0].start_byte]
        words = head.split()
        if b"extern" in words or b"__label__" in words or b"typedef" in words:
            return
        type_ = self.type_words(node.start_byte, declarators[0].start_byte)
        for position, declarator in enumerate(declarators):
            following = declarators[position + 1].start_byte if position + 1 < len(declarators) else node.end_byte
            self._declare(declarator, type_, b"static" in words, following)

    def _declare(self, node: Node, type_: str, static: bool, following: int) -> None:
        initialiser = None
        declarator = node
        if node.type == "init_declarator":
            declarator = node.child_by_field_name("declarator") or node.named_children[0]
            initialiser = node.child_by_field_name("value")
        shape = read_declarator(declarator)
        if shape.name is None or (shape.function and not shape.pointers):
            return
        name = self.scopes.declare(
            self.spelling(shape.name),
            "function" if shape.function else type_,
            shape.pointers + shape.array,
            self.base + declarator.end_byte,
            array=bool(shape.array),
        )
        if self._has_exits:
            self._run_on_exit(name, declarator, initialiser.start_byte if initialiser else following)
        if initialiser is None or static:
            self.builder.emit(Declare(name, self.span(declarator)))
        elif initialiser.type == "initializer_list":
            self.builder.emit(Declare(name, self.span(declarator)))
            self.initialise(initialiser, name)
        elif shape.array:
            self.builder.emit(Declare(name, self.span(declarator)))
            self.effect(initialiser)
        else:
            self.builder.emit(Assign(name, self.value(initialiser), self.span(node)))

    def _run_on_exit(self, name: Name, declarator: Node, end: int) -> None:
        """``struct foo *p __free(kfree) = ...``: the attribute is blank in the tree's text."""
        for match in _ON_EXIT.finditer(self.masked, declarator.start_byte, end):
            attribute, function = match.group(1), match.group(2).decode("ascii")
            span = Span(self.base + match.start(), self.base + match.end())
            name_span = Span(self.base + match.start(2), self.base + match.end(2))
            argument: Expr = name if attribute == b"free" else AddressOf(name)
            call = Call(Temp(0), None, None, (argument,), (self.span(declarator),), span, name_span)
            self.add_cleanup(f"free.{function}" if attribute == b"free" else function, call)

    def initialise(self, node: Node, place: Expr | None) -> None:
        if self.depth >= NESTING_LIMIT:
            self.unmodelled(node, "expression nested too deeply")
            return
        self.depth += 1
        # Where a member or an index is named, what follows counts from there; a long table is not what a walk is about.
        counted = node.named_child_count <= _MAX_ELEMENTS
        for position, element in enumerate(node.named_children):
            if element.type == "initializer_pair":
                self._designated(element, place)
                counted = False
            elif element.type == "initializer_list":
                self.initialise(element, None)
            elif element.type in _WITHOUT_PLACE or place is None or not counted:
                self.effect(element)
            else:
                # Without the declaration of a structure nobody knows the name of the member.
                array = isinstance(place, Name) and self.scopes.variables[place].array
                spot = Index(place, Const(position)) if array else Member(place, f"<{position}>", False)
                self.builder.emit(Store(spot, self.value(element), self.span(element)))
        self.depth -= 1

    def _designated(self, node: Node, place: Expr | None) -> None:
        children = node.named_children
        value = children[-1]
        for designator in children[:-1]:
            place = self._designate(designator, place)
        if value.type == "initializer_list":
            self.initialise(value, place)
        elif place is None:
            self.effect(value)
        else:
            self.builder.emit(Store(place, self.value(value), self.span(node)))

    def _designate(self, designator: Node, place: Expr | None) -> Expr | None:
        """The part of a place that ``.field`` or ``[index]`` names; None for a range of indices."""
        if place is None or designator.type == "subscript_range_designator":
            return None
        if designator.type == "subscript_designator":
            return Index(self.load(place, designator), self.value(designator.named_children[0]))
        field = designator if designator.type == "field_identifier" else designator.named_children[0]
        return Member(place, self.words(field), False)
