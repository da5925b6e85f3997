"""A macro without parameters that stands for an expression: ``#define CUR (*pte)``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from mmlint.syntax.functions import ParsedFunction

# What an expression may be made of to be read where the macro is used: nothing that declares, and no statement.
_KINDS = frozenset(
    (
        "identifier", "field_identifier", "number_literal", "char_literal", "string_literal", "true", "false", "null",
        "parenthesized_expression", "pointer_expression", "field_expression", "subscript_expression",
        "unary_expression", "binary_expression", "conditional_expression", "cast_expression", "sizeof_expression",
        "call_expression", "argument_list", "assignment_expression", "update_expression", "comma_expression",
        "type_descriptor", "type_identifier", "primitive_type", "sized_type_specifier", "struct_specifier",
        "abstract_pointer_declarator", "type_qualifier",
    )
)  # fmt: skip


class Expansion(NamedTuple):
    """The expression, the texts that its tree counts in, the identifiers in it, and how it is written."""

    node: Node
    text: bytes
    masked: bytes
    words: frozenset[bytes]
    shown: str


def read_expansion(function: ParsedFunction) -> Expansion | None:
    """The expression that a macro stands for, given as a function with its body; None where it is something else."""
    body = next((node for node in _all(function.tree.root_node) if node.type == "compound_statement"), None)
    statements = body.named_children if body is not None else []
    if not function.ok or function.notes or not statements or statements[0].type != "expression_statement":
        return None
    if any(node.type != "expression_statement" or node.named_children for node in statements[1:]):
        return None
    expressions = statements[0].named_children
    nodes = list(_all(expressions[0])) if len(expressions) == 1 else []
    if not nodes or any(node.type not in _KINDS for node in nodes):
        return None
    words = (function.masked[n.start_byte : n.end_byte] for n in nodes if n.type == "identifier")
    top = expressions[0]
    shown = " ".join(function.masked[top.start_byte : top.end_byte].decode("ascii", "backslashreplace").split())
    return Expansion(top, function.text, function.masked, frozenset(words), shown)


def _all(node: Node) -> Iterator[Node]:
    pending = [node]
    for current in pending:
        yield current
        pending += current.named_children
