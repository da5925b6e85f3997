"""Entries that are read, checked and written under a lock of the function's own, in a section of its caller.

    spin_lock(&init_mm.page_table_lock);
    if (pte_none(ptep_get(ptep)))
            set_pte_at(&init_mm, addr, ptep, pte);
    spin_unlock(&init_mm.page_table_lock);

What another CPU wrote under the same lock may still be pending there, so the lock does not protect the entry.
"""

from __future__ import annotations

from collections.abc import Iterator

from mmlint.facts.effects import Effects
from mmlint.facts.file import FileAnalysis
from mmlint.facts.inner import PageTables
from mmlint.facts.sections import Evidence, Incident
from mmlint.flow import ir


def read_backs(
    home: FileAnalysis, effects: Effects, hot: PageTables, because: tuple[Evidence, ...]
) -> Iterator[Incident]:
    """An incident for each lock under which an entry of a ``hot`` table is read and then written."""
    # A direct access reads and writes as well.
    reads: dict[ir.Op, int] = {a.op: -1 for a in effects.accesses if isinstance(a.op, ir.Load) and a.table in hot}
    reads |= {use.op: use.argument for use in effects.uses if use.kind == "read" and use.table in hot}
    writes = {use.op for use in effects.uses if use.kind in ("update", "read_update") and use.table in hot}
    writes |= {a.op for a in effects.accesses if isinstance(a.op, ir.Store) and a.table in hot}
    locks = home.vocabulary.locks
    graph = effects.called.dataflow.graph
    for index, block in enumerate(graph.blocks):
        for position, op in enumerate(block.ops):
            if not isinstance(op, ir.Call) or op.callee not in locks.acquire:
                continue
            held = list(_until(graph, index, position + 1, locks.release))
            for read in [inner for inner in held if inner in reads]:
                below = _until(graph, *_place(graph, read), locks.release)
                write = next((inner for inner in below if inner in writes), None)
                if write is not None:
                    yield _incident(home, op, read, write, reads[read], because)
                    break


def _incident(
    home: FileAnalysis, lock: ir.Call, read: ir.Op, write: ir.Op, argument: int, because: tuple[Evidence, ...]
) -> Incident:
    span = read.argument_spans[argument] if isinstance(read, ir.Call) and argument >= 0 else read.span
    name = " ".join(home.source.text(span).split()).lstrip("*")
    writer = f"{write.callee}() writes" if isinstance(write, ir.Call) else "the code writes"
    message = (
        f"the lock does not protect '{name}' while lazy MMU mode is on: "
        "what another CPU wrote under it may still be pending"
    )
    steps = (
        Evidence(lock.span, f"{lock.callee}() takes the lock here"),
        Evidence(write.span, f"{writer} the entry here, by what was read"),
    )
    return Incident("readback", read.span, message, (*because, *steps))


def _place(graph: ir.Graph, wanted: ir.Op) -> tuple[int, int]:
    """The block of an op and the position behind it."""
    return next(
        (index, position + 1)
        for index, block in enumerate(graph.blocks)
        for position, op in enumerate(block.ops)
        if op is wanted
    )


def _until(graph: ir.Graph, block: int, position: int, ends: frozenset[str]) -> Iterator[ir.Op]:
    """Ops that may run from a place on, until one of the calls ``ends``."""
    pending, seen = [(block, position)], {block}
    while pending:
        index, start = pending.pop(0)
        for op in graph.blocks[index].ops[start:]:
            if isinstance(op, ir.Call) and op.callee in ends:
                break
            yield op
        else:
            for following in ir.successors(graph.blocks[index].terminator):
                if following not in seen:
                    seen.add(following)
                    pending.append((following, 0))
