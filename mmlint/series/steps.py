"""One patch between two states: which finding of the second is one of the first, and what the patch wrote.

    step = Step(changes, before, after)
    pairs, lost, new = step.match(living, findings_after)

A finding after the patch is one from before when they agree, in this order, in: rule, function, message and line (the
patch's hunks tell where a line went); rule, function and message; rule, message and line; rule and line; rule, message
and the text of the line, where its function was moved; rule and all but names that the patch changes for others. What
is left is new.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from mmlint.checker import FileReport
from mmlint.diagnostic import Diagnostic, Level, Note
from mmlint.facts.sections import FunctionFacts
from mmlint.series.model import FileChange
from mmlint.source import Span

State = Mapping[str, FileReport]
_Key = Callable[[Diagnostic], Hashable]
_Test = Callable[[Diagnostic, Diagnostic], bool]
_TOKEN: Final = re.compile(r"[A-Za-z_]\w*|\d\w*|\S")
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_ENDS: Final = (b";", b"{", b"}")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
# Where more pairs than this would have to be compared, nothing counts as moved or renamed.
MAX_PAIRS: Final = 20_000
# The part of the smaller function's lines that stand in the other one too, where code was moved.
_ALIKE: Final = 0.6


class Lines:
    """Where the lines of a file go in one patch."""

    def __init__(self, change: FileChange | None) -> None:
        self._removed = change.removed if change else frozenset()
        self._starts: list[int] = []
        self._shifts: list[int] = []
        shift = 0
        for hunk in change.hunks if change else ():
            shift += hunk.new_count - hunk.old_count
            # A hunk without old lines stands behind the line that it names.
            self._starts.append(hunk.old_start + (hunk.old_count or 1))
            self._shifts.append(shift)

    def after(self, line: int) -> int | None:
        """The line after the patch, or None when it was taken away."""
        if line in self._removed:
            return None
        at = bisect_right(self._starts, line)
        return line + (self._shifts[at - 1] if at else 0)


class Match(NamedTuple):
    """Which of the old findings, by their places in the list, became which new one, which are gone, what is new."""

    pairs: list[tuple[int, Diagnostic]]
    lost: list[int]
    new: list[Diagnostic]


class Step:
    """One patch: what it changes, and the two states around it."""

    def __init__(self, changes: Sequence[FileChange], before: State, after: State) -> None:
        self._changes = {change.path: change for change in changes}
        self._new_path = {change.before: change.path for change in changes if change.kind == "renamed"}
        self._before = before
        self._after = after
        self._lines: dict[str, Lines] = {}

    def match(self, old: Sequence[Diagnostic], arrived: Sequence[Diagnostic]) -> Match:
        """Each finding of the state after the patch with the one that it was before."""
        pairs: list[tuple[int, Diagnostic]] = []
        rest = list(range(len(old)))
        left = list(arrived)
        ways: list[tuple[_Key, _Key, _Test | None]] = [
            (
                lambda d: (d.rule, self.path(d.path), d.function, d.message, self.line(d.path, d.location.line)),
                lambda d: (d.rule, d.path, d.function, d.message, d.location.line),
                None,
            ),
            (
                lambda d: (d.rule, self.path(d.path), d.function, d.message),
                lambda d: (d.rule, d.path, d.function, d.message),
                None,
            ),
            (
                lambda d: (d.rule, self.path(d.path), d.message, self.line(d.path, d.location.line)),
                lambda d: (d.rule, d.path, d.message, d.location.line),
                None,
            ),
            (
                lambda d: (d.rule, self.path(d.path), self.line(d.path, d.location.line)),
                lambda d: (d.rule, d.path, d.location.line),
                None,
            ),
            (lambda d: (d.rule, d.message), lambda d: (d.rule, d.message), self._is_moved),
            (lambda d: (d.rule, self.path(d.path)), lambda d: (d.rule, d.path), self._is_renamed),
        ]
        for old_key, new_key, is_same in ways:
            if is_same and len(rest) * len(left) > MAX_PAIRS:
                break
            waiting = _by(new_key, left)
            unmatched = []
            for number in rest:
                alike = waiting.get(old_key(old[number]), [])
                twin = next((k for k, d in enumerate(alike) if is_same is None or is_same(old[number], d)), None)
                if twin is None:
                    unmatched.append(number)
                else:
                    pairs.append((number, alike.pop(twin)))
            rest = unmatched
            left = [diagnostic for others in waiting.values() for diagnostic in others]
        return Match(pairs, rest, sorted(left, key=lambda d: d.sort_key))

    def path(self, path: str) -> str:
        """A path after the patch."""
        return self._new_path.get(path, path)

    def line(self, path: str, line: int) -> int | None:
        """Where a line of the file that was ``path`` went, or None when it was taken away."""
        path = self.path(path)
        if path not in self._lines:
            self._lines[path] = Lines(self._changes.get(path))
        return self._lines[path].after(line)

    def wrote(self, diagnostic: Diagnostic) -> bool:
        """True when the patch wrote a line that the finding stands on."""
        change = self._changes.get(diagnostic.path)
        place = diagnostic.location
        return change is not None and any(line in change.written for line in range(place.line, place.end_line + 1))

    def converts(self, before: Diagnostic, after: Diagnostic) -> bool:
        """True when a plain call became one that names a range: what is said of that is the patch's.

        A fault that the plain call had in the same words is no matter of the range.
        """
        if before.level > Level.NOTE and (before.level, before.message) == (after.level, after.message):
            return False
        kinds = (_kind(before, self._before), _kind(after, self._after))
        return kinds == ("plain", "ranged") and self.wrote(after)

    def touches(self, before: Diagnostic | None, after: Diagnostic) -> bool:
        """True when the patch writes to or takes from the function of a finding, which was there before or was not."""
        change = self._changes.get(after.path)
        if change is None:
            return False
        written = _extent(after, self._after)
        if before is None:
            return any(hunk.new_start in written for hunk in change.hunks)
        removed = _extent(before, self._before)
        return any(line in written for line in change.written) or any(line in removed for line in change.removed)

    def is_copy(self, old: Diagnostic, new: Diagnostic) -> bool:
        """True for a finding after the patch in the text of a function that is gone, whatever it is called now."""
        if (old.rule, old.message) != (new.rule, new.message) or not old.function or not new.function:
            return False
        if self._stays(old):
            return False
        before, after = _body(old, self._before), _body(new, self._after)
        return before.replace(old.function, "") == after.replace(new.function, "")

    def _is_moved(self, old: Diagnostic, new: Diagnostic) -> bool:
        """True for code that went elsewhere with what is around it: its function is gone, or where it is now is new."""
        if old.message != new.message or _text(old, self._before) != _text(new, self._after):
            return False
        if self._stays(old) and self._was_there(new):
            return False
        lines = [_lines(_body(old, self._before)), _lines(_body(new, self._after))]
        common = sum((lines[0] & lines[1]).values())
        return common >= _ALIKE * min(sum(counted.values()) for counted in lines)

    def _stays(self, old: Diagnostic) -> bool:
        """True when the function of a finding before the patch is there behind it, with a section or without."""
        if _function(self._after, self.path(old.path), old.function) is not None:
            return True
        return any(self.line(old.path, _head(f)) is not None for f in _functions_at(old, self._before))

    def _was_there(self, new: Diagnostic) -> bool:
        """True when the function of a finding behind the patch was there before, with a section or without."""
        if any(
            _function(self._before, path, new.function) is not None
            for path in self._before
            if self.path(path) == new.path
        ):
            return True
        change = self._changes.get(new.path)
        written = change.written if change else frozenset()
        return any(_head(f) not in written for f in _functions_at(new, self._after))

    def _is_renamed(self, old: Diagnostic, new: Diagnostic) -> bool:
        """True for a line that the patch wrote anew with other names for the same: nothing else is different.

        An old name has to be gone from the function, and a new one must not have been there: else another is meant.
        Of a function that is called, the evidence has to lead to the same lines: another one may do the same.
        """
        if self.path(old.path) != new.path or self.line(old.path, old.location.line) is not None:
            return False
        if not self.wrote(new):
            return False
        names: dict[str, str] = {}
        texts = ((_statement(old, self._before), _statement(new, self._after)), (old.message, new.message))
        if not all(_rename(_TOKEN.findall(before), _TOKEN.findall(after), names) for before, after in texts):
            return False
        changed = {before: after for before, after in names.items() if before != after}
        bodies = (_body(old, self._before), _body(new, self._after))
        gone, come = (set(_NAME.findall(body)) for body in bodies)
        if not changed or set(changed) & come or set(changed.values()) & gone:
            return False
        called = {name for name in changed if re.search(rf"\b{name}\s*\(", texts[0][0])}
        told = {name for note in old.notes for name in _NAME.findall(note.message)}
        return not called or (called <= told and self._is_same_evidence(old.notes, new.notes, names))

    def _is_same_evidence(self, old: Sequence[Note], new: Sequence[Note], names: dict[str, str]) -> bool:
        for before, after in zip(old, new, strict=False):
            place = before.location
            if self.path(place.path) != after.location.path:
                return False
            if self.line(place.path, place.line) not in (None, after.location.line):
                return False
            if not _rename(_TOKEN.findall(before.message), _TOKEN.findall(after.message), names):
                return False
        return len(old) == len(new)


def _by(key: _Key, diagnostics: Sequence[Diagnostic]) -> dict[Hashable, list[Diagnostic]]:
    found: dict[Hashable, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        found.setdefault(key(diagnostic), []).append(diagnostic)
    return found


def _rename(before: list[str], after: list[str], names: dict[str, str]) -> bool:
    """True when the tokens differ in names only, each of which stands for one other all over; ``names`` grows."""
    if len(before) != len(after):
        return False
    for old, new in zip(before, after, strict=True):
        if old == new == names.get(old, new):
            names[old] = new
            continue
        if not (_NAME.fullmatch(old) and _NAME.fullmatch(new)) or names.setdefault(old, new) != new:
            return False
    return len(set(names.values())) == len(names)


def _function(state: State, path: str, name: str) -> FunctionFacts | None:
    """A function of a state that has something to do with sections."""
    report = state.get(path)
    return next((f for f in report.facts.functions if f.name == name), None) if report and report.facts else None


def _lines(text: str) -> Counter[str]:
    """Lines that say something, without indentation."""
    return Counter(line for line in map(str.strip, text.split("\n")) if len(line) > 1)


def _head(function: FunctionFacts) -> int:
    """The line of its name."""
    source, span = function.source, function.span
    at = source.data.find(function.name.encode(), span.start, span.end)
    return source.line(at if at >= 0 else span.start)


def _functions_at(diagnostic: Diagnostic, state: State) -> Iterator[FunctionFacts]:
    report = state.get(diagnostic.path)
    for function in report.facts.functions if report and report.facts else ():
        if function.name == diagnostic.function and function.span.covers(diagnostic.location.span):
            yield function


def _extent(diagnostic: Diagnostic, state: State) -> range:
    """The lines of the function that a finding stands in, else its own."""
    for function in _functions_at(diagnostic, state):
        line = function.source.line
        return range(line(function.span.start), line(function.span.end) + 1)
    return range(diagnostic.location.line, diagnostic.location.end_line + 1)


def _body(diagnostic: Diagnostic, state: State) -> str:
    """The text of the function that a finding stands in, else its line."""
    for function in _functions_at(diagnostic, state):
        return function.source.text(function.span)
    return _text(diagnostic, state)


def _kind(diagnostic: Diagnostic | None, state: State) -> str:
    """The word plain or ranged for a finding that stands at the enable of a section, else empty."""
    report = state.get(diagnostic.path) if diagnostic else None
    for function in report.facts.functions if report and report.facts else ():
        for section in function.sections:
            if diagnostic and section.call.start <= diagnostic.location.span.start < section.call.end:
                return section.kind
    return ""


def _text(diagnostic: Diagnostic, state: State) -> str:
    """The line of a finding, without indentation."""
    report = state.get(diagnostic.path)
    if report is None or report.facts is None:
        return ""
    source = report.facts.source
    return source.text(source.line_span(diagnostic.location.line)).strip()


def _statement(diagnostic: Diagnostic, state: State) -> str:
    """What stands around a finding between two ends of statements, comments left out."""
    report = state.get(diagnostic.path)
    if report is None or report.facts is None:
        return ""
    source, span = report.facts.source, diagnostic.location.span
    starts = (source.data.rfind(sign, 0, span.start) + 1 for sign in _ENDS)
    ends = (at for sign in _ENDS if (at := source.data.find(sign, span.end)) >= 0)
    return _COMMENT.sub("", source.text(Span(max(starts), min(ends, default=span.end))))
