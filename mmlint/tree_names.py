"""The definitions of a tree, read by several processes before those that judge its files begin.

tables = read_tables(tree, ("include/linux", "mm"), processes=4)
NameIndex(tree, folders, tables=lambda: tables)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mmlint.facts.index import Table, Tables, read_names, searched
from mmlint.parallel import Died, spread
from mmlint.tree import Tree

# Fewer files than this are read before a second process has started.
_WORTH_SPREADING: Final = 1000


def read_tables(tree: Tree, folders: Sequence[str], processes: int = 1) -> Tables:
    """What the files in ``folders`` define."""
    paths = searched(tree, folders)
    shares: list[Sequence[str]] = [paths]
    if processes > 1 and len(paths) >= _WORTH_SPREADING:
        # Interleaved, because the large files stand together.
        shares = [paths[start :: 2 * processes] for start in range(2 * processes)]
    found = spread(lambda share: _names(share, tree), shares, processes)
    tables = (_names(share, tree) if isinstance(t, Died) else t for share, t in zip(shares, found, strict=True))
    return Tables(paths, tuple(tables))


def _names(paths: Sequence[str], tree: Tree) -> Table:
    def read(path: str) -> bytes:
        try:
            return tree.read(path)
        except OSError:
            return b""

    return read_names(paths, read)
