"""The definitions of a tree, read by several processes before those that judge its files begin, or kept from before.

tables = Reading(tree, ("include/linux", "mm"), processes=4)
NameIndex(tree, folders, tables=tables)
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from mmlint.cache import Cache
from mmlint.cache_key import key
from mmlint.facts.index import Table, Tables, read_names, searched
from mmlint.parallel import Died, begin
from mmlint.recorded import Log, RecordedTree, State
from mmlint.tree import Tree

# Fewer files than this are read before a second process has started.
_WORTH_SPREADING: Final = 1000
# Where more files than this have changed, what is kept is made anew.
_MAX_CHANGED: Final = 400


class Reading:
    """What the files in ``folders`` define, when it is called; other processes may `begin` with it before."""

    def __init__(self, tree: Tree, folders: Sequence[str], processes: int) -> None:
        self._tree = tree
        self._folders = folders
        self._processes = processes
        self._begun: Callable[[], Tables] | None = None

    def begin(self) -> None:
        """Have other processes read, where there may be any."""
        if self._begun is None:
            paths = searched(self._tree, self._folders)
            read = _begun(self._tree, paths, self._processes)
            self._begun = cache(lambda: Tables(paths, read()))

    def __call__(self) -> Tables:
        self.begin()
        assert self._begun is not None
        return self._begun()


def kept_tables(tree: RecordedTree, root: str, folders: Sequence[str], cache: Cache, processes: int) -> Tables:
    """The same, from what an earlier run kept and the files that have changed since."""
    return tables_of(tree, tree.state, key("names", root, *folders), cache, processes)


def tables_of(tree: Tree, state: State, place: bytes, cache: Cache, processes: int) -> Tables:
    """The same for the files of a ``state`` of a tree, of which ``place`` is the key."""
    return begun_tables(tree, state, place, cache, processes)()


def begun_tables(tree: Tree, state: State, place: bytes, cache: Cache, processes: int) -> Callable[[], Tables]:
    """What gives them when it is called, once; other processes read from now on where much is to be read."""
    tables = _loaded(cache.get("names", place), state)
    if tables is None:
        read = _begun(tree, state.paths, processes)
        return lambda: _kept(read(), state, place, cache)
    before = {path for table in tables for path in table.paths if path not in table.hidden}
    changed = [path for path in state.paths if path not in before]
    return lambda: Tables(state.paths, (*tables, *_begun(tree, changed, 1)()))


def _kept(tables: tuple[Table, ...], state: State, place: bytes, cache: Cache) -> Tables:
    parts = [(list(t.paths), t.names, t.counts.tobytes(), t.rows.tobytes()) for t in tables]
    cache.put("names", place, marshal.dumps((state.digests, parts)))
    return Tables(state.paths, tables)


def _loaded(data: bytes | None, state: State) -> tuple[Table, ...] | None:
    """What was kept, without the files that are not as they were; None where most of it would have to be read anew."""
    if data is None:
        return None
    try:
        digests, parts = marshal.loads(data)
        changed = frozenset(path for path, digest in digests.items() if not digest or state.digests.get(path) != digest)
        tables = tuple(
            Table(paths, names, array("i", counts), array("i", rows), changed) for paths, names, counts, rows in parts
        )
    except (ValueError, EOFError, TypeError, AttributeError):
        return None
    return tables if len(changed) + len(state.digests.keys() - digests.keys()) <= _MAX_CHANGED else None


def _begun(tree: Tree, paths: Sequence[str], processes: int) -> Callable[[], tuple[Table, ...]]:
    shares: list[Sequence[str]] = [paths]
    if processes > 1 and len(paths) >= _WORTH_SPREADING:
        # Interleaved, because the large files stand together.
        shares = [paths[start :: 2 * processes] for start in range(2 * processes)]
    answers = begin(lambda share: _names(share, tree), shares, processes)

    def collected() -> tuple[Table, ...]:
        tables = []
        for share, found in zip(shares, answers(), strict=True):
            table, log = _names(share, tree) if isinstance(found, Died) else found
            tables.append(table)
            if isinstance(tree, RecordedTree):
                tree.learn(log)
        return tuple(tables)

    return collected


def _names(paths: Sequence[str], tree: Tree) -> tuple[Table, Log]:
    def read(path: str) -> bytes:
        try:
            return tree.read(path)
        except OSError:
            return b""

    return read_names(paths, read), tree.log if isinstance(tree, RecordedTree) else {}
