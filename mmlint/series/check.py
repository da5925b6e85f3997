"""Check a series: read it, apply it aside, judge every state, and say who caused what.

    with check_series("series.mbox", Options(tree="linux"), Settings()) as report:
        for finding in report.authors(): ...

The temporary folder that holds the states lives as long as the ``with``.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from mmlint.cache import Cache, open_cache
from mmlint.checker import make_checker
from mmlint.config import Settings, UsageError
from mmlint.diagnostic import Skipped
from mmlint.engine import Report, make_report
from mmlint.series.arrange import arrange, count_of
from mmlint.series.causes import History, Track, apart
from mmlint.series.diff import MAX_HUNKS, PatchError, parse_diff
from mmlint.series.git import GitError, PrivateGit, user_tree
from mmlint.series.mail import Letter, open_mail, read_mails
from mmlint.series.model import (
    SERIES_RULES,
    Cover,
    FileChange,
    Finding,
    Patch,
    SeriesReport,
    is_partial,
)
from mmlint.series.orders import OrderedJudge, reason
from mmlint.series.placing import place
from mmlint.series.previous import compare
from mmlint.series.ranges import Commits, is_range, read_range
from mmlint.series.states import Judge
from mmlint.series.whole import conversion_of, incomplete, nowhere_defined, transient, undefined
from mmlint.series.workspace import Workspace

MAX_PATCHES: Final = 1_000
# Objects that are made before somebody looks which of them are in use.
_GARBAGE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a series: ``tree`` and ``base`` as the user names them, ``previous`` the revision before it.

    ``beside`` are files with more mails of the series than the source holds.
    """

    tree: str | None = None
    base: str | None = None
    previous: str | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Input:
    """The letters in order with what they change; ``commits`` for a range of commits."""

    letters: tuple[Letter, ...]
    changes: tuple[tuple[FileChange, ...], ...]
    cover: Letter | None = None
    remarks: tuple[str, ...] = ()
    commits: Commits | None = None


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Garbage waits: a state is judged after another, makes millions of objects and leaves few that are in use."""
    enabled, thresholds = gc.isenabled(), gc.get_threshold()
    gc.set_threshold(_GARBAGE)
    gc.enable()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if not enabled:
            gc.disable()


@contextmanager
def check_series(source: str, options: Options, settings: Settings) -> Iterator[SeriesReport]:
    """The report of a series. Raises UsageError for what is refused, VocabularyError and RuleError as the engine."""
    tree = user_tree(options.tree)
    # What else a rule from elsewhere reads, nobody knows.
    with seldom_collected(), open_cache(settings.cache and not settings.rules) as cache, PrivateGit(tree) as git:
        try:
            report = _report(source, options, settings, git, cache)
            if options.previous:
                with PrivateGit(tree) as other:
                    before = _report(options.previous, replace(options, base=None, beside=()), settings, other, cache)
                    report = compare(report, before, options.previous)
            yield report
        except GitError as error:
            raise UsageError(f"{source}: git failed: {error}") from error


def _report(source: str, options: Options, settings: Settings, git: PrivateGit, cache: Cache) -> SeriesReport:
    # All rules run: what a later patch repairs is told by another rule than found it.
    make_checker(
        settings._replace(select=settings.select - set(SERIES_RULES), ignore=settings.ignore - set(SERIES_RULES))
    )
    checker = make_checker(settings._replace(select=frozenset(), ignore=frozenset()))
    read = _read((source, *options.beside), git)
    if read.commits:
        if options.base:
            raise UsageError(f"{source}: a range has its base; leave out --base, or give {options.base}..TIP")
        base, space = read.commits.placed(git)
    else:
        base, found = place(git, read.letters, read.cover, read.changes, options.base)
        if found is None:
            from mmlint.series.hunks import check_hunks

            patches = tuple(_patch(read, number, None) for number in range(len(read.letters)))
            report = check_hunks(patches, base, checker, read.remarks, _cover(read.cover), Workspace(git))
            return _selected(report, settings)
        space = found
    patches = tuple(_patch(read, number, space) for number in range(len(read.letters)))
    judge = OrderedJudge(checker, space, settings.processes, cache)
    judge.prepare()
    history = History(judge.reports(0))
    merges = read.commits.merges if read.commits else frozenset()
    for patch in patches:
        history.step(patch.position, patch.seen, judge.reports(patch.position), patch.position not in merges)
    judge.keep()
    other = judge.other_order(judge.last)
    conversion = None if other else conversion_of(judge, patches)
    findings = [_finding(track) for track in history.tracks]
    early = apart(undefined(judge, patches))
    findings += [*early, *apart(transient(history.tracks, patches, early, judge))]
    if conversion and not is_partial(patches):
        findings += incomplete(conversion, judge)
    remarks = read.remarks + (nowhere_defined(conversion, judge) if conversion else ())
    unseen = base.unseen
    if other:
        unseen += (f"{reason(other)}: its calls were not judged",)
    report = SeriesReport(
        patches,
        tuple(sorted(findings, key=_order)),
        replace(base, unseen=unseen),
        _final(judge),
        conversion,
        None,
        remarks,
        _skipped(judge, patches),
        _cover(read.cover),
        space,
    )
    return _selected(report, settings)


def _selected(report: SeriesReport, settings: Settings) -> SeriesReport:
    """Without the findings of rules that are not wanted."""
    chosen = tuple(finding for finding in report.findings if settings.selects(finding.diagnostic.rule))
    final = report.final._replace(diagnostics=tuple(d for d in report.final.diagnostics if settings.selects(d.rule)))
    return replace(report, findings=chosen, final=final)


def _order(finding: Finding) -> tuple[object, ...]:
    return (finding.patch or MAX_PATCHES + 1, *finding.diagnostic.sort_key)


def _read(sources: Sequence[str], git: PrivateGit) -> _Input:
    source = sources[0]
    alone = next((name for name in sources if is_range(name)), None)
    if alone and len(sources) > 1:
        raise UsageError(f"{alone}: a range of commits goes alone; give that, or files")
    if alone:
        commits = read_range(source, git)
        changes = tuple(_changes(letter) for letter in commits.letters)
        return _Input(commits.letters, changes, remarks=_of_merges(len(commits.merges)), commits=commits)
    letters = [open_mail(mail, git) for name in sources for mail in read_mails(name, git)]
    order = arrange(letters, source)
    if len(order.patches) > MAX_PATCHES:
        raise UsageError(f"{source}: {len(order.patches):,} patches; at most {MAX_PATCHES:,} are taken for a series")
    changes = tuple(_changes(letter) for letter in order.patches)
    if sum(len(change.hunks) for patch in changes for change in patch) > MAX_HUNKS:
        raise UsageError(f"{source}: more than {MAX_HUNKS:,} hunks; give a smaller series")
    return _Input(tuple(order.patches), changes, order.cover, tuple(order.remarks))


def _of_merges(count: int) -> tuple[str, ...]:
    if not count:
        return ()
    brought = "it brings" if count == 1 else "they bring"
    return (f"{count_of(count, 'merge', 'merges')}: what {brought} is not of the series",)


def _changes(letter: Letter) -> tuple[FileChange, ...]:
    try:
        return parse_diff(letter.text)
    except PatchError as error:
        if letter.is_flowed:
            raise UsageError(
                f"{letter.mail.where}: the mail is mangled by the sender's program (format=flowed): {error}"
            ) from error
        raise UsageError(f"{letter.mail.where}: refused: {error}; {error.remedy}") from error


def _patch(read: _Input, number: int, space: Workspace | None) -> Patch:
    letter, position = read.letters[number], number + 1
    subject = letter.subject
    count = len(read.letters)
    in_range = read.commits is not None
    files, seen = read.changes[number], read.changes[number]
    if space:
        seen = space.difference(position)
        files = tuple(_shifted(change, space, position) for change in files)
    return Patch(
        position,
        position if in_range or not subject.counted else subject.number,
        count if in_range or not subject.counted else subject.total,
        subject.revision,
        letter.subject_text,
        # A commit's title is all of its subject; what a mail has in brackets is not in the commit that it becomes.
        (letter.subject_text.removeprefix("[PATCH] ") if in_range else subject.title) or "(no subject)",
        letter.author,
        letter.sender,
        letter.date,
        letter.message_id,
        letter.message,
        letter.text,
        letter.mail.raw,
        files,
        seen,
        space.commit(position) if space else "",
        space.commit(position - 1) if space else "",
    )


def _shifted(change: FileChange, space: Workspace, position: int) -> FileChange:
    """The hunks with where git really put them."""
    try:
        lines = space.read(change.path, position).split(b"\n")
    except OSError:
        return change
    hunks = []
    shift = 0
    for hunk in change.hunks:
        new = [line.text.rstrip(b"\r") for line in hunk.lines if line.new]
        shift = _found_at(lines, new, hunk.new_start - 1, shift)
        hunks.append(replace(hunk, shift=shift))
    return replace(change, hunks=tuple(hunks))


def _found_at(lines: Sequence[bytes], wanted: Sequence[bytes], start: int, shift: int) -> int:
    """How far from ``start`` the lines stand, nearest to ``shift`` first; ``shift`` where they are not to be found."""
    if not wanted:
        return shift

    def here(at: int) -> bool:
        return at >= 0 and [line.rstrip(b"\r") for line in lines[at : at + len(wanted)]] == wanted

    if here(start + shift):
        return shift
    first = [at for at, line in enumerate(lines) if line.rstrip(b"\r") == wanted[0] and here(at)]
    return min((at - start for at in first), key=lambda s: (abs(s - shift), s), default=shift)


def _cover(letter: Letter | None) -> Cover | None:
    if letter is None:
        return None
    text = letter.message + "\n" + letter.text.decode("utf-8", "surrogateescape")
    return Cover(
        letter.subject_text,
        letter.subject.title,
        letter.author,
        letter.date,
        letter.message_id,
        text.strip("\n"),
        letter.mail.raw,
    )


def _finding(track: Track) -> Finding:
    return Finding(track.told, track.cause, track.patch, track.now, track.repaired_by)


def _final(judge: Judge) -> Report:
    reports = judge.reports(judge.last)
    return make_report(len(reports), list(reports.values()), ())


def _skipped(judge: Judge, patches: Sequence[Patch]) -> tuple[Skipped, ...]:
    """What was not analysed in the files that the series changes, each once, as of the first state that has it."""
    found: dict[tuple[str, str, str], Skipped] = {}
    other = judge.other_order(judge.last)
    for patch in patches:
        reports = judge.reports(patch.position)
        # A header of another order concerns every call of the tree.
        for path in reports if other else [change.path for change in patch.seen]:
            report = reports.get(path)
            for skipped in report.skipped if report else ():
                if path in {change.path for change in patch.seen} or skipped.reason == reason(other):
                    found.setdefault((skipped.path, skipped.function, skipped.reason), skipped)
    return tuple(sorted(found.values(), key=lambda s: (s.path, s.line, s.function, s.reason)))
