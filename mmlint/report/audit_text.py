"""The text of ``sections --audit-access``: what is known of direct accesses in each section, to be read and posted.

    mm/memory.c:1603: zap_pte_range(): clean
        looked at: zap_present_ptes(), zap_present_folio_ptes()
    mm/memory.c:2811: apply_to_pte_range(): not clean on x86
        arch/x86/kernel/cpu/sgx/encl.c:1116: *ptep
            apply_to_pte_range > sgx_encl_test_and_clear_young_cb
    ...

Lines are kept within 76 columns where the names in them allow it, as mail wants it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from mmlint import __version__
from mmlint.engine import Report
from mmlint.facts.sections import Audit, FunctionFacts, Section
from mmlint.report.terminal import Pen, counted, shown
from mmlint.report.text import coverage_text, render_diagnostic, skipped_line

_COLUMNS: Final = 76
_MEANING: Final = {
    "clean": ("green", "nothing dereferences an entry directly"),
    "not clean": ("red", "an entry is dereferenced directly"),
    "unresolved": ("yellow", "something could not be looked at"),
}


def render(report: Report, pen: Pen, verbose: bool = False, quiet: bool = False) -> Iterator[str]:
    """Lines without newlines; ``verbose`` names files and accessors, ``quiet`` leaves out the closing table."""
    for file in report.facts:
        for function in file.functions:
            for section in function.sections:
                yield from _section(function, section, pen, verbose)
    for diagnostic in report.diagnostics:
        yield from render_diagnostic(diagnostic, pen)
    for skipped in report.coverage.skipped:
        yield skipped_line(skipped, pen)
    if not quiet:
        yield from _table(report, pen)


def _section(function: FunctionFacts, section: Section, pen: Pen, verbose: bool) -> Iterator[str]:
    audit = section.audit or Audit("unresolved")
    place = f"{shown(function.source.path)}:{function.source.line(section.call.start)}:"
    arches = sorted({access.arch for access in audit.accesses})
    # What an architecture does to its own entries concerns nobody else.
    only = f" on {', '.join(arches)}" if arches and all(arches) else ""
    verdict = pen(_MEANING[audit.verdict][0], audit.verdict + only)
    yield f"{pen('bold', place)} {shown(section.function)}(): {verdict}"
    if audit.functions:
        names = [f"{entry.name}(){f' ({entry.arch})' if entry.arch else ''}" for entry in audit.functions]
        yield from _wrapped(f"looked at: {', '.join(dict.fromkeys(names))}")
    if verbose and audit.accessors:
        yield from _wrapped(f"accessors: {', '.join(f'{name}()' for name in audit.accessors)}")
    for access in audit.accesses:
        yield from _wrapped(f"{access.location.path}:{access.location.line}: {access.text}")
        if access.through:
            yield from _wrapped(access.through, 8)
    for end in audit.open_ends:
        yield from _wrapped(f"{end.location.path}:{end.location.line}: {end.name}: {end.why}")
    if verbose:
        for entry in audit.functions:
            yield from _wrapped(f"{entry.path}:{entry.line}: {entry.name}()", 8)


def _wrapped(text: str, indent: int = 4) -> list[str]:
    return wrap(
        shown(text),
        _COLUMNS,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(report: Report, pen: Pen) -> Iterator[str]:
    audits = [s.audit for file in report.facts for function in file.functions for s in function.sections if s.audit]
    counts = Counter(audit.verdict for audit in audits)
    if counts:
        yield ""
    for verdict, (style, meaning) in _MEANING.items():
        if counts[verdict]:
            yield f"{counts[verdict]:5}  {pen(style, f'{verdict:10}')}  {meaning}"
    functions = {(entry.path, entry.line, entry.name) for audit in audits for entry in audit.functions}
    yield f"{counted(len(functions), 'function')} looked at besides the sections; {coverage_text(report)}"
    yield f"mmlint {__version__}: mmlint sections --audit-access"
