"""The results of a SARIF file: places, steps of evidence, repairs and fingerprints of one finding or section."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level, Note, fingerprinted
from mmlint.facts.sections import FunctionFacts, Section, Verdict
from mmlint.report.outcome import Outcome
from mmlint.report.sources import relative
from mmlint.report.terminal import shown
from mmlint.rule import locate
from mmlint.source import Location

# A longer piece of text is left in its file.
_SNIPPET: Final = 2000
SECTION: Final = "lazy-mmu-section"
# A result that does not fail has no level.
_KINDS: Final = {
    Verdict.CONVERTIBLE: "pass",
    Verdict.VERIFIED: "pass",
    Verdict.MULTI_RANGE: "review",
    Verdict.UNSUITABLE: "notApplicable",
    Verdict.UNKNOWN: "open",
}
_BASELINES: Final = {"new": "new", "still-open": "unchanged"}
_HOW: Final = {Applicability.SAFE: "", Applicability.UNSAFE: " (to be confirmed by a person)"}


def artifact(path: str) -> dict[str, Any]:
    """A file: from the folder that mmlint was run in, where it is below it."""
    inside = relative(path)
    if inside.startswith(("/", "../")):
        return {"uri": "file://" + quote(os.fsencode(Path(path).absolute()))}
    return {"uri": quote(os.fsencode(inside)), "uriBaseId": "%SRCROOT%"}


def finding(diagnostic: Diagnostic, outcome: Outcome, accepted: str = "") -> dict[str, Any]:
    """A finding; ``accepted`` is the reason why it is suppressed."""
    result = {
        **_base(diagnostic, outcome),
        "kind": "fail",
        "level": str(diagnostic.level),
    }
    if diagnostic.fix:
        fix = _fix(diagnostic.fix, outcome)
        if fix:
            result["fixes"] = [fix]
    if accepted:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": shown(accepted)}]
    origin = outcome.origin(diagnostic)
    if origin:
        result["properties"] = {"patch": origin.patch, "cause": origin.cause}
        if origin.progress in _BASELINES:
            result["baselineState"] = _BASELINES[origin.progress]
    return result


def not_analysed(diagnostic: Diagnostic, outcome: Outcome) -> dict[str, Any]:
    """Code that was not analysed: nothing is decided of it."""
    return {**_base(diagnostic, outcome), "kind": "open", "level": "none"}


def section_result(function: FunctionFacts, section: Section, outcome: Outcome) -> dict[str, Any] | None:
    """What is known of a section, or None for one that is refuted: the rule that does so tells it."""
    if section.verdict not in _KINDS:
        return None
    call = section.proposal.call if section.proposal else section.text if section.kind == "ranged" else ""
    parts = [f"{section.function}(): {section.verdict}", " ".join(call.split()), section.reason]
    steps = dict.fromkeys(step for obligation in section.obligations for step in obligation.because)
    diagnostic = Diagnostic(
        SECTION,
        Level.NOTE,
        function.source.locate(section.call),
        section.function,
        ": ".join(part for part in parts if part),
        tuple(Note(locate(function.source, step), step.text) for step in steps),
    )
    return {
        **_base(fingerprinted([diagnostic])[0], outcome),
        "kind": _KINDS[section.verdict],
        "level": "none",
        "properties": {
            "verdict": str(section.verdict),
            "obligations": {obligation.name: str(obligation.status) for obligation in section.obligations},
        },
    }


def _base(diagnostic: Diagnostic, outcome: Outcome) -> dict[str, Any]:
    place: dict[str, Any] = {"physicalLocation": _physical(diagnostic.location, outcome, one_line=True)}
    if diagnostic.function:
        place["logicalLocations"] = [{"name": shown(diagnostic.function), "kind": "function"}]
    result: dict[str, Any] = {
        "ruleId": diagnostic.rule,
        "message": {"text": shown(diagnostic.message)},
        "locations": [place],
        "partialFingerprints": {"mmlintFinding/v1": diagnostic.fingerprint},
    }
    if diagnostic.notes:
        steps = [_step(note.location, note.message, outcome) for note in diagnostic.notes]
        result["codeFlows"] = [{"threadFlows": [{"locations": [*_flow(steps), _end(diagnostic, outcome)]}]}]
        result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps, start=1)]
    return result


def _flow(steps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"location": step, "importance": "important"} for step in steps]


def _end(diagnostic: Diagnostic, outcome: Outcome) -> dict[str, Any]:
    return {"location": _step(diagnostic.location, diagnostic.message, outcome), "importance": "essential"}


def _step(location: Location, message: str, outcome: Outcome) -> dict[str, Any]:
    return {"physicalLocation": _physical(location, outcome), "message": {"text": shown(message)}}


def _physical(location: Location, outcome: Outcome, one_line: bool = False) -> dict[str, Any]:
    region = outcome.sources.region(location)
    if not region.column:
        return {"artifactLocation": artifact(location.path), "region": {"startLine": region.line}}
    found: dict[str, Any] = {"startLine": region.line, "startColumn": region.column}
    if not one_line or region.end_line == region.line:
        found.update(endLine=region.end_line, endColumn=region.end_column)
    else:
        found["endLine"] = region.line
    source = outcome.sources.get(location.path)
    if (
        one_line
        and source
        and region.end_line == region.line
        and 0 < location.span.end - location.span.start <= _SNIPPET
    ):
        found["snippet"] = {"text": source.text(location.span)}
    return {"artifactLocation": artifact(location.path), "region": found}


def _fix(fix: Fix, outcome: Outcome) -> dict[str, Any] | None:
    """A repair, or None when a file of it cannot be read, or it is for display only."""
    if fix.applicability not in _HOW:
        return None
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        replacement = _replacement(edit, outcome)
        if replacement is None:
            return None
        changes.setdefault(edit.path, []).append(replacement)
    return {
        "description": {"text": shown(fix.title) + _HOW[fix.applicability]},
        "artifactChanges": [
            {"artifactLocation": artifact(path), "replacements": replacements}
            for path, replacements in sorted(changes.items())
        ],
    }


def _replacement(edit: Edit, outcome: Outcome) -> dict[str, Any] | None:
    source = outcome.sources.get(edit.path)
    if source is None or edit.span.end > len(source.data):
        return None
    region = outcome.sources.region(source.locate(edit.span))
    deleted = {
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    }
    return {"deletedRegion": deleted, "insertedContent": {"text": edit.text}}
