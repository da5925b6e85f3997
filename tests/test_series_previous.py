"""What is said of the previous revision rests on what could be seen of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.series.model import How, Progress, SeriesReport
from tests.series_samples import LINUX, PLAIN, RANGED, SWAPPED, checked, commit, git, made, mbox, patches, repository

VMALLOC = f"\t{RANGED}(&init_mm, end, addr, pte);\n"
FIRST = ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)})
SECOND = ("mm/vmalloc: name the range", {"mm/vmalloc.c": (PLAIN, VMALLOC)})
GARBLED = "\tif (pte_none(*pte {{ ] )) <- ;\n"
MENDS = "of {} of the previous revision it could not be seen whether this one mends it"


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return repository(tmp_path / "linux")


def write(folder: Path, mails: list[bytes], name: str) -> Path:
    (folder / name).write_bytes(mbox(mails))
    return folder / name


def fixed(report: SeriesReport) -> list[str]:
    assert report.previous is not None
    return [finding.diagnostic.path for finding in report.previous.fixed]


def progress(report: SeriesReport) -> list[tuple[str, Progress | None]]:
    return [(f.diagnostic.path, f.progress) for f in report.authors()]


@pytest.fixture
def first(linux: Path, tmp_path: Path) -> Path:
    return write(tmp_path, made(linux, FIRST, SECOND), "v1.mbox")


def elsewhere(linux: Path, tmp_path: Path, name: str) -> Path:
    """The series for a base that nobody has."""
    text = (LINUX / "mm/mprotect.c").read_text().replace(PLAIN, "\tcpu_relax();\n" + PLAIN)
    base = commit(linux, "a base that is not there", {"mm/mprotect.c": (None, text)})
    commit(linux, *FIRST)
    source = write(tmp_path, patches(linux, "-v2", base=base), name)
    git(linux, "checkout", "-q", "base")
    git(linux, "branch", "-f", "main", "base")
    git(linux, "reflog", "expire", "--expire=now", "--all")
    git(linux, "gc", "-q", "--prune=now")
    return source


def test_series_of_which_only_hunks_are_seen_mends_nothing(linux: Path, first: Path, tmp_path: Path) -> None:
    with checked(elsewhere(linux, tmp_path, "v2.mbox"), linux, previous=str(first)) as report:
        assert report.base.how is How.HUNKS
        assert (fixed(report), progress(report)) == ([], [])
        assert report.remarks == (MENDS.format("2 findings"),)


def test_function_that_is_not_analysed_is_not_mended(linux: Path, first: Path, tmp_path: Path) -> None:
    edits = {"mm/mprotect.c": (PLAIN, GARBLED + SWAPPED)}
    second = write(tmp_path, made(linux, ("mm: again", edits), options=["-v2"]), "v2.mbox")
    with checked(second, linux, previous=str(first)) as report:
        assert (fixed(report), progress(report)) == (["mm/vmalloc.c"], [])
        assert report.remarks == (MENDS.format("1 finding"),)


def test_patch_that_is_not_there_mends_nothing(linux: Path, first: Path, tmp_path: Path) -> None:
    """What a patch that is there changes can be seen all the same."""
    mended = {"mm/mprotect.c": (PLAIN, SWAPPED.replace("end, addr", "addr, end"))}
    mails = made(linux, (FIRST[0], mended), SECOND, options=["-v2"])
    with checked(write(tmp_path, mails[:1], "v2.mbox"), linux, previous=str(first)) as report:
        assert (fixed(report), progress(report)) == (["mm/mprotect.c"], [])
        assert report.remarks == ("the series has 2 patches; not there: 2", MENDS.format("1 finding"))


def test_nothing_is_new_where_the_previous_revision_was_not_seen(linux: Path, first: Path, tmp_path: Path) -> None:
    before = elsewhere(linux, tmp_path, "v0.mbox")
    with checked(first, linux, previous=str(before)) as report:
        assert (fixed(report), progress(report)) == ([], [("mm/mprotect.c", None), ("mm/vmalloc.c", None)])
        assert report.remarks == ("of 2 findings it could not be seen whether the previous revision has it",)


def test_what_is_fixed_is_told_with_its_place(
    linux: Path, first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = write(tmp_path, made(linux, FIRST, options=["-v2"]), "v2.mbox")
    assert main(["series", str(second), "--tree", str(linux), "--since-previous", str(first), "--no-config"]) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fixed since")]
    message = "'end' and 'addr' are swapped: 'pte' is the entry for 'addr' [wrong-range]"
    assert told == [f"fixed since {first}: mm/vmalloc.c: vmap_pte_range(): {message}"]
