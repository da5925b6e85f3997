"""A run: find the files, check those that can hold a section, and account for all of them.

    run(["mm"], Settings())  ->  Report(diagnostics, facts, coverage)

The result is the same for the same input, however many processes work. What judges a file is loaded only when there is
a file to judge: in a kernel tree, one of 3,000 has a section.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic, Skipped, fingerprinted
from mmlint.files import find_files, read, scan
from mmlint.kernel import load_vocabulary
from mmlint.parallel import Died, spread
from mmlint.source import Source
from mmlint.vocabulary import Vocabulary

if TYPE_CHECKING:
    from mmlint.checker import Checker, FileReport
    from mmlint.facts.sections import FileFacts

_SHORTEST_NEEDLE: Final = 6
# Less C than this is analysed before a second process has started.
_WORTH_SPREADING: Final = 200_000


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a run looked at: files read, functions looked at, sections found, and what was skipped."""

    files: int
    functions: int
    sections: int
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A run: findings in order, the facts of every file that holds a section, and the account."""

    diagnostics: tuple[Diagnostic, ...]
    facts: tuple[FileFacts, ...]
    coverage: Coverage


def run(paths: Sequence[str], settings: Settings) -> Report:
    """Check ``paths``. Raises UsageError, VocabularyError and RuleError for what the settings ask in vain."""
    if settings.select or settings.ignore or settings.rules:
        _checker(settings)
    found = find_files(paths)
    hits = scan(found.files, needles(load_vocabulary(target=settings.target)), settings.processes)
    reports = _check_all(hits.files, settings) if hits.files else []
    facts = tuple(report.facts for report in reports if report.facts)
    skipped = {*found.skipped, *hits.skipped}
    skipped.update(s for report in reports for s in report.skipped)
    coverage = Coverage(
        len(found.files),
        sum(file.looked_at for file in facts),
        sum(len(function.sections) for file in facts for function in file.functions),
        tuple(sorted(skipped, key=lambda s: (s.path, s.line, s.function, s.reason))),
    )
    return Report(tuple(fingerprinted(d for report in reports for d in report.diagnostics)), facts, coverage)


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
    order = sorted(paths, key=lambda path: (-sizes[path], path))
    reports = spread(lambda path: _check_path(path, checker), order, settings.processes if spreading else 1)
    finished = {
        path: not_finished(path, report.reason) if isinstance(report, Died) else report
        for path, report in zip(order, reports, strict=True)
    }
    return [finished[path] for path in paths]


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
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


def needles(vocabulary: Vocabulary) -> tuple[bytes, ...]:
    """Byte strings one of which stands in every file that names the API."""
    every = vocabulary.enters | vocabulary.leaves | vocabulary.pauses | vocabulary.resumes | vocabulary.ranged_enters
    names = sorted(every)
    common = _common_part(names)
    return (common.encode(),) if common else tuple(name.encode() for name in names)


def _common_part(names: Sequence[str]) -> str:
    """The longest string that all names contain, or empty when that is too short to be worth a search."""
    shortest = min(names, key=len)
    for length in range(len(shortest), _SHORTEST_NEEDLE - 1, -1):
        for start in range(len(shortest) - length + 1):
            part = shortest[start : start + length]
            if all(part in name for name in names):
                return part
    return ""
