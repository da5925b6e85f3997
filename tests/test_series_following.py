"""A finding is the same one through renames, moves, gaps and transitions, and another one where it is another."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mmlint.diagnostic import Level
from mmlint.report import mail
from mmlint.report.series_outcome import outcome_of
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
    line_of,
    made,
    mbox,
    repository,
    told,
)

MM = (LINUX / "mm/mprotect.c").read_text()
VM = (LINUX / "mm/vmalloc.c").read_text()
HEADER = "include/linux/pgtable.h"
HEAD = (LINUX / HEADER).read_text()
LINE = line_of(MM, PLAIN)
OFF = "\tlazy_mmu_mode_disable();\n"
RESCHED = "\tcond_resched();\n" + OFF
SWAP = "swp_entry_to_pte(entry);\n"
SLEEP = SWAP + "\n\tmight_sleep();\n"
BASE = {"mm/mprotect.c": MM.replace(PLAIN, SWAPPED)}
Files = dict[str, str | None]
Row = tuple[int, str, str, str, int]


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return repository(tmp_path / "linux")


def edits(files: Files) -> dict[str, tuple[str | None, str | None]]:
    return {path: (None, text) for path, text in files.items()}


def judged(linux: Path, base: Files, *steps: Files) -> tuple[list[Row], list[Row]]:
    """What the author hears at warning and error, and what is told of the rest that is in the last state."""
    if base:
        commit(linux, "the base", edits(base))
        git(linux, "tag", "-f", "base")
    mails = made(linux, *((f"mm: step {number}", edits(files)) for number, files in enumerate(steps, start=1)))
    box = linux.parent / "series.mbox"
    box.write_bytes(mbox(mails))
    with checked(box, linux) as report:
        return _loud(report, True), _loud(report, False)


def _loud(report: SeriesReport, authors: bool) -> list[Row]:
    found = [f for f in report.findings if f.level > Level.NOTE and f.is_authors == authors and (authors or f.final)]
    return told(found)


def in_vmalloc(old: str, new: str, function: str) -> Callable[[str], str]:
    def changed(text: str) -> str:
        start = text.index(f" {function}(")
        return text[:start] + text[start:].replace(old, new, 1)

    return changed


def row(patch: int, cause: str, rule: str = "wrong-range", path: str = "mm/mprotect.c", line: int = LINE) -> Row:
    return (patch, cause, rule, path, line)


@pytest.mark.parametrize(
    "names", [("pte", "ptep"), ("end", "stop"), ("addr", "address"), ("change_pte_range", "alter")]
)
def test_renamed_names_make_no_new_fault(linux: Path, names: tuple[str, str]) -> None:
    """The line is written anew and the message names another variable: it is the fault that was there."""
    after = re.sub(rf"\b{names[0]}\b", names[1], BASE["mm/mprotect.c"])
    assert judged(linux, {**BASE}, {"mm/mprotect.c": after}) == ([], [row(1, "touched")])


def test_renamed_variable_that_wraps_the_call_makes_no_new_fault(linux: Path) -> None:
    """The new name is longer: the call takes two lines, with a comment above them."""
    wrapped = f"\t/* The range. */\n\t{RANGED}(vma->vm_mm, last_address, addr,\n\t\t\tpte);\n"
    after = re.sub(r"\bend\b", "last_address", MM).replace(PLAIN, wrapped)
    assert judged(linux, {**BASE}, {"mm/mprotect.c": after}) == ([], [row(1, "touched", line=LINE + 1)])


def test_renamed_callee_makes_no_new_fault(linux: Path) -> None:
    base = MM.replace(SWAP, SLEEP, 1)
    line = line_of(base, "change_swap_pte(vma, addr, pte, oldpte")
    own, others = judged(linux, {"mm/mprotect.c": base}, {"mm/mprotect.c": base.replace("change_swap_pte", "swap_one")})
    assert (own, others) == ([], [row(1, "touched", "sleep-in-section", line=line)])


@pytest.mark.parametrize("name", ["might_sleep", "wait_for_it"])
def test_other_callee_that_sleeps_as_well_is_new(linux: Path, name: str) -> None:
    """Nobody was renamed: the author calls another one, and its line is as like as can be."""
    waits = "static void wait_for_it(void)\n{\n\tmsleep(1);\n}\n\n"
    base = waits + waits.replace("wait_for_it", "wait_long") + MM.replace(OFF, "\twait_long();\n" + OFF)
    line = line_of(base, "\twait_long();\n")
    own, others = judged(linux, {"mm/mprotect.c": base}, {"mm/mprotect.c": base.replace("\twait_long(", f"\t{name}(")})
    assert (own, others) == ([row(1, "introduced", "sleep-in-section", line=line)], [])


@pytest.mark.parametrize("arguments", ["vma->vm_mm, addr, addr, pte", "tlb->mm, addr, end, pte + 1"])
def test_call_that_is_wrong_in_another_way_is_new(linux: Path, arguments: str) -> None:
    text = MM.replace(PLAIN, f"\t{RANGED}({arguments});\n")
    own, _ = judged(linux, {**BASE}, {"mm/mprotect.c": text})
    assert {(patch, cause, line) for patch, cause, _, _, line in own} == {(1, "introduced", LINE)}


def test_other_variable_that_was_there_is_no_new_name(linux: Path) -> None:
    """The author passes another wrong variable: that is no rename."""
    base = MM.replace(PLAIN, "\tunsigned long a = addr + 1, b = addr + 2;\n\n" + PLAIN)
    wrong = "\t" + RANGED + "(vma->vm_mm, {}, end, pte);\n"
    before, after = (base.replace(PLAIN, wrong.format(name)) for name in "ab")
    own, others = judged(linux, {"mm/mprotect.c": before}, {"mm/mprotect.c": after})
    assert (own, others) == ([row(1, "introduced", "wrong-ptep", line=LINE + 2)], [])


def test_fault_that_wanders_into_another_function_is_new(linux: Path) -> None:
    """The same line is taken from one walker and put into another one: nothing was moved but the fault."""
    base: Files = {"mm/mprotect.c": MM.replace(OFF, RESCHED)}
    steps: Files = {"mm/mprotect.c": MM, "mm/vmalloc.c": VM.replace(OFF, RESCHED, 1)}
    line = line_of(VM, OFF)
    assert judged(linux, base, steps) == ([row(1, "introduced", "sleep-in-section", "mm/vmalloc.c", line)], [])


def test_call_that_is_mended_here_and_wrong_there_is_new(linux: Path) -> None:
    wrong = f"\t{RANGED}(&init_mm, end, addr, pte);\n"
    right = f"\t{RANGED}(&init_mm, addr, end, pte);\n"
    base = in_vmalloc(PLAIN, wrong, "vmap_pte_range")(VM)
    after = in_vmalloc(PLAIN, wrong, "vunmap_pte_range")(base.replace(wrong, right))
    line = line_of(after, wrong)
    own, others = judged(linux, {"mm/vmalloc.c": base}, {"mm/vmalloc.c": after})
    assert (own, others) == ([row(1, "introduced", path="mm/vmalloc.c", line=line)], [])


def test_walker_that_is_moved_in_two_patches_keeps_its_fault(linux: Path) -> None:
    """Copied under another name first, taken away then: neither new nor repaired."""
    text = MM.replace(PLAIN, SWAPPED)
    start = text.index("static long change_pte_range(")
    end = text.index("\n}\n", start) + 3
    copy = text[start:end].replace("change_pte_range", "change_ptes")
    both = text[:end] + "\n" + copy + text[end:]
    moved = (text[:start] + copy + text[end:]).replace("change_pte_range(", "change_ptes(")
    own, others = judged(linux, {**BASE}, {"mm/mprotect.c": both}, {"mm/mprotect.c": moved})
    assert (own, others) == ([], [row(1, "touched")])


def test_copy_of_a_walker_that_stays_is_new(linux: Path) -> None:
    """The first one is mended, and its copy is not: that is the author's."""
    text = MM.replace(PLAIN, SWAPPED)
    start = text.index("static long change_pte_range(")
    copy = text[start : text.index("\n}\n", start) + 3].replace("change_pte_range", "change_ptes")
    both = text + "\n" + copy
    line = line_of(copy, SWAPPED) + text.count("\n") + 1
    mended = both.replace(SWAPPED, MPROTECT, 1)
    own, others = judged(linux, {**BASE}, {"mm/mprotect.c": both}, {"mm/mprotect.c": mended})
    assert (own, others) == ([row(1, "introduced", line=line)], [])


