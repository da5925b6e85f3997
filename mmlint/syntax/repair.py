"""The last resort for a text that tree-sitter cannot read: blank the smallest piece at the error and try again.

First the contents of the innermost bracket group, then the statement around the first error. What was blanked is
reported, so that nothing in it is ever called analysed. Gives up after a few pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import tree_sitter

from mmlint.source import Span
from mmlint.syntax.brackets import close_paren
from mmlint.syntax.mask import blanks
from mmlint.syntax.parser import FunctionParser, first_error, is_clean

_MAX_PIECES = 10


@dataclass(frozen=True)
class Repaired:
    """``tree`` is that of ``text``; ``blanked`` are the spans of the text that were given up."""

    text: bytes
    tree: tree_sitter.Tree
    blanked: tuple[Span, ...]

    @property
    def ok(self) -> bool:
        return is_clean(self.tree)


def repair(parser: FunctionParser, text: bytes, body: int) -> Repaired:
    """Blank pieces of ``text`` behind the offset ``body`` until it parses, or until nothing more can be done."""
    buffer = bytearray(text)
    blanked: list[Span] = []
    tree = parser.parse(text)
    while not is_clean(tree) and len(blanked) < _MAX_PIECES:
        error = first_error(tree)
        piece = _piece(bytes(buffer), error.start_byte, body, blanked) if error is not None else None
        if piece is None:
            break
        buffer[piece.start : piece.end] = blanks(buffer[piece.start : piece.end])
        if buffer[piece.start - 1] == 0x28 and buffer[piece.start] == 0x20:
            buffer[piece.start] = 0x31  # f(1): an empty condition would be the next error
        blanked.append(piece)
        tree = parser.parse(bytes(buffer))
    return Repaired(bytes(buffer), tree, tuple(blanked))


def _piece(text: bytes, error: int, body: int, tried: list[Span]) -> Span | None:
    """What to blank for an error at an offset, or None when everything around it has been tried."""
    group = _enclosing_group(text, error, body) if error > body else None
    if group is not None and group not in tried:
        return group
    statement = _enclosing_statement(text, error, body)
    if statement in tried or statement.start >= statement.end:
        statement = _enclosing_statement(text, statement.start - 1, body)
        if statement in tried or statement.start >= statement.end:
            return None
    return statement


def _enclosing_group(text: bytes, offset: int, lowest: int) -> Span | None:
    """The contents of the innermost ( ) around an offset, not across a statement."""
    depth = 0
    for index in range(offset - 1, lowest - 1, -1):
        char = text[index]
        if char == 0x29:
            depth += 1
        elif char == 0x28 and depth:
            depth -= 1
        elif char == 0x28:
            end = close_paren(text, index)
            return Span(index + 1, end - 1) if end > index + 2 else None
        elif char in b"{};" and depth == 0:
            return None
    return None


def _enclosing_statement(text: bytes, offset: int, lowest: int) -> Span:
    """From behind the last ``; { }`` before an offset up to the next one."""
    depth, start = 0, lowest + 1
    for index in range(offset - 1, lowest, -1):
        char = text[index]
        if char in b")]":
            depth += 1
        elif char in b"([":
            depth -= 1
        elif char in b"{};" and depth <= 0:
            start = index + 1
            break
    depth = 0
    end = len(text) - 1
    for index in range(max(offset, start), end):
        char = text[index]
        if char in b"([":
            depth += 1
        elif char in b")]":
            depth -= 1
        elif char in b"{};" and depth <= 0:
            return Span(start, index)
    return Span(start, max(start, end))
