"""What the author of a rule relies on: building diagnostics, and loading rule modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level
from mmlint.facts.sections import (
    Evidence,
    FunctionFacts,
    Leak,
    Obligation,
    Outside,
    Range,
    Section,
    Status,
    Unmatched,
    Verdict,
)
from mmlint.rule import Rule, RuleError, load_rules, locate, packaged_rules
from mmlint.source import Source, Span
from tests.samples import (
    PLAIN,
    RANGED,
    TARGET,
    evidence,
    function_of,
    plain_section,
    ranged_section,
    source_of,
    span_of,
)

RULE = Rule(name="wrong-thing", level=Level.ERROR, summary="something is wrong")


def check(name: str, function: FunctionFacts) -> list[Diagnostic]:
    """The findings of one packaged rule."""
    rule = next(rule for rule in load_rules() if rule.rule.name == name)
    found = list(rule.check(function))
    assert found == list(rule.check(function)), "a rule gives the same each time"
    return found


def ranged(*changed: Obligation) -> tuple[Source, FunctionFacts]:
    source = source_of(RANGED)
    return source, function_of(source, ranged_section(source, *changed))


def argument_span(source: Source, text: str) -> Span:
    start = source.data.index(text.encode(), source.data.index(TARGET.encode()) + len(TARGET))
    return Span(start, start + len(text))


def test_at_places_the_finding_and_its_notes() -> None:
    source = source_of(PLAIN)
    diagnostic = RULE.at(
        function_of(source),
        span_of(source, "lazy_mmu_mode_enable()"),
        "'pte' is wrong",
        [evidence(source, "pte =", "'pte' is mapped here")],
        configuration="CONFIG_X",
    )
    location = diagnostic.location
    assert (location.line, location.column, location.end_line, location.end_column) == (4, 2, 4, 24)
    assert (diagnostic.rule, diagnostic.level, diagnostic.function) == ("wrong-thing", Level.ERROR, "walk")
    assert [(note.location.line, note.message) for note in diagnostic.notes] == [
        (3, "'pte' is mapped here"),
        (4, "only with CONFIG_X"),
    ]
    assert diagnostic.fix is None
    assert diagnostic.fingerprint == ""


def test_level_may_be_given() -> None:
    source = source_of(PLAIN)
    assert RULE.at(function_of(source), Span(0, 1), "x", level=Level.NOTE).level is Level.NOTE


def test_empty_message_is_a_fault_of_the_rule() -> None:
    with pytest.raises(ValueError, match="wrong-thing: a finding without a message"):
        RULE.at(function_of(source_of(PLAIN)), Span(0, 1), "")


def test_evidence_of_another_file_says_where_it_stands() -> None:
    there = Source("mm/other.c", b"one\ntwo\n").locate(Span(4, 7))
    assert locate(source_of(PLAIN), Evidence(there.span, "x", there)) == there
    assert locate(source_of(PLAIN), Evidence(there.span, "x")).path == "mm/walk.c"


@pytest.mark.parametrize("name", ["Wrong", "wrong_mm", "wrong-", "wrong mm", ""])
def test_rule_names_are_kebab_case(name: str) -> None:
    with pytest.raises(ValueError, match="kebab-case"):
        Rule(name=name, level=Level.NOTE, summary="x")


def test_rule_fix_is_one_of_four() -> None:
    with pytest.raises(ValueError, match="fix 'maybe' of rule wrong-thing is unknown"):
        Rule(name="wrong-thing", level=Level.NOTE, summary="x", fix="maybe")


@pytest.mark.parametrize(("name", "rule"), [("mm", "wrong-mm"), ("ptep", "wrong-ptep"), ("range", "wrong-range")])
@pytest.mark.parametrize(("status", "level"), [(Status.REFUTED, Level.ERROR), (Status.UNKNOWN, Level.WARNING)])
def test_broken_claim(name: str, rule: str, status: Status, level: Level) -> None:
    source = source_of(RANGED)
    subject = argument_span(source, "addr")
    claim = Obligation(
        name, status, (evidence(source, "pte =", "because"),), False, "'addr' is wrong", "start", subject
    )
    function = function_of(source, ranged_section(source, claim))
    (finding,) = check(rule, function)
    assert (finding.level, finding.message, finding.location.span) == (level, "'addr' is wrong", subject)
    assert [note.message for note in finding.notes] == ["because"]
    assert finding.fix == Fix("pass start", Applicability.UNSAFE, (Edit("mm/walk.c", subject, "start"),))
    for other in ("wrong-mm", "wrong-ptep", "wrong-range", "crosses-page-table"):
        assert len(check(other, function)) == (other == rule)


@pytest.mark.parametrize("status", [Status.PROVEN, Status.ASSUMED])
def test_claim_that_holds_is_silent(status: Status) -> None:
    for name, rule in (("mm", "wrong-mm"), ("table", "crosses-page-table")):
        assert check(rule, ranged(Obligation(name, status, fault="x"))[1]) == []


def test_plain_call_claims_nothing() -> None:
    source = source_of(PLAIN)
    function = function_of(source, plain_section(source, Obligation("mm", Status.REFUTED, fault="x")))
    assert check("wrong-mm", function) == []


@pytest.mark.parametrize("status", [Status.REFUTED, Status.UNKNOWN])
def test_crossing_is_a_warning(status: Status) -> None:
    _, function = ranged(Obligation("table", status, fault="nothing keeps 'end' in the table"))
    (finding,) = check("crosses-page-table", function)
    assert (finding.level, finding.fix) == (Level.WARNING, None)


def test_claim_without_replacement_has_no_fix() -> None:
    source, _ = ranged()
    claim = Obligation("mm", Status.REFUTED, fault="x", subject=argument_span(source, "mm"))
    assert [d.fix for d in check("wrong-mm", ranged(claim)[1])] == [None]


def test_claim_without_subject_points_at_the_call() -> None:
    source, function = ranged(Obligation("mm", Status.REFUTED, fault="x", replacement="y"))
    (finding,) = check("wrong-mm", function)
    assert source.text(finding.location.span).startswith(TARGET)
    assert finding.fix is None


def test_correction_wraps_the_call_where_the_line_gets_too_long() -> None:
    source, _ = ranged()
    claim = Obligation("mm", Status.REFUTED, (), False, "x", "walk->private->vma->vm_mm", argument_span(source, "mm"))
    (finding,) = check("wrong-mm", ranged(claim)[1])
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    assert source.text(edit.span) == f"{TARGET}(mm, addr, end, pte)"
    assert edit.text == f"{TARGET}(walk->private->vma->vm_mm, addr, end,\n\t\t\tpte)"


@pytest.mark.parametrize(("length", "in_place"), [(3, True), (40, True), (41, False)])
def test_word_takes_the_place_of_a_word_up_to_100_columns(length: int, in_place: bool) -> None:
    """One word is what a reviewer has to read; no line gets longer than the kernel allows."""
    source, _ = ranged()
    word = "p" * length
    claim = Obligation("ptep", Status.REFUTED, (), False, "x", word, argument_span(source, "pte"))
    (finding,) = check("wrong-ptep", ranged(claim)[1])
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    line = f"\t{TARGET}(mm, addr, end, {word});"
    assert (len(line.expandtabs(8)) <= 100) is in_place
    assert edit.text == (word if in_place else f"{TARGET}(mm, addr, end,\n\t\t\t{word})")


@pytest.mark.parametrize("safe", [True, False])
def test_unranged_walker(safe: bool) -> None:
    source = source_of(PLAIN)
    function = function_of(source, plain_section(source, safe=safe))
    (finding,) = check("unranged-walker", function)
    assert finding.level is Level.NOTE
    assert finding.message == f"the range is known: {TARGET}(mm, addr, end, pte)"
    assert [note.message for note in finding.notes] == ["'pte' is mapped here"], "evidence that repeats is told once"
    applicability = Applicability.SAFE if safe else Applicability.UNSAFE
    edit = Edit("mm/walk.c", span_of(source, "lazy_mmu_mode_enable()"), f"{TARGET}(mm, addr, end, pte)")
    assert finding.fix == Fix(f"use {TARGET}()", applicability, (edit,))


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.CONVERTIBLE])
def test_unranged_walker_is_silent_on_every_other_verdict(verdict: Verdict) -> None:
    source = source_of(PLAIN)
    assert check("unranged-walker", function_of(source, plain_section(source)._replace(verdict=verdict))) == []


def test_inconsistent_ptep() -> None:
    source = source_of(RANGED)
    why = (evidence(source, "pte =", "both are mapped here"),)
    section = ranged_section(source)._replace(inconsistent="start_pte", inconsistent_because=why)
    (finding,) = check("inconsistent-ptep", function_of(source, section))
    assert finding.level is Level.WARNING
    assert finding.message == "'pte' has the value of 'start_pte', which the other calls of this function pass"
    assert source.text(finding.location.span) == "pte"
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.SAFE
    assert check("inconsistent-ptep", ranged()[1]) == []


def hinted_and_other(section: Section) -> Section:
    hinted = Range("mm", "addr", "end", "pte", 3, "read", hinted=True)
    return section._replace(ranges=(hinted, Range("dst_mm", "addr", "", "dst_pte", 4, "updated")))


def test_multi_range_names_the_other_ranges() -> None:
    for text, make in ((RANGED, ranged_section), (PLAIN, plain_section)):
        source = source_of(text)
        (finding,) = check("multi-range-section", function_of(source, hinted_and_other(make(source))))
        assert finding.message == "also updates the entries at 'dst_pte' from 'addr' of 'dst_mm'"
        assert [(note.location.line, note.message) for note in finding.notes] == [
            (3, "read: the entries at 'pte' from 'addr' to 'end' of 'mm' (the one that the call names)"),
            (4, "updated: the entries at 'dst_pte' from 'addr' of 'dst_mm'"),
        ]


def test_multi_range_says_why_a_section_stays_plain() -> None:
    source = source_of(PLAIN)
    section = plain_section(source)._replace(verdict=Verdict.MULTI_RANGE, reason="the walk restarts", proposal=None)
    (finding,) = check("multi-range-section", function_of(source, section))
    assert (finding.level, finding.message) == (Level.NOTE, "stays plain: the walk restarts")


def test_one_range_is_no_finding() -> None:
    source = source_of(RANGED)
    section = ranged_section(source)._replace(ranges=(Range("mm", "addr", "end", "pte", 3, "read", hinted=True),))
    assert check("multi-range-section", function_of(source, section)) == []


def test_missing_disable_tells_the_way() -> None:
    source = source_of(PLAIN)
    leak = Leak(span_of(source, "return;"), "the mode is still on", (evidence(source, "pte =", "taken when 'x'"),))
    section = plain_section(source)._replace(leaks=(leak,), configuration="CONFIG_X")
    (finding,) = check("missing-disable", function_of(source, section))
    assert (finding.level, finding.message, finding.location.line) == (Level.ERROR, "the mode is still on", 6)
    assert [(note.location.line, note.message) for note in finding.notes] == [
        (4, "lazy MMU mode is entered here"),
        (3, "taken when 'x'"),
        (6, "only with CONFIG_X"),
    ]


def test_unmatched_disable() -> None:
    source = source_of(PLAIN)
    unmatched = Unmatched(span_of(source, "lazy_mmu_mode_disable()"), "nothing to end", ())
    function = FunctionFacts(source, "walk", Span(0, 10), (), (unmatched,))
    (finding,) = check("unmatched-disable", function)
    assert (finding.level, finding.message, finding.location.line) == (Level.ERROR, "nothing to end", 5)


def test_section_outside_lock() -> None:
    source = source_of(PLAIN)
    outside = Outside(span_of(source, "lazy_mmu_mode_disable()"), "after the unlock", ())
    (finding,) = check("section-outside-lock", function_of(source, plain_section(source)._replace(outside=outside)))
    assert (finding.level, finding.message, finding.location.line) == (Level.ERROR, "after the unlock", 5)


GOOD = '''"""Documentation."""
from mmlint.diagnostic import Level
from mmlint.rule import Rule
RULE = Rule(name="new-rule", level=Level.NOTE, summary="x")
def check(function):
    yield from ()
'''


def test_rules_of_a_folder_join_the_packaged_ones(tmp_path: Path) -> None:
    (tmp_path / "new_rule.py").write_text(GOOD)
    (tmp_path / "_private.py").write_text("raise SystemExit")
    (tmp_path / "notes.txt").write_text("no rule")
    names = [rule.rule.name for rule in load_rules((tmp_path,))]
    assert names == sorted([*(rule.rule.name for rule in load_rules()), "new-rule"])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def (", "SyntaxError: .*; mend the module or move it away"),
        ("1 / 0", "ZeroDivisionError: division by zero; mend the module"),
        (GOOD.replace("RULE", "RULES"), r"RULE is missing; write RULE = Rule\("),
        (GOOD.replace("new-rule", "other-rule"), r"holds the rule other-rule; name the file other_rule\.py"),
        (GOOD.replace("def check", "def inspect"), "check is missing; write def check"),
        (GOOD.replace('"""Documentation."""', ""), "documentation is missing; begin the module with a docstring"),
    ],
)
def test_faults_of_a_rule_file_name_file_and_remedy(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "new_rule.py").write_text(text)
    with pytest.raises(RuleError, match=rf"new_rule\.py: .*{fault}"):
        load_rules((tmp_path,))


def test_two_rules_of_one_name(tmp_path: Path) -> None:
    twin = packaged_rules() / "wrong_mm.py"
    (tmp_path / "wrong_mm.py").write_bytes(twin.read_bytes())
    with pytest.raises(RuleError, match=r"rule wrong-mm is also in .*; rename one of them"):
        load_rules((tmp_path,))


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="No such file or directory; give a folder of rule modules"):
        load_rules((tmp_path / "none",))
