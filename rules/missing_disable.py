"""A way out of the function leaves the lazy MMU mode on.

## What it does

Follows each path from an enable to the exits of the function and reports those that meet no
disable.

## Why

With the mode left on, updates of page tables stay in the architecture's buffer while everybody
believes them done, and preemption may stay off. Nesting turns one missing disable into a mode that
never ends for the task.

## Example

    lazy_mmu_mode_enable();
    do {
            if (!pte_none(ptep_get(pte)))
                    return -EBUSY;
            ...
    } while (pte++, addr += PAGE_SIZE, addr != end);
    lazy_mmu_mode_disable();

## Limits

A disable in a function that is called on the way out is seen in whatever file of the tree it is, and so
is a section that a called function enters for this one to leave; a function that names no function of the
API itself is not looked at. A disable that is guarded by the pointer that a failed mapping sets to NULL is understood.

## Fix safety

There is no fix: whether to disable before the return or to leave the loop is for the author to say.

## Source

vmap_pages_pte_range(), fea18c686320, 2025.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import Evidence, FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="missing-disable",
    level=Level.ERROR,
    summary="a way out of the function leaves the mode on",
    question="Is there a lazy_mmu_mode_disable() that I miss?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Exits that are reached with the mode on, with the path to them."""
    reported = set()
    for section in function.sections:
        enabled = Evidence(section.call, "lazy MMU mode is entered here")
        for leak in section.leaks:
            if leak.exit in reported:
                continue
            reported.add(leak.exit)
            yield RULE.at(
                function,
                leak.exit,
                leak.message,
                (enabled, *leak.because),
                configuration=section.configuration,
            )
    for leak in function.leaks:
        if leak.exit not in reported:
            reported.add(leak.exit)
            yield RULE.at(function, leak.exit, leak.message, leak.because)
