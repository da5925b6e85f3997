"""The upgrade of rules: every change of the interface, to the byte, once, and with a word about what is left."""

from __future__ import annotations

import re
from pathlib import Path

import libcst as cst
import pytest

from mmlint.audit import audit
from mmlint.rule import packaged_rules
from mmlint.rule_file import RuleFile, RuleSyntaxError, UnreadableRuleError
from mmlint.source import Source
from mmlint.upgrade import RULE_UPGRADE, Upgrade, upgrade
from mmlint.upgrade_changes import CHANGES, Change, Place

RULES = sorted(packaged_rules().glob("*.py"))
each_rule = pytest.mark.parametrize("file", RULES, ids=[file.stem for file in RULES])

MODULE, REPORT, SEVERITY, TEXT = (change.title for change in CHANGES)
HEAD = "from mmlint.diagnostic import Level\nfrom mmlint.rule import Rule\n"


def upgraded(text: str) -> Upgrade:
    """The upgrade of a text; a second one finds nothing to change and leaves the same places."""
    result = upgrade(Source("my_rule.py", text.encode()))
    again = upgrade(Source("my_rule.py", result.after))
    assert (again.after, again.applied) == (result.after, ())
    assert [remark.message for remark in again.left] == [remark.message for remark in result.left]
    return result


OLD = '''\
"""A fault, \u00e0 la carte."""

# What rules are made of.
from mmlint.rules import Rule  # the old place

RULE = Rule(  # ours
    name = "my-rule",
    severity= "error" ,  # \u00e9
    summary='x',)


def check( function ):
    for section in function.sections:
        yield RULE . report(function, section.call, "severity='error'", severity=("note"))  # report
'''
NEW = '''\
"""A fault, \u00e0 la carte."""

# What rules are made of.
from mmlint.diagnostic import Level
from mmlint.rule import Rule  # the old place

RULE = Rule(  # ours
    name = "my-rule",
    level= Level.ERROR ,  # \u00e9
    summary='x',)


def check( function ):
    for section in function.sections:
        yield RULE . at(function, section.call, "severity='error'", level=(Level.NOTE))  # report
'''


def test_a_whole_rule_keeps_its_layout_and_comments() -> None:
    result = upgraded(OLD)
    assert result.after.decode() == NEW
    assert result.before.decode() == OLD
    assert result.changes
    assert result.applied == (MODULE, REPORT, SEVERITY, TEXT)
    assert result.left == ()


def test_line_ends_stay() -> None:
    assert upgraded(OLD.replace("\n", "\r\n")).after.decode() == NEW.replace("\n", "\r\n")
    with pytest.raises(UnreadableRuleError, match="libcst does not give back the text"):
        upgrade(Source("my_rule.py", OLD.replace("\n", "\r").encode()))


def test_mark_at_the_start_and_missing_end_stay() -> None:
    assert upgraded("\ufeff" + OLD.rstrip("\n")).after.decode() == "\ufeff" + NEW.rstrip("\n")


@each_rule
def test_present_rules_stay_as_they_are(file: Path) -> None:
    result = upgrade(Source(str(file), file.read_bytes()))
    assert not result.changes
    assert (result.applied, result.left) == ((), ())


