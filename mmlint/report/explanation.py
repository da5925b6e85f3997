"""The text of ``explain``: the documentation of a rule, or the proof sheet of the section at a place.

mm/mprotect.c:62: change_pte_range(): convertible
    lazy_mmu_mode_enable_for_pte_range(vma->vm_mm, addr, end, pte)

  mm      proven   the mm owns the page table
      (1) mm/mprotect.c:54: pte_offset_map_lock() maps a page table of vma->vm_mm
         53 |
         54 |         pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
            |               ^~~~~~~~~~~~~~~~~~~
...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mmlint.checker import INTERNAL_ERROR, Checker
from mmlint.config import UsageError
from mmlint.facts.sections import Evidence, FileFacts, FunctionFacts, Obligation, Section
from mmlint.files import read
from mmlint.kept_reports import check_kept
from mmlint.report.excerpt import excerpt
from mmlint.report.outcome import NOT_ANALYSED
from mmlint.report.sections_text import obligation_head, range_line, sheet, summary
from mmlint.report.terminal import Pen, shown
from mmlint.report.text import render_diagnostic, skipped_line
from mmlint.rule import LoadedRule, locate
from mmlint.series.model import INCOMPLETE, TRANSIENT, UNDEFINED
from mmlint.source import Source
from mmlint.suppressions import UNUSED

_MARGIN: Final = " " * 8
_COLUMNS: Final = 100

# What can stand in the place of a rule's name without being one.
PSEUDO_RULES: Final = {
    INTERNAL_ERROR: f"""\
{INTERNAL_ERROR}: error, no fix

mmlint itself failed on a file or a function: an analysis or a rule raised an exception, or its process
died. The code may be right or wrong; it was not judged. The rest of the files and rules went on. Please
report it with the note that stands beside it. It can neither be ignored nor suppressed.
""",
    UNUSED: f"""\
{UNUSED}: note, no fix

An entry of the list of suppressions was not needed: the file was checked by that rule, and the finding
was not there. It was mended, or its text has changed since, in which case it is reported again. Delete the
line; --ignore {UNUSED} leaves this untold.
""",
    NOT_ANALYSED: f"""\
{NOT_ANALYSED}: warning, no fix

A function could not be read or analysed, or a file could not be read. Nothing is known of it, and it is never
counted as clean. Formats that know only findings show it under this name; the others count it by itself.
""",
    TRANSIENT: f"""\
{TRANSIENT}: warning, no fix

A patch of a series causes a finding of level warning or error, and a later patch of it takes that away. The
tree is right at the end, and wrong in between: who bisects through it hits the fault. The finding stands where
the fault is in the state after the patch that causes it; the note says which patch repairs it. Move the repair
into the patch that needs it. What builds and works all the same is not told: a name that is given up step by
step while the header has both, a hook that works until its callers are converted, a comment.
""",
    INCOMPLETE: f"""\
{INCOMPLETE}: warning, no fix

A series replaces plain enables by calls that name their range, and leaves plain ones that could name theirs as
well: in a function that it converts, or in a file or anywhere in the tree when it converts more of the sections
there than it leaves. Sections that cannot name a range, or whose range a person has to confirm, are not counted;
`mmlint series -v` lists them with the reason. Nothing is told while patches of the series are missing, which may
convert the rest, nor of a single patch in a hook. Convert the rest, or say in the cover letter why it stays.
""",
    UNDEFINED: f"""\
{UNDEFINED}: warning, no fix

A patch calls a function of the API that include/linux/pgtable.h defines only after a later patch of the series:
the tree does not compile in between. Move the definition to the front.
""",
}


def explain_rule(rule: LoadedRule, pen: Pen) -> str:
    """Name, level and documentation of a rule, with a final newline."""
    fix = {"none": "no fix", "safe": "has a fix"}.get(rule.rule.fix, f"has a fix ({rule.rule.fix})")
    lines = [pen("bold", line) if line.startswith("## ") else line for line in rule.documentation.strip().split("\n")]
    text = "\n".join(lines)
    return f"{pen('bold', rule.rule.name)}: {rule.rule.level}, {fix}\n\n{text}\n"


def explain_place(path: str, line: int, checker: Checker, pen: Pen, quiet: bool = False) -> Iterator[str]:
    """The proof sheet of the section on a line, else of every section of the function around it, with the findings.

    ``quiet`` leaves out the source. Raises UsageError when the file cannot be read, or no function with a section is
    there.
    """
    try:
        source = Source(path, read(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}; give a file that exists") from error
    report = check_kept(source, checker)
    for skipped in report.skipped:
        yield skipped_line(skipped, pen)
    function = _around(report.facts, line) if report.facts else None
    if function is None:
        raise UsageError(f"{path}:{line}: no section is there; {_sections_of(report.facts)}")
    for diagnostic in report.diagnostics:
        if diagnostic.function == function.name:
            yield from render_diagnostic(diagnostic, pen, quiet=True)
    here = [section for section in function.sections if source.line(section.call.start) == line]
    for section in here or function.sections:
        yield ""
        yield from (sheet if quiet else _sheet)(function, section, pen)


def section_at(path: str, line: int, checker: Checker) -> tuple[FunctionFacts, Section]:
    """The section on a line, or the first one of the function around it. Raises UsageError where there is none."""
    try:
        source = Source(path, read(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}; give a file that exists") from error
    facts = check_kept(source, checker).facts
    function = _around(facts, line) if facts else None
    if function is None:
        raise UsageError(f"{path}:{line}: no section is there; {_sections_of(facts)}")
    here = [section for section in function.sections if source.line(section.call.start) == line]
    return function, (here or function.sections)[0]


def _around(facts: FileFacts, line: int) -> FunctionFacts | None:
    for function in facts.functions:
        if facts.source.line(function.span.start) <= line <= facts.source.line(function.span.end):
            return function if function.sections else None
    return None


def _sections_of(facts: FileFacts | None) -> str:
    """What to try instead."""
    places = [
        f"{facts.source.line(section.call.start)} ({section.function}())"
        for function in (facts.functions if facts else ())
        for section in function.sections
        if facts
    ]
    if not places:
        return "the file has none that could be analysed"
    return f"the file has {'one' if len(places) == 1 else 'some'} on line {', '.join(places)}"


def _sheet(function: FunctionFacts, section: Section, pen: Pen) -> Iterator[str]:
    """The proof sheet with the source around each piece of evidence; a place is shown once for each obligation."""
    yield from summary(function, section, pen)
    yield ""
    for obligation in section.obligations:
        yield from _obligation(function, obligation, pen)
    for entry in section.ranges:
        yield range_line(entry)
    if section.ranges or section.obligations:
        yield ""


def _obligation(function: FunctionFacts, obligation: Obligation, pen: Pen) -> Iterator[str]:
    yield obligation_head(obligation, pen)
    if obligation.fault:
        yield f"{_MARGIN}{shown(obligation.fault)}"
    for number, step in enumerate(obligation.because, start=1):
        location = locate(function.source, step)
        yield f"{_MARGIN}{pen('cyan', f'({number})')} {shown(location.path)}:{location.line}: {shown(step.text)}"
        if step.elsewhere is None and (number == 1 or step.span != obligation.because[number - 2].span):
            yield from _source(function.source, step, pen)


def _source(source: Source, step: Evidence, pen: Pen) -> Iterator[str]:
    for row in excerpt(source, step.span, _COLUMNS - len(_MARGIN), context=1):
        yield _MARGIN + (str(row) if row.number else pen("cyan", str(row)))
