"""The files of the base of a series: of a commit, or of a folder that is no repository.

    base = KnownFiles(CommitFiles(git, revision))
    base.read("mm/mremap.c"), base.search((b"lazy_mmu_mode",)), base.identity("mm/mremap.c")

A commit's files are read from the user's work tree where they are the same there; that is told by their ids.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from mmlint.series.checkout import Checkout
from mmlint.series.git import PrivateGit
from mmlint.series.objects import tree_of

SUFFIXES: Final = (".c", ".h")
# What stands for the version of a file that has no id.
UNCHANGED: Final = "base"
# Nothing sorts behind it.
_LAST: Final = chr(sys.maxunicode)
_REGULAR: Final = re.compile("100[0-7]{3} blob ([0-9a-f]+)\t([^\0]+\\.[ch])\0")


class BaseFiles(Protocol):
    """The files of the base; the C files are *.c and *.h."""

    @property
    def blobs(self) -> Mapping[str, str] | None:
        """The id of each C file, in order; None where there are no ids."""

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises OSError."""

    def files(self) -> Sequence[str]:
        """Every C file, in order."""

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        """The C files that hold one of ``needles``, in order."""


def missing(path: str) -> OSError:
    """What is raised for a file that is not there."""
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


class NoFiles:
    """The base of a series of which nothing but its pre-images is there."""

    blobs: Mapping[str, str] | None = None

    def read(self, path: str) -> bytes:
        raise missing(path)

    def files(self) -> Sequence[str]:
        return ()

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        del needles
        return ()


class CommitFiles:
    """The files of a commit."""

    def __init__(self, git: PrivateGit, revision: str) -> None:
        self._git = git
        self._revision = revision
        self._read: dict[str, bytes] = {}

    @cached_property
    def tree(self) -> str:
        """The id of its tree. Raises GitError."""
        return tree_of(self._git, self._revision)

    @cached_property
    def blobs(self) -> Mapping[str, str]:
        told = self._git.run("ls-tree", "-r", "-z", self._revision).decode("utf-8", "surrogateescape")
        return dict(sorted((path, blob) for blob, path in _REGULAR.findall(told)))

    @cached_property
    def _checkout(self) -> Checkout | None:
        tree = self._git.tree
        if tree.folder is None or tree.git_dir is None:
            return None
        return Checkout(self._git, tree.folder, tree.git_dir / "index", self._revision, lambda: self.blobs)

    def read(self, path: str) -> bytes:
        if path not in self._read:
            blob = self.blobs.get(path)
            if blob is None:
                raise missing(path)
            data = self._checkout.read(path, blob) if self._checkout else None
            if data is None:
                (found,) = self._git.objects.read([blob])
                if found is None:
                    raise missing(path)
                data = found[2]
            self._read[path] = data
        return self._read[path]

    def files(self) -> Sequence[str]:
        return list(self.blobs)

    def begin(self, needles: tuple[bytes, ...], threads: int) -> None:
        """Have git search for ``needles`` beside what else is done."""
        if self._checkout is not None:
            self._checkout.begin(needles, threads)

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        if self._checkout is None or self._checkout.others is None:
            return self._search(needles)
        found = set(self._checkout.search(needles))
        for path in self._checkout.others:
            data = self.read(path)
            if any(needle in data for needle in needles):
                found.add(path)
        return sorted(found)

    def _search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        prefix = len(self._revision) + 1
        found = self._git.grep(needles, self._revision).files()
        return sorted(path for name in found if (path := name[prefix:]) in self.blobs)


class FolderFiles:
    """The files of a folder that is no repository; a link that leads out of it is not followed."""

    blobs: Mapping[str, str] | None = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._read: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        if path not in self._read:
            place = (self._folder / path).resolve()
            if not place.is_relative_to(self._folder) or not place.is_file():
                raise missing(path)
            self._read[path] = place.read_bytes()
        return self._read[path]

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
    """The base, with its files, its searches and its listings remembered."""

    def __init__(self, base: BaseFiles) -> None:
        self.base = base
        self.searches: dict[tuple[bytes, ...], frozenset[str]] = {}
        self._listings: dict[str, tuple[str, ...]] = {}
        self._differing: dict[KnownFiles, frozenset[str]] = {}

    def identity(self, path: str) -> str | None:
        """What tells one version of a file from another; None for a C file that is not there."""
        if self.base.blobs is None or not path.endswith(SUFFIXES):
            return UNCHANGED
        return self.base.blobs.get(path)

    def differing(self, other: KnownFiles) -> frozenset[str]:
        """The C files that are not the same in another base."""
        if other is self or self.base.blobs is None or other.base.blobs is None:
            return frozenset()
        if other not in self._differing:
            changed = self.base.blobs.items() ^ other.base.blobs.items()
            self._differing[other] = frozenset(path for path, _ in changed)
        return self._differing[other]

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises OSError."""
        return self.base.read(path)

    def files(self, folder: str) -> tuple[str, ...]:
        """The C files below a folder, in order; ``*`` is any one folder."""
        if folder not in self._listings:
            files, match = self._files, pattern(folder).match
            # Nothing that begins otherwise can match: only that part of the order is looked at.
            begins = f"{folder}/".partition("*")[0] if folder else ""
            inside = files[bisect_left(files, begins) : bisect_left(files, begins + _LAST)]
            self._listings[folder] = tuple([path for path in inside if match(path)] if "*" in folder else inside)
        return self._listings[folder]

    @cached_property
    def _files(self) -> Sequence[str]:
        return self.base.files()

    def begin(self, needles: tuple[bytes, ...], threads: int) -> None:
        """Have a search begin that will be asked for, where another process can do it."""
        if needles not in self.searches and isinstance(self.base, CommitFiles):
            self.base.begin(needles, threads)

    def search(self, needles: tuple[bytes, ...]) -> frozenset[str]:
        """The C files that hold one of ``needles``."""
        if needles not in self.searches:
            self.searches[needles] = frozenset(self.base.search(needles))
        return self.searches[needles]


def pattern(folder: str) -> re.Pattern[str]:
    """What the paths below a folder begin with, in which ``*`` is any one name."""
    parts = [part for part in folder.split("/") if part]
    return re.compile("".join("[^/]+/" if part == "*" else re.escape(part) + "/" for part in parts))
