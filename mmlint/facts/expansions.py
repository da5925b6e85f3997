"""The macros that a file can use; those without parameters as the expressions that they stand for.

    #define CUR (*pte)              Expansions(analysis).find(b"CUR")   ->  the expression (*pte)

Those of the file itself, and those that begin with a dereference in the headers that it includes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mmlint.flow.expansion import Expansion, read_expansion

if TYPE_CHECKING:
    from mmlint.facts.file import FileAnalysis

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*[<\"](?:\.\.?/)*([^\">\n]+)[\">]", re.M)


def included(data: bytes) -> tuple[str, ...]:
    """The files that a text includes, as it writes them."""
    return tuple(include.decode("utf-8", "replace") for include in _INCLUDE.findall(data))


class Expansions:
    """Those of one file; each is parsed when somebody asks for it."""

    def __init__(self, analysis: FileAnalysis) -> None:
        self._analysis = analysis
        self._known: dict[bytes, Expansion | None] = {}
        self._includes: tuple[str, ...] | None = None

    def find(self, name: bytes) -> Expansion | None:
        """What a name stands for, None where it is no such macro."""
        if name not in self._known:
            own = self.own(name)
            self._known[name] = own if own is not None else self._elsewhere(name)
        return self._known[name]

    def own(self, name: bytes) -> Expansion | None:
        """The same for a macro of the file itself: the last definition that can be read."""
        reader = self._analysis.reader
        macros = [
            macro
            for macro in reversed(self._analysis.macros.get(name.decode("utf-8", "replace"), ()))
            if reader.source.data[macro.name_span.end : macro.name_span.end + 1] != b"("
        ]
        found = (read_expansion(reader.parse(macro)) for macro in macros)
        return next((expansion for expansion in found if expansion is not None), None)

    def texts(self, name: str) -> list[bytes]:
        """The macros that a call of a name may mean, where nothing is known of it."""
        analysis = self._analysis
        own = [analysis.source.data[macro.span.start : macro.span.end] for macro in analysis.macros.get(name, ())]
        if own or analysis.graph is None or analysis.graph.is_known(name):
            return own
        return analysis.graph.macros(name, analysis.path)

    def _elsewhere(self, name: bytes) -> Expansion | None:
        graph = self._analysis.graph
        for path in graph.object_macros(name.decode("ascii", "replace"), self._analysis.path) if graph else ():
            if graph is not None and path != self._analysis.path and self._includes_file(path):
                found = graph.analysis(path).expansions.own(name)
                if found is not None:
                    return found
        return None

    def _includes_file(self, path: str) -> bool:
        if self._includes is None:
            self._includes = included(self._analysis.source.data)
        return any(f"/{path}".endswith(f"/{include}") for include in self._includes)
