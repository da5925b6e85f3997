"""What people and programs read, to the letter."""

from __future__ import annotations

import io
import json

import pytest

from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level, Note, Skipped, Suppressed, fingerprinted
from mmlint.engine import Coverage, Report
from mmlint.facts.sections import FileFacts, Obligation, Range, Section, Status, Verdict
from mmlint.report.json import render_check, render_sections
from mmlint.report.sections_text import render as render_sections_text
from mmlint.report.statistics import render as render_statistics
from mmlint.report.terminal import Pen, counted, shown, wants_colour
from mmlint.report.text import render
from mmlint.source import Source
from tests.samples import PLAIN, RANGED, evidence, function_of, plain_section, ranged_section, source_of, span_of

PLAINLY = Pen()
SOURCE = source_of(PLAIN)
CALL = SOURCE.locate(span_of(SOURCE, "lazy_mmu_mode_enable()"))
NOTE = Note(SOURCE.locate(span_of(SOURCE, "pte =")), "'pte' is mapped here")


def finding(level: Level, rule: str = "a-rule", message: str = "it is so", fix: Fix | None = None) -> Diagnostic:
    return Diagnostic(rule, level, CALL, "walk", message, (NOTE,), fix)


def report_of(
    *diagnostics: Diagnostic, sections: tuple[Section, ...] = (), skipped: tuple[Skipped, ...] = ()
) -> Report:
    facts = FileFacts(SOURCE, (function_of(SOURCE, *sections),), 1, skipped)
    return Report(tuple(fingerprinted(diagnostics)), (facts,), Coverage(3, 1, len(sections), skipped))


def test_text_is_that_of_gcc_with_one_line_of_summary() -> None:
    report = report_of(finding(Level.ERROR), finding(Level.NOTE, "b-rule"), sections=(plain_section(SOURCE),))
    assert list(render(report, PLAINLY)) == [
        "mm/walk.c:4:2: error: it is so [a-rule]",
        "mm/walk.c:3:2: note: 'pte' is mapped here",
        "mm/walk.c:4:2: note: it is so [b-rule]",
        "mm/walk.c:3:2: note: 'pte' is mapped here",
        "1 error, 1 note; 1 section in 1 function of 3 files; 0 not analysed",
    ]


def test_quiet_text_is_the_findings_alone() -> None:
    assert list(render(report_of(finding(Level.ERROR)), PLAINLY, quiet=True)) == [
        "mm/walk.c:4:2: error: it is so [a-rule]"
    ]


def test_what_was_not_analysed_is_never_left_out() -> None:
    skipped = (Skipped("mm/a.c", "", 1, "Permission denied"), Skipped("mm/b.c", "walk", 7, "syntax error"))
    expected = [
        "mm/a.c:1:1: note: not read: Permission denied",
        "mm/b.c:7:1: note: walk() was not analysed: syntax error",
    ]
    report = report_of(skipped=skipped)
    assert list(render(report, PLAINLY, quiet=True)) == expected
    assert list(render(report, PLAINLY)) == [
        *expected,
        "no findings; 0 sections in 0 functions of 3 files; 2 not analysed",
    ]
    assert list(render_sections_text(report, PLAINLY, quiet=True)) == expected
    for document in (json.loads(render_check(report)), json.loads(render_sections(report))):
        assert document["coverage"]["skipped"] == [
            {"path": "mm/a.c", "function": "", "line": 1, "reason": "Permission denied"},
            {"path": "mm/b.c", "function": "walk", "line": 7, "reason": "syntax error"},
        ]


def test_control_characters_do_not_reach_the_terminal() -> None:
    location = Source("mm/\x1b[2J\n\udcff.c", b"x").locate(span_of(Source("", b"x"), "x"))
    diagnostic = Diagnostic("a-rule", Level.NOTE, location, "walk", "'\x07\u202e' is odd")
    (line,) = render(report_of(diagnostic), PLAINLY, quiet=True)
    assert line == "mm/\\x1b[2J\\x0a\\udcff.c:1:1: note: '\\x07\\u202e' is odd [a-rule]"


def test_shown_keeps_ordinary_text() -> None:
    assert shown("mm/Stra\u00dfe.c") == "mm/Stra\u00dfe.c"
    assert shown("a\tb\x7f\x9b") == "a\\x09b\\x7f\\x9b"


