"""A check for patchwork: a JSON object a line, one for each patch, to be posted by the bot that has the token.

    {"message_id": "<...>", "state": "warning", "context": "mmlint", "description": "1 warning; 2 sections checked"}

``state`` is "fail" for an error, "warning" for a warning or something that was not analysed, else "success". Where no
series is known there is one object without a message id, for the patch that the tree was made with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mmlint.diagnostic import Diagnostic, Level
from mmlint.report.outcome import Outcome
from mmlint.report.text import summary

CONTEXT = "mmlint"
_DESCRIPTION = 255


def render(outcome: Outcome) -> Iterator[str]:
    """Lines without newlines."""
    yield json.dumps(check(outcome.with_unread(), summary(outcome.report)))


def check(found: Iterable[Diagnostic], description: str) -> dict[str, Any]:
    """The fields that patchwork's API takes."""
    return {"state": state(found), "context": CONTEXT, "description": description[:_DESCRIPTION]}


def state(found: Iterable[Diagnostic]) -> str:
    """What patchwork calls the worst of the findings."""
    worst = max((diagnostic.level for diagnostic in found), default=Level.NOTE)
    return {Level.ERROR: "fail", Level.WARNING: "warning"}.get(worst, "success")
