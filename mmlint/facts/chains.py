"""From a section through the functions that it calls: chains to what may sleep, to direct accesses, to other sections.

    chains = Chains(graph, "mm/memory.c", analysis)
    chains.follow(calls, hot)   ->  Found(sleeps, accesses, enters, looked_at, unresolved)

Every step of a chain is confirmed by an analysis of the function it passes: the call can be reached with the mode on,
for the arguments that are known. A chain to a sleeper may pass two calls that are not made on every way through their
function; a longer row of conditions is likely never to hold together, and nothing is claimed then. Chains are found
shortest first, and each function is looked at once for each set of known arguments.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mmlint.facts.callgraph import ENTER, GIVEN, MAX_DEPTH, OWN, SLEEP, CallGraph
from mmlint.facts.effects import Access, Effects, InnerCall
from mmlint.facts.file import FileAnalysis
from mmlint.facts.index import Place
from mmlint.facts.sections import Evidence
from mmlint.facts.summaries import parameter_table
from mmlint.flow import ir
from mmlint.flow.values import Entry, Poly, Symbol, Value
from mmlint.source import Span

_WORD = re.compile(r"[A-Za-z_]\w*")
# A section that runs more functions than this is not followed further; that is told.
_MAX_FRAMES = 600
# A chain to a sleeper may hang on this many conditions; with more of them, nothing is claimed.
_MAX_DOUBTS = 2
_ZERO, _ONE = Poly.const(0), Poly.const(1)


class Sleep(NamedTuple):
    """A chain to a call that may sleep: the call in the section, the sleeper, its flag, and the steps."""

    start: ir.Call
    sleeper: str
    flag: str
    steps: tuple[Evidence, ...]


class DirectAccess(NamedTuple):
    """A chain to a direct access in another function."""

    start: ir.Call
    place: Place
    analysis: FileAnalysis
    access: Access
    steps: tuple[Evidence, ...]


class Entering(NamedTuple):
    """A chain to another enable: the function that has it, and its call."""

    start: ir.Call
    place: Place
    analysis: FileAnalysis
    op: ir.Call
    steps: tuple[Evidence, ...]


class Unresolved(NamedTuple):
    """A call that could not be followed, and why; ``entry`` where it gets a pte pointer of the section.

    ``caller`` is the function that makes it, None for the section itself.
    """

    start: ir.Call
    name: str
    why: str
    entry: bool
    steps: tuple[Evidence, ...]
    caller: Place | None = None


@dataclass
class Found:
    """What following the calls of a section came to."""

    sleeps: list[Sleep] = field(default_factory=list)
    accesses: list[DirectAccess] = field(default_factory=list)
    enters: list[Entering] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    # What was looked at, True where a pte pointer reaches it; who calls whom, None being the section.
    looked_at: dict[Place, bool] = field(default_factory=dict)
    edges: dict[tuple[Place | None, Place], None] = field(default_factory=dict)


class _Frame(NamedTuple):
    """A function about to be looked at: how it was called, and from where."""

    start: ir.Call
    place: Place
    given: tuple[tuple[int, Value], ...]
    unknown: tuple[int, ...]
    hot: frozenset[int]
    doubts: int
    steps: tuple[Evidence, ...]
    caller: Place | None = None


class Chains:
    """Follows calls out of one file of a tree, where they may lead to one of ``kinds``.

    ``thorough`` looks at every function that gets a pte pointer, whatever its words tell.
    """

    def __init__(
        self,
        graph: CallGraph,
        path: str,
        analysis: FileAnalysis,
        thorough: bool = False,
        kinds: int = SLEEP | ENTER | GIVEN | OWN,
    ) -> None:
        self._graph = graph
        self._path = path
        self._analysis = analysis
        self._thorough = thorough
        self._kinds = kinds

    def follow(self, calls: Iterable[InnerCall], hot: frozenset[Symbol], names: frozenset[str]) -> Found:
        """Follow ``calls``; ``hot`` are the page tables of the section, ``names`` the variables of its function."""
        found = Found()
        calls = list(calls)
        wanted = {call.op.callee or call.target for call in calls} - {""}
        interest = self._graph.survey(wanted, self._path)
        pending: deque[_Frame] = deque()
        doubts: dict[tuple[Place, tuple[tuple[int, Value], ...], frozenset[int]], int] = {}

        def push(frames: Iterable[_Frame]) -> None:
            for frame in frames:
                key = (frame.place, frame.given, frame.hot)
                if doubts.get(key, frame.doubts + 1) > frame.doubts:
                    doubts[key] = frame.doubts
                    pending.append(frame)

        for call in calls:
            push(self._frames(found, interest, call.op, call, self._path, hot, names, 0, ()))
        while pending:
            frame = pending.popleft()
            if len(found.looked_at) >= _MAX_FRAMES:
                why = "too many functions run in the section"
                found.unresolved.append(Unresolved(frame.start, frame.place.name, why, True, frame.steps))
                break
            found.edges.setdefault((frame.caller, frame.place))
            push(self._look(found, interest, frame))
        return found

    # ------------------------------------------------------------ one call

    def _frames(
        self,
        found: Found,
        interest: Mapping[Place, int],
        start: ir.Call,
        call: InnerCall,
        path: str,
        hot: frozenset[Symbol],
        names: frozenset[str],
        doubts: int,
        steps: tuple[Evidence, ...],
        caller: Place | None = None,
    ) -> list[_Frame]:
        """The functions that a call may run, where looking at them can tell something."""
        graph, name = self._graph, call.op.callee or call.target
        handed = frozenset(i for i, value in enumerate(call.arguments) if _is_hot(value, hot))
        if len(steps) >= MAX_DEPTH or graph.is_quiet(name) or name in graph.vocabulary.api_names:
            return []
        places = graph.resolve(name, path) if name else ()
        if not places:
            if not graph.is_known(name):
                why = "a call through a pointer" if not name else "no definition is found"
                why += "" if graph.whole or not name else ": the file is in no tree"
                found.unresolved.append(Unresolved(start, name, why, bool(handed), steps, caller))
            return []
        frames = []
        for place in places:
            worth = interest.get(place, 0 if not call.target else SLEEP | ENTER | GIVEN | OWN)
            worth &= self._kinds & ((SLEEP if doubts <= _MAX_DOUBTS else 0) | ENTER | OWN | (GIVEN if handed else 0))
            if not worth and not (self._thorough and handed and not graph.is_known(name)):
                continue
            given, unknown = self._given(place, call.arguments, names, handed)
            frames.append(_Frame(start, place, given, unknown, handed, doubts, steps, caller))
        return frames

    def _given(
        self, place: Place, arguments: tuple[Value, ...], names: frozenset[str], handed: frozenset[int]
    ) -> tuple[tuple[tuple[int, Value], ...], tuple[int, ...]]:
        """Arguments whose values mean the same in the callee; and parameters that select what it does, not known."""
        given: dict[int, Value] = {
            i: value for i, value in enumerate(arguments) if isinstance(value, Poly) and _is_global(value, names)
        }
        if place.macro:
            entries: dict[int, Value] = {i: _macro_entry(i) for i in handed}
            return tuple(sorted({**given, **entries}.items(), key=lambda item: item[0])), ()
        modes = self._graph.modes(place)
        return tuple(given.items()), tuple(i for i in modes if i < len(arguments) and i not in given)

    # ------------------------------------------------------------ one function

    def _look(self, found: Found, interest: Mapping[Place, int], frame: _Frame) -> list[_Frame]:
        graph, place = self._graph, frame.place
        analysis = graph.analysis(place.path)
        choices = [dict(frame.given)]
        if frame.unknown:
            choices = [{**choices[0], **dict.fromkeys(frame.unknown, value)} for value in (_ZERO, _ONE)]
        reached = bool(frame.hot) or bool(interest.get(place, 0) & OWN)
        found.looked_at[place] = found.looked_at.get(place, False) or reached
        known: list[list[Effects]] = []
        for given in choices:
            effects, unsolved = graph.effects(place, given)
            known.append(effects)
            for item in unsolved:
                found.unresolved.append(
                    Unresolved(frame.start, place.name, item.reason, bool(frame.hot), frame.steps, place)
                )
        everywhere = [{call.op.span for one in effects for call in one.calls} for effects in known]
        certain = set.intersection(*everywhere)
        frames: list[_Frame] = []
        for one in (one for effects in known for one in effects):
            frames += self._consequences(found, interest, frame, analysis, one, certain)
        return frames

    def _consequences(
        self,
        found: Found,
        interest: Mapping[Place, int],
        frame: _Frame,
        analysis: FileAnalysis,
        effects: Effects,
        certain: set[Span],
    ) -> list[_Frame]:
        name = frame.place.name
        hot = _hot_tables(frame.hot, effects)
        if not self._graph.is_accessor(frame.place) and not self._graph.is_known(name):
            for access in effects.accesses:
                if access.table in hot:
                    text = f"{name}() accesses the entry here"
                    steps = (*frame.steps, self._step(analysis, access.op.span, text))
                    found.accesses.append(DirectAccess(frame.start, frame.place, analysis, access, steps))
        for op in effects.enters:
            steps = (*frame.steps, self._step(analysis, op.name_span, f"{name}() enters a section here"))
            found.enters.append(Entering(frame.start, frame.place, analysis, op, steps))
        if self._graph.is_known(name):
            return []
        for op, flag in effects.sleeps.items():
            if op.span in certain and frame.doubts + effects.is_conditional(op) <= _MAX_DOUBTS:
                how = f" with {flag}" if flag else ""
                text = f"{name}() calls {op.callee}(){how} here"
                steps = (*frame.steps, self._step(analysis, op.name_span, text))
                found.sleeps.append(Sleep(frame.start, op.callee or "", flag, steps))
        frames = []
        names = frozenset(name.name for name in effects.called.dataflow.graph.variables)
        for call in effects.calls:
            text = f"{name}() calls {call.op.callee or call.target}() here"
            steps = (*frame.steps, self._step(analysis, call.op.name_span, text))
            doubts = frame.doubts + effects.is_conditional(call.op)
            doubts = min(doubts, _MAX_DOUBTS + 1) if call.op.span in certain else _MAX_DOUBTS + 1
            frames += self._frames(
                found, interest, frame.start, call, frame.place.path, hot, names, doubts, steps, frame.place
            )
        for store, table in effects.escapes:
            if table in hot:
                steps = (*frame.steps, self._step(analysis, store.span, f"{name}() stores the pointer here"))
                why = "the pointer is stored where others may find it"
                found.unresolved.append(Unresolved(frame.start, name, why, True, steps, frame.place))
        return frames

    def _step(self, analysis: FileAnalysis, span: Span, text: str) -> Evidence:
        elsewhere = None if analysis is self._analysis else analysis.source.locate(span)
        return Evidence(span, text, elsewhere)


def _is_global(value: Poly, names: frozenset[str]) -> bool:
    """True for a value that means the same in every function: a number, or constants and functions by name."""
    for symbol in value.symbols():
        words = _WORD.findall(symbol)
        if symbol.makers or not words or names.intersection(words) or symbol.startswith(("*", "&", "`", "@", "T[")):
            return False
        if "->" in symbol or "(" in symbol:
            return False
    return True


def _macro_entry(index: int) -> Entry:
    """What a macro gets where it is handed a pte pointer."""
    return Entry(Symbol(f"T[#{index}]"), Poly.symbol(Symbol(f"@[#{index}]")))


def _is_hot(value: Value, hot: frozenset[Symbol]) -> bool:
    return isinstance(value, Entry) and value.table in hot


def _hot_tables(indices: frozenset[int], effects: Effects) -> frozenset[Symbol]:
    """The page tables that a function reaches: by what it is handed, and by what it finds itself."""
    parameters = effects.parameters
    handed = {parameter_table(parameters[i].name) for i in indices if i < len(parameters)}
    handed |= {_macro_entry(i).table for i in indices}
    return frozenset(handed | effects.page_tables())
