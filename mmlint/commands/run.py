"""From arguments to a report: paths or standard input, what is suppressed, what is too slight to be shown.

``-`` as the only path reads one text from standard input; it is judged as if it stood at ``--stdin-filename``, so that
the tree of that path gives the generation of the API.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from mmlint.config import Settings, UsageError
from mmlint.diagnostic import Level

if TYPE_CHECKING:
    from mmlint.engine import Report

STDIN = "-"
# A run over fewer files is over before a line on it could be read.
_WHOLE_TREE = 2000


def report_of(arguments: argparse.Namespace, settings: Settings) -> Report:
    """Check what the arguments name, without what the list of suppressions accepts. Raises UsageError."""
    report = _checked(arguments, for_engine(settings))
    if settings.suppressions is None:
        return report
    return without_suppressed(report, settings, paths_of(arguments))


def paths_of(arguments: argparse.Namespace) -> list[str]:
    """The paths that are checked, standard input by its name."""
    if from_stdin(arguments):
        return [getattr(arguments, "stdin_filename", None) or "<stdin>"]
    return arguments.paths or [os.curdir]


def from_stdin(arguments: argparse.Namespace) -> bool:
    """True when the text comes from standard input. Raises UsageError when that is not all there is."""
    asked = STDIN in arguments.paths
    if asked and len(arguments.paths) > 1:
        raise UsageError(
            "-: standard input goes alone; give either - or files and folders (./- for a file of that name)"
        )
    if getattr(arguments, "stdin_filename", None) and not asked:
        raise UsageError("--stdin-filename: nothing is read from standard input; give - as the path")
    return asked


def _checked(arguments: argparse.Namespace, settings: Settings) -> Report:
    if from_stdin(arguments):
        from mmlint.engine import run_on
        from mmlint.source import Source

        return run_on(Source(paths_of(arguments)[0], sys.stdin.buffer.read()), settings)
    from mmlint.engine import run

    tell = _Progress() if sys.stderr.isatty() and not arguments.quiet else None
    try:
        report = run(paths_of(arguments), settings, tell or _silence)
    finally:
        if tell:
            tell.end()
    if not report.coverage.files and not report.coverage.skipped:
        where = ", ".join(paths_of(arguments))
        raise UsageError(f"{where}: no *.c or *.h file is there; give files, or folders that hold some")
    return report


def _silence(stage: str, files: int) -> None:
    del stage, files


class _Progress:
    """A line on standard error that says what goes on in a whole tree, and is gone at the end."""

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, stage: str, files: int) -> None:
        if self._shown or files >= _WHOLE_TREE:
            self._shown = True
            sys.stderr.write(f"\r\033[K{stage} {files:,} file{'s' * (files != 1)} ...")
            sys.stderr.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def for_engine(settings: Settings) -> Settings:
    """The engine knows real rules only."""
    if not settings.ignore:
        return settings
    from mmlint.series.model import SERIES_RULES
    from mmlint.suppressions import UNUSED

    return settings._replace(ignore=settings.ignore - {UNUSED, *SERIES_RULES})


def for_series(settings: Settings) -> Settings:
    """A series has rules of its own beside those of the engine."""
    if not settings.ignore:
        return settings
    from mmlint.suppressions import UNUSED

    return settings._replace(ignore=settings.ignore - {UNUSED})


def without_suppressed(report: Report, settings: Settings, paths: list[str]) -> Report:
    """The report without what the list of the settings accepts, and with a note for each entry that is not needed."""
    from mmlint.suppressions import UNUSED, apply_list, covered, read_list, unused_findings

    assert settings.suppressions is not None
    accepted = read_list(settings.suppressions)
    skipped = {entry.path for entry in report.coverage.skipped}
    applied = apply_list(
        accepted,
        report.diagnostics,
        lambda entry: settings.selects(entry.rule) and covered(entry, accepted.folder, paths, skipped),
    )
    unused = [] if UNUSED in settings.ignore else unused_findings(accepted, applied.unused)
    diagnostics = sorted([*applied.remaining, *unused], key=lambda d: d.sort_key)
    return report._replace(diagnostics=tuple(diagnostics), suppressed=applied.suppressed)


def at_level(report: Report, level: Level) -> Report:
    """The report without findings below ``level``; they are counted."""
    shown = tuple(diagnostic for diagnostic in report.diagnostics if diagnostic.level >= level)
    return report._replace(diagnostics=shown, below=len(report.diagnostics) - len(shown))
