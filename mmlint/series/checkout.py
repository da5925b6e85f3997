"""The user's work tree, where its files are as they are in a commit: to read them there is cheaper than to inflate.

    checkout = Checkout(git, folder, index, revision, lambda: blobs)
    checkout.read("mm/mremap.c", blob)               the bytes, None where they are not those of the blob
    checkout.begin((b"lazy_mmu_mode",), threads)     git searches from now on, beside what else is done
    checkout.search((b"lazy_mmu_mode",))             the files that hold a needle; nothing is known of ``others``

What is read is compared with the id. For a search git tells which files differ, by the user's index, which is only
read.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from mmlint.series.git import GitError, Grep, PrivateGit, Running

# Where more files differ than this, the objects are read.
_MAX_OTHERS: Final = 2_000
# An entry that git does not compare with the work tree: it is marked to be skipped, or to be taken as unchanged.
_NOT_COMPARED: Final = re.compile("(?<![^\0])[a-zA-GI-Z] ([^\0]*)\0")


class Checkout:
    """Files of the work tree in ``folder`` that are those of a revision, by the ids of its files."""

    def __init__(
        self, git: PrivateGit, folder: Path, index: Path, revision: str, blobs: Callable[[], Mapping[str, str]]
    ) -> None:
        """``blobs`` gives the ids of the C files of the revision."""
        self._git = git
        self._folder = folder
        self._where = {"GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(index)}
        self._revision = revision
        self._blobs = blobs
        self._greps: dict[tuple[bytes, ...], Grep] = {}

    def begin(self, needles: tuple[bytes, ...], threads: int) -> None:
        """Have git search for ``needles``, and look for what differs."""
        if needles not in self._greps:
            self._greps[needles] = self._git.grep(needles, threads=threads, more=self._where)
        self._asked  # noqa: B018

    @cached_property
    def _asked(self) -> tuple[Running, Running]:
        differing = self._git.begin("diff-index", "-z", "--name-only", "--no-renames", self._revision, more=self._where)
        return differing, self._git.begin("ls-files", "-v", "-z", more=self._where)

    @cached_property
    def others(self) -> frozenset[str] | None:
        """The C files of the commit that may be other ones here; None where they are too many, or git cannot tell."""
        try:
            differing, marked = (_text(running) for running in self._asked)
        except GitError:
            return None
        others = frozenset({*differing.split("\0"), *_NOT_COMPARED.findall(marked)} & self._blobs().keys())
        return others if len(others) <= _MAX_OTHERS else None

    def read(self, path: str, blob: str) -> bytes | None:
        """The bytes of a file, where they are those of the blob."""
        try:
            descriptor = os.open(f"{self._folder}/{path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:  # noqa: PTH123 - there is no path any more
                data = file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
        except OSError:
            return None
        digest = hashlib.new(self._git.tree.object_format, b"blob %d\0" % len(data), usedforsecurity=False)
        digest.update(data)
        return data if digest.hexdigest() == blob else None

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        """The C files of the commit, other than ``others``, that hold one of ``needles``."""
        self.begin(needles, 0)
        found = set(self._greps.pop(needles).files())
        return sorted(found & (self._blobs().keys() - (self.others or frozenset())))


def _text(running: Running) -> str:
    return running.result().decode("utf-8", "surrogateescape")
