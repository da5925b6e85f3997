"""What the hunks show by themselves of a series as a whole, where its base is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmlint.report.mail import unknown
from mmlint.series.model import How
from tests.series_samples import (
    LINUX,
    MPROTECT,
    PLAIN,
    RANGED,
    checked,
    commit,
    git,
    line_of,
    made,
    mbox,
    repository,
    told,
)

HEADER = "include/linux/pgtable.h"
NEW = "lazy_mmu_mode_enable_with_ptes"
HALF = f"\t{RANGED}(mm, addr, end, start_pte);\n"
ALL = ("-U9999",)
ONLY = "only what the hunks show whole was looked at: callers, other files and the rest of a function are unknown"


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return repository(tmp_path / "linux")


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    folder = tmp_path / "nothing"
    folder.mkdir()
    return folder


def write(folder: Path, mails: list[bytes]) -> Path:
    (folder / "series.mbox").write_bytes(mbox(mails))
    return folder / "series.mbox"


def renamed() -> tuple[str, str]:
    text = (LINUX / HEADER).read_text()
    return text, text.replace("_for_pte_range", "_with_ptes")


def test_used_before_defined(linux: Path, tmp_path: Path, nothing: Path) -> None:
    """The same as where the base is seen: rule, place, text, fingerprint."""
    call = MPROTECT.replace("_for_pte_range", "_with_ptes")
    steps = ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, call)}), ("mm: the new name", {HEADER: renamed()})
    source = write(tmp_path, made(linux, *steps))
    line = line_of((LINUX / "mm/mprotect.c").read_text(), PLAIN)
    fingerprints = []
    for tree, how in ((linux, How.BLOBS), (nothing, How.HUNKS)):
        with checked(source, tree) as report:
            assert report.base.how is how
            (finding,) = report.authors()
            assert told([finding]) == [(1, "introduced", "used-before-defined", "mm/mprotect.c", line)]
            found = finding.diagnostic
            assert (found.message, found.function) == (
                f"{NEW}() is called before the series defines it",
                "change_pte_range",
            )
            assert (found.location.column, found.location.end_column) == (2, 2 + len(NEW))
            assert [note.message for note in found.notes] == ["patch 2/2 defines it: mm: the new name"]
            assert (finding.repaired_by, finding.final) == (2, None)
            fingerprints.append(found.fingerprint)
    assert fingerprints[0] == fingerprints[1]


def test_what_the_header_lacks_is_told_where_all_of_it_is_shown(linux: Path, tmp_path: Path, nothing: Path) -> None:
    """A stub that is shown is not all that the header has: kernel-doc may stand above."""
    text = (LINUX / HEADER).read_text()
    bare = re.sub(r"/\*\*\n \* lazy_mmu_mode_enable_for_pte_range\(\).*?\*/\n", "", text, flags=re.DOTALL)
    assert bare != text
    steps = ("mm: the new name", {HEADER: (text, bare.replace("_for_pte_range", "_with_ptes"))})
    for options, expected in ((), []), (ALL, [f"{NEW}() has no kernel-doc"]):
        with checked(write(tmp_path, made(linux, steps, options=options)), nothing) as report:
            assert report.base.how is How.HUNKS
            assert [f.diagnostic.message for f in report.authors()] == expected
        git(linux, "checkout", "-q", "-f", "base")


@pytest.mark.parametrize("seen", [True, False])
def test_two_calls_of_one_function_are_told_apart(linux: Path, tmp_path: Path, nothing: Path, seen: bool) -> None:
    call = MPROTECT.replace("_for_pte_range", "_with_ptes")
    steps = ("mm: twice", {"mm/mprotect.c": (PLAIN, call + call)}), ("mm: the new name", {HEADER: renamed()})
    with checked(write(tmp_path, made(linux, *steps)), linux if seen else nothing) as report:
        found = [f.diagnostic for f in report.authors() if f.diagnostic.rule == "used-before-defined"]
        line = line_of((LINUX / "mm/mprotect.c").read_text(), PLAIN)
        assert [d.location.line for d in found] == [line, line + 1]
        assert len({d.fingerprint for d in found}) == 2


@pytest.mark.parametrize("seen", [True, False])
def test_what_is_no_call_of_it(linux: Path, tmp_path: Path, nothing: Path, seen: bool) -> None:
    """An architecture's own hook, a comment, a string, a declaration: none needs the definition to be there."""
    hook = "arch_enter_lazy_mmu_mode_with_ptes"
    arch = (
        f"/*\n * {NEW}() will end here.\n * Not yet: {NEW}(mm, addr, end, ptep)\n */\n"
        f'#define WHERE "{NEW}(mm)"\n#define {hook} {hook}\n'
        f"static inline void {hook}(struct mm_struct *mm,\n\t\tunsigned long addr, unsigned long end, pte_t *ptep)\n{{\n}}\n"
        f"void\n{NEW}(struct mm_struct *mm, unsigned long addr, unsigned long end, pte_t *ptep);\n"
    )
    path = "arch/s390/include/asm/lazy.h"
    source = write(
        tmp_path, made(linux, ("s390: the hook", {path: (None, arch)}), ("mm: the call", {HEADER: renamed()}))
    )
    with checked(source, linux if seen else nothing) as report:
        assert report.base.how is (How.BLOBS if seen else How.HUNKS)
        assert [f for f in report.findings if f.diagnostic.rule == "used-before-defined"] == []


