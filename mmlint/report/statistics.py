"""How many findings of each rule and level there are, the worst first.

 2  error    wrong-mm
12  note     unranged-walker (3 suppressed)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mmlint.diagnostic import Level
from mmlint.engine import Report


@dataclass(frozen=True, slots=True)
class Row:
    """Findings of one rule at one level: shown, and suppressed."""

    rule: str
    level: Level
    count: int
    suppressed: int


def count(report: Report) -> list[Row]:
    """A row for each rule and level that something was found of: by level, then number, then name."""
    shown = Counter((d.level, d.rule) for d in report.diagnostics)
    suppressed = Counter((s.diagnostic.level, s.diagnostic.rule) for s in report.suppressed)
    keys = sorted(shown.keys() | suppressed.keys(), key=lambda key: (-key[0], -shown[key], key[1]))
    return [Row(rule, level, shown[level, rule], suppressed[level, rule]) for level, rule in keys]


def render(report: Report) -> Iterator[str]:
    """Lines without newlines; none where nothing was found."""
    for row in count(report):
        accepted = f" ({row.suppressed} suppressed)" if row.suppressed else ""
        yield f"{row.count:5}  {row.level!s:7}  {row.rule}{accepted}"
