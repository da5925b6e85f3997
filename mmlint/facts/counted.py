"""The end of a walk that a counter ends, and not the address:

    for (i = 0; i < nr; i++, addr += PAGE_SIZE, pte++)        ends at addr + nr * PAGE_SIZE
    for (; len; len -= PAGE_SIZE, addr += PAGE_SIZE)          ends at addr + len

A counter and an address belong together where each way around the loop moves both alike. Whether the last value of the
counter is walked too follows from where it is asked: where a turn begins, or where it ends; elsewhere it is given up.
"""

from __future__ import annotations

from typing import NamedTuple

from mmlint.facts.evaluate import Context, Pure
from mmlint.facts.sites import Bound, Counter, Site
from mmlint.flow import ir
from mmlint.flow.values import ONE, PAGE_POLY, ZERO, Poly, Symbol


class _Steps(NamedTuple):
    """What a loop makes of a value: where it starts, and what each way in adds (None for those from outside)."""

    start: Poly
    steps: tuple[Poly | None, ...]

    @property
    def up(self) -> bool | None:
        """True where it only rises, False where it only falls, None where that is not known."""
        signs = {factor > 0 for step in self.steps if step is not None for _, factor in step.terms}
        return signs.pop() if len(signs) == 1 else None


def counted_bounds(context: Context, site: Site, table: Symbol) -> list[Bound]:
    """Bounds on the walk of a table from counters; each has the address where the walk starts."""
    addresses = dict.fromkeys(touch.entry.address for touch in site.touches if touch.entry.table == table)
    found = []
    moving = [address for address in addresses if any(symbol in context.joins for symbol in address.symbols())]
    for counter in site.counters:
        for symbol in counter.difference.symbols():
            ends = [_ends(context, counter, symbol, address) for address in moving]
            # Entries that another loop touches are walked before or behind.
            for start, end in [pair for pairs in ends for pair in pairs] if all(ends) else ():
                found.append(Bound(table, start, end, ir.Const(0), ir.Const(0), counter.span))
    return list(dict.fromkeys(found))


def rounded(context: Context, value: Poly) -> Poly:
    """The value without what cuts it to whole pages: ``X / PAGE_SIZE * PAGE_SIZE`` is X for an address of a page."""
    total = value
    for monomial, factor in value.terms:
        quotient = Poly([(tuple(symbol for symbol in monomial if symbol != PAGE_POLY.as_symbol()), 1)]).as_symbol()
        origin = context.origins.get(quotient) if quotient is not None and len(monomial) == 2 else None
        if isinstance(origin, Pure) and origin.function == "/" and origin.arguments[1] == PAGE_POLY:
            whole = origin.arguments[0]
            if isinstance(whole, Poly):
                scaled = whole.times(Poly.const(factor))
                total = total - Poly([(monomial, factor)]) + (scaled or ZERO)
    return total


def _steps(context: Context, symbol: Symbol) -> _Steps | None:
    starts: set[Poly] = set()
    steps: list[Poly | None] = []
    for incoming in context.joins.get(symbol, ()):
        step = incoming - Poly.symbol(symbol)
        if symbol in incoming.symbols():
            if symbol in step.symbols() or symbol.makers & step.makers:
                return None
            steps.append(step)
        else:
            starts.add(incoming)
            steps.append(None)
    if len(starts) != 1 or not any(step is not None and step.terms for step in steps):
        return None
    return _Steps(starts.pop(), tuple(steps))


def _ends(context: Context, counter: Counter, symbol: Symbol, address: Poly) -> list[tuple[Poly, Poly]]:
    """Where the walk starts and ends, for a counter that meets its limit, and an address that moves with it.

    Where the limit is included, it may be the address of the last page or the last byte: both ends are given.
    """
    counts = _steps(context, symbol)
    own = Poly([(monomial, factor) for monomial, factor in counter.difference.terms if symbol in monomial])
    rest = counter.difference - own
    unit = next((unit for unit in (ONE, PAGE_POLY) if own in (_scaled(symbol, unit), -_scaled(symbol, unit))), None)
    asked = _asked(counter, symbol)
    if counts is None or unit is None or symbol.makers & rest.makers or not asked:
        return []
    factor = 1 if own == _scaled(symbol, unit) else -1
    limit = (-rest).times(Poly.const(factor))
    rising = counts.up if factor > 0 else None if counts.up is None else not counts.up
    one = next((step for step in counts.steps if step is not None and step.terms), ZERO)
    step = one.times(unit) or ZERO
    if limit is None or rising is None:
        return []
    included = counter.op == ("<=" if rising else ">=")
    if included:
        if any(other not in (None, ZERO, one) for other in counts.steps):
            return []
        limit = limit + step
    elif counter.op not in ("!=", "<" if rising else ">"):
        return []
    if asked == "after":
        if any(other not in (None, one) for other in counts.steps):
            return []
        limit = limit + step
    limits = [limit, limit - step + ONE] if included and step == PAGE_POLY else [limit]
    moved = _moved(context, symbol, counts, address)
    if moved is None:
        return []
    start, rate = moved
    if counts.up != all(factor > 0 for _, factor in rate.terms):
        return []
    first = counts.start.times(unit)
    if first is None or (unit == PAGE_POLY and rate != unit):
        return []
    lengths = [(limit - first).times(rate if unit == ONE else ONE) for limit in limits]
    return [(start, start + length) for length in lengths if length is not None]


def _scaled(symbol: Symbol, unit: Poly) -> Poly:
    return Poly.symbol(symbol).times(unit) or ZERO


def _asked(counter: Counter, symbol: Symbol) -> str:
    """Whether the counter is asked "before" a turn touches an entry, or "after"; empty where neither is shown."""
    heads = {int(number) for maker in symbol.makers if (number := maker[1:].partition(".")[0]).isdigit()}
    if len(heads) != 1:
        return ""
    if heads & set(counter.targets):
        return "after"
    return "before" if counter.block in heads and not counter.touches else ""


def _moved(context: Context, symbol: Symbol, counts: _Steps, address: Poly) -> tuple[Poly, Poly] | None:
    """Where an address starts, and by how much it moves for each one that the counter does."""
    own = [(monomial, factor) for monomial, factor in address.terms if symbol in monomial]
    if own:
        base = address - Poly(own)
        rate = Poly([(tuple(s for s in monomial if s != symbol), factor) for monomial, factor in own])
        start = counts.start.times(rate)
        if symbol.makers & base.makers or symbol in rate.symbols() or start is None:
            return None
        return base + start, rate
    for other in address.symbols():
        moves = _steps(context, other) if other.makers == symbol.makers else None
        base = address - Poly.symbol(other)
        if moves is None or len(moves.steps) != len(counts.steps) or symbol.makers & base.makers:
            continue
        for rate in (PAGE_POLY, -PAGE_POLY, Poly.const(1), Poly.const(-1)):
            pairs = zip(counts.steps, moves.steps, strict=True)
            if all((a is None) == (b is None) and (a is None or a.times(rate) == b) for a, b in pairs):
                return base + moves.start, rate
    return None
