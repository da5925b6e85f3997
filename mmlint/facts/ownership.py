"""Which mm owns a page table.

A map call names its mm, or is for kernel tables, or takes a pmd whose own history leads to an mm: pmd_offset() of a pud,
and so on up to pgd_offset(mm, addr). The pmd of a walk callback belongs to the mm being walked.
"""

from __future__ import annotations

from mmlint.facts.evaluate import Context, Evaluator, Returned
from mmlint.facts.state import State
from mmlint.flow import ir
from mmlint.flow.values import Poly, Symbol, Value
from mmlint.kernel import MapCall

_STEPS = 8


def kernel_mm(context: Context) -> Poly:
    """The value of ``&init_mm``."""
    return Poly.symbol(Symbol("&" + context.vocabulary.arithmetic.kernel_mm))


def owner_of(
    context: Context, evaluator: Evaluator, call: MapCall, op: ir.Call, state: State, pmd: Value | None
) -> tuple[Value | None, str]:
    """The mm that owns the table a map call gives, and the text of the contract it follows from (or empty)."""
    if call.kernel:
        return kernel_mm(context), ""
    if 0 <= call.mm < len(op.arguments):
        return evaluator.value(op.arguments[call.mm], state), ""
    return _owner_of_pmd(context, pmd), ""


def _owner_of_pmd(context: Context, value: Value | None) -> Value | None:
    for _ in range(_STEPS):
        if not isinstance(value, Poly):
            return None
        origin = next(
            (found for symbol in value.symbols() if isinstance(found := context.origins.get(symbol), Returned)), None
        )
        if origin is None or origin.callee not in context.vocabulary.levels:
            return None
        level = context.vocabulary.levels[origin.callee]
        if level.kernel:
            return kernel_mm(context)
        if 0 <= level.mm < len(origin.arguments):
            return origin.arguments[level.mm]
        if not 0 <= level.parent < len(origin.arguments):
            return None
        value = origin.arguments[level.parent]
    return None
