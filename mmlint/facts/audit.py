"""Whether anything that runs in a section dereferences an entry directly: what was looked at, and what is known.

    audit_section(analysis, solved, site)  ->  Audit("clean", functions, accesses, open_ends, accessors, edges)

The section's own code, every function that gets one of its pte pointers, and every function that finds a pointer by
itself are looked at, callbacks that are run for each entry among them. A section is clean only when all of these could
be followed; what could not is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mmlint.facts.access import page_tables
from mmlint.facts.across import follow
from mmlint.facts.callbacks import Callback, callbacks_in, running_site
from mmlint.facts.callgraph import GIVEN, OWN, architecture
from mmlint.facts.chains import Chains
from mmlint.facts.effects import Effects
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.found import DirectAccess, Found, Unresolved
from mmlint.facts.index import Place
from mmlint.facts.sections import Audit, AuditedAccess, AuditedFunction, AuditEdge, OpenEnd
from mmlint.facts.sites import Site
from mmlint.source import Source, Span

_STORED = "the pointer is stored where others may find it"


def audit_section(analysis: FileAnalysis, solved: Solved, site: Site) -> Audit:
    """The audit of one section in one text of its function."""
    collector = _Collector(solved.name)
    hot = page_tables(solved, site)
    for touch in site.touches:
        if touch.kind == "direct" and touch.entry.table in hot:
            collector.access(analysis, solved.name, touch.op.span, "")
    for store, table in site.escapes:
        if table in hot:
            collector.open_end(f"{solved.name}()", analysis, store.span, _STORED)
    found = follow(analysis, solved, site, thorough=True, kinds=GIVEN | OWN)
    if found is not None:
        running = any(call.op.callee is None for call in site.calls)
        callbacks = list(_callbacks(analysis, site)) if running else []
        collector.chains(analysis, solved.name, found, resolved=bool(callbacks))
        for callback in callbacks:
            collector.callback(callback)
    called = {call.op.callee or "" for call in site.calls}
    accessors = sorted(name for name in called if _is_accessor(analysis, name))
    return collector.audit(tuple(accessors))


def _is_accessor(analysis: FileAnalysis, name: str) -> bool:
    vocabulary = analysis.vocabulary
    return any(
        name in table for table in (vocabulary.reads, vocabulary.updates, vocabulary.read_updates, vocabulary.carries)
    )


def _callbacks(analysis: FileAnalysis, site: Site) -> Iterator[Callback]:
    """The functions that the tree has run in this section, each once."""
    graph = analysis.graph
    assert graph is not None
    seen = set()
    for applies in analysis.vocabulary.applies:
        homes = [graph.analysis(place.path) for place in graph.resolve(applies.name, analysis.path)]
        if not any(home is analysis and running_site(home, applies.name) is site for home in homes):
            continue
        for path in graph.tree.search((applies.name.encode() + b"(",)):
            for callback in callbacks_in(graph.analysis(path)):
                key = (callback.name, callback.analysis.path)
                if callback.applies == applies and key not in seen:
                    seen.add(key)
                    yield callback


@dataclass
class _Collector:
    """Gathers what is found; ``root`` is the function of the section."""

    root: str
    functions: dict[AuditedFunction, None] = field(default_factory=dict)
    accesses: dict[AuditedAccess, None] = field(default_factory=dict)
    open_ends: dict[OpenEnd, None] = field(default_factory=dict)
    edges: dict[AuditEdge, None] = field(default_factory=dict)

    def audit(self, accessors: tuple[str, ...]) -> Audit:
        """All of it in order, with the verdict."""
        accesses, ends = tuple(sorted(self.accesses)), tuple(sorted(self.open_ends))
        verdict = "not clean" if accesses else "unresolved" if ends else "clean"
        return Audit(verdict, tuple(self.functions), accesses, ends, accessors, tuple(self.edges))

    def access(self, home: FileAnalysis, function: str, span: Span, through: str) -> None:
        """A direct access in a file."""
        text = " ".join(home.source.text(span).split())
        found = AuditedAccess(home.source.locate(span), text, function, architecture(home.path), through)
        self.accesses.setdefault(found)

    def open_end(self, name: str, home: FileAnalysis, span: Span, why: str) -> None:
        """Something that could not be looked at."""
        self.open_ends.setdefault(OpenEnd(name, home.source.locate(span), why))

    def chains(self, home: FileAnalysis, start: str, found: Found, resolved: bool = False) -> None:
        """What following calls out of ``start`` came to; ``resolved`` where calls through its pointers are known."""
        for place, reached in found.looked_at.items():
            if reached:
                self.functions.setdefault(_function(home, place))
        for chain in found.accesses:
            self.access(chain.analysis, chain.place.name, chain.access.op.span, self._through(start, chain))
        for caller, callee in found.edges:
            if found.looked_at.get(callee):
                self.edges.setdefault(AuditEdge(caller.name if caller else start, callee.name))
        for end in found.unresolved:
            if end.entry and not (resolved and not end.name and end.caller is None):
                self._unresolved(home, start, end)

    def _through(self, start: str, chain: DirectAccess) -> str:
        callers = [step.text.split("()", 1)[0] for step in chain.steps[:-1]]
        return " > ".join(dict.fromkeys([self.root, start, *callers, chain.place.name]))

    def _unresolved(self, home: FileAnalysis, start: str, end: Unresolved) -> None:
        name = f"{end.name}()" if end.name else f"a pointer in {end.caller.name if end.caller else start}()"
        step = end.steps[-1] if end.steps else None
        location = (step.elsewhere if step else None) or home.source.locate(step.span if step else end.start.span)
        self.open_ends.setdefault(OpenEnd(name, location, end.why, end.caller.name if end.caller else start))

    def callback(self, callback: Callback) -> None:
        """Look at a callback as the body of the section."""
        home, name = callback.analysis, callback.name
        assert home.graph is not None
        texts, unsolved = home.called(name, False, {})
        line = home.source.line(home.definitions[name][0].name_span.start)
        self.functions.setdefault(AuditedFunction(name, home.source.path, line, architecture(home.path)))
        self.edges.setdefault(AuditEdge(self.root, name))
        for item in unsolved:
            self.open_end(f"{name}()", home, item.span, item.reason)
        for text in texts:
            effects = Effects(text)
            parameters = effects.parameters
            entry = callback.applies.pte
            hot = effects.page_tables((parameters[entry].name,) if entry < len(parameters) else ())
            for access in effects.accesses:
                if access.table in hot:
                    self.access(home, name, access.op.span, f"{self.root} > {name}")
            for op, table in effects.escapes:
                if table in hot:
                    self.open_end(f"{name}()", home, op.span, _STORED)
            names = frozenset(variable.name for variable in text.dataflow.graph.variables)
            chains = Chains(home.graph, home.path, home, thorough=True, kinds=GIVEN | OWN)
            self.chains(home, name, chains.follow(list(effects.calls), hot, names))


def _function(home: FileAnalysis, place: Place) -> AuditedFunction:
    assert home.graph is not None
    source = home.graph.analysis(place.path).source
    return AuditedFunction(place.name, source.path, _line(source, place.start, place.name), architecture(place.path))


def _line(source: Source, start: int, name: str) -> int:
    found = source.data.find(name.encode(), start)
    return source.line(found if found >= 0 else start)
