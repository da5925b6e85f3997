"""Direct accesses of page table entries: what is wrong with one, and what is written instead."""

from __future__ import annotations

import re

from mmlint.diagnostic import Level
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.inner import PageTables
from mmlint.facts.sections import Evidence, Incident
from mmlint.facts.sites import Site
from mmlint.flow import ir
from mmlint.source import Span

# A pointer as it may be written behind a star: a variable, a member, what a pointer leads to.
_POINTER = r"(?P<pointer>\*?\w+(?:(?:->|\.)\w+)*)"
_READ = re.compile(rf"\*\s*(?:{_POINTER}|\({_POINTER.replace('pointer', 'inner')}\))")
_INDEXED = re.compile(r"(?P<pointer>\w+)\s*\[\s*(?P<index>\w+)\s*\]")
_MACRO_READ = re.compile(rf"\w+\(\s*\*\s*{_POINTER}\s*\)")
_STATEMENT_START = re.compile(rb"(?:[{};):]|\belse|\bdo)\Z")
_WRITE = re.compile(r"\*\s*(?P<pointer>\w+)\s*=(?!=)\s*(?P<value>[^;]+)")


def entered(site: Site) -> Evidence:
    """The first line of the evidence for what happens in a section."""
    return Evidence(site.op.span, "lazy MMU mode is entered here")


def page_tables(solved: Solved, site: Site) -> PageTables:
    """What is known to be a page table in a section. A pte_t * may as well point to a copy or to a buffer."""
    kinds = ("read", "update", "read_update", "carry")
    return PageTables(solved.dataflow.context, {touch.entry.table for touch in site.touches if touch.kind in kinds})


def accesses(analysis: FileAnalysis, solved: Solved, site: Site) -> list[Incident]:
    """Direct accesses in the section itself."""
    level = direct_level(analysis, site)
    unlocked = {table for _, table, held in site.mapped if not held}
    hot = page_tables(solved, site)
    found = {}
    for touch in site.touches:
        if touch.kind != "direct" or touch.op.span in found or touch.entry.table not in hot:
            continue
        # Without the lock another accessor would be right.
        locked = touch.entry.table not in unlocked
        found[touch.op.span] = direct_access(analysis, touch.op, (entered(site),), level, locked, touch.argument)
    return list(found.values())


def direct_access(
    analysis: FileAnalysis,
    op: ir.Op,
    because: tuple[Evidence, ...],
    level: Level,
    locked: bool = True,
    argument: int = -1,
) -> Incident:
    """What to say of one direct access, in whatever file it is: by the code itself, or by a call for its argument."""
    if isinstance(op, ir.Call):
        return _by_call(analysis, op, argument, because, level)
    write = isinstance(op, ir.Store)
    text = " ".join(analysis.source.text(op.span).split())
    shown = _place(text) if write else text
    expansion = analysis.expansions.find(shown.encode())
    quoted = f"'{shown}'" if expansion is None else f"'{shown}', which is '{expansion.shown}',"
    how = "writes the entry directly" if write else "reads the entry directly"
    better = "set_pte()" if write else "ptep_get()"
    message = f"{quoted} {how} while lazy MMU mode is on: that takes {better}"
    replacement = _written(analysis, op.span) if write else _read(text)
    if analysis.is_arch or not locked:
        # An architecture knows its entries.
        replacement = ""
    return Incident("direct", op.span, message, because, level, replacement)


def _by_call(
    analysis: FileAnalysis, op: ir.Call, argument: int, because: tuple[Evidence, ...], level: Level
) -> Incident:
    write = analysis.vocabulary.raw_writes.get(op.callee or "", -1) == argument
    name = " ".join(analysis.source.text(op.argument_spans[argument]).split())
    how, better = ("writes", "set_pte()") if write else ("reads", "ptep_get()")
    message = f"{op.callee}() {how} the entry at '{name}' directly while lazy MMU mode is on: that takes {better}"
    return Incident("direct", op.span, message, because, level)


def sleep_level(analysis: FileAnalysis) -> Level:
    """How bad it is to sleep in a section of a file: an architecture knows whether its own mode forbids it."""
    return Level.NOTE if analysis.is_arch else Level.ERROR


def direct_level(analysis: FileAnalysis, site: Site) -> Level:
    """A ranged section may keep values back; a plain one will once it is converted, but not on another architecture."""
    if analysis.is_arch:
        return Level.NOTE
    return Level.ERROR if site.op.callee in analysis.vocabulary.ranged_enters else Level.WARNING


def _read(text: str) -> str:
    plain = _READ.fullmatch(text) or _MACRO_READ.fullmatch(text)
    if plain:
        return f"ptep_get({plain['pointer'] or plain.groupdict().get('inner')})"
    indexed = _INDEXED.fullmatch(text)
    if indexed and indexed["index"] == "0":
        return f"ptep_get({indexed['pointer']})"
    return f"ptep_get({indexed['pointer']} + {indexed['index']})" if indexed else ""


def _place(text: str) -> str:
    """What is written to, without the value: the left side of an assignment, or the macro's first argument."""
    call = re.match(r"\w+\([^,]*,", text)
    return f"{call.group()[:-1]}, ...)" if call else text.split("=")[0].strip()


def _written(analysis: FileAnalysis, span: Span) -> str:
    """The call that stands for an assignment, where that is a statement of its own: set_pte() has no value."""
    plain = _WRITE.fullmatch(" ".join(analysis.source.text(span).split()))
    masked = analysis.reader.masked
    before, after = masked[max(0, span.start - 400) : span.start].rstrip(), masked[span.end :].lstrip()[:1]
    if plain is None or not _STATEMENT_START.search(before) or after != b";":
        return ""
    return f"set_pte({plain['pointer']}, {plain['value'].strip()})"
