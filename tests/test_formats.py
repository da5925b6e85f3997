"""Every format of ``check``, to the letter: what a reader gets for one report with everything in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from xml.etree import ElementTree

import pytest

from mmlint.diagnostic import Level
from mmlint.report import (
    b4_check,
    checkstyle,
    github,
    github_summary,
    gitlab,
    jsonl,
    junit,
    patchwork,
    rdjson,
    terse,
)
from mmlint.report.outcome import Origin, Outcome
from tests.outcomes import FINGERPRINT, empty, finding, full, outcome_of

ORIGIN = {"wrong-mm": Origin(2, "patch 2/7", "introduced", "still-open")}
SUMMARY = "1 error, 1 note, 4 below --level, 1 suppressed; 2 sections in 1 function of 3 files; 2 not analysed"


def test_terse() -> None:
    assert list(terse.render(full())) == [
        "mm/walk.c:4: ERROR:wrong-mm: it is so",
        "mm/walk.c:4: CHECK:wrong-range: the range is known",
        "mm/gone.c:1: WARNING:not-analysed: not read: Permission denied",
        "mm/walk.c:5: WARNING:not-analysed: other() was not analysed: syntax error",
        "total: 1 errors, 2 warnings, 1 checks, 2 not analysed, 1 suppressed, 2 sections checked",
    ]
    assert len(list(terse.render(full(quiet=True)))) == 4
    assert list(terse.render(empty())) == ["total: 0 errors, 0 warnings, 0 checks, 0 sections checked"]


def test_b4_text_is_terse_and_says_nothing_when_there_is_nothing() -> None:
    assert list(b4_check.render(full())) == list(terse.render(full(quiet=True)))
    assert list(b4_check.render(empty())) == []


def test_b4_json() -> None:
    (entry,) = json.loads(b4_check.render_json(full(quiet=True)))
    assert entry == {
        "tool": "mmlint",
        "status": "fail",
        "summary": SUMMARY,
        "url": "",
        "details": (
            "mm/walk.c:4:18: error: it is so [wrong-mm]\n"
            "mm/walk.c:4:18: note: the range is known [wrong-range]\n"
            "mm/gone.c:1:1: warning: not read: Permission denied [not-analysed]\n"
            "mm/walk.c:5:1: warning: other() was not analysed: syntax error [not-analysed]"
        ),
    }
    (entry,) = json.loads(b4_check.render_json(empty()))
    assert (entry["status"], entry["details"]) == ("pass", "")


def test_patchwork() -> None:
    assert [json.loads(line) for line in patchwork.render(full())] == [
        {"state": "fail", "context": "mmlint", "description": SUMMARY}
    ]
    states = [
        json.loads(next(patchwork.render(outcome_of(*found))))["state"]
        for found in ([finding(Level.WARNING)], [finding(Level.NOTE)], [])
    ]
    assert states == ["warning", "success", "success"]


def test_jsonl() -> None:
    lines = [json.loads(line) for line in jsonl.render(full())]
    assert [line["type"] for line in lines] == [*["diagnostic"] * 2, "suppressed", *["skipped"] * 2, "coverage"]
    assert (lines[0]["rule"], lines[0]["line"], lines[0]["column"]) == ("wrong-mm", 4, 18)
    assert lines[0]["notes"][1] == {"path": "include/none.h", "line": 7, "column": 3, "message": "so says the caller"}
    assert lines[2]["reason"] == "as it was"
    assert lines[4] == {
        "type": "skipped",
        "path": "mm/walk.c",
        "function": "other",
        "line": 5,
        "reason": "syntax error",
    }
    assert lines[5] == {
        "type": "coverage",
        "version": 1,
        "files": 3,
        "functions": 1,
        "sections": 2,
        "skipped": 2,
        "below": 4,
    }
    (line, *_) = jsonl.render(outcome_of(finding(), origins=ORIGIN))
    told = json.loads(line)
    assert (told["patch"], told["cause"], told["progress"]) == (2, "introduced", "still-open")


def test_rdjson_columns_are_bytes_and_suggestions_are_whole_lines() -> None:
    document = json.loads(rdjson.render(full()))
    assert document["source"] == {"name": "mmlint"}
    error, note, gone, other = document["diagnostics"]
    assert error == {
        "message": "it is so",
        "location": {
            "path": "mm/walk.c",
            "range": {"start": {"line": 4, "column": 18}, "end": {"line": 4, "column": 40}},
        },
        "severity": "ERROR",
        "code": {"value": "wrong-mm"},
        "suggestions": [
            {"range": {"start": {"line": 4}, "end": {"line": 4}}, "text": "\t/* Maß 𝔘 */ enable(mm);\r"},
        ],
        "related_locations": [
            {
                "message": "'pte' is mapped here",
                "location": {
                    "path": "mm/walk.c",
                    "range": {"start": {"line": 3, "column": 2}, "end": {"line": 3, "column": 7}},
                },
            },
            {
                "message": "so says the caller",
                "location": {
                    "path": "include/none.h",
                    "range": {"start": {"line": 7, "column": 3}, "end": {"line": 7, "column": 7}},
                },
            },
        ],
    }
    assert (note["severity"], "suggestions" in note) == ("INFO", False)
    assert gone == {
        "message": "not read: Permission denied",
        "location": {"path": "mm/gone.c", "range": {"start": {"line": 1, "column": 1}}},
        "severity": "WARNING",
        "code": {"value": "not-analysed"},
    }
    assert other["location"]["range"] == {"start": {"line": 5, "column": 1}}
    lines = [json.loads(line) for line in rdjson.render_lines(full())]
    assert lines == [{**entry, "source": {"name": "mmlint"}} for entry in document["diagnostics"]]
    told = json.loads(rdjson.render(outcome_of(finding(), origins=ORIGIN)))["diagnostics"][0]["message"]
    assert told == "it is so (patch 2/7, introduced, still-open)"
    assert json.loads(rdjson.render(empty())) == {"source": {"name": "mmlint"}, "diagnostics": []}


def test_github() -> None:
    assert list(github.render(full())) == [
        "::error title=mmlint (wrong-mm),file=mm/walk.c,line=4,endLine=4,col=15,endColumn=37::it is so"
        "%0Amm/walk.c:3: 'pte' is mapped here%0Ainclude/none.h:7: so says the caller",
        "::warning title=mmlint (not-analysed),file=mm/gone.c,line=1,endLine=1::not read: Permission denied",
        "::warning title=mmlint (not-analysed),file=mm/walk.c,line=5,endLine=5,col=1,endColumn=1::"
        "other() was not analysed: syntax error",
        "::notice title=mmlint (wrong-range),file=mm/walk.c,line=4,endLine=4,col=15,endColumn=37::"
        "the range is known%0Amm/walk.c:3: 'pte' is mapped here%0Ainclude/none.h:7: so says the caller",
        SUMMARY,
    ]
    assert list(github.render(empty())) == ["no findings; 0 sections in 0 functions of 2 files; 0 not analysed"]
    (line, *_) = github.render(outcome_of(finding(), origins=ORIGIN, quiet=True))
    assert line.endswith("::it is so (patch 2/7, introduced, still-open)")


def test_github_says_in_the_log_what_it_would_drop() -> None:
    lines = list(github.render(outcome_of(*[finding(message=f"fault {n:02}") for n in range(12)], quiet=True)))
    assert [line.partition("::fault")[0][:8] for line in lines[:10]] == ["::error "] * 10
    assert lines[10:] == [f"mm/walk.c:4:18: error: fault {n} [wrong-mm]" for n in (10, 11)]


def test_github_summary() -> None:
    assert (
        "\n".join(github_summary.render(full()))
        == """\
