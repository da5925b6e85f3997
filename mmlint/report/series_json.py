"""The JSON of ``series``: that of ``check`` with patches, base, causes and conversion; only ever added to."""

from __future__ import annotations

import json
from typing import Any

from mmlint.report.json import coverage_entry, diagnostic_entry, skipped_entry, suppressed_entry
from mmlint.series.model import Base, Conversion, Finding, Patch, SeriesReport, Site

VERSION = 1


def render(report: SeriesReport) -> str:
    """Everything of a series, as one document with a final newline; ``authors`` marks what the author caused."""
    document = {
        "version": VERSION,
        "base": _base(report.base),
        "patches": [_patch(patch) for patch in report.patches],
        "diagnostics": [_finding(finding) for finding in (*report.findings, *report.unneeded)],
        "conversion": _conversion(report.conversion) if report.conversion else None,
        "previous": None,
        "remarks": list(report.remarks),
        "skipped": [skipped_entry(entry) for entry in report.skipped],
        "coverage": coverage_entry(report.final.coverage),
        "suppressed": [suppressed_entry(entry) for entry in report.final.suppressed],
    }
    if report.previous:
        document["previous"] = {
            "name": report.previous.name,
            "revision": report.previous.revision,
            "fixed": [_finding(finding) for finding in report.previous.fixed],
        }
    return json.dumps(document, indent=2) + "\n"


def _base(base: Base) -> dict[str, Any]:
    return {
        "how": str(base.how),
        "tree": base.tree,
        "revision": base.revision,
        "name": base.name,
        "degraded": base.is_degraded,
        "unseen": list(base.unseen),
    }


def _patch(patch: Patch) -> dict[str, Any]:
    return {
        "position": patch.position,
        "number": patch.number,
        "total": patch.total,
        "revision": patch.revision,
        "subject": patch.subject,
        "author": patch.author,
        "message_id": patch.message_id,
        "files": [change.path for change in patch.files],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    final = finding.final
    return {
        **diagnostic_entry(finding.diagnostic),
        "patch": finding.patch,
        "cause": str(finding.cause),
        "authors": finding.is_authors,
        "repaired_by": finding.repaired_by,
        "final": {"path": final.path, "line": final.location.line, "function": final.function} if final else None,
        "progress": str(finding.progress) if finding.progress else None,
    }


def _conversion(conversion: Conversion) -> dict[str, Any]:
    return {
        "converted": [_site(site) for site in conversion.converted],
        "left": [_site(site) for site in conversion.left],
    }


def _site(site: Site) -> dict[str, Any]:
    return {
        "path": site.path,
        "function": site.function,
        "line": site.line,
        "call": site.call,
        "verdict": site.verdict,
        "reason": site.reason,
        "patch": site.patch,
        "proposal": site.proposal or None,
        "proven": site.is_proven,
        "ranges": list(site.ranges),
    }
