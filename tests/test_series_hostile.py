"""Patches that no honest person sends: refused with a reason, in bounded time and memory, and nothing is written."""

from __future__ import annotations

import base64
import os
import resource
import time
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.config import UsageError
from mmlint.series.diff import MAX_HUNKS, PatchError, parse_diff
from mmlint.series.model import How
from tests.series_samples import LINUX, PLAIN, SWAPPED, checked, commit, git, made, mbox, patches, repository

HEAD = b"From: A. Author <author@example.org>\nSubject: [PATCH] mm: evil\n\nEvil.\n---\n"


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return repository(tmp_path / "linux")


def new_file(name: str, mode: str = "100644", line: str = "int x;") -> bytes:
    return (
        f"diff --git a/{name} b/{name}\nnew file mode {mode}\nindex 0000000..1111111\n--- /dev/null\n+++ b/{name}\n"
        f"@@ -0,0 +1 @@\n+{line}\n"
    ).encode()


def refused(linux: Path, folder: Path, diff: bytes) -> str:
    """What is said of a patch; nothing may be written outside of the temporary folder."""
    (folder / "evil.patch").write_bytes(HEAD + diff + b"-- \n2.39.5\n")
    before = {place: place.lstat().st_mtime_ns for place in sorted(folder.rglob("*"))}
    with pytest.raises(UsageError) as caught:
        checked(folder / "evil.patch", linux).__enter__()
    assert {place: place.lstat().st_mtime_ns for place in sorted(folder.rglob("*"))} == before
    return str(caught.value).replace(str(folder), "TMP")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../evil.c", "../../evil.c: the path leads out of the tree"),
        ("mm/../../evil.c", "mm/../../evil.c: the path leads out of the tree"),
        ("mm/./evil.c", "mm/./evil.c: the path leads out of the tree"),
        (".git/config", ".git/config: no file of a tree has that path"),
        ("mm/.GIT/hooks/x", "mm/.GIT/hooks/x: no file of a tree has that path"),
        (".git /x", ".git /x: no file of a tree has that path"),
        ("git~1/x", "git~1/x: no file of a tree has that path"),
        (".gitmodules", ".gitmodules: no file of a tree has that path"),
        ("mm//evil.c", "mm//evil.c: the path does not lie in the tree"),
        ("m" * 300, "no file of a tree has that path"),
    ],
)
def test_paths_that_lead_elsewhere(linux: Path, tmp_path: Path, name: str, why: str) -> None:
    told = refused(linux, tmp_path, new_file(name))
    assert told.startswith("TMP/evil.patch: refused: line ")
    assert told.endswith("; give the patch as git made it") and why in told


def test_absolute_and_quoted_paths(linux: Path, tmp_path: Path) -> None:
    absolute = b"--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n"
    assert "/etc/passwd: the path does not lie in the tree" in refused(linux, tmp_path, absolute)
    quoted = b'diff --git "a/\\056\\056/x" "b/\\056\\056/x"\nnew file mode 100644\n--- /dev/null\n+++ "b/\\056\\056/x"\n@@ -0,0 +1 @@\n+x\n'
    assert "../x: the path leads out of the tree" in refused(linux, tmp_path, quoted)
    renamed = b"diff --git a/mm/mremap.c b/x\nsimilarity index 100%\nrename from mm/mremap.c\nrename to ../x\n"
    assert "../x: the path leads out of the tree" in refused(linux, tmp_path, renamed + new_file("mm/y.c"))


@pytest.mark.parametrize(("mode", "what"), [("120000", "a symbolic link"), ("160000", "a submodule")])
def test_links_and_submodules(linux: Path, tmp_path: Path, mode: str, what: str) -> None:
    assert f"{what}; patches of these are not taken" in refused(linux, tmp_path, new_file("mm/link", mode))


def test_file_below_a_link_of_the_base(linux: Path, tmp_path: Path) -> None:
    (linux / "out").symlink_to(tmp_path)
    git(linux, "add", "-A")
    git(linux, "commit", "-qm", "a link")
    (tmp_path / "evil.patch").write_bytes(HEAD + new_file("out/evil.c"))
    assert main(["series", str(tmp_path / "evil.patch"), "--tree", str(linux), "--no-config"]) == 2
    assert not (tmp_path / "evil.c").exists()


