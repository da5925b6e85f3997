"""A ranged enable passes the right pointer under another name than its siblings.

## What it does

Finds a ranged enable whose pointer has the right value, in a function whose other ranged enables
pass the same value under another name.

## Why

The two spellings are equal only as long as nothing is put between the mapping and the call.
Reviewers have to prove that again at each reading, and the next change of the walk can turn the odd
one into a wrong pointer.

## Example

    start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, start_pte);
    ...
    start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);

## Limits

Only calls of one function are compared. Where there is no majority, the name that stays put is
preferred to the one that the loop moves.

## Fix safety

Safe: both names have the same value at the call.

## Source

madvise_free_pte_range() in mm/madvise.c of the series, which passes start_pte in one call and pte
in the other.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Applicability, Diagnostic, Fix, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule, replace_argument

RULE = Rule(
    name="inconsistent-ptep",
    level=Level.WARNING,
    summary="the right pointer under another name than the sibling calls use",
    fix="safe",
    question="Could it be spelled alike, so that nobody has to wonder?",
    spelling=True,
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Ranged calls whose pointer equals the one that the sibling calls pass, but is spelled otherwise."""
    for section in function.sections:
        for argument in section.arguments:
            if argument.name != "ptep" or not section.inconsistent:
                continue
            edit = replace_argument(function, section, argument.span, section.inconsistent)
            yield RULE.at(
                function,
                argument.span,
                f"'{argument.text}' has the value of '{section.inconsistent}', "
                "which the other calls of this function pass",
                section.inconsistent_because,
                fix=Fix(f"pass {section.inconsistent}", Applicability.SAFE, (edit,)),
                configuration=section.configuration,
            )
