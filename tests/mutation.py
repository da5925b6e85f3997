"""Converts the plain sections of a file to ranged calls, and spoils one such call at a time.

    for walker in walkers(Source("mm/mprotect.c", data), convert):
        for mutant in mutants(walker, MUTATORS):
            assert not survives(mutant)

`walkers` cuts the file down to what the verdicts of a function rest on: it, the functions that call it, and the ops
structs of the file. A `Mutator` is a textual change near one call with the fault that it must give; where it cannot be
applied it makes no edits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from mmlint.diagnostic import Edit
from mmlint.facts.analysis import analyse_file
from mmlint.facts.file import FileAnalysis
from mmlint.facts.sections import FileFacts, FunctionFacts, Section, Status, Verdict
from mmlint.fix import apply_edits
from mmlint.kernel import load_vocabulary
from mmlint.source import Source, Span
from mmlint.syntax.functions import ParsedFunction

VOCABULARY = load_vocabulary()
LOOPS = ("for_statement", "while_statement", "do_statement")
_GENERIC = {
    b"arch_enter_lazy_mmu_mode": b"lazy_mmu_mode_enable",
    b"arch_leave_lazy_mmu_mode": b"lazy_mmu_mode_disable",
}
_OPS = re.compile(rb"^(?:static )?(?:const )?struct mm_walk_ops \w+ = \{.*?^\};\n", re.M | re.S)


# ---------------------------------------------------------------- conversion


def analyse(data: bytes, path: str = "walker.c") -> FileFacts:
    """The facts of a text."""
    return analyse_file(Source(path, data), VOCABULARY)


def sections_of(facts: FileFacts) -> list[Section]:
    """All sections in file order."""
    return [section for function in facts.functions for section in function.sections]


def convert(source: Source) -> bytes:
    """The file with every proposal applied."""
    sections = sections_of(analyse_file(source, VOCABULARY))
    edits = [Edit(source.path, section.call, section.proposal.call) for section in sections if section.proposal]
    return apply_edits(source.data, edits)


def convert_to_generic(source: Source) -> bytes:
    """The same with the names of the generic layer for what stays plain and for the disables."""
    data = convert(source)
    for old, new in _GENERIC.items():
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


# ---------------------------------------------------------------- one walker


@dataclass(frozen=True)
class Walker:
    """One section in a cut-down file: its function's facts and tree, and its place among the function's sections."""

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
        """For messages: where the call is."""
        return f"{self.path}:{self.facts.name}[{self.ordinal}]"

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
        return nodes_of(self.function.tree.root_node)

    def calls(self, names: Sequence[str]) -> list[Node]:
        """Calls of one of these functions."""
        return [node for node in self.nodes if node.type == "call_expression" and self._callee(node) in names]

    def _callee(self, call: Node) -> str:
        callee = call.child_by_field_name("function")
        return self.text(callee) if callee is not None else ""

    def arguments_of(self, call: Node) -> list[Node]:
        """The arguments of a call."""
        listed = call.child_by_field_name("arguments")
        return [node for node in listed.named_children if node.type != "comment"] if listed is not None else []

    def statement(self, node: Node) -> Node:
        """The statement around an expression."""
        while not node.type.endswith("_statement") and node.type != "declaration":
            assert node.parent is not None
            node = node.parent
        return node

    @cached_property
    def call(self) -> Node:
        """The call that opens the section."""
        start = self.section.call.start
        return next(node for node in self.nodes if node.type == "call_expression" and self.start(node) == start)

    @cached_property
    def leaves(self) -> list[Node]:
        """The disables of the function."""
        return self.calls(sorted(VOCABULARY.leaves))

    @cached_property
    def map_calls(self) -> list[Node]:
        """The calls that map the table of the pointer that is passed."""
        sites = {line.span.start for line in self.section.obligation("ptep").because}
        return [node for node in self.calls(sorted(VOCABULARY.maps)) if self.start(node) in sites]

    @cached_property
    def loop(self) -> Node | None:
        """The loop that walks the range: around the call, or the next one after it."""
        node: Node | None = self.call
        while node is not None:
            if node.type in LOOPS:
                return node
            node = node.parent
        return next((n for n in self.nodes if n.type in LOOPS and self.start(n) > self.section.call.start), None)

    def argument(self, name: str) -> str:
        """The text of an argument of a ranged call."""
        return next(argument.text for argument in self.section.arguments if argument.name == name)

    def fill(self, text: str) -> str:
        """``text`` with {mm} {addr} {end} {ptep} replaced by the arguments, and {call} by the call."""
        values = {name: self.argument(name) for name in ("mm", "addr", "end", "ptep")}
        return text.format(call=self.text(self.call), **values)

    # ------------------------------------------------------------ edits

    def given(self, **changed: str) -> list[Edit]:
        """The edits that give the call other arguments."""
        return [
            Edit(self.path, argument.span, self.fill(changed[argument.name]))
            for argument in self.section.arguments
            if argument.name in changed
        ]

    def insert(self, offset: int, text: str) -> Edit:
        return Edit(self.path, Span(offset, offset), text)

    def replace(self, node: Node, text: str) -> Edit:
        return Edit(self.path, Span(self.start(node), self.end(node)), text)

    def before(self, node: Node, text: str) -> Edit:
        """The edit that puts statements right before the one around ``node``."""
        return self.insert(self.start(self.statement(node)), text + " ")

    def behind(self, node: Node, text: str) -> Edit:
        """The edit that puts statements right behind the one around ``node``."""
        return self.insert(self.end(self.statement(node)), " " + text)

    def without(self, node: Node) -> Edit:
        """The edit that leaves nothing but a semicolon of the statement around ``node``."""
        return self.replace(self.statement(node), ";")

    def at_top(self, text: str) -> Edit:
        """The edit that puts declarations at the top of the function."""
        return self.insert(self.function.body.start + 1, " " + text)


def nodes_of(root: Node) -> list[Node]:
    """A node and all below it in the order of the text."""
    found, pending = [], [root]
    while pending:
        node = pending.pop()
        found.append(node)
        pending.extend(reversed(node.children))
    return found


def walkers(source: Source, conversion: Callable[[Source], bytes] | None = convert) -> list[Walker]:
    """Every section of a file that is proposed to be ranged, each in a text cut down to its function.

    The sections are ranged after the conversion, and stay plain where there is none.
    """
    kind, data = ("plain", source.data) if conversion is None else ("ranged", conversion(source))
    whole = Source(source.path, data)
    found = []
    for name in dict.fromkeys(section.function for section in sections_of(analyse(data)) if _wanted(section, kind)):
        text = cut_down(whole, name)
        facts = facts_of(text, name)
        assert facts is not None, name
        analysis = FileAnalysis(facts.source, VOCABULARY)
        parsed = analysis.reader.parse(analysis.definitions[name][0])
        for ordinal, section in enumerate(facts.sections):
            if _wanted(section, kind):
                found.append(Walker(source.path, text, facts, parsed, ordinal))
    return found


def _wanted(section: Section, kind: str) -> bool:
    return section.kind == kind and (kind == "ranged" or section.proposal is not None)


def facts_of(data: bytes, name: str) -> FunctionFacts | None:
    """The facts of one function of a text, or None when it was not analysed."""
    facts = analyse(data)
    if facts.skipped:
        return None
    return next((function for function in facts.functions if function.name == name), None)


# ---------------------------------------------------------------- mutants


@dataclass(frozen=True, slots=True)
class Mutator:
    """A fault: how it is made, and what mmlint has to say of it.

    ``make`` gives the edits for each place. ``expected`` are obligations of which one has to be refuted or unknown, or
    "leak", "outside", "unmatched". ``alone`` says that the other sections of the function keep their verdicts.
    """

    name: str
    expected: tuple[str, ...]
    make: Callable[[Walker], list[list[Edit]]]
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spoiled text. ``number`` tells apart what one mutator does in several places."""

    walker: Walker
    mutator: Mutator
    number: int
    data: bytes

    @property
    def name(self) -> str:
        return f"{self.walker.name} {self.mutator.name} #{self.number}"


