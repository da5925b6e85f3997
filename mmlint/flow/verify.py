"""The laws of a control flow graph.

    verify(graph)    ->    ["b3: t7 is used before it is defined", ...]

A list that is not empty means that lowering has a fault. What is checked: block 0 is the entry and nothing goes back to
it; every target is a block; every block can be reached; blocks stand in reverse postorder; spans lie in the function;
a temporary is defined on every path to its use; expressions have the shapes that `mmlint.flow.ir` allows; variables
are used behind their declaration. Whether all of the source is in the graph is asked by `mmlint.flow.coverage`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from mmlint.flow.ir import (
    AddressOf,
    Assign,
    Binary,
    Branch,
    Call,
    Cast,
    Declare,
    Deref,
    Expr,
    Graph,
    Index,
    Load,
    Member,
    Name,
    Op,
    Return,
    Store,
    Switch,
    Temp,
    Terminator,
    Unary,
    successors,
)

_MEMORY = (Member, Deref, Index)


def verify(graph: Graph) -> list[str]:
    """The broken laws, in block order; an empty list for a sound graph."""
    if not graph.blocks:
        return ["no entry block"]
    wrong_targets = list(_wrong_targets(graph))
    if wrong_targets:
        return wrong_targets
    return [*_order(graph), *_spans(graph), *_shapes(graph), *_names(graph), *_temporaries(graph)]


def _wrong_targets(graph: Graph) -> Iterator[str]:
    for index, block in enumerate(graph.blocks):
        for target in successors(block.terminator):
            if not 0 <= target < len(graph.blocks):
                yield f"b{index}: goes to b{target}, which is not there"
            elif target == 0:
                yield f"b{index}: goes back to the entry"


def _order(graph: Graph) -> Iterator[str]:
    """Reachability, and that every edge goes forward but those that close a loop."""
    postorder, back = _depth_first(graph)
    if len(postorder) < len(graph.blocks):
        lost = sorted(set(range(len(graph.blocks))) - set(postorder))
        yield from (f"b{index}: cannot be reached" for index in lost)
        return
    for index, block in enumerate(graph.blocks):
        for target in successors(block.terminator):
            if target <= index and (index, target) not in back:
                yield f"b{index}: b{target} stands before it without closing a loop"


def _depth_first(graph: Graph) -> tuple[list[int], set[tuple[int, int]]]:
    """Postorder, and the edges to a block that is still open; the same walk in any order finds both."""
    postorder: list[int] = []
    back: set[tuple[int, int]] = set()
    seen, open_ = {0}, {0}
    stack = [(0, list(successors(graph.blocks[0].terminator)))]
    while stack:
        block, left = stack[-1]
        if not left:
            postorder.append(block)
            open_.discard(block)
            stack.pop()
            continue
        target = left.pop()
        if target in open_:
            back.add((block, target))
        if target not in seen:
            seen.add(target)
            open_.add(target)
            stack.append((target, list(successors(graph.blocks[target].terminator))))
    return postorder, back


def _spans(graph: Graph) -> Iterator[str]:
    for index, block in enumerate(graph.blocks):
        spans = [op.span for op in block.ops] + [block.terminator.span]
        for op in block.ops:
            if isinstance(op, Call):
                spans += [*op.argument_spans, op.name_span]
                if len(op.argument_spans) != len(op.arguments):
                    yield f"b{index}: {op.callee} has {len(op.arguments)} arguments and {len(op.argument_spans)} spans"
        for span in spans:
            if not graph.span.covers(span):
                yield f"b{index}: bytes {span.start} to {span.end} lie outside the function"
    for variable in graph.variables.values():
        if not graph.span.covers(variable.scope):
            yield f"{variable.name.name}: its scope lies outside the function"


# ---------------------------------------------------------------- expressions


def _shapes(graph: Graph) -> Iterator[str]:
    for index, block in enumerate(graph.blocks):
        for op in block.ops:
            place = op.place if isinstance(op, Load | Store) else None
            if place is not None and not isinstance(place, _MEMORY):
                yield f"b{index}: {type(op).__name__} of {type(place).__name__}, which is no memory"
            if isinstance(op, Call) and (op.callee is None) == (op.pointer is None):
                yield f"b{index}: a call needs a name or a pointer, not both"
        values = chain(chain.from_iterable(map(_values, block.ops)), _tested(block.terminator))
        for value in values:
            yield from (f"b{index}: {fault}" for fault in _value_faults(value))


def _values(op: Op) -> Iterator[Expr]:
    """The values in an op; of a place, those that lead to it."""
    match op:
        case Assign(_, value):
            yield value
        case Load(_, place):
            yield from _leading(place)
        case Store(place, value):
            yield from _leading(place)
            yield value
        case Call():
            yield from op.arguments
            if op.pointer is not None:
                yield op.pointer
        case Declare():
            pass


def _tested(terminator: Terminator) -> Iterator[Expr]:
    match terminator:
        case Branch(condition):
            yield condition
        case Switch(value, cases):
            yield value
            for low, high, _ in cases:
                yield low
                yield high
        case Return(value) if value is not None:
            yield value


def _leading(place: Expr) -> Iterator[Expr]:
    while isinstance(place, Member) and not place.arrow:
        place = place.base
    match place:
        case Member(base):
            yield base
        case Deref(pointer):
            yield pointer
        case Index(base, index):
            yield base
            yield index
        case _:
            yield place


def _value_faults(value: Expr) -> Iterator[str]:
    match value:
        case Member() | Deref() | Index():
            yield f"{type(value).__name__} read without a load"
        case AddressOf(place):
            for inner in _leading(place):
                yield from _value_faults(inner)
        case Unary(op, operand):
            if op not in ("-", "~", "!"):
                yield f"no such operator: {op}"
            yield from _value_faults(operand)
        case Binary(op, left, right):
            if op not in _OPERATORS:
                yield f"no such operator: {op}"
            yield from _value_faults(left)
            yield from _value_faults(right)
        case Cast(_, operand):
            yield from _value_faults(operand)


_OPERATORS = frozenset(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">="])


def _leaves(value: Expr) -> Iterator[Name | Temp]:
    match value:
        case Name() | Temp():
            yield value
        case AddressOf(inner) | Deref(inner) | Unary(_, inner) | Cast(_, inner) | Member(inner):
            yield from _leaves(inner)
        case Index(left, right) | Binary(_, left, right):
            yield from _leaves(left)
            yield from _leaves(right)


# ---------------------------------------------------------------- names and temporaries


def _names(graph: Graph) -> Iterator[str]:
    """Parameters and what is declared are variables; a variable is declared or assigned before its uses in the text."""
    for name in graph.parameters:
        if name not in graph.variables:
            yield f"{name.name}: a parameter that is no variable"
    for name, variable in graph.variables.items():
        if name != variable.name:
            yield f"{name.name}: filed under another name"
    for index, block in enumerate(graph.blocks):
        for op in block.ops:
            if isinstance(op, Declare) and op.target not in graph.variables:
                yield f"b{index}: {op.target.name} is declared and no variable"
            for name in (leaf for value in _values(op) for leaf in _leaves(value) if isinstance(leaf, Name)):
                known = graph.variables.get(name)
                if known is not None and op.span.end <= known.scope.start and known.parameter < 0:
                    yield f"b{index}: {name.name} is used before its declaration"


def _temporaries(graph: Graph) -> Iterator[str]:
    """Every temporary is defined on all paths to its use."""
    gained = [frozenset(_defined(op) for op in block.ops) - {None} for block in graph.blocks]
    arriving: list[frozenset[Temp | None] | None] = [None] * len(graph.blocks)
    arriving[0] = frozenset()
    waiting = [0]
    while waiting:
        index = waiting.pop()
        leaving = (arriving[index] or frozenset()) | gained[index]
        for target in successors(graph.blocks[index].terminator):
            before = arriving[target]
            after = leaving if before is None else before & leaving
            if after != before:
                arriving[target] = after
                waiting.append(target)
    for index, block in enumerate(graph.blocks):
        known = set(arriving[index] or ())
        for op in block.ops:
            yield from _undefined(index, _values(op), known)
            known.add(_defined(op))
        yield from _undefined(index, _tested(block.terminator), known)


def _defined(op: Op) -> Temp | None:
    target = None if isinstance(op, Store | Declare) else op.target
    return target if isinstance(target, Temp) else None


def _undefined(index: int, values: Iterator[Expr], known: set[Temp | None]) -> Iterator[str]:
    for value in values:
        for leaf in _leaves(value):
            if isinstance(leaf, Temp) and leaf not in known:
                yield f"b{index}: t{leaf.index} is used before it is defined"
