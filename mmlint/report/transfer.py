"""The mails of git format-patch, so that git am takes them as they are.

git am takes the carriage returns at the ends of a mail's lines for the mail's own, and the patch to a file that has
them does not apply; encoded, they are the file's.
"""

from __future__ import annotations

import re
from typing import Final

_ENCODING: Final = re.compile(rb"^(?:MIME-Version|Content-[\w-]+):[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE)
_HEADERS: Final = (
    b"MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: quoted-printable\n"
)


def for_am(mail: bytes) -> bytes:
    """A mail of format-patch, quoted-printable where a line of it ends in a carriage return."""
    head, _, body = mail.partition(b"\n\n")
    if b"\r\n" not in body:
        return mail
    return b"%s%s\n%s" % (_ENCODING.sub(b"", head + b"\n"), _HEADERS, b"\n".join(map(_encoded, body.split(b"\n"))))


def _encoded(line: bytes) -> bytes:
    """One line: quopri by itself takes CR LF for its end."""
    from quopri import encodestring

    text = line.rstrip(b"\r")
    return encodestring(text) + b"=0D" * (len(line) - len(text))
