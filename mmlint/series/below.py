"""What lies below the functions of a tree, kept from one analysis of a file for the next version of that file.

    data = dump_below(graph.below, tree.identity)
    load_below(data, later.identity)    ->  {Place("mm/swap.c", "folio_add_lru", ...): (flags, (Place(...), ...)), ...}

A file is one of hundreds that its analysis looks into, and a patch of it leaves what lies below the others as it was.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping

from mmlint.facts.callgraph import Below
from mmlint.facts.index import Place


def dump_below(below: Mapping[Place, Below], identity: Callable[[str], str | None]) -> bytes:
    """Definitions, each with what it may call; ``identity`` tells one version of a file from another."""
    numbers: dict[Place, int] = {}
    rows = []
    for place, (flags, callees) in below.items():
        number = numbers.setdefault(place, len(numbers))
        rows.append((number, flags, tuple([numbers.setdefault(callee, len(numbers)) for callee in callees])))
    files = {path: identity(path) for path in dict.fromkeys(place.path for place in numbers)}
    return marshal.dumps((files, [tuple(place) for place in numbers], rows))


def load_below(data: bytes, identity: Callable[[str], str | None]) -> dict[Place, Below]:
    """The same but for what stands in files of another version, or calls something there: it has moved, if no more.

    Raises ValueError, TypeError or EOFError for what is not such data.
    """
    files, places, rows = marshal.loads(data)
    changed = {path for path, version in files.items() if identity(path) != version}
    known = [Place(*place) for place in places]
    moved = {number for number, place in enumerate(known) if place.path in changed}
    return {
        known[number]: (flags, tuple([known[callee] for callee in callees]))
        for number, flags, callees in rows
        if number not in moved and moved.isdisjoint(callees)
    }
