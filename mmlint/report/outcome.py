"""What every renderer is given: the findings, the files behind them, and how they came about.

    render(Outcome(report, Sources(report)))   ->  the text of one format

What was not analysed becomes a warning of the pseudo-rule ``not-analysed`` where a format knows nothing but findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mmlint.diagnostic import Diagnostic, Level, Skipped, fingerprinted
from mmlint.engine import Report
from mmlint.facts.sections import FunctionFacts, Section
from mmlint.report.sources import Sources
from mmlint.report.terminal import shown
from mmlint.report.text import summary
from mmlint.source import Location, Span

if TYPE_CHECKING:
    from mmlint.series.model import SeriesReport

NOT_ANALYSED: Final = "not-analysed"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a series a finding comes from: ``position`` of the patch (0: none), its name, cause, and progress.

    ``cause`` and ``progress`` are words of the series' model; ``progress`` is empty without a previous revision.
    """

    position: int
    patch: str
    cause: str
    progress: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.patch, self.cause, self.progress) if part)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report and what a renderer needs beside it.

    Findings of ``fail_level`` or worse are failures. ``rules`` are folders of further rules, whose documentation some
    formats quote. ``quiet`` leaves out what passed and the summary, ``statistics`` asks for counts of each rule.
    ``origins`` has an entry for each fingerprint of a finding of a series, and is empty for a plain check, as is
    ``series``; ``everything`` asks for what the author of a series did not cause as well.
    """

    report: Report
    sources: Sources
    fail_level: Level = Level.WARNING
    rules: tuple[Path, ...] = ()
    quiet: bool = False
    statistics: bool = False
    origins: Mapping[str, Origin] = field(default_factory=dict)
    series: SeriesReport | None = None
    everything: bool = False

    @property
    def summary(self) -> str:
        """One line on what was found and what was looked at."""
        if self.series is not None:
            from mmlint.report.series_text import summary as summary_of_series

            return summary_of_series(self.series)
        return summary(self.report)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What has to be told of the input of a series."""
        return self.series.remarks if self.series else ()

    @property
    def fixed(self) -> tuple[Diagnostic, ...]:
        """Findings of the previous revision of a series that are gone."""
        previous = self.series.previous if self.series else None
        return tuple(finding.diagnostic for finding in previous.fixed) if previous else ()

    def origin(self, diagnostic: Diagnostic) -> Origin | None:
        """Where in a series the finding comes from."""
        return self.origins.get(diagnostic.fingerprint)

    def said(self, diagnostic: Diagnostic) -> str:
        """The message as it is shown, with where in a series it comes from."""
        origin = self.origin(diagnostic)
        return shown(diagnostic.message) + (f" ({origin})" if origin else "")

    def with_unread(self) -> list[Diagnostic]:
        """The findings, and behind them one for everything that was not analysed."""
        return [*self.report.diagnostics, *unread(self.report.coverage.skipped, self.sources)]

    def sections(self) -> Iterator[tuple[FunctionFacts, Section]]:
        """Every section with its function, in order."""
        for file in self.report.facts:
            for function in file.functions:
                for section in function.sections:
                    yield function, section


def unread(skipped: Iterable[Skipped], sources: Sources) -> list[Diagnostic]:
    """A warning for each piece of code that was not analysed."""
    return fingerprinted(
        Diagnostic(NOT_ANALYSED, Level.WARNING, _place(entry, sources), entry.function, entry.message)
        for entry in skipped
    )


def _place(entry: Skipped, sources: Sources) -> Location:
    """The beginning of the line where the source knows it, else that line with no bytes to point to."""
    source = sources.get(entry.path) if entry.function else None
    if source is not None:
        try:
            start = source.line_span(entry.line).start
        except IndexError:
            pass
        else:
            return source.locate(Span(start, start))
    return Location(entry.path, Span(0, 0), entry.line, 1, entry.line, 1)


def worst_first(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By level, then as they came: for readers that stop early."""
    return sorted(diagnostics, key=lambda diagnostic: -diagnostic.level)


def clean(text: str) -> str:
    r"""Text that UTF-8 can hold: bytes of a path that are no UTF-8 are shown as ``\xff``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
