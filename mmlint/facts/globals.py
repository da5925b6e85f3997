"""The functions that globals of a tree hold: read from the file that names one, and the headers that it includes.

globals_.held("mm/walk.c", "ops", ".first")   ->  ("mm/walk.c", Held(("visit",), sure=True))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mmlint.facts.expansions import included
from mmlint.facts.index import NameIndex, Place
from mmlint.facts.initialisers import Held, Variable, functions_in, read_variable

_NAME = re.compile(rb"(?<![\w.>])[A-Za-z_]\w*+")


class Globals:
    """Those of one tree, each read when somebody asks for it; ``masked`` gives the masked text of a file."""

    def __init__(self, index: NameIndex, masked: Callable[[str], bytes]) -> None:
        self._index = index
        self._masked = masked
        self._variables: dict[tuple[str, str], Variable | None] = {}
        self._named: dict[tuple[str, bytes], tuple[str, ...]] = {}
        self._tables: dict[str, frozenset[bytes]] = {}

    def held(self, path: str, name: str, member: str) -> tuple[str, Held] | None:
        """The functions that a member of a global holds, and the file that shows it: this, or a header it includes."""
        headers = (header for header in self._included(path) if name.encode() in self._tables_of(header))
        for file in (path, *headers):
            variable = self._variable(file, name)
            if variable is not None:
                return file, functions_in(self._masked(file), variable, member)
        return None

    def holds_functions(self, path: str, name: str) -> bool:
        """True for a global of a file that is initialised with functions."""
        variable = self._variable(path, name)
        return variable is not None and bool(variable.functions)

    def functions_named(self, place: Place) -> list[str]:
        """The functions in those tables of its file that a definition names."""
        tables = self._tables_of(place.path)
        names = tables.intersection(_NAME.findall(self._index.text(place))) if tables else ()
        found: dict[str, None] = {}
        for name in sorted(names):
            key = (place.path, name)
            if key not in self._named:
                self._named[key] = self._index.functions_in(place.path, name.decode())
            found.update(dict.fromkeys(self._named[key]))
        return list(found)

    def _variable(self, path: str, name: str) -> Variable | None:
        if (path, name) not in self._variables:
            self._variables[path, name] = read_variable(self._masked(path), name)
        return self._variables[path, name]

    def _included(self, path: str) -> Iterator[str]:
        folder = path.rpartition("/")[0]
        for include in included(self._index.data(path)):
            yield from (f"include/{include}", f"{folder}/{include}")

    def _tables_of(self, path: str) -> frozenset[bytes]:
        known = self._tables.get(path)
        if known is None:
            known = self._tables[path] = self._index.tables(path)
        return known
