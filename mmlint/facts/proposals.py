"""Which ranged call may stand for a plain one, and how it is spelled.

A proposal must hold in every state in which the enable is reached; the states of a walker over kernel or user tables
have different tables and one call. Among candidates that are equal in value the spelling follows the function: the
outermost target of the map assignment, the address as it was given to the map call, a local named for the mm.
"""

from __future__ import annotations

from typing import NamedTuple

from mmlint.facts.bounds import bounded
from mmlint.facts.entered import Claim, display
from mmlint.facts.evaluate import entry_address
from mmlint.facts.obligations import Judge
from mmlint.facts.ownership import contract_equal
from mmlint.facts.sections import Range, Status
from mmlint.facts.spelling import names_of, spell, visible
from mmlint.facts.state import Table
from mmlint.flow import ir
from mmlint.flow.values import Entry, Poly, Symbol, Value

_READS = frozenset(("read", "read_update"))


class NoProposal(Exception):  # noqa: N818
    """Nothing can be proposed; the text says why. ``several`` marks sections over several ranges."""

    def __init__(self, reason: str, several: bool = False, unsuitable: bool = True) -> None:
        super().__init__(reason)
        self.several = several
        self.unsuitable = unsuitable


class Candidate(NamedTuple):
    """One way to spell the four arguments, with the claim it makes in each state."""

    texts: dict[str, str]
    claims: tuple[Claim, ...]


def source_table(judge: Judge) -> Table:
    """The table that gets the hint: the only one, or the source / old / existing one. Raises NoProposal."""
    tables = judge.used_here()
    if not tables:
        raise NoProposal(_why_no_table(judge))
    restarted = _restarted(judge)
    if restarted:
        raise NoProposal(f"'{restarted}' is set anew inside the section: it covers several ranges", several=True)
    tables = [table for table in tables if judge.kinds(table.symbol) - {"read", "carry"}] or tables
    if len(tables) == 1:
        return tables[0]
    read = [table for table in tables if _is_read(judge, table.symbol)]
    existing = [table for table in tables if not table.allocates]
    both = [table for table in read if table in existing]
    # Entries are taken out of the source; a read alone may be an assertion about the destination.
    taken = [table for table in tables if "read_update" in judge.kinds(table.symbol)]
    for choice in (both, existing, taken, read):
        if len(choice) == 1:
            return choice[0]
    pointers = [next(iter(map_targets(judge, table)), display(table.address)) for table in tables]
    raise NoProposal(f"the section works on several page tables: those of {' and '.join(pointers)}", several=True)


def _restarted(judge: Judge) -> str:
    """The limit of a walk that has another value by the time the walk meets it, or empty."""
    for bound in judge.site.bounds:
        expr = bound.limit_expr
        if not isinstance(expr, ir.Name) or not _steps(judge, bound.address) or _steps(judge, bound.limit):
            continue
        if bound.table is None and not _steps_by_pages(judge, bound.address):
            continue
        held = judge.state.values.get(expr)
        limits = [other.limit for other in judge.site.bounds if other.limit_expr == expr]
        if held is not None and held not in limits and bound.limit.as_symbol() in judge.context.joins:
            return expr.name
    return ""


def _steps_by_pages(judge: Judge, value: Poly) -> bool:
    """True when a loop advances the value by whole pages: an address, not a counter."""
    return any(
        (incoming - Poly.symbol(symbol)).without_page() is not None and incoming.as_symbol() != symbol
        for symbol in value.symbols()
        for incoming in judge.context.joins.get(symbol, ())
        if symbol in incoming.symbols()
    )


def _steps(judge: Judge, value: Poly) -> bool:
    """True when a loop advances the value."""
    for symbol in value.symbols():
        for incoming in judge.context.joins.get(symbol, ()):
            if symbol in incoming.symbols() and incoming.as_symbol() != symbol:
                return True
    return False


def _is_read(judge: Judge, symbol: Symbol) -> bool:
    return bool(judge.kinds(symbol) & _READS)


def _why_no_table(judge: Judge) -> str:
    touches = judge.site.touches
    if judge.site.mapped:
        return "the page table is mapped inside the section"
    if not touches:
        return "no PTE pointer is used in the section"
    table = touches[0].entry.table
    if table in judge.context.mapped:
        return "the page table is not mapped any more, or not on every path, when the mode is entered"
    return f"the PTE pointer is not mapped in this function: it comes from {table.label}"


