"""A function that may sleep is called in a section.

## What it does

Reports calls of functions that may sleep while the lazy MMU mode is on: locks that sleep, waiting,
user copies, and allocations whose GFP flags allow reclaim.

## Why

An architecture may disable preemption while the mode is on. A task that sleeps then takes its
pending updates to another CPU, or leaves them behind.

## Example

    lazy_mmu_mode_enable();
    do {
            cond_resched();
            ...
    } while (pte++, addr += PAGE_SIZE, addr != end);
    lazy_mmu_mode_disable();

## Limits

The names are a list; functions of the kernel that sleep further down are not on it, and callbacks
that a caller runs in its own section are not looked into. While the mode is paused everything is
allowed. Flags that are a parameter are not judged.

## Fix safety

There is no fix: the section has to be left first, and the page-table lock with it.

## Source

The madvise walkers until 2023 split a folio with the mode on; D. Hildenbrand: do not call functions
that might sleep with the lazy MMU mode enabled.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="sleep-in-section",
    level=Level.ERROR,
    summary="a function that may sleep is called in a section",
    question="Could that move out of the section?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Calls that may sleep with the mode on."""
    yield from RULE.incidents(function, "sleep")
