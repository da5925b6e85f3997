"""The pointer of a ranged enable is not the entry for its address.

## What it does

Compares the pointer that a ranged enable is given with the address that it is given: the pointer
has to be what the table was mapped at, moved as many entries as the address was moved pages.

## Why

The architecture takes pointer and address for one and the same entry. When they do not belong
together, s390 invalidates wrong addresses: memory corruption.

## Example

    start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
    for (; addr != end; pte++, addr += PAGE_SIZE) {
            ...
            pte_unmap_unlock(start_pte, ptl);
            cond_resched();
            start_pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
            lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);
            ...

Here pte still points into the page table of before.

## Limits

Pointers that are parameters, or that come out of a structure, are unknown: a warning.

## Fix safety

Unsafe: the entry for the address is known, but it may be the address that is wrong, not the
pointer.

## Source

A. Gordeev, "mm: make lazy MMU mode context-aware", RFC of March 2026 and later versions; the stale
pointers mended in mm/madvise.c and mm/memory.c in 2022.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="wrong-ptep",
    level=Level.ERROR,
    summary="the pointer of a ranged enable is not the entry for its address",
    fix="unsafe",
    question="Which entry is meant?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Ranged calls whose pointer is refuted (error) or unknown (warning)."""
    yield from RULE.broken_claims(function, "ptep")
