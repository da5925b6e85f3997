"""Does [addr, end) stay in one page table?

The answer may lie in the function itself (``end = pmd_addr_end(addr, end)``), in the contract of the ops struct that
the function stands in, or in its callers, which are asked the same question about the arguments they pass. Outside
of a tree, callers in other files are not seen: then the bound is assumed, and the assumption says whom it trusts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mmlint.facts.conditions import positive
from mmlint.facts.evaluate import Context, Evaluator, Loaded, Pure, Returned, as_poly
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.lengths import stays_in_table
from mmlint.facts.sections import Evidence, Status
from mmlint.flow.ir import Call
from mmlint.flow.values import PAGE_POLY, Poly, Symbol

_DEPTH = 5


class BoundFact(NamedTuple):
    """What is known of one pair (addr, end)."""

    status: Status
    because: tuple[Evidence, ...] = ()
    contract: bool = False
    reason: str = ""


def descends(context: Context, value: Poly, root: Poly, seen: frozenset[Symbol] = frozenset()) -> bool:
    """True when ``value`` is ``root`` or was only ever advanced from it.

    Counts of pages that are added to an address are taken to be non-negative, as every batch function promises.
    """
    if value == root:
        return True
    rest = value - root
    if (
        rest.terms
        and all(factor > 0 for _, factor in rest.terms)
        and not any(len(monomial) == 1 and monomial[0] in context.joins for monomial, _ in rest.terms)
    ):
        return True
    for monomial, factor in value.terms:
        if factor != 1 or len(monomial) != 1:
            continue
        symbol = monomial[0]
        if symbol in seen:
            return all(f > 0 for m, f in value.terms if m != monomial)
        incoming = context.joins.get(symbol)
        if incoming is None or any(f < 0 for m, f in value.terms if m != monomial):
            continue
        if all(descends(context, poly, root, seen | {symbol}) for poly in incoming):
            return True
    return False


def _clamp(context: Context, addr: Poly, end: Poly) -> BoundFact | None:
    """A bound that the function computes itself."""
    wide = _wider(context, end)
    if wide is not None:
        return wide
    symbols = [symbol for symbol in end.symbols() if isinstance(context.origins.get(symbol), Pure)]
    for symbol in symbols:
        origin = context.origins[symbol]
        assert isinstance(origin, Pure)
        rest = end - Poly.symbol(symbol)
        bound = context.vocabulary.bounds.get(origin.function)
        if bound is not None and bound.addr < len(origin.arguments):
            start = as_poly(origin.arguments[bound.addr])
            because = (Evidence(origin.span, bound.text),) if origin.span else ()
            if not rest.terms and descends(context, addr, start):
                return BoundFact(Status.PROVEN, because)
            if not rest.terms and positive(context, start - addr):
                return BoundFact(Status.REFUTED, because, reason=f"it is that of {start.label}")
            if positive(context, rest) and descends(context, addr, start):
                return BoundFact(Status.REFUTED, because, reason=f"{rest} is added to the end of the page table")
        if not rest.terms and origin.function in context.vocabulary.arithmetic.smaller:
            for argument in origin.arguments:
                known = _clamp(context, addr, as_poly(argument))
                if known is not None and known.status is Status.PROVEN:
                    return known
    return _next_table(context, addr, end)


def _by_length(analysis: FileAnalysis, solved: Solved, addr: Poly, end: Poly) -> BoundFact | None:
    """A bound that the function has another one compute: ``end = addr + get_extent(...)``."""
    length = (end - addr).as_symbol()
    origin = solved.dataflow.context.origins.get(length) if length is not None else None
    if not isinstance(origin, Returned):
        return None
    shown = stays_in_table(analysis, solved.dataflow, origin, addr)
    if shown is None:
        return None
    home, span = shown
    elsewhere = None if home is analysis else home.source.locate(span)
    line = Evidence(span, f"{origin.callee}() returns no more than what is left of the page table", elsewhere)
    return BoundFact(Status.PROVEN, (line,))


def _wider(context: Context, end: Poly) -> BoundFact | None:
    """An end that the vocabulary says to be that of something larger than a page table."""
    symbol = end.as_symbol()
    origin = context.origins.get(symbol) if symbol is not None else None
    if isinstance(origin, Loaded):
        found = context.vocabulary.wider.get(f"{origin.struct}.{origin.field}")
        return BoundFact(Status.REFUTED, (), reason=found.text) if found is not None else None
    if not isinstance(origin, Pure | Returned):
        return None
    found = context.vocabulary.wider.get(origin.function if isinstance(origin, Pure) else origin.callee)
    if found is None:
        return None
    because = (Evidence(origin.span, found.text),) if origin.span is not None else ()
    return BoundFact(Status.REFUTED, because, reason=found.text)


def _next_table(context: Context, addr: Poly, end: Poly) -> BoundFact | None:
    """``(addr & PMD_MASK) + PMD_SIZE`` and ``(addr + PMD_SIZE) & PMD_MASK``."""
    arithmetic = context.vocabulary.arithmetic
    for size_name in arithmetic.pmd_size:
        size = Poly.symbol(Symbol(size_name))
        for base, inner in ((end - size, addr), (end, addr + size)):
            symbol = base.as_symbol()
            origin = context.origins.get(symbol) if symbol is not None else None
            if isinstance(origin, Pure) and origin.function == "&":
                whole, mask = (as_poly(argument) for argument in origin.arguments)
                if mask.as_symbol() in arithmetic.pmd_mask and whole == inner:
                    return BoundFact(Status.PROVEN, (), reason="end is the end of the page table of addr")
        distance = end - addr
        if distance == PAGE_POLY:
            return BoundFact(Status.PROVEN, (), reason="it is one entry")
        if distance == size + size or positive(context, distance - size):
            return BoundFact(Status.REFUTED, (), reason=f"it is {distance} long, more than one page table")
    return None


def bounded(
    analysis: FileAnalysis, solved: Solved, addr: Poly, end: Poly, depth: int = 0, seen: frozenset[str] = frozenset()
) -> BoundFact:
    """What is known of [addr, end), both values in ``solved``."""
    context = solved.dataflow.context
    known = _clamp(context, addr, end) or _by_length(analysis, solved, addr, end)
    if known is not None:
        return known
    for i, j, extra in _parameters(solved, addr, end):
        fact = _from_outside(analysis, solved.name, i, j, depth, seen | {solved.name})
        if not extra.terms:
            return fact
        if fact.status is Status.PROVEN or fact.contract:
            return BoundFact(Status.REFUTED, fact.because, reason=f"{extra} is added to an end that is bounded already")
        if any(positive(context, extra - size) or extra == size for size in _table_sizes(context)):
            return BoundFact(Status.REFUTED, reason=f"{extra} is added to the end of the range")
    if _grows(context, end):
        return BoundFact(Status.REFUTED, reason="the end is moved up on every turn")
    if end - addr in _table_sizes(context) and ends_given_with(analysis, solved, addr, depth, seen):
        return BoundFact(Status.REFUTED, reason="the walk may begin in the middle of the page table")
    wide = _wide_parameter(analysis, solved, end, depth, seen)
    return wide or BoundFact(Status.UNKNOWN, reason=_why_not(solved, addr, end))


def _why_not(solved: Solved, addr: Poly, end: Poly) -> str:
    """Why nothing is known: an address that comes in a structure, and a length beside it, are not followed."""
    context = solved.dataflow.context
    names = {name.name for name in solved.dataflow.graph.parameters}
    symbol = addr.as_symbol()
    origin = context.origins.get(symbol) if symbol is not None else None
    if isinstance(origin, Loaded) and str(origin.base) in names and (end - addr).as_symbol() in names:
        where = f"{origin.base}->{origin.field}"
        return f"{where} and {end - addr} come by different ways, and what is called in between may write {where}"
    return "nothing relates addr and end to a page table"


def _wide_parameter(
    analysis: FileAnalysis, solved: Solved, end: Poly, depth: int, seen: frozenset[str]
) -> BoundFact | None:
    """An end that is a parameter, for which some caller of the file passes that of something larger than a table.

    Where the address is not followed, this still shows that nothing keeps the two together.
    """
    names = [Symbol(name.name) for name in solved.dataflow.graph.parameters]
    symbol = end.as_symbol()
    if symbol not in names or depth >= _DEPTH:
        return None
    index = names.index(symbol)
    for caller in [caller for caller in analysis.callers(solved.name) if caller not in seen]:
        for one in analysis.solve(caller)[0]:
            for (_, limit, _), op in _arguments(one, solved.name, index, index).items():
                wide = _wider(one.dataflow.context, limit)
                wide = wide or _wide_parameter(analysis, one, limit, depth + 1, seen | {solved.name})
                if wide is not None:
                    text = " ".join(analysis.source.text(op.argument_spans[index]).split())
                    place = Evidence(op.span, f"{caller}() calls it with {text} as end")
                    return wide._replace(because=(*wide.because, place))
    return None


def _grows(context: Context, end: Poly) -> bool:
    """True when a loop adds to the end."""
    return any(
        positive(context, incoming - Poly.symbol(symbol))
        for symbol in end.symbols()
        for incoming in context.joins.get(symbol, ())
    )


def _table_sizes(context: Context) -> list[Poly]:
    return [Poly.symbol(Symbol(name)) for name in sorted(context.vocabulary.arithmetic.pmd_size)]


def ends_given_with(
    analysis: FileAnalysis, solved: Solved, addr: Poly, depth: int = 0, seen: frozenset[str] = frozenset()
) -> list[Symbol]:
    """The parameters that callers or a contract give as an end in the same table, where addr is a parameter."""
    names = [Symbol(name.name) for name in solved.dataflow.graph.parameters]
    symbol = addr.as_symbol()
    if symbol not in names:
        return []
    start = names.index(symbol)
    return [
        name
        for other, name in enumerate(names)
        if other != start
        for fact in [_from_outside(analysis, solved.name, start, other, depth, seen | {solved.name})]
        if fact.status is Status.PROVEN or fact.contract
    ]


def _parameters(solved: Solved, addr: Poly, end: Poly) -> Iterator[tuple[int, int, Poly]]:
    """Pairs of parameters that addr and end come from, and what is added to the end."""
    context = solved.dataflow.context
    names = solved.dataflow.graph.parameters
    values = [Poly.symbol(Symbol(name.name)) for name in names]
    for j, bound in enumerate(values):
        extra = end - bound
        if extra.terms and not positive(context, extra):
            continue
        for i, start in enumerate(values):
            if i != j and descends(context, addr, start):
                yield i, j, extra


def _arguments(solved: Solved, callee: str, i: int, j: int) -> dict[tuple[Poly, Poly, int], Call]:
    """The values of arguments i and j at every call of a function: (addr, end, place) to call."""
    evaluator = Evaluator(solved.dataflow.context)
    found: dict[tuple[Poly, Poly, int], Call] = {}
    for state, op in solved.dataflow.calls_of(callee):
        if max(i, j) < len(op.arguments):
            addr, end = evaluator.poly(op.arguments[i], state), evaluator.poly(op.arguments[j], state)
            found.setdefault((addr, end, op.span.start), op)
    return found


def _from_outside(analysis: FileAnalysis, name: str, i: int, j: int, depth: int, seen: frozenset[str]) -> BoundFact:
    """What the contract and the callers of a function say of its parameters i and j."""
    facts = []
    for callback, place in analysis.callbacks(name):
        if (callback.addr, callback.end) == (i, j) and callback.wide:
            facts.append(BoundFact(Status.REFUTED, (Evidence(place, callback.text),), reason=callback.text))
        elif (callback.addr, callback.end) == (i, j):
            facts.append(BoundFact(Status.ASSUMED, (Evidence(place, callback.text),), contract=True))
        else:
            facts.append(BoundFact(Status.UNKNOWN, (Evidence(place, "stands in an ops struct here"),)))
    callers = [caller for caller in analysis.callers(name) if caller not in seen]
    if depth < _DEPTH:
        for caller in callers:
            facts.extend(_at_caller(analysis, caller, name, i, j, depth, seen))
    escape = analysis.escapes(name)
    if escape is not None:
        line = Evidence(escape, f"{name}() is called through a pointer")
        facts.append(BoundFact(Status.ASSUMED, (line,), reason=f"whoever calls {name}() is trusted to bound it"))
    if analysis.is_static(name):
        pass
    elif analysis.graph is not None and analysis.graph.whole and depth < _DEPTH:
        for other in analysis.graph.callers(name, analysis.path):
            facts.extend(_in_other_file(analysis.graph.analysis(other), name, i, j, depth, seen))
    else:
        facts.append(
            BoundFact(
                Status.ASSUMED,
                (),
                reason=f"callers of {name}() in other files are trusted to keep it in one page table",
            )
        )
    if not facts:
        return BoundFact(
            Status.ASSUMED, (), reason=f"trusted to stay in one page table: nothing in this file calls {name}()"
        )
    return _all_of(facts)


def _in_other_file(
    other: FileAnalysis, name: str, i: int, j: int, depth: int, seen: frozenset[str]
) -> Iterator[BoundFact]:
    """What the ops structs and the callers in another file say, the evidence with its place there."""
    facts = []
    for callback, place in other.callbacks(name):
        line = (Evidence(place, callback.text),)
        if (callback.addr, callback.end) != (i, j):
            facts.append(BoundFact(Status.UNKNOWN, (Evidence(place, "stands in an ops struct here"),)))
        elif callback.wide:
            facts.append(BoundFact(Status.REFUTED, line, reason=callback.text))
        else:
            facts.append(BoundFact(Status.ASSUMED, line, contract=True))
    for caller in other.callers(name) if name not in other.definitions else ():
        if caller not in seen:
            facts.extend(_at_caller(other, caller, name, i, j, depth, seen))
    escape = other.escapes(name) if not facts else None
    if escape is not None:
        line = (Evidence(escape, f"{name}() is called through a pointer"),)
        facts.append(BoundFact(Status.ASSUMED, line, reason=f"whoever calls {name}() is trusted to bound it"))
    for fact in facts:
        yield fact._replace(because=tuple(step.placed(other.source) for step in fact.because))


def _at_caller(
    analysis: FileAnalysis, caller: str, name: str, i: int, j: int, depth: int, seen: frozenset[str]
) -> list[BoundFact]:
    solved, unsolved = analysis.solve(caller)
    facts = [
        BoundFact(Status.ASSUMED, (Evidence(item.span, f"{caller}() is not analysed: {item.reason}"),))
        for item in unsolved
    ]
    for one in solved:
        for (addr, end, _), op in _arguments(one, name, i, j).items():
            fact = bounded(analysis, one, addr, end, depth + 1, seen)
            text = analysis.source.text(op.argument_spans[j])
            place = Evidence(op.span, f"{caller}() calls it with {' '.join(text.split())} as end")
            if fact.status is Status.UNKNOWN:
                reason = f"{caller}() is trusted to keep it in one page table: {fact.reason}"
                fact = BoundFact(Status.ASSUMED, fact.because, reason=reason)
            facts.append(BoundFact(fact.status, (*fact.because, place), fact.contract, fact.reason))
    return facts


_ORDER = (Status.REFUTED, Status.UNKNOWN, Status.ASSUMED, Status.PROVEN)


def _all_of(facts: list[BoundFact]) -> BoundFact:
    """The weakest of several facts that must all hold, with the evidence of those that decide."""
    worst = min(facts, key=lambda fact: (_ORDER.index(fact.status), fact.contract))
    because = tuple(dict.fromkeys(e for fact in facts if fact.status is worst.status for e in fact.because))
    return BoundFact(worst.status, because, worst.contract, worst.reason)
