"""Whether all of a function's source came into its graph.

    uncovered(function, lowered_spans(function, dialect))    ->    ["12: return err;", ...]

Looked at are calls, assignments, increments and jumps in the tree. Operands that are never run may be missing: those
of sizeof, case labels, sizes of arrays, initialisers of static variables. What the graph reports as not modelled is
missing here too.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from mmlint.flow.dialect import Dialect, Role, roles
from mmlint.source import Span
from mmlint.syntax.functions import ParsedFunction

_EFFECTS = frozenset(
    {
        "call_expression",
        "assignment_expression",
        "update_expression",
        "gnu_asm_expression",
        "return_statement",
        "goto_statement",
        "break_statement",
        "continue_statement",
    }
)
_NEVER_RUN = frozenset(
    {
        "sizeof_expression",
        "alignof_expression",
        "offsetof_expression",
        "parameter_list",
        "type_descriptor",
        "struct_specifier",
        "union_specifier",
        "enum_specifier",
        "type_definition",
    }
)
# Roles whose calls are replaced by what their argument does.
_REPLACED = (Role.TRANSPARENT, Role.READ, Role.ASSERT)


def uncovered(function: ParsedFunction, lowered: frozenset[Span], dialect: Dialect) -> list[str]:
    """Source that should have an op and has none: its line in the function (from 1) and its text."""
    missing = []
    for node in _effects(function, dialect):
        span = Span(function.span.start + node.start_byte, function.span.start + node.end_byte)
        if span not in lowered:
            line = function.masked.count(b"\n", 0, node.start_byte) + 1
            text = function.masked[node.start_byte : node.end_byte].decode("ascii", "backslashreplace")
            missing.append(f"{line}: {' '.join(text.split())}")
    return missing


def _effects(function: ParsedFunction, dialect: Dialect) -> Iterator[Node]:
    known = roles(dialect)
    waiting = [function.tree.root_node]
    while waiting:
        node = waiting.pop()
        kind = node.type
        role = None
        if kind == "call_expression":
            callee = node.named_children[0]
            role = known.get(function.masked[callee.start_byte : callee.end_byte])
            if role in (Role.UNEVALUATED, Role.GENERIC):
                continue
            if callee.type in ("call_expression", "parenthesized_expression"):
                # guard(mutex)(&lock) is one op, (loff_t)(x) may be a cast.
                if callee.type == "call_expression":
                    yield node
                waiting += [child for part in node.named_children for child in part.named_children]
                continue
        if kind in _EFFECTS and role not in _REPLACED:
            yield node
        if kind not in _NEVER_RUN:
            waiting += _run_children(function, node)


def _run_children(function: ParsedFunction, node: Node) -> list[Node]:
    children = node.named_children
    if node.type == "case_statement" and node.child_by_field_name("value") is not None:
        return children[1:]
    if node.type == "array_declarator":
        return children[:1]
    if node.type == "declaration" and b"static" in function.text[node.start_byte : children[-1].start_byte].split():
        return []
    return children
