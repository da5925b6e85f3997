"""Real walkers become sound graphs that show all of their source."""

from __future__ import annotations

import re

import pytest

from mmlint.flow.coverage import uncovered
from mmlint.flow.dump import dump_graph
from mmlint.flow.ir import Call, Graph
from mmlint.flow.lower import DEFAULT_DIALECT, lower, lowered_spans
from mmlint.flow.verify import verify
from mmlint.source import Source
from mmlint.syntax.functions import ParsedFunction, read_functions
from tests.kernels import kernel

WALKERS = re.compile(rb"\bpte_t\b|\bpte_offset_map|lazy_mmu")
Lowered = list[tuple[ParsedFunction, Source, Graph]]


def walkers(version: str) -> Lowered:
    """Every function of mm/ and of fs/proc/task_mmu.c that has to do with page tables."""
    tree = kernel(version)
    paths = [*sorted((tree / "mm").glob("*.c")), *sorted((tree / "mm").glob("*/*.c")), tree / "fs/proc/task_mmu.c"]
    found = []
    for path in paths:
        source = Source(path.relative_to(tree).as_posix(), path.read_bytes())
        if WALKERS.search(source.data):
            for function in read_functions(source, WALKERS):
                found.append((function, source, lower(function, DEFAULT_DIALECT)))
    return found


@pytest.fixture(scope="module")
def lowered() -> Lowered:
    return walkers("6.12")


def test_every_walker_is_lowered(lowered: Lowered) -> None:
    assert len({(source.path, function.name) for function, source, _ in lowered}) > 200
    assert [function.name for function, _, _ in lowered if not function.ok] == []


def test_graphs_are_sound_and_complete(lowered: Lowered) -> None:
    faults = [
        (source.path, function.name, fault)
        for function, source, graph in lowered
        for fault in [
            *verify(graph),
            *uncovered(function, lowered_spans(function, DEFAULT_DIALECT), DEFAULT_DIALECT),
        ]
    ]
    assert faults == []


def test_nothing_is_left_unmodelled(lowered: Lowered) -> None:
    left = [(source.path, function.name, graph.unmodelled) for function, source, graph in lowered if graph.unmodelled]
    assert left == []


def test_sections_are_balanced_in_the_text(lowered: Lowered) -> None:
    sections = {
        function.name: [callee for callee in callees(graph) if "lazy_mmu" in callee]
        for function, _, graph in lowered
        if b"lazy_mmu" in function.masked
    }
    assert len(sections) > 10
    assert sections["madvise_free_pte_range"].count("arch_enter_lazy_mmu_mode") == 2
    assert sections["copy_pte_range"] == ["arch_enter_lazy_mmu_mode", "arch_leave_lazy_mmu_mode"]


def callees(graph: Graph) -> list[str]:
    """The names called, block by block."""
    return [op.callee for block in graph.blocks for op in block.ops if isinstance(op, Call) and op.callee]


def test_dumps_are_the_same_every_time(lowered: Lowered) -> None:
    for function, source, graph in lowered[:40]:
        assert dump_graph(lower(function, DEFAULT_DIALECT), source) == dump_graph(graph, source)


def test_an_older_kernel_is_lowered_as_well() -> None:
    found = walkers("6.1")
    assert len(found) > 150
    assert [(function.name, verify(graph)) for function, _, graph in found if verify(graph)] == []
