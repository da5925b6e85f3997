"""The command line from outside: exit codes, what goes to which stream, what a user's mistake gets as answer."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mmlint import __version__
from mmlint.cli import main
from mmlint.commands.arguments import make_parser
from mmlint.completion import walk
from mmlint.rule import load_rules

ROOT = Path(__file__).resolve().parent.parent
CONVERTIBLE = """\
static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *private)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);

	lazy_mmu_mode_enable();
	do {
		pte_clear(&init_mm, addr, pte);
	} while (pte++, addr += PAGE_SIZE, addr != end);
	lazy_mmu_mode_disable();
	return 0;
}

static const struct mm_walk_ops ops = {
	.pmd_entry = walk,
};
"""
RANGED = "lazy_mmu_mode_enable_for_pte_range(&init_mm, addr, end, pte)"
CONVERTED = CONVERTIBLE.replace("lazy_mmu_mode_enable()", RANGED)
FAULTY = CONVERTIBLE.replace("\tlazy_mmu_mode_disable();\n", "")
BROKEN = CONVERTIBLE.replace("do {", "do { ) (")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("good/walk.c", CONVERTIBLE), ("done/walk.c", CONVERTED), ("bad/walk.c", FAULTY)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


pytestmark = pytest.mark.usefixtures("tree")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "good"], 0),
        (["check", "good", "--fail-level", "note"], 1),
        (["check", "done", "--fail-level", "note"], 0),
        (["check", "bad"], 1),
        (["check"], 1),
        (["check", "bad", "--ignore", "missing-disable"], 0),
        (["check", "bad", "--select", "wrong-mm"], 0),
        (["fix", "good"], 1),
        (["fix", "done"], 0),
        (["fix", "bad", "--select", "wrong-mm"], 0),
        (["sections"], 0),
        (["sections", "-v", "bad"], 0),
        (["rules", "list"], 0),
        (["explain", "wrong-mm"], 0),
        (["explain", "good/walk.c:5"], 0),
        (["dump", "cfg", "good/walk.c:walk"], 0),
        (["dump", "state", "good/walk.c:walk"], 0),
        (["dump", "parse", "good/walk.c:walk"], 0),
        (["dump", "parse", "--summary", "good", "bad"], 0),
        (["--version"], 0),
        (["--help"], 0),
        (["check", "--help"], 0),
        (["check", "good", "--fail-level", "note", "--level", "warning"], 0),
        (["check", "bad", "--level", "error"], 1),
        (["check", "bad", "--exit-zero"], 0),
        (["check", "bad", "--statistics"], 1),
        (["check", "bad", "--select", "wrong-mm,missing-disable"], 1),
        (["explain", "-q", "good/walk.c:5"], 0),
        (["explain", "internal-error"], 0),
        (["explain", "unused-suppression"], 0),
        (["config"], 0),
        (["cache", "info"], 0),
        (["cache", "clear"], 0),
        (["man"], 0),
        (["completion", "bash"], 0),
    ],
)
def test_exit_codes(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    output = capsys.readouterr()
    assert arguments[0] == "fix" or output.out
    assert "error: " not in output.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required: COMMAND; see mmlint --help"),
        (["chekc"], "invalid choice: 'chekc'"),
        (["check", "--fail-level", "fatal"], "invalid choice: 'fatal'"),
        (["check", "none"], "none: No such file or directory; give files or folders that exist"),
        (["check", "--select", "none"], "none: there is no such rule; `mmlint rules list` names them"),
        (["check", "--jobs", "-1"], "--jobs -1: give the number of processes, or 0 for one per CPU"),
        (["check", "--jobs", "x"], "argument --jobs: invalid int value: 'x'; see mmlint check --help"),
        (["check", "--target", "no name"], "'no name' is no name for a function; give a C identifier"),
        (["check", "--lev", "note"], "unrecognized arguments: --lev; see mmlint check --help"),
        (["check", "-", "good"], "-: standard input goes alone; give either - or files and folders"),
        (["check", "good", "--stdin-filename", "x.c"], "nothing is read from standard input; give - as the path"),
        (["fix", "--in-place", "-"], "--in-place: standard input cannot be written"),
        (["check", "--reason", "x"], "--reason: nothing is accepted; give --write-suppressions FILE as well"),
        (["check", "--write-suppressions", "x"], "say why the findings are accepted; give --reason TEXT"),
        (["check", "--write-suppressions", "x", "--reason", "a\nb"], "--reason: it is more than one line of text"),
        (["check", "--suppressions", "none"], "none: No such file or directory; give a list that exists, or make one"),
        (["check", "empty"], "empty: no *.c or *.h file is there; give files, or folders that hold some"),
        (["completion", "csh"], "invalid choice: 'csh'"),
        (["check", "--rules", "none"], "none: No such file or directory; give a folder of rule modules"),
        (["explain", "none"], "none: there is no such rule; `mmlint rules list` names them, or give PATH:LINE"),
        (["explain", "wrong-pte"], "`mmlint rules list` names them (did you mean wrong-ptep?), or give PATH:LINE"),
        (["explain", "none.c:3"], "none.c: No such file or directory; give a file that exists"),
        (
            ["explain", "good/walk.c:14"],
            "good/walk.c:14: no section is there; the file has one on line 5 (walk())",
        ),
        (["dump", "cfg", "walk"], "walk: expected FILE:FUNCTION, such as mm/memory.c:zap_pte_range"),
        (["dump", "cfg", "none.c:walk"], "none.c: No such file or directory; give a file that exists"),
        (["dump", "cfg", "good/walk.c:none"], "good/walk.c: it defines no function none()"),
        (["dump", "state", "good/walk.c:none"], "good/walk.c: it defines no function none()"),
        (["dump", "parse", "good/walk.c:none"], "good/walk.c: it defines no function none()"),
    ],
)
def test_bad_usage_is_one_line_and_code_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert complaint in output.err
    assert output.err.startswith("mmlint: error: ")
    assert output.err.count("\n") == 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"mmlint {__version__}\n"


def test_function_that_cannot_be_read_is_not_clean(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "good/broken.c").write_text(BROKEN)
    assert main(["check", "good"]) == 2
    output = capsys.readouterr().out
    assert "good/broken.c:6:1: note: walk() was not analysed: " in output
    assert output.endswith("; 1 not analysed\n")
    assert main(["check", "good", "--format", "json"]) == 2
    (skipped,) = json.loads(capsys.readouterr().out)["coverage"]["skipped"]
    assert (skipped["path"], skipped["function"], skipped["line"]) == ("good/broken.c", "walk", 6)


def test_unreadable_file_does_not_stop_the_rest(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "bad/gone.c").symlink_to("nowhere.c")
    assert main(["check", "bad"]) == 2
    output = capsys.readouterr().out
    assert "bad/gone.c:1:1: note: not read: No such file or directory\n" in output
    assert "[missing-disable]" in output


def test_json_of_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "json", "bad", "good"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [(d["path"], d["rule"], d["level"]) for d in document["diagnostics"]] == [
        ("bad/walk.c", "missing-disable", "error"),
        ("good/walk.c", "unranged-walker", "note"),
    ]
    assert document["coverage"] == {"files": 2, "functions": 2, "sections": 2, "skipped": []}
    (edit,) = document["diagnostics"][1]["fix"]["edits"]
    assert CONVERTIBLE[: edit["start"]] + edit["text"] + CONVERTIBLE[edit["end"] :] == CONVERTED


def test_json_of_sections(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sections", "--format", "json", "good", "done"]) == 0
    sections = json.loads(capsys.readouterr().out)["sections"]
    assert [(s["path"], s["line"], s["kind"], s["verdict"], s["proposal"]) for s in sections] == [
        ("done/walk.c", 5, "ranged", "verified", None),
        ("good/walk.c", 5, "plain", "convertible", RANGED),
    ]


def test_target_is_the_name_that_is_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "good", "--target", "mm_batch_begin"])
    assert "mm_batch_begin(&init_mm, addr, end, pte)" in capsys.readouterr().out


def test_fix_prints_a_diff_that_applies(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["fix", "good"]) == 1
    output = capsysbinary.readouterr()
    assert output.out.startswith(b"--- a/good/walk.c\n+++ b/good/walk.c\n@@ -2,7 +2,7 @@")
    assert output.err == b"1 fix shown in 1 file\n"
    subprocess.run(["git", "apply", "-p1", "-"], input=output.out, cwd=tree, check=True)
    assert (tree / "good/walk.c").read_text() == CONVERTED


def test_fix_in_place_writes_once(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "good/walk.c").chmod(0o600)
    assert main(["fix", "--in-place", "good"]) == 1
    assert capsys.readouterr() == ("", "1 fix made in 1 file\n")
    assert (tree / "good/walk.c").read_text() == CONVERTED
    assert (tree / "good/walk.c").stat().st_mode & 0o777 == 0o600
    assert main(["fix", "--in-place", "good"]) == 0
    assert capsys.readouterr() == ("", "nothing to fix\n")
    assert main(["check", "--fail-level", "note", "good"]) == 0


def test_fix_keeps_what_it_need_not_touch(tree: Path) -> None:
    text = CONVERTIBLE.replace("\n", "\r\n").rstrip().encode() + b" /* \xe9 */"
    (tree / "good/walk.c").write_bytes(text)
    main(["fix", "-q", "--in-place", "good"])
    assert (tree / "good/walk.c").read_bytes() == text.replace(b"lazy_mmu_mode_enable()", RANGED.encode())


def test_fix_does_not_write_through_a_link_that_leads_outside(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "walk.c"
    outside.write_text(CONVERTIBLE)
    (tree / "good/link.c").symlink_to(outside)
    assert main(["fix", "--in-place", "good"]) == 2
    assert "good/link.c: it leads to " in capsys.readouterr().err
    assert outside.read_text() == CONVERTIBLE
    assert (tree / "good/walk.c").read_text() == CONVERTED


def test_commit_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--commit-message", "good"]) == 1
    output = capsys.readouterr().out
    assert output.startswith("good/walk: use lazy_mmu_mode_enable_for_pte_range()\n\n")
    assert "\n  good/walk.c: walk()\n" in output


def test_rules_list_is_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    main(["rules", "list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[r.rule.name, str(r.rule.level)] for r in load_rules()]


def test_explain_a_place_shows_its_proof_with_the_source(capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", "good/walk.c:8"])
    output = capsys.readouterr().out
    assert "good/walk.c:5: walk(): convertible\n" in output
    assert (
        "      ptep    proven   the pointer is the entry for the address\n"
        "        (1) good/walk.c:3: pte is the entry for addr\n"
        "            2 | {\n"
        "            3 |         pte_t *pte = pte_offset_kernel(pmd, addr);\n"
        "              |                      ^~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "        (2) good/walk.c:5: "
    ) in output


def test_explain_quietly_is_the_sheet_of_the_listing(capsys: pytest.CaptureFixture[str]) -> None:
    main(["sections", "-v", "-q", "good"])
    listing = capsys.readouterr().out
    main(["explain", "-q", "good/walk.c:5"])
    assert capsys.readouterr().out.endswith("\n\n" + listing)


def test_statistics_and_level_in_both_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--statistics", "--level", "warning"]) == 1
    output = capsys.readouterr().out
    assert output.endswith(
        "1 error, 1 below --level; 3 sections in 3 functions of 3 files; 0 not analysed\n"
        "    1  error    missing-disable\n"
    )
    assert main(["check", "--statistics", "--level", "warning", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["statistics"] == [{"rule": "missing-disable", "level": "error", "count": 1, "suppressed": 0}]
    assert document["below"] == 1


def test_exit_zero_does_not_hide_what_was_not_read(tree: Path) -> None:
    (tree / "good/broken.c").write_text(BROKEN)
    assert main(["check", "--exit-zero", "good"]) == 2


def run_mmlint(*arguments: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    everything = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "mmlint", *arguments]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=False, env=everything)


def test_module_runs_and_hash_seed_does_not_matter() -> None:
    runs = [run_mmlint("check", PYTHONHASHSEED=seed) for seed in ("0", "1", "2")]
    assert {run.returncode for run in runs} == {1}
    assert len({run.stdout for run in runs}) == 1
    assert runs[0].stdout.count(b"\n") > 3
    assert runs[0].stderr == b""


def test_reader_that_goes_away_is_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        result = subprocess.run(
            [sys.executable, "-m", "mmlint", "check"], stdout=pipe, stderr=subprocess.PIPE, env=environment, check=False
        )
    assert (result.returncode, result.stderr) == (141, b"")


def test_interruption_is_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mmlint.engine.run", interrupt)
    assert main(["check"]) == 130


def test_output_in_a_plain_locale_is_escaped_not_lost(tree: Path) -> None:
    (tree / "bad/w\u00e4lk.c").write_text(FAULTY)
    result = run_mmlint("check", "-q", "bad", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (result.returncode, result.stderr) == (1, b"")
    assert result.stdout.count(b"[missing-disable]") == 2


def test_standard_input_is_judged_where_its_name_stands(tree: Path) -> None:
    header = tree / "old/include/linux/pgtable.h"
    header.parent.mkdir(parents=True)
    header.write_text(
        "void mm_batch_begin(void);\n#define lazy_mmu_mode_enable_with_ptes(a, b, c, d) do {} while (0)\n"
    )
    plain = run_mmlint("check", "-q", "-", text=CONVERTIBLE)
    assert plain.stdout.startswith(b"<stdin>:5:2: note: the range is known: lazy_mmu_mode_enable_for_pte_range(")
    named = run_mmlint("check", "-q", "-", "--stdin-filename", "old/mm/new.c", text=CONVERTIBLE)
    assert named.stdout.startswith(b"old/mm/new.c:5:2: note: the range is known: lazy_mmu_mode_enable_with_ptes(")
    assert (named.returncode, named.stderr) == (0, b"")
    fixed = run_mmlint("fix", "--unsafe", "-", "--stdin-filename", "mm/new.c", text=CONVERTIBLE)
    assert fixed.stdout.startswith(b"--- a/mm/new.c\n+++ b/mm/new.c\n")
    listed = run_mmlint("sections", "-q", "-", text=CONVERTIBLE)
    assert listed.stdout.startswith(b"<stdin>:5: walk(): convertible\n")


def test_full_disk_behind_the_output_is_told() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        result = subprocess.run(
            [sys.executable, "-m", "mmlint", "check"], stdout=full, stderr=subprocess.PIPE, env=environment, check=False
        )
    assert (result.returncode, result.stderr) == (2, b"mmlint: error: the output: No space left on device\n")


HELP = ["", "check", "fix", "sections", "explain", "dump", "kbuild", "config", "cache", "completion", "man"]


@pytest.mark.parametrize("command", HELP)
def test_help_has_examples_that_parse(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    examples = re.findall(r"^  mmlint ([^<>|(\n]*?)(?:  .*| [<>|(].*)?$", text.split("\nexamples:\n")[1], re.MULTILINE)
    assert examples or command == "kbuild"
    for example in examples:
        make_parser().parse_args(shlex.split(example))
    if command in ("", "check", "fix", "sections", "explain", "kbuild"):
        assert "\nexit codes:\n" in text
    assert ("\nenvironment:\n  MMLINT_CONFIG" in text) == (command in ("", "check", "config"))


def test_readme_shows_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, _ in next(walk(make_parser(), (), "", ())).commands:
        assert f"mmlint {name}" in text, name


def test_every_option_has_help() -> None:
    for node in walk(make_parser(), (), "", ()):
        for option in node.options if node.words[:1] != ("rules",) else ():
            assert option.text, (node.words, option.names)