@each_rule
def test_packaged_rules_come_back_from_version_1(file: Path) -> None:
    new = file.read_text(encoding="utf-8")
    old = new.replace("from mmlint.rule import", "from mmlint.rules import").replace("RULE.at(", "RULE.report(")
    old = re.sub(
        r"^    level=Level\.(\w+)", lambda match: f'    severity="{match[1].lower()}"', old, flags=re.MULTILINE
    )
    if not re.search(r"\bLevel\.", old):
        old = re.sub(r", Level\b", "", old, count=1)
    assert old != new
    result = upgraded(old)
    assert result.after.decode() == new
    assert result.left == ()
    assert audit(Source(str(file), result.after)) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from mmlint.rules import Rule, replace as r", "from mmlint.rule import Rule, replace as r"),
        ("from mmlint . rules import (Rule)", "from mmlint . rule import (Rule)"),
        ("import mmlint.rules as r\nr.Rule", "import mmlint.rule as r\nr.Rule"),
        ("import re, mmlint.rules\nX = mmlint.rules.Rule", "import re, mmlint.rule\nX = mmlint.rule.Rule"),
        ("from mmlint import rules\nrules.Rule", "from mmlint import rule as rules\nrules.Rule"),
        ("from mmlint import rules as r, source", "from mmlint import rule as r, source"),
        ("def f():\n    from mmlint.rules import Rule", "def f():\n    from mmlint.rule import Rule"),
    ],
)
def test_module_moves(before: str, after: str) -> None:
    result = upgraded(before)
    assert (result.after.decode(), result.applied, result.left) == (after, (MODULE,), ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("R = Rule()\nR.report(1)", "R = Rule()\nR.at(1)"),
        ("R: Rule = Rule()\ndef f(): say = R.report", "R: Rule = Rule()\ndef f(): say = R.at"),
        ("Rule().report(1).report", "Rule().at(1).report"),
        ("A = B = Rule()\nA.report(B.report)", "A = B = Rule()\nA.at(B.at)"),
    ],
)
def test_report_of_a_rule(before: str, after: str) -> None:
    result = upgraded(HEAD + before)
    assert (result.after.decode(), result.applied, result.left) == (HEAD + after, (REPORT,), ())


@pytest.mark.parametrize(
    "text",
    [
        "R = make()\nR.report(1)",
        "R = Rule()\nreport(severity=1)\nR.reported(severity='error')",
        "class Rule: pass\nRULE = Rule(severity='error')\nRULE.report()",
        "from mmlint.rules.wrong_mm import check\nimport mmlint.rules.wrong_mm\nmmlint.rules.wrong_mm.check",
        "Other(severity='error', level='note')",
        "RULE = Rule('a', Level.NOTE, 'error', level)",
        "'RULE.report(severity=1)'  # from mmlint.rules import Rule",
    ],
)
def test_what_is_not_of_the_interface_stays(text: str) -> None:
    result = upgraded(f"from mmlint.rule import Other, Level\n{text}" if "class" in text else HEAD + text)
    assert not result.changes
    assert (result.applied, result.left) == ((), ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('Rule("a", "error", "note")', 'Rule("a", Level.ERROR, "note")'),
        ('Rule("a", level="warn" "ing")', 'Rule("a", level=Level.WARNING)'),
        ("R = Rule()\nR.at(1, level='note')", "R = Rule()\nR.at(1, level=Level.NOTE)"),
    ],
)
def test_levels_as_text(before: str, after: str) -> None:
    result = upgraded(HEAD + before)
    assert (result.after.decode(), result.applied) == (HEAD + after, (TEXT,))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from mmlint.diagnostic import Fix\n", "from mmlint.diagnostic import Fix, Level\n"),
        ("from mmlint.diagnostic import Note\n", "from mmlint.diagnostic import Level, Note\n"),
        ("from mmlint.diagnostic import Fix, Note\n", "from mmlint.diagnostic import Fix, Level, Note\n"),
        (
            "from mmlint.diagnostic import (Fix as F,\n   Note)\n",
            "from mmlint.diagnostic import (Fix as F,\n   Level,\n   Note)\n",
        ),
        (
            "from mmlint.diagnostic import (\n    Edit,\n    Fix,  # a\n)\n",
            "from mmlint.diagnostic import (\n    Edit,\n    Fix,\n    Level,  # a\n)\n",
        ),
        (
            "from mmlint.diagnostic import (\n    Edit,  # a\n    Fix,\n)\n",
            "from mmlint.diagnostic import (\n    Edit,  # a\n    Fix, Level,\n)\n",
        ),
        ("from mmlint.source import Span\n", "from mmlint.diagnostic import Level\nfrom mmlint.source import Span\n"),
        ("import mmlint.config  # a\n", "import mmlint.config  # a\nfrom mmlint.diagnostic import Level\n"),
        ('"""Doc."""\nimport re\n', '"""Doc."""\nimport re\nfrom mmlint.diagnostic import Level\n'),
        ("", "from mmlint.diagnostic import Level\n"),
    ],
)
def test_level_is_imported_beside_what_is_there(before: str, after: str) -> None:
    tail = "from mmlint.rule import Rule\nRULE = Rule(level={})\n"
    assert upgraded(before + tail.format("'note'")).after.decode() == after + tail.format("Level.NOTE")