## mmlint

1 error, 1 note, 4 below --level, 1 suppressed; 2 sections in 1 function of 3 files; 2 not analysed

| | where | what |
|---|---|---|
| error | <code>mm/walk.c&#58;4</code> | it is so (wrong-mm) |
| warning | <code>mm/gone.c&#58;1</code> | not read&#58; Permission denied (not-analysed) |
| warning | <code>mm/walk.c&#58;5</code> | other&#40;&#41; was not analysed&#58; syntax error (not-analysed) |
| note | <code>mm/walk.c&#58;4</code> | the range is known (wrong-range) |

<details><summary><code>mm/walk.c&#58;4</code> it is so (wrong-mm)</summary>

1. <code>mm/walk.c&#58;3</code> 'pte' is mapped here
1. <code>include/none.h&#58;7</code> so says the caller

</details>

<details><summary><code>mm/walk.c&#58;4</code> the range is known (wrong-range)</summary>

1. <code>mm/walk.c&#58;3</code> 'pte' is mapped here
1. <code>include/none.h&#58;7</code> so says the caller

</details>

### Accepted

* <code>mm/walk.c&#58;4</code> accepted (a-rule): as it was

| sections | verdict | |
|---:|---|---|
| 1 | convertible | can name its range |
| 1 | unknown | its range is not known |"""
    )
    assert list(github_summary.render(empty())) == [
        "## mmlint",
        "",
        "no findings; 0 sections in 0 functions of 2 files; 0 not analysed",
    ]


def test_github_summary_within_its_limit() -> None:
    many = outcome_of(*[finding(message=f"{n} " + "x" * 2000) for n in range(1000)])
    lines = list(github_summary.render(many))
    assert len("\n".join(lines).encode()) < 1_000_000
    rows = sum(line.startswith("| error |") for line in lines)
    assert f"{1000 - rows} more findings do not fit." in lines
    folded = sum("<details>" in line for line in lines)
    assert f"The evidence of {1000 - folded} more does not fit." in lines


def test_gitlab() -> None:
    error, note, gone, other = json.loads(gitlab.render(full()))
    assert error == {
        "description": "it is so [wrong-mm]",
        "check_name": "wrong-mm",
        "fingerprint": FINGERPRINT,
        "severity": "critical",
        "categories": ["Bug Risk"],
        "location": {"path": "mm/walk.c", "lines": {"begin": 4, "end": 4}},
        "content": {"body": "- mm/walk.c:3: 'pte' is mapped here\n- include/none.h:7: so says the caller"},
    }
    assert (note["severity"], note["categories"]) == ("info", ["Performance"])
    assert (gone["severity"], gone["location"]) == ("major", {"path": "mm/gone.c", "lines": {"begin": 1, "end": 1}})
    assert len({entry["fingerprint"] for entry in (error, note, gone, other)}) == 4
    assert json.loads(gitlab.render(empty())) == []


def test_checkstyle() -> None:
    assert (
        checkstyle.render(full())
        == """\
