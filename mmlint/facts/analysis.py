"""The sections of a file with their verdicts: the entry point of the facts layer.

    facts = analyse_file(Source(path, data), load_vocabulary())
    for function in facts.functions:
        for section in function.sections: ...

A function with several configurations is judged in each; a section gets the weakest of its verdicts, and says in which
configuration it holds.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import NamedTuple, Protocol, TypeVar

from mmlint.diagnostic import Skipped
from mmlint.facts.audit import audit_section
from mmlint.facts.callbacks import callback_facts
from mmlint.facts.callgraph import CallGraph
from mmlint.facts.definition import mentions_of, remarks_on
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.incidents import incidents_of
from mmlint.facts.judgement import judge_section
from mmlint.facts.mentions import calls_of, mentions_section
from mmlint.facts.pairing import borrowed_leaks
from mmlint.facts.sections import Evidence, FileFacts, FunctionFacts, Incident, Leak, Section, Unmatched, Verdict
from mmlint.flow.ir import Call
from mmlint.source import Source, Span
from mmlint.tree import NO_TREE, TreeApi
from mmlint.vocabulary import Vocabulary

Item = TypeVar("Item")
Result = TypeVar("Result")
_MAX_CONDITIONALS = 10_000
__all__ = ["analyse_file", "mentions_section"]


class _Part(NamedTuple):
    """What came of some functions of the file."""

    functions: list[FunctionFacts]
    skipped: list[Skipped]
    looked_at: int


class Each(Protocol):
    """Does something with each item, perhaps in several processes: results in the order of the items."""

    def __call__(self, work: Callable[[Item], Result], items: Sequence[Item]) -> Sequence[Result]: ...


def in_turn(work: Callable[[Item], Result], items: Sequence[Item]) -> Sequence[Result]:
    """One after the other."""
    return [work(item) for item in items]


def analyse_file(
    source: Source,
    vocabulary: Vocabulary,
    api: TreeApi = NO_TREE,
    graph: CallGraph | None = None,
    path: str = "",
    audit: bool = False,
    incidents: bool = True,
    each: Each = in_turn,
) -> FileFacts:
    """Every section of a file, judged. Never raises for bad C: what cannot be read is in ``skipped``.

    ``api`` is that of the tree the file stands in, ``graph`` finds what is called in its other files, ``path`` is the
    place of the file in the tree. With ``audit``, sections say what runs in them and how it accesses entries.
    Without ``incidents``, what happens in sections is left out: who only lists them need not follow their calls.
    ``each`` does what is to be done for each function.
    """
    if source.data.count(b"#if") > _MAX_CONDITIONALS:
        reason = "the file has more than 10,000 conditionals"
        return FileFacts(source, (), 0, (Skipped(source.path, "", 1, reason),))
    analysis = FileAnalysis(source, vocabulary, api, graph, path)
    if graph is not None:
        graph.join(path, analysis)
    pattern = re.compile(rb"\b(?:" + b"|".join(name.encode() for name in calls_of(vocabulary)) + rb")\s*\(")
    functions: list[FunctionFacts] = []
    skipped: list[Skipped] = []
    looked_at = 0
    names = [
        name
        for name, definitions in analysis.definitions.items()
        if name not in vocabulary.api_names and any(pattern.search(d.masked) for d in definitions)
    ]
    for place, reason in _unaccounted(analysis, pattern):
        skipped.append(Skipped(source.path, "", source.line(place), reason))
    for name, macro in _behind_macros(analysis, pattern):
        place = analysis.definitions[name][0].name_span.start
        reason = f"the macro {macro}() enters or leaves the mode"
        skipped.append(Skipped(source.path, name, source.line(place), reason))
    tasks = [partial(_judged, analysis, name, audit, incidents) for name in names]
    if incidents:
        tasks.append(partial(_run_by_others, analysis))
    # One function and little else is not worth another process.
    for part in (each if len(names) > 1 else in_turn)(_work, tasks):
        # What another process made has its own copy of the file.
        functions += [replace(function, source=source) for function in part.functions]
        skipped += part.skipped
        looked_at += part.looked_at
    skipped = list(dict.fromkeys(skipped))
    functions.sort(key=lambda facts: facts.span)
    return FileFacts(
        source,
        tuple(functions),
        looked_at,
        tuple(skipped),
        mentions_of(analysis),
        remarks_on(analysis),
    )


def _work(task: Callable[[], _Part]) -> _Part:
    return task()


def _judged(analysis: FileAnalysis, name: str, audit: bool, incidents: bool) -> _Part:
    solved, unsolved = analysis.solve(name)
    line, path = analysis.source.line, analysis.source.path
    skipped = [Skipped(path, name, line(item.span.start), item.reason) for item in unsolved]
    functions = [_function(analysis, name, solved, audit, incidents)] if solved else []
    return _Part(functions, skipped, 1)


def _run_by_others(analysis: FileAnalysis) -> _Part:
    functions = callback_facts(analysis)
    return _Part(functions, [], len(functions))


def _unaccounted(analysis: FileAnalysis, pattern: re.Pattern[bytes]) -> list[tuple[int, str]]:
    """Calls that lie in no function that could be found, and what may hide text: a comment or #if without an end."""
    masked, data = analysis.reader.masked, analysis.source.data
    found = []
    start = data.rfind(b"/*")
    if start >= 0 and data.find(b"*/", start) < 0 and not masked[start : start + 2].strip():
        found.append((start, "the comment that begins here does not end"))
    if analysis.reader.unclosed >= 0:
        found.append((analysis.reader.unclosed, "the #if here has no #endif"))
    functions = [d.span for texts in analysis.definitions.values() for d in texts]
    spans = [Span(0, 0), *sorted([*functions, *(macro.span for macro in analysis.reader.macros())])]
    starts, ends = [span.start for span in spans], list(accumulate((span.end for span in spans), max))
    for match in pattern.finditer(masked):
        line = masked[masked.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        if (
            not line.strip()
            and not analysis.reader.is_dead(match.start())
            and not match.start() < ends[bisect_right(starts, match.start()) - 1]
        ):
            found.append((match.start(), "a call outside of every function that could be read"))
    return found


def _behind_macros(analysis: FileAnalysis, pattern: re.Pattern[bytes]) -> list[tuple[str, str]]:
    """Functions that use the API through a macro of their file only: they are not analysed."""
    macros = sorted(
        {m.name for m in analysis.reader.macros() if pattern.search(m.masked)} - analysis.vocabulary.api_names
    )
    found = []
    for macro in macros:
        used = re.compile(rb"\b" + macro.encode() + rb"\b")
        for name, definitions in analysis.definitions.items():
            if any(used.search(d.masked) for d in definitions) and name not in analysis.vocabulary.api_names:
                found.append((name, macro))
    return found


def _function(analysis: FileAnalysis, name: str, texts: list[Solved], audit: bool, wanted: bool) -> FunctionFacts:
    sections: dict[int, list[Section]] = {}
    unmatched: dict[int, Unmatched] = {}
    incidents: dict[tuple[str, int, str], Incident] = {}
    seen: dict[tuple[str, int, str], int] = {}
    leaks: dict[Span, Leak] = {}
    for solved in texts:
        for incident in incidents_of(analysis, solved) if wanted else ():
            key = (incident.kind, incident.subject.start, incident.elsewhere.path if incident.elsewhere else "")
            seen[key] = seen.get(key, 0) + 1
            incidents.setdefault(key, incident._replace(configuration=solved.configuration))
        for section in _sections(analysis, solved, audit):
            sections.setdefault(section.call.start, []).append(section)
        for found in _unmatched(solved):
            unmatched.setdefault(found.call.start, found)
        for leak in borrowed_leaks(solved, analysis.source):
            leaks.setdefault(leak.exit, leak)
    merged = tuple(_merge(sections[start]) for start in sorted(sections))
    surplus = tuple(unmatched[start] for start in sorted(unmatched))
    everywhere = {key for key, count in seen.items() if count == len(texts)}
    happened = tuple(
        incidents[key]._replace(configuration="") if key in everywhere else incidents[key]
        for key in sorted(incidents, key=lambda key: (key[1], key[0], key[2]))
    )
    return FunctionFacts(
        analysis.source, name, texts[0].function.span, merged, surplus, happened, tuple(leaks.values())
    )


def _sections(analysis: FileAnalysis, solved: Solved, audit: bool) -> list[Section]:
    sites = [solved.sites.sites[start] for start in sorted(solved.sites.sites)]
    ranged = analysis.vocabulary.ranged_enters
    spellings = {
        " ".join(analysis.source.text(site.op.argument_spans[3]).split())
        for site in sites
        if site.op.callee in ranged and len(site.op.argument_spans) == 4
    }
    sections = []
    for site in sites:
        if site.snapshots or site.resumed:
            section = judge_section(analysis, solved, site, frozenset(spellings))
            if audit:
                section = section._replace(audit=audit_section(analysis, solved, site))
            sections.append(section)
            if section.proposal is not None:
                spellings.add(section.proposal.ptep)
    return sections


def _unmatched(solved: Solved) -> list[Unmatched]:
    found = []
    for op, closed in solved.sites.surplus.values():
        before = next((call for call in _calls_at(solved, closed)), op)
        lines = (Evidence(before.span, "the mode is left here"), Evidence(op.span, "and here once more"))
        message = f"{op.callee}() has no section to end: the mode was left before on this path"
        found.append(Unmatched(op.span, message, lines, solved.configuration))
    for site in solved.sites.sites.values():
        for closing in site.closings:
            op = closing.op
            if solved.sites.unopened.pop(op.span.start, None) is not None:
                lines = (Evidence(site.op.span, "the section is entered here"), Evidence(op.span, "it is left here"))
                message = f"{op.callee}() is also reached on a path that entered no section"
                found.append(Unmatched(op.span, message, lines, solved.configuration))
    for start, borrowed in solved.sites.borrowed.items():
        for op in borrowed.closings:
            if solved.sites.unopened.pop(op.span.start, None) is not None:
                entered = _calls_at(solved, start)[0]
                lines = (Evidence(entered.span, "the section is entered here"), Evidence(op.span, "it is left here"))
                message = f"{op.callee}() is also reached on a path that entered no section"
                found.append(Unmatched(op.span, message, lines, solved.configuration))
    return found


def _calls_at(solved: Solved, start: int) -> list[Call]:
    return [
        op
        for block in solved.dataflow.graph.blocks
        for op in block.ops
        if isinstance(op, Call) and op.span.start == start
    ]


_LEAST_CLEAN = ("not clean", "unresolved", "clean")
_WEAKEST = (
    Verdict.REFUTED,
    Verdict.UNKNOWN,
    Verdict.MULTI_RANGE,
    Verdict.UNSUITABLE,
    Verdict.CONVERTIBLE,
    Verdict.VERIFIED,
)


def _merge(variants: list[Section]) -> Section:
    """One section of all configurations: the weakest verdict, named when not all agree."""
    worst = min(variants, key=lambda section: _WEAKEST.index(section.verdict))
    audits = [section.audit for section in variants if section.audit is not None]
    if audits:
        worst = worst._replace(audit=min(audits, key=lambda audit: _LEAST_CLEAN.index(audit.verdict)))
    same = all(
        (section.verdict, section.proposal and section.proposal.call)
        == (worst.verdict, worst.proposal and worst.proposal.call)
        for section in variants
    )
    if same:
        return worst._replace(configuration="")
    if all(section.verdict is Verdict.CONVERTIBLE for section in variants):
        return worst._replace(
            verdict=Verdict.UNKNOWN, reason="the arguments depend on the configuration", proposal=None
        )
    return worst
