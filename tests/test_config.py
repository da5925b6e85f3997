"""Configuration files: where they are looked for, what they may say, and which word counts in the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.commands.arguments import make_parser
from mmlint.commands.settings import Resolved, resolve
from mmlint.config import Settings, UsageError
from mmlint.config_file import KEYS, find_config, read_config
from mmlint.diagnostic import Level

EVERYTHING = """\
target = "lazy_mmu_mode_enable_with_ptes"
level = "warning"
fail-level = "error"
select = ["wrong-mm", "wrong-ptep"]
ignore = ["wrong-ptep"]
suppressions = "lists/accepted.txt"
jobs = 1
cache = false
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder three levels deep, which is the current one; nothing above it configures."""
    deep = tmp_path / "a/b/c"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    monkeypatch.delenv("MMLINT_CONFIG", raising=False)
    return deep


def resolved(*arguments: str) -> Resolved:
    return resolve(make_parser().parse_args(["check", *arguments]))


def test_every_key_reaches_its_setting(folder: Path) -> None:
    (folder / ".mmlint.toml").write_text(EVERYTHING)
    found = resolved()
    assert found.settings == Settings(
        target="lazy_mmu_mode_enable_with_ptes",
        level=Level.WARNING,
        fail_level=Level.ERROR,
        select=frozenset({"wrong-mm", "wrong-ptep"}),
        ignore=frozenset({"wrong-ptep"}),
        suppressions=Path("lists/accepted.txt"),
        jobs=1,
        cache=False,
    )
    assert found.origins == {key: f".mmlint.toml:{number}" for number, key in enumerate(EVERYTHING_KEYS, start=1)}
    assert set(EVERYTHING_KEYS) == set(KEYS)


EVERYTHING_KEYS = [line.split(" = ")[0] for line in EVERYTHING.splitlines()]


def test_nothing_is_the_default() -> None:
    assert resolved() == Resolved(Settings(), {}, None)


def test_the_nearest_file_above_counts_alone(folder: Path) -> None:
    (folder.parent.parent / ".mmlint.toml").write_text('level = "error"\njobs = 3\n')
    (folder.parent / "pyproject.toml").write_text('[tool.other]\nname = "mmlint"\n')
    found = resolved()
    assert (found.settings.level, found.settings.jobs) == (Level.ERROR, 3)
    assert found.origins["level"] == f"{folder.parent.parent}/.mmlint.toml:1"
    (folder.parent / "pyproject.toml").write_text('[tool.other]\nlevel = 1\n\n[tool.mmlint]\nlevel = "warning"\n')
    found = resolved()
    assert (found.settings.level, found.settings.jobs) == (Level.WARNING, 0)
    assert found.origins == {"level": f"{folder.parent}/pyproject.toml:5"}
    (folder.parent / ".mmlint.toml").write_text("")
    assert resolved().settings == Settings()


def test_a_tree_that_is_checked_from_outside_configures_nothing(folder: Path) -> None:
    (folder / "tree").mkdir()
    (folder / "tree/.mmlint.toml").write_text('no such key = "x"')
    (folder / "tree/walk.c").write_text("int x;\n")
    assert main(["check", "tree"]) == 0
    assert resolved("tree").config is None


def test_command_line_before_environment_before_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".mmlint.toml").write_text('level = "error"\nfail-level = "error"\n')
    (folder / "other.toml").write_text('level = "warning"\n')
    (folder / "third.toml").write_text("jobs = 7\n")
    monkeypatch.setenv("MMLINT_CONFIG", "other.toml")
    assert resolved().origins == {"level": "other.toml:1"}
    assert resolved("--config", "third.toml").origins == {"jobs": "third.toml:1"}
    assert resolved("--no-config").origins == {}
    found = resolved("--level", "note", "--jobs", "2")
    assert (found.settings.level, found.settings.jobs) == (Level.NOTE, 2)
    assert found.origins == {"level": "command line", "jobs": "command line"}


def test_select_on_the_command_line_wins_over_ignore_in_the_file(folder: Path) -> None:
    (folder / ".mmlint.toml").write_text('ignore = ["wrong-mm", "wrong-ptep"]\n')
    assert resolved("--select", "wrong-mm").settings.ignore == {"wrong-ptep"}
    assert resolved("--select", "wrong-mm", "--ignore", "wrong-mm").settings.ignore == {"wrong-mm"}
    assert resolved("--ignore", "wrong-range,wrong-mm").settings.ignore == {"wrong-range", "wrong-mm"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "x = 1\n",
            ":1: x: there is no such key; there are target, level, fail-level, select, ignore, suppressions, jobs",
        ),
        ('\nfail_level = "error"\n', ":2: fail_level: there is no such key; write fail-level"),
        ('jobs = 1\nrules = ["mine"]\n', ":2: rules: rules are executed, so a file cannot name them; give --rules on"),
        ('config = "x"\n', ":1: config: a file cannot name another one; give --config on the command line"),
        ('level = "fatal"\n', ':1: level: "fatal" is no level; write "note", "warning" or "error"'),
        ("level = 3\n", ':1: level: 3 is no level; write "note", "warning" or "error"'),
        ('select = "wrong-mm"\n', ':1: select: "wrong-mm" is no list of rules; write ["wrong-mm", "wrong-ptep"]'),
        ("ignore = [1]\n", ":1: ignore: [1] is no list of rules"),
        ('\n\nignore = ["none"]\n', ":3: ignore: none: there is no such rule; `mmlint rules list` names them"),
        ("jobs = -1\n", ":1: jobs: -1 is no number of processes; write 0 for one per CPU, or 1, 2, ..."),
        ("jobs = true\n", ":1: jobs: true is no number of processes"),
        ('target = "no name"\n', ':1: target: "no name" is no name for a function; write "lazy_mmu_mode_enable_for'),
        ('suppressions = ""\n', ':1: suppressions: "" is no file name; write "accepted.txt", relative to this file'),
        ('suppressions = "a\\u0000b"\n', ":1: suppressions: "),
        ("jobs = 1\njobs = 2\n", ": not TOML: Cannot overwrite a value"),
        ("jobs = 1\njobs\n", ":2: not TOML: Expected '=' after a key in a key/value pair; mend the file, or give --no"),
        ("# \xe9\n# \udcff\n", ":2: not UTF-8; save the file as UTF-8, or give --no-config"),
        ("[mmlint]\njobs = 1\n", ":1: mmlint: there is no such key"),
        ('"jo\\u001b[2Jbs" = 1\n', ": jo\\x1b[2Jbs: there is no such key"),
        ("a = " + "[" * 5000 + "\n", "not TOML: "),
    ],
)
def test_mistakes_name_file_line_key_and_remedy(
    folder: Path, text: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".mmlint.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    (folder / "walk.c").write_text("int x;\n")
    assert main(["check", "walk.c"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(("mmlint: error: .mmlint.toml:", f"mmlint: error: {folder}"))
    assert complaint in output.err
    assert output.err.count("\n") == 1
    assert main(["check", "--no-config", "walk.c"]) == 0


def test_lines_in_a_project_file(folder: Path) -> None:
    text = '[tool.x]\njobs = 1\n[ tool . mmlint ]\n"jobs" = 2\n[tool.y]\nlevel = 1\n'
    (folder / "pyproject.toml").write_text(text)
    assert resolved().origins == {"jobs": "pyproject.toml:4"}
    (folder / "pyproject.toml").write_text(text.replace("[tool.y]", "[tool.mmlint.y]"))
    with pytest.raises(UsageError, match=r"^pyproject\.toml:5: y: there is no such key"):
        resolved()
    (folder / "pyproject.toml").write_text("tool.mmlint.jobs = 4\n")
    assert resolved().origins == {"jobs": "pyproject.toml"}


def test_files_that_are_named_have_to_be_there_and_to_configure(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"^none: No such file or directory; give a file that can be read"):
        read_config(Path("none"))
    with pytest.raises(UsageError, match="Is a directory"):
        read_config(folder)
    (folder / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(UsageError, match=re.escape("there is no table [tool.mmlint]; write one, or give another file")):
        read_config(Path("pyproject.toml"))
    assert find_config(str(folder)) is None
    (folder / "pyproject.toml").write_text("tool = 'mmlint'\n")
    assert find_config(str(folder)) is None
    for text in ("tool = { mmlint = { jobs = 3 } }", "[tool]\nmmlint.jobs = 3", '["tool"."mmlint"]\njobs = 3'):
        (folder / "pyproject.toml").write_text(text)
        assert resolved().settings.jobs == 3


def test_folder_of_that_name_is_passed_by(folder: Path) -> None:
    (folder / ".mmlint.toml").mkdir()
    (folder.parent / ".mmlint.toml").write_text("jobs = 5\n")
    assert resolved().settings.jobs == 5


def test_list_beside_the_configuration_is_taken(folder: Path) -> None:
    (folder.parent / ".mmlint-suppressions").write_text("")
    assert resolved().settings.suppressions is None
    (folder.parent / ".mmlint.toml").write_text("")
    found = resolved()
    assert found.settings.suppressions == folder.parent / ".mmlint-suppressions"
    assert found.origins == {"suppressions": f"beside {folder.parent}/.mmlint.toml"}
    assert resolved("--no-config").settings.suppressions is None
    assert resolved("--suppressions", "x").settings.suppressions == Path("x")


def test_config_prints_what_is_in_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".mmlint.toml").write_text('fail-level = "error"\nignore = ["wrong-mm", "api-definition"]\n')
    (folder / ".mmlint-suppressions").write_text("0123456789abcdef wrong-mm mm/walk.c # as it was\n")
    assert main(["config", "--level", "warning", "--jobs", "3"]) == 0
    assert [re.split(r"\s{2,}", line) for line in capsys.readouterr().out.splitlines()] == [
        ["configuration", ".mmlint.toml"],
        ["target", "the tree's own", "default"],
        ["level", "warning", "command line"],
        ["fail-level", "error", ".mmlint.toml:1"],
        ["select", "all rules", "default"],
        ["ignore", "api-definition, wrong-mm", ".mmlint.toml:2"],
        ["suppressions", ".mmlint-suppressions (1 entry)", "beside .mmlint.toml"],
        ["jobs", "3", "command line"],
        ["cache", "yes", "default"],
    ]


def test_the_cache_has_a_key_a_variable_and_an_option(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (resolved().settings.cache, resolved().origins) == (True, {})
    (folder / ".mmlint.toml").write_text("cache = true\n")
    assert (resolved().settings.cache, resolved().origins["cache"]) == (True, ".mmlint.toml:1")
    monkeypatch.setenv("MMLINT_NO_CACHE", "1")
    assert (resolved().settings.cache, resolved().origins["cache"]) == (False, "MMLINT_NO_CACHE")
    assert resolved("--no-cache").origins["cache"] == "command line"
    monkeypatch.setenv("MMLINT_NO_CACHE", "")
    assert resolved("--no-cache").settings.cache is False
    (folder / ".mmlint.toml").write_text('cache = "no"\n')
    with pytest.raises(
        UsageError, match=r'^\.mmlint\.toml:1: cache: "no" is neither true nor false; write one of them$'
    ):
        resolved()


def test_settings_change_what_a_run_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "walk.c").write_text("void f(void)\n{\n\tlazy_mmu_mode_enable();\n\tg();\n}\n")
    assert main(["check", "-q", "walk.c"]) == 1
    assert "[missing-disable]" in capsys.readouterr().out
    (folder / ".mmlint.toml").write_text('ignore = ["missing-disable"]\n')
    assert main(["check", "walk.c"]) == 0
    assert capsys.readouterr().out.startswith("no findings; 1 section ")
    (folder / ".mmlint.toml").write_text('target = "mm_batch_begin"\n')
    assert main(["sections", "walk.c"]) == 0
