"""The kernel tree that a file stands in, and which generation of the API it has by its include/linux/pgtable.h.

    api_of("mm/memory.c", vocabulary)  ->  TreeApi(root, "generic", "lazy_mmu_mode_enable_with_ptes")

A `Tree` gives the files of one kernel, wherever they are kept: in a folder, or in git as a patch left them.

A file outside any tree, or in one whose header declares nothing of the API, tells nothing: both names are empty.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from mmlint.vocabulary import Vocabulary

HEADER = Path("include/linux/pgtable.h")
_RANGED = re.compile(
    rb"\bvoid\s+(\w*lazy_mmu_mode_(?!disable|pause|resume)\w+)\s*\(\s*struct\s+mm_struct\s*\*\s*\w+\s*,"
    rb"\s*unsigned\s+long\s+\w+\s*,\s*unsigned\s+long\s+\w+\s*,\s*pte_t\s*\*\s*\w+\s*\)"
)


@dataclass(frozen=True, slots=True)
class TreeApi:
    """What a tree's header declares: the newest generation and the ranged name, each empty where there is none."""

    root: str = ""
    generation: str = ""
    ranged: str = ""


NO_TREE = TreeApi()


class Tree(Protocol):
    """The files of one kernel. Paths are relative to its top, with slashes; the C files are *.c and *.h."""

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises OSError."""

    def files(self, folder: str) -> Sequence[str]:
        """The C files below a folder, in order; "" is the whole tree, a folder that is not there has none.

        A ``*`` in the place of a name is any one folder, as in "arch/*/mm".
        """

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        """The C files that hold one of ``needles``, in order."""

    def shown(self, path: str) -> str:
        """The path as the user should see it."""


class LoneFile:
    """A `Tree` of one file, for a file that is in no kernel tree: what it calls in itself can be followed."""

    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        self._data = data

    def read(self, path: str) -> bytes:
        """Its bytes. Raises OSError for any other path."""
        if path != self._path:
            raise FileNotFoundError(path)
        return self._data

    def files(self, folder: str) -> Sequence[str]:
        """The file, where it is in that folder."""
        return [self._path] if fnmatchcase(self._path, f"{folder}/*") else []

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        """The file, where it holds one of ``needles``."""
        return [self._path] if any(needle in self._data for needle in needles) else []

    def shown(self, path: str) -> str:
        """The path as it is."""
        return path


def api_in(tree: Tree, vocabulary: Vocabulary) -> TreeApi:
    """The API of a tree."""
    try:
        header = tree.read(HEADER.as_posix())
    except OSError:
        return TreeApi()
    return read_api("", header, vocabulary.declared)


def api_of(path: str, vocabulary: Vocabulary) -> TreeApi:
    """The API of the tree that a file stands in."""
    return _api_of_folder(Path(path).resolve().parent, vocabulary.declared)


@lru_cache(maxsize=4096)
def _api_of_folder(folder: Path, declared: tuple[tuple[str, str], ...]) -> TreeApi:
    header = folder / HEADER
    # A folder above may be closed to the user, who can read the file all the same.
    if not os.path.isfile(header):  # noqa: PTH113
        return TreeApi() if folder.parent == folder else _api_of_folder(folder.parent, declared)
    try:
        return read_api(str(folder), header.read_bytes(), declared)
    except OSError:
        return TreeApi()


@lru_cache(maxsize=64)
def read_api(root: str, header: bytes, declared: tuple[tuple[str, str], ...]) -> TreeApi:
    """The API that a header declares; ``declared`` is `Vocabulary.declared`.

    A ranged call that the vocabulary has not heard of is known by its parameters, and taken for the newest.
    """
    generation = ranged = ""
    for name, belongs_to in declared:
        # A ranged call has parameters; a function of that name without any is something else.
        given = rb"" if belongs_to else rb"(?!\s*void\s*\))"
        if re.search(rb"(?:\b(?:void|define)\s+)" + re.escape(name.encode()) + rb"\s*\(" + given, header):
            if belongs_to:
                generation = belongs_to
            else:
                ranged = name
    known = {name for name, _ in declared}
    others = [name for name in ranged_calls(header) if name not in known and not name.startswith(("arch_", "_"))]
    return TreeApi(root, generation, others[-1] if others else ranged)


def ranged_calls(header: bytes) -> list[str]:
    """Functions of a header that have the parameters of the ranged call, in order, whatever they are called."""
    return [found.group(1).decode() for found in _RANGED.finditer(header)]