def test_colour_marks_the_place_and_the_level() -> None:
    assert list(render(report_of(finding(Level.WARNING)), Pen(True), quiet=True)) == [
        "\033[1mmm/walk.c:4:2:\033[0m \033[1;35mwarning:\033[0m it is so [a-rule]"
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "choice", "on_terminal", "elsewhere"),
    [
        ({}, "auto", True, False),
        ({"NO_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": ""}, "auto", True, False),
        ({"TERM": "dumb"}, "auto", False, False),
        ({"FORCE_COLOR": "1"}, "auto", True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, "auto", True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": "1"}, "always", True, True),
        ({"FORCE_COLOR": "1"}, "never", False, False),
    ],
)
def test_colour_is_for_those_that_want_it(
    environment: dict[str, str], choice: str, on_terminal: bool, elsewhere: bool
) -> None:
    assert wants_colour(Terminal(), environment, choice) is on_terminal
    assert wants_colour(io.StringIO(), environment, choice) is elsewhere


def test_counts_in_words() -> None:
    assert [counted(number, noun) for number, noun in ((0, "note"), (1, "fix"), (2, "fix"))] == [
        "0 notes",
        "1 fix",
        "2 fixes",
    ]


def test_json_of_check_is_the_contract() -> None:
    edit = Edit("mm/walk.c", CALL.span, "call()")
    fix = Fix("use call()", Applicability.DISPLAY_ONLY, (edit,))
    report = report_of(finding(Level.WARNING, fix=fix), finding(Level.NOTE, "b-rule"))
    document = json.loads(render_check(report))
    assert list(document) == ["version", "diagnostics", "coverage", "below", "suppressed"]
    assert document["version"] == 1
    first, second = document["diagnostics"]
    assert first == {
        "rule": "a-rule",
        "level": "warning",
        "path": "mm/walk.c",
        "function": "walk",
        "line": 4,
        "column": 2,
        "end_line": 4,
        "end_column": 24,
        "message": "it is so",
        "notes": [{"path": "mm/walk.c", "line": 3, "column": 2, "message": "'pte' is mapped here"}],
        "fix": {
            "title": "use call()",
            "applicability": "display-only",
            "edits": [{"path": "mm/walk.c", "start": CALL.span.start, "end": CALL.span.end, "text": "call()"}],
        },
        "fingerprint": report.diagnostics[0].fingerprint,
    }
    assert (second["fix"], len(second["fingerprint"])) == (None, 16)
    assert document["coverage"] == {"files": 3, "functions": 1, "sections": 0, "skipped": []}
    assert (document["below"], document["suppressed"]) == (0, [])


def test_what_is_suppressed_or_below_the_level_is_counted() -> None:
    hidden, *rest = fingerprinted([finding(Level.WARNING), finding(Level.NOTE, "b-rule")])
    report = report_of()._replace(diagnostics=tuple(rest), suppressed=(Suppressed(hidden, "as it was"),), below=3)
    assert list(render(report, PLAINLY))[-1].startswith("1 note, 3 below --level, 1 suppressed; ")
    assert list(render(report, PLAINLY, quiet=True))[-1] == "1 suppressed"
    nothing = report._replace(diagnostics=(), below=0)
    assert list(render(nothing, PLAINLY))[-1].startswith("no findings, 1 suppressed; ")
    document = json.loads(render_check(nothing, statistics=True))
    assert document["diagnostics"] == []
    assert document["suppressed"] == [
        {
            "rule": "a-rule",
            "level": "warning",
            "path": "mm/walk.c",
            "function": "walk",
            "line": 4,
            "fingerprint": hidden.fingerprint,
            "reason": "as it was",
        }
    ]
    assert document["statistics"] == [{"rule": "a-rule", "level": "warning", "count": 0, "suppressed": 1}]


def test_statistics_begin_with_the_worst() -> None:
    note, error = finding(Level.NOTE), finding(Level.ERROR, "c-rule")
    report = report_of(note, note, finding(Level.NOTE, "b-rule"), finding(Level.WARNING), error)
    report = report._replace(suppressed=(Suppressed(note, "x"), Suppressed(error, "x")))
    assert list(render_statistics(report)) == [
        "    1  error    c-rule (1 suppressed)",
        "    1  warning  a-rule",
        "    2  note     a-rule (1 suppressed)",
        "    1  note     b-rule",
    ]
    assert list(render_statistics(report_of())) == []


