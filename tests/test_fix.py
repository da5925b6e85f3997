"""Edits, their choice and their application; the diff; the writing of files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmlint.atomic import WriteError, rewrite
from mmlint.checker import FileReport
from mmlint.cli import main
from mmlint.config import Settings
from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level, Skipped
from mmlint.engine import run_on
from mmlint.facts.sections import FileFacts
from mmlint.fix import ROUNDS, Repair, apply_edits, choose, repair
from mmlint.report.commit_message import area, commit_message
from mmlint.report.diff import diff
from mmlint.rule import load_rules
from mmlint.source import Source, Span
from mmlint.tree import _api_of_folder
from tests.samples import PLAIN, function_of, plain_section, source_of
from tests.test_cli import CONVERTIBLE

PATH = "mm/walk.c"


def finding(
    *edits: tuple[int, int, str],
    applicability: Applicability = Applicability.SAFE,
    level: Level = Level.NOTE,
    path: str = PATH,
) -> Diagnostic:
    made = tuple(Edit(path, Span(start, end), text) for start, end, text in edits)
    location = Source(PATH, b"x" * 100).locate(made[0].span)
    return Diagnostic("a-rule", level, location, "walk", "message", fix=Fix("title", applicability, made))


def facts_of(data: bytes, *skipped: Skipped) -> FileFacts:
    return FileFacts(Source(PATH, data), (), 1, skipped)


def report(data: bytes, *diagnostics: Diagnostic, skipped: tuple[Skipped, ...] = ()) -> FileReport:
    return FileReport(diagnostics, facts_of(data, *skipped), skipped)


def test_edits_are_applied_to_the_bytes() -> None:
    edits = [Edit(PATH, Span(6, 9), "three"), Edit(PATH, Span(0, 3), "1"), Edit(PATH, Span(4, 4), "+")]
    assert apply_edits(b"one\r\nx two\xff", edits) == b"1\r+\nxthreeo\xff"


@pytest.mark.parametrize("spans", [((0, 3), (2, 4)), ((0, 9), (1, 2)), ((11, 13),)])
def test_edits_that_cannot_be_applied(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="overlaps another or ends past the file"):
        apply_edits(b"twelve bytes", [Edit(PATH, Span(*span), "x") for span in spans])


@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8), st.text(max_size=5))))
def test_bytes_outside_of_the_edits_stay(data: bytes, wanted: list[tuple[int, int, str]]) -> None:
    candidates = [
        finding((start, min(start + size, len(data)), text)) for start, size, text in wanted if start < len(data)
    ]
    chosen, waiting = choose(candidates, Applicability.SAFE, PATH)
    edits = sorted((e for d in chosen if d.fix for e in d.fix.edits), key=lambda e: e.span)
    changed = apply_edits(data, edits)
    position = 0
    for edit in edits:
        kept = data[position : edit.span.start] + edit.text.encode("utf-8", "surrogateescape")
        assert changed.startswith(kept)
        changed, position = changed[len(kept) :], edit.span.end
    assert changed == data[position:]
    assert len(chosen) + waiting <= len(candidates)


def test_first_by_position_wins_and_the_rest_waits() -> None:
    late, early, apart = finding((5, 9, "b")), finding((2, 6, "a")), finding((9, 10, "c"))
    chosen, waiting = choose([late, apart, early], Applicability.SAFE, PATH)
    assert (chosen, waiting) == ([early, apart], 1)


def test_fix_of_several_edits_is_taken_whole_or_not_at_all() -> None:
    both, first = finding((4, 6, "a"), (20, 22, "b")), finding((2, 5, "c"))
    assert choose([both, first], Applicability.SAFE, PATH) == ([first], 1)


def test_insertion_at_the_end_of_another_edit_waits() -> None:
    assert choose([finding((2, 5, "a")), finding((5, 5, "b"))], Applicability.SAFE, PATH)[1] == 1


def test_same_fix_twice_is_made_once() -> None:
    assert choose([finding((2, 5, "a")), finding((2, 5, "a"))], Applicability.SAFE, PATH) == ([finding((2, 5, "a"))], 0)


def test_fix_of_another_file_waits() -> None:
    assert choose([finding((2, 5, "a"), path="mm/other.c")], Applicability.SAFE, PATH) == ([], 1)


def test_less_safe_fixes_are_withheld() -> None:
    unsafe = finding((0, 1, "y"), applicability=Applicability.UNSAFE)
    shown = finding((2, 3, "y"), applicability=Applicability.DISPLAY_ONLY)
    before = facts_of(b"abcd")
    made = repair(before, [unsafe, shown], lambda source: report(source.data), Applicability.SAFE)
    assert (made.after, made.withheld) == (b"abcd", 2)
    made = repair(before, [unsafe, shown], lambda source: report(source.data), Applicability.UNSAFE)
    assert (made.after, made.withheld, made.applied) == (b"ybcd", 1, (unsafe,))


def test_rounds_go_on_until_nothing_changes() -> None:
    def check(source: Source) -> FileReport:
        size = source.data.count(b"x")
        return report(source.data, *([finding((size - 1, size, ""))] if size > 1 else []))

    start = check(Source(PATH, b"xxxxx"))
    made = repair(facts_of(b"xxxxx"), start.diagnostics, check, Applicability.SAFE)
    assert (made.after, len(made.applied), made.refused) == (b"x", 4, "")


def test_overlapping_fixes_are_made_one_after_the_other() -> None:
    def check(source: Source) -> FileReport:
        left = [finding((0, 2, "AA"))] if source.data.startswith(b"aa") else []
        right = [finding((1, 3, "B"))] if source.data[1:3] in (b"ab", b"Ab") else []
        return report(source.data, *left, *right)

    made = repair(facts_of(b"aab"), check(Source(PATH, b"aab")).diagnostics, check, Applicability.SAFE)
    assert (made.after, len(made.applied), made.waiting) == (b"AB", 2, 0)


def test_fixes_that_do_not_settle_change_nothing() -> None:
    def check(source: Source) -> FileReport:
        return report(source.data, finding((0, 1, "b" if source.data == b"a" else "a")))

    made = repair(facts_of(b"a"), check(Source(PATH, b"a")).diagnostics, check, Applicability.SAFE)
    assert (made.after, made.refused) == (b"a", f"the fixes do not settle within {ROUNDS} rounds")
    assert not made.changes


SKIPPED = Skipped(PATH, "walk", 3, "syntax error")


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (FileReport((), None, ()), "the result can no longer be analysed"),
        (report(b"b", skipped=(SKIPPED,)), "walk() could no longer be read"),
        (report(b"b", finding((0, 1, "c"), level=Level.ERROR)), "the result would have a new error"),
    ],
)
def test_result_that_reads_worse_is_refused(result: FileReport, reason: str) -> None:
    made = repair(facts_of(b"a"), [finding((0, 1, "b"))], lambda _: result, Applicability.SAFE)
    assert (made.after, made.refused, made.applied) == (b"a", reason, ())


def test_result_that_loses_a_section_is_refused() -> None:
    source = source_of(PLAIN)
    facts = FileFacts(source, (function_of(source, plain_section(source)),), 1)
    made = repair(facts, [finding((0, 1, "b"))], lambda new: report(new.data), Applicability.SAFE)
    assert (made.after, made.refused) == (source.data, "a section would be lost")


def test_error_that_was_there_before_does_not_stop_a_repair() -> None:
    old = finding((50, 51, "z"), level=Level.ERROR, applicability=Applicability.UNSAFE)
    made = repair(
        facts_of(b"a", SKIPPED),
        [finding((0, 1, "b")), old],
        lambda source: report(source.data, old, skipped=(SKIPPED,)),
        Applicability.SAFE,
    )
    assert made.after == b"b"


def git_apply(folder: Path, patch: bytes) -> None:
    result = subprocess.run(["git", "apply", "-p1", "-"], input=patch, cwd=folder, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()


CASES = {
    "middle": (b"".join(b"%d\n" % i for i in range(30)), b"15\n", b"fifteen\nmore\n"),
    "no final newline": (b"a\nb\nc", b"b", b"B"),
    "last line without newline": (b"a\nb\nc", b"c", b"cc"),
    "newline lost": (b"a\nb\n", b"b\n", b"b"),
    "newline gained": (b"a\nb", b"b", b"b\n"),
    "CRLF": (b"a\r\nb\r\nc\r\n", b"b", b"B"),
    "lone CR and form feed": (b"a\rb\n\x0c\nc\n", b"c", b"C"),
    "no text": (b"\xff\xfe\n\xe9\n", b"\xe9", b"\xe8"),
    "one line": (b"a", b"a", b"b"),
    "all lines": (b"a\nb\n", b"a\nb\n", b"c\nd\ne\n"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("path", ["mm/walk.c", "a b/walk c.c", 'mm/"walk".c', "mm/w\u00e4lk\t.c"])
def test_git_applies_the_diff_to_the_byte(tmp_path: Path, name: str, path: str) -> None:
    before, old, new = CASES[name]
    after = before.replace(old, new)
    assert after != before
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_bytes(before)
    git_apply(tmp_path, diff(path, before, after))
    assert file.read_bytes() == after


@given(st.lists(st.sampled_from(["a", "b", "\r", "{"])), st.lists(st.sampled_from(["a", "b", "}"])), st.booleans())
def test_diff_counts_its_lines(old: list[str], new: list[str], newline: bool) -> None:
    before, after = "\n".join(old).encode(), ("\n".join(new) + "\n" * newline).encode()
    text = diff("x.c", before, after).decode()
    assert (text == "") == (before == after)
    body = [line for line in text.split("\n")[2:] if line]
    removed, added = (sum(line.startswith(sign) for line in body) for sign in "-+")
    assert removed - added == before.count(b"\n") - after.count(b"\n") + bool(old and not before.endswith(b"\n")) * (
        before != b""
    ) - (after != b"" and not after.endswith(b"\n"))


def test_diff_of_several_files_applies_at_once(tmp_path: Path) -> None:
    patch = b""
    for name in ("one.c", "two.c"):
        (tmp_path / name).write_bytes(b"x\ny")
        patch += diff(name, b"x\ny", b"x\nz")
    git_apply(tmp_path, patch)
    assert [(tmp_path / name).read_bytes() for name in ("one.c", "two.c")] == [b"x\nz"] * 2


def test_hunks_name_the_function_above() -> None:
    body = "".join(f"\tline{i};\n" for i in range(9))
    before = f"static int walk(void)\n{{\n{body}out:\n{body}}}\n".encode()
    lines = diff("x.c", before, before.replace(b"line8", b"line9")).split(b"\n")
    assert [line for line in lines if line.startswith(b"@@")] == [
        b"@@ -8,7 +8,7 @@ static int walk(void)",
        b"@@ -18,5 +18,5 @@ static int walk(void)",
    ]


def test_absolute_path_is_shown_without_its_slash() -> None:
    assert diff("/mm/x.c", b"a", b"b").startswith(b"--- a/mm/x.c\n+++ b/mm/x.c\n")


def test_rewrite_keeps_the_mode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "walk.c"
    file.write_bytes(b"old")
    file.chmod(0o640)
    rewrite(str(file), b"old", b"new\r\n", [str(tmp_path)])
    assert file.read_bytes() == b"new\r\n"
    assert file.stat().st_mode & 0o7777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_rewrite_writes_through_a_link_within_the_roots(tmp_path: Path) -> None:
    target, link = tmp_path / "target.c", tmp_path / "link.c"
    target.write_bytes(b"old")
    link.symlink_to("target.c")
    rewrite(str(link), b"old", b"new", [str(tmp_path)])
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_rewrite_does_not_leave_the_roots(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside.c", tmp_path / "root"
    outside.write_bytes(b"old")
    root.mkdir()
    (root / "link.c").symlink_to("../outside.c")
    with pytest.raises(WriteError, match=r"link\.c: it leads to .*outside\.c, outside of what was given"):
        rewrite(str(root / "link.c"), b"old", b"new", [str(root)])
    assert outside.read_bytes() == b"old"


def test_rewrite_refuses_a_file_that_changed_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "walk.c"
    file.write_bytes(b"newer")
    with pytest.raises(WriteError, match="changed since it was read; run again"):
        rewrite(str(file), b"old", b"new", [str(file)])
    assert file.read_bytes() == b"newer"


@pytest.mark.parametrize("call", ["fsync", "fchmod"])
def test_failure_half_way_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    file = tmp_path / "walk.c"
    file.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(WriteError, match="No space left on device"):
        rewrite(str(file), b"old", b"new", [str(tmp_path)])
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_missing_file_cannot_be_rewritten(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="No such file or directory"):
        rewrite(str(tmp_path / "none.c"), b"old", b"new", [str(tmp_path)])


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["mm/madvise.c"], "mm/madvise"),
        (["mm/madvise.c", "mm/memory.c"], "mm"),
        (["mm/madvise.c", "fs/proc/task_mmu.c"], "treewide"),
        (["arch/powerpc/mm/a.c", "arch/powerpc/kernel/b.c"], "arch/powerpc"),
        (["x.c", "y.c"], "treewide"),
    ],
)
def test_area_of_a_commit(paths: list[str], expected: str) -> None:
    assert area(paths) == expected


def test_commit_message_gives_area_reason_and_functions() -> None:
    conversion = finding((0, 1, "b"))._replace(rule="unranged-walker")
    repairs = [Repair("mm/walk.c", b"a", b"b", (conversion, conversion)), Repair("mm/same.c", b"a", b"a")]
    message = commit_message(repairs, load_rules())
    lines = message.split("\n")
    assert lines[:3] == ["mm/walk: title", "", "The ranged enable tells the architecture which page table entries a"]
    assert message.count("  mm/walk.c: walk()\n") == 1
    assert max(map(len, lines)) <= 72
    assert "Signed-off-by" not in message
    assert commit_message([Repair("mm/same.c", b"a", b"a")], load_rules()) == ""


def test_a_call_that_the_tree_does_not_declare_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    header = tmp_path / "include/linux/pgtable.h"
    header.parent.mkdir(parents=True)
    for name in ("x.c", "y.c"):
        (tmp_path / name).write_text(CONVERTIBLE)
    said = "note: {}() is not declared in include/linux/pgtable.h of this tree: what adds it has to come first\n"
    name, other = "lazy_mmu_mode_enable_for_pte_range", "lazy_mmu_mode_enable_with_ptes"
    for text, arguments, told in (
        (None, [], ""),
        ("void lazy_mmu_mode_enable(void);\n", [], said.format(name)),
        ("void lazy_mmu_mode_enable(void);\n", ["-q", "--target", other], said.format(other)),
        (f"void lazy_mmu_mode_enable(void);\nvoid {name}(void);\n", [], ""),
        # The header is renamed along with its callers.
        (f"void lazy_mmu_mode_enable(void);\nvoid {name}(void);\n", ["--target", other, "."], ""),
        (f"void lazy_mmu_mode_enable(void);\nvoid {name}(void);\n", ["--target", other], said.format(other)),
    ):
        if text is not None:
            header.write_text(text)
        _api_of_folder.cache_clear()
        assert main(["fix", "--unsafe", *arguments, *([] if "." in arguments else ["x.c", "y.c"])]) == 1
        notes = [line for line in capsys.readouterr().err.splitlines(keepends=True) if "declared" in line]
        assert "".join(notes) == told


SWAPPED = b"""\
static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct mm_struct *mm = walk->mm;
	pte_t *start_pte, *pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	CALL
	for (; addr != end; pte++, addr += PAGE_SIZE)
		ptep_set_wrprotect(mm, addr, pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
	return 0;
}
"""


@pytest.mark.parametrize(
    ("call", "fixed"),
    [
        ("(mm, end, addr, start_pte);", "(mm, addr, end, start_pte);"),
        ("(mm, end,\n\t\t\taddr, start_pte);", "(mm, addr, end, start_pte);"),
        ("(mm, end /* first */, addr, start_pte);", ""),
        ("(mm, end, /* first */\n\t\t\taddr, start_pte);", ""),
    ],
)
def test_swapped_bounds_change_places(call: str, fixed: str) -> None:
    """What a comment between them belongs to, nobody knows."""
    name = "lazy_mmu_mode_enable_for_pte_range"
    source = Source(PATH, SWAPPED.replace(b"CALL", f"{name}{call}".encode()))
    (told,) = run_on(source, Settings(cache=False, select=frozenset({"wrong-range"}))).diagnostics
    assert told.message == "'end' and 'addr' are swapped: 'start_pte' is the entry for 'addr'"
    made = apply_edits(source.data, told.fix.edits) if told.fix else b""
    assert made == (SWAPPED.replace(b"CALL", f"{name}{fixed}".encode()) if fixed else b"")
    assert not told.fix or told.fix.applicability is Applicability.UNSAFE
