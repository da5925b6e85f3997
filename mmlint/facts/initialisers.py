"""Structures and arrays with an initialiser, read from the text of a file: which functions stand in them.

static const struct mm_walk_ops cold_walk_ops = {
        .pmd_entry = madvise_cold_or_pageout_pte_range,
};
"""

from __future__ import annotations

import re

from mmlint.source import Span

_INITIALISER = re.compile(rb"\bstruct\s+(\w+)\s+\w+\s*(?:\[[^\]]*\]\s*)?=\s*\{")
_FIELD = re.compile(rb"\.\s*(\w+)\s*=\s*&?\s*(\w+)\s*[,}]")


def members_of_structs(masked: bytes) -> dict[str, list[tuple[str, str, Span]]]:
    """Functions that stand in a struct's initialiser: (struct, field, place) by function."""
    found: dict[str, list[tuple[str, str, Span]]] = {}
    for match in _INITIALISER.finditer(masked):
        end = masked.find(b"\n}", match.end())
        for field in _FIELD.finditer(masked, match.end(), end + 2 if end >= 0 else len(masked)):
            place = (match.group(1).decode(), field.group(1).decode(), Span(*field.span(2)))
            found.setdefault(field.group(2).decode(), []).append(place)
    return found
