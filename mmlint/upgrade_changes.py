"""The changes of the interface for rules, by version, and where a file is concerned by each.

Version 2:

    from mmlint.rules import Rule                           from mmlint.rule import Rule
    RULE = Rule(name="my-rule", severity="error", ...)      RULE = Rule(name="my-rule", level=Level.ERROR, ...)
    yield RULE.report(function, span, "...")                yield RULE.at(function, span, "...")

A further change is a function that yields the places, and a line of `CHANGES`. It must not find what it has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import libcst as cst

from mmlint.audit_names import objection
from mmlint.diagnostic import Level
from mmlint.rule_file import RuleFile, dotted
from mmlint.source import Span

_CONSTRUCTORS: Final = ("mmlint.rule.Rule", "mmlint.rules.Rule")
_REPORTING: Final = ("at", "report")
_LEVEL: Final = "mmlint.diagnostic.Level"
_WORDS: Final = {str(level): level.name for level in Level}


@dataclass(frozen=True, slots=True)
class Place:
    """Bytes that a change concerns and their new text, or the reason why a person has to look.

    ``needs`` is a name from another module with which the new text begins, such as "mmlint.diagnostic.Level".
    """

    span: Span
    text: str = ""
    needs: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The version that brought the change, a sentence that says what is so now, and what finds its places."""

    version: int
    title: str
    find: Callable[[RuleFile], Iterator[Place]]


def moved_module(file: RuleFile) -> Iterator[Place]:
    """``mmlint.rules`` wherever it is imported or named; modules inside of it are rules and stay."""
    for statement in file.every(cst.ImportFrom):
        if statement.relative or statement.module is None or isinstance(statement.names, cst.ImportStar):
            continue
        names = dotted(statement.module)
        if _spelled(names) == ["mmlint"]:
            for alias in statement.names:
                if alias.evaluated_name == "rules":
                    yield Place(file.span(alias.name), "rule" if alias.asname else "rule as rules")
        elif _spelled(names) == ["mmlint", "rules"]:
            unknown = [alias.evaluated_name for alias in statement.names if not _is_offered(alias.evaluated_name)]
            reason = f"mmlint.rule has no '{unknown[0]}'" if unknown else ""
            yield Place(file.span(names[1]), "rule", reason=reason)
    for imported in file.every(cst.Import):
        for alias in imported.names:
            names = dotted(alias.name)
            if _spelled(names) == ["mmlint", "rules"]:
                yield Place(file.span(names[1]), "rule")
    for attribute in file.every(cst.Attribute):
        names = dotted(attribute)
        is_whole = len(names) == 3 and _spelled(names)[:2] == ["mmlint", "rules"] and _is_offered(names[2].value)
        if is_whole and any(name.startswith("mmlint.") for name in file.names(attribute)):
            yield Place(file.span(names[1]), "rule")


def renamed_report(file: RuleFile) -> Iterator[Place]:
    """``.report`` of a rule; of a parameter or a local variable nobody knows what it is."""
    rules = _rules(file)
    for attribute in file.every(cst.Attribute):
        if attribute.attr.value != "report":
            continue
        if _is_rule(file, attribute.value, rules):
            yield Place(file.span(attribute.attr), "at")
        elif any("." in name for name in file.own_names(attribute.value)):
            what = file.text(attribute.value)
            yield Place(file.span(attribute), reason=f"'{what}' may be a rule")


def renamed_severity(file: RuleFile) -> Iterator[Place]:
    """The keyword ``severity`` of a rule and of its findings."""
    for call in _calls(file):
        keywords = {argument.keyword.value: argument.keyword for argument in call.args if argument.keyword}
        if "severity" in keywords:
            reason = "there is a 'level' beside it" if "level" in keywords else ""
            yield Place(file.span(keywords["severity"]), "level", reason=reason)


def levels_as_text(file: RuleFile) -> Iterator[Place]:
    """Levels that are written as strings."""
    for call in _calls(file):
        is_declaration = file.meaning(call.func) in _CONSTRUCTORS
        for position, argument in enumerate(call.args):
            by_position = is_declaration and position == 1 and not argument.keyword and not argument.star
            if not by_position and (argument.keyword is None or argument.keyword.value not in ("severity", "level")):
                continue
            value = argument.value
            text = value.evaluated_value if isinstance(value, cst.SimpleString | cst.ConcatenatedString) else None
            if isinstance(text, str) and text in _WORDS:
                yield Place(file.span(value), f"Level.{_WORDS[text]}", needs=_LEVEL)
            elif isinstance(text, str):
                yield Place(file.span(value), reason=f"no level is called '{text}'")
            elif is_declaration and not file.meaning(value).startswith(f"{_LEVEL}."):
                yield Place(file.span(value), reason="the level is computed")


CHANGES: Final = (
    Change(2, "mmlint.rules is mmlint.rule now", moved_module),
    Change(2, "a rule's report() is at() now", renamed_report),
    Change(2, "severity= is level= now", renamed_severity),
    Change(2, "a level is a Level, not a string", levels_as_text),
)


def _is_offered(name: str) -> bool:
    return objection(f"mmlint.rule.{name}") is None


def _spelled(names: tuple[cst.Name, ...]) -> list[str]:
    return [name.value for name in names]


def _rules(file: RuleFile) -> frozenset[str]:
    """Names of the module that hold a rule."""
    found: set[str] = set()
    for statement in file.statements():
        if not isinstance(statement, cst.Assign | cst.AnnAssign) or not isinstance(statement.value, cst.Call):
            continue
        if file.meaning(statement.value.func) in _CONSTRUCTORS:
            targets = [t.target for t in statement.targets] if isinstance(statement, cst.Assign) else [statement.target]
            found |= {target.value for target in targets if isinstance(target, cst.Name)}
    return frozenset(found)


def _is_rule(file: RuleFile, node: cst.BaseExpression, rules: frozenset[str]) -> bool:
    if isinstance(node, cst.Call):
        return file.meaning(node.func) in _CONSTRUCTORS
    names = file.own_names(node)
    return isinstance(node, cst.Name) and len(names) == 1 and names[0] in rules


def _calls(file: RuleFile) -> Iterator[cst.Call]:
    """Calls that make a rule, or a finding of a rule."""
    rules = _rules(file)
    for call in file.every(cst.Call):
        function = call.func
        owner = function.value if isinstance(function, cst.Attribute) and function.attr.value in _REPORTING else None
        if file.meaning(function) in _CONSTRUCTORS or (owner and _is_rule(file, owner, rules)):
            yield call
