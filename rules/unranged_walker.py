"""A plain enable whose range is known.

## What it does

Finds sections that open with the plain enable in a walker where everything that the ranged enable
asks for is at hand: the mm that owns the page table, the first address, the end of the walk within
this page table, and the pointer to the entry for that address. It offers the ranged call.

## Why

The ranged enable tells the architecture which page table entries a section may update, which s390
uses to batch the updates. Architectures without such a hook do what they did before. A plain enable
is right, only slower.

## Example

    pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
    lazy_mmu_mode_enable();

becomes

    pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);

## Limits

Nothing is proposed unless each of the six obligations is proven, or assumed with the assumption
told in a note. A range that the caller holds in a structure, and pointers that are parameters, stay
unknown.

## Fix safety

The fix is safe where each obligation is proven, or rests on a contract of the kernel that
rules/kernel/contracts.toml names with its source. It is unsafe where an assumption is weaker than
that, or where the section updates further ranges and a person has to choose the one to name.

## Source

A. Gordeev, "mm: make lazy MMU mode context-aware", RFC of March 2026 and later versions.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Applicability, Diagnostic, Fix, Level
from mmlint.facts.sections import FunctionFacts, Proposal, Section, Verdict
from mmlint.rule import Rule, replace_call

RULE = Rule(
    name="unranged-walker",
    level=Level.NOTE,
    summary="a plain enable whose range is known",
    fix="safe",
    question="Could this one name its range, too?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Plain sections that can be converted, with the evidence for each argument."""
    for section in function.sections:
        proposal = section.proposal
        if section.kind != "plain" or section.verdict is not Verdict.CONVERTIBLE or proposal is None:
            continue
        yield RULE.at(
            function,
            section.call,
            f"the range is known: {proposal.call}",
            dict.fromkeys(step for obligation in section.obligations for step in obligation.because),
            fix=_conversion(function, section, proposal),
            configuration=section.configuration,
        )


def _conversion(function: FunctionFacts, section: Section, proposal: Proposal) -> Fix:
    arguments = (proposal.mm, proposal.addr, proposal.end, proposal.ptep)
    edit = replace_call(function, section, proposal.callee, arguments)
    applicability = Applicability.SAFE if proposal.safe else Applicability.UNSAFE
    return Fix(f"use {proposal.callee}()", applicability, (edit,))
