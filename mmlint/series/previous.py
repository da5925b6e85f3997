"""What became of the findings of the previous revision: fixed, still open, new.

A finding is the same in two revisions when rule and message agree, and path and function, or one of them: functions
and files are renamed between revisions. What is the same keeps its first fingerprint. What the other revision has not
is fixed, or new, where all of its function could be seen there; else that is not known, and is told.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

from mmlint.series.arrange import count_of
from mmlint.series.model import SERIES_RULES, Finding, Previous, Progress, SeriesReport, is_partial

_Key = Callable[[Finding], Hashable]
_KEYS: tuple[_Key, ...] = (
    lambda f: (f.diagnostic.rule, f.diagnostic.path, f.diagnostic.function, f.diagnostic.message),
    lambda f: (f.diagnostic.rule, f.diagnostic.path, f.diagnostic.message),
    lambda f: (f.diagnostic.rule, f.diagnostic.function, f.diagnostic.message),
    lambda f: (f.diagnostic.rule, f.diagnostic.path, f.diagnostic.function),
)


def compare(report: SeriesReport, before: SeriesReport, name: str) -> SeriesReport:
    """The report with the progress of its findings since ``before``, which is called ``name``.

    Only what an author caused takes part; the rest has no progress.
    """
    findings = list(report.findings)
    own = [number for number, finding in enumerate(findings) if finding.is_authors]
    waiting = [finding for finding in before.findings if finding.is_authors]
    for key in _KEYS:
        rest = []
        for number in own:
            twin = next((f for f in waiting if key(f) == key(findings[number])), None)
            if twin is None:
                rest.append(number)
                continue
            waiting.remove(twin)
            findings[number] = _same(findings[number], twin)
        own = rest
    new = [number for number in own if _shows(before, findings[number])]
    for number in new:
        findings[number] = replace(findings[number], progress=Progress.NEW)
    fixed = [replace(finding, progress=Progress.FIXED) for finding in waiting if _shows(report, finding)]
    remarks = list(report.remarks)
    if len(fixed) < len(waiting):
        count = count_of(len(waiting) - len(fixed), "finding", "findings")
        remarks.append(f"of {count} of the previous revision it could not be seen whether this one mends it")
    if len(new) < len(own):
        count = count_of(len(own) - len(new), "finding", "findings")
        remarks.append(f"of {count} it could not be seen whether the previous revision has it")
    revision = before.patches[0].revision if before.patches else 1
    return replace(
        report,
        findings=tuple(findings),
        previous=Previous(name, revision, tuple(fixed)),
        remarks=tuple(remarks),
    )


def _shows(report: SeriesReport, finding: Finding) -> bool:
    """True when the series would tell of a finding of another revision if it had it as well."""
    path, function = finding.diagnostic.path, finding.diagnostic.function
    if report.base.is_degraded:
        return False
    if any(gap.path == path and gap.function in ("", function) for gap in report.final.coverage.skipped):
        return False
    touched = {change.path for patch in report.patches for change in patch.files}
    return not is_partial(report.patches) or (path in touched and finding.diagnostic.rule not in SERIES_RULES)


def _same(finding: Finding, twin: Finding) -> Finding:
    kept = twin.diagnostic.fingerprint
    final = finding.final._replace(fingerprint=kept) if finding.final else None
    return replace(
        finding,
        diagnostic=finding.diagnostic._replace(fingerprint=kept),
        final=final,
        progress=Progress.STILL_OPEN,
    )
