"""A JSON object a line: every finding, everything that was suppressed or not analysed, and last the coverage.

    {"type": "diagnostic", "rule": "wrong-ptep", "level": "error", ...}
    {"type": "skipped", "path": "mm/x.c", "function": "walk", "line": 7, "reason": "..."}
    {"type": "coverage", "version": 1, "files": 6, ...}

The objects are those of ``--format json`` with ``type`` added, so that a reader can begin before the end is there. A
file without the last line is not whole. In a series, ``patch``, ``cause`` and ``progress`` say where a finding is from,
and what the previous revision had is of type ``fixed``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mmlint.report.json import VERSION, coverage_entry, diagnostic_entry, skipped_entry, suppressed_entry
from mmlint.report.outcome import Outcome


def render(outcome: Outcome) -> Iterator[str]:
    """Lines without newlines."""
    for entry in _entries(outcome):
        yield json.dumps(entry)


def _entries(outcome: Outcome) -> Iterator[dict[str, Any]]:
    report = outcome.report
    for diagnostic in report.diagnostics:
        origin = outcome.origin(diagnostic)
        where = {"patch": origin.position, "cause": origin.cause, "progress": origin.progress} if origin else {}
        yield {"type": "diagnostic", **diagnostic_entry(diagnostic), **where}
    for gone in outcome.fixed:
        yield {"type": "fixed", **diagnostic_entry(gone)}
    for accepted in report.suppressed:
        yield {"type": "suppressed", **suppressed_entry(accepted)}
    for skipped in report.coverage.skipped:
        yield {"type": "skipped", **skipped_entry(skipped)}
    for remark in outcome.remarks:
        yield {"type": "remark", "text": remark}
    coverage = coverage_entry(report.coverage)
    coverage["skipped"] = len(report.coverage.skipped)
    yield {"type": "coverage", "version": VERSION, **coverage, "below": report.below}
