"""What the list of suppressions accepts of a series, and which of its entries the series makes unneeded.

accept(report, settings, tell_unneeded=True)   ->  the report without what is accepted, with `SeriesReport.unneeded`

The paths of the list are relative to its folder, so that one list serves `mmlint check` and every series; what lies
outside of the tree under check is taken as it stands. An entry is looked at where the series touches its file: what it
accepted is gone by a patch, which is the author's to know, or it was not there before (that is old).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic, Level, Suppressed, fingerprinted
from mmlint.series.model import SERIES_RULES, Cause, Finding, SeriesReport
from mmlint.suppressions import NEVER, UNUSED, Entry, SuppressionList, keys_of, read_list, unused_findings

_Key = tuple[str, str, str]


def accept(report: SeriesReport, settings: Settings, tell_unneeded: bool = False) -> SeriesReport:
    """Without what the list of the settings accepts, if there is one. Raises UsageError for a list that is none."""
    if settings.suppressions is None:
        return report
    accepted = _List(read_list(settings.suppressions), report)
    remaining, suppressed = list[Finding](), list[Suppressed]()
    used: set[Entry] = set()
    for finding in report.findings:
        entry = accepted.entry(finding) if _is_live(finding) else None
        if entry is None:
            remaining.append(finding)
        else:
            used.add(entry)
            suppressed.append(Suppressed(finding.diagnostic, entry.reason))
    told = tell_unneeded and UNUSED not in settings.ignore and settings.level <= Level.NOTE
    unneeded = tuple(accepted.unneeded(used, settings)) if told and not report.base.is_degraded else ()
    final = report.final._replace(suppressed=tuple(suppressed))
    return replace(report, findings=tuple(remaining), final=final, unneeded=unneeded)


def _is_live(finding: Finding) -> bool:
    """True for what there is to accept: it is there at the end, or concerns the series as a whole."""
    return finding.final is not None or finding.diagnostic.rule in SERIES_RULES


class _List:
    """A list as it is seen from the top of the tree under check."""

    def __init__(self, accepted: SuppressionList, report: SeriesReport) -> None:
        self._accepted = accepted
        self._report = report
        self._top = Path(report.base.tree).resolve()
        self._entries = {
            key: entry
            for entry in accepted.entries
            if entry.rule not in NEVER
            for key in (entry.key, (entry.fingerprint, entry.rule, self._inside(entry)))
        }
        self._keys = self._from_the_list(report.final.diagnostics)

    def _inside(self, entry: Entry) -> str:
        place = Path(self._accepted.folder, entry.path)
        return str(place.relative_to(self._top)) if place.is_relative_to(self._top) else entry.path

    def _from_the_list(self, diagnostics: tuple[Diagnostic, ...]) -> dict[tuple[object, ...], _Key]:
        """The keys of the last state's findings as `mmlint check` writes them into this list."""
        moved = [
            d._replace(location=d.location._replace(path=os.path.join(self._top, d.path)))  # noqa: PTH118
            for d in diagnostics
        ]
        return dict(zip(map(_identity, diagnostics), keys_of(moved, self._accepted.folder), strict=True))

    def entry(self, finding: Finding) -> Entry | None:
        """The entry that accepts a finding, by the name that the series has for it or by that of the last state."""
        told = finding.diagnostic
        found = self._entries.get((told.fingerprint, told.rule, told.path))
        if found is None and finding.final:
            key = self._keys.get(_identity(finding.final))
            found = self._entries.get(key) if key else None
        return found

    def unneeded(self, used: set[Entry], settings: Settings) -> Iterator[Finding]:
        """A note for each entry that accepts nothing of a file that the series touches."""
        touched = {p for patch in self._report.patches for change in patch.files for p in (change.path, change.before)}
        skipped = {entry.path for entry in self._report.skipped}
        gone = {entry: f for f in self._report.findings if not _is_live(f) and (entry := self.entry(f))}
        for entry in self._accepted.entries:
            path = self._inside(entry)
            if entry in used or not settings.selects(entry.rule) or path not in touched or path in skipped:
                continue
            was = gone.get(entry)
            if was and was.repaired_by is None:
                continue
            note = self._note(entry)
            if was and was.repaired_by:
                yield Finding(note, Cause.INTRODUCED, was.repaired_by, note)
            else:
                yield Finding(note, Cause.OLD, 0, note)

    def _note(self, entry: Entry) -> Diagnostic:
        (note,) = unused_findings(self._accepted, [entry])
        place = Path(self._accepted.folder, Path(note.path).name)
        path = str(place.relative_to(self._top)) if place.is_relative_to(self._top) else note.path
        (marked,) = fingerprinted([note._replace(location=note.location._replace(path=path))])
        return marked


def _identity(diagnostic: Diagnostic) -> tuple[object, ...]:
    return (diagnostic.rule, diagnostic.location, diagnostic.function, diagnostic.message)
