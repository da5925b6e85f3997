"""A commit message for a repair, in the kernel's form: a subject with the area, why, and what was changed.

    mm/madvise: use lazy_mmu_mode_enable_for_pte_range()

    The ranged enable tells the architecture which page table entries ...

    Changed are:

      madvise_cold_or_pageout_pte_range(): mm, addr, end, start_pte
    ...

There is no Signed-off-by: only a person can sign.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from textwrap import fill

from mmlint import __version__
from mmlint.diagnostic import Diagnostic
from mmlint.fix import Repair
from mmlint.rule import LoadedRule

_COLUMNS = 72


def commit_message(repairs: Sequence[Repair], rules: Iterable[LoadedRule]) -> str:
    """The message for ``repairs`` that change something; empty when none does."""
    changing = [repair for repair in repairs if repair.changes]
    if not changing:
        return ""
    applied = [diagnostic for repair in changing for diagnostic in repair.applied]
    titles = sorted({diagnostic.fix.title for diagnostic in applied if diagnostic.fix})
    subject = titles[0] if len(titles) == 1 else "repair lazy MMU mode sections"
    paragraphs = [f"{area([repair.path for repair in changing])}: {subject}"]
    for rule in rules:
        found = [diagnostic for diagnostic in applied if diagnostic.rule == rule.rule.name]
        if found:
            paragraphs += [*_reasons(rule), "Changed are:", _changes(found)]
    paragraphs.append(_fill(f"Found and checked with mmlint {__version__}."))
    return "\n\n".join(paragraphs) + "\n"


def area(paths: Sequence[str]) -> str:
    """What a subject line calls the files: "mm/madvise" for one, "mm" for several of a folder, else "treewide"."""
    if len(paths) == 1:
        return os.path.splitext(paths[0].lstrip("/"))[0]  # noqa: PTH122
    return os.path.commonpath([os.path.dirname("/" + path.lstrip("/")) for path in paths]).strip("/") or "treewide"  # noqa: PTH120


def _reasons(rule: LoadedRule) -> list[str]:
    why = re.search(r"^## Why\n+(.*?)(?=\n## |\Z)", rule.documentation, re.DOTALL | re.MULTILINE)
    return [_fill(paragraph) for paragraph in why.group(1).strip().split("\n\n")] if why else []


def _changes(found: Sequence[Diagnostic]) -> str:
    lines = []
    for diagnostic in found:
        entry = f"{diagnostic.path}: {diagnostic.function}()"
        if entry not in lines:
            lines.append(entry)
    return "\n".join(f"  {line}" for line in lines)


def _fill(text: str) -> str:
    return fill(" ".join(text.split()), _COLUMNS, break_long_words=False, break_on_hyphens=False)