def test_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "mm").mkdir(parents=True)
    (tmp_path / "secret.c").write_text("int secret;\n")
    (tree / "mm/x.c").symlink_to(tmp_path / "secret.c")
    (tmp_path / "evil.patch").write_bytes(
        HEAD + b"diff --git a/mm/x.c b/mm/x.c\n--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1 +1 @@\n-int secret;\n+int x;\n"
    )
    with checked(tmp_path / "evil.patch", tree) as report:
        assert report.base.is_degraded
        assert report.base.unseen[0].endswith("mm/x.c: No such file or directory")


@pytest.mark.parametrize(
    ("hunk", "why"),
    [
        (b"@@ -1,3 +1,3 @@\n a\n-b\n+c\n", "the hunk of line 3 is shorter than its header says"),
        (b"@@ -1 +1 @@\n-b\n+c\n+d\n", "the hunk of line 3 is longer than its header says"),
        (b"@@ -1,2 +1,2 @@\n-b\n-c\n-d\n", "the hunk of line 3 does not hold the lines that its header counts"),
        (b"@@ -x +y @@\n-b\n", "a hunk without line numbers"),
        (b"@@ -1,99999999999 +1 @@\n-b\n", "a hunk without line numbers"),
    ],
)
def test_counts_that_are_wrong(hunk: bytes, why: str) -> None:
    with pytest.raises(PatchError, match=why):
        parse_diff(b"--- a/mm/x.c\n+++ b/mm/x.c\n" + hunk)


def test_nuls(linux: Path, tmp_path: Path) -> None:
    (tmp_path / "evil.patch").write_bytes(b"\0" * 100_000)
    with pytest.raises(UsageError, match="it holds NUL bytes and is no mail; give an mbox or a patch"):
        checked(tmp_path / "evil.patch", linux).__enter__()
    told = refused(linux, tmp_path, new_file("mm/x.c", line="x" * 9000 + "\0"))
    assert "it holds NUL bytes: no text" in told or "git cannot read the mail" in told


def test_a_hundred_thousand_hunks(linux: Path, tmp_path: Path) -> None:
    hunks = b"".join(b"@@ -%d +%d @@\n-a\n+b\n" % (4 * n + 1, 4 * n + 1) for n in range(100_000))
    start = time.monotonic()
    told = refused(linux, tmp_path, b"diff --git a/mm/x.c b/mm/x.c\n--- a/mm/x.c\n+++ b/mm/x.c\n" + hunks)
    assert f"more than {MAX_HUNKS:,} hunks" in told
    assert time.monotonic() - start < 20


def test_huge_base64(linux: Path, tmp_path: Path) -> None:
    body = base64.encodebytes(new_file("mm/x.c", line="x" * (48 << 20)))
    assert len(body) > 64 << 20
    mail = HEAD.split(b"\n\n")[0] + b"\nContent-Transfer-Encoding: base64\n\n" + body
    (tmp_path / "evil.patch").write_bytes(mail)
    start = time.monotonic()
    with pytest.raises(UsageError, match="too large; at most 64 MiB and 5,000 mails are read"):
        checked(tmp_path / "evil.patch", linux).__enter__()
    assert time.monotonic() - start < 5


def test_large_base64_is_bounded(linux: Path, tmp_path: Path) -> None:
    """As much as is read at all, in one line of base64: no more than a few copies of it are made."""
    added = b"".join(b"+" + b"x" * 1_000_000 + b"\n" for _ in range(31))
    diff = new_file("mm/x.c").replace(b"@@ -0,0 +1 @@\n+int x;\n", b"@@ -0,0 +1,31 @@\n" + added)
    body = base64.b64encode(diff)
    mail = HEAD.split(b"\n\n")[0] + b"\nContent-Transfer-Encoding: base64\n\n" + body
    (tmp_path / "large.patch").write_bytes(mail)
    start = time.monotonic()
    code = main(["series", str(tmp_path / "large.patch"), "--tree", str(linux), "--no-config", "-q"])
    assert code == 0
    assert time.monotonic() - start < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000


