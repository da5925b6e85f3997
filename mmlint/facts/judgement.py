"""One section judged: its obligations in every state that reaches the enable, the verdict, and the proposal."""

from __future__ import annotations

from mmlint.facts.across import loses_range
from mmlint.facts.entered import Claim
from mmlint.facts.evaluate import Evaluator
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.obligations import Judge
from mmlint.facts.pairing import leaks, locked, opens_for_caller, outside, paired
from mmlint.facts.proposals import Candidate, NoProposal, Proposer, is_advanced, map_targets, ranges
from mmlint.facts.sections import (
    ARGUMENTS,
    Argument,
    Evidence,
    Leak,
    Obligation,
    Outside,
    Proposal,
    Range,
    Section,
    Status,
    Verdict,
)
from mmlint.facts.sites import Site
from mmlint.facts.spelling import names_of
from mmlint.flow.values import Entry

_ORDER = (Status.REFUTED, Status.UNKNOWN, Status.ASSUMED, Status.PROVEN)


def judge_section(analysis: FileAnalysis, solved: Solved, site: Site, siblings: frozenset[str]) -> Section:
    """The section that ``site`` opens. ``siblings`` are the ptep spellings of the function's ranged calls."""
    return _Judgement(analysis, solved, site, siblings).section()


class _Judgement:
    def __init__(self, analysis: FileAnalysis, solved: Solved, site: Site, siblings: frozenset[str]) -> None:
        self.analysis = analysis
        self.solved = solved
        self.site = site
        self.siblings = siblings
        self.source = analysis.source
        self.judges = [Judge(analysis, solved, site, snapshot) for snapshot in site.snapshots]
        self.leaks: list[Leak] = leaks(
            solved, self.source, site, self._leave_name(), lambda: opens_for_caller(analysis, solved.name)
        )
        self.outside: Outside | None = outside(site, solved.sites.locked_at)
        self.ranged = site.op.callee in analysis.vocabulary.ranged_enters

    def _leave_name(self) -> str:
        names = {closing.op.callee or "" for closing in self.site.closings}
        if names:
            return min(names)
        generations = self.analysis.vocabulary.generations
        return next((g.leave for g in generations if g.enter == self.site.op.callee), generations[-1].leave)

    # ------------------------------------------------------------ common

    def section(self) -> Section:
        if not self.judges:
            reason = "the function leaves its caller's mode and enters it again"
            return self._section(Verdict.UNSUITABLE, reason, ())
        return self._ranged_section() if self.ranged else self._plain_section()

    def _section(
        self,
        verdict: Verdict,
        reason: str,
        obligations: tuple[Obligation, ...],
        arguments: tuple[Argument, ...] = (),
        proposal: Proposal | None = None,
        found: list[Range] | None = None,
        inconsistent: tuple[str, tuple[Evidence, ...]] = ("", ()),
    ) -> Section:
        op = self.site.op
        return Section(
            function=self.solved.name,
            kind="ranged" if self.ranged else "plain",
            callee=op.callee or "",
            call=op.span,
            text=" ".join(self.source.text(op.span).split()),
            verdict=verdict,
            reason=reason,
            obligations=obligations,
            arguments=arguments,
            proposal=proposal,
            ranges=tuple(found or ()),
            leaks=tuple(self.leaks),
            outside=self.outside,
            inconsistent=inconsistent[0],
            inconsistent_because=inconsistent[1],
            configuration=self.solved.configuration,
        )

    def _flow_obligations(self, given: bool = False) -> list[Obligation]:
        if given and self.outside is None:
            line = Evidence(self.site.op.span, "callers are trusted to hold the page-table lock")
            return [paired(self.site, self.leaks), Obligation("locked", Status.ASSUMED, (line,))]
        held = [
            locked(judge.state, judge.used_here(), self.solved.sites.locked_at, self.outside) for judge in self.judges
        ]
        return [paired(self.site, self.leaks), _weakest(held)]

    def _claimed(self, claims: list[Claim]) -> list[Obligation]:
        kinds = (Judge.mm, Judge.ptep, Judge.range, Judge.table_bound)
        return [
            _weakest([kind(judge, claim) for judge, claim in zip(self.judges, claims, strict=True)]) for kind in kinds
        ]

    # ------------------------------------------------------------ ranged

    def _ranged_section(self) -> Section:
        op = self.site.op
        if len(op.arguments) != 4:
            reason = f"{op.callee}() takes four arguments: mm, addr, end, ptep"
            return self._section(Verdict.UNKNOWN, reason, tuple(self._flow_obligations()))
        texts = {
            name: " ".join(self.source.text(span).split())
            for name, span in zip(ARGUMENTS, op.argument_spans, strict=True)
        }
        spans = dict(zip(ARGUMENTS, op.argument_spans, strict=True))
        claims = []
        for judge in self.judges:
            evaluator = Evaluator(judge.context)
            mm, addr, end, ptep = (evaluator.value(argument, judge.state) for argument in op.arguments)
            address, limit = evaluator.poly(op.arguments[1], judge.state), evaluator.poly(op.arguments[2], judge.state)
            del addr, end
            claims.append(Claim(texts, spans, mm, address, limit, ptep))
        obligations = (*self._claimed(claims), *self._flow_obligations(self.judges[0].is_given(claims[0])))
        verdict, reason = self._ranged_verdict(obligations)
        arguments = tuple(Argument(name, texts[name], spans[name]) for name in ARGUMENTS)
        hinted = self.judges[0].table(claims[0].ptep)
        found = ranges(self.judges[0], hinted, texts) if hinted is not None else []
        return self._section(
            verdict,
            reason,
            obligations,
            arguments,
            found=found,
            inconsistent=self._inconsistent(texts["ptep"], claims),
        )

    def _ranged_verdict(self, obligations: tuple[Obligation, ...]) -> tuple[Verdict, str]:
        for status, verdict in ((Status.REFUTED, Verdict.REFUTED), (Status.UNKNOWN, Verdict.UNKNOWN)):
            for obligation in obligations:
                if obligation.status is status and obligation.fault:
                    return verdict, obligation.fault
        return Verdict.VERIFIED, ""

    def _inconsistent(self, text: str, claims: list[Claim]) -> tuple[str, tuple[Evidence, ...]]:
        """The sibling's spelling of ptep, where it has the value of this call's and the map call prefers it."""
        common: set[str] | None = None
        preferred: list[str] = []
        line: Evidence | None = None
        for judge, claim in zip(self.judges, claims, strict=True):
            table = judge.table(claim.ptep)
            if table is None or not isinstance(claim.ptep, Entry):
                return "", ()
            names = {name.name for name in names_of(judge.context, judge.state, claim.ptep, self.site.op.span)}
            common = names if common is None else common & names
            preferred = map_targets(judge, table)
            line = Evidence(table.site, "both are set from this call and have not moved")
        equal = sorted((self.siblings | {text}) & (common or set()))
        if text not in equal or line is None:
            return "", ()
        best = min(equal, key=lambda name: (is_advanced(self.judges[0], name), _position(preferred, name), name))
        return (best, (line,)) if best != text else ("", ())

    # ------------------------------------------------------------ plain

    def _plain_section(self) -> Section:
        flow = self._flow_obligations()
        refuted = next((o for o in flow if o.status is Status.REFUTED), None)
        try:
            if self.site.outer:
                raise NoProposal("the section lies in another one, where a range is ignored")
            if self.site.paused:
                raise NoProposal("the mode is paused in the section, where a range would be lost")
            proposer = Proposer(self.judges, self.siblings)
            candidate = proposer.candidate()
            lost = loses_range(self.analysis, self.solved, self.site)
            if lost:
                raise NoProposal(f"{lost}() leaves the mode and enters it without a range")
        except NoProposal as error:
            return self._without_proposal(error, flow, refuted)
        obligations = (*self._claimed(list(candidate.claims)), *flow)
        found = ranges(self.judges[0], proposer.tables[0], candidate.texts)
        weak = next((o for o in obligations if o.status is Status.REFUTED), None) or next(
            (o for o in obligations if o.status is Status.UNKNOWN), None
        )
        if weak is not None:
            verdict = Verdict.REFUTED if refuted is not None else Verdict.UNKNOWN
            return self._section(verdict, (refuted or weak).fault, obligations, found=found)
        proposal = self._proposal(candidate, obligations, len(found))
        arguments = tuple(Argument(name, candidate.texts[name], self.site.op.span) for name in ARGUMENTS)
        reason = "" if proposal.safe else _doubt(obligations, len(found))
        return self._section(Verdict.CONVERTIBLE, reason, obligations, arguments, proposal, found)

    def _proposal(self, candidate: Candidate, obligations: tuple[Obligation, ...], count: int) -> Proposal:
        firm = all(o.status is Status.PROVEN or (o.status is Status.ASSUMED and o.contract) for o in obligations)
        texts = candidate.texts
        target = self.analysis.vocabulary.target
        direct = any(touch.kind == "direct" for touch in self.site.touches)
        safe = firm and count == 1 and not direct
        return Proposal(target, texts["mm"], texts["addr"], texts["end"], texts["ptep"], safe)

    def _without_proposal(self, error: NoProposal, flow: list[Obligation], refuted: Obligation | None) -> Section:
        found = ranges(self.judges[0], None, {})
        if refuted is not None:
            return self._section(Verdict.REFUTED, refuted.fault, tuple(flow), found=found)
        verdict = Verdict.MULTI_RANGE if error.several else Verdict.UNSUITABLE if error.unsuitable else Verdict.UNKNOWN
        return self._section(verdict, str(error), tuple(flow), found=found)


def _doubt(obligations: tuple[Obligation, ...], count: int) -> str:
    """What a person has to confirm before an unsafe proposal is taken."""
    for obligation in obligations:
        if obligation.status is Status.ASSUMED and not obligation.contract and obligation.because:
            return f"to be confirmed: {obligation.because[-1].text}"
    if count > 1:
        return "to be confirmed: the section updates a second range"
    return "to be confirmed: an entry is accessed directly in the section"


def _position(names: list[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _weakest(obligations: list[Obligation]) -> Obligation:
    """The weakest of one obligation's judgements; with equal status the evidence of all states."""
    worst = min(obligations, key=lambda o: (_ORDER.index(o.status), o.contract))
    because = tuple(dict.fromkeys(line for o in obligations if o.status is worst.status for line in o.because))
    return Obligation(worst.name, worst.status, because, worst.contract, worst.fault, worst.replacement, worst.subject)
