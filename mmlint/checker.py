"""Judge one file: its facts, then what each rule says of them.

    make_checker(Settings()).check(Source("mm/mremap.c", data))  ->  FileReport(diagnostics, facts, skipped)

A rule or an analysis that raises becomes an error of the pseudo-rule ``internal-error``, so that a crash is never taken
for a clean file, and the rest goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from mmlint.cache import Cache, Results
from mmlint.config import Settings, UsageError
from mmlint.diagnostic import Diagnostic, Level, Note, Skipped
from mmlint.disk import DiskTree
from mmlint.facts.sections import FileFacts, FunctionFacts
from mmlint.kernel import load_vocabulary
from mmlint.parallel import Died, Raised, spread
from mmlint.recorded import RecordedTree, Recording
from mmlint.rule import LoadedRule, load_rules
from mmlint.source import Source, Span
from mmlint.tree import LoneFile, Tree, TreeApi, api_in, api_of
from mmlint.tree_names import Reading, kept_tables
from mmlint.vocabulary import Vocabulary

if TYPE_CHECKING:
    from mmlint.facts.callgraph import CallGraph
    from mmlint.facts.index import Tables

Item = TypeVar("Item")
Result = TypeVar("Result")
INTERNAL_ERROR: Final = "internal-error"


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file: its findings without fingerprints, its facts unless the analysis failed, and what was skipped."""

    diagnostics: tuple[Diagnostic, ...]
    facts: FileFacts | None
    skipped: tuple[Skipped, ...]


class Home:
    """A tree that files stand in; ``tables`` are the definitions in it, read once, ``graph`` finds what is called."""

    def __init__(self, tree: Tree, tables: Callable[[], Tables] | None, make: Callable[[], CallGraph]) -> None:
        self.tree = tree
        self.tables = tables
        self._make = make

    def begin(self) -> None:
        """Have the definitions read in other processes, while this one goes on."""
        if isinstance(self.tables, Reading):
            self.tables.begin()

    @cached_property
    def graph(self) -> CallGraph:
        return self._make()


