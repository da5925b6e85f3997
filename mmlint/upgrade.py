"""Bring rule files to the present interface: the machinery that applies `upgrade_changes.CHANGES`.

    upgrade(Source("mine/my_rule.py", data))  ->  Upgrade(path, before, after, applied, left)

A change is made of byte edits, so that comments, layout and line ends stay to the byte; a name that the new text needs
is imported beside the other names of its module. The changes of one version are made together, then those of the next,
and what is up to date has no place that any of them finds. Where a name may mean several things, or a value is
computed, nothing is changed and the place is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import libcst as cst

from mmlint.diagnostic import Diagnostic, Edit, Level
from mmlint.fix import apply_edits
from mmlint.rule_file import RuleFile, RuleSyntaxError, UnreadableRuleError, full_name, parse
from mmlint.source import Source, Span
from mmlint.upgrade_changes import CHANGES, Change, Place

RULE_UPGRADE: Final = "rule-upgrade"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What became of a file: the titles of the changes that were made, and the places left for a person."""

    path: str
    before: bytes
    after: bytes
    applied: tuple[str, ...] = ()
    left: tuple[Diagnostic, ...] = ()

    @property
    def changes(self) -> bool:
        return self.before != self.after


def upgrade(source: Source, changes: Sequence[Change] = CHANGES) -> Upgrade:
    """The file in the present interface.

    Raises RuleSyntaxError when the file is no Python, UnreadableRuleError when it or the result cannot be handled.
    """
    file = parse(source)
    applied: list[str] = []
    left: list[Diagnostic] = []
    for version in sorted({change.version for change in changes}):
        edits, titles, remarks = _plan(file, [change for change in changes if change.version == version])
        applied += titles
        left += remarks
        if edits:
            file = _parse_result(Source(source.path, apply_edits(file.source.data, edits)))
    if applied and _plan(file, changes)[0]:
        raise UnreadableRuleError("the changes do not settle")
    return Upgrade(source.path, source.data, file.source.data, tuple(applied), tuple(left))


def _parse_result(source: Source) -> RuleFile:
    try:
        return parse(source)
    except RuleSyntaxError as error:
        raise UnreadableRuleError(f"the result would be no Python: {error}") from error


def _plan(file: RuleFile, changes: Iterable[Change]) -> tuple[list[Edit], list[str], list[Diagnostic]]:
    """Edits, titles of the changes that make them, and a remark for each place that is left alone."""
    edits: dict[Edit, None] = {}
    titles: dict[str, None] = {}
    left: list[Diagnostic] = []
    for change in changes:
        for place in change.find(file):
            made, reason = _edits(file, place)
            edits |= dict.fromkeys(made)
            if made:
                titles[change.title] = None
            else:
                message = f"{reason}; a person has to see that {change.title}"
                left.append(Diagnostic(RULE_UPGRADE, Level.WARNING, file.source.locate(place.span), "", message))
    return list(edits), list(titles), left


def _edits(file: RuleFile, place: Place) -> tuple[list[Edit], str]:
    """The edits for one place, or why there are none."""
    if place.reason:
        return [], place.reason
    if not place.needs:
        return [Edit(file.source.path, place.span, place.text)], ""
    module, _, name = place.needs.rpartition(".")
    bound = _bound_name(file, module, name)
    added = None if bound else _import(file, module, name)
    if not bound and not added:
        return [], f"'{name}' cannot be imported beside what is there"
    text = (bound or name) + place.text.removeprefix(name)
    return [Edit(file.source.path, place.span, text), *([added] if added else [])], ""


def _bound_name(file: RuleFile, module: str, name: str) -> str:
    """What the file calls ``module.name``; empty when it is not imported at its top."""
    for _, statement in _imports(file):
        for alias in _names_from(statement, module):
            if full_name(alias.name) == name:
                return alias.evaluated_alias or name
    return ""


def _import(file: RuleFile, module: str, name: str) -> Edit | None:
    """An edit that imports a name; None when the file uses it for anything else, or has no import of that package."""
    if any(node.value == name and (file.own_names(node) or file.names(node)) for node in file.every(cst.Name)):
        return None
    if any((alias.evaluated_alias or alias.evaluated_name) == name for alias in file.every(cst.ImportAlias)):
        return None
    for _, statement in _imports(file):
        aliases = _names_from(statement, module)
        if aliases:
            return _insertion(file, aliases, name)
    return _line(file, module, name)


def _insertion(file: RuleFile, aliases: Sequence[cst.ImportAlias], name: str) -> Edit:
    """Put a name where it belongs in a sorted list, set apart as the others are."""
    spans = [file.span(alias) for alias in aliases]
    between = file.source.text(Span(spans[0].end, spans[1].start)) if len(spans) > 1 else ", "
    between = ", " if "#" in between else between
    for alias, span in zip(aliases, spans, strict=True):
        if full_name(alias.name) > name:
            return Edit(file.source.path, Span(span.start, span.start), name + between)
    return Edit(file.source.path, Span(spans[-1].end, spans[-1].end), between + name)


def _line(file: RuleFile, module: str, name: str) -> Edit | None:
    """A line of its own among the imports of the same package, by the name of the module."""
    place: int | None = None
    for line, statement in _imports(file):
        imported = _module_of(statement)
        if imported.split(".")[0] != module.split(".")[0]:
            continue
        span = file.span(line)
        if imported < module:
            place = min(file.source.line_span(file.source.line(span.end)).end + 1, len(file.source.data))
        elif place is None:
            place = span.start
    text = f"from {module} import {name}{file.module.default_newline}"
    return None if place is None else Edit(file.source.path, Span(place, place), text)


def _imports(file: RuleFile) -> Iterator[tuple[cst.SimpleStatementLine, cst.Import | cst.ImportFrom]]:
    """The imports at the top of the file, before anything but a docstring, each with its line."""
    for line in file.module.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else [line]:
            if isinstance(statement, cst.Import | cst.ImportFrom) and isinstance(line, cst.SimpleStatementLine):
                yield line, statement
            elif not isinstance(statement, cst.Expr):
                return


def _module_of(statement: cst.Import | cst.ImportFrom) -> str:
    if isinstance(statement, cst.Import):
        return full_name(statement.names[0].name)
    return full_name(statement.module) if statement.module is not None and not statement.relative else ""


def _names_from(statement: cst.Import | cst.ImportFrom, module: str) -> Sequence[cst.ImportAlias]:
    """What ``from module import ...`` lists; nothing for other statements."""
    if isinstance(statement, cst.Import) or isinstance(statement.names, cst.ImportStar):
        return ()
    return statement.names if _module_of(statement) == module else ()
