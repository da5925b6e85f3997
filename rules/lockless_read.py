"""An entry is read as if its lock were held.

## What it does

Reports ptep_get() on a pointer that was mapped without its lock, in functions that also have a
section.

## Why

Without the lock the entry may change while it is read. Where an entry is wider than a machine word,
ptep_get() can return halves of two values; ptep_get_lockless() cannot.

## Example

    pte = pte_offset_map(pmd, addr);
    if (pte_none(ptep_get(pte)))
            ...

## Limits

Locks that are not page-table locks may keep the entry stable as well; then the warning is in vain.
Kernel page tables are left alone.

## Fix safety

Unsafe: where another lock protects the entry, the change is harmless but needless.

## Source

Conversions in mm/gup.c and mm/page_vma_mapped.c, 2026.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Applicability, Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="lockless-read",
    level=Level.WARNING,
    summary="an entry mapped without its lock is read with ptep_get()",
    fix="unsafe",
    question="Does somebody else hold the lock here?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Reads that need the lock, of entries mapped without it."""
    yield from RULE.incidents(function, "lockless", "read with {}()", Applicability.UNSAFE)
