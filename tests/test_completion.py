"""Completion and the manual page: made from the arguments, taken by the programs that they are for."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.commands.arguments import make_parser
from mmlint.completion import script, walk
from mmlint.manpage import escaped, page
from mmlint.rule import load_rules

RULES = [loaded.rule.name for loaded in load_rules()]
NODES = {" ".join(node.words): node for node in walk(make_parser(), (), "", tuple(RULES))}


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(*command: str, text: str = "") -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def test_walk_knows_what_each_place_wants() -> None:
    options = {name: option for option in NODES["check"].options for name in option.names}
    assert options["--level"].wants == ("note", "warning", "error")
    assert options["--select"].wants == tuple(RULES)
    assert (options["--rules"].wants, options["--config"].wants, options["--reason"].wants) == (
        "folders",
        "files",
        "text",
    )
    assert (options["-q"], options["--quiet"].wants) == (options["--quiet"], "")
    assert NODES["check"].wants == ("files",)
    assert NODES["explain"].wants == ((*RULES, "files"),)
    assert [name for name, _ in NODES["dump"].commands] == ["parse", "cfg", "state"]
    assert {"rules list", "rules audit", "kbuild", "man", "config"} <= NODES.keys()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_complete_and_that_of_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert text == script(shell, make_parser(), RULES)
    for node in NODES.values():
        for option in node.options:
            for name in option.names:
                assert (f"-l {name[2:]}" if shell == "fish" and name[:2] == "--" else name.lstrip("-")) in text
    assert all(name in text for name in RULES)


CASES = [
    (
        "",
        [
            "b4-check",
            "cache",
            "check",
            "completion",
            "config",
            "dump",
            "explain",
            "fix",
            "graph",
            "hook",
            "kbuild",
            "man",
            "rules",
            "sections",
            "series",
        ],
    ),
    ("ch", ["check"]),
    ("cache ", ["clear", "info"]),
    ("check --le", ["--level"]),
    ("check --level ", ["error", "note", "warning"]),
    ("check -q --select wrong-", ["wrong-mm", "wrong-ptep", "wrong-range"]),
    ("check mm/ --fail", ["--fail-level"]),
    ("rules au", ["audit"]),
    ("dump c", ["cfg"]),
    ("completion ", ["bash", "fish", "zsh"]),
    ("explain unranged", ["unranged-walker"]),
    ("check mm/fi", ["mm/file.c"]),
]


@needs("bash")
@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_bash(typed: str, offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/file.c").touch()
    monkeypatch.chdir(tmp_path)
    ask = (
        f"COMP_WORDS=(mmlint {typed}{chr(34) * 2 if typed.endswith(' ') or not typed else ''})\n"
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_mmlint\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    found = run("bash", "--norc", text=script("bash", make_parser(), RULES) + ask).split("\n")[:-1]
    assert sorted(found) == offered


@needs("fish")
@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_fish(typed: str, offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/file.c").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mmlint.fish").write_text(script("fish", make_parser(), RULES))
    found = run("fish", "--no-config", "-c", f"source mmlint.fish; complete -C 'mmlint {typed}'").split("\n")[:-1]
    assert sorted(line.split("\t")[0] for line in found) == offered


@needs("zsh")
def test_zsh_takes_the_script(tmp_path: Path) -> None:
    (tmp_path / "_mmlint").write_text(script("zsh", make_parser(), RULES))
    run("zsh", "-f", "-n", str(tmp_path / "_mmlint"))
    loaded = run(
        "zsh", "-f", "-c", f"fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -D; whence -v _mmlint"
    )
    assert "autoload shell function" in loaded


def test_zsh_actions_that_are_commands_of_their_own_begin_with_a_blank() -> None:
    # Else _arguments adds options to them that they do not take.
    actions = re.findall(r":([^:]*?_alternative)", script("zsh", make_parser(), RULES))
    assert actions == [" _alternative"]


def test_page_names_every_command_option_and_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man"]) == 0
    text = capsys.readouterr().out.replace("\\-", "-")
    for words, node in NODES.items():
        assert not words or f".SS mmlint {words}" in text
        for option in node.options:
            assert option.names[0] == "-h" or ", ".join(f"\\fB{name}\\fR" for name in option.names) in text
    for loaded in load_rules():
        assert f'.BR {loaded.rule.name} " ({loaded.rule.level})"' in text
    headings = re.findall(r"^\.SH (.+)$", text, re.MULTILINE)
    assert headings == [
        *("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "RULES"),
        *("EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"),
    ]


def test_no_text_becomes_a_request() -> None:
    assert escaped(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert escaped("a\\fB-b 'c'") == "a\\efB\\-b \\(aqc\\(aq"
    lines = page(make_parser(), [("x", "note", ".de")], {"END": ".ab\n'br"}).split("\n")
    assert lines[-5:] == [".nf", "\\&.ab", "\\(aqbr", ".fi", ""]
    assert "\\&.de" in lines


@needs("groff")
def test_groff_has_nothing_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["man"])
    file = tmp_path / "mmlint.1"
    file.write_text(capsys.readouterr().out)
    result = subprocess.run(["groff", "-man", "-ww", "-z", str(file)], capture_output=True, check=True)
    assert (result.stdout, result.stderr) == (b"", b"")
