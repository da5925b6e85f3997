"""Direct accesses of page table entries: what is wrong with one, and what is written instead."""

from __future__ import annotations

import re

from mmlint.diagnostic import Level
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.sections import Evidence, Incident
from mmlint.facts.sites import Site
from mmlint.flow import ir
from mmlint.flow.values import Symbol
from mmlint.source import Span

_READ = re.compile(r"\*\s*(?P<pointer>\w+)")
_INDEXED = re.compile(r"(?P<pointer>\w+)\s*\[\s*(?P<index>\w+)\s*\]")
_MACRO_READ = re.compile(r"\w+\(\s*\*\s*(?P<pointer>\w+)\s*\)")
_STATEMENT_START = re.compile(rb"(?:[{};):]|\belse|\bdo)\Z")
_WRITE = re.compile(r"\*\s*(?P<pointer>\w+)\s*=(?!=)\s*(?P<value>[^;]+)")


def entered(site: Site) -> Evidence:
    """The first line of the evidence for what happens in a section."""
    return Evidence(site.op.span, "lazy MMU mode is entered here")


def is_page_table(solved: Solved, site: Site, table: Symbol) -> bool:
    """True when a pointer is known to lead into a page table: mapped, looked up, or given to an accessor as well.

    A pte_t * may as well point to a copy on the stack or to a buffer.
    """
    if table in solved.dataflow.context.mapped:
        return True
    if any(table.startswith(f"T[{name}@") for name in solved.dataflow.context.vocabulary.lookups):
        return True
    kinds = ("read", "update", "read_update", "carry")
    return any(touch.entry.table == table and touch.kind in kinds for touch in site.touches)


def accesses(analysis: FileAnalysis, solved: Solved, site: Site) -> list[Incident]:
    """Direct accesses in the section itself."""
    level = direct_level(analysis, site)
    unlocked = {table for _, table, held in site.mapped if not held}
    found = {}
    for touch in site.touches:
        if touch.kind != "direct" or touch.op.span in found or not is_page_table(solved, site, touch.entry.table):
            continue
        # Without the lock another accessor would be right.
        locked = touch.entry.table not in unlocked
        found[touch.op.span] = direct_access(analysis, touch.op, (entered(site),), level, locked)
    return list(found.values())


def direct_access(
    analysis: FileAnalysis, op: ir.Op, because: tuple[Evidence, ...], level: Level, locked: bool = True
) -> Incident:
    """What to say of one direct access, in whatever file it is."""
    write = isinstance(op, ir.Store)
    text = " ".join(analysis.source.text(op.span).split())
    shown = _place(text) if write else text
    how = "writes the entry directly" if write else "reads the entry directly"
    better = "set_pte()" if write else "ptep_get()"
    message = f"'{shown}' {how} while lazy MMU mode is on: that takes {better}"
    replacement = _written(analysis, op.span) if write else _read(text)
    if analysis.is_arch or not locked:
        # An architecture knows its entries.
        replacement = ""
    return Incident("direct", op.span, message, because, level, replacement)


def direct_level(analysis: FileAnalysis, site: Site) -> Level:
    """A ranged section may keep values back; a plain one will once it is converted, but not on another architecture."""
    if analysis.is_arch:
        return Level.NOTE
    return Level.ERROR if site.op.callee in analysis.vocabulary.ranged_enters else Level.WARNING


def _read(text: str) -> str:
    plain = _READ.fullmatch(text) or _MACRO_READ.fullmatch(text)
    if plain:
        return f"ptep_get({plain['pointer']})"
    indexed = _INDEXED.fullmatch(text)
    if indexed and indexed["index"] == "0":
        return f"ptep_get({indexed['pointer']})"
    return f"ptep_get({indexed['pointer']} + {indexed['index']})" if indexed else ""


def _place(text: str) -> str:
    """What is written to, without the value: the left side of an assignment, or the macro's first argument."""
    return text.split(",")[0] + ", ...)" if "(" in text.split("=")[0] else text.split("=")[0].strip()


def _written(analysis: FileAnalysis, span: Span) -> str:
    """The call that stands for an assignment, where that is a statement of its own: set_pte() has no value."""
    plain = _WRITE.fullmatch(" ".join(analysis.source.text(span).split()))
    masked = analysis.reader.masked
    before, after = masked[max(0, span.start - 400) : span.start].rstrip(), masked[span.end :].lstrip()[:1]
    if plain is None or not _STATEMENT_START.search(before) or after != b";":
        return ""
    return f"set_pte({plain['pointer']}, {plain['value'].strip()})"