def test_too_many_mails(linux: Path, tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(mbox([HEAD + b"x\n"] * 5_001))
    with pytest.raises(UsageError, match=r"5,001 mails; at most 64 MiB and 5,000 mails are read"):
        checked(tmp_path / "box", linux).__enter__()


def quickly(linux: Path, folder: Path, diff: bytes) -> str:
    """As `refused`, without any work on what is refused."""
    start = time.monotonic()
    told = refused(linux, folder, diff)
    assert time.monotonic() - start < 10
    return told


def test_lines_of_a_subject_are_no_mails_to_split(linux: Path, tmp_path: Path) -> None:
    """So many first lines of mails that git would write a file for each of them."""
    (tmp_path / "box").write_bytes(b"From x Mon Sep 17 00:00:00 2001\n" * 200_000)
    start = time.monotonic()
    with pytest.raises(
        UsageError, match=r"box: 200,000 mails; at most 64 MiB and 5,000 mails are read; give the mails"
    ):
        checked(tmp_path / "box", linux).__enter__()
    assert time.monotonic() - start < 10


def test_copies_without_end(linux: Path, tmp_path: Path) -> None:
    """Two lines for each make a file of which every one would be analysed."""
    copy = b"diff --git a/mm/memory.c b/mm/c%d.c\nsimilarity index 100%%\ncopy from mm/memory.c\ncopy to mm/c%d.c\n"
    told = quickly(linux, tmp_path, b"".join(copy % (n, n) for n in range(5_000)))
    assert told == (
        "TMP/evil.patch: refused: line 2004 of the patch: more than 500 copies of files; give the patches without it"
    )


def test_a_line_that_nobody_reads(linux: Path, tmp_path: Path) -> None:
    told = quickly(linux, tmp_path, new_file("mm/x.c", line="(lazy_mmu_mode_enable()" * 1_000_000))
    assert told.endswith("a line of more than 1 MiB; give the patches without it")


@pytest.mark.parametrize("size", ["99999999999", "9" * 5_000, "67108865"])
def test_binary_file_that_claims_to_be_large(linux: Path, tmp_path: Path, size: str) -> None:
    """git would make room for what a few bytes claim to unfold to."""
    diff = (
        "diff --git a/x.bin b/x.bin\nnew file mode 100644\nindex 0000000..1111111\nGIT binary patch\n"
        f"literal {size}\nHcmV?d00001\n\nliteral 0\nHcmV?d00001\n\n"
    )
    assert quickly(linux, tmp_path, diff.encode()).endswith(
        "line 6 of the patch: a binary file of more than 64 MiB; give the patches without it"
    )


@pytest.mark.parametrize("source", ["--output=TMP/x..HEAD", "HEAD\n..HEAD", "HEAD" + "^" * 5_000 + "..HEAD", "*..HEAD"])
def test_ranges_that_are_none(linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str) -> None:
    """Never taken for an option of git; told in one short line; no output file is begun."""
    written = tmp_path / "out.json"
    source = source.replace("TMP", str(tmp_path))
    words = ["series", "--tree", str(linux), "--no-config", "--output", f"json={written}"]
    assert main([*words, "--format=text", "--", source]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert "has no commit" in line and line.endswith("; give one of these") and len(line) < 1_000
    assert not written.exists() and not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
def test_files_that_are_none(linux: Path, tmp_path: Path, kind: str) -> None:
    """Nobody waits for a writer, and no device is read."""
    box = tmp_path / "box"
    box.mkdir()
    place = box / "0001.patch"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "link":
        place.symlink_to("/dev/zero")
    else:
        place.mkdir()
    start = time.monotonic()
    with pytest.raises(UsageError, match="box: no mail is there; give an mbox"):
        checked(box, linux).__enter__()
    if kind != "folder":
        with pytest.raises(UsageError, match="neither a mailbox nor a folder"):
            checked(place, linux).__enter__()
    assert time.monotonic() - start < 10


def test_mime_parts_within_parts(linux: Path, tmp_path: Path) -> None:
    parts = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(2_000))
    (tmp_path / "x.patch").write_bytes(HEAD.split(b"\n\n")[0] + b"\nMIME-Version: 1.0\n" + parts + new_file("mm/x.c"))
    with pytest.raises(UsageError, match="git cannot read the mail: Too many boundaries to handle; give it as it was"):
        checked(tmp_path / "x.patch", linux).__enter__()


def test_output_is_whole_or_not_there(linux: Path, tmp_path: Path) -> None:
    """A file from before stays as it is when the input is refused."""
    (tmp_path / "evil.patch").write_bytes(HEAD + new_file("../x.c"))
    written = tmp_path / "out.json"
    written.write_text("before")
    words = ["series", str(tmp_path / "evil.patch"), "--tree", str(linux), "--no-config"]
    assert main([*words, "--output", f"json={written}", "--output", f"fixup={tmp_path}/fixes"]) == 2
    assert written.read_text() == "before"
    assert not (tmp_path / "fixes").exists()


def test_headers_that_are_no_headers(linux: Path, tmp_path: Path) -> None:
    """Bytes of no charset, encoded words that are broken, a header without end: the patch counts."""
    (mail,) = made(linux, ("mm/mprotect: name", {"mm/mprotect.c": (PLAIN, SWAPPED)}))
    rest = mail.split(b"\n\n", 1)[1]
    head = (
        b"From: =?utf-8?q?\xff\xfe?= <a@b>\nSubject: =?bogus?b?!!!!?= [PATCH] \xff mm: x\nDate: never\nX-Long: "
        + b"y" * 100_000
    )
    (tmp_path / "odd.patch").write_bytes(head + b"\n\n" + rest)
    with checked(tmp_path / "odd.patch", linux) as report:
        assert [f.diagnostic.rule for f in report.authors()] == ["wrong-range"]


def test_terminal_is_not_written_to(linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mail,) = made(linux, ("mm/mprotect: name", {"mm/mprotect.c": (PLAIN, SWAPPED)}))
    evil = mail.replace(b"Subject: [PATCH] mm/mprotect: name", b"Subject: =?utf-8?q?[PATCH]_mm:_=1b[2J=07_evil?=")
    (tmp_path / "evil.patch").write_bytes(evil)
    assert main(["series", str(tmp_path / "evil.patch"), "--tree", str(linux), "--no-config"]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x07" not in out and "\\x1b[2J" in out


def test_names_that_look_like_options(linux: Path, tmp_path: Path) -> None:
    """Of a revision, a file and a range."""
    commit(linux, "mm: x", {"mm/x.c": (None, "int x;\n")})
    (mail,) = patches(linux)
    (tmp_path / "x.patch").write_bytes(mail)
    with pytest.raises(UsageError, match=r"^--base --output=x: .* has no such commit"):
        checked(tmp_path / "x.patch", linux, base="--output=x").__enter__()
    with pytest.raises(UsageError, match="has no commit --output=x"):
        checked("--output=x..HEAD", linux).__enter__()
    trailer = mail.replace(b"-- \n", b"base-commit: --output=deadbeef\n-- \n")
    (tmp_path / "x.patch").write_bytes(trailer)
    with checked(tmp_path / "x.patch", linux) as report:
        assert report.base.how is How.HEAD
        assert report.base.unseen == (f"the base-commit deadbeef is not in {linux}",)


def test_file_and_folder_of_one_name(linux: Path, tmp_path: Path) -> None:
    (tmp_path / "evil.patch").write_bytes(HEAD + new_file("mm/mremap.c/x.c"))
    assert main(["series", str(tmp_path / "evil.patch"), "--tree", str(linux), "--no-config"]) == 2
    (tmp_path / "evil.patch").write_bytes(HEAD + new_file("mm"))
    assert main(["series", str(tmp_path / "evil.patch"), "--tree", str(linux), "--no-config"]) == 2


def test_sample_is_as_it_was() -> None:
    assert PLAIN in (LINUX / "mm/mprotect.c").read_text()