def test_old_fault_comes_back_when_its_function_is_read_again(linux: Path) -> None:
    text = MM.replace(PLAIN, SWAPPED)
    garbled = text.replace("\tif (prot_numa)\n", "\tif (pte_none(*pte {{ ] )) <- ;\n\tif (prot_numa)\n", 1)
    own, others = judged(linux, {**BASE}, {"mm/mprotect.c": garbled}, {"mm/mprotect.c": text})
    assert (own, others) == ([], [row(2, "touched")])


@pytest.mark.parametrize("order", ["mended and back", "in, out and in"])
def test_callee_that_sleeps_again(linux: Path, order: str) -> None:
    """Whose it is does not change by a gap; that of the author is told once, of the patch that had it first."""
    sleeps, not_ = ({"mm/mprotect.c": text} for text in (MM.replace(SWAP, SLEEP, 1), MM))
    call = line_of(sleeps["mm/mprotect.c"], "change_swap_pte(vma, addr, pte, oldpte")
    if order == "mended and back":
        own, others = judged(linux, {**sleeps}, {**not_}, {**sleeps})
        assert (own, others) == ([], [row(0, "old", "sleep-in-section", line=call)])
    else:
        own, others = judged(linux, {}, {**sleeps}, {**not_}, {**sleeps})
        assert (own, others) == ([row(1, "made-reachable", "sleep-in-section", line=call)], [])


