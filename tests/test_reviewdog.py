"""rdjson and rdjsonl, held to reviewdog's definition of a diagnostic, field by field, with nothing besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mmlint.config import Settings
from mmlint.engine import run
from mmlint.report import rdjson
from mmlint.report.outcome import Outcome
from mmlint.report.sources import Sources
from tests.outcomes import empty, full, hostile_outcome

ROOT = Path(__file__).resolve().parent.parent


def message(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """A message of the protocol as JSON: no field besides its own."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
POSITION = message(("line",), line=COUNT, column=COUNT)
RANGE = message(("start",), start=POSITION, end=POSITION)
LOCATION = message(("path",), path=TEXT, range=RANGE)
DIAGNOSTIC = message(
    ("message", "location"),
    message={"type": "string", "minLength": 1},
    location=LOCATION,
    severity={"enum": ["UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO"]},
    source=message(("name",), name=TEXT, url=TEXT),
    code=message(("value",), value=TEXT, url=TEXT),
    suggestions={"type": "array", "items": message(("range", "text"), range=RANGE, text=TEXT)},
    original_output=TEXT,
    related_locations={"type": "array", "items": message(("location",), message=TEXT, location=LOCATION)},
)
RESULT = message(
    ("diagnostics",),
    diagnostics={"type": "array", "items": DIAGNOSTIC},
    source=message(("name",), name=TEXT, url=TEXT),
    severity=TEXT,
)
ONE, ALL = jsonschema_rs.validator_for(DIAGNOSTIC), jsonschema_rs.validator_for(RESULT)


@pytest.mark.parametrize("outcome", [full(), empty(), hostile_outcome()])
def test_own_reports(outcome: Outcome) -> None:
    ALL.validate(json.loads(rdjson.render(outcome)))
    for line in rdjson.render_lines(outcome):
        ONE.validate(json.loads(line))


def test_all_fixtures_and_their_suggestions_make_what_the_fix_makes() -> None:
    report = run([str(ROOT / "fixtures")], Settings())
    document = json.loads(rdjson.render(Outcome(report, Sources(report))))
    ALL.validate(document)
    suggested = 0
    for diagnostic, entry in zip(report.diagnostics, document["diagnostics"], strict=False):
        if not entry.get("suggestions"):
            continue
        (suggestion,) = entry["suggestions"]
        data = Path(diagnostic.path).read_bytes()
        lines = data.split(b"\n")
        first, last = suggestion["range"]["start"]["line"], suggestion["range"]["end"]["line"]
        accepted = b"\n".join([*lines[: first - 1], suggestion["text"].encode(), *lines[last:]])
        assert diagnostic.fix is not None
        fixed = data
        for edit in sorted(diagnostic.fix.edits, key=lambda edit: -edit.span.start):
            fixed = fixed[: edit.span.start] + edit.text.encode() + fixed[edit.span.end :]
        assert accepted == fixed
        suggested += 1
    assert suggested > 30


def test_schema_is_strict() -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        ONE.validate({"message": "x", "location": {"path": "x", "line": 1}})
    with pytest.raises(jsonschema_rs.ValidationError):
        ONE.validate({"message": "x", "location": {"path": "x"}, "severity": "NOTE"})
