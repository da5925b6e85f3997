"""Functions that only read what they are given the address of.

static bool is_old(pte_t **where)           is_old(&pte) leaves pte as it is
{
        return pte_young(ptep_get(*where));
}
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmlint.facts.file import FileAnalysis

_HIDDEN = re.compile(rb"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"", re.S)
_WORD = re.compile(rb"[A-Za-z_]\w*")
_WRITE = re.compile(rb"\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=)")


def only_reads(analysis: FileAnalysis, name: str, index: int) -> bool:
    """True when every definition that a call of ``name`` may mean leaves what its parameter points to as it is."""
    texts = [definition.masked for definition in analysis.definitions.get(name, ())]
    if not texts and analysis.graph is not None:
        places = analysis.graph.resolve(name, analysis.path)
        if any(place.macro for place in places):
            return False
        texts = [analysis.graph.index.text(place) for place in places]
    writing = analysis.dialect.outputs | analysis.dialect.writes | analysis.dialect.swaps
    return bool(texts) and all(_leaves_alone(_HIDDEN.sub(b" ", text), name.encode(), index, writing) for text in texts)


def _leaves_alone(text: bytes, name: bytes, index: int, writing: frozenset[str]) -> bool:
    head, brace, body = text.partition(b"{")
    found = re.search(rb"\b" + name + rb"\s*\(([^()]*)\)\s*\Z", head)
    parameters = found.group(1).split(b",") if found else []
    if not brace or index >= len(parameters):
        return False
    words = _WORD.findall(parameters[index])
    if not words or b"[" in parameters[index] or writing & {word.decode() for word in _WORD.findall(body)}:
        return False
    pointed, star, rest = parameters[index].partition(b"*")
    if star and b"*" not in rest and b"const" in _WORD.findall(pointed):
        return True
    uses = re.finditer(rb"(?<![.>\w])" + words[-1] + rb"\b", body)
    return all(_is_read(body[: use.start()].rstrip(), body[use.end() :].lstrip()) for use in uses)


def _is_read(before: bytes, after: bytes) -> bool:
    """True where a name between these texts is dereferenced, and what it points to is not written."""
    if not before.endswith(b"*"):
        return False
    before = before[:-1].rstrip()
    while before.endswith(b"(") and after.startswith(b")"):
        before, after = before[:-1].rstrip(), after[1:].lstrip()
    if before.endswith((b"++", b"--")) or (before.endswith(b"&") and not before.endswith(b"&&")):
        return False
    return _WRITE.match(after) is None
