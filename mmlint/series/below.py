"""What lies below the functions of a tree, kept from one analysis of a file for the next version of that file.

    data = dump_below(graph.below)
    load_below(data, {"mm/madvise.c"})    ->  {Place("mm/swap.c", "folio_add_lru", ...): (flags, (Place(...), ...))}

A file is one of hundreds that its analysis looks into, and a patch of it leaves what lies below the others as it was.
"""

from __future__ import annotations

import marshal
from collections.abc import Container, Mapping

from mmlint.facts.callgraph import Below
from mmlint.facts.index import Place


def dump_below(below: Mapping[Place, Below]) -> bytes:
    """Definitions, each with what it may call."""
    numbers: dict[Place, int] = {}
    rows = []
    for place, (flags, callees) in below.items():
        number = numbers.setdefault(place, len(numbers))
        rows.append((number, flags, tuple([numbers.setdefault(callee, len(numbers)) for callee in callees])))
    return marshal.dumps(([tuple(place) for place in numbers], rows))


def load_below(data: bytes, changed: Container[str]) -> dict[Place, Below]:
    """The same but for what stands in files that are ``changed``, or calls something there.

    Raises ValueError, TypeError or EOFError for what is not such data.
    """
    places, rows = marshal.loads(data)
    known = [Place(*place) for place in places]
    moved = {number for number, place in enumerate(known) if place.path in changed}
    return {
        known[number]: (flags, tuple([known[callee] for callee in callees]))
        for number, flags, callees in rows
        if number not in moved and moved.isdisjoint(callees)
    }
