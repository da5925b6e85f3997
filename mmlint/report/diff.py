"""A change as a unified diff that ``git apply`` and ``patch -p1`` take, byte for byte.

Line ends are those of the file, CRLF included; a last line without newline is marked as git marks it; names with odd
bytes are quoted as git quotes them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from typing import Final

_NO_NEWLINE: Final = "\n\\ No newline at end of file\n"
_ESCAPES: Final = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def diff(path: str, before: bytes, after: bytes) -> bytes:
    """The diff from ``before`` to ``after``; empty when they are equal. The path is shown without a leading slash."""
    name = path.lstrip("/")
    return "".join(_lines(name, _split(before), _split(after))).encode("latin-1")


def _lines(name: str, before: list[str], after: list[str]) -> Iterator[str]:
    for line in unified_diff(before, after, _name("a/" + name), _name("b/" + name)):
        if line.startswith("@@"):
            start = int(line[4:].split(",")[0].split(" ")[0])
            yield line.rstrip("\n") + _heading(before[: start - 1]) + "\n"
        else:
            yield line if line.endswith("\n") else line + _NO_NEWLINE


def _heading(above: list[str]) -> str:
    """What git writes behind a hunk's numbers: the last line above that begins a function."""
    for line in reversed(above):
        if re.match(r"[A-Za-z_$]", line) and not re.match(r"\w+:\s*$", line):
            return " " + line.rstrip()[:80].rstrip()
    return ""


def _split(data: bytes) -> list[str]:
    """Lines with their ends. Latin-1 gives each byte a character, so that any file can be compared as text."""
    lines = data.decode("latin-1").split("\n")
    return [line + "\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def _name(path: str) -> str:
    raw = os.fsencode(path)
    if re.search(rb'[\x00-\x1f"\\\x7f-\xff]', raw):
        quoted = (_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in raw)
        return '"' + "".join(quoted) + '"'
    # As git does: a tab ends a name that has blanks, for patch.
    return path + "\t" * (" " in path)
