"""The commands about rules from outside: output, exit codes, what is loaded, and which folders are refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mmlint.catalog import read_catalog, reference
from mmlint.cli import main
from mmlint.config import UsageError
from mmlint.rule import load_rules
from mmlint.rule_commands import trusted_folders
from tests.test_architecture import loaded_by

Capture = pytest.CaptureFixture[str]

OLD = '''"""A fault."""
from mmlint.rules import Rule
RULE = Rule(name="old-rule", severity="error", summary="x")
def check(function):
    for section in function.sections:
        yield RULE.report(function, section.call, "x")
'''
NEW = '''"""A fault."""
from mmlint.diagnostic import Level
from mmlint.rule import Rule
RULE = Rule(name="old-rule", level=Level.ERROR, summary="x")
def check(function):
    for section in function.sections:
        yield RULE.at(function, section.call, "x")
'''


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a rule of its own, its fixture, and one file of the old interface."""
    monkeypatch.chdir(tmp_path)
    # Rules are cached by the path of their folder, and here the same path is another folder in each test.
    load_rules.cache_clear()
    assert main(["rules", "new", "left-behind", "--folder", "mine"]) == 0
    (tmp_path / "old").mkdir()
    (tmp_path / "old/old_rule.py").write_text(OLD)
    return tmp_path


