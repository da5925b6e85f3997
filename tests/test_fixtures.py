"""Every rule on every fixture: what is marked is found, nothing else is, and each fix does what it says."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.diagnostic import Applicability
from mmlint.rule import FIXES, load_rules
from mmlint.source import Source
from tests.goldens import ROOT, checked, expected, fixtures, goldens, repaired

FIXTURES = fixtures()
each_fixture = pytest.mark.parametrize("path", FIXTURES)
FLOORS = (Applicability.SAFE, Applicability.UNSAFE)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_each_rule_has_fixtures() -> None:
    folders = Counter(path.split("/")[1] for path in FIXTURES)
    assert all(folders[loaded.rule.name] for loaded in load_rules())
    marks = {rule for path in FIXTURES for _, rule in expected(path)}
    assert marks == {loaded.rule.name for loaded in load_rules()}


@each_fixture
def test_findings_are_those_that_are_marked(path: str) -> None:
    found = Counter((d.location.line, d.rule) for d in checked(path).diagnostics)
    marked = Counter(expected(path))
    missing, noisy = sorted((marked - found).elements()), sorted((found - marked).elements())
    assert (missing, noisy) == ([], []), f"{path}: missing {missing}, noisy {noisy}"


@each_fixture
def test_all_of_it_is_analysed(path: str) -> None:
    report = checked(path)
    assert report.facts is not None
    assert report.skipped == ()
    assert report.facts.functions


@each_fixture
def test_golden_files(path: str) -> None:
    stem = path.removesuffix(".c")
    wanted = goldens(path)
    for suffix in ("expect", "fixed.c", "unsafe.c"):
        file = ROOT / f"{stem}.{suffix}"
        content = file.read_bytes().decode() if file.exists() else None
        assert content == (wanted[f"{stem}.{suffix}"].decode() if f"{stem}.{suffix}" in wanted else None)


def test_no_golden_file_is_left_over() -> None:
    stems = {path.removesuffix(".c") for path in FIXTURES}
    for suffix in ("expect", "fixed.c", "unsafe.c"):
        for file in sorted((ROOT / "fixtures").glob(f"*/**/*.{suffix}")):
            path = file.relative_to(ROOT)
            assert str(path).removesuffix(f".{suffix}") in stems or path.parts[2].startswith("tree"), file


@each_fixture
@pytest.mark.parametrize("floor", FLOORS, ids=str)
def test_fixes_settle_and_leave_nothing_to_fix(path: str, floor: Applicability) -> None:
    first = repaired(path, floor)
    assert (first.refused, first.waiting) == ("", 0)
    check = make_checker(Settings()).check
    again = check(Source(path, first.after))
    assert [d for d in again.diagnostics if d.fix and d.fix.applicability >= floor] == []
    assert len(again.skipped) == 0
    assert first.after.endswith(b"}\n") == first.before.endswith(b"}\n")


@each_fixture
def test_edits_lie_in_a_section_s_call_or_on_the_line_of_the_finding(path: str) -> None:
    report = checked(path)
    source = report.facts.source if report.facts else Source(path, b"")
    for diagnostic in report.diagnostics:
        for edit in diagnostic.fix.edits if diagnostic.fix else ():
            assert edit.path == path
            on_the_line = source.line(edit.span.start) == diagnostic.location.line
            in_the_header = (
                source.line(edit.span.start) - diagnostic.location.line in range(1, 8) and not edit.text.strip()
            )
            assert (
                on_the_line
                or in_the_header
                or any(
                    section.call.covers(edit.span)
                    for function in (report.facts.functions if report.facts else ())
                    for section in function.sections
                )
            )


@each_fixture
def test_fixes_are_no_better_than_their_rule_promises(path: str) -> None:
    promised = {loaded.rule.name: FIXES.index(loaded.rule.fix) for loaded in load_rules()}
    for diagnostic in checked(path).diagnostics:
        if diagnostic.fix:
            assert diagnostic.fix.applicability <= promised[diagnostic.rule]
            assert diagnostic.fix.title


@each_fixture
def test_messages_keep_the_style(path: str) -> None:
    texts = [d.message for d in checked(path).diagnostics] + [
        n.message for d in checked(path).diagnostics for n in d.notes
    ]
    for text in texts:
        assert not re.match(r"[A-Z][a-z]", text), text
        assert not text.endswith((".", " ", ":")), text
        assert not re.search(r"\bline \d|:\d+", text), text
        assert "\n" not in text


def test_the_fixtures_do_test_fixes() -> None:
    assert any(repaired(path, Applicability.SAFE).changes for path in FIXTURES)
    assert any(repaired(path, Applicability.UNSAFE).changes for path in FIXTURES)
