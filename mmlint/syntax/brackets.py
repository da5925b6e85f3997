"""Closing brackets in masked text, found with plain searches.

Those that close a group return the offset one past the closing bracket, or -1.
"""

from __future__ import annotations

import re

from mmlint.source import Span

_BRACE = re.compile(rb"[{}]")
_NEXT_DEFINITION = re.compile(rb"^[A-Za-z_][^\n;={}]*\)[^\n;={}]*\n\{", re.M)
# A line that only stands outside of functions: it starts in the first column and is no label.
_OUTER_LINE = re.compile(rb"\n(?:\{|[A-Za-z_]\w*[^\w:])")
_LONGEST_GROUP = 200_000


def close_paren(text: bytes, start: int) -> int:
    """The end of the group that opens at ``start``."""
    limit = start + _LONGEST_GROUP
    end = text.find(b")", start, limit) + 1
    counted, depth = start, 0
    while end > 0:
        depth += text.count(b"(", counted, end) - 1
        if depth == 0:
            return end
        counted = end
        end = text.find(b")", end, limit) + 1
    return -1


def close_brace(text: bytes, start: int) -> int:
    """The end of the block that opens at ``start``.

    Where braces hidden in a macro leave a block open so that another definition seems to start inside it, the last
    ``}`` in the first column before that definition is taken.
    """
    after_parameters = text[max(0, start - 40) : start].rstrip().endswith(b")")
    end = _close_function(text, start) if after_parameters else -1
    if end >= 0:
        return end
    end = _match_braces(text, start)
    if after_parameters:
        limit = end if end > 0 else len(text)
        if text.find(b"\n{", start, limit) >= 0:
            following = _NEXT_DEFINITION.search(text, start, limit)
            if following is not None:
                last = text.rfind(b"\n}", start, following.start() + 1)
                if last > 0:
                    return last + 2
    return end


def _close_function(text: bytes, start: int) -> int:
    """The quick way for a body whose braces stand in the first column; -1 when it is not that simple."""
    if text[start - 1 : start] != b"\n" or text.find(b"}", start, text.find(b"\n", start)) >= 0:
        return -1
    end = text.find(b"\n}", start) + 2
    if end < 2 or _OUTER_LINE.search(text, start, end):
        return -1
    return end if text.count(b"{", start, end) == text.count(b"}", start, end) else -1


def _match_braces(text: bytes, start: int) -> int:
    depth = 0
    for match in _BRACE.finditer(text, start):
        if text[match.start()] == 0x7B:
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


def argument_span(text: bytes, start: int, index: int) -> Span | None:
    """The span of argument ``index`` of a call whose arguments begin at ``start``, blanks around it left out."""
    depth = 0
    begin = start
    for position in range(start, len(text)):
        byte = text[position : position + 1]
        if byte in b"([{":
            depth += 1
        elif byte in b")]}" or (byte == b"," and not depth):
            if not depth:
                if not index:
                    written = text[begin:position]
                    ahead = len(written) - len(written.lstrip())
                    return Span(begin + ahead, max(begin + ahead, begin + len(written.rstrip())))
                if byte != b",":
                    return None
                index, begin = index - 1, position + 1
                continue
            depth -= 1
    return None