def test_old_note_is_not_of_the_patch_that_repairs_what_hid_it(linux: Path, tmp_path: Path) -> None:
    """While a path leaves the mode on, nothing is proposed; the proposal comes back, and is nobody's."""
    hidden = MM.replace(
        "\t\tif (pte_none(oldpte))\n\t\t\tcontinue;\n", "\t\tif (pte_none(oldpte))\n\t\t\treturn 0;\n", 1
    )
    assert hidden != MM
    mails = made(linux, *((f"mm: {n}", {"mm/mprotect.c": (None, text)}) for n, text in enumerate([hidden, MM])))
    (tmp_path / "series.mbox").write_bytes(mbox(mails))
    with checked(tmp_path / "series.mbox", linux) as report:
        assert [(f.patch, f.diagnostic.rule) for f in report.authors()] == [(1, "broken-then-repaired")]
        notes = [f for f in report.findings if f.diagnostic.path == "mm/mprotect.c" and f.final]
        assert told(notes) == [(2, "touched", "unranged-walker", "mm/mprotect.c", LINE)]
        assert notes[0].repaired_by is None


READ = "oldpte = ptep_get(pte);"
RAW = MM.replace(READ, "oldpte = *pte;", 1)
RAW_LINE = line_of(RAW, "oldpte = *pte;")
RAW_RANGED = RAW.replace(PLAIN, MPROTECT)


def raw(patch: int, cause: str) -> Row:
    return row(patch, cause, "raw-pte-access", line=RAW_LINE)


@pytest.mark.parametrize("where", ["own", "callee"])
def test_conversion_makes_an_old_access_an_error(linux: Path, where: str) -> None:
    """A warning in a plain section, an error in one that names its range: the patch that converts it has to know."""
    text, line = RAW, RAW_LINE
    if where == "callee":
        text = MM.replace("\tif (!folio ||", "\tif (pte_none(*pte))\n\t\treturn 1;\n\tif (!folio ||", 1)
        line = line_of(text, "*pte))\n")
    own, others = judged(linux, {"mm/mprotect.c": text}, {"mm/mprotect.c": text.replace(PLAIN, MPROTECT)})
    assert (own, others) == ([row(1, "made-reachable", "raw-pte-access", line=line)], [])
    with checked(linux.parent / "series.mbox", linux) as report:
        (finding,) = report.authors()
        assert finding.level is Level.ERROR
        # The reply says where it is when it stands below another line.
        place = f"In mprotect_folio_pte_batch(), mm/mprotect.c line {line}, which the diff\ndoes not show:\n\nIf I read"
        assert (place in mail.render(outcome_of(report))) is (where == "callee")
        assert finding.final is not None and finding.final.fingerprint == finding.diagnostic.fingerprint


