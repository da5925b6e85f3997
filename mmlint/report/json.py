"""The JSON of ``check`` and of ``sections``: a contract, only ever added to.

Lines and columns count from 1, columns count bytes, ends are exclusive; edits are byte offsets from 0.
"""

from __future__ import annotations

import json
from typing import Any

from mmlint.diagnostic import Diagnostic, Fix, Skipped, Suppressed
from mmlint.engine import Coverage, Report
from mmlint.facts.sections import ARGUMENTS, Audit, FunctionFacts, Obligation, Section
from mmlint.report.outcome import Outcome
from mmlint.report.statistics import count
from mmlint.rule import locate

VERSION = 1


def render(outcome: Outcome) -> str:
    """The document of ``check``, or that of ``series``."""
    if outcome.series is not None:
        from mmlint.report.series_json import render as render_series

        return render_series(outcome.series)
    return render_check(outcome.report, outcome.statistics)


def render_check(report: Report, statistics: bool = False) -> str:
    """The findings and the coverage, as one document with a final newline.

    ``below`` counts what --level leaves out, ``suppressed`` lists what was accepted.
    """
    document = {
        "version": VERSION,
        "diagnostics": [diagnostic_entry(diagnostic) for diagnostic in report.diagnostics],
        "coverage": coverage_entry(report.coverage),
        "below": report.below,
        "suppressed": [suppressed_entry(entry) for entry in report.suppressed],
    }
    if statistics:
        document["statistics"] = [
            {"rule": row.rule, "level": str(row.level), "count": row.count, "suppressed": row.suppressed}
            for row in count(report)
        ]
    return _dump(document)


def suppressed_entry(entry: Suppressed) -> dict[str, Any]:
    """A finding that was accepted."""
    found = entry.diagnostic
    return {
        "rule": found.rule,
        "level": str(found.level),
        "path": found.path,
        "function": found.function,
        "line": found.location.line,
        "fingerprint": found.fingerprint,
        "reason": entry.reason,
    }


def render_sections(report: Report) -> str:
    """Every section, as one document with a final newline."""
    sections = [
        _section(function, section)
        for file in report.facts
        for function in file.functions
        for section in function.sections
    ]
    return _dump({"version": VERSION, "sections": sections, "coverage": coverage_entry(report.coverage)})


def _dump(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def diagnostic_entry(diagnostic: Diagnostic) -> dict[str, Any]:
    """A finding."""
    location = diagnostic.location
    notes = [
        {
            "path": note.location.path,
            "line": note.location.line,
            "column": note.location.column,
            "message": note.message,
        }
        for note in diagnostic.notes
    ]
    return {
        "rule": diagnostic.rule,
        "level": str(diagnostic.level),
        "path": diagnostic.path,
        "function": diagnostic.function,
        "line": location.line,
        "column": location.column,
        "end_line": location.end_line,
        "end_column": location.end_column,
        "message": diagnostic.message,
        "notes": notes,
        "fix": _fix(diagnostic.fix) if diagnostic.fix else None,
        "fingerprint": diagnostic.fingerprint,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [
        {"path": edit.path, "start": edit.span.start, "end": edit.span.end, "text": edit.text} for edit in fix.edits
    ]
    return {"title": fix.title, "applicability": str(fix.applicability), "edits": edits}


def coverage_entry(coverage: Coverage) -> dict[str, Any]:
    """What was looked at."""
    return {
        "files": coverage.files,
        "functions": coverage.functions,
        "sections": coverage.sections,
        "skipped": [skipped_entry(entry) for entry in coverage.skipped],
    }


def skipped_entry(entry: Skipped) -> dict[str, Any]:
    """Code that was not analysed."""
    return {"path": entry.path, "function": entry.function, "line": entry.line, "reason": entry.reason}


def _section(function: FunctionFacts, section: Section) -> dict[str, Any]:
    return {
        "path": function.source.path,
        "function": section.function,
        "line": function.source.line(section.call.start),
        "kind": section.kind,
        "call": section.text,
        "verdict": str(section.verdict),
        "proposal": section.proposal.call if section.proposal else None,
        "arguments": _arguments(section),
        "obligations": [_obligation(function, obligation) for obligation in section.obligations],
        "ranges": [
            {
                "mm": entry.mm,
                "addr": entry.addr,
                "end": entry.end,
                "ptep": entry.ptep,
                "line": entry.line,
                "role": entry.role,
                "hinted": entry.hinted,
            }
            for entry in section.ranges
        ],
        "reason": section.reason,
        **({"audit": _audit(section.audit)} if section.audit else {}),
    }


def _audit(audit: Audit) -> dict[str, Any]:
    return {
        "verdict": audit.verdict,
        "functions": [function._asdict() for function in audit.functions],
        "accesses": [
            {
                "path": access.location.path,
                "line": access.location.line,
                "column": access.location.column,
                "text": access.text,
                "function": access.function,
                "arch": access.arch,
                "through": access.through,
            }
            for access in audit.accesses
        ],
        "unresolved": [
            {"name": end.name, "path": end.location.path, "line": end.location.line, "reason": end.why}
            for end in audit.open_ends
        ],
        "accessors": list(audit.accessors),
    }


def _arguments(section: Section) -> dict[str, str] | None:
    """The call's own arguments where it has them, else those of the proposal."""
    if section.arguments:
        return {argument.name: argument.text for argument in section.arguments}
    if section.proposal:
        return {name: getattr(section.proposal, name) for name in ARGUMENTS}
    return None


def _obligation(function: FunctionFacts, obligation: Obligation) -> dict[str, Any]:
    because = []
    for step in obligation.because:
        location = locate(function.source, step)
        because.append({"path": location.path, "line": location.line, "text": step.text})
    return {"name": obligation.name, "status": str(obligation.status), "because": because}
