"""What happens in a section through the functions that it calls, and in functions that others run in a section.

    err = apply_to_page_range(mm, addr, size, set_one, &data);      set_one() runs in the section of a walker

Such a function is judged in its own file as if it were the body of the section; the evidence says who runs it where.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mmlint.diagnostic import Level
from mmlint.facts.access import direct_access, direct_level, entered, page_tables, sleep_level
from mmlint.facts.callgraph import ENTER, GIVEN, OWN, SLEEP
from mmlint.facts.chains import Chains
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.found import Found
from mmlint.facts.sections import Evidence, Incident
from mmlint.facts.sites import Site


class Surroundings(NamedTuple):
    """The section that something runs in: its evidence, its enable, how bad a direct access is, how bad sleeping is."""

    because: tuple[Evidence, ...]
    enter: str
    level: Level
    asleep: Level = Level.ERROR


def follow(
    analysis: FileAnalysis, solved: Solved, site: Site, thorough: bool = False, kinds: int = SLEEP | ENTER | GIVEN | OWN
) -> Found | None:
    """The chains out of a section; None where the file is in no tree."""
    if analysis.graph is None:
        return None
    hot = page_tables(solved, site)
    names = frozenset(name.name for name in solved.dataflow.graph.variables)
    return Chains(analysis.graph, analysis.path, analysis, thorough, kinds).follow(site.calls, hot, names)


def across(analysis: FileAnalysis, solved: Solved, site: Site) -> list[Incident]:
    """What happens in a section through the functions that it calls."""
    found = follow(analysis, solved, site)
    if found is None:
        return []
    around = Surroundings((entered(site),), site.op.callee or "", direct_level(analysis, site), sleep_level(analysis))
    return consequences(analysis, found, around)


def loses_range(analysis: FileAnalysis, solved: Solved, site: Site) -> str:
    """The first call in a section after which its range would be lost, empty where there is none."""
    found = follow(analysis, solved, site, kinds=ENTER)
    return next((chain.start.callee or chain.place.name for chain in found.resumes), "") if found is not None else ""


def consequences(analysis: FileAnalysis, found: Found, around: Surroundings) -> list[Incident]:
    """What is to be said of chains that were found."""
    return [
        *_sleeps(analysis, found, around),
        *_accesses(analysis, found, around),
        *_enters(analysis, found, around),
        *_resumes(analysis, found, around),
        *_read_backs(analysis, found, around),
    ]


def worst_level(analysis: FileAnalysis, arch: str) -> Level:
    """How bad something is that only code of one architecture leads to: nothing happens where it has no such mode."""
    return Level.NOTE if arch and analysis.graph is not None and not analysis.graph.has_mode(arch) else Level.ERROR


def _sleeps(analysis: FileAnalysis, found: Found, around: Surroundings) -> Iterable[Incident]:
    # The shortest chain of each call comes first.
    for sleep in {chain.start: chain for chain in reversed(found.sleeps)}.values():
        how = f" with {sleep.flag}" if sleep.flag else ""
        name = sleep.start.callee or sleep.first
        message = f"{name}() may sleep while lazy MMU mode is on: it comes to {sleep.sleeper}(){how}"
        level = min(around.asleep, worst_level(analysis, sleep.arch))
        yield Incident("sleep", sleep.start.name_span, message, (*around.because, *sleep.steps), level)


def _accesses(analysis: FileAnalysis, found: Found, around: Surroundings) -> Iterable[Incident]:
    for chain in found.accesses:
        level = Level.NOTE if chain.analysis.is_arch else around.level
        because = (*around.because, *chain.steps[:-1])
        incident = direct_access(chain.analysis, chain.access.op, because, level, argument=chain.access.argument)
        elsewhere = None if chain.analysis is analysis else chain.analysis.source.locate(incident.subject)
        yield incident._replace(elsewhere=elsewhere, owner=chain.place.name)


def _enters(analysis: FileAnalysis, found: Found, around: Surroundings) -> Iterable[Incident]:
    vocabulary = analysis.vocabulary
    flat = any(g.enter == around.enter and not g.nesting for g in vocabulary.generations)
    for chain in {chain.start: chain for chain in reversed(found.enters)}.values() if flat else ():
        name = chain.start.callee or chain.place.name
        message = f"{name}() enters a section of its own in another one, and sections do not nest in this tree"
        level = worst_level(analysis, chain.arch)
        yield Incident("nested", chain.start.name_span, message, (*around.because, *chain.steps), level)
    for chain in () if flat else found.enters:
        if chain.op.callee in vocabulary.ranged_enters:
            elsewhere = None if chain.analysis is analysis else chain.analysis.source.locate(chain.op.span)
            message = "the range is ignored where the function is called with lazy MMU mode on"
            because = (*around.because, *chain.steps[:-1])
            level = worst_level(analysis, chain.arch)
            yield Incident("lost", chain.op.span, message, because, level, elsewhere=elsewhere, owner=chain.place.name)


def _resumes(analysis: FileAnalysis, found: Found, around: Surroundings) -> Iterable[Incident]:
    for chain in found.resumes if around.enter in analysis.vocabulary.ranged_enters else ():
        elsewhere = None if chain.analysis is analysis else chain.analysis.source.locate(chain.op.span)
        message = f"the range of the section is lost: {chain.op.callee}() enters the mode without it"
        because = (*around.because, *chain.steps[:-1])
        level = worst_level(analysis, chain.arch)
        yield Incident("lost", chain.op.span, message, because, level, elsewhere=elsewhere, owner=chain.place.name)


def _read_backs(analysis: FileAnalysis, found: Found, around: Surroundings) -> Iterable[Incident]:
    for chain in found.read_backs:
        incident, home = chain.incident, chain.analysis
        elsewhere = None if home is analysis else home.source.locate(incident.subject)
        there = incident.because if home is analysis else tuple(step.placed(home.source) for step in incident.because)
        because = (*around.because, *chain.steps, *there)
        level = worst_level(analysis, chain.arch)
        yield incident._replace(because=because, at_most=level, elsewhere=elsewhere, owner=chain.place.name)
