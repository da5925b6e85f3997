"""Conditions: what a branch says about values, and what is learned on each of its arms."""

from __future__ import annotations

from mmlint.facts.evaluate import Context, Evaluator, as_poly
from mmlint.facts.objects import NARROW, SCALARS
from mmlint.facts.state import State
from mmlint.flow import ir
from mmlint.flow.values import Entry, Poly, Symbol, Value, is_null

_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_NEGATED = {"eq": "ne", "ne": "eq"}


def relation(evaluator: Evaluator, condition: ir.Expr, state: State) -> tuple[str, Poly] | bool:
    """A condition as ``poly relation 0`` (eq, ne, lt, le), or its truth where the values decide it."""
    if isinstance(condition, ir.Unary) and condition.op == "!":
        inner = relation(evaluator, condition.operand, state)
        return not inner if isinstance(inner, bool) else negate(*inner)
    if isinstance(condition, ir.Binary) and condition.op in _COMPARISONS:
        return _comparison(evaluator, condition, state)
    value = evaluator.value(condition, state)
    if isinstance(value, Entry):
        return _null_test(evaluator, value, "ne")
    return ("ne", value)


def _null_test(evaluator: Evaluator, entry: Entry, wanted: str) -> tuple[str, Poly] | bool:
    if entry.table in evaluator.context.mapped:
        evaluator.context.tested.add(entry.table)
        return wanted == "ne"
    return (wanted, Poly.symbol(Symbol(entry.table, entry.table.makers)))


def _comparison(evaluator: Evaluator, condition: ir.Binary, state: State) -> tuple[str, Poly] | bool:
    left = evaluator.value(condition.left, state)
    right = evaluator.value(condition.right, state)
    op = condition.op
    if op in ("==", "!=") and (is_null(left) or is_null(right)):
        other = right if is_null(left) else left
        if isinstance(other, Entry):
            return _null_test(evaluator, other, "eq" if op == "==" else "ne")
    distance = difference(left, right)
    match op:
        case "==":
            return ("eq", distance)
        case "!=":
            return ("ne", distance)
        case "<":
            return ("lt", distance)
        case "<=":
            return ("le", distance)
        case ">":
            return ("lt", -distance)
        case _:
            return ("le", -distance)


def difference(left: Value, right: Value) -> Poly:
    """``left - right``; of two pointers into one page table that of their addresses."""
    if isinstance(left, Entry) and isinstance(right, Entry) and left.table == right.table:
        return left.address - right.address
    return as_poly(left) - as_poly(right)


def negate(name: str, poly: Poly) -> tuple[str, Poly]:
    """The opposite of ``poly relation 0``."""
    if name in _NEGATED:
        return _NEGATED[name], poly
    return ("le", -poly) if name == "lt" else ("lt", -poly)


def decide(evaluator: Evaluator, condition: ir.Expr, state: State) -> bool | None:
    """Whether the condition is true in the state, or None where both arms may run."""
    found = relation(evaluator, condition, state)
    return found if isinstance(found, bool) else state.truth(*found)


def assume(evaluator: Evaluator, condition: ir.Expr, state: State, outcome: bool) -> None:
    """Learn in ``state`` that the condition came out as ``outcome``."""
    found = relation(evaluator, condition, state)
    if isinstance(found, bool):
        return
    name, poly = found if outcome else negate(*found)
    if poly.as_const() is None:
        state.learn(name, poly)


def positive(context: Context, poly: Poly) -> bool:
    """True when a value is certainly greater than zero: a sum of sizes."""
    arithmetic = context.vocabulary.arithmetic
    return bool(poly.terms) and all(
        factor > 0 and all(symbol in arithmetic.page_size or symbol in arithmetic.pmd_size for symbol in monomial)
        for monomial, factor in poly.terms
    )


def extreme(evaluator: Evaluator, state: State, op: ir.Call) -> Value | None:
    """The argument that the smaller or the larger of two is, where it is known which; None for other functions."""
    arithmetic, name = evaluator.context.vocabulary.arithmetic, op.callee or ""
    if name not in arithmetic.smaller | arithmetic.larger or len(op.arguments) < 2:
        return None
    *types, left, right = op.arguments
    if not all(_is_wide(type_) for type_ in types):
        return None
    return _extreme(
        evaluator, state, name in arithmetic.smaller, evaluator.value(left, state), evaluator.value(right, state)
    )


def _is_wide(type_: ir.Expr) -> bool:
    """True for a type, given as an argument, that holds every address."""
    text = type_.name if isinstance(type_, ir.Name) else type_.text if isinstance(type_, ir.Opaque) else ""
    return text in SCALARS - NARROW


def _extreme(evaluator: Evaluator, state: State, smaller: bool, left: Value, right: Value) -> Value | None:
    if not isinstance(left, Poly) or not isinstance(right, Poly):
        return None
    if state.equal(left, right):
        return left
    if positive(evaluator.context, right - left) or state.truth("le", left - right):
        return left if smaller else right
    if positive(evaluator.context, left - right) or state.truth("le", right - left):
        return right if smaller else left
    return None
