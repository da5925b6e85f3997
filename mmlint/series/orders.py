"""A ranged call whose parameters the series' header has in another order than the contract: told, and never judged.

    judge = OrderedJudge(checker, workspace)        a `Judge` whose reports hold no word on what such a call claims

Which argument is which is read by place. Of a call of another order nothing is known but that it opens a section: its
claims are dropped, as is what would be written for a plain section, and each such call is told as not analysed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mmlint.cache import Cache
from mmlint.checker import Checker, FileReport
from mmlint.diagnostic import Diagnostic, Skipped
from mmlint.facts.sections import FileFacts, FunctionFacts, Section, Verdict
from mmlint.series.states import Judge
from mmlint.series.workspace import Workspace

# What a rule says of the ranges of a section rests on the arguments, wherever it stands.
_OF_RANGES: Final = frozenset({"multi-range-section", "incomplete-conversion"})


class OrderedJudge(Judge):
    """The reports of every state, without what is said of calls of another order."""

    def __init__(self, checker: Checker, space: Workspace, processes: int = 1, cache: Cache | None = None) -> None:
        super().__init__(checker, space, processes, cache)
        self._ordered: dict[int, dict[str, FileReport]] = {}

    def reports(self, state: int) -> dict[str, FileReport]:
        """The report of each file that names the API, by path, in order."""
        if state not in self._ordered:
            reports = super().reports(state)
            name = self._other(state)
            self._ordered[state] = (
                {path: _without(report, name) for path, report in reports.items()} if name else reports
            )
        return self._ordered[state]

    def _other(self, state: int) -> str:
        """The call of another order that a state has, or that a later state will have, or empty."""
        own = self.other_order(state)
        if own:
            return own
        last = self.other_order(self.last)
        return last if last not in self.defined(state) else ""


def reason(name: str) -> str:
    """Why nothing is said of a call."""
    return f"{name}() takes other arguments than (mm, addr, end, ptep)"


def _without(report: FileReport, name: str) -> FileReport:
    if report.facts is None:
        return report
    called = [(f, s) for f in report.facts.functions for s in f.sections if s.callee == name]
    kept = tuple(d for d in report.diagnostics if not _claims(d, called, name))
    skipped = tuple(
        Skipped(report.facts.source.path, function.name, report.facts.source.line(section.call.start), reason(name))
        for function, section in called
    )
    facts = replace(report.facts, functions=tuple(_unknown(report.facts, name)))
    return replace(report, diagnostics=kept, facts=facts, skipped=(*report.skipped, *skipped))


def _claims(diagnostic: Diagnostic, called: list[tuple[FunctionFacts, Section]], name: str) -> bool:
    """True for what is said of the arguments of such a call, and for a repair that writes one."""
    if diagnostic.fix and any(edit.text.startswith(f"{name}(") for edit in diagnostic.fix.edits):
        return True
    for _, section in called:
        if section.call.covers(diagnostic.location.span):
            faults = {section.obligation(of).fault for of in ("mm", "ptep", "range", "table")}
            in_arguments = diagnostic.location.span.start >= section.call.start + len(name)
            return in_arguments or diagnostic.rule in _OF_RANGES or diagnostic.message in faults
    return False


def _unknown(facts: FileFacts, name: str) -> Iterator[FunctionFacts]:
    """The functions with nothing said of their calls of that name, nor proposed."""
    for function in facts.functions:
        sections = tuple(
            section._replace(
                verdict=Verdict.UNKNOWN,
                reason=reason(name),
                arguments=(),
                obligations=(),
                proposal=None,
                ranges=(),
                inconsistent="",
            )
            if section.callee == name or (section.proposal and section.proposal.callee == name)
            else section
            for section in function.sections
        )
        yield replace(function, sections=sections)
