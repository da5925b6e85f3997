"""One series with every kind of finding, as those read it who get it: what each output says of it, and where."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mmlint.report import b4_check, b4_review, checkstyle, gitlab, junit, mail, sarif
from mmlint.report.series_outcome import outcome_of
from mmlint.report.series_text import render_lines
from mmlint.report.terminal import Pen
from mmlint.series.model import SeriesReport
from tests.series_samples import (
    LINUX,
    MPROTECT,
    PLAIN,
    RANGED,
    SWAPPED,
    checked,
    commit,
    git,
    header,
    line_of,
    made,
    mbox,
    repository,
)

HALF = f"\t{RANGED}(mm, addr, end, start_pte);\n"
VMALLOC = f"\t{RANGED}(&init_mm, end, addr, pte);\n"
MREMAP = f"\t{RANGED}(mm, old_addr, old_end, old_ptep);\n"
LINES = {path: line_of((LINUX / path).read_text(), PLAIN) for path in ("mm/mprotect.c", "mm/mremap.c")}
LEFT = line_of((LINUX / "mm/madvise.c").read_text().replace(PLAIN, "", 1), PLAIN.strip()) + 1
BLANKS = "\n\n\n"


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeriesReport]:
    """Four patches: a fault and its repair, half of a function, an old call made wrong, an old fault touched.

    The third also moves everything below it, so that the lines of the first are not those of the end.
    """
    folder = tmp_path_factory.mktemp("readers")
    linux = repository(folder / "linux")
    commit(linux, "base with a fault", {"mm/vmalloc.c": (PLAIN, VMALLOC), "mm/mremap.c": (PLAIN, MREMAP)})
    git(linux, "tag", "-f", "base")
    text = (LINUX / "mm/mprotect.c").read_text()
    steps = (
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}),
        ("mm/madvise: name the range", {"mm/madvise.c": (PLAIN, HALF)}),
        ("mm/mprotect: put it right", {"mm/mprotect.c": (None, BLANKS + text.replace(PLAIN, MPROTECT, 1))}),
        (
            "mm/mremap: tidy",
            {"mm/mremap.c": (MREMAP, "\told_ptep++;\n" + MREMAP), "mm/vmalloc.c": (VMALLOC, "\n" + VMALLOC)},
        ),
    )
    mails = [header(one, "Message-Id", f"<{number}@t>") for number, one in enumerate(made(linux, *steps), 1)]
    (folder / "x.mbox").write_bytes(mbox(mails))
    with checked(folder / "x.mbox", linux) as report:
        yield report


def test_text(series: SeriesReport) -> None:
    first = LINES["mm/mprotect.c"]
    half = "the series names the range of 1 of 2 sections that can name it in madvise_cold_or_pageout_pte_range()"
    lines = list(render_lines(series, Pen(), quiet=True))
    assert lines == [
        "patch 1/4: mm/mprotect: name the range",
        f"mm/mprotect.c:{first}:49: warning: 'end' and 'addr' are swapped: 'pte' is the entry for 'addr' [wrong-range], "
        "until a later patch of the series repairs it [broken-then-repaired] (repaired by patch 3/4)",
        # It stands with the patch that converts that code, not with the last that writes a call.
        "patch 2/4: mm/madvise: name the range",
        f"mm/madvise.c:{LEFT}:4: warning: {half} [incomplete-conversion]",
        "patch 4/4: mm/mremap: tidy",
        f"mm/mremap.c:{LINES['mm/mremap.c'] + 1}:60: error: 'old_ptep' is not the entry for 'old_addr': "
        "it is one entry ahead of it [wrong-ptep] (made reachable)",
    ]


def test_what_is_gone_stands_on_a_line_of_the_end(series: SeriesReport) -> None:
    """The first patch's fault is on a line that has moved: no column of the old text is given for the new one."""
    (gone,) = [d for d in outcome_of(series).report.diagnostics if d.rule == "broken-then-repaired"]
    line = LINES["mm/mprotect.c"] + len(BLANKS)
    assert (gone.location.line, gone.location.column) == (line, 2)
    assert gone.notes[0].location.line == line
    results = json.loads(sarif.render(outcome_of(series)))["runs"][0]["results"]
    (region,) = [
        r["locations"][0]["physicalLocation"]["region"] for r in results if r["ruleId"] == "broken-then-repaired"
    ]
    assert (region["startLine"], region["snippet"]["text"]) == (line, MPROTECT.strip())
    assert {d["location"]["lines"]["begin"] for d in json.loads(gitlab.render(outcome_of(series)))} == {
        line,
        LEFT,
        LINES["mm/mremap.c"] + 1,
    }


