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

from mmlint.cache import Cache, Results, open_cache
from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic, Skipped, Suppressed, fingerprinted
from mmlint.files import BINARY, Found, binary, find_files, read, scan
from mmlint.parallel import Died, spread
from mmlint.source import Source, Span

if TYPE_CHECKING:
    from mmlint.checker import Checker, FileReport
    from mmlint.facts.sections import FileFacts
    from mmlint.recorded import Log

# What every name in rules/kernel/api.toml contains, and what the calls do that run a function in a section; to read
# those files costs more than to search this one.
COMMON: Final = b"lazy_mmu_mode"
RUNNERS: Final = b"_page_range("
# Less C than this is analysed before a second process has started.
_WORTH_SPREADING: Final = 200_000
# The functions of a smaller file are judged before a second process has started.
WORTH_SHARING: Final = 20_000
# Fewer files than this are read before a cache is opened.
_WORTH_REMEMBERING: Final = 1 << 12


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
    with open_cache(settings.cache) as cache:
        hits = _scan(found.files, settings, cache)
        tell("checking", len(hits.files))
        reports = _check_all(hits.files, settings, cache) if hits.files else []
    return make_report(len(found.files), reports, (*found.skipped, *hits.skipped))


def _scan(files: Sequence[str], settings: Settings, cache: Cache) -> Found:
    if len(files) < _WORTH_REMEMBERING or not cache.is_open:
        return scan(files, needles(settings.target), settings.processes)
    from mmlint.cache_key import key
    from mmlint.remembered import Signed, scan_remembered

    place = key("scan", os.getcwd(), *needles(settings.target))  # noqa: PTH109
    signed = Signed(files, settings.processes)
    return scan_remembered(signed, needles(settings.target), cache, place, settings.processes)


def run_on(source: Source, settings: Settings) -> Report:
    """Check one text, whatever its path leads to. Raises as `run` does."""
    if settings.select or settings.ignore or settings.rules:
        _checker(settings)
    if binary(source.data):
        return make_report(1, [], [Skipped(source.path, "", 1, BINARY)])
    if not any(needle in source.data for needle in needles(settings.target)):
        return make_report(1, [], [])
    with open_cache(settings.cache) as cache:
        return make_report(1, _check_sources([source], _checker(settings, cache), settings, cache), [])


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


def _checker(settings: Settings, cache: Cache | None = None) -> Checker:
    from mmlint.checker import make_checker

    return make_checker(settings, cache)


def _check_all(paths: Sequence[str], settings: Settings, cache: Cache) -> list[FileReport]:
    """A report for each path, in order."""
    from mmlint.checker import FileReport
    from mmlint.facts.mentions import mentions_section

    checker = _checker(settings, cache)
    sources: dict[str, Source] = {}
    empty: dict[str, FileReport] = {}
    for path in paths:
        try:
            data = read(path)
        except OSError as error:
            empty[path] = FileReport((), None, (Skipped(path, "", 1, error.strerror or str(error)),))
            continue
        if mentions_section(data, checker.vocabulary):
            sources[path] = Source(path, data)
        else:
            empty[path] = FileReport((), None, ())
    reports = dict(zip(sources, _check_sources(list(sources.values()), checker, settings, cache), strict=True))
    return [reports[path] if path in reports else empty[path] for path in paths]


def _check_sources(sources: Sequence[Source], checker: Checker, settings: Settings, cache: Cache) -> list[FileReport]:
    known: dict[str, FileReport] = {}
    # What else a rule from elsewhere reads, nobody knows.
    if cache.is_open and not settings.rules:
        from mmlint.kept_reports import KeptReports

        kept = KeptReports(cache, checker)
        known = {source.path: report for source in sources if (report := kept.find(source))}
    fresh = [source for source in sources if source.path not in known]
    for source, judged in zip(fresh, _judge_all(fresh, checker), strict=True):
        known[source.path] = judged.report
        if cache.is_open and not settings.rules:
            cache.take(judged.results)
            if judged.log is not None:
                kept.keep(source, judged.report, judged.log)
    return [known[source.path] for source in sources]


class _Judged(NamedTuple):
    """A report, what its analysis asked of the tree, and what else is to be kept; None where it was cut short."""

    report: FileReport
    log: Log | None
    results: Results


def _judge_all(sources: Sequence[Source], checker: Checker) -> list[_Judged]:
    """The largest files are begun first, so that no process waits for another."""
    from mmlint.checker import not_finished

    size = sum(len(source.data) for source in sources)
    spreading = checker.processes > 1 and len(sources) > 1 and size >= _WORTH_SPREADING
    if sources:
        checker.begin(sources[0].path)
        # Loaded once, before the processes fork, and while others read.
        import mmlint.facts.analysis  # noqa: F401

    if spreading:
        checker.prepare(sources[0].path)
    # One file of some size is shared out by its functions.
    inside = checker.processes if not spreading and size >= WORTH_SHARING else 1
    order = sorted(range(len(sources)), key=lambda number: (-len(sources[number].data), sources[number].path))
    outside = checker.processes if spreading else 1
    found = spread(lambda number: _judge(sources[number], checker, inside), order, outside)
    judged = dict(zip(order, found, strict=True))
    return [
        _Judged(not_finished(source.path, one.reason), None, {}) if isinstance(one := judged[number], Died) else one
        for number, source in enumerate(sources)
    ]


def _judge(source: Source, checker: Checker, processes: int) -> _Judged:
    report = checker.check(source, processes=processes)
    tree = checker.recorded(source.path)
    results = checker.cache.handed_over() if checker.cache else {}
    return _Judged(report, tree.log if tree is not None else {}, results)


def needles(target: str) -> tuple[bytes, ...]:
    """Byte strings one of which stands in every file that names the API, or has functions run in a section."""
    named = (COMMON,) if COMMON in target.encode() or not target else (COMMON, target.encode())
    return (*named, RUNNERS)
