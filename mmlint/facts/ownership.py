"""Which mm owns a page table.

A map call names its mm, or is for kernel tables, or takes a pmd whose own history leads to an mm: pmd_offset() of a
pud, and so on up to pgd_offset(mm, addr). The pmd of a walk callback belongs to the mm being walked.
"""

from __future__ import annotations

from mmlint.facts.evaluate import Context, Evaluator, Loaded, Returned, as_poly
from mmlint.facts.state import State
from mmlint.flow import ir
from mmlint.flow.values import Poly, Symbol, Value
from mmlint.vocabulary import MapCall

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
    owner = _owner_of_pmd(context, pmd)
    if owner is None and call.usually_kernel:
        return kernel_mm(context), f"{call.name}() is for kernel page tables"
    return owner, ""


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


def contract_equal(context: Context, left: Value, right: Value) -> str:
    """The text of the kernel rule by which two mm values are one, or empty.

    The rule speaks of the objects that the function was given; with two of a kind it does not say which.
    """
    paths = []
    for value in (left, right):
        symbol = as_poly(value).as_symbol()
        origin = context.origins.get(symbol) if symbol is not None else None
        if not isinstance(origin, Loaded) or not is_given(context, origin.base, origin.struct):
            return ""
        paths.append(f"{origin.struct}.{origin.field}")
    for rule in context.vocabulary.equals:
        if {rule.left, rule.right} == set(paths):
            return rule.text
    return ""


def is_given(context: Context, value: Value, struct: str) -> bool:
    """True when the object is the only one of its type that comes from the function's parameters."""
    objects = [
        symbol for symbol, type_ in context.types.items() if type_ == struct and from_parameters(context, symbol)
    ]
    if _has_named(context, struct):
        # The VMA of the walk is meant, and not one out of its private data.
        objects = [symbol for symbol in objects if _is_named(context, symbol)]
    return isinstance(value, Poly) and [value.as_symbol()] == objects


def _has_named(context: Context, struct: str) -> bool:
    """True when a field that the vocabulary knows leads from a parameter to an object of this type."""
    parameters = [variable for variable in context.graph.variables.values() if variable.parameter >= 0]
    types = {variable.type.removeprefix("struct ") for variable in parameters}
    leads = (path.partition(".")[0] for path, type_ in context.vocabulary.types.items() if type_ == f"struct {struct}")
    return any(type_ in types for type_ in leads)


def _is_named(context: Context, symbol: Symbol) -> bool:
    """True for a parameter, and for what a field that the vocabulary knows leads to."""
    origin = context.origins.get(symbol)
    return not isinstance(origin, Loaded) or f"{origin.struct}.{origin.field}" in context.vocabulary.types


def from_parameters(context: Context, symbol: Symbol | None) -> bool:
    """True when a value is a parameter, or a field reached from one."""
    for _ in range(8):
        if symbol is None:
            return False
        if any(name.name == symbol for name in context.graph.parameters):
            return True
        origin = context.origins.get(symbol)
        symbol = origin.base.as_symbol() if isinstance(origin, Loaded) and isinstance(origin.base, Poly) else None
    return False
