"""``fix``: the repairs as a diff or a commit message, or in the files; the account of it on standard error."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace

from mmlint.cache import Cache, open_cache
from mmlint.checker import Checker, FileReport, make_checker
from mmlint.cli import BAD, CLEAN, FINDINGS
from mmlint.commands.run import from_stdin, paths_of, report_of
from mmlint.commands.settings import settings_of
from mmlint.config import Settings, UsageError
from mmlint.diagnostic import Applicability, fingerprinted
from mmlint.engine import Report
from mmlint.facts.sections import FileFacts
from mmlint.files import read
from mmlint.fix import Repair, repair
from mmlint.report.repairs import account, undeclared, write
from mmlint.source import Source


def run(arguments: argparse.Namespace) -> int:
    """Repair, print or write, and return the exit code. Raises UsageError."""
    if arguments.in_place and from_stdin(arguments):
        raise UsageError("--in-place: standard input cannot be written; leave it out to get a diff")
    if arguments.series and (arguments.in_place or arguments.commit_message or from_stdin(arguments)):
        raise UsageError("--series: it makes patches with messages from files; give neither -, --in-place nor the like")
    settings = settings_of(arguments)
    report = report_of(arguments, settings)
    with open_cache(settings.cache) as cache:
        return _run(arguments, report, _Judge(settings, cache))


def _run(arguments: argparse.Namespace, report: Report, judge: _Judge) -> int:
    floor = Applicability.UNSAFE if arguments.unsafe else Applicability.SAFE
    files = [*report.facts, *_other_files(report, judge)]
    repairs = [repair(facts, report.diagnostics, judge.check, floor) for facts in files]
    repairs.sort(key=lambda change: change.path)
    failures = write(repairs, paths_of(arguments)) if arguments.in_place else []
    if arguments.commit_message:
        from mmlint.report.commit_message import commit_message

        sys.stdout.write(commit_message(repairs, judge.checker.rules))
    elif arguments.series:
        _write_series(arguments.series, repairs, report, judge.checker)
    elif not arguments.in_place:
        _print_diff(repairs)
    lines = [*failures, *undeclared(repairs, judge.checker.vocabulary)]
    lines += account(repairs, report, arguments.in_place, arguments.quiet)
    print(*lines, sep="\n", end="\n" * bool(lines), file=sys.stderr)
    if report.coverage.skipped or failures or any(change.refused for change in repairs):
        return BAD
    return FINDINGS if any(change.changes for change in repairs) else CLEAN


def _other_files(report: Report, judge: _Judge) -> list[FileFacts]:
    """The files without a section of their own that a finding would repair."""
    known = {facts.source.path for facts in report.facts}
    found = []
    for path in sorted({d.path for d in report.diagnostics if d.fix} - known):
        try:
            source = Source(path, read(path))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; what is to be repaired there cannot be read") from error
        facts = judge.check(source).facts
        if facts is not None:
            found.append(facts)
    return found


def _write_series(folder: str, repairs: list[Repair], report: Report, checker: Checker) -> None:
    """Make the patches and print the names of their files; a folder appears only where something changes."""
    from mmlint.atomic import WriteError, write_folder
    from mmlint.report.conversion import conversion

    files = conversion(repairs, report, checker)
    if not files:
        return
    try:
        write_folder(folder, files)
    except WriteError as error:
        raise UsageError(f"--series {folder}: {error}") from error
    for name in files:
        print(os.path.join(folder, name))  # noqa: PTH118


def _print_diff(repairs: list[Repair]) -> None:
    from mmlint.report.diff import diff

    for change in repairs:
        sys.stdout.buffer.write(diff(change.path, change.before, change.after))


class _Judge:
    """The checker, without the findings that are accepted: what somebody accepted is not repaired in a later round."""

    def __init__(self, settings: Settings, cache: Cache) -> None:
        from mmlint.suppressions import UNUSED, read_list

        self.checker = make_checker(settings._replace(ignore=settings.ignore - {UNUSED}), cache)
        self._accepted = read_list(settings.suppressions) if settings.suppressions else None

    def check(self, source: Source) -> FileReport:
        """The report of one file."""
        report = self.checker.check(source)
        if self._accepted is None:
            return report
        from mmlint.suppressions import apply_list

        found = fingerprinted(report.diagnostics)
        return replace(report, diagnostics=apply_list(self._accepted, found, lambda _: False).remaining)
