"""The functions of a file in all its configurations, found without parsing.

    int f(void)                    two definitions of f with the same start: one text under A, one without;
    {                              each knows its configurations ("A set", "A not set") and that there are two
    #ifdef A
            g();
    #endif
    }

The bodies of macros are definitions as well (`macro_definitions`), each text ending in two bytes that the file has not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mmlint.source import Span
from mmlint.syntax.cut import Outline, cut, recut
from mmlint.syntax.directives import Directives
from mmlint.syntax.projections import (
    Configuration,
    Projection,
    Projector,
    combinations,
    configuration,
    covering,
)


@dataclass(frozen=True)
class Definition:
    """A function, not parsed yet. Spans are bytes of the file.

    ``span`` runs from the header to one past the closing brace, ``body`` from the opening one. ``masked`` is the text
    of ``span`` with comments, literals, directives and untaken ``#if`` arms hidden. ``configurations`` are those known
    to give this text, ``variants`` is the number of texts that the function has. ``outline`` counts from the span.
    """

    name: str
    span: Span
    body: Span
    name_span: Span
    masked: bytes = field(repr=False)
    configurations: tuple[Configuration, ...]
    variants: int
    outline: Outline = field(repr=False)


@dataclass(slots=True)
class _Text:
    """One text of a function while it is collected."""

    outline: Outline
    configurations: dict[Configuration, None]


def find_definitions(directives: Directives) -> list[Definition]:
    """All functions in file order, each once for every text that a projection gives it."""
    projector = Projector(directives)
    found: dict[int, dict[bytes, _Text]] = {}
    for outline, text, projection in _occurrences(directives, projector):
        span = Span(outline.start, outline.end)
        texts = found.setdefault(outline.start, {})
        entry = texts.setdefault(text, _Text(outline, {}))
        entry.configurations[configuration(projector, span, projection)] = None
    return [
        _definition(entry.outline, masked, tuple(entry.configurations), len(found[start]))
        for start in sorted(found)
        for masked, entry in found[start].items()
    ]


def _occurrences(directives: Directives, projector: Projector) -> Iterator[tuple[Outline, bytes, Projection]]:
    """Functions with a text and a projection that gives it."""
    first, *others = covering(directives)
    text = projector.text(first)
    known = cut(text)
    known_outlines = set(known.outlines)
    varying = set()
    for outline in known.outlines:
        yield outline, text[outline.start : outline.end], first
        if projector.varies(Span(outline.start, outline.end)):
            varying.add(outline)
            yield from _combined(projector, outline, first)
    combined = {outline.start for outline in known.outlines}
    for projection in others:
        text = projector.text(projection)
        changed = [Span(arm.start, arm.end) for arm in first.taken ^ projection.taken if not arm.implied]
        for outline in recut(text, known, sorted(changed)):
            if outline.start not in combined:
                combined.add(outline.start)
                varying.add(outline)
                yield from _combined(projector, outline, projection)
            if outline in varying or outline not in known_outlines:
                yield outline, text[outline.start : outline.end], projection


def _combined(
    projector: Projector, outline: Outline, projection: Projection
) -> Iterator[tuple[Outline, bytes, Projection]]:
    """The function with all values of the atoms inside it, everything around it as the projection has it."""
    span = Span(outline.start, outline.end)
    for combination in combinations(projector, span, projection):
        varied = projector.slice(span, combination)
        outlines = cut(varied).outlines
        if len(outlines) == 1 and outlines[0].start == 0 and outlines[0].end == len(varied):
            yield outlines[0].shifted(span.start), varied, combination


def _definition(
    outline: Outline, masked: bytes, configurations: tuple[Configuration, ...], variants: int
) -> Definition:
    return Definition(
        name=outline.name.decode("utf-8", "backslashreplace"),
        span=Span(outline.start, outline.end),
        body=Span(outline.body, outline.end),
        name_span=Span(outline.name_start, outline.name_end),
        masked=masked,
        configurations=configurations,
        variants=variants,
        outline=outline.shifted(-outline.start),
    )


_DEFINE = re.compile(rb"#[ \t]*define[ \t]+([A-Za-z_]\w*)(\([^()]*\))?")
_CONTINUED = re.compile(rb"\\([ \t\r]*\n)")
_PASTE = re.compile(rb"[ \t]*##[ \t]*")
_STRINGIFY = re.compile(rb"#(?=[ \t]*\w)")
_PREFIX = b"int f(){"


def macro_definitions(directives: Directives) -> Iterator[Definition]:
    """The bodies of ``#define`` as functions ``int f(){ ... ;}``, in file order; constants without a body are left out.

    The text starts at the ``#``; the closing ``;}`` stands behind the end of the span. Parameters of the macro are
    ordinary identifiers in it.
    """
    for span in directives.defines:
        head = _DEFINE.match(directives.masked, span.start, span.end)
        if head is None:
            continue
        body = _CONTINUED.sub(rb" \1", directives.masked[head.end() : span.end])
        if not body.strip():
            continue
        body = _PASTE.sub(lambda paste: b"_" * len(paste.group()), body)
        body = _STRINGIFY.sub(b" ", body)
        prefix = _PREFIX.ljust(head.end() - span.start)
        masked = prefix + body + b";}"
        yield Definition(
            name=head.group(1).decode("utf-8", "backslashreplace"),
            span=span,
            body=Span(head.end(), span.end),
            name_span=Span(*head.span(1)),
            masked=masked,
            configurations=(),
            variants=1,
            outline=Outline(0, 4, 5, 5, 7, 7, len(masked), head.group(1), False),
        )
