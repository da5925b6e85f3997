"""The kernel tree as a patch left it, without a checkout: the base, and over it the files that were changed.

    tree = StateTree(KnownFiles(CommitFiles(git, revision)), {"mm/mremap.c": blob_id}, git)
    tree.read("mm/mremap.c"), tree.search((b"lazy_mmu_mode",))

What was read, listed or searched in the base once is known for every state. A `Recorder` writes down what an analysis
asked, so that its result is kept until one of the answers changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from mmlint.recorded import listing_digest
from mmlint.series.base_files import SUFFIXES, KnownFiles, missing, pattern
from mmlint.series.git import PrivateGit

# What a name means: the file of each definition, whether it is a macro, and whether it is static.
Meaning = tuple[tuple[str, bool, bool], ...]


class StateTree:
    """A `Tree`: the base with ``changed`` files, each by the id of its blob, None for one that is gone."""

    def __init__(self, base: KnownFiles, changed: Mapping[str, str | None], git: PrivateGit) -> None:
        self._base = base
        self.changed = changed
        self._git = git
        self._blobs: dict[str, bytes] = {}
        self._searches: dict[tuple[bytes, ...], tuple[str, ...]] = {}
        self._listings: dict[str, tuple[str, ...]] = {}

    def moved(self, other: StateTree) -> frozenset[str]:
        """The files that are not the same in the other state."""
        paths = self.changed.keys() | other.changed.keys() | self._base.differing(other._base)
        return frozenset(path for path in paths if self.identity(path) != other.identity(path))

    def has(self, path: str) -> bool:
        """True for a C file that is there, as far as is known; one of a base without ids is taken to be."""
        return path.endswith(SUFFIXES) and self.identity(path) is not None

    def identity(self, path: str) -> str | None:
        """What tells one version of a file from another; None for one that is not there."""
        return self.changed[path] if path in self.changed else self._base.identity(path)

    def read(self, path: str) -> bytes:
        if path not in self.changed:
            return self._base.read(path)
        blob = self.changed[path]
        if blob is None:
            raise missing(path)
        if blob not in self._blobs:
            (found,) = self._git.objects.read([blob])
            if found is None:
                raise missing(path)
            self._blobs[blob] = found[2]
        return self._blobs[blob]

    def files(self, folder: str) -> Sequence[str]:
        if folder not in self._listings:
            known = self._base.files(folder)
            below = pattern(folder)
            mine = {path for path in self.changed if path.endswith(SUFFIXES) and below.match(path)}
            there = {path for path in mine if self.changed[path]}
            if mine and there != mine & set(known):
                known = tuple(sorted((set(known) - mine) | there))
            self._listings[folder] = known
        return self._listings[folder]

    def begin(self, needles: tuple[bytes, ...], threads: int) -> None:
        """Have a search of the base begin that will be asked for."""
        self._base.begin(needles, threads)

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        if needles not in self._searches:
            found = self._base.search(needles) - self.changed.keys()
            for path, blob in self.changed.items():
                if blob and path.endswith(SUFFIXES):
                    data = self.read(path)
                    if any(needle in data for needle in needles):
                        found |= {path}
            self._searches[needles] = tuple(sorted(found))
        return self._searches[needles]

    def shown(self, path: str) -> str:
        return path


class Answers(NamedTuple):
    """What was asked of a tree and of its index; for each answer what tells it from another one.

    Of a file that was read, its version; of lists of files and of the texts of definitions, a digest, and of what the
    tables of a file are, by the name of one, or by nothing for their names.
    """

    reads: dict[str, str | None]
    listings: dict[str, bytes]
    searches: dict[tuple[bytes, ...], bytes]
    names: dict[str, Meaning]
    texts: dict[str, dict[tuple[str, int], bytes]]
    tables: dict[str, dict[str, bytes]]


def without(answers: Answers, path: str) -> Answers:
    """A copy without what was read of one file."""
    return Answers(
        {other: identity for other, identity in answers.reads.items() if other != path},
        dict(answers.listings),
        dict(answers.searches),
        dict(answers.names),
        {other: dict(texts) for other, texts in answers.texts.items() if other != path},
        {other: dict(tables) for other, tables in answers.tables.items() if other != path},
    )


class Recorder:
    """A `Tree` that writes down each question and its answer; so does the index that looks through it."""

    def __init__(self, tree: StateTree, answers: Answers | None = None) -> None:
        self.tree = tree
        self.answers = answers or Answers({}, {}, {}, {}, {}, {})
        self.reads, self.listings, self.searches, self.names, self.texts, self.tables = self.answers

    @property
    def log(self) -> Answers:
        """What was asked so far."""
        return self.answers

    def learn(self, log: Answers) -> None:
        """Take in what was asked in another process."""
        self.reads.update(log.reads)
        self.listings.update(log.listings)
        self.searches.update(log.searches)
        self.names.update(log.names)
        for path, texts in log.texts.items():
            self.texts.setdefault(path, {}).update(texts)
        for path, tables in log.tables.items():
            self.tables.setdefault(path, {}).update(tables)

    @cached_property
    def named_in(self) -> dict[str, set[str]]:
        """The names that were looked up and found in each file. To be asked when nothing more is written down."""
        found: dict[str, set[str]] = {}
        for name, places in self.names.items():
            for path, _, _ in places:
                found.setdefault(path, set()).add(name)
        return found

    def read(self, path: str) -> bytes:
        self.reads[path] = self.tree.identity(path)
        return self.tree.read(path)

    def files(self, folder: str) -> Sequence[str]:
        answer = self.tree.files(folder)
        self.listings[folder] = listing_digest(answer)
        return answer

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        answer = self.tree.search(needles)
        self.searches[needles] = listing_digest(answer)
        return answer

    def shown(self, path: str) -> str:
        return self.tree.shown(path)
