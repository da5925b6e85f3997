"""A repair as lines that stand for other lines: what reviewers are shown, in mail and on the web.

whole_lines(source, fix)  ->  Lines(first=16, last=16, text=b"\\tpte_unmap(start_pte);")
"""

from __future__ import annotations

from typing import NamedTuple

from mmlint.diagnostic import Applicability, Fix
from mmlint.fix import apply_edits
from mmlint.source import Source


class Lines(NamedTuple):
    """Lines ``first`` to ``last`` (from 1, inclusive) become ``text``, which has no final newline."""

    first: int
    last: int
    text: bytes


def whole_lines(source: Source, fix: Fix) -> Lines | None:
    """The lines that a fix changes, as they become.

    None for a fix that is for display only, that changes another file, or that does not fit the bytes of this one.
    """
    edits = fix.edits
    if fix.applicability < Applicability.UNSAFE or any(edit.path != source.path for edit in edits):
        return None
    start, end = min(edit.span.start for edit in edits), max(edit.span.end for edit in edits)
    if end > len(source.data):
        return None
    first, last = source.line(start), source.line(end)
    lines = (source.line_span(first).start, source.line_span(last).end)
    if lines[1] == source.line_span(last).start and last > first:
        # Behind the last newline there is no line to name.
        return None
    grown = sum(len(edit.text.encode("utf-8", "surrogateescape")) - (edit.span.end - edit.span.start) for edit in edits)
    return Lines(first, last, apply_edits(source.data, edits)[lines[0] : lines[1] + grown])
