"""What a series applies to: named by the user, by its mails, or found by the blobs that its diffs name.

    base = find_base(git, letters, changes, given="v6.12")

In order: ``--base``; the ``base-commit:`` trailer, with the prerequisite patches that follow it; a commit in which
every file has the blob of its ``index`` line: HEAD, what it is built on, another branch or tag; HEAD. Where no tree has
these blobs but they lie in the store, HEAD with these files in their place; where they do not even lie there, the hunks
alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from mmlint.config import UsageError
from mmlint.series.git import GitError, PrivateGit
from mmlint.series.mail import Letter
from mmlint.series.model import Base, FileChange, How

_TRAILER: Final = re.compile(r"^base-commit: .*?([0-9a-f]{7,64})\s*$", re.MULTILINE)
_PREREQUISITE: Final = re.compile(r"^prerequisite-patch-id:\s+([0-9a-f]{40,64})\s*$", re.MULTILINE)
_MAX_REFS: Final = 200
_MAX_COMMITS: Final = 2_000
_MAX_ASIDE: Final = 10
_ZEROS: Final = re.compile(r"0+")


@dataclass(frozen=True, slots=True)
class Trailers:
    """What the mails say of their base."""

    commit: str
    prerequisites: tuple[str, ...]


def trailers(letters: Sequence[Letter], cover: Letter | None) -> Trailers:
    """The trailers of the cover letter, else of the first patch that has some."""
    for letter in (*((cover,) if cover else ()), *letters):
        text = letter.message + "\n" + letter.text.decode("utf-8", "replace")
        found = _TRAILER.search(text)
        if found:
            return Trailers(found.group(1), tuple(_PREREQUISITE.findall(text)))
    return Trailers("", ())


def pre_images(changes: Sequence[Sequence[FileChange]]) -> dict[str, str]:
    """The abbreviated blob of every file that the series takes from its base: that of the first patch to change it.

    A file that was only renamed until then has its blob under the name that it had.
    """
    found: dict[str, str] = {}
    made: set[str] = set()
    named: dict[str, str] = {}
    for patch in changes:
        for change in patch:
            before = named.get(change.before, change.before)
            if change.kind == "added":
                made.add(change.path)
            elif before not in made and before not in found and change.old_blob:
                found[before] = change.old_blob
            if change.path != change.before:
                made.add(change.path)
                if not change.old_blob and before not in made:
                    named[change.path] = before
    return {path: blob for path, blob in found.items() if not _ZEROS.fullmatch(blob)}


def old_files(changes: Sequence[Sequence[FileChange]]) -> list[str]:
    """The files that have to be in the base."""
    made: set[str] = set()
    needed: dict[str, None] = {}
    for patch in changes:
        for change in patch:
            if change.kind == "added":
                made.add(change.path)
                continue
            if change.before not in made:
                needed[change.before] = None
            made.add(change.path)
    return list(needed)


def find_base(git: PrivateGit, said: Trailers, blobs: dict[str, str], given: str | None) -> Iterator[Base]:
    """Bases to try, surest first. Raises UsageError for a given revision that is not there."""
    tree = git.tree.shown
    if given:
        yield Base(How.GIVEN, tree, _given(git, given), given)
        return
    unseen: tuple[str, ...] = ()
    if said.commit:
        revision = _commit(git, said.commit)
        if revision and not said.prerequisites:
            yield Base(How.TRAILER, tree, revision, said.commit)
        elif revision:
            yield from _with_prerequisites(git, said, revision)
        else:
            unseen = (f"the base-commit {said.commit[:12]} is not in {tree}",)
    found = _with_blobs(git, blobs) if blobs else None
    if found:
        yield Base(How.BLOBS, tree, found[1], found[0], unseen)
    head = _commit(git, _user_head(git))
    if head:
        differs = "the files that it changes are not those that the series was made for" if blobs else ""
        yield Base(How.HEAD, tree, head, "HEAD", (*unseen, differs) if differs else unseen)


def _given(git: PrivateGit, name: str) -> str:
    if git.tree.git_dir is None:
        raise UsageError(f"--base {name}: {git.tree.shown} is no git repository; leave --base away, or give --tree")
    try:
        return git.ask_user("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
    except GitError as error:
        raise UsageError(f"--base {name}: {git.tree.shown} has no such commit; fetch it, or give another") from error


def _user_head(git: PrivateGit) -> str:
    try:
        return git.ask_user("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitError:
        return ""


def _commit(git: PrivateGit, name: str) -> str:
    if not name:
        return ""
    try:
        return git.text("rev-parse", "--verify", "--quiet", name + "^{commit}")
    except GitError:
        return ""


def _candidates(git: PrivateGit) -> Iterator[tuple[str, str]]:
    """HEAD, then branches and tags, newest first, each commit once."""
    head = _user_head(git)
    seen = {head}
    if head:
        yield "HEAD", head
    form = "%(objectname) %(*objectname) %(refname:short)"
    sort = ["--sort=-creatordate", f"--count={_MAX_REFS}"]
    try:
        told = git.ask_user("for-each-ref", *sort, f"--format={form}", "refs/remotes", "refs/heads", "refs/tags")
    except GitError:
        return
    for line in told.split("\n"):
        words = line.split(" ", 2)
        if len(words) == 3:
            revision = words[1] or words[0]
            if revision not in seen:
                seen.add(revision)
                yield words[2], revision


def _history(git: PrivateGit, paths: list[str]) -> Iterator[tuple[str, str]]:
    """The states before the last changes of these files: where a series that HEAD has already was made."""
    head = _user_head(git)
    if not head:
        return
    try:
        recent = git.text("rev-list", f"--max-count={_MAX_COMMITS}", head).split("\n")
        limit = [f"^{recent[-1]}"] if len(recent) == _MAX_COMMITS else []
        told = git.text("rev-list", f"--max-count={_MAX_REFS}", head, *limit, "--", *paths[:100])
    except GitError:
        return
    for line in told.split("\n"):
        before = _commit(git, f"{line}^") if line else ""
        if before:
            yield before[:12], before


def _with_blobs(git: PrivateGit, blobs: dict[str, str]) -> tuple[str, str] | None:
    """The name and the commit of a state that has all ``blobs``.

    One that HEAD is built on goes first: an author who is on the branch of the series has others that also lack it.
    """
    head = _user_head(git)
    others: list[tuple[str, str]] = []
    for name, revision in _candidates(git):
        if not _has_blobs(git, revision, blobs):
            continue
        if revision == head or (len(others) < _MAX_ASIDE and _is_below(git, revision, head)):
            return name, revision
        others.append((name, revision))
    below = ((name, revision) for name, revision in _history(git, list(blobs)) if _has_blobs(git, revision, blobs))
    return next(chain(below, others), None)


def _is_below(git: PrivateGit, revision: str, head: str) -> bool:
    try:
        git.text("merge-base", "--is-ancestor", revision, head)
    except GitError:
        return False
    return True


def _has_blobs(git: PrivateGit, revision: str, blobs: dict[str, str]) -> bool:
    found = git.objects.ids([f"{revision}:{path}" for path in blobs])
    return all(name is not None and name.startswith(blob) for name, blob in zip(found, blobs.values(), strict=True))


def _patches(git: PrivateGit, span: str, wanted: set[str]) -> dict[str, str]:
    """The commits by their patch ids: those that format-patch writes, else those of the diffs that git shows."""
    found: dict[str, str] = {}
    for heuristic in ("--no-indent-heuristic", "--indent-heuristic"):
        log = git.run("log", "-p", "--no-color", "--no-merges", "--reverse", "--format=commit %H", heuristic, span)
        rows = [line.split() for line in git.text("patch-id", "--stable", data=log).split("\n")]
        found |= {row[0]: row[1] for row in rows if row and row[0] in wanted}
        if set(found) == wanted:
            break
    return found


def _with_prerequisites(git: PrivateGit, said: Trailers, revision: str) -> Iterator[Base]:
    """The newest commit after ``revision`` that has all prerequisite patches, else the commit itself, with a word."""
    wanted = set(said.prerequisites)
    for name, tip in _candidates(git):
        try:
            span = f"{revision}..{tip}"
            if int(git.text("rev-list", "--count", span) or 0) > _MAX_COMMITS:
                continue
            found = _patches(git, span, wanted)
        except (GitError, ValueError):
            continue
        if set(found) == wanted:
            last = git.text("rev-list", "--topo-order", "--max-count=1", *found.values(), f"^{revision}")
            yield Base(How.PREREQUISITES, git.tree.shown, last, name)
            return
    missing = f"{len(wanted)} prerequisite patch{'es' * (len(wanted) != 1)} of the series"
    yield Base(How.TRAILER, git.tree.shown, revision, said.commit, (f"{missing}: not in any branch of the tree",))
