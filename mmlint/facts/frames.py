"""Where the following of calls stands: the function whose calls are looked at, and the functions that wait for it."""

from __future__ import annotations

import re
from typing import NamedTuple

from mmlint.facts.callgraph import architecture
from mmlint.facts.effects import Effects
from mmlint.facts.handed import Part
from mmlint.facts.index import Place
from mmlint.facts.inner import PageTables
from mmlint.facts.modes import Unknown
from mmlint.facts.sections import Evidence
from mmlint.flow import ir
from mmlint.flow.values import Entry, Poly, Symbol, Value

_WORD = re.compile(r"[A-Za-z_]\w*")


class Around(NamedTuple):
    """A function whose calls are followed: how it was reached, and what is known in it.

    ``place`` is None for the section itself; ``arch`` is the architecture whose code led here, empty for generic code.
    ``leads`` are the values of parameters that lead to pte pointers.
    """

    start: ir.Call | None
    first: str
    place: Place | None
    path: str
    hot: PageTables
    names: frozenset[str]
    doubts: int = 0
    steps: tuple[Evidence, ...] = ()
    arch: str = ""
    leads: frozenset[Symbol] = frozenset()


class Frame(NamedTuple):
    """A function about to be looked at: how it was called, and from where.

    ``hot`` are the arguments that are pte pointers of the section: i, or ~i for one that argument i points to.
    ``parts`` are members of structures that are handed over, pte pointers of the section among them.
    """

    start: ir.Call
    first: str
    place: Place
    given: tuple[tuple[int, Value], ...]
    unknown: Unknown
    hot: frozenset[int]
    depth: int
    doubts: int
    steps: tuple[Evidence, ...]
    caller: Place | None = None
    arch: str = ""
    parts: tuple[Part, ...] = ()


def may_run(place: Place, arch: str) -> bool:
    """True for a definition that code of an architecture may come to, through generic code too."""
    return not arch or architecture(place.path) in ("", arch)


def is_global(value: Poly, names: frozenset[str]) -> bool:
    """True for a value that means the same in every function: a number, or constants and functions by name."""
    for symbol in value.symbols():
        words = _WORD.findall(symbol)
        if symbol.makers or not words or names.intersection(words) or symbol.startswith(("*", "&", "`", "@", "T[")):
            return False
        if "->" in symbol or "(" in symbol:
            return False
    return True


def macro_entry(index: int) -> Entry:
    """What a macro gets where it is handed a pte pointer."""
    return Entry(Symbol(f"T[#{index}]"), Poly.symbol(Symbol(f"@[#{index}]")))


def handed_names(indices: frozenset[int], effects: Effects) -> list[str]:
    """The parameters that lead to pte pointers of the caller, as `PageTables` names them."""
    parameters = effects.parameters
    handed = [f"#{i}" for i in indices if i >= 0]
    handed += [parameters[i].name for i in indices if 0 <= i < len(parameters)]
    return handed + [f"*{parameters[~i].name}" for i in indices if i < 0 and ~i < len(parameters)]
