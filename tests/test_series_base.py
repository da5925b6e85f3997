"""How the base of a series is found, what is said of it, and that nothing of the user's is touched."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from mmlint.config import UsageError
from mmlint.series.model import Cause, How
from tests.series_samples import (
    LINUX,
    PLAIN,
    SWAPPED,
    broken_then_repaired,
    checked,
    commit,
    git,
    line_of,
    made,
    mbox,
    patches,
    repository,
    told,
)

LINE = line_of((LINUX / "mm/mprotect.c").read_text(), PLAIN)
ONE = [(1, "introduced", "wrong-range", "mm/mprotect.c", LINE)]
STEP = ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)})


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return repository(tmp_path / "linux")


def write(folder: Path, *mails: bytes) -> Path:
    (folder / "series.mbox").write_bytes(mbox(mails))
    return folder / "series.mbox"


def without_blobs(mail: bytes) -> bytes:
    return b"\n".join(line for line in mail.split(b"\n") if not line.startswith(b"index "))


def snapshot(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Everything in a folder: bytes, modes and times."""
    found = {}
    for place in sorted(folder.rglob("*")):
        status = place.lstat()
        data = place.read_bytes() if place.is_file() else b""
        found[str(place.relative_to(folder))] = (hashlib.sha256(data).hexdigest(), status.st_mode, status.st_mtime_ns)
    return found


def test_given_base(linux: Path, tmp_path: Path) -> None:
    (mail,) = made(linux, STEP)
    git(linux, "checkout", "-q", "main")
    box = write(tmp_path, mail)
    with checked(box, linux, base="main~1") as report:
        assert (report.base.how, report.base.name, report.base.unseen) == (How.GIVEN, "main~1", ())
        assert told(report.authors()) == ONE
    with pytest.raises(UsageError, match=r"series\.mbox: patch 1/1 does not apply to main: .*; give another --base$"):
        checked(box, linux, base="main").__enter__()
    with pytest.raises(UsageError, match=r"^--base nowhere: .* has no such commit; fetch it, or give another$"):
        checked(box, linux, base="nowhere").__enter__()


def test_base_commit_of_the_mail(linux: Path, tmp_path: Path) -> None:
    commit(linux, *STEP)
    base = git(linux, "rev-parse", "base").strip()
    (mail,) = patches(linux, "--base=base")
    assert b"base-commit: " in mail
    commit(linux, "mm: later", {"mm/mremap.c": (PLAIN, "\n" + PLAIN)})
    with checked(write(tmp_path, mail), linux) as report:
        assert (report.base.how, report.base.revision, report.base.unseen) == (How.TRAILER, base, ())


def test_base_commit_that_is_not_there(linux: Path, tmp_path: Path) -> None:
    commit(linux, *STEP)
    (mail,) = patches(linux)
    lost = "1234567890123456789012345678901234567890"
    with checked(write(tmp_path, mail.replace(b"-- \n", f"base-commit: {lost}\n-- \n".encode())), linux) as report:
        assert (report.base.how, report.base.name) == (How.BLOBS, "HEAD")
        assert report.base.unseen == (f"the base-commit 123456789012 is not in {linux}",)


def test_base_commit_that_does_not_take_the_patches(linux: Path, tmp_path: Path) -> None:
    commit(linux, *STEP)
    (mail,) = patches(linux)
    wrong = commit(linux, "mm: other", {"mm/mprotect.c": (PLAIN, "\tarch_enter_lazy_mmu_mode();\n")})
    git(linux, "checkout", "-q", "base")
    with checked(write(tmp_path, mail.replace(b"-- \n", f"base-commit: {wrong}\n-- \n".encode())), linux) as report:
        assert (report.base.how, report.base.name) == (How.BLOBS, "HEAD")
        reason = f"patch 1/1 does not apply there: patch failed: mm/mprotect.c:{LINE - 3}"
        assert report.base.unseen == (f"the base-commit {wrong[:12]} is not its base: {reason}",)
        assert told(report.authors()) == ONE