def test_every_bot_is_told_which_patch(series: SeriesReport) -> None:
    outcome = outcome_of(series)
    where = {"patch 1/4, introduced", "patch 2/4, introduced", "patch 4/4, made-reachable"}
    texts = {
        "junit": [str(x.get("message")) for x in ElementTree.fromstring(junit.render(outcome)).iter("failure")],
        "checkstyle": [str(x.get("message")) for x in ElementTree.fromstring(checkstyle.render(outcome)).iter("error")],
        "b4": [x for x in json.loads(b4_check.render_json(outcome))[0]["details"].split("\n") if ": note: " not in x],
    }
    for name, messages in texts.items():
        assert {message.rsplit("(", 1)[1].rstrip(")") for message in messages} == where, name


def test_ranges_without_an_end_say_so(series: SeriesReport) -> None:
    assert series.conversion is not None
    (site,) = [site for site in series.conversion.converted if site.function == "move_ptes"]
    assert site.ranges == ("mm, old_addr, old_end, old_ptep (read)", "mm, new_addr, ?, new_ptep (updated)")


def test_replies(series: SeriesReport) -> None:
    replies = mail.render(outcome_of(series)).split("From mboxrd@z ")[1:]
    assert [re.findall(r"^Subject: (.*)$", reply, re.MULTILINE) for reply in replies] == [
        ["Re: [PATCH 1/4] mm/mprotect: name the range"],
        ["Re: [PATCH 2/4] mm/madvise: name the range"],
        ["Re: [PATCH 4/4] mm/mremap: tidy"],
    ]
    # Nothing is quoted, so nobody wrote it.
    body = replies[1].split("\n\n", 1)[1]
    assert body.startswith("The series names the range of 1 of 2 sections that can name it in\nmadvise_cold")
    assert " wrote:" not in body
    # The author converts two calls, and hears of the calls of these files; the fault of the base is no topic.
    end = replies[2].split("Which entry is meant?\n\n", 1)[1]
    assert end.startswith(
        "I followed the arguments of both ranged calls of the series, and they\n"
        "hold: mm owns the page table, ptep is the entry for addr, and the range\n"
        "stays within that table.\n\n"
        "In the files that it converts, these are left plain:\n\n"
        "  could name their range as well: madvise_cold_or_pageout_pte_range(),\n"
        "      madvise_free_pte_range()\n\n"
        "This shows the same"
    )


def test_b4_takes_the_review_over(series: SeriesReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """b4's own code, with a patch to two files and nothing above its diff: no comment becomes a part of the note."""
    b4 = pytest.importorskip("b4.review._review", reason="b4 IS NOT INSTALLED: its review is not tried")
    monkeypatch.setattr(b4, "save_tracking", lambda *_: None)
    git(tmp_path, "clone", "-q", "-b", "main", series.base.tree, "copy")
    copy = tmp_path / "copy"
    folder = copy / ".git/b4-review" / git(copy, "rev-parse", "HEAD").strip()
    folder.mkdir(parents=True)
    for name, data in b4_review.render(outcome_of(series)).items():
        (folder / name).write_bytes(data)
    patches: list[dict[str, dict[str, dict[str, Any]]]] = [{} for _ in series.patches]
    tracking = {"series": {}, "patches": patches}
    commits = git(copy, "rev-list", "--reverse", f"{series.base.revision}..main").split()
    assert b4._integrate_agent_reviews(str(copy), "", tracking, commits, patches) is True
    found = [patch.get("reviews", {}).get("mmlint@localhost", {}) for patch in patches]
    places = [[(c["path"], c["line"]) for c in review.get("comments", ())] for review in found]
    assert places == [
        [("b/mm/mprotect.c", LINES["mm/mprotect.c"])],
        [],
        [],
        [("b/mm/mremap.c", LINES["mm/mremap.c"] + 1)],
    ]
    notes = [review.get("note", "") for review in found]
    assert notes[1].startswith("The series names the range of 1 of 2 sections") and not any(notes[:1] + notes[2:])
