"""The functions of a kernel C file with their trees.

    reader = FileReader(source)
    for definition in reader.definitions():            # cheap: masking, directives, brace matching
        if b"lazy_mmu" in definition.masked:
            function = reader.parse(definition)        # rewritten so that tree-sitter-c can read it, parsed, repaired

Offsets: byte i of ``text`` and ``masked`` is byte ``span.start + i`` of the file, and so are the offsets in the tree.
Cut every text that is shown from the file, and texts of expressions from ``masked``: ``text`` is rewritten. In the tree

* a loop macro is a while_statement, ``scoped_guard()`` and the like an if_statement; their offsets are in ``loops``;
* ``guard(mutex)(&lock)`` and ``CLASS(name, v)(x)`` are calls of calls, ``__free(x)`` is blank;
* types in the arguments of a call are identifiers, ``typeof(x)`` has lost its argument;
* a return or goto in the argument of a macro is an identifier and stands in ``notes``;
* ``SYSCALL_DEFINE2(name, type, a, ...)`` has its name and parameters, any other ``MACRO(...) {`` is called ``f``.

A function that cannot be read even after repair has ``ok`` false; what repair left out is in ``blanked``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import tree_sitter

from mmlint.source import Source, Span
from mmlint.syntax.definitions import Definition, find_definitions, macro_definitions
from mmlint.syntax.directives import Arm, Directives, read_directives
from mmlint.syntax.mask import mask
from mmlint.syntax.normalise import normalise
from mmlint.syntax.parser import FunctionParser, is_clean
from mmlint.syntax.projections import Configuration, dead_arms
from mmlint.syntax.repair import repair

__all__ = ["Configuration", "Definition", "FileReader", "ParsedFunction", "read_functions"]

Wanted = re.Pattern[bytes] | Callable[[bytes, bytes], bool]


@dataclass(frozen=True)
class ParsedFunction:
    """A definition (see `Definition` for the parts they share) with its tree.

    ``text`` is what was parsed; for a macro it ends in ``;}``, which the file has not. ``loops`` are file offsets of
    macros that became while or if. ``notes`` are file offsets of control flow that the tree does not show: ``return in
    argument`` (or goto, break, ...), ``statements in argument``, ``computed goto``.
    """

    name: str
    span: Span
    body: Span
    name_span: Span
    text: bytes = field(repr=False)
    masked: bytes = field(repr=False)
    tree: tree_sitter.Tree = field(repr=False)
    loops: frozenset[int]
    notes: tuple[tuple[int, str], ...]
    blanked: tuple[Span, ...]
    ok: bool
    configurations: tuple[Configuration, ...]
    variants: int


class FileReader:
    """Reads one file step by step; each step is done once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._parser = FunctionParser()
        self._parsed: dict[tuple[Span, bytes], ParsedFunction] = {}

    @cached_property
    def _directives(self) -> Directives:
        return read_directives(mask(self.source.data))

    @property
    def masked(self) -> bytes:
        """The whole file with comments and literals hidden, all conditional arms in place."""
        return self._directives.masked

    @property
    def unclosed(self) -> int:
        """The byte of the first ``#if`` without an ``#endif``, or -1: what follows may be hidden by it."""
        return self._directives.unclosed

    def is_dead(self, offset: int) -> bool:
        """True for a byte in an arm that no configuration compiles."""
        return any(arm.start <= offset < arm.end for arm in self._dead)

    @cached_property
    def _dead(self) -> list[Arm]:
        return dead_arms(self._directives)

    @cached_property
    def _definitions(self) -> list[Definition]:
        return find_definitions(self._directives)

    @cached_property
    def _macros(self) -> list[Definition]:
        return list(macro_definitions(self._directives))

    def definitions(self) -> list[Definition]:
        """All functions in file order, each once for every distinct text."""
        return self._definitions

    def macros(self) -> list[Definition]:
        """The bodies of ``#define`` as functions, in file order; `parse` takes them too."""
        return self._macros

    def parse(self, definition: Definition) -> ParsedFunction:
        """The tree of a definition of this file."""
        key = (definition.span, definition.masked)
        if key not in self._parsed:
            self._parsed[key] = _parse(self._parser, definition)
        return self._parsed[key]


@lru_cache(maxsize=256)
def reader_of(source: Source) -> FileReader:
    """The reader of a file, which several analyses may share: nothing but its text decides what it finds."""
    return FileReader(source)


def _parse(parser: FunctionParser, definition: Definition) -> ParsedFunction:
    start = definition.span.start
    normalised = normalise(definition.masked, definition.outline)
    text, tree = normalised.text, parser.parse(normalised.text)
    blanked: tuple[Span, ...] = ()
    if not is_clean(tree):
        repaired = repair(parser, text, definition.outline.body)
        text, tree, blanked = repaired.text, repaired.tree, repaired.blanked
    return ParsedFunction(
        name=definition.name,
        span=definition.span,
        body=definition.body,
        name_span=definition.name_span,
        text=text,
        masked=definition.masked,
        tree=tree,
        loops=frozenset(start + offset for offset in normalised.loops),
        notes=tuple((start + offset, note) for offset, note in normalised.notes),
        blanked=tuple(Span(start + span.start, start + span.end) for span in blanked),
        ok=is_clean(tree),
        configurations=definition.configurations,
        variants=definition.variants,
    )


def read_functions(source: Source, wanted: Wanted | None = None) -> list[ParsedFunction]:
    """Every distinct text of every function that is wanted, in file order.

    ``wanted`` is a pattern searched in the masked text of a function, or is called with its name and that text.
    """
    reader = FileReader(source)
    return [reader.parse(definition) for definition in reader.definitions() if _is_wanted(definition, wanted)]


def _is_wanted(definition: Definition, wanted: Wanted | None) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, re.Pattern):
        return wanted.search(definition.masked) is not None
    return wanted(definition.name.encode(), definition.masked)
