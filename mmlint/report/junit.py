"""JUnit's XML, for pages that show tests: a suite for each file, a case for each finding.

A finding of the fail level or worse is a failure, a slighter one passes and is told in the case's output. Code that was
not analysed is an error, a finding that was accepted is a skipped case. A file with sections and no findings is one
case that passes, and the first suite says what was looked at, so that no report is empty.

Elements and attributes are those that Jenkins takes (junit-10.xsd of its xUnit plugin), which refuses a file for any
other one: there is no attribute for a line, so that each case has the lines of gcc in its text.
"""

from __future__ import annotations

from xml.etree import ElementTree

from mmlint.diagnostic import Diagnostic
from mmlint.report.checkstyle import document
from mmlint.report.outcome import NOT_ANALYSED, Outcome, unread
from mmlint.report.terminal import Pen, shown
from mmlint.report.text import render_diagnostic

_COUNTED = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def render(outcome: Outcome) -> str:
    """One document with a final newline."""
    root = ElementTree.Element("testsuites", name="mmlint")
    coverage = ElementTree.SubElement(root, "testsuite", name="mmlint")
    _output(_case(coverage, "coverage", "mmlint"), "\n".join((outcome.summary, *map(shown, outcome.remarks))))
    suites: dict[str, ElementTree.Element] = {}
    for path in sorted(_paths(outcome)):
        suites[path] = ElementTree.SubElement(root, "testsuite", name=shown(path), package="mmlint")
    for diagnostic in outcome.report.diagnostics:
        _finding(suites[diagnostic.path], diagnostic, outcome)
    for accepted in outcome.report.suppressed:
        case = _case_of(suites[accepted.diagnostic.path], accepted.diagnostic)
        skipped = ElementTree.SubElement(case, "skipped", message=shown(f"accepted: {accepted.reason}"))
        skipped.text = _lines(accepted.diagnostic)
    for diagnostic in unread(outcome.report.coverage.skipped, outcome.sources):
        case = _case_of(suites[diagnostic.path], diagnostic)
        error = ElementTree.SubElement(case, "error", type=NOT_ANALYSED, message=shown(diagnostic.message))
        error.text = _lines(diagnostic)
    for path, suite in suites.items():
        if not len(suite):
            _case(suite, "no findings", path)
    _count(root)
    return document(root)


def _paths(outcome: Outcome) -> set[str]:
    report = outcome.report
    return {
        *(facts.source.path for facts in report.facts),
        *(diagnostic.path for diagnostic in report.diagnostics),
        *(accepted.diagnostic.path for accepted in report.suppressed),
        *(skipped.path for skipped in report.coverage.skipped),
    }


def _finding(suite: ElementTree.Element, diagnostic: Diagnostic, outcome: Outcome) -> None:
    case = _case_of(suite, diagnostic)
    if diagnostic.level >= outcome.fail_level:
        attributes = {"type": str(diagnostic.level), "message": outcome.said(diagnostic)}
        ElementTree.SubElement(case, "failure", attributes).text = _lines(diagnostic)
    else:
        _output(case, _lines(diagnostic))


def _case_of(suite: ElementTree.Element, diagnostic: Diagnostic) -> ElementTree.Element:
    function = f" {diagnostic.function}()" if diagnostic.function else ""
    return _case(suite, f"{diagnostic.rule}{function}", diagnostic.path)


def _lines(diagnostic: Diagnostic) -> str:
    return "\n".join(render_diagnostic(diagnostic, Pen()))


def _case(suite: ElementTree.Element, name: str, path: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", name=shown(name), classname=shown(path))


def _output(case: ElementTree.Element, text: str) -> None:
    ElementTree.SubElement(case, "system-out").text = text


def _count(root: ElementTree.Element) -> None:
    """Write the numbers of cases into each suite and into the whole."""
    for element in (root, *root):
        element.set("tests", str(len(element.findall(".//testcase"))))
        for attribute, tag in _COUNTED[:2] if element is root else _COUNTED:
            element.set(attribute, str(len(element.findall(f".//{tag}"))))
