"""Rules for asm statements, which the kernel builds from macros.

    asm volatile(ALTERNATIVE("a", "b", F) : "=r" (x) : "r" (y) : "memory" : label);
    asm volatile(""                       : "=r" (x) : "r" (y) : "memory" : label);

The template is dropped; plain operands, clobbers and labels are kept. When any of them comes from a macro, all are.
"""

from __future__ import annotations

from mmlint.syntax.scan import PARAMETERS, TOP, Scan
from mmlint.syntax.tokens import LITERAL, OPENING, PUNCTUATION, WORD
from mmlint.syntax.words import ASM_QUALIFIERS, PLAIN_ASM, PLAIN_ASM_QUALIFIERS, STATEMENTS

Section = tuple[int, int]


def asm(scan: Scan, index: int) -> int:
    """An asm statement, or the asm that names the register of a variable: ``register long x asm("r0");``."""
    opening = index + 1
    while scan.texts[opening] in ASM_QUALIFIERS:
        if scan.texts[opening] not in PLAIN_ASM_QUALIFIERS:
            scan.rewriting.blank(scan.starts[opening], scan.ends[opening])
        opening += 1
    closing = scan.partner[opening]
    if scan.texts[opening] != b"(" or closing <= 0:
        return index + 1
    if _names_register(scan, index):
        scan.rewriting.blank(scan.starts[index], scan.ends[closing])
        return closing + 1
    _rename(scan, index)
    template, *operands = _sections(scan, opening, closing)
    _empty_template(scan, opening, template[1])
    if not _are_plain(scan, operands):
        scan.rewriting.blank(scan.starts[template[1]], scan.starts[closing])
    return closing + 1


def _names_register(scan: Scan, index: int) -> bool:
    before = scan.previous(index)
    if before < 0:
        return False
    text = scan.texts[before]
    if scan.kinds[before] == WORD:
        return text not in STATEMENTS
    return text in (b"]", b")") and scan.context in (TOP, PARAMETERS)


def _rename(scan: Scan, index: int) -> None:
    """``asm_volatile_goto`` becomes ``asm goto``, ``asm_inline`` ``asm``."""
    word = scan.texts[index]
    if word not in PLAIN_ASM:
        goto = b"goto" in word and len(word) >= len(b"asm goto")
        scan.rewriting.put(scan.starts[index], scan.ends[index], b"asm goto" if goto else b"asm")


def _sections(scan: Scan, opening: int, closing: int) -> list[Section]:
    """(first token, end) of the parts between the colons."""
    sections = []
    first = index = opening + 1
    while index < closing:
        if scan.kinds[index] == PUNCTUATION:
            if scan.texts[index] in OPENING and scan.partner[index] > 0:
                index = scan.partner[index]
            elif scan.texts[index] == b":":
                sections.append((first, index))
                first = index + 1
        index += 1
    return [*sections, (first, closing)]


def _empty_template(scan: Scan, opening: int, end: int) -> None:
    """Put ``""`` in place of the template, at the first place with two bytes on one line."""
    start, stop = scan.ends[opening], scan.starts[end]
    scan.rewriting.blank(start, stop)
    buffer = scan.rewriting.buffer
    while start + 1 < stop and 0x0A in buffer[start : start + 2]:
        start += 1
    if start + 1 < stop:
        buffer[start : start + 2] = b'""'


def _are_plain(scan: Scan, sections: list[Section]) -> bool:
    """True when outputs, inputs, clobbers and labels are spelled out."""
    readers = (_operand, _operand, _clobber, _label)
    if len(sections) > len(readers):
        return False
    for reader, (first, end) in zip(readers, sections, strict=False):
        index = first
        while index < end:
            index = reader(scan, index)
            if index < 0:
                return False
            if index < end:
                if scan.texts[index] != b"," or index + 1 >= end:
                    return False
                index += 1
    return True


def _operand(scan: Scan, index: int) -> int:
    """One past ``[name] "constraint" (expression)``, or -1."""
    if scan.texts[index] == b"[" and scan.partner[index] == index + 2 and scan.kinds[index + 1] == WORD:
        index += 3
    if scan.kinds[index] != LITERAL or scan.texts[index + 1] != b"(" or scan.partner[index + 1] < 0:
        return -1
    return scan.partner[index + 1] + 1


def _clobber(scan: Scan, index: int) -> int:
    return index + 1 if scan.kinds[index] == LITERAL else -1


def _label(scan: Scan, index: int) -> int:
    return index + 1 if scan.kinds[index] == WORD else -1
