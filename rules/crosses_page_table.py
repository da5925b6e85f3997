"""The range of a ranged enable may reach into the next page table.

## What it does

Looks for what keeps the end of the range within the page table of its address: pmd_addr_end() in
each caller, the contract of a pmd_entry callback, or a clamp in the function itself. It warns where
there is none.

## Why

A page table holds the entries of one PMD, and the entry after its last one belongs to something
else. The ranged enable turns addresses into entries by counting from one pointer, so its range must
end where the table ends.

## Example

    pte = pte_offset_map_lock(mm, pmd, start, &ptl);
    lazy_mmu_mode_enable_for_pte_range(mm, start, vma->vm_end, pte);

## Limits

In a tree, callers in all its files are asked; outside of one, or where they cannot be seen, the bound is
assumed, and the sections command says whom it trusts. A bound that rests on a contract of the kernel counts as
shown. Nothing is told of a range that is wrong as it is (wrong-range), unless it is shown to cross.

## Fix safety

There is no fix: which bound the walk should have is for its author to say.

## Source

A. Gordeev, "mm: make lazy MMU mode context-aware", RFC of March 2026 and later versions: "that
range may span one page table at most".
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="crosses-page-table",
    level=Level.WARNING,
    summary="the range of a ranged enable may reach into the next page table",
    question="What keeps the range within one page table?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Ranged calls whose end is refuted or not shown to stay in the table of the address."""
    yield from RULE.broken_claims(function, "table", behind="range")
