"""A check for patchwork: a JSON object a line, one for each patch, to be posted by the bot that has the token.

    {"message_id": "<...>", "state": "warning", "context": "mmlint", "description": "1 warning; 2 sections checked"}

``state`` is "fail" for an error, "warning" for a warning or something that was not analysed, else "success". Where no
series is known there is one object without a message id, for the patch that the tree was made with.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mmlint.diagnostic import Diagnostic, Level
from mmlint.report.outcome import Outcome, clean
from mmlint.report.series_outcome import of_patch
from mmlint.report.terminal import counted

CONTEXT = "mmlint"
_DESCRIPTION = 255


def render(outcome: Outcome) -> Iterator[str]:
    """Lines without newlines."""
    if outcome.series is None:
        yield json.dumps(check(outcome.with_unread(), outcome.summary))
        return
    missed = outcome.with_unread()[len(outcome.report.diagnostics) :]
    for patch in outcome.series.patches:
        found = [finding.diagnostic for finding in of_patch(outcome.series, patch.position)]
        described = _described(found, len(missed))
        yield json.dumps({"message_id": clean(patch.message_id), **check([*found, *missed], described)})


def _described(found: Sequence[Diagnostic], missed: int) -> str:
    counts = Counter(diagnostic.level for diagnostic in found)
    parts = [counted(counts[level], str(level)) for level in sorted(Level, reverse=True) if counts[level]]
    rules = sorted({diagnostic.rule for diagnostic in found})
    text = ", ".join(parts) + f" ({', '.join(rules)})" if parts else "no findings"
    return f"{text}; {missed} not analysed" if missed else text


def check(found: Iterable[Diagnostic], description: str) -> dict[str, Any]:
    """The fields that patchwork's API takes."""
    return {"state": state(found), "context": CONTEXT, "description": description[:_DESCRIPTION]}


def state(found: Iterable[Diagnostic]) -> str:
    """What patchwork calls the worst of the findings."""
    worst = max((diagnostic.level for diagnostic in found), default=Level.NOTE)
    return {Level.ERROR: "fail", Level.WARNING: "warning"}.get(worst, "success")
