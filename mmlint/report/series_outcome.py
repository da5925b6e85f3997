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
from mmlint.series.model import Finding, SeriesReport


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
    unseen = tuple(Skipped(series.base.tree, "", 1, sentence) for sentence in series.base.unseen)
    skipped = tuple(sorted({*series.skipped, *unseen}, key=lambda s: (s.path, s.line, s.function, s.reason)))
    report = series.final._replace(
        diagnostics=tuple(sorted((at_the_end(finding) for finding in found), key=lambda d: d.sort_key)),
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


def at_the_end(finding: Finding) -> Diagnostic:
    """The finding as of the last state, else as it was told of its patch; the fingerprint is the same."""
    found = finding.final or finding.diagnostic
    return found._replace(fingerprint=finding.diagnostic.fingerprint)


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
