"""The list of suppressions in a series: what it accepts, and what a patch makes unneeded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mmlint.cli import main
from tests.series_samples import MPROTECT, PLAIN, SWAPPED, commit, git, made, mbox, repository

VMALLOC = "\tlazy_mmu_mode_enable_for_pte_range(&init_mm, end, addr, pte);\n"
FORMATS = ("text", "json", "jsonl", "sarif", "terse", "rdjson", "github", "gitlab", "junit", "checkstyle")


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    """A base with two faults, each accepted by the list at its top, which also has an entry for what never was."""
    folder = repository(tmp_path / "linux")
    commit(folder, "two faults", {"mm/mprotect.c": (PLAIN, SWAPPED), "mm/vmalloc.c": (PLAIN, VMALLOC)})
    git(folder, "tag", "-f", "base")
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["series", *words])
    return code, capsys.readouterr().out


def found(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    document = json.loads(run(capsys, *words, "--format", "json")[1])
    return [entry for entry in document["diagnostics"] if entry["rule"] == "unused-suppression"]


def accept(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, paths: Sequence[str]) -> Path:
    """A list that `mmlint check` writes, with one entry more."""
    monkeypatch.chdir(folder)
    assert main(["check", "--write-suppressions", name, "--reason", "as agreed", "--level", "warning", *paths]) == 0
    list_ = folder / name
    lines = list_.read_text().splitlines()
    assert len(lines) == 1 + len(paths)
    prefix = "" if "/" in name else "mm/"
    list_.write_text("\n".join([*lines, f"{'0' * 16} wrong-mm {prefix}mprotect.c # never was\n"]))
    return list_


def test_entry_that_a_patch_makes_unneeded(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = (
        ("mm/mprotect: a blank line", {"mm/mprotect.c": (SWAPPED, SWAPPED + "\n")}),
        ("mm/mprotect: mend it", {"mm/mprotect.c": (SWAPPED, MPROTECT)}),
    )
    mails = made(linux, *steps)
    list_ = accept(linux, ".mmlint-suppressions", monkeypatch, ["mm/mprotect.c", "mm/vmalloc.c"])
    (tmp_path / "x.mbox").write_bytes(mbox(mails))
    words = [str(tmp_path / "x.mbox"), "--suppressions", str(list_)]
    gone, never = found(capsys, *words)
    message = "nothing is suppressed: {} is not found there in mm/mprotect.c; delete the entry"
    line = list_.read_text().splitlines().index(next(x for x in list_.read_text().splitlines() if "mprotect" in x)) + 1
    assert (gone["path"], gone["line"], gone["level"], gone["message"]) == (
        ".mmlint-suppressions",
        line,
        "note",
        message.format("wrong-range"),
    )
    assert (gone["patch"], gone["cause"], gone["authors"]) == (2, "introduced", True)
    assert (never["line"], never["message"]) == (4, message.format("wrong-mm"))
    assert (never["patch"], never["cause"], never["authors"]) == (0, "old", False)
    code, text = run(capsys, *words)
    assert code == 0
    told = [x for x in text.splitlines() if "unused-suppression" in x]
    assert told == [f".mmlint-suppressions:{line}:1: note: {message.format('wrong-range')} [unused-suppression]"]
    assert "1 note (" in text and ", 1 suppressed;" not in text.splitlines()[0]
    assert sum("unused-suppression" in x for x in run(capsys, *words, "--all")[1].splitlines()) == 2
    assert run(capsys, *words, "--fail-level", "note")[0] == 1
    assert "unused" not in run(capsys, *words, "--level", "warning")[1]
    assert "unused" not in run(capsys, *words, "--ignore", "unused-suppression")[1]
    assert "unused" not in run(capsys, *words, "--ignore", "wrong-range")[1]
    for name in FORMATS:
        assert "unused-suppression" in run(capsys, *words, "--format", name)[1], name
    # The author of a patch is not asked to look after somebody's list.
    assert run(capsys, *words, "--format", "mail")[1] == ""


@pytest.mark.parametrize("name", [".mmlint-suppressions", "mm/accepted"])
def test_list_of_check_accepts_the_same_in_a_series(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Also from a folder below the top, where check writes other paths."""
    mails = made(linux, ("mm/mprotect: a blank line", {"mm/mprotect.c": (SWAPPED, "\n" + SWAPPED)}))
    accept(linux, name, monkeypatch, ["mm/mprotect.c", "mm/vmalloc.c"])
    (tmp_path / "x.mbox").write_bytes(mbox(mails))
    words = [str(tmp_path / "x.mbox"), "--suppressions", name]
    document = json.loads(run(capsys, *words, "--all", "--format", "json")[1])
    assert sorted((x["rule"], x["path"], x["reason"]) for x in document["suppressed"]) == [
        ("wrong-range", "mm/mprotect.c", "as agreed"),
        ("wrong-range", "mm/vmalloc.c", "as agreed"),
    ]
    assert [x["authors"] for x in found(capsys, *words)] == [False]


def test_what_was_not_seen_makes_no_entry_unneeded(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = "\tif (pte_none(*pte {{ ] )) <- ;\n" + SWAPPED
    mails = made(linux, ("mm/mprotect: break it", {"mm/mprotect.c": (SWAPPED, broken)}))
    accept(linux, ".mmlint-suppressions", monkeypatch, ["mm/mprotect.c"])
    (tmp_path / "x.mbox").write_bytes(mbox(mails))
    words = [str(tmp_path / "x.mbox"), "--suppressions", ".mmlint-suppressions"]
    code, text = run(capsys, *words)
    assert code == 2 and "was not analysed" in text
    assert "unused" not in text
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "unused" not in run(capsys, *words, "--tree", str(empty))[1]
