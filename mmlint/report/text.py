"""The default format of ``check``: the lines of gcc, which every editor reads, and one line of summary.

    mm/madvise.c:404:36: error: 'pte' is not the entry for 'addr' [wrong-ptep]
    mm/madvise.c:396:14: note: 'pte' is advanced here
    ...
    12 notes; 14 sections in 9 functions of 6 files; 0 not analysed

Columns count bytes, as vim does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level, Skipped
from mmlint.engine import Coverage, Report
from mmlint.report.terminal import Pen, counted, shown
from mmlint.source import Location

_STYLES = {Level.ERROR: "red", Level.WARNING: "magenta", Level.NOTE: "cyan"}


def render(report: Report, pen: Pen, quiet: bool = False) -> Iterator[str]:
    """Lines without newlines; ``quiet`` leaves out the evidence and the summary, but not what is suppressed."""
    yield from render_findings(report, pen, quiet)
    if not quiet:
        yield summary(report)


def render_findings(report: Report, pen: Pen, quiet: bool = False) -> Iterator[str]:
    """The findings, what was not analysed and, where nothing else would tell, how many are suppressed."""
    for diagnostic in report.diagnostics:
        yield from render_diagnostic(diagnostic, pen, quiet)
    for skipped in report.coverage.skipped:
        yield skipped_line(skipped, pen)
    if quiet and report.suppressed:
        yield f"{len(report.suppressed)} suppressed"


def summary(report: Report) -> str:
    """Such as "1 error, 2 suppressed; 14 sections in 9 functions of 6 files; 0 not analysed"."""
    return f"{_findings(report)}; {coverage_text(report)}"


def render_diagnostic(diagnostic: Diagnostic, pen: Pen, quiet: bool = False) -> Iterator[str]:
    """One finding and its evidence."""
    level = pen(_STYLES[diagnostic.level], f"{diagnostic.level}:")
    yield f"{_place(diagnostic.location, pen)} {level} {shown(diagnostic.message)} [{diagnostic.rule}]"
    if not quiet:
        for note in diagnostic.notes:
            yield f"{_place(note.location, pen)} {pen('cyan', 'note:')} {shown(note.message)}"


def skipped_line(skipped: Skipped, pen: Pen) -> str:
    """A function that was not analysed, or a file that was not read."""
    place = pen("bold", f"{shown(skipped.path)}:{skipped.line}:1:")
    return f"{place} {pen('cyan', 'note:')} {shown(skipped.message)}"


def coverage_text(report: Report) -> str:
    """Such as "14 sections in 9 functions of 6 files; 0 not analysed"."""
    coverage: Coverage = report.coverage
    functions = sum(1 for file in report.facts for function in file.functions if function.sections)
    return (
        f"{counted(coverage.sections, 'section')} in {counted(functions, 'function')} "
        f"of {counted(coverage.files, 'file')}; {len(coverage.skipped)} not analysed"
    )


def _findings(report: Report) -> str:
    counts = Counter(diagnostic.level for diagnostic in report.diagnostics)
    parts = [counted(counts[level], str(level)) for level in sorted(Level, reverse=True) if counts[level]]
    parts = parts or ["no findings"]
    if report.below:
        parts.append(f"{report.below} below --level")
    if report.suppressed:
        parts.append(f"{len(report.suppressed)} suppressed")
    return ", ".join(parts)


def _place(location: Location, pen: Pen) -> str:
    return pen("bold", f"{shown(location.path)}:{location.line}:{location.column}:")
