"""A page of Markdown for the summary of a GitHub step: the findings as a table, the evidence folded, the sections.

    mmlint check --output github-summary=$GITHUB_STEP_SUMMARY mm

GitHub takes no more than 1 MiB of it; what does not fit is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from mmlint.diagnostic import Diagnostic
from mmlint.report.outcome import Outcome, worst_first
from mmlint.report.sections_text import VERDICTS
from mmlint.report.terminal import shown
from mmlint.source import Location

_ROOM: Final = 900_000
_SPECIAL: Final = re.compile(r"[\\`*_{}\[\]<>()#!|~&@:$]")


def render(outcome: Outcome) -> Iterator[str]:
    """Lines without newlines."""
    yield "## mmlint"
    yield ""
    yield escaped(outcome.summary)
    for remark in outcome.remarks:
        yield ""
        yield escaped(remark)
    found = worst_first(outcome.with_unread())
    if found:
        yield from _fitting(found, outcome)
    if outcome.report.suppressed:
        yield ""
        yield "### Accepted"
        yield ""
        for accepted in outcome.report.suppressed:
            yield f"* {_line(accepted.diagnostic)}: {escaped(accepted.reason)}"
    if not outcome.quiet:
        yield from _sections(outcome)


def escaped(text: str) -> str:
    """Text that Markdown and HTML leave alone, also within a table."""
    return _SPECIAL.sub(lambda sign: f"&#{ord(sign.group())};", shown(text))


def _fitting(found: list[Diagnostic], outcome: Outcome) -> Iterator[str]:
    """The table, then the evidence, as far as there is room."""
    origins = any(outcome.origin(diagnostic) for diagnostic in found)
    yield ""
    yield "| | where | what |" + (" patch |" if origins else "")
    yield "|---|---|---|" + ("---|" if origins else "")
    rows = (_row(diagnostic, outcome, origins) for diagnostic in found)
    shown_rows, left = _within(rows, _ROOM // 2, len(found))
    yield from shown_rows
    if left:
        yield ""
        yield f"{left} more findings do not fit."
    proved = [diagnostic for diagnostic in found if diagnostic.notes]
    details, left = _within((_details(diagnostic) for diagnostic in proved), _ROOM // 2, len(proved))
    yield from details
    if left:
        yield ""
        yield f"The evidence of {left} more does not fit."


def _within(texts: Iterable[str], room: int, count: int) -> tuple[list[str], int]:
    """The texts that fit into a number of bytes, and how many do not."""
    kept: list[str] = []
    for text in texts:
        room -= len(text.encode("utf-8", "backslashreplace")) + 1
        if room < 0:
            break
        kept.append(text)
    return kept, count - len(kept)


def _row(diagnostic: Diagnostic, outcome: Outcome, origins: bool) -> str:
    cells = [str(diagnostic.level), _place(diagnostic.location), _said(diagnostic)]
    if origins:
        cells.append(escaped(str(outcome.origin(diagnostic) or "")))
    return f"| {' | '.join(cells)} |"


def _details(diagnostic: Diagnostic) -> str:
    steps = "\n".join(f"1. {_place(note.location)} {escaped(note.message)}" for note in diagnostic.notes)
    return f"\n<details><summary>{_line(diagnostic)}</summary>\n\n{steps}\n\n</details>"


def _line(diagnostic: Diagnostic) -> str:
    return f"{_place(diagnostic.location)} {_said(diagnostic)}"


def _said(diagnostic: Diagnostic) -> str:
    return f"{escaped(diagnostic.message)} ({diagnostic.rule})"


def _place(location: Location) -> str:
    return f"<code>{escaped(location.path)}&#58;{location.line}</code>"


def _sections(outcome: Outcome) -> Iterator[str]:
    counts = Counter(section.verdict for _, section in outcome.sections())
    if not counts:
        return
    yield ""
    yield "| sections | verdict | |"
    yield "|---:|---|---|"
    for verdict, (_, meaning) in VERDICTS.items():
        if counts[verdict]:
            yield f"| {counts[verdict]} | {verdict} | {meaning} |"
