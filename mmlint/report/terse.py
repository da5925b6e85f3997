"""The terse lines of checkpatch: one for each finding, with the rule as its type, and the total.

    mm/madvise.c:404: ERROR:wrong-ptep: 'pte' is not the entry for 'addr'
    mm/vmscan.c:108: CHECK:multi-range-section: ...
    total: 1 errors, 0 warnings, 1 checks, 14 sections checked

checkpatch prints these with ``--terse --showfile --show-types``; scripts that read them know no columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from mmlint.diagnostic import Diagnostic, Level
from mmlint.report.outcome import NOT_ANALYSED, Outcome
from mmlint.report.terminal import shown

WORDS: Final = {Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTE: "CHECK"}


def render(outcome: Outcome) -> Iterator[str]:
    """Lines without newlines; ``quiet`` leaves out the total."""
    found = outcome.with_unread()
    yield from map(line, found)
    if not outcome.quiet:
        yield _total(outcome, found)


def line(diagnostic: Diagnostic) -> str:
    """One finding."""
    place = f"{shown(diagnostic.path)}:{diagnostic.location.line}"
    return f"{place}: {WORDS[diagnostic.level]}:{diagnostic.rule}: {shown(diagnostic.message)}"


def _total(outcome: Outcome, found: list[Diagnostic]) -> str:
    counts = Counter(diagnostic.level for diagnostic in found)
    parts = [f"{counts[level]} {word.lower()}s" for level, word in WORDS.items()]
    missed = sum(1 for diagnostic in found if diagnostic.rule == NOT_ANALYSED)
    for number, what in ((missed, "not analysed"), (len(outcome.report.suppressed), "suppressed")):
        if number:
            parts.append(f"{number} {what}")
    return f"total: {', '.join(parts)}, {outcome.report.coverage.sections} sections checked"
