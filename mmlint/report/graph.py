"""What runs in a section as a graph, for Graphviz or Mermaid.

    digraph "mm/memory.c:1603 zap_pte_range" {
      n0 [label="zap_pte_range()\\nmm/memory.c:1603", shape=box, fillcolor="#c8e6c9"];
      n0 -> n1;

Green is clean, red dereferences an entry directly or may sleep, yellow could not be looked at. The section is a box.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mmlint.facts.sections import Audit, FunctionFacts, Section

_COLOURS = {"clean": "#c8e6c9", "not clean": "#ef9a9a", "unresolved": "#fff59d"}


class Node(NamedTuple):
    """One function: what stands in its box, and its verdict."""

    lines: tuple[str, ...]
    verdict: str
    section: bool = False


class SectionGraph(NamedTuple):
    """The functions that run in a section by key, and who calls whom."""

    title: str
    nodes: dict[str, Node]
    edges: tuple[tuple[str, str], ...]


def graph_of(function: FunctionFacts, section: Section) -> SectionGraph:
    """The graph of one section that was audited."""
    audit = section.audit or Audit("unresolved")
    place = f"{function.source.path}:{function.source.line(section.call.start)}"
    accessed: dict[str, list[str]] = {}
    for access in audit.accesses:
        spot = f"{access.location.path}:{access.location.line}"
        accessed.setdefault(access.function, []).append(f"{access.text} ({spot})")
    root, own = section.function, accessed.get(section.function, [])
    nodes = {root: Node((f"{root}()", place, *own), "not clean" if own else "clean", True)}
    for entry in audit.functions:
        where = f"{entry.path}:{entry.line}{f' ({entry.arch})' if entry.arch else ''}"
        verdict = "not clean" if entry.name in accessed else "clean"
        nodes.setdefault(entry.name, Node((f"{entry.name}()", where, *accessed.get(entry.name, ())), verdict))
    edges = {(edge.caller, edge.callee): None for edge in audit.edges}
    for end in audit.open_ends:
        place = f"{end.location.path}:{end.location.line}"
        nodes.setdefault(f"? {end.name}", Node((end.name, end.why, f"called at {place}"), "unresolved"))
        edges.setdefault((end.caller or root, f"? {end.name}"))
    for incident in function.of_kind("sleep"):
        # The evidence begins with the section.
        if incident.because and incident.because[0].span == section.call:
            key = f"! {incident.subject.start}"
            nodes[key] = Node(tuple(incident.message.split(" while lazy MMU mode is on: it ")), "not clean")
            edges.setdefault((root, key))
    known = tuple(edge for edge in edges if edge[0] in nodes and edge[1] in nodes)
    return SectionGraph(f"{root}() in {nodes[root].lines[1]}", nodes, known)


def render_dot(graph: SectionGraph) -> Iterator[str]:
    """Lines of DOT, for Graphviz."""
    keys = {key: f"n{number}" for number, key in enumerate(graph.nodes)}
    yield f"digraph {_quoted(graph.title)} {{"
    yield '  rankdir=LR; node [fontname="monospace", style=filled];'
    for key, node in graph.nodes.items():
        label = "\\n".join(_escaped(line) for line in node.lines)
        shape = "box" if node.section else "ellipse"
        yield f'  {keys[key]} [label="{label}", shape={shape}, fillcolor="{_COLOURS[node.verdict]}"];'
    for caller, callee in graph.edges:
        yield f"  {keys[caller]} -> {keys[callee]};"
    yield "}"


def render_mermaid(graph: SectionGraph) -> Iterator[str]:
    """Lines of Mermaid, as a web page of a forge shows them."""
    keys = {key: f"n{number}" for number, key in enumerate(graph.nodes)}
    yield "flowchart LR"
    for key, node in graph.nodes.items():
        label = "<br/>".join(_entities(line) for line in node.lines)
        opening, closing = ("[", "]") if node.section else ("(", ")")
        yield f'  {keys[key]}{opening}"{label}"{closing}:::{node.verdict.replace(" ", "_")}'
    for caller, callee in graph.edges:
        yield f"  {keys[caller]} --> {keys[callee]}"
    for verdict, colour in _COLOURS.items():
        yield f"  classDef {verdict.replace(' ', '_')} fill:{colour},stroke:#555"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _entities(text: str) -> str:
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("#", "&#35;")):
        text = text.replace(plain, entity)
    return text
