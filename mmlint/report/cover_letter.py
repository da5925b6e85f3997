"""The cover letter of a conversion: what was found, every section with its verdict, and how to see the proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from mmlint import __version__
from mmlint.engine import Report
from mmlint.facts.sections import Section, Verdict
from mmlint.fix import Repair
from mmlint.report.commit_message import area
from mmlint.report.review import paragraph
from mmlint.report.terminal import counted

_HEADINGS: Final = {
    Verdict.CONVERTIBLE: "Could name their range, after a look by a person; not touched here",
    Verdict.VERIFIED: "Name their range already, and rightly",
    Verdict.MULTI_RANGE: "Have more ranges than one call can name; not touched here",
    Verdict.UNSUITABLE: "Have no range to name",
    Verdict.UNKNOWN: "Have a range that is not known; not touched here",
    Verdict.REFUTED: "Break the contract; not touched here",
}


def subject(paths: Sequence[str], repairs: Sequence[Repair]) -> str:
    """Such as "mm: use lazy_mmu_mode_enable_for_pte_range()"; ``paths`` are the files that change."""
    titles = {found.fix.title for change in repairs for found in change.applied if found.fix}
    return f"{area(paths)}: {titles.pop() if len(titles) == 1 else 'repair lazy MMU mode sections'}"


def blurb(
    repairs: Sequence[Repair], report: Report, shown: Callable[[str], str], notes: Iterable[str], is_commit: bool
) -> str:
    """The text, within 72 columns where names allow it.

    ``shown`` gives the path of a file within its tree, ``notes`` are what has to be known of the tree.
    """
    changed, others = _parted(repairs, report)
    looked = f"{counted(report.coverage.sections, 'section')} of the lazy MMU mode"
    where = f"{counted(report.coverage.files, 'file')}, and changes {len(changed)} of them"
    lines = paragraph(
        f"These patches are made by mmlint {__version__}. It looked at {looked} in {where}. What a call names was "
        "followed through the function and its callers; mmlint sections -v prints the proofs, file by file."
    )
    lines += ["", "Changed by this series:", "", *_entries(changed, shown)]
    for verdict, heading in _HEADINGS.items():
        found = [entry for entry in others if entry[1].verdict is verdict]
        if found:
            lines += ["", f"{heading}:", "", *_entries(found, shown)]
    if report.coverage.skipped:
        lines += ["", "Could not be read, and may hold more:", ""]
        for skipped in report.coverage.skipped:
            lines += paragraph(f"{shown(skipped.path)}: {skipped.message}", "  ", "      ")
    if report.suppressed:
        accepted = f"{counted(len(report.suppressed), 'finding')} accepted before, and left as they are."
        lines += ["", *paragraph(accepted)]
    for note in notes:
        lines += ["", *paragraph(f"{note}.")]
    if not is_commit:
        lines += ["", *paragraph("The patches apply to a work tree that is no commit: no base can be named.")]
    return "\n".join(lines)


def _parted(repairs: Sequence[Repair], report: Report) -> tuple[list[tuple[str, Section]], list[tuple[str, Section]]]:
    """The sections whose call is changed, and the others, each with its path."""
    made = {(found.path, found.rule, found.function, found.message) for change in repairs for found in change.applied}
    places = {
        (found.path, edit.span.start)
        for found in report.diagnostics
        if found.fix and (found.path, found.rule, found.function, found.message) in made
        for edit in found.fix.edits
    }
    changed, others = list[tuple[str, Section]](), list[tuple[str, Section]]()
    for file in report.facts:
        for function in file.functions:
            for section in function.sections:
                span = range(section.call.start, section.call.end)
                touched = any(path == file.source.path and start in span for path, start in places)
                (changed if touched else others).append((file.source.path, section))
    return changed, others


def _entries(sections: Sequence[tuple[str, Section]], shown: Callable[[str], str]) -> Iterator[str]:
    for path, section in sections:
        proposal = section.proposal
        told = section.reason
        if not told and proposal:
            told = f"({proposal.mm}, {proposal.addr}, {proposal.end}, {proposal.ptep})"
        elif not told and section.arguments:
            told = f"({', '.join(argument.text for argument in section.arguments)})"
        text = f"{shown(path)}: {section.function}()" + (f": {told}" if told else "")
        yield from paragraph(text, "  ", "      ")
