"""The range of a ranged call has no effect.

## What it does

Reports a ranged call that runs while another section is open, be it of the same function or of a caller; a
resume inside a ranged section; and an enable without a range in a function that has left the ranged section of
its caller, to sleep for instance.

## Why

Only the outermost enable of a nest has an effect, so the range of an inner one is dropped. Resuming
a paused mode enters it without the range. The updates are still done, but not faster, and whoever
reads the code believes otherwise.

## Example

    lazy_mmu_mode_enable();
    ...
    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);

## Limits

Calls are followed for seven steps, in the folders of rules/kernel/calls.toml, from sections in the files that
are checked: a caller in another file is seen when that file is checked as well.

## Fix safety

There is no fix: which of the two sections is meant is for the author to say.

## Source

K. Brodsky, "mm: introduce generic lazy_mmu helpers", December 2025; A. Gordeev, "mm: make lazy MMU
mode context-aware", 2026.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="range-ignored",
    level=Level.WARNING,
    summary="the range of a ranged enable is ignored or lost",
    question="Is that known, and fine?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Ranged calls in another section, and resumes that lose the range."""
    yield from RULE.incidents(function, "lost")
