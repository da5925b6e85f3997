"""The text of ``series``: the findings of each patch below its title, then what was looked at and what could not be.

patch 2/3: mm/madvise: name the range
mm/madvise.c:159:51: error: 'pte' is not the entry for 'addr' [wrong-ptep]
base: v6.12, by its blob ids
1 error; 3 patches; 13 of 14 sections name their range
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from mmlint.diagnostic import Level
from mmlint.report.terminal import Pen, counted, shown
from mmlint.report.text import render_diagnostic, skipped_line
from mmlint.series.model import Base, Cause, Conversion, Finding, How, Progress, SeriesReport

# An object id in a range, as git gives it to a hook.
_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b")
_HOW = {
    How.GIVEN: "as given",
    How.RANGE: "where the range begins",
    How.TRAILER: "by its base-commit",
    How.PREREQUISITES: "with its prerequisite patches",
    How.BLOBS: "by its blob ids",
    How.HEAD: "a guess",
    How.FOLDER: "a folder",
    How.PRE_IMAGES: "with the files that the series was made for",
    How.HUNKS: "nothing but the hunks of the series",
}


def render_lines(
    report: SeriesReport, pen: Pen, quiet: bool = False, everything: bool = False, verbose: bool = False
) -> Iterator[str]:
    """Lines without newlines; ``everything`` holds what the author did not cause as well."""
    findings = report.findings if everything else report.authors()
    for patch in report.patches:
        own = [finding for finding in findings if finding.patch == patch.position]
        if own:
            yield pen("bold", f"{patch.name}: {shown(patch.title)}")
        for finding in own:
            yield from _finding(finding, report, pen, quiet)
    old = [finding for finding in findings if not finding.patch]
    for heading, is_there in (("old, and no patch comes near:", True), ("old, and not there any more:", False)):
        listed = [finding for finding in old if (finding.final is not None) == is_there]
        if listed:
            yield pen("bold", heading)
        for finding in listed:
            yield from _finding(finding, report, pen, quiet)
    for finding in report.unneeded if everything else report.unneeded_by_author():
        yield from render_diagnostic(finding.diagnostic, pen, quiet)
    for skipped in report.skipped:
        yield skipped_line(skipped, pen)
    if report.previous and not quiet:
        for finding in report.previous.fixed:
            gone = finding.diagnostic
            where = f"{shown(gone.path)}: " + (f"{shown(gone.function)}(): " if gone.function else "")
            yield f"fixed since {shown(report.previous.name)}: {where}{shown(gone.message)} [{gone.rule}]"
    if verbose and report.conversion:
        yield from _sites(report.conversion)
    for remark in report.remarks:
        yield f"note: {shown(remark)}"
    for sentence in report.base.unseen:
        yield f"note: {shown(sentence)}"
    if quiet and report.final.suppressed:
        yield f"{len(report.final.suppressed)} suppressed"
    if not quiet:
        yield base_line(report.base)
        yield summary(report)


def _finding(finding: Finding, report: SeriesReport, pen: Pen, quiet: bool) -> Iterator[str]:
    lines = list(render_diagnostic(finding.diagnostic, pen, quiet))
    words = []
    if finding.cause is not Cause.INTRODUCED:
        words.append({Cause.MADE_REACHABLE: "made reachable", Cause.TOUCHED: "old, touched"}.get(finding.cause, "old"))
    if finding.repaired_by:
        words.append(f"repaired by {report.patches[finding.repaired_by - 1].name}")
    if finding.progress:
        words.append({Progress.STILL_OPEN: "still open"}.get(finding.progress, str(finding.progress)))
    yield lines[0] + (f" ({', '.join(words)})" if words else "")
    yield from lines[1:]


def _sites(conversion: Conversion) -> Iterator[str]:
    for site in conversion.converted:
        yield f"{shown(site.path)}:{site.line}: {site.function}(): {site.verdict}: {shown(site.call)}"
        for entry in site.ranges:
            yield f"    range: {shown(entry)}"
    for site in conversion.left:
        yield f"{shown(site.path)}:{site.line}: {site.function}(): left plain: {site.verdict}" + (
            f": {shown(site.reason)}" if site.reason else ""
        )


def base_line(base: Base) -> str:
    """Such as "base: v6.12, by its blob ids"."""
    name = _ID.sub(r"\1", base.name or base.tree)
    short = base.revision[:12]
    said = not short or name.startswith(short) or short.startswith(name or "-")
    commit = "" if said else f" ({short})"
    return f"base: {shown(name)}{commit}, {_HOW[base.how]}"


def summary(report: SeriesReport) -> str:
    """Such as "1 error; 3 patches; 13 of 14 sections name their range; 0 not analysed"."""
    authors = report.authors()
    counts = Counter(finding.level for finding in (*authors, *report.unneeded_by_author()))
    parts = [counted(counts[level], str(level)) for level in sorted(Level, reverse=True) if counts[level]]
    others = sum(1 for f in (*report.findings, *report.unneeded) if f.final and not f.is_authors)
    text = ", ".join(parts) or "no findings"
    if others:
        text += f" ({others} more not caused by the series)"
    patches = f"{len(report.patches)} patch{'es' * (len(report.patches) != 1)}"
    if report.final.suppressed:
        text += f", {len(report.final.suppressed)} suppressed"
    told = [text, patches]
    if report.previous:
        progress = Counter(finding.progress for finding in authors)
        told.append(
            f"since {shown(report.previous.name)}: {len(report.previous.fixed)} fixed, "
            f"{progress[Progress.STILL_OPEN]} still open, {progress[Progress.NEW]} new"
        )
    if report.conversion:
        done, left = len(report.conversion.converted), len(report.conversion.left)
        told.append(f"{done} of {done + left} sections name their range")
    told.append(f"{len(report.skipped)} not analysed")
    return "; ".join(told)
