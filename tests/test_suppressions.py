"""Accepted findings: written down with a reason, counted wherever something is counted, told when they are not needed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.config import Settings, UsageError
from mmlint.diagnostic import Diagnostic
from mmlint.engine import run
from mmlint.suppressions import Entry, append, read_list
from tests.test_cli import CONVERTIBLE, FAULTY

Capture = pytest.CaptureFixture[str]
LIST = "accepted.txt"
TAKEN = "; it is taken with --suppressions accepted.txt, or as suppressions of .mmlint.toml"


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files, each with one finding; the current folder."""
    for name, text in (("mm/bad.c", FAULTY), ("mm/good.c", CONVERTIBLE), ("fs/bad.c", FAULTY)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def accept(*arguments: str) -> int:
    return main(["check", "--write-suppressions", LIST, "--reason", "known since v2", *arguments])


def findings(capsys: Capture, *arguments: str) -> list[tuple[str, str, int]]:
    capsys.readouterr()
    main(["check", "--format", "json", *arguments])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    return [(d["path"], d["rule"], d["line"]) for d in found]


def test_written_entries_hold_from_then_on(tree: Path, capsys: Capture) -> None:
    assert accept("mm") == 0
    output = capsys.readouterr()
    assert output.err == f"mmlint: 2 entries added to accepted.txt{TAKEN}\n"
    assert output.out == "no findings, 2 suppressed; 2 sections in 2 functions of 2 files; 0 not analysed\n"
    head, bad, good = (tree / LIST).read_text().splitlines()
    assert head.startswith("# ")
    assert re.fullmatch(r"[0-9a-f]{16} missing-disable mm/bad\.c # known since v2", bad)
    assert re.fullmatch(r"[0-9a-f]{16} unranged-walker mm/good\.c # known since v2", good)
    assert main(["check", "--suppressions", LIST, "--fail-level", "note", "mm"]) == 0
    assert capsys.readouterr().out.startswith("no findings, 2 suppressed; ")
    assert main(["check", "--suppressions", LIST]) == 1
    assert [f[0] for f in findings(capsys, "--suppressions", LIST)] == ["fs/bad.c"]


def test_entries_are_added_to_those_that_are_there(tree: Path, capsys: Capture) -> None:
    (tree / LIST).write_text("# ours")
    (tree / LIST).chmod(0o640)
    assert accept("mm/bad.c") == 0
    assert accept("mm/bad.c") == 0
    assert capsys.readouterr().err.splitlines() == [
        f"mmlint: 1 entry added to accepted.txt{TAKEN}",
        f"mmlint: 0 entries added to accepted.txt{TAKEN}",
    ]
    assert accept("mm/bad.c", "--suppressions", LIST) == 0
    assert capsys.readouterr().err == "mmlint: 0 entries added to accepted.txt\n"
    (tree / ".mmlint.toml").write_text(f'suppressions = "{LIST}"\n')
    assert accept("mm/bad.c") == 0
    assert capsys.readouterr().err == "mmlint: 0 entries added to accepted.txt\n"
    assert accept("mm/bad.c", "--no-config") == 0
    assert capsys.readouterr().err == f"mmlint: 0 entries added to accepted.txt{TAKEN}\n"
    (tree / ".mmlint.toml").unlink()
    assert accept() == 0
    lines = (tree / LIST).read_text().splitlines()
    assert lines[0] == "# ours"
    assert [line.split()[2] for line in lines[1:]] == ["mm/bad.c", "fs/bad.c", "mm/good.c"]
    assert (tree / LIST).stat().st_mode & 0o777 == 0o640


def test_a_list_holds_from_every_folder(tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    accept()
    assert findings(capsys, "--suppressions", f"{tree}/{LIST}", str(tree)) == []
    monkeypatch.chdir(tree / "mm")
    assert findings(capsys, "--suppressions", f"../{LIST}") == []
    assert findings(capsys, "--suppressions", f"../{LIST}", "../fs/bad.c") == []
    (tree / "link").symlink_to(tree)
    assert findings(capsys, "--suppressions", f"../link/{LIST}", f"{tree}/link/mm/bad.c") == []


def test_only_findings_at_the_level_are_accepted(tree: Path) -> None:
    assert accept("--level", "warning") == 0
    assert "unranged-walker" not in (tree / LIST).read_text()


def test_entry_that_is_not_needed_is_a_note_on_its_line(tree: Path, capsys: Capture) -> None:
    accept()
    (tree / "mm/bad.c").write_text(CONVERTIBLE)
    (tree / "fs/bad.c").unlink()
    capsys.readouterr()
    assert main(["check", "--suppressions", LIST, "--fail-level", "warning"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "accepted.txt:2:1: note: nothing is suppressed: missing-disable is not found there in fs/bad.c; "
        "delete the entry [unused-suppression]",
        "accepted.txt:3:1: note: nothing is suppressed: missing-disable is not found there in mm/bad.c; "
        "delete the entry [unused-suppression]",
    ]
    assert main(["check", "--suppressions", LIST, "--fail-level", "note", "--select", "missing-disable"]) == 1
    for arguments in (["--ignore", "unused-suppression"], ["--select", "wrong-mm"], ["--level", "warning"]):
        assert findings(capsys, "--suppressions", LIST, "mm/bad.c", *arguments)[:1] != [
            ("accepted.txt", "unused-suppression", 3)
        ]


def test_entry_of_a_file_that_was_not_looked_at_is_not_unused(tree: Path, capsys: Capture) -> None:
    accept()
    assert findings(capsys, "--suppressions", LIST, "mm/good.c") == []
    (tree / "fs/bad.c").write_text(FAULTY.replace("do {", "do { ) ("))
    assert findings(capsys, "--suppressions", LIST) == []


def test_change_of_the_finding_brings_it_back(tree: Path, capsys: Capture) -> None:
    accept("mm")
    (tree / "mm/bad.c").write_text("/* lines move */\n\n" + FAULTY)
    assert findings(capsys, "--suppressions", LIST, "mm") == []
    (tree / "mm/bad.c").write_text(FAULTY.replace("int walk(", "int stroll("))
    assert [f[:2] for f in findings(capsys, "--suppressions", LIST, "mm/bad.c")] == [
        ("accepted.txt", "unused-suppression"),
        ("mm/bad.c", "missing-disable"),
    ]


def test_two_findings_of_one_text_need_two_entries(tree: Path, capsys: Capture) -> None:
    accept("mm/bad.c")
    text = FAULTY + FAULTY.replace("walk(", "walk2(").replace("ops", "ops2")
    (tree / "mm/bad.c").write_text(text)
    assert [f[1] for f in findings(capsys, "--suppressions", LIST, "mm/bad.c")] == ["missing-disable"]


def test_json_lists_what_is_suppressed(capsys: Capture) -> None:
    accept("mm")
    capsys.readouterr()
    assert main(["check", "--format", "json", "--suppressions", LIST, "mm"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(s["path"], s["rule"], s["reason"]) for s in document["suppressed"]] == [
        ("mm/bad.c", "missing-disable", "known since v2"),
        ("mm/good.c", "unranged-walker", "known since v2"),
    ]


def test_what_is_accepted_is_not_repaired(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["fix", "--unsafe", "mm"])
    assert b"+++ b/mm/good.c" in capsysbinary.readouterr().out
    accept("mm")
    capsysbinary.readouterr()
    assert main(["fix", "--unsafe", "--suppressions", LIST, "mm"]) == 0
    assert capsysbinary.readouterr() == (b"", b"nothing to fix\n2 findings suppressed\n")


def test_odd_paths_survive(tree: Path, capsys: Capture) -> None:
    names = ["a b.c", "a#b.c", 'a"b.c', "w\u00e4lk.c", os.fsdecode(b"\xff.c"), "a\nb.c"]
    for name in names:
        (tree / "mm" / name).write_text(FAULTY)
    accept("mm")
    assert findings(capsys, "--suppressions", LIST, "mm") == []
    assert sorted(e.path for e in read_list(Path(LIST)).entries) == sorted(
        [*(f"mm/{name}" for name in names), "mm/bad.c", "mm/good.c"]
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("0123456789abcdef wrong-mm mm/x.c", "the entry has no reason; write FINGERPRINT RULE PATH # REASON"),
        ("0123456789abcdef wrong-mm mm/x.c #  ", "the entry has no reason; write FINGERPRINT RULE PATH # REASON"),
        ("0123456789abcdef wrong-mm # why", "not an entry; write FINGERPRINT RULE PATH # REASON"),
        ("wrong-mm mm/x.c # why", "not an entry; write FINGERPRINT RULE PATH # REASON"),
        ("0123 wrong-mm mm/x.c # why", "the first word is no fingerprint; copy the 16 digits of --format json"),
        ("0123456789abcdef internal-error mm/x.c # why", "internal-error cannot be suppressed; delete the line"),
        (
            '0123456789abcdef wrong-mm "mm/\\x.c" # why',
            "is not quoted as JSON is; write FINGERPRINT RULE PATH # REASON",
        ),
    ],
)
def test_malformed_entries_name_their_line(tree: Path, line: str, complaint: str, capsys: Capture) -> None:
    (tree / LIST).write_text(f"# ours\n\n{line}\n")
    assert main(["check", "--suppressions", LIST]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert output.err.startswith("mmlint: error: accepted.txt:3: ")
    assert complaint in output.err
    before = (tree / LIST).read_bytes()
    assert accept() == 2
    assert (tree / LIST).read_bytes() == before


def test_list_that_a_configuration_names_is_neither_waited_for_nor_printed(tree: Path, capsys: Capture) -> None:
    os.mkfifo(tree / "pipe")
    for name in ("pipe", "/dev/zero", "mm"):
        (tree / ".mmlint.toml").write_text(f'suppressions = "{name}"\n')
        assert main(["check"]) == 2
        assert capsys.readouterr().err.endswith(f"{name}: not a regular file; give a list of suppressions\n")
    (tree / "secret").write_text("token secret here # x\n")
    (tree / ".mmlint.toml").write_text('suppressions = "secret"\n')
    assert main(["check"]) == 2
    assert "token" not in capsys.readouterr().err


def test_entries_are_read_as_they_are_documented(tree: Path) -> None:
    (tree / LIST).write_bytes(
        b"# a comment\r\n\r\n"
        b"0123456789abcdef   unranged-walker\tmm/vmscan.c   #  several tables; see # v3  \r\n"
        b'fedcba9876543210 wrong-mm "mm/a b.c"# x'
    )
    assert read_list(Path(LIST)).entries == (
        Entry("0123456789abcdef", "unranged-walker", "mm/vmscan.c", "several tables; see # v3", 3),
        Entry("fedcba9876543210", "wrong-mm", "mm/a b.c", "x", 4),
    )


def test_crash_is_never_accepted(tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("mmlint.facts.analysis.analyse_file", fail)
    assert accept("mm") == 2
    assert not (tree / LIST).exists()
    assert "[internal-error]" in capsys.readouterr().out


def test_nothing_is_written_when_the_disk_is_full(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tree / "there").write_text("# ours\n")
    monkeypatch.setattr(os, "fsync", full)
    for name in (LIST, "there"):
        before = (tree / name).read_bytes() if (tree / name).exists() else None
        assert main(["check", "--write-suppressions", name, "--reason", "x"]) == 2
        assert ((tree / name).read_bytes() if (tree / name).exists() else None) == before
    assert sorted(entry.name for entry in tree.iterdir()) == ["fs", "mm", "there"]
    with pytest.raises(UsageError, match="No such file or directory; nothing was written"):
        append(Path("none/x"), _one_finding(), "x")


def _one_finding() -> list[Diagnostic]:
    return list(run(["mm/bad.c"], Settings(jobs=1)).diagnostics)