class Proposer:
    """Proposes a call for one plain enable. ``siblings`` are ptep spellings of the function's ranged calls."""

    def __init__(self, judges: list[Judge], siblings: frozenset[str]) -> None:
        self.judges = judges
        self.siblings = siblings
        self.at = judges[0].site.op.span
        self.tables = [source_table(judge) for judge in judges]

    def candidate(self) -> Candidate:
        """The best spelling. Raises NoProposal."""
        if any(judge.site.backward for judge in self.judges):
            raise NoProposal("the walk goes backwards")
        mm = self._mm()
        first: NoProposal | None = None
        for ptep, addr in self._pairs_by_rank():
            try:
                return self._with(mm, ptep, addr)
            except NoProposal as error:
                first = first or error
        raise first or NoProposal(self._why_no_pair())

    def _with(self, mm: str, ptep: str, addr: str) -> Candidate:
        end = self._end(ptep, addr)
        texts = {"mm": mm, "addr": addr, "end": end[0], "ptep": ptep}
        claims = []
        for judge, table, limit in zip(self.judges, self.tables, end[1], strict=True):
            pointer = self._value(judge, ptep)
            address = self._value(judge, addr)
            assert isinstance(address, Poly)
            claims.append(Claim(texts, {}, self._mm_value(judge, table, mm), address, limit, pointer))
        return Candidate(texts, tuple(claims))

    def _value(self, judge: Judge, name: str) -> Value:
        for place, value in judge.state.values.items():
            if isinstance(place, ir.Name) and place.name == name and visible(judge.context, place, self.at):
                return value
        raise KeyError(name)

    # ------------------------------------------------------------ ptep and addr

    def _pairs_by_rank(self) -> list[tuple[str, str]]:
        """Pairs (ptep, addr) that hold in every state, the best spelling first."""
        common: list[tuple[str, str]] | None = None
        for judge, table in zip(self.judges, self.tables, strict=True):
            pairs = self._pairs(judge, table)
            common = pairs if common is None else [pair for pair in common if pair in pairs]
        return sorted(common or (), key=self._rank)

    def _pairs(self, judge: Judge, table: Table) -> list[tuple[str, str]]:
        pairs = []
        for place, value in judge.state.values.items():
            if not isinstance(place, ir.Name) or not isinstance(value, Entry) or value.table != table.symbol:
                continue
            if not visible(judge.context, place, self.at):
                continue
            for name in self._addresses(judge, value.address):
                pairs.append((place.name, name))
        return pairs

    def _addresses(self, judge: Judge, address: Poly) -> list[str]:
        found = []
        for place, value in judge.state.values.items():
            if isinstance(place, ir.Name) and isinstance(value, Poly) and visible(judge.context, place, self.at):
                same = entry_address(judge.context, value) == address or judge.state.equal(value, address)
                if same and value.as_const() is None:
                    found.append(place.name)
        return found

    def _why_no_pair(self) -> str:
        judge, table = self.judges[0], self.tables[0]
        pointers = [
            (place.name, value)
            for place, value in judge.state.values.items()
            if isinstance(place, ir.Name) and isinstance(value, Entry) and value.table == table.symbol
        ]
        if not pointers:
            return "no variable holds the PTE pointer when the mode is entered"
        name, value = sorted(pointers)[0]
        return f"no variable holds the address that '{name}' is the entry for: {display(value.address)}"

    def _rank(self, pair: tuple[str, str]) -> tuple[object, ...]:
        ptep, addr = pair
        outermost = map_targets(self.judges[0], self.tables[0])
        position = outermost.index(ptep) if ptep in outermost else len(outermost)
        given = map_address(self.judges[0], self.tables[0])
        return (
            ptep not in self.siblings,
            position,
            is_advanced(self.judges[0], ptep),
            addr != given,
            self._declared(ptep),
            self._declared(addr),
            pair,
        )

    def _declared(self, name: str) -> int:
        starts = [
            variable.scope.start
            for variable in self.judges[0].context.graph.variables.values()
            if variable.name.name == name
        ]
        return min(starts, default=0)

    # ------------------------------------------------------------ mm

    def _mm(self) -> str:
        ranked: dict[str, int] | None = None
        for judge, table in zip(self.judges, self.tables, strict=True):
            here = {text: rank for rank, text in reversed(list(enumerate(self._owners(judge, table))))}
            if ranked is None:
                ranked = here
            else:
                ranked = {text: ranked[text] + rank for text, rank in here.items() if text in ranked}
        if not ranked:
            table = self.tables[0]
            if table.mm is None:
                raise NoProposal(f"{table.call}() does not say which mm owns the table", unsuitable=False)
            raise NoProposal(f"nothing spells the mm that owns the table: {display(table.mm)}", unsuitable=False)
        return min(ranked, key=lambda text: (ranked[text], text))

    def _owners(self, judge: Judge, table: Table) -> list[str]:
        """Texts for the owner, best first: the map call's own local, other locals, contract-equal ones, any text."""
        if table.mm is None:
            return self._walked(judge, table)
        texts = []
        given = map_argument(judge, table, "mm")
        if isinstance(given, ir.Name) and visible(judge.context, given, self.at):
            texts += [name.name for name in names_of(judge.context, judge.state, table.mm, self.at) if name == given]
        texts += [name.name for name in names_of(judge.context, judge.state, table.mm, self.at)]
        for place, value in sorted(judge.state.values.items(), key=lambda item: str(item[0])):
            if isinstance(place, ir.Name) and visible(judge.context, place, self.at):
                variable = judge.context.graph.variables[place]
                if variable.type == "struct mm_struct" and contract_equal(judge.context, value, table.mm):
                    texts.append(place.name)
        text = spell(judge.context, judge.state, table.mm, self.at)
        return list(dict.fromkeys([*texts, text] if text else texts))

    def _walked(self, judge: Judge, table: Table) -> list[str]:
        """Texts for the mm of a walk, where the table was mapped through the walk's pmd alone."""
        claims = []
        for place, value in sorted(judge.state.values.items(), key=lambda item: str(item[0])):
            if isinstance(place, ir.Name) and visible(judge.context, place, self.at):
                variable = judge.context.graph.variables[place]
                if variable.type == "struct mm_struct" and variable.pointers == 1:
                    claim = Claim({"mm": place.name, "ptep": ""}, {}, value, table.address, table.address, value)
                    if judge.without_owner(claim, table).status is Status.ASSUMED:
                        claims.append(place.name)
        return claims

    def _mm_value(self, judge: Judge, table: Table, text: str) -> Value:
        try:
            return self._value(judge, text)
        except KeyError:
            assert table.mm is not None
            return table.mm

    # ------------------------------------------------------------ end

    def _end(self, ptep: str, addr: str) -> tuple[str, list[Poly]]:
        """The text of the end and its value in each state."""
        common: dict[str, list[tuple[int, Poly]]] = {}
        for index, judge in enumerate(self.judges):
            here = self._ends(judge, self._value(judge, ptep), self._value(judge, addr))
            for text, (rank, value) in here.items():
                if index == 0:
                    common[text] = [(rank, value)]
                elif text in common and len(common[text]) == index:
                    common[text].append((rank, value))
        full = {text: found for text, found in common.items() if len(found) == len(self.judges)}
        if not full:
            raise NoProposal(*self._why_no_end(addr))
        text = min(full, key=lambda name: (sum(rank for rank, _ in full[name]), self._declared(name), name))
        return text, [value for _, value in full[text]]

    def _ends(self, judge: Judge, pointer: Value, addr: Value) -> dict[str, tuple[int, Poly]]:
        """Texts for the limits of this walk, ranked by how well they are bounded."""
        assert isinstance(addr, Poly)
        found: dict[str, tuple[int, Poly]] = {}
        for bound in judge.bounds(pointer, addr):
            names = [name.name for name in names_of(judge.context, judge.state, bound.limit, self.at)]
            own = bound.limit_expr.name if isinstance(bound.limit_expr, ir.Name) else ""
            text = own if own in names else spell(judge.context, judge.state, bound.limit, self.at)
            if text and text not in found:
                fact = bounded(judge.analysis, judge.solved, addr, bound.limit)
                found[text] = (_BOUND_RANK[fact.status], bound.limit)
        if not any(isinstance(pointer, Entry) and bound.table in (pointer.table, None) for bound in judge.site.bounds):
            found = self._given_ends(judge, addr)
        return found

    def _given_ends(self, judge: Judge, addr: Poly) -> dict[str, tuple[int, Poly]]:
        """Without a loop of its own: the end that callers or a contract bound together with addr."""
        found = {}
        for place, value in judge.state.values.items():
            if isinstance(place, ir.Name) and isinstance(value, Poly) and visible(judge.context, place, self.at):
                if judge.context.graph.variables[place].parameter < 0 or value == addr:
                    continue
                fact = bounded(judge.analysis, judge.solved, addr, value)
                if fact.status is Status.PROVEN or fact.contract:
                    found[place.name] = (_BOUND_RANK[fact.status], value)
        return found

    def _why_no_end(self, addr: str) -> tuple[str, bool]:
        elsewhere = False
        for judge, table in zip(self.judges, self.tables, strict=True):
            address = self._value(judge, addr)
            assert isinstance(address, Poly)
            for bound in judge.bounds(Entry(table.symbol, table.address), address):
                del bound
            elsewhere |= any(bound.table in (table.symbol, None) for bound in judge.site.bounds)
        if elsewhere:
            return f"the walk does not start at '{addr}', where the PTE pointer was mapped", False
        return "no variable holds the end of the walk", False


