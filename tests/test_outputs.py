"""``--format`` and ``--output``: what goes where, and that nothing is left half-written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mmlint.atomic import WriteError, write, write_folder
from mmlint.cli import main
from mmlint.commands.formats import FORMATS, TEXT
from tests.test_cli import CONVERTIBLE, FAULTY

ROOT = Path(__file__).resolve().parent.parent
OF_CHECK = [name for name, entry in FORMATS.items() if not entry.of_series]
OF_SERIES = [name for name, entry in FORMATS.items() if entry.of_series]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("mm/good.c", CONVERTIBLE), ("mm/bad.c", FAULTY)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


pytestmark = pytest.mark.usefixtures("tree")


@pytest.mark.parametrize("name", OF_CHECK)
def test_file_holds_what_would_be_printed(name: str, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "mm", "--format", name]) == 1
    printed = capsys.readouterr().out
    assert main(["check", "mm", "-q", "--output", f"{name}=report"]) == 1
    quiet = capsys.readouterr().out
    assert quiet.count("\n") == 2
    assert main(["check", "mm", "--output", f"{name}=-"]) == 1
    assert capsys.readouterr().out == printed
    assert main(["check", "mm", "--output", f"{name}=report", "--format", "terse"]) == 1
    assert (tree / "report").read_text() == printed
    assert "missing-disable" in printed or name == "patchwork"


def test_several_at_once(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "mm", "--output", "sarif=a.sarif", "--output", "junit=b.xml", "--output", "json=c.json"])
    assert code == 1
    assert capsys.readouterr().out.endswith("of 2 files; 0 not analysed\n")
    assert json.loads((tree / "a.sarif").read_text())["version"] == "2.1.0"
    assert ElementTree.parse(tree / "b.xml").getroot().get("failures") == "1"
    assert [entry["rule"] for entry in json.loads((tree / "c.json").read_text())["diagnostics"]] == [
        "missing-disable",
        "unranged-walker",
    ]
    assert names(tree) == ["a.sarif", "b.xml", "c.json", "mm"]


def test_statistics_are_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "mm", "--output", "json=-", "--statistics"])
    assert len(json.loads(capsys.readouterr().out)["statistics"]) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--output", "sarf=x"], "--output sarf=x: there is no format 'sarf'; the formats are text, terse, json, "),
        (["--output", "sarif"], "--output sarif: where to is missing; give sarif=FILE"),
        (["--output", "sarif="], "--output sarif=: where to is missing; give sarif=FILE"),
        (["--output", "sarif=-", "--format", "json"], "standard output cannot hold both sarif and json"),
        (["--output", "sarif=-", "--output", "json=-"], "standard output cannot hold both sarif and json"),
        (["--output", "sarif=x", "--output", "json=./x"], "--output json=./x: sarif goes there; name another file"),
        (["--output", "sarif=none/x"], "--output sarif=none/x: No such file or directory; make its folder first\n"),
        (["--output", "sarif=mm"], "--output sarif=mm: Is a directory; name a file in it\n"),
        (
            ["--output", "json=y", "--output", "sarif=x\0"],
            "--output sarif=x\\x00: no file has that name; give sarif=FILE",
        ),
        *([["--output", f"{name}=x"], f"{name}: it tells of patches, and here are none"] for name in OF_SERIES),
    ],
)
def test_bad_outputs_are_told_in_one_line(
    arguments: list[str], complaint: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "mm", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"mmlint: error: {complaint}")
    assert output.err.count("\n") == 1
    assert not (tree / "x").exists()


def test_old_file_is_replaced_as_a_whole_and_keeps_its_mode(tree: Path) -> None:
    old = tree / "report"
    old.write_text("x" * 100_000)
    old.chmod(0o640)
    (tree / "link").symlink_to("report")
    assert main(["check", "mm", "--output", "b4=link"]) == 1
    assert old.read_text().startswith("mm/bad.c:9: ERROR:missing-disable: ")
    assert old.read_text().count("\n") == 2
    assert old.stat().st_mode & 0o777 == 0o640
    assert (tree / "link").is_symlink()


def test_new_file_has_the_mode_of_any_new_file(tree: Path) -> None:
    mask = os.umask(0o027)
    try:
        write("new", b"x")
    finally:
        os.umask(mask)
    assert (tree / "new").stat().st_mode & 0o777 == 0o640


def test_failed_write_leaves_the_old_file(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "report").write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        write("report", b"new")
    assert (tree / "report").read_text() == "old"
    assert names(tree) == ["mm", "report"]


def test_what_is_no_file_is_written_to(capfd: pytest.CaptureFixture[str]) -> None:
    write("/dev/stderr", b"told\n")
    assert capfd.readouterr().err == "told\n"


def test_folder_appears_as_a_whole(tree: Path) -> None:
    write_folder("a/b", {"1": b"one", "2": b"two"})
    assert {entry.name: entry.read_bytes() for entry in (tree / "a/b").iterdir()} == {"1": b"one", "2": b"two"}
    with pytest.raises(WriteError, match="it is there, and not empty; name a new folder"):
        write_folder("a/b", {"1": b"other"})
    with pytest.raises(WriteError):
        write_folder("c", {"1": b"one", "no/such": b"two"})
    (tree / "empty").mkdir()
    write_folder("empty", {"1": b"one"})
    assert names(tree) == ["a", "empty", "mm"]
    assert (tree / "a/b/1").read_bytes() == b"one"


def test_text_in_a_file_has_no_colour(tree: Path) -> None:
    main(["check", "mm", "--color=always", "--output", "text=report", "--format", "terse"])
    text = (tree / "report").read_text()
    assert "\x1b" not in text
    assert text.splitlines()[0].startswith("mm/bad.c:9:2: error: ")


@pytest.mark.parametrize("name", OF_CHECK)
def test_odd_names_and_bytes_break_no_format(name: str, tree: Path) -> None:
    text = FAULTY.encode().replace(b"\n", b"\r\n").replace(b"{", b"{ /* \xff <&]]> \xf0\x9d\x94\x98 */", 1)
    long = b"\t/* " + b"x" * 200_000 + b" */ do {"
    (tree / "mm" / os.fsdecode(b"a b%\xff'\"<&>|`\n::error::x.c")).write_bytes(text.replace(b"\tdo {", long, 1))
    (tree / "mm/gone.c").symlink_to("nowhere.c")
    assert main(["check", "mm", "--output", f"{name}=report", "--format", "b4"]) == 2
    data = (tree / "report").read_bytes()
    text_of = data.decode()
    assert "No such file or directory" in text_of or name == "patchwork"
    if name in ("json", "sarif", "rdjson", "gitlab", "b4-json"):
        json.loads(text_of)
    elif name in ("jsonl", "rdjsonl", "patchwork"):
        assert all(json.loads(line) for line in text_of.splitlines())
    elif name in ("junit", "checkstyle"):
        ElementTree.fromstring(data)
    else:
        assert not any(line.startswith("::error::x") for line in text_of.split("\n"))
        assert all(line.isprintable() for line in text_of.split("\n"))


def test_help_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--help"])
    text = capsys.readouterr().out
    for name, entry in FORMATS.items():
        assert (f"\n  {name:15} {entry.about}\n" in text) is not entry.of_series


@pytest.mark.skipif(not shutil.which("vim"), reason="vim IS NOT INSTALLED: its errorformat is not tried")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (TEXT, [("mm/bad.c", 9, 2, "error"), ("mm/good.c", 5, 2, "note")]),
        ("terse", [("mm/bad.c", 9, 0, "ERROR:missing-disable"), ("mm/good.c", 5, 0, "CHECK:unranged-walker")]),
    ],
)
def test_vim_finds_the_places(name: str, expected: list[tuple[str, int, int, str]], tree: Path) -> None:
    main(["check", "mm", "-q", "--output", f"{name}=found", "--format", "patchwork"])
    script = (
        "cgetfile found | call writefile([json_encode(map(filter(getqflist(), 'v:val.valid'),"
        "{_, e -> [bufname(e.bufnr), e.lnum, e.col, e.type, e.text]}))], 'places')"
    )
    subprocess.run(
        ["vim", "-u", "NONE", "-N", "-es", "-c", script, "-c", "qa!"], check=True, cwd=tree, stdin=subprocess.DEVNULL
    )
    places = json.loads((tree / "places").read_text())
    assert [tuple(entry[:3]) for entry in places] == [entry[:3] for entry in expected]
    assert all(
        word in f"{entry[3]}{entry[4]}".lower() or word in entry[4]
        for entry, (*_, word) in zip(places, expected, strict=True)
    )
