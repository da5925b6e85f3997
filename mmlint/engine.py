"""A run: find the files, check those that can hold a section, and account for all of them.

    run(["mm"], Settings())                            ->  Report(diagnostics, facts, coverage)
    run_on(Source("mm/memory.c", data), Settings())    ->  the same for one text, such as standard input

The result is the same for the same input, however many processes work. What judges a file is loaded only when there is
a file to judge: in a kernel tree, one of 3,000 has a section.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic, Skipped, Suppressed, fingerprinted
from mmlint.files import BINARY, binary, find_files, read, scan
from mmlint.parallel import Died, spread
from mmlint.source import Source, Span

if TYPE_CHECKING:
    from mmlint.checker import Checker, FileReport
    from mmlint.facts.sections import FileFacts

# What every name in rules/kernel/api.toml contains, and what the calls do that run a function in a section; to read
# those files costs more than to search this one.
COMMON: Final = b"lazy_mmu_mode"
RUNNERS: Final = b"_page_range("
# Less C than this is analysed before a second process has started.
_WORTH_SPREADING: Final = 200_000


class Coverage(NamedTuple):
    """What a run looked at: files read, functions looked at, sections found, and what was skipped."""

    files: int
    functions: int
    sections: int
    skipped: tuple[Skipped, ...]


class Report(NamedTuple):
    """A run: findings in order, the facts of every file that holds a section, and the account.

    ``suppressed`` are findings that were taken out of ``diagnostics`` because somebody accepted them, ``below`` counts
    those that are not bad enough to be shown.
    """

    diagnostics: tuple[Diagnostic, ...]
    facts: tuple[FileFacts, ...]
    coverage: Coverage
    suppressed: tuple[Suppressed, ...] = ()
    below: int = 0


def run(paths: Sequence[str], settings: Settings, tell: Callable[[str, int], None] = lambda *_: None) -> Report:
    """Check ``paths``; ``tell`` gets the name of each stage and the number of its files.

    Raises UsageError, VocabularyError and RuleError for what the settings ask in vain.
    """
    if settings.select or settings.ignore or settings.rules:
        _checker(settings)
    found = find_files(paths)
    tell("reading", len(found.files))
    hits = scan(found.files, needles(settings.target), settings.processes)
    tell("checking", len(hits.files))
    reports = _check_all(hits.files, settings) if hits.files else []
    return make_report(len(found.files), reports, (*found.skipped, *hits.skipped))


def run_on(source: Source, settings: Settings) -> Report:
    """Check one text, whatever its path leads to. Raises as `run` does."""
    if settings.select or settings.ignore or settings.rules:
        _checker(settings)
    if binary(source.data):
        return make_report(1, [], [Skipped(source.path, "", 1, BINARY)])
    if not any(needle in source.data for needle in needles(settings.target)):
        return make_report(1, [], [])
    return make_report(1, [_checker(settings).check(source)], [])


def make_report(files: int, reports: Sequence[FileReport], unread: Iterable[Skipped]) -> Report:
    """The report of a run over ``files`` files, of which ``reports`` can hold a section."""
    facts = tuple(report.facts for report in reports if report.facts)
    skipped = {*unread, *(s for report in reports for s in report.skipped)}
    coverage = Coverage(
        files,
        sum(file.looked_at for file in facts),
        sum(len(function.sections) for file in facts for function in file.functions),
        tuple(sorted(skipped, key=lambda s: (s.path, s.line, s.function, s.reason))),
    )
    # Sections of several files may lead to one place.
    single: dict[tuple[str, str, Span, str], Diagnostic] = {}
    for diagnostic in (d for report in reports for d in report.diagnostics):
        key = (diagnostic.rule, diagnostic.path, diagnostic.location.span, diagnostic.message)
        single.setdefault(key, diagnostic)
    return Report(tuple(fingerprinted(single.values())), facts, coverage)


def _checker(settings: Settings) -> Checker:
    from mmlint.checker import make_checker

    return make_checker(settings)


def _check_all(paths: Sequence[str], settings: Settings) -> list[FileReport]:
    """A report for each path, in order; the largest files are begun first, so that no process waits for another."""
    from mmlint.checker import not_finished

    checker = _checker(settings)
    sizes = {path: _size(path) for path in paths}
    spreading = settings.processes > 1 and sum(sizes.values()) >= _WORTH_SPREADING
    if spreading:
        import mmlint.facts.analysis  # noqa: F401 - loaded once, before the processes fork

        checker.prepare(paths[0])
    order = sorted(paths, key=lambda path: (-sizes[path], path))
    reports = spread(lambda path: _check_path(path, checker), order, settings.processes if spreading else 1)
    finished = {
        path: not_finished(path, report.reason) if isinstance(report, Died) else report
        for path, report in zip(order, reports, strict=True)
    }
    return [finished[path] for path in paths]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0


def _check_path(path: str, checker: Checker) -> FileReport:
    from mmlint.checker import FileReport
    from mmlint.facts.analysis import mentions_section

    try:
        data = read(path)
    except OSError as error:
        return FileReport((), None, (Skipped(path, "", 1, error.strerror or str(error)),))
    if not mentions_section(data, checker.vocabulary):
        return FileReport((), None, ())
    return checker.check(Source(path, data))


def needles(target: str) -> tuple[bytes, ...]:
    """Byte strings one of which stands in every file that names the API, or has functions run in a section."""
    named = (COMMON,) if COMMON in target.encode() or not target else (COMMON, target.encode())
    return (*named, RUNNERS)
