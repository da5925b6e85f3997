"""A spelling of the ranged call that is not the one in force.

## What it does

Reports every mention of an RFC, v2 or v3 name of the ranged call and of its hook, in code and in
comments, other than the name that the tree declares or that was asked for.

## Why

The call was renamed twice on its way. A series that mixes the names does not build, and a comment
with an old name sends its reader searching.

## Example

    lazy_mmu_mode_enable_pte(mm, addr, end, pte);

## Limits

Names in strings are found as well. Documentation outside C files is not looked at.

## Fix safety

Safe: the arguments are the same in every version. Unsafe where the file defines both names: one may
call the other.

## Source

A. Gordeev, RFC of 25 March 2026, v2 of 15 April, v3 to v6 of June and July 2026.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level
from mmlint.facts.sections import FileFacts
from mmlint.rule import Rule

RULE = Rule(
    name="superseded-name",
    level=Level.WARNING,
    summary="another version's name of the ranged call or of its hook",
    fix="safe",
    question="Is that left over from an earlier version?",
    spelling=True,
)


def check_file(facts: FileFacts) -> Iterator[Diagnostic]:
    """Mentions of other spellings, each with its new name."""
    for mention in facts.mentions:
        edit = Edit(facts.source.path, mention.span, mention.current)
        applicability = Applicability.SAFE if mention.safe else Applicability.UNSAFE
        fix = Fix(f"call it {mention.current}", applicability, (edit,))
        message = f"'{mention.name}' is the name of another version: here it is {mention.current}"
        yield RULE.in_file(facts, mention.span, message, fix=fix)
