"""What earlier runs found out, kept in one sqlite file: bytes, each with the digest of what they were made from.

    with open_cache() as cache:
        known = cache.get("scan", key)      ->  the bytes, or None
        cache.put("scan", key, data)        written when the cache is closed, in one transaction

The file lies in $XDG_CACHE_HOME/mmlint/results, or ~/.cache/mmlint/results. A cache that is locked, full, broken or not
the user's alone is as none: nothing is read from it, nothing waits for it, and the result is the same. A broken one is
thrown away. Nothing that is read from it is executed. Keys hold the digest of mmlint's own sources and of its rules, so
that another version finds nothing; what nobody has asked for is thrown away first when the file grows too large.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    import sqlite3

Answer = TypeVar("Answer")
# What is kept: by kind and key.
Results = dict[tuple[str, bytes], bytes]
_INHERITED: Final[list[object]] = []

NAME: Final = "results.sqlite"
# Of the shape of the table; the file of another one is thrown away.
SCHEMA: Final = 1
APPLICATION: Final = 0x6D6D6C74
# Bytes of all that is kept.
LIMIT: Final = 64 << 20
# Pages of the file, whatever happens: of 4 KiB, unless somebody chose otherwise.
PAGES: Final = LIMIT // 2048
# Seconds that somebody else may hold the file.
_PATIENCE: Final = 0.3
# What was asked for is marked no more often than this, in seconds: to mark is to write.
_DAY: Final = 86_400
_TABLE: Final = """\
CREATE TABLE results (
    kind TEXT NOT NULL, key BLOB NOT NULL, used INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (kind, key)
)"""
# sqlite's codes for a file that is no database of ours: "error" (no such table), "corrupt", "constraint", "mismatch",
# "format", "notadb", and "short read".
_BROKEN: Final = frozenset((1, 11, 19, 20, 24, 26, 522))


class Info(NamedTuple):
    """What is kept: the bytes of the file, and for each kind how many results and their bytes."""

    size: int
    kinds: tuple[tuple[str, int, int], ...]


class Cache:
    """The cache of the user; one that cannot be had finds nothing and keeps nothing. It is opened when it is asked."""

    def __init__(self, folder: str | None) -> None:
        """``folder`` is where the file lies, None for no cache."""
        self._folder = folder
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inode = 0
        self._new: Results = {}
        self._seen: set[tuple[str, bytes]] = set()

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """False for a cache that is as none."""
        if self._process != os.getpid():
            # A connection does not survive a fork; to close it here would disturb the process that it belongs to.
            if self._connection is not None:
                _INHERITED.append(self._connection)
                self._connection, self._new = None, {}
            self._process = os.getpid()
            if self._folder is not None and _prepared(self._folder):
                self._guarded(self._open)
        return self._connection is not None

    def get(self, kind: str, key: bytes) -> bytes | None:
        """What was kept under a key, None where there is nothing that can be trusted."""
        if (kind, key) in self._new:
            return self._new[kind, key]
        row = self._guarded(self._fetch, kind, key) if self.is_open else None
        if row is None:
            return None
        used, digest, data = row
        if not isinstance(data, bytes) or digest != _digest(kind, key, data):
            return None
        if not isinstance(used, int) or abs(time.time() - used) > _DAY:
            self._seen.add((kind, key))
        return data

    def put(self, kind: str, key: bytes, data: bytes) -> None:
        """Keep ``data``; it is written when the cache is closed."""
        if self.is_open:
            self._new[kind, key] = data

    def take(self, results: Results) -> None:
        """Keep what another process handed over."""
        if self.is_open:
            self._new.update(results)

    def handed_over(self) -> Results:
        """What is to be kept so far, for another process to keep it."""
        new, self._new = self._new, {}
        return new

    def close(self) -> None:
        """Write what is to be kept, and let the file go."""
        if self._process == os.getpid() and self._connection is not None:
            if self._new or self._seen:
                self._guarded(self._write)
            self._let_go()

    def info(self) -> Info:
        """What is kept."""
        kinds = (self._guarded(self._count) if self.is_open else None) or ()
        size = _status(os.path.join(self._folder, NAME)) if self._folder else None  # noqa: PTH118
        return Info(size.st_size if size else 0, kinds)

    # ------------------------------------------------------------ the file

    def _guarded(self, work: Callable[..., Answer], *arguments: object) -> Answer | None:
        """What ``work`` gives; None, and no cache from then on, where the file cannot be used."""
        try:
            import sqlite3
        except ImportError:
            return None
        try:
            return work(*arguments)
        except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
            code = getattr(error, "sqlite_errorcode", 0)
            self._let_go()
            if code in _BROKEN or code & 0xFF in _BROKEN or not isinstance(error, sqlite3.Error):
                self._discard()
        except OSError:
            self._let_go()
        return None

    def _open(self) -> None:
        import sqlite3

        assert self._folder is not None
        path = os.path.join(self._folder, NAME)  # noqa: PTH118 - pathlib is not loaded yet
        self._inode = _own_inode(path)
        if not self._inode:
            return
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        self._connection = connection
        for setting in ("trusted_schema=OFF", "cell_size_check=ON", "synchronous=OFF"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute(f"PRAGMA max_page_count={PAGES}")
        if _shape(connection) == (0, 0) and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._make(connection)
        if _shape(connection) != (APPLICATION, SCHEMA):
            self._let_go()
            self._discard()

    def _make(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been quicker.
        if _shape(connection) == (0, 0):
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute("COMMIT")

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _discard(self) -> None:
        """Throw the file away, unless somebody has done so; the next run makes it anew."""
        assert self._folder is not None
        status = _status(f"{self._folder}/{NAME}")
        if status is None or status.st_ino != self._inode:
            return
        try:
            removed = remove(self._folder)
        except OSError:
            return
        if removed:
            sys.stderr.write("mmlint: note: the cache could not be read; it is made anew\n")

    # ------------------------------------------------------------ its rows

    def _fetch(self, kind: str, key: bytes) -> tuple[object, object, object] | None:
        if self._connection is None:
            return None
        words = "SELECT used, digest, data FROM results WHERE kind = ? AND key = ?"
        row: tuple[object, object, object] | None = self._connection.execute(words, (kind, key)).fetchone()
        return row

    def _write(self) -> None:
        connection = self._connection
        assert connection is not None
        now = int(time.time())
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "REPLACE INTO results VALUES (?, ?, ?, ?, ?)",
            [
                (kind, key, now, _digest(kind, key, data), data)
                for (kind, key), data in self._new.items()
                if len(data) < LIMIT // 4
            ],
        )
        connection.executemany(
            "UPDATE results SET used = ? WHERE kind = ? AND key = ?", [(now, *seen) for seen in sorted(self._seen)]
        )
        kept, surplus = 0, []
        for row, size in connection.execute("SELECT rowid, length(data) FROM results ORDER BY used DESC, rowid DESC"):
            kept += size
            if kept > LIMIT:
                surplus.append((row,))
        connection.executemany("DELETE FROM results WHERE rowid = ?", surplus)
        connection.execute("COMMIT")

    def _count(self) -> tuple[tuple[str, int, int], ...]:
        if self._connection is None:
            return ()
        words = "SELECT kind, count(*), sum(length(data)) FROM results GROUP BY kind ORDER BY kind"
        return tuple((str(kind), int(count), int(size)) for kind, count, size in self._connection.execute(words))


def _shape(connection: sqlite3.Connection) -> tuple[int, int]:
    return (
        connection.execute("PRAGMA application_id").fetchone()[0],
        connection.execute("PRAGMA user_version").fetchone()[0],
    )


def _digest(kind: str, key: bytes, data: bytes) -> bytes:
    from hashlib import blake2b

    digest = blake2b(digest_size=16, person=b"mmlint results")
    digest.update(b"%s %d " % (kind.encode(), len(key)))
    digest.update(key)
    digest.update(data)
    return digest.digest()


# ------------------------------------------------------------ where it lies


def cache_folder() -> str | None:
    """Where the cache lies, whether it is there or not; None where the user has no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        # A relative one is to be ignored, says the XDG Base Directory Specification.
        home = os.path.expanduser("~")  # noqa: PTH111
        if not home.startswith("/"):
            return None
        base = home.rstrip("/") + "/.cache"
    return base.rstrip("/") + "/mmlint/results"


