"""Mails as git reads them: an mbox, a maildir, a folder of patches, standard input, or a range of commits.

    mails = read_mails("series.mbox", git)
    letters = [open_mail(mail, git) for mail in mails]

git splits the mailbox (mboxrd where its first line says so) and decodes each mail; only the headers that git drops are
read here. What is no mail at all, such as a thread copied from a web page, goes to `mmlint.series.thread`.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mmlint.config import UsageError
from mmlint.series.diff import has_diff
from mmlint.series.git import GitError, PrivateGit
from mmlint.series.subject import Subject, parse_subject
from mmlint.series.thread import is_thread, mails_of_thread

if TYPE_CHECKING:
    from email.header import Header

STDIN: Final = "-"
MAX_BYTES: Final = 64 << 20
MAX_MAILS: Final = 5_000
_LIMITS: Final = f"at most {MAX_BYTES >> 20} MiB and {MAX_MAILS:,} mails are read; give the mails of the series alone"
_OWN_PIPES: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
_SEPARATOR: Final = re.compile(rb"From \S+ .*\d{4}\s*$")
# What git takes for the first line of a mail, roughly.
_MAIL: Final = re.compile(rb"^From \S+ .*\d:\d\d.* \d{4}", re.MULTILINE)
_HEADERS: Final = re.compile(rb"^From: [^\n]*\n(?:[^\n]+\n){0,40}?Subject: ", re.MULTILINE)
_HEADER: Final = re.compile(rb"[!-9;-~]+:[ \t\r\n]")
_ON_WIRE: Final = re.compile(rb"(?:From [^\n]*\n)?[^\n]*\r\n")
_WANTED: Final = re.compile(rb"^(?:from|subject|message-id|date):", re.IGNORECASE | re.MULTILINE)
_SCISSORS: Final = re.compile(rb"^\s*-+\s*(?:8<|>8|%<|>%)\s*-+", re.MULTILINE)
_IN_BODY: Final = re.compile(rb"^\s*-+\s*(?:8<|>8|%<|>%)[^\n]*\n+(?:From|Subject|Date|Author): ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it was read; ``where`` names it for the user. ``is_cover`` marks the cover file that b4 writes."""

    where: str
    raw: bytes = field(repr=False)
    is_cover: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that was opened: headers, commit message, and everything from the diff on, all decoded.

    ``date`` is the header as it stands there. ``is_flowed`` tells that the sender's program has reflowed the text.
    """

    mail: Mail
    subject: Subject
    subject_text: str
    author: str
    sender: str
    date: str
    message_id: str
    references: tuple[str, ...]
    message: str
    text: bytes = field(repr=False)
    is_flowed: bool = False

    @property
    def has_diff(self) -> bool:
        return has_diff(self.text)


def read_mails(source: str, git: PrivateGit) -> list[Mail]:
    """All mails of ``source`` in order. Raises UsageError when there are none, or too many."""
    if not source:
        raise UsageError("'': the name is empty; give an mbox, a maildir, a folder of patches or a range")
    if source == STDIN:
        mails = _mails_in(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>", git)
    elif lies_there(source) and Path(source).is_dir():
        mails = _folder(Path(source), git)
    elif not _is_to_be_read(source):
        raise UsageError(f"{source}: {_why_not_there(source, git)}")
    else:
        path = Path(source)
        mails = _mails_in(_read(path), source, git)
        cover = path.with_suffix(".cover")
        if cover != path and cover.is_file():
            mails.append(Mail(str(cover), _read(cover), is_cover=True))
    if len(mails) > MAX_MAILS:
        raise UsageError(f"{source}: {len(mails):,} mails; {_LIMITS}")
    if not mails:
        raise UsageError(f"{source}: no mail is there; give an mbox, a maildir, a folder of patches or a range")
    return mails


def lies_there(source: str) -> bool:
    """True when there is a file or folder of that name; what no file can be called is none."""
    try:
        return Path(source).exists()
    except (OSError, ValueError):
        return False


def _is_to_be_read(source: str) -> bool:
    """True for files, and for the pipes of the process itself: nobody waits for another one, and no device is read."""
    return lies_there(source) and (Path(source).is_file() or source.startswith(_OWN_PIPES))


def _why_not_there(source: str, git: PrivateGit) -> str:
    """What is wrong with a name that is no file, and what to give."""
    if "://" in source or re.fullmatch(r"<?[^\s/<>]+@[^\s/<>]+>?", source):
        return f"mmlint fetches nothing; run b4 am -o - {source.strip('<>')} | mmlint series -"
    with suppress(GitError):
        names = [f"{name}^{{commit}}" for name in (source, "HEAD")]
        commit, head = (git.ask_user("rev-parse", "--verify", "--quiet", "--end-of-options", name) for name in names)
        above = f"{source}..HEAD for what is on top of it, or " if commit != head else ""
        return f"a commit, and no range; give {above}{source}^..{source} for itself"
    return "neither a mailbox nor a folder, and git knows no such range; give one of these"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path}: {why}; give a file that can be read") from error


def _folder(folder: Path, git: PrivateGit) -> list[Mail]:
    """A maildir by its two folders, else every file of the folder by its name."""
    boxes = [folder / name for name in ("cur", "new") if (folder / name).is_dir()]
    files = sorted(
        (file for box in boxes or [folder] for file in box.iterdir() if file.is_file() and file.name[0] != "."),
        key=lambda file: file.name,
    )
    mails: list[Mail] = []
    total = 0
    for file in files:
        data = _read(file)
        total += len(data)
        if total > MAX_BYTES or len(mails) > MAX_MAILS:
            raise UsageError(f"{folder}: too much; {_LIMITS}")
        if file.suffix == ".cover":
            mails.append(Mail(str(file), data, is_cover=True))
        elif boxes or _is_mail(data) or has_diff(data):
            mails += _mails_in(data, str(file), git)
    return mails


def _is_mail(data: bytes) -> bool:
    """True when ``data`` begins as a mail or a mailbox does."""
    start = data.lstrip()[:4096]
    if _SEPARATOR.match(start.split(b"\n", 1)[0]):
        return True
    head = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0]
    return bool(_HEADER.match(head)) and bool(_WANTED.search(head))


def _mails_in(data: bytes, where: str, git: PrivateGit) -> list[Mail]:
    """The mails in one text."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"{where}: too large; {_LIMITS}")
    if not data.strip():
        return []
    if b"\0" in data[:8000]:
        raise UsageError(f"{where}: it holds NUL bytes and is no mail; give an mbox or a patch")
    if not _is_mail(data):
        start = _mailbox_below(data)
        if start is None:
            return [Mail(where, raw) for raw in mails_of_thread(data)]
        data = data[start:]
    data = data.lstrip()
    first = data.split(b"\n", 1)[0]
    if not _SEPARATOR.match(first):
        return [Mail(where, data)]
    return split(data, where, git, mboxrd=b"mboxrd@z" in first)


