"""Hide comments and the contents of literals, so that brackets and words can be found with plain searches.

    f(a, /* ) */ "x)y", '}');    ->    f(a,         "___", '_');

Every byte keeps its offset and every newline stays. Comments become blanks, the contents of strings and characters
``_``; the text of ``#error`` and the name in ``#include <...>`` become blanks as well, for apostrophes and slashes
there mean nothing. A string that is not closed on its line is left as it is.
"""

from __future__ import annotations

import re

BLANKS = bytes(byte if byte in b"\n\t" else 0x20 for byte in range(256))
_UNDERSCORES = bytes(byte if byte == 0x0A else 0x5F for byte in range(256))

# Every alternative starts with a literal: the regex engine then skips to the next of / " ' # quickly.
_HIDDEN = re.compile(
    rb"/\*[^*]*(?:\*(?!/)[^*]*)*(?:\*/|\Z)"
    rb"|//[^\n\\]*(?:\\.[^\n\\]*)*"
    rb'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    rb"|'(?:[^'\\\n]|\\[^\n])[^'\n]{0,9}?'"
    rb"|#[ \t]*(?:error|warning)\b[^\n\\]*(?:\\.[^\n\\]*)*"
    rb"|#[ \t]*include[ \t]*<[^>\n]*>",
    re.S,
)
_ESCAPED_NEWLINE = re.compile(rb"\\\n|.", re.S)


def blanks(text: bytes | bytearray) -> bytes | bytearray:
    """The text with every byte but newlines and tabs turned into a blank."""
    return text.translate(BLANKS)


def mask(data: bytes) -> bytes:
    """The file with comments and literals hidden; same length, same newlines."""
    return _HIDDEN.sub(_hide, data)


def _hide(match: re.Match[bytes]) -> bytes:
    text = match.group()
    first = text[0]
    if first == 0x2F:
        return _hide_comment(match) if b"\n" in text else text.translate(BLANKS)
    if first == 0x23:
        return b"#" + _continued(text[1:]) if _starts_line(match.string, match.start()) else text
    if b"\n" in text:
        return b'"' + _ESCAPED_NEWLINE.sub(_underscore_unless_newline, text[1:-1]) + b'"'
    return text[:1] + text[1:-1].translate(_UNDERSCORES) + text[:1]


def _hide_comment(match: re.Match[bytes]) -> bytes:
    """Blanks for a comment of several lines; inside a directive it must not end the directive."""
    data, start = match.string, match.start()
    line = data.rfind(b"\n", 0, start)
    if data[max(line - 1, 0) : max(line, 0)] == b"\\" or data[line + 1 : start].lstrip()[:1] == b"#":
        return _continued(match.group())
    return match.group().translate(BLANKS)


def _continued(text: bytes) -> bytes:
    """Blanks with a backslash before each newline."""
    return re.sub(rb"[ \t]\n", b"\\\\\n", text.translate(BLANKS))


def _starts_line(data: bytes, offset: int) -> bool:
    before = data[max(0, offset - 80) : offset].rstrip(b" \t")
    return before.endswith(b"\n") or (not before and offset < 80)


def _underscore_unless_newline(match: re.Match[bytes]) -> bytes:
    return match.group() if len(match.group()) == 2 else b"_"
