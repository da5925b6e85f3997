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


def cut_down(source: Source) -> bytes:
    """The functions that the verdicts of a file rest on, in file order, with its walk ops; nothing else.

    Directives around a function are lost, those inside are kept.
    """
    analysis = FileAnalysis(source, VOCABULARY)
    facts = analyse_file(source, VOCABULARY)
    wanted = dict.fromkeys(function.name for function in facts.functions)
    pending = list(wanted)
    while pending:
        for caller in analysis.callers(pending.pop()):
            if caller not in wanted:
                wanted[caller] = None
                pending.append(caller)
    spans = {definition.span for name in wanted for definition in analysis.definitions[name]}
    pieces = [(span.start, source.data[span.start : span.end] + b"\n\n") for span in spans]
    pieces += [(match.start(), match.group()) for match in _OPS.finditer(source.data)]
    return b"".join(text for _, text in sorted(pieces))