def _mailbox_below(data: bytes) -> int | None:
    """Where a mailbox, or a mail, begins below a few words of somebody else; None in a page, and below a diff."""
    found = _MAIL.search(data)
    if found is None or not _is_mail(data[found.end() : found.end() + 4096]):
        found = _HEADERS.search(data)
    if found is None:
        return None
    return None if has_diff(data[: found.start()]) or is_thread(data) else found.start()


def split(data: bytes, where: str, git: PrivateGit, mboxrd: bool) -> list[Mail]:
    """The mails of a mailbox. Raises UsageError."""
    count = sum(1 for _ in _MAIL.finditer(data))
    if count > MAX_MAILS:
        raise UsageError(f"{where}: {count:,} mails; {_LIMITS}")
    box = git.folder / "mails"
    box.mkdir()
    try:
        words = ["--mboxrd"] if mboxrd else []
        git.run("mailsplit", "-d4", "--keep-cr", *words, f"-o{box}", data=data)
        files = sorted(box.iterdir(), key=lambda file: (len(file.name), file.name))
        several = len(files) > 1
        return [
            Mail(f"{where}, mail {number}" if several else where, file.read_bytes())
            for number, file in enumerate(files, start=1)
        ]
    except GitError as error:
        raise UsageError(f"{where}: git cannot split it: {error}; give a mailbox of git, b4 or lore") from error
    finally:
        for file in box.iterdir():
            file.unlink()
        box.rmdir()


