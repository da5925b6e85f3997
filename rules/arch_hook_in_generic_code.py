"""Generic code calls the architecture's hook instead of the generic function.

## What it does

In a tree whose include/linux/pgtable.h has the generic layer, reports calls of
arch_enter_lazy_mmu_mode() and arch_leave_lazy_mmu_mode() outside arch/.

## Why

The generic layer counts nesting and pauses and keeps the mode off in interrupts. A hook that is
called around it enters or leaves the mode while the count says otherwise.

## Example

    arch_enter_lazy_mmu_mode();
    ...
    arch_leave_lazy_mmu_mode();

## Limits

The generation is read from the tree that the file stands in; a file on its own tells none.

## Fix safety

Safe: the generic function calls the hook where it has to.

## Source

K. Brodsky, "mm: introduce generic lazy_mmu helpers", December 2025.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Applicability, Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="arch-hook-in-generic-code",
    level=Level.WARNING,
    summary="generic code calls the architecture's hook",
    fix="safe",
    question="Is there a reason to call the hook?",
    spelling=True,
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Calls of the hooks outside arch/."""
    yield from RULE.incidents(function, "hook", "call {}()", Applicability.SAFE)
