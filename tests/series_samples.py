"""Series made for the tests: commits on a copy of fixtures/linux, and the mails that they become.

python -m tests.series_samples FOLDER      writes the sample mailboxes there, for a look
"""

from __future__ import annotations

import base64
import os
import quopri
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mmlint.config import Settings
from mmlint.series.check import Options, check_series
from mmlint.series.model import Finding, SeriesReport

ROOT = Path(__file__).resolve().parent.parent
LINUX = ROOT / "fixtures/linux"
PLAIN = "\tlazy_mmu_mode_enable();\n"
RANGED = "lazy_mmu_mode_enable_for_pte_range"
MPROTECT = f"\t{RANGED}(vma->vm_mm, addr, end, pte);\n"
SWAPPED = f"\t{RANGED}(vma->vm_mm, end, addr, pte);\n"
# Old and new text of one place of a file; an old text of None makes the file, a new text of None takes it away.
Edit = tuple[str | None, str | None]
Edits = Mapping[str, Edit]


def git(folder: Path, *words: str, data: bytes = b"") -> str:
    """What git prints in a repository of the tests."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for who in ("AUTHOR", "COMMITTER"):
        variables |= {f"GIT_{who}_NAME": "A. Author", f"GIT_{who}_EMAIL": "author@example.org"}
        variables[f"GIT_{who}_DATE"] = "1767225600 +0000"
    variables |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *words], cwd=folder, input=data, capture_output=True, env=variables, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "surrogateescape")


def repository(folder: Path) -> Path:
    """A copy of fixtures/linux as a repository with one commit, which bears the tag ``base``."""
    shutil.copytree(LINUX, folder)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "base")
    git(folder, "tag", "base")
    return folder


def commit(folder: Path, title: str, edits: Edits, body: str = "Because.") -> str:
    """One more commit; its id."""
    for path, (old, new) in edits.items():
        place = folder / path
        if new is None:
            place.unlink()
            continue
        text = new
        if old is not None:
            before = place.read_text(encoding="utf-8")
            assert old in before, f"{path}: {old!r}"
            text = before.replace(old, new, 1)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", f"{title}\n\n{body}\n\nSigned-off-by: A. Author <author@example.org>")
    return git(folder, "rev-parse", "HEAD").strip()


def patches(folder: Path, *options: str, base: str = "base") -> list[bytes]:
    """The mails of the commits since ``base``; the work tree is at the base afterwards."""
    names = git(folder, "format-patch", "-o", str(folder.parent / "out"), *options, base).split()
    mails = [Path(name).read_bytes() for name in names]
    shutil.rmtree(folder.parent / "out")
    git(folder, "checkout", "-q", base)
    return mails


def made(folder: Path, *steps: tuple[str, Edits], options: Sequence[str] = ()) -> list[bytes]:
    """The mails of a series of ``steps``, for the repository in ``folder``."""
    for title, edits in steps:
        commit(folder, title, edits)
    return patches(folder, *options)


def mbox(mails: Iterable[bytes], dialect: str = "git") -> bytes:
    """A mailbox as git, lore (mboxrd) or b4 writes it."""
    separator = {
        "git": b"From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n",
        "mboxrd": b"From mboxrd@z Thu Jan  1 00:00:00 1970\n",
        "b4": b"From git@z Thu Jan  1 00:00:00 1970\n",
    }[dialect]
    found = []
    for mail in mails:
        body = mail.split(b"\n", 1)[1] if mail.startswith(b"From ") else mail
        if dialect == "mboxrd":
            lines = body.split(b"\n")
            body = b"\n".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines)
        found.append(separator + body.rstrip(b"\n") + b"\n\n")
    return b"".join(found)


def recoded(mail: bytes, how: str) -> bytes:
    """The mail with its body in another transfer encoding: "8bit", "quoted-printable", "base64", or "crlf".

    "crlf" behind another one is a file of the mail with these ends of lines, behind "base64" those of the text in it.
    """
    head, body = mail.split(b"\n\n", 1)
    kept = [line for line in head.split(b"\n") if not line.lower().startswith((b"content-", b"mime-version"))]
    if how == "crlf":
        return mail.replace(b"\n", b"\r\n")
    if how == "quoted-printable-crlf":
        return recoded(mail, "quoted-printable").replace(b"\n", b"\r\n")
    encoded = {
        "8bit": lambda: body,
        "quoted-printable": lambda: quopri.encodestring(body),
        "base64": lambda: base64.encodebytes(body),
        "base64-crlf": lambda: base64.encodebytes(body.replace(b"\n", b"\r\n")),
    }[how]()
    kept += [
        b"MIME-Version: 1.0",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: " + how.removesuffix("-crlf").encode(),
    ]
    return b"\n".join(kept) + b"\n\n" + encoded


def header(mail: bytes, name: str, value: str) -> bytes:
    """The mail with a header more."""
    first, rest = mail.split(b"\n", 1)
    return first + b"\n" + f"{name}: {value}\n".encode() + rest


@contextmanager
def checked(
    source: Path | str,
    tree: Path | None,
    settings: Settings | None = None,
    base: str | None = None,
    previous: str | None = None,
) -> Iterator[SeriesReport]:
    """The report of a series on a tree."""
    chosen = Options(str(tree) if tree else None, base, previous)
    with check_series(str(source), chosen, settings or Settings()) as report:
        yield report


def told(findings: Iterable[Finding]) -> list[tuple[int, str, str, str, int]]:
    """Patch, cause, rule, path and line of each finding."""
    return [(f.patch, str(f.cause), f.diagnostic.rule, f.diagnostic.path, f.diagnostic.location.line) for f in findings]


def line_of(text: str, needle: str) -> int:
    """The line (from 1) of the first place of ``needle``; it has to be there."""
    return text[: text.index(needle)].count("\n") + 1


def broken_then_repaired(folder: Path) -> list[bytes]:
    """Three patches: the second swaps two arguments, the third puts them right."""
    return made(
        folder,
        ("mm/vmalloc: mention the range", {"mm/vmalloc.c": (None, (LINUX / "mm/vmalloc.c").read_text() + "\n")}),
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}),
        ("mm/mprotect: put it right", {"mm/mprotect.c": (SWAPPED, MPROTECT)}),
        options=["--cover-letter"],
    )


def main() -> int:
    """Write the sample mailboxes."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    linux = repository(folder / "linux")
    mails = broken_then_repaired(linux)
    for dialect in ("git", "mboxrd", "b4"):
        (folder / f"{dialect}.mbox").write_bytes(mbox(mails, dialect))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
