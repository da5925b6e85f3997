"""The tokens of one function, with brackets paired and attributes left out.

    int *f __init (char __user *p) { ... }    from "(" on:    ( char * p ) { ... }

``__init`` between the parameter list and the body goes with all that stands there. A list of names decides
(`mmlint.syntax.words`); attributes that are not on it are found later by where they stand.
"""

from __future__ import annotations

import re
from typing import Final

from mmlint.syntax.brackets import close_paren
from mmlint.syntax.cut import Outline
from mmlint.syntax.rewriting import Rewriting
from mmlint.syntax.words import (
    ASM,
    ASM_QUALIFIERS,
    ATTRIBUTE_CALLS,
    ATTRIBUTES,
    STATEMENTS,
    VOLATILE_SPELLINGS,
)

END: Final = 0
WORD: Final = 1
LITERAL: Final = 2
NUMBER: Final = 3
PUNCTUATION: Final = 4

TOKEN: Final = re.compile(
    rb"([A-Za-z_$][\w$]*)"
    rb"|(\"[^\"]*\"|'[^'\n]*')"
    rb"|(0[xX][\da-fA-F]+\w*|\.?\d(?:[eEpP][+-](?=\d)|\.(?!\.)|\w)*)"
    rb"|(\.\.\.|->|\+\+|--|<<=|>>=|[-+*/%&|^!=<>]=|&&|\|\||<<|>>|[^\s\\])"
)
OPENING: Final = {b"(": b")", b"[": b"]", b"{": b"}"}
CLOSING: Final = frozenset(OPENING.values())
_LOOK_AHEAD = 5
_MAYBE_ATTRIBUTES = ATTRIBUTES | ATTRIBUTE_CALLS | VOLATILE_SPELLINGS
_BLANK = re.compile(rb"[ \t\n]*")


class Tokens:
    """Parallel lists; behind the last token stand a few of kind END, so that looking ahead needs no check.

    ``partner`` is the index of the matching bracket, or -1. ``texts`` may be changed to make a token look like
    another to the rules that follow.
    """

    __slots__ = ("count", "ends", "kinds", "partner", "starts", "texts")

    def __init__(self) -> None:
        self.kinds: list[int] = []
        self.texts: list[bytes] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.partner: list[int] = []
        self.count = 0

    def finish(self, length: int) -> None:
        """Pair the brackets and add the tokens behind the end; ``length`` is that of the text."""
        self.count = len(self.kinds)
        self.kinds += [END] * _LOOK_AHEAD
        self.texts += [b""] * _LOOK_AHEAD
        self.starts += [length] * _LOOK_AHEAD
        self.ends += [length] * _LOOK_AHEAD
        self.partner = [-1] * len(self.kinds)
        unclosed: list[int] = []
        for index, text in enumerate(self.texts):
            if text in OPENING:
                unclosed.append(index)
            elif text in CLOSING:
                while unclosed and OPENING[self.texts[unclosed[-1]]] != text:
                    unclosed.pop()
                if unclosed:
                    opening = unclosed.pop()
                    self.partner[opening], self.partner[index] = index, opening


def read_tokens(rewriting: Rewriting, outline: Outline) -> Tokens:
    """The tokens from the parameter list on; attributes are blanked in the rewriting."""
    text = rewriting.text
    tokens = Tokens()
    if text[outline.close : outline.body].lstrip().startswith(b")"):
        _read(rewriting, outline.open, len(text), tokens)
    else:
        _read(rewriting, outline.open, outline.close, tokens)
        _read(rewriting, outline.body, len(text), tokens)
    tokens.finish(len(text))
    return tokens


def _read(rewriting: Rewriting, begin: int, end: int, tokens: Tokens) -> None:
    """Append the tokens of text[begin:end]; this is the innermost loop of everything."""
    kinds, texts, starts, ends = tokens.kinds, tokens.texts, tokens.starts, tokens.ends
    skip = begin
    for match in TOKEN.finditer(rewriting.text, begin, end):
        start, stop = match.span()
        if start < skip:
            continue
        word = match.group()
        if word in _MAYBE_ATTRIBUTES:
            skip = _attribute_end(rewriting.text, word, stop, tokens)
            if skip > 0:
                rewriting.blank(start, skip)
                continue
        kinds.append(match.lastindex or END)
        texts.append(word)
        starts.append(start)
        ends.append(stop)


def _attribute_end(text: bytes, word: bytes, end: int, before: Tokens) -> int:
    """Where the attribute ends whose name ends at ``end``, or -1 when the word is no attribute here."""
    previous = before.texts[-1] if before.texts else b""
    if word in ATTRIBUTES:
        return end if previous not in (b"->", b".") else -1
    if word in VOLATILE_SPELLINGS:
        return end if previous not in ASM and previous not in ASM_QUALIFIERS else -1
    if word in ATTRIBUTE_CALLS:
        blank = _BLANK.match(text, end)
        opening = blank.end() if blank else end
        if text[opening : opening + 1] == b"(" and _attribute_may_follow(word, before):
            return close_paren(text, opening)
    return -1


def _attribute_may_follow(word: bytes, before: Tokens) -> bool:
    if word in (b"__attribute__", b"__attribute"):
        return True
    if not before.kinds:
        return False
    if before.kinds[-1] == WORD:
        return before.texts[-1] not in STATEMENTS
    return before.texts[-1] in (b"]", b")", b"*", b"}")
