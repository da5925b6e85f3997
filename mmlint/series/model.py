"""A patch series that was judged as one object: its patches, the state after each, and who caused what.

    with check_series("series.mbox", options, settings) as report:
        for finding in report.findings:
            if finding.is_authors: print(report.patches[finding.patch - 1].title, finding.diagnostic.message)

Lines count from 1. State 0 is the base, state k the tree after patch k, whose number is its place in the series as it
was read (``Patch.position``); ``Patch.number`` is what the subject says. Paths are relative to the top of the tree.

SeriesReport
    patches    the patches in the order in which they were applied; ``patches[k - 1]`` gives state k
    findings   every finding of every state, each once, worst first within a file's order; ``is_authors`` tells those
               that the default output holds. Findings of the three rules of a series stand among them
    base       what the patches were applied to, how it was found, and what could not be seen
    final      the engine's report of the last state: all diagnostics whoever caused them, the facts of each file that
               holds a section, the coverage; its paths and lines are those of the last state
    conversion which sections name their range at the end and which do not, with the reason; None when no patch of the
               series names a range
    previous   the comparison with the previous revision, or None
    remarks    what has to be told of the input: missing patches, mails that were not taken
    skipped    code of any state that was not analysed; the lines are those of that state
    cover      the cover letter, or None
    store      the bytes of every state, and git on them: valid inside of the ``with`` only
    unneeded   entries of a list of suppressions that accept nothing of a file that the series touches; their places
               are in the list. They are no findings in the code, so that replies and fixups know nothing of them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple, Protocol

from mmlint.diagnostic import Diagnostic, Level, Skipped
from mmlint.engine import Report
from mmlint.tree import Tree

INCOMPLETE: Final = "incomplete-conversion"
UNDEFINED: Final = "used-before-defined"
TRANSIENT: Final = "broken-then-repaired"
# Rules that only a series as a whole can break; each is a warning.
SERIES_RULES: Final = (TRANSIENT, INCOMPLETE, UNDEFINED)


class Cause(StrEnum):
    """Whose a finding is, seen from the patch that it is told of.

    ``INTRODUCED``: it stands on a line that the patch wrote. ``MADE_REACHABLE``: it is new after the patch, or worse
    than before, on a line that was there. ``TOUCHED``: it was there, and the patch changes its function. ``OLD``: it
    was there, and no patch comes near.
    """

    INTRODUCED = "introduced"
    MADE_REACHABLE = "made-reachable"
    TOUCHED = "touched"
    OLD = "old"


class Progress(StrEnum):
    """What became of a finding since the previous revision of the series."""

    NEW = "new"
    STILL_OPEN = "still-open"
    FIXED = "fixed"


class How(StrEnum):
    """How the base was found, surest first; of the last nothing but hunks is seen."""

    GIVEN = "given"
    RANGE = "range"
    TRAILER = "base-commit"
    PREREQUISITES = "prerequisite patches"
    BLOBS = "blob ids"
    HEAD = "HEAD"
    FOLDER = "folder"
    PRE_IMAGES = "pre-images only"
    HUNKS = "hunks only"


class Line(NamedTuple):
    """A line of a hunk: ``kind`` is " ", "-" or "+"; ``old`` and ``new`` are its lines in the two files, 0 for none.

    ``text`` has no newline; ``in_patch`` is its line in `Patch.text`.
    """

    kind: str
    text: bytes
    old: int
    new: int
    in_patch: int


@dataclass(frozen=True, slots=True)
class Hunk:
    """A hunk; ``header`` is the whole ``@@`` line, ``in_patch`` its line in `Patch.text`.

    Starts and counts are those of the patch's own header. git may have applied it some lines away: ``shift`` is to be
    added to its new lines to get those of the state after the patch.
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    header: str
    in_patch: int
    lines: tuple[Line, ...]
    shift: int = 0