def test_list_has_every_rule_and_executes_none(project: Path, capsys: Capture) -> None:
    capsys.readouterr()
    with (project / "mine/rules/left_behind.py").open("a") as file:
        file.write("raise SystemExit('executed')\n")
    assert main(["rules", "list", "--rules", "mine/rules"]) == 0
    names = [(line.split()[0], line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    packaged = [(loaded.rule.name, str(loaded.rule.level)) for loaded in load_rules()]
    assert names == sorted([*packaged, ("left-behind", "warning")])


def test_docs_are_the_reference(capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["rules", "docs"]) == 0
    assert capsys.readouterr().out == reference(read_catalog())
    assert main(["rules", "docs", "--rules", "mine/rules", "left-behind", "wrong-mm"]) == 0
    output = capsys.readouterr().out
    assert [line for line in output.split("\n") if line.startswith("## ")] == ["## left-behind", "## wrong-mm"]
    assert output.count("\n| [") == 2


def test_audit_of_a_clean_rule(capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["rules", "audit", "mine/rules"]) == 0
    assert capsys.readouterr().out == "no findings; 1 rule file; 0 not read\n"
    assert main(["rules", "audit", "-q", "mine/rules/left_behind.py", "mine/rules"]) == 0
    assert capsys.readouterr().out == ""


def test_audit_reports_as_check_does(project: Path, capsys: Capture) -> None:
    with (project / "mine/rules/left_behind.py").open("a") as file:
        file.write("\n\nimport os as o\nSEEN = []\ndef f(): o.system('x')\n")
    line = (project / "mine/rules/left_behind.py").read_text().count("\n") - 2
    where = "mine/rules/left_behind.py"
    capsys.readouterr()
    assert main(["rules", "audit", "mine/rules"]) == 1
    assert capsys.readouterr().out == (
        f"{where}:{line}:8: error: 'os' is not among the modules that a rule may import [rule-audit]\n"
        f"{where}:{line + 1}:8: warning: 'SEEN' is mutable and outlives the call [rule-audit]\n"
        f"{where}:{line + 2}:10: error: 'os.system' is beyond what a rule may import [rule-audit]\n"
        "2 errors, 1 warning; 1 rule file; 0 not read\n"
    )
    assert main(["rules", "audit", "--format", "json", "mine/rules"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [(d["line"], d["column"], d["end_column"], d["function"]) for d in document["diagnostics"]] == [
        (line, 8, 10, ""),
        (line + 1, 8, 10, ""),
        (line + 2, 10, 18, "f"),
    ]
    assert document["coverage"] == {"files": 1, "functions": 0, "sections": 0, "skipped": []}


def test_audit_of_what_cannot_be_read(project: Path, capsys: Capture) -> None:
    (project / "mine/rules/gone.py").symlink_to("nowhere")
    (project / "mine/rules/torn.py").write_text("x = 1\ndef (\n")
    capsys.readouterr()
    assert main(["rules", "audit", "mine/rules"]) == 2
    assert capsys.readouterr().out == (
        "mine/rules/torn.py:2:5: error: syntax error: invalid syntax [rule-audit]\n"
        "mine/rules/gone.py:1:1: note: not read: No such file or directory\n"
        "1 error; 3 rule files; 1 not read\n"
    )
    assert main(["rules", "audit", "--format", "json", "mine/rules"]) == 2
    (skipped,) = json.loads(capsys.readouterr().out)["coverage"]["skipped"]
    assert skipped["path"] == "mine/rules/gone.py"
    (project / "mine/rules/gone.py").unlink()
    assert main(["rules", "audit", "mine/rules"]) == 1


def test_upgrade_prints_a_diff_and_changes_nothing(project: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["rules", "upgrade", "old"]) == 1
    output = capsys.readouterr()
    assert output.out.startswith("--- a/old/old_rule.py\n+++ b/old/old_rule.py\n@@ ")
    assert [line for line in output.out.split("\n")[3:] if line[:1] == "+"] == [
        f"+{line}" for line in NEW.split("\n") if line not in OLD.split("\n")
    ]
    assert output.err.splitlines()[0] == "old/old_rule.py: mmlint.rules is mmlint.rule now"
    assert len(output.err.splitlines()) == 4
    assert (project / "old/old_rule.py").read_text() == OLD


def test_upgrade_in_place_once(project: Path, capsys: Capture) -> None:
    file = project / "old/old_rule.py"
    file.chmod(0o640)
    assert main(["rules", "upgrade", "--in-place", "old"]) == 1
    assert file.read_text() == NEW
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]
    capsys.readouterr()
    assert main(["rules", "upgrade", "--in-place", "old", "mine/rules"]) == 0
    assert file.read_text() == NEW
    assert capsys.readouterr() == ("", "")
    assert "old-rule" in {loaded.rule.name for loaded in load_rules((Path("old"),))}


def test_upgrade_says_what_is_left_and_what_it_cannot_read(project: Path, capsys: Capture) -> None:
    (project / "old/old_rule.py").write_text(NEW.replace("Level.ERROR", "'fatal'"))
    capsys.readouterr()
    assert main(["rules", "upgrade", "old"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("old/old_rule.py:4:36: warning: no level is called 'fatal'; a person has to see that ")
    (project / "old/torn.py").write_text("x = 1\ndef (\n")
    assert main(["rules", "upgrade", "old"]) == 2
    assert "old/torn.py:2: not upgraded: syntax error: invalid syntax\n" in capsys.readouterr().err


def test_upgrade_does_not_write_through_a_link_that_leads_outside(project: Path, capsys: Capture) -> None:
    (project / "mine/rules/old_rule.py").symlink_to(project / "old/old_rule.py")
    assert main(["rules", "upgrade", "--in-place", "mine/rules"]) == 2
    assert "mine/rules/old_rule.py: it leads to " in capsys.readouterr().err
    assert (project / "old/old_rule.py").read_text() == OLD


def test_new_says_what_it_wrote_and_what_is_next(project: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["rules", "new", "other-fault"]) == 0
    assert capsys.readouterr().out == (
        "rules/other_fault.py\nfixtures/other-fault/other-fault.c\n"
        "next: mmlint check --rules rules fixtures/other-fault\n"
    )
    assert (project / "rules/other_fault.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rules"], "the following arguments are required: COMMAND; see mmlint rules --help"),
        (["rules", "audit"], "the following arguments are required: PATH"),
        (["rules", "audit", "none.py"], "none.py: No such file or directory; give rule files, or folders of them"),
        (["rules", "audit", "mine"], "mine: no rule modules are there; give a folder of them, or a file"),
        (["rules", "upgrade", "none"], "none: No such file or directory; give rule files, or folders of them"),
        (["rules", "docs", "none"], "none: there is no such rule; `mmlint rules list` names them"),
        (["rules", "list", "--rules", "none"], "none: No such file or directory; give a folder of rule modules"),
        (["rules", "list", "--rules", "old"], "old/old_rule.py:3: RULE has to be Rule(...), with literals"),
        (["rules", "new", "Bad"], "Bad: not a name for a rule; use lower-case words joined by '-'"),
        (
            ["rules", "new", "left-behind", "--folder", "mine"],
            "mine/rules/left_behind.py: it exists; choose another name",
        ),
    ],
)
def test_bad_usage_is_one_line_and_code_2(arguments: list[str], complaint: str, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"mmlint: error: {complaint}")
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["list"], ["docs"], ["audit", "mine/rules"], ["upgrade", "old"]], ids=lambda arguments: arguments[0]
)
def test_without_libcst_the_commands_say_how_to_get_it(
    arguments: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "libcst", None)
    assert main(["rules", *arguments]) == 2
    assert capsys.readouterr() == (
        "",
        "mmlint: error: this command reads rules with libcst, which is missing: pip install libcst\n",
    )


