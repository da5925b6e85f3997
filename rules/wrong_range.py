"""The bounds of a ranged enable are not those of the walk.

## What it does

Looks at the two addresses of a ranged enable: swapped, equal, not yet initialised, or an end that
is not where the walk over this pointer ends.

## Why

The architecture takes the range at its word. On s390 a range that is too long can overflow a
per-CPU cache, which corrupts memory; one that is empty or too short makes the call useless.

## Example

    pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
    lazy_mmu_mode_enable_for_pte_range(mm, end, addr, pte);

## Limits

The end of the walk is the bound of the loop that moves the pointer. A walk that stops for another
reason, and a loop whose bound is computed in a way that is not followed, give a warning that
nothing shows the end to be right.

## Fix safety

Unsafe: the bounds that the loop uses are known, but the loop may be what is wrong.

## Source

A. Gordeev, "mm: make lazy MMU mode context-aware", RFC of March 2026 and later versions: "only this
address/PTE range could be updated".
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="wrong-range",
    level=Level.ERROR,
    summary="the bounds of a ranged enable are swapped, empty or not those of the walk",
    fix="unsafe",
    question="Could you have another look?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Ranged calls whose bounds are refuted (error) or unknown (warning)."""
    yield from RULE.broken_claims(function, "range")