@dataclass(frozen=True)
class FileChange:
    """What a patch does to one file.

    ``path`` is the file after the patch (before it, when it is deleted), ``old_path`` the one before it where they
    differ, "" otherwise. ``kind`` is "modified", "added", "deleted", "renamed", "copied", "mode" or "binary".
    ``old_blob`` and ``new_blob`` are the abbreviated ids of the ``index`` line, "" where there is none.
    """

    path: str
    old_path: str
    kind: str
    old_blob: str
    new_blob: str
    hunks: tuple[Hunk, ...]

    @property
    def before(self) -> str:
        """The path before the patch."""
        return self.old_path or self.path

    @cached_property
    def written(self) -> frozenset[int]:
        """The lines of the file after the patch that it wrote."""
        return frozenset(line.new for hunk in self.hunks for line in hunk.lines if line.kind == "+")

    @cached_property
    def removed(self) -> frozenset[int]:
        """The lines of the file before the patch that it took away."""
        return frozenset(line.old for hunk in self.hunks for line in hunk.lines if line.kind == "-")


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch as it was mailed and as it was applied.

    ``position`` counts from 1 in the order of application; ``number`` and ``total`` are those of the subject (1 and 1
    where it has none), ``revision`` its v2 (1 where it has none). ``subject`` is the whole subject, ``title`` what is
    left of it without brackets. ``author`` is "Name <address>", of the in-body From where there is one; ``sender`` that
    of the mail. ``date`` is that of the mail as it stands there, ``message_id`` has its angle brackets; both are empty
    where the mail has none. ``message`` is the commit message without the title. ``text`` is the diff with what stands
    before it below the ``---``, decoded; ``mail`` the raw mail. ``commit`` is the id of the commit that it became in
    the private store, and ``parent`` that of the state before it; both are empty when only hunks are seen.

    ``files`` are the changes as they were mailed, with the hunks' context and the mail's own line numbers; ``seen``
    are the same as git sees the two states: without context, with whole blob ids and the true lines.
    """

    position: int
    number: int
    total: int
    revision: int
    subject: str
    title: str
    author: str
    sender: str
    date: str
    message_id: str
    message: str
    text: bytes = field(repr=False)
    mail: bytes = field(repr=False)
    files: tuple[FileChange, ...]
    seen: tuple[FileChange, ...] = ()
    commit: str = ""
    parent: str = ""

    @property
    def name(self) -> str:
        """Such as "patch 2/7"."""
        return f"patch {self.number}/{self.total}"

    def change(self, path: str) -> FileChange | None:
        """What it does to the file that is ``path`` after it."""
        return next((change for change in self.files if change.path == path), None)

    def line_in_patch(self, path: str, line: int) -> int | None:
        """The line of ``text`` that shows a line of the state after this patch, or None when no hunk holds it."""
        change = self.change(path)
        for hunk in change.hunks if change else ():
            for entry in hunk.lines:
                if entry.new and entry.new + hunk.shift == line:
                    return entry.in_patch
        return None


@dataclass(frozen=True, slots=True)
class Cover:
    """The cover letter. ``body`` is its text, decoded."""

    subject: str
    title: str
    author: str
    date: str
    message_id: str
    body: str
    mail: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding over the whole series.

    ``diagnostic`` is as of the state after ``patch``, with that state's lines, and bears the fingerprint that is kept
    through renames and revisions. ``patch`` is the position of the patch that causes or touches it, 0 for one that no
    patch comes near, which is as of the last state that has it. ``final`` is the same finding in the last state, None
    where it is not there any more: then ``repaired_by`` is the position of the patch that took it away, or None where
    its function cannot be analysed since. A finding of `SERIES_RULES` has no ``final`` unless it is of the last state.
    ``progress`` tells of the previous revision, None when none was given.
    """

    diagnostic: Diagnostic
    cause: Cause
    patch: int
    final: Diagnostic | None
    repaired_by: int | None = None
    progress: Progress | None = None

    @property
    def is_authors(self) -> bool:
        """True for what the author of the series caused and has to hear of.

        What a later patch of the series repairs is told by ``broken-then-repaired`` and not once more by itself.
        """
        caused = self.cause in (Cause.INTRODUCED, Cause.MADE_REACHABLE)
        return caused and (self.repaired_by is None or self.diagnostic.rule in SERIES_RULES)

    @property
    def level(self) -> Level:
        return self.diagnostic.level


