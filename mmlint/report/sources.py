"""The bytes behind a report, and places in them counted the way that a format asks for.

    sources = Sources(report)
    sources.region(diagnostic.location)     ->  Region(line=3, column=9, end_line=3, end_column=12), in UTF-16 units

mmlint counts columns in bytes, as vim and reviewdog do; SARIF, GitHub, and what is written in Java or JavaScript count
UTF-16 code units. Both count from 1, and their ends are exclusive.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from mmlint.engine import Report
from mmlint.source import Location, Source


class Region(NamedTuple):
    """Lines and columns from 1, the end exclusive; the columns are 0 where the file could not be looked at."""

    line: int
    column: int
    end_line: int
    end_column: int


def from_disk(path: str) -> bytes:
    """All bytes of a file. Raises OSError, and ValueError for a path that cannot be one."""
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs more than the read
        return file.read()


class Sources:
    """The files of a report; one that could not be analysed, or that is no C, is read when a finding points to it.

    ``read`` gives the bytes of a path, or raises OSError or ValueError; by default it looks on the disk.
    """

    def __init__(self, report: Report, read: Callable[[str], bytes] = from_disk) -> None:
        self._known: dict[str, Source | None] = {facts.source.path: facts.source for facts in report.facts}
        self._read = read

    def get(self, path: str) -> Source | None:
        """The file, or None when it cannot be read any more."""
        if path not in self._known:
            try:
                self._known[path] = Source(path, self._read(path))
            except (OSError, ValueError):
                self._known[path] = None
        return self._known[path]

    def holding(self, location: Location) -> Source | None:
        """The file of a location, or None when it cannot be read, or is not what it was when it was judged."""
        source = self.get(location.path)
        if source is None or location.span.end > len(source.data):
            return None
        return source if source.position(location.span.start) == (location.line, location.column) else None

    def region(self, location: Location) -> Region:
        """The location with columns in UTF-16 units; what is no UTF-8 counts as the sign that is shown for it."""
        source = self.holding(location)
        if source is None:
            return Region(location.line, 0, location.end_line, 0)
        start, end = location.span.start, location.span.end
        return Region(location.line, utf16(source, start), location.end_line, utf16(source, end))


def utf16(source: Source, offset: int) -> int:
    """The column of a byte offset in UTF-16 code units, from 1."""
    before = source.data[source.line_span(source.line(offset)).start : offset]
    if before.isascii():
        return len(before) + 1
    return len(before.decode("utf-8", "replace").encode("utf-16-le")) // 2 + 1


def relative(path: str) -> str:
    """The path from the current folder, without ``./``, where it is below it, else as it is."""
    inside = os.path.relpath(path)
    return path if inside.startswith("../") else inside
