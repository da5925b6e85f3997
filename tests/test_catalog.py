"""Every rule keeps the conventions: its documentation, its metadata, its fixtures, the style of its messages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from mmlint.diagnostic import Level
from mmlint.rule import FIXES, LoadedRule, load_rules, packaged_rules

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = ["What it does", "Why", "Example", "Limits", "Fix safety", "Source"]
RULES = load_rules()

each_rule = pytest.mark.parametrize("loaded", RULES, ids=[loaded.rule.name for loaded in RULES])


def test_all_files_of_the_folder_are_rules() -> None:
    stems = sorted(file.stem for file in packaged_rules().glob("*.py"))
    assert [loaded.rule.name.replace("-", "_") for loaded in RULES] == stems
    assert len(stems) >= 10


@each_rule
def test_documentation_has_its_sections(loaded: LoadedRule) -> None:
    assert re.findall(r"^## (.+)$", loaded.documentation, re.MULTILINE) == SECTIONS
    for part in re.split(r"^## .+$", loaded.documentation, flags=re.MULTILINE):
        assert part.strip()
    first = loaded.documentation.split("\n")[0]
    assert first.endswith(".")
    assert len(first) <= 100


@each_rule
def test_metadata_is_literal_and_short(loaded: LoadedRule) -> None:
    tree = ast.parse(loaded.path.read_text(encoding="utf-8"))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "RULE"
    )
    assert isinstance(value, ast.Call)
    for keyword in value.keywords:
        assert isinstance(keyword.value, ast.Constant | ast.Attribute), keyword.arg
    rule = loaded.rule
    assert rule.level in Level
    assert rule.fix in FIXES
    assert len(rule.name) <= 25
    assert re.fullmatch(r"[^A-Z0-9].*[^.]", rule.summary)
    assert len(rule.summary) <= 80


@each_rule
def test_fix_safety_agrees_with_the_metadata(loaded: LoadedRule) -> None:
    safety = loaded.documentation.split("## Fix safety")[1].split("##")[0].strip()
    expected = {"none": "There is no fix", "unsafe": "Unsafe", "safe": "Safe|The fix is safe"}[loaded.rule.fix]
    assert re.match(expected, safety)


@each_rule
def test_check_is_short_and_pure(loaded: LoadedRule) -> None:
    tree = ast.parse(loaded.path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 40
        assert not isinstance(node, ast.Global | ast.Nonlocal | ast.ClassDef)
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.module.split(".")[0] in {"mmlint", "collections", "typing"}
        assert not isinstance(node, ast.Import)


@each_rule
def test_rule_has_fixtures_that_fire_and_that_are_clean(loaded: LoadedRule) -> None:
    files = sorted((ROOT / "fixtures" / loaded.rule.name).rglob("*.c"))
    text = "".join(file.read_text(encoding="utf-8") for file in files if not file.name.endswith(".fixed.c"))
    functions = [body for body in re.split(r"^\}$", text, flags=re.MULTILINE) if "{" in body]
    faulty = [body for body in functions if re.search(rf"/\* expect: [^*]*\b{loaded.rule.name}\b", body)]
    clean = [body for body in functions if "expect:" not in body]
    assert faulty
    assert clean


def test_no_rule_is_named_in_the_engine() -> None:
    names = {loaded.rule.name for loaded in RULES}
    for file in sorted((ROOT / "mmlint").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not strings & names, file
