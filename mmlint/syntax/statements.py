"""Rules for the start of a statement that begins with a keyword.

    case 1 ... 9:      goto *table[i];      if likely(x) {      out: }
    case 1  |  9:      goto  table   ;      if       (x) {      out:;}

What tree-sitter-c can read already is left as it is.
"""

from __future__ import annotations

from mmlint.syntax.scan import GROUP, Scan
from mmlint.syntax.tokens import OPENING, PUNCTUATION, WORD
from mmlint.syntax.words import ASM, CONTROLS

COMPUTED_GOTO = "computed goto"


def keyword(scan: Scan, index: int) -> int | None:
    """The rule for the keyword at the start of a statement; None for asm, which may stand anywhere."""
    word = scan.texts[index]
    if word in (b"else", b"do"):
        return index + 1
    if word == b"default" and scan.texts[index + 1] == b":":
        return index + 2
    if word in ASM:
        return None
    scan.at_statement = False
    if word == b"case":
        return case(scan, index)
    if word == b"goto":
        return goto(scan, index)
    if word in CONTROLS:
        return control(scan, index)
    return index + 1


def case(scan: Scan, index: int) -> int:
    """Find the colon of ``case 1 ... 9:`` and turn the dots into an operator: ``case 1  |  9:``."""
    open_colons = 0
    end = index + 1
    while end < scan.tokens.count:
        if scan.kinds[end] == PUNCTUATION:
            text = scan.texts[end]
            if text in OPENING and scan.partner[end] > 0:
                end = scan.partner[end]
            elif text == b"?":
                open_colons += 1
            elif text == b":" and not open_colons:
                scan.labels.add(end)
                break
            elif text == b":":
                open_colons -= 1
            elif text == b"...":
                scan.rewriting.put(scan.starts[end], scan.ends[end], b" | ")
            elif text in (b";", b"{", b"}"):
                break
        end += 1
    return index + 1


def goto(scan: Scan, index: int) -> int:
    """``goto *table[i];`` becomes a goto to one made-up label, and a note."""
    if scan.texts[index + 1] != b"*":
        return index + 2
    scan.note(index, COMPUTED_GOTO)
    scan.rewriting.blank(scan.starts[index + 1], scan.ends[index + 1])
    target = index + 2
    end = target
    while end < scan.tokens.count and scan.texts[end] != b";":
        end += 1
    if scan.kinds[target] != WORD:
        scan.identifier(index + 1, end - 1)
    elif end > target + 1:
        scan.rewriting.blank(scan.starts[target + 1], scan.ends[end - 1])
    return end


def control(scan: Scan, index: int) -> int:
    """``if likely(x)`` loses the macro: ``if       (x)``."""
    if scan.kinds[index + 1] == WORD and scan.texts[index + 2] == b"(":
        scan.drop(index + 1, index + 1)
        scan.enter(GROUP, statement_follows=True)
        return index + 3
    return index + 1


def label(scan: Scan, index: int) -> int:
    """``out: }`` becomes ``out:;}``; without a blank to spare ``out;}``."""
    if scan.texts[index + 2] == b"}":
        end_statement(scan, scan.ends[index + 1], scan.starts[index + 2], scan.starts[index + 1])
    return index + 2


def end_statement(scan: Scan, start: int, end: int, otherwise: int = -1) -> bool:
    """Write ``;`` into the gap text[start:end], or over the byte ``otherwise`` when there is no blank."""
    if scan.rewriting.insert(start, end, b";"):
        return True
    if otherwise >= 0:
        scan.rewriting.buffer[otherwise] = 0x3B
    return False