def test_level_under_another_name() -> None:
    text = "from mmlint.diagnostic import Level as L\nfrom mmlint.rule import Rule\nRule(level={})\n"
    assert upgraded(text.format("'note'")).after.decode() == text.format("L.NOTE")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("Rule(level='fatal')", "'fatal'", "no level is called 'fatal'"),
        ("Rule(level=LEVELS[0])", "LEVELS[0]", "the level is computed"),
        ("Rule(severity=Level.ERROR, level=Level.NOTE)", "severity", "there is a 'level' beside it"),
        ("def f(rule): rule.report(1)", "rule.report", "'rule' may be a rule"),
        ("from mmlint.rules import Rule as R, wrong_mm", "rules", "mmlint.rule has no 'wrong_mm'"),
    ],
)
def test_what_is_left_is_named(text: str, place: str, reason: str) -> None:
    source = Source("my_rule.py", (HEAD + text).encode())
    result = upgraded(HEAD + text)
    (remark,) = result.left
    assert (source.text(remark.location.span), remark.rule) == (place, RULE_UPGRADE)
    assert remark.message.startswith(f"{reason}; a person has to see that ")
    assert not result.changes


@pytest.mark.parametrize(
    "text",
    [
        "from mmlint.rule import Rule\nclass Level: pass\nRule(level='note')\n",
        "from mmlint.rule import Rule\nfrom other import Level\nRule(level='note')\n",
        "from mmlint.rule import Rule\ndef f(Level): return Level\nRule(level='note')\n",
        "from mmlint.rule import Level, Rule\nRule(level='note')\n",
        "try:\n    from mmlint.rule import Rule\nexcept ImportError: pass\nRule(level='note')\n",
    ],
)
def test_level_that_cannot_be_imported(text: str) -> None:
    result = upgraded(text)
    assert not result.changes
    assert [remark.message.split(";")[0] for remark in result.left] == [
        "'Level' cannot be imported beside what is there"
    ]


def test_versions_follow_each_other() -> None:
    def renamed(old: str, new: str) -> Change:
        def find(file: RuleFile) -> list[Place]:
            return [Place(file.span(name), new) for name in file.every(cst.Name) if name.value == old]

        return Change({"a": 3, "b": 4}[old], f"{old} is {new}", lambda file: iter(find(file)))

    changes = [renamed("b", "c"), renamed("a", "b")]
    result = upgrade(Source("x.py", b"a = b\n"), changes)
    assert (result.after, result.applied) == (b"c = c\n", ("a is b", "b is c"))
    with pytest.raises(UnreadableRuleError, match="the changes do not settle"):
        upgrade(
            Source("x.py", b"a\n"), [Change(3, "", lambda file: iter([Place(file.span(file.module.body[0]), "aa")]))]
        )
    with pytest.raises(UnreadableRuleError, match="the result would be no Python: syntax error"):
        upgrade(
            Source("x.py", b"a\n"), [Change(3, "", lambda file: iter([Place(file.span(file.module.body[0]), "a a")]))]
        )


def test_a_file_that_is_no_python_is_refused() -> None:
    with pytest.raises(RuleSyntaxError, match="syntax error"):
        upgrade(Source("x.py", b"def ("))
