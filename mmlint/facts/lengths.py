"""Lengths that other functions compute: may ``addr + length(addr, ...)`` lie behind the page table of ``addr``?

    extent = get_extent(NORMAL_PMD, old_addr, old_end, new_addr);
    move_ptes(vma, old_pmd, old_addr, old_addr + extent, ...);

The function is looked at for the arguments that are known. On every way out its result has to be at most the distance
from the address to the end of its page table.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mmlint.facts.callgraph import home_of
from mmlint.facts.dataflow import Dataflow
from mmlint.facts.evaluate import Context, Evaluator, Returned
from mmlint.facts.file import Called, FileAnalysis
from mmlint.facts.observer import Observer
from mmlint.facts.state import State
from mmlint.flow import ir
from mmlint.flow.values import Poly, Symbol, Value
from mmlint.source import Span

_DEPTH = 8


@dataclass
class _Results(Observer):
    """The value that each way out returns, with the state it does so in, and where."""

    evaluator: Evaluator
    found: list[tuple[State, Poly, Span]] = field(default_factory=list)

    def leave(self, state: State, terminator: ir.Return) -> None:
        if terminator.value is not None:
            self.found.append((state.copy(), self.evaluator.poly(terminator.value, state), terminator.span))


@dataclass
class _Arguments(Observer):
    """The values of the arguments of one call, in every state that reaches it."""

    evaluator: Evaluator
    span: Span
    found: dict[tuple[Value, ...], None] = field(default_factory=dict)

    def call(self, state: State, op: ir.Call) -> None:
        if op.span == self.span:
            self.found.setdefault(tuple(self.evaluator.value(argument, state) for argument in op.arguments))


def stays_in_table(
    analysis: FileAnalysis, dataflow: Dataflow, call: Returned, addr: Poly
) -> tuple[FileAnalysis, Span] | None:
    """Where the result of a call is shown to reach no further than the page table of ``addr``, an argument; or None."""
    given = _Arguments(Evaluator(dataflow.context), call.span)
    dataflow.observe(given)
    shown = [_with(analysis, call.callee, arguments, addr) for arguments in given.found]
    return shown[0] if shown and all(shown) else None


def _with(
    analysis: FileAnalysis, callee: str, arguments: tuple[Value, ...], addr: Poly
) -> tuple[FileAnalysis, Span] | None:
    positions = [index for index, value in enumerate(arguments) if value == addr]
    home = home_of(analysis, callee)
    if home is None or not positions:
        return None
    given = {index: value for index, value in enumerate(arguments) if _is_constant(value)}
    texts, unsolved = home.called(callee, False, given)
    if unsolved or not texts:
        return None
    spans = [_shown(text, index) for text in texts for index in positions[:1]]
    return (home, spans[0]) if spans[0] is not None and all(span is not None for span in spans) else None


def _is_constant(value: Value) -> bool:
    if not isinstance(value, Poly):
        return False
    return all(symbol.isidentifier() and symbol.isupper() and not symbol.makers for symbol in value.symbols())


def _shown(text: Called, index: int) -> Span | None:
    """Where one text of the function returns, if that is always within the table."""
    context = text.dataflow.context
    evaluator = Evaluator(context)
    parameters = text.dataflow.graph.parameters
    if index >= len(parameters):
        return None
    start = Poly.symbol(Symbol(parameters[index].name))
    results = _Results(evaluator)
    text.dataflow.observe(results)
    limits = _limits(context, evaluator, start)
    if not results.found or not all(
        any(_at_most(context, state, value, limit) for limit in limits) for state, value, _ in results.found
    ):
        return None
    return results.found[0][2]


def _limits(context: Context, evaluator: Evaluator, start: Poly) -> list[Poly]:
    """Distances from an address to the end of its page table, as the function may spell them."""
    arithmetic = context.vocabulary.arithmetic
    found = []
    for size in sorted(arithmetic.pmd_size):
        for mask in sorted(arithmetic.pmd_mask):
            table = evaluator.binary("&", start + Poly.symbol(Symbol(size)), Poly.symbol(Symbol(mask)))
            if isinstance(table, Poly):
                found.append(table - start)
    return found


def _at_most(context: Context, state: State, value: Poly, limit: Poly, depth: int = 0) -> bool:
    """True when ``value`` is shown to be at most ``limit``."""
    if value == limit or state.truth("le", value - limit) is True:
        return True
    symbol = value.as_symbol()
    uppers = context.uppers.get(symbol, ()) if symbol is not None and depth < _DEPTH else ()
    return any(_at_most(context, state, upper, limit, depth + 1) for upper in uppers)
