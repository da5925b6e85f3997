"""Find the function definitions of a projected, masked text without any grammar, by matching brackets.

    static int f(struct vma *vma)     ->  Outline(start, name, parameter list, body)
    {
            ...
    }

At depth 0 only ``; { } ( ) = [`` matter: a block is a function when a parameter list and no ``=`` stand before it. A
broken function cannot swallow its neighbours: matching starts anew at the next ``}`` in the first column. Old-style
(K&R) definitions are not found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from mmlint.source import Span
from mmlint.syntax.brackets import close_brace, close_paren
from mmlint.syntax.words import ATTRIBUTE_CALLS, ATTRIBUTES, HEADER_TYPES, STORAGE, SYSCALL_MACRO, TYPEOF, WORD


class Outline(NamedTuple):
    """Where the parts of a definition are. ``close`` and ``end`` are one past their bracket.

    ``macro`` marks ``MACRO(name, ...) {``; the name is then written MACRO:name when the first argument names it.
    """

    start: int
    name_start: int
    name_end: int
    open: int
    close: int
    body: int
    end: int
    name: bytes
    macro: bool

    def shifted(self, offset: int) -> Outline:
        """The same outline in a text that starts ``offset`` bytes earlier."""
        return Outline(
            self.start + offset,
            self.name_start + offset,
            self.name_end + offset,
            self.open + offset,
            self.close + offset,
            self.body + offset,
            self.end + offset,
            self.name,
            self.macro,
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """The functions of a text, and the offsets between which nothing spans (for `recut`)."""

    outlines: list[Outline]
    fresh: list[int]


def cut(text: bytes) -> Cut:
    """The function definitions at the top level of ``text``, in order."""
    outlines, fresh = [], [0]
    for offset, outline in _scan(text, 0):
        fresh.append(offset)
        if outline is not None:
            outlines.append(outline)
    return Cut(outlines, fresh)


def recut(text: bytes, known: Cut, changed: Sequence[Span]) -> list[Outline]:
    """What `cut` finds in a text that differs from that of ``known`` only in the ``changed`` spans (sorted)."""
    result: list[Outline] = []
    fresh, pending = frozenset(known.fresh), list(reversed(changed))
    reused, horizon = 0, 0
    while pending:
        begin = known.fresh[bisect_right(known.fresh, pending[-1].start) - 1]
        result += [outline for outline in known.outlines if reused <= outline.start < begin]
        reused = len(text) + 1
        for offset, outline in _scan(text, begin):
            if outline is not None:
                result.append(outline)
            while pending and pending[-1].start < offset:
                horizon = max(horizon, pending.pop().end)
            if offset >= horizon and offset in fresh:
                reused = offset
                break
        else:
            break
    return result + [outline for outline in known.outlines if outline.start >= reused]


_TOP_LEVEL = re.compile(rb"[;{}()=\[]")
_DESIGNATED = re.compile(rb"\{\s*\.\s*\w+(?:\.\w+|\[[^\]]*\])*\s*=(?!=)")


def _scan(text: bytes, start: int) -> Iterator[tuple[int, Outline | None]]:
    """Offsets behind each top-level item, with the definition that ends there if it was one."""
    begin = position = start
    groups: list[tuple[int, int]] = []
    initialiser = False
    search = _TOP_LEVEL.search
    while match := search(text, position):
        offset = match.start()
        char = text[offset]
        outline: Outline | None = None
        if char == 0x28:  # (
            position = close_paren(text, offset)
            if position >= 0:
                groups.append((offset, position))
                continue
            position = _next_block_end(text, offset)
        elif char == 0x3D:  # =
            initialiser = True
            position = offset + 1
            continue
        elif char == 0x5B:  # [
            position = text.find(b"]", offset) + 1 or offset + 1
            continue
        elif char == 0x7B:  # {
            position = close_brace(text, offset)
            if position < 0:
                position = _next_block_end(text, offset)
            if position >= 0 and groups and not initialiser and not _DESIGNATED.match(text, offset):
                outline = _outline(text, begin, offset, position, groups)
            if outline is None and position >= 0 and (groups or initialiser or text[begin:offset].strip()):
                continue  # struct, enum, initialiser: runs on to its ;
        else:  # ; or a stray bracket
            position = offset + 1
        if position < 0:
            return
        yield position, outline
        begin = position
        groups, initialiser = [], False


def _next_block_end(text: bytes, offset: int) -> int:
    """One past the next ``}`` in the first column, or -1."""
    end = text.find(b"\n}", offset)
    return end + 2 if end >= 0 else -1


class _Candidate(NamedTuple):
    """A bracket group that may be the parameter list; ``inner``: it stands inside another group."""

    name_start: int
    name_end: int
    open: int
    close: int
    inner: bool


_LAST_WORD = re.compile(rb"([A-Za-z_]\w*)\s*\Z")
_INNER_NAME = re.compile(rb"\(\s*\**\s*(?:\w+\s+)?([A-Za-z_]\w*)\s*\(")
_FIRST_ARGUMENT = re.compile(rb"\(\s*(\w+)")
_RECORD_END = re.compile(rb"\b(?:struct|union|enum)\s*(?:\w+\s*)?\Z")
_RECORD_ONLY = re.compile(rb"(?:struct|union|enum)\b[^()*]*\Z")
_GROUP = re.compile(rb"\([^;{}]*\)")
_NAME_WINDOW = 120


def _outline(text: bytes, begin: int, body: int, end: int, groups: list[tuple[int, int]]) -> Outline | None:
    """The definition whose header is text[begin:body], or None when this is no function."""
    named = [(_name_before(text, begin, group[0]), group) for group in groups]
    pick = _parameter_list(text, named)
    if pick is None:
        return None
    tail = text[pick.close : body]
    if _RECORD_END.search(tail) or (not pick.inner and b"," in _GROUP.sub(b"", tail)):
        return None
    start = begin
    for name, (_, close) in named:
        if close <= pick.name_start and name is not None and not _belongs_to_type(name):
            start = close
    lead = text[start : pick.name_start].lstrip(b" \t\n")
    start = pick.name_start - len(lead)
    if _RECORD_ONLY.match(lead) and len(lead.split()) == 1:
        return None
    name_text = text[pick.name_start : pick.name_end]
    macro = _is_macro(name_text, lead)
    if macro and (name_text.isupper() or SYSCALL_MACRO.match(name_text)):
        argument = _FIRST_ARGUMENT.match(text, pick.open, pick.close)
        if argument is not None:
            name_text += b":" + argument.group(1)
    return Outline(start, pick.name_start, pick.name_end, pick.open, pick.close, body, end, name_text, macro)


def _name_before(text: bytes, begin: int, offset: int) -> re.Match[bytes] | None:
    return _LAST_WORD.search(text, max(begin, offset - _NAME_WINDOW), offset)


def _belongs_to_type(name: re.Match[bytes]) -> bool:
    """True when the word before a group is an attribute or typeof, so that the group is part of the type."""
    return name.group(1) in ATTRIBUTE_CALLS or name.group(1) in TYPEOF


def _is_macro(name: bytes, lead: bytes) -> bool:
    """True when the name is a macro that makes the header: spelled like one, or without a type before it."""
    if name.isupper() or SYSCALL_MACRO.match(name):
        return True
    return not any(word not in ATTRIBUTES and word not in STORAGE for word in WORD.findall(lead))


def _parameter_list(text: bytes, named: list[tuple[re.Match[bytes] | None, tuple[int, int]]]) -> _Candidate | None:
    """The first group that is neither an attribute nor a macro call in front of a type."""
    candidates = []
    for name, (open_, close) in named:
        inner = _inner_candidate(text, name, open_, close)
        if inner is not None:
            candidates.append(inner)
        elif name is not None and not _belongs_to_type(name):
            candidates.append(_Candidate(name.start(1), name.end(1), open_, close, False))
    if not candidates:
        return None
    pick = candidates[0]
    for left, right in pairwise(candidates):
        if not left.inner and (_type_between(text, left, right) or _macro_head(text, left, right)):
            pick = right
    return pick


def _macro_head(text: bytes, left: _Candidate, right: _Candidate) -> bool:
    """``MACRO(x)`` on a line of its own in front of ``SYSCALL_DEFINE1(f, ...)``: the second is the header."""
    between = text[left.close : right.name_start]
    names = (text[left.name_start : left.name_end], text[right.name_start : right.name_end])
    return b"\n" in between and not between.strip() and all(name.isupper() for name in names)


def _inner_candidate(text: bytes, name: re.Match[bytes] | None, open_: int, close: int) -> _Candidate | None:
    """``int (*f(int x))(int)`` and ``typeof(x) (f(int x))``: the name and its parameters stand inside the group."""
    match = _INNER_NAME.match(text, open_, close)
    if match is None or (name is not None and b"*" not in match.group()):
        return None
    inner_open = match.end() - 1
    inner_close = close_paren(text, inner_open)
    if inner_close < 0:
        return None
    return _Candidate(match.start(1), match.end(1), inner_open, inner_close, True)


def _type_between(text: bytes, left: _Candidate, right: _Candidate) -> bool:
    """True when the text between two groups makes the left one a macro call before the real header."""
    between = text[left.close : right.name_start]
    words = WORD.findall(between)
    if len(words) >= 2 or b"*" in between:
        return True
    if not words:
        return False
    known = words[0] in HEADER_TYPES
    unknown = words[0] not in ATTRIBUTES and not text.startswith(b"__", right.name_start)
    return known or unknown
