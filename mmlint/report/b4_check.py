"""What b4's check commands take: lines of text for ``prep`` and ``am``, JSON for ``review``.

b4 makes a finding of each line, a failure of one that holds ``ERROR:`` and a warning of any other, and a failure of
whatever stands on standard error; so there is no summary, and nothing at all when nothing was found. What was
suppressed is told by the JSON only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic
from mmlint.report.outcome import Outcome
from mmlint.report.patchwork import CONTEXT, state
from mmlint.report.terminal import Pen, shown
from mmlint.report.terse import line
from mmlint.report.text import render_diagnostic

_STATES = {"fail": "fail", "warning": "warn", "success": "pass"}


def render(outcome: Outcome) -> Iterator[str]:
    """Lines without newlines: those of checkpatch."""
    for diagnostic in outcome.with_unread():
        yield line(diagnostic)


def _origin(diagnostic: Diagnostic, outcome: Outcome) -> str:
    """Where in a series it comes from, unless there is but one patch."""
    origin = outcome.origin(diagnostic)
    return f" ({origin})" if origin and outcome.series and len(outcome.series.patches) > 1 else ""


def render_json(outcome: Outcome) -> str:
    """An array with one entry, and a final newline: its summary is one line, its details are the lines of gcc."""
    found = outcome.with_unread()
    details = list(map(shown, outcome.remarks))
    for diagnostic in found:
        lines = list(render_diagnostic(diagnostic, Pen(), outcome.quiet))
        details += [lines[0] + _origin(diagnostic, outcome), *lines[1:]]
    entry = {
        "tool": CONTEXT,
        "status": _STATES[state(found)],
        "summary": outcome.summary,
        "url": "",
        "details": "\n".join(details),
    }
    return json.dumps([entry], indent=2) + "\n"
