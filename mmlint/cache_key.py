"""Keys of the cache: digests of what a result was made from, mmlint itself included.

    key("scan", "/home/me/linux", *needles)   ->  16 bytes

Another version of mmlint, of a rule, of the kernel's vocabulary, of Python or of the parser makes other keys.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from importlib.util import find_spec
from typing import Final

_SIZE: Final = 16
_SUFFIXES: Final = (".py", ".toml")
_PARSERS: Final = ("tree_sitter", "tree_sitter_c")


def key(*parts: str | bytes) -> bytes:
    """A digest of the parts and of what would make something else of them. Raises OSError."""
    digest = blake2b(version(), digest_size=_SIZE)
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.digest()


def content(data: bytes) -> bytes:
    """The digest that stands for the content of a file."""
    return blake2b(data, digest_size=_SIZE).digest()


@lru_cache(maxsize=1)
def version() -> bytes:
    """A digest of everything that decides what is found in a file. Raises OSError."""
    digest = blake2b(digest_size=_SIZE)
    for path in _sources():
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs more than the read
            data = file.read()
        digest.update(f"{path} {len(data)} ".encode("utf-8", "surrogateescape"))
        digest.update(data)
    for name in _PARSERS:
        spec = find_spec(name)
        for path in sorted(_files(os.path.dirname(spec.origin), (".so",))) if spec and spec.origin else ():  # noqa: PTH120
            status = os.stat(path)  # noqa: PTH116
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns} ".encode("utf-8", "surrogateescape"))
    digest.update(f"{sys.version} {sys.byteorder}".encode())
    return digest.digest()


def _sources() -> list[str]:
    package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    beside = os.path.join(os.path.dirname(package), "rules")  # noqa: PTH118, PTH120
    folders = [package] if os.path.isdir(os.path.join(package, "rules")) else [package, beside]  # noqa: PTH112, PTH118
    return sorted(path for folder in folders for path in _files(folder, _SUFFIXES))


def _files(folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    for top, _, names in os.walk(folder):
        for name in names:
            if name.endswith(suffixes):
                yield f"{top}/{name}"
