"""What vim makes of the lines of ``text`` and ``terse`` with the errorformat that it comes with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mmlint.cli import main
from tests.series_samples import LINUX, PLAIN, SWAPPED, line_of, made, mbox, repository

VIM = shutil.which("vim")
FILE = "mm/a dir%1, x::y/größe it's.c"
LINE = line_of((LINUX / "mm/mprotect.c").read_text(), PLAIN)
SAID = "'end' and 'addr' are swapped: 'pte' is the entry for 'addr'"
_PLACES = "map(getqflist(), {_, e -> [bufname(e.bufnr), e.lnum, e.col, e.text, e.valid]})"

needs_vim = pytest.mark.skipif(
    not VIM, reason="VIM IS NOT INSTALLED: ITS ERRORFORMAT IS NOT TRIED; apt-get install vim"
)

Place = tuple[str, int, int, str]


def places(folder: Path, text: str) -> list[Place]:
    """File, line, column (in bytes, 0 for none) and text of what vim can jump to."""
    assert VIM
    (folder / "errors").write_text(text)
    save = f"call writefile([json_encode({_PLACES})], 'places')"
    command = [
        VIM,
        "-es",
        "-u",
        "NONE",
        "-N",
        "-c",
        "set encoding=utf-8",
        "-c",
        "cfile errors",
        "-c",
        save,
        "-c",
        "qa!",
    ]
    variables = {**os.environ, "LC_ALL": "C.UTF-8"}
    subprocess.run(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, check=False, timeout=60)
    found = json.loads((folder / "places").read_text(encoding="utf-8"))
    return [(name, line, column, said.strip()) for name, line, column, said, valid in found if valid]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "linux")
    (folder / FILE).parent.mkdir()
    (folder / FILE).write_text((folder / "mm/mprotect.c").read_text().replace(PLAIN, SWAPPED))
    monkeypatch.chdir(folder)
    return folder


@needs_vim
def test_findings_of_check(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--no-config", FILE]) == 1
    text = capsys.readouterr().out
    assert places(tree, text) == [
        (FILE, LINE, 49, f"error: {SAID} [wrong-range]"),
        (FILE, LINE - 8, 8, "note: pte is the entry for addr"),
    ]
    assert main(["check", "--no-config", "--format", "terse", FILE]) == 1
    assert places(tree, capsys.readouterr().out) == [(FILE, LINE, 0, f"ERROR:wrong-range: {SAID}")]


@needs_vim
def test_findings_of_a_series(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / FILE).unlink()
    mails = made(tree, ('mm/mprotect: "größer", 100% :: x', {"mm/mprotect.c": (PLAIN, SWAPPED)}))
    (tree / "series.mbox").write_bytes(mbox(mails))
    assert main(["series", "--no-config", "series.mbox"]) == 1
    assert places(tree, capsys.readouterr().out) == [
        ("mm/mprotect.c", LINE, 49, f"error: {SAID} [wrong-range]"),
        ("mm/mprotect.c", LINE - 8, 8, "note: pte is the entry for addr"),
    ]