def mutants(walker: Walker, mutators: Sequence[Mutator]) -> Iterator[Mutant]:
    """What the mutators make of a walker."""
    for mutator in mutators:
        for number, edits in enumerate(mutator.make(walker)):
            yield Mutant(walker, mutator, number, apply_edits(walker.data, edits))


def survives(mutant: Mutant) -> str:
    """Why the mutant was not found, or empty."""
    walker = mutant.walker
    facts = facts_of(mutant.data, walker.facts.name)
    if facts is None:
        return "the function was not analysed"
    sections = facts.sections
    if mutant.mutator.alone:
        if len(sections) != len(walker.facts.sections):
            return f"{len(sections)} sections instead of {len(walker.facts.sections)}"
        for index, (before, after) in enumerate(zip(walker.facts.sections, sections, strict=True)):
            if index != walker.ordinal and before.verdict != after.verdict:
                return f"the other section {index} became {after.verdict}: {after.reason}"
        sections = (sections[walker.ordinal],)
    found = sorted({kind for section in sections for kind in faults(section)} | {"unmatched" for _ in facts.unmatched})
    if not found:
        return "nothing was found"
    if not set(found) & set(mutant.mutator.expected):
        reasons = "; ".join(section.reason for section in sections)
        return f"found as {', '.join(found)} instead of {' or '.join(mutant.mutator.expected)}: {reasons}"
    if "unmatched" not in found and all(section.verdict is Verdict.VERIFIED for section in sections):
        return f"{', '.join(found)}, and yet verified"
    return ""


def faults(section: Section) -> list[str]:
    """The kinds of what is wrong with a section: obligations, "leak", "outside"."""
    weak = (Status.REFUTED, Status.UNKNOWN)
    found = [obligation.name for obligation in section.obligations if obligation.status in weak]
    return found + ["leak"] * bool(section.leaks) + ["outside"] * (section.outside is not None)
