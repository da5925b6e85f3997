"""What ``fix`` tells beside the diff: what was written, what was left, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmlint.atomic import WriteError, rewrite
from mmlint.engine import Report
from mmlint.fix import Repair
from mmlint.report.terminal import Pen, counted, shown
from mmlint.report.text import skipped_line


def write(repairs: Sequence[Repair], roots: Sequence[str]) -> list[str]:
    """Write each repair that changes something; what could not be written, as lines."""
    failures = []
    for repair in repairs:
        if repair.changes:
            try:
                rewrite(repair.path, repair.before, repair.after, roots)
            except WriteError as error:
                failures.append(f"mmlint: error: {shown(str(error))}")
    return failures


def account(repairs: Sequence[Repair], report: Report, in_place: bool, quiet: bool) -> Iterator[str]:
    """Lines on what was done and what was not; ``quiet`` leaves what went well untold."""
    for skipped in report.coverage.skipped:
        yield skipped_line(skipped, Pen())
    for repair in repairs:
        if repair.refused:
            yield f"mmlint: error: {shown(repair.path)}: left as it is: {shown(repair.refused)}; please report it"
    if quiet:
        return
    made = sum(len(repair.applied) for repair in repairs if repair.changes)
    files = sum(1 for repair in repairs if repair.changes)
    verb = "made" if in_place else "shown"
    yield f"{counted(made, 'fix')} {verb} in {counted(files, 'file')}" if made else "nothing to fix"
    waiting = sum(repair.waiting for repair in repairs)
    if waiting:
        yield f"{waiting} more overlap with these; run again to make them"
    withheld = sum(repair.withheld for repair in repairs)
    if withheld:
        yield f"{withheld} more with --unsafe, each to be confirmed by a person"
    if report.suppressed:
        yield f"{counted(len(report.suppressed), 'finding')} suppressed"
