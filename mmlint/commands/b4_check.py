"""``b4-check``: what b4's check commands run, with one patch on standard input.

    [b4]
      prep-perpatch-check-cmd = mmlint b4-check
      review-perpatch-check-cmd = mmlint b4-check --json

b4 makes a finding of every line, and a failure of every line on standard error: nothing is written there, whatever
happens, and nothing at all for a patch that is clean or no business of mmlint's. The exit code is 0.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from mmlint.cli import CLEAN
from mmlint.commands.run import for_series
from mmlint.commands.series import shown_of, to_the_point
from mmlint.commands.settings import settings_of
from mmlint.config import UsageError
from mmlint.series.check import Options, check_series
from mmlint.series.model import SeriesReport

_TRACKING = "B4_TRACKING_FILE"


def run(arguments: argparse.Namespace) -> int:
    """Check what b4 gives, and print it in b4's form. Raises nothing that is the user's."""
    arguments.paths = ["."]
    try:
        settings = settings_of(arguments)
        source = (_range_of(os.environ.get(_TRACKING, "")) if arguments.series else "") or "-"
        with check_series(source, Options(), for_series(settings)) as found:
            report = to_the_point(shown_of(found, settings))
            from mmlint.report import b4_check
            from mmlint.report.series_outcome import outcome_of

            outcome = outcome_of(report, settings.fail_level, settings.rules)
            if arguments.json:
                sys.stdout.write(b4_check.render_json(outcome) if _concerns(report) else "[]\n")
            else:
                sys.stdout.writelines(f"{line}\n" for line in b4_check.render(outcome))
    except UsageError as error:
        _tell(str(error), arguments.json)
    return CLEAN


def _concerns(report: SeriesReport) -> bool:
    """True when the patch changes a file that uses the API, or causes something elsewhere."""
    changed = {change.path for patch in report.patches for change in patch.files}
    known = any(file.source.path in changed for file in report.final.facts)
    return known or bool(report.authors()) or bool(report.skipped)


def _tell(fault: str, as_json: bool) -> None:
    """A patch that cannot be checked is a warning; a mail without a patch, such as a cover letter, is nothing."""
    if "no patch is there" in fault or "no mail is there" in fault:
        sys.stdout.write("[]\n" if as_json else "")
        return
    if not as_json:
        sys.stdout.write(f"WARNING: mmlint could not check it: {fault}\n")
        return
    entry = {"tool": "mmlint", "status": "warn", "summary": f"could not check it: {fault}", "url": "", "details": ""}
    sys.stdout.write(json.dumps([entry]) + "\n")


def _range_of(tracking: str) -> str:
    """The commits of the series that b4 review has checked out; empty where its tracking file does not tell."""
    if not tracking:
        return ""
    try:
        data = json.loads(Path(tracking).read_text(encoding="utf-8"))
        series = data["series"]
        first, count = series["first-patch-commit"], len(series.get("patches") or data["patches"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    from mmlint.series.git import GitError, PrivateGit, user_tree

    with PrivateGit(user_tree(None)) as git:
        try:
            listed = git.ask_user("rev-list", "--reverse", "--first-parent", f"{first}..HEAD").split("\n")
        except GitError:
            return ""
    commits = [first, *(name for name in listed if name)]
    return f"{first}^..{commits[min(count, len(commits)) - 1]}"
