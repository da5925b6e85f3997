"""Judge the tree after every patch, and only what a patch can change.

    judge = Judge(make_checker(settings), workspace)
    judge.reports(2)     ->  {path: FileReport} of the second state, for every file that names the API

A file's report is kept as long as the file and everything that its analysis asked of the tree stay the same. The name
of the ranged call is that of the state's own include/linux/pgtable.h, or of the first later state that has one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, cached_property
from typing import Final, NamedTuple

from mmlint.cache import Cache
from mmlint.checker import Checker, FileReport, not_finished
from mmlint.diagnostic import Skipped
from mmlint.engine import WORTH_SHARING, needles
from mmlint.facts.analysis import mentions_section
from mmlint.facts.callgraph import Below, CallGraph
from mmlint.facts.index import NameIndex, Place, Tables
from mmlint.files import BINARY, binary
from mmlint.kernel import load_vocabulary
from mmlint.parallel import Died, spread
from mmlint.series.below import dump_below, load_below
from mmlint.series.kept_base import ApiFile, Entry
from mmlint.series.state_index import LoggedIndex, StateIndex, still_holds
from mmlint.series.state_tree import Answers, Recorder, StateTree, without
from mmlint.series.workspace import Workspace
from mmlint.source import Source
from mmlint.tree import HEADER, TreeApi, ranged_calls, read_api

_OTHER_ORDER: Final = re.compile(rb"\bvoid\s+(?!arch_)(\w*lazy_mmu_mode_enable_\w+)\s*\(([^()]*\bpte_t\b[^()]*)\)")
_DEFINED: Final = re.compile(rb"(?:\bvoid\s+|#\s*define\s+)(\w*lazy_mmu_mode_\w+)\s*\(")

# Less C than this is analysed before a second process has started.
_WORTH_SPREADING: Final = 100_000


class _Job(NamedTuple):
    """A file to be judged in a state whose API is of some generation."""

    path: str
    tree: StateTree
    checker: Checker
    generation: str

    @property
    def file(self) -> ApiFile:
        """The same for a file under the same API."""
        return ApiFile(self.path, self.checker.vocabulary.target, self.generation)

    @property
    def key(self) -> tuple[ApiFile, str | None]:
        """The same for the same file."""
        return self.file, self.tree.identity(self.path)


class Judge:
    """The reports of every state."""

    def __init__(self, checker: Checker, space: Workspace, processes: int = 1, cache: Cache | None = None) -> None:
        """``cache`` has what earlier runs found out about the base."""
        self._processes = processes
        self._checker = checker
        self._space = space
        self._folders = checker.vocabulary.calls.folders
        self._kept_base = space.kept(cache or Cache(None), self._folders)
        self._entries: dict[ApiFile, list[Entry]] = {}
        for entry in self._kept_base.entries:
            self._entries.setdefault(entry.file, []).append(entry)
        self._settled: dict[tuple[int, str], Entry] = {}
        self._held: dict[int, tuple[Entry, StateTree]] = {}
        self._reports: dict[int, dict[str, FileReport]] = {}
        self._headers: dict[int, bytes] = {}
        self._base_index: NameIndex | None = None
        self._indices: dict[StateTree, StateIndex] = {}

    @property
    def spelling(self) -> frozenset[str]:
        """The rules that find names only."""
        return frozenset(loaded.rule.name for loaded in self._checker.rules if loaded.rule.spelling)

    @property
    def last(self) -> int:
        """The number of the last state."""
        return len(self._space.commits) - 1

    def tree(self, state: int) -> StateTree:
        """The tree of a state."""
        return self._space.tree(state)

    def read(self) -> None:
        """Find the files of the base that name the API, and its definitions where nothing is kept."""
        if self._kept_base.entries:
            self._jobs(0)
            return
        base = self._space.base_tree()
        # As many work in all, with the one that reads.
        threads = max(1, self._processes - 1)
        base.begin(needles(self._checker.target or self._checker.vocabulary.target), threads)
        self._tables  # noqa: B018 - it begins
        try:
            self._jobs(0)
        finally:
            self._index(base).load()

    def prepare(self) -> None:
        """Judge now what is new in any state, in several processes where that is worth it."""
        self.read()
        jobs: dict[tuple[ApiFile, str | None], _Job] = {}
        for state in range(self.last + 1):
            for job in self._jobs(state):
                # What is the same file in a later state will hold there, as a rule.
                if job.key in jobs:
                    continue
                entry = self._known(job)
                if entry is None:
                    jobs[job.key] = job
                else:
                    self._settled[state, job.path] = entry
        self._make(list(jobs.values()))

    def reports(self, state: int) -> dict[str, FileReport]:
        """The report of each file that names the API, by path, in order."""
        if state not in self._reports:
            jobs = self._jobs(state)
            used = {job.path: self._settled.get((state, job.path)) or self._known(job) for job in jobs}
            made = self._make([job for job in jobs if used[job.path] is None])
            entries = [used[job.path] or next(made) for job in jobs]
            self._reports[state] = {entry.file.path: entry.report for entry in entries if entry.report}
            for entry in entries:
                self._held.setdefault(id(entry), (entry, self._space.tree(state)))
        return self._reports[state]

    def keep(self) -> None:
        """Keep what was found in the states so far for the next run."""
        self._kept_base.keep([(entry, tree) for entry, tree in self._held.values() if entry.identity])

    def _jobs(self, state: int) -> list[_Job]:
        """All files of a state that name the API."""
        tree, checker = self._space.tree(state), self._checker_of(state)
        generation = read_api("", self.header(state), checker.vocabulary.declared).generation
        paths = tree.search(needles(checker.target or checker.vocabulary.target))
        return [_Job(path, tree, checker, generation) for path in paths]

    def _known(self, job: _Job) -> Entry | None:
        """What was found in another state, where it holds in this one."""
        for entry in self._entries.get(job.file, ()):
            same = entry.identity == job.tree.identity(job.path)
            if same and still_holds(entry.record, job.tree, self._index(job.tree)):
                if entry.read(job.tree) is None:
                    continue
                entry.record.tree = job.tree
                return entry
        return None

    def _make(self, jobs: Sequence[_Job]) -> Iterator[Entry]:
        """New entries, in the order of the jobs, which are known from now on."""
        texts = [job.tree.read(job.path) for job in jobs]
        size = sum(map(len, texts))
        spreading = self._processes > 1 and len(jobs) > 1 and size >= _WORTH_SPREADING
        inside = self._processes if not spreading and size >= WORTH_SHARING else 1
        if spreading:
            import mmlint.facts.callgraph  # noqa: F401 - loaded once, before the processes fork

            for tree in dict.fromkeys(job.tree for job in jobs):
                self._index(tree).load()

        before = [self._before(job) for job in jobs]

        def make(number: int) -> tuple[FileReport, Answers, bytes]:
            job = jobs[number]
            answers, below = before[number] or (None, {})
            recorder = Recorder(job.tree, answers)
            source = Source(job.path, texts[number])
            index = LoggedIndex(self._index(job.tree), recorder)
            api = TreeApi(generation=job.generation)
            graph = CallGraph(recorder, job.checker.vocabulary, api, index, below=below)
            report = _check(source, graph, job.checker, inside)
            return report, recorder.answers, b"" if below else dump_below(graph.below, job.tree.identity)

        # The largest are begun first, so that no process waits for another.
        order = sorted(range(len(jobs)), key=lambda number: (-len(texts[number]), jobs[number].path))
        results = dict(zip(order, spread(make, order, self._processes if spreading else 1), strict=True))
        entries = []
        for number, job in enumerate(jobs):
            result = results[number]
            if isinstance(result, Died):
                entries.append(Entry(job.file, None, Recorder(job.tree), not_finished(job.path, result.reason)))
                continue
            report, answers, below = result
            entry = Entry(job.file, job.tree.identity(job.path), Recorder(job.tree, answers), report, below=below)
            self._entries.setdefault(job.file, []).append(entry)
            entries.append(entry)
        return iter(entries)

    def _before(self, job: _Job) -> tuple[Answers, dict[Place, Below]] | None:
        """What another version of the file came to in other files, where all of that is the same, and what it asked."""
        if not job.path.endswith(".c"):
            # A header's own definitions are what other files may mean.
            return None
        for entry in self._entries.get(job.file, ()):
            if entry.below and still_holds(entry.record, job.tree, self._index(job.tree), job.path):
                try:
                    return without(entry.record.answers, job.path), load_below(entry.below, job.tree.identity)
                except (ValueError, TypeError, EOFError):
                    entry.below = b""
        return None

    def _index(self, tree: StateTree) -> StateIndex:
        if tree not in self._indices:
            if self._base_index is None:
                self._base_index = NameIndex(self._space.base_tree(), self._folders, tables=lambda: self._tables())
            self._indices[tree] = StateIndex(self._base_index, tree, self._folders)
        return self._indices[tree]

    @cached_property
    def _tables(self) -> Callable[[], Tables]:
        """What gives the definitions of the base, which are read from the moment on that this is asked for."""
        return cache(self._kept_base.tables(self._space.base_tree(), self._processes))

    def header(self, state: int) -> bytes:
        """The header that declares the API; empty where there is none."""
        if state not in self._headers:
            try:
                self._headers[state] = self._space.read(HEADER.as_posix(), state)
            except OSError:
                self._headers[state] = b""
        return self._headers[state]

    def defined(self, state: int) -> frozenset[str]:
        """The names of the API that the header of a state defines."""
        return frozenset(name.decode() for name in _DEFINED.findall(self.header(state)))

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The ranged name of each state, empty where neither it nor a later one has any."""
        own = [self._ranged(state) for state in range(self.last + 1)]
        return tuple(next((name for name in own[state:] if name), "") for state in range(len(own)))

    def _ranged(self, state: int) -> str:
        return read_api("", self.header(state), self._checker.vocabulary.declared).ranged

    def other_order(self, state: int) -> str:
        """A ranged call of the header whose parameters are not those of the contract, or empty."""
        right = ranged_calls(self.header(state))
        others: list[bytes] = [found.group(1) for found in _OTHER_ORDER.finditer(self.header(state))]
        for name in others:
            if name.decode() not in right:
                return name.decode()
        return ""

    def _checker_of(self, state: int) -> Checker:
        target = self.targets[state]
        if self._checker.target or not target:
            return self._checker
        return replace(self._checker, target=target, vocabulary=load_vocabulary(target=target))


def _check(source: Source, graph: CallGraph, checker: Checker, processes: int) -> FileReport:
    if binary(source.data):
        return FileReport((), None, (Skipped(source.path, "", 1, BINARY),))
    if not mentions_section(source.data, graph.vocabulary):
        return FileReport((), None, ())
    return checker.check(source, graph=graph, processes=processes)
