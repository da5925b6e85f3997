"""A page table entry is read or written directly in a section.

## What it does

Reports every dereference of a PTE pointer while the lazy MMU mode is on: `*pte`, `pte->pte`,
`pte[i]`, `READ_ONCE(*pte)` and memcpy(), as values and as targets of an assignment, also where a macro
without parameters stands for one (`#define CUR (*pte)`). In a ranged section
it is an error, in a plain one a warning, in an architecture's file a note. Functions that a section hands
its pointer to are looked at in whatever file they are, and callbacks of apply_to_page_range(), also of
functions that hand them on; the notes show the calls that lead there.

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

A pointer counts when it is mapped or looked up, given to an accessor, handed over by the section (by itself,
by its address, as vmf->pte and pvmw->pte, or in a structure of the function that the callee takes apart), or
moved by a function from one that counts; other structures that hold it are not followed. Calls are followed
for seven steps, in the folders of rules/kernel/calls.toml, and through pointers whose function is known. In a
file outside of a tree only its own functions are known. `mmlint sections --audit-access` names what could not be
followed. `sizeof(*pte)`, `&pte[1]`, pointer arithmetic, a copy on the stack and a cast to an entry of an upper
table are no access; the architectures' headers and the generic accessors are exempt.

## Fix safety

Safe where the access is a plain `*pte`, `READ_ONCE(*pte)`, `*vmf->pte`, `pte[i]` or `*pte = value`: ptep_get()
and set_pte() do the same on every architecture. There is no fix for `pte->pte` and memcpy(), nor in an
architecture's file.

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
