"""Converts the plain sections of a file to ranged calls, and spoils one such call at a time.

    walkers = converted(Source("mm/mprotect.c", data))
    for mutant in mutants(walkers): ...

`converted` applies every proposal and cuts the file down to what the verdicts rest on: the functions with sections, the
functions that call them, and the ops structs they stand in. A `Mutator` is a textual change near one call with the
fault it must give; what it cannot be applied to it says by giving no edits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from mmlint.diagnostic import Edit
from mmlint.facts.analysis import analyse_file
from mmlint.facts.file import FileAnalysis
from mmlint.facts.sections import FileFacts, FunctionFacts, Section, Verdict
from mmlint.fix import apply_edits
from mmlint.kernel import load_vocabulary
from mmlint.source import Source, Span
from mmlint.syntax.functions import ParsedFunction

VOCABULARY = load_vocabulary()
LEAVES = tuple(sorted(VOCABULARY.leaves))
GENERIC = {
    b"arch_enter_lazy_mmu_mode": b"lazy_mmu_mode_enable",
    b"arch_leave_lazy_mmu_mode": b"lazy_mmu_mode_disable",
}
_OPS = re.compile(rb"^(?:static )?(?:const )?struct mm_walk_ops \w+ = \{.*?^\};\n", re.M | re.S)
_LOOPS = ("for_statement", "while_statement", "do_statement")


# ---------------------------------------------------------------- conversion


def analyse(data: bytes, path: str = "walker.c") -> FileFacts:
    """The facts of a text."""
    return analyse_file(Source(path, data), VOCABULARY)


def sections_of(facts: FileFacts) -> list[Section]:
    """All sections in file order."""
    return [section for function in facts.functions for section in function.sections]


def convert(source: Source, generic: bool = False) -> bytes:
    """The file with every proposal applied; ``generic`` also gives the API its names of 7.x."""
    facts = analyse_file(source, VOCABULARY)
    edits = [
        Edit(source.path, section.call, section.proposal.call) for section in sections_of(facts) if section.proposal
    ]
    data = apply_edits(source.data, edits)
    if generic:
        for old, new in GENERIC.items():
            data = re.sub(rb"\b" + old + rb"\b", new, data)
    return data


def cut_down(source: Source, function: str) -> bytes:
    """What the verdicts of one function rest on: it, its callers and theirs, and the walk ops of the file.

    Directives around a function are lost, those inside are kept.
    """
    analysis = FileAnalysis(source, VOCABULARY)
    wanted = {function: None}
    pending = [function]
    while pending:
        for caller in analysis.callers(pending.pop()):
            if caller not in wanted:
                wanted[caller] = None
                pending.append(caller)
    spans = {definition.span for name in wanted for definition in analysis.definitions[name]}
    pieces = [(span.start, source.data[span.start : span.end] + b"\n\n") for span in spans]
    pieces += [(match.start(), match.group()) for match in _OPS.finditer(source.data)]
    return b"".join(text for _, text in sorted(pieces))


# ---------------------------------------------------------------- one converted call


@dataclass(frozen=True)
class Converted:
    """One ranged call in a cut-down file: its function's facts and tree, and its place among the calls there."""

    path: str
    data: bytes
    facts: FunctionFacts
    function: ParsedFunction
    ordinal: int

    @property
    def section(self) -> Section:
        return self.facts.sections[self.ordinal]

    @property
    def name(self) -> str:
        return f"{self.path}:{self.facts.name}[{self.ordinal}]"

    # ------------------------------------------------------------ text

    def text(self, node: Node) -> str:
        return self.data[self.start(node) : self.end(node)].decode()

    def start(self, node: Node) -> int:
        """Where a node begins in the file."""
        return self.function.span.start + node.start_byte

    def end(self, node: Node) -> int:
        return self.function.span.start + node.end_byte

    @cached_property
    def nodes(self) -> list[Node]:
        """All nodes of the function in the order of the text."""
        found = []
        pending = [self.function.tree.root_node]
        while pending:
            node = pending.pop()
            found.append(node)
            pending.extend(reversed(node.children))
        return found

    # ------------------------------------------------------------ places

    def calls(self, names: frozenset[str] | set[str]) -> list[Node]:
        """Calls of one of these functions."""
        found = []
        for node in self.nodes:
            callee = node.child_by_field_name("function") if node.type == "call_expression" else None
            if callee is not None and self.text(callee) in names:
                found.append(node)
        return found

    def statement(self, node: Node) -> Node:
        """The statement around an expression."""
        while not node.type.endswith("_statement") and node.type != "declaration":
            assert node.parent is not None
            node = node.parent
        return node

    @cached_property
    def call(self) -> Node:
        start = self.section.call.start
        return next(node for node in self.nodes if node.type == "call_expression" and self.start(node) == start)

    @cached_property
    def leaves(self) -> list[Node]:
        """The disables of the function."""
        return self.calls(VOCABULARY.leaves)

    @cached_property
    def map_call(self) -> Node:
        """The last map call before the ranged call whose statement sets the pointer that is passed."""
        found = [
            node
            for node in self.calls(set(VOCABULARY.maps))
            if self.start(node) < self.section.call.start
            and self.ptep in re.findall(r"\w+", self.text(self.outer(node)))
        ]
        return found[-1]

    def outer(self, node: Node) -> Node:
        """The statement around an expression, or the if statement around a chain that it is part of."""
        return self.statement(node)

    @cached_property
    def loop(self) -> Node | None:
        """The loop that walks the range: around the call, or the next one after it."""
        node: Node | None = self.call
        while node is not None:
            if node.type in _LOOPS:
                return node
            node = node.parent
        return next((n for n in self.nodes if n.type in _LOOPS and self.start(n) > self.section.call.start), None)

    # ------------------------------------------------------------ arguments

    def argument(self, name: str) -> str:
        return next(argument.text for argument in self.section.arguments if argument.name == name)

    @property
    def ptep(self) -> str:
        return self.argument("ptep")

    def given(self, **changed: str) -> list[Edit]:
        """The edits that give the call other arguments."""
        return [
            Edit(self.path, argument.span, changed[argument.name])
            for argument in self.section.arguments
            if argument.name in changed
        ]

    def before(self, node: Node, text: str) -> list[Edit]:
        """The edit that puts statements right before the one around ``node``."""
        start = self.start(self.statement(node))
        return [Edit(self.path, Span(start, start), text + " ")]

    def behind(self, node: Node, text: str) -> list[Edit]:
        """The edit that puts statements right behind the one around ``node``."""
        end = self.end(self.statement(node))
        return [Edit(self.path, Span(end, end), " " + text)]

    def without(self, node: Node) -> list[Edit]:
        """The edit that leaves nothing but a semicolon of the statement around ``node``."""
        statement = self.statement(node)
        return [Edit(self.path, Span(self.start(statement), self.end(statement)), ";")]


