"""What `mmlint rules new` writes works as it stands, keeps the conventions, and overwrites nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmlint.audit import RULE_AUDIT, audit_files
from mmlint.catalog import read_entry
from mmlint.checker import INTERNAL_ERROR, make_checker
from mmlint.config import Settings, UsageError
from mmlint.new_rule import RESERVED, write_rule
from mmlint.rule import load_rules, packaged_rules
from mmlint.source import Source
from mmlint.suppressions import UNUSED
from mmlint.upgrade import RULE_UPGRADE, upgrade

SECTIONS = ["What it does", "Why", "Example", "Limits", "Fix safety", "Source"]


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Path]:
    return write_rule("left-behind", tmp_path / "mine")


def test_files_are_where_rules_and_fixtures_belong(tmp_path: Path, written: tuple[Path, Path]) -> None:
    module, fixture = written
    assert module == tmp_path / "mine/rules/left_behind.py"
    assert fixture == tmp_path / "mine/fixtures/left-behind/left-behind.c"
    assert sorted(file for file in tmp_path.rglob("*") if file.is_file()) == sorted(written)
    for file in written:
        assert "@" not in file.read_text(encoding="utf-8").replace("@NAME", "")


def test_module_loads_and_its_static_reading_agrees(written: tuple[Path, Path]) -> None:
    module, _ = written
    (loaded,) = (rule for rule in load_rules((module.parent,)) if rule.path == module)
    entry = read_entry(module)
    assert entry.rule == loaded.rule
    assert entry.rule.name == "left-behind"
    assert [heading for heading, _ in entry.sections] == ["", *SECTIONS]
    assert all(text for _, text in entry.sections)
    assert len(entry.documentation.split("\n")[0]) <= 100


def test_module_is_clean_for_audit_and_upgrade(written: tuple[Path, Path]) -> None:
    module, _ = written
    report = audit_files([str(module)])
    assert (report.diagnostics, report.files, report.skipped) == ((), 1, ())
    result = upgrade(Source(str(module), module.read_bytes()))
    assert (result.changes, result.left) == (False, ())


def test_fixture_is_found_faulty_where_it_is_marked_and_nowhere_else(written: tuple[Path, Path]) -> None:
    module, fixture = written
    report = make_checker(Settings(rules=(module.parent,))).check(Source(str(fixture), fixture.read_bytes()))
    marks = [
        (number, match[1])
        for number, line in enumerate(fixture.read_text(encoding="utf-8").split("\n"), start=1)
        for match in re.finditer(r"/\* expect: ([a-z-]+) \*/", line)
    ]
    assert [(d.location.line, d.rule) for d in report.diagnostics] == marks
    assert [rule for _, rule in marks] == ["left-behind"]
    assert [d.function for d in report.diagnostics] == ["left_behind_faulty"]
    assert report.skipped == ()
    assert report.facts is not None
    assert [function.name for function in report.facts.functions] == ["left_behind_faulty", "left_behind_clean"]


def test_fixture_has_a_clean_function_by_the_count_of_the_conventions(written: tuple[Path, Path]) -> None:
    bodies = re.split(r"^\}$", written[1].read_text(encoding="utf-8"), flags=re.MULTILINE)
    functions = [body for body in bodies if "lazy_mmu_mode_" in body]
    assert ["expect: left-behind" in body for body in functions] == [True, False]


@pytest.mark.parametrize(
    "name", ["", "Left", "left_behind", "-left", "left-", "left--behind", "a/b", "..", "left1", "l\n"]
)
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a name for a rule; use lower-case words joined by '-'"):
        write_rule(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*RESERVED, *(file.stem.replace("_", "-") for file in packaged_rules().glob("w*.py"))])
def test_names_of_mmlint_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name}: mmlint has a rule of that name; choose another"):
        write_rule(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_reserved_names_are_those_that_mmlint_reports_under() -> None:
    assert set(RESERVED) == {INTERNAL_ERROR, RULE_AUDIT, RULE_UPGRADE, UNUSED}


@pytest.mark.parametrize("path", ["rules/left_behind.py", "fixtures/left-behind/left-behind.c"])
def test_existing_files_stay(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).symlink_to("nowhere")
    with pytest.raises(UsageError, match=rf"{re.escape(path)}: it exists; choose another name, or move it away"):
        write_rule("left-behind", tmp_path)
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if not file.is_dir()] == [path]


def test_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Not a directory; give a folder that can be written to"):
        write_rule("left-behind", tmp_path / "file")
