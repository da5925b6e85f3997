"""A function that may sleep is called in a section.

## What it does

Reports calls that may come to a function that sleeps while the lazy MMU mode is on: locks that sleep,
waiting, user copies, and allocations whose GFP flags allow reclaim, in the section itself, in functions that
it calls and in callbacks that are run in it. The notes show the calls that lead to the sleeper.

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

What sleeps is a list in rules/kernel/sleep.toml, and whatever calls it. Calls are followed for seven steps, in
the folders of rules/kernel/calls.toml, and through pointers whose function is known. A chain may hang on two
conditions; with more of them nothing is claimed. GFP flags, flags of type bool and constants of an enumeration
are followed through parameters and members of a local structure; of those that are not known, only what happens
for every value is said. Of the functions in a table that an unknown index selects, and of one that may be replaced,
nothing is claimed. While the mode is paused everything is allowed. An architecture knows whether its own sections
may sleep, and one without the mode has none: both are notes.

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