_BOUND_RANK = {Status.PROVEN: 0, Status.ASSUMED: 1, Status.UNKNOWN: 2, Status.REFUTED: 3}


def is_advanced(judge: Judge, name: str) -> bool:
    """True when the function steps the pointer: ``pte++``, ``pte += nr``."""
    return any(
        isinstance(op, ir.Assign)
        and isinstance(op.target, ir.Name)
        and op.target.name == name
        and isinstance(op.value, ir.Binary)
        for block in judge.context.graph.blocks
        for op in block.ops
    )


def map_targets(judge: Judge, table: Table) -> list[str]:
    """Variables that the map call's assignment sets, the outermost first."""
    targets = [
        (op.span.end - op.span.start, -op.span.start, op.target.name)
        for block in judge.context.graph.blocks
        for op in block.ops
        if isinstance(op, ir.Assign) and isinstance(op.target, ir.Name) and op.span.covers(table.site)
    ]
    return list(dict.fromkeys(name for _, _, name in sorted(targets, reverse=True)))


def map_argument(judge: Judge, table: Table, role: str) -> ir.Expr | None:
    """The map call's argument for ``mm`` or ``addr``, as it was written."""
    call = judge.context.vocabulary.maps[table.call]
    index = call.mm if role == "mm" else call.addr
    for block in judge.context.graph.blocks:
        for op in block.ops:
            if isinstance(op, ir.Call) and op.span == table.site and 0 <= index < len(op.arguments):
                return op.arguments[index]
    return None


