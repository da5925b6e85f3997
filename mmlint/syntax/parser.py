"""tree-sitter-c, and what a usable tree of one function is."""

from __future__ import annotations

import tree_sitter
import tree_sitter_c

_LANGUAGE = tree_sitter.Language(tree_sitter_c.language())


class FunctionParser:
    """Parses texts that hold one function definition each."""

    def __init__(self) -> None:
        self._parser = tree_sitter.Parser(_LANGUAGE)

    def parse(self, text: bytes) -> tree_sitter.Tree:
        """The tree of ``text``; look at `is_clean` before using it."""
        return self._parser.parse(text)


def is_clean(tree: tree_sitter.Tree) -> bool:
    """True when the text is exactly one function definition, with nothing skipped or made up."""
    root = tree.root_node
    return not root.has_error and root.child_count == 1 and root.children[0].type == "function_definition"


def first_error(tree: tree_sitter.Tree) -> tree_sitter.Node | None:
    """The ERROR or MISSING node that starts first, the outermost of those."""
    best: tree_sitter.Node | None = None
    pending = [tree.root_node]
    while pending:
        node = pending.pop()
        if (node.type == "ERROR" or node.is_missing) and (best is None or node.start_byte < best.start_byte):
            best = node
        pending += [child for child in node.children if child.has_error]
    return best
