"""Readable dumps of a function: its graph, and the state before each op.

The same printers serve debugging, golden tests and `mmlint dump cfg|state FILE:FUNCTION`.
"""

from __future__ import annotations

from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.state import EPOCH, Fact, State, place_text
from mmlint.flow import ir
from mmlint.flow.dump import dump_graph, format_op, format_terminator
from mmlint.flow.lower import lower
from mmlint.source import Source
from mmlint.vocabulary import Vocabulary

_RELATIONS = {"eq": "== 0", "ne": "!= 0", "lt": "< 0", "le": "<= 0"}


def dump_cfg(source: Source, function: str, vocabulary: Vocabulary) -> str:
    """The control flow graph of every text of a function. Raises KeyError when the file has no such function."""
    analysis = FileAnalysis(source, vocabulary)
    texts = []
    for definition in analysis.definitions[function]:
        parsed = analysis.reader.parse(definition)
        texts.append(dump_graph(lower(parsed, analysis.dialect), source))
    return "\n".join(texts)


def dump_state(source: Source, function: str, vocabulary: Vocabulary) -> str:
    """The state before each op, block by block. Raises KeyError when the file has no such function."""
    analysis = FileAnalysis(source, vocabulary)
    if function not in analysis.definitions:
        raise KeyError(function)
    solved, unsolved = analysis.solve(function)
    texts = [f"{item.function}: not analysed: {item.reason}\n" for item in unsolved]
    texts += [_states(source, one) for one in solved]
    return "\n".join(texts)


def _states(source: Source, solved: Solved) -> str:
    transfer = solved.dataflow.transfer
    lines = [f"{solved.name}{f' [{solved.configuration}]' if solved.configuration else ''}"]
    for index, states in enumerate(solved.dataflow.solution.states):
        block = solved.dataflow.graph.blocks[index]
        for key, state in states.items():
            kid = solved.dataflow.solution.kids[index][key]
            lines.append(f"b{index}.{kid}:")
            running = [state.copy()]
            for op in block.ops:
                lines += [f"    {line}" for one in running for line in format_state(one)]
                lines.append(f"  {source.line(op.span.start)}: {format_op(op)}")
                running = [after for before in running for after in transfer.op(before, op)]
            lines += [f"    {line}" for one in running for line in format_state(one)]
            lines.append(f"  {format_terminator(block.terminator)}")
    return "\n".join(lines) + "\n"


def format_state(state: State) -> list[str]:
    """A state in a few lines: values, then tables, locks, sections and facts where there are any."""
    values = [
        f"{place_text(place)} = {value}"
        for place, value in state.values.items()
        if not place_text(place).startswith(EPOCH.name) and not isinstance(place, ir.Temp)
    ]
    lines = ["{" + ", ".join(values) + "}"]
    extras = []
    for table in sorted(state.tables.values(), key=lambda table: table.symbol):
        extras.append(f"{table.symbol}: mm {table.mm}, at {table.address}")
    if state.held:
        extras.append(f"held {', '.join(sorted(state.held))}")
    if state.stack or state.below or state.paused:
        extras.append(f"depth {len(state.stack) - state.below}{f', paused {state.paused}' if state.paused else ''}")
    known = [_fact(fact) for fact in state.facts] + [_fact(("eq", poly)) for poly in state.equalities]
    if known:
        extras.append("where " + " and ".join(sorted(known)))
    return lines + [f"  {extra}" for extra in extras]


def _fact(fact: Fact) -> str:
    return f"{fact[1]} {_RELATIONS[fact[0]]}"
