"""What must not happen inside a section, found in one function: sleeping, direct access, nesting, a lost range."""

from __future__ import annotations

from mmlint.facts.access import accesses, entered, sleep_level
from mmlint.facts.across import across
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.gfp import sleeper_name
from mmlint.facts.pairing import decisions, path_to
from mmlint.facts.sections import Evidence, Incident
from mmlint.facts.sites import Site
from mmlint.flow import ir
from mmlint.source import Source


def incidents_of(analysis: FileAnalysis, solved: Solved) -> list[Incident]:
    """All incidents of one text of a function, in the order of the text."""
    found: list[Incident] = []
    for site in solved.sites.sites.values():
        found += (
            _sleeps(analysis, site)
            + accesses(analysis, solved, site)
            + _nested(analysis, solved, site)
            + _lost(analysis, site)
        )
        found += across(analysis, solved, site)
    found += _pauses(analysis, solved) + _lockless(analysis, solved) + _hooks(analysis, solved)
    # What happens in a nested section is seen from those around it as well.
    single = {(incident.kind, incident.subject, incident.elsewhere): incident for incident in reversed(found)}
    return sorted(single.values(), key=lambda incident: (incident.subject, incident.kind))


def _sleeps(analysis: FileAnalysis, site: Site) -> list[Incident]:
    found = []
    for op, flag in site.sleeps:
        how = f" with {flag}" if flag else ""
        message = f"{sleeper_name(op)}() may sleep{how} while lazy MMU mode is on"
        found.append(Incident("sleep", op.name_span, message, (entered(site),), sleep_level(analysis)))
    return found


# ---------------------------------------------------------------- nesting and pauses


def _nested(analysis: FileAnalysis, solved: Solved, site: Site) -> list[Incident]:
    vocabulary = analysis.vocabulary
    flat = any(g.enter == site.op.callee and not g.nesting for g in vocabulary.generations)
    ranged = site.op.callee in vocabulary.ranged_enters
    found = []
    for start in site.outer[:1]:
        outer = solved.sites.sites.get(start)
        because = (entered(outer),) if outer is not None else ()
        if flat:
            message = f"{site.op.callee}() is called in another section, and sections do not nest in this tree"
            found.append(Incident("nested", site.op.span, message, because))
        elif ranged:
            message = "the range is ignored: lazy MMU mode is already on here"
            found.append(Incident("lost", site.op.span, message, because))
    return found


def _lost(analysis: FileAnalysis, site: Site) -> list[Incident]:
    if site.op.callee not in analysis.vocabulary.ranged_enters:
        return []
    return [
        Incident(
            "lost",
            resume.span,
            f"the range of the section is lost: {resume.callee}() enters the mode without it",
            (entered(site), Evidence(pause.span, "the mode is paused here")),
        )
        for pause, resume in site.range_lost
    ]


def _pauses(analysis: FileAnalysis, solved: Solved) -> list[Incident]:
    sites = solved.sites
    found = []
    # A function that only pauses is one half of a pair; its caller has the other.
    if sites.resumes:
        for span, (pause, block, key) in sites.paused_exits.items():
            message = "lazy MMU mode is still paused when the function returns"
            lines = [Evidence(pause.span, "the mode is paused here")] if pause is not None else []
            starts = [(b, k) for b, k, op in sites.pause_states if pause is None or op.span == pause.span]
            lines += decisions(solved, analysis.source, path_to(solved, starts, (block, key)))
            found.append(Incident("pause", span, message, tuple(lines)))
    for start, op in sites.unpaused.items():
        if start in sites.resumes:
            message = f"{op.callee}() is also reached on a path where the mode is not paused"
            found.append(Incident("pause", op.span, message, ()))
    return found


# ---------------------------------------------------------------- locks


def _lockless(analysis: FileAnalysis, solved: Solved) -> list[Incident]:
    found = []
    for op, table, held in solved.sites.lockless.values():
        better = analysis.vocabulary.locked_reads[op.callee or ""]
        name = _argument(analysis.source, op)
        message = f"'{name}' is read without the page-table lock: that takes {better}()"
        site = solved.dataflow.context.mapped[table]
        released = [unlock.span for unlock, lock in solved.sites.released if held and lock == f"lock({table})"]
        because = (
            Evidence(site, "the table is mapped here"),
            *(Evidence(s, "its lock is released here") for s in released),
        )
        found.append(Incident("lockless", op.name_span, message, because, replacement=better))
    return found


def _hooks(analysis: FileAnalysis, solved: Solved) -> list[Incident]:
    """The architecture's hooks, called in generic code of a tree that has a generic layer."""
    generations = analysis.vocabulary.generations
    current = generations[-1]
    if analysis.api.generation != current.name or analysis.is_arch:
        return []
    if current.enter in analysis.definitions:
        # The generic layer itself.
        return []
    names = {g.enter: current.enter for g in generations[:-1]} | {g.leave: current.leave for g in generations[:-1]}
    names |= analysis.vocabulary.hooks
    found = []
    for start, op in solved.sites.mode_calls.items():
        better = names.get(op.callee or "", "")
        site = solved.sites.sites.get(start)
        # Leaving and entering a caller's section is what pause and resume are for.
        if start in solved.sites.unopened:
            better = current.pause
        elif site is not None and site.resumed:
            better = current.resume
        if op.callee in names:
            message = f"{op.callee}() is the architecture's hook: generic code calls {better}()"
            found.append(Incident("hook", op.name_span, message, (), replacement=better))
    return found


def _argument(source: Source, op: ir.Call) -> str:
    return " ".join(source.text(op.argument_spans[0]).split()) if op.argument_spans else ""