<?xml version="1.0" encoding="utf-8"?>
<checkstyle version="8.0">
  <file name="mm/gone.c">
    <error line="1" severity="warning" message="not read: Permission denied" source="mmlint.not-analysed" />
  </file>
  <file name="mm/walk.c">
    <error line="4" column="15" severity="error" message="it is so" source="mmlint.wrong-mm" />
    <error line="4" column="15" severity="info" message="the range is known" source="mmlint.wrong-range" />
    <error line="5" column="1" severity="warning" message="other() was not analysed: syntax error" source="mmlint.not-analysed" />
  </file>
</checkstyle>
"""
    )
    assert checkstyle.render(empty()).endswith('<checkstyle version="8.0" />\n')
    assert '<file name="mm/walk.c" />' in checkstyle.render(outcome_of())


def test_junit() -> None:
    assert (
        junit.render(full())
        == f"""\
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="mmlint" tests="6" failures="1" errors="2">
  <testsuite name="mmlint" tests="1" failures="0" errors="0" skipped="0">
    <testcase name="coverage" classname="mmlint">
      <system-out>{SUMMARY}</system-out>
    </testcase>
  </testsuite>
  <testsuite name="mm/gone.c" package="mmlint" tests="1" failures="0" errors="1" skipped="0">
    <testcase name="not-analysed" classname="mm/gone.c">
      <error type="not-analysed" message="not read: Permission denied">mm/gone.c:1:1: warning: not read: Permission denied [not-analysed]</error>
    </testcase>
  </testsuite>
  <testsuite name="mm/walk.c" package="mmlint" tests="4" failures="1" errors="1" skipped="1">
    <testcase name="wrong-mm walk()" classname="mm/walk.c">
      <failure type="error" message="it is so">mm/walk.c:4:18: error: it is so [wrong-mm]
