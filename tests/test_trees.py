"""What happens across the functions and files of small trees: what is marked is found, and nothing else is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from mmlint.config import Settings
from mmlint.engine import run
from mmlint.facts.file import FileAnalysis
from mmlint.kernel import load_vocabulary
from mmlint.source import Source
from tests.goldens import ROOT
from tests.trees import c_files, found, goldens, marked, report, trees

TREES = trees()
each_tree = pytest.mark.parametrize("tree", TREES)
# Rules that look at what other functions and files do.
RULES = {
    "raw-pte-access", "sleep-in-section", "nested-section", "range-ignored", "crosses-page-table",
    "read-back-in-section", "missing-disable", "unmatched-disable", "unbalanced-pause",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_each_rule_that_looks_across_functions_has_a_tree() -> None:
    assert {rule for tree in TREES for _, _, rule in marked(tree)} >= RULES


@each_tree
def test_findings_are_those_that_are_marked(tree: str) -> None:
    there, wanted = found(report(tree)), marked(tree)
    missing, noisy = sorted((wanted - there).elements()), sorted((there - wanted).elements())
    assert (missing, noisy) == ([], [])


@each_tree
def test_all_of_it_is_analysed(tree: str) -> None:
    assert report(tree).coverage.skipped == ()
    assert report(tree).coverage.sections


@each_tree
def test_there_are_as_many_clean_functions_as_faulty_ones(tree: str) -> None:
    faulty = {(d.path, d.function) for d in report(tree).diagnostics if d.rule in RULES}
    names = {(path, name) for path in c_files(tree) for name in _functions(path)}
    assert len(names - faulty) >= len(faulty) > 0


def _functions(path: str) -> list[str]:
    return list(FileAnalysis(Source(path, (ROOT / path).read_bytes()), load_vocabulary()).definitions)


@each_tree
def test_golden_files(tree: str, tmp_path: Path) -> None:
    wanted = {path: data.decode() for path, data in goldens(tree, tmp_path).items()}
    there = [ROOT / f"{tree}.expect", *sorted((ROOT / f"{tree}.fixed").rglob("*.[ch]"))]
    assert {str(f.relative_to(ROOT)): f.read_text(encoding="utf-8") for f in there if f.exists()} == wanted


@each_tree
def test_every_note_is_on_a_line_that_says_so(tree: str) -> None:
    for diagnostic in report(tree).diagnostics:
        for note in diagnostic.notes:
            called = re.search(r" calls (\w+)\(\)(?: with \w+)? here$", note.message)
            line = (ROOT / note.location.path).read_text(encoding="utf-8").split("\n")[note.location.line - 1]
            assert called is None or re.search(rf"\b{called.group(1)}\b|\b(?:fn|either|step)\(", line), note


@each_tree
def test_it_does_not_matter_which_files_are_given_first(tree: str) -> None:
    files = [path for path in c_files(tree) if path.endswith(".c")]
    backwards = run(files[::-1], Settings(jobs=1)).diagnostics
    assert backwards == report(tree).diagnostics == run([tree], Settings(jobs=2)).diagnostics


def test_no_golden_file_of_a_tree_is_left_over() -> None:
    files = Counter(file.name.split(".")[0] for file in (ROOT / "fixtures").glob("*/tree*.*"))
    assert set(files) <= {Path(tree).name for tree in TREES}
