"""Who caused what: every state of a series is judged, and a finding is followed through all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.config import Settings
from mmlint.diagnostic import Level
from mmlint.series.model import Cause, Finding, Progress, SeriesReport
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

TEXT = (LINUX / "mm/mprotect.c").read_text()
LINE = line_of(TEXT, PLAIN)
HEADER = "include/linux/pgtable.h"


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return repository(tmp_path / "linux")


def write(folder: Path, mails: list[bytes], name: str = "series.mbox") -> Path:
    (folder / name).write_bytes(mbox(mails))
    return folder / name


def errors(report: SeriesReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.level > Level.NOTE]


def rebased(linux: Path, edits: dict[str, tuple[str | None, str | None]]) -> None:
    """Make a fault a part of the base."""
    commit(linux, "base with a fault", edits)
    git(linux, "tag", "-f", "base")


def test_introduced(linux: Path, tmp_path: Path) -> None:
    mails = made(linux, ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}))
    with checked(write(tmp_path, mails), linux) as report:
        assert told(errors(report)) == [(1, "introduced", "wrong-range", "mm/mprotect.c", LINE)]
        (finding,) = report.authors()
        assert finding.final == finding.diagnostic
        assert report.final.diagnostics.count(finding.diagnostic) == 1


def test_made_reachable(linux: Path, tmp_path: Path) -> None:
    """The call is old; what a patch does before it makes it wrong."""
    rebased(linux, {"mm/mprotect.c": (PLAIN, MPROTECT)})
    mails = made(linux, ("mm/mprotect: skip one", {"mm/mprotect.c": (MPROTECT, "\tpte++;\n" + MPROTECT)}))
    with checked(write(tmp_path, mails), linux) as report:
        assert told(errors(report)) == [(1, "made-reachable", "wrong-ptep", "mm/mprotect.c", LINE + 1)]
        assert [f.is_authors for f in errors(report)] == [True]


def test_old_but_touched_and_old(linux: Path, tmp_path: Path) -> None:
    """Two old faults: a patch changes the function of one, and lines above the other."""
    other = "lazy_mmu_mode_enable_for_pte_range(&init_mm, end, addr, pte);\n"
    vmalloc = (LINUX / "mm/vmalloc.c").read_text()
    rebased(linux, {"mm/mprotect.c": (PLAIN, SWAPPED), "mm/vmalloc.c": (PLAIN, "\t" + other)})
    mails = made(
        linux,
        (
            "mm: touch",
            {
                "mm/mprotect.c": ("\t\tnr_ptes = 1;\n", "\t\tnr_ptes = 1;\n\t\t/* one */\n"),
                "mm/vmalloc.c": ("#include", "/* new */\n#include"),
            },
        ),
    )
    with checked(write(tmp_path, mails), linux) as report:
        assert told(errors(report)) == [
            (1, "touched", "wrong-range", "mm/mprotect.c", LINE),
            (0, "old", "wrong-range", "mm/vmalloc.c", line_of(vmalloc, PLAIN) + 1),
        ]
        assert report.authors() == ()


def test_broken_then_repaired(linux: Path, tmp_path: Path) -> None:
    mails = made(
        linux,
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}),
        ("mm/mprotect: more", {"mm/mprotect.c": ("#include", "\n\n#include")}),
        ("mm/mprotect: put it right", {"mm/mprotect.c": (SWAPPED, MPROTECT)}),
    )
    with checked(write(tmp_path, mails), linux) as report:
        (finding,) = report.authors()
        assert told([finding]) == [(1, "introduced", "broken-then-repaired", "mm/mprotect.c", LINE)]
        assert (finding.repaired_by, finding.final, finding.level) == (3, None, Level.WARNING)
        assert finding.diagnostic.message == (
            "'end' and 'addr' are swapped: 'pte' is the entry for 'addr' [wrong-range], "
            "until a later patch of the series repairs it"
        )
        assert finding.diagnostic.notes[0].message == "patch 3/3 repairs it: mm/mprotect: put it right"


def test_old_fault_that_the_series_repairs(linux: Path, tmp_path: Path) -> None:
    rebased(linux, {"mm/mprotect.c": (PLAIN, SWAPPED)})
    mails = made(linux, ("mm/mprotect: put it right", {"mm/mprotect.c": (SWAPPED, MPROTECT)}))
    with checked(write(tmp_path, mails), linux) as report:
        assert [(f.cause, f.repaired_by, f.final) for f in errors(report)] == [(Cause.OLD, 1, None)]
        assert report.authors() == ()


def test_renamed_function_and_moved_code_keep_their_findings(linux: Path, tmp_path: Path) -> None:
    rebased(linux, {"mm/mprotect.c": (PLAIN, SWAPPED)})
    text = TEXT.replace(PLAIN, SWAPPED)
    renamed = text.replace("change_pte_range", "alter_pte_range")
    mails = made(
        linux,
        ("mm/mprotect: rename", {"mm/mprotect.c": (text, renamed)}),
        ("mm: move", {"mm/mprotect.c": (None, None), "mm/alter.c": (None, "\n\n" + renamed)}),
    )
    with checked(write(tmp_path, mails), linux) as report:
        (finding,) = errors(report)
        assert (finding.cause, finding.patch, finding.diagnostic.function) == (Cause.TOUCHED, 1, "alter_pte_range")
        assert finding.final is not None
        assert (finding.final.path, finding.final.location.line) == ("mm/alter.c", LINE + 2)
        assert finding.final.fingerprint == finding.diagnostic.fingerprint
        assert report.authors() == ()


def test_finding_is_not_taken_for_repaired_where_it_cannot_be_seen(linux: Path, tmp_path: Path) -> None:
    rebased(linux, {"mm/mprotect.c": (PLAIN, SWAPPED)})
    broken = "\tif (pte_none(*pte {{ ] )) <- ;\n"
    mails = made(linux, ("mm/mprotect: garble", {"mm/mprotect.c": (SWAPPED, broken + SWAPPED)}))
    with checked(write(tmp_path, mails), linux) as report:
        assert [(f.cause, f.repaired_by, f.final) for f in errors(report)] == [(Cause.OLD, None, None)]
        assert [(s.path, s.function) for s in report.skipped] == [("mm/mprotect.c", "change_pte_range")]


API = {
    "define": (f"static inline void {RANGED}(", "static inline void lazy_mmu_mode_enable_with_ptes("),
}


def renamed_header() -> str:
    return (LINUX / HEADER).read_text().replace("_for_pte_range", "_with_ptes")


def test_used_before_defined(linux: Path, tmp_path: Path) -> None:
    """The calls come first, the rename of the API after them."""
    header = (LINUX / HEADER).read_text()
    call = MPROTECT.replace("_for_pte_range", "_with_ptes")
    mails = made(
        linux,
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, call)}),
        ("mm: the new name", {HEADER: (header, renamed_header())}),
    )
    with checked(write(tmp_path, mails), linux) as report:
        (finding,) = report.authors()
        assert told([finding]) == [(1, "introduced", "used-before-defined", "mm/mprotect.c", LINE)]
        assert finding.diagnostic.message == "lazy_mmu_mode_enable_with_ptes() is called before the series defines it"
        assert finding.diagnostic.function == "change_pte_range"
        assert (finding.repaired_by, finding.diagnostic.location.column) == (2, 2)
        assert finding.diagnostic.notes[0].message == "patch 2/2 defines it: mm: the new name"


_STATIC = "static inline void {}(struct mm_struct *mm,\n\t\tunsigned long addr, unsigned long end, pte_t *ptep) {{}}\n"


@pytest.mark.parametrize(
    ("other", "is_there"),
    [
        ("", False),
        ("/* {} is not there yet. */\n", False),
        (_STATIC, True),
        ("#define {}(mm, addr, end, ptep) do {{ }} while (0)\n", True),
        ("void {}(struct mm_struct *mm, unsigned long addr, unsigned long end, pte_t *ptep);\n", True),
    ],
)
def test_name_that_nobody_defines(linux: Path, tmp_path: Path, other: str, is_there: bool) -> None:
    """As where the base is found by its blobs in a tree that has not got the API yet."""
    name = "lazy_mmu_mode_enable_for_pte_range"
    header = (LINUX / HEADER).read_text()
    without = header.replace(name, "lazy_mmu_mode_plain")
    rebased(linux, {HEADER: (header, without), "include/linux/x.h": (None, other.format(name) or "\n")})
    mails = made(linux, ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, MPROTECT)}))
    with checked(write(tmp_path, mails), linux) as report:
        told_of = (f"{name}() is defined neither by the base nor by the series",)
        assert report.remarks == (() if is_there else told_of)
        assert "used-before-defined" not in [finding.diagnostic.rule for finding in report.findings]


@pytest.mark.parametrize("name", ["lazy_mmu_mode_enable_with_ptes", "lazy_mmu_mode_enable_of_v9"])
def test_name_follows_the_series_own_header(linux: Path, tmp_path: Path, name: str) -> None:
    """A series that renames the call, to a name known or not, is judged by that name from then on."""
    header = (LINUX / HEADER).read_text()
    suffix = name.removeprefix("lazy_mmu_mode_enable")
    call = MPROTECT.replace("_for_pte_range", suffix)
    swapped = SWAPPED.replace("_for_pte_range", suffix)
    vmalloc = "\tlazy_mmu_mode_enable_for_pte_range(&init_mm, addr, end, pte);\n"
    rebased(linux, {"mm/mprotect.c": (PLAIN, MPROTECT), "mm/vmalloc.c": (PLAIN, vmalloc)})
    mails = made(
        linux,
        (
            "mm: the new name",
            {HEADER: (header, header.replace("_for_pte_range", suffix)), "mm/mprotect.c": (MPROTECT, call)},
        ),
        ("mm/mprotect: swap", {"mm/mprotect.c": (call, swapped)}),
    )
    with checked(write(tmp_path, mails), linux) as report:
        # The call in mm/vmalloc.c has lost its function.
        line = line_of((LINUX / "mm/vmalloc.c").read_text(), PLAIN)
        assert told(report.authors()) == [
            (1, "made-reachable", "superseded-name", "mm/vmalloc.c", line),
            (2, "introduced", "wrong-range", "mm/mprotect.c", LINE),
        ]
        proposals = (
            {site.proposal.split("(")[0] for site in report.conversion.left if site.proposal}
            if report.conversion
            else set()
        )
        assert proposals == {name}


def other_order() -> tuple[str, str]:
    """The header, and the same with the pointer in front."""
    header = (LINUX / HEADER).read_text()
    other = header.replace(
        "struct mm_struct *mm,\n\t\tunsigned long addr, unsigned long end, pte_t *ptep",
        "pte_t *ptep,\n\t\tstruct mm_struct *mm, unsigned long addr, unsigned long end",
    )
    assert other != header
    return header, other


OTHER = f"{RANGED}() takes other arguments than (mm, addr, end, ptep)"


def test_parameters_in_another_order_are_not_judged(linux: Path, tmp_path: Path) -> None:
    mails = made(linux, ("mm: another order", {HEADER: other_order()}))
    with checked(write(tmp_path, mails), linux) as report:
        assert report.base.unseen == (f"{OTHER}: its calls were not judged",)
        assert report.skipped == ()


@pytest.mark.parametrize("first", ["header", "calls"])
def test_calls_of_another_order_are_told_one_by_one(
    linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str
) -> None:
    """Right or not, nothing is said of what they pass; nor is a call proposed that would not fit the header."""
    call = f"\t{RANGED}(pte, vma->vm_mm, addr, end);\n"
    twice = "\tlazy_mmu_mode_enable();\n\tlazy_mmu_mode_disable();\n"
    rebased(linux, {"mm/mremap.c": (PLAIN, f"\t{RANGED}(mm, old_addr, old_end, old_ptep);\n")})
    steps = [
        ("mm: another order", {HEADER: other_order()}),
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, call), "mm/vmscan.c": (PLAIN, twice + PLAIN)}),
    ]
    mails = made(linux, *(steps if first == "header" else steps[::-1]))
    source = write(tmp_path, mails)
    with checked(source, linux) as report:
        places = [(s.path, s.function, s.reason) for s in report.skipped]
        assert places == [
            ("mm/mprotect.c", "change_pte_range", OTHER),
            ("mm/mremap.c", "move_ptes", OTHER),
        ]
        assert report.conversion is None
        claims = {f.diagnostic.rule for f in report.findings if f.diagnostic.path == "mm/mprotect.c" and f.final}
        assert claims == set()
        assert not any(f.final and f.final.fix and RANGED in f.final.fix.edits[0].text for f in report.findings)
    for name in ("text", "terse", "json", "jsonl", "sarif", "rdjson", "github", "gitlab", "junit", "checkstyle"):
        main(["series", str(source), "--tree", str(linux), "--no-config", "--format", name])
        out = capsys.readouterr().out
        assert OTHER in out and "not read" not in out, name
    for name in ("mail", "b4", "b4-json"):
        main(["series", str(source), "--tree", str(linux), "--no-config", "--format", name])
        out = " ".join(capsys.readouterr().out.split())
        assert OTHER in out, name


def test_incomplete_conversion(linux: Path, tmp_path: Path) -> None:
    """Half of a function is converted; what could not be converted is no topic."""
    madvise = (LINUX / "mm/madvise.c").read_text()
    call = f"\t{RANGED}(mm, addr, end, start_pte);\n"
    mails = made(linux, ("mm/madvise: name the range", {"mm/madvise.c": (PLAIN, call)}))
    with checked(write(tmp_path, mails), linux) as report:
        (finding,) = report.authors()
        second = line_of(madvise.replace(PLAIN, call, 1), "lazy_mmu_mode_enable();")
        assert told([finding]) == [(1, "introduced", "incomplete-conversion", "mm/madvise.c", second)]
        assert finding.diagnostic.message == (
            "the series names the range of 1 of 2 sections that can name it in madvise_cold_or_pageout_pte_range()"
        )
        assert report.conversion is not None
        assert [(s.path, s.line, s.patch) for s in report.conversion.converted] == [
            ("mm/madvise.c", line_of(madvise, PLAIN), 1)
        ]
        left = {(s.path, s.function): s for s in report.conversion.left}
        assert left["mm/vmscan.c", "walk_pmd_range_locked"].reason == "no PTE pointer is used in the section"
        assert left["mm/mprotect.c", "change_pte_range"].proposal == MPROTECT.strip().rstrip(";")
        assert len(report.conversion.left) == 22


@pytest.mark.parametrize(
    ("before", "between", "after", "told_of"),
    [
        ("#ifdef X\n", "#else\n", "#endif\n", False),
        ("#if X\n", "#elif defined(Y)\n\t;\n#else\n", "#endif\n", False),
        ("#ifdef X\n#ifdef Y\n", "#else\n\t;\n#endif\n#else\n", "#endif\n", False),
        ("#ifdef X\n#else\n", "\tlazy_mmu_mode_disable();\n", "#endif\n", True),
    ],
)
def test_the_other_arm_of_a_conversion_stays_plain(
    linux: Path, tmp_path: Path, before: str, between: str, after: str, told_of: bool
) -> None:
    both = f"{before}{MPROTECT}{between}{PLAIN}{after}"
    mails = made(linux, ("mm/mprotect: name the range where there is one", {"mm/mprotect.c": (PLAIN, both)}))
    with checked(write(tmp_path, mails), linux) as report:
        found = [finding.diagnostic.rule for finding in report.authors()]
        assert report.conversion is not None and len(report.conversion.converted) == 1
        assert ("incomplete-conversion" in found) is told_of, found


def test_conversion_of_one_file_is_complete(linux: Path, tmp_path: Path) -> None:
    mails = made(linux, ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, MPROTECT)}))
    with checked(write(tmp_path, mails), linux) as report:
        assert report.authors() == ()
        assert report.conversion is not None and len(report.conversion.converted) == 1


def test_what_was_there_is_not_told_by_another_name(linux: Path, tmp_path: Path) -> None:
    """The first patch makes every proposal another text: no finding is new by that."""
    header = (LINUX / HEADER).read_text()
    mails = made(linux, ("mm: the new name", {HEADER: (header, renamed_header())}))
    with checked(write(tmp_path, mails), linux) as report:
        assert report.authors() == ()
        notes = [f.diagnostic.message for f in report.findings if f.diagnostic.rule == "unranged-walker"]
        assert notes and all("_with_ptes" in message for message in notes)


def test_since_the_previous_revision(linux: Path, tmp_path: Path) -> None:
    vmalloc = "\tlazy_mmu_mode_enable_for_pte_range(&init_mm, end, addr, pte);\n"
    first = write(
        tmp_path,
        made(linux, ("mm: name", {"mm/mprotect.c": (PLAIN, SWAPPED), "mm/vmalloc.c": (PLAIN, vmalloc)})),
        "v1.mbox",
    )
    renamed = TEXT.replace(PLAIN, "\n" + SWAPPED).replace("change_pte_range", "alter_pte_range")
    swapped = f"\t{RANGED}(mm, end, addr, mapped_pte);\n"
    memory = (LINUX / "mm/memory.c").read_text()
    start = memory.index("remap_pte_range")
    second = write(
        tmp_path,
        made(
            linux,
            (
                "mm: name",
                {
                    "mm/mprotect.c": (TEXT, renamed),
                    "mm/memory.c": (memory[start:], memory[start:].replace(PLAIN, swapped, 1)),
                },
            ),
            options=["-v2"],
        ),
        "v2.mbox",
    )
    with checked(first, linux) as report:
        before = {f.diagnostic.path: f.diagnostic.fingerprint for f in report.authors()}
    with checked(second, linux, previous=str(first)) as report:
        assert [(f.diagnostic.path, f.progress) for f in report.authors()] == [
            ("mm/memory.c", Progress.NEW),
            ("mm/mprotect.c", Progress.STILL_OPEN),
        ]
        assert report.authors()[1].diagnostic.fingerprint == before["mm/mprotect.c"]
        assert report.previous is not None and report.previous.revision == 1
        assert [(f.diagnostic.path, f.progress) for f in report.previous.fixed] == [("mm/vmalloc.c", Progress.FIXED)]


def test_rules_can_be_chosen(linux: Path, tmp_path: Path) -> None:
    mails = made(
        linux,
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}),
        ("mm/mprotect: put it right", {"mm/mprotect.c": (SWAPPED, MPROTECT)}),
    )
    box = write(tmp_path, mails)
    for settings, rules in (
        (Settings(select=frozenset({"broken-then-repaired"})), ["broken-then-repaired"]),
        (Settings(ignore=frozenset({"broken-then-repaired"})), []),
        (Settings(select=frozenset({"wrong-range"})), []),
    ):
        with checked(box, linux, settings) as report:
            assert [f.diagnostic.rule for f in report.authors()] == rules


def test_rules_can_be_chosen_by_the_user(linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mails = made(
        linux,
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}),
        ("mm/mprotect: put it right", {"mm/mprotect.c": (SWAPPED, MPROTECT)}),
    )
    command = ["series", str(write(tmp_path, mails)), "--tree", str(linux), "--no-config", "-q"]
    told = (
        "patch 1/2: mm/mprotect: name the range\n"
        f"mm/mprotect.c:{LINE}:49: warning: 'end' and 'addr' are swapped: 'pte' is the entry for 'addr' [wrong-range], "
        "until a later patch of the series repairs it [broken-then-repaired] (repaired by patch 2/2)\n"
    )
    for words, found in (
        (["--select", "broken-then-repaired"], True),
        (["--select", "wrong-range"], False),
        (["--ignore", "broken-then-repaired"], False),
        (["--ignore", "unused-suppression,broken-then-repaired"], False),
        (["--ignore", "unused-suppression,used-before-defined"], True),
    ):
        assert main([*command, *words]) == found
        assert capsys.readouterr().out == (told if found else "")


def test_command(linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mails = made(
        linux,
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}),
        ("mm/mremap: a comment", {"mm/mremap.c": ("#include", "/* x */\n#include")}),
    )
    box = str(write(tmp_path, mails))
    assert main(["series", box, "--tree", str(linux), "--no-config"]) == 1
    out = capsys.readouterr().out.split("\n")
    assert out[0] == "patch 1/2: mm/mprotect: name the range"
    assert (
        out[1]
        == f"mm/mprotect.c:{LINE}:49: error: 'end' and 'addr' are swapped: 'pte' is the entry for 'addr' [wrong-range]"
    )
    assert re.fullmatch(r"base: HEAD \([0-9a-f]{12}\), by its blob ids", out[-3])
    assert re.fullmatch(
        r"1 error \(\d+ more not caused by the series\); 2 patches; 1 of 23 sections name their range; 0 not analysed",
        out[-2],
    )
    assert main(["series", box, "--tree", str(linux), "--no-config", "--exit-zero", "-q"]) == 0
    assert main(["series", box, "--tree", str(linux), "--no-config", "--ignore", "wrong-range"]) == 0
    assert main(["series", box, "--tree", str(linux), "--no-config", "--fail-level", "error"]) == 1
    assert main(["series", str(tmp_path / "none"), "--tree", str(linux)]) == 2
    assert main(["series", box, "--tree", str(tmp_path / "none")]) == 2
    capsys.readouterr()


def test_old_findings_stand_apart_by_what_became_of_them(
    linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --all: what is there in the end, and what the series repairs."""
    wrong = "\tlazy_mmu_mode_enable_for_pte_range(&init_mm, end, addr, pte);\n"
    rebased(linux, {"mm/mprotect.c": (PLAIN, SWAPPED), "mm/vmalloc.c": (PLAIN, wrong)})
    mails = made(linux, ("mm/mprotect: put it right", {"mm/mprotect.c": (SWAPPED, MPROTECT)}))
    words = ["series", str(write(tmp_path, mails)), "--tree", str(linux), "--no-config", "--level", "warning", "-q"]
    assert main([*words, "--all"]) == 0
    line = line_of((LINUX / "mm/vmalloc.c").read_text(), PLAIN)
    swapped = "error: 'end' and 'addr' are swapped: 'pte' is the entry for 'addr' [wrong-range]"
    assert capsys.readouterr().out.splitlines() == [
        "old, and no patch comes near:",
        f"mm/vmalloc.c:{line}:47: {swapped} (old)",
        "old, and not there any more:",
        f"mm/mprotect.c:{LINE}:49: {swapped} (old, repaired by patch 1/1)",
    ]


def test_several_processes_say_the_same(linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mails = made(
        linux,
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)}),
        ("mm: the new name", {HEADER: ((LINUX / HEADER).read_text(), renamed_header())}),
        ("mm/mprotect: put it right", {"mm/mprotect.c": (SWAPPED, MPROTECT)}),
    )
    box = write(tmp_path, mails)
    with checked(box, linux, Settings(jobs=1)) as report:
        alone = (report.findings, report.final.diagnostics, report.conversion)
    monkeypatch.setattr("mmlint.series.states._WORTH_SPREADING", 0)
    with checked(box, linux, Settings(jobs=3)) as report:
        assert (report.findings, report.final.diagnostics, report.conversion) == alone


@pytest.mark.parametrize("rule", ["broken-then-repaired", "incomplete-conversion", "used-before-defined"])
def test_rules_of_a_series_are_explained(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", rule]) == 0
    assert capsys.readouterr().out.startswith(f"{rule}: warning, no fix\n\n")
