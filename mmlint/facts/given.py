"""Callers of a function that is given a PTE pointer: do they pass the entry for the address, and the mm of its table?

Callers in the same file are looked at, and only what their values contradict is told; all else is left to their trust.
"""

from __future__ import annotations

from collections.abc import Iterator

from mmlint.facts.evaluate import Evaluator, as_poly, entry_address
from mmlint.facts.file import FileAnalysis
from mmlint.facts.ownership import kernel_mm
from mmlint.facts.sections import Evidence
from mmlint.facts.state import State, Table
from mmlint.flow.ir import Call
from mmlint.flow.values import Entry


def _calls(analysis: FileAnalysis, name: str, ptep: int) -> Iterator[tuple[Evaluator, State, Call, Entry, Table]]:
    """Calls of a function in this file with an entry of a table that is mapped there."""
    for caller in analysis.callers(name):
        for one in analysis.solve(caller)[0] if caller != name else ():
            evaluator = Evaluator(one.dataflow.context)
            for state, op in one.dataflow.calls_of(name):
                pointer = evaluator.value(op.arguments[ptep], state) if ptep < len(op.arguments) else None
                table = state.tables.get(pointer.table) if isinstance(pointer, Entry) else None
                if isinstance(pointer, Entry) and table is not None:
                    yield evaluator, state, op, pointer, table


def not_the_entry(analysis: FileAnalysis, name: str, ptep: int, addr: int) -> Evidence | None:
    """A call whose pointer is another entry than that for the address it passes."""
    for evaluator, state, op, pointer, _ in _calls(analysis, name, ptep):
        if addr >= len(op.arguments):
            continue
        values = [entry_address(evaluator.context, evaluator.poly(argument, state)) for argument in op.arguments]
        distance = pointer.address - values[addr]
        if not distance.terms or state.equal(pointer.address, values[addr]):
            continue
        pages = distance.without_page()
        others = [index for index, value in enumerate(values) if value == pointer.address]
        if others or (pages is not None and pages.as_const()):
            given, wanted = (analysis.source.text(op.argument_spans[index]) for index in (ptep, addr))
            return Evidence(op.span, f"{given} is passed here with {wanted}, and is not the entry for it")
    return None


def not_the_owner(analysis: FileAnalysis, name: str, ptep: int, mm: int) -> Evidence | None:
    """A call that passes a table of the kernel with another mm, or one of another mm with that of the kernel."""
    for evaluator, state, op, _, table in _calls(analysis, name, ptep):
        if mm >= len(op.arguments) or table.mm is None or table.contract:
            continue
        kernel = kernel_mm(evaluator.context)
        given = evaluator.value(op.arguments[mm], state)
        if (as_poly(given) == kernel) != (as_poly(table.mm) == kernel) and not state.equal(given, table.mm):
            text = analysis.source.text(op.argument_spans[mm])
            return Evidence(op.span, f"{text} is passed here with a table of {table.mm.label}")
    return None
