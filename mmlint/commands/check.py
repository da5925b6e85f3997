"""``check``: findings in any format, and an exit code that a script can use."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from mmlint.cli import BAD, CLEAN, FINDINGS
from mmlint.commands.formats import TEXT
from mmlint.commands.output import print_findings, print_lines
from mmlint.commands.run import at_level, from_stdin, paths_of, report_of, without_suppressed
from mmlint.commands.settings import settings_of
from mmlint.config import Settings, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mmlint.commands.outputs import Output
    from mmlint.engine import Report


def run(arguments: argparse.Namespace) -> int:
    """Check, print, and return the exit code. Raises UsageError."""
    if arguments.git:
        return _check_commits(arguments)
    _check_reason(arguments)
    outputs = _outputs(arguments)
    settings = settings_of(arguments)
    report = _accepted(arguments, settings) if arguments.write_suppressions else report_of(arguments, settings)
    report = at_level(report, settings.level)
    if outputs:
        from mmlint.commands.outputs import write_outputs
        from mmlint.report.outcome import Outcome
        from mmlint.report.sources import Sources

        outcome = Outcome(
            report, Sources(report), settings.fail_level, settings.rules, arguments.quiet, arguments.statistics
        )
        write_outputs(outputs, outcome)
    if not outputs or outputs[-1].name == TEXT:
        print_findings(report, arguments)
        if arguments.statistics:
            from mmlint.report.statistics import render

            print_lines(render(report))
    return exit_code(report, settings, arguments.exit_zero)


def _outputs(arguments: argparse.Namespace) -> list[Output]:
    """What is asked for besides text on standard output, which needs none of this; that one is the last."""
    if not arguments.output and arguments.format in (None, TEXT):
        return []
    from mmlint.commands.outputs import outputs_of

    return outputs_of(arguments)


def _check_commits(arguments: argparse.Namespace) -> int:
    """``check -g A..B`` is ``series A..B`` by the name that checkpatch gives it."""
    from mmlint.commands.series import run as run_series

    for given, name in (
        (arguments.paths, "PATH"),
        (arguments.stdin_filename, "--stdin-filename"),
        (arguments.statistics, "--statistics"),
        (arguments.write_suppressions, "--write-suppressions"),
        (arguments.reason is not None, "--reason"),
    ):
        if given:
            raise UsageError(f"{name}: commits are checked, not files; leave it or -g {arguments.git} away")
    single = ".." not in arguments.git
    arguments.sources = [f"{arguments.git}^..{arguments.git}" if single else arguments.git]
    for name in ("tree", "base", "since_previous"):
        setattr(arguments, name, None)
    arguments.all = arguments.verbose = False
    return run_series(arguments)


def exit_code(report: Report, settings: Settings, exit_zero: bool = False) -> int:
    """2 when something could not be read, else 1 for findings of the fail level, unless they are to be forgiven."""
    if report.coverage.skipped:
        return BAD
    failing = any(diagnostic.level >= settings.fail_level for diagnostic in report.diagnostics)
    return FINDINGS if failing and not exit_zero else CLEAN


def _check_reason(arguments: argparse.Namespace) -> None:
    if not arguments.write_suppressions:
        if arguments.reason is not None:
            raise UsageError("--reason: nothing is accepted; give --write-suppressions FILE as well")
        return
    if not (arguments.reason or "").strip():
        raise UsageError("--write-suppressions: say why the findings are accepted; give --reason TEXT")
    if not arguments.reason.isprintable():
        raise UsageError("--reason: it is more than one line of text; give one line")
    if from_stdin(arguments) and not arguments.stdin_filename:
        raise UsageError("--write-suppressions: standard input has no name to write down; give --stdin-filename PATH")


def _is_taken(path: Path, arguments: argparse.Namespace) -> bool:
    """True when a run that does not name the list takes it all the same."""
    plain = argparse.Namespace(**{**vars(arguments), "write_suppressions": None})
    usual = settings_of(plain).suppressions
    return usual is not None and usual.resolve() == path.resolve()


def _accepted(arguments: argparse.Namespace, settings: Settings) -> Report:
    """Write down the present findings, and give the report as it is from now on."""
    from pathlib import Path

    from mmlint.suppressions import append

    path = Path(arguments.write_suppressions)
    report = report_of(arguments, settings._replace(suppressions=None))
    count = append(path, at_level(report, settings.level).diagnostics, arguments.reason.strip())
    told = f"{count} {'entry' if count == 1 else 'entries'} added to {path}"
    if path.exists() and not (arguments.suppressions or _is_taken(path, arguments)):
        told += f"; it is taken with --suppressions {path}, or as suppressions of .mmlint.toml"
    print(f"mmlint: {told}", file=sys.stderr)
    if not path.exists():
        return report
    return without_suppressed(report, settings, paths_of(arguments))