def test_name_that_was_there_is_not_new(linux: Path, tmp_path: Path, nothing: Path) -> None:
    """The second patch writes one more stub of a call that a line of the base knows."""
    text = (LINUX / HEADER).read_text()
    stub = f"\n#ifdef CONFIG_OTHER\nstatic inline void {RANGED}(struct mm_struct *mm, unsigned long addr, unsigned long end, pte_t *ptep) {{}}\n#endif\n"
    base = (LINUX / "mm/mprotect.c").read_text().replace(PLAIN, MPROTECT + PLAIN, 1)
    commit(linux, "one call", {"mm/mprotect.c": (None, base)})
    git(linux, "tag", "-f", "base")
    steps = (
        ("mm/mprotect: once more", {"mm/mprotect.c": (PLAIN, MPROTECT)}),
        ("mm: one more stub", {HEADER: (text, text + stub)}),
    )
    with checked(write(tmp_path, made(linux, *steps)), nothing) as report:
        assert report.base.how is How.HUNKS
        assert [f.diagnostic.rule for f in report.findings if f.patch == 1] == []


def last_named(text: str) -> str:
    """The last call of mm/madvise.c names its range."""
    before, after = text.rsplit("lazy_mmu_mode_enable();\n", 1)
    return before + HALF.strip() + "\n" + after


def test_incomplete_where_a_file_is_shown_whole(linux: Path, tmp_path: Path, nothing: Path) -> None:
    text = (LINUX / "mm/madvise.c").read_text()
    mails = made(linux, ("mm/madvise: name the range", {"mm/madvise.c": (text, last_named(text))}), options=ALL)
    with checked(write(tmp_path, mails), nothing) as report:
        assert report.base.how is How.HUNKS
        (finding,) = report.authors()
        line = [n for n, row in enumerate(text.split("\n"), 1) if row.strip() == "lazy_mmu_mode_enable();"][-2]
        assert told([finding]) == [(1, "introduced", "incomplete-conversion", "mm/madvise.c", line)]
        found = finding.diagnostic
        assert (found.function, found.location.column) == ("madvise_free_pte_range", 2)
        assert found.message == (
            "the series names the range of 1 of 2 sections that can name it in madvise_free_pte_range(), "
            "as far as it is shown"
        )


def test_top_of_a_file_is_not_all_of_it(linux: Path, tmp_path: Path, nothing: Path) -> None:
    """As many lines below as the mail has to have: what comes after them was not seen, and nothing is claimed."""
    mails = made(linux, ("mm/madvise: name the range", {"mm/madvise.c": (PLAIN, HALF)}), options=ALL)
    with checked(write(tmp_path, mails), nothing) as report:
        assert report.base.how is How.HUNKS
        assert report.authors() == ()
        assert report.base.unseen[-1].startswith("which sections stay plain, and whether they could name their range")


def test_complete_in_a_file_that_is_shown_whole(linux: Path, tmp_path: Path, nothing: Path) -> None:
    """Both calls of the function, in two patches; those of the other function are no topic."""
    text = (LINUX / "mm/madvise.c").read_text()
    once = last_named(text)
    steps = (
        ("mm/madvise: the last", {"mm/madvise.c": (text, once)}),
        ("mm/madvise: the one before", {"mm/madvise.c": (once, last_named(once))}),
    )
    with checked(write(tmp_path, made(linux, *steps, options=ALL)), nothing) as report:
        assert report.base.how is How.HUNKS
        assert report.authors() == ()
        assert report.final.coverage.sections == 4


def test_what_could_not_be_seen_is_told(linux: Path, tmp_path: Path, nothing: Path) -> None:
    """A few lines of context prove nothing of the call beside, but it is named."""
    text = (LINUX / "mm/madvise.c").read_text()
    near = text.replace(PLAIN, "\tlazy_mmu_mode_enable();\n\tlazy_mmu_mode_enable();\n", 1)
    commit(linux, "two calls", {"mm/madvise.c": (None, near)})
    git(linux, "tag", "-f", "base")
    with checked(write(tmp_path, made(linux, ("mm/madvise: one", {"mm/madvise.c": (PLAIN, HALF)}))), nothing) as report:
        assert report.findings == ()
        line = line_of(text, PLAIN)
        assert report.base.unseen[1:] == (
            ONLY,
            f"{RANGED}() is defined by no patch of the series: whether the base has it was not seen",
            "which sections stay plain, and whether they could name their range, was not seen; "
            f"the hunks show mm/madvise.c:{line + 1}",
        )
        assert report.base.unseen[0] == f"{nothing} is another tree: mm/madvise.c: No such file or directory"
        # A reply tells the author what was not seen, and nothing of the disk of whoever sends it.
        told = "\n".join(unknown(report))
        assert told.startswith("My tree is another one: mm/madvise.c: No such file or directory.\n\nOnly what")
        assert str(tmp_path) not in told


def test_function_of_a_line_is_the_one_above_it(linux: Path, tmp_path: Path, nothing: Path) -> None:
    """The header of a hunk names the function before it, which may have ended."""
    text = (LINUX / "mm/mprotect.c").read_text() + (
        "\nint one(void)\n{\n\treturn 0;\n}\n\nstatic void\ntwo(struct mm_struct *mm)\n{\n\tint a;\n}\n"
    )
    commit(linux, "two functions", {"mm/mprotect.c": (None, text)})
    git(linux, "tag", "-f", "base")
    mails = made(
        linux, ("mm: open", {"mm/mprotect.c": ("\tint a;\n", "\tint a;\n\n\tlazy_mmu_mode_enable();\n\ta();\n")})
    )
    with checked(write(tmp_path, [mails[0].replace(b"\n }\n", b"\n \n")]), nothing) as report:
        assert [(s.path, s.function) for s in report.skipped] == [("mm/mprotect.c", "two")]
