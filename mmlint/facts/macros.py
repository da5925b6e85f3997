"""What the macros that a function calls do to it, which calls of functions cannot: write its variables, or leave it.

    #define NEXT(p)  do { (p)++; } while (0)            NEXT(pte) moves pte
    #define BAIL()   do { if (stop()) return; } while (0)      BAIL() may return from its caller

Macros are not expanded; their words tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from mmlint.flow.dialect import Dialect, Role, roles
from mmlint.flow.ir import Graph, Name, Variable
from mmlint.flow.values import Entry, Value
from mmlint.syntax.brackets import argument_span

_HIDDEN = re.compile(rb"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"", re.S)
_PARAMETERS = re.compile(rb"#[ \t]*define[ \t]+\w+\(([^()]*)\)")
_WORD = re.compile(rb"[A-Za-z_]\w*")
# ``P++``, ``(P) += x``, ``P = x``; not ``*P = x``, ``x.P = y`` or ``P == x``.
_WRITTEN = (
    rb"(?:\+\+|--)\s*\(*\s*(?:{0})\b(?!\s*\)*\s*(?:->|\.|\[))"
    rb"|(?<![\w.>#])(?:{0})\b\s*\)*\s*(?:\+\+|--|(?:[-+*/%&|^]|<<|>>)=)"
    rb"|(?<![\w.>#*])(?:{0})\b\s*\)*\s*=(?!=)"
)
_THROUGH = re.compile(rb"\*\s*\(+\s*(?=\w)")
_CHANGES = re.compile(rb"\+\+|--|=")
_CALLED = re.compile(rb"(?<![\w.>])([A-Za-z_]\w*+)\s*+\(")
# Macros in macros that are looked into.
_DEPTH = 4
_RETURN = re.compile(rb"\breturn\b")
_GOTO = re.compile(rb"\bgoto\s+(\w+)")


class _Deeds(NamedTuple):
    """What a macro does: parameters that it writes, whether it returns from its caller, or goes to a label there.

    ``labels`` are parameters that it goes to.
    """

    written: frozenset[int] = frozenset()
    returns: bool = False
    jumps: bool = False
    labels: frozenset[int] = frozenset()


def dialect_for(dialect: Dialect, names: Iterable[str], texts: Callable[[str], Iterable[bytes]]) -> Dialect:
    """The dialect with what macros do, themselves or by others, as far as it does not know them.

    ``texts`` gives the definitions of a name that is a macro's.
    """
    reader = _Reader(roles(dialect), texts)
    deeds = {name: reader.deeds(name, _DEPTH) for name in names if name.encode() not in reader.known}
    writing = frozenset(name for name, done in deeds.items() if done.written)
    returning = frozenset(name for name, done in deeds.items() if done.returns)
    jumping = frozenset(name for name, done in deeds.items() if done.jumps or done.labels)
    if not (writing or returning or jumping):
        return dialect
    return replace(
        dialect,
        outputs=dialect.outputs | writing,
        returns=dialect.returns | (returning - jumping),
        jumps=dialect.jumps | jumping,
    )


class _Reader:
    """Reads macros, each once; ``known`` are names that need not be looked up."""

    def __init__(self, known: Mapping[bytes, Role], texts: Callable[[str], Iterable[bytes]]) -> None:
        self.known = known
        self._texts = texts
        self._found: dict[str, _Deeds] = {}

    def deeds(self, name: str, depth: int) -> _Deeds:
        """What a macro of that name does, by macros that it uses ``depth`` deep too."""
        if name not in self._found:
            # A macro does not expand in itself.
            self._found[name] = _Deeds()
            found = [self._read(text, depth) for text in self._texts(name)]
            written = frozenset(index for deeds in found for index in deeds.written)
            labels = frozenset(index for deeds in found for index in deeds.labels)
            self._found[name] = _Deeds(written, any(d.returns for d in found), any(d.jumps for d in found), labels)
        return self._found[name]

    def _read(self, text: bytes, depth: int) -> _Deeds:
        own = _own_deeds(text)
        written, returns, jumps, labels = set(own.deeds.written), own.deeds.returns, own.deeds.jumps, own.deeds.labels
        for word, start in own.calls if depth else ():
            if word in self.known or word in own.names:
                continue
            below = self.deeds(word.decode(), depth - 1)
            returns, jumps = returns or below.returns, jumps or below.jumps
            written |= _numbers(own, _arguments(own, start, below.written))
            goals = _arguments(own, start, below.labels)
            labels |= _numbers(own, goals)
            jumps = jumps or any(goal not in own.names and not _is_label(goal, own.body) for goal in goals)
        return _Deeds(frozenset(written), returns, jumps, labels)


class _Macro(NamedTuple):
    """One text of a macro: what it does itself, its parameters, its body, and calls in it (name, first argument)."""

    deeds: _Deeds
    names: tuple[bytes, ...]
    body: bytes
    calls: tuple[tuple[bytes, int], ...]


def _arguments(macro: _Macro, start: int, indices: Iterable[int]) -> list[bytes]:
    """Arguments of a call in a macro, without what stands around them; ``start`` is that of the first."""
    places = (argument_span(macro.body, start, index) for index in sorted(indices))
    return [macro.body[place.start : place.end].strip(b"() \t\\\n") for place in places if place is not None]


def _numbers(macro: _Macro, words: Iterable[bytes]) -> frozenset[int]:
    """The parameters of a macro that are among some words."""
    given = set(words)
    return frozenset(index for index, name in enumerate(macro.names) if name in given)


def _is_label(word: bytes, text: bytes) -> bool:
    return re.search(rb"\b" + re.escape(word) + rb"\s*:", text) is not None


@lru_cache(maxsize=8192)
def _own_deeds(text: bytes) -> _Macro:
    shown = _HIDDEN.sub(b" ", text)
    head = _PARAMETERS.match(shown)
    names = tuple(_WORD.findall(head.group(1))) if head else ()
    # ``*(p) = x`` writes what p points to.
    body = _THROUGH.sub(b"*", shown[head.end() if head else 0 :])
    written: frozenset[int] = frozenset()
    if names and _CHANGES.search(body) and re.search(_WRITTEN.replace(b"{0}", b"|".join(names)), body):
        written = frozenset(i for i, word in enumerate(names) if re.search(_WRITTEN.replace(b"{0}", word), body))
    returns = _RETURN.search(shown) is not None
    goals = [label for label in _GOTO.findall(shown) if not _is_label(label, shown)]
    labels = frozenset(index for index, name in enumerate(names) if name in goals)
    jumps = any(goal not in names for goal in goals)
    calls = tuple((call.group(1), call.end()) for call in _CALLED.finditer(body))
    return _Macro(_Deeds(written, returns, jumps, labels), names, body, calls)


def with_parameters(graph: Graph, data: bytes, given: Mapping[int, Value]) -> Graph:
    """The graph of a macro with its parameters; one that is given an entry is a pte pointer."""
    head = _PARAMETERS.match(data, graph.span.start)
    names = [Name(word.decode()) for word in _WORD.findall(head.group(1))] if head else []
    variables = {
        name: Variable(name, "pte_t", 1, graph.span, index)
        if isinstance(given.get(index), Entry)
        else Variable(name, "", 0, graph.span, index)
        for index, name in enumerate(names)
    }
    return replace(graph, parameters=tuple(names), variables={**variables, **graph.variables})
