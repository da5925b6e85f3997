"""A section is entered inside another one, in a tree where sections do not nest.

## What it does

Reports an enable that is reached while a section is open, in the same function, in one that the section calls,
or in a callback that is run in it, for spellings that belong to trees up to 6.18.

## Why

Up to 6.18 the mode is a flag: the inner leave ends the outer section as well, and the rest of the
outer section runs with the mode off while its author believes it on. Some architectures warn.

## Example

    arch_enter_lazy_mmu_mode();
    ...
    arch_enter_lazy_mmu_mode();
    ...
    arch_leave_lazy_mmu_mode();

## Limits

Calls are followed for seven steps, in the folders of rules/kernel/calls.toml, and through pointers whose
function is known.

## Fix safety

There is no fix: one of the two sections has to go, and which one is for the author to say.

## Source

set_ptes() in include/linux/pgtable.h, 691ee97e1a9d, 2025.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="nested-section",
    level=Level.ERROR,
    summary="a section is entered in another one where sections do not nest",
    question="Can that happen, or do the callers prevent it?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Enables of a generation without nesting that are reached in another section."""
    yield from RULE.incidents(function, "nested")
