"""The obligations of a call (mm, addr, end, ptep), judged in one state in which its enable is reached.

Every judgement is equality of value numbers, or follows from a contract that the vocabulary names. What is not shown is
unknown; it is refuted only where the values contradict the claim.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmlint.facts.bounds import bounded, positive
from mmlint.facts.evaluate import Context, Loaded, Pure, as_poly, entry_address
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.sections import Evidence, Obligation, Status
from mmlint.facts.sites import Bound, Site, Snapshot
from mmlint.facts.spelling import spell
from mmlint.facts.state import State, Table
from mmlint.flow.ir import Call, Name
from mmlint.flow.values import PAGE_POLY, Entry, Poly, Symbol, Value
from mmlint.source import Span


@dataclass(frozen=True, slots=True)
class Claim:
    """The four arguments of a ranged call, given or proposed: their texts, spans and values in one state."""

    texts: dict[str, str]
    spans: dict[str, Span]
    mm: Value
    addr: Poly
    end: Poly
    ptep: Value


class Judge:
    """Judges claims about one section in one of the states in which it is entered."""

    def __init__(self, analysis: FileAnalysis, solved: Solved, site: Site, snapshot: Snapshot) -> None:
        self.analysis = analysis
        self.solved = solved
        self.site = site
        self.snapshot = snapshot
        self.state: State = snapshot.state
        self.context: Context = solved.dataflow.context

    # ------------------------------------------------------------ tables

    def table(self, ptep: Value) -> Table | None:
        """The table that a pte pointer points into, where it is mapped here."""
        return self.state.tables.get(ptep.table) if isinstance(ptep, Entry) else None

    def touched(self) -> list[Symbol]:
        """Tables whose entries the section hands on, in the order of the first touch."""
        return list(dict.fromkeys(touch.entry.table for touch in self.site.touches))

    def kinds(self, table: Symbol) -> frozenset[str]:
        """How the section itself uses the entries of a table; "unknown" where it hands the pointer on."""
        return frozenset(touch.kind for touch in self.site.touches if touch.entry.table == table)

    def updates(self, table: Symbol) -> bool:
        """True when entries of the table are updated, in the section or in a function of this file that it calls."""
        touches = [touch for touch in self.site.touches if touch.entry.table == table]
        if any(touch.kind not in ("read", "carry", "unknown") for touch in touches):
            return True
        handed = [touch for touch in touches if touch.kind == "unknown"]
        return any(
            not isinstance(touch.op, Call)
            or not touch.op.callee
            or bool(self.analysis.touches(touch.op.callee, touch.argument) - {"read", "carry"})
            for touch in handed
        )

    def used_here(self) -> list[Table]:
        """Tables mapped in this state that the section touches."""
        return [self.state.tables[symbol] for symbol in self.touched() if symbol in self.state.tables]

    # ------------------------------------------------------------ mm

    def mm(self, claim: Claim) -> Obligation:
        """mm owns the table of ptep."""
        table = self.table(claim.ptep)
        subject, text = claim.spans.get("mm"), claim.texts["mm"]
        if table is None:
            return Obligation("mm", Status.UNKNOWN, (), subject=subject)
        site = Evidence(table.site, f"{claim.texts['ptep']} is mapped here by {table.call}()")
        if table.mm is None:
            return self.without_owner(claim, table)
        if self.state.equal(claim.mm, table.mm):
            return Obligation("mm", Status.PROVEN, (self._owner_line(table, text),), subject=subject)
        contract = contract_equal(self.context, claim.mm, table.mm)
        if contract:
            because = (self._owner_line(table, text), Evidence(self.site.op.span, contract))
            return Obligation("mm", Status.ASSUMED, because, contract=True, subject=subject)
        kernel = as_poly(table.mm).as_symbol() == f"&{self.context.vocabulary.arithmetic.kernel_mm}"
        other = as_poly(claim.mm).as_symbol() == f"&{self.context.vocabulary.arithmetic.kernel_mm}"
        owner = display(table.mm)
        if kernel != other:
            fault = f"'{text}' does not own the table: {table.call}() maps a table of '{owner}'"
            return Obligation("mm", Status.REFUTED, (site,), fault=fault, replacement=self.spelled(table.mm), subject=subject)
        if self._plausible(claim.mm, table.mm):
            assumption = f"{text} is taken to be {owner}"
            because = (site, Evidence(self.site.op.span, assumption))
            return Obligation("mm", Status.ASSUMED, because, subject=subject)
        why = f"it was mapped with '{owner}'" if owner != text else f"'{text}' has changed since it was mapped"
        fault = f"nothing shows that '{text}' owns the table: {why}"
        return Obligation("mm", Status.UNKNOWN, (site,), fault=fault, replacement=self.spelled(table.mm), subject=subject)

    def _owner_line(self, table: Table, text: str) -> Evidence:
        if table.kernel:
            return Evidence(table.site, f"{table.call}() maps a kernel page table")
        if display(table.mm) == text:
            return Evidence(table.site, f"{table.call}() maps a page table of {text}")
        return Evidence(table.site, f"{table.call}() maps a page table of {display(table.mm)}, that is {text}")

    def without_owner(self, claim: Claim, table: Table) -> Obligation:
        """A table mapped through a pmd alone: the walk contract may name its owner."""
        subject = claim.spans.get("mm")
        site = Evidence(table.site, f"the table is mapped here by {table.call}()")
        pmd = table.pmd
        walks = [
            (callback, place)
            for callback, place in self.analysis.callbacks(self.solved.name)
            if isinstance(pmd, Poly) and self._is_parameter(pmd, 0)
        ]
        origin = self._origin(claim.mm)
        if walks and isinstance(origin, Loaded) and (origin.struct, origin.field) in _WALK_OWNERS:
            because = (site, Evidence(walks[0][1], "the pmd of a walk callback belongs to the mm being walked"))
            return Obligation("mm", Status.ASSUMED, because, contract=True, subject=subject)
        fault = f"nothing shows that '{claim.texts['mm']}' owns the table: {table.call}() names no mm"
        return Obligation("mm", Status.UNKNOWN, (site,), fault=fault, subject=subject)

    def _is_parameter(self, value: Poly, index: int) -> bool:
        names = self.solved.dataflow.graph.parameters
        return index < len(names) and value == Poly.symbol(Symbol(names[index].name))

    def _origin(self, value: Value) -> object:
        symbol = as_poly(value).as_symbol()
        return self.context.origins.get(symbol) if symbol is not None else None

    def _plausible(self, mm: Value, owner: Value) -> bool:
        """One is a parameter, the other the mm of a VMA: callers pass both, and nothing here says that they differ."""
        kinds = {self._kind(mm), self._kind(owner)}
        parameters = [
            variable
            for variable in self.context.graph.variables.values()
            if variable.parameter >= 0 and variable.type == "struct mm_struct"
        ]
        return kinds == {"parameter", "vma"} and len(parameters) == 1

    def _kind(self, value: Value) -> str:
        symbol = as_poly(value).as_symbol()
        if symbol is not None and any(name.name == symbol for name in self.solved.dataflow.graph.parameters):
            return "parameter"
        origin = self._origin(value)
        if not isinstance(origin, Loaded) or (origin.struct, origin.field) != ("vm_area_struct", "vm_mm"):
            return ""
        return "vma" if _is_given(self.context, origin.base, origin.struct) else ""

    def spelled(self, value: Value) -> str:
        """Text for a value at the call, or empty."""
        return spell(self.context, self.state, value, self.site.op.span)

    # ------------------------------------------------------------ ptep

    def ptep(self, claim: Claim) -> Obligation:
        """ptep is the entry for addr, in a table that the section works on."""
        name, subject = claim.texts["ptep"], claim.spans.get("ptep")
        table = self.table(claim.ptep)
        if table is None or not isinstance(claim.ptep, Entry):
            return self._not_mapped(claim)
        site = Evidence(table.site, f"{name} is mapped at {display(table.address)}")
        wrong = self._other_table(claim, table)
        if wrong is not None:
            return wrong
        pmd = self._pmd_offset(table)
        addr = entry_address(self.context, claim.addr)
        distance = claim.ptep.address - addr
        if not distance.terms or self.state.equal(claim.ptep.address, addr):
            if pmd:
                fault = f"nothing shows that '{name}' is the entry for '{claim.texts['addr']}': it is mapped from {pmd}"
                return Obligation("ptep", Status.UNKNOWN, (site,), fault=fault, subject=subject)
            return Obligation("ptep", Status.PROVEN, self._entry_lines(claim, table), subject=subject)
        if claim.addr == claim.end or self._swapped(claim) is not None:
            # The range is at fault, not the pointer.
            return Obligation("ptep", Status.UNKNOWN, (site,), subject=subject)
        return self._not_the_entry(claim, table, distance, site)

    def _not_mapped(self, claim: Claim) -> Obligation:
        """The pointer's table is not mapped in this state."""
        name, subject = claim.texts["ptep"], claim.spans.get("ptep")
        site = self.context.mapped.get(claim.ptep.table) if isinstance(claim.ptep, Entry) else None
        if site is None:
            fault = f"nothing shows what '{name}' points to: it is not mapped here"
            return Obligation("ptep", Status.UNKNOWN, (), fault=fault, subject=subject)
        fault = f"'{name}' points into a page table that is not mapped any more"
        others = self.used_here()
        replacement = self._pointer_into(others[0], claim.addr) if others else ""
        because = (Evidence(site, f"{name} was mapped here"),)
        return Obligation("ptep", Status.REFUTED, because, fault=fault, replacement=replacement, subject=subject)

    def _entry_lines(self, claim: Claim, table: Table) -> tuple[Evidence, ...]:
        name, addr = claim.texts["ptep"], claim.texts["addr"]
        first = Evidence(table.site, f"{name} is the entry for {display(table.address)}")
        if claim.addr == table.address:
            last = f"{name} has not moved and {addr} still has that value"
        else:
            last = f"{name} and {addr} have moved alike"
        return first, Evidence(self.site.op.span, last)

    def _pmd_offset(self, table: Table) -> str:
        """The pmd, where it is a neighbour of the one that came with the address: then it is not the address's pmd."""
        sizes = self.context.vocabulary.arithmetic.pmd_size | frozenset(self.context.vocabulary.bounds)
        moved = any(str(symbol).split("(")[0] in sizes for symbol in table.address.symbols())
        if not isinstance(table.pmd, Poly) or moved:
            return ""
        constant = Poly.const(dict(table.pmd.terms).get((), 0))
        base = (table.pmd - constant).as_symbol()
        given = any(name.name == base for name in self.context.graph.parameters)
        return display(table.pmd) if constant.terms and given else ""

    def _other_table(self, claim: Claim, table: Table) -> Obligation | None:
        """Refuted when the section works on tables, none of them this one."""
        touched = self.touched()
        if not touched or table.symbol in touched or not all(symbol in self.context.mapped for symbol in touched):
            return None
        others = self.used_here()
        if not others:
            return None
        name = claim.texts["ptep"]
        because = (
            Evidence(table.site, f"{name} is mapped here"),
            Evidence(others[0].site, "the table that the section works on is mapped here"),
        )
        fault = f"'{name}' points into a table that the section does not touch"
        replacement = self._pointer_into(others[0], claim.addr)
        return Obligation(
            "ptep", Status.REFUTED, because, fault=fault, replacement=replacement, subject=claim.spans.get("ptep")
        )

    def _not_the_entry(self, claim: Claim, table: Table, distance: Poly, site: Evidence) -> Obligation:
        name, addr, subject = claim.texts["ptep"], claim.texts["addr"], claim.spans.get("ptep")
        assert isinstance(claim.ptep, Entry)
        here = Evidence(self.site.op.span, f"here {name} is the entry for {display(claim.ptep.address)}")
        pages = distance.without_page()
        replacement = self._pointer_into(table, claim.addr)
        if pages is not None and pages.as_const():
            count = abs(pages.as_const() or 0)
            word = "ahead of" if (pages.as_const() or 0) > 0 else "behind"
            entries = "one entry" if count == 1 else f"{_number(count)} entries"
            fault = f"'{name}' is not the entry for '{addr}': it is {entries} {word} it"
            return Obligation(
                "ptep", Status.REFUTED, (site, here), fault=fault, replacement=replacement, subject=subject
            )
        end = entry_address(self.context, claim.end)
        if claim.ptep.address == end:
            fault = f"'{name}' is the entry for '{claim.texts['end']}', not for '{addr}'"
            return Obligation("ptep", Status.REFUTED, (site, here), fault=fault, subject=subject)
        moved = display(claim.ptep.address)
        why = f"it is the entry for '{moved}'" if moved != addr else f"'{addr}' has changed since it was"
        fault = f"nothing shows that '{name}' is the entry for '{addr}': {why}"
        return Obligation("ptep", Status.UNKNOWN, (site, here), fault=fault, replacement=replacement, subject=subject)

    def _pointer_into(self, table: Table, addr: Poly) -> str:
        """A pointer that is the entry for addr in the table, as text."""
        return self.spelled(Entry(table.symbol, entry_address(self.context, addr)))

    # ------------------------------------------------------------ range

    def bounds(self, claim_ptep: Value, addr: Poly) -> list[Bound]:
        """Loop bounds of the walk that starts at ptep and addr."""
        table = claim_ptep.table if isinstance(claim_ptep, Entry) else None
        own = [bound for bound in self.site.bounds if table is not None and bound.table == table]
        loose = [bound for bound in self.site.bounds if bound.table is None]
        return [bound for bound in own + loose if self._starts_at(bound, addr)]

    def _starts_at(self, bound: Bound, addr: Poly) -> bool:
        """True when the address that meets the limit is ``addr`` when the walk begins.

        Either the variable holds it already, or the loop gets it from outside.
        """
        if isinstance(bound.address_expr, Name) and self.state.values.get(bound.address_expr) == addr:
            return True
        pages = (bound.address - addr).without_page()
        if pages is not None and pages.as_const() is not None:
            return True
        incoming = [poly for symbol in bound.address.symbols() for poly in self.context.joins.get(symbol, ())]
        return addr in incoming

    def range(self, claim: Claim) -> Obligation:
        """addr and end are those of the walk: not empty, not swapped, end where the walk ends."""
        subject, end = claim.spans.get("end"), claim.texts["end"]
        addr = claim.texts["addr"]
        bounds = self.bounds(claim.ptep, claim.addr)
        if not bounds and isinstance(claim.ptep, Entry) and self.table(claim.ptep) is not None:
            # Where ptep and addr disagree, that is said of ptep; the end is judged by where the walk starts.
            bounds = self.bounds(claim.ptep, claim.ptep.address)
        if claim.addr == claim.end:
            fault = f"the range is empty: '{addr}' and '{end}' are equal"
            return Obligation(
                "range", Status.REFUTED, (), fault=fault, replacement=self._limit(bounds), subject=subject
            )
        swapped = self._swapped(claim)
        if swapped is not None:
            return swapped
        for bound in bounds:
            if self.state.equal(claim.end, bound.limit):
                line = Evidence(bound.span, f"the walk ends where {self._shown(bound)} meets {end}")
                return Obligation("range", Status.PROVEN, (line,), subject=subject)
        return self._other_end(claim, bounds)

    def _shown(self, bound: Bound) -> str:
        return bound.address_expr.name if isinstance(bound.address_expr, Name) else "the address"

    def _swapped(self, claim: Claim) -> Obligation | None:
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
        return Obligation("range", Status.REFUTED, because, fault=fault, subject=claim.spans.get("addr"))

    def _other_end(self, claim: Claim, bounds: list[Bound]) -> Obligation:
        end, subject = claim.texts["end"], claim.spans.get("end")
        fact = bounded(self.analysis, self.solved, claim.addr, claim.end)
        if not bounds:
            if self._elsewhere(claim):
                return self._elsewhere_fault(claim)
            if claim.end - claim.addr == PAGE_POLY:
                line = Evidence(self.site.op.span, "the range is one entry")
                return Obligation("range", Status.PROVEN, (line,), subject=subject)
            if fact.status is Status.PROVEN or fact.contract:
                line = Evidence(self.site.op.span, f"{end} is the end of the range that the function was given")
                return Obligation("range", Status.PROVEN, (*fact.because, line), subject=subject)
            fault = f"nothing shows that the walk ends at '{end}'"
            return Obligation("range", Status.UNKNOWN, (), fault=fault, subject=subject)
        bound = bounds[0]
        line = Evidence(bound.span, f"the walk ends where {self._shown(bound)} meets {display(bound.limit)}")
        difference = claim.end - bound.limit
        replacement = self._limit(bounds)
        if positive(self.context, difference):
            fault = f"'{end}' lies behind the end of the walk"
            return Obligation("range", Status.REFUTED, (line,), fault=fault, replacement=replacement, subject=subject)
        if positive(self.context, -difference):
            fault = f"'{end}' lies before the end of the walk"
            return Obligation("range", Status.REFUTED, (line,), fault=fault, replacement=replacement, subject=subject)
        if fact.status is Status.PROVEN or fact.contract:
            assumed = Evidence(self.site.op.span, f"{end} is in the same page table")
            return Obligation("range", Status.ASSUMED, (line, *fact.because, assumed), subject=subject)
        fault = f"nothing shows that the walk ends at '{end}'"
        return Obligation("range", Status.UNKNOWN, (line,), fault=fault, replacement=replacement, subject=subject)

    def _elsewhere(self, claim: Claim) -> Bound | None:
        """A loop over the table of ptep that starts at another address."""
        table = claim.ptep.table if isinstance(claim.ptep, Entry) else None
        return next((bound for bound in self.site.bounds if bound.table == table), None)

    def _elsewhere_fault(self, claim: Claim) -> Obligation:
        bound = self._elsewhere(claim)
        assert bound is not None
        line = Evidence(bound.span, f"the walk goes on until {self._shown(bound)} meets {display(bound.limit)}")
        fault = f"nothing shows that the walk starts at '{claim.texts['addr']}'"
        return Obligation("range", Status.UNKNOWN, (line,), fault=fault, subject=claim.spans.get("addr"))

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
        if fact.status is Status.UNKNOWN and not self._is_caller_s(claim.end):
            range_ = f"[{claim.texts['addr']}, {claim.texts['end']})"
            fault = f"nothing shows that {range_} stays in one page table: {fact.reason}"
            return Obligation("table", Status.UNKNOWN, (), subject=subject, fault=fault)
        if fact.status is Status.UNKNOWN:
            reason = f"[{claim.texts['addr']}, {claim.texts['end']}) is taken to stay in one page table: {fact.reason}"
            return Obligation("table", Status.ASSUMED, (Evidence(self.site.op.span, reason),), subject=subject)
        fault = ""
        if fact.status is Status.REFUTED:
            fault = f"'{claim.texts['end']}' reaches into another page table: {fact.reason}"
        return Obligation("table", fact.status, tuple(because), fact.contract, fault=fault, subject=subject)


    def _is_caller_s(self, value: Poly, seen: frozenset[Symbol] = frozenset()) -> bool:
        """True when a value is made of what the function was given: then its callers answer for it."""
        for symbol in value.symbols():
            if symbol in seen or _from_parameters(self.context, symbol) or symbol in self._sizes():
                continue
            incoming = self.context.joins.get(symbol)
            origin = self.context.origins.get(symbol)
            if incoming is not None:
                if not all(self._is_caller_s(poly, seen | {symbol}) for poly in incoming):
                    return False
            elif not isinstance(origin, Pure) or not all(
                self._is_caller_s(as_poly(argument), seen | {symbol}) for argument in origin.arguments
            ):
                return False
        return True

    def _sizes(self) -> frozenset[str]:
        arithmetic = self.context.vocabulary.arithmetic
        return arithmetic.page_size | arithmetic.pmd_size | arithmetic.pmd_mask | arithmetic.page_mask


