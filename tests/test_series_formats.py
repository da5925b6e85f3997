"""Formats of ``series``: replies, reviews, fixups and checks, on a series that git made, read by git and by b4's rules."""

from __future__ import annotations

import email
import email.policy
import json
import mailbox
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mmlint import __version__
from mmlint.cli import main
from mmlint.config import Settings
from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level, Note, Skipped
from mmlint.report import b4_check, b4_review, fixup, github, junit, mail, patchwork, terse
from mmlint.report.quoting import excerpts, quoted, whole
from mmlint.report.review import comment, questions_of, review_of
from mmlint.report.series_outcome import outcome_of, state_sources
from mmlint.rule import load_rules
from mmlint.series.check import Options, check_series
from mmlint.series.diff import parse_diff
from mmlint.series.model import SERIES_RULES, Cause, Finding, Hunk, Line, SeriesReport
from mmlint.source import Location, Source, Span
from tests.series_of_two import Series, git, make_series, replaced

FIRST = """\
> --- a/mm/mprotect.c
> +++ b/mm/mprotect.c
> @@ -59,7 +59,7 @@ static long change_pte_range(struct mmu_gather *tlb, struct vm_area_struct *vma,
>  		target_node = numa_node_id();
>\x20\x20
>  	flush_tlb_batched_pending(vma->vm_mm);
> -	lazy_mmu_mode_enable();
> +	lazy_mmu_mode_enable_for_pte_range(vma->vm_mm, end, addr, pte);

If I read this right, 'end' and 'addr' are swapped: 'pte' is the entry
for 'addr'.

  line 54: pte is the entry for addr
        pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

Could you have another look?

	lazy_mmu_mode_enable_for_pte_range(vma->vm_mm, addr, end, pte);
"""
SECOND = """\
> --- a/mm/madvise.c
> +++ b/mm/madvise.c
> @@ -192,7 +192,7 @@ static int madvise_free_pte_range(pmd_t *pmd, unsigned long addr,
>  			if (!start_pte)
>  				break;
>  			flush_tlb_batched_pending(mm);
> -			lazy_mmu_mode_enable();
> +			lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);

'pte' has the value of 'start_pte', which the other calls of this
function pass:

  line 190: both are set from this call and have not moved
        pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

Could it be spelled alike, so that nobody has to wonder?

			lazy_mmu_mode_enable_for_pte_range(mm, addr, end, start_pte);

The series names the range of 5 of 8 sections that can name it; not of
vmap_pte_range(), vunmap_pte_range(), vmap_pages_pte_range():

  mm/vmalloc.c:20: vmap_pte_range() could name it
  mm/vmalloc.c:92: vunmap_pte_range() could name it
  mm/vmalloc.c:155: vmap_pages_pte_range() could name it

Are these left out on purpose? Then a word in the commit message would
help.

Of the 5 ranged calls of the series, 4 hold as far as I can follow them:
mm owns the page table, ptep is the entry for addr, and the range stays
within that table.

These are left plain:

  could name their range as well: vmap_pte_range(), vunmap_pte_range(),
      vmap_pages_pte_range()
  mm/vmscan.c, walk_pte_range(): 'end' is set anew inside the section:
      it covers several ranges
  mm/vmscan.c, walk_pmd_range_locked(): no PTE pointer is used in the
      section
  mm/vmscan.c, lru_gen_look_around(): the PTE pointer is not mapped in
      this function: it comes from pvmw->pte
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Series:
    return make_series(tmp_path_factory.mktemp("series"))


@pytest.fixture(scope="module")
def series(made: Series) -> Iterator[SeriesReport]:
    with check_series(str(made.mbox), Options(str(made.tree)), Settings()) as report:
        yield report


def mails_of(text: str, folder: Path) -> list[tuple[dict[str, str], str]]:
    """Headers and body of each mail of an mbox."""
    (folder / "mbox").write_text(text, encoding="utf-8")
    found = []
    box = mailbox.mbox(folder / "mbox")
    messages = list(box)
    box.close()
    for message in messages:
        parsed = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
        payload = parsed.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found.append(({key: str(value) for key, value in parsed.items()}, payload.decode()))
    return found


def test_replies_to_the_letter(series: SeriesReport, made: Series, tmp_path: Path) -> None:
    first, second = mails_of(mail.render(outcome_of(series)), tmp_path)
    assert first[0] == {
        "To": "Zoë Author <zoe@example.org>",
        "Subject": "Re: [PATCH v2 1/2] mm/mprotect: name the range",
        "In-Reply-To": "<1@t>",
        "References": "<1@t>",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "8bit",
        "MIME-Version": "1.0",
    }
    head = "On Wed, 25 Mar 2026 08:41:00 +0100, Zoë Author wrote:\n"
    end = (
        f"\nThis shows the same, with all of the evidence:\n\n  b4 am -o - 1@t | mmlint series --base {made.base[:12]} -\n"
        f"\n%s\n\n-- \nmmlint {__version__} (written by a tool; whoever sends it has read it)\n"
    )
    one = (
        "mmlint explain wrong-range says what is behind it, and --ignore\n"
        "wrong-range leaves it out. Should I be wrong somewhere, please tell me."
    )
    two = (
        "mmlint explain RULE says what is behind incomplete-conversion and\n"
        "inconsistent-ptep, and --ignore RULE leaves one out. Should I be wrong\n"
        "somewhere, please tell me."
    )
    assert first[1].rstrip("\n") == (head + FIRST + end % one).rstrip("\n")
    assert second[0]["In-Reply-To"] == "<2@t>"
    assert second[1].rstrip("\n") == (head + SECOND + end % two).rstrip("\n")
    for line in (*first[1].split("\n"), *second[1].split("\n")):
        assert len(line) <= 72 or line.startswith((">", "\t"))


def test_no_finding_no_mail(series: SeriesReport) -> None:
    assert mail.render(outcome_of(replace(series, findings=()))) == ""


def with_findings(series: SeriesReport, *found: Diagnostic, patch: int = 1) -> SeriesReport:
    findings = tuple(Finding(diagnostic, Cause.INTRODUCED, patch, diagnostic) for diagnostic in found)
    return replace(series, findings=findings)


def at(line: int, message: str = "it is so", path: str = "mm/mprotect.c", level: Level = Level.WARNING) -> Diagnostic:
    return Diagnostic("a-rule", level, Location(path, Span(line, line), line, 1, line, 1), "walk", message)


def test_what_the_diff_does_not_show_stands_below_it(series: SeriesReport, tmp_path: Path) -> None:
    report = with_findings(series, at(3), at(62, "another"))
    ((_, body),) = mails_of(mail.render(outcome_of(report)), tmp_path)
    assert (
        "> +\tlazy_mmu_mode_enable_for_pte_range(vma->vm_mm, end, addr, pte);\n\n"
        "Another. Is that intended?\n\n"
        "In walk(), mm/mprotect.c line 3, which the diff does not show:\n\n"
        "It is so.\n\n"
    ) in body


def test_the_same_is_said_once(series: SeriesReport) -> None:
    review = review_of(with_findings(series, at(60), at(61), at(62), at(62, "another")), 1, {})
    assert review.count == 2
    (first, second) = (lines for place in review.comments.values() for lines in place)
    assert first == ["It is so. Is that intended? (Likewise for 2 more in this patch.)"]
    assert second == ["Another."]


def test_a_long_review_is_cut_and_says_so(series: SeriesReport) -> None:
    found = [at(62, f"fault {n:02}", level=Level.ERROR if n == 29 else Level.NOTE) for n in range(30)]
    review = review_of(with_findings(series, *found), 1, {}, most=20)
    assert review.count == 21
    assert review.elsewhere == [["There are 10 more remarks; the command below shows them."]]
    (lines,) = review.comments.values()
    assert lines[-1] == ["If I read this right, fault 29."]


def test_evidence_is_short_and_names_other_files(series: SeriesReport) -> None:
    notes = tuple(Note(Location("mm/none.c", Span(0, 1), n, 1, n, 2), f"step {n}") for n in range(1, 8))
    lines = comment(
        at(62, "nothing shows that it ends")._replace(notes=notes), state_sources(series, 1), "Is that intended?"
    )
    assert lines == [
        "I cannot see here that it ends:",
        "",
        "  mm/none.c:1: step 1",
        "  mm/none.c:2: step 2",
        "  [... 3 more]",
        "  mm/none.c:6: step 6",
        "  mm/none.c:7: step 7",
        "",
        "Is that intended?",
    ]


def test_every_rule_asks_rather_than_commands() -> None:
    questions = questions_of()
    assert set(questions) == {loaded.rule.name for loaded in load_rules()} | set(SERIES_RULES)
    assert [name for name, text in questions.items() if not re.fullmatch(r"[A-Z][^?]*\?( [A-Z].*\.)?", text)] == []
    assert max(map(len, questions.values())) <= 100


def test_context_is_five_lines_and_gaps_are_marked(series: SeriesReport) -> None:
    lines = tuple(Line(" ", b"line %d" % n, n, n, n + 10) for n in range(1, 21))
    hunk = Hunk(1, 20, 1, 20, "@@ -1,20 +1,20 @@", 10, lines)
    (change,) = parse_diff(b"--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n")
    patch = replace(series.patches[0], files=(replace(change, hunks=(hunk,)),))
    assert list(excerpts(patch, {18: [["one"]], 19: [["two"], ["three"]], 28: [["four"]]})) == [
        "> --- a/x.c",
        "> +++ b/x.c",
        "> @@ -1,20 +1,20 @@",
        "> [...]",
        *(f">  line {n}" for n in range(3, 9)),
        *("", "one", "", ">  line 9", "", "two", "", "three", ""),
        "> [...]",
        *(f">  line {n}" for n in range(13, 19)),
        *("", "four", ""),
    ]


def test_quoted_lines_are_what_prints() -> None:
    assert quoted(b"+\ta\x1b[2J \xff\xc3\x9f\r") == "> +\ta\ufffd[2J \ufffdß"
    assert quoted(b"") == "> "


def test_review_of_b4_is_the_whole_diff_of_git(series: SeriesReport, made: Series) -> None:
    files = {name: data.decode() for name, data in b4_review.render(outcome_of(series)).items()}
    assert sorted(files) == ["0001.txt", "0002.txt", "identity.txt", "series.txt"]
    assert files["identity.txt"] == "mmlint <mmlint@localhost>\n"
    assert files["series.txt"].startswith("Of the 5 ranged calls of the series, 4 hold")
    rest = files["0001.txt"]
    assert rest.startswith("\n> diff --git ")
    assert files["0002.txt"].startswith("The series names the range of 5 of 8 sections that can name it; not of\n")
    unquoted = [line for line in rest.split("\n") if not line.startswith("> ")]
    assert "\n".join(unquoted).strip() == FIRST.partition("pte);\n")[2].strip()
    quoted_lines = [line[2:] for line in rest.split("\n") if line.startswith("> ")]
    branch = git(made.tree, "rev-list", "main").split()
    assert "\n".join(quoted_lines) + "\n" == git(made.tree, "diff", branch[2], branch[1])


def test_b4_finds_the_comments(series: SeriesReport) -> None:
    b4 = pytest.importorskip("b4.review._review", reason="b4 IS NOT INSTALLED: its own reader is not tried")
    for name, path, line in (("0001.txt", "b/mm/mprotect.c", 62), ("0002.txt", "b/mm/madvise.c", 195)):
        text = b4_review.render(outcome_of(series))[name].decode()
        (found,) = b4._extract_comments_from_quoted_reply(text[text.index("> diff --git ") :])
        assert (found["path"], found["line"]) == (path, line)


def test_fixup_applies_on_its_patch_and_repairs_it(series: SeriesReport, made: Series, tmp_path: Path) -> None:
    files = fixup.render(outcome_of(series))
    assert sorted(files) == ["0001-fixup.patch", "0002-fixup.patch", "README"]
    text = files["0002-fixup.patch"].decode()
    assert "\nFrom: mmlint <mmlint@localhost>\n" in text
    assert "\nSubject: [PATCH] fixup! mm/madvise: name the ranges\n" in text
    assert "\n  mm/madvise.c: madvise_free_pte_range(): pass start_pte\n      [inconsistent-ptep]\n" in text
    assert "Signed-off-by" not in text
    git(tmp_path, "clone", "-q", str(made.tree), "copy")
    copy = tmp_path / "copy"
    git(copy, "checkout", "-q", "origin/main")
    git(copy, "am", "-q", "-", data=files["0002-fixup.patch"])
    assert git(copy, "log", "-1", "--format=%s") == "fixup! mm/madvise: name the ranges\n"
    with check_series(f"{made.base}..HEAD", Options(str(copy)), Settings()) as after:
        rules = [finding.diagnostic.rule for finding in after.authors()]
    assert "inconsistent-ptep" not in rules
    assert git(made.tree, "status", "--porcelain") == ""


def test_fixup_repairs_only_what_the_author_caused(series: SeriesReport) -> None:
    text = fixup.render(outcome_of(series))["0002-fixup.patch"].decode()
    changed = re.findall(r"^[-+](?![-+])(.*)$", text, re.MULTILINE)
    assert changed == [
        "\t\t\tlazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);",
        "\t\t\tlazy_mmu_mode_enable_for_pte_range(mm, addr, end, start_pte);",
    ]
    nothing = fixup.render(outcome_of(replace(series, findings=())))
    assert nothing == {"README": b"Nothing that the series causes has a repair.\n"}


def test_patchwork_has_a_check_for_each_patch(series: SeriesReport) -> None:
    assert [json.loads(line) for line in patchwork.render(outcome_of(series))] == [
        {"message_id": "<1@t>", "state": "fail", "context": "mmlint", "description": "1 error (wrong-range)"},
        {
            "message_id": "<2@t>",
            "state": "warning",
            "context": "mmlint",
            "description": "2 warnings (incomplete-conversion, inconsistent-ptep)",
        },
    ]


def test_comment_stands_below_the_last_line_that_its_repair_changes(series: SeriesReport) -> None:
    source = Source("mm/mprotect.c", series.read("mm/mprotect.c", 1))
    start, end = (source.line_span(line).start for line in (60, 62))
    fix = Fix(
        "x",
        Applicability.UNSAFE,
        (Edit("mm/mprotect.c", Span(start, start + 1), "x"), Edit("mm/mprotect.c", Span(end, end + 1), "y")),
    )
    diagnostic = Diagnostic("a-rule", Level.WARNING, source.locate(Span(start, start + 1)), "walk", "it is so", (), fix)
    patch = series.patches[0]
    (place,) = review_of(with_findings(series, diagnostic), 1, {}).comments
    assert patch.text.split(b"\n")[place - 1].endswith(b"(vma->vm_mm, end, addr, pte);")
    assert place == patch.line_in_patch("mm/mprotect.c", 62)


def test_what_was_not_seen_is_in_every_format(series: SeriesReport, tmp_path: Path) -> None:
    base = replace(series.base, unseen=("headers were not seen",))
    report = replace(
        series,
        base=base,
        skipped=(Skipped("mm/x.c", "walk", 3, "syntax error"),),
        remarks=("patch 3/3 is missing",),
        findings=series.findings[:0],
    )
    outcome = outcome_of(report)
    assert [d.message for d in outcome.with_unread()] == [
        "headers were not seen",
        "walk() was not analysed: syntax error",
    ]
    assert [json.loads(line)["state"] for line in patchwork.render(outcome)] == ["warning", "warning"]
    assert json.loads(next(patchwork.render(outcome)))["description"] == "no findings; 2 not analysed"
    assert "WARNING:not-analysed: headers were not seen" in "\n".join(terse.render(outcome))
    assert "patch 3/3 is missing" in list(github.render(outcome))
    assert "\npatch 3/3 is missing" in junit.render(outcome)
    assert json.loads(b4_check.render_json(outcome))[0]["details"].startswith("patch 3/3 is missing\n")
    told = replace(report, findings=series.findings)
    _, (_, body) = mails_of(mail.render(outcome_of(told)), tmp_path)
    assert (
        "help.\n\nHeaders were not seen.\n\nPatch 3/3 is missing.\n\n"
        "I could not look into the following (syntax error), so it is not\ncovered:\n\n  mm/x.c: walk()\n\nOf the 5"
    ) in body


def test_findings_stand_where_they_are_at_the_end(series: SeriesReport) -> None:
    outcome = outcome_of(series)
    told = {(d.rule, d.path, d.location.line, str(outcome.origin(d))) for d in outcome.report.diagnostics}
    assert told == {
        ("wrong-range", "mm/mprotect.c", 62, "patch 1/2, introduced"),
        ("inconsistent-ptep", "mm/madvise.c", 195, "patch 2/2, introduced"),
        ("incomplete-conversion", "mm/vmalloc.c", 20, "patch 2/2, introduced"),
    }
    assert outcome.report.below == len(series.findings) - 3
    assert len(outcome_of(series, everything=True).report.diagnostics) > 3


HOSTILE = "a\r\nBcc: all@example.org\x1b"


def test_headers_cannot_be_smuggled_in(series: SeriesReport, tmp_path: Path) -> None:
    patch = replace(
        series.patches[0],
        subject=HOSTILE,
        author=f"{HOSTILE} <zoe@example.org>",
        message_id=f"<{HOSTILE}>",
        date=HOSTILE,
    )
    report = replace(with_findings(series, at(62, HOSTILE)), patches=(patch, *series.patches[1:]))
    ((headers, body),) = mails_of(mail.render(outcome_of(report)), tmp_path)
    assert "Bcc" not in headers
    assert "In-Reply-To" not in headers
    assert "\nBcc:" not in body
    assert body.startswith("On a\\x0d\\x0aBcc: all@example.org\\x1b, ")


def test_lines_that_begin_with_from_are_quoted_for_the_mbox(series: SeriesReport) -> None:
    text = mail.render(outcome_of(with_findings(series, at(62, "from here it is so"))))
    assert "\n>From here it is so. Is that intended?\n" in text
    assert text.count("\nFrom ") + text.startswith("From ") == 1


def test_whole_quotes_every_line(series: SeriesReport) -> None:
    patch = series.patches[0]
    lines = list(whole(patch, {}))
    assert lines == [quoted(line) for line in patch.text.rstrip(b"\n").split(b"\n")]


def test_command_writes_them_all(made: Series, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["sarif", "rdjson", "junit", "mail", "patchwork", "b4-review", "fixup", "json", "text"]
    outputs = [word for name in names for word in ("--output", f"{name}={tmp_path / name}")]
    assert main(["series", str(made.mbox), "--tree", str(made.tree), "--format", "b4", *outputs]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[:2] for line in lines] == [
        ["mm/madvise.c", "195"],
        ["mm/mprotect.c", "62"],
        ["mm/vmalloc.c", "20"],
    ]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(names)
    assert sorted(entry.name for entry in (tmp_path / "fixup").iterdir()) == [
        "0001-fixup.patch",
        "0002-fixup.patch",
        "README",
    ]
    assert json.loads((tmp_path / "json").read_text())["patches"][0]["message_id"] == "<1@t>"
    assert "patch 1/2: mm/mprotect: name the range\n" in (tmp_path / "text").read_text()
    results = json.loads((tmp_path / "sarif").read_text())["runs"][0]["results"]
    assert [r["properties"]["patch"] for r in results if r["kind"] == "fail"] == ["patch 2/2", "patch 1/2", "patch 2/2"]


def test_what_was_accepted_is_told_nowhere_but_counted_everywhere(
    made: Series, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["series", str(made.mbox), "--tree", str(made.tree)]
    main([*arguments, "--format", "json"])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    wrong = next(entry for entry in found if entry["rule"] == "wrong-range")
    beside = tmp_path / "list"
    beside.write_text(f"{wrong['fingerprint']} wrong-range mm/mprotect.c # as agreed\n")
    arguments += ["--suppressions", str(beside)]
    assert main([*arguments, "--fail-level", "error"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not any("wrong-range" in line for line in lines)
    assert lines[-1].startswith("2 warnings (4 more not caused by the series), 1 suppressed; 2 patches; ")
    main([*arguments, "-q"])
    assert capsys.readouterr().out.splitlines()[-1] == "1 suppressed"
    main([*arguments, "--format", "json"])
    (accepted,) = json.loads(capsys.readouterr().out)["suppressed"]
    assert (accepted["rule"], accepted["path"], accepted["reason"]) == ("wrong-range", "mm/mprotect.c", "as agreed")
    main([*arguments, "--format", "sarif"])
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert [r["ruleId"] for r in results if r.get("suppressions")] == ["wrong-range"]
    main([*arguments, "--format", "terse"])
    assert capsys.readouterr().out.endswith(
        "total: 0 errors, 2 warnings, 0 checks, 1 suppressed, 11 sections checked\n"
    )
    main([*arguments, "--format", "mail"])
    assert "Re: [PATCH v2 1/2]" not in capsys.readouterr().out
    inside = made.tree / "mm/list"
    inside.write_text(f"{wrong['fingerprint']} wrong-range mprotect.c # as agreed\n")
    monkeypatch.chdir(made.tree)
    assert main(["series", str(made.mbox), "--suppressions", "mm/list", "--fail-level", "error"]) == 0
    inside.unlink()
    capsys.readouterr()
    assert main(["series", str(made.mbox), "--suppressions", "none"]) == 2
    assert "none: No such file or directory; give a list that exists" in capsys.readouterr().err


def test_what_the_previous_revision_had_is_told(
    made: Series, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "-q", str(made.tree), "copy")
    git(copy, "checkout", "-q", "origin/main~1")
    replaced(copy / "mm/mprotect.c", ("end, addr, pte", "addr, end, pte"))
    git(copy, "commit", "-qa", "--amend", "--no-edit")
    git(copy, "cherry-pick", "origin/main")
    later = tmp_path / "v3.mbox"
    later.write_text(git(copy, "format-patch", "--stdout", "-v3", f"--base={made.base}", made.base))
    arguments = ["series", str(later), "--tree", str(made.tree), "--since-previous", str(made.mbox)]
    main([*arguments, "--format", "jsonl"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["type"], line["rule"]) for line in lines[:-1]] == [
        ("diagnostic", "inconsistent-ptep"),
        ("diagnostic", "incomplete-conversion"),
        ("fixed", "wrong-range"),
    ]
    assert [line["progress"] for line in lines[:2]] == ["still-open", "still-open"]
    main([*arguments, "--format", "sarif"])
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert [(r["ruleId"], r["baselineState"]) for r in results if "baselineState" in r] == [
        ("inconsistent-ptep", "unchanged"),
        ("incomplete-conversion", "unchanged"),
        ("wrong-range", "absent"),
    ]


def test_all_is_for_every_format(made: Series, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["series", str(made.mbox), "--tree", str(made.tree), "--all"]
    main([*arguments, "--output", f"text={tmp_path / 'text'}"])
    printed = capsys.readouterr().out
    assert (tmp_path / "text").read_text() == printed
    assert "old, and no patch comes near:" in printed
    main([*arguments, "--format", "terse"])
    # What the series repairs is told as text; the other formats tell of the end.
    left = [line for line in printed.splitlines() if "[unranged-walker]" in line and "repaired by" not in line]
    assert capsys.readouterr().out.count("unranged-walker") == len(left) == 3


def test_folder_is_not_printed(made: Series, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["series", str(made.mbox), "--tree", str(made.tree), "--format", "fixup"]) == 2
    assert capsys.readouterr().err == "mmlint: error: fixup: it is several files; give --output fixup=FOLDER\n"


def test_a_file_of_a_later_state_changes_no_earlier_reply(made: Series, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "-q", str(made.tree), "copy")
    git(copy, "checkout", "-q", "origin/main")
    replaced(copy / "mm/mprotect.c", ("\t\ttarget_node = numa_node_id();\n", "\n\n\t\ttarget_node = numa_node_id();\n"))
    git(copy, "commit", "-qam", "mm/mprotect: add lines above")
    with check_series(f"{made.base}..HEAD", Options(str(copy)), Settings()) as report:
        outcome = outcome_of(report)
        assert FIRST.partition("\n\n")[2] in mail.render(outcome)
        line = next(d.location.line for d in outcome.report.diagnostics if d.rule == "wrong-range")
    assert line == 64
