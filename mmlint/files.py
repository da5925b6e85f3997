"""Which files a run looks at, and which of them can hold a section.

    find_files(["mm", "fs/proc/task_mmu.c"])   -> fs/proc/task_mmu.c, mm/balloon_compaction.c, mm/cma.c, ...
    scan(files, (b"lazy_mmu_mode",))           -> those whose bytes hold one of the needles

A folder is walked for *.c and *.h, without names that start with a dot. A symbolic link is followed where it leads
out of what is walked anyway, each target once, so loops end. A file given by name is taken whatever its suffix. A
binary file is not read, and that is told. A kernel tree has 60,000 such files with a gigabyte in them, so the scan
reads into one buffer and asks nothing of a file but its bytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mmlint.config import UsageError
from mmlint.diagnostic import Skipped
from mmlint.parallel import Died, spread

_SUFFIXES = (".c", ".h")
_BUFFER = 1 << 18
# As git does: a file with a NUL byte in its first bytes is no text. UTF-16 is among these.
_HEAD = 8000
BINARY = "a binary file: it holds NUL bytes"
# Fewer files than this are read before a second process has started.
_WORTH_SPREADING = 1 << 12


class Found(NamedTuple):
    """Paths in order, each once, and what could not be looked at."""

    files: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()


class _Walk:
    def __init__(self) -> None:
        self.files: list[str] = []
        self.links: list[str] = []
        self.skipped: list[Skipped] = []
        self.roots: list[str] = []


def find_files(paths: Sequence[str]) -> Found:
    """The files that ``paths`` mean; a path that is not there, or neither file nor folder, is skipped.

    Raises UsageError where all are.
    """
    walk = _Walk()
    faults = [fault for path in paths if (fault := _look(path, walk))]
    if faults and len(faults) == len(paths):
        path, reason, remedy = faults[0]
        raise UsageError(f"{path}: {reason}; {remedy}")
    walk.skipped += [Skipped(path, "", 1, reason) for path, reason, _ in faults]
    while walk.links:
        _follow(walk.links.pop(0), walk)
    return Found(tuple(sorted(set(walk.files))), tuple(walk.skipped))


def _look(path: str, walk: _Walk) -> tuple[str, str, str] | None:
    """Take in what a path leads to. Where that is nothing: the path, the reason, and what to do."""
    shown = _tidy(path)
    try:
        mode = os.stat(shown or os.curdir).st_mode  # noqa: PTH116 - pathlib costs more than the rest of a short run
    except (OSError, ValueError) as error:
        return path, getattr(error, "strerror", None) or str(error), "give files or folders that exist"
    if stat.S_ISDIR(mode):
        _walk_folder(shown, walk)
    elif stat.S_ISREG(mode):
        walk.files.append(shown)
    else:
        return path, "neither a file nor a folder", "give a regular file"
    return None


def _tidy(path: str) -> str:
    """The path as the user will see it: no trailing slash, no leading "./"; the current folder is empty."""
    absolute = path.startswith("/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/" * absolute + "/".join(parts)


def _walk_folder(root: str, walk: _Walk) -> None:
    walk.roots.append(os.path.realpath(root or os.curdir))
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = os.scandir(folder or os.curdir)
        except OSError as error:
            walk.skipped.append(_unread(folder, error))
            continue
        prefix = folder + "/" if folder and folder != "/" else folder
        with entries:
            for entry in entries:
                name = entry.name
                if name[0] == ".":
                    continue
                if name[-2:] in _SUFFIXES and entry.is_file(follow_symlinks=False):
                    walk.files.append(prefix + name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(prefix + name)
                elif entry.is_symlink():
                    walk.links.append(prefix + name)


def _follow(link: str, walk: _Walk) -> None:
    target = os.path.realpath(link)
    try:
        mode = os.stat(target).st_mode  # noqa: PTH116
    except OSError as error:
        if link.endswith(_SUFFIXES):
            walk.skipped.append(_unread(link, error))
        return
    if stat.S_ISDIR(mode) and not _is_walked(target, walk):
        _walk_folder(link, walk)
    elif stat.S_ISREG(mode) and link.endswith(_SUFFIXES):
        if target.endswith(_SUFFIXES) and _is_walked(target, walk):
            return
        walk.roots.append(target)
        walk.files.append(link)


def _is_walked(target: str, walk: _Walk) -> bool:
    """True when the walk comes to ``target`` by itself: it lies in a root, and under no name that starts with a dot."""
    for root in walk.roots:
        below = root.rstrip("/") + "/"
        if target == root or (target.startswith(below) and "/." not in target[len(below) - 1 :]):
            return True
    return False


def _unread(path: str, error: OSError) -> Skipped:
    return Skipped(path or os.curdir, "", 1, error.strerror or str(error))


def read(path: str) -> bytes:
    """All bytes of a file. Raises OSError."""
    with open(path, "rb") as file:  # noqa: PTH123 - Path costs more than the read
        return file.read()


def binary(data: bytes) -> bool:
    """True for what is no text."""
    return data.find(0, 0, _HEAD) >= 0


def scan(files: Sequence[str], needles: tuple[bytes, ...], processes: int = 1) -> Found:
    """Those of ``files`` that hold one of ``needles``, in order."""
    shares: list[Sequence[str]] = [files]
    if processes > 1 and len(files) >= _WORTH_SPREADING:
        # Interleaved, because the large files stand together; several each, so that a death loses little.
        shares = [files[start :: 4 * processes] for start in range(4 * processes)]
    hits: set[str] = set()
    skipped: list[Skipped] = []
    for share, found in zip(shares, spread(lambda s: _scan(s, needles), shares, processes), strict=True):
        if isinstance(found, Died):
            skipped.extend(Skipped(path, "", 1, found.reason) for path in share)
        else:
            hits.update(found.files)
            skipped.extend(found.skipped)
    return Found(tuple(file for file in files if file in hits), tuple(sorted(skipped, key=lambda s: s.path)))


def _scan(files: Iterable[str], needles: tuple[bytes, ...]) -> Found:
    """One process's share of `scan`. Overlap keeps a needle that stands across two reads of the buffer."""
    buffer = bytearray(_BUFFER)
    view = memoryview(buffer)
    whole = [view]
    find = buffer.find
    overlap = max(map(len, needles)) - 1
    hits: list[str] = []
    skipped: list[Skipped] = []
    for path in files:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            skipped.append(_unread(path, error))
            continue
        try:
            kept = 0
            while count := os.readv(descriptor, [view[kept:]] if kept else whole):
                filled = kept + count
                if not kept and find(0, 0, min(count, _HEAD)) >= 0:
                    skipped.append(Skipped(path, "", 1, BINARY))
                    break
                for needle in needles:
                    if find(needle, 0, filled) >= 0:
                        hits.append(path)
                        break
                else:
                    if filled == _BUFFER:
                        buffer[:overlap] = buffer[filled - overlap : filled]
                        kept = overlap
                        continue
                break
        except OSError as error:
            skipped.append(_unread(path, error))
        finally:
            os.close(descriptor)
    return Found(tuple(hits), tuple(skipped))
