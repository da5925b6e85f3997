"""One file under analysis: its functions parsed, lowered and solved when somebody asks, each once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mmlint.facts.dataflow import Dataflow
from mmlint.facts.escapes import is_other, values_of
from mmlint.facts.expansions import Expansions
from mmlint.facts.forms import form_of
from mmlint.facts.handed import Part
from mmlint.facts.initialisers import members_of_structs
from mmlint.facts.macros import dialect_for, with_parameters
from mmlint.facts.readers import Readers
from mmlint.facts.sites import Sites, collect
from mmlint.facts.summaries import UNCERTAIN, ParameterTouches, Pending, Summary, parameter_table, summarise
from mmlint.flow.dialect import Dialect
from mmlint.flow.ir import Graph
from mmlint.flow.lower import lower
from mmlint.flow.solver import NoFixpoint
from mmlint.flow.values import Value
from mmlint.source import Source, Span
from mmlint.syntax.functions import Definition, ParsedFunction, reader_of
from mmlint.tree import NO_TREE, TreeApi
from mmlint.vocabulary import Callback, Vocabulary

if TYPE_CHECKING:
    from mmlint.facts.callgraph import CallGraph

_CALLED = re.compile(rb"\b([A-Za-z_]\w*+)\s*+\(")
_CALL_DEPTH = 3
# Functions whose effects on a section wait for one another; behind them, effects are unknown.
_MAX_NESTED = 16
# The largest function with a section has a thousand operations; beyond these bounds the time is not worth it.
_MAX_BYTES = 256 * 1024
_MAX_BLOCKS = 2_000
_MAX_OPS = 8_000


@dataclass(frozen=True)
class Solved:
    """One text of a function with its states and its sections."""

    function: ParsedFunction
    dataflow: Dataflow
    sites: Sites

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def configuration(self) -> str:
        """The configurations that give this text, where the function has more than one."""
        if self.function.variants < 2 or not self.function.configurations:
            return ""
        return self.function.configurations[0].describe()


class Called(NamedTuple):
    """One text of a function as it runs in a section of its caller."""

    function: ParsedFunction
    dataflow: Dataflow


class Unsolved(NamedTuple):
    """One text of a function that could not be analysed, and why."""

    function: str
    span: Span
    reason: str


class FileAnalysis:
    """The functions of one file."""

    def __init__(
        self,
        source: Source,
        vocabulary: Vocabulary,
        api: TreeApi = NO_TREE,
        graph: CallGraph | None = None,
        path: str = "",
    ) -> None:
        """In a tree, ``graph`` finds what is called in other files, and ``path`` is the place of the file in it."""
        self.source = source
        self.api = api
        self.graph = graph
        self.path = path
        self.vocabulary = vocabulary
        self.reader = reader_of(source)
        macros = vocabulary.macros
        self.dialect = Dialect(
            transparent=macros.transparent,
            asserts=macros.asserts,
            noreturn=macros.noreturn,
            reads=macros.reads,
            writes=macros.writes,
            outputs=macros.outputs,
            swaps=macros.swaps,
        )
        self.expansions = Expansions(self)
        self._readers = Readers(self)
        self._form = cache(partial(form_of, self))
        self._graphs: dict[tuple[Span, bytes], tuple[ParsedFunction, Graph] | Unsolved] = {}
        self._solved: dict[str, tuple[list[Solved], list[Unsolved]]] = {}
        self._summaries: dict[tuple[str, bool], Summary | None] = {}
        # Shared by the files of a tree: summaries that wait for one another.
        self._under_way: list[Pending] = graph.under_way if graph is not None else []
        self._reaching: dict[tuple[str, int], bool] = {}

    @cached_property
    def definitions(self) -> dict[str, list[Definition]]:
        """All functions by name."""
        found: dict[str, list[Definition]] = {}
        for definition in self.reader.definitions():
            found.setdefault(definition.name, []).append(definition)
        return found

    @cached_property
    def is_arch(self) -> bool:
        """True for an architecture's own file: below arch/ of its tree, or of the path where there is no tree."""
        path = Path(self.source.path)
        if self.api.root:
            path = Path(os.path.relpath(path.resolve(), self.api.root))
        return "arch" in path.parts[:-1] if not self.api.root else path.parts[0] == "arch"

    def solve(self, name: str) -> tuple[list[Solved], list[Unsolved]]:
        """The texts of a function, solved, and those that could not be."""
        if name not in self._solved:
            solved: list[Solved] = []
            unsolved: list[Unsolved] = []
            for definition in self.definitions.get(name, ()):
                result = self._solve(definition)
                if isinstance(result, Solved):
                    solved.append(result)
                else:
                    unsolved.append(result)
            self._solved[name] = (solved, unsolved)
        return self._solved[name]

    def _lowered(self, definition: Definition) -> tuple[ParsedFunction, Graph] | Unsolved:
        known = self._graphs.get((definition.span, definition.masked))
        if known is None:
            known = self._graphs[definition.span, definition.masked] = self._lower(definition)
        return known

    def _lower(self, definition: Definition) -> tuple[ParsedFunction, Graph] | Unsolved:
        if len(definition.masked) > _MAX_BYTES:
            return Unsolved(definition.name, definition.name_span, "it is too large: more than 256 KiB of text")
        function = self.reader.parse(definition)
        if not function.ok:
            return Unsolved(function.name, function.name_span, "the parser cannot read it")
        graph = lower(function, self._dialect_of(definition), self.expansions.find)
        if len(graph.blocks) > _MAX_BLOCKS or sum(len(block.ops) for block in graph.blocks) > _MAX_OPS:
            return Unsolved(function.name, function.name_span, "it is too large: more than 8,000 operations")
        if graph.unmodelled:
            span, reason = graph.unmodelled[0]
            return Unsolved(function.name, span, reason)
        return function, graph

    def _dialect_of(self, definition: Definition) -> Dialect:
        """The dialect of a function's text: where it has to do with sections, macros that write or leave count."""
        if not self._section_words.search(definition.masked):
            return self.dialect
        names = sorted({word.decode() for word in _CALLED.findall(definition.masked)} - set(self.definitions))
        return dialect_for(self.dialect, names, self.expansions.texts)

    def graphs(self, name: str) -> list[Graph]:
        """The control-flow graphs of a function, as far as it can be read."""
        lowered = [self._lowered(definition) for definition in self.definitions.get(name, ())]
        return [item[1] for item in lowered if not isinstance(item, Unsolved)]

    def called(
        self, name: str, macro: bool, given: Mapping[int, Value], parts: Sequence[Part] = ()
    ) -> tuple[list[Called], list[Unsolved]]:
        """The texts of a function or macro as it runs in a section, each solved anew for what it is given.

        ``given`` are arguments by index, ``parts`` members of structures that are handed over.
        """
        texts: list[Called] = []
        unsolved: list[Unsolved] = []
        for definition in self.macros.get(name, ()) if macro else self.definitions.get(name, ()):
            lowered = self._lowered(definition)
            if isinstance(lowered, Unsolved):
                unsolved.append(lowered)
                continue
            function, graph = lowered
            if macro:
                graph = with_parameters(graph, self.source.data, given)
            try:
                text = self.source.text
                dataflow = Dataflow(graph, self.vocabulary, self.summary, text, given, self._readers, parts, self._form)
                texts.append(Called(function, dataflow))
            except NoFixpoint as error:
                unsolved.append(Unsolved(function.name, function.name_span, str(error)))
        return texts, unsolved

    @cached_property
    def macros(self) -> dict[str, list[Definition]]:
        """All macros with a body by name."""
        found: dict[str, list[Definition]] = {}
        for definition in self.reader.macros():
            found.setdefault(definition.name, []).append(definition)
        return found

    def _solve(self, definition: Definition) -> Solved | Unsolved:
        lowered = self._lowered(definition)
        if isinstance(lowered, Unsolved):
            return lowered
        function, graph = lowered
        try:
            dataflow = Dataflow(
                graph, self.vocabulary, self.summary, self.source.text, readers=self._readers, form=self._form
            )
        except NoFixpoint as error:
            return Unsolved(function.name, function.name_span, str(error))
        return Solved(function, dataflow, collect(dataflow))

    # ------------------------------------------------------------ summaries

    def summary(self, name: str) -> Summary | None:
        """What calling a function does to its caller's section; None where it does nothing to it."""
        if name not in self.definitions:
            if self.graph is not None:
                return self.graph.summary(name, self.path)
            return self.macro_summary(name) if name in self.macros else None
        return self._summary(name) if self._reaches_section(name, _CALL_DEPTH) else None

    def macro_summary(self, name: str) -> Summary | None:
        """The same of a macro, whose parameters may be anything."""
        texts = [definition.masked for definition in self.macros.get(name, ())]
        if not any(self._section_words.search(text) for text in texts):
            return None
        # What it is given to unmap is not seen where the parameter has no type.
        return UNCERTAIN if any(self._unmaps.search(text) for text in texts) else self._summary(name, True)

    def _summary(self, name: str, macro: bool = False) -> Summary | None:
        key = (name, macro)
        if key not in self._summaries:
            if len(self._under_way) >= _MAX_NESTED:
                self._under_way[-1].cut_short = True
                return UNCERTAIN
            self._summaries[key] = None  # a recursive call sees no effect
            pending = Pending()
            self._under_way.append(pending)
            try:
                self._summaries[key] = self._summarise(name, macro)
            finally:
                self._under_way.pop()
            if pending.cut_short:
                # Asked with fewer functions in between, there is an answer.
                self._solved.pop(name, None)
                return self._summaries.pop(key)
        return self._summaries[key]

    def _summarise(self, name: str, macro: bool) -> Summary | None:
        solved, unsolved = self.called(name, True, {}) if macro else self.solve(name)
        if unsolved:
            return UNCERTAIN
        found = [summarise(one.dataflow) for one in solved]
        if not found:
            return None
        result = found[0] if all(summary == found[0] for summary in found) else UNCERTAIN
        return None if result.is_neutral else result

    def touches(self, name: str, argument: int, depth: int = 3) -> frozenset[str]:
        """How a function of this file uses the entries of its pte argument: read, update, read_update, carry, direct.

        "unknown" is among them where the pointer goes on to a function that this file does not define.
        """
        solved, unsolved = self.solve(name) if name in self.definitions and depth else ([], [])
        kinds: set[str] = set()
        for one in solved:
            parameters = one.dataflow.graph.parameters
            if argument >= len(parameters):
                return frozenset(("unknown",))
            touches = ParameterTouches()
            one.dataflow.observe(touches)
            for kind, callee, index in sorted(touches.found.get(parameter_table(parameters[argument].name), ())):
                kinds |= self.touches(callee, index, depth - 1) if kind == "unknown" else {kind}
        return frozenset(kinds) if solved and not unsolved else frozenset(("unknown",))

    def _reaches_section(self, name: str, depth: int) -> bool:
        """Whether the function or one that it calls in this file touches sections or gives tables back."""
        known = self._reaching.get((name, depth))
        if known is None:
            self._reaching[name, depth] = False
            texts = [definition.masked for definition in self.definitions[name]]
            known = any(self._section_words.search(text) for text in texts)
            if not known and depth:
                called = {word.decode() for text in texts for word in _CALLED.findall(text)} - {name}
                known = any(self._reaches_section(other, depth - 1) for other in called if other in self.definitions)
            self._reaching[name, depth] = known
        return known

    def enters_mode(self, name: str) -> bool:
        """True when the text of a function calls an enable."""
        return any(self._enters.search(definition.masked) for definition in self.definitions.get(name, ()))

    def called_names(self, name: str) -> list[str]:
        """Functions of this file whose names a function calls, in the order of their names."""
        words = {word.decode() for d in self.definitions.get(name, ()) for word in _CALLED.findall(d.masked)}
        return sorted(words & set(self.definitions) - {name})

    @cached_property
    def _enters(self) -> re.Pattern[bytes]:
        return _calls_of(self.vocabulary.enters | self.vocabulary.ranged_enters)

    @cached_property
    def _section_words(self) -> re.Pattern[bytes]:
        vocabulary = self.vocabulary
        names = vocabulary.enters | vocabulary.ranged_enters | vocabulary.leaves | frozenset(vocabulary.unmaps)
        return _calls_of(names | vocabulary.pauses | vocabulary.resumes)

    @cached_property
    def _unmaps(self) -> re.Pattern[bytes]:
        return _calls_of(frozenset(self.vocabulary.unmaps))

    # ------------------------------------------------------------ callers

    def callers(self, name: str) -> list[str]:
        """Functions of this file whose text calls ``name``, in file order."""
        return [caller for caller in self._callers.get(name.encode(), ()) if caller != name]

    @cached_property
    def _callers(self) -> dict[bytes, dict[str, None]]:
        found: dict[bytes, dict[str, None]] = {}
        for caller, definitions in self.definitions.items():
            for definition in definitions:
                for word in _CALLED.findall(definition.masked):
                    found.setdefault(word, {})[caller] = None
        return found

    def escapes(self, name: str) -> Span | None:
        """Where the function's address is taken, other than by an ops struct that a contract covers."""
        known = {place for _, place in self.callbacks(name)}
        masked = self.reader.masked
        for place in values_of(name, masked):
            around = [d for texts in self.definitions.values() for d in texts if d.span.covers(place)]
            if place not in known and not is_other(name, place, masked, around, self._graph):
                return place
        return None

    def _graph(self, definition: Definition) -> Graph | None:
        lowered = self._lowered(definition)
        return None if isinstance(lowered, Unsolved) else lowered[1]

    def is_static(self, name: str) -> bool:
        """True when no other file can call it."""
        definitions = self.definitions.get(name, [])
        return bool(definitions) and all(
            re.search(rb"\bstatic\b", definition.masked[: definition.name_span.start - definition.span.start])
            for definition in definitions
        )

    @cached_property
    def _fields(self) -> dict[str, list[tuple[str, str, Span]]]:
        return members_of_structs(self.reader.masked)

    def callbacks(self, name: str) -> list[tuple[Callback, Span]]:
        """The contracts that a function is called under because it stands in an ops struct of this file."""
        return [
            (callback, place)
            for struct, field, place in self._fields.get(name, ())
            for callback in self.vocabulary.callbacks
            if (callback.struct, callback.field) == (struct, field)
        ]


def _calls_of(names: frozenset[str]) -> re.Pattern[bytes]:
    return re.compile(rb"\b(?:" + b"|".join(name.encode() for name in sorted(names)) + rb")\s*\(")
