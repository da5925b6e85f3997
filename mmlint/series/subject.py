"""The grammar of a patch's subject, as b4 and git read it.

parse_subject("[PATCH RFC v2 1/3] mm: x")  ->  Subject(title="mm: x", number=1, total=3, revision=2, ...)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_REPLY: Final = re.compile(r"^\s*(?:(?:re|aw|fwd?|sv|antw)\s*:\s*)+", re.IGNORECASE)
_BRACKETS: Final = re.compile(r"^\s*\[((?:[^][]|\[[^][]*\])*)\]\s*")
_COUNTER: Final = re.compile(r"\d{1,4}/\d{1,4}")
_REVISION: Final = re.compile(r"v(\d{1,4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subject:
    """``number`` and ``total`` are 1 where there is no counter, and ``counted`` is False then.

    ``tags`` are the words in brackets that are none of these, such as "mm-unstable". ``is_patch`` tells whether one of
    the words begins with "patch" or "rfc".
    """

    title: str
    number: int = 1
    total: int = 1
    revision: int = 1
    counted: bool = False
    is_reply: bool = False
    is_patch: bool = False
    tags: tuple[str, ...] = ()


def parse_subject(text: str) -> Subject:
    """Read a subject; whatever stands in it, there is a result."""
    text = " ".join(text.split())
    reply = _REPLY.match(text)
    text = text[reply.end() :] if reply else text
    number = total = revision = 1
    counted = is_patch = False
    tags = []
    while found := _BRACKETS.match(text):
        text = text[found.end() :]
        inside = re.sub(r"\bPATCHv(?=\d)", "PATCH v", found.group(1).replace("[", " ").replace("]", " "), flags=re.I)
        for word in inside.split():
            word = word.strip(",;:")
            version = _REVISION.fullmatch(word)
            if _COUNTER.fullmatch(word):
                number, total = map(int, word.split("/"))
                counted = True
            elif version:
                revision = int(version.group(1)) or 1
            elif word.lower().startswith(("patch", "rfc")):
                is_patch = True
            elif word and word.lower() != "resend":
                tags.append(word)
    return Subject(text.strip(), number, total, revision, counted, bool(reply), is_patch or counted, tuple(tags))