def test_prerequisites(linux: Path, tmp_path: Path) -> None:
    base = git(linux, "rev-parse", "base").strip()
    commit(linux, "mm: first", {"mm/mprotect.c": (PLAIN, "\t/* first */\n" + PLAIN)})
    needed = git(linux, "rev-parse", "HEAD").strip()
    commit(linux, *STEP)
    (mail,) = patches(linux, base="HEAD~1")
    ids = git(linux, "patch-id", "--stable", data=git(linux, "show", needed).encode()).split()[0]
    trailer = f"base-commit: {base}\nprerequisite-patch-id: {ids}\n-- \n"
    with checked(write(tmp_path, mail.replace(b"-- \n", trailer.encode())), linux) as report:
        assert (report.base.how, report.base.revision) == (How.PREREQUISITES, needed)
        assert told(report.authors()) == [(1, "introduced", "wrong-range", "mm/mprotect.c", LINE + 1)]
    other = mail.replace(b"-- \n", trailer.replace(ids, "0" * 39 + "1").encode())
    with checked(write(tmp_path, other), linux, base="") as report:
        assert (report.base.how, report.base.unseen) == (
            How.BLOBS,
            (
                "1 prerequisite patch of the series: not in any branch of the tree",
                f"the base-commit {base[:12]} is not its base: patch 1/1 does not apply there: "
                f"patch failed: mm/mprotect.c:{LINE - 2}",
            ),
        )


def test_prerequisites_as_format_patch_writes_them(linux: Path, tmp_path: Path) -> None:
    """Its ids are those of diffs without the heuristic that git shows diffs with."""
    one, two = (f"/*\n * Words.\n */\nint {name}(void);\n\n" for name in ("one", "two"))
    commit(linux, "mm: first", {"mm/words.h": (None, two)})
    needed = commit(linux, "mm: second", {"mm/words.h": (None, one + two)})
    commit(linux, *STEP)
    (mail,) = patches(linux, "--base=base", base="HEAD~1")
    written = mail.decode().split("prerequisite-patch-id: ")[2].split()[0]
    assert written != git(linux, "patch-id", "--stable", data=git(linux, "show", needed).encode()).split()[0]
    git(linux, "checkout", "-q", "base")
    with checked(write(tmp_path, mail), linux) as report:
        assert (report.base.how, report.base.revision, report.base.unseen) == (How.PREREQUISITES, needed, ())


@pytest.mark.parametrize("where", ["tag", "branch", "history"])
def test_blobs_of_any_branch(linux: Path, tmp_path: Path, where: str) -> None:
    old = git(linux, "rev-parse", "base").strip()
    (mail,) = made(linux, STEP)
    git(linux, "checkout", "-q", "-B", "main", "base")
    commit(linux, "mm: other", {"mm/mprotect.c": (PLAIN, "\tint other;\n")})
    git(linux, "tag", "-d", "base")
    if where == "branch":
        git(linux, "branch", "mm-unstable", old)
    elif where == "tag":
        git(linux, "tag", "-a", "-m", "x", "v1.0", old)
    with checked(write(tmp_path, mail), linux) as report:
        name = {"tag": "v1.0", "branch": "mm-unstable", "history": old[:12]}[where]
        assert (report.base.how, report.base.name, report.base.revision) == (How.BLOBS, name, old)
        assert told(report.authors()) == ONE


@pytest.mark.parametrize("is_marked", [True, False])
def test_blobs_below_head_go_before_those_of_another_branch(linux: Path, tmp_path: Path, is_marked: bool) -> None:
    """As its author has it who is on the branch of the series and has other ones."""
    base = git(linux, "rev-parse", "base").strip()
    commit(linux, *STEP)
    (mail,) = patches(linux)
    git(linux, "checkout", "-q", "-b", "topic", "base")
    commit(linux, "mm: newer, of another topic", {"mm/mremap.c": (PLAIN, "\n" + PLAIN)})
    git(linux, "checkout", "-q", "main")
    if not is_marked:
        git(linux, "tag", "-d", "base")
    with checked(write(tmp_path, mail), linux) as report:
        name = "base" if is_marked else base[:12]
        assert (report.base.how, report.base.name, report.base.revision) == (How.BLOBS, name, base)
        assert told(report.authors()) == ONE


