"""Rules for strings and numbers.

pr_fmt("x") "y" PRIx64        "y"                    macros glued to strings are dropped
ADVERTISED_(10baseT_Full)     ADVERTISED__0baseT_Full   what starts like a number becomes a name
"""

from __future__ import annotations

import re

from mmlint.syntax.scan import BLOCK, Scan
from mmlint.syntax.tokens import LITERAL, WORD
from mmlint.syntax.words import ASM, KEYWORDS, STATEMENTS

_NUMBER = re.compile(
    rb"(?:0[xX][\da-fA-F]+|0[bB][01]+|\d+)[uUlLzZ]*\Z"
    rb"|[\d.]+(?:[eE][+-]?\d+)?[fFlL]?\Z"
    rb"|0[xX][\da-fA-F.]+(?:[pP][+-]?\d+)?\Z"
)


def string(scan: Scan, index: int) -> int:
    """Drop the macros before and behind a string: ``PREFIX "text" NAME(x)`` becomes ``"text"``."""
    if scan.texts[index][:1] != b'"':
        return index + 1
    _drop_before(scan, index)
    end = index + 1
    while scan.kinds[end] == LITERAL or (scan.kinds[end] == WORD and scan.texts[end] not in STATEMENTS):
        if scan.kinds[end] == WORD:
            last = end
            if scan.texts[end + 1] == b"(" and scan.partner[end + 1] > 0:
                last = scan.partner[end + 1]
            scan.drop(end, last)
            end = last
        end += 1
    return end


def _drop_before(scan: Scan, index: int) -> None:
    last = scan.previous(index)
    while last >= 0:
        first = last
        if scan.kinds[last] != WORD:
            first = _call_before(scan, last)
        elif scan.texts[last] in KEYWORDS:
            return
        if first < 0:
            return
        scan.drop(first, last)
        last = scan.previous(first)


def _call_before(scan: Scan, last: int) -> int:
    """The name of the macro call that ends at ``last`` and may be part of a string, or -1."""
    if scan.texts[last] != b")" or scan.partner[last] <= 0:
        return -1
    name = scan.partner[last] - 1
    if scan.kinds[name] != WORD or scan.texts[name] in KEYWORDS or scan.texts[name] in ASM:
        return -1
    before = scan.texts[name - 1] if name > 0 else b""
    if scan.context is BLOCK:
        return name if before in (b"=", b"return", b"?", b":") else -1
    return -1 if before in STATEMENTS and before != b"return" else name


def number(scan: Scan, index: int) -> int:
    """``64 K`` and ``10baseT`` become one identifier each."""
    if scan.kinds[index + 1] == WORD and scan.texts[index + 1] not in KEYWORDS:
        scan.identifier(index, index + 1)
        return index + 2
    if not _NUMBER.match(scan.texts[index]):
        scan.identifier(index, index)
    return index + 1
