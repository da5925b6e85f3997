"""What can be said of a series whose base is not there: of whole functions that its own hunks show, and no more.

Each file is made of the hunks' lines at their own line numbers, with nothing in between. Of one that they do not show
whole, only definitions that stand in one hunk from their first line to their last are kept. A finding that says that
something is unknown is dropped: here nearly all is. Calls in functions that are not shown whole are told as not
analysed. What the hunks say of the series as a whole is found in `mmlint.series.hunk_calls`.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from mmlint.checker import Checker, FileReport
from mmlint.diagnostic import Diagnostic, Skipped, fingerprinted
from mmlint.engine import make_report
from mmlint.facts.analysis import mentions_section
from mmlint.facts.callgraph import CallGraph
from mmlint.facts.sections import Status
from mmlint.kernel import load_vocabulary
from mmlint.series.causes import apart
from mmlint.series.git import GitError
from mmlint.series.hunk_calls import calls_of, functions_of, incomplete, undefined, unseen
from mmlint.series.model import Base, Cause, Cover, FileChange, Finding, Hunk, Patch, SeriesReport, Store, is_partial
from mmlint.source import Source
from mmlint.tree import HEADER, Tree, api_in, read_api

_START: Final = re.compile(rb"(?:[A-Za-z_][\w \t*]*[ \t*]\w+\s*\(|/\*\*|#[ \t]*\w)")
_REASON: Final = "the patch does not show the function whole, and its file was not found"
_NAMELESS: Final = "a call in a function that the patch does not show whole; its file was not found"


class _Pieces:
    """A tree of nothing but the pieces that one patch shows."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def read(self, path: str) -> bytes:
        if path not in self._texts:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return self._texts[path]

    def files(self, folder: str) -> Sequence[str]:
        del folder
        return ()

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        del needles
        return ()

    def shown(self, path: str) -> str:
        return path


class _NoStore:
    """What the states of such a series hold: only the pieces."""

    def __init__(self, store: Store, texts: Mapping[tuple[str, int], bytes]) -> None:
        self._store = store
        self._texts = texts

    def read(self, path: str, patch: int) -> bytes:
        for state in range(patch, -1, -1):
            if (path, state) in self._texts:
                return self._texts[path, state]
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def tree(self, patch: int) -> Tree:
        return _Pieces({path: text for (path, state), text in self._texts.items() if state <= patch})

    def commit(self, patch: int) -> str:
        del patch
        return ""

    def amended(self, patch: int, files: Mapping[str, bytes], message: str) -> str:
        raise GitError(f"patch {patch} has no commit: {', '.join(files)} cannot be changed by {message!r}")

    def git(self, *arguments: str, data: bytes = b"") -> bytes:
        return self._store.git(*arguments, data=data)


def check_hunks(
    patches: Sequence[Patch],
    base: Base,
    checker: Checker,
    remarks: tuple[str, ...],
    cover: Cover | None,
    store: Store,
) -> SeriesReport:
    """The report of a series of which only the hunks are seen."""
    findings: list[Finding] = []
    last: dict[str, FileReport] = {}
    texts: dict[tuple[str, int], bytes] = {}
    skipped: list[Skipped] = []
    checker = _named(patches, checker)
    for patch in patches:
        new = {c.path: pieces(c, "+") for c in patch.files if c.kind != "deleted"}
        old = {c.path: pieces(c, "-") for c in patch.files if c.kind != "added"}
        texts |= {(path, patch.position): text for path, text in new.items()}
        after, before = _reports(new, checker), _reports(old, checker)
        last |= after
        for change in patch.files:
            known = _identities(before.get(change.path))
            for diagnostic in _certain(after.get(change.path), _is_whole(change)):
                identity = (diagnostic.rule, diagnostic.function, diagnostic.message)
                if identity in known:
                    known.remove(identity)
                    continue
                place = diagnostic.location
                lines = range(place.line, place.end_line + 1)
                cause = Cause.INTRODUCED if change.written.intersection(lines) else Cause.MADE_REACHABLE
                findings.append(Finding(diagnostic, cause, patch.position, diagnostic))
            skipped += _unseen(change, new.get(change.path, b""), checker)
    calls = calls_of(checker.vocabulary)
    findings += apart(undefined(patches))
    if not is_partial(patches):
        findings += incomplete(patches, last, calls)
    final = make_report(len(last), [replace(report, skipped=()) for report in last.values()], skipped)
    return SeriesReport(
        tuple(patches),
        tuple(sorted(findings, key=lambda finding: (finding.patch, *finding.diagnostic.sort_key))),
        replace(base, unseen=(*base.unseen, *unseen(patches, calls))),
        final,
        None,
        None,
        remarks,
        tuple(skipped),
        cover,
        _NoStore(store, texts),
    )


