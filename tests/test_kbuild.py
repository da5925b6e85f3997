"""``mmlint kbuild``: as make calls it, once for each file, without ever stopping the build by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.commands import kbuild
from mmlint.engine import needles
from tests.test_architecture import HEAVY, loaded_by
from tests.test_cli import BROKEN, CONVERTIBLE, FAULTY

ROOT = Path(__file__).resolve().parent.parent
# What a kernel build gives: CHECKFLAGS, then the compiler's own.
FLAGS = [
    "-D__linux__",
    "-Dlinux",
    "-D__STDC__",
    "-Wbitwise",
    "-Wno-return-void",
    "--arch=x86",
    "-m64",
    "-mlittle-endian",
    "-Wp,-MMD,mm/.bad.o.d",
    "-nostdinc",
    "-I./include",
    "-include",
    "./include/linux/kconfig.h",
    '-DKBUILD_MODNAME="bad"',
    "-h",
    "--level",
    "--help",
    "-std=gnu11",
]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one file of each kind, which is the current one."""
    (tmp_path / "mm").mkdir()
    for name, text in (("bad", FAULTY), ("good", CONVERTIBLE), ("none", "int x;\n"), ("broken", BROKEN)):
        (tmp_path / f"mm/{name}.c").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("srctree", raising=False)
    return tmp_path


def test_it_searches_for_what_the_engine_searches_for() -> None:
    assert needles("") == kbuild.NEEDLES


@pytest.mark.parametrize(
    ("own", "file", "code", "said"),
    [
        ([], "mm/bad.c", 0, "mm/bad.c:9:2: error: "),
        (["--mmlint-error"], "mm/bad.c", 1, "[missing-disable]\n"),
        (["--mmlint-error", "--mmlint-ignore=missing-disable"], "mm/bad.c", 0, ""),
        (["--mmlint-error", "--mmlint-select", "wrong-mm"], "mm/bad.c", 2, "expected one argument"),
        (["--mmlint-error", "--mmlint-select=wrong-mm"], "mm/bad.c", 0, ""),
        (["--mmlint-error"], "mm/good.c", 0, "mm/good.c:5:2: note: the range is known: "),
        (["--mmlint-error", "--mmlint-fail-level=note"], "mm/good.c", 1, "[unranged-walker]\n"),
        (["--mmlint-level=warning"], "mm/good.c", 0, ""),
        (["--mmlint-error"], "mm/none.c", 0, ""),
        ([], "mm/broken.c", 0, "mm/broken.c:6:1: note: walk() was not analysed: "),
        (["--mmlint-error"], "mm/broken.c", 2, "mm/broken.c:6:1: note: walk() was not analysed: "),
        ([], "mm/gone.c", 0, "mmlint: error: mm/gone.c: No such file or directory\n"),
        (["--mmlint-error"], "mm/gone.c", 2, "mmlint: error: mm/gone.c: No such file or directory\n"),
        ([], "mm", 0, "mmlint: error: mm: Is a directory\n"),
        (["--mmlint-levle=note"], "mm/bad.c", 0, "mmlint: error: unrecognized arguments: --mmlint-levle=note"),
        (["--mmlint-level=bad"], "mm/bad.c", 0, "invalid choice: 'bad'"),
        (["--mmlint-error", "--mmlint-config=none"], "mm/bad.c", 2, "mmlint: error: none: No such file or directory"),
    ],
)
def test_codes_and_what_is_said(own: list[str], file: str, code: int, said: str, capsys: Capture) -> None:
    assert main(["kbuild", *FLAGS[:4], *own, *FLAGS[4:], file]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert said in output.err
    assert bool(said) == bool(output.err)


def test_without_a_file_it_says_how_to_run_it(capsys: Capture) -> None:
    assert main(["kbuild"]) == 0
    assert capsys.readouterr().err == "mmlint: error: kbuild: no file is given; run make C=1 CHECK='mmlint kbuild'\n"
    assert main(["kbuild", "--mmlint-error", "-Wall"]) == 2


def test_settings_of_the_tree_hold(tree: Path, capsys: Capture) -> None:
    main(["check", "--write-suppressions", ".mmlint-suppressions", "--reason", "x", "mm/good.c"])
    (tree / ".mmlint.toml").write_text('ignore = ["missing-disable"]\n')
    capsys.readouterr()
    for file, said in (("bad", ""), ("good", "mm/good.c: 1 suppressed\n")):
        assert main(["kbuild", "--mmlint-error", f"mm/{file}.c"]) == 0
        assert capsys.readouterr().err == said
    assert main(["kbuild", "--mmlint-error", "--mmlint-no-config", "mm/bad.c"]) == 1


def test_build_in_another_folder_shows_paths_of_the_tree(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("objects"))
    monkeypatch.setenv("srctree", str(tree))
    (tree / ".mmlint.toml").write_text('level = "warning"\n')
    main(["kbuild", f"{tree}/mm/good.c"])
    assert capsys.readouterr().err == ""
    main(["kbuild", f"{tree}/mm/bad.c"])
    assert capsys.readouterr().err.startswith("mm/bad.c:9:2: error: ")


def test_file_without_a_section_loads_next_to_nothing(tree: Path) -> None:
    loaded = loaded_by(f"from mmlint.cli import main; assert main(['kbuild', '-Dx', '{tree}/mm/none.c']) == 0")
    assert "mmlint.commands.kbuild" in loaded
    assert not loaded & {*HEAVY, "argparse", "dataclasses", "re", "tomllib", "tree_sitter", "mmlint.config"}


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_goes_on_unless_it_is_told_not_to(tree: Path) -> None:
    command = f"{sys.executable} -m mmlint kbuild"
    (tree / "Makefile").write_text(
        "all: mm/bad.o mm/none.o mm/good.o\nCF :=\nc_flags = -Wp,-MMD,$@.d -nostdinc -DKBUILD_MODNAME='\"x\"'\n"
        f"CHECK = {command}\nCHECKFLAGS := -D__linux__ -Wbitwise $(CF)\n"
        "%.o: %.c\n\t@set -e; $(CHECK) $(CHECKFLAGS) $(c_flags) $<; echo CC $@\n"
    )
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    inherited = {key: value for key, value in os.environ.items() if key not in outer}
    environment = {**inherited, "PYTHONPATH": str(ROOT)}

    def make(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "--no-print-directory", "-k", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    free = make()
    assert (free.returncode, free.stdout) == (0, "CC mm/bad.o\nCC mm/none.o\nCC mm/good.o\n")
    assert "mm/bad.c:9:2: error: " in free.stderr
    strict = make("CF=--mmlint-error")
    assert (strict.returncode, strict.stdout) == (2, "CC mm/none.o\nCC mm/good.o\n")
