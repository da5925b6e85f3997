"""The hooks with the programs that run them: git, b4, git send-email. What is missing is told by the skip."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmlint.cli import main
from tests.series_samples import LINUX, MPROTECT, PLAIN, RANGED, SWAPPED, commit, git, line_of, made, mbox, repository

LINE = line_of((LINUX / "mm/mprotect.c").read_text(), PLAIN)
HERE = Path(sys.executable).parent
B4 = shutil.which("b4", path=f"{HERE}{os.pathsep}{os.environ.get('PATH', '')}")
EXEC_PATH = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=False).stdout.strip()
SEND_EMAIL = (Path(EXEC_PATH) / "git-send-email").exists()
FOUND = f"mm/mprotect.c:{LINE}: ERROR:wrong-range: 'end' and 'addr' are swapped: 'pte' is the entry for 'addr'"

needs_b4 = pytest.mark.skipif(not B4, reason="B4 IS NOT INSTALLED: ITS CHECK COMMANDS ARE NOT TRIED; pip install b4")
needs_send_email = pytest.mark.skipif(
    not SEND_EMAIL, reason="GIT SEND-EMAIL IS NOT INSTALLED: ITS HOOK IS NOT TRIED; apt-get install git-email"
)


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "linux")
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("GIT_", "MMLINT_", "B4_", "PRE_COMMIT"))]:
        monkeypatch.delenv(name)
    return folder


@pytest.fixture
def tools(linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment in which mmlint is found, and no configuration of the user."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("PATH", f"{HERE}{os.pathsep}{os.environ['PATH']}")
    for key, value in (("user.name", "A. Author"), ("user.email", "author@example.org")):
        git(linux, "config", key, value)
    return linux


def install(linux: Path, hook: str) -> None:
    place = linux / ".git/hooks" / hook
    place.parent.mkdir(exist_ok=True)
    place.write_text(f'#!/bin/sh\nexec mmlint hook {hook} "$@"\n')
    place.chmod(0o755)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def given(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


STEPS = (
    ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}),
    ("mm/mremap: a blank line", {"mm/mremap.c": ("#include", "\n#include")}),
)


def test_b4_check_speaks_as_b4_wants(
    linux: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mails = made(linux, *STEPS, options=["--cover-letter"])
    told = []
    for mail in mails:
        given(monkeypatch, mail.split(b"\n", 1)[1])
        assert main(["b4-check", "--no-config"]) == 0
        told.append(capsys.readouterr())
    assert [(out, err) for out, err in told] == [("", ""), (FOUND + "\n", ""), ("", "")]
    entries = []
    for mail in mails:
        given(monkeypatch, mail.split(b"\n", 1)[1])
        assert main(["b4-check", "--json", "--no-config"]) == 0
        entries.append(json.loads(capsys.readouterr().out))
    assert [[entry["status"] for entry in found] for found in entries] == [[], ["fail"], ["pass"]]
    assert entries[1][0]["summary"].startswith("1 error")
    assert entries[1][0]["details"].startswith(f"mm/mprotect.c:{LINE}:49: error: 'end' and 'addr' are swapped")


def test_b4_check_never_fails(linux: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (mail,) = made(linux, STEPS[0])
    evil = mail.replace(b"mm/mprotect.c", b"../../evil.c")
    given(monkeypatch, evil)
    assert main(["b4-check", "--no-config"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(
        r"WARNING: mmlint could not check it: <stdin>: refused: line \d+ of the patch: .*evil.c: the path leads out of the tree; .*\n",
        out,
    )
    assert err == ""
    given(monkeypatch, evil)
    assert main(["b4-check", "--json", "--no-config"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["tool"], entry["status"]) == ("mmlint", "warn")


def test_b4_review_gives_the_series(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = commit(linux, *STEPS[0])
    commit(linux, "mm/mprotect: put it right", {"mm/mprotect.c": (SWAPPED, MPROTECT)})
    git(linux, "commit", "-q", "--allow-empty", "-m", "b4 tracking")
    tracking = tmp_path / "tracking.json"
    tracking.write_text(json.dumps({"series": {"first-patch-commit": first, "patches": [{}, {}]}}))
    monkeypatch.setenv("B4_TRACKING_FILE", str(tracking))
    given(monkeypatch, b"")
    assert main(["b4-check", "--json", "--series", "--no-config"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["status"] == "warn"
    assert "[broken-then-repaired]" in entry["details"] and "2 patches" in entry["summary"]


@needs_b4
def test_b4_prep_and_am(tools: Path, tmp_path: Path) -> None:
    assert B4
    for key in ("b4.prep-perpatch-check-cmd", "b4.am-perpatch-check-cmd"):
        git(tools, "config", key, "mmlint b4-check --no-config")
    made_branch = run(B4, "--offline-mode", "prep", "-n", "walk", "-f", "main")
    assert made_branch.returncode == 0, made_branch.stderr
    for step in STEPS:
        commit(tools, *step)
    checked = run(B4, "--offline-mode", "prep", "--check")
    told = re.sub(r"\x1b\[[0-9;]*m", "", checked.stdout + checked.stderr)
    assert f"mmlint: {FOUND}" in told
    assert "Success: 1, Warning: 0, Error: 1" in told
    git(tools, "checkout", "-q", "main")
    names = git(tools, "format-patch", "-o", str(tmp_path / "out"), "--thread", "main..b4/walk", "--", "mm").split()
    (tmp_path / "thread.mbox").write_bytes(mbox([Path(name).read_bytes() for name in names]))
    got = run(B4, "--offline-mode", "am", "--check", "-m", str(tmp_path / "thread.mbox"), "-o", str(tmp_path / "am"))
    told = re.sub(r"\x1b\[[0-9;]*m", "", got.stdout + got.stderr)
    assert got.returncode == 0, told
    assert f"mmlint: {FOUND}" in told
    assert "mmlint: passed all checks" in told
    (box,) = (tmp_path / "am").glob("*.mbx")
    assert main(["series", str(box), "--no-config"]) == 1


@needs_send_email
def test_send_email_stops_before_anything_is_sent(tools: Path, tmp_path: Path) -> None:
    mails = made(tools, *STEPS, options=["--cover-letter"])
    folder = tmp_path / "mails"
    folder.mkdir()
    for number, mail in enumerate(mails):
        text = mail.replace(b"*** SUBJECT HERE ***", b"mm: two").replace(b"*** BLURB HERE ***", b"Two.")
        (folder / f"{number:04}.patch").write_bytes(text)
    install(tools, "sendemail-validate")
    words = ["send-email", "--dry-run", "--to=a@example.org", "--from=b@example.org", "--suppress-cc=all"]
    stopped = run("git", *words, *map(str, sorted(folder.iterdir())))
    assert stopped.returncode != 0
    assert f"mm/mprotect.c:{LINE}:49: error: " in stopped.stdout + stopped.stderr
    assert "no patches were sent" in stopped.stderr
    (folder / "0001.patch").unlink()
    sent = run("git", *words, *map(str, sorted(folder.iterdir())))
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.count("Dry-OK") == 2


def test_commit_is_stopped(tools: Path) -> None:
    install(tools, "pre-commit")
    (tools / "mm/mprotect.c").write_text((LINUX / "mm/mprotect.c").read_text().replace(PLAIN, SWAPPED))
    git(tools, "add", "-A")
    # The work tree is right again: what is staged is judged.
    (tools / "mm/mprotect.c").write_text((LINUX / "mm/mprotect.c").read_text())
    before = git(tools, "count-objects", "-v")
    assert main(["hook", "pre-commit", "--no-config", "-q"]) == 1
    assert git(tools, "count-objects", "-v") == before
    stopped = run("git", "commit", "-m", "x")
    assert stopped.returncode == 1
    assert f"mm/mprotect.c:{LINE}:49: error: " in stopped.stdout + stopped.stderr
    # With -a git gives another index to the hook.
    assert run("git", "commit", "-a", "--allow-empty", "-m", "x").returncode == 0
    assert git(tools, "rev-list", "--count", "HEAD").strip() == "2"


HALF = ("mm/madvise: name the first range", {"mm/madvise.c": (PLAIN, f"\t{RANGED}(mm, addr, end, start_pte);\n")})


def test_what_one_patch_leaves_is_for_the_next(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of a function in one patch: told of a series that is all there, not of a patch that is looked at alone."""
    first, second = made(linux, HALF, STEPS[1])
    for command in (["b4-check"], ["b4-check", "--json"]):
        given(monkeypatch, first.split(b"\n", 1)[1])
        assert main([*command, "--no-config"]) == 0
        assert "incomplete-conversion" not in capsys.readouterr().out
    (tmp_path / "one").write_bytes(first)
    assert main(["hook", "sendemail-validate", str(tmp_path / "one"), "--no-config"]) == 0
    (linux / "mm/madvise.c").write_text((LINUX / "mm/madvise.c").read_text().replace(*HALF[1]["mm/madvise.c"], 1))
    git(linux, "add", "-A")
    assert main(["hook", "pre-commit", "--no-config"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["series", str(tmp_path / "one"), "--no-config"]) == 0
    out = capsys.readouterr().out
    assert "incomplete-conversion" not in out and "note: the series has 2 patches; not there: 2\n" in out
    (tmp_path / "both").write_bytes(mbox([first, second]))
    assert main(["series", str(tmp_path / "both"), "--no-config"]) == 1
    assert capsys.readouterr().out.count("[incomplete-conversion]") == 1


def test_push_is_stopped(tools: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(tools, "remote", "add", "origin", str(tmp_path / "remote.git"))
    install(tools, "pre-push")
    assert run("git", "push", "-q", "origin", "main").returncode == 0
    git(tools, "checkout", "-q", "-b", "topic")
    commit(tools, *STEPS[1])
    assert run("git", "push", "-q", "origin", "topic").returncode == 0
    commit(tools, *STEPS[0])
    stopped = run("git", "push", "-q", "origin", "topic")
    assert stopped.returncode != 0
    assert f"mm/mprotect.c:{LINE}:49: error: " in stopped.stdout + stopped.stderr
    assert git(tools, "rev-list", "--count", "origin/topic").strip() == "2"
    # A new branch: from where it leaves what the remote has.
    git(tools, "checkout", "-q", "-b", "other", "topic~1")
    commit(tools, "mm/vmalloc: fine", {"mm/vmalloc.c": ("#include", "\n#include")})
    assert run("git", "push", "-q", "origin", "other").returncode == 0
    assert run("git", "push", "-q", "origin", ":other").returncode == 0


def test_push_of_several_refs_tells_each_commit_once(tools: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(tools, "remote", "add", "origin", str(tmp_path / "remote.git"))
    assert run("git", "push", "-q", "origin", "main").returncode == 0
    git(tools, "checkout", "-q", "-b", "topic")
    wrong = commit(tools, *STEPS[0])
    git(tools, "tag", "light")
    git(tools, "tag", "-m", "annotated", "heavy")
    git(tools, "checkout", "-q", "-b", "fine", "main")
    commit(tools, *STEPS[1])
    install(tools, "pre-push")
    stopped = run("git", "push", "-q", "origin", "fine", "topic", "light", "heavy")
    assert stopped.returncode != 0
    told = stopped.stdout + stopped.stderr
    assert told.count(f"mm/mprotect.c:{LINE}:49: error: ") == 1
    base = git(tools, "rev-parse", "--short=12", "base").strip()
    assert f"\nbase: {base}..{wrong[:12]}, where the range begins\n" in told
    assert (
        "mmlint: stopped for topic, tags/light, tags/heavy: nothing is pushed; "
        "git push --no-verify pushes it all the same\n"
    ) in told
    assert run("git", "push", "-q", "origin", "fine").returncode == 0


def test_repository_is_where_git_says(tools: Path, tmp_path: Path) -> None:
    """A work tree without a .git: git tells its hooks by variables."""
    install(tools, "pre-commit")
    away = tmp_path / "away.git"
    (tools / ".git").rename(away)
    place = [f"--git-dir={away}", f"--work-tree={tools}"]
    (tools / "mm/mprotect.c").write_text((LINUX / "mm/mprotect.c").read_text().replace(PLAIN, SWAPPED))
    stopped = run("git", *place, "commit", "-q", "-a", "-m", "x")
    assert stopped.returncode == 1
    assert f"mm/mprotect.c:{LINE}:49: error: " in stopped.stdout + stopped.stderr
    assert stopped.stderr.endswith("mmlint: nothing is committed; git commit --no-verify commits it all the same\n")
    # A repository of another place, such as one that a caller has left in the environment, is not taken for it.
    other = subprocess.run(
        ["mmlint", "series", "base..HEAD", "--no-config"],
        cwd=tools,
        env={**os.environ, "GIT_DIR": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert other.returncode == 2 and "which is no git repository" in other.stderr


def test_hook_that_cannot_check_does_not_stop(linux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (linux / "letter").write_text("From: a@example.org\nSubject: [PATCH 0/2] two\n\nhello\n")
    assert main(["hook", "sendemail-validate", "letter", "--no-config"]) == 0
    assert capsys.readouterr() == ("", "")
    (linux / "letter").write_bytes(b"\0" * 100)
    assert main(["hook", "sendemail-validate", "letter", "--no-config"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("mmlint: not checked: letter: it holds NUL bytes and is no mail")
    assert main(["hook", "sendemail-validate", "--no-config"]) == 2
    assert main(["hook", "pre-commit", "--no-config"]) == 0
    assert main(["hook", "post-commit"]) == 2


def test_check_takes_commits(linux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step in STEPS:
        commit(linux, *step)
    assert main(["check", "-g", "base..HEAD", "--no-config"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("patch 1/2: mm/mprotect: name the range\n")
    assert main(["check", "--git", "HEAD", "--no-config"]) == 0
    capsys.readouterr()
    assert main(["check", "-g", "base..HEAD", "mm", "--no-config"]) == 2
    assert capsys.readouterr().err == (
        "mmlint: error: PATH: commits are checked, not files; leave it or -g base..HEAD away\n"
    )