def _named(patches: Sequence[Patch], checker: Checker) -> Checker:
    """The checker with the ranged name that the series itself defines."""
    if checker.target:
        return checker
    header = HEADER.as_posix()
    text = b"".join(pieces(change, "+") for patch in patches for change in patch.files if change.path == header)
    name = read_api("", text, checker.vocabulary.declared).ranged
    return replace(checker, target=name, vocabulary=load_vocabulary(target=name)) if name else checker


def _reports(texts: Mapping[str, bytes], checker: Checker) -> dict[str, FileReport]:
    tree = _Pieces(texts)
    api = api_in(tree, checker.vocabulary)
    graph = CallGraph(tree, checker.vocabulary_for(api), api, whole=False)
    return {
        path: checker.check(Source(path, text), graph=graph)
        for path, text in texts.items()
        if path.endswith((".c", ".h")) and mentions_section(text, checker.vocabulary)
    }


def _identities(report: FileReport | None) -> list[tuple[str, str, str]]:
    return [(d.rule, d.function, d.message) for d in (report.diagnostics if report else ())]


def _certain(report: FileReport | None, is_whole: bool) -> list[Diagnostic]:
    """The findings that do not rest on something unknown, nor on what may stand where the hunks do not show it."""
    if report is None or report.facts is None:
        return []
    unknown = {
        (function.name, obligation.fault)
        for function in report.facts.functions
        for section in function.sections
        for obligation in section.obligations
        if obligation.status is Status.UNKNOWN
    }
    if not is_whole:
        unknown |= {(remark.function, remark.message) for remark in report.facts.remarks if remark.is_absence}
    return fingerprinted(d for d in report.diagnostics if (d.function, d.message) not in unknown)


def _unseen(change: FileChange, kept: bytes, checker: Checker) -> Iterable[Skipped]:
    """The calls of the API that the patch writes in functions that it does not show whole."""
    vocabulary = checker.vocabulary
    names = sorted(vocabulary.enters | vocabulary.ranged_enters | vocabulary.leaves)
    called = re.compile(rb"\b(?:" + b"|".join(name.encode() for name in names) + rb")\s*\(")
    lines = kept.split(b"\n")
    for hunk in change.hunks:
        for line, function in zip(hunk.lines, functions_of(hunk), strict=True):
            if line.kind == "+" and called.search(line.text) and lines[line.new - 1 : line.new] != [line.text]:
                yield Skipped(change.path, function, line.new, _REASON if function else _NAMELESS)


def pieces(change: FileChange, side: str) -> bytes:
    """The file after ("+") or before ("-") the patch: complete definitions of its hunks, the rest empty lines."""
    rows: dict[int, bytes] = {}
    for hunk in change.hunks:
        rows |= _rows(hunk, side) if _is_whole(change) else _complete(hunk, side)
    return b"\n".join(rows.get(number, b"") for number in range(1, max(rows, default=0) + 1)) + b"\n"


def _is_whole(change: FileChange) -> bool:
    """True when the hunks show all of the file: it is new, or one hunk goes from its first line to its last.

    git gives as many lines of context below a change as above it, so that fewer below mean that the file ended.
    """
    if change.kind == "added":
        return True
    if len(change.hunks) != 1 or change.hunks[0].old_start != 1:
        return False
    kinds = "".join(line.kind for line in change.hunks[0].lines)
    return len(kinds) - len(kinds.rstrip(" ")) < len(kinds) - len(kinds.lstrip(" "))


def _rows(hunk: Hunk, side: str) -> dict[int, bytes]:
    """The lines of one side by their numbers."""
    return {line.new if side == "+" else line.old: line.text for line in hunk.lines if line.kind in (" ", side)}


def _complete(hunk: Hunk, side: str) -> dict[int, bytes]:
    rows = list(_rows(hunk, side).items())
    kept: dict[int, bytes] = {}
    start: int | None = None
    for at, (_, text) in enumerate(rows):
        if start is None and _START.match(text):
            start = at
        if start is not None and _ends(rows[start][1], text, any(row.startswith(b"{") for _, row in rows[start:at])):
            kept |= dict(rows[start : at + 1])
            start = None
    return kept


def _ends(first: bytes, text: bytes, in_body: bool) -> bool:
    """True when ``text`` is the last line of what ``first`` begins: a directive, a comment, a function."""
    if first.startswith(b"#"):
        return not text.endswith(b"\\")
    if first.startswith(b"/*"):
        return text.rstrip().endswith(b"*/")
    return text.startswith(b"}") or (not in_body and text.rstrip().endswith((b");", b"{}", b"{ }")))