def open_mail(mail: Mail, git: PrivateGit) -> Letter:
    """Decode a mail. Raises UsageError."""
    from email.parser import BytesParser
    from email.policy import compat32

    raw = mail.raw
    if _ON_WIRE.match(raw):
        # As it is on the wire, where git takes no line of quoted-printable for a long one.
        raw = raw.replace(b"\r\n", b"\n")
    head = raw.split(b"\n\n", 1)[0]
    headers = BytesParser(policy=compat32).parsebytes(head + b"\n\n", headersonly=True)

    def header(name: str) -> str:
        return decoded(headers.get(name))

    message, patch = git.folder / "message", git.folder / "patch"
    # A mail that was cut out of a reply names its own author or title below the scissors.
    above = parse_subject(header("Subject"))
    cut = (above.is_reply and _SCISSORS.search(raw)) or _IN_BODY.search(raw)
    words = ["--quoted-cr=strip", "--scissors" if cut else "--no-scissors", str(message), str(patch)]
    try:
        told = _mailinfo(git, words, raw)
        body, text = message.read_bytes(), patch.read_bytes()
    except (GitError, OSError) as error:
        raise UsageError(f"{mail.where}: git cannot read the mail: {error}; give it as it was sent") from error
    info = dict(line.split(": ", 1) for line in told.split("\n") if ": " in line)
    if not has_diff(text) and has_diff(body):
        # Without the line of three dashes git takes the diff for a part of the message.
        start = re.search(rb"^(?:diff --git |--- \S)", body, re.MULTILINE)
        assert start is not None
        body, text = body[: start.start()], body[start.start() :] + text
    subject_text = header("Subject")
    if cut and info.get("Subject") and (above.is_reply or not above.counted):
        subject_text = info["Subject"]
    author = f"{info['Author']} <{info['Email']}>" if info.get("Author") and info.get("Email") else header("From")
    return Letter(
        mail,
        parse_subject(subject_text),
        subject_text,
        author,
        header("From"),
        header("Date"),
        header("Message-ID"),
        tuple(re.findall(r"<[^<>\s]+>", header("References") + " " + header("In-Reply-To"))),
        body.decode("utf-8", "surrogateescape").strip("\n"),
        text.replace(b"\r\n", b"\n") if b"\r\n" in text and b"diff --git" in text else text,
        "format=flowed" in header("Content-Type").lower().replace(" ", "").replace('"', ""),
    )


def _mailinfo(git: PrivateGit, words: list[str], raw: bytes) -> str:
    """What git reads in a mail, as UTF-8, or as it stands there where git does not know its charset."""
    try:
        return git.text("mailinfo", "-u", *words, data=raw)
    except GitError:
        return git.text("mailinfo", "-n", *words, data=raw)


def decoded(value: str | Header | None) -> str:
    """A header as text; what cannot be decoded is kept as it is.

    b4 and some programs write UTF-8 as it is, which the standard library takes for bytes of no known encoding.
    """
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    if value is None:
        return ""
    text = value if isinstance(value, str) else "".join(_bare(part) for part, _ in decode_header(value))
    with suppress(HeaderParseError, LookupError, UnicodeError, ValueError):
        text = str(make_header(decode_header(text)))
    return " ".join(text.split())


def _bare(part: bytes | str) -> str:
    """A part of a header that is not encoded as mail wants it."""
    if isinstance(part, str):
        return part
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError:
        return part.decode("latin-1")
