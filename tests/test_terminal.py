"""What a person at a terminal sees: source lines with marks, numbered evidence, colour where it is wanted."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level, Note
from mmlint.engine import Coverage, Report
from mmlint.facts.sections import FileFacts
from mmlint.report.excerpt import excerpt
from mmlint.report.rich_text import print_report
from mmlint.source import Source, Span
from tests.samples import PLAIN, function_of, plain_section, source_of, span_of
from tests.test_cli import FAULTY

ROOT = Path(__file__).resolve().parent.parent
SOURCE = source_of(PLAIN)
CALL = span_of(SOURCE, "lazy_mmu_mode_enable()")


def rows(text: str | bytes, marked: str | bytes, columns: int = 100, context: int = 0) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    wanted = marked.encode() if isinstance(marked, str) else marked
    start = data.index(wanted)
    return [str(row) for row in excerpt(Source("x.c", data), Span(start, start + len(wanted)), columns, context)]


def test_span_is_marked_beneath_its_line() -> None:
    assert rows("a;\nfoo(bar);\n", "bar") == ["    2 | foo(bar);", "      |     ^~~"]


def test_tabs_go_on_to_the_next_stop() -> None:
    assert rows("\tif (x)\ty();", "y()") == ["    1 |         if (x)  y();", "      |                 ^~~"]
    assert rows("ab\t\tcd", "\tcd") == ["    1 | ab              cd", "      |         ^~~~~~~~~~"]


def test_context_leaves_out_blank_lines() -> None:
    text = "one\ntwo\n\nfour\nfive\n"
    assert rows(text, "two", context=1) == ["    1 | one", "    2 | two", "      | ^~~"]
    assert rows(text, "four", context=1) == ["    4 | four", "      | ^~~~", "    5 | five"]
    assert rows("one\n", "one", context=3) == ["    1 | one", "      | ^~~"]


def test_line_ends_and_bytes_that_are_no_text() -> None:
    assert rows("a(b);\r\nc;\r\n", "b") == ["    1 | a(b);", "      |   ^"]
    assert rows(b"\xff\x1b[2Jx = 1", b"x") == ["    1 | \\xff\\x1b[2Jx = 1", "      |            ^"]
    assert rows("/* \u5e83\u00e9 */ x", " x") == ["    1 | /* \u5e83\u00e9 */ x", "      |          ^~"]


def test_several_lines_are_marked_each() -> None:
    assert rows("f(a,\n\t\tb,\n\t\tc,\n\t\td);", "f(a,\n\t\tb,\n\t\tc,\n\t\td)") == [
        "    1 | f(a,",
        "      | ^~~~",
        "    2 |                 b,",
        "      |                 ~~",
        "    3 |                 c,",
        "      |                 ~~",
    ]


def test_empty_span_and_end_of_the_file_are_one_mark() -> None:
    source = Source("x.c", b"ab\ncd")
    assert [str(row) for row in excerpt(source, Span(1, 1))] == ["    1 | ab", "      |  ^"]
    assert [str(row) for row in excerpt(source, Span(5, 5))] == ["    2 | cd", "      |   ^"]
    assert [str(row) for row in excerpt(Source("x.c", b""), Span(0, 0))] == ["    1 |", "      | ^"]


@pytest.mark.parametrize("before", [0, 30, 70, 500, 5000, 3_000_000])
@pytest.mark.parametrize("after", [0, 30, 500, 3_000_000])
def test_long_lines_are_cut_around_the_mark(before: int, after: int) -> None:
    line, mark = rows("x" * before + "HERE" + "y" * after, "HERE", columns=60)
    assert len(line) <= 60
    start = mark.index("^")
    assert line[start : start + 4] == "HERE"
    assert mark[start:] == "^~~~"
    assert line.startswith("    1 | ...") == (before + 4 + after > 52 and before >= 34)


def report_of(*diagnostics: Diagnostic) -> Report:
    facts = FileFacts(SOURCE, (function_of(SOURCE, plain_section(SOURCE)),), 1)
    return Report(diagnostics, (facts,), Coverage(1, 1, 1, ()))


def printed(report: Report, colour: bool = False, width: int = 80) -> str:
    stream = io.StringIO()
    print_report(report, stream, colour, width)
    return stream.getvalue()


FINDING = Diagnostic(
    "a-rule",
    Level.ERROR,
    SOURCE.locate(CALL),
    "walk",
    "it is so [bold]",
    (
        Note(SOURCE.locate(span_of(SOURCE, "pte =")), "'pte' is mapped here"),
        Note(SOURCE.locate(span_of(SOURCE, "pte =")), "and held"),
        Note(SOURCE.locate(span_of(SOURCE, "return")), "left"),
    ),
    Fix("use call()", Applicability.SAFE, (Edit("mm/walk.c", CALL, "call()"),)),
)


def test_finding_with_its_source_and_numbered_evidence() -> None:
    assert printed(report_of(FINDING)).splitlines() == [
        "mm/walk.c:4:2: error: it is so [bold] [a-rule]",
        "    4 |         lazy_mmu_mode_enable();",
        "      |         ^~~~~~~~~~~~~~~~~~~~~~",
        "mm/walk.c:3:2: note: (1) 'pte' is mapped here",
        "    3 |         pte = pte_offset_map_lock(mm, pmd, addr, &ptl);",
        "      |         ^~~~~",
        "mm/walk.c:3:2: note: (2) and held",
        "mm/walk.c:6:2: note: (3) left",
        "    6 |         return;",
        "      |         ^~~~~~",
        "      = fix: use call() (mmlint fix)",
        "",
        "1 error; 1 section in 1 function of 1 file; 0 not analysed",
    ]


def test_colours_follow_the_level_and_change_no_text() -> None:
    coloured = printed(report_of(FINDING), colour=True)
    assert (
        "\x1b[1mmm/walk.c:4:2:\x1b[0m \x1b[1;31merror:\x1b[0m \x1b[1mit is so [bold]\x1b[0m \x1b[1;31m[a-rule]"
        in coloured
    )
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == printed(report_of(FINDING))


def test_a_finding_in_a_file_that_is_gone_is_shown_without_source() -> None:
    location = Source("none.c", b"x").locate(Span(0, 1))
    lines = printed(report_of(Diagnostic("a-rule", Level.NOTE, location, "", "odd\x1b[2J"))).splitlines()
    assert lines[:2] == ["none.c:1:1: note: odd\\x1b[2J [a-rule]", ""]


def test_width_cuts_source_lines_only() -> None:
    lines = printed(report_of(FINDING), width=40).splitlines()
    assert lines[4] == "    3 |         pte = pte_offset_map_..."
    assert "mm/walk.c:4:2: error: it is so [bold] [a-rule]" in lines


def on_a_terminal(folder: Path, *arguments: str, **environment: str) -> str:
    """The output of mmlint on a pseudo-terminal, line ends as in a file."""
    master, slave = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    variables = {**kept, "TERM": "xterm", "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "mmlint", *arguments]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=variables)
    os.close(slave)
    output = b""
    try:
        while piece := os.read(master, 65536):
            output += piece
    except OSError:
        pass
    os.close(master)
    assert process.wait(30) == 1
    return output.decode().replace("\r\n", "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bad.c").write_text(FAULTY)
    return tmp_path


def piped(folder: Path, *arguments: str, **environment: str) -> str:
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    variables = {**kept, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "mmlint", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=variables, check=False)
    assert (result.returncode, result.stderr) == (1, "")
    return result.stdout


def test_terminal_gets_source_and_colour_and_a_pipe_gets_neither(folder: Path) -> None:
    plain = piped(folder, "check", "bad.c")
    assert "\x1b" not in plain
    assert " | " not in plain
    shown = on_a_terminal(folder, "check", "bad.c")
    assert "\x1b[1;31merror:" in shown
    assert "^~~" in shown
    for arguments, environment in ((["--color=never"], {}), ([], {"NO_COLOR": "1"})):
        uncoloured = on_a_terminal(folder, "check", *arguments, "bad.c", **environment)
        assert "\x1b" not in uncoloured
        assert "^~~" in uncoloured
    assert on_a_terminal(folder, "check", "bad.c", TERM="dumb") == plain
    for arguments, environment in ((["--color=always"], {}), ([], {"FORCE_COLOR": "1"})):
        assert "\x1b[1;31merror:" in piped(folder, "check", *arguments, "bad.c", **environment)
    assert piped(folder, "check", "--color=never", "bad.c", FORCE_COLOR="1") == plain


def test_without_rich_a_terminal_gets_the_lines_of_gcc_in_colour(folder: Path) -> None:
    (folder / "path/rich").mkdir(parents=True)
    (folder / "path/rich/__init__.py").write_text("raise ImportError('not installed')\n")
    shown = on_a_terminal(folder, "check", "bad.c", PYTHONPATH=f"{folder}/path:{ROOT}")
    assert "\x1b[1;31merror:\x1b[0m" in shown
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == piped(folder, "check", "bad.c")


def test_progress_is_for_whole_trees_and_leaves_nothing(folder: Path) -> None:
    many = folder / "many"
    many.mkdir()
    for number in range(2000):
        (many / f"{number}.c").touch()
    shown = on_a_terminal(folder, "check", ".")
    assert "\r\x1b[Kreading 2,001 files ...\r\x1b[Kchecking 1 file ...\r\x1b[K" in shown
    assert "reading" not in on_a_terminal(folder, "check", "-q", ".")
    assert "reading" not in piped(folder, "check", ".")
    assert "reading" not in on_a_terminal(folder, "check", "bad.c")
