"""A disable that no enable pairs with.

## What it does

Finds a disable that is reached after the section of the function is closed already.

## Why

Where sections nest, the disable closes a section of the caller, who goes on in the belief that the
mode is on. Where they do not, the architecture flushes and clears a state that is not its own.

## Example

    lazy_mmu_mode_disable();
    pte_unmap_unlock(start_pte, ptl);
    if (err)
            goto out;
    ...
    out:
    lazy_mmu_mode_disable();

## Limits

A function that only disables, and the one that only enables for it, are a pair by design; neither
is reported.

## Fix safety

There is no fix: which of the disables is too many is for the author to say.

## Source

Documentation of lazy_mmu_mode_disable() in include/linux/pgtable.h: the calls must be paired.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="unmatched-disable",
    level=Level.ERROR,
    summary="a disable that no enable pairs with",
    question="Is there an enable that I miss?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Disables on paths that closed their section before."""
    for unmatched in function.unmatched:
        yield RULE.at(
            function,
            unmatched.call,
            unmatched.message,
            unmatched.because,
            configuration=unmatched.configuration,
        )
