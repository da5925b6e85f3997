"""A judged series for the renderers of `mmlint check`: the author's findings where they stand at the end of the series.

    with check_series(...) as series:
        render(outcome_of(series))

What the default output does not hold, because the author did not cause it, is counted as ``below``. What could not be
seen for lack of a better base stands among what was not analysed: nothing is called clean by accident.
"""

from __future__ import annotations

from pathlib import Path

from mmlint.diagnostic import Diagnostic, Level, Skipped
from mmlint.engine import Coverage, Report
from mmlint.report.outcome import Origin, Outcome
from mmlint.report.sources import Sources
from mmlint.series.model import FileChange, Finding, SeriesReport
from mmlint.series.steps import Lines
from mmlint.source import Location, Source, Span


class _Unseen(Skipped):
    """What could not be seen of the series as a whole: the sentence says it all."""

    __slots__ = ()

    @property
    def message(self) -> str:
        return self.reason


def outcome_of(
    series: SeriesReport,
    fail_level: Level = Level.WARNING,
    rules: tuple[Path, ...] = (),
    quiet: bool = False,
    everything: bool = False,
) -> Outcome:
    """The author's findings as of the last state, each with its patch; ``everything`` takes the others as well."""
    told = (*series.findings, *series.unneeded)
    found = tuple(finding for finding in told if finding.is_authors or (everything and finding.final))
    unseen = tuple(_Unseen(series.base.tree, "", 1, sentence) for sentence in series.base.unseen)
    skipped = tuple(sorted({*series.skipped, *unseen}, key=lambda s: (s.path, s.line, s.function, s.reason)))
    report = series.final._replace(
        diagnostics=tuple(sorted((at_the_end(finding, series) for finding in found), key=lambda d: d.sort_key)),
        coverage=series.final.coverage._replace(skipped=skipped),
        below=len(told) - len(found),
    )
    last = len(series.patches)
    return Outcome(
        report,
        Sources(report, lambda path: series.read(path, last)),
        fail_level,
        rules,
        quiet,
        origins={finding.diagnostic.fingerprint: origin(finding, series) for finding in found},
        series=series,
        everything=everything,
    )


def at_the_end(finding: Finding, series: SeriesReport) -> Diagnostic:
    """The finding as of the last state; the fingerprint is the same.

    One that is gone by then stands on the lines that its own have become, without columns that no text is behind.
    """
    if finding.final or not finding.patch:
        found = finding.final or finding.diagnostic
        return found._replace(fingerprint=finding.diagnostic.fingerprint)
    found = finding.diagnostic
    notes = tuple(note._replace(location=_moved(note.location, finding.patch, series)) for note in found.notes)
    return found._replace(location=_moved(found.location, finding.patch, series), notes=notes)


def _moved(location: Location, state: int, series: SeriesReport) -> Location:
    """A place of an earlier state in the last one: its line there, or the one that stands in its place."""
    path, line, is_touched = location.path, location.line, False
    for patch in series.patches[state:] if not series.base.is_degraded else ():
        change = next((change for change in patch.seen if change.before == path and change.kind != "copied"), None)
        if change:
            path, line, is_touched = change.path, _after(change, line), True
    if not is_touched:
        return location
    try:
        source = Source(path, series.read(path, len(series.patches)))
        span = source.line_span(line)
    except (OSError, IndexError):
        return location
    text = source.data[span.start : span.end]
    return source.locate(Span(span.end - len(text.lstrip()), span.start + len(text.rstrip() or text)))


def _after(change: FileChange, line: int) -> int:
    found = Lines(change).after(line)
    if found is not None:
        return found
    hunk = next(h for h in change.hunks if h.old_start <= line < h.old_start + h.old_count)
    return hunk.new_start + min(line - hunk.old_start, max(hunk.new_count - 1, 0)) if hunk.new_count else hunk.new_start


def origin(finding: Finding, series: SeriesReport) -> Origin:
    """Where in the series a finding comes from."""
    patch = series.patches[finding.patch - 1].name if finding.patch else ""
    return Origin(finding.patch, patch, str(finding.cause), str(finding.progress or ""))


def of_patch(series: SeriesReport, position: int) -> list[Finding]:
    """The author's findings that a patch causes, by their places in the state after it."""
    found = [finding for finding in series.authors() if finding.patch == position]
    return sorted(found, key=lambda finding: finding.diagnostic.sort_key)


def state_sources(series: SeriesReport, state: int) -> Sources:
    """The files of one state."""
    return Sources(Report((), (), Coverage(0, 0, 0, ())), lambda path: series.read(path, state))
