"""An entry is checked and written under a lock in a callback that runs in a section.

## What it does

Reports a function that is run for every entry of a range by a walker with a section, such as a callback of
apply_to_page_range(), and that takes a lock, reads the entry and writes it by what it read.

## Why

A change that is made in a section may stay pending until the mode is left. Another CPU that takes the same
lock and reads the entry then sees the old value, so two CPUs may both find it empty and both fill it. The
lock protects the entry only if the mode is left, or paused, around what it covers.

## Example

    static int populate_pte(pte_t *ptep, unsigned long addr, void *data)
    {
            spin_lock(&init_mm.page_table_lock);
            if (pte_none(ptep_get(ptep)))
                    set_pte_at(&init_mm, addr, ptep, pte);
            spin_unlock(&init_mm.page_table_lock);
            return 0;
    }

## Limits

The lock is one that the callback, or a function that it hands the entry to, takes itself; where the caller holds
one for the whole range, no other CPU is in between. Whether the callback ever runs on two CPUs at a time is not
known.

## Fix safety

There is no fix: lazy_mmu_mode_pause() and lazy_mmu_mode_resume() around the lock would do, but cost what the
mode saves.

## Source

kasan_populate_vmalloc_pte() and kasan_depopulate_vmalloc_pte(), c519c3c0a113, 2025.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="read-back-in-section",
    level=Level.WARNING,
    summary="a callback in a section checks and writes an entry under a lock",
    question="What keeps the entry from changing in between?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Entries that are read and then written under a lock of the callback's own."""
    yield from RULE.incidents(function, "readback")
