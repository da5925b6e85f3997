"""Facts made by hand, for tests of what stands above the facts layer."""

from __future__ import annotations

from mmlint.facts.sections import (
    ARGUMENTS,
    OBLIGATIONS,
    Argument,
    Evidence,
    FunctionFacts,
    Obligation,
    Proposal,
    Section,
    Status,
    Verdict,
)
from mmlint.source import Source, Span

PLAIN = """\
static void walk(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	lazy_mmu_mode_enable();
	lazy_mmu_mode_disable();
	return;
}
"""
RANGED = PLAIN.replace("enable()", "enable_for_pte_range(mm, addr, end, pte)")
TARGET = "lazy_mmu_mode_enable_for_pte_range"


def source_of(text: str, path: str = "mm/walk.c") -> Source:
    return Source(path, text.encode())


def span_of(source: Source, text: str) -> Span:
    """The first place of ``text``; it has to be there."""
    start = source.data.index(text.encode())
    return Span(start, start + len(text.encode()))


def evidence(source: Source, text: str, says: str) -> Evidence:
    return Evidence(span_of(source, text), says)


def obligations(source: Source, *changed: Obligation) -> tuple[Obligation, ...]:
    """All six, proven where ``pte =`` stands, but for those that are given."""
    given = {obligation.name: obligation for obligation in changed}
    proof = (evidence(source, "pte =", "'pte' is mapped here"),)
    return tuple(given.get(name, Obligation(name, Status.PROVEN, proof)) for name in OBLIGATIONS)


def plain_section(source: Source, *changed: Obligation, safe: bool = True) -> Section:
    """A convertible section of `PLAIN`."""
    call = span_of(source, "lazy_mmu_mode_enable()")
    return Section(
        "walk",
        "plain",
        "lazy_mmu_mode_enable",
        call,
        source.text(call),
        Verdict.CONVERTIBLE,
        "",
        obligations(source, *changed),
        proposal=Proposal(TARGET, "mm", "addr", "end", "pte", safe),
    )


def ranged_section(source: Source, *changed: Obligation, verdict: Verdict = Verdict.VERIFIED) -> Section:
    """The section of `RANGED`."""
    text = f"{TARGET}(mm, addr, end, pte)"
    call = span_of(source, text)
    position = call.start + len(TARGET) + 1
    arguments = []
    for name, argument in zip(ARGUMENTS, ("mm", "addr", "end", "pte"), strict=True):
        arguments.append(Argument(name, argument, Span(position, position + len(argument))))
        position += len(argument) + 2
    return Section(
        "walk",
        "ranged",
        TARGET,
        call,
        text,
        verdict,
        "",
        obligations(source, *changed),
        arguments=tuple(arguments),
    )


def function_of(source: Source, *sections: Section) -> FunctionFacts:
    return FunctionFacts(source, "walk", Span(0, len(source.data)), sections)
