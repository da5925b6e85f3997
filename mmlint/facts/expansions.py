"""The macros that a file can use; those without parameters as the expressions that they stand for.

    #define CUR (*pte)              Expansions(analysis).find(b"CUR")      ->  the expression (*pte)
    #define LOOK() (*pte)           Expansions(analysis).find(b"LOOK()")   ->  the same

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


def _without_parameters(data: bytes, end: int, called: bool) -> bool:
    """True for a macro whose name ends there and has no brackets, or, where it is called, nothing in them."""
    if data[end : end + 1] != b"(":
        return not called
    return called and not data[end + 1 : data.find(b")", end)].strip()


class Expansions:
    """Those of one file; each is parsed when somebody asks for it."""

    def __init__(self, analysis: FileAnalysis) -> None:
        self._analysis = analysis
        self._known: dict[bytes, Expansion | None] = {}
        self._includes: tuple[str, ...] | None = None

    def find(self, name: bytes) -> Expansion | None:
        """What a name stands for, None where it is no such macro; "NAME()" is a macro of the file itself."""
        if name not in self._known:
            own = self.own(name)
            self._known[name] = own if own is not None or name.endswith(b")") else self._elsewhere(name)
        return self._known[name]

    def own(self, name: bytes) -> Expansion | None:
        """The same for a macro of the file itself: the last definition that can be read."""
        reader = self._analysis.reader
        plain = name.removesuffix(b"()")
        called = plain != name
        macros = [
            macro
            for macro in reversed(self._analysis.macros.get(plain.decode("utf-8", "replace"), ()))
            if _without_parameters(reader.source.data, macro.name_span.end, called)
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
