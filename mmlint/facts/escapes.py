"""Where a function's address is taken: its name as a value, which is no call, no member and no variable of that name.

register_walk(walk);            walk escapes
ops.walk = walk;                so it does, once
int (*walk)(struct x *);        a declaration of something else
static void f(int walk)         a parameter of that name, and all that f does with it
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from mmlint.flow.ir import Graph
from mmlint.source import Span
from mmlint.syntax.definitions import Definition

_BEFORE = re.compile(rb"(?<![\w.>])")
_AFTER = re.compile(rb"(?!\w)(?!\s*\()")
_POINTED = re.compile(rb"\(\s*\*\s*$")
# A declaration of something: a type, and no keyword after which a value stands.
_DECLARED = re.compile(rb"(?<!\w)(?!return\b|case\b|else\b|sizeof\b)\w+[\s*]*(?<=[\s*])$")
_NEAR = 120


def values_of(name: str, masked: bytes) -> Iterator[Span]:
    """Places where the name is no call and no member."""
    word = name.encode()
    place = masked.find(word)
    while place >= 0:
        end = place + len(word)
        # To look for the word and then around it is many times faster than one pattern over the file.
        if _BEFORE.match(masked, place) and _AFTER.match(masked, end):
            yield Span(place, end)
        place = masked.find(word, end)


def is_other(
    name: str, place: Span, masked: bytes, around: Iterable[Definition], graph: Callable[[Definition], Graph | None]
) -> bool:
    """True when the name means something else there; ``around`` are the functions that hold the place."""
    before = masked[max(0, place.start - _NEAR) : place.start]
    if _POINTED.search(before) and masked[place.end : place.end + 1] == b")":
        return True
    inside = list(around)
    if not inside:
        return _DECLARED.search(before) is not None
    return all(_is_variable(name, place, definition, masked, graph(definition)) for definition in inside)


def _is_variable(name: str, place: Span, definition: Definition, masked: bytes, graph: Graph | None) -> bool:
    if graph is None:
        return False
    for variable in graph.variables.values():
        if variable.name.name != name:
            continue
        in_header = variable.parameter >= 0 and place.end <= definition.body.start
        declared = place.start >= variable.scope.start or not re.search(
            rb"[;{}]", masked[place.end : variable.scope.start]
        )
        if in_header or (declared and place.start < variable.scope.end):
            return True
    return False
