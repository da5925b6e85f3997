"""Which generation of the API a kernel tree has, read from its include/linux/pgtable.h.

    api_of("mm/memory.c", vocabulary)  ->  TreeApi(root, "generic", "lazy_mmu_mode_enable_with_ptes")

A file outside any tree, or in one whose header declares nothing of the API, tells nothing: both names are empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mmlint.vocabulary import Vocabulary

HEADER = Path("include/linux/pgtable.h")


@dataclass(frozen=True, slots=True)
class TreeApi:
    """What a tree's header declares: the newest generation and the ranged name, each empty where there is none."""

    root: str = ""
    generation: str = ""
    ranged: str = ""


NO_TREE = TreeApi()


def api_of(path: str, vocabulary: Vocabulary) -> TreeApi:
    """The API of the tree that a file stands in."""
    return _api_of_folder(Path(path).resolve().parent, vocabulary.declared)


@lru_cache(maxsize=4096)
def _api_of_folder(folder: Path, declared: tuple[tuple[str, str], ...]) -> TreeApi:
    header = folder / HEADER
    if not header.is_file():
        return TreeApi() if folder.parent == folder else _api_of_folder(folder.parent, declared)
    return read_api(str(folder), header.read_bytes(), declared)


def read_api(root: str, header: bytes, declared: tuple[tuple[str, str], ...]) -> TreeApi:
    """The API that a header declares; ``declared`` is `Vocabulary.declared`."""
    generation = ranged = ""
    for name, belongs_to in declared:
        if re.search(rb"(?:\b(?:void|define)\s+)" + re.escape(name.encode()) + rb"\s*\(", header):
            if belongs_to:
                generation = belongs_to
            else:
                ranged = name
    return TreeApi(root, generation, ranged)
