"""Renderers on bytes that nobody should have put there: paths, messages, names, long lines, files that are gone."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level
from mmlint.engine import Coverage, Report
from mmlint.report import b4_check, checkstyle, github, github_summary, gitlab, jsonl, junit, rdjson, sarif, terse
from mmlint.report.outcome import Outcome
from mmlint.report.sources import Region, Sources
from mmlint.report.suggestion import Lines, whole_lines
from mmlint.source import Location, Source, Span
from tests.outcomes import CALL, HOSTILE_PATH, SOURCE, empty, hostile_outcome

SHOWN_PATH = "mm/a,b:%<&\"'\\x0a\\udcff.c"
SHOWN_TEXT = "'\\x1b]<&\"'|`%\\x0a::error::\\udcff' is odd"


def test_lines_stay_lines() -> None:
    lines = list(terse.render(hostile_outcome()))
    assert lines[:2] == [
        f"{SHOWN_PATH}:1: WARNING:a-rule: {SHOWN_TEXT}",
        f"{SHOWN_PATH}:1: WARNING:not-analysed: g\\x00() was not analysed: <&\\x1b",
    ]
    assert all(line.isprintable() for line in lines)
    assert list(b4_check.render(hostile_outcome())) == lines[:2]


def test_xml_is_well_formed_and_gives_back_what_was_shown() -> None:
    (error, *_) = ElementTree.fromstring(checkstyle.render(hostile_outcome())).iter("error")
    assert error.get("message") == SHOWN_TEXT
    root = ElementTree.fromstring(junit.render(hostile_outcome()))
    assert [case.get("classname") for case in root.iter("testcase")] == ["mmlint", SHOWN_PATH, SHOWN_PATH, "mm/walk.c"]
    assert next(root.iter("failure")).get("message") == SHOWN_TEXT


def test_json_holds_text_that_every_reader_takes() -> None:
    path = HOSTILE_PATH.replace("\udcff", "\\xff")
    outcome = hostile_outcome()
    assert json.loads(rdjson.render(outcome))["diagnostics"][0]["location"]["path"] == path
    assert json.loads(gitlab.render(outcome))[0]["location"]["path"] == path
    uri = "mm/a%2Cb%3A%25%3C%26%22%27%0A%FF.c"
    result = json.loads(sarif.render(outcome))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
    for text in (rdjson.render(outcome), gitlab.render(outcome), sarif.render(outcome), b4_check.render_json(outcome)):
        json.loads(text)
        assert "\\udc" not in text.replace("\\\\udc", "")
    # The contract gives the path as Python has it.
    assert json.loads(next(jsonl.render(outcome)))["path"] == HOSTILE_PATH


def test_github_takes_no_command_from_a_message() -> None:
    first, second, *rest = github.render(hostile_outcome())
    assert first == (
        "::warning title=mmlint (a-rule),file=mm/a%2Cb%3A%25<&\"'%0A\udcff.c,line=1,endLine=1::"
        "'\\x1b]<&\"'|`%25\\x0a::error::\\udcff' is odd"
    )
    assert second.startswith("::warning title=mmlint (not-analysed),")
    assert not any(line.startswith("::") for line in rest)


def test_github_log_lines_are_no_commands() -> None:
    location = Source("::set-env name=A::b##[add-path]", b"x").locate(Span(0, 1))
    many = [Diagnostic("a-rule", Level.ERROR, location, "", str(number)) for number in range(11)]
    outcome = Outcome(Report(tuple(many), (), Coverage(1, 0, 0, ())), Sources(empty().report), quiet=True)
    assert list(github.render(outcome))[10] == " ::set-env name=A::b## [add-path]:1:1: error: 10 [a-rule]"


def test_markdown_is_text() -> None:
    line = next(line for line in github_summary.render(hostile_outcome()) if "a-rule" in line)
    assert line.count("|") == 4
    assert "<&" not in line
    assert "&#60;&#38;" in line


@pytest.mark.parametrize(
    ("data", "before", "column"),
    [
        (b"abc", b"ab", 3),
        (b"\tx", b"\t", 2),
        ("ß𝔘x".encode(), "ß𝔘".encode(), 4),
        (b"\xff\xfex", b"\xff\xfe", 3),
        ("𝔘".encode()[:3] + b"x", "𝔘".encode()[:3], 2),
        (b"one\r\n\tx", b"one\r\n\t", 2),
    ],
)
def test_columns_in_utf16(data: bytes, before: bytes, column: int) -> None:
    source = Source("x.c", data)
    sources = Sources(empty().report, lambda _: data)
    region = sources.region(source.locate(Span(len(before), len(data))))
    assert (region.line, region.column) == (1 + before.count(b"\n"), column)


def test_a_file_that_changed_has_lines_but_no_columns() -> None:
    location = SOURCE.locate(CALL)
    nothing = Region(4, 0, 4, 0)
    assert Sources(empty().report, lambda _: b"\n" + SOURCE.data).region(location) == nothing
    assert Sources(empty().report, lambda _: b"").region(location) == nothing
    assert Sources(empty().report).region(location) == nothing
    assert Sources(empty().report).get("mm/\0.c") is None


def test_long_lines_are_quick() -> None:
    data = "ß".encode() * 1_000_000 + b"lazy();\n"
    source = Source("x.c", data)
    location = source.locate(Span(2_000_000, 2_000_006))
    found = tuple(Diagnostic("a-rule", Level.ERROR, location, "", str(number)) for number in range(20))
    report = Report(found, (), Coverage(1, 0, 0, ()))
    outcome = Outcome(report, Sources(report, lambda _: data))
    assert 'column="1000001"' in checkstyle.render(outcome)
    assert json.loads(sarif.render(outcome))["runs"][0]["results"][19]["locations"][0]["physicalLocation"][
        "region"
    ] == {
        "startLine": 1,
        "startColumn": 1_000_001,
        "endLine": 1,
        "endColumn": 1_000_007,
        "snippet": {"text": "lazy()"},
    }


def fix(*edits: tuple[int, int, str], path: str = "x.c") -> Fix:
    return Fix("x", Applicability.UNSAFE, tuple(Edit(path, Span(start, end), text) for start, end, text in edits))


@pytest.mark.parametrize(
    ("edits", "lines"),
    [
        ([(1, 2, "XY")], Lines(1, 1, b"aXYc")),
        ([(4, 4, "n\n")], Lines(2, 2, b"n\nde")),
        ([(1, 2, ""), (5, 6, "E\n\tF")], Lines(1, 2, b"ac\ndE\n\tF")),
        ([(3, 4, "; ")], Lines(1, 2, b"abc; de")),
        ([(7, 8, "G")], Lines(3, 3, b"G")),
        ([(7, 8, ""), (8, 8, "G")], Lines(3, 3, b"G")),
        ([(7, 99, "G")], None),
    ],
)
def test_whole_lines(edits: list[tuple[int, int, str]], lines: Lines | None) -> None:
    assert whole_lines(Source("x.c", b"abc\nde\ng"), fix(*edits)) == lines


def test_no_line_is_named_behind_the_last() -> None:
    assert whole_lines(Source("x.c", b"abc\n"), fix((0, 4, ""))) is None
    assert whole_lines(Source("x.c", b"abc\n"), fix((0, 1, ""), path="y.c")) is None


def test_a_suggestion_that_would_change_bytes_is_none() -> None:
    data = b"/* \xe9 */ lazy();\n"
    diagnostic = Diagnostic(
        "a-rule", Level.ERROR, Source("x.c", data).locate(Span(8, 12)), "", "it is so", (), fix((8, 12, "eager"))
    )
    report = Report((diagnostic,), (), Coverage(1, 0, 0, ()))
    (entry,) = json.loads(rdjson.render(Outcome(report, Sources(report, lambda _: data))))["diagnostics"]
    assert "suggestions" not in entry
    good = Sources(report, lambda _: data.replace(b"\xe9", b"e"))
    (entry,) = json.loads(rdjson.render(Outcome(report, good)))["diagnostics"]
    assert entry["suggestions"][0]["text"] == "/* e */ eager();"


def test_location_without_bytes() -> None:
    location = Location("x.c", Span(0, 0), 3, 1, 3, 1)
    assert Sources(empty().report, lambda _: b"a\nb\nc\n").region(location) == Region(3, 0, 3, 0)
