"""The state that the rewriting rules share while they walk over the tokens of one function.

A rule is a function ``rule(scan, index) -> int | None``: the index at which to go on, or None when the rule has nothing
to say (it may still have rewritten something). The bracket that a token stands in decides what it may be, so the scan
keeps a stack of contexts; ``at_statement`` and ``at_argument`` say that a statement or an argument starts here.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from mmlint.syntax.rewriting import Rewriting
from mmlint.syntax.tokens import WORD, Tokens
from mmlint.syntax.words import KEYWORDS


class Context(Enum):
    """What the innermost bracket around a token is."""

    TOP = "outside the parameter list and the body"
    PARAMETERS = "parameter list"
    BLOCK = "block of statements"
    INITIALISER = "braces of an initialiser or an enum"
    CALL = "arguments of a call"
    GROUP = "any other round brackets"
    FOR = "head of a for loop"
    INDEX = "square brackets"
    RECORD = "body of a struct or union"


TOP: Final = Context.TOP
PARAMETERS: Final = Context.PARAMETERS
BLOCK: Final = Context.BLOCK
INITIALISER: Final = Context.INITIALISER
CALL: Final = Context.CALL
GROUP: Final = Context.GROUP
FOR: Final = Context.FOR
INDEX: Final = Context.INDEX
RECORD: Final = Context.RECORD

STATEMENT_CONTEXTS: Final = frozenset((BLOCK, RECORD))


class Scan:
    """Tokens, the rewriting, and where in the function the scan is.

    ``statement_follows`` tells whether a statement starts behind the bracket that is open, as after ``if (...)``.
    ``dropped`` are tokens that were blanked, ``labels`` the colons of case labels.
    """

    __slots__ = (
        "at_argument",
        "at_statement",
        "context",
        "dropped",
        "ends",
        "kinds",
        "labels",
        "loops",
        "notes",
        "partner",
        "rewriting",
        "stack",
        "starts",
        "statement_follows",
        "texts",
        "tokens",
    )

    def __init__(self, rewriting: Rewriting, tokens: Tokens) -> None:
        self.rewriting = rewriting
        self.tokens = tokens
        self.kinds, self.texts = tokens.kinds, tokens.texts
        self.starts, self.ends = tokens.starts, tokens.ends
        self.partner = tokens.partner
        self.context = TOP
        self.statement_follows = False
        self.at_statement = False
        self.at_argument = False
        self.stack: list[tuple[Context, bool]] = []
        self.dropped: set[int] = set()
        self.labels: set[int] = set()
        self.loops: list[int] = []
        self.notes: list[tuple[int, str]] = []

    def enter(self, context: Context, statement_follows: bool = False) -> None:
        """A bracket opens."""
        self.stack.append((self.context, self.statement_follows))
        self.context, self.statement_follows = context, statement_follows
        self.at_argument = context is CALL
        self.at_statement = False

    def leave(self) -> None:
        """A bracket closes."""
        if not self.stack:
            return
        left, follows = self.context, self.statement_follows
        self.context, self.statement_follows = self.stack.pop()
        inside = left is not PARAMETERS and left is not RECORD
        self.at_statement = follows and inside and self.context in STATEMENT_CONTEXTS
        self.at_argument = False

    def previous(self, index: int) -> int:
        """The last token before ``index`` that was not dropped, or -1."""
        index -= 1
        while index in self.dropped:
            index -= 1
        return index

    def is_call_end(self, index: int) -> bool:
        """True when ``name(...)`` ends at the token ``index``."""
        if index < 0 or self.texts[index] != b")" or self.partner[index] <= 0:
            return False
        name = self.partner[index] - 1
        return self.kinds[name] == WORD and self.texts[name] not in KEYWORDS

    def drop(self, first: int, last: int) -> None:
        """Blank the tokens ``first`` to ``last`` (inclusive)."""
        self.rewriting.blank(self.starts[first], self.ends[last])
        self.dropped.update(range(first, last + 1))

    def drop_stars_before(self, index: int) -> None:
        """``f(struct foo *, x)``: a star, or ``* const``, in front of the end of an argument."""
        last = self.previous(index)
        while last >= 0 and (
            self.texts[last] == b"*" or (self.texts[last] == b"const" and self.texts[last - 1] == b"*")
        ):
            self.drop(last, last)
            last = self.previous(last)

    def identifier(self, first: int, last: int) -> None:
        """Make one identifier of the tokens ``first`` to ``last`` (inclusive)."""
        self.rewriting.identifier(self.starts[first], self.ends[last])

    def note(self, index: int, text: str) -> None:
        self.notes.append((self.starts[index], text))

    def skip_group(self, index: int) -> int:
        """One past the group that opens at ``index``; the next token when nothing closes it."""
        return max(self.partner[index], index) + 1
