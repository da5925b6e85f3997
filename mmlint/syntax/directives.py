"""The conditionals of a masked file as a tree of arms, and its ``#define`` lines.

    #ifdef A          Conditional: Arm(A), Arm(B), Arm(TRUE)
    #elif B
    #else             a missing #else counts as an empty arm: "nothing taken" is a case of its own
    #endif

The tree is kept as a list in the order of the text, each conditional knowing the arm around it, so that no nesting is
too deep. A stray ``#else`` or ``#endif`` is ignored; a missing ``#endif`` closes at the end of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mmlint.source import Span
from mmlint.syntax.conditions import TRUE, Atom, Condition, Not, parse

_DIRECTIVE = re.compile(rb"#[ \t]*([a-z_]*)([^\\\n]*(?:\\(?:[ \t\r]*\n|.)[^\\\n]*)*)", re.S)
_OPENING = frozenset((b"if", b"ifdef", b"ifndef"))
_MIDDLE = frozenset((b"elif", b"else", b"elifdef", b"elifndef"))


@dataclass(eq=False, slots=True)
class Arm:
    """One arm: its condition and the bytes ``start`` to ``end`` between its directive and the next one."""

    condition: Condition
    start: int
    end: int
    conditional: Conditional

    @property
    def implied(self) -> bool:
        """True for the empty arm that stands for a missing #else."""
        return self.start == self.end


@dataclass(eq=False, slots=True)
class Conditional:
    """From the ``#if`` line at ``start`` to the end of the ``#endif`` line; ``parent`` is the arm around it."""

    parent: Arm | None
    start: int
    end: int
    arms: list[Arm] = field(default_factory=list)


@dataclass(frozen=True)
class Directives:
    """All directives of a file. ``lines`` are spans of whole logical lines from the ``#`` on.

    ``unclosed`` is the byte of the first ``#if`` without an ``#endif``, or -1.
    """

    masked: bytes = field(repr=False)
    lines: list[Span]
    defines: list[Span]
    conditionals: list[Conditional]
    unclosed: int = -1

    @property
    def include_guard(self) -> str | None:
        """The name X of ``#ifndef X``, ``#define X`` around the whole file."""
        if not self.conditionals:
            return None
        first = self.conditionals[0]
        match first.arms[0].condition:
            case Not(Atom(name)) if len(first.arms) == 2 and first.arms[1].implied:
                arm = first.arms[0]
                guard = re.compile(rb"\s*#\s*define\s+" + re.escape(name.encode()) + rb"\b")
                if not self.masked[: first.start].strip() and guard.match(self.masked, arm.start, arm.start + 300):
                    return name
        return None


def read_directives(masked: bytes) -> Directives:
    """The directives of a masked file."""
    lines: list[Span] = []
    defines: list[Span] = []
    builder = _TreeBuilder()
    for start, end, keyword, rest in _logical_lines(masked):
        span = Span(start, end)
        lines.append(span)
        if keyword == b"define":
            defines.append(span)
        elif keyword in _OPENING:
            builder.open(start, end, _condition(keyword, rest))
        elif keyword in _MIDDLE:
            builder.next_arm(start, end, TRUE if keyword == b"else" else _condition(keyword, rest))
        elif keyword == b"endif":
            builder.close(start, end)
    builder.finish(len(masked))
    unclosed = builder.stack[0].start if builder.stack else -1
    return Directives(masked, lines, defines, builder.conditionals, unclosed)


def _logical_lines(masked: bytes) -> list[tuple[int, int, bytes, bytes]]:
    """(start, end, keyword, rest) of every directive, continuation lines included."""
    result = []
    position = masked.find(b"#")
    while position >= 0:
        end = masked.find(b"\n", position)
        match = _DIRECTIVE.match(masked, position)
        line = masked.rfind(b"\n", 0, position) + 1
        if match is not None and not masked[line:position].strip(b" \t"):
            end = match.end()
            result.append((position, end, match.group(1), match.group(2)))
        position = masked.find(b"#", end) if end >= 0 else -1
    return result


def _condition(keyword: bytes, rest: bytes) -> Condition:
    return parse(keyword.decode(), rest.decode("utf-8", "backslashreplace"))


class _TreeBuilder:
    def __init__(self) -> None:
        self.conditionals: list[Conditional] = []
        self.stack: list[Conditional] = []

    def open(self, start: int, end: int, condition: Condition) -> None:
        parent = self.stack[-1].arms[-1] if self.stack else None
        conditional = Conditional(parent, start, end)
        conditional.arms.append(Arm(condition, end, end, conditional))
        self.conditionals.append(conditional)
        self.stack.append(conditional)

    def next_arm(self, start: int, end: int, condition: Condition) -> None:
        if self.stack:
            conditional = self.stack[-1]
            conditional.arms[-1].end = start
            conditional.arms.append(Arm(condition, end, end, conditional))

    def close(self, start: int, end: int) -> None:
        if self.stack:
            conditional = self.stack.pop()
            conditional.arms[-1].end = start
            conditional.end = end
            if conditional.arms[-1].condition != TRUE:
                conditional.arms.append(Arm(TRUE, start, start, conditional))

    def finish(self, end: int) -> None:
        for conditional in self.stack:
            conditional.arms[-1].end = end
            conditional.end = end
