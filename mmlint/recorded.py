"""A tree that writes down what was asked of it, so that a result can be kept for as long as the answers are the same.

tree = RecordedTree(DiskTree(root), cache, folders)
tree.state.signature    of the content of all files in the folders that every analysis may look into
tree.log                whatever else was read, listed and searched, with digests of the answers
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

from mmlint.cache import Cache
from mmlint.cache_key import content, key
from mmlint.facts.index import searched
from mmlint.remembered import contents
from mmlint.tree import Tree

# Questions, such as ("read", "fs/exec.c"), with digests of the answers.
Log = dict[tuple[str, ...], bytes]


class State(NamedTuple):
    """The files in some folders of a tree, in order, with digests of their contents, and a digest of all of it."""

    paths: Sequence[str]
    digests: dict[str, bytes]
    signature: bytes


@runtime_checkable
class Recording(Protocol):
    """A tree that knows what was asked of it, and takes in what was asked of its copy in another process."""

    @property
    def log(self) -> Any:
        """What was asked."""

    def learn(self, log: Any) -> None:
        """Take in what was asked elsewhere."""


class RecordedTree:
    """A `Tree`, with the ``state`` of the files in ``folders`` of it; ``root`` is its folder on disk."""

    def __init__(self, tree: Tree, root: str, folders: Sequence[str], cache: Cache, processes: int = 1) -> None:
        self._tree = tree
        self._root = root
        self._folders = folders
        self._cache = cache
        self._processes = processes
        self._log: Log = {}
        self._now: Log = {}

    @cached_property
    def state(self) -> State:
        """The files that every analysis may look into, as they are at the first call."""
        paths = searched(self._tree, self._folders)
        kept = key("contents", self._root, *self._folders)
        digests = contents(self._root, paths, self._cache, kept, self._processes)
        text = "\0".join(paths).encode("utf-8", "surrogateescape")
        return State(paths, digests, content(text + b"".join(digest or bytes(16) for digest in digests.values())))

    @property
    def log(self) -> Log:
        """What was asked so far, other than of files in the folders."""
        return dict(self._log)

    def learn(self, log: Log) -> None:
        """Take in what was asked in another process."""
        self._log.update(log)

    def answers(self, log: Log) -> bool:
        """True when every question of a log has the same answer now."""
        return all(self._answer(question) == answer for question, answer in log.items())

    def _answer(self, question: tuple[str, ...]) -> bytes | None:
        if question not in self._now:
            kind, *words = question
            if kind == "read":
                self._now[question] = self._content(words[0])
            elif kind == "files":
                self._now[question] = listing_digest(self._tree.files(words[0]))
            elif kind == "search":
                needles = tuple(word.encode("utf-8", "surrogateescape") for word in words)
                self._now[question] = listing_digest(self._tree.search(needles))
            else:
                return None
        return self._now[question]

    def _content(self, path: str) -> bytes:
        try:
            return content(self._tree.read(path))
        except OSError:
            return b""

    # ------------------------------------------------------------ as a tree

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises OSError."""
        try:
            data = self._tree.read(path)
        except OSError:
            self._log["read", path] = b""
            raise
        digest = content(data)
        if path not in self.state.digests:
            self._log["read", path] = digest
        elif digest != self.state.digests[path]:
            # It was changed while mmlint ran; nobody will ask that again.
            self._log["changed", path] = digest
        return data

    def files(self, folder: str) -> Sequence[str]:
        """The C files below a folder, in order."""
        found = self._tree.files(folder)
        self._log["files", folder] = listing_digest(found)
        return found

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        """The C files that hold one of ``needles``, in order."""
        found = self._tree.search(needles)
        words = (needle.decode("utf-8", "surrogateescape") for needle in needles)
        self._log["search", *words] = listing_digest(found)
        return found

    def shown(self, path: str) -> str:
        """The path as the user should see it."""
        return self._tree.shown(path)


def listing_digest(paths: Sequence[str]) -> bytes:
    """What stands for a list of paths."""
    return content("\0".join(paths).encode("utf-8", "surrogateescape"))
