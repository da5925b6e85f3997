"""A section updates more tables or ranges than one call can name.

## What it does

Names the ranges of a section that a ranged enable leaves out, or says of a plain section that it
stays plain because no single range describes it.

## Why

A ranged enable is a hint: entries outside its range are updated correctly, only not faster. Which
of several ranges is named is a choice, and whoever reads the call should know that there was one.

## Example

    dst_pte = pte_alloc_map_lock(dst_mm, dst_pmd, addr, &dst_ptl);
    src_pte = pte_offset_map_nolock(src_mm, src_pmd, addr, &src_ptl);
    lazy_mmu_mode_enable_for_pte_range(src_mm, addr, end, src_pte);

The section writes to the entries at dst_pte too.

## Limits

A range that only a function called from the section writes to is seen where that function is in the
same file.

## Fix safety

There is no fix: nothing is wrong.

## Source

Review of the RFC in March 2026: copy_pte_range() and move_ptes() update two ranges in one section,
and the source is the one to name.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import Evidence, FunctionFacts, Range, Section, Verdict
from mmlint.rule import Rule

RULE = Rule(
    name="multi-range-section",
    level=Level.NOTE,
    summary="the section updates more ranges than one call can name",
    question="Is the range of the call the one that matters most?",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Sections with ranges beside the hinted one, and plain sections that stay plain because of their ranges."""
    for section in function.sections:
        others = [other for other in section.ranges if not other.hinted]
        if section.kind == "plain" and section.verdict is Verdict.MULTI_RANGE:
            message = f"stays plain: {section.reason}"
        elif others and (section.kind == "ranged" or section.verdict is Verdict.CONVERTIBLE):
            message = f"also updates {' and '.join(_entries(other) for other in others)}"
        else:
            continue
        notes = [_step(function, section, entry) for entry in section.ranges]
        yield RULE.at(function, section.call, message, notes, configuration=section.configuration)


def _entries(entry: Range) -> str:
    where = f"the entries at '{entry.ptep}'" if entry.ptep else "entries"
    first = f" from '{entry.addr}'" if entry.addr else ""
    last = f" to '{entry.end}'" if entry.end else ""
    return f"{where}{first}{last}" + (f" of '{entry.mm}'" if entry.mm else "")


def _step(function: FunctionFacts, section: Section, entry: Range) -> Evidence:
    where = function.source.line_span(entry.line) if entry.line else section.call
    named = " (the one that the call names)" if entry.hinted else ""
    # What the call does not name is here because it is updated.
    done = "read and updated" if entry.role == "read" and not entry.hinted else entry.role
    return Evidence(where, f"{done}: {_entries(entry)}{named}")