def test_json_of_sections_is_the_contract() -> None:
    ranges = (Range("mm", "addr", "end", "pte", 3, "read", hinted=True),)
    section = plain_section(SOURCE)._replace(ranges=ranges)
    document = json.loads(render_sections(report_of(sections=(section,))))
    assert list(document) == ["version", "sections", "coverage"]
    (entry,) = document["sections"]
    because = [{"path": "mm/walk.c", "line": 3, "text": "'pte' is mapped here"}]
    assert entry == {
        "path": "mm/walk.c",
        "function": "walk",
        "line": 4,
        "kind": "plain",
        "call": "lazy_mmu_mode_enable()",
        "verdict": "convertible",
        "proposal": "lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte)",
        "arguments": {"mm": "mm", "addr": "addr", "end": "end", "ptep": "pte"},
        "obligations": [
            {"name": name, "status": "proven", "because": because}
            for name in ("mm", "ptep", "range", "table", "paired", "locked")
        ],
        "ranges": [
            {"mm": "mm", "addr": "addr", "end": "end", "ptep": "pte", "line": 3, "role": "read", "hinted": True}
        ],
        "reason": "",
    }


def test_json_of_a_ranged_call_and_of_one_without_arguments() -> None:
    source = source_of(RANGED)
    unsuitable = plain_section(SOURCE)._replace(verdict=Verdict.UNSUITABLE, proposal=None, reason="no pointer")
    facts = FileFacts(source, (function_of(source, ranged_section(source)),), 1)
    report = Report((), (facts, *report_of(sections=(unsuitable,)).facts), Coverage(2, 2, 2, ()))
    ranged, plain = json.loads(render_sections(report))["sections"]
    assert (ranged["kind"], ranged["verdict"], ranged["proposal"]) == ("ranged", "verified", None)
    assert ranged["arguments"] == {"mm": "mm", "addr": "addr", "end": "end", "ptep": "pte"}
    assert (plain["arguments"], plain["reason"]) == (None, "no pointer")


def test_sections_as_text() -> None:
    unsuitable = plain_section(SOURCE)._replace(
        verdict=Verdict.UNSUITABLE,
        proposal=None,
        reason="the pointer comes from the caller's structure, and nothing in this file ties it to an address or an mm",
        configuration="CONFIG_X",
    )
    report = report_of(sections=(plain_section(SOURCE), unsuitable))
    assert list(render_sections_text(report, PLAINLY)) == [
        "mm/walk.c:4: walk(): convertible",
        "    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte)",
        "mm/walk.c:4: walk(): unsuitable",
        "    the pointer comes from the caller's structure, and nothing in this file ties it to an address or",
        "    an mm",
        "    only with CONFIG_X",
        "",
        "    1  convertible  can name its range",
        "    1  unsuitable   has no range to name",
        "2 sections in 1 function of 3 files; 0 not analysed",
    ]


def test_proof_sheet() -> None:
    claim = Obligation(
        "ptep", Status.REFUTED, (evidence(SOURCE, "pte =", "'pte' moved"),), fault="'pte' is ahead of 'addr'"
    )
    section = plain_section(SOURCE, claim, Obligation("table", Status.ASSUMED))._replace(
        ranges=(Range("mm", "addr", "end", "pte", 3, "read", hinted=True),),
    )
    assert list(render_sections_text(report_of(sections=(section,)), PLAINLY, verbose=True, quiet=True)) == [
        "mm/walk.c:4: walk(): convertible",
        "    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte)",
        "",
        "      mm      proven   the mm owns the page table",
        "                         mm/walk.c:3: 'pte' is mapped here",
        "      ptep    refuted  the pointer is the entry for the address",
        "                         'pte' is ahead of 'addr'",
        "                         mm/walk.c:3: 'pte' moved",
        "      range   proven   address and end are those of this walk",
        "                         mm/walk.c:3: 'pte' is mapped here",
        "      table   assumed  the range stays in one page table",
        "      paired  proven   every path meets one disable",
        "                         mm/walk.c:3: 'pte' is mapped here",
        "      locked  proven   the lock is held from enable to disable",
        "                         mm/walk.c:3: 'pte' is mapped here",
        "      entries read     mm, addr, end, pte, from line 3  (the one to name)",
        "",
    ]


def test_call_over_several_lines_is_shown_on_one() -> None:
    source = source_of(RANGED)
    section = ranged_section(source)._replace(text="call(mm, addr,\n\t\t\tend, pte)")
    facts = FileFacts(source, (function_of(source, section),), 1)
    lines = list(render_sections_text(Report((), (facts,), Coverage(1, 1, 1, ())), PLAINLY, quiet=True))
    assert lines == ["mm/walk.c:4: walk(): verified", "    call(mm, addr, end, pte)"]


def test_failure_of_the_tool_is_shown_among_the_sections() -> None:
    (line, *_) = render_sections_text(report_of(finding(Level.ERROR, "internal-error")), PLAINLY)
    assert line == "mm/walk.c:4:2: error: it is so [internal-error]"
