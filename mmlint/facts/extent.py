"""The extent of a claim: addr and end are those of the walk, and stay in one page table."""

from __future__ import annotations

from mmlint.facts.bounds import bounded, ends_given_with
from mmlint.facts.conditions import positive
from mmlint.facts.counted import rounded
from mmlint.facts.entered import Claim, Entered, display
from mmlint.facts.evaluate import Pure, as_poly, entry_address
from mmlint.facts.ownership import from_parameters
from mmlint.facts.sections import Evidence, Obligation, Status
from mmlint.facts.sites import Bound
from mmlint.flow.ir import Name
from mmlint.flow.values import ONE, PAGE_POLY, Entry, Poly, Symbol
from mmlint.source import Span


class Extent(Entered):
    """Judges where a claimed range begins and ends."""

    def range(self, claim: Claim) -> Obligation:
        """addr and end are those of the walk: not empty, not swapped, end where the walk ends."""
        subject, end = claim.spans.get("end"), claim.texts["end"]
        addr = claim.texts["addr"]
        bounds = self.bounds(claim.ptep, claim.addr)
        if not bounds and isinstance(claim.ptep, Entry) and self.table(claim.ptep) is not None:
            # Where ptep and addr disagree, that is said of ptep; the end is judged by where the walk starts.
            bounds = self.bounds(claim.ptep, claim.ptep.address)
        if claim.addr == claim.end:
            equal = f"'{addr}' and '{end}' are equal" if addr != end else f"it begins and ends at '{addr}'"
            fault = f"the range is empty: {equal}"
            return Obligation(
                "range", Status.REFUTED, (), fault=fault, replacement=self._limit(bounds), subject=subject
            )
        if positive(self.context, claim.addr - claim.end):
            fault = f"the range ends before it begins: '{end}' lies before '{addr}'"
            return Obligation("range", Status.REFUTED, (), fault=fault, subject=subject)
        swapped = self.swapped(claim)
        if swapped is not None:
            return swapped
        for bound in bounds:
            if self._is_end(claim.end, bound.limit):
                line = Evidence(bound.span, f"the walk ends where {self._shown(bound)} meets {end}")
                if self._may_be_empty(claim.end):
                    doubt = Evidence(self.site.op.span, f"{end} is trusted to lie behind {addr}")
                    return Obligation("range", Status.ASSUMED, (line, doubt), subject=subject)
                return Obligation("range", Status.PROVEN, (line,), subject=subject)
        return self._other_end(claim, bounds)

    def _is_end(self, end: Poly, limit: Poly) -> bool:
        whole = rounded(self.context, limit)
        if dict(limit.terms).get(()) == -1 and self.state.equal(end, limit + ONE):
            # The last byte of the range.
            return True
        return self.state.equal(end, limit) or self.state.equal(rounded(self.context, end), whole)

    def _may_be_empty(self, end: Poly) -> bool:
        """True for the smaller of two ends: one of them may lie before the walk."""
        symbol = end.as_symbol()
        origin = self.context.origins.get(symbol) if symbol is not None else None
        return isinstance(origin, Pure) and origin.function in self.context.vocabulary.arithmetic.smaller

    def _shown(self, bound: Bound) -> str:
        return bound.address_expr.name if isinstance(bound.address_expr, Name) else "the address"

    def swapped(self, claim: Claim) -> Obligation | None:
        if not isinstance(claim.ptep, Entry):
            return None
        table = self.table(claim.ptep)
        at = entry_address(self.context, claim.end)
        if table is None or claim.ptep.address != at or entry_address(self.context, claim.addr) == at:
            return None
        addr, end = claim.texts["addr"], claim.texts["end"]
        name = claim.texts["ptep"]
        if not any(self.state.equal(claim.addr, bound.limit) for bound in self.site.bounds):
            return None
        because = (Evidence(table.site, f"{name} is the entry for {display(table.address)}"),)
        fault = f"'{addr}' and '{end}' are swapped: '{name}' is the entry for '{end}'"
        first, second = claim.spans.get("addr"), claim.spans.get("end")
        both = Span(first.start, second.end) if first and second else None
        return Obligation("range", Status.REFUTED, because, fault=fault, replacement=f"{end}, {addr}", subject=both)

    def _other_end(self, claim: Claim, bounds: list[Bound]) -> Obligation:
        end, subject = claim.texts["end"], claim.spans.get("end")
        fact = bounded(self.analysis, self.solved, claim.addr, claim.end)
        for limit, span in self.site.last.items():
            line = Evidence(span, f"the walk goes on while the address is at most {display(limit)}")
            if self.state.equal(limit, claim.end):
                fault = f"nothing shows that the walk ends at '{end}': it includes the entry there"
                return Obligation("range", Status.UNKNOWN, (line,), fault=fault, subject=subject)
            if not bounds and claim.end - limit in (ONE, PAGE_POLY) and self._is_answered_for(claim):
                return Obligation("range", Status.ASSUMED, (line,), subject=subject)
        if not bounds:
            if self.site.backward:
                fault = f"the walk goes backwards: nothing shows that '{end}' is the end of its range"
                return Obligation("range", Status.UNKNOWN, (), fault=fault, subject=subject)
            if self._elsewhere(claim):
                return self._elsewhere_fault(claim)
            if claim.end - claim.addr == PAGE_POLY:
                line = Evidence(self.site.op.span, "the range is one entry")
                return Obligation("range", Status.PROVEN, (line,), subject=subject)
            if fact.status is Status.PROVEN or fact.contract:
                line = Evidence(self.site.op.span, f"{end} is the end of the range that the function was given")
                return Obligation("range", Status.PROVEN, (*fact.because, line), subject=subject)
            if self.site.bounds:
                return self._beside(claim)
            if self._is_answered_for(claim) and self._goes_along(claim):
                line = Evidence(self.site.op.span, f"{end} is taken from what the function was given")
                return Obligation("range", Status.ASSUMED, (line,), subject=subject)
            fault = f"nothing shows that the walk ends at '{end}'"
            return Obligation("range", Status.UNKNOWN, (), fault=fault, subject=subject)
        bound = bounds[0]
        line = Evidence(bound.span, f"the walk ends where {self._shown(bound)} meets {display(bound.limit)}")
        difference = claim.end - bound.limit
        replacement = self._limit(bounds)
        if difference.as_const() is None and positive(self.context, difference):
            fault = f"'{end}' lies behind the end of the walk"
            return Obligation("range", Status.REFUTED, (line,), fault=fault, replacement=replacement, subject=subject)
        if difference.as_const() is None and positive(self.context, -difference):
            fault = f"'{end}' lies before the end of the walk"
            return Obligation("range", Status.REFUTED, (line,), fault=fault, replacement=replacement, subject=subject)
        # The number of entries is fixed, and that of the walk is not.
        fixed = self.context.vocabulary.arithmetic.page_size.issuperset((claim.end - claim.addr).symbols())
        if (fact.status is Status.PROVEN or fact.contract) and not fixed:
            assumed = Evidence(self.site.op.span, f"{end} is in the same page table")
            return Obligation("range", Status.ASSUMED, (line, *fact.because, assumed), subject=subject)
        fault = f"nothing shows that the walk ends at '{end}'"
        return Obligation("range", Status.UNKNOWN, (line,), fault=fault, replacement=replacement, subject=subject)

    def _goes_along(self, claim: Claim) -> bool:
        """True when the end, or the length up to it, is handed on with the pointer, or compared with the address."""
        length = claim.end - claim.addr
        if any(poly in (length, -length) for _, poly in self.state.facts):
            return True
        for touch in self.site.touches:
            if not isinstance(claim.ptep, Entry) or touch.entry.table != claim.ptep.table:
                continue
            given = [value for value in touch.given if isinstance(value, Poly)]
            if touch.kind == "unknown" and any(value in (claim.end, length) for value in given):
                return True
            sizes = (value.times(PAGE_POLY) for value in given if value.terms)
            if any(size is not None and rounded(self.context, size) == length for size in sizes):
                return True
        return False

    def _elsewhere(self, claim: Claim) -> Bound | None:
        """A loop over the table of ptep, or from where that is mapped to the end, that starts at another address."""
        symbol = claim.ptep.table if isinstance(claim.ptep, Entry) else None
        own = next((bound for bound in self.site.bounds if bound.table == symbol), None)
        table = self.table(claim.ptep)
        if own is not None or table is None:
            return own
        return next(
            (
                bound
                for bound in self.site.bounds
                if bound.table is None
                and self.state.equal(bound.limit, claim.end)
                and self._start(bound) == table.address
            ),
            None,
        )

    def _beside(self, claim: Claim) -> Obligation:
        """The range of a pointer that goes beside a walk: it is as long as the walk, or nothing shows its end."""
        addr, end, subject = claim.texts["addr"], claim.texts["end"], claim.spans.get("end")
        for bound in self.site.bounds:
            start = self._start(bound) if not self._is_count(bound) else None
            if start is not None and self.state.equal(claim.end - claim.addr, bound.limit - start):
                ends = f"the walk from {display(start)} ends where {self._shown(bound)} meets {display(bound.limit)}"
                long = Evidence(self.site.op.span, f"the range of {addr} is taken to go along, and is as long")
                return Obligation("range", Status.ASSUMED, (Evidence(bound.span, ends), long), subject=subject)
        bound = self.site.bounds[0]
        line = Evidence(bound.span, f"the walk ends where {self._shown(bound)} meets {display(bound.limit)}")
        fault = f"nothing shows that the range of '{addr}' ends at '{end}'"
        return Obligation("range", Status.UNKNOWN, (line,), fault=fault, subject=subject)

    def _is_count(self, bound: Bound) -> bool:
        """True for a loop that moves a number, and no address."""
        steps = {
            incoming - Poly.symbol(symbol)
            for symbol in bound.address.symbols()
            for incoming in self.context.joins.get(symbol, ())
            if symbol in incoming.symbols()
        }
        return any(step.as_const() for step in steps)

    def _elsewhere_fault(self, claim: Claim) -> Obligation:
        bound = self._elsewhere(claim)
        assert bound is not None
        line = Evidence(bound.span, f"the walk goes on until {self._shown(bound)} meets {display(bound.limit)}")
        addr, subject = claim.texts["addr"], claim.spans.get("addr")
        start = self._start(bound)
        # A range that begins before the walk has entries that are not visited, as every range may.
        if start is not None and positive(self.context, claim.addr - start):
            begins = Evidence(bound.span, f"the walk starts at {display(start)}")
            fault = f"'{addr}' lies behind the start of the walk"
            return Obligation("range", Status.REFUTED, (begins, line), fault=fault, subject=subject)
        fault = f"nothing shows that the walk starts at '{addr}'"
        return Obligation("range", Status.UNKNOWN, (line,), fault=fault, subject=subject)

    def _start(self, bound: Bound) -> Poly | None:
        """The one value that a loop gets its address from, None where there is no such value, or are several."""
        joins = self.context.joins
        found = {
            incoming
            for symbol in bound.address.symbols()
            for incoming in joins.get(symbol, ())
            if symbol not in incoming.symbols()
        }
        return found.pop() if len(found) == 1 else None

    def _limit(self, bounds: list[Bound]) -> str:
        texts = [self.spelled(bound.limit) for bound in bounds]
        return next((text for text in texts if text), "")

    # ------------------------------------------------------------ table

    def table_bound(self, claim: Claim) -> Obligation:
        """[addr, end) stays in one page table."""
        subject = claim.spans.get("end")
        fact = bounded(self.analysis, self.solved, claim.addr, claim.end)
        because = list(fact.because)
        if fact.reason and fact.status is Status.ASSUMED:
            because.append(Evidence(self.site.op.span, fact.reason))
        if fact.status is Status.UNKNOWN and not self._is_answered_for(claim):
            range_ = f"[{claim.texts['addr']}, {claim.texts['end']})"
            fault = f"nothing shows that {range_} stays in one page table: {fact.reason}"
            return Obligation("table", Status.UNKNOWN, (), subject=subject, fault=fault)
        if fact.status is Status.UNKNOWN:
            reason = f"[{claim.texts['addr']}, {claim.texts['end']}) is taken to stay in one page table: {fact.reason}"
            return Obligation("table", Status.ASSUMED, (Evidence(self.site.op.span, reason),), subject=subject)
        fault = ""
        if fact.status is Status.REFUTED:
            fault = f"'{claim.texts['end']}' may reach into another page table: {fact.reason}"
        return Obligation("table", fact.status, tuple(because), fact.contract, fault=fault, subject=subject)

    def _is_answered_for(self, claim: Claim) -> bool:
        """True when the callers answer for the range: it is made of what they give, and of no other end than theirs."""
        if not (self._is_caller_s(claim.end) and self._is_caller_s(claim.addr)):
            return False
        given = ends_given_with(self.analysis, self.solved, claim.addr)
        return not given or self._is_made_of(claim.end, frozenset(given))

    def _is_made_of(self, value: Poly, symbols: frozenset[Symbol], seen: frozenset[Symbol] = frozenset()) -> bool:
        """True when one of ``symbols`` may come into a value."""
        for symbol in value.symbols():
            if symbol in symbols:
                return True
            if symbol in seen:
                continue
            origin = self.context.origins.get(symbol)
            parts = [as_poly(part) for part in origin.arguments] if isinstance(origin, Pure) else []
            parts += self.context.joins.get(symbol, ())
            if any(self._is_made_of(part, symbols, seen | {symbol}) for part in parts):
                return True
        return False

    def _is_caller_s(self, value: Poly, seen: frozenset[Symbol] = frozenset()) -> bool:
        """True when a value is made of what the function was given: then its callers answer for it."""
        for symbol in value.symbols():
            if symbol in seen or from_parameters(self.context, symbol) or symbol in self._sizes():
                continue
            incoming = self.context.joins.get(symbol)
            origin = self.context.origins.get(symbol)
            if incoming is not None:
                if not all(self._is_caller_s(poly, seen | {symbol}) for poly in incoming):
                    return False
            elif not isinstance(origin, Pure):
                return False
            else:
                # The smaller of two ends is bounded by either.
                smaller = self.context.vocabulary.arithmetic.smaller
                enough = any if origin.function in smaller else all
                if not enough(self._is_caller_s(as_poly(part), seen | {symbol}) for part in origin.arguments):
                    return False
        return True

    def _sizes(self) -> frozenset[str]:
        arithmetic = self.context.vocabulary.arithmetic
        return arithmetic.page_size | arithmetic.pmd_size | arithmetic.pmd_mask | arithmetic.page_mask
