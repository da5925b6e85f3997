"""What a rule file does that a rule must not do, told before anybody runs it.

    audit(Source("mine/their_rule.py", data))
        mine/their_rule.py:3:1: error: 'os' is not among the modules that a rule may import [rule-audit]
        mine/their_rule.py:9:5: error: 'os.system' is beyond what a rule may import [rule-audit]

This is an aid for whoever reviews a rule, not a sandbox. It shows where to look, and it is quiet about an honest
rule; who wants to deceive it can: methods of permitted objects, formats and containers hide more than names tell.
Whoever loads a rule trusts its author.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import libcst as cst

from mmlint.audit_shape import look_at_shape
from mmlint.audit_uses import Uses
from mmlint.catalog import NotLiteralError, documentation, metadata
from mmlint.diagnostic import Diagnostic, Level, Skipped, fingerprinted
from mmlint.rule_file import RuleFile, RuleSyntaxError, UnreadableRuleError, limited_depth, parse, read_source
from mmlint.source import Source, Span

RULE_AUDIT: Final = "rule-audit"


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in rule files, in order, how many there are, and those that could not be read."""

    diagnostics: tuple[Diagnostic, ...]
    files: int
    skipped: tuple[Skipped, ...]


def audit_files(paths: Sequence[str]) -> Audit:
    """Audit each file. A file that is unreadable is among the skipped, and never clean."""
    found: list[Diagnostic] = []
    skipped: list[Skipped] = []
    for path in paths:
        try:
            found += audit(read_source(path))
        except UnreadableRuleError as error:
            skipped.append(Skipped(path, "", 1, str(error)))
    return Audit(tuple(fingerprinted(found)), len(paths), tuple(skipped))


def audit(source: Source) -> tuple[Diagnostic, ...]:
    """What is held against one file, in the order of its text, without fingerprints. Raises UnreadableRuleError."""
    try:
        file = parse(source)
    except RuleSyntaxError as error:
        return (_finding(source, error.span, Level.ERROR, str(error)),)
    found = [*_hidden_characters(source), *_declarations(file)]

    def report(node: cst.CSTNode, level: Level, message: str, function: str) -> None:
        span = Span(0, 0) if isinstance(node, cst.Module) else file.span(node)
        if isinstance(node, cst.BaseCompoundStatement):
            span = file.head(node)
        found.append(_finding(source, span, level, message, function))

    with limited_depth():
        look_at_shape(file, report)
        file.module.visit(Uses(file, report))
    return tuple(sorted(dict.fromkeys(found), key=lambda d: d.sort_key))


def _declarations(file: RuleFile) -> Iterator[Diagnostic]:
    readers: tuple[Callable[[RuleFile], object], ...] = (metadata, documentation)
    for reader in readers:
        try:
            reader(file)
        except NotLiteralError as error:
            yield _finding(file.source, error.span, Level.ERROR, str(error))


def _hidden_characters(source: Source) -> Iterator[Diagnostic]:
    """Characters that do not print can make a text look like another one."""
    text = source.data.decode("utf-8")
    for offset, character in enumerate(text):
        if character.isascii() or unicodedata.category(character) != "Cf" or (offset == 0 and character == "\ufeff"):
            continue
        start = len(text[:offset].encode())
        message = f"U+{ord(character):04X} does not print: the text may not be what it looks like"
        yield _finding(source, Span(start, start + len(character.encode())), Level.ERROR, message)


def _finding(source: Source, span: Span, level: Level, message: str, function: str = "") -> Diagnostic:
    return Diagnostic(RULE_AUDIT, level, source.locate(span), function, message)
