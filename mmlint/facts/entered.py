"""One state in which a section is entered, and what is asked of it: tables, touches, loop limits, spellings."""

from __future__ import annotations

from typing import NamedTuple

from mmlint.facts.counted import counted_bounds
from mmlint.facts.evaluate import Context, Evaluator, entry_address
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.sites import Bound, Site, Snapshot
from mmlint.facts.spelling import spell
from mmlint.facts.state import State, Table
from mmlint.flow.ir import Call, Name
from mmlint.flow.values import Entry, Poly, Symbol, Value
from mmlint.source import Span


class Claim(NamedTuple):
    """The four arguments of a ranged call, given or proposed: their texts, spans and values in one state."""

    texts: dict[str, str]
    spans: dict[str, Span]
    mm: Value
    addr: Poly
    end: Poly
    ptep: Value


class Entered:
    """A section in one of the states in which its enable is reached."""

    def __init__(self, analysis: FileAnalysis, solved: Solved, site: Site, snapshot: Snapshot) -> None:
        self.analysis = analysis
        self.solved = solved
        self.site = site
        self.snapshot = snapshot
        self.state: State = snapshot.state
        self.context: Context = solved.dataflow.context
        self.evaluator = Evaluator(self.context)

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

    def spelled(self, value: Value) -> str:
        """Text for a value at the call, or empty."""
        return spell(self.context, self.state, value, self.site.op.span)

    def pointer_into(self, table: Table, addr: Poly) -> str:
        """A pointer that is the entry for addr in the table, as text."""
        return self.spelled(Entry(table.symbol, entry_address(self.context, addr)))

    def bounds(self, claim_ptep: Value, addr: Poly) -> list[Bound]:
        """Loop bounds of the walk that starts at ptep and addr."""
        table = claim_ptep.table if isinstance(claim_ptep, Entry) else None
        own = [bound for bound in self.site.bounds if table is not None and bound.table == table]
        loose = [bound for bound in self.site.bounds if bound.table is None]
        # Beside a loop that moves the pointer, one that only starts at the same address is another walk.
        moving = [bound for bound in own if self.starts_at(bound, addr)]
        if not moving and table is not None:
            assert isinstance(claim_ptep, Entry)
            # Of a pointer that the function was given, the address is a value of its own.
            start = addr if table in self.context.mapped else claim_ptep.address
            moving = [
                bound._replace(address=addr, limit=bound.limit - start + addr)
                for bound in counted_bounds(self.context, self.site, table)
                if bound.address == start
            ]
        return moving or [bound for bound in loose if self.starts_at(bound, addr)]

    def starts_at(self, bound: Bound, addr: Poly) -> bool:
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


def display(value: Value | None) -> str:
    """A value for people."""
    return value.label if value is not None else "an unknown mm"
