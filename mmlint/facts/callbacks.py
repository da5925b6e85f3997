"""Functions that another one runs for every entry of a range, in its own section.

    ret = apply_to_page_range(&init_mm, start, size, kasan_populate_vmalloc_pte, &data);

The vocabulary names the calls that do so; where the tree has the function that is called, the section is looked for in
it, and where that has none, nothing is said. A callback is judged as the body of that section.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mmlint.diagnostic import Level
from mmlint.facts.access import direct_access, direct_level
from mmlint.facts.across import Surroundings, consequences, worst_level
from mmlint.facts.callgraph import ENTER, GIVEN, LOCKED, OWN, SLEEP, architecture
from mmlint.facts.chains import Chains
from mmlint.facts.effects import Effects
from mmlint.facts.file import FileAnalysis
from mmlint.facts.found import Sleep
from mmlint.facts.gfp import sleeper_name
from mmlint.facts.inner import PageTables
from mmlint.facts.passing import Passed, Runs, passed_to
from mmlint.facts.readback import read_backs
from mmlint.facts.sections import Evidence, FunctionFacts, Incident
from mmlint.facts.sites import Site
from mmlint.source import Span
from mmlint.vocabulary import Applies


class Callback(NamedTuple):
    """A function that is passed to ``applies``, with the analysis of the file that defines it, and how it is passed."""

    name: str
    analysis: FileAnalysis
    applies: Applies
    passed: Passed


def callbacks_in(analysis: FileAnalysis) -> Iterator[Callback]:
    """The functions that this file has run in a section, each once for every place that passes it."""
    for applies in analysis.vocabulary.applies:
        for passed in passed_to(analysis, Runs(applies.name, applies.function)):
            yield Callback(passed.name, passed.owner, applies, passed)


def callback_facts(analysis: FileAnalysis) -> list[FunctionFacts]:
    """What is to be said of the functions that this file has run in a section."""
    found: dict[str, list[Incident]] = {}
    judged: set[tuple[str, str]] = set()
    for callback in callbacks_in(analysis):
        # One place that passes it is evidence enough.
        if (callback.name, callback.analysis.path) in judged:
            continue
        judged.add((callback.name, callback.analysis.path))
        around = surroundings(analysis, callback)
        if around is not None:
            found.setdefault(callback.name, []).extend(_judge(analysis, callback, around))
    facts = []
    for name, incidents in found.items():
        definitions = analysis.definitions.get(name, ())
        span = definitions[0].span if definitions else Span(0, 0)
        single = {(i.kind, i.subject, i.elsewhere): i for i in reversed(incidents)}
        ordered = sorted(single.values(), key=lambda i: (i.elsewhere is not None, i.subject, i.kind))
        facts.append(FunctionFacts(analysis.source, name, span, (), incidents=tuple(ordered)))
    return facts


def surroundings(analysis: FileAnalysis, callback: Callback) -> Surroundings | None:
    """The section that a callback runs in; None where the tree shows that there is none."""
    applies = callback.applies
    found = callback.passed
    section = "its section" if not found.runs.steps else f"the section of {applies.name}()"
    text = f"{found.caller}() has {found.runs.name}() run {callback.name}() in {section}"
    elsewhere = None if found.home is analysis else found.home.source.locate(found.span)
    # Evidence from a file that is the one under analysis stands there.
    steps = [step._replace(elsewhere=None) if _is_in(analysis, step) else step for step in found.runs.steps]
    passed = (Evidence(found.span, text, elsewhere), *steps)
    level = Level.NOTE if callback.analysis.is_arch else Level.WARNING
    if analysis.graph is None:
        current = next((g.enter for g in analysis.vocabulary.generations if g.name == analysis.api.generation), "")
        return Surroundings(passed, current, level)
    places = analysis.graph.resolve(applies.name, analysis.path)
    for place in places:
        home = analysis.graph.analysis(place.path)
        site = running_site(home, place.name)
        if site is not None:
            elsewhere = None if home is analysis else home.source.locate(site.op.span)
            entered = Evidence(site.op.span, "lazy MMU mode is entered here", elsewhere)
            if not callback.analysis.is_arch:
                level = direct_level(home, site)
            return Surroundings((entered, *passed), site.op.callee or "", level)
    if places:
        return None
    return Surroundings(passed, "", level)


def _is_in(analysis: FileAnalysis, step: Evidence) -> bool:
    return step.elsewhere is not None and step.elsewhere.path == analysis.source.path


def running_site(home: FileAnalysis, name: str) -> Site | None:
    """The section, below a function of its file, that calls through a pointer."""
    pending, seen = [name], {name}
    for current in pending:
        if len(pending) > 64:
            break
        for solved in home.solve(current)[0] if home.enters_mode(current) else ():
            for site in solved.sites.sites.values():
                if any(call.op.callee is None for call in site.calls):
                    return site
        fresh = [callee for callee in home.called_names(current) if callee not in seen]
        seen.update(fresh)
        pending += fresh
    return None


def _judge(analysis: FileAnalysis, callback: Callback, around: Surroundings) -> Iterator[Incident]:
    """The incidents in one callback, with places elsewhere where its file is another one."""
    home, name = callback.analysis, callback.name
    texts, _ = home.called(name, False, {})
    worst = worst_level(home, architecture(home.path))
    for text in texts:
        effects = Effects(text)
        parameters = effects.parameters
        if callback.applies.pte >= len(parameters):
            continue
        hot = effects.page_tables((parameters[callback.applies.pte].name,))
        for incident in _own_incidents(callback, effects, hot, around):
            elsewhere = None if home is analysis else home.source.locate(incident.subject)
            yield incident._replace(elsewhere=elsewhere, owner=name, at_most=min(incident.at_most, worst))
        if home.graph is not None:
            names = frozenset(variable.name for variable in text.dataflow.graph.variables)
            found = Chains(home.graph, home.path, home, kinds=SLEEP | ENTER | GIVEN | OWN | LOCKED).follow(
                effects.calls, hot, names
            )
            for incident in consequences(home, found, _seen_from(home, analysis, around)):
                place = incident.elsewhere or (None if home is analysis else home.source.locate(incident.subject))
                yield incident._replace(
                    elsewhere=place, owner=incident.owner or name, at_most=min(incident.at_most, worst)
                )


def _own_incidents(callback: Callback, effects: Effects, hot: PageTables, around: Surroundings) -> Iterator[Incident]:
    home = callback.analysis
    for access in effects.accesses:
        if access.table in hot:
            yield direct_access(home, access.op, around.because, around.level, argument=access.argument)
    sleeps = [Sleep(op, "", sleeper_name(op), flag, ()) for op, flag in effects.sleeps.items()]
    for sleep in sleeps:
        how = f" with {sleep.flag}" if sleep.flag else ""
        message = f"{sleep.sleeper}() may sleep{how} while lazy MMU mode is on"
        yield Incident("sleep", sleep.start.name_span, message, around.because)
    vocabulary = home.vocabulary
    if any(g.enter == around.enter and not g.nesting for g in vocabulary.generations):
        for op in effects.enters:
            message = f"{op.callee}() is called in another section, and sections do not nest in this tree"
            yield Incident("nested", op.name_span, message, around.because)
    yield from read_backs(home, effects, hot, around.because)


def _seen_from(home: FileAnalysis, analysis: FileAnalysis, around: Surroundings) -> Surroundings:
    """The surroundings with places, where the file that is reported on is not the one that shows them."""
    if home is analysis:
        return around
    because = tuple(step.placed(analysis.source) for step in around.because)
    return around._replace(because=because)
