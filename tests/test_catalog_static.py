"""What is read of rules without running them is what running them gives; what cannot be read so is refused."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

import pytest

from mmlint.catalog import _KINDS, Entry, listing, read_catalog, read_entry, reference
from mmlint.diagnostic import Level
from mmlint.rule import LoadedRule, Rule, RuleError, load_rules

LOADED = load_rules()
ENTRIES = read_catalog()

GOOD = '''"""A fault.

## What it does

    code(first)
      code(second)

## Limits

None | some.
"""
from mmlint.diagnostic import Level
from mmlint.rule import Rule
RULE = Rule(name="new-rule", level=Level.NOTE, summary="x | y")
def check(function):
    yield from ()
'''
DECLARATION = 'Rule(name="new-rule", level=Level.NOTE, summary="x | y")'


def written(folder: Path, text: str, name: str = "new_rule.py") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("loaded", LOADED, ids=[loaded.rule.name for loaded in LOADED])
def test_static_reading_equals_the_imported_object(loaded: LoadedRule) -> None:
    documentation = inspect.cleandoc(loaded.documentation)
    assert read_entry(loaded.path) == Entry(loaded.rule, documentation, loaded.path)


def test_all_packaged_rules_are_in_the_catalog() -> None:
    assert [entry.rule.name for entry in ENTRIES] == [loaded.rule.name for loaded in LOADED]
    assert len(ENTRIES) >= 19


def test_every_field_of_a_rule_can_be_read() -> None:
    assert {str(field.type) for field in fields(Rule)} <= set(_KINDS)


@pytest.mark.parametrize(
    "declaration",
    [
        "Rule('new-rule', Level.ERROR, 'a' 'b', fix=\"safe\")",
        "Rule(summary='ab', fix='safe', level=(Level.ERROR), name='new-rule')",
    ],
)
def test_other_ways_to_write_the_same(tmp_path: Path, declaration: str) -> None:
    file = written(tmp_path, GOOD.replace(DECLARATION, declaration))
    assert read_entry(file).rule == Rule("new-rule", Level.ERROR, "ab", "safe")
    (loaded,) = [rule for rule in load_rules((tmp_path,)) if rule.path == file]
    assert loaded.rule == read_entry(file).rule


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from mmlint.rule import Rule", "from mmlint.rule import Rule as R"),
        ("from mmlint.diagnostic import Level", "import mmlint.diagnostic as d"),
        ("RULE = ", "RULE: object = "),
    ],
)
def test_names_are_followed_through_imports(tmp_path: Path, before: str, after: str) -> None:
    text = GOOD.replace(before, after)
    text = text.replace("= Rule(", "= R(") if " as R" in after else text
    text = text.replace("Level.NOTE", "d.Level.NOTE") if " as d" in after else text
    assert read_entry(written(tmp_path, text)).rule == Rule("new-rule", Level.NOTE, "x | y")


def test_nothing_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    text = GOOD + f"open({str(trap)!r}, 'w').close()\n"
    assert read_entry(written(tmp_path, text)).rule.name == "new-rule"
    assert not trap.exists()


@pytest.mark.parametrize(
    ("before", "after", "line", "fault"),
    [
        (DECLARATION, "make()", 14, "RULE has to be Rule"),
        ("RULE = ", "RULES = ", 1, "RULE is missing"),
        (DECLARATION, f"{DECLARATION}\nRULE = 3", 15, "RULE is assigned a second time"),
        ('"new-rule"', '"new" + "-rule"', 14, 'the name of RULE has to be a string, not \'"new" \\+ "-rule"\''),
        ('"new-rule"', 'f"new-rule"', 14, "the name of RULE has to be a string"),
        ('"new-rule"', 'b"new-rule"', 14, "the name of RULE has to be a string"),
        ("Level.NOTE", '"note"', 14, "the level of RULE has to be one of Level.NOTE"),
        ("Level.NOTE", "Level(1)", 14, "the level of RULE has to be one of"),
        ("Level.NOTE", "Level.NOTE()", 14, "the level of RULE has to be one of"),
        ("Level.NOTE", "Level.FATAL", 14, "the level of RULE has to be one of"),
        ("level=", "severity=", 14, "Rule has no use for 'severity=Level.NOTE'"),
        ("name=", "**", 14, r"Rule has no use for '\*\*"),
        (', summary="x | y"', "", 14, "RULE lacks its summary"),
        ('"new-rule"', '"New"', 14, "rule name 'New' is not in kebab-case"),
        ('"new-rule"', '"old-rule"', 14, "the rule is called old-rule, so the file has to be called old_rule.py"),
        ('"x | y"', '"x | y", fix="some"', 14, "fix 'some' of rule new-rule is unknown"),
        ('"x | y")', '"x | y"', 14, "syntax error: '\\(' was never closed"),
        ("import Rule\n", "import Rule\nclass Rule: pass\n", 15, "RULE has to be Rule"),
        ('"""A fault.', 'TEXT = """A fault.', 1, "the documentation is missing"),
    ],
)
def test_what_is_not_literal_is_refused_with_its_line(
    tmp_path: Path, before: str, after: str, line: int, fault: str
) -> None:
    assert before in GOOD
    file = written(tmp_path, GOOD.replace(before, after, 1))
    with pytest.raises(RuleError, match=rf"new_rule\.py:{line}: {fault}.*; mend the module or move it away"):
        read_entry(file)


def test_a_folder_is_read_as_it_is_loaded(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, "raise SystemExit", "_private.py")
    written(tmp_path, "no rule", "notes.txt")
    entries = read_catalog((tmp_path,))
    assert [entry.rule for entry in entries] == [loaded.rule for loaded in load_rules((tmp_path,))]
    assert "new-rule" in {entry.rule.name for entry in entries}


def test_two_rules_of_one_name(tmp_path: Path) -> None:
    twin = ENTRIES[0].path
    (tmp_path / twin.name).write_bytes(twin.read_bytes())
    with pytest.raises(RuleError, match=r"is also in .*; rename one of them"):
        read_catalog((tmp_path,))


def test_unreadable_modules_are_refused(tmp_path: Path) -> None:
    (tmp_path / "new_rule.py").mkdir()
    with pytest.raises(RuleError, match=r"new_rule\.py: not a regular file; mend"):
        read_catalog((tmp_path,))
    with pytest.raises(RuleError, match="No such file or directory"):
        read_entry(tmp_path / "none.py")


def test_sections_of_the_documentation(tmp_path: Path) -> None:
    entry = read_entry(written(tmp_path, GOOD))
    code = "    code(first)\n      code(second)"
    assert entry.sections == (("", "A fault."), ("What it does", code), ("Limits", "None | some."))
    assert entry.section("Limits") == "None | some."
    with pytest.raises(KeyError):
        entry.section("Why")


def test_listing_and_reference(tmp_path: Path) -> None:
    entry = read_entry(written(tmp_path, GOOD))
    assert listing([entry]) == "new-rule  note          x | y\n"
    assert reference([entry]) == (
        "# Rules\n\n"
        "| rule | level | fix | what it finds |\n|---|---|---|---|\n"
        "| [new-rule](#new-rule) | note | none | x \\| y |\n\n"
        "## new-rule\n\nA fault.\n\n"
        "### What it does\n\n    code(first)\n      code(second)\n\n"
        "### Limits\n\nNone | some.\n"
    )


def test_reference_has_every_rule_and_every_heading() -> None:
    page = reference(ENTRIES)
    for entry in ENTRIES:
        assert page.count(f"\n## {entry.rule.name}\n") == 1
        assert page.count(f"](#{entry.rule.name}) |") == 1
    assert page.count("\n### Limits\n") == len(ENTRIES)
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
