"""Rules for the header of a function, where the kernel puts most of its attributes.

    static __always_inline struct foo __init *f(int a) __releases(&lock)  {
    static                 struct foo        *f(int a)                    {

    SYSCALL_DEFINE2(dup, int, old, int, new)         TEST_F(fixture, name) {
    long           (dup( int  old, int  new)         int f()               {

Before the name, C's own words, a tag and one type name stay; between the parameter list and the body nothing does.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mmlint.syntax.brackets import close_paren
from mmlint.syntax.cut import Outline
from mmlint.syntax.rewriting import Rewriting
from mmlint.syntax.tokens import TOKEN, WORD
from mmlint.syntax.words import (
    ATTRIBUTES,
    QUALIFIERS,
    RECORDS,
    SYSCALL_MACRO,
    TYPE_KEYWORDS,
    TYPEOF,
    TYPES,
    is_attribute_like,
)

_GAP = re.compile(rb"[ \t]{3,}")


def header(rewriting: Rewriting, outline: Outline) -> None:
    """Rewrite everything up to the body, except the parameters themselves."""
    tail = rewriting.text[outline.close : outline.body]
    if not tail.lstrip().startswith(b")"):
        rewriting.blank(outline.close, outline.body)
    if not outline.macro:
        specifiers(rewriting, outline.name_start)
        record_body(rewriting, outline.name_start)
        return
    rewriting.blank(0, outline.name_start)
    if SYSCALL_MACRO.match(rewriting.text[outline.name_start : outline.name_end]):
        syscall(rewriting, outline)
    else:
        macro(rewriting, outline)


def macro(rewriting: Rewriting, outline: Outline) -> None:
    """``MACRO(arguments) {`` becomes ``int f() {``."""
    rewriting.blank(outline.name_start, outline.close)
    replacement = b"int f()"
    start = outline.name_start
    while start + len(replacement) < outline.close and rewriting.starts_new_line(start, start + len(replacement)):
        start += 1
    rewriting.put(start, start + len(replacement), replacement)


def syscall(rewriting: Rewriting, outline: Outline) -> None:
    """``SYSCALL_DEFINE1(name, type, argument)`` becomes ``long (name( type argument)``, in place."""
    text, buffer = rewriting.text, rewriting.buffer
    first, last = outline.open + 1, outline.close - 1
    comma = text.find(b",", first, last)
    if comma < 0:
        buffer[outline.name_start : outline.name_start + 4] = b"int "
        rewriting.blank(first, last)
        return
    rewriting.put(outline.name_start, first, b"long")
    rewriting.put(comma, comma + 1, b"(")
    name = first + len(text[first:]) - len(text[first:].lstrip(b" \t\n"))
    if 0x30 <= text[name] <= 0x39:
        buffer[name] = 0x5F
    _join_pairs(rewriting, comma + 1, last)


def _join_pairs(rewriting: Rewriting, first: int, last: int) -> None:
    """Drop the comma between each type and its name; ``SC_ARG64(x)`` stands for a pair."""
    text = rewriting.text
    depth, between = 0, True
    for offset in range(first, last):
        char = text[offset]
        if char == 0x28:
            depth += 1
        elif char == 0x29:
            depth -= 1
        elif char == 0x2C and depth == 0:
            if between and text[:offset].rstrip().endswith(b")"):
                continue
            if between:
                rewriting.blank(offset, offset + 1)
            between = not between


class _Word(NamedTuple):
    text: bytes
    start: int
    end: int


def specifiers(rewriting: Rewriting, name: int) -> None:
    """Drop all attributes from text[0:name], which holds the storage class, the type and the stars."""
    words = _specifier_words(rewriting, name)
    stars = [index for index, word in enumerate(words) if word.text == b"*"]
    first_star = stars[0] if stars else len(words)
    for word in words[first_star:]:
        if word.text != b"*" and word.text not in QUALIFIERS:
            rewriting.blank(word.start, word.end)
    typed, names = _specifier_types(rewriting, words[:first_star])
    if typed:
        surplus = names
    else:
        types = [word for word in names if not is_attribute_like(word.text)] or names
        surplus = [word for word in names if word is not types[-1]]
    for word in surplus:
        rewriting.blank(word.start, word.end)
    if not typed and not names:
        _add_type(rewriting, name)


def record_body(rewriting: Rewriting, name: int) -> None:
    """``struct pair { int a, b; } f(void)`` loses the braces and what is in them."""
    opening = rewriting.text.find(b"{", 0, name)
    if opening >= 0:
        rewriting.blank(opening, rewriting.text.rfind(b"}", 0, name) + 1)


def _specifier_words(rewriting: Rewriting, name: int) -> list[_Word]:
    """Words and stars before the name; calls of attribute macros are dropped at once."""
    text = rewriting.text
    words = []
    skip = 0
    for match in TOKEN.finditer(text, 0, name):
        word, start, end = match.group(), match.start(), match.end()
        if start < skip:
            continue
        if match.lastindex == WORD:
            opening = end + len(text[end:name]) - len(text[end:name].lstrip(b" \t\n"))
            closing = close_paren(text, opening) if text[opening:name].startswith(b"(") else -1
            if 0 < closing <= name:
                skip = closing
                if word not in TYPEOF:
                    rewriting.blank(start, closing)
                    continue
                rewriting.blank(opening, closing)
        elif word != b"*":
            continue
        words.append(_Word(word, start, end))
    return words


def _specifier_types(rewriting: Rewriting, words: list[_Word]) -> tuple[bool, list[_Word]]:
    """Whether C's own words make a type, and the words that are neither; listed attributes are dropped."""
    typed = False
    names = []
    tag = False
    for word in words:
        if word.text in ATTRIBUTES:
            rewriting.blank(word.start, word.end)
        elif tag:
            tag = False
        elif word.text in RECORDS:
            typed = tag = True
        elif word.text in TYPES and (word.text in TYPE_KEYWORDS or not typed):
            typed = True
        elif word.text not in QUALIFIERS:
            names.append(word)
    return typed, names


def _add_type(rewriting: Rewriting, name: int) -> None:
    """Give a function without a type one, where there is room: ``static       f(void)``."""
    for gap in _GAP.finditer(bytes(rewriting.buffer[:name])):
        start = gap.start()
        if gap.end() - start >= 4 or gap.end() < name:
            rewriting.put(start, start + 3, b"int")
            if not start or rewriting.buffer[start - 1] in b" \t\n":
                return