@dataclass(frozen=True, slots=True)
class Base:
    """What the series was applied to.

    ``tree`` is the tree as the user named it; ``revision`` the full id of the commit, empty where there is none;
    ``name`` what it is called ("HEAD", "v6.12"). ``unseen`` are sentences on what could not be seen for lack of a
    better base: with one of them, no file is called clean.
    """

    how: How
    tree: str
    revision: str = ""
    name: str = ""
    unseen: tuple[str, ...] = ()

    @property
    def is_degraded(self) -> bool:
        """True when files could not be seen whole."""
        return self.how is How.HUNKS


@dataclass(frozen=True, slots=True)
class Site:
    """A section of the last state: where it is, its call, its verdict, why it is plain, who converted it.

    ``kind`` is "plain" or "ranged". ``patch`` is the position of the patch that wrote the enable, 0 for one of the
    base. ``proposal`` is the call that a plain section could have, or empty; ``is_proven`` tells that nobody has to
    confirm it. ``ranges`` are the runs of entries that the section updates, that of the call first.
    """

    path: str
    function: str
    line: int
    call: str
    kind: str
    verdict: str
    reason: str
    patch: int
    proposal: str = ""
    is_proven: bool = False
    ranges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """Sections of the whole tree in the last state, by path and line: those that name their range, those left plain."""

    converted: tuple[Site, ...]
    left: tuple[Site, ...]


@dataclass(frozen=True, slots=True)
class Previous:
    """The previous revision: its name as given, and its findings that are gone, with progress ``FIXED``."""

    name: str
    revision: int
    fixed: tuple[Finding, ...]


class Store(Protocol):
    """The states of the series in a private git store."""

    def read(self, path: str, patch: int) -> bytes:
        """The bytes of a file in state ``patch``. Raises OSError when it is not there."""

    def tree(self, patch: int) -> Tree:
        """The files of state ``patch``."""

    def commit(self, patch: int) -> str:
        """The id of the commit of state ``patch``."""

    def amended(self, patch: int, files: Mapping[str, bytes], message: str) -> str:
        """The id of a commit on top of state ``patch``, with other bytes in ``files``. Raises GitError."""

    def git(self, *arguments: str, data: bytes = b"") -> bytes:
        """What git prints; new objects and the index are private. Raises GitError."""


def is_partial(patches: Sequence[Patch]) -> bool:
    """True when patches of the series are not there, which may well do the rest."""
    return any(patch.total > len(patches) for patch in patches)


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """Everything there is to tell of a series; the module's docstring says what each field is."""

    patches: tuple[Patch, ...]
    findings: tuple[Finding, ...]
    base: Base
    final: Report
    conversion: Conversion | None
    previous: Previous | None
    remarks: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    cover: Cover | None
    store: Store = field(repr=False)
    unneeded: tuple[Finding, ...] = ()

    def read(self, path: str, patch: int) -> bytes:
        """The bytes of a file in state ``patch``. Raises OSError when it is not there."""
        return self.store.read(path, patch)

    def authors(self) -> tuple[Finding, ...]:
        """The findings that the default output holds."""
        return tuple(finding for finding in self.findings if finding.is_authors)

    def unneeded_by_author(self) -> tuple[Finding, ...]:
        """The entries of the list of suppressions that a patch of the series makes unneeded."""
        return tuple(finding for finding in self.unneeded if finding.is_authors)
