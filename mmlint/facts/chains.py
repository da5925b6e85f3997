"""From a section through the functions that it calls: chains to what may sleep, to direct accesses, to other sections.

    chains = Chains(graph, "mm/memory.c", analysis)
    chains.follow(calls, hot)   ->  Found(sleeps, accesses, enters, looked_at, unresolved)

Every step of a chain is confirmed by an analysis of the function it passes: the call can be reached with the mode on,
for the arguments that are known. A chain to a sleeper may pass two calls that are not made on every way through their
function; a longer row of conditions is likely never to hold together, and nothing is claimed then. Chains are found
shortest first, and each function is looked at once for each set of known arguments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from mmlint.facts.callgraph import ENTER, GIVEN, LOCKED, MAX_DEPTH, MAX_PLACES, OWN, SLEEP, CallGraph, architecture
from mmlint.facts.effects import Effects
from mmlint.facts.file import FileAnalysis
from mmlint.facts.found import DirectAccess, Entering, Found, ReadBack, Sleep, Unresolved
from mmlint.facts.frames import Around, Frame, handed_names, is_global, macro_entry, may_run
from mmlint.facts.gfp import sleeper_name
from mmlint.facts.handed import Part, only_uses_members, out_of_sight
from mmlint.facts.index import Place
from mmlint.facts.inner import InnerCall, PageTables, function_name
from mmlint.facts.modes import Unknown, choices
from mmlint.facts.ops import entry_parameters, functions_handed
from mmlint.facts.readback import read_backs
from mmlint.facts.sections import Evidence
from mmlint.flow.ir import Return
from mmlint.flow.values import Entry, Poly, Symbol, Value
from mmlint.source import Span
from mmlint.syntax.words import ASM

# A section that runs more functions than this is not followed further; that is told.
_MAX_FRAMES = 600
# A chain to a sleeper may hang on this many conditions; with more of them, nothing is claimed.
_MAX_DOUBTS = 2
_IN_STRUCTURE = "a structure with the pointer in it is handed over"
_IN_ARRAY = "an array is handed over, of which some elements are the pointer"
_RETURNED = "it returns a structure with the pointer in it"
_TOO_FAR = "it is too many calls away from the section"
_IN_ASSEMBLY = "assembly is given the pointer"
_HANDED = Entry(Symbol("T[handed]"), Poly.symbol(Symbol("@[handed]")))
_ANYTHING = SLEEP | ENTER | GIVEN | OWN | LOCKED


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
        self._found = Found()
        self._interest: dict[Place, int] = {}

    def follow(self, calls: Iterable[InnerCall], hot: PageTables, names: frozenset[str]) -> Found:
        """Follow ``calls``; ``hot`` are the page tables of the section, ``names`` the variables of its function."""
        found = self._found = Found()
        calls = list(calls)
        self._interest = dict(self._graph.survey({call.op.callee or "" for call in calls} - {""}, self._path))
        if len(self._interest) >= MAX_PLACES:
            why = "too many functions may run in the section"
            found.unresolved.append(Unresolved(calls[0].op, calls[0].name, why, True, ()))
        pending: deque[Frame] = deque()
        doubts: dict[tuple[object, ...], int] = {}

        def push(frames: Iterable[Frame]) -> None:
            for frame in frames:
                # An access is the same for all calls that lead to it; of sleepers, each call wants to know its own.
                start = frame.start if self._interest.get(frame.place, 0) & self._kinds & (SLEEP | ENTER) else None
                key = (start, frame.place, frame.given, frame.hot, frame.depth, frame.arch, frame.parts)
                if doubts.get(key, frame.doubts + 1) > frame.doubts:
                    doubts[key] = frame.doubts
                    pending.append(frame)

        section = Around(None, "", None, self._path, hot, names, arch=architecture(self._path))
        for call in calls:
            push(self._frames(section, call))
        while pending:
            frame = pending.popleft()
            if len(found.looked_at) >= _MAX_FRAMES:
                why = "too many functions run in the section"
                found.unresolved.append(Unresolved(frame.start, frame.place.name, why, True, frame.steps))
                break
            found.edges.setdefault((frame.caller, frame.place))
            push(self._look(frame))
        return found

    # ------------------------------------------------------------ one call

    def _frames(self, context: Around, call: InnerCall) -> list[Frame]:
        """The functions that a call may run, where looking at them can tell something."""
        if call.op.callee is not None:
            run = self._frames_of_ops(context, call) if not self._graph.is_known(call.op.callee) else []
            return [*self._frames_of(context, call, call.op.callee, context.path), *run]
        frames = []
        for target, sure in self._targets(context, call) or [("", True)]:
            name, _, path = target.partition(" of ")
            path = path or context.path
            around = context if sure else context._replace(doubts=_MAX_DOUBTS + 1)
            if name:
                for place, flags in self._graph.survey({name}, path).items():
                    self._interest[place] = self._interest.get(place, 0) | flags
            frames += self._frames_of(around, call, name, path)
        return frames

    def _targets(self, context: Around, call: InnerCall) -> list[tuple[str, bool]]:
        """The functions that a call through a pointer may run; members of globals hold those that their file shows.

        Of several in a table that is indexed by what is not known, and of one that may be replaced, none is sure.
        """
        found: dict[str, bool] = {}
        for target in call.targets:
            member, _, path = target.partition(" of ")
            name = member.replace("[", ".").partition(".")[0]
            if name == member:
                found[target] = True
                continue
            shown = self._graph.globals.held(path or context.path, name, member[len(name) :])
            for function in shown[1].names if shown is not None else ():
                target = f"{function} of {shown[0] if shown else path}"
                found[target] = found.get(target, False) or (shown is not None and shown[1] == ((function,), True))
            if shown is None or not shown[1].sure:
                found.setdefault("", True)
        return list(found.items())

    def _frames_of(self, context: Around, call: InnerCall, name: str, path: str) -> list[Frame]:
        graph = self._graph
        hot = {i for i, value in enumerate(call.arguments) if isinstance(value, Entry) and value.table in context.hot}
        handed = frozenset(hot | {~index for index, table in call.behind if table in context.hot})
        handed |= {~i for i, value in enumerate(call.arguments) if _symbol(value) in context.leads}
        if graph.is_quiet(name) or graph.is_sleeper(name) or name in graph.vocabulary.api_names:
            return []
        start = context.start or call.op
        parts = self._parts(context, call)
        reaches = bool(handed) or any(isinstance(part.value, Entry) for part in parts)
        mixed = any(table in context.hot for table in call.mixed)
        why = self._out_of_sight(context, name, bool(handed), reaches, mixed)
        if why:
            self._found.unresolved.append(Unresolved(start, name, why, True, context.steps, context.place))
        if len(context.steps) >= MAX_DEPTH:
            return []
        places = [place for place in (graph.resolve(name, path) if name else ()) if may_run(place, context.arch)]
        if not places:
            if not graph.is_known(name):
                open_end = reaches or graph.may_find_entries(name)
                why = self._why_nothing(name)
                self._found.unresolved.append(Unresolved(start, name, why, open_end, context.steps, context.place))
            return []
        # Of a call through a pointer, the words of a function tell nothing.
        passes = any(self._function(value, context) for value in call.arguments)
        passes = passes or any(" of " in str(part.value) or isinstance(part.value, Entry) for part in parts)
        frames = []
        for place in places:
            kinds = (SLEEP if context.doubts <= _MAX_DOUBTS else 0) | ENTER | OWN | (GIVEN | LOCKED if reaches else 0)
            worth = (_ANYTHING if passes else self._interest.get(place, 0)) & self._kinds & kinds
            if not worth and not (self._thorough and reaches and not graph.is_known(name)):
                continue
            given, unknown = self._given(place, call, context, handed)
            frames.append(
                Frame(
                    start,
                    context.first or name,
                    place,
                    given,
                    unknown,
                    handed,
                    min(call.depth, graph.max_depth),
                    context.doubts,
                    context.steps,
                    context.place,
                    context.arch or architecture(place.path),
                    parts,
                )
            )
        return frames

    def _why_nothing(self, name: str) -> str:
        """Why a call leads to no definition."""
        if not name:
            return "a call through a pointer"
        if self._graph.is_ambiguous(name):
            return "it has too many definitions"
        return "no definition is found" + ("" if self._graph.whole else ": the file is in no tree")

    def _parts(self, context: Around, call: InnerCall) -> tuple[Part, ...]:
        """The members that are handed over as they mean the same in the callee: of pte pointers, those that matter."""
        found = []
        for part in call.parts if not self._graph.is_known(call.op.callee or "") else ():
            function = self._function(part.value, context)
            if function:
                found.append(part._replace(value=Poly.symbol(Symbol(function))))
            elif isinstance(part.value, Entry):
                table = part.value.table
                found += [part._replace(value=_HANDED)] if table in context.hot else []
            elif is_global(part.value, context.names):
                found.append(part)
        return tuple(found)

    def _frames_of_ops(self, context: Around, call: InnerCall) -> list[Frame]:
        """The functions that a call is handed in a structure; what they get, the walk has found."""
        frames = []
        home = self._graph.analysis(context.path)
        for index, variable, name in functions_handed(home, call.op) if len(context.steps) < MAX_DEPTH else ():
            if self._takes_apart(context, call, index):
                continue
            text = f"{call.name}() is given {variable}, which has it run {name}()"
            steps = (*context.steps, self._step(home, call.op.name_span, text))
            handed = entry_parameters(home, name)
            for place, flags in self._graph.survey({name}, context.path).items():
                self._interest[place] = self._interest.get(place, 0) | flags
            for place in self._graph.resolve(name, context.path):
                worth = self._interest.get(place, 0) & self._kinds or (self._thorough and handed)
                if worth:
                    start, depth = context.start or call.op, min(call.depth, self._graph.max_depth)
                    modes = tuple(self._graph.modes(place).items())
                    arch = context.arch or architecture(place.path)
                    frames.append(
                        Frame(
                            start, context.first or call.name, place, (), modes, handed, depth, context.doubts + 1,
                            steps, context.place, arch,
                        )
                    )  # fmt: skip
        return frames

    def _takes_apart(self, context: Around, call: InnerCall, index: int) -> bool:
        """True where a function only calls what stands in the structure it is given: that is followed by itself."""
        graph = self._graph
        places = graph.resolve(call.op.callee or "", context.path)
        texts = [text for place in places for text in graph.analysis(place.path).graphs(place.name)]
        return bool(texts) and all(only_uses_members(text, index) for text in texts)

    def _out_of_sight(self, context: Around, name: str, handed: bool, reaches: bool, mixed: bool) -> str:
        """Why a pte pointer that a call is given is not followed into it, or empty.

        It is ``handed`` over, or ``reaches`` the callee in a structure, or in a ``mixed`` array.
        """
        if name.encode() in ASM:
            inside = context.place is not None and self._graph.is_accessor(context.place)
            return _IN_ASSEMBLY if handed and not inside else ""
        if self._graph.is_known(name):
            return ""
        if mixed:
            return _IN_ARRAY
        return _TOO_FAR if reaches and len(context.steps) >= MAX_DEPTH else ""

    def _given(
        self, place: Place, call: InnerCall, context: Around, handed: frozenset[int]
    ) -> tuple[tuple[tuple[int, Value], ...], Unknown]:
        """Arguments whose values mean the same in the callee; and parameters that select what it does, not known."""
        given: dict[int, Value] = {}
        for i, value in enumerate(call.arguments):
            function = self._function(value, context)
            if function:
                given[i] = Poly.symbol(Symbol(function))
            elif isinstance(value, Poly) and is_global(value, context.names):
                given[i] = value
        if place.macro:
            entries: dict[int, Value] = {i: macro_entry(i) for i in handed if i >= 0}
            return tuple(sorted({**given, **entries}.items(), key=lambda item: item[0])), ()
        modes = self._graph.modes(place)
        unknown = {i: values for i, values in modes.items() if i < len(call.arguments) and i not in given}
        return tuple(given.items()), tuple(unknown.items())

    def _function(self, value: Value, context: Around) -> str:
        """A function that is passed on, with the file that names it: there it may be a static one.

        Or the address of a global that holds functions.
        """
        name = function_name(value)
        if not name or " of " in name:
            return name
        if str(value).startswith("&") and name not in context.names:
            return f"&{name} of {context.path}" if self._graph.globals.holds_functions(context.path, name) else ""
        if name in context.names or name.isupper():
            return ""
        places = self._graph.resolve(name, context.path)
        return f"{name} of {context.path}" if any(not place.macro for place in places) else ""

    # ------------------------------------------------------------ one function

    def _look(self, frame: Frame) -> list[Frame]:
        graph, place, found = self._graph, frame.place, self._found
        analysis = graph.analysis(place.path)
        held = sorted({part.argument for part in frame.parts if isinstance(part.value, Entry)})
        reached = bool(frame.hot or held) or bool(self._interest.get(place, 0) & OWN)
        found.looked_at[place] = found.looked_at.get(place, False) or reached
        known: list[list[Effects]] = []
        for chosen in choices(frame.unknown):
            effects, unsolved = graph.effects(place, {**dict(frame.given), **chosen}, frame.depth, frame.parts)
            known.append(effects)
            for item in unsolved:
                found.unresolved.append(
                    Unresolved(frame.start, place.name, item.reason, bool(frame.hot or held), frame.steps, place)
                )
        graphs = [one.called.dataflow.graph for effects in known for one in effects]
        unnamed = any(part.path[-1].startswith("<") for part in frame.parts if isinstance(part.value, Entry))
        if unnamed or any(out_of_sight(text, index) for text in graphs for index in held):
            found.unresolved.append(Unresolved(frame.start, place.name, _IN_STRUCTURE, True, frame.steps, frame.caller))
        everywhere = [{call.op.span for one in effects for call in one.calls} for effects in known]
        certain = set.intersection(*everywhere)
        frames: list[Frame] = []
        for one in (one for effects in known for one in effects):
            frames += self._consequences(frame, analysis, one, certain)
        return frames

    def _consequences(self, frame: Frame, analysis: FileAnalysis, effects: Effects, certain: set[Span]) -> list[Frame]:
        name, found = frame.place.name, self._found
        hot = effects.page_tables(handed_names(frame.hot, effects))
        if not self._graph.is_accessor(frame.place) and not self._graph.is_known(name):
            for access in effects.accesses:
                if access.table in hot:
                    text = f"{name}() accesses the entry here"
                    steps = (*frame.steps, self._step(analysis, access.op.span, text))
                    found.accesses.append(DirectAccess(frame.start, frame.place, analysis, access, steps))
        for op in effects.enters:
            steps = (*frame.steps, self._step(analysis, op.name_span, f"{name}() enters a section here"))
            found.enters.append(Entering(frame.start, frame.place, analysis, op, steps, frame.arch))
        for op in effects.resumes:
            steps = (*frame.steps, self._step(analysis, op.name_span, f"{name}() resumes the mode here"))
            found.resumes.append(Entering(frame.start, frame.place, analysis, op, steps, frame.arch))
        for incident in read_backs(analysis, effects, hot, ()) if self._kinds & LOCKED else ():
            found.read_backs.append(ReadBack(frame.start, frame.place, analysis, incident, frame.steps, frame.arch))
        for store, table in effects.escapes:
            if table in hot:
                returned = isinstance(store, Return)
                does = "returns a structure with the pointer" if returned else "stores the pointer"
                steps = (*frame.steps, self._step(analysis, store.span, f"{name}() {does} here"))
                why = _RETURNED if returned else "the pointer is stored where others may find it"
                found.unresolved.append(Unresolved(frame.start, name, why, True, steps, frame.place))
        if self._graph.is_known(name):
            return []
        for op, flag in effects.sleeps.items():
            if op.span in certain and frame.doubts + effects.is_conditional(op) <= _MAX_DOUBTS:
                how = f" with {flag}" if flag else ""
                text = f"{name}() calls {sleeper_name(op)}(){how} here"
                steps = (*frame.steps, self._step(analysis, op.name_span, text))
                found.sleeps.append(Sleep(frame.start, frame.first, sleeper_name(op), flag, steps, frame.arch))
        return [inner for call in effects.calls for inner in self._inner(frame, analysis, effects, hot, call, certain)]

    def _inner(
        self,
        frame: Frame,
        analysis: FileAnalysis,
        effects: Effects,
        hot: PageTables,
        call: InnerCall,
        certain: set[Span],
    ) -> list[Frame]:
        """The frames of a call in a callee."""
        text = f"{frame.place.name}() calls {call.name}() here"
        steps = (*frame.steps, self._step(analysis, call.op.name_span, text))
        doubts = frame.doubts + effects.is_conditional(call.op)
        doubts = min(doubts, _MAX_DOUBTS + 1) if call.op.span in certain else _MAX_DOUBTS + 1
        names = frozenset(name.name for name in effects.called.dataflow.graph.variables)
        path = frame.place.path
        given = effects.parameters
        leads = frozenset(Symbol(given[~i].name) for i in frame.hot if i < 0 and ~i < len(given))
        context = Around(frame.start, frame.first, frame.place, path, hot, names, doubts, steps, frame.arch, leads)
        return self._frames(context, call)

    def _step(self, analysis: FileAnalysis, span: Span, text: str) -> Evidence:
        elsewhere = None if analysis is self._analysis else analysis.source.locate(span)
        return Evidence(span, text, elsewhere)


def _symbol(value: Value) -> Symbol | None:
    return value.as_symbol() if isinstance(value, Poly) else None
