"""What was read in the files of a tree, folder by folder, for as long as nobody changes a file of the folder.

    memory = Memory(cache, "scan", key, Signed(files, processes))
    memory.known                ->  {"mm": ["mm/memory.c", ...]}, of the folders that are as they were
    memory.stale                ->  the files of all others, to be read
    memory.keep({"fs": []})

A file is taken to be the same while its size, its inode and the times of its last change and write are, to the
nanosecond. What was written within the last seconds before the run began is not relied upon: it could be written
again within what the file system takes for the same moment.
"""

from __future__ import annotations

import marshal
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from mmlint.cache import Cache
from mmlint.cache_key import content
from mmlint.files import Found, read, scan
from mmlint.parallel import Died, spread

# The coarsest clock of a file system, that of FAT, ticks every two seconds.
_TICK: Final = 2_000_000_000
# Fewer files than this are looked at before a second process has started.
_WORTH_SPREADING: Final = 1 << 12
# Folders that one result may tell of: more than there are in any kernel tree.
_MAX_FOLDERS: Final = 50_000
Value = list[object]
Signature = tuple[bytes, bool]


class Signed:
    """Files by their folders, with a signature of each folder as it is now: before anything of it is read."""

    def __init__(self, files: Sequence[str], processes: int = 1) -> None:
        began = time.time_ns()
        self.files = files
        self.folders: dict[str, list[str]] = {}
        for path in files:
            self.folders.setdefault(path.rpartition("/")[0], []).append(path)
        self.signatures = _signatures(self.folders, began - _TICK, processes)


class Memory:
    """The folders of a run; the ``cache`` has what earlier runs kept under ``kind`` and ``key``."""

    def __init__(self, cache: Cache, kind: str, key: bytes, signed: Signed) -> None:
        self._cache = cache
        self._place = (kind, key)
        self.folders = signed.folders
        self._signatures = signed.signatures
        self._old = _loaded(cache.get(kind, key))
        self.known: dict[str, Value] = {}
        for folder, (signature, _) in self._signatures.items():
            old = self._old.get(folder)
            if old is not None and signature and old[0] == signature:
                self.known[folder] = old[1]
        self.stale = [path for folder, inside in self.folders.items() if folder not in self.known for path in inside]

    def keep(self, values: Mapping[str, Value]) -> None:
        """Keep what was found out of stale folders."""
        signatures = self._signatures
        fresh = {folder: (signatures[folder][0], value) for folder, value in values.items() if signatures[folder][1]}
        if fresh:
            everything = {**self._old, **fresh} if len(self._old) < _MAX_FOLDERS else fresh
            self._cache.put(*self._place, marshal.dumps(everything))


def scan_remembered(
    signed: Signed, needles: tuple[bytes, ...], cache: Cache, key: bytes, processes: int, kind: str = "scan"
) -> Found:
    """`scan`, without reading what an earlier run has read and nobody has changed since."""
    memory = Memory(cache, kind, key, signed)
    fresh = scan(memory.stale, needles, processes)
    hits, unread = set(fresh.files), {skipped.path for skipped in fresh.skipped}
    values: dict[str, Value] = {}
    for folder, inside in memory.folders.items():
        if folder not in memory.known and unread.isdisjoint(inside):
            values[folder] = [path for path in inside if path in hits]
    memory.keep(values)
    hits.update(path for value in memory.known.values() for path in value if isinstance(path, str))
    return Found(tuple(path for path in signed.files if path in hits), fresh.skipped)


def contents(top: str, files: Sequence[str], cache: Cache, key: bytes, processes: int = 1) -> dict[str, bytes]:
    """A digest of the content of each of ``files`` below ``top``, empty for one that cannot be read."""
    memory = Memory(cache, "contents", key, Signed([f"{top}/{path}" for path in files], processes))
    fresh = dict(zip(memory.stale, _spread(memory.stale, processes), strict=True))
    values: dict[str, Value] = {}
    found: dict[str, object] = {}
    for folder, inside in memory.folders.items():
        value = memory.known.get(folder)
        if value is None:
            value = [fresh[path] for path in inside]
            if all(value):
                values[folder] = value
        found.update(zip(inside, value, strict=True))
    memory.keep(values)
    digests = (found[f"{top}/{path}"] for path in files)
    return {path: digest if isinstance(digest, bytes) else b"" for path, digest in zip(files, digests, strict=True)}


def _spread(paths: Sequence[str], processes: int) -> list[bytes]:
    count = 2 * processes if processes > 1 and len(paths) >= _WORTH_SPREADING else 1
    shares = [paths[start::count] for start in range(count)]
    result = [b""] * len(paths)
    for start, digests in enumerate(spread(_digests, shares, processes)):
        result[start::count] = [b""] * len(shares[start]) if isinstance(digests, Died) else digests
    return result


def _digests(paths: Iterable[str]) -> list[bytes]:
    return [_digest(path) for path in paths]


def _digest(path: str) -> bytes:
    try:
        return content(read(path))
    except OSError:
        return b""


def _signatures(folders: Mapping[str, Sequence[str]], settled: int, processes: int) -> dict[str, Signature]:
    """For each folder the signature of its files, and whether all were last written before ``settled``."""
    items = list(folders.values())
    count = 2 * processes if processes > 1 and sum(map(len, items)) >= _WORTH_SPREADING else 1
    shares = [items[start::count] for start in range(count)]
    found: list[Signature] = [(b"", False)] * len(items)
    for start, signatures in enumerate(spread(lambda s: [_signature(f, settled) for f in s], shares, processes)):
        if not isinstance(signatures, Died):
            found[start::count] = signatures
    return dict(zip(folders, found, strict=True))


def _signature(files: Sequence[str], settled: int) -> Signature:
    """Empty where a file cannot be looked at."""
    look = os.stat
    numbers: list[int] = []
    try:
        for path in files:
            status = look(path)
            numbers += (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    except (OSError, ValueError):
        return b"", False
    text = "\0".join(files).encode("utf-8", "surrogateescape")
    digest = blake2b(text, digest_size=16)
    # Version 2 writes equal numbers as equal bytes.
    digest.update(marshal.dumps(numbers, 2))
    return digest.digest(), max(max(numbers[::4]), max(numbers[1::4])) < settled


def _loaded(data: bytes | None) -> dict[str, tuple[bytes, Value]]:
    if data is None:
        return {}
    try:
        loaded = marshal.loads(data)
    except (ValueError, EOFError, TypeError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
