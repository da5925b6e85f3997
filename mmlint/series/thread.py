"""A thread copied from a web page: no mail headers, one message below the other, replies that quote the patch.

    [RFC PATCH 1/2] mm: make the mode context-aware
    Posted by A. Author 1 week, 1 day ago
    ...
    diff --git a/mm/mremap.c b/mm/mremap.c

    * [PATCH 1/2] mm: make the mode context-aware
    @ 2026-03-25  7:41 ` A. Author
      2 siblings, 1 reply; 12+ messages in thread
    From: A. Author @ 2026-03-25  7:41 UTC (permalink / raw)

Each unquoted diff becomes a mail with what the page tells of its author and subject; what is quoted with ``>`` is
somebody's answer and no patch. A bare diff is a page with one message and nothing else on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mmlint.series.diff import has_diff

_SUBJECT: Final = re.compile(rb"^(?:(?:re|aw|fwd?)\s*:\s*)*\[[^\]\n]*(?:PATCH|RFC)[^\]\n]*\][^\n]*$", re.IGNORECASE)
_POSTED: Final = re.compile(
    rb"^Posted by (.+?)\s+(?:an?|\d+) \S+(?:, (?:an?|\d+) \S+)* ago\s*$|^From: (.+?)(?: @ .*)?$"
)
# The archives of public-inbox: a message below those that it answers and those that answer it.
_RAW: Final = re.compile(rb"^From: (.+?) @ [^\n]*\(permalink / raw\)\s*$")
_OVERVIEW: Final = 200
_NO_BREAK: Final = "\N{NO-BREAK SPACE}".encode()
_SIGNED: Final = re.compile(rb"^Signed-off-by: *(.+?) *<([^<>\s]+@[^<>\s]+)>", re.MULTILINE)


def is_thread(page: bytes) -> bool:
    """True when a message of a page begins in ``page``."""
    return next(_heads(_lines(page)), None) is not None


def _lines(page: bytes) -> list[bytes]:
    return page.replace(b"\r\n", b"\n").split(b"\n")


def mails_of_thread(page: bytes) -> list[bytes]:
    """A mail for each message of the page, in order, without what it quotes."""
    lines = _lines(page)
    heads = list(_heads(lines))
    if not heads:
        return [_mail(b"", b"", lines)] if has_diff(_unquoted(lines)) else []
    mails = []
    for number, (_, body, subject, author) in enumerate(heads):
        end = heads[number + 1][0] if number + 1 < len(heads) else len(lines)
        mails.append(_mail(subject, author, lines[body:end]))
    return mails


def _heads(lines: list[bytes]) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Where a message begins, where its body does, its subject and author."""
    for at, line in enumerate(lines):
        is_archive_s = line.startswith(b"* ")
        if not is_archive_s and not _SUBJECT.match(line.strip()):
            continue
        for below in range(at + 1, min(at + (_OVERVIEW if is_archive_s else 4), len(lines))):
            found = (_RAW if is_archive_s else _POSTED).match(lines[below].replace(_NO_BREAK, b" "))
            if found:
                subject = line.removeprefix(b"* ").strip() if is_archive_s else line.strip()
                yield at, below + 1, subject, found.group(found.lastindex or 0)
                break
            if is_archive_s and not lines[below].startswith((b"@ ", b"  ")):
                break


def _unquoted(lines: list[bytes]) -> bytes:
    return b"\n".join(line for line in lines if not line.startswith(b">"))


def _mail(subject: bytes, author: bytes, body: list[bytes]) -> bytes:
    """A message in the form of a mail. The address is that of the author's own sign-off, where there is one."""
    text = _unquoted(body)
    signers = {name.strip(): address for name, address in _SIGNED.findall(text)}
    address = b"unknown@localhost"
    if author in signers:
        address = signers[author]
    elif not author and signers:
        author, address = next(iter(signers.items()))
    head = [
        b"From: " + (author or b"unknown").replace(b"<", b"").replace(b">", b"") + b" <" + address + b">",
        b"Subject: " + (subject or b"[PATCH] (no subject)"),
        b"MIME-Version: 1.0",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: 8bit",
    ]
    return b"\n".join(head) + b"\n\n" + text.lstrip(b"\n") + b"\n"
