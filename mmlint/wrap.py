"""A call written the way mm/ writes it: on one line where it fits, else continued two tabs deeper than its statement.

    lazy_mmu_mode_enable_for_pte_range(walk->vma->vm_mm, addr, end, start_pte);

    becomes, deep in a loop,

    lazy_mmu_mode_enable_for_pte_range(walk->vma->vm_mm, addr,
            end, start_pte);

Arguments are filled up to column 80, tabs counting 8. An argument that is too long for any line is not broken. A call
that its author has on one line stays there when a word takes the place of a word, up to the kernel's own limit of 100
columns: a reviewer has one line to read.
"""

from __future__ import annotations

import re
from typing import Final

from mmlint.source import Source, Span

COLUMNS: Final = 80
# What checkpatch complains about is a line that is longer than this.
LIMIT: Final = 100
_TAB: Final = 8


def width(text: str, column: int = 0) -> int:
    """The column (from 0) after ``text`` that starts at ``column``; a tab goes on to the next multiple of 8."""
    for character in text:
        column = column + _TAB - column % _TAB if character == "\t" else column + 1
    return column


def fits(source: Source, span: Span, text: str, columns: int = COLUMNS) -> bool:
    """True when the line of ``span`` ends within ``columns`` with ``text`` in the place of ``span``."""
    line_start, line_end = _line(source, span.start)
    if span.end > line_end:
        return False
    before, after = source.text(Span(line_start, span.start)), source.text(Span(span.end, line_end))
    return width(before + text + after.rstrip()) <= columns


def wrap_call(source: Source, call: Span, callee: str, arguments: tuple[str, ...]) -> str:
    """The text that puts ``callee(arguments)`` in the place of ``call``, with the file's own line ends."""
    line_start, line_end = _line(source, call.start)
    before = source.text(Span(line_start, call.start))
    indent = re.match(r"[ \t]*", before)
    newline = "\r\n" if source.data[line_end : line_end + 2] == b"\r\n" else "\n"
    tail_end = _line(source, call.end)[1]
    tail = source.text(Span(call.end, tail_end)).rstrip()
    lines = fill_call(callee, arguments, width(before), (indent.group() if indent else "") + "\t\t", tail)
    return newline.join(lines)


def fill_call(callee: str, arguments: tuple[str, ...], column: int, continuation: str, tail: str = ";") -> list[str]:
    """The lines of a call that starts at ``column``; the later ones begin with ``continuation``.

    ``tail`` is what follows the call on its last line. The first argument stays beside the parenthesis.
    """
    lines = []
    line, start = f"{callee}(", column
    for position, argument in enumerate(arguments):
        last = position == len(arguments) - 1
        piece = argument + (")" if last else ",")
        room = COLUMNS - (len(tail) if last else 0)
        if position and width(f"{line} {piece}", start) > room:
            lines.append(line)
            line, start = continuation + piece, 0
        else:
            line += f" {piece}" if position else piece
    lines.append(line if arguments else line + ")")
    return lines


def _line(source: Source, offset: int) -> tuple[int, int]:
    """Start and end of the line that holds ``offset``, without its line end, be it LF or CRLF."""
    span = source.line_span(source.line(offset))
    return span.start, span.end - source.data[span.start : span.end].endswith(b"\r")
