"""Findings for a person at a terminal: each with its source, the evidence numbered in its order. Needs rich.

    mm/walk.c:16:52: error: 'pte' is not the entry for 'addr': it is one entry ahead of it [wrong-ptep]
       16 |         lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);
          |                                                           ^~~
    mm/walk.c:12:17: note: (1) 'pte' is advanced here
       12 |                 pte++;
          |                 ^~~~~

The first line of each finding and of each piece of evidence is that of gcc, so that an editor still finds the place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from mmlint.diagnostic import Diagnostic, Fix, Level
from mmlint.engine import Report
from mmlint.report.excerpt import Row, excerpt
from mmlint.report.sources import Sources
from mmlint.report.terminal import Pen, shown
from mmlint.report.text import skipped_line, summary
from mmlint.source import Location

_STYLES: Final = {Level.ERROR: "bold red", Level.WARNING: "bold magenta", Level.NOTE: "bold cyan"}


def print_report(report: Report, stream: TextIO, colour: bool, width: int | None = None) -> None:
    """Print the findings and the summary, with excerpts within ``width`` columns, by default those of the terminal."""
    console = Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system=("standard" if width else "auto") if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for text in texts(report, console.width):
        # A long line is left to the terminal to break, so that it can be copied in one piece.
        console.print(text, soft_wrap=True)


def texts(report: Report, width: int) -> Iterator[Text]:
    """The lines that are printed."""
    sources = Sources(report)
    for diagnostic in report.diagnostics:
        yield from _finding(diagnostic, sources, width)
        yield Text("")
    for skipped in report.coverage.skipped:
        yield Text(skipped_line(skipped, Pen()))
    yield Text(summary(report), "bold")


def _finding(diagnostic: Diagnostic, sources: Sources, width: int) -> Iterator[Text]:
    style = _STYLES[diagnostic.level]
    message = (shown(diagnostic.message), "bold")
    yield _head(diagnostic.location, (f"{diagnostic.level}:", style), message, (f"[{diagnostic.rule}]", style))
    yield from _source(diagnostic.location, sources, width, style)
    before = diagnostic.location
    for number, note in enumerate(diagnostic.notes, start=1):
        yield _head(note.location, ("note:", "bold cyan"), (f"({number})", "bold cyan"), (shown(note.message), ""))
        if (note.location.path, note.location.span) != (before.path, before.span):
            yield from _source(note.location, sources, width, "cyan")
        before = note.location
    if diagnostic.fix:
        yield _remedy(diagnostic.fix)


def _head(location: Location, *parts: tuple[str, str]) -> Text:
    text = Text.assemble((f"{shown(location.path)}:{location.line}:{location.column}:", "bold"))
    for part, style in parts:
        text.append(" ").append(part, style or None)
    return text


def _source(location: Location, sources: Sources, width: int, style: str) -> Iterator[Text]:
    source = sources.get(location.path)
    if source is None or location.span.end > len(source.data):
        return
    yield from _excerpt(excerpt(source, location.span, width), style)


def _excerpt(rows: Iterable[Row], style: str) -> Iterator[Text]:
    for row in rows:
        gutter, bar, text = str(row).partition("|")
        yield Text.assemble((gutter + bar, "blue"), (text, "" if row.number else style))


def _remedy(fix: Fix) -> Text:
    how = {"safe": "mmlint fix", "unsafe": "mmlint fix --unsafe, after a look"}.get(str(fix.applicability), "by hand")
    return Text.assemble(("      = ", "blue"), ("fix: ", "bold green"), f"{shown(fix.title)} ({how})")
