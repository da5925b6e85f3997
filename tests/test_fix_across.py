"""A repair may stand in another file than the section that leads to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmlint.cli import main
from tests.test_audit_access import ENTRIES, tree_with

REPAIRED = ENTRIES.replace("pte_none(*ptep)", "pte_none(ptep_get(ptep))")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tree_with(tmp_path, "entry_goes_on(pte);"))
    return tmp_path


def test_the_other_file_is_in_the_diff(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--select", "raw-pte-access", "mm/walk.c"]) == 1
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line[:1] in "+-"] == [
        "--- a/mm/entries.h",
        "+++ b/mm/entries.h",
        "-	return pte_none(*ptep);",
        "+	return pte_none(ptep_get(ptep));",
    ]
    assert err == "1 fix shown in 1 file\n"
    assert (tree / "mm/entries.h").read_text(encoding="utf-8") == ENTRIES


def test_the_other_file_is_written_once(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (tree / "mm/walk.c").read_bytes()
    assert main(["fix", "--in-place", "--select", "raw-pte-access", "mm"]) == 1
    assert (tree / "mm/entries.h").read_text(encoding="utf-8") == REPAIRED
    assert (tree / "mm/walk.c").read_bytes() == before
    capsys.readouterr()
    assert main(["fix", "--in-place", "--select", "raw-pte-access", "mm"]) == 0
    assert (tree / "mm/entries.h").read_text(encoding="utf-8") == REPAIRED
    assert main(["check", "-q", "--select", "raw-pte-access", "mm"]) == 0


def test_a_file_that_cannot_be_read_any_more_is_named(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(path: str) -> bytes:
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr("mmlint.commands.fix.read", gone)
    assert main(["fix", "mm/walk.c"]) == 2
    assert capsys.readouterr().err.startswith("mmlint: error: mm/entries.h: No such file or directory; what is to be")
    assert (tree / "mm/entries.h").read_text(encoding="utf-8") == ENTRIES
