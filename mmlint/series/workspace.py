"""The states of a series in a private store: one commit for each patch, made by ``git apply`` on a private index.

    space = Workspace(git)
    space.begin(base_commit)
    space.apply(letter, changes)          # raises ApplyError, and leaves the last state as it was
    space.read("mm/mremap.c", 2)          # the bytes after the second patch

Work tree, index and objects of the user are never touched.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mmlint.series.diff import parse_diff
from mmlint.series.git import GitError, PrivateGit
from mmlint.series.mail import Letter
from mmlint.series.model import FileChange
from mmlint.series.state_tree import BaseFiles, CommitFiles, FolderFiles, KnownFiles, StateTree

_DIFF: Final = ("diff-tree", "-r", "--no-color", "--no-ext-diff", "--no-textconv")


class ApplyError(Exception):
    """git cannot apply a patch: its own words."""


class _NoFiles:
    """The base of a series of which nothing but its pre-images is there."""

    def read(self, path: str) -> bytes:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def files(self) -> Sequence[str]:
        return ()

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        del needles
        return ()


class Workspace:
    """A `mmlint.series.model.Store` that can grow. ``three_way`` tells whether git had to merge."""

    def __init__(self, git: PrivateGit) -> None:
        self._git = git
        self.commits: list[str] = []
        self.three_way = False
        self._base = KnownFiles(_NoFiles())
        self._trees: dict[int, StateTree] = {}
        self._changed: list[dict[str, str | None]] = [{}]

    # ------------------------------------------------------------ begin

    def begin(self, revision: str, replaced: Mapping[str, str] | None = None) -> None:
        """Start from a commit, with the blobs of ``replaced`` in the place of its files."""
        self._git.run("read-tree", revision) if revision else self._git.run("read-tree", "--empty")
        base: BaseFiles = CommitFiles(self._git, revision) if revision else _NoFiles()
        if replaced:
            self._index(replaced)
            revision = self._commit("", "base")
            base = CommitFiles(self._git, revision)
        self._start(revision, base)

    def begin_with_folder(self, folder: Path, paths: Sequence[str]) -> None:
        """Start from files of a folder. Raises ApplyError when one of ``paths`` is not there."""
        files = FolderFiles(folder)
        blobs = {}
        for path in paths:
            try:
                data = files.read(path)
            except OSError as error:
                raise ApplyError(f"{path}: {error.strerror or error}") from error
            blobs[path] = self._git.text("hash-object", "-w", "--no-filters", "--stdin", data=data)
        self._git.run("read-tree", "--empty")
        self._index(blobs)
        self._start(self._commit("", "base"), files)

    def _start(self, revision: str, base: BaseFiles) -> None:
        self.commits = [revision]
        self.three_way = False
        self._changed = [{}]
        self._trees = {}
        self._base = KnownFiles(base)

    def _index(self, blobs: Mapping[str, str]) -> None:
        lines = b"".join(f"100644 {blob}\t".encode() + os.fsencode(path) + b"\0" for path, blob in blobs.items())
        self._git.run("update-index", "-z", "--index-info", data=lines)

    def _commit(self, parent: str, title: str) -> str:
        tree = self._git.text("write-tree")
        words = ["-p", parent] if parent else []
        return self._git.text("commit-tree", tree, *words, data=title.encode("utf-8", "surrogateescape"))

    # ------------------------------------------------------------ grow

    def apply(self, letter: Letter, three_way: bool = False) -> None:
        """Add the state after a patch. Raises ApplyError."""
        strip = "-p0" if b"\ndiff --git a/" not in b"\n" + letter.text and _has_no_prefix(letter.text) else "-p1"
        words = ["apply", "--cached", "--whitespace=nowarn", strip]
        self._borrow(letter.text, three_way)
        try:
            self._git.run(*words, "-", data=letter.text)
        except GitError as error:
            if not three_way:
                raise ApplyError(_in_short(str(error))) from error
            try:
                self._git.run(*words, "--3way", "-", data=letter.text)
            except GitError:
                self._git.run("read-tree", self.commits[-1])
                raise ApplyError(_in_short(str(error))) from error
            self.three_way = True
            if not self._git.run("diff-index", "--cached", "--raw", self.commits[-1]):
                raise ApplyError("all of it is there already") from error
        title = letter.subject.title or "(no subject)"
        self._grow(self._commit(self.commits[-1], f"{title}\n\n{letter.message}\n"))

    def _borrow(self, text: bytes, three_way: bool = False) -> None:
        """Have at hand what git needs to apply a patch to the last state."""
        files = parse_diff(text)
        names = [f"{self.commits[-1]}:{change.before}" for change in files if change.kind != "added"]
        if three_way:
            names += [change.old_blob for change in files if change.old_blob]
        self._git.borrow(names)

    def adopt(self, commit: str) -> None:
        """Add a state that is a commit of the user's."""
        self._grow(commit)

    def _grow(self, commit: str) -> None:
        raw = self._git.run(*_DIFF, "--raw", "-z", "--no-renames", "--no-abbrev", self.commits[-1], commit)
        fields = raw.split(b"\0")
        changed = dict(self._changed[-1])
        for head, name in zip(fields[::2], fields[1::2], strict=False):
            mode, blob = head.split()[1], head.split()[3].decode()
            path = name.decode("utf-8", "surrogateescape")
            changed[path] = blob if mode.startswith(b"100") else None
        self._changed.append(changed)
        self.commits.append(commit)

    def difference(self, patch: int) -> tuple[FileChange, ...]:
        """What patch ``patch`` changes, as git sees the two states: hunks without context, blobs in full."""
        words = ["-p", "-U0", "-M", "--full-index", "--src-prefix=a/", "--dst-prefix=b/"]
        text = self._git.run(*_DIFF, *words, self.commits[patch - 1], self.commits[patch])
        return parse_diff(text)

    # ------------------------------------------------------------ look

    def tree(self, patch: int) -> StateTree:
        """The tree of a state."""
        if patch not in self._trees:
            self._trees[patch] = StateTree(self._base, self._changed[patch], self._git)
        return self._trees[patch]

    def read(self, path: str, patch: int) -> bytes:
        """The bytes of a file in state ``patch``. Raises OSError when it is not there."""
        return self.tree(patch).read(path)

    def commit(self, patch: int) -> str:
        """The id of the commit of state ``patch``."""
        return self.commits[patch]

    def git(self, *arguments: str, data: bytes = b"") -> bytes:
        """What git prints; new objects and the index are private. Raises GitError.

        ``apply`` finds the files of the last state; another state's have been read before.
        """
        if arguments[:1] == ("apply",):
            self._borrow(data)
        return self._git.run(*arguments, data=data)


def _has_no_prefix(text: bytes) -> bool:
    """True when the two names of the first ``diff --git`` line are the same: a diff without a/ and b/."""
    start = (b"\n" + text).find(b"\ndiff --git ")
    words = text[start : text.find(b"\n", start)].split() if start >= 0 else []
    return len(words) == 4 and words[2] == words[3]


def _in_short(told: str) -> str:
    """git's words, without what it says twice, and of the first files only."""
    parts = told.split("; ")
    parts = [part for part in parts if not part.endswith(": patch does not apply")] or parts
    more = f"; and {len(parts) - 2} more" if len(parts) > 3 else ""
    return "; ".join(parts[: 2 if more else 3]) + more
