"""The mode is paused and not resumed on every path, or resumed without a pause.

## What it does

Follows each path from a pause to the exits of the function, where the function also resumes, and
reports exits that are reached with the mode paused, and resumes that a path without a pause reaches.

## Why

While the mode is paused every other call of the API does nothing. A pause that is never undone
switches the mode off for the task; a resume too many enters it behind the back of a caller.

## Example

    lazy_mmu_mode_pause();
    page = alloc_page(GFP_KERNEL);
    if (!page)
            return -ENOMEM;
    lazy_mmu_mode_resume();

## Limits

A function that only pauses, or only resumes, is taken for one half of a pair.

## Fix safety

There is no fix: where to resume is for the author to say.

## Source

K. Brodsky, "mm: introduce generic lazy_mmu helpers", December 2025.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="unbalanced-pause",
    level=Level.ERROR,
    summary="a pause without a resume on some path, or a resume without a pause",
    question="Where is the other half?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Exits with the mode paused, and resumes without a pause."""
    yield from RULE.incidents(function, "pause")
