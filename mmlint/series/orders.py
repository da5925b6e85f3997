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
from mmlint.diagnostic import Skipped
from mmlint.facts.sections import FileFacts, FunctionFacts, Verdict
from mmlint.series.states import Judge
from mmlint.series.workspace import Workspace

# What a section owes that is read off its arguments.
_CLAIMS: Final = frozenset({"mm", "ptep", "range", "table"})


class OrderedJudge(Judge):
    """The reports of every state, without what is said of calls of another order."""

    def __init__(self, checker: Checker, space: Workspace, processes: int = 1, cache: Cache | None = None) -> None:
        super().__init__(checker, space, processes, cache)
        self._rules = checker
        self._ordered: dict[int, dict[str, FileReport]] = {}

    def reports(self, state: int) -> dict[str, FileReport]:
        """The report of each file that names the API, by path, in order."""
        if state not in self._ordered:
            reports = super().reports(state)
            name = self._other(state)
            self._ordered[state] = (
                {path: _without(report, name, self._rules) for path, report in reports.items()} if name else reports
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


def _without(report: FileReport, name: str, checker: Checker) -> FileReport:
    """The report as the rules make it when nothing is known of the calls of that name."""
    if report.facts is None:
        return report
    facts = replace(report.facts, functions=tuple(_unknown(report.facts, name)))
    skipped = tuple(
        Skipped(facts.source.path, function.name, facts.source.line(section.call.start), reason(name))
        for function in facts.functions
        for section in function.sections
        if section.callee == name
    )
    return FileReport(checker.found_in(facts), facts, (*report.skipped, *skipped))


def _unknown(facts: FileFacts, name: str) -> Iterator[FunctionFacts]:
    """The functions with nothing said of what the calls of that name pass, and none proposed."""
    for function in facts.functions:
        sections = tuple(
            section._replace(
                verdict=Verdict.UNKNOWN,
                reason=reason(name),
                arguments=(),
                obligations=tuple(owed for owed in section.obligations if owed.name not in _CLAIMS),
                proposal=None,
                ranges=(),
                inconsistent="",
            )
            if section.callee == name or (section.proposal and section.proposal.callee == name)
            else section
            for section in function.sections
        )
        yield replace(function, sections=sections)
