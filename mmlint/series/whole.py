"""What only a series as a whole can get wrong, and how far it converts the tree.

conversion_of(judge, patches)       the sections of the last state that name their range, and those left plain
transient(tracks, patches, early, judge)  broken-then-repaired: a state in between cannot be bisected
undefined(judge, patches)           used-before-defined: a call before its function exists
incomplete(conversion, judge)       incomplete-conversion: plain sections next to those that the series converts
nowhere_defined(conversion, judge)  remarks on ranged calls that the series writes and the last state does not define
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mmlint.diagnostic import Diagnostic, Level, Note, fingerprinted
from mmlint.facts.sections import FileFacts, FunctionFacts, Section
from mmlint.series.causes import Track
from mmlint.series.hunk_calls import defines
from mmlint.series.model import INCOMPLETE, TRANSIENT, UNDEFINED, Cause, Conversion, Finding, Patch, Site
from mmlint.series.states import Judge
from mmlint.series.steps import Lines
from mmlint.source import Source, Span
from mmlint.syntax.directives import Conditional, read_directives
from mmlint.syntax.mask import mask
from mmlint.tree import HEADER

_CALL: Final = rb"(?<![\w.>])(%s)\s*\("


def conversion_of(judge: Judge, patches: Sequence[Patch]) -> Conversion | None:
    """None when no patch of the series names a range."""
    writers = _writers(patches)
    converted: list[Site] = []
    left: list[Site] = []
    for report in judge.reports(judge.last).values():
        if report.facts is None:
            continue
        for function, section in _sections(report.facts):
            site = _site(report.facts, function, section, writers)
            (converted if section.kind == "ranged" else left).append(site)
    if not any(site.patch for site in converted):
        return None
    return Conversion(tuple(converted), tuple(left))


def _sections(facts: FileFacts) -> Iterator[tuple[FunctionFacts, Section]]:
    for function in facts.functions:
        for section in function.sections:
            yield function, section


def _site(facts: FileFacts, function: FunctionFacts, section: Section, writers: dict[tuple[str, int], int]) -> Site:
    line = facts.source.line(section.call.start)
    return Site(
        facts.source.path,
        function.name,
        line,
        " ".join(section.text.split()),
        section.kind,
        section.verdict.value,
        section.reason,
        writers.get((facts.source.path, line), 0),
        section.proposal.call if section.proposal else "",
        bool(section.proposal and section.proposal.safe),
        tuple(f"{r.mm}, {r.addr}, {r.end or '?'}, {r.ptep}" + f" ({r.role})" * bool(r.role) for r in section.ranges),
    )


def _writers(patches: Sequence[Patch]) -> dict[tuple[str, int], int]:
    """The patch that wrote a line, for the lines of the last state that the series wrote."""
    found: dict[tuple[str, int], int] = {}
    for patch in patches:
        moved: dict[tuple[str, int], int] = {}
        by_before = {change.before: change for change in patch.seen if change.kind != "copied"}
        for (path, line), writer in found.items():
            change = by_before.get(path)
            after = Lines(change).after(line) if change else line
            if after is not None:
                moved[change.path if change else path, after] = writer
        for change in patch.seen:
            moved.update({(change.path, line): patch.position for line in change.written})
        found = moved
    return found


def transient(
    tracks: Sequence[Track], patches: Sequence[Patch], early: Sequence[Finding], judge: Judge
) -> Iterator[Finding]:
    """A finding of the series' own making that a later patch of it takes away.

    A line that is told in ``early`` already, because its call comes too soon, is not told twice; nor is what works all
    the same, as a name that is given up by and by does while the header has both.
    """
    told_early = {(f.patch, f.diagnostic.path, f.diagnostic.location.line) for f in early}
    for track in tracks:
        if (track.patch, track.told.path, track.told.location.line) in told_early:
            continue
        caused = track.cause in (Cause.INTRODUCED, Cause.MADE_REACHABLE)
        if not caused or track.repaired_by is None or track.told.level < Level.WARNING:
            continue
        state = _broken_in(track, track.repaired_by, judge)
        told = _as_of(track, state, patches, judge) if state else None
        if told is None:
            continue
        later = patches[track.repaired_by - 1]
        notes = (Note(told.location, f"{later.name} repairs it: {later.title}"), *told.notes)
        message = f"{told.message} [{told.rule}], until a later patch of the series repairs it"
        diagnostic = Diagnostic(TRANSIENT, Level.WARNING, told.location, told.function, message, notes)
        (marked,) = fingerprinted([diagnostic])
        cause = track.cause if state == track.patch else Cause.MADE_REACHABLE
        yield Finding(marked, cause, state, None, track.repaired_by)


def _broken_in(track: Track, end: int, judge: Judge) -> int:
    """The first state before ``end`` that has the finding and does not build or work; 0 where each of them does."""
    told = track.told
    report = judge.reports(track.patch).get(told.path)
    if report is None or report.facts is None:
        return track.patch
    mention = next((m for m in report.facts.mentions if m.span == told.location.span), None)
    if mention:
        # Nobody compiles a comment.
        if not mask(report.facts.source.data)[mention.span.start : mention.span.end].strip():
            return 0
        return next((state for state in range(track.patch, end) if mention.name not in judge.defined(state)), 0)
    remarks = [r for r in report.facts.remarks if (r.subject, r.message) == (told.location.span, told.message)]
    works = told.rule in judge.spelling or any(remark.is_text for remark in remarks)
    return 0 if works else track.patch


def _as_of(track: Track, state: int, patches: Sequence[Patch], judge: Judge) -> Diagnostic | None:
    """The finding in a later state that has it, or None where its line was written anew since."""
    path, line = track.told.path, track.told.location.line
    for patch in patches[track.patch : state]:
        change = next((c for c in patch.seen if c.before == path and c.kind != "copied"), None)
        after = Lines(change).after(line)
        if after is None:
            return None
        path, line = change.path if change else path, after
    report = judge.reports(state).get(path)
    same = (track.told.rule, track.told.message, line)
    found = report.diagnostics if report else ()
    return next((d for d in found if (d.rule, d.message, d.location.line) == same), None)


def undefined(judge: Judge, patches: Sequence[Patch]) -> Iterator[Finding]:
    """Calls that a patch writes of a function that only a later patch defines."""
    final = judge.defined(judge.last)
    for patch in patches:
        missing = final - judge.defined(patch.position)
        if not missing:
            continue
        names = b"|".join(re.escape(name.encode()) for name in sorted(missing))
        for change in patch.seen:
            if change.path.endswith((".c", ".h")) and change.path != HEADER.as_posix() and change.kind != "deleted":
                source = Source(change.path, judge.tree(patch.position).read(change.path))
                code = mask(source.data) if re.search(_CALL % names, source.data) else b""
                for found in re.finditer(_CALL % names, code):
                    if source.line(found.start(1)) in change.written and not defines(code, found.start(1)):
                        yield _undefined(judge, patches, patch, source, Span(*found.span(1)))


def _undefined(judge: Judge, patches: Sequence[Patch], patch: Patch, source: Source, span: Span) -> Finding:
    name = source.text(span)
    later = next(p for p in patches[patch.position :] if name in judge.defined(p.position))
    location = source.locate(span)
    notes = (Note(location, f"{later.name} defines it: {later.title}"),)
    message = f"{name}() is called before the series defines it"
    function = _function_at(judge, patch.position, source.path, span.start)
    (marked,) = fingerprinted([Diagnostic(UNDEFINED, Level.WARNING, location, function, message, notes)])
    return Finding(marked, Cause.INTRODUCED, patch.position, None, later.position)


def _function_at(judge: Judge, state: int, path: str, offset: int) -> str:
    report = judge.reports(state).get(path)
    for function in report.facts.functions if report and report.facts else ():
        if function.span.start <= offset < function.span.end:
            return function.name
    return ""


def nowhere_defined(conversion: Conversion, judge: Judge) -> tuple[str, ...]:
    """A word on names that no file of the last state defines: the base may be another tree than the author's."""
    written = {site.call.split("(")[0]: None for site in conversion.converted if site.patch}
    missing = [name for name in written if name not in judge.defined(judge.last)] if judge.header(judge.last) else []
    tree = judge.tree(judge.last)
    texts = [tree.read(path) for path in judge.reports(judge.last)] if missing else []
    return tuple(
        f"{name}() is defined neither by the base nor by the series"
        for name in missing
        if not any(_is_defined_in(text, name.encode()) for text in texts)
    )


