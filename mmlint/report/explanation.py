"""The text of ``explain``: the documentation of a rule, or the proof sheet of the section at a place."""

from __future__ import annotations

from collections.abc import Iterator

from mmlint.checker import Checker
from mmlint.config import UsageError
from mmlint.facts.sections import FileFacts, FunctionFacts
from mmlint.files import read
from mmlint.report.sections_text import sheet
from mmlint.report.terminal import Pen
from mmlint.report.text import render_diagnostic, skipped_line
from mmlint.rule import LoadedRule
from mmlint.source import Source


def explain_rule(rule: LoadedRule) -> str:
    """Name, level and documentation of a rule, with a final newline."""
    fix = {"none": "no fix", "safe": "has a fix"}.get(rule.rule.fix, f"has a fix ({rule.rule.fix})")
    return f"{rule.rule.name}: {rule.rule.level}, {fix}\n\n{rule.documentation.strip()}\n"


def explain_place(path: str, line: int, checker: Checker, pen: Pen) -> Iterator[str]:
    """The proof sheet of the section on a line, else of every section of the function around it, with the findings.

    Raises UsageError when the file cannot be read, or no function with a section is there.
    """
    try:
        source = Source(path, read(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}; give a file that exists") from error
    report = checker.check(source)
    function = _around(report.facts, line) if report.facts else None
    for skipped in report.skipped:
        yield skipped_line(skipped, pen)
    if function is None:
        raise UsageError(f"{path}:{line}: no section is there; `mmlint sections {path}` lists them")
    for diagnostic in report.diagnostics:
        if diagnostic.function == function.name:
            yield from render_diagnostic(diagnostic, pen, quiet=True)
    here = [section for section in function.sections if source.line(section.call.start) == line]
    for section in here or function.sections:
        yield ""
        yield from sheet(function, section, pen)


def _around(facts: FileFacts, line: int) -> FunctionFacts | None:
    for function in facts.functions:
        if facts.source.line(function.span.start) <= line <= facts.source.line(function.span.end):
            return function
    return None
