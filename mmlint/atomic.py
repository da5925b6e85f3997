"""Write a file so that at every moment it is either the old one or the new one.

The new bytes go into a temporary file of the same folder, with the same mode, and are renamed over the old one. A
symbolic link stays a link: what it points to is replaced. Nothing outside the folders that the user named is written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path


class WriteError(Exception):
    """The file was left as it is: which, and why."""


def rewrite(path: str, before: bytes, after: bytes, roots: Iterable[str]) -> None:
    """Replace ``before`` by ``after`` in the file ``path``.

    Raises WriteError, and leaves the file alone, when it lies outside ``roots``, is no regular file, does not hold
    ``before`` any more, or cannot be written.
    """
    target = Path(path).resolve()
    if not any(target.is_relative_to(Path(root or os.curdir).resolve()) for root in roots):
        raise WriteError(f"{path}: it leads to {target}, outside of what was given; name that file itself")
    try:
        status = target.stat()
        if not stat.S_ISREG(status.st_mode):
            raise WriteError(f"{path}: not a regular file")
        if target.read_bytes() != before:
            raise WriteError(f"{path}: it has changed since it was read; run again")
        _replace(target, after, status)
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror or error}") from error


def write(path: str, data: bytes) -> None:
    """Make the file ``path`` hold ``data``: what was there before is kept until all of it is written.

    What is no regular file, such as a pipe, and what stands in /dev, is written to as it is. Raises WriteError.
    """
    target = Path(path)
    try:
        if path.startswith("/dev/") or (target.exists() and not target.is_file() and not target.is_dir()):
            with target.open("ab") as stream:
                stream.write(data)
            return
        target = target.resolve()
        _replace(target, data, target.stat() if target.exists() else None)
    except FileNotFoundError as error:
        raise WriteError(f"{error.strerror}; make its folder first") from error
    except IsADirectoryError as error:
        raise WriteError(f"{error.strerror}; name a file in it") from error
    except (OSError, ValueError) as error:
        raise WriteError(getattr(error, "strerror", None) or str(error)) from error


def write_folder(path: str, files: Mapping[str, bytes]) -> None:
    """Make a folder that holds ``files`` by their names; it appears as a whole, or not at all.

    Raises WriteError, and for a folder that holds something already: what would be left of it is not ours to say.
    """
    target = Path(path).absolute()
    made = target.with_name(f".{target.name}.mmlint-{os.getpid()}")
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise WriteError("it is there, and not empty; name a new folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        made.mkdir()
        try:
            for name, data in files.items():
                (made / name).write_bytes(data)
            made.rename(target)
        except BaseException:
            for entry in made.iterdir():
                entry.unlink()
            made.rmdir()
            raise
    except (OSError, ValueError) as error:
        raise WriteError(getattr(error, "strerror", None) or str(error)) from error


def _replace(target: Path, data: bytes, status: os.stat_result | None) -> None:
    """``status`` is that of the old file, if there is one: owner and mode are kept."""
    temporary = target.with_name(f".{target.name}.mmlint-{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if status is None:
                os.fchmod(descriptor, 0o666 & ~_umask())
            else:
                with suppress(PermissionError):
                    os.fchown(descriptor, status.st_uid, status.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            os.fsync(descriptor)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
