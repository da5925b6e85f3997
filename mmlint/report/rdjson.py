"""reviewdog's own formats: ``rdjson`` is one document, ``rdjsonl`` a finding a line.

A repair is a suggestion of whole lines, which is what a person can accept with one click on GitHub and GitLab. One that
is for display only, or that changes another file, is no suggestion. Columns count bytes of UTF-8 from 1, ends are
exclusive; a range without columns is of whole lines, its last included. There is no place for what was suppressed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from mmlint.diagnostic import Diagnostic, Level
from mmlint.report.outcome import Outcome, clean
from mmlint.report.suggestion import whole_lines
from mmlint.report.terminal import shown
from mmlint.source import Location

_SEVERITIES: Final = {Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTE: "INFO"}
_SOURCE: Final = {"name": "mmlint"}


def render(outcome: Outcome) -> str:
    """One document with a final newline."""
    entries = [_entry(diagnostic, outcome) for diagnostic in outcome.with_unread()]
    return json.dumps({"source": _SOURCE, "diagnostics": entries}, indent=2) + "\n"


def render_lines(outcome: Outcome) -> Iterator[str]:
    """Lines without newlines."""
    for diagnostic in outcome.with_unread():
        yield json.dumps({**_entry(diagnostic, outcome), "source": _SOURCE})


def _entry(diagnostic: Diagnostic, outcome: Outcome) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "message": outcome.said(diagnostic),
        "location": _location(diagnostic.location),
        "severity": _SEVERITIES[diagnostic.level],
        "code": {"value": diagnostic.rule},
    }
    suggestion = _suggestion(diagnostic, outcome)
    if suggestion:
        entry["suggestions"] = [suggestion]
    if diagnostic.notes:
        entry["related_locations"] = [
            {"message": shown(note.message), "location": _location(note.location)} for note in diagnostic.notes
        ]
    return entry


def _location(location: Location) -> dict[str, Any]:
    span: dict[str, Any] = {"start": {"line": location.line, "column": location.column}}
    if location.span.end > location.span.start:
        span["end"] = {"line": location.end_line, "column": location.end_column}
    return {"path": clean(location.path), "range": span}


def _suggestion(diagnostic: Diagnostic, outcome: Outcome) -> dict[str, Any] | None:
    source = outcome.sources.holding(diagnostic.location)
    lines = whole_lines(source, diagnostic.fix) if source and diagnostic.fix else None
    if lines is None:
        return None
    try:
        text = lines.text.decode("utf-8")
    except UnicodeDecodeError:
        # It would not be written back as it was.
        return None
    return {"range": {"start": {"line": lines.first}, "end": {"line": lines.last}}, "text": text}