def _is_defined_in(text: bytes, name: bytes) -> bool:
    code = mask(text)
    return bool(re.search(rb"#[ \t]*define[ \t]+%s\b" % name, text)) or any(
        defines(code, found.start(1)) for found in re.finditer(_CALL % name, code)
    )


def incomplete(conversion: Conversion, judge: Judge) -> Iterator[Finding]:
    """Plain sections that could name their range, in a function, a file or a tree that the series converts.

    It converts a function when it converts one of its sections, a file or the tree when it converts more of the
    sections there than it leaves. A section whose range a person has to confirm may well be left, and so may the one
    that stands where the compiler does not see the call that was converted.
    """
    plain_before = {
        (facts.source.path, function.name)
        for report in judge.reports(0).values()
        if (facts := report.facts)
        for function, section in _sections(facts)
        if section.kind == "plain"
    }
    all_done = [site for site in conversion.converted if site.patch and (site.path, site.function) in plain_before]
    could = [site for site in conversion.left if site.is_proven]
    left = [site for site in could if not site.patch and _belongs(site, all_done, could)]
    left = [site for site in left if not _is_alternative(site, all_done, judge)]
    if not all_done or not left:
        return
    done, where = _scope(all_done, left, [site for site in could if not site.patch])
    total = len(done) + len(left)
    message = f"the series names the range of {len(done)} of {total} sections that can name it{where}"
    places = [_place(judge, site) for site in left]
    notes = tuple(
        Note(place.location, f"{site.function}() could name it") for place, site in zip(places, left, strict=True)
    )
    (marked,) = fingerprinted(
        [Diagnostic(INCOMPLETE, Level.WARNING, notes[0].location, left[0].function, message, notes)]
    )
    yield Finding(marked, Cause.INTRODUCED, max(site.patch for site in done), marked)


