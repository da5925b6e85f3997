"""The bytes of one file, and spans in them.

Offsets count bytes from 0, spans are half-open, lines and columns count from 1 and columns count bytes.
Everything a user sees is cut from these bytes, never from a rewritten text.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import Final, NamedTuple


class _Bytes(NamedTuple):
    start: int
    end: int


class Span(_Bytes):
    """Bytes ``start`` to ``end`` (exclusive) of one file. Raises ValueError when reversed or negative."""

    __slots__ = ()

    def __new__(cls, start: int, end: int) -> Span:
        if not 0 <= start <= end:
            raise ValueError(f"not a span: {start}..{end}")
        return super().__new__(cls, start, end)

    def covers(self, other: Span) -> bool:
        """True when other lies inside this span."""
        return self.start <= other.start and other.end <= self.end


class Location(NamedTuple):
    """A span with its file and its lines (from 1) and byte columns (from 1, end exclusive)."""

    path: str
    span: Span
    line: int
    column: int
    end_line: int
    end_column: int


class Source:
    """A file as it was read: ``path`` as the user should see it, ``data`` untouched."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path: Final = path
        self.data: Final = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and (self.path, self.data) == (other.path, other.data)

    def __hash__(self) -> int:
        return hash((self.path, self.data))

    def __repr__(self) -> str:
        return f"Source({self.path!r})"

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        find = self.data.find
        position = find(b"\n")
        while position >= 0:
            starts.append(position + 1)
            position = find(b"\n", position + 1)
        return starts

    def line(self, offset: int) -> int:
        """Line (from 1) of a byte offset."""
        return bisect_right(self._line_starts, offset)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and byte column (both from 1) of a byte offset."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def locate(self, span: Span) -> Location:
        """The span with its lines and columns."""
        line, column = self.position(span.start)
        end_line, end_column = self.position(span.end)
        return Location(self.path, span, line, column, end_line, end_column)

    def line_span(self, line: int) -> Span:
        """Bytes of a line (from 1) without its newline. Raises IndexError past the last line."""
        if line < 1:
            raise IndexError(line)
        start = self._line_starts[line - 1]
        end = self.data.find(b"\n", start)
        return Span(start, len(self.data) if end < 0 else end)

    def text(self, span: Span) -> str:
        """Source text of a span; bytes that are not UTF-8 are shown as escapes."""
        return self.data[span.start : span.end].decode("utf-8", "backslashreplace")