def map_address(judge: Judge, table: Table) -> str:
    """The name of the address given to the map call, or empty."""
    given = map_argument(judge, table, "addr")
    return given.name if isinstance(given, ir.Name) else ""


def ranges(judge: Judge, hinted: Table | None, texts: dict[str, str]) -> list[Range]:
    """The runs of entries that the section touches, the hinted one first."""
    found = []
    for table in judge.used_here():
        line = judge.analysis.source.line(table.site.start)
        is_hint = hinted is not None and table.symbol == hinted.symbol
        if not is_hint and not judge.updates(table.symbol):
            continue
        kinds = judge.kinds(table.symbol)
        role = "read" if kinds & _READS and "update" not in kinds else "updated"
        if is_hint and texts:
            found.append(Range(texts["mm"], texts["addr"], texts["end"], texts["ptep"], line, role, True))
            continue
        names = names_of(judge.context, judge.state, Entry(table.symbol, table.address), judge.site.op.span)
        targets = map_targets(judge, table)
        pointer = next((name.name for name in names if name.name in targets), names[0].name if names else "")
        mm = spell(judge.context, judge.state, table.mm, judge.site.op.span) if table.mm is not None else ""
        addr = map_address(judge, table) or display(table.address)
        found.append(Range(mm, addr, "", pointer, line, role, is_hint))
    return sorted(found, key=lambda item: (not item.hinted, item.line))
