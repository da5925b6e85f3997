"""GFP flags: whether an allocation with them may sleep.

    sleeping_flag("GFP_KERNEL | __GFP_ZERO", sleepers)                     ->  "GFP_KERNEL"
    sleeping_flag("GFP_KERNEL & ~__GFP_DIRECT_RECLAIM", sleepers)          ->  None

Flags are read as the text of a value; what a variable of unknown value holds is not guessed.
"""

from __future__ import annotations

import re

from mmlint.facts.evaluate import Evaluator
from mmlint.facts.state import State
from mmlint.flow import ir
from mmlint.vocabulary import Sleepers

_CLEARED = re.compile(r"~\s*(\w+|\([^()]*\))")
_WORD = re.compile(r"[A-Za-z_]\w*")


def sleeping_flag(text: str, sleepers: Sleepers) -> str | None:
    """The flag that allows sleeping, None where none is shown to."""
    cleared = {word for match in _CLEARED.findall(text) for word in _WORD.findall(match)}
    given = set(_WORD.findall(_CLEARED.sub("", text)))
    return min(given & sleepers.flags, default=None) if not cleared & sleepers.clearing else None


def sleeper_name(op: ir.Call) -> str:
    """What a person calls it: the function, or the guard with its class."""
    return f"guard({_name(op)})" if op.callee == "guard" else op.callee or ""


def _name(op: ir.Call) -> str:
    first = op.arguments[0] if op.arguments else None
    return first.name if isinstance(first, ir.Name) else ""


def _forbids_faults(graph: ir.Graph, sleepers: Sleepers) -> bool:
    """True for a function that disables page faults, wherever it does: around the copies, for there is no other use."""
    calls = (op for block in graph.blocks for op in block.ops if isinstance(op, ir.Call))
    return any((_name(op) if op.callee == "guard" else op.callee) in sleepers.not_faulting for op in calls)


def sleeps(sleepers: Sleepers, evaluator: Evaluator, state: State, op: ir.Call) -> str | None:
    """The flag that makes a call of the vocabulary sleep, empty where it sleeps anyway, None where it does not."""
    if op.callee in sleepers.always or (op.callee == "guard" and _name(op) in sleepers.guards):
        return ""
    if op.callee in sleepers.faulting:
        return None if _forbids_faults(evaluator.context.graph, sleepers) else ""
    index = sleepers.gfp.get(op.callee or "", -1)
    if index == len(op.arguments) and op.callee in sleepers.optional:
        return ""
    if not 0 <= index < len(op.arguments):
        return None
    return sleeping_flag(str(evaluator.value(op.arguments[index], state)), sleepers)
