"""Repairs as a series of patches for the list: one for each file, and a cover letter that lists every section.

    mmlint fix --series patches .       then: read them, sign them, git send-email patches/*.patch

git makes them, in a private repository that borrows the user's objects: neither work tree nor index is touched. They
apply to the tree as it lies there; where that is a commit, the cover letter names it. A tree that is no repository
works too. The author is whom git knows as the user; nobody is signed for.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from mmlint import __version__
from mmlint.checker import Checker
from mmlint.config import UsageError
from mmlint.engine import Report
from mmlint.fix import Repair
from mmlint.report.commit_message import commit_message
from mmlint.report.cover_letter import blurb, subject
from mmlint.report.repairs import undeclared
from mmlint.report.transfer import for_am
from mmlint.series.git import GitError, PrivateGit, user_tree
from mmlint.series.objects import changed_tree, files_of, tree_of, write_commit
from mmlint.tree import HEADER

_FORMAT: Final = ("--cover-letter", "--no-signoff", "--no-attach", "--no-thread", "--no-ext-diff", "--no-textconv")
_PLACES: Final = (b"*** SUBJECT HERE ***", b"*** BLURB HERE ***")


def conversion(repairs: Sequence[Repair], report: Report, checker: Checker) -> dict[str, bytes]:
    """Patches by their file names; none when nothing changes.

    Raises UsageError for files of more than one tree, and when git knows no name for the user.
    """
    changing = [change for change in repairs if change.changes]
    if not changing:
        return {}
    top = _top(changing[0].path)
    paths = {change.path: _inside(change.path, top) for change in changing}
    if len(set(paths.values())) < len(paths):
        raise UsageError("--series: two of the paths lead to one file; give each file once")
    with PrivateGit(user_tree(str(top))) as git:
        try:
            return _series(git, top, changing, paths, report, checker)
        except GitError as error:
            raise UsageError(f"--series: git failed: {error}") from error


def _top(path: str) -> Path:
    """The top of the tree that a file stands in: of its kernel, else of its repository, else the current folder."""
    place = Path(path).resolve()
    for folder in place.parents:
        if (folder / HEADER).is_file():
            return folder
    return next((folder for folder in place.parents if (folder / ".git").exists()), Path.cwd())


def _inside(path: str, top: Path) -> str:
    place = Path(path).resolve()
    if not place.is_relative_to(top):
        raise UsageError(f"--series: {path} does not lie in {top}, as the first file does; give paths of one tree")
    return place.relative_to(top).as_posix()


def _series(
    git: PrivateGit,
    top: Path,
    changing: Sequence[Repair],
    paths: dict[str, str],
    report: Report,
    checker: Checker,
) -> dict[str, bytes]:
    head = _head(git)
    here = list(paths.values())
    modes = {path: mode for path, (mode, _) in files_of(git, head, here).items()} if head else {}
    committed = tree_of(git, head) if head else ""
    before = {paths[change.path]: change.before for change in changing}
    tree = _changed(git, committed, before, modes)
    is_commit = bool(head) and tree == committed
    who = _author(top, _date(git, head, changing))
    base = head if is_commit else write_commit(git, tree, head, "base\n", who)
    parent = base
    for change in changing:
        path = paths[change.path]
        tree = _changed(git, tree, {path: change.after}, modes)
        parent = write_commit(git, tree, parent, commit_message([_renamed(change, path)], checker.rules), who)
    named = [f"--base={base}"] if is_commit else []
    words = ("-o", "out", f"--signature=mmlint {__version__}", *named, f"{base}..{parent}")
    # The cover letter is from whom git takes for the committer, and of that time.
    name, address, time = re.split(r" <|> ", who)
    person = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": address, "GIT_COMMITTER_DATE": time}
    git.run("format-patch", *_FORMAT, *words, more=person)
    files = {entry.name: for_am(entry.read_bytes()) for entry in sorted((git.folder / "out").iterdir())}
    (cover,) = (name for name in files if name.startswith("0000-"))
    notes = [note.removeprefix("note: ") for note in undeclared(changing, checker.vocabulary)]
    title = subject(sorted(paths.values()), changing)
    texts = (title, blurb(changing, report, lambda path: _shown(path, top), notes, is_commit))
    for place, text in zip(_PLACES, texts, strict=True):
        # git has declared no character set.
        files[cover] = files[cover].replace(place, text.encode("ascii", "backslashreplace"), 1)
    return files


def _head(git: PrivateGit) -> str:
    """The commit that is checked out, or empty where there is none."""
    try:
        return git.text("rev-parse", "--verify", git.ask_user("rev-parse", "--verify", "HEAD^{commit}"))
    except GitError:
        return ""


def _changed(git: PrivateGit, tree: str, files: Mapping[str, bytes], modes: Mapping[str, str]) -> str:
    """The id of a tree with other bytes in ``files``."""
    entries = {path: (modes.get(path, "100644"), git.write_object("blob", data)) for path, data in files.items()}
    return changed_tree(git, tree, entries)


def _renamed(change: Repair, path: str) -> Repair:
    """The repair with the path that its tree knows the file by."""
    applied = tuple(found._replace(location=found.location._replace(path=path)) for found in change.applied)
    return replace(change, path=path, applied=applied)


def _shown(path: str, top: Path) -> str:
    place = Path(path).resolve()
    return place.relative_to(top).as_posix() if place.is_relative_to(top) else path


def _date(git: PrivateGit, head: str, changing: Sequence[Repair]) -> str:
    """The date of the commit, else of the newest of the files: the same tree gives the same patches."""
    if head:
        return git.text("show", "-s", "--format=%cd", "--date=raw", head)
    return f"{max(int(os.stat(change.path).st_mtime) for change in changing)} +0000"  # noqa: PTH116


def _author(top: Path, date: str) -> str:
    """Whom git knows as the user, and the time: NAME <ADDRESS> SECONDS ZONE. Raises UsageError for nobody."""
    command = ["git", "-c", "user.useConfigOnly=true", "-c", "core.fsmonitor=false", "var", "GIT_AUTHOR_IDENT"]
    done = subprocess.run(command, cwd=top, capture_output=True, check=False)
    found = re.fullmatch(r"([^<>]* <[^<>]*>) (\d+ [-+]\d{4})\n", done.stdout.decode("utf-8", "surrogateescape"))
    if done.returncode or found is None:
        raise UsageError("--series: git knows no author; set user.name and user.email with git config")
    return f"{found[1]} {found[2] if os.environ.get('GIT_AUTHOR_DATE') else date}"