_WALK_OWNERS = (("mm_walk", "mm"), ("vm_area_struct", "vm_mm"))


def contract_equal(context: Context, left: Value, right: Value) -> str:
    """The text of the kernel rule by which two mm values are one, or empty.

    The rule speaks of the objects that the function was given; with two of a kind it does not say which.
    """
    paths = []
    for value in (left, right):
        symbol = as_poly(value).as_symbol()
        origin = context.origins.get(symbol) if symbol is not None else None
        if not isinstance(origin, Loaded) or not _is_given(context, origin.base, origin.struct):
            return ""
        paths.append(f"{origin.struct}.{origin.field}")
    for rule in context.vocabulary.equals:
        if {rule.left, rule.right} == set(paths):
            return rule.text
    return ""


def _is_given(context: Context, value: Value, struct: str) -> bool:
    """True when the object is the only one of its type that comes from the function's parameters."""
    objects = [symbol for symbol, type_ in context.types.items() if type_ == struct and _from_parameters(context, symbol)]
    return isinstance(value, Poly) and [value.as_symbol()] == objects


def _from_parameters(context: Context, symbol: Symbol | None) -> bool:
    for _ in range(8):
        if symbol is None:
            return False
        if any(name.name == symbol for name in context.graph.parameters):
            return True
        origin = context.origins.get(symbol)
        symbol = origin.base.as_symbol() if isinstance(origin, Loaded) and isinstance(origin.base, Poly) else None
    return False


def display(value: Value | None) -> str:
    """A value for people."""
    return value.label if value is not None else "an unknown mm"


def _number(count: int) -> str:
    words = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
    return words.get(count, str(count))
