"""The obligations of a call (mm, addr, end, ptep), judged in one state in which its enable is reached.

Every judgement is equality of value numbers, or follows from a contract that the vocabulary names. What is not shown is
unknown; it is refuted only where the values contradict the claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mmlint.facts.bounds import descends
from mmlint.facts.conditions import positive
from mmlint.facts.entered import Claim, display
from mmlint.facts.evaluate import Loaded, as_poly, entry_address, opaque_entry
from mmlint.facts.extent import Extent
from mmlint.facts.file import FileAnalysis
from mmlint.facts.given import not_the_entry, not_the_owner
from mmlint.facts.ownership import contract_equal, from_parameters, is_given, kernel_mm
from mmlint.facts.sections import Evidence, Obligation, Status
from mmlint.facts.state import Table
from mmlint.flow.ir import Call, Expr, Name
from mmlint.flow.values import Entry, Poly, Symbol, Value


class Judge(Extent):
    """Judges whether the claimed mm owns the table, and whether the pointer is the entry for the address."""

    # ------------------------------------------------------------ mm

    def mm(self, claim: Claim) -> Obligation:
        """mm owns the table of ptep."""
        table = self.table(claim.ptep)
        subject, text = claim.spans.get("mm"), claim.texts["mm"]
        if table is None and self.is_given(claim):
            return self._given_owner(claim)
        if table is None:
            return Obligation("mm", Status.UNKNOWN, (), subject=subject)
        site = Evidence(table.site, f"{_table_of(claim.texts['ptep'])} is mapped here by {table.call}()")
        if table.mm is None:
            return self.without_owner(claim, table)
        if table.contract:
            return self._usual_owner(claim, table, site)
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
            return Obligation(
                "mm", Status.REFUTED, (site,), fault=fault, replacement=self.spelled(table.mm), subject=subject
            )
        if self._plausible(claim.mm, table.mm):
            assumption = f"{text} is taken to be {owner}"
            because = (site, Evidence(self.site.op.span, assumption))
            return Obligation("mm", Status.ASSUMED, because, subject=subject)
        why = f"it was mapped with '{owner}'" if owner != text else f"'{text}' has changed since it was mapped"
        fault = f"nothing shows that '{text}' owns the table: {why}"
        return Obligation(
            "mm", Status.UNKNOWN, (site,), fault=fault, replacement=self.spelled(table.mm), subject=subject
        )

    def _given_owner(self, claim: Claim) -> Obligation:
        """A table that the callers gave: its owner is what they gave too, and what its entries are updated for."""
        subject, text = claim.spans.get("mm"), claim.texts["mm"]
        assert isinstance(claim.ptep, Entry)
        trusted = Evidence(self.site.op.span, f"callers are trusted to pass the {text} that owns the table")
        updated = [mm for mm in self._updated_for(claim.ptep.table) if not self.state.equal(mm, claim.mm)]
        other = next((mm for mm in updated if not self._may_be_one(mm, claim.mm)), None)
        if other is not None:
            fault = f"nothing shows that '{text}' owns the table: its entries are updated for '{display(other)}'"
            return Obligation("mm", Status.UNKNOWN, (), fault=fault, subject=subject)
        wrong = self._passed(claim, not_the_owner, claim.mm)
        if wrong is not None:
            fault = f"'{text}' does not own the table in a call of {self.solved.name}()"
            return Obligation("mm", Status.REFUTED, (wrong,), fault=fault, subject=subject)
        if updated or self._updated_for(claim.ptep.table) or self._is_given_mm(claim.mm):
            return Obligation("mm", Status.ASSUMED, (trusted,), subject=subject)
        fault = f"nothing shows that '{text}' owns the table: the function was given the table, and not this mm"
        return Obligation("mm", Status.UNKNOWN, (), fault=fault, subject=subject)

    def _may_be_one(self, left: Value, right: Value) -> bool:
        return bool(contract_equal(self.context, left, right)) or self._plausible(left, right)

    def _is_given_mm(self, mm: Value) -> bool:
        """True for an mm out of the parameters, and for that of the kernel where no parameter leads to one."""
        symbol = as_poly(mm).as_symbol()
        if symbol != kernel_mm(self.context).as_symbol():
            return from_parameters(self.context, symbol)
        types = {variable.type for variable in self.context.graph.variables.values() if variable.parameter >= 0}
        return not types & {"struct mm_struct", "struct vm_area_struct"}

    def _usual_owner(self, claim: Claim, table: Table, site: Evidence) -> Obligation:
        """A table that belongs to init_mm unless its entries are updated for another mm."""
        subject, text = claim.spans.get("mm"), claim.texts["mm"]
        updated = self._updated_for(table.symbol)
        usual = self.state.equal(claim.mm, table.mm)
        # Of two such tables one may be a private copy. An update names init_mm, or a branch on mm == &init_mm does.
        alone = len(self.used_here()) == 1 and (bool(updated) or claim.mm != table.mm)
        if usual and all(self.state.equal(mm, table.mm) for mm in updated):
            usually = (Evidence(table.site, table.contract),)
            return Obligation("mm", Status.ASSUMED, usually, contract=alone, subject=subject)
        if updated and all(self.state.equal(mm, claim.mm) for mm in updated):
            because = (site, Evidence(self.site.op.span, f"its entries are updated for {text}"))
            return Obligation("mm", Status.ASSUMED, because, subject=subject)
        why = f"its entries are updated for '{display(updated[0])}'" if updated else table.contract
        fault = f"nothing shows that '{text}' owns the table: {why}"
        return Obligation("mm", Status.UNKNOWN, (site,), fault=fault, subject=subject)

    def _updated_for(self, table: Symbol) -> list[Value]:
        """The mm arguments of the updates of a table: what stands before the address and the pointer."""
        return [given[0] for op, given in self._updates(table) if self._is_mm(op.arguments[0])]

    def _updates(self, table: Symbol) -> Iterator[tuple[Call, tuple[Value, ...]]]:
        """The calls that update entries of a table, with what they are given: mm or VMA, address, pointer."""
        for touch in self.site.touches:
            updates = touch.kind in _UPDATES and touch.argument == 2
            if updates and touch.entry.table == table and isinstance(touch.op, Call):
                yield touch.op, touch.given

    def _is_mm(self, argument: Expr) -> bool:
        """False for a VMA, which some accessors take in the place of the mm."""
        variable = self.context.graph.variables.get(argument) if isinstance(argument, Name) else None
        return variable is None or variable.type == "struct mm_struct"

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
        named = isinstance(origin, Loaded) and (origin.struct, origin.field) in _WALK_OWNERS
        if walks and named and isinstance(origin, Loaded) and is_given(self.context, origin.base, origin.struct):
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
        return "vma" if is_given(self.context, origin.base, origin.struct) else ""

    # ------------------------------------------------------------ ptep

    def ptep(self, claim: Claim) -> Obligation:
        """ptep is the entry for addr, in a table that the section works on."""
        name, subject = claim.texts["ptep"], claim.spans.get("ptep")
        table = self.table(claim.ptep)
        if table is None or not isinstance(claim.ptep, Entry):
            return self._not_mapped(claim)
        site = Evidence(table.site, f"{_table_of(name)} is mapped at {display(table.address)}")
        wrong = self._other_table(claim, table)
        if wrong is not None:
            return wrong
        if positive(self.context, table.address - claim.ptep.address):
            fault = f"'{name}' lies before the entry that was mapped, and may lie before the page table"
            return Obligation("ptep", Status.REFUTED, (site,), fault=fault, subject=subject)
        pmd = self._pmd_offset(table)
        addr = entry_address(self.context, claim.addr)
        distance = claim.ptep.address - addr
        if not distance.terms or self.state.equal(claim.ptep.address, addr):
            if pmd:
                fault = f"nothing shows that '{name}' is the entry for '{claim.texts['addr']}': it is mapped from {pmd}"
                return Obligation("ptep", Status.UNKNOWN, (site,), fault=fault, subject=subject)
            return Obligation("ptep", Status.PROVEN, self._entry_lines(claim, table), subject=subject)
        if claim.addr == claim.end or self.swapped(claim) is not None:
            # The range is at fault, not the pointer.
            return Obligation("ptep", Status.UNKNOWN, (site,), subject=subject)
        return self._not_the_entry(claim, table, distance, site)

    def is_given(self, claim: Claim) -> bool:
        """True when pointer and address are both as the function got them: then its callers answer for the pair."""
        pointer, addr = claim.ptep, claim.addr.as_symbol()
        if not isinstance(pointer, Entry) or pointer.table in self.context.mapped:
            return False
        root = Symbol(pointer.table.removeprefix("T[").removesuffix("]"))
        unmoved = pointer == opaque_entry(Poly.symbol(root))
        touched = self.touched()
        if touched and all(symbol in self.context.mapped for symbol in touched):
            # The section works on another table.
            return False
        return unmoved and from_parameters(self.context, root) and from_parameters(self.context, addr)

    def _not_mapped(self, claim: Claim) -> Obligation:
        """The pointer's table is not mapped in this state."""
        name, subject = claim.texts["ptep"], claim.spans.get("ptep")
        site = self.context.mapped.get(claim.ptep.table) if isinstance(claim.ptep, Entry) else None
        if site is None and self.is_given(claim):
            elsewhere = self._updated_at(claim)
            if elsewhere is not None:
                addr = claim.texts["addr"]
                fault = f"nothing shows that '{name}' is the entry for '{addr}': it is updated at '{elsewhere}'"
                return Obligation("ptep", Status.UNKNOWN, (), fault=fault, subject=subject)
            wrong = self._passed(claim, not_the_entry, claim.addr)
            if wrong is not None:
                fault = f"'{name}' is not the entry for '{claim.texts['addr']}' in a call of {self.solved.name}()"
                return Obligation("ptep", Status.REFUTED, (wrong,), fault=fault, subject=subject)
            line = Evidence(self.site.op.span, f"callers are trusted to pass the entry for {claim.texts['addr']}")
            return Obligation("ptep", Status.ASSUMED, (line,), subject=subject)
        if site is None:
            fault = f"nothing shows what '{name}' points to: it is not mapped here"
            return Obligation("ptep", Status.UNKNOWN, (), fault=fault, subject=subject)
        fault = f"'{name}' points into a page table that is not mapped any more"
        others = self.used_here()
        replacement = self.pointer_into(others[0], claim.addr) if others else ""
        because = (Evidence(site, f"{_table_of(name)} was mapped here"),)
        return Obligation("ptep", Status.REFUTED, because, fault=fault, replacement=replacement, subject=subject)

    def _passed(
        self, claim: Claim, ask: Callable[[FileAnalysis, str, int, int], Evidence | None], value: Value
    ) -> Evidence | None:
        """What a caller passes for the pointer and the value that does not go with it."""
        names = [Poly.symbol(Symbol(name.name)) for name in self.context.graph.parameters]
        pointers = [index for index, name in enumerate(names) if claim.ptep == opaque_entry(name)]
        if len(pointers) != 1 or value not in names:
            return None
        assert isinstance(value, Poly)
        return ask(self.analysis, self.solved.name, pointers[0], names.index(value))

    def _updated_at(self, claim: Claim) -> Symbol | None:
        """Another parameter than the claimed address, that the entries of a given table are updated at."""
        assert isinstance(claim.ptep, Entry)
        found = [as_poly(given[1]) for _, given in self._updates(claim.ptep.table)]
        if not found or any(descends(self.context, at, claim.addr) for at in found):
            return None
        names = [Symbol(name.name) for name in self.context.graph.parameters]
        names = [name for name in names if any(descends(self.context, at, Poly.symbol(name)) for at in found)]
        # Swapped, it is the range that is at fault.
        return names[0] if names and claim.end != Poly.symbol(names[0]) else None

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
            Evidence(table.site, f"{_table_of(name)} is mapped here"),
            Evidence(others[0].site, "the table that the section works on is mapped here"),
        )
        fault = f"'{name}' points into a table that the section does not touch"
        replacement = self.pointer_into(others[0], claim.addr)
        return Obligation(
            "ptep", Status.REFUTED, because, fault=fault, replacement=replacement, subject=claim.spans.get("ptep")
        )

    def _not_the_entry(self, claim: Claim, table: Table, distance: Poly, site: Evidence) -> Obligation:
        name, addr, subject = claim.texts["ptep"], claim.texts["addr"], claim.spans.get("ptep")
        assert isinstance(claim.ptep, Entry)
        here = Evidence(self.site.op.span, f"here {name} is the entry for {display(claim.ptep.address)}")
        pages = distance.without_page()
        replacement = self.pointer_into(table, claim.addr)
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


_UPDATES = ("update", "read_update")
_WALK_OWNERS = (("mm_walk", "mm"), ("vm_area_struct", "vm_mm"))


def _number(count: int) -> str:
    words = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
    return words.get(count, str(count))


def _table_of(pointer: str) -> str:
    """What a map call gives: the pointer itself, where it is a variable, else the table that it points into."""
    return pointer if re.fullmatch(r"[\w.>-]+", pointer) else f"the table of {pointer}"