mm/walk.c:3:2: note: 'pte' is mapped here
include/none.h:7:3: note: so says the caller</failure>
    </testcase>
    <testcase name="wrong-range walk()" classname="mm/walk.c">
      <system-out>mm/walk.c:4:18: note: the range is known [wrong-range]
mm/walk.c:3:2: note: 'pte' is mapped here
include/none.h:7:3: note: so says the caller</system-out>
    </testcase>
    <testcase name="a-rule walk()" classname="mm/walk.c">
      <skipped message="accepted: as it was">mm/walk.c:4:18: warning: accepted [a-rule]
mm/walk.c:3:2: note: 'pte' is mapped here
include/none.h:7:3: note: so says the caller</skipped>
    </testcase>
    <testcase name="not-analysed other()" classname="mm/walk.c">
      <error type="not-analysed" message="other() was not analysed: syntax error">mm/walk.c:5:1: warning: other() was not analysed: syntax error [not-analysed]</error>
    </testcase>
  </testsuite>
</testsuites>
"""
    )
    assert '<testcase name="no findings" classname="mm/walk.c" />' in junit.render(outcome_of())
    assert junit.render(empty()).count("<testcase") == 1


# Of junit-10.xsd, by which Jenkins' xUnit plugin takes or refuses a file.
JENKINS = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "package", "time", "timestamp", "hostname", "file"},
    "testcase": {"name", "classname", "time", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set[str](),
}


def test_junit_has_nothing_that_jenkins_refuses() -> None:
    root = ElementTree.fromstring(junit.render(full()))
    used = {element.tag: set(element.attrib) for element in root.iter()}
    assert used.keys() == JENKINS.keys()
    assert {tag: names - JENKINS[tag] for tag, names in used.items()} == {tag: set() for tag in JENKINS}
    assert {"name", "tests", "failures", "errors"} <= used["testsuite"]


@pytest.mark.parametrize(("level", "failures"), [(Level.NOTE, 1), (Level.WARNING, 1), (Level.ERROR, 0)])
def test_junit_fails_what_the_exit_code_fails(level: Level, failures: int) -> None:
    text = junit.render(outcome_of(finding(Level.WARNING), fail_level=level))
    assert f'name="mmlint" tests="2" failures="{failures}"' in text


def together(content: str | Iterable[str]) -> str:
    return content if isinstance(content, str) else "\n".join(content)


@pytest.mark.parametrize(
    "render",
    [
        terse.render,
        jsonl.render,
        rdjson.render,
        rdjson.render_lines,
        github.render,
        github_summary.render,
        gitlab.render,
        junit.render,
        checkstyle.render,
        patchwork.render,
        b4_check.render,
        b4_check.render_json,
    ],
)
def test_twice_is_the_same(render: object) -> None:
    def run(outcome: Outcome) -> str:
        assert callable(render)
        return together(render(outcome))

    assert run(full()) == run(full())
    assert run(full()) != run(empty())