def test_blob_of_a_file_that_was_renamed_before(linux: Path, tmp_path: Path) -> None:
    """A rename alone has no index line; that of the next patch names the same blob."""
    base = git(linux, "rev-parse", "base").strip()
    git(linux, "mv", "mm/mprotect.c", "mm/protect.c")
    commit(linux, "mm: rename", {})
    git(linux, "mv", "mm/protect.c", "mm/protection.c")
    commit(linux, "mm: rename again", {})
    commit(linux, "mm/protection: name the range", {"mm/protection.c": (PLAIN, SWAPPED)})
    mails = patches(linux)
    assert b"\nindex " not in mails[0] + mails[1]
    git(linux, "checkout", "-q", "main")
    with checked(write(tmp_path, mbox(mails)), linux) as report:
        assert (report.base.how, report.base.name, report.base.revision) == (How.BLOBS, "base", base)
        assert told(report.authors()) == [(3, "introduced", "wrong-range", "mm/protection.c", LINE)]


def test_head_by_merging(linux: Path, tmp_path: Path) -> None:
    (mail,) = made(linux, STEP)
    git(linux, "checkout", "-q", "-B", "main", "base")
    text = (LINUX / "mm/mprotect.c").read_text()
    (linux / "mm/mprotect.c").write_text(
        "\n\n\n"
        + text.replace("\tflush_tlb_batched_pending(vma->vm_mm);\n", "\n\tflush_tlb_batched_pending(vma->vm_mm);\n", 1)
    )
    git(linux, "commit", "-qam", "other")
    git(linux, "tag", "-d", "base")
    git(linux, "reflog", "expire", "--expire=now", "--all")
    git(linux, "checkout", "-q", "--orphan", "fresh")
    git(linux, "commit", "-qm", "fresh")
    git(linux, "branch", "-D", "main")
    with checked(write(tmp_path, mail), linux) as report:
        assert report.base.how is How.HEAD
        assert report.base.unseen == ("the base was not found: git had to merge the patches",)
        assert [f.diagnostic.rule for f in report.authors()] == ["wrong-range"]


def test_pre_images_alone(linux: Path, tmp_path: Path) -> None:
    """The blobs lie in the store, but no branch has them and HEAD is another tree."""
    (mail,) = made(linux, STEP)
    git(linux, "checkout", "-q", "--orphan", "fresh")
    (linux / "mm/mprotect.c").write_text("int x;\n")
    git(linux, "add", "-A")
    git(linux, "commit", "-qm", "fresh")
    for name in ("main",):
        git(linux, "branch", "-D", name)
    git(linux, "tag", "-d", "base")
    with checked(write(tmp_path, mail), linux) as report:
        assert (report.base.how, report.base.name) == (How.PRE_IMAGES, "its pre-images")
        assert report.base.unseen == (
            "only the files of the series are those it was made for; all others are those of HEAD",
        )
        assert told(report.authors()) == ONE


def test_nothing_but_the_hunks(linux: Path, tmp_path: Path) -> None:
    (mail,) = made(linux, STEP)
    other = tmp_path / "other"
    other.mkdir()
    (other / "readme.c").write_text("int x;\n")
    with checked(write(tmp_path, mail), other) as report:
        assert report.base.how is How.HUNKS and report.base.is_degraded
        assert report.base.unseen[0] == f"{other} is another tree: mm/mprotect.c: No such file or directory"
        assert report.authors() == ()
        assert [(s.path, s.function, s.line, s.reason) for s in report.skipped] == [
            (
                "mm/mprotect.c",
                "change_pte_range",
                LINE,
                "the patch does not show the function whole, and its file was not found",
            )
        ]


