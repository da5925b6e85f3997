"""The functions of a tree as far as sections reach: what a call means, and what may come of it.

    graph = CallGraph(tree, vocabulary, api)
    graph.resolve("split_huge_pmd", "fs/proc/task_mmu.c")   ->  its macros and functions, as places
    graph.survey({"pagemap_scan_thp_entry"}, path)          ->  which functions below may lead to something of interest

A survey reads words, not code: it is quick and finds too much, and tells which few functions are worth an analysis.
A name in a C file means what that file defines; in a header, where ``#if`` chooses, it means every definition.
Functions of an architecture are never called by those of another. Names that the folders of the search do not define
are not found, and calls through pointers of unknown value are not followed: whoever asks has to say so.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cached_property

from mmlint.facts.effects import Effects
from mmlint.facts.file import FileAnalysis, Unsolved
from mmlint.facts.globals import Globals
from mmlint.facts.handed import Part
from mmlint.facts.index import NameIndex, Place
from mmlint.facts.modes import modes_of
from mmlint.facts.skimmed import beside_pointers, called, dereferences
from mmlint.facts.summaries import NEUTRAL, UNCERTAIN, Pending, Summary
from mmlint.flow.values import Value
from mmlint.source import Source
from mmlint.syntax.words import ASM
from mmlint.tree import Tree, TreeApi
from mmlint.vocabulary import Vocabulary

# What a function may lead to: a sleeper, an enable, a dereference of a pte pointer that it is given, or of one that it
# finds itself.
SLEEP, ENTER, GIVEN, OWN = 1, 2, 4, 8
# A lock around what reads and writes entries.
LOCKED = 16
# Bounds of one survey; a chain that is longer is not found.
MAX_DEPTH = 7
MAX_PLACES = 4_000
_MAX_SECTIONS = 4
# More definitions than this, for one architecture, are one name for many things.
_MAX_MEANINGS = 24
# What a definition does by its words, and the definitions that it may call.
Below = tuple[int, tuple[Place, ...]]


class CallGraph:
    """Files are read and analysed when something leads to them, each once."""

    def __init__(
        self,
        tree: Tree,
        vocabulary: Vocabulary,
        api: TreeApi,
        index: NameIndex | None = None,
        whole: bool = True,
        wide: bool = False,
        below: Mapping[Place, Below] | None = None,
    ) -> None:
        """``index`` finds the definitions of the tree, and ``below`` is what lies below some, where that is known.

        ``whole`` is False where the tree is not all there is: then callers may be anywhere. ``wide`` follows names with
        many definitions as well, where each architecture has its own.
        """
        self._wide = wide
        self.whole = whole
        self.tree = tree
        self.vocabulary = vocabulary
        self.api = api
        self.index = index if index is not None else NameIndex(tree, vocabulary.calls.folders)
        self.under_way: list[Pending] = []
        self._own: dict[str, NameIndex | None] = {}
        self._meanings: dict[tuple[str, str], tuple[Place, ...]] = {}
        self._analyses: dict[str, FileAnalysis] = {}
        self._enters = vocabulary.enters | vocabulary.ranged_enters
        self._reenters = self._enters | vocabulary.resumes
        self._ambiguous: dict[str, bool] = {}
        self._callers: dict[str, tuple[str, ...]] = {}
        self._mode = self._enters | vocabulary.leaves | vocabulary.pauses | vocabulary.resumes
        self._summaries: dict[tuple[str, str], Summary | None] = {}
        self.below = dict(below or {})
        self._modes: dict[Place, dict[int, tuple[Value, ...]]] = {}
        self._has_mode: dict[str, bool] = {}
        self._words: dict[Place, frozenset[str]] = {}
        self._surveys: dict[tuple[Place, ...], Mapping[Place, int]] = {}
        self.globals = Globals(self.index, lambda path: self.analysis(path).reader.masked)
        self._effects: dict[object, tuple[list[Effects], list[Unsolved]]] = {}
        sleepers, calls = vocabulary.sleepers, vocabulary.calls
        self._sleepers = sleepers.always | sleepers.faulting | frozenset(sleepers.gfp) | frozenset(calls.conditional)
        self._sleepers |= {"guard", "scoped_guard"}
        kinds = (vocabulary.reads, vocabulary.updates, vocabulary.read_updates, vocabulary.carries, vocabulary.levels)
        tables = (vocabulary.maps, vocabulary.unmaps, vocabulary.lock_pointers)
        locks = vocabulary.locks
        self._accessors = frozenset(name for kind in (*kinds, *tables) for name in kind) | locks.acquire | locks.release
        self._accessors |= locks.try_ | locks.double_acquire | locks.double_release | vocabulary.macros.noreturn
        self._accessors |= vocabulary.lookups | frozenset(vocabulary.derives)
        self._accessors |= frozenset(vocabulary.raw_reads) | frozenset(vocabulary.raw_writes)
        self._writes = frozenset((*vocabulary.updates, *vocabulary.read_updates))
        self._raw = frozenset(vocabulary.raw_reads) | frozenset(vocabulary.raw_writes)
        fields = {name.rpartition(".")[2] for name, type_ in vocabulary.types.items() if type_.startswith("pte_t")}
        pattern = r"\*\s*\(*\s*[\w.>-]*(?:->|\.)(?:{0})\b|(?:->|\.)(?:{0})\)*\s*(?:->|\[)"
        self._fields = re.compile(pattern.format("|".join(sorted(fields))).encode()) if fields else None
        self._finders = vocabulary.lookups | frozenset(vocabulary.maps)

    # ------------------------------------------------------------ files

    def analysis(self, path: str) -> FileAnalysis:
        """The analysis of a file of the tree; an empty one where it cannot be read."""
        known = self._analyses.get(path)
        if known is None:
            source = Source(self.tree.shown(path), self.index.data(path))
            known = self.join(path, FileAnalysis(source, self.vocabulary, self.api, self, path))
        return known

    def join(self, path: str, analysis: FileAnalysis) -> FileAnalysis:
        """Take the analysis of a file of the tree as it is given."""
        self._analyses[path] = analysis
        return analysis

    def is_accessor(self, place: Place) -> bool:
        """True for a definition in a place where entries are accessed directly by right."""
        return any(
            place.path == pattern or fnmatchcase(place.path, pattern + "/*")
            for pattern in self.vocabulary.calls.accessors
        )

    # ------------------------------------------------------------ names

    def resolve(self, name: str, path: str) -> tuple[Place, ...]:
        """The definitions that a call of ``name`` in the file ``path`` may mean."""
        known = self._meanings.get((name, path))
        if known is None:
            known = self._meanings[name, path] = self._resolve(name, path)
        return known

    def _resolve(self, name: str, path: str) -> tuple[Place, ...]:
        if name.encode() in ASM:
            return ()
        near = self._near(path)
        found = self.index.places(name)
        if near is not None:
            found = tuple(dict.fromkeys((*near.places(name), *found)))
        if not found:
            return ()
        own = [place for place in found if place.path == path]
        if own and not path.endswith(".h"):
            return tuple(own)
        arch = architecture(path)
        seen = [
            place
            for place in found
            if (place.path.endswith(".h") or not (place.static or place.macro))
            and (not arch or architecture(place.path) in ("", arch))
        ]
        if len(seen) <= _MAX_MEANINGS:
            return tuple(seen)
        # Each architecture has its own; code of one comes to no other.
        counts = Counter(architecture(place.path) for place in seen)
        if self._wide and counts.pop("", 0) + max(counts.values(), default=0) <= _MAX_MEANINGS:
            return tuple(seen)
        self._ambiguous[name] = any(self._own_interest(place) & OWN for place in seen)
        return ()

    def is_ambiguous(self, name: str) -> bool:
        """True for a name that has too many definitions to be followed."""
        return name in self._ambiguous

    def may_find_entries(self, name: str) -> bool:
        """True where some definition of an ambiguous name may access entries that it finds by itself."""
        return self._ambiguous.get(name, False)

    def object_macros(self, name: str, path: str) -> list[str]:
        """The files with a macro of that name that begins with a dereference, and has no parameters."""
        near = self._near(path)
        places = (*(near.object_macros(name) if near is not None else ()), *self.index.object_macros(name))
        return list(dict.fromkeys(place.path for place in places))

    def macros(self, name: str, path: str) -> list[bytes]:
        """The texts of the macros that a call of ``name`` in the file ``path`` may mean."""
        return [self.index.text(place) for place in self.resolve(name, path) if place.macro]

    def _near(self, path: str) -> NameIndex | None:
        """The definitions of a file and of the headers in its folder; None where the index has them anyway."""
        if path not in self._own:
            folder = path.rpartition("/")[0]
            covered = any(fnmatchcase(path, pattern + "/*") for pattern in self.vocabulary.calls.folders)
            near = None if covered else NameIndex(self.tree, (path, *self._headers(folder)), self.index)
            self._own[path] = near
        return self._own[path]

    def _headers(self, folder: str) -> list[str]:
        return [path for path in self.tree.files(folder) if path.endswith(".h") and path.rpartition("/")[0] == folder]

    def callers(self, name: str, path: str) -> tuple[str, ...]:
        """The C files of the tree, other than ``path``, that name a global function."""
        if name not in self._callers:
            word = re.compile(rb"\b" + name.encode() + rb"\b")
            found = self.tree.search((name.encode(),))
            self._callers[name] = tuple(
                file for file in found if file[-2:] == ".c" and word.search(self.index.data(file))
            )
        arch = architecture(path)
        seen = [file for file in self._callers[name] if not arch or architecture(file) in ("", arch)]
        return tuple(file for file in seen if file != path)

    def is_quiet(self, name: str) -> bool:
        """True for a name that the vocabulary says to be of no concern."""
        calls = self.vocabulary.calls
        return name in calls.atomic or name.startswith(calls.prefixes)

    def is_sleeper(self, name: str) -> bool:
        """True for a name of which the vocabulary says when it sleeps."""
        return name in self._sleepers

    def is_known(self, name: str) -> bool:
        """True for a name of which the vocabulary says what it does to page tables."""
        return name in self._accessors or name.encode() in ASM

    def words(self, place: Place) -> frozenset[str]:
        """Names that the text of a definition calls."""
        known = self._words.get(place)
        if known is None:
            known = self._words[place] = called(self.index.text(place), place.macro) - {place.name}
        return known

    def _own_interest(self, place: Place) -> int:
        words, vocabulary = self.words(place), self.vocabulary
        if self.is_known(place.name):
            return ENTER if words & self._enters else 0
        flags = SLEEP if words & self._sleepers else 0
        flags |= ENTER if words & self._reenters else 0
        text = self.index.text(place)
        if words & self._raw or dereferences(text, place.macro):
            flags |= GIVEN | (OWN if words & self._finders else 0)
        elif any(self.object_macros(word, place.path) for word in beside_pointers(text)):
            flags |= GIVEN
        if words & vocabulary.locks.acquire and words & vocabulary.reads.keys() and words & self._writes:
            flags |= LOCKED
        if self._fields is not None and self._fields.search(text):
            flags |= GIVEN | OWN
        return flags

    # ------------------------------------------------------------ what lies below

    def survey(self, names: Iterable[str], path: str) -> Mapping[Place, int]:
        """What calls of ``names`` in a file may lead to, for each definition that is reached."""
        roots = tuple(place for name in sorted(names) if self._worth(name) for place in self.resolve(name, path))
        known = self._surveys.get(roots)
        if known is None:
            known = self._surveys[roots] = self._survey(roots)
        return known

    def _survey(self, roots: tuple[Place, ...]) -> Mapping[Place, int]:
        flags: list[int] = []
        depths = dict.fromkeys(roots, 1)
        pending = deque(depths)
        reached: list[Place] = []
        while pending and len(reached) < MAX_PLACES:
            place = pending.popleft()
            own, below = self._look_below(place)
            flags.append(own)
            reached.append(place)
            if depths[place] < MAX_DEPTH:
                for callee in below:
                    if callee not in depths:
                        depths[callee] = depths[place] + 1
                        pending.append(callee)
        numbers = {place: number for number, place in enumerate(reached)}
        edges = [[numbers[callee] for callee in self._look_below(place)[1] if callee in numbers] for place in reached]
        changed = True
        while changed:
            changed = False
            for number in range(len(reached) - 1, -1, -1):
                found = flags[number]
                for target in edges[number]:
                    found |= flags[target]
                if found != flags[number]:
                    flags[number] = found
                    changed = True
        return dict(zip(reached, flags, strict=True))

    def _look_below(self, place: Place) -> Below:
        known = self.below.get(place)
        if known is None:
            callees: dict[Place, None] = {}
            if not self.is_known(place.name):
                for name in sorted(self.words(place)):
                    callees.update(dict.fromkeys(self.resolve(name, place.path) if self._worth(name) else ()))
                for name in self.globals.functions_named(place):
                    callees.update(dict.fromkeys(self.resolve(name, place.path)))
            known = self.below[place] = (self._own_interest(place), tuple(callees))
        return known

    def _worth(self, name: str) -> bool:
        return name not in self._sleepers and name not in self.vocabulary.api_names and not self.is_quiet(name)

    def summary(self, name: str, path: str) -> Summary | None:
        """What a function of another file does to the section of its caller; None where it does nothing to it."""
        if self.is_known(name) or self.is_quiet(name) or name in self.vocabulary.api_names:
            return None
        key = (name, architecture(path))
        if key not in self._summaries:
            self._summaries[key] = None  # a recursive call sees no effect
            self._summaries[key] = self._summary(name, path)
        return self._summaries[key]

    def _summary(self, name: str, path: str) -> Summary | None:
        found = [
            (home.macro_summary(name) if place.macro else home.summary(name)) or NEUTRAL
            for place in self.resolve(name, path)
            if self.words(place) & self._mode
            for home in (self.analysis(place.path),)
        ]
        if not found or all(summary.is_neutral for summary in found):
            return None
        return found[0] if all(summary == found[0] for summary in found) else UNCERTAIN

    def modes(self, place: Place) -> dict[int, tuple[Value, ...]]:
        """Parameters of a function that select what it does, by index, with the values that make a difference."""
        known = self._modes.get(place)
        if known is None:
            known = self._modes[place] = {}
            for graph in self.analysis(place.path).graphs(place.name):
                for index, values in modes_of(graph, self.vocabulary.calls.modes).items():
                    known[index] = tuple(dict.fromkeys((*known.get(index, ()), *values)))
        return known

    def has_mode(self, arch: str) -> bool:
        """True when the headers of an architecture define what enters the mode there."""
        known = self._has_mode.get(arch)
        if known is None:
            names = [name.encode() for name in self.vocabulary.api_names if name.startswith("arch_enter")]
            texts = [self.index.data(path) for path in self.tree.files(f"arch/{arch}/include")]
            known = self._has_mode[arch] = any(name in text for text in texts for name in names)
        return known

    @cached_property
    def max_depth(self) -> int:
        """How many sections around a call make a difference: one where the first leave ends them all."""
        flat = any(g.name == self.api.generation and not g.nesting for g in self.vocabulary.generations)
        return 1 if flat else _MAX_SECTIONS

    def effects(
        self, place: Place, given: Mapping[int, Value], depth: int, parts: tuple[Part, ...] = ()
    ) -> tuple[list[Effects], list[Unsolved]]:
        """What each text of a definition does in ``depth`` sections, and which texts could not be analysed."""
        arguments = tuple(sorted(given.items(), key=lambda item: item[0]))
        key = (place.path, place.name, place.macro, depth, arguments, parts)
        known = self._effects.get(key)
        if known is None:
            texts, unsolved = self.analysis(place.path).called(place.name, place.macro, given, parts)
            known = self._effects[key] = ([Effects(text, depth) for text in texts], unsolved)
        return known


def home_of(analysis: FileAnalysis, name: str) -> FileAnalysis | None:
    """The file of the one function that ``name`` means in a file; None where it is several, a macro, or not found."""
    if name in analysis.definitions or analysis.graph is None:
        return analysis if name in analysis.definitions else None
    places = analysis.graph.resolve(name, analysis.path)
    return analysis.graph.analysis(places[0].path) if len(places) == 1 and not places[0].macro else None


def architecture(path: str) -> str:
    """The architecture that a file of a tree belongs to, empty for generic code."""
    parts = path.split("/", 2)
    return parts[1] if parts[0] == "arch" and len(parts) == 3 else ""
