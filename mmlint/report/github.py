"""Workflow commands of GitHub Actions, which become notes beside the lines of a change.

    ::error title=mmlint (wrong-mm),file=mm/walk.c,line=4,endLine=4,col=2,endColumn=24::it is so%0Amm/walk.c:3:2: ...

GitHub drops without a word what comes after the tenth command of a level in a step, so the worst come first, and the
rest stand in the log as the lines of gcc; ``--output github-summary=$GITHUB_STEP_SUMMARY`` has them all. What is
printed cannot become a command by itself. Columns count UTF-16 code units, and are told for one line only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from mmlint.diagnostic import Diagnostic, Level
from mmlint.report.outcome import Outcome, worst_first
from mmlint.report.terminal import Pen, shown
from mmlint.report.text import render_diagnostic

_LIMIT: Final = 10
_COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(outcome: Outcome) -> Iterator[str]:
    """Lines without newlines; the last is the summary."""
    told: Counter[Level] = Counter()
    rest = []
    for diagnostic in worst_first(outcome.with_unread()):
        told[diagnostic.level] += 1
        if told[diagnostic.level] <= _LIMIT:
            yield _command(diagnostic, outcome)
        else:
            rest.append(diagnostic)
    for diagnostic in rest:
        yield from map(_harmless, render_diagnostic(diagnostic, Pen(), outcome.quiet))
    yield from (_harmless(shown(remark)) for remark in outcome.remarks)
    if not outcome.quiet:
        yield _harmless(outcome.summary)


def _command(diagnostic: Diagnostic, outcome: Outcome) -> str:
    region = outcome.sources.region(diagnostic.location)
    properties = {
        "title": f"mmlint ({diagnostic.rule})",
        "file": diagnostic.path,
        "line": str(region.line),
        "endLine": str(region.end_line),
    }
    if region.column and region.line == region.end_line:
        properties.update(col=str(region.column), endColumn=str(region.end_column))
    lines = [outcome.said(diagnostic)]
    if not outcome.quiet:
        lines += [f"{shown(n.location.path)}:{n.location.line}: {shown(n.message)}" for n in diagnostic.notes]
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[diagnostic.level]} {written}::{_data(chr(10).join(lines))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _harmless(line: str) -> str:
    """The line so that the runner takes it for nothing but text."""
    line = line.replace("##[", "## [")
    return f" {line}" if line.lstrip().startswith("::") else line