def test_hunks_show_a_whole_function(tmp_path: Path) -> None:
    """A file that the patch makes is seen whole; what depends on callers is not claimed."""
    linux = repository(tmp_path / "linux")
    text = (LINUX / "mm/mprotect.c").read_text().replace(PLAIN, SWAPPED)
    (mail,) = made(linux, ("mm: new file", {"mm/other.c": (None, text)}))
    changed = mail.replace(
        b"diff --git a/mm/other.c",
        b"diff --git a/mm/gone.c b/mm/gone.c\nindex 1111111..2222222 100644\n--- a/mm/gone.c\n+++ b/mm/gone.c\n@@ -1 +1 @@\n-int x;\n+int y;\ndiff --git a/mm/other.c",
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    with checked(write(tmp_path, changed), empty) as report:
        assert report.base.how is How.HUNKS
        assert told(report.authors()) == [(1, "introduced", "wrong-range", "mm/other.c", LINE)]
        assert report.read("mm/other.c", 1).decode() == text
        assert report.skipped == ()


def test_folder_that_is_no_repository(linux: Path, tmp_path: Path) -> None:
    mails = broken_then_repaired(linux)
    plain = tmp_path / "plain"
    shutil.copytree(LINUX, plain)
    before = snapshot(plain)
    with checked(write(tmp_path, *mails), plain) as report:
        assert (report.base.how, report.base.unseen) == (How.FOLDER, ())
        assert [f.diagnostic.rule for f in report.authors()] == ["broken-then-repaired"]
        assert len(report.final.facts) > 5
        assert report.read("mm/mremap.c", 3) == (LINUX / "mm/mremap.c").read_bytes()
    assert snapshot(plain) == before
    with pytest.raises(UsageError, match=r"^--base v1: .* is no git repository; leave --base away$"):
        checked(write(tmp_path, *mails), plain, base="v1").__enter__()


def test_folder_below_a_repository_is_a_tree_of_its_own(linux: Path, tmp_path: Path) -> None:
    (mail,) = made(linux, STEP)
    shutil.copytree(LINUX, linux / "sample")
    with checked(write(tmp_path, mail), linux / "sample") as report:
        assert report.base.how is How.FOLDER
        assert told(report.authors()) == ONE


def test_bare_repository_worktree_and_readonly(linux: Path, tmp_path: Path) -> None:
    (mail,) = made(linux, STEP)
    box = write(tmp_path, mail)
    git(tmp_path, "clone", "-q", "--bare", str(linux), "bare.git")
    git(linux, "worktree", "add", "-q", str(tmp_path / "second"), "base")
    for tree in (tmp_path / "bare.git", tmp_path / "second", linux / ".git"):
        with checked(box, tree) as report:
            assert report.base.how is How.BLOBS
            assert told(report.authors()) == ONE


def test_nothing_of_the_users_is_touched(linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even with a hook, a dirty work tree, a staged change, and variables that a hook is run with."""
    mails = broken_then_repaired(linux)
    (linux / "mm/mremap.c").write_text("dirty\n")
    (linux / "mm/vmscan.c").write_text("staged\n")
    git(linux, "add", "mm/vmscan.c")
    for name in ("post-checkout", "pre-applypatch", "reference-transaction", "post-index-change", "applypatch-msg"):
        hook = linux / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/RAN\n")
        hook.chmod(0o755)
    git(linux, "config", "core.fsmonitor", f"touch {tmp_path}/RAN")
    box = write(tmp_path, *mails)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setenv("GIT_DIR", str(linux / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(linux / ".git/index"))
    before = snapshot(linux)
    with checked(box, linux) as report:
        assert [f.diagnostic.rule for f in report.authors()] == ["broken-then-repaired"]
        own = Path(report.store.git("rev-parse", "--absolute-git-dir").decode().strip()).parent
        assert list(temporary.iterdir()) == [own]
    assert snapshot(linux) == before
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "RAN").exists()


def test_states_can_be_read_and_given_to_git(linux: Path, tmp_path: Path) -> None:
    with checked(write(tmp_path, *broken_then_repaired(linux)), linux) as report:
        texts = [report.read("mm/mprotect.c", state).decode() for state in range(4)]
        assert [SWAPPED in text for text in texts] == [False, False, True, False]
        log = report.store.git("log", "--format=%s", f"{report.store.commit(0)}..{report.store.commit(3)}").decode()
        assert log.split("\n")[:3] == [p.title for p in reversed(report.patches)]
        with pytest.raises(FileNotFoundError):
            report.read("mm/nothing.c", 1)
        finding = next(f for f in report.findings if f.diagnostic.rule == "wrong-range")
        assert (finding.cause, finding.repaired_by, finding.is_authors) == (Cause.INTRODUCED, 3, False)
        line = report.patches[1].line_in_patch("mm/mprotect.c", LINE)
        assert line is not None
        assert report.patches[1].text.split(b"\n")[line - 1] == b"+" + SWAPPED.rstrip("\n").encode()
