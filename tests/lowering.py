"""Lowers small functions and shows their graphs, for the golden tests of `mmlint.flow`."""

from __future__ import annotations

from textwrap import dedent, indent

from mmlint.flow.coverage import uncovered
from mmlint.flow.dump import dump_graph
from mmlint.flow.ir import Graph
from mmlint.flow.lower import DEFAULT_DIALECT, lower, lowered_spans
from mmlint.flow.verify import verify
from mmlint.source import Source
from mmlint.syntax.functions import ParsedFunction, read_functions

HEADER = "int f(int a, int b, struct s *p, int *q)"


def parsed(text: str) -> tuple[ParsedFunction, Source]:
    """The only function of a text."""
    source = Source("file.c", text.encode())
    (function,) = read_functions(source)
    return function, source


def graph_of(body: str, header: str = HEADER) -> Graph:
    """The graph of a function with this body; it is sound and covers the body."""
    function, _ = parsed(f"{header}\n{{\n{body}}}\n")
    graph = lower(function, DEFAULT_DIALECT)
    assert verify(graph) == []
    if not graph.unmodelled:
        assert uncovered(function, lowered_spans(function, DEFAULT_DIALECT), DEFAULT_DIALECT) == []
    return graph


def shown(body: str, header: str = HEADER) -> str:
    """The dump of that graph without its first line; the body starts in line 3."""
    body = indent(golden(body), "\t")
    function, source = parsed(f"{header}\n{{\n{body}}}\n")
    assert function.ok
    return dump_graph(graph_of(body, header), source).partition("\n")[2]


def golden(text: str) -> str:
    """A dump or a body, written indented in a test."""
    return dedent(text).lstrip("\n")
