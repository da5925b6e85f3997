"""Bring rule files to the present interface: a list of changes, each with what finds its places.

    upgrade(Source("mine/my_rule.py", data))  ->  Upgrade(path, before, after, applied, left)

    from mmlint.rules import Rule                           from mmlint.diagnostic import Level
                                                            from mmlint.rule import Rule
    RULE = Rule(name="my-rule", severity="error", ...)      RULE = Rule(name="my-rule", level=Level.ERROR, ...)
    yield RULE.report(function, span, "...")                yield RULE.at(function, span, "...")

A change is made of byte edits, so that comments, layout and line ends stay to the byte. The changes of one version are
made together, then those of the next, and what is up to date has no place that any of them finds. Where a name may mean
several things, or a value is computed, nothing is changed and the place is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import libcst as cst

from mmlint.diagnostic import Diagnostic, Edit, Level
from mmlint.fix import apply_edits
from mmlint.rule_file import RuleFile, RuleSyntaxError, UnreadableRuleError, dotted, parse
from mmlint.source import Source, Span

RULE_UPGRADE: Final = "rule-upgrade"
_CONSTRUCTORS: Final = ("mmlint.rule.Rule", "mmlint.rules.Rule")
_LEVEL: Final = "mmlint.diagnostic.Level"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere that a change concerns: bytes and their new text, or None with the reason why a person has to look.

    ``needs_level`` says that the new text uses the name `Level`.
    """

    span: Span
    text: str | None
    reason: str = ""
    needs_level: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the interface: the version that brought it, what it is, and what finds its places in a file."""

    version: int
    title: str
    find: Callable[[RuleFile], Iterator[Place]]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What became of a file: the titles of the changes that were made, and the places left for a person."""

    path: str
    before: bytes
    after: bytes
    applied: tuple[str, ...] = ()
    left: tuple[Diagnostic, ...] = ()


def upgrade(source: Source) -> Upgrade:
    """The file in the present interface. Raises RuleSyntaxError and UnreadableRuleError."""
    current = source
    applied: list[str] = []
    left: list[Diagnostic] = []
    for version in sorted({change.version for change in CHANGES}):
        file = parse(current)
        changes = [change for change in CHANGES if change.version == version]
        edits, titles, remarks = _plan(file, changes)
        current = Source(source.path, apply_edits(current.data, edits))
        applied += titles
        left += remarks
    try:
        parse(current)
    except RuleSyntaxError as error:
        raise UnreadableRuleError(f"the result would not be Python: {error}") from error
    return Upgrade(source.path, source.data, current.data, tuple(applied), tuple(left))


def _plan(file: RuleFile, changes: Sequence[Change]) -> tuple[list[Edit], list[str], list[Diagnostic]]:
    found = [(change, place) for change in changes for place in change.find(file)]
    level, importing = _level_name(file)
    edits: list[Edit] = []
    titles: list[str] = []
    left: list[Diagnostic] = []
    for change, place in found:
        reason = place.reason or (f"'{_LEVEL.split('.')[-1]}' means something else here" if not level else "")
        if place.text is None or (place.needs_level and not level):
            message = f"{reason}; {change.title}"
            left.append(Diagnostic(RULE_UPGRADE, Level.WARNING, file.source.locate(place.span), "", message))
            continue
        text = place.text.replace("Level", level) if place.needs_level else place.text
        edits.append(Edit(file.source.path, place.span, text))
        titles.append(change.title)
    if importing and any(place.needs_level for _, place in found):
        edits.append(importing)
    return edits, list(dict.fromkeys(titles)), left


def _level_name(file: RuleFile) -> tuple[str, Edit | None]:
    raise NotImplementedError(file)


CHANGES: Final[tuple[Change, ...]] = ()
