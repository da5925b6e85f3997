"""The thread that started it, as a user would paste it: over a tree that its patch applies to, and over one that not.

The thread is not a part of this repository. It is read from the file that MMLINT_RFC_THREAD names, or from
shared/rfc-thread.txt beside the work tree or above it. A series of the project's own with the same shape is always
tested.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mmlint.report import fixup
from mmlint.report.series_outcome import outcome_of
from mmlint.report.suggestion import whole_lines
from mmlint.series.diff import parse_diff
from mmlint.series.model import How, SeriesReport
from mmlint.series.thread import mails_of_thread
from mmlint.source import Source
from tests.pre_image import HEADER, build
from tests.series_samples import LINUX, ROOT, checked, git, made, repository

NAME = "lazy_mmu_mode_enable_pte"


@pytest.fixture(scope="module")
def thread() -> Path:
    named = os.environ.get("MMLINT_RFC_THREAD")
    beside = [folder / "shared/rfc-thread.txt" for folder in ROOT.parents]
    for place in [Path(named)] if named else beside:
        if place.is_file():
            return place
    pytest.skip("THE RFC THREAD IS NOT HERE: SET MMLINT_RFC_THREAD TO ITS TEXT")


@pytest.fixture(scope="module")
def tree(thread: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (mail,) = [mail for mail in mails_of_thread(thread.read_bytes()) if b"\ndiff --git " in mail]
    changes = parse_diff(mail.split(b"\n---\n", 1)[1])
    return build(tmp_path_factory.mktemp("pre") / "linux", changes)


@contextmanager
def judged(thread: Path, tree: Path) -> Iterator[SeriesReport]:
    with checked(thread, tree) as report:
        yield report


def assert_reviewed(report: SeriesReport) -> None:
    """What a good reviewer says of the patch."""
    assert [(p.number, p.total, p.title) for p in report.patches] == [(1, 2, "mm: make lazy MMU mode context-aware")]
    conversion = report.conversion
    assert conversion is not None
    calls = [site for site in conversion.converted if site.patch == 1]
    assert len(calls) == len(conversion.converted) == 14
    assert {site.verdict for site in calls} == {"verified"}
    assert report.skipped == ()
    rules = [finding.diagnostic.rule for finding in report.authors()]
    assert sorted(rules) == [
        *["api-definition"] * 5,
        "inconsistent-ptep",
        *["multi-range-section"] * 2,
    ]
    # The one call that passes pte, with the whole repair on its line.
    (finding,) = [f for f in report.authors() if f.diagnostic.rule == "inconsistent-ptep"]
    assert (finding.diagnostic.path, finding.diagnostic.function) == ("mm/madvise.c", "madvise_free_pte_range")
    fix = finding.diagnostic.fix
    assert fix is not None and str(fix.applicability) == "safe"
    (edit,) = fix.edits
    source = Source("mm/madvise.c", report.read("mm/madvise.c", 1))
    assert (source.text(edit.span), edit.text) == ("pte", "start_pte")
    lines = whole_lines(source, fix)
    assert lines is not None and lines.first == lines.last == finding.diagnostic.location.line
    # One word is what changes, though the line of the thread gets longer than 80 columns.
    assert lines.text.lstrip(b"\t") == f"{NAME}(mm, addr, end, start_pte);".encode()
    # The calls with two ranges: which one is named.
    notes = {
        f.diagnostic.function: f.diagnostic for f in report.authors() if f.diagnostic.rule == "multi-range-section"
    }
    assert {name: note.message for name, note in notes.items()} == {
        "copy_pte_range": "also updates the entries at 'dst_pte' from 'addr' of 'dst_mm'",
        "move_ptes": "also updates the entries at 'new_ptep' from 'new_addr' of 'mm'",
    }
    assert [note.notes[0].message for note in notes.values()] == [
        "read: the entries at 'src_pte' from 'addr' to 'end' of 'src_mm' (the one that the call names)",
        "read: the entries at 'old_ptep' from 'old_addr' to 'old_end' of 'mm' (the one that the call names)",
    ]
    # What is left plain, each with its reason.
    left = {(site.path, site.function): site for site in conversion.left}
    for place in (
        ("mm/vmscan.c", "walk_pte_range"),
        ("mm/vmscan.c", "walk_pmd_range_locked"),
        ("mm/vmscan.c", "lru_gen_look_around"),
        ("mm/migrate_device.c", "migrate_vma_collect_pmd"),
        ("mm/userfaultfd.c", "move_present_ptes"),
    ):
        assert left[place].reason and not left[place].is_proven, place
    assert len(left) == len(conversion.left) == 9
    # The definition: continuation lines and kernel-doc.
    remarks = [f.diagnostic.message for f in report.authors() if f.diagnostic.rule == "api-definition"]
    assert sum("not continued with two tabs" in remark for remark in remarks) == 3
    assert f"the kernel-doc of {NAME}() does not describe 'mm', 'addr', 'end', 'ptep'" in remarks
    assert f"the kernel-doc of {NAME}() does not say what happens when not every entry is visited" in remarks


def test_thread_over_its_pre_image(thread: Path, tree: Path) -> None:
    with judged(thread, tree) as report:
        assert report.base.how is How.FOLDER
        assert all(hunk.shift == 0 for change in report.patches[0].files for hunk in change.hunks)
        assert report.remarks == ("the series has 2 patches; not there: 2",)
        assert report.patches[0].author.startswith("Alexander Gordeev <")
        assert_reviewed(report)


def test_thread_over_a_repository_of_it(thread: Path, tree: Path, tmp_path: Path) -> None:
    """The blobs are not those of the mail, so the base is a guess, and that is said."""
    import shutil

    folder = tmp_path / "linux"
    shutil.copytree(tree, folder)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "pre-image")
    with judged(thread, folder) as report:
        assert report.base.how is How.HEAD
        assert report.base.unseen == ("the base was not found: the patches apply to other files",)
        assert_reviewed(report)


def test_thread_over_another_tree(thread: Path) -> None:
    """Nothing but the definition can be judged, and nothing is called clean."""
    with judged(thread, LINUX) as report:
        assert report.base.how is How.HUNKS
        assert {f.diagnostic.rule for f in report.findings} == {"api-definition"}
        assert len(report.findings) == 5
        assert len(report.skipped) == 14
        assert report.conversion is None


def own_definition() -> tuple[str, str, str]:
    """The header of the sample tree, the same without the ranged call, and with one as an RFC may have it."""
    text = (LINUX / HEADER).read_text(encoding="utf-8")
    start = text.index("#ifndef arch_enter_lazy_mmu_mode_for_pte_range")
    end = text.index("/**\n * lazy_mmu_mode_disable()")
    stub = text.index("static inline void lazy_mmu_mode_enable_for_pte_range(struct mm_struct *mm,", end)
    after = text.index("{}\n", stub) + 3
    arguments = "struct mm_struct *mm,\n\t\t\t\t\tunsigned long addr,\n\t\t\t\t\tunsigned long end, pte_t *ptep)"
    hook = (
        f"#ifndef arch_enter_lazy_mmu_mode_pte\nstatic inline void arch_enter_lazy_mmu_mode_pte({arguments}\n{{\n"
        "\tarch_enter_lazy_mmu_mode();\n}\n#endif\n\n"
    )
    call = (
        f"/**\n * {NAME}() - Open a section with a range\n *\n * Nested in another section it only counts; while paused it\n * does nothing.\n */\n"
        f"static inline void {NAME}({arguments}\n{{\n\tstruct lazy_mmu_state *state = &current->lazy_mmu_state;\n\n"
        "\tif (__lazy_mmu_mode_blocked(state))\n\t\treturn;\n\n\tif (!state->enable_count++)\n"
        "\t\tarch_enter_lazy_mmu_mode_pte(mm, addr, end, ptep);\n}\n\n"
    )
    plain = text[:start] + text[end:stub] + text[after:]
    defined = (
        text[:start] + hook + call + text[end:stub] + f"static inline void {NAME}({arguments} {{}}\n" + text[after:]
    )
    return text, plain, defined


def own_edits() -> dict[str, tuple[str | None, str | None]]:
    """Fourteen calls, each as it has to be, but for one that names another pointer than its sibling."""
    expected = tomllib.loads((LINUX / "expected.toml").read_text(encoding="utf-8"))["section"]
    texts: dict[str, list[str]] = {}
    for section in expected:
        if section["verdict"] == "convertible":
            lines = texts.setdefault(section["path"], (LINUX / section["path"]).read_text(encoding="utf-8").split("\n"))
            call = section["proposal"].replace("_for_pte_range", "_pte")
            if (section["path"], section["line"]) == ("mm/madvise.c", 195):
                call = call.replace("start_pte", "pte")
            lines[section["line"] - 1] = lines[section["line"] - 1].replace("lazy_mmu_mode_enable()", call)
    return {path: ((LINUX / path).read_text(encoding="utf-8"), "\n".join(lines)) for path, lines in texts.items()}


def test_own_series_of_the_same_shape(tmp_path: Path) -> None:
    linux = repository(tmp_path / "linux")
    text, plain, defined = own_definition()
    (linux / HEADER).write_text(plain, encoding="utf-8")
    git(linux, "commit", "-qam", "before the ranged call")
    git(linux, "tag", "-f", "base")
    del text
    (mail,) = made(linux, ("mm: make lazy MMU mode context-aware", {HEADER: (plain, defined), **own_edits()}))
    body = mail.split(b"\n\n", 1)[1].decode()
    quoted = "\n".join("> " + line for line in body.split("\n"))
    page = (
        "[RFC PATCH 1/2] mm: make lazy MMU mode context-aware\n\nA. Author posted 2 patches 1 week ago\n"
        f"[RFC PATCH 1/2] mm: make lazy MMU mode context-aware\nPosted by A. Author 1\N{NO-BREAK SPACE}week ago\n{body}"
        f"Re: [RFC PATCH 1/2] mm: make lazy MMU mode context-aware\nPosted by R. Reader 6 days ago\n{quoted}\nTwo tabs.\n"
    )
    (tmp_path / "thread.txt").write_text(page, encoding="utf-8")
    with checked(tmp_path / "thread.txt", linux) as report:
        assert report.base.how is How.BLOBS
        assert_reviewed(report)
        files = fixup.render(outcome_of(report))
    git(linux, "am", "-q", "-", data=mail)
    git(linux, "am", "-q", "-", data=files["0001-fixup.patch"])
    changed = git(linux, "diff", "--numstat", "HEAD~1").split()
    # Three lists of parameters, and one word.
    assert changed == ["6", "6", HEADER, "1", "1", "mm/madvise.c"]
    with checked("base..HEAD", linux) as report:
        repaired = [f.diagnostic.rule for f in report.findings if f.repaired_by == 2 and f.patch == 1]
        assert sorted(repaired) == ["api-definition"] * 3 + ["inconsistent-ptep"]
        # It was text and a name: nothing was broken in between.
        assert [f.diagnostic.rule for f in report.authors() if f.repaired_by] == []
