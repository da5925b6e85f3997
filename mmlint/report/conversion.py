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
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from mmlint import __version__
from mmlint.config import UsageError
from mmlint.engine import Report
from mmlint.fix import Repair
from mmlint.report.commit_message import commit_message
from mmlint.report.cover_letter import blurb, subject
from mmlint.rule import LoadedRule
from mmlint.series.git import GitError, PrivateGit, user_tree
from mmlint.tree import HEADER

_FORMAT: Final = ("--cover-letter", "--no-signoff", "--no-attach", "--no-thread", "--no-ext-diff", "--no-textconv")
_PLACES: Final = (b"*** SUBJECT HERE ***", b"*** BLURB HERE ***")


class _Author(NamedTuple):
    name: str
    email: str
    date: str


def conversion(repairs: Sequence[Repair], report: Report, rules: Sequence[LoadedRule]) -> dict[str, bytes]:
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
            return _series(git, top, changing, paths, report, rules)
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
    rules: Sequence[LoadedRule],
) -> dict[str, bytes]:
    head = _head(git)
    git.run("read-tree", head) if head else git.run("read-tree", "--empty")
    modes = _modes(git)
    for change in changing:
        _stage(git, paths[change.path], change.before, modes)
    tree = git.text("write-tree")
    is_commit = bool(head) and tree == git.text("rev-parse", f"{head}^{{tree}}")
    author = _author(top, _date(git, head, changing))
    identity = {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER") for key, value in _values(author)}
    base = head if is_commit else git.text("commit-tree", tree, *(["-p", head] if head else []), data=b"base")
    parent = base
    for change in changing:
        path = paths[change.path]
        _stage(git, path, change.after, modes)
        message = commit_message([_renamed(change, path)], rules).encode("utf-8", "surrogateescape")
        made = git.text("write-tree")
        parent = git.run("commit-tree", made, "-p", parent, data=message, **identity).decode().strip()
    named = [f"--base={base}"] if is_commit else []
    words = ("-o", "out", f"--signature=mmlint {__version__}", *named, f"{base}..{parent}")
    git.run("format-patch", *_FORMAT, *words, data=b"", **identity)
    files = {entry.name: entry.read_bytes() for entry in sorted((git.folder / "out").iterdir())}
    (cover,) = (name for name in files if name.startswith("0000-"))
    title = subject(sorted(paths.values()), changing)
    texts = (title, blurb(changing, report, lambda path: _shown(path, top), _header(top), is_commit))
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


def _modes(git: PrivateGit) -> dict[str, str]:
    """The mode of each file of the index."""
    entries = (entry.split(b"\t", 1) for entry in git.run("ls-files", "-z", "--stage").split(b"\0") if entry)
    return {os.fsdecode(name): head.split(b" ", 1)[0].decode() for head, name in entries}


def _stage(git: PrivateGit, path: str, data: bytes, modes: dict[str, str]) -> None:
    blob = git.text("hash-object", "-w", "--no-filters", "--stdin", data=data)
    entry = f"{modes.get(path, '100644')} {blob}\t".encode() + os.fsencode(path) + b"\0"
    git.run("update-index", "-z", "--index-info", data=entry)


def _renamed(change: Repair, path: str) -> Repair:
    """The repair with the path that its tree knows the file by."""
    applied = tuple(found._replace(location=found.location._replace(path=path)) for found in change.applied)
    return replace(change, path=path, applied=applied)


def _header(top: Path) -> str:
    try:
        return (top / HEADER).read_bytes().decode("latin-1")
    except OSError:
        return ""


def _shown(path: str, top: Path) -> str:
    place = Path(path).resolve()
    return place.relative_to(top).as_posix() if place.is_relative_to(top) else path


def _date(git: PrivateGit, head: str, changing: Sequence[Repair]) -> str:
    """The date of the commit, else of the newest of the files: the same tree gives the same patches."""
    if head:
        return git.text("show", "-s", "--format=%cd", "--date=raw", head)
    return f"{max(int(os.stat(change.path).st_mtime) for change in changing)} +0000"  # noqa: PTH116


def _author(top: Path, date: str) -> _Author:
    """Whom git knows as the user. Raises UsageError when it knows nobody."""
    command = ["git", "-c", "user.useConfigOnly=true", "-c", "core.fsmonitor=false", "var", "GIT_AUTHOR_IDENT"]
    done = subprocess.run(command, cwd=top, capture_output=True, check=False)
    found = re.fullmatch(r"(.*) <(.*)> (\d+ [-+]\d{4})\n", done.stdout.decode("utf-8", "surrogateescape"))
    if done.returncode or found is None:
        raise UsageError("--series: git knows no author; set user.name and user.email with git config")
    return _Author(found[1], found[2], found[3] if os.environ.get("GIT_AUTHOR_DATE") else date)


def _values(author: _Author) -> Iterator[tuple[str, str]]:
    yield from (("NAME", author.name), ("EMAIL", author.email), ("DATE", author.date))
