"""Lines of source with a span marked beneath, the way gcc shows them.

      53 |         spinlock_t *ptl;
      54 |         pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
         |               ^~~~~~~~~~~~~~~~~~~

Tabs go on to the next multiple of 8, what does not print is an escape, a line that is too long is cut around the mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmlint.report.terminal import shown
from mmlint.source import Source, Span

_TAB: Final = 8
_GUTTER: Final = 5
_MARKED_LINES: Final = 3
# Bytes of a line that are looked at on each side of the mark: more than any terminal shows.
_REACH: Final = 1000
_CUT: Final = "..."


@dataclass(frozen=True, slots=True)
class Row:
    """A line of an excerpt: its number, 0 for the marks beneath a line, and its text, tabs expanded."""

    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.number or '':>{_GUTTER}} | {self.text}".rstrip()


def excerpt(source: Source, span: Span, columns: int = 100, context: int = 0) -> list[Row]:
    """The lines of ``span`` with marks, within ``columns``, and ``context`` lines around them unless blank."""
    first, last = source.line(span.start), source.line(max(span.start, span.end - 1))
    final = source.line(len(source.data))
    room = max(20, columns - _GUTTER - 3)
    rows = []
    for number in range(max(1, first - context), min(final, last + context) + 1):
        if first <= number <= last:
            if number < first + _MARKED_LINES:
                rows += _marked(source, number, span, room)
        else:
            row = Row(number, _line(source, number, source.line_span(number).start, room)[0])
            rows += [row] if row.text.strip() else []
    return rows


def _marked(source: Source, number: int, span: Span, room: int) -> list[Row]:
    line = source.line_span(number)
    start = max(span.start, line.start)
    if start > span.start:
        start += len(source.data[start : line.end]) - len(source.data[start : line.end].lstrip())
    text, positions, base = _line(source, number, start, room)
    begin = positions[min(max(start - base, 0), len(positions) - 1)]
    end = positions[min(max(span.end - base, 0), len(positions) - 1)]
    mark = " " * begin + ("^" if number == source.line(span.start) else "~") + "~" * (end - begin - 1)
    return [Row(number, text), Row(0, mark[:room])]


def _line(source: Source, number: int, start: int, room: int) -> tuple[str, list[int], int]:
    """What is shown of a line; the display column of each byte from ``base`` on, and of the end; and ``base``."""
    line = source.line_span(number)
    base = line.start if start - line.start <= _REACH else start - _REACH
    data = source.data[base : min(line.end, start + _REACH)].rstrip(b"\r")
    pieces: list[str] = []
    positions: list[int] = []
    column = 0
    for character in data.decode("utf-8", "surrogateescape"):
        piece = " " * (_TAB - column % _TAB) if character == "\t" else _escaped(character)
        positions += [column] * len(character.encode("utf-8", "surrogateescape"))
        pieces.append(piece)
        column += _width(piece)
    positions.append(column)
    text = "".join(pieces)
    offset = positions[min(start - base, len(positions) - 1)]
    if base == line.start and (len(text) <= room or offset < room * 2 // 3):
        return _cropped(text, room, line.end > base + len(data) + 1), positions, base
    left = max(0, offset - room // 3)
    text = _CUT + text[left + len(_CUT) :]
    return _cropped(text, room, False), [max(0, position - left) for position in positions], base


def _cropped(text: str, room: int, more: bool) -> str:
    return text[: room - len(_CUT)] + _CUT if len(text) > room or more else text


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return shown(character)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
