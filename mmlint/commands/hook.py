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

from mmlint.cli import CLEAN, FINDINGS
from mmlint.commands.output import pen, print_lines
from mmlint.commands.run import for_engine
from mmlint.commands.series import shown_of, to_the_point
from mmlint.commands.settings import settings_of
from mmlint.config import Settings, UsageError
from mmlint.series.check import Options, check_series
from mmlint.series.git import GitError, PrivateGit, user_tree
from mmlint.series.ranges import STAGED

_NOTHING = ("no patch is there", "no mail is there", "no commit is in that range", "nothing is staged")


def run(arguments: argparse.Namespace) -> int:
    """Check what the hook is about; the exit code is 1 when git has to stop. Raises UsageError for wrong arguments."""
    arguments.paths = ["."]
    sources = list(_sources(arguments.hook, arguments.arguments))
    settings = settings_of(arguments)
    code = CLEAN
    for source in sources:
        code = max(code, _check(source, settings, arguments))
    return code


def _sources(hook: str, words: list[str]) -> Iterator[str]:
    if hook == "pre-commit":
        yield STAGED
    elif hook == "sendemail-validate":
        if not words:
            raise UsageError('hook sendemail-validate: the mail is missing; run mmlint hook sendemail-validate "$@"')
        yield words[0]
    else:
        yield from _pushed(words[0] if words else "origin")


def _pushed(remote: str) -> Iterator[str]:
    """A range for each branch that is pushed: what git tells on standard input, or pre-commit in its variables."""
    given = [os.environ.get(f"PRE_COMMIT_{end}_REF", "") for end in ("FROM", "TO")]
    if all(given):
        yield f"{given[0]}..{given[1]}"
        return
    for line in sys.stdin.read().split("\n"):
        words = line.split()
        if len(words) != 4 or not words[1].strip("0"):
            continue
        yield f"{_known(words[3], words[1], remote)}..{words[1]}"


def _known(there: str, here: str, remote: str) -> str:
    """What the remote has already of a branch: its own tip, else where it leaves the remote's other branches."""
    with PrivateGit(user_tree(None)) as git:
        try:
            if there.strip("0"):
                return git.ask_user("rev-parse", "--verify", "--quiet", f"{there}^{{commit}}")
        except GitError:
            pass
        first = here
        try:
            new = git.ask_user("rev-list", "--first-parent", here, "--not", f"--remotes={remote}").split("\n")
            first = new[-1] or here
            return git.ask_user("rev-parse", "--verify", "--quiet", f"{first}^" if new[-1] else first)
        except GitError:
            # The first commit of all: it is looked at with its children.
            return first


def _check(source: str, settings: Settings, arguments: argparse.Namespace) -> int:
    from mmlint.report.series_text import render_lines
    from mmlint.report.terminal import shown

    try:
        with check_series(source, Options(), for_engine(settings)) as found:
            report = to_the_point(shown_of(found, settings))
            failing = any(finding.level >= settings.fail_level for finding in report.authors())
            if report.authors() or report.skipped:
                print_lines(render_lines(report, pen(arguments), arguments.quiet))
    except UsageError as error:
        if not any(word in str(error) for word in _NOTHING):
            print(f"mmlint: not checked: {shown(str(error))}", file=sys.stderr)
        return CLEAN
    return FINDINGS if failing else CLEAN
