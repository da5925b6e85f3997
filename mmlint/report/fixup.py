"""Repairs of a series as fixup patches, each against the state that a patch of the author's leaves.

    mmlint series x.mbox --output fixup=fixes
    git am fixes/0002-fixup.patch            (on top of patch 2; git rebase --autosquash folds it in)

git makes the patches, out of the private store; they are from mmlint, and nobody has signed them. What a repair gives
is analysed again before it is shown, and only what the author caused is repaired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from mmlint import __version__
from mmlint.checker import Checker, FileReport, make_checker
from mmlint.config import Settings
from mmlint.diagnostic import Applicability, Diagnostic
from mmlint.fix import Repair, repair
from mmlint.report.outcome import Outcome
from mmlint.report.review import paragraph
from mmlint.report.series_outcome import of_patch
from mmlint.report.terminal import shown
from mmlint.report.transfer import for_am
from mmlint.series.model import Patch, SeriesReport
from mmlint.source import Source

_FORMAT: Final = ("--stdout", "-1", "--no-signoff", "--no-attach", "--no-thread", "--no-ext-diff", "--no-textconv")


def render(outcome: Outcome) -> dict[str, bytes]:
    """Patches by their file names, and an account of what was left; raises RuleError as the loader of rules does."""
    assert outcome.series is not None
    series = outcome.series
    checker = make_checker(Settings(rules=outcome.rules))
    files = {}
    account = []
    for patch in series.patches:
        repairs = list(_repairs(series, patch, checker)) if patch.commit else []
        changing = [change for change in repairs if change.changes]
        if changing:
            name = f"{patch.position:04}-fixup.patch"
            files[name] = _patch(series, patch, changing)
            account += [f"{name}: {patch.name}", *_titles(changing), ""]
        account += [f"{change.path}: left as it is: {shown(change.refused)}" for change in repairs if change.refused]
    files["README"] = _text(account or ["Nothing that the series causes has a repair."])
    return files


def _repairs(series: SeriesReport, patch: Patch, checker: Checker) -> Iterator[Repair]:
    """For each file of the patch's findings that has a fix, what became of it."""
    tree = series.store.tree(patch.position)
    wanted: dict[str, list[Diagnostic]] = {}
    for finding in of_patch(series, patch.position):
        if finding.diagnostic.fix:
            wanted.setdefault(finding.diagnostic.path, []).append(finding.diagnostic)
    for path, found in sorted(wanted.items()):
        identities = {_identity(diagnostic) for diagnostic in found}

        def check(source: Source, identities: set[tuple[str, str, str]] = identities) -> FileReport:
            # What the author did not cause is judged, so that it gets no worse, and not repaired.
            report = checker.check(source, tree)
            judged = (d if _identity(d) in identities else d._replace(fix=None) for d in report.diagnostics)
            return replace(report, diagnostics=tuple(judged))

        report = check(Source(path, series.read(path, patch.position)))
        if report.facts:
            # A section of another file may have led to what is repaired here.
            others = [d for d in report.diagnostics if _identity(d) not in identities]
            yield repair(report.facts, [*found, *others], check, Applicability.UNSAFE)


def _identity(diagnostic: Diagnostic) -> tuple[str, str, str]:
    return (diagnostic.rule, diagnostic.function, diagnostic.message)


def _titles(repairs: Iterable[Repair]) -> list[str]:
    lines = []
    for change in repairs:
        for found in change.applied:
            if found.fix:
                doubt = "" if found.fix.applicability is Applicability.SAFE else " (to be confirmed by a person)"
                text = f"{change.path}: {found.function}(): {found.fix.title} [{found.rule}]{doubt}"
                lines += paragraph(text, "  ", "      ")
    return lines


def _patch(series: SeriesReport, patch: Patch, repairs: Sequence[Repair]) -> bytes:
    """The patch that git makes of the repairs."""
    message = [f"fixup! {patch.title}", "", *_titles(repairs), "", f"Found with mmlint {__version__}."]
    files = {change.path: change.after for change in repairs}
    commit = series.store.amended(patch.position, files, "".join(f"{line}\n" for line in message))
    return for_am(series.store.git("format-patch", *_FORMAT, f"--signature=mmlint {__version__}", commit))


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
