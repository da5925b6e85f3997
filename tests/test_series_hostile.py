"""Patches that no honest person sends: refused with a reason, in bounded time and memory, and nothing is written."""

from __future__ import annotations

import base64
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
    """As much as is read at all, in one line: no more than a few copies of it are made."""
    body = base64.b64encode(new_file("mm/x.c", line="x" * (30 << 20)))
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
