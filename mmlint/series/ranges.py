"""A range of commits as a series: each commit is a state, and what it changes is its patch.

    commits = read_range("v6.12..HEAD", git)

The first parents are followed; a merge is a state whose findings are not the author's.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Final

from mmlint.config import UsageError
from mmlint.series.git import GitError, PrivateGit
from mmlint.series.mail import MAX_BYTES, Letter, Mail, lies_there
from mmlint.series.model import Base, How
from mmlint.series.objects import Entry, changed_tree, tree_of, write_commit
from mmlint.series.subject import parse_subject
from mmlint.series.workspace import Workspace

# What is staged for a commit, as a series of one patch.
STAGED: Final = "<staged>"
_MAX_COMMITS: Final = 1_000
_RANGE: Final = re.compile(r"(.*?)(\.\.\.?)(.*)", re.DOTALL)
_ALONE: Final = "^!"
_LONG: Final = 200
_LOG: Final = ("log", "--reverse", "--first-parent", "--no-color", "--no-ext-diff", "--no-textconv")
_PATCH: Final = ("-p", "-M", "--full-index", "--src-prefix=a/", "--dst-prefix=b/")
_FIELDS: Final = ("%an <%ae>", "%aD", "%s", "%b")


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits, oldest first; ``merges`` are positions from 1."""

    name: str
    base: str
    ids: tuple[str, ...]
    letters: tuple[Letter, ...]
    merges: frozenset[int]

    def placed(self, git: PrivateGit) -> tuple[Base, Workspace]:
        """The base with the states on it."""
        space = Workspace(git)
        space.begin_with_commits(self.base, self.ids)
        return Base(How.RANGE, git.tree.shown, self.base, self.name), space


def is_range(source: str) -> bool:
    """True for what is staged, and for A..B, or A^! for one commit, where no such file is there."""
    if source == STAGED:
        return True
    named = ".." in source or source.endswith(_ALONE)
    return named and not source.startswith(("/", "./", "../")) and not lies_there(source)


def read_range(source: str, git: PrivateGit) -> Commits:
    """Raises UsageError for a range that git does not know, that is empty, or that is too long."""
    if source == STAGED:
        return _staged(git)
    one = source.removesuffix(_ALONE)
    found = _RANGE.fullmatch(source if one == source else f"{one}^..{one}")
    if git.tree.git_dir is None or found is None:
        raise UsageError(f"{source}: neither a file nor a range of {git.tree.shown}, which is no git repository")
    left, dots, right = found.groups()
    start, end = (_commit(git, name or "HEAD", source) for name in (left, right))
    try:
        if dots == "...":
            start = git.text("merge-base", start, end)
        listed = git.text("rev-list", "--reverse", "--first-parent", "--parents", f"{start}..{end}")
        rows = [line.split() for line in listed.split("\n") if line]
        if not rows:
            raise UsageError(f"{source}: no commit is in that range; give BASE..TIP")
        if len(rows) > _MAX_COMMITS:
            raise UsageError(f"{source}: {len(rows):,} commits; at most {_MAX_COMMITS:,} are taken for a series")
        letters = _letters(git, f"{start}..{end}", where=source)
    except GitError as error:
        raise UsageError(f"{source}: {error}; give a range of commits that are there") from error
    base = rows[0][1] if len(rows[0]) > 1 else ""
    merges = frozenset(number for number, row in enumerate(rows, start=1) if len(row) > 2)
    return Commits(source, base, tuple(row[0] for row in rows), letters, merges)


def _letters(git: PrivateGit, *revisions: str, where: str) -> tuple[Letter, ...]:
    """The commits as letters. Of a message nothing is taken for a header or for a diff, whatever stands in it."""
    boundary = secrets.token_hex(16)
    form = "".join(f"{boundary}{field}" for field in (*_FIELDS, ""))
    log = git.run(*_LOG, *_PATCH, f"--format=tformat:{form}", *revisions)
    if len(log) > MAX_BYTES:
        raise UsageError(f"{where}: more than {MAX_BYTES >> 20} MiB of patches; give a shorter range")
    parts = log.split(boundary.encode())[1:]
    size = len(_FIELDS) + 1
    return tuple(_letter(where, parts[at : at + size]) for at in range(0, len(parts), size))


def _letter(where: str, parts: list[bytes]) -> Letter:
    author, date, title, message = (part.decode("utf-8", "surrogateescape") for part in parts[:-1])
    text = parts[-1].lstrip(b"\n")
    subject = f"[PATCH] {title}"
    told = (author, author, date, "", (), message.strip("\n"), text)
    return Letter(Mail(where, text), parse_subject(subject), subject, *told)


def _staged(git: PrivateGit) -> Commits:
    """HEAD with what its index has, as a commit in the private store."""
    if git.tree.git_dir is None:
        raise UsageError(f"{git.tree.shown}: no git repository; run the hook in one")
    try:
        head = git.ask_user("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitError:
        head = ""
    against = head or git.write_object("tree", b"")
    raw = git.ask_user_index("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", against)
    fields = raw.split("\0")
    changes: dict[str, Entry] = {}
    for words, name in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, blob, *_ = words.split()
        changes[name] = (mode, blob) if mode != "000000" else None
    if not changes:
        raise UsageError("nothing is staged; use git add first")
    commit = write_commit(git, changed_tree(git, tree_of(git, head) if head else "", changes), head, "staged changes\n")
    return Commits("HEAD", head, (commit,), _letters(git, commit, "-1", where=STAGED), frozenset())


def _commit(git: PrivateGit, name: str, source: str) -> str:
    try:
        return git.ask_user("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
    except GitError as error:
        raise UsageError(
            f"{_short(source)}: no such file, and {git.tree.shown} has no commit {_short(name)}; give one of these"
        ) from error


def _short(name: str) -> str:
    """A name as a message holds it."""
    return name if len(name) <= _LONG else f"{name[:_LONG]}..."
