"""``series``: a patch series as one object, and an exit code that a script can use."""

from __future__ import annotations

import argparse
from dataclasses import replace

from mmlint.cli import BAD, CLEAN, FINDINGS
from mmlint.commands.accepted import accept
from mmlint.commands.formats import TEXT
from mmlint.commands.output import pen, print_lines
from mmlint.commands.outputs import only_text, outputs_of, write_outputs
from mmlint.commands.run import for_series
from mmlint.commands.settings import settings_of
from mmlint.config import Settings
from mmlint.series.check import Options, check_series
from mmlint.series.model import INCOMPLETE, SeriesReport


def run(arguments: argparse.Namespace) -> int:
    """Check, print, and return the exit code. Raises UsageError."""
    outputs = outputs_of(arguments, series=True)
    arguments.paths = [arguments.tree or "."]
    settings = settings_of(arguments)
    source, *beside = arguments.sources
    options = Options(arguments.tree, arguments.base, arguments.since_previous, tuple(beside))
    with check_series(source, options, for_series(settings)) as report:
        report = shown_of(report, settings, tell_unneeded=True)
        if not only_text(outputs):
            from mmlint.report.series_outcome import outcome_of

            outcome = outcome_of(report, settings.fail_level, settings.rules, arguments.quiet, arguments.all)
            write_outputs(outputs, outcome)
        if outputs[-1].name == TEXT:
            from mmlint.report.series_text import render_lines

            print_lines(render_lines(report, pen(arguments), arguments.quiet, arguments.all, arguments.verbose))
        return exit_code(report, settings, arguments.exit_zero)


def shown_of(report: SeriesReport, settings: Settings, tell_unneeded: bool = False) -> SeriesReport:
    """Without what the list of suppressions accepts, and without findings below the level."""
    report = accept(report, settings, tell_unneeded)
    return replace(report, findings=tuple(finding for finding in report.findings if finding.level >= settings.level))


def to_the_point(report: SeriesReport) -> SeriesReport:
    """Without what is true of every patch that is looked at by itself, unless calls could not be judged for it.

    What one patch leaves plain is for the next one to convert.
    """
    unseen = report.base.unseen if report.skipped else ()
    findings = report.findings
    if len(report.patches) == 1:
        findings = tuple(finding for finding in findings if finding.diagnostic.rule != INCOMPLETE)
    return replace(report, findings=findings, base=replace(report.base, unseen=unseen), remarks=())


def exit_code(report: SeriesReport, settings: Settings, exit_zero: bool = False) -> int:
    """2 when something could not be seen, else 1 for findings of the author's at the fail level."""
    if report.skipped or report.base.is_degraded:
        return BAD
    told = (*report.authors(), *report.unneeded_by_author())
    failing = any(finding.level >= settings.fail_level for finding in told)
    return FINDINGS if failing and not exit_zero else CLEAN
