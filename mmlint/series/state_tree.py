"""The kernel tree as a patch left it, without a checkout: the base, and over it the files that were changed.

    tree = StateTree(CommitFiles(git, revision), {"mm/mremap.c": blob_id}, git)
    tree.read("mm/mremap.c"), tree.search((b"lazy_mmu_mode",))

One process answers all reads, and what was read, listed or searched in the base once is known for every state. A
`Recorder` writes down what an analysis asked, so that its result is kept until one of the answers changes.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from mmlint.series.git import GitError, PrivateGit

_SUFFIXES: Final = (".c", ".h")
# What a log says of a file that no patch has changed.
UNCHANGED: Final = "base"


class BaseFiles(Protocol):
    """The files of the base."""

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises OSError."""

    def files(self) -> Sequence[str]:
        """Every C file, in order."""

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        """The C files that hold one of ``needles``, in order."""

    def preload(self, paths: Sequence[str]) -> None:
        """Have many files at hand: they are about to be read."""


def _missing(path: str) -> OSError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


class CommitFiles:
    """The files of a commit."""

    def __init__(self, git: PrivateGit, revision: str) -> None:
        self._git = git
        self._revision = revision
        self._read: dict[str, bytes | None] = {}

    def read(self, path: str) -> bytes:
        if path not in self._read:
            (found,) = self._git.objects.read([f"{self._revision}:{path}"])
            self._read[path] = found[2] if found and found[1] == "blob" else None
        data = self._read[path]
        if data is None:
            raise _missing(path)
        return data

    def preload(self, paths: Sequence[str]) -> None:
        new = [path for path in paths if path not in self._read]
        found = self._git.objects.read([f"{self._revision}:{path}" for path in new])
        for path, answer in zip(new, found, strict=True):
            self._read[path] = answer[2] if answer and answer[1] == "blob" else None

    def files(self) -> Sequence[str]:
        return self._listed

    @cached_property
    def _listed(self) -> list[str]:
        entries = self._git.run("ls-tree", "-r", "-z", self._revision).split(b"\0")
        regular = (entry.split(b"\t", 1) for entry in entries if entry.startswith(b"100"))
        names = (name.decode("utf-8", "surrogateescape") for _, name in regular if name.endswith((b".c", b".h")))
        return sorted(names)

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        words = [word for needle in needles for word in ("-e", os.fsdecode(needle))]
        try:
            told = self._git.run("grep", "-lzF", "--no-color", *words, self._revision, "--", "*.c", "*.h")
        except GitError as error:
            if "ended with 1" in str(error):
                return []
            raise
        prefix = len(self._revision) + 1
        return sorted(name.decode("utf-8", "surrogateescape")[prefix:] for name in told.split(b"\0") if name)


class FolderFiles:
    """The files of a folder that is no repository; a link that leads out of it is not followed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._read: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        if path not in self._read:
            place = (self._folder / path).resolve()
            if not place.is_relative_to(self._folder) or not place.is_file():
                raise _missing(path)
            self._read[path] = place.read_bytes()
        return self._read[path]

    def preload(self, paths: Sequence[str]) -> None:
        del paths

    def files(self) -> Sequence[str]:
        return self._listed

    @cached_property
    def _listed(self) -> list[str]:
        from mmlint.files import find_files

        top = len(str(self._folder)) + 1
        return [path[top:] for path in find_files([str(self._folder)]).files]

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        from mmlint.files import scan

        top = len(str(self._folder)) + 1
        return [path[top:] for path in scan([f"{self._folder}/{path}" for path in self._listed], needles).files]


class KnownFiles:
    """The base with its searches remembered."""

    def __init__(self, base: BaseFiles) -> None:
        self._base = base
        self._searches: dict[tuple[bytes, ...], frozenset[str]] = {}

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises OSError."""
        return self._base.read(path)

    def preload(self, paths: Sequence[str]) -> None:
        """Have many files at hand."""
        self._base.preload(paths)

    def files(self) -> Sequence[str]:
        """Every C file, in order."""
        return self._base.files()

    def search(self, needles: tuple[bytes, ...]) -> frozenset[str]:
        """The C files that hold one of ``needles``."""
        if needles not in self._searches:
            self._searches[needles] = frozenset(self._base.search(needles))
        return self._searches[needles]


