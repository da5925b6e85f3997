"""The definition of the ranged call is not complete or not consistent.

## What it does

Looks at the header that defines the ranged call: the function and its stub take the same
(mm, addr, end, ptep); the hook has a fallback under `#ifndef`; the kernel-doc describes every
parameter and says what happens when not every entry is visited, when the section is nested and when
the mode is paused; the parameters are continued with two tabs.

## Why

The stub is what most architectures compile, and the kernel-doc is the only place where callers learn
what they promise. All of this was asked for in review.

## Example

    static inline void lazy_mmu_mode_enable_for_pte_range(struct mm_struct *mm,
                                                          unsigned long addr,
                                                          unsigned long end,
                                                          pte_t *ptep) {}

## Limits

The text of the kernel-doc is searched for words; whether it says the right thing is for a reader.

## Fix safety

Safe: only the indentation of continuation lines is changed.

## Source

D. Hildenbrand and K. Brodsky on "mm: make lazy MMU mode context-aware", March and April 2026.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level
from mmlint.facts.sections import FileFacts
from mmlint.rule import Rule

RULE = Rule(
    name="api-definition",
    level=Level.WARNING,
    summary="the definition of the ranged call is incomplete or inconsistent",
    fix="safe",
    question="Could that be mended while you are at it?",
)


def check_file(facts: FileFacts) -> Iterator[Diagnostic]:
    """Remarks on definitions of the ranged call."""
    for remark in facts.remarks:
        edits = tuple(Edit(facts.source.path, span, text) for span, text in remark.edits)
        fix = Fix("continue with two tabs", Applicability.SAFE, edits) if edits else None
        yield RULE.in_file(facts, remark.subject, remark.message, remark.because, fix, remark.function)