def open_cache(wanted: bool = True) -> Cache:
    """The user's cache; one that is as none where it is not wanted."""
    return Cache(cache_folder() if wanted else None)


def remove(folder: str) -> bool:
    """Delete the file of the cache in a folder; True when there was one. Raises OSError."""
    removed = False
    for name in (f"{NAME}-journal", NAME):
        try:
            os.unlink(f"{folder}/{name}")  # noqa: PTH108
        except (FileNotFoundError, NotADirectoryError):
            continue
        removed = True
    return removed


def _prepared(folder: str) -> bool:
    """Make the folder; False where it cannot be made, or somebody else could write into it."""
    own = folder.rpartition("/")[0]
    base = own.rpartition("/")[0] or "/"
    try:
        os.makedirs(base, 0o700, exist_ok=True)  # noqa: PTH103
        for path in (own, folder):
            os.makedirs(path, 0o700, exist_ok=True)  # noqa: PTH103
    except OSError:
        return False
    status = _status(base)
    if status is None or status.st_uid not in (0, os.geteuid()):
        return False
    if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
        return False
    return all(_is_private(_status(path)) for path in (own, folder))


def _is_private(status: os.stat_result | None) -> bool:
    if status is None or not stat.S_ISDIR(status.st_mode):
        return False
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _own_inode(path: str) -> int:
    """The inode of the file, made where there is none; 0 for what is no plain file that the user alone can write."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    regular = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
    return status.st_ino if regular and status.st_uid == os.geteuid() and not status.st_mode & 0o022 else 0


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116
    except OSError:
        return None
