"""The folder that b4 merges into its review: a file for each patch with the whole diff quoted, comments between.

    mmlint series x.mbx --output b4-review=.git/b4-review/$(git rev-parse b4/review/CHANGE-ID)

b4 shows the comments in the reply that a maintainer writes; only what the maintainer adopts is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mmlint.report.mail import closing, of_the_series, unknown
from mmlint.report.outcome import Outcome
from mmlint.report.quoting import whole
from mmlint.report.review import questions_of, review_of
from mmlint.series.diff import parse_diff
from mmlint.series.model import Patch, SeriesReport

IDENTITY: Final = "mmlint <mmlint@localhost>\n"


def render(outcome: Outcome) -> dict[str, bytes]:
    """Files by name: the reviewer, the note on the series, and one for each patch that there is something to say of."""
    assert outcome.series is not None
    series = outcome.series
    files = {"identity.txt": IDENTITY.encode()}
    questions = questions_of(outcome.rules)
    for patch in series.patches:
        text = _patch_text(series, patch, questions)
        if text:
            files[f"{patch.position:04}.txt"] = _bytes(text)
    rules = sorted({finding.diagnostic.rule for finding in series.authors()})
    parts = [part for part in (unknown(series), of_the_series(series), closing(series, rules) if rules else []) if part]
    if parts:
        files["series.txt"] = _bytes([line for part in parts for line in ("", *part)][1:])
    return files


def _patch_text(series: SeriesReport, patch: Patch, questions: Mapping[str, str]) -> list[str]:
    """The note, and the diff as git shows it, which is the one that b4 compares with."""
    applied = patch
    if patch.commit:
        diff = series.store.git("diff", "--no-ext-diff", "--no-textconv", patch.parent, patch.commit)
        applied = replace(patch, text=diff, files=parse_diff(diff))
    review = review_of(series, patch.position, questions, applied)
    if not review.count:
        return []
    # b4 takes what stands above the first line "> diff" that is not the first of all for the note.
    note = [line for lines in review.elsewhere for line in (*lines, "")] or [""]
    return [*note, *whole(applied, review.comments)]


def _bytes(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
