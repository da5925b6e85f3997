"""What earlier runs found out about the base of a series: its files, searches of it, reports and what these rest on.

    kept = KeptBase(cache, git, base, checker)     ``base`` knows from now on what is kept of its files and searches
    kept.entries                                   reports of any states, with what they rest on
    kept.tables(tree, processes)()                 the definitions in the folders that every analysis may look into
    kept.keep(held)                                for the next run

The base of the next series is another commit, most of whose files are the same; or it is the same, and one patch of the
series is another. So what is kept is kept with the ids of the files that it was made from, and what an entry rests on
is compared as between two states of a series.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from mmlint.cache import Cache
from mmlint.cache_key import key
from mmlint.checker import FileReport
from mmlint.facts.index import Tables, searched
from mmlint.kept_reports import dump_report, load_report
from mmlint.recorded import State
from mmlint.series.base_files import CommitFiles, KnownFiles, NoFiles
from mmlint.series.git import PrivateGit
from mmlint.series.state_tree import Answers, Recorder, StateTree
from mmlint.source import Source
from mmlint.tree_names import Reading, begun_tables

# Where more files than this are others, everything is made anew.
_MAX_DIFFERING: Final = 3_000
# Reports of one file that are kept: of the base, and of what the patches of the last series made of it.
_MAX_VERSIONS: Final = 8
_KIND: Final = "series"


class ApiFile(NamedTuple):
    """A file under an API: ``target`` is the ranged name, ``generation`` what the header declares of the rest."""

    path: str
    target: str
    generation: str


@dataclass(slots=True)
class Entry:
    """The report of a file in some state: ``identity`` is the version of the file.

    ``below`` is what lies below the functions of other files that its analysis came to, for the next version.
    """

    file: ApiFile
    identity: str | None
    record: Recorder
    report: FileReport | None
    dumped: bytes = b""
    below: bytes = b""

    def read(self, tree: StateTree) -> FileReport | None:
        """The report, for a tree in which the file is the same. None where what was kept cannot be read."""
        if self.report is None:
            self.report = load_report(self.dumped, lambda: Source(self.file.path, tree.read(self.file.path)))
        return self.report


class _OtherFiles(NoFiles):
    """The ids of the files of another base."""

    def __init__(self, blobs: Mapping[str, str]) -> None:
        self.blobs = blobs


class KeptBase:
    """What the cache has of a base; nothing of one that is no commit."""

    def __init__(self, cache: Cache, git: PrivateGit, base: KnownFiles, folders: Sequence[str]) -> None:
        self._cache = cache
        self._git = git
        self._known = base
        self._folders = folders
        self._objects = str(git.tree.objects or "")
        self._same = False
        self.entries: list[Entry] = []
        if self._usable:
            self._load()

    @property
    def _usable(self) -> bool:
        return bool(self._objects) and isinstance(self._known.base, CommitFiles) and self._cache.is_open

    def _load(self) -> None:
        base = self._known.base
        assert isinstance(base, CommitFiles)
        data = self._cache.get(_KIND, self._place)
        if data is None:
            return
        try:
            tree, blobs, searches, entries = marshal.loads(data)
            self._same = tree == base.tree
            if self._same:
                base.blobs = blobs
            before = self._known if self._same else KnownFiles(_OtherFiles(blobs))
            differing = self._known.differing(before)
            if len(differing) > _MAX_DIFFERING:
                return
            self.entries = [
                Entry(
                    ApiFile(*file),
                    identity,
                    Recorder(StateTree(before, changed, self._git), Answers(*answers)),
                    None,
                    dumped,
                    below,
                )
                for file, identity, changed, answers, dumped, below in entries
            ]
            for needles, hits in searches.items():
                found = {path for path in differing & base.blobs.keys() if _holds(base.read(path), needles)}
                self._known.searches[needles] = frozenset(found.union(hits) - (differing - found))
        except (ValueError, EOFError, TypeError, AttributeError):
            self.entries = []

    @cached_property
    def _place(self) -> bytes:
        return key(_KIND, self._objects, *self._folders)

    def tables(self, tree: StateTree, processes: int) -> Callable[[], Tables]:
        """What gives the definitions in the folders; other processes read from now on where nothing is kept."""
        blobs = self._known.base.blobs
        if not self._usable or blobs is None:
            reading = Reading(tree, self._folders, processes)
            reading.begin()
            return reading
        paths = searched(tree, self._folders)
        state = State(paths, {path: blobs[path].encode() for path in paths}, b"")
        return begun_tables(tree, state, key("names", self._objects, *self._folders), self._cache, processes)

    def keep(self, held: Sequence[tuple[Entry, StateTree]]) -> None:
        """Keep the entries, each with a state in which it holds, unless all of that is kept already.

        Those of the base come first; where a file has many, the first and the last are kept.
        """
        base = self._known.base
        if not self._usable or not isinstance(base, CommitFiles):
            return
        known = {id(entry) for entry in self.entries}
        if self._same and all(id(entry) in known for entry, _ in held):
            return
        fresh: dict[ApiFile, list[tuple[Entry, StateTree]]] = {}
        for entry, tree in held:
            fresh.setdefault(entry.file, []).append((entry, tree))
        told = {id(entry) for entry, _ in held}
        for entry in self.entries if self._same else ():
            if id(entry) not in told:
                fresh.setdefault(entry.file, []).insert(1, (entry, entry.record.tree))
        rows = [row for of_a_file in fresh.values() for row in self._rows(of_a_file)]
        searches = {needles: sorted(hits) for needles, hits in self._known.searches.items()}
        self._cache.put(_KIND, self._place, marshal.dumps((base.tree, dict(base.blobs), searches, rows)))

    def _rows(self, entries: Sequence[tuple[Entry, StateTree]]) -> Iterator[tuple[object, ...]]:
        chosen = entries if len(entries) <= _MAX_VERSIONS else (entries[0], *entries[1 - _MAX_VERSIONS :])
        for entry, tree in chosen:
            if entry.report is not None and not entry.dumped:
                source = Source(entry.file.path, tree.read(entry.file.path))
                entry.dumped = dump_report(entry.report, source) or b""
            if entry.dumped:
                record, changed = tuple(entry.record.answers), dict(tree.changed)
                yield tuple(entry.file), entry.identity, changed, record, entry.dumped, entry.below


def _holds(data: bytes, needles: tuple[bytes, ...]) -> bool:
    return any(needle in data for needle in needles)
