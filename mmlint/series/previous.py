"""What became of the findings of the previous revision: fixed, still open, new.

A finding is the same in two revisions when rule and message agree, and path and function, or one of them: functions
and files are renamed between revisions. What is the same keeps its first fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from mmlint.series.model import Finding, Progress

_Key = Callable[[Finding], Hashable]
_KEYS: tuple[_Key, ...] = (
    lambda f: (f.diagnostic.rule, f.diagnostic.path, f.diagnostic.function, f.diagnostic.message),
    lambda f: (f.diagnostic.rule, f.diagnostic.path, f.diagnostic.message),
    lambda f: (f.diagnostic.rule, f.diagnostic.function, f.diagnostic.message),
    lambda f: (f.diagnostic.rule, f.diagnostic.path, f.diagnostic.function),
)


def compare(findings: Sequence[Finding], before: Sequence[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The findings with their progress, and those of the previous revision that are gone.

    Only what an author caused takes part; the rest has no progress.
    """
    own = [number for number, finding in enumerate(findings) if finding.is_authors]
    result = list(findings)
    waiting = [finding for finding in before if finding.is_authors]
    for key in _KEYS:
        rest = []
        for number in own:
            twin = next((f for f in waiting if key(f) == key(findings[number])), None)
            if twin is None:
                rest.append(number)
                continue
            waiting.remove(twin)
            result[number] = _same(findings[number], twin)
        own = rest
    for number in own:
        result[number] = replace(findings[number], progress=Progress.NEW)
    return tuple(result), tuple(replace(finding, progress=Progress.FIXED) for finding in waiting)


def _same(finding: Finding, twin: Finding) -> Finding:
    kept = twin.diagnostic.fingerprint
    final = finding.final._replace(fingerprint=kept) if finding.final else None
    return replace(
        finding,
        diagnostic=finding.diagnostic._replace(fingerprint=kept),
        final=final,
        progress=Progress.STILL_OPEN,
    )
