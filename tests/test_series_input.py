"""Every way in which a series can come, and what is refused."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.config import UsageError
from mmlint.series.model import Cause, How
from mmlint.series.subject import Subject, parse_subject
from tests.series_samples import (
    LINUX,
    MPROTECT,
    PLAIN,
    RANGED,
    SWAPPED,
    broken_then_repaired,
    checked,
    commit,
    git,
    header,
    line_of,
    made,
    mbox,
    patches,
    recoded,
    repository,
    told,
)

LINE = line_of((LINUX / "mm/mprotect.c").read_text(), PLAIN)
SWAP = [(2, "introduced", "broken-then-repaired", "mm/mprotect.c", LINE)]
ONE = [(1, "introduced", "wrong-range", "mm/mprotect.c", LINE)]


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return repository(tmp_path / "linux")


@pytest.fixture
def mails(linux: Path) -> list[bytes]:
    return broken_then_repaired(linux)


@pytest.fixture
def single(linux: Path) -> bytes:
    (mail,) = made(linux, ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}))
    return mail


def write(folder: Path, data: bytes, name: str = "series.mbox") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("dialect", ["git", "mboxrd", "b4"])
@pytest.mark.parametrize("how", ["8bit", "quoted-printable", "quoted-printable-crlf", "base64", "base64-crlf", "crlf"])
def test_mailboxes_and_encodings(linux: Path, mails: list[bytes], tmp_path: Path, dialect: str, how: str) -> None:
    box = write(tmp_path, mbox([recoded(mail, how) for mail in mails], dialect))
    with checked(box, linux) as report:
        assert told(report.authors()) == SWAP
        assert [(p.number, p.total, p.title) for p in report.patches] == [
            (1, 3, "mm/vmalloc: mention the range"),
            (2, 3, "mm/mprotect: name the range"),
            (3, 3, "mm/mprotect: put it right"),
        ]
        assert report.patches[1].author == "A. Author <author@example.org>"
        assert report.cover is not None and report.cover.subject.startswith("[PATCH 0/3] ")
        assert report.remarks == report.base.unseen == ()
        assert report.base.how is How.BLOBS


def test_from_lines_of_the_body_survive(linux: Path, tmp_path: Path) -> None:
    commit(linux, "mm/mprotect: x", {"mm/mprotect.c": (PLAIN, SWAPPED)}, body="From here on\n\nFrom: is no header")
    (mail,) = patches(linux)
    for dialect in ("mboxrd", "git"):
        with checked(write(tmp_path, mbox([mail], dialect)), linux) as report:
            assert told(report.authors()) == ONE
            assert report.patches[0].message.startswith("From here on\n")


def test_folder_maildir_and_wrong_order(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    folder, maildir = tmp_path / "patches", tmp_path / "maildir"
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    folder.mkdir()
    (folder / "README").write_text("no patch\n")
    for number, mail in enumerate(reversed(mails)):
        write(folder, mail, f"{number:04}.patch")
        write(maildir / ("cur" if number % 2 else "new"), mail.split(b"\n", 1)[1], f"1700000000.{number}.host:2,S")
    for source in (folder, maildir):
        with checked(source, linux) as report:
            assert told(report.authors()) == SWAP
            assert [patch.number for patch in report.patches] == [1, 2, 3]


def test_cover_of_b4_lies_beside(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    base = git(linux, "rev-parse", "base").strip()
    commit(linux, "mm: later", {"mm/vmalloc.c": (PLAIN, "\n" + PLAIN)})
    git(linux, "branch", "-f", "main")
    cover = mails[0].replace(b"-- \n", b"base-commit: " + base.encode() + b"\n-- \n")
    box = write(tmp_path, mbox(mails[1:], "b4"), "v1.mbx")
    write(tmp_path, cover.split(b"\n", 1)[1], "v1.cover")
    with checked(box, linux) as report:
        assert (report.base.how, report.base.revision) == (How.TRAILER, base)
        assert told(report.authors()) == SWAP
        assert report.cover is not None


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
def test_headers_that_are_not_encoded(linux: Path, single: bytes, tmp_path: Path, charset: str) -> None:
    """b4 writes the headers of its mailboxes as they are read."""
    head, rest = single.split(b"\n\n", 1)
    kept = [line for line in head.split(b"\n") if not line.startswith((b"From:", b"Subject:"))]
    kept += ["From: Zoë O'Brien <zoe@example.org>".encode(charset)]
    kept += ['Subject: [PATCH 1/1] mm: "größer", 100% :: x'.encode(charset)]
    (tmp_path / "one.mbx").write_bytes(b"\n".join(kept) + b"\n\n" + rest)
    with checked(tmp_path / "one.mbx", linux) as report:
        (patch,) = report.patches
        assert patch.title == 'mm: "größer", 100% :: x'
        assert patch.sender == "Zoë O'Brien <zoe@example.org>"


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "no-such-charset"])
def test_mail_in_another_charset(linux: Path, single: bytes, tmp_path: Path, charset: str) -> None:
    head, rest = single.split(b"\n\n", 1)
    kept = [line for line in head.split(b"\n") if not line.startswith((b"From:", b"Subject:"))]
    kept += [f"From: =?{charset}?q?Zo=EB?= <zoe@example.org>".encode()]
    kept += [f"Subject: =?{charset}?q?=5BPATCH_1/1=5D_mm=3A_gr=F6=DFer?=".encode()]
    kept += [f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit".encode()]
    rest = "F\u00fcr alle.\n\n".encode("latin-1") + rest
    with checked(write(tmp_path, b"\n".join(kept) + b"\n\n" + rest), linux) as report:
        assert told(report.authors()) == ONE
        (patch,) = report.patches
        if charset != "no-such-charset":
            assert patch.author == "Zo\u00eb <zoe@example.org>"
            assert patch.title == "mm: gr\u00f6\u00dfer"
            assert patch.message.startswith("F\u00fcr alle.\n")


def test_cover_with_what_changed_since(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    """As git format-patch --interdiff writes it, a diff that nobody applies."""
    change = (
        b"Interdiff against v1:\ndiff --git a/mm/mprotect.c b/mm/mprotect.c\nindex 1111111..2222222 100644\n"
        b"--- a/mm/mprotect.c\n+++ b/mm/mprotect.c\n@@ -1 +1 @@\n-old\n+new\n-- \n"
    )
    cover = mails[0].replace(b"-- \n", change)
    assert cover != mails[0]
    with checked(write(tmp_path, mbox([cover, *mails[1:]])), linux) as report:
        assert [patch.number for patch in report.patches] == [1, 2, 3]
        assert report.cover is not None and report.cover.subject.startswith("[PATCH 0/3] ")
        assert report.remarks == ()
        assert told(report.authors()) == SWAP
    with pytest.raises(UsageError, match="no patch is there; it is a cover letter; give the patches as well"):
        checked(write(tmp_path, cover), linux).__enter__()


def test_words_above_a_mailbox(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    with checked(write(tmp_path, b"Hi,\n\nthese are the patches:\n\n" + mbox(mails)), linux) as report:
        assert [patch.title for patch in report.patches] == [
            "mm/vmalloc: mention the range",
            "mm/mprotect: name the range",
            "mm/mprotect: put it right",
        ]
        assert told(report.authors()) == SWAP


def test_mail_of_an_archive_s_page(linux: Path, single: bytes, tmp_path: Path) -> None:
    """The headers are shown as text, below the links of the page."""
    head, body = single.split(b"\n\n", 1)
    lines = [line for line in head.split(b"\n") if line.startswith((b"From: ", b"Subject: "))]
    top = b"next prev parent reply\tother threads:[~2026-03-25  8:01 UTC|newest]\n\nThread overview: 2+ messages\n"
    page = top + b"\n".join([lines[0], b"To: a@example.org", b"Cc: b@example.org", *lines[1:]]) + b"\n\n" + body
    with checked(write(tmp_path, page), linux) as report:
        (patch,) = report.patches
        assert (patch.title, patch.author) == ("mm/mprotect: name the range", "A. Author <author@example.org>")
        assert told(report.authors()) == ONE


def test_thread_of_an_archive(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    """As public-inbox shows a thread: each message below the list of those around it."""

    def message(subject: str, author: str, body: bytes) -> bytes:
        overview = (
            f"* {subject}\n  2026-03-25  7:41 ` [PATCH 1/3] mm/vmalloc: mention the range A. Author\n"
            f"@ 2026-03-25  7:41 ` {author}\n                     ` (2 more replies)\n"
            "  2 siblings, 1 reply; 5+ messages in thread\n"
            f"From: {author} @ 2026-03-25  7:41 UTC (permalink / raw)\n  To: B. Body; +Cc: C. Copy\n\n"
        )
        return overview.encode() + body + b"\n^ permalink raw reply\t[flat|nested] 5+ messages in thread\n\n"

    bodies = [mail.split(b"\n\n", 1)[1] for mail in mails]
    answer = b"On 25.03.26, A. Author wrote:\n> why\n\nHow about\n\n" + bodies[2][bodies[2].index(b"diff --git") :]
    page = message("[PATCH 0/3] mm: name it", "A. Author", bodies[0])
    page += message("[PATCH 1/3] mm/vmalloc: mention the range", "A. Author", bodies[1])
    page += message("[PATCH 2/3] mm/mprotect: name the range", "A. Author", bodies[2])
    page += message("Re: mm/mprotect", "B. Body", answer.replace(b"end, addr", b"addr, addr"))
    page += message("[PATCH 3/3] mm/mprotect: put it right", "A. Author", bodies[3])
    page += b"end of thread, other threads:[~2026-03-25  8:01 UTC | newest]\n"
    with checked(write(tmp_path, page), linux) as report:
        assert [(patch.number, patch.author) for patch in report.patches] == [
            (number, "A. Author <author@example.org>") for number in (1, 2, 3)
        ]
        assert report.remarks == ("1 reply with a diff: not taken for a patch of the series",)
        assert report.cover is not None and report.cover.title == "mm: name it"
        assert told(report.authors()) == SWAP


def test_standard_input(linux: Path, single: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (single, single.split(b"\n", 1)[1], single[single.index(b"diff --git") :]):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        with checked("-", linux) as report:
            assert told(report.authors()) == ONE


def test_range_of_commits(linux: Path, mails: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    del mails
    monkeypatch.chdir(linux)
    for source in ("base..main", "HEAD..main", "base...main"):
        with checked(source, None) as report:
            assert told(report.authors()) == SWAP
            assert report.base.how is How.RANGE
            assert [p.name for p in report.patches] == ["patch 1/3", "patch 2/3", "patch 3/3"]
    with pytest.raises(UsageError, match=r"^main\.\.base: no commit is in that range; give BASE\.\.TIP$"):
        checked("main..base", None).__enter__()
    with pytest.raises(UsageError, match=r"no such file, and .* has no commit nowhere; give one of these$"):
        checked("base..nowhere", None).__enter__()
    with pytest.raises(UsageError, match=r"^base\.\.main: a range has its base; leave out --base, or give v1\.\.TIP$"):
        checked("base..main", None, base="v1").__enter__()


def test_one_commit(linux: Path, mails: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    del mails
    monkeypatch.chdir(linux)
    for source, base in (("main^!", "main~1"), ("main~1^!", "main~2"), ("main~2..main~1", "main~2")):
        with checked(source, None) as report:
            assert [p.name for p in report.patches] == ["patch 1/1"]
            assert report.base.revision == git(linux, "rev-parse", base).strip()
    with pytest.raises(
        UsageError, match=r"^nowhere\^!: no such file, and .* has no commit nowhere\^; give one of these$"
    ):
        checked("nowhere^!", None).__enter__()


def test_message_of_a_commit_is_no_mail(linux: Path) -> None:
    """Neither a diff nor a header nor scissors in it are anything but its words."""
    body = (
        "As in\n---\ndiff --git a/mm/other.c b/mm/other.c\n--- a/mm/other.c\n+++ b/mm/other.c\n@@ -1,9 +1,9 @@\n-x\n\n"
        "-- >8 --\nSubject: [PATCH] another one\n\nFrom: somebody <x@example.org>"
    )
    commit(linux, "[x] mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}, body=body)
    with checked("base..HEAD", linux) as report:
        (patch,) = report.patches
        assert patch.title == "[x] mm/mprotect: name the range"
        assert patch.author == patch.sender == "A. Author <author@example.org>"
        assert patch.message == f"{body}\n\nSigned-off-by: A. Author <author@example.org>"
        assert [change.path for change in patch.files] == ["mm/mprotect.c"]
        assert told(report.authors()) == ONE


def test_what_a_merge_brings_is_not_the_authors(linux: Path) -> None:
    git(linux, "checkout", "-q", "-b", "theirs")
    commit(linux, "mm/mprotect: theirs", {"mm/mprotect.c": (PLAIN, SWAPPED)})
    git(linux, "checkout", "-q", "main")
    commit(linux, "mm/vmalloc: own", {"mm/vmalloc.c": (PLAIN, "\n" + PLAIN)})
    git(linux, "merge", "-q", "--no-edit", "theirs")
    with checked("base..main", linux) as report:
        assert len(report.patches) == 2
        assert report.authors() == ()
        assert report.remarks == ("1 merge: what it brings is not of the series",)
        assert (0, "old", "wrong-range", "mm/mprotect.c", LINE) in told(report.findings)


def test_scissors_and_author_in_the_body(linux: Path, single: bytes, tmp_path: Path) -> None:
    head, rest = single.split(b"\n\n", 1)
    written = b"From: B. Body <body@example.org>\n\n" + rest
    with checked(write(tmp_path, head + b"\n\n" + written), linux) as report:
        assert report.patches[0].author == "B. Body <body@example.org>"
        assert report.patches[0].sender == '"A. Author" <author@example.org>'
    cut = b"Hello, how about this?\n\n-- >8 --\nSubject: [PATCH] mm/mprotect: cut out\n\n" + rest
    mail = head.replace(b"Subject: [PATCH] ", b"Subject: Re: [PATCH] ") + b"\n\n" + cut
    with checked(write(tmp_path, mail), linux) as report:
        assert report.patches[0].title == "mm/mprotect: cut out"
        assert "Hello" not in report.patches[0].message
        assert told(report.authors()) == ONE


def test_scissors_in_a_numbered_patch(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    """Its number is that of the header: git leaves it out of the title below the scissors."""
    first, *others = mails[1:]
    cut = first.replace(b"\n\n", b"\n\nHi.\n\n-- >8 --\nSubject: [PATCH] mm/vmalloc: cut out\n\n", 1)
    with checked(write(tmp_path, mbox([cut, *others])), linux) as report:
        assert [(patch.number, patch.total) for patch in report.patches] == [(1, 3), (2, 3), (3, 3)]
        assert report.remarks == ()
        assert "Hi." not in report.patches[0].message
        assert told(report.authors()) == SWAP


def test_replies_with_diffs_are_no_patches(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    reply = mails[2].replace(b"Subject: [PATCH 2/3]", b"Subject: Re: [PATCH 2/3]").replace(b"end, addr", b"addr, addr")
    quoted = b"\n".join(b"> " + line for line in mails[2].split(b"\n\n", 1)[1].split(b"\n"))
    answer = reply.split(b"\n\n", 1)[0] + b"\n\n" + quoted + b"\nLooks good.\n"
    with checked(write(tmp_path, mbox([*mails, reply, answer])), linux) as report:
        assert told(report.authors()) == SWAP
        assert report.remarks == ("1 reply with a diff: not taken for a patch of the series",)


def test_newest_revision_is_taken(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    v2 = [
        mail.replace(b"[PATCH ", b"[PATCH v2 ").replace(b"(vma->vm_mm, end, addr", b"(vma->vm_mm, addr, end")
        for mail in mails[1:3]
    ]
    v2 = [header(mail.replace(b"/3]", b"/2]"), "Message-Id", f"<v2-{n}@x>") for n, mail in enumerate(v2)]
    with checked(write(tmp_path, mbox([*mails, *v2])), linux) as report:
        assert [(p.revision, p.number, p.total) for p in report.patches] == [(2, 1, 2), (2, 2, 2)]
        assert (report.authors(), report.remarks) == ((), ())


def test_another_series_of_a_lower_revision_is_told(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    v2 = [header(mail.replace(b"[PATCH ", b"[PATCH v2 "), "Message-Id", f"<v2-{n}@x>") for n, mail in enumerate(mails)]
    others = [mail.replace(b"] mm", b"] other: mm") for mail in mails]
    with checked(write(tmp_path, mbox([*others, *v2])), linux) as report:
        assert [patch.revision for patch in report.patches] == [2, 2, 2]
        assert report.remarks == ("3 patches of v1, of which v2 has none: not looked at",)


def test_one_patch_of_a_new_revision_answers_the_old(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    named = [header(mail, "Message-Id", f"<{n}@v1>") for n, mail in enumerate(mails)]
    again = mails[2].replace(b"[PATCH 2/3]", b"[PATCH v2 2/3]")
    again = header(header(again, "In-Reply-To", "<2@v1>"), "Message-Id", "<2@v2>")
    with checked(write(tmp_path, mbox([*named, again])), linux) as report:
        assert [patch.revision for patch in report.patches] == [1, 2, 1]
        assert report.remarks == ("v2 is a part of the series: patches 1, 3 are those of the revision before it",)


def test_part_of_a_series(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    with checked(write(tmp_path, mbox(mails[:3])), linux) as report:
        assert report.remarks == ("the series has 3 patches; not there: 3",)
        assert told(report.authors()) == [(2, "introduced", "wrong-range", "mm/mprotect.c", LINE)]
    with pytest.raises(UsageError, match=r"patch 3/3 does not apply to .*; patch 2 is missing$"):
        checked(write(tmp_path, mbox([mails[1], mails[3]])), linux, base="base").__enter__()
    with pytest.raises(UsageError, match=r"patch 3/3 does not apply to .*; patches 1, 2 are missing$"):
        checked(write(tmp_path, mails[3]), linux, base="base").__enter__()


def test_two_mails_of_one_number(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    box = write(tmp_path, mbox([*mails, mails[2]]))
    with checked(box, linux) as report:
        assert told(report.authors()) == SWAP
    other = mails[2].replace(b"end, addr", b"addr, addr")
    box = write(tmp_path, mbox([*mails, other]))
    with pytest.raises(UsageError, match=r"two mails are patch 2/3: .*, mail 3, .*, mail 5; give a mailbox with one"):
        checked(box, linux).__enter__()


def test_renames_modes_and_binaries(linux: Path, tmp_path: Path) -> None:
    git(linux, "mv", "mm/mprotect.c", "mm/protect.c")
    commit(linux, "mm: rename", {})
    (linux / "mm/mremap.c").chmod(0o755)
    (linux / "logo.bin").write_bytes(bytes(range(256)) * 4)
    commit(linux, "mm: a mode and a picture", {})
    commit(linux, "mm/protect: name the range", {"mm/protect.c": (PLAIN, SWAPPED)})
    with checked(write(tmp_path, mbox(patches(linux))), linux) as report:
        assert [[(c.path, c.kind) for c in p.files] for p in report.patches] == [
            [("mm/protect.c", "renamed")],
            [("logo.bin", "binary"), ("mm/mremap.c", "mode")],
            [("mm/protect.c", "modified")],
        ]
        assert told(report.authors()) == [(3, "introduced", "wrong-range", "mm/protect.c", LINE)]
        # The note on the plain call goes with its file, until the third patch writes another call there.
        notes = [
            f for f in report.findings if f.diagnostic.rule == "unranged-walker" and f.diagnostic.path == "mm/protect.c"
        ]
        assert [(f.cause, f.patch, f.final, f.repaired_by) for f in notes] == [(Cause.OLD, 0, None, 3)]


def test_flowed_mail_is_refused_where_it_is_damaged(linux: Path, single: bytes, tmp_path: Path) -> None:
    flowed = recoded(single, "8bit").replace(b"charset=utf-8", b"charset=utf-8; format=flowed")
    with pytest.raises(UsageError, match=r"the mail is mangled by the sender's program \(format=flowed\)"):
        checked(write(tmp_path, flowed), linux).__enter__()


def test_thread_copied_from_a_page(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    bodies = [mail.split(b"\n\n", 1)[1].decode() for mail in mails]
    quoted = "\n".join("> " + line for line in bodies[2].split("\n"))
    page = (
        f"[PATCH 2/3] mm/mprotect: name the range\n\nA. Author posted 3 patches 2 days ago\n"
        f"[PATCH 2/3] mm/mprotect: name the range\nPosted by A. Author 2\N{NO-BREAK SPACE}days, 1 hour ago\n{bodies[2]}"
        f"Re: [PATCH 2/3] mm/mprotect: name the range\nPosted by R. Reader 1 day ago\nOn Monday, A. Author wrote:\n"
        f"{quoted}\n\nNo.\n"
    )
    with checked(write(tmp_path, page.encode(), "page.txt"), linux) as report:
        assert [(p.number, p.total, p.title, p.author) for p in report.patches] == [
            (2, 3, "mm/mprotect: name the range", "A. Author <author@example.org>")
        ]
        assert report.remarks == ("the series has 3 patches; not there: 1, 3",)
        assert told(report.authors()) == ONE


def test_subjects() -> None:
    assert parse_subject("[PATCHv3 RFC 02/10 mm-unstable] mm: x") == Subject(
        "mm: x", 2, 10, 3, True, False, True, ("mm-unstable",)
    )
    assert parse_subject("Re: Fwd: [RESEND PATCH [v2], 1/2] a [b] c") == Subject("a [b] c", 1, 2, 2, True, True, True)
    assert parse_subject("mm: plain") == Subject("mm: plain")
    assert parse_subject("[RFC] mm: x").is_patch and not parse_subject("[x] mm: x").is_patch


def test_nothing_to_check(linux: Path, mails: list[bytes], tmp_path: Path) -> None:
    for data, why in (
        (b"", "no mail is there; give an mbox, a maildir, a folder of patches or a range"),
        (mails[0], "no patch is there; it is a cover letter; give the patches as well"),
        (b"Dear all,\n\nhello.\n", "no mail is there"),
        (b"From: a@b\nSubject: hello\n\nhello\n", "no patch is there; give mails that hold a diff which is not quoted"),
    ):
        with pytest.raises(UsageError, match=why):
            checked(write(tmp_path, data), linux).__enter__()
    with pytest.raises(UsageError, match=r"nothing\.mbox: neither a mailbox nor a folder, and git knows no such range"):
        checked(tmp_path / "nothing.mbox", linux).__enter__()


def test_patches_one_by_one(
    linux: Path, mails: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(linux)
    folder = tmp_path / "sent"
    folder.mkdir()
    files = [write(folder, mail, f"{number}.patch") for number, mail in enumerate(mails)]
    shown = []
    for names in (files, files[::-1], [folder]):
        assert main(["series", "--no-config", *map(str, names)]) == 1
        shown.append(capsys.readouterr())
    assert shown[0] == shown[1] == shown[2]
    assert shown[0].out.startswith("patch 2/3: ") and "; 3 patches; " in shown[0].out
    for mixed in (["base..HEAD", str(files[1])], [str(files[1]), "base..HEAD"]):
        assert main(["series", "--no-config", *mixed]) == 2
        assert capsys.readouterr().err == (
            "mmlint: error: base..HEAD: a range of commits goes alone; give that, or files\n"
        )


def test_pipe_of_the_shell_is_read(linux: Path, mails: list[bytes]) -> None:
    """As the shell makes one of <(b4 am -o - MSGID)."""
    reader, writer = os.pipe()
    feeder = threading.Thread(target=lambda: Path(f"/dev/fd/{writer}").write_bytes(mbox(mails)))
    feeder.start()
    feeder.join(timeout=10)
    os.close(writer)
    with checked(f"/dev/fd/{reader}", linux) as report:
        assert len(report.patches) == 3
    os.close(reader)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (
            "topic",
            "topic: a commit, and no range; give topic..HEAD for what is on top of it, or topic^..topic for itself",
        ),
        ("HEAD", "HEAD: a commit, and no range; give HEAD^..HEAD for itself"),
        (
            "<a.1@example.org>",
            "<a.1@example.org>: mmlint fetches nothing; run b4 am -o - a.1@example.org | mmlint series -",
        ),
        ("x://y/a@b", "x://y/a@b: mmlint fetches nothing; run b4 am -o - x://y/a@b | mmlint series -"),
        ("", "'': the name is empty; give an mbox, a maildir, a folder of patches or a range"),
        ("/dev/null", "/dev/null: neither a mailbox nor a folder, and git knows no such range; give one of these"),
        ("HAED..topic", "HAED..topic: no such file, and {linux} has no commit HAED; give one of these"),
    ],
)
def test_what_to_give_instead(
    linux: Path, source: str, complaint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(linux)
    git(linux, "branch", "topic")
    commit(linux, "mm/mremap: a line", {"mm/mremap.c": ("#include", "\n#include")})
    assert main(["series", "--no-config", source]) == 2
    assert capsys.readouterr() == ("", f"mmlint: error: {complaint.format(linux=linux)}\n")


def test_ranged_name_is_that_of_the_samples() -> None:
    assert MPROTECT.startswith("\t" + RANGED) and RANGED in (LINUX / "include/linux/pgtable.h").read_text()
