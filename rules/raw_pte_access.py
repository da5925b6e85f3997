"""A page table entry is read or written directly in a section.

## What it does

Reports every dereference of a PTE pointer while the lazy MMU mode is on: `*pte`, `pte->pte`,
`pte[i]` and `READ_ONCE(*pte)`, as values and as targets of an assignment. In a ranged section it is
an error, in a plain one a warning.

## Why

On s390 a ranged section keeps new values in a buffer of the CPU. Only ptep_get(), set_pte() and
their family know that buffer; a direct access reads the old entry, or is overwritten later.

## Example

    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);
    do {
            if (pte_none(*pte))
                    continue;
            ...

## Limits

Functions that are called in the section are not looked into. A pointer counts when it is mapped or
looked up in the function, or given to an accessor as well; `*vmf->pte`, read from a structure in the
same expression, is not known to be one. `sizeof(*pte)`, `&pte[1]` and pointer arithmetic are no
access.

## Fix safety

Safe where the access is a plain `*pte`, `READ_ONCE(*pte)`, `pte[i]` or `*pte = value`: ptep_get() and
set_pte() do the same on every architecture.

## Source

5d89666bd998 and c33c794828f2; H. Carstens on the mailing list, 23 April 2026.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Applicability, Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="raw-pte-access",
    level=Level.ERROR,
    summary="an entry is dereferenced directly in a section",
    fix="safe",
    question="Could that use the accessor? The architecture may keep the new value elsewhere meanwhile.",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Dereferences of PTE pointers with the mode on."""
    yield from RULE.incidents(function, "direct", "use {}", Applicability.SAFE)
