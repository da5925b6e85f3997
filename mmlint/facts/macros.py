"""What the macros that a function calls do to it, which calls of functions cannot: write its variables, or leave it.

    #define NEXT(p)  do { (p)++; } while (0)            NEXT(pte) moves pte
    #define BAIL()   do { if (stop()) return; } while (0)      BAIL() may return from its caller

Macros are not expanded; their words tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mmlint.flow.dialect import Dialect, roles
from mmlint.flow.ir import Graph, Name, Variable
from mmlint.flow.values import Entry, Value

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
_RETURN = re.compile(rb"\breturn\b")
_GOTO = re.compile(rb"\bgoto\s+(\w+)")


def dialect_for(dialect: Dialect, names: Iterable[str], texts: Mapping[str, Iterable[bytes]]) -> Dialect:
    """The dialect with what the macros of ``texts`` do, by name, as far as ``dialect`` does not know them."""
    known = roles(dialect)
    writing, returning, jumping = set(), set(), set()
    for name in names:
        for text in texts.get(name, ()) if name.encode() not in known else ():
            shown = _HIDDEN.sub(b" ", text)
            if _writes(shown):
                writing.add(name)
            if _RETURN.search(shown):
                returning.add(name)
            if any(not re.search(rb"\b" + label + rb"\s*:", shown) for label in _GOTO.findall(shown)):
                jumping.add(name)
    if not (writing or returning or jumping):
        return dialect
    return replace(
        dialect,
        outputs=dialect.outputs | writing,
        returns=dialect.returns | (returning - jumping),
        jumps=dialect.jumps | jumping,
    )


def _writes(text: bytes) -> bool:
    """True where a macro assigns to one of its parameters."""
    head = _PARAMETERS.match(text)
    names = _WORD.findall(head.group(1)) if head else []
    if head is None or not names:
        return False
    # ``*(p) = x`` writes what p points to.
    body = _THROUGH.sub(b"*", text[head.end() :])
    return re.search(_WRITTEN.replace(b"{0}", b"|".join(names)), body) is not None


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
