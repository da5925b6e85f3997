"""The states of a series in a private store: one commit for each patch, made by ``git apply`` on a private index.

    space = Workspace(git)
    space.begin(base_commit, paths)
    space.apply(letter)                   # raises ApplyError, and leaves the last state as it was
    space.read("mm/mremap.c", 2)          # the bytes after the second patch

Work tree, index and objects of the user are never touched.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mmlint.cache import Cache
from mmlint.series.base_files import BaseFiles, CommitFiles, FolderFiles, KnownFiles, NoFiles
from mmlint.series.diff import parse_diff
from mmlint.series.git import GitError, PrivateGit
from mmlint.series.kept_base import KeptBase
from mmlint.series.mail import Letter
from mmlint.series.model import FileChange
from mmlint.series.objects import Entry, changed_tree, files_of, tree_of, write_commit
from mmlint.series.state_tree import StateTree

_REGULAR: Final = "100644"
_DIFF: Final = ("diff-tree", "-r", "--no-color", "--no-ext-diff", "--no-textconv")


class ApplyError(Exception):
    """git cannot apply a patch: its own words."""


class Workspace:
    """A `mmlint.series.model.Store` that can grow. ``three_way`` tells whether git had to merge."""

    def __init__(self, git: PrivateGit) -> None:
        self._git = git
        self.commits: list[str] = []
        self.three_way = False
        self._base = KnownFiles(NoFiles())
        self._trees: dict[int, StateTree] = {}
        self._changed: list[dict[str, str | None]] = [{}]
        self._files_now: dict[str, tuple[str, str]] = {}

    # ------------------------------------------------------------ begin

    def begin(self, revision: str, paths: Sequence[str], replaced: Mapping[str, str] | None = None) -> None:
        """Start from a commit, with the blobs of ``replaced`` in the place of its files.

        ``paths`` are those of the patches, before and after: no other file gets into the index.
        """
        files = files_of(self._git, revision, paths) if revision else {}
        base: BaseFiles = CommitFiles(self._git, revision) if revision else NoFiles()
        if replaced:
            new = {path: (files.get(path, (_REGULAR, ""))[0], blob) for path, blob in replaced.items()}
            tree = changed_tree(self._git, tree_of(self._git, revision) if revision else "", new)
            revision = write_commit(self._git, tree, "", "base")
            base = CommitFiles(self._git, revision)
            files |= new
        self._start(revision, base, files)

    def begin_with_folder(self, folder: Path, needed: Sequence[str]) -> None:
        """Start from files of a folder. Raises ApplyError when one of those that are needed is not there."""
        files = FolderFiles(folder)
        entries = {}
        for path in needed:
            try:
                data = files.read(path)
            except OSError as error:
                raise ApplyError(f"{path}: {error.strerror or error}") from error
            entries[path] = (_REGULAR, self._git.write_object("blob", data))
        self._start(write_commit(self._git, changed_tree(self._git, "", entries), "", "base"), files, entries)

    def begin_with_commits(self, revision: str, commits: Sequence[str]) -> None:
        """The states are commits of the user's."""
        self._start(revision, CommitFiles(self._git, revision) if revision else NoFiles(), {})
        for commit in commits:
            raw = self._git.run(*_DIFF, "--raw", "-z", "--no-renames", "--no-abbrev", self._last, commit)
            fields = raw.split(b"\0")
            found: dict[str, Entry] = {}
            for head, name in zip(fields[::2], fields[1::2], strict=False):
                _, mode, _, blob, *_ = head.decode().split()
                found[name.decode("utf-8", "surrogateescape")] = (mode, blob) if mode != "000000" else None
            self._grow(commit, found)

    def _start(self, revision: str, base: BaseFiles, files: Mapping[str, tuple[str, str]]) -> None:
        self.commits = [revision]
        self.three_way = False
        self._changed = [{}]
        self._trees = {}
        self._base = KnownFiles(base)
        self._files_now = dict(files)
        self._git.borrow([blob for _, blob in files.values()])
        self._git.run("read-tree", "--empty")
        lines = (f"{mode} {blob}\t".encode() + os.fsencode(path) + b"\0" for path, (mode, blob) in files.items())
        self._git.run("update-index", "-z", "--index-info", data=b"".join(lines))

    @property
    def _last(self) -> str:
        return self.commits[-1] or self._git.write_object("tree", b"")

    # ------------------------------------------------------------ grow

    def apply(self, letter: Letter, three_way: bool = False) -> None:
        """Add the state after a patch. Raises ApplyError, and leaves the last state as it was."""
        strip = "-p0" if _has_no_prefix(letter.text) else "-p1"
        words = ["apply", "--cached", "--whitespace=nowarn", strip]
        before = self._git.index.read_bytes()
        try:
            self._git.run(*words, "-", data=letter.text)
        except GitError as error:
            if not three_way:
                raise ApplyError(_in_short(str(error))) from error
            try:
                self._git.borrow([change.old_blob for change in parse_diff(letter.text) if change.old_blob])
                self._git.run(*words, "--3way", "-", data=letter.text)
            except GitError:
                self._git.index.write_bytes(before)
                raise ApplyError(_in_short(str(error))) from error
            self.three_way = True
        changes = self._index_changes()
        if three_way and self.three_way and not changes:
            raise ApplyError("all of it is there already")
        title = letter.subject.title or "(no subject)"
        try:
            tree = changed_tree(self._git, tree_of(self._git, self.commits[-1]) if self.commits[-1] else "", changes)
        except GitError as error:
            raise ApplyError(str(error)) from error
        self._grow(write_commit(self._git, tree, self.commits[-1], f"{title}\n\n{letter.message}\n"), changes)

    def _index_changes(self) -> dict[str, Entry]:
        """What the index has other than the last state."""
        now: dict[str, tuple[str, str]] = {}
        for entry in self._git.run("ls-files", "-z", "--stage").split(b"\0")[:-1]:
            head, name = entry.split(b"\t", 1)
            mode, blob, _ = head.decode().split()
            now[name.decode("utf-8", "surrogateescape")] = (mode, blob)
        before, self._files_now = self._files_now, now
        gone: dict[str, Entry] = {path: None for path in before if path not in now}
        return gone | {path: entry for path, entry in now.items() if before.get(path) != entry}

    def _grow(self, commit: str, changes: Mapping[str, Entry]) -> None:
        changed = dict(self._changed[-1])
        for path, entry in changes.items():
            changed[path] = entry[1] if entry and entry[0].startswith("100") else None
        self._changed.append(changed)
        self.commits.append(commit)

    def difference(self, patch: int) -> tuple[FileChange, ...]:
        """What patch ``patch`` changes, as git sees the two states: hunks without context, blobs in full."""
        words = ["-p", "-U0", "-M", "--full-index", "--src-prefix=a/", "--dst-prefix=b/"]
        text = self._git.run(
            *_DIFF, *words, self.commits[patch - 1] or self._git.write_object("tree", b""), self.commits[patch]
        )
        return parse_diff(text)

    # ------------------------------------------------------------ look

    def tree(self, patch: int) -> StateTree:
        """The tree of a state."""
        if patch not in self._trees:
            self._trees[patch] = StateTree(self._base, self._changed[patch], self._git)
        return self._trees[patch]

    def kept(self, cache: Cache, folders: Sequence[str]) -> KeptBase:
        """What the cache has of the base."""
        return KeptBase(cache, self._git, self._base, folders)

    def base_tree(self) -> StateTree:
        """The files of the base without any change, where those of the series may be missing."""
        return StateTree(self._base, {}, self._git)

    def read(self, path: str, patch: int) -> bytes:
        """The bytes of a file in state ``patch``. Raises OSError when it is not there."""
        return self.tree(patch).read(path)

    def commit(self, patch: int) -> str:
        """The id of the commit of state ``patch``."""
        return self.commits[patch]

    def amended(self, patch: int, files: Mapping[str, bytes], message: str) -> str:
        """The id of a commit on top of state ``patch``, with other bytes in ``files``."""
        before = files_of(self._git, self.commits[patch], list(files))
        entries = {
            path: (before.get(path, (_REGULAR, ""))[0], self._git.write_object("blob", data))
            for path, data in files.items()
        }
        tree = changed_tree(self._git, tree_of(self._git, self.commits[patch]), entries)
        return write_commit(self._git, tree, self.commits[patch], message)

    def git(self, *arguments: str, data: bytes = b"") -> bytes:
        """What git prints; new objects and the index are private. Raises GitError."""
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
