"""What every part of lowering shares: the texts, the blocks, the names, and what could not be modelled.

The tree was parsed from a rewritten text, so spellings and operators are cut from the masked one; see
`mmlint.syntax.functions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from tree_sitter import Node

from mmlint.flow.builder import Builder
from mmlint.flow.dialect import Dialect, roles
from mmlint.flow.expansion import Expansion
from mmlint.flow.ir import Assign, Call, Expr, Name, Opaque, Temp
from mmlint.flow.scopes import Cleanup, Scopes, due
from mmlint.source import Span
from mmlint.syntax.functions import ParsedFunction

# A level takes at most five frames of the 1000 that Python has; kernel code stays below 40 levels.
NESTING_LIMIT = 120

# Macros in macros that are followed.
_MAX_EXPANDED = 8
_Lowered = TypeVar("_Lowered")
WORD = re.compile(rb"[A-Za-z_$][\w$]*")


Expansions = Callable[[bytes], Expansion | None]


class Lowering:
    """State of one function, and the entry points that the parts call each other through."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        self.function = function
        self.base = function.span.start
        self.text = function.text
        self.masked = function.masked
        self.loops = function.loops
        self.roles = roles(dialect)
        self.scopes = Scopes()
        self.locals = self.scopes.locals
        self.globals = self.scopes.globals
        self.builder = Builder(Span(function.body.start, function.body.start))
        self.depth = 0
        self.values: dict[str, Callable[[Node], Expr]] = {}
        self.statements: dict[str, Callable[[Node], None]] = {}
        self.problems: list[tuple[Span, str]] = []
        self.expansions: Expansions = lambda _: None
        self._expanding: tuple[bytes, ...] = ()
        self._used_at: Span | None = None
        self._opaque: dict[str, int] = {}

    # The parts that come later in the class hierarchy give these their meaning.

    def value(self, node: Node) -> Expr:
        """Lower an expression for its value: a pure expression that may be used at once."""
        raise NotImplementedError

    def place(self, node: Node) -> Expr:
        """Lower an lvalue without reading it: Name, Deref, Member or Index (or a value, for an rvalue)."""
        raise NotImplementedError

    def effect(self, node: Node) -> None:
        """Lower an expression whose value is not used."""
        raise NotImplementedError

    def condition(self, node: Node, then: int, otherwise: int) -> None:
        """Lower an expression as a branch to two blocks."""
        raise NotImplementedError

    def statement(self, node: Node) -> None:
        """Lower a statement or declaration."""
        raise NotImplementedError

    def initialise(self, node: Node, place: Expr | None) -> None:
        """Lower an initialiser list for ``place``, or only for its effects."""
        raise NotImplementedError

    # Texts.

    def span(self, node: Node) -> Span:
        """The node's bytes in the file; in a macro that is expanded, those of its use."""
        if self._used_at is not None:
            return self._used_at
        return Span(self.base + node.start_byte, self.base + node.end_byte)

    def statement_span(self, node: Node) -> Span:
        """The same for a statement, whose semicolon may stand behind the end of a macro."""
        return Span(self.base + node.start_byte, min(self.base + node.end_byte, self.function.span.end))

    def spelling(self, node: Node) -> bytes:
        """The node's bytes as written, literals hidden."""
        return self.masked[node.start_byte : node.end_byte]

    def words(self, node: Node) -> str:
        """The node as written, with single blanks; a line that goes on behind a backslash is one line."""
        spelling = self.spelling(node).replace(b"\\\n", b" ")
        return " ".join(spelling.decode("ascii", "backslashreplace").split())

    # Macros.

    def expansion(self, spelling: bytes) -> Expansion | None:
        """The expression over variables of the function that a name which is none of them stands for, or None."""
        if spelling in self._expanding or len(self._expanding) > _MAX_EXPANDED:
            return None
        found = self.expansions(spelling)
        if found is None:
            return None
        if found.words.isdisjoint(self.locals):
            self._expanding = (*self._expanding, spelling)
            inner = any(self.expansion(word) for word in found.words)
            self._expanding = self._expanding[:-1]
            return found if inner else None
        return found

    def expand(self, spelling: bytes, expansion: Expansion, use: Node, lower: Callable[[Node], _Lowered]) -> _Lowered:
        """Lower what a macro stands for where it is used: every op has the place of the use."""
        saved = self.text, self.masked, self._used_at
        self._used_at = self.span(use)
        self.text, self.masked = expansion.text, expansion.masked
        self._expanding = (*self._expanding, spelling)
        try:
            return lower(expansion.node)
        finally:
            self._expanding = self._expanding[:-1]
            self.text, self.masked, self._used_at = saved

    # Values.

    def unknown(self, node: Node) -> Opaque:
        """A value that nothing is known of; no two are equal, whatever their text."""
        text = self.words(node)
        count = self._opaque.get(text, 0) + 1
        self._opaque[text] = count
        return Opaque(text if count == 1 else f"{text}#{count}")

    def hold(self, value: Expr, node: Node) -> Temp:
        """Put a value into a temporary."""
        target = self.builder.temp()
        self.builder.emit(Assign(target, value, self.span(node)))
        return target

    def unmodelled(self, node: Node, reason: str) -> None:
        """Report source that the graph does not show faithfully."""
        self.problems.append((self.span(node), reason))

    # Cleanups.

    def add_cleanup(self, callee: str, call: Call) -> None:
        """Call ``callee`` with the arguments of ``call`` whenever the innermost scope is left."""
        due_call = call._replace(callee=callee, clobbers=(), result_used=False)
        self.scopes.cleanups = Cleanup(due_call, self.scopes.cleanups)

    def add_border(self) -> None:
        """Let no jump from outside into the innermost scope."""
        self.scopes.cleanups = Cleanup(None, self.scopes.cleanups)

    def run_cleanups(self, here: Cleanup | None, there: Cleanup | None) -> None:
        """Emit what is due on the way from ``here`` to ``there``."""
        if self.builder.reachable:
            for call in due(here, there):
                self.builder.emit(call._replace(target=self.builder.temp()))

    def open_scope(self, node: Node) -> None:
        """Enter the scope that a node is; the text of a macro goes on behind the end of the file's."""
        self.scopes.open(min(self.base + node.end_byte, self.function.span.end))

    def leave_scope(self) -> None:
        """Fall out of the innermost scope."""
        self.run_cleanups(self.scopes.cleanups, self.scopes.outer_cleanups)
        self.scopes.close()

    def is_local(self, value: Expr) -> bool:
        """True for the name of a parameter or local."""
        return isinstance(value, Name) and value in self.scopes.variables
