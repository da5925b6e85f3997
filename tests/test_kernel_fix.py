"""`mmlint fix --in-place` on a copy of real walkers: only the calls change, and nothing is left to say of them."""

from __future__ import annotations

import difflib
import itertools
import json
import shutil
from pathlib import Path

import pytest

from mmlint.cli import main
from tests.kernels import kernel

FILES = ("madvise.c", "memory.c", "migrate_device.c", "mprotect.c", "mremap.c", "vmscan.c")
OLD = "arch_enter_lazy_mmu_mode();"
CALL = "lazy_mmu_mode_enable_for_pte_range("


@pytest.fixture
def mm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mm"
    folder.mkdir()
    for name in FILES:
        shutil.copy(kernel("6.12") / "mm" / name, folder / name)
    monkeypatch.chdir(tmp_path)
    return folder


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    diff = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    removed = [line[1:] for line in diff if line.startswith("-")]
    added = [line[1:] for line in diff if line.startswith("+")]
    return removed, added


def test_fix_in_place(mm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: (mm / name).read_text() for name in FILES}
    assert main(["fix", "--in-place", "--unsafe", "mm"]) == 1
    after = {name: (mm / name).read_text() for name in FILES}
    removed, added = [], []
    for name in FILES:
        gone, new = changed_lines(before[name], after[name])
        removed += gone
        added += new
    assert [line.strip() for line in removed] == [OLD] * 11
    text = "\n".join(added)
    assert text.count(CALL) == 11
    assert all(len(line.expandtabs(8)) <= 80 for line in added)
    # A continuation line has two tabs more than the statement.
    wrapped = [(first, second) for first, second in itertools.pairwise(added) if not first.endswith(";")]
    assert len(wrapped) == 2
    for first, second in wrapped:
        tabs = len(first) - len(first.lstrip("\t"))
        assert second.startswith("\t" * (tabs + 2)) and not second.startswith("\t" * (tabs + 3))

    capsys.readouterr()
    assert main(["fix", "--in-place", "--unsafe", "mm"]) == 0
    assert {name: (mm / name).read_text() for name in FILES} == after

    capsys.readouterr()
    assert main(["check", "--format", "json", "mm"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [d for d in report["diagnostics"] if d["level"] != "note"] == []
    assert report["coverage"]["skipped"] == []


def test_safe_fixes_leave_two_ranges_alone(mm: Path) -> None:
    assert main(["fix", "--in-place", "mm"]) == 1
    calls = {name: (mm / name).read_text().count(CALL) for name in FILES}
    assert calls == {
        "madvise.c": 4,
        "memory.c": 3,
        "migrate_device.c": 1,
        "mprotect.c": 1,
        "mremap.c": 0,
        "vmscan.c": 0,
    }
    assert "lazy_mmu_mode_enable_for_pte_range(src_mm" not in (mm / "memory.c").read_text()