def _scope(done: list[Site], left: list[Site], could: list[Site]) -> tuple[list[Site], str]:
    """The converted sections that those left are told beside, and what to say of where: the series converts no more."""
    functions = f"{', '.join(dict.fromkeys(f'{site.function}()' for site in left))}"
    if len(left) == len(could):
        return done, f"; not of {functions}"
    files = list(dict.fromkeys(site.path for site in left))
    near = [site for site in done if site.path in files]
    if near and sum(site.path in files for site in could) == len(left):
        return near, f" in {', '.join(files)}; not of {functions}"
    places = {(site.path, site.function) for site in left}
    return [site for site in near if (site.path, site.function) in places] or near or done, f" in {functions}"


def _belongs(site: Site, done: Sequence[Site], could: Sequence[Site]) -> bool:
    """True when the site lies in a function, a file or a tree that the series converts."""
    if any((other.path, other.function) == (site.path, site.function) for other in done):
        return True
    here = [sum(other.path == site.path for other in sites) for sites in (done, could)]
    return here[0] > here[1] or len(done) > len(could)


def _is_alternative(site: Site, done: Sequence[Site], judge: Judge) -> bool:
    """True where the preprocessor takes either the site or one of the same function that is converted."""
    facts = judge.reports(judge.last)[site.path].facts
    lines = [other.line for other in done if (other.path, other.function) == (site.path, site.function)]
    if facts is None or not lines:
        return False
    conditionals = read_directives(mask(facts.source.data)).conditionals
    here, *others = (_arms(conditionals, facts.source.line_span(line).start) for line in (site.line, *lines))
    return any(here[start] != arm for other in others for start, arm in other.items() if start in here)


def _arms(conditionals: Sequence[Conditional], offset: int) -> dict[int, int]:
    """The arms that a place is in: where each begins, by where its ``#if`` does."""
    return {
        conditional.start: arm.start
        for conditional in conditionals
        for arm in conditional.arms
        if arm.start <= offset < arm.end
    }


def _place(judge: Judge, site: Site) -> Note:
    facts = judge.reports(judge.last)[site.path].facts
    assert facts is not None
    for function, section in _sections(facts):
        if function.name == site.function and facts.source.line(section.call.start) == site.line:
            return Note(facts.source.locate(section.call), site.function)
    raise AssertionError(site)
