"""What a reviewer would say of each patch of a series, and below which of its lines.

    review_of(series, 2).comments   ->  {37: [Comment("If I read this right, 'pte' is not the entry ...")]}

A comment asks rather than commands, gives the evidence in a few lines and, where there is one, the line that would do.
What was said once in a patch is not said again. The author hears only of what the author caused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import Final

from mmlint.diagnostic import Diagnostic, Level, Note
from mmlint.report.outcome import clean
from mmlint.report.quoting import code
from mmlint.report.series_outcome import of_patch, state_sources
from mmlint.report.sources import Sources
from mmlint.report.suggestion import Lines, whole_lines
from mmlint.report.terminal import shown
from mmlint.rule import load_rules
from mmlint.series.model import INCOMPLETE, SERIES_RULES, TRANSIENT, UNDEFINED, Patch, SeriesReport

COLUMNS: Final = 72
_STEPS: Final = 4
_PLACES: Final = 12
_MARGIN: Final = " " * 8
_DOUBT: Final = "nothing shows that "
# What a series as a whole can get wrong is not a rule's; its questions stand here.
_OF_SERIES: Final = {
    TRANSIENT: "Could the repair be folded in here, so that a bisection does not end up here?",
    INCOMPLETE: "Are these left out on purpose? Then a word in the commit message would help.",
    UNDEFINED: "Could the patches be ordered so that each of them builds?",
}
_OTHERWISE: Final = "Is that intended?"


@dataclass(frozen=True, slots=True)
class Review:
    """Comments by the line of `Patch.text` that they stand below, what fits below none, and the rules, by name."""

    comments: dict[int, list[list[str]]] = field(default_factory=dict)
    elsewhere: list[list[str]] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(map(len, self.comments.values())) + len(self.elsewhere)


def questions_of(folders: tuple[Path, ...] = ()) -> dict[str, str]:
    """What each rule asks the author of a change. Raises RuleError."""
    return {loaded.rule.name: loaded.rule.question for loaded in load_rules(folders)} | _OF_SERIES


def review_of(
    series: SeriesReport,
    position: int,
    questions: Mapping[str, str],
    patch: Patch | None = None,
    most: int = sys.maxsize,
) -> Review:
    """What there is to say of a patch, the worst first where it is more than ``most``.

    ``questions`` are those of `questions_of`; ``patch`` is the one whose text is quoted, by default that of the series.
    """
    patch = patch or series.patches[position - 1]
    sources = state_sources(series, position)
    review = Review()
    groups: dict[tuple[str, str], list[Diagnostic]] = {}
    for finding in of_patch(series, position):
        diagnostic = finding.diagnostic
        groups.setdefault((diagnostic.rule, diagnostic.message), []).append(diagnostic)
    review.rules.extend(sorted({rule for rule, _ in groups}))
    told = sorted(groups.values(), key=lambda group: -group[0].level)[:most]
    placed = [(next((line for d in group if (line := _line(patch, d, sources))), 0), group) for group in told]
    asked: set[str] = set()
    # In the order in which they are read: what has no line stands below the diff.
    for line, group in sorted(placed, key=lambda entry: (not entry[0], entry[0], entry[1][0].sort_key)):
        first = group[0]
        question = "" if first.rule in asked else questions.get(first.rule) or _OTHERWISE
        lines = comment(first, sources, question, len(group))
        asked.add(first.rule)
        hidden = first.rule not in SERIES_RULES and not _is_shown(patch, group, sources)
        lines = [*paragraph(_where(first)), "", *lines] if hidden else lines
        if line:
            review.comments.setdefault(line, []).append(lines)
        else:
            review.elsewhere.append(lines)
    if len(told) < len(groups):
        more = len(groups) - len(told)
        review.elsewhere.append(paragraph(f"There are {more} more remarks; the command below shows them."))
    return review


def comment(diagnostic: Diagnostic, sources: Sources, question: str, count: int = 1) -> list[str]:
    """Lines of a comment, within 72 columns but for code; ``count`` tells of findings of the same text."""
    if count > 1:
        question = f"{question} (Likewise for {count - 1} more in this patch.)".strip()
    steps = list(_steps(diagnostic, sources)) if diagnostic.level > Level.NOTE else []
    if steps:
        statement = _statement(diagnostic)
        ending = "." if ": " in statement else ":"
        lines = [*paragraph(statement + ending), "", *steps]
        lines += ["", *paragraph(question)] if question else []
    else:
        lines = paragraph(f"{_statement(diagnostic)}. {question}")
    fix = _fix(diagnostic, sources)
    if fix:
        lines += ["", *(code(line) for line in fix.text.split(b"\n"))]
    return lines


def paragraph(text: str, indent: str = "", more: str | None = None) -> list[str]:
    """Text within 72 columns; ``more`` is the indent of its further lines."""
    return wrap(
        shown(text),
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=indent if more is None else more,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _statement(diagnostic: Diagnostic) -> str:
    message = diagnostic.message
    if message.startswith(_DOUBT):
        return f"I cannot see here that {message.removeprefix(_DOUBT)}"
    if diagnostic.level is Level.ERROR:
        return f"If I read this right, {message}"
    if message.startswith("also updates"):
        return f"The section {message}"
    return sentence(message)


def sentence(text: str) -> str:
    """The text with a capital letter, unless it begins with a name of the code."""
    first = text.split(" ", 1)[0].rstrip(".,:;")
    return f"{text[:1].upper()}{text[1:]}" if first.isalpha() else text


def _steps(diagnostic: Diagnostic, sources: Sources) -> Iterator[str]:
    """The evidence with its lines of code, the middle left out where it is long; what a series leaves is a list."""
    notes = list(dict.fromkeys(diagnostic.notes))
    told = {(diagnostic.path, diagnostic.location.line)}
    of_series = diagnostic.rule in SERIES_RULES
    most = _PLACES if of_series else _STEPS
    gap = most if of_series else most // 2
    for number, note in enumerate(notes):
        if len(notes) > most and gap <= number < len(notes) - (most - gap):
            if number == gap:
                yield f"  [... {len(notes) - most} more]"
            continue
        where = _place(note, "" if of_series else diagnostic.path)
        yield from paragraph(f"{where}: {note.message}", "  ", "    ")
        if of_series:
            continue
        place = (note.location.path, note.location.line)
        source = sources.holding(note.location)
        if source is not None and place not in told:
            line = source.line_span(note.location.line)
            shown_line = code(source.data[line.start : line.end].strip())
            if 0 < len(shown_line) <= COLUMNS - len(_MARGIN):
                yield _MARGIN + shown_line
        told.add(place)


def _place(note: Note, path: str) -> str:
    location = note.location
    return f"line {location.line}" if location.path == path else f"{clean(location.path)}:{location.line}"


def _where(diagnostic: Diagnostic) -> str:
    function = f"In {diagnostic.function}(), " if diagnostic.function else "In "
    return f"{function}{clean(diagnostic.path)} line {diagnostic.location.line}, which the diff does not show:"


def _fix(diagnostic: Diagnostic, sources: Sources) -> Lines | None:
    source = sources.holding(diagnostic.location)
    return whole_lines(source, diagnostic.fix) if source and diagnostic.fix else None


def _line(patch: Patch, diagnostic: Diagnostic, sources: Sources) -> int | None:
    """The line of the patch to comment on: the last that a repair changes, else that of the finding or of evidence."""
    places = [(diagnostic.path, line) for line in _own_lines(diagnostic, sources)]
    places += [(note.location.path, note.location.line) for note in reversed(diagnostic.notes)]
    for path, line in places:
        found = patch.line_in_patch(path, line)
        if found is not None:
            return found
    return None


def _own_lines(diagnostic: Diagnostic, sources: Sources) -> list[int]:
    fix = _fix(diagnostic, sources)
    return [*([fix.last] if fix else []), diagnostic.location.end_line, diagnostic.location.line]


def _is_shown(patch: Patch, group: Sequence[Diagnostic], sources: Sources) -> bool:
    """True when the diff shows the line of one of them, and not only of what leads there."""
    return any(patch.line_in_patch(d.path, line) is not None for d in group for line in _own_lines(d, sources))
