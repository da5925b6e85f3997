"""Which functions are passed to a call that runs them: by name, by a variable, and by functions that pass on their own.

    static int for_range(struct mm_struct *mm, pte_fn_t fn)
    {
            return apply_to_page_range(mm, 0, SIZE, fn, NULL);
    }

    for_range(mm, careful ? look : peek);       look() and peek() are passed to apply_to_page_range()

A macro that passes on its argument is such a function as well. The callers of one that other files can call are looked
for in the whole tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mmlint.facts.callgraph import home_of
from mmlint.facts.evaluate import Evaluator, Loaded
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.handed import parts_of
from mmlint.facts.inner import targets_of
from mmlint.facts.sections import Evidence
from mmlint.flow.values import Poly, Value
from mmlint.source import Span
from mmlint.syntax.brackets import argument_span
from mmlint.syntax.functions import Definition

_POINTER = re.compile(rb"\s*&?\s*([A-Za-z_]\w*)\s*")
_WORD = re.compile(rb"[A-Za-z_]\w*")
_PARAMETERS = re.compile(rb"#[ \t]*define[ \t]+\w+\(([^()]*)\)")
# A function that is passed on more often than that is lost sight of.
_MAX_STEPS = 4


class Runs(NamedTuple):
    """A call that runs a function it is given: in an ``argument``, or in a member of the structure that is one."""

    name: str
    argument: int
    member: tuple[str, ...] = ()
    steps: tuple[Evidence, ...] = ()


class Passed(NamedTuple):
    """A function that is passed: its name, the file that defines it, and who passes it where to which call."""

    name: str
    owner: FileAnalysis
    home: FileAnalysis
    caller: str
    span: Span
    runs: Runs


def passed_to(analysis: FileAnalysis, runs: Runs) -> Iterator[Passed]:
    """The functions that a file passes to a call, itself or by what passes on functions for others."""
    seen: set[tuple[str, str, int, tuple[str, ...]]] = set()
    pending = [(analysis, runs)]
    for home, call in pending:
        for caller, definitions in home.definitions.items():
            if any(_calls(call.name).search(text.masked, text.outline.body) for text in definitions):
                for found in _in_function(home, caller, call):
                    if isinstance(found, Passed):
                        yield found
                    else:
                        pending += _fresh(home, found, seen)
        for macro in home.reader.macros():
            for found in _in_macro(home, macro, call):
                pending += _fresh(home, found, seen)


def _fresh(
    home: FileAnalysis, runs: Runs, seen: set[tuple[str, str, int, tuple[str, ...]]]
) -> list[tuple[FileAnalysis, Runs]]:
    """The files that may call what passes on a function for others, each once."""
    key = (home.path, runs.name, runs.argument, runs.member)
    if key in seen or len(runs.steps) > _MAX_STEPS:
        return []
    seen.add(key)
    others = []
    if home.graph is not None and (home.path.endswith(".h") or not home.is_static(runs.name)):
        paths = home.graph.callers(runs.name, home.path)
        others = [home.graph.analysis(path) for path in paths]
    others = [other for other in others if runs.name not in other.definitions]
    return [(file, runs) for file in (home, *others)]


def _calls(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![\w.>])" + name.encode() + rb"\s*\(")


# ---------------------------------------------------------------- one function


def _in_function(home: FileAnalysis, caller: str, runs: Runs) -> Iterator[Passed | Runs]:
    """What a function passes to a call; where it passes what it is given itself, that it does so."""
    seen: set[int] = set()
    solve = bool(runs.member)
    for definition in home.definitions[caller]:
        for match in _calls(runs.name).finditer(definition.masked, definition.body.start - definition.span.start):
            place = argument_span(definition.masked, match.end(), runs.argument)
            if place is None:
                continue
            named = _POINTER.fullmatch(definition.masked, place.start, place.end)
            name = named.group(1).decode() if named else ""
            owner = _owner(home, caller, name) if name and not runs.member else None
            span = Span(*named.span(1)) if named else place
            if owner is None:
                solve = True
            elif span.start not in seen:
                seen.add(span.start)
                start = definition.span.start
                yield Passed(name, owner, home, caller, Span(span.start + start, span.end + start), runs)
    for solved in home.solve(caller)[0] if solve else ():
        yield from _by_value(home, solved, runs, seen)


def _by_value(home: FileAnalysis, solved: Solved, runs: Runs, seen: set[int]) -> Iterator[Passed | Runs]:
    context = solved.dataflow.context
    evaluator = Evaluator(context)
    found: dict[Passed | Runs, None] = {}
    for state, op in solved.dataflow.calls_of(runs.name):
        if runs.argument >= len(op.arguments):
            continue
        span = op.argument_spans[runs.argument]
        arguments = tuple(evaluator.value(argument, state) for argument in op.arguments)
        values: list[Value] = [arguments[runs.argument]]
        if runs.member:
            parts = parts_of(context, state, op, arguments)
            values = [part.value for part in parts if (part.argument, part.path) == (runs.argument, runs.member)]
        for value in values:
            for name, owner in _functions(home, solved, value):
                if span.start - solved.function.span.start not in seen:
                    found.setdefault(Passed(name, owner, home, solved.name, span, runs))
        handed = _parameter(solved, arguments[runs.argument])
        if handed is not None and not (runs.member and values):
            text = f"{solved.name}() hands it on to {runs.name}()"
            step = Evidence(span, text, home.source.locate(span))
            index, path = handed
            found.setdefault(Runs(solved.name, index, (*path, *runs.member), (step, *runs.steps)))
    yield from found


def _functions(home: FileAnalysis, solved: Solved, value: Value) -> Iterator[tuple[str, FileAnalysis]]:
    """The functions that a value may be, with the files that define them."""
    for target in targets_of(solved.dataflow.context, value):
        name, _, path = target.partition(" of ")
        there = home.graph.analysis(path) if path and home.graph is not None else home
        names: tuple[str, ...] = (name,)
        variable = name.replace("[", ".").partition(".")[0]
        if variable != name and home.graph is not None:
            shown = home.graph.globals.held(there.path, variable, name[len(variable) :])
            names = shown[1].names if shown is not None else ()
            there = home.graph.analysis(shown[0]) if shown is not None else there
        for function in names:
            owner = home_of(there, function) if function else None
            if owner is not None:
                yield function, owner


def _parameter(solved: Solved, value: Value) -> tuple[int, tuple[str, ...]] | None:
    """The parameter that a value is, or the member of a structure that a parameter points to."""
    context = solved.dataflow.context
    path: tuple[str, ...] = ()
    while isinstance(value, Poly):
        symbol = value.as_symbol()
        for index, name in enumerate(context.graph.parameters):
            if symbol == name.name:
                return index, path
        origin = context.origins.get(symbol) if symbol is not None else None
        if not isinstance(origin, Loaded):
            return None
        value, path = origin.base, (origin.field, *path)
    return None


def _owner(home: FileAnalysis, caller: str, name: str) -> FileAnalysis | None:
    """The file that defines a function that is passed on, None for a variable and where it is not found."""
    if any(variable.name == name for graph in home.graphs(caller) for variable in graph.variables):
        return None
    return home_of(home, name)


# ---------------------------------------------------------------- macros


def _in_macro(home: FileAnalysis, macro: Definition, runs: Runs) -> Iterator[Runs]:
    """That a macro passes on one of its parameters."""
    data = home.source.data[macro.span.start : macro.span.end]
    head = _PARAMETERS.match(data)
    names = _WORD.findall(head.group(1)) if head else []
    if head is None or not names or macro.name == runs.name:
        return
    for match in _calls(runs.name).finditer(data, head.end()):
        place = argument_span(data, match.end(), runs.argument)
        word = data[place.start : place.end].strip(b" \t\n\\()&") if place is not None else b""
        if place is not None and word in names:
            span = Span(macro.span.start + place.start, macro.span.start + place.end)
            step = Evidence(span, f"{macro.name}() hands it on to {runs.name}()", home.source.locate(span))
            yield Runs(macro.name, names.index(word), runs.member, (step, *runs.steps))
