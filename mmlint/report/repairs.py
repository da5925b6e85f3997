"""What ``fix`` tells beside the diff: what was written, what was left, and why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from mmlint.atomic import WriteError, rewrite
from mmlint.engine import Report
from mmlint.files import read
from mmlint.fix import Repair
from mmlint.report.terminal import Pen, counted, shown
from mmlint.report.text import skipped_line
from mmlint.tree import HEADER, api_of
from mmlint.vocabulary import Vocabulary


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


def undeclared(repairs: Sequence[Repair], vocabulary: Vocabulary) -> Iterator[str]:
    """A line for each call that the repairs write and the header of its tree does not have. No tree, no line."""
    told: set[tuple[str, str]] = set()
    repaired = {os.path.realpath(repair.path): repair.after for repair in repairs}
    for repair in repairs:
        root = api_of(repair.path, vocabulary).root if repair.changes else ""
        if not root:
            continue
        place = os.path.realpath(os.path.join(root, HEADER))  # noqa: PTH118
        header = repaired.get(place) or read(place)
        for name in sorted(vocabulary.api_names):
            called = re.compile(rb"\b" + name.encode() + rb"\b")
            written = len(called.findall(repair.after)) > len(called.findall(repair.before))
            if written and (root, name) not in told and not called.search(header):
                told.add((root, name))
                yield f"note: {name}() is not declared in {HEADER} of this tree: what adds it has to come first"


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
