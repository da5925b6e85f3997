"""The files of a kernel tree in a folder.

tree = DiskTree("/home/me/linux")
tree.files("arch/*/mm")    ->  ["arch/alpha/mm/fault.c", ...]
tree.shown("mm/memory.c")  ->  "../linux/mm/memory.c", as seen from the current folder
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from mmlint.cache import Cache
from mmlint.cache_key import key
from mmlint.config import UsageError
from mmlint.files import find_files, read, scan
from mmlint.remembered import Signed, scan_remembered


class DiskTree:
    """A `mmlint.tree.Tree`. ``root`` is its top folder, absolute; ``relative`` shows paths from the current folder."""

    def __init__(self, root: str, relative: bool = True, processes: int = 1, cache: Cache | None = None) -> None:
        self._root = root
        self._cache = cache
        prefix = os.path.relpath(root) if relative else root
        self._prefix = "" if prefix == os.curdir else prefix + "/"
        self._processes = processes

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises OSError."""
        return read(f"{self._root}/{path}")

    def files(self, folder: str) -> Sequence[str]:
        """The C files below a folder, in order; ``*`` is any one folder."""
        folders = [folder]
        if "*" in folder:
            folders = sorted(path.relative_to(self._root).as_posix() for path in Path(self._root).glob(folder))
        return [path for found in folders for path in self._below(found)]

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        """The C files that hold one of ``needles``, in order."""
        if self._cache is not None and self._cache.is_open:
            kept = key("search", self._root, *needles)
            hits = scan_remembered(self._signed, needles, self._cache, kept, self._processes, "search").files
        else:
            everything = [f"{self._root}/{path}" for path in self._below("")]
            hits = scan(everything, needles, self._processes).files
        return [path.removeprefix(f"{self._root}/") for path in hits]

    @cached_property
    def _signed(self) -> Signed:
        """The whole tree as it was at the first search."""
        return Signed([f"{self._root}/{path}" for path in self._below("")], self._processes)

    def shown(self, path: str) -> str:
        """The path as the user should see it."""
        return self._prefix + path

    def _below(self, folder: str) -> list[str]:
        top = f"{self._root}/{folder}".rstrip("/")
        try:
            found = find_files([top]).files
        except UsageError:
            return []
        return [path.removeprefix(f"{self._root}/") for path in found]
