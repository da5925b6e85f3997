"""A section that is not inside the lock of its page table.

## What it does

Compares the extent of a section with that of the page-table locks of the user page tables that it
updates: lock, enable, update, disable, unlock. It reports an enable before the lock, and an unlock
before the disable.

## Why

Updates may be held back until the mode is left. When the lock is gone by then, another CPU reads
entries that are not yet written, or writes entries that are then overwritten.

## Example

    lazy_mmu_mode_enable();
    pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
    ...
    pte_unmap_unlock(pte, ptl);
    lazy_mmu_mode_disable();

## Limits

Page tables of the kernel have no such lock and are left alone, as are pointers that are parameters:
their lock is the caller's.

## Fix safety

There is no fix: moving the calls may also move them over returns and labels.

## Source

pagemap_scan_pmd_entry(), ad449d856bd7, 2025.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="section-outside-lock",
    level=Level.ERROR,
    summary="the section is not inside the lock of its page table",
    question="Could the section go inside of the lock?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Sections that begin before their lock is taken, or end after it is released."""
    for section in function.sections:
        outside = section.outside
        if outside is not None:
            yield RULE.at(
                function,
                outside.subject,
                outside.message,
                outside.because,
                configuration=section.configuration,
            )
