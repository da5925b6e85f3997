"""GitLab's code quality report: a JSON array, to be kept as an artifact of ``reports: codequality``.

The page of a merge request shows the description and nothing of the rule, so the description names it. Paths are those
from the top of the repository, where mmlint should be run; a leading ``./`` is taken away, since GitLab finds no file
with it. There is no place for what was suppressed.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mmlint.diagnostic import Diagnostic, Level
from mmlint.report.outcome import Outcome, clean
from mmlint.report.sources import relative
from mmlint.report.terminal import shown

_SEVERITIES: Final = {Level.ERROR: "critical", Level.WARNING: "major", Level.NOTE: "info"}


def render(outcome: Outcome) -> str:
    """One array with a final newline."""
    return json.dumps([_issue(diagnostic, outcome) for diagnostic in outcome.with_unread()], indent=2) + "\n"


def _issue(diagnostic: Diagnostic, outcome: Outcome) -> dict[str, Any]:
    location = diagnostic.location
    origin = outcome.origin(diagnostic)
    issue = {
        "description": f"{shown(diagnostic.message)} [{diagnostic.rule}]" + (f" ({origin})" if origin else ""),
        "check_name": diagnostic.rule,
        "fingerprint": diagnostic.fingerprint,
        "severity": _SEVERITIES[diagnostic.level],
        "categories": ["Bug Risk" if diagnostic.level > Level.NOTE else "Performance"],
        "location": {
            "path": _path(diagnostic.path),
            "lines": {"begin": location.line, "end": max(location.line, location.end_line)},
        },
    }
    if diagnostic.notes:
        lines = [f"- {_path(n.location.path)}:{n.location.line}: {shown(n.message)}" for n in diagnostic.notes]
        issue["content"] = {"body": "\n".join(lines)}
    return issue


def _path(path: str) -> str:
    return clean(relative(path))