def test_new_and_explain_need_no_libcst(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libcst", None)
    assert main(["rules", "new", "other-fault"]) == 0
    assert main(["explain", "wrong-mm"]) == 0
    assert main(["check", "--rules", "mine/rules", "mine/fixtures"]) == 1
    assert "[left-behind]" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["explain", "wrong-mm"], ["check", "fixtures/wrong-mm"], ["rules", "new", "--help"]], ids=" ".join
)
def test_no_other_command_loads_libcst(arguments: list[str]) -> None:
    loaded = loaded_by(f"from mmlint.cli import main; main({arguments})")
    assert {"mmlint.cli", "argparse"} <= loaded
    assert not loaded & {"libcst", "mmlint.rule_file", "mmlint.catalog"}


def test_rules_of_a_folder_are_an_option_of_check_fix_and_sections(project: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["check", "--rules", "mine/rules", "--select", "left-behind", "mine/fixtures"]) == 1
    assert capsys.readouterr().out.count("[left-behind]") == 1
    assert main(["fix", "--rules", "mine/rules", "--select", "left-behind", "mine/fixtures"]) == 0
    assert main(["sections", "--rules", "mine/rules", "mine/fixtures"]) == 0
    assert main(["check", "--select", "left-behind", "mine/fixtures"]) == 2
    (project / "old/left_behind.py").write_text("1 / 0\n")
    for command in ("check", "fix", "sections"):
        capsys.readouterr()
        assert main([command, "--rules", "old", "mine/fixtures"]) == 2
        assert "left_behind.py: ZeroDivisionError: division by zero; mend" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "fix", "sections"])
def test_a_folder_of_the_tree_under_check_is_refused_and_not_executed(
    command: str, project: Path, capsys: Capture
) -> None:
    (project / "mine/rules/left_behind.py").write_text("open('executed', 'w').close()\n")
    for paths in ([], ["mine"], ["mine/fixtures", "."], ["mine/rules"], [str(project)]):
        capsys.readouterr()
        assert main([command, "--rules", "mine/rules", *paths]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.startswith("mmlint: error: mine/rules: it is in the tree under check, /")
        assert output.err.endswith(", and rules are executed; keep rules that you trust outside of it\n")
        assert output.err.count("\n") == 1
    assert not (project / "executed").exists()


def test_the_tree_is_the_kernel_tree_around_a_path(project: Path) -> None:
    header = project / "linux/include/linux/pgtable.h"
    header.parent.mkdir(parents=True)
    header.write_text("")
    (project / "linux/mm").mkdir()
    (project / "linux/tools/rules").mkdir(parents=True)
    (project / "linux/mm/memory.c").write_text("")
    (project / "linux/tools/out").symlink_to(project / "mine/rules")
    (project / "in").symlink_to(project / "linux/tools/rules")
    for path in ("linux", "linux/mm", "linux/mm/memory.c"):
        for folder in ("linux/tools/rules", "linux/tools/out", "in", str(project / "linux/tools/rules")):
            with pytest.raises(UsageError, match=f"{folder}: it is in the tree under check, {project / 'linux'}, and"):
                trusted_folders([folder], [path])
        assert trusted_folders(["mine/rules"], [path]) == (Path("mine/rules"),)
    assert trusted_folders([], ["linux"]) == ()
    assert trusted_folders(["linux/none"], ["linux"]) == (Path("linux/none"),)
    assert trusted_folders(["mine/rules"], ["mine/fixtures", "old/old_rule.py"]) == (Path("mine/rules"),)


def test_help_says_that_the_audit_is_no_sandbox(capsys: Capture) -> None:
    assert main(["rules", "audit", "--help"]) == 0
    assert "not a sandbox" in " ".join(capsys.readouterr().out.split())
