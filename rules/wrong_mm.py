"""The mm of a ranged enable does not own the page table.

## What it does

Follows the pointer to the page table entry back to the call that mapped its table, and compares the
mm of that table with the mm that the ranged enable is given.

## Why

The architecture takes the call at its word. On s390 a wrong hint makes it invalidate what does not
belong to these entries, while the right ones keep stale translations: memory corruption.

## Example

    dst_pte = pte_alloc_map_lock(dst_mm, dst_pmd, addr, &dst_ptl);
    lazy_mmu_mode_enable_for_pte_range(src_mm, addr, end, dst_pte);

## Limits

Where the mm comes from a structure or a parameter that nothing in the file ties to the table, the
finding is a warning: the call claims what nothing shows. Kernel rules such as "tlb->mm is the vm_mm
of the VMA" count as shown.

## Fix safety

Unsafe: the owner of the table is known, but it may be the pointer that is wrong, not the mm.

## Source

A. Gordeev, "mm: make lazy MMU mode context-aware", RFC of March 2026 and later versions: the call
"is provided with the process address space and the page table being operated on".
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="wrong-mm",
    level=Level.ERROR,
    summary="the mm of a ranged enable does not own the page table",
    fix="unsafe",
    question="Which mm is meant?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Ranged calls whose mm is refuted (error) or unknown (warning)."""
    yield from RULE.broken_claims(function, "mm")
