"""What the hunks of a series say of the whole of it, where nothing but them is seen.

undefined(patches)                   used-before-defined: a ranged call that only a later patch defines
incomplete(patches, last, calls)     incomplete-conversion: a plain section in a function that the hunks show whole
unseen(patches, calls)               sentences on what of both could not be seen

A function counts as new where its definition is added and no line that was there before knows its name. Comments do
not count, as far as the hunk shows where they begin or end.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from mmlint.checker import FileReport
from mmlint.diagnostic import Diagnostic, Level, Note, fingerprinted
from mmlint.series.model import INCOMPLETE, UNDEFINED, Cause, FileChange, Finding, Hunk, Line, Patch
from mmlint.source import Location, Span
from mmlint.syntax.mask import blanks, mask
from mmlint.tree import HEADER
from mmlint.vocabulary import Vocabulary

# A function or macro of the API that takes entries, as the header defines it.
_DEFINED: Final = re.compile(
    rb"\bvoid\s+(\w*lazy_mmu_mode_\w+)\s*\([^()]*\bpte_t\b"
    rb"|^[ \t]*#[ \t]*define[ \t]+(\w*lazy_mmu_mode_enable_\w+)\(",
    re.MULTILINE,
)
_NAME: Final = re.compile(r"(\w+)\s*\(")
_HEAD: Final = re.compile(rb"(?=[A-Za-z_])[^;={}]*?\b(\w+)\s*\(")
_DEFINES: Final = re.compile(rb"(?:\bvoid|#[ \t]*define)\s+\Z")
_IN_COMMENT: Final = re.compile(rb"[ \t]*\*(?:[ \t].*)?$")
_LISTED: Final = 5


class Calls(NamedTuple):
    """The names of the calls that open a section without and with a range."""

    plain: re.Pattern[bytes]
    ranged: re.Pattern[bytes]


def calls_of(vocabulary: Vocabulary) -> Calls:
    """The calls that a vocabulary knows."""
    return Calls(_called(vocabulary.enters - vocabulary.ranged_enters), _called(vocabulary.ranged_enters))


def _called(names: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![\w.>])(" + b"|".join(re.escape(name.encode()) for name in sorted(names)) + rb")\s*\(")


class _Shown(NamedTuple):
    """A line of a hunk with its comments blanked; ``function`` is the one that it stands in, empty if not known."""

    line: Line
    code: bytes
    function: str


def functions_of(hunk: Hunk) -> list[str]:
    """For each line of a hunk the function that it stands in, by the lines above it, else by the header.

    Empty where it is not known.
    """
    name = _NAME.search(hunk.header.split("@@", 2)[-1])
    current = name.group(1) if name else ""
    found = []
    for line in hunk.lines:
        found.append(current)
        if line.kind == "-":
            continue
        if line.text.startswith(b"}"):
            current = ""
        elif head := _HEAD.match(line.text):
            current = head.group(1).decode()
    return found


def _side(hunk: Hunk, side: str) -> list[_Shown]:
    """The lines of one side."""
    rows = [row for row in zip(hunk.lines, functions_of(hunk), strict=True) if row[0].kind in (" ", side)]
    code = _code([line.text for line, _ in rows])
    return [_Shown(line, text, function) for (line, function), text in zip(rows, code, strict=True)]


class _Text:
    """Rows as one text, and the row of each of its bytes."""

    def __init__(self, rows: Sequence[_Shown]) -> None:
        self.code = b"\n".join(row.code for row in rows)
        self._rows = rows
        self._starts = list(accumulate((len(row.code) + 1 for row in rows), initial=0))

    def row(self, offset: int) -> tuple[_Shown, int]:
        """The row that holds a byte, and where in it."""
        at = bisect_right(self._starts, offset) - 1
        return self._rows[at], offset - self._starts[at]


def _code(lines: Sequence[bytes]) -> list[bytes]:
    text = b"\n".join(bytes(blanks(line)) if _IN_COMMENT.match(line) else line for line in lines)
    end = text.find(b"*/")
    if end >= 0 and b"/*" not in text[:end]:
        # The comment began above the hunk.
        text = bytes(blanks(text[: end + 2])) + text[end + 2 :]
    return mask(text).split(b"\n") if lines else []


def _source_hunks(patch: Patch) -> Iterator[tuple[FileChange, Hunk]]:
    for change in patch.files:
        if change.path.endswith((".c", ".h")):
            for hunk in change.hunks:
                yield change, hunk


def _definitions(patches: Sequence[Patch]) -> dict[str, int]:
    """The ranged calls that the series defines, with the position of the first patch that does."""
    found: dict[str, int] = {}
    for patch in patches:
        for change, hunk in _source_hunks(patch):
            if change.path != HEADER.as_posix():
                continue
            text = _Text(_side(hunk, "+"))
            for match in _DEFINED.finditer(text.code):
                row, _ = text.row(match.start(match.lastindex or 0))
                if row.line.kind == "+":
                    found.setdefault((match.group(1) or match.group(2)).decode(), patch.position)
    return found


def _was_there(patches: Sequence[Patch], name: str) -> bool:
    """True when a line of ``patches`` knows the name and was there before the series."""
    word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
    written: Counter[bytes] = Counter()
    for patch in patches:
        for _, hunk in _source_hunks(patch):
            for line in hunk.lines:
                if line.kind == "+":
                    written[line.text] += 1
                elif not written[line.text] and word.search(line.text):
                    return True
    return False


def undefined(patches: Sequence[Patch]) -> Iterator[Finding]:
    """Calls of a ranged function that a patch writes and only a later patch of the series defines."""
    new = {name: at for name, at in _definitions(patches).items() if not _was_there(patches[:at], name)}
    for patch in patches:
        missing = [name for name, position in new.items() if position > patch.position]
        if not missing:
            continue
        called = _called(missing)
        for change, hunk in _source_hunks(patch):
            if change.path == HEADER.as_posix():
                continue
            text = _Text(_side(hunk, "+"))
            for found in called.finditer(text.code):
                row, column = text.row(found.start())
                if row.line.kind == "+" and not defines(text.code, found.start()):
                    name = found.group(1).decode()
                    yield _undefined(patch, patches[new[name] - 1], change.path, row, column, name)


def defines(code: bytes, offset: int) -> bool:
    """True when the name at ``offset`` is defined or declared there, not called."""
    return bool(_DEFINES.search(code, max(offset - 200, 0), offset))


def _undefined(patch: Patch, later: Patch, path: str, row: _Shown, column: int, name: str) -> Finding:
    line, end = row.line.new, column + len(name)
    # The file is not there: bytes are counted as if the lines above were empty, which keeps the order.
    location = Location(path, Span(line - 1 + column, line - 1 + end), line, column + 1, line, end + 1)
    notes = (Note(location, f"{later.name} defines it: {later.title}"),)
    message = f"{name}() is called before the series defines it"
    (marked,) = fingerprinted([Diagnostic(UNDEFINED, Level.WARNING, location, row.function, message, notes)])
    return Finding(marked, Cause.INTRODUCED, patch.position, None, later.position)


def _conversions(patches: Sequence[Patch], calls: Calls) -> dict[tuple[str, str], list[int]]:
    """For each function with a plain call that became a ranged one, the patches that did it, one for each call."""
    found: dict[tuple[str, str], list[int]] = {}
    for patch in patches:
        gone: Counter[tuple[str, str]] = Counter()
        new: Counter[tuple[str, str]] = Counter()
        for change, hunk in _source_hunks(patch):
            gone.update((change.path, r.function) for r in _side(hunk, "-") if _is(r, "-", calls.plain))
            new.update((change.path, r.function) for r in _side(hunk, "+") if _is(r, "+", calls.ranged))
        for place, count in (gone & new).items():
            found.setdefault(place, []).extend([patch.position] * count)
    return found


def _is(row: _Shown, kind: str, called: re.Pattern[bytes]) -> bool:
    return row.line.kind == kind and bool(called.search(row.code))


def incomplete(patches: Sequence[Patch], last: Mapping[str, FileReport], calls: Calls) -> Iterator[Finding]:
    """Plain sections next to converted ones of the same function, where it is shown whole by the last patch of a file.

    What can be proven of a section without its callers is little; what cannot is not told.
    """
    done = _conversions(patches, calls)
    wrote = {
        (change.path, row.function)
        for patch in patches
        for change, hunk in _source_hunks(patch)
        for row in _side(hunk, "+")
        if _is(row, "+", calls.plain)
    }
    places = [
        (report.facts.source.locate(section.call), function.name)
        for report in last.values()
        if report.facts
        for function in report.facts.functions
        if (function.source.path, function.name) in done and (function.source.path, function.name) not in wrote
        for section in function.sections
        if section.kind == "plain" and section.proposal and section.proposal.safe
    ]
    if not places:
        return
    by = [position for place, name in places for position in done[place.path, name]]
    converted = sum(len(done[place]) for place in {(place.path, name) for place, name in places})
    names = ", ".join(dict.fromkeys(f"{name}()" for _, name in places))
    message = (
        f"the series names the range of {converted} of {converted + len(places)} sections that can name it "
        f"in {names}, as far as it is shown"
    )
    notes = tuple(Note(place, f"{name}() could name it") for place, name in places)
    (marked,) = fingerprinted([Diagnostic(INCOMPLETE, Level.WARNING, places[0][0], places[0][1], message, notes)])
    yield Finding(marked, Cause.INTRODUCED, max(by), marked)


def unseen(patches: Sequence[Patch], calls: Calls) -> tuple[str, ...]:
    """What of the two rules could not be seen; nothing when the series writes no ranged call."""
    defined = _definitions(patches)
    used: dict[str, None] = {}
    plain: dict[str, list[str]] = {}
    for patch in patches:
        for change, hunk in _source_hunks(patch):
            rows = _side(hunk, "+")
            for row in rows if change.path != HEADER.as_posix() else ():
                if row.line.kind == "+":
                    used |= {found.group(1).decode(): None for found in calls.ranged.finditer(row.code)}
        for change in patch.files:
            if change.path.endswith(".c"):
                rows = [row for hunk in change.hunks for row in _side(hunk, "+")]
                left = [r for r in rows if _is(r, " ", calls.plain)]
                plain[change.path] = [f"{change.path}:{r.line.new}" for r in left]
    if not used:
        return ()
    told = [
        f"{name}() is defined by no patch of the series: whether the base has it was not seen"
        for name in used
        if name not in defined
    ]
    shown = [place for places in plain.values() for place in places]
    more = f", and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
    hint = f"; the hunks show {', '.join(shown[:_LISTED])}{more}" if shown else ""
    return (*told, f"which sections stay plain, and whether they could name their range, was not seen{hint}")