@dataclass(frozen=True, slots=True)
class Checker:
    """What judges one file: the kernel's vocabulary and the rules that are selected."""

    vocabulary: Vocabulary
    rules: tuple[LoadedRule, ...]
    target: str = ""
    audit: bool = False
    processes: int = 1
    cache: Cache | None = field(default=None, compare=False, repr=False)
    homes: dict[object, Home] = field(default_factory=dict, compare=False, repr=False)

    def vocabulary_for(self, api: TreeApi) -> Vocabulary:
        """The vocabulary with the ranged name of a tree, unless the user named one."""
        return load_vocabulary(target=api.ranged) if api.ranged and not self.target else self.vocabulary

    def check(
        self, source: Source, tree: Tree | None = None, graph: CallGraph | None = None, processes: int = 1
    ) -> FileReport:
        """Facts and findings of one file. Never raises on account of the file.

        In a ``tree``, the path of the source is one of the tree; without one, it is looked for above the path on disk.
        ``graph`` is that of the tree, where somebody has one already: then its API counts. Up to ``processes`` work.
        """
        from mmlint.facts.analysis import analyse_file

        try:
            if graph is not None:
                api = graph.api
            else:
                api = api_in(tree, self.vocabulary) if tree else api_of(source.path, self.vocabulary)
            place = (graph, source.path) if graph is not None else self._surroundings(source, tree, api)
            each = partial(self._each, place[0], processes)
            facts = analyse_file(source, self.vocabulary_for(api), api, *place, self.audit, bool(self.rules), each)
        except Exception as error:
            crash = _crash(source, Span(0, 0), "", "the analysis", error)
            return FileReport((crash,), None, (Skipped(source.path, "", 1, "the analysis failed"),))
        return FileReport(self.found_in(facts), facts, facts.skipped)

    def found_in(self, facts: FileFacts) -> tuple[Diagnostic, ...]:
        """What the rules find in the facts of one file, without fingerprints."""
        found = [d for function in facts.functions for rule in self.rules for d in _run(rule, function)]
        found += [d for rule in self.rules for d in _run_on_file(rule, facts)]
        return tuple(found)

    def _each(
        self, graph: CallGraph, processes: int, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> list[Result]:
        if processes < 2 or len(items) < 2:
            return [work(item) for item in items]
        graph.index.load()
        recording = graph.tree if isinstance(graph.tree, Recording) else None

        def with_log(item: Item) -> tuple[Result, object, Results]:
            result = work(item)
            log = recording.log if recording else None
            return result, log, self.cache.handed_over() if self.cache else {}

        results = []
        for item, found in zip(items, spread(with_log, items, processes), strict=True):
            if isinstance(found, Raised):
                # Raised once more, it says where.
                found = with_log(item)
            if isinstance(found, Died):
                raise RuntimeError(found.reason)
            result, log, kept = found
            results.append(result)
            if recording:
                recording.learn(log)
            if self.cache:
                self.cache.take(kept)
        return results

    def begin(self, path: str) -> None:
        """Have what judging any file in the tree of ``path`` asks for read in other processes."""
        api = api_of(path, self.vocabulary)
        if api.root:
            self._home(None, api, path).begin()

    def prepare(self, path: str) -> None:
        """Have it read now: before processes fork."""
        api = api_of(path, self.vocabulary)
        if api.root:
            self._home(None, api, path).graph.index.load()

    def _surroundings(self, source: Source, tree: Tree | None, api: TreeApi) -> tuple[CallGraph, str]:
        """What finds the functions that the file calls in its tree, and the place of the file there."""
        path = source.path
        if tree is None:
            if not api.root:
                # It is cheap, and of no use to any other file.
                return self._graph(LoneFile(path, source.data), api, None, whole=False), path
            path = os.path.relpath(os.path.realpath(path), api.root)
        home = self._home(tree, api, source.path)
        graph = home.graph
        if not graph.index.keep(path, source.data):
            # The text is not the one on disk.
            graph = self._graph(home.tree, api, home.tables)
            graph.index.keep(path, source.data)
        return graph, path

    def _home(self, tree: Tree | None, api: TreeApi, path: str) -> Home:
        absolute = path.startswith("/")
        key = (api.root, absolute) if tree is None else id(tree)
        known = self.homes.get(key)
        if known is None:
            tables = None
            if tree is None:
                tree, tables = self._disk(api.root, absolute)
            known = self.homes[key] = Home(tree, tables, partial(self._graph, tree, api, tables))
        return known

    def _disk(self, root: str, absolute: bool) -> tuple[Tree, Callable[[], Tables]]:
        """A tree in a folder, and what finds its definitions once."""
        folders = self.vocabulary.calls.folders
        tree = DiskTree(root, not absolute, self.processes, self.cache)
        if self.cache is None or not self.cache.is_open:
            return tree, Reading(tree, folders, self.processes)
        recorded = RecordedTree(tree, root, folders, self.cache, self.processes)
        return recorded, cache(partial(kept_tables, recorded, root, folders, self.cache, self.processes))

    def recorded(self, path: str) -> RecordedTree | None:
        """The tree on disk that a file stands in; None where it is in none, and without a cache."""
        api = api_of(path, self.vocabulary)
        tree = self._home(None, api, path).tree if api.root else None
        return tree if isinstance(tree, RecordedTree) else None

    def _graph(self, tree: Tree, api: TreeApi, tables: Callable[[], Tables] | None, whole: bool = True) -> CallGraph:
        from mmlint.facts.callgraph import CallGraph
        from mmlint.facts.index import NameIndex

        vocabulary = self.vocabulary_for(api)
        return CallGraph(
            tree, vocabulary, api, NameIndex(tree, vocabulary.calls.folders, tables=tables), whole, self.audit
        )


def make_checker(settings: Settings, cache: Cache | None = None) -> Checker:
    """Vocabulary and rules of ``settings``; what the ``cache`` has of a tree is used, and added to.

    Raises VocabularyError, RuleError, and UsageError for an unknown rule.
    """
    rules = load_rules(settings.rules)
    for name in sorted(settings.select | settings.ignore):
        if name not in {INTERNAL_ERROR, *(rule.rule.name for rule in rules)}:
            raise unknown_rule(name)
    return Checker(
        load_vocabulary(target=settings.target),
        tuple(rule for rule in rules if settings.selects(rule.rule.name)),
        settings.target,
        settings.audit,
        settings.processes,
        cache,
    )


def unknown_rule(name: str) -> UsageError:
    """What to say of a name that is no rule's."""
    return UsageError(f"{name}: there is no such rule; `mmlint rules list` names them")


def not_finished(path: str, reason: str) -> FileReport:
    """The report of a file whose analysis was cut short from outside."""
    crash = _internal_error(Source(path, b""), Span(0, 0), "", reason)
    return FileReport((crash,), None, (Skipped(path, "", 1, reason),))


def _run(rule: LoadedRule, function: FunctionFacts) -> list[Diagnostic]:
    try:
        return list(rule.check(function))
    except Exception as error:
        line = function.source.line_span(function.source.line(function.span.start))
        return [_crash(function.source, line, function.name, f"the rule {rule.rule.name}", error)]


def _run_on_file(rule: LoadedRule, facts: FileFacts) -> list[Diagnostic]:
    try:
        return list(rule.check_file(facts))
    except Exception as error:
        return [_crash(facts.source, Span(0, 0), "", f"the rule {rule.rule.name}", error)]


def _crash(source: Source, span: Span, function: str, culprit: str, error: Exception) -> Diagnostic:
    where = f" on {function}()" if function else ""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" in {Path(frame.tb_frame.f_code.co_filename).name}, {frame.tb_frame.f_code.co_name}()" if frame else ""
    return _internal_error(
        source, span, function, f"{culprit} failed{where}: {type(error).__name__}: {error}", f"raised{place}"
    )


def _internal_error(source: Source, span: Span, function: str, message: str, raised: str = "") -> Diagnostic:
    location = source.locate(span)
    text = f"{raised}; this is a fault of mmlint, not of the code; please report it" if raised else "please report it"
    return Diagnostic(INTERNAL_ERROR, Level.ERROR, location, function, message, (Note(location, text),))