def test_conversion_keeps_an_old_fault_of_its_section(linux: Path) -> None:
    """A section that opens before its lock did so before its call named a range."""
    early = MM.replace(PLAIN, "", 1).replace("\tpte = pte_offset_map_lock", PLAIN + "\tpte = pte_offset_map_lock", 1)
    commit(linux, "base with a fault", {"mm/mprotect.c": (MM, early)})
    git(linux, "tag", "-f", "base")
    commit(linux, "mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, MPROTECT)})
    with checked("base..HEAD", linux) as report:
        found = {(f.diagnostic.rule, str(f.cause), f.patch) for f in report.findings if f.level > Level.NOTE}
        old = {("missing-disable", "touched", 1), ("section-outside-lock", "touched", 1)}
        assert found == {*old, ("wrong-ptep", "introduced", 1)}
        assert [f.diagnostic.rule for f in report.authors()] == ["wrong-ptep"]


def test_conversion_of_an_old_access_that_is_mended_later(linux: Path) -> None:
    own, others = judged(
        linux, {"mm/mprotect.c": RAW}, {"mm/mprotect.c": RAW_RANGED}, {"mm/mprotect.c": MM.replace(PLAIN, MPROTECT)}
    )
    assert (own, others) == ([row(1, "made-reachable", "broken-then-repaired", line=RAW_LINE)], [])


def test_conversion_that_is_taken_back_leaves_an_old_access(linux: Path) -> None:
    own, others = judged(linux, {"mm/mprotect.c": RAW}, {"mm/mprotect.c": RAW_RANGED}, {"mm/mprotect.c": RAW})
    assert (own, others) == ([], [raw(1, "touched")])


def test_access_and_conversion_of_one_series(linux: Path) -> None:
    """A warning of the first patch, an error of the second."""
    own, others = judged(linux, {}, {"mm/mprotect.c": RAW}, {"mm/mprotect.c": RAW_RANGED})
    assert (own, others) == ([raw(2, "made-reachable")], [])


NEW = "_with_ptes"


def renamed(text: str) -> str:
    return text.replace("_for_pte_range", NEW)


def both_names() -> str:
    """The header with the call and its hook under both names."""
    text = HEAD
    for begin in ("#ifndef arch_enter_lazy_mmu_mode_for_pte_range", f"static inline void {RANGED}("):
        for place in reversed([found.start() for found in re.finditer(re.escape(begin), text)]):
            ends = "#endif\n" if begin.startswith("#") else "}\n"
            end = text.index(ends, place) + len(ends)
            text = text[:end] + "\n" + renamed(text[place:end]) + text[end:]
    return text


def bisected(steps: Sequence[Files], linux: Path) -> list[tuple[int, str, str, int, str]]:
    """What is told of states in between: patch, cause, path, line, and the rule that found it."""
    mails = made(linux, *((f"mm: step {n}", edits(files)) for n, files in enumerate(steps, start=1)))
    box = linux.parent / "series.mbox"
    box.write_bytes(mbox(mails))
    with checked(box, linux) as report:
        found = [f for f in report.authors() if f.diagnostic.rule == "broken-then-repaired"]
        rules = [re.findall(r"\[([a-z-]+)\], until", f.diagnostic.message)[0] for f in found]
        places = [(patch, cause, path, line) for patch, cause, _, path, line in told(found)]
        return [(*place, rule) for place, rule in zip(places, rules, strict=True)]


def test_name_that_is_given_up_step_by_step(linux: Path) -> None:
    """Both names are there until nobody uses the old one: each state builds, and nothing is broken."""
    call = MM.replace(PLAIN, MPROTECT)
    commit(linux, "the base", edits({"mm/mprotect.c": call}))
    git(linux, "tag", "-f", "base")
    steps: list[Files] = [{HEADER: both_names()}, {"mm/mprotect.c": renamed(call)}, {HEADER: renamed(HEAD)}]
    assert bisected(steps, linux) == []


def test_name_that_is_given_up_before_its_last_call(linux: Path) -> None:
    """The second patch takes the old name away, and the third one converts the call: that does not build."""
    call = MM.replace(PLAIN, MPROTECT)
    comment = f"/* {RANGED}() is a hint. */\n" + VM
    commit(linux, "the base", edits({"mm/mprotect.c": call, "mm/vmalloc.c": comment}))
    git(linux, "tag", "-f", "base")
    steps: list[Files] = [
        {HEADER: both_names()},
        {HEADER: renamed(HEAD), "mm/mprotect.c": "\n" + call},
        {"mm/mprotect.c": "\n" + renamed(call), "mm/vmalloc.c": renamed(comment)},
    ]
    assert bisected(steps, linux) == [(2, "made-reachable", "mm/mprotect.c", LINE + 1, "superseded-name")]


def test_hooks_that_are_converted_step_by_step(linux: Path) -> None:
    """A series that brings the generic calls: the architecture's hooks work until their callers follow."""
    hooks = MM.replace(PLAIN, "\tarch_enter_lazy_mmu_mode();\n").replace(OFF, "\tarch_leave_lazy_mmu_mode();\n")
    none = HEAD.replace("lazy_mmu_mode_", "lazy_mmu_then_")
    commit(linux, "the base", edits({"mm/mprotect.c": hooks, HEADER: none}))
    git(linux, "tag", "-f", "base")
    assert bisected([{HEADER: HEAD}, {"mm/mprotect.c": MM}], linux) == []


def test_definition_that_does_not_build_in_between(linux: Path) -> None:
    """The fallback of the hook comes later, and so does the kernel-doc: only the one is broken."""
    hook = re.search(r"#ifndef arch_enter_lazy_mmu_mode_for_pte_range\n.*?#endif\n", HEAD, re.DOTALL)
    docs = [m for m in re.finditer(r"/\*\*\n.*?\*/\n", HEAD, re.DOTALL) if f"{RANGED}()" in m.group()]
    assert hook and docs
    bare = HEAD.replace(hook.group(), "").replace(docs[0].group(), "")
    line = line_of(bare, f"static inline void {RANGED}(")
    assert bisected([{HEADER: bare}, {HEADER: HEAD}], linux) == [(1, "made-reachable", HEADER, line, "api-definition")]


WRONG_VM = f"\t{RANGED}(&init_mm, end, addr, pte);\n"


def without_section(text: str) -> str:
    return text.replace(PLAIN, "").replace(OFF, "")


def test_conversion_in_two_steps_makes_an_old_access_an_error(linux: Path) -> None:
    """The plain section goes, and the ranged one comes: the direct access is worse than it was, by the second patch."""
    own, others = judged(
        linux, {"mm/mprotect.c": RAW}, {"mm/mprotect.c": without_section(RAW)}, {"mm/mprotect.c": RAW_RANGED}
    )
    assert (own, others) == ([row(2, "made-reachable", "raw-pte-access", line=RAW_LINE)], [])


@pytest.mark.parametrize("had_section", [False, True])
def test_function_that_loses_its_section_is_not_gone(linux: Path, had_section: bool) -> None:
    """The same wrong call in another function is nothing that was moved there."""
    base = in_vmalloc(PLAIN, WRONG_VM, "vmap_pte_range")(VM)
    after = base.replace(WRONG_VM, "", 1).replace(OFF, "", 1)
    after = in_vmalloc(PLAIN, WRONG_VM, "vunmap_pte_range")(after)
    if not had_section:
        start = base.index("static void vunmap_pte_range(")
        base = base[:start] + without_section(base[start:])
    own, others = judged(linux, {"mm/vmalloc.c": base}, {"mm/vmalloc.c": after})
    line = after[: after.index(WRONG_VM)].count("\n") + 1
    assert (own, others) == ([(1, "introduced", "wrong-range", "mm/vmalloc.c", line)], [])


@pytest.mark.parametrize("first", [True, False])
def test_copy_is_no_move_while_the_original_stays(linux: Path, first: bool) -> None:
    """A copy of a wrong walker; later, one of the two loses its section."""
    text = MM.replace(PLAIN, SWAPPED)
    start = text.index("static long change_pte_range(")
    both = text + "\n" + text[start : text.index("\n}\n", start) + 3].replace("change_pte_range", "change_ptes")
    at = 0 if first else both.rindex(SWAPPED)
    mended = both[:at] + both[at:].replace(SWAPPED, "", 1).replace(OFF, "", 1)
    own, others = judged(linux, {"mm/mprotect.c": text}, {"mm/mprotect.c": both}, {"mm/mprotect.c": mended})
    lines = [number for number, line in enumerate(both.split("\n"), start=1) if f"{line}\n" == SWAPPED]
    rule = "wrong-range" if first else "broken-then-repaired"
    assert own == [(1, "introduced", rule, "mm/mprotect.c", lines[1])]
    assert others == ([] if first else [(0, "old", "wrong-range", "mm/mprotect.c", lines[0])])


def test_function_that_goes_excuses_no_other_one(linux: Path) -> None:
    base = in_vmalloc(PLAIN, WRONG_VM, "vmap_pte_range")(VM)
    bodies = []
    for begin in ("static int vmap_pte_range(", "static void vunmap_pte_range("):
        start = VM.index(begin)
        bodies.append(VM[start : VM.index("\n}\n", start) + 3])
    other = bodies[1].replace(PLAIN, WRONG_VM).replace("vunmap_pte_range", "entirely_new")
    text = (LINUX / "mm/madvise.c").read_text() + "\n" + other
    own, others = judged(
        linux, {"mm/vmalloc.c": base}, {"mm/vmalloc.c": VM.replace(bodies[0], ""), "mm/madvise.c": text}
    )
    line = text[: text.index(WRONG_VM)].count("\n") + 1
    assert (own, others) == ([(1, "introduced", "wrong-range", "mm/madvise.c", line)], [])
