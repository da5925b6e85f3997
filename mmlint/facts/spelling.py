"""From values back to source text: which names hold a value at a point.

Names never decide a verdict; they choose between candidates that are equal in value.
"""

from __future__ import annotations

from mmlint.facts.evaluate import Context, Loaded
from mmlint.facts.state import Field, State
from mmlint.flow.ir import Name
from mmlint.flow.values import Poly, Value
from mmlint.source import Span


def visible(context: Context, name: Name, at: Span) -> bool:
    """True when the local or parameter can be used at ``at``, and means this declaration there."""
    variable = context.graph.variables.get(name)
    if variable is None or not variable.scope.covers(at):
        return False
    hiding = (
        other
        for other in context.graph.variables.values()
        if other.name.name == name.name and other.name != name and other.scope.covers(at)
    )
    return all(other.scope.start < variable.scope.start for other in hiding)


def names_of(context: Context, state: State, value: Value, at: Span) -> list[Name]:
    """Visible variables that hold ``value``, in the order of their declaration."""
    names = [
        place
        for place, held in state.values.items()
        if isinstance(place, Name) and state.equal(held, value) and visible(context, place, at)
    ]
    return sorted(names, key=lambda name: (context.graph.variables[name].scope.start, name.name))


def spell(context: Context, state: State, value: Value, at: Span) -> str:
    """Text that has this value here: a name, a global's address, a stable field of something that can be spelled.

    Empty when there is none.
    """
    names = names_of(context, state, value, at)
    if names:
        return names[0].name
    symbol = value.as_symbol() if isinstance(value, Poly) else None
    if symbol is None:
        return ""
    if symbol.startswith("&") and symbol[1:].isidentifier() and Name(str(symbol[1:])) not in context.graph.variables:
        return str(symbol)
    origin = context.origins.get(symbol)
    if isinstance(origin, Loaded):
        base = spell(context, state, origin.base, at)
        spot = Field(origin.base, origin.field)
        stable = f"{origin.struct}.{origin.field}" in context.vocabulary.stable
        if base and (stable or state.values.get(spot) == value):
            return f"{base}->{origin.field}"
    return ""
