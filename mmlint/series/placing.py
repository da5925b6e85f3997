"""Find the base of a series and apply it there: the first base that takes every patch.

A base that is known to be right and does not take a patch means that the series is broken: that is refused with git's
words. A base that is a guess and does not take it means that the tree is another one: what the hunks show by
themselves is all there is, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from mmlint.config import UsageError
from mmlint.series.base import find_base, old_files, pre_images, trailers
from mmlint.series.git import PrivateGit
from mmlint.series.mail import Letter
from mmlint.series.model import Base, FileChange, How
from mmlint.series.workspace import ApplyError, Workspace

_SURE: Final = (How.GIVEN, How.TRAILER, How.PREREQUISITES, How.BLOBS, How.PRE_IMAGES)


@dataclass(frozen=True, slots=True)
class _Failure:
    letter: Letter
    base: Base
    reason: str

    def __str__(self) -> str:
        number = self.letter.subject
        where = self.base.name or self.base.tree
        return f"patch {number.number}/{number.total} does not apply to {where}: {self.reason}"


def place(
    git: PrivateGit,
    letters: Sequence[Letter],
    cover: Letter | None,
    changes: Sequence[Sequence[FileChange]],
    given: str | None,
) -> tuple[Base, Workspace | None]:
    """The base with the states on it; no states when nothing but the hunks can be seen. Raises UsageError."""
    space = Workspace(git)
    failure: _Failure | None = None
    if git.tree.git_dir is None:
        if given:
            raise UsageError(f"--base {given}: {git.tree.shown} is no git repository; leave --base away")
        return _on_folder(space, git, letters, changes)
    blobs = pre_images(changes)
    paths = list(dict.fromkeys(p for patch in changes for change in patch for p in (change.before, change.path)))
    for base in find_base(git, trailers(letters, cover), blobs, given):
        space.begin(base.revision, paths)
        found = _apply_all(space, letters, base)
        if found is None:
            unseen = base.unseen
            if base.how is How.HEAD and blobs:
                how = "git had to merge the patches" if space.three_way else "the patches apply to other files"
                unseen = (*base.unseen[:-1], f"the base was not found: {how}")
            return replace(base, unseen=(*_misfit(failure), *unseen)), space
        _refuse_flowed(found)
        failure = failure or found
        if base.how is How.GIVEN:
            raise _refused(found, letters)
    ids = git.objects.ids(list(blobs.values()))
    full = {path: blob for path, blob in zip(blobs, ids, strict=True) if blob}
    if full and set(full) >= set(old_files(changes)):
        head = failure.base.revision if failure else ""
        others = "all others are those of HEAD" if head else "no other file was seen"
        told = f"only the files of the series are those it was made for; {others}"
        base = Base(How.PRE_IMAGES, git.tree.shown, head, "its pre-images", (told,))
        space.begin(head, paths, full)
        found = _apply_all(space, letters, base)
        if found is None:
            return replace(base, revision=space.commits[0], unseen=(*_misfit(failure), told)), space
        raise _refused(found, letters)
    if failure and failure.base.how in _SURE:
        raise _refused(failure, letters)
    return _hunks(git, str(failure) if failure else f"{git.tree.shown} has no commit"), None


def _misfit(failure: _Failure | None) -> tuple[str, ...]:
    """What there is to tell of a base that the mails name and that does not take them."""
    if failure is None or failure.base.how not in (How.TRAILER, How.PREREQUISITES):
        return ()
    what = "base-commit" if failure.base.how is How.TRAILER else "commit with its prerequisite patches"
    where = f"the {what} {failure.base.revision[:12]} is not its base"
    subject = failure.letter.subject
    told = f"{where}: patch {subject.number}/{subject.total} does not apply there: {failure.reason}"
    return (*failure.base.unseen, told)


def _on_folder(
    space: Workspace, git: PrivateGit, letters: Sequence[Letter], changes: Sequence[Sequence[FileChange]]
) -> tuple[Base, Workspace | None]:
    base = Base(How.FOLDER, git.tree.shown)
    assert git.tree.folder is not None
    try:
        space.begin_with_folder(git.tree.folder, old_files(changes))
    except ApplyError as error:
        return _hunks(git, f"{git.tree.shown} is another tree: {error}"), None
    found = _apply_all(space, letters, base)
    if found is None:
        return base, space
    _refuse_flowed(found)
    return _hunks(git, str(found)), None


def _apply_all(space: Workspace, letters: Sequence[Letter], base: Base) -> _Failure | None:
    for letter in letters:
        try:
            space.apply(letter, three_way=base.how in (How.HEAD, How.GIVEN))
        except ApplyError as error:
            return _Failure(letter, base, str(error))
    return None


def _refuse_flowed(found: _Failure) -> None:
    if found.letter.is_flowed:
        raise UsageError(
            f"{found.letter.mail.where}: the mail is mangled by the sender's program (format=flowed), and does not "
            "apply; ask for it as git send-email sends it"
        )


def _refused(found: _Failure, letters: Sequence[Letter]) -> UsageError:
    _refuse_flowed(found)
    total = found.letter.subject.total
    have = {letter.subject.number for letter in letters}
    missing = [n for n in range(1, total + 1) if n not in have]
    listed = ", ".join(map(str, missing))
    absent = f"patches {listed} are missing" if len(missing) > 1 else f"patch {listed} is missing"
    remedy = absent if missing else "give its base with --base"
    if found.base.how is How.GIVEN:
        remedy = "give another --base" if not missing else remedy
    return UsageError(f"{found.letter.mail.where}: {found}; {remedy}")


def _hunks(git: PrivateGit, why: str) -> Base:
    only = "only what the hunks show whole was looked at: callers, other files and the rest of a function are unknown"
    return Base(How.HUNKS, git.tree.shown, unseen=(why, only))
