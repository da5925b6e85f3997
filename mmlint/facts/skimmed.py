"""What a definition shows without being parsed: the names that it calls, and whether it may dereference a pte pointer.

    called(b"void f(pte_t *p) { g(*p); }", macro=False)          ->  {"g"}
    dereferences(b"void f(pte_t *p) { g(*p); }", macro=False)    ->  True

Too much is found rather than too little. Each text is looked at once, whoever asks, and however many trees hold it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Definitions of which this is remembered; sections of a whole kernel reach some thousands.
_REMEMBERED: Final = 1 << 14
_CALL = re.compile(rb"\b([A-Za-z_]\w*+)\s*+\(")
_HIDDEN = re.compile(rb"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"", re.S)
_CAST = re.compile(rb"\*\s*\(\s*(?:const\s+|volatile\s+)*pte_t\s*\*\s*\)")
_POINTERS = re.compile(rb"\bpte_t\s+([^;(){}=]*\*[^;(){}=]*)")
_NAME = re.compile(rb"(?<![\w.>])[A-Za-z_]\w*+")
_POINTER = re.compile(rb"\*\s*(\w+)")
# Ways to dereference a pointer: ``*p`` and ``*(p``, ``*(pte_t *)p``, ``p->`` and ``p[``.
_STARRED = re.compile(rb"\*\s*+\(*+\s*+(\w++)")
_THROUGH_CAST = re.compile(rb"\*\s*+\([^()*]*+\*\s*+\)\s*+\(*+\s*+(\w++)")
_INDEXED = re.compile(rb"\b(\w++)\)*+\s*+(?:->|\[)")
_PARAMETERS = re.compile(rb"#[ \t]*define[ \t]+\w+\(([^()]*)\)")


@lru_cache(maxsize=_REMEMBERED)
def called(text: bytes, macro: bool) -> frozenset[str]:
    """The names that stand before brackets in the body of a definition."""
    shown = _HIDDEN.sub(b" ", text)
    body = shown[shown.find(b")" if macro else b"{") :]
    return frozenset(word.decode() for word in set(_CALL.findall(body)))


@lru_cache(maxsize=_REMEMBERED)
def beside_pointers(text: bytes) -> tuple[str, ...]:
    """All names in a definition that declares a pointer to an entry, in order; none in others."""
    return tuple(sorted(word.decode() for word in set(_NAME.findall(text)))) if _POINTERS.search(text) else ()


@lru_cache(maxsize=_REMEMBERED)
def dereferences(text: bytes, macro: bool) -> bool:
    """True where it seems to dereference a pointer that it casts or declares to one of an entry, or gets as a macro."""
    if _CAST.search(text):
        return True
    if macro:
        head = _PARAMETERS.match(text)
        found = head.group(1).split(b",") if head else []
    else:
        found = [name for group in _POINTERS.findall(text) for name in _POINTER.findall(group)]
    names = {name.strip() for name in found} - {b""}
    if not names:
        return False
    starred: dict[int, int] = {}
    for match in (*_THROUGH_CAST.finditer(text), *_STARRED.finditer(text)):
        if match.group(1) in names:
            starred.setdefault(match.start(1), match.start())
    members = (match.start() for match in _INDEXED.finditer(text) if match.group(1) in names)
    starts = (*starred.values(), *(start for start in members if start not in starred))
    return any(not text[:start].rstrip().endswith(b"pte_t") for start in starts)
