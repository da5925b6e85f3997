"""Judge the tree after every patch, and only what a patch can change.

    judge = Judge(make_checker(settings), workspace)
    judge.reports(2)     ->  {path: FileReport} of the second state, for every file that names the API

A file's report is kept as long as the file and everything that its analysis asked of the tree stay the same. The name
of the ranged call is that of the state's own include/linux/pgtable.h, or of the first later state that has one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from mmlint.checker import Checker, FileReport, not_finished
from mmlint.diagnostic import Skipped
from mmlint.engine import needles
from mmlint.facts.analysis import mentions_section
from mmlint.facts.callgraph import CallGraph
from mmlint.facts.index import NameIndex
from mmlint.files import BINARY, binary
from mmlint.kernel import load_vocabulary
from mmlint.parallel import Died, spread
from mmlint.series.state_index import LoggedIndex, StateIndex, still_holds
from mmlint.series.state_tree import Answers, Recorder, StateTree
from mmlint.series.workspace import Workspace
from mmlint.source import Source
from mmlint.tree import HEADER, api_in

# A function of a header that has the shape of the ranged enable, whatever it is called.
_RANGED: Final = re.compile(
    rb"\bvoid\s+(\w*lazy_mmu_mode_(?!disable|pause|resume)\w+)\s*\(\s*struct\s+mm_struct\s*\*\s*\w+\s*,"
    rb"\s*unsigned\s+long\s+\w+\s*,\s*unsigned\s+long\s+\w+\s*,\s*pte_t\s*\*\s*\w+\s*\)"
)
_OTHER_ORDER: Final = re.compile(rb"\bvoid\s+(?!arch_)(\w*lazy_mmu_mode_enable_\w+)\s*\(([^()]*\bpte_t\b[^()]*)\)")
_DEFINED: Final = re.compile(rb"(?:\bvoid\s+|#\s*define\s+)(\w*lazy_mmu_mode_\w+)\s*\(")

# Less C than this is analysed before a second process has started.
_WORTH_SPREADING: Final = 400_000


@dataclass(frozen=True, slots=True)
class _Kept:
    identity: object
    record: Recorder
    report: FileReport


class Judge:
    """The reports of every state."""

    def __init__(self, checker: Checker, space: Workspace, processes: int = 1) -> None:
        self._processes = processes
        self._checker = checker
        self._space = space
        self._kept: dict[tuple[str, str], list[_Kept]] = {}
        self._reports: dict[int, dict[str, FileReport]] = {}
        self._headers: dict[int, bytes] = {}
        self._base_index: NameIndex | None = None
        self._indices: dict[StateTree, StateIndex] = {}

    @property
    def last(self) -> int:
        """The number of the last state."""
        return len(self._space.commits) - 1

    def tree(self, state: int) -> StateTree:
        """The tree of a state."""
        return self._space.tree(state)

    def reports(self, state: int) -> dict[str, FileReport]:
        """The report of each file that names the API, by path, in order."""
        if state not in self._reports:
            tree = self._space.tree(state)
            checker = self._checker_of(state)
            paths = tree.search(needles(checker.target or checker.vocabulary.target))
            known = {path: self._known(path, tree, checker) for path in paths}
            new = [path for path, report in known.items() if report is None]
            made = dict(zip(new, self._made(new, tree, checker), strict=True))
            self._reports[state] = {path: report or made[path] for path, report in known.items()}
        return self._reports[state]

    def _known(self, path: str, tree: StateTree, checker: Checker) -> FileReport | None:
        """The report of an earlier state, where it still holds."""
        index = self._index(tree, checker)
        for entry in self._kept.get((path, checker.vocabulary.target), ()):
            if entry.identity == tree.identity(path) and still_holds(entry.record, tree, index):
                return entry.report
        return None

    def _made(self, paths: list[str], tree: StateTree, checker: Checker) -> Iterator[FileReport]:
        """New reports, made in several processes where that is worth it."""
        if not paths:
            return
        index = self._index(tree, checker)
        texts = {path: tree.read(path) for path in paths}
        spreading = self._processes > 1 and sum(map(len, texts.values())) >= _WORTH_SPREADING
        own = os.getpid()

        def make(path: str) -> tuple[FileReport, Answers]:
            if os.getpid() != own:
                self._space.detach()
            recorder = Recorder(tree)
            return _check(Source(path, texts[path]), recorder, index, checker), recorder.answers

        # The largest are begun first, so that no process waits for another.
        order = sorted(paths, key=lambda path: (-len(texts[path]), path))
        results = dict(zip(order, spread(make, order, self._processes if spreading else 1), strict=True))
        for path in paths:
            result = results[path]
            if isinstance(result, Died):
                yield not_finished(path, result.reason)
                continue
            report, answers = result
            entry = _Kept(tree.identity(path), Recorder(tree, answers), report)
            self._kept.setdefault((path, checker.vocabulary.target), []).append(entry)
            yield report

    def _index(self, tree: StateTree, checker: Checker) -> StateIndex:
        if tree not in self._indices:
            folders = checker.vocabulary.calls.folders
            if self._base_index is None:
                base = self._space.base_tree()
                base.preload(folders)
                self._base_index = NameIndex(base, folders)
                self._base_index.load()
            self._indices[tree] = StateIndex(self._base_index, tree, folders)
        return self._indices[tree]

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
        known = [name for name, belongs in self._checker.vocabulary.declared if not belongs]
        found: list[str] = [name.decode() for name in self._shaped(state) if not name.startswith(b"arch_")]
        news = [name for name in found if state and name not in self._ranged_names(0)]
        for names in (news, [name for name in found if name in known], found):
            if names:
                return names[-1]
        return ""

    def _ranged_names(self, state: int) -> frozenset[str]:
        return frozenset(name.decode() for name in self._shaped(state))

    def _shaped(self, state: int) -> list[bytes]:
        """Functions of the header that look like the ranged enable, in order."""
        return [found.group(1) for found in _RANGED.finditer(self.header(state))]

    def other_order(self, state: int) -> str:
        """A ranged call of the header whose parameters are not those of the contract, or empty."""
        right = self._ranged_names(state)
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


def _check(source: Source, tree: Recorder, index: StateIndex, checker: Checker) -> FileReport:
    if binary(source.data):
        return FileReport((), None, (Skipped(source.path, "", 1, BINARY),))
    if not mentions_section(source.data, checker.vocabulary):
        return FileReport((), None, ())
    api = api_in(tree, checker.vocabulary)
    graph = CallGraph(tree, checker.vocabulary_for(api), api, LoggedIndex(index, tree))
    return checker.check(source, tree, graph)