class StateTree:
    """A `Tree`: the base with ``changed`` files, each by the id of its blob, None for one that is gone."""

    def __init__(self, base: KnownFiles, changed: Mapping[str, str | None], git: PrivateGit) -> None:
        self._base = base
        self.changed = changed
        self._git = git
        self._blobs: dict[str, bytes] = {}
        # The names that a file of this state defines, for those that were asked about.
        self.names: dict[str, frozenset[str]] = {}
        self._searches: dict[tuple[bytes, ...], tuple[str, ...]] = {}
        self._listings: dict[str, tuple[str, ...]] = {}

    def preload(self, folders: Sequence[str]) -> None:
        """Have the C files below some folders at hand."""
        self._base.preload([path for folder in folders for path in self.files(folder)])

    def moved(self, other: StateTree) -> frozenset[str]:
        """The files that are not the same in the other state."""
        paths = self.changed.keys() | other.changed.keys()
        return frozenset(path for path in paths if self.identity(path) != other.identity(path))

    def has(self, path: str) -> bool:
        """True for a C file that is there, as far as the series knows; one of the base is taken to be."""
        return path.endswith(_SUFFIXES) and self.identity(path) is not None

    def identity(self, path: str) -> str | None:
        """What tells one version of a file from another; None for one that the series removed."""
        return self.changed.get(path, UNCHANGED)

    def read(self, path: str) -> bytes:
        if path not in self.changed:
            return self._base.read(path)
        blob = self.changed[path]
        if blob is None:
            raise _missing(path)
        if blob not in self._blobs:
            (found,) = self._git.objects.read([blob])
            if found is None:
                raise _missing(path)
            self._blobs[blob] = found[2]
        return self._blobs[blob]

    def files(self, folder: str) -> Sequence[str]:
        if folder not in self._listings:
            kept = (path for path in self._base.files() if path not in self.changed)
            added = (path for path, blob in self.changed.items() if blob and path.endswith(_SUFFIXES))
            parts = [part for part in folder.split("/") if part]
            below = re.compile("".join("[^/]+/" if part == "*" else re.escape(part) + "/" for part in parts))
            self._listings[folder] = tuple(sorted(path for path in (*kept, *added) if below.match(path)))
        return self._listings[folder]

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        if needles not in self._searches:
            found = self._base.search(needles) - self.changed.keys()
            for path, blob in self.changed.items():
                if blob and path.endswith(_SUFFIXES):
                    data = self.read(path)
                    if any(needle in data for needle in needles):
                        found |= {path}
            self._searches[needles] = tuple(sorted(found))
        return self._searches[needles]

    def shown(self, path: str) -> str:
        return path


class Answers(NamedTuple):
    """What was asked of a tree and of its index, with the answers; of a file that was read, only its version."""

    reads: dict[str, str | None]
    listings: dict[str, Sequence[str]]
    searches: dict[tuple[bytes, ...], Sequence[str]]
    names: dict[str, object]
    texts: dict[str, dict[tuple[str, int], bytes]]


class Recorder:
    """A `Tree` that writes down each question and its answer; so does the index that looks through it."""

    def __init__(self, tree: StateTree, answers: Answers | None = None) -> None:
        self.tree = tree
        self.answers = answers or Answers({}, {}, {}, {}, {})
        self.reads, self.listings, self.searches, self.names, self.texts = self.answers

    def read(self, path: str) -> bytes:
        self.reads[path] = self.tree.identity(path)
        return self.tree.read(path)

    def files(self, folder: str) -> Sequence[str]:
        answer = self.listings[folder] = self.tree.files(folder)
        return answer

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        answer = self.searches[needles] = self.tree.search(needles)
        return answer

    def shown(self, path: str) -> str:
        return self.tree.shown(path)
