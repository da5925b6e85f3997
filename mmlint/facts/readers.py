"""What functions write of what they are given the address of, and whether they only move a pte pointer there.

static bool is_old(pte_t **where)           is_old(&pte) leaves pte as it is
{
        return pte_young(ptep_get(*where));
}

static bool may_wait(struct walk *walk)     may_wait(&walk) writes no member of walk but asked
{
        walk->asked++;
        return walk->flags & WAIT;
}

static void step(struct walk *walk)         step(&walk) moves walk.ptep, a pointer that stays in its table
{
        walk->ptep++;
}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from mmlint.facts.macros import dialect_for

if TYPE_CHECKING:
    from mmlint.facts.file import FileAnalysis

_HIDDEN = re.compile(rb"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"", re.S)
_WORD = re.compile(rb"[A-Za-z_]\w*")
# The member that a pointer leads to, and what lies in it.
_MEMBER = re.compile(rb"\s*->\s*(\w+)((?:\s*(?:->|\.)\s*\w+|\s*\[[^\[\]]*\])*)\s*")
_TEST = re.compile(rb"\b(?:if|while)\s*\(\Z")
# The rest of the statement, or of the argument, that follows.
_VALUE = re.compile(rb"[^;,]*")
_MARK = re.compile(rb"[()\[\]{},;]")
_LAST_WORD = re.compile(rb"(?<![.>\w])(\w+)\s*\Z")
_CALLED = re.compile(rb"(\w+)\s*\(")
# ``*where`` and ``where[n]``
_POINTEE = re.compile(rb"\*\s*\w+|\w\s*\[[^\[\]]*\]")
_ASSIGNED = re.compile(rb"\s*\)*\s*=(?!=)")
_WRITE = re.compile(rb"\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=)")


_ASSEMBLY = frozenset(("asm", "__asm__", "__asm"))
# Calls that a pointer is handed on by.
_DEPTH = 3


class Readers:
    """What the functions that a file calls do to what they are given the address of, each found once."""

    def __init__(self, analysis: FileAnalysis | None = None) -> None:
        self.writes: Callable[[str, int], frozenset[str] | None] = lambda _, __: None
        self.may_put_elsewhere: Callable[[str, int, str], bool] = lambda _, __, ___: False
        if analysis is not None:
            self.writes = cache(partial(members_written, analysis))
            self.may_put_elsewhere = cache(partial(may_put_elsewhere, analysis))


def members_written(analysis: FileAnalysis, name: str, index: int, depth: int = _DEPTH) -> frozenset[str] | None:
    """The members that a call of ``name`` may write of what its argument points to; None where it may be anything."""
    texts = _texts(analysis, name)
    uses = [_uses(text, name.encode(), index, _writing(analysis, text)) for text in texts]
    written: set[str] = set()
    for found in uses:
        if found is None:
            return None
        written |= found.written
        for other, at in found.calls:
            below = None
            if depth and other in analysis.definitions:
                below = members_written(analysis, other, at, depth - 1)
            if below is None:
                return None
            written |= below
    return frozenset(written) if texts else None


def _writing(analysis: FileAnalysis, text: bytes) -> frozenset[str]:
    """The words of macros that write what they are given, and of what nobody reads."""
    called = {word.decode() for word in _CALLED.findall(text)} - analysis.definitions.keys()
    dialect = dialect_for(analysis.dialect, sorted(called), analysis.expansions.texts)
    return dialect.outputs | dialect.writes | dialect.swaps | dialect.returns | _ASSEMBLY


def may_put_elsewhere(analysis: FileAnalysis, name: str, index: int, member: str, depth: int = _DEPTH) -> bool:
    """True when a call of ``name`` may make a pointer that it is given the place of point to something else.

    The place is a ``member`` of a structure, or what the argument points to. Of a function that is not found, it may be
    that of a member.
    """
    found = [_parameter(text, name.encode(), index) for text in _texts(analysis, name)]
    found = found or [(b"", text) for text in analysis.expansions.texts(name)]
    for parameter, body in found:
        words = [member.encode()] if member.isidentifier() else _WORD.findall(parameter)
        place = rb"(?:->|\.)\s*" + words[-1] + rb"\b" if member.isidentifier() and words else _POINTEE
        for use in re.finditer(place, body) if words else ():
            written = _ASSIGNED.match(body, use.end())
            if written is not None and _is_other(_VALUE.findall(body, written.end())[0], words[-1]):
                return True
        below = {word.decode() for word in _CALLED.findall(body)} & analysis.definitions.keys() - {name}
        if member and depth and any(may_put_elsewhere(analysis, other, 0, member, depth - 1) for other in below):
            return True
    return bool(member) and not found


def _is_other(value: bytes, place: bytes) -> bool:
    """True for a value that is neither made from what was in the place, nor what a call returns, nor nothing."""
    return not (place in _WORD.findall(value) or _CALLED.search(value) or value.strip() in (b"NULL", b"0"))


def _texts(analysis: FileAnalysis, name: str) -> list[bytes]:
    """The definitions that a call may mean, without comments; none where one of them is a macro."""
    texts = [definition.masked for definition in analysis.definitions.get(name, ())]
    if not texts and analysis.graph is not None:
        places = analysis.graph.resolve(name, analysis.path)
        if any(place.macro for place in places):
            return []
        texts = [analysis.graph.index.text(place) for place in places]
    return [_HIDDEN.sub(b" ", text) for text in texts]


def _parameter(text: bytes, name: bytes, index: int) -> tuple[bytes, bytes]:
    """A parameter as it is declared and the body; empty where there is none."""
    head, brace, body = text.partition(b"{")
    found = re.search(rb"\b" + name + rb"\s*\(([^()]*)\)\s*\Z", head)
    parameters = found.group(1).split(b",") if found else []
    return (parameters[index], body) if brace and index < len(parameters) else (b"", b"")


class _Uses(NamedTuple):
    """What happens to what a parameter points to: members written, and calls with the index of the argument it is."""

    written: set[str]
    calls: set[tuple[str, int]]


def _uses(text: bytes, name: bytes, index: int, writing: frozenset[str]) -> _Uses | None:
    """The uses of a parameter, None where what it points to may be written in another way."""
    parameter, body = _parameter(text, name, index)
    words = _WORD.findall(parameter)
    if not words or b"[" in parameter or writing & {word.decode() for word in _WORD.findall(body)}:
        return None
    pointed, star, rest = parameter.partition(b"*")
    found = _Uses(set(), set())
    if star and b"*" not in rest and b"const" in _WORD.findall(pointed):
        return found
    for use in re.finditer(rb"(?<![.>\w])" + words[-1] + rb"\b", body):
        before, after = body[: use.start()].rstrip(), body[use.end() :].lstrip()
        member = _MEMBER.match(after)
        if member is not None:
            if _is_changed(before, after[member.end() :]):
                if member.group(2):
                    return None
                found.written.add(member.group(1).decode())
        elif not (_is_read(before, after) or _is_tested(before, after)):
            call = _call_around(before) if after.startswith((b",", b")")) else None
            if call is None:
                return None
            found.calls.add(call)
    return found


def _call_around(before: bytes) -> tuple[str, int] | None:
    """The name of the call that the text breaks off in before a whole argument, and the argument's index."""
    if not before.endswith((b"(", b",")):
        return None
    depth = index = 0
    for mark in _MARK.finditer(before[::-1]):
        if mark.group() in b")]}":
            depth += 1
        elif mark.group() in b"([{;":
            if not depth or mark.group() == b";":
                name = _LAST_WORD.search(before, 0, len(before) - mark.end())
                return (name.group(1).decode(), index) if name is not None and mark.group() == b"(" else None
            depth -= 1
        elif not depth:
            index += 1
    return None


def _is_read(before: bytes, after: bytes) -> bool:
    """True where a name between these texts is dereferenced, and what it points to is not written."""
    if not before.endswith(b"*"):
        return False
    before = before[:-1].rstrip()
    while before.endswith(b"(") and after.startswith(b")"):
        before, after = before[:-1].rstrip(), after[1:].lstrip()
    return not _is_changed(before, after)


def _is_changed(before: bytes, after: bytes) -> bool:
    """True for a place between these texts that is written, or whose address is taken."""
    taken = before.endswith(b"&") and not before.endswith(b"&&")
    return taken or before.endswith((b"++", b"--")) or _WRITE.match(after) is not None


def _is_tested(before: bytes, after: bytes) -> bool:
    """True for a pointer that is compared, and no more."""
    return before.endswith(b"!") or after.startswith((b"==", b"!=", b"&&", b"||")) or _TEST.search(before) is not None