def converted(source: Source, generic: bool = False) -> list[Converted]:
    """Every ranged call that the proposals of a file give, each in a text cut down to its function."""
    data = convert(source, generic)
    found = []
    whole = Source(source.path, data)
    for function in analyse(data, source.path).functions:
        if any(section.kind == "ranged" for section in function.sections):
            text = cut_down(whole, function.name)
            facts = next(f for f in analyse(text, source.path).functions if f.name == function.name)
            analysis = FileAnalysis(facts.source, VOCABULARY)
            parsed = analysis.reader.parse(analysis.definitions[function.name][0])
            for ordinal, section in enumerate(facts.sections):
                if section.kind == "ranged":
                    found.append(Converted(source.path, text, facts, parsed, ordinal))
    return found


# ---------------------------------------------------------------- mutators

EditMaker = Callable[[Converted], list[Edit] | list[list[Edit]] | None]


@dataclass(frozen=True, slots=True)
class Mutator:
    """A fault: how it is made, and what mmlint has to say of it.

    ``expected`` are obligations of which one has to be refuted or unknown, or "leak", "outside", "unmatched".
    ``alone`` says that the other sections of the function keep their verdicts.
    """

    name: str
    expected: tuple[str, ...]
    make: EditMaker
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spoiled text. ``number`` tells apart what one mutator does in several places."""

    call: Converted
    mutator: Mutator
    number: int
    data: bytes


def mutants(call: Converted, mutators: tuple[Mutator, ...]) -> Iterator[Mutant]:
    """What the mutators make of a call."""
    for mutator in mutators:
        for number, edits in enumerate(variants(mutator.make(call))):
            yield Mutant(call, mutator, number, apply_edits(call.data, edits))


def variants(made: list[Edit] | list[list[Edit]] | None) -> list[list[Edit]]:
    """One list of edits for each place."""
    if not made:
        return []
    return [made] if isinstance(made[0], Edit) else made  # type: ignore[list-item, return-value]


def survives(mutant: Mutant) -> str:
    """Why the mutant was not found, or empty."""
    call = mutant.call
    facts = next((f for f in analyse(mutant.data, call.path).functions if f.name == call.facts.name), None)
    if facts is None:
        return "the function was not analysed"
    if len(facts.sections) != len(call.facts.sections):
        return f"{len(facts.sections)} sections instead of {len(call.facts.sections)}"
    fault = _not_found(mutant, facts)
    if fault:
        return fault
    if mutant.mutator.alone:
        for index, (before, after) in enumerate(zip(call.facts.sections, facts.sections, strict=True)):
            if index != call.ordinal and before.verdict != after.verdict:
                return f"the other section {index} became {after.verdict}: {after.reason}"
    return ""


def _not_found(mutant: Mutant, facts: FunctionFacts) -> str:
    section = facts.sections[mutant.call.ordinal]
    expected = mutant.mutator.expected
    if "unmatched" in expected and facts.unmatched:
        return ""
    sections = [section] if mutant.mutator.alone else list(facts.sections)
    found = sorted({kind for one in sections for kind in faults(one)})
    if not found:
        return f"still {section.verdict}"
    if not set(found) & set(expected):
        return f"found as {', '.join(found)} instead of {' or '.join(expected)}: {section.reason}"
    if all(one.verdict is Verdict.VERIFIED for one in sections):
        return f"{', '.join(found)}, but still verified"
    return ""


def faults(section: Section) -> list[str]:
    """The kinds of what is wrong with a section: obligations, "leak", "outside"."""
    found = [o.name for o in section.obligations if o.status in ("refuted", "unknown")]
    if section.leaks:
        found.append("leak")
    if section.outside:
        found.append("outside")
    return found
