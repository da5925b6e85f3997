"""Every fixup goes through git am and git rebase --autosquash, whatever its file, its mail and its title are like."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mmlint.report import fixup
from mmlint.report.series_outcome import outcome_of
from tests.series_samples import LINUX, RANGED, checked, commit, git, mbox, patches, recoded, repository

MADVISE = "mm/madvise.c"
GOOD = f"{RANGED}(mm, addr, end, start_pte);"
ODD = f"{RANGED}(mm, addr, end, pte);"


def named(text: str) -> str:
    """Both calls of the last function name their range, the second by another name than the first."""
    first, second, third = text.rsplit("lazy_mmu_mode_enable();", 2)
    return first + GOOD + second + ODD + third


def series(folder: Path, title: str, ending: str, last: str = "\n") -> Path:
    """A repository with the series as its last commit, on a base with these line ends."""
    linux = repository(folder / "linux")
    text = (LINUX / MADVISE).read_text().rstrip("\n") + last
    # The tests' own helper writes text: bytes are what matters here.
    (linux / MADVISE).write_bytes(text.replace("\n", ending).encode())
    git(linux, "commit", "-qam", "line ends", "--allow-empty")
    git(linux, "tag", "-f", "base")
    (linux / MADVISE).write_bytes(named(text).replace("\n", ending).encode())
    git(linux, "commit", "-qam", f"{title}\n\nBecause.\n\nSigned-off-by: A. Author <author@example.org>")
    commit(linux, "mm: another", {"mm/other.c": (None, "int x;\n")})
    git(linux, "branch", "-f", "author")
    return linux


def apply(linux: Path, fix: bytes, title: str, ending: str, last: str = "\n") -> None:
    """The fixup goes onto the author's patch, and a rebase folds it in."""
    git(linux, "checkout", "-q", "-B", "mended", "author~1")
    git(linux, "am", "-q", "-", data=fix)
    assert git(linux, "log", "-1", "--format=%s") == f"fixup! {title}\n"
    git(linux, "cherry-pick", "author")
    variables = {**os.environ, "GIT_SEQUENCE_EDITOR": "true", "GIT_CONFIG_GLOBAL": os.devnull}
    variables |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
    subprocess.run(
        ["git", "rebase", "-q", "-i", "--autosquash", "base"], cwd=linux, env=variables, check=True, capture_output=True
    )
    assert git(linux, "log", "--format=%s", "base..") == f"mm: another\n{title}\n"
    text = (LINUX / MADVISE).read_text().rstrip("\n") + last
    assert (linux / MADVISE).read_bytes() == named(text).replace(ODD, GOOD).replace("\n", ending).encode()


TITLES = (
    "mm/madvise: name the range",
    "mm/madvise: Zo\N{LATIN SMALL LETTER E WITH DIAERESIS} names "
    + "the range of the section at some length, " * 3
    + "too",
    "fixup the range",
    "mm: 'quoted' \"twice\" [in brackets] at the end",
)


@pytest.mark.parametrize("title", TITLES)
def test_titles(tmp_path: Path, title: str) -> None:
    linux = series(tmp_path, title, "\n")
    (tmp_path / "x.mbox").write_bytes(mbox(patches(linux)))
    with checked(tmp_path / "x.mbox", linux) as report:
        files = fixup.render(outcome_of(report))
        assert sorted(files) == ["0001-fixup.patch", "README"]
    apply(linux, files["0001-fixup.patch"], title, "\n")


@pytest.mark.parametrize("title", ["[tip] mm: name the range", "[PATCH] mm: name the range"])
def test_brackets_that_a_commit_has(tmp_path: Path, title: str) -> None:
    """In a range the title is that of the commit, to the letter: a rebase looks for it."""
    linux = series(tmp_path, title, "\n")
    git(linux, "checkout", "-q", "author")
    with checked("base..author", linux) as report:
        files = fixup.render(outcome_of(report))
    apply(linux, files["0001-fixup.patch"], title, "\n")


@pytest.mark.parametrize("how", ["8bit", "quoted-printable", "quoted-printable-crlf", "base64", "base64-crlf", "crlf"])
def test_mails_with_other_line_ends(tmp_path: Path, how: str) -> None:
    """The mail's line ends are the mail's: the file has its own."""
    linux = series(tmp_path, TITLES[0], "\n")
    (tmp_path / "x.mbox").write_bytes(mbox([recoded(mail, how) for mail in patches(linux)]))
    with checked(tmp_path / "x.mbox", linux) as report:
        files = fixup.render(outcome_of(report))
    apply(linux, files["0001-fixup.patch"], TITLES[0], "\n")


@pytest.mark.parametrize("last", ["\n", ""])
@pytest.mark.parametrize("title", TITLES[:2])
def test_file_with_crlf(tmp_path: Path, title: str, last: str) -> None:
    """git am takes the carriage returns of a mail away, unless they are encoded."""
    linux = series(tmp_path, title, "\r\n", last)
    git(linux, "checkout", "-q", "author")
    with checked("base..author", linux) as report:
        files = fixup.render(outcome_of(report))
    apply(linux, files["0001-fixup.patch"], title, "\r\n", last)


def test_file_without_a_last_newline(tmp_path: Path) -> None:
    linux = series(tmp_path, TITLES[0], "\n", "")
    (tmp_path / "x.mbox").write_bytes(mbox(patches(linux)))
    with checked(tmp_path / "x.mbox", linux) as report:
        files = fixup.render(outcome_of(report))
    apply(linux, files["0001-fixup.patch"], TITLES[0], "\n", "")
