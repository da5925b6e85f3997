"""The text of ``sections``: what mmlint thinks of every section, and with ``-v`` the proof sheet of each.

    mm/madvise.c:404: madvise_cold_or_pageout_pte_range(): convertible
        lazy_mmu_mode_enable_for_pte_range(mm, addr, end, start_pte)

          mm      assumed  the mm owns the page table
                             mm/madvise.c:366: 'mm' is tlb->mm
          ptep    proven   the pointer is the entry for the address
                             mm/madvise.c:398: 'start_pte' is mapped at 'addr'
    ...

Lines are kept within 100 columns where the names in them allow it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from mmlint.engine import Report
from mmlint.facts.sections import FunctionFacts, Obligation, Range, Section, Status, Verdict
from mmlint.report.terminal import Pen, shown
from mmlint.report.text import coverage_text, render_diagnostic, skipped_line
from mmlint.rule import locate

_COLUMNS: Final = 100
_OWED: Final = {
    "mm": "the mm owns the page table",
    "ptep": "the pointer is the entry for the address",
    "range": "address and end are those of this walk",
    "table": "the range stays in one page table",
    "paired": "every path meets one disable",
    "locked": "the lock is held from enable to disable",
}
VERDICTS: Final = {
    Verdict.CONVERTIBLE: ("green", "can name its range"),
    Verdict.VERIFIED: ("green", "names its range, and rightly"),
    Verdict.REFUTED: ("red", "breaks the contract"),
    Verdict.MULTI_RANGE: ("yellow", "has more ranges than one call can name"),
    Verdict.UNSUITABLE: ("", "has no range to name"),
    Verdict.UNKNOWN: ("yellow", "its range is not known"),
}
_STATUSES: Final = {Status.PROVEN: "green", Status.ASSUMED: "green", Status.REFUTED: "red", Status.UNKNOWN: "yellow"}


def render(report: Report, pen: Pen, verbose: bool = False, quiet: bool = False) -> Iterator[str]:
    """Lines without newlines; ``quiet`` leaves out the closing table."""
    for file in report.facts:
        for function in file.functions:
            for section in function.sections:
                yield from (sheet if verbose else summary)(function, section, pen)
    for diagnostic in report.diagnostics:
        yield from render_diagnostic(diagnostic, pen)
    for skipped in report.coverage.skipped:
        yield skipped_line(skipped, pen)
    if not quiet:
        yield from _table(report, pen)


def summary(function: FunctionFacts, section: Section, pen: Pen) -> Iterator[str]:
    """Two lines or a few: where the section is and its verdict, then the call, or why there is none."""
    place = f"{shown(function.source.path)}:{function.source.line(section.call.start)}:"
    verdict = pen(VERDICTS[section.verdict][0], str(section.verdict))
    yield f"{pen('bold', place)} {shown(section.function)}(): {verdict}"
    call = section.proposal.call if section.proposal else section.text if section.kind == "ranged" else ""
    if call:
        yield f"    {shown(' '.join(call.split()))}"
    if section.reason:
        yield from _wrapped(section.reason, "    ")
    if section.configuration:
        yield f"    only with {shown(section.configuration)}"


def sheet(function: FunctionFacts, section: Section, pen: Pen) -> Iterator[str]:
    """The summary and the proof sheet: each obligation with its status and evidence, then the ranges."""
    yield from summary(function, section, pen)
    yield ""
    for obligation in section.obligations:
        yield from _obligation(function, obligation, pen)
    for entry in section.ranges:
        yield range_line(entry)
    if section.ranges or section.obligations:
        yield ""


def obligation_head(obligation: Obligation, pen: Pen) -> str:
    """Name and status of an obligation, and what it asks."""
    status = pen(_STATUSES[obligation.status], f"{obligation.status!s:8}")
    return f"      {obligation.name:7} {status} {_OWED.get(obligation.name, '')}".rstrip()


def _obligation(function: FunctionFacts, obligation: Obligation, pen: Pen) -> Iterator[str]:
    yield obligation_head(obligation, pen)
    steps = [(locate(function.source, step), step.text) for step in obligation.because]
    if obligation.fault:
        yield from _wrapped(obligation.fault, " " * 25)
    for location, text in steps:
        yield from _wrapped(f"{location.path}:{location.line}: {text}", " " * 25, " " * 29)


def range_line(entry: Range) -> str:
    """One run of entries that the section touches."""
    parts = ", ".join(part for part in (entry.mm, entry.addr, entry.end, entry.ptep) if part)
    named = "  (the one to name)" if entry.hinted else ""
    return f"      {'entries':7} {shown(entry.role):8} {shown(parts)}, from line {entry.line}{named}"


def _wrapped(text: str, indent: str, continuation: str = "") -> list[str]:
    return wrap(
        shown(text),
        _COLUMNS,
        initial_indent=indent,
        subsequent_indent=continuation or indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(report: Report, pen: Pen) -> Iterator[str]:
    counts = Counter(s.verdict for file in report.facts for function in file.functions for s in function.sections)
    if counts:
        yield ""
    for verdict, (style, meaning) in VERDICTS.items():
        if counts[verdict]:
            yield f"{counts[verdict]:5}  {pen(style, f'{verdict!s:11}')}  {meaning}"
    yield coverage_text(report)
