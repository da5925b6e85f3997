"""``hook``: what git's own hooks run.

    .git/hooks/pre-commit            exec mmlint hook pre-commit
    .git/hooks/pre-push              exec mmlint hook pre-push "$@"
    .git/hooks/sendemail-validate    exec mmlint hook sendemail-validate "$@"

A hook stops git for what the author caused at or above the fail level, and for nothing else: what could not be checked
is told on standard error, and git goes on.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mmlint.cache import open_cache
from mmlint.cache_key import key
from mmlint.cli import CLEAN, FINDINGS
from mmlint.commands.output import pen, print_lines
from mmlint.commands.run import for_series
from mmlint.commands.series import shown_of, to_the_point
from mmlint.commands.settings import settings_of
from mmlint.config import Settings, UsageError
from mmlint.series.check import Options, check_series
from mmlint.series.git import GitError, PrivateGit, user_tree
from mmlint.series.ranges import STAGED

_KIND = "passed"
_NOTHING = ("no patch is there", "no mail is there", "no commit is in that range", "nothing is staged")
_STOPPED = {
    "pre-commit": "nothing is committed; git commit --no-verify commits it all the same",
    "pre-push": "nothing is pushed; git push --no-verify pushes it all the same",
    "sendemail-validate": "nothing is sent; git send-email --no-validate sends it all the same",
}


class _Job(NamedTuple):
    """A series to check; ``refs`` are those that are pushed. Of one that repeats only what stops git is told."""

    source: str
    beside: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    repeats: bool = False


def run(arguments: argparse.Namespace) -> int:
    """Check what the hook is about; the exit code is 1 when git has to stop. Raises UsageError for wrong arguments."""
    arguments.paths = ["."]
    jobs = list(_jobs(arguments.hook, arguments.arguments))
    settings = settings_of(arguments)
    stopped = False
    at_fault: list[str] = []
    for job in jobs:
        names = _check(job, settings, arguments)
        stopped |= names is not None
        at_fault += names or ()
    if not stopped:
        return CLEAN
    if not arguments.quiet:
        cause = f"stopped for {', '.join(at_fault)}: " if at_fault else ""
        print(f"mmlint: {cause}{_STOPPED[arguments.hook]}", file=sys.stderr)
    return FINDINGS


def _jobs(hook: str, words: list[str]) -> Iterator[_Job]:
    if hook == "pre-commit":
        yield _Job(STAGED)
    elif hook == "sendemail-validate":
        if not words:
            raise UsageError('hook sendemail-validate: the mail is missing; run mmlint hook sendemail-validate "$@"')
        yield _mailed(words[0])
    else:
        yield from _pushed(words[0] if words else "origin")


def _mailed(name: str) -> _Job:
    """The series of the mail: git asks for one mail after the other, before it sends any."""
    from mmlint.report.terminal import shown
    from mmlint.series.beside import mails_beside

    found = mails_beside(Path(name))
    if found.doubt:
        print(f"mmlint: {shown(found.doubt)}: {shown(Path(name).name)} is checked by itself", file=sys.stderr)
    others = tuple(str(file) for file in found.files if file != Path(name))
    return _Job(name, others, repeats=not found.is_first)


def _pushed(remote: str) -> Iterator[_Job]:
    """The commits of each ref that is pushed: what git tells on standard input, or pre-commit in its variables."""
    given = [os.environ.get(f"PRE_COMMIT_{end}_REF", "") for end in ("FROM", "TO")]
    if all(given):
        yield _Job(f"{given[0]}..{given[1]}")
        return
    names: dict[str, list[str]] = {}
    for line in sys.stdin.read().split("\n"):
        words = line.split()
        if len(words) != 4 or not words[1].strip("0"):
            continue
        source = _range(words[3], words[1], remote)
        names.setdefault(source, []).append(words[2].removeprefix("refs/heads/").removeprefix("refs/"))
    for source, refs in names.items():
        yield _Job(source, refs=tuple(refs))


def _range(there: str, here: str, remote: str) -> str:
    """What the remote does not have of a ref: since its own tip, else since it leaves the remote's other branches."""
    with PrivateGit(user_tree(None)) as git:
        with suppress(GitError):
            here = git.ask_user("rev-parse", "--verify", "--quiet", f"{here}^{{commit}}")
        try:
            if there.strip("0"):
                known = git.ask_user("rev-parse", "--verify", "--quiet", f"{there}^{{commit}}")
                return f"{known}..{here}"
        except GitError:
            pass
        first = here
        try:
            new = git.ask_user("rev-list", "--first-parent", here, "--not", f"--remotes={remote}").split("\n")
            first = new[-1] or here
            known = git.ask_user("rev-parse", "--verify", "--quiet", f"{first}^" if new[-1] else first)
            return f"{known}..{here}"
        except GitError:
            # The first commit of all: it is looked at with its children.
            return f"{first}..{here}"


def _check(job: _Job, settings: Settings, arguments: argparse.Namespace) -> tuple[str, ...] | None:
    """None when git may go on, else what stops it: the refs, or the patches where there are several."""
    from mmlint.report.series_text import render_lines
    from mmlint.report.terminal import shown

    try:
        passed = _Passed(job, settings)
        if job.repeats and passed.is_known():
            return None
        with check_series(job.source, Options(beside=job.beside), for_series(settings)) as found:
            report = to_the_point(shown_of(found, settings))
            failing = [finding for finding in report.authors() if finding.level >= settings.fail_level]
            if failing or (not job.repeats and (report.authors() or report.skipped)):
                print_lines(render_lines(report, pen(arguments), arguments.quiet))
            if not failing:
                # What could not be seen today may be there tomorrow.
                if not found.skipped and not found.base.is_degraded:
                    passed.keep()
                return None
            names = dict.fromkeys(report.patches[finding.patch - 1].name for finding in failing)
            return job.refs or (tuple(names) if len(report.patches) > 1 else ())
    except UsageError as error:
        if not any(word in str(error) for word in _NOTHING):
            print(f"mmlint: not checked: {shown(str(error))}", file=sys.stderr)
        return None


class _Passed:
    """Whether the mails of a series passed before, on the same refs: git asks for each, and all are judged for each."""

    def __init__(self, job: _Job, settings: Settings) -> None:
        self._key = _digest(job, settings) if job.beside and settings.cache and not settings.rules else None

    def is_known(self) -> bool:
        if self._key is None:
            return False
        with open_cache() as cache:
            return cache.get(_KIND, self._key) is not None

    def keep(self) -> None:
        if self._key is not None:
            with open_cache() as cache:
                cache.put(_KIND, self._key, b"")


def _digest(job: _Job, settings: Settings) -> bytes | None:
    """Of all that the judgement rests on; None where that is not known."""
    rules = [",".join(sorted(names)) for names in (settings.select, settings.ignore)]
    wanted = [settings.target, str(settings.fail_level), str(settings.level), *rules]
    try:
        accepted = settings.suppressions.read_bytes() if settings.suppressions else b""
        mails = [Path(name).read_bytes() for name in sorted((job.source, *job.beside))]
        with PrivateGit(user_tree(None)) as git:
            refs = git.ask_user("for-each-ref", "--format=%(objectname) %(refname)")
            return key(*wanted, str(settings.suppressions), accepted, git.ask_user("rev-parse", "HEAD"), refs, *mails)
    except (OSError, GitError):
        return None
