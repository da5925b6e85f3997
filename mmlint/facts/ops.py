"""Functions that a call is handed in a structure: walk(start, end, &split_ops) runs what split_ops names.

static const struct mm_walk_ops split_ops = {
        .pte_entry = split_pte_entry,
};
"""

from __future__ import annotations

import re

from mmlint.facts.file import FileAnalysis
from mmlint.flow import ir

_FIELD = re.compile(rb"\.\s*\w+\s*=\s*&?\s*(\w+)\s*(?=[,}])")


def functions_handed(analysis: FileAnalysis, call: ir.Call) -> list[tuple[int, str, str]]:
    """(argument, variable, function) for functions of a file in those of its structures whose address a call gets."""
    found = []
    for index, argument in enumerate(call.arguments):
        place = argument.place if isinstance(argument, ir.AddressOf) else None
        for name in _functions_in(analysis, place.name) if isinstance(place, ir.Name) else ():
            if name in analysis.definitions:
                found.append((index, place.name if isinstance(place, ir.Name) else "", name))
    return list(dict.fromkeys(found))


def _functions_in(analysis: FileAnalysis, variable: str) -> list[str]:
    masked = analysis.reader.masked
    head = re.search(rb"\bstruct\s+\w+\s+" + variable.encode() + rb"\s*=\s*\{", masked)
    if head is None:
        return []
    end = masked.find(b"\n}", head.end())
    return [word.decode() for word in _FIELD.findall(masked, head.end(), end + 2 if end >= 0 else len(masked))]


def entry_parameters(analysis: FileAnalysis, name: str) -> frozenset[int]:
    """The parameters of a function that are pte pointers, by index."""
    return frozenset(
        index
        for graph in analysis.graphs(name)
        for index, parameter in enumerate(graph.parameters)
        if graph.variables[parameter].type == "pte_t" and graph.variables[parameter].pointers == 1
    )
