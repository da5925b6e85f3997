"""Whose a finding is: each is followed from state to state, through moved lines and renamed functions.

    history = History(first_state)
    history.step(1, patch_one, second_state)
    history.tracks     every finding with the patch that caused, touched or repaired it

`mmlint.series.steps` tells which finding of one state is that of the state before. One that is away for a while, hidden
behind another fault or in a function that could not be analysed, and comes back on a line that no patch has written
since, is the one that it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mmlint.diagnostic import Diagnostic, fingerprinted
from mmlint.engine import make_report
from mmlint.series.model import Cause, FileChange, Finding
from mmlint.series.steps import MAX_PAIRS, State, Step

_OLD = (Cause.OLD, Cause.TOUCHED)


@dataclass(slots=True)
class Track:
    """One finding on its way: as it was told first, as it is now, and who did what.

    Of one that is gone, ``last`` is as it was told last, at the path and line that it would have now; None when that
    line is gone as well. Of one that a patch made worse, ``milder`` is as it was: told, cause and patch.
    """

    told: Diagnostic
    now: Diagnostic | None
    cause: Cause
    patch: int
    repaired_by: int | None = None
    last: tuple[Diagnostic, str, int] | None = None
    milder: tuple[Diagnostic, Cause, int] | None = None


class History:
    """The findings of all states so far."""

    def __init__(self, first: State) -> None:
        self.tracks = [Track(d, d, Cause.OLD, 0) for d in _told(first)]
        self._state = first

    def step(self, patch: int, changes: Sequence[FileChange], state: State, is_authors: bool = True) -> None:
        """Go on to the state after ``patch``; ``changes`` are those between the two states, without context.

        What a merge brings is nobody's of this series.
        """
        step = Step(changes, self._state, state)
        self._state = state
        away = [track for track in self.tracks if track.last is not None]
        for track in away:
            track.last = _followed(track.last, step)
        living = [(track, track.now) for track in self.tracks if track.now is not None]
        pairs, lost, new = step.match([now for _, now in living], _told(state))
        gone = [living[number] for number in lost]
        for number, diagnostic in pairs:
            track, before = living[number]
            if step.converts(before, diagnostic):
                gone.append((track, before))
                new.append(diagnostic)
                continue
            _goes_on(track, diagnostic, patch if is_authors and step.touches(before, diagnostic) else 0)
            if is_authors and diagnostic.level > before.level:
                _rises(track, diagnostic, patch, step)
        for diagnostic in _back(away, new, step, patch if is_authors else 0):
            cause = Cause.INTRODUCED if step.wrote(diagnostic) else Cause.MADE_REACHABLE
            track = Track(diagnostic, diagnostic, cause, patch)
            self.tracks.append(track if is_authors else Track(diagnostic, diagnostic, Cause.OLD, 0))
        for track, before in gone:
            _end(track, before, patch, step, state)
        self._unite(gone, step)

    def _unite(self, gone: Sequence[tuple[Track, Diagnostic]], step: Step) -> None:
        """Code that one patch copies and a later one takes away was moved: its finding is not a second one."""
        if len(gone) * len(self.tracks) > MAX_PAIRS:
            return
        for track, before in gone:
            for other in self.tracks:
                if other.now is None or (track.cause in _OLD) == (other.cause in _OLD):
                    continue
                if step.is_copy(before, other.now):
                    if track.cause in _OLD:
                        track.repaired_by, track.last = None, None
                        _goes_on(track, other.now, other.patch)
                        self.tracks.remove(other)
                    else:
                        self.tracks.remove(track)
                    break


def _told(state: State) -> list[Diagnostic]:
    """The findings of a state, each once, with their fingerprints."""
    return list(make_report(len(state), list(state.values()), ()).diagnostics)


def _goes_on(track: Track, diagnostic: Diagnostic, touched_by: int) -> None:
    """The finding of a track in the next state; 0 for a patch that does not touch it."""
    if track.milder and diagnostic.level <= track.milder[0].level:
        track.told, track.cause, track.patch = track.milder
        track.milder = None
    track.now = diagnostic._replace(fingerprint=track.told.fingerprint)
    if track.cause is Cause.OLD and touched_by:
        track.cause, track.patch, track.told = Cause.TOUCHED, touched_by, track.now
    elif track.cause is Cause.OLD:
        track.told = track.now


def _rises(track: Track, diagnostic: Diagnostic, patch: int, step: Step) -> None:
    """What a patch makes worse is of its causing, such as a direct access in a section that names its range by now."""
    track.milder = track.milder or (track.told, track.cause, track.patch)
    track.cause = Cause.INTRODUCED if step.wrote(diagnostic) else Cause.MADE_REACHABLE
    track.patch, track.told = patch, diagnostic._replace(fingerprint=track.told.fingerprint)


def _end(track: Track, before: Diagnostic, patch: int, step: Step, state: State) -> None:
    """A finding that is not there any more: repaired, unless its function cannot be analysed since."""
    report = state.get(step.path(before.path))
    if not report or not any(skipped.function in ("", before.function) for skipped in report.skipped):
        track.repaired_by = patch
    track.now = None
    track.last = _followed((before, before.path, before.location.line), step)


def _followed(last: tuple[Diagnostic, str, int] | None, step: Step) -> tuple[Diagnostic, str, int] | None:
    """The place of what is gone after one more patch."""
    if last is None:
        return None
    diagnostic, path, line = last
    after = step.line(path, line)
    return None if after is None else (diagnostic, step.path(path), after)


def _back(away: Sequence[Track], new: Sequence[Diagnostic], step: Step, patch: int) -> list[Diagnostic]:
    """Let go on what comes back where it was; the rest of the new findings."""
    waiting: dict[tuple[str, str, str, int], list[Track]] = {}
    for track in away:
        if track.last:
            diagnostic, path, line = track.last
            waiting.setdefault((diagnostic.rule, path, diagnostic.message, line), []).append(track)
    rest = []
    for diagnostic in new:
        place = (diagnostic.rule, diagnostic.path, diagnostic.message, diagnostic.location.line)
        found = [] if step.wrote(diagnostic) else waiting.get(place, [])
        if found:
            track = found.pop(0)
            assert track.last is not None
            before, _, _ = track.last
            track.repaired_by, track.last = None, None
            _goes_on(track, diagnostic, patch if step.touches(None, diagnostic) else 0)
            if patch and diagnostic.level > before.level:
                _rises(track, diagnostic, patch, step)
        else:
            rest.append(diagnostic)
    return rest


def apart(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that were marked one by one, with fingerprints that tell those of one text in one function apart."""
    ordered = sorted(findings, key=lambda finding: finding.diagnostic.sort_key)
    marked = fingerprinted(finding.diagnostic for finding in ordered)
    return [
        replace(finding, diagnostic=diagnostic, final=diagnostic if finding.final else None)
        for finding, diagnostic in zip(ordered, marked, strict=True)
    ]
