"""Whose a finding is: each is followed from state to state, through moved lines and renamed functions.

    history = History(first_state)
    history.step(1, patch_one, second_state)
    history.tracks     every finding with the patch that caused, touched or repaired it

A finding of one state is that of the state before when they agree, in this order, in: rule, message and line (the
patch's hunks tell where a line went); rule, function and message; rule and line; rule, message and the text of the
line, which follows code that was moved. What is left is new.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mmlint.checker import FileReport
from mmlint.diagnostic import Diagnostic, fingerprinted
from mmlint.engine import make_report
from mmlint.series.model import Cause, FileChange, Finding

State = Mapping[str, FileReport]


@dataclass(slots=True)
class Track:
    """One finding on its way: as it was told first, as it is now, and who did what."""

    told: Diagnostic
    now: Diagnostic | None
    cause: Cause
    patch: int
    repaired_by: int | None = None


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


class History:
    """The findings of all states so far."""

    def __init__(self, first: State) -> None:
        self.tracks = [Track(d, d, Cause.OLD, 0) for d in _told(first)]
        self._state = first

    def step(self, patch: int, changes: Sequence[FileChange], state: State, is_authors: bool = True) -> None:
        """Go on to the state after ``patch``; ``changes`` are those between the two states, without context.

        What a merge brings is nobody's of this series.
        """
        by_path = {change.path: change for change in changes}
        new_path = {change.before: change.path for change in changes if change.kind == "renamed"}
        before, self._state = self._state, state
        living = [track for track in self.tracks if track.now is not None]
        step = _Step(by_path, new_path, before, state)
        pairs, lost, new = step.match(living, _told(state))
        for track, diagnostic in pairs:
            if step.converts(track, diagnostic):
                lost.append(track)
                new.append(diagnostic)
                continue
            touched = is_authors and track.cause is Cause.OLD and step.touches(track, diagnostic)
            track.now = diagnostic._replace(fingerprint=track.told.fingerprint)
            if touched:
                track.cause, track.patch, track.told = Cause.TOUCHED, patch, track.now
            elif track.cause is Cause.OLD:
                track.told = track.now
        for track in lost:
            _end(track, patch, state, new_path)
        for diagnostic in new:
            cause = Cause.INTRODUCED if step.wrote(diagnostic) else Cause.MADE_REACHABLE
            track = Track(diagnostic, diagnostic, cause, patch)
            self.tracks.append(track if is_authors else Track(diagnostic, diagnostic, Cause.OLD, 0))


def _told(state: State) -> list[Diagnostic]:
    """The findings of a state, each once, with their fingerprints."""
    return list(make_report(len(state), list(state.values()), ()).diagnostics)


def _end(track: Track, patch: int, state: State, new_path: Mapping[str, str]) -> None:
    """A finding that is not there any more: repaired, unless its function cannot be analysed since."""
    assert track.now is not None
    report = state.get(new_path.get(track.now.path, track.now.path))
    function = track.now.function
    if not report or not any(skipped.function in ("", function) for skipped in report.skipped):
        track.repaired_by = patch
    track.now = None


@dataclass(slots=True)
class _Step:
    """One patch: what it changes, and the two states around it."""

    changes: Mapping[str, FileChange]
    new_path: Mapping[str, str]
    before: State
    after: State
    _lines: dict[str, Lines] = field(default_factory=dict)

    def match(
        self, tracks: list[Track], arrived: list[Diagnostic]
    ) -> tuple[list[tuple[Track, Diagnostic]], list[Track], list[Diagnostic]]:
        pairs: list[tuple[Track, Diagnostic]] = []
        old: list[tuple[Track, Diagnostic]] = [(track, track.now) for track in tracks if track.now]
        keys: list[tuple[Callable[[Diagnostic], Hashable], Callable[[Diagnostic], Hashable]]] = [
            (
                lambda d: (d.rule, self._path(d), d.message, self._line(d)),
                lambda d: (d.rule, d.path, d.message, d.location.line),
            ),
            (
                lambda d: (d.rule, self._path(d), d.function, d.message),
                lambda d: (d.rule, d.path, d.function, d.message),
            ),
            (lambda d: (d.rule, self._path(d), self._line(d)), lambda d: (d.rule, d.path, d.location.line)),
            (
                lambda d: (d.rule, d.message, _text(d, self.before)),
                lambda d: (d.rule, d.message, _text(d, self.after)),
            ),
        ]
        for old_key, new_key in keys:
            waiting: dict[Hashable, list[Diagnostic]] = {}
            for diagnostic in arrived:
                waiting.setdefault(new_key(diagnostic), []).append(diagnostic)
            rest = []
            for track, diagnostic in old:
                found = waiting.get(old_key(diagnostic))
                if found:
                    pairs.append((track, found.pop(0)))
                else:
                    rest.append((track, diagnostic))
            old = rest
            arrived = [diagnostic for left in waiting.values() for diagnostic in left]
        return pairs, [track for track, _ in old], sorted(arrived, key=lambda d: d.sort_key)

    def _path(self, diagnostic: Diagnostic) -> str:
        return self.new_path.get(diagnostic.path, diagnostic.path)

    def _line(self, diagnostic: Diagnostic) -> int | None:
        path = self._path(diagnostic)
        if path not in self._lines:
            self._lines[path] = Lines(self.changes.get(path))
        return self._lines[path].after(diagnostic.location.line)

    def wrote(self, diagnostic: Diagnostic) -> bool:
        """True when the patch wrote a line that the finding stands on."""
        change = self.changes.get(diagnostic.path)
        place = diagnostic.location
        return change is not None and any(line in change.written for line in range(place.line, place.end_line + 1))

    def converts(self, track: Track, diagnostic: Diagnostic) -> bool:
        """True when a plain call became one that names a range: whatever is said of that is the patch's."""
        kinds = (_kind(track.now, self.before), _kind(diagnostic, self.after))
        return kinds == ("plain", "ranged") and self.wrote(diagnostic)

    def touches(self, track: Track, diagnostic: Diagnostic) -> bool:
        """True when the patch writes to or takes from the function of a finding that was there before."""
        change = self.changes.get(diagnostic.path)
        if change is None or track.now is None:
            return False
        written = _extent(diagnostic, self.after)
        removed = _extent(track.now, self.before)
        return any(line in written for line in change.written) or any(line in removed for line in change.removed)


def _extent(diagnostic: Diagnostic, state: State) -> range:
    """The lines of the function that a finding stands in, else its own."""
    report = state.get(diagnostic.path)
    facts = report.facts if report else None
    for function in facts.functions if facts else ():
        if function.name == diagnostic.function and function.span.covers(diagnostic.location.span):
            line = function.source.line
            return range(line(function.span.start), line(function.span.end) + 1)
    return range(diagnostic.location.line, diagnostic.location.end_line + 1)


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


def apart(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that were marked one by one, with fingerprints that tell those of one text in one function apart."""
    ordered = sorted(findings, key=lambda finding: finding.diagnostic.sort_key)
    marked = fingerprinted(finding.diagnostic for finding in ordered)
    return [
        replace(finding, diagnostic=diagnostic, final=diagnostic if finding.final else None)
        for finding, diagnostic in zip(ordered, marked, strict=True)
    ]
