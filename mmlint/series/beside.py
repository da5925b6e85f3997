"""The mails of one series that lie in one folder, as git format-patch and git send-email leave them.

    found = mails_beside(Path("out/0002-b.patch"))
    found.files     out/0000-cover-letter.patch, out/0001-a.patch, out/0002-b.patch, in the order of their numbers
    found.doubt     why the mail stands alone although its number is one of several, or ""

Of a series are mails with its revision, total and words in brackets; of those that name other mails, the ones of one
thread. They have the suffix of the mail that is asked for, so that what an editor leaves behind is none of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from mmlint.series.mail import MAX_BYTES, decoded
from mmlint.series.subject import Subject, parse_subject

_MAX_FILES: Final = 2_000
_HEAD: Final = 1 << 16
_IDS: Final = ("Message-ID", "References", "In-Reply-To")


class Beside(NamedTuple):
    """``files`` holds the mail that was asked for in any case; ``is_first`` tells whether it is the first of them."""

    files: tuple[Path, ...]
    is_first: bool = True
    doubt: str = ""


class _Head(NamedTuple):
    subject: Subject
    ids: frozenset[str]


def mails_beside(path: Path) -> Beside:
    """The mails of the series of the mail in ``path``; that mail alone where its folder does not tell."""
    alone = Beside((path,))
    own = _head(path)
    if own is None or not own.subject.counted or own.subject.is_reply:
        return alone
    numbers: dict[int, Path] = {own.subject.number: path}
    size = path.stat().st_size
    for file in _others(path):
        head = _head(file)
        if head is None or not _same_series(own, head):
            continue
        twin = numbers.setdefault(head.subject.number, file)
        if twin is not file:
            if twin.read_bytes() == file.read_bytes():
                continue
            place = f"{head.subject.number}/{head.subject.total}"
            return alone._replace(doubt=f"{twin.name} and {file.name} are both patch {place}")
        size += file.stat().st_size
    if size > MAX_BYTES:
        return alone._replace(doubt=f"the mails of its series hold more than {MAX_BYTES >> 20} MiB")
    files = tuple(file for _, file in sorted(numbers.items()))
    return Beside(files, files[0] == path)


def _others(path: Path) -> Iterator[Path]:
    """The other files of its kind in its folder, by name."""
    try:
        with os.scandir(path.parent) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if entry.name[0] != "." and Path(entry.name).suffix == path.suffix and entry.is_file()
            )
    except OSError:
        return
    for name in names[:_MAX_FILES]:
        if name != path.name:
            yield path.parent / name


def _head(path: Path) -> _Head | None:
    """What the headers of a mail say; None for what is no mail with a subject, or cannot be read."""
    from email.parser import BytesHeaderParser
    from email.policy import compat32

    try:
        with path.open("rb") as file:
            data = file.read(_HEAD)
    except OSError:
        return None
    data = re.sub(rb"\AFrom [^\n]*\n", b"", data)
    headers = BytesHeaderParser(policy=compat32).parsebytes(re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0])
    text = decoded(headers.get("Subject"))
    if not text:
        return None
    ids = frozenset(found for name in _IDS for found in re.findall(r"<[^<>\s]+>", str(headers.get(name) or "")))
    return _Head(parse_subject(text), ids)


def _same_series(one: _Head, other: _Head) -> bool:
    a, b = one.subject, other.subject
    if (a.revision, a.total, a.tags) != (b.revision, b.total, b.tags) or not b.counted or b.is_reply:
        return False
    return not one.ids or not other.ids or bool(one.ids & other.ids)
