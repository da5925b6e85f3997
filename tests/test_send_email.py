"""``hook sendemail-validate`` judges the series that a mail belongs to; what lies beside it and is none of it is left."""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.config import Settings
from mmlint.series.beside import mails_beside
from mmlint.series.check import Options, check_series
from mmlint.series.model import SeriesReport
from tests.series_samples import (
    LINUX,
    MPROTECT,
    PLAIN,
    RANGED,
    SWAPPED,
    broken_then_repaired,
    commit,
    git,
    header,
    line_of,
    made,
    repository,
)

LINE = line_of((LINUX / "mm/mprotect.c").read_text(), PLAIN)
HALF = ("mm/madvise: name the first range", {"mm/madvise.c": (PLAIN, f"\t{RANGED}(mm, addr, end, start_pte);\n")})
BLANK = ("mm/mremap: a blank line", {"mm/mremap.c": ("#include", "\n#include")})
WRONG = ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, SWAPPED)})


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("GIT_", "MMLINT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = repository(tmp_path / "linux")
    monkeypatch.chdir(folder)
    return folder


def written(folder: Path, mails: list[bytes], prefix: str = "") -> list[Path]:
    """The mails as git format-patch would leave them, a cover letter first where there is one."""
    folder.mkdir(exist_ok=True)
    files = []
    for number, mail in enumerate(mails, start=int(b"0/" not in mails[0].split(b"\n\n", 1)[0])):
        files.append(folder / f"{prefix}{number:04}-x.patch")
        files[-1].write_bytes(mail)
    return files


def judged(file: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    code = main(["hook", "sendemail-validate", str(file), "--no-config", *more])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_series_is_judged_with_its_first_mail(
    linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cover, *patches = written(tmp_path / "sent", broken_then_repaired(linux))
    code, out, err = judged(cover, capsys)
    assert code == 1
    assert out.split("\n")[:2] == [
        "patch 2/3: mm/mprotect: name the range",
        f"mm/mprotect.c:{LINE}:49: warning: 'end' and 'addr' are swapped: 'pte' is the entry for 'addr' [wrong-range], "
        "until a later patch of the series repairs it [broken-then-repaired] (repaired by patch 3/3)",
    ]
    assert "; 3 patches; " in out
    assert err == (
        "mmlint: stopped for patch 2/3: nothing is sent; git send-email --no-validate sends it all the same\n"
    )
    for patch in patches:
        assert judged(patch, capsys) == (1, out, err)
    assert judged(cover, capsys, "-q")[2] == ""
    assert judged(cover, capsys, "--fail-level=error")[0] == 0


@pytest.mark.usefixtures("linux")
def test_a_mail_needs_those_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second patch changes what the first one wrote, and no commit of the tree has that."""
    steps = (
        ("mm/mprotect: name the range", {"mm/mprotect.c": (PLAIN, MPROTECT)}),
        ("mm/mprotect: swap", {"mm/mprotect.c": (MPROTECT, SWAPPED)}),
    )
    elsewhere = repository(tmp_path / "elsewhere")
    first, second = written(tmp_path / "sent", made(elsewhere, *steps))
    assert judged(second, capsys)[1].startswith(
        f"patch 2/2: mm/mprotect: swap\nmm/mprotect.c:{LINE}:49: error: 'end' and 'addr' are swapped"
    )
    first.unlink()
    code, out, err = judged(second, capsys)
    assert (code, err) == (0, "")
    assert "the patch does not show the function whole" in out
    assert "note: patch 2/2 does not apply to HEAD: patch failed: mm/mprotect.c:59\n" in out


def test_what_passed_with_the_first_mail_is_not_judged_again(
    linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = written(tmp_path / "sent", made(linux, BLANK, BLANK))
    judgements: list[str] = []

    def check(source: str, options: Options, settings: Settings) -> AbstractContextManager[SeriesReport]:
        judgements.append(source)
        return check_series(source, options, settings)

    monkeypatch.setattr("mmlint.commands.hook.check_series", check)
    assert judged(first, capsys) == judged(second, capsys) == (0, "", "")
    assert judgements == [str(first)]
    # The first one is judged whenever it is asked for, and so is what is not the same any more.
    assert judged(first, capsys)[0] == judged(second, capsys, "--level=warning")[0] == 0
    assert judgements == [str(first), str(first), str(second)]
    second.write_bytes(second.read_bytes().replace(b"Because.", b"Because of it."))
    assert judged(second, capsys)[0] == 0
    assert judgements[3:] == [str(second)]
    monkeypatch.setenv("MMLINT_NO_CACHE", "1")
    assert judged(second, capsys)[0] == 0
    assert judgements[3:] == [str(second), str(second)]


def test_half_a_conversion_is_told_of_the_series(
    linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = written(tmp_path / "sent", made(linux, HALF, BLANK))
    for file in files:
        code, out, err = judged(file, capsys)
        assert (code, out.count("[incomplete-conversion]"), out.count("error: ")) == (1, 1, 0)
        assert err.startswith("mmlint: stopped for patch 1/2: ")


def test_what_else_lies_there_is_left(linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = made(linux, WRONG, BLANK)
    linux2 = repository(tmp_path / "linux2")
    fine = made(linux2, BLANK, BLANK, options=["-v2"])
    folder = tmp_path / "sent"
    written(folder, wrong)
    (folder / "0001-x.patch~").write_bytes(wrong[0])
    (folder / "cover.patch").write_bytes(b"Subject: [PATCH 0/3] of another\n\nhello\n")
    (folder / "notes.patch").write_bytes(b"\0\xff" * 100)
    first, second = written(folder, fine, "v2-")
    (folder / "copy-of-v2-0001.patch").write_bytes(first.read_bytes())
    assert mails_beside(second).files == (folder / "copy-of-v2-0001.patch", second)
    assert judged(first, capsys) == judged(second, capsys) == (0, "", "")
    assert judged(folder / "0002-x.patch", capsys)[0] == 1


def test_two_threads_of_one_shape(linux: Path, tmp_path: Path) -> None:
    one = made(linux, BLANK, BLANK, options=["--thread"])
    other = made(repository(tmp_path / "linux2"), WRONG, BLANK)
    other = [header(mail, "In-Reply-To", "<other@example.org>") for mail in other]
    first = written(tmp_path / "sent", one)
    second = written(tmp_path / "sent", other, "b-")
    assert [mails_beside(file).files for file in (*first, *second)] == [tuple(first)] * 2 + [tuple(second)] * 2
    assert [mails_beside(file).is_first for file in (*first, *second)] == [True, False, True, False]


def test_two_mails_with_one_number(linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = written(tmp_path / "sent", made(linux, BLANK, BLANK))
    stale = second.with_name("0001-stale.patch")
    stale.write_bytes(first.read_bytes().replace(b"Because.", b"Since."))
    code, out, err = judged(second, capsys)
    assert (code, out) == (0, "")
    assert err == ("mmlint: 0001-stale.patch and 0001-x.patch are both patch 1/2: 0002-x.patch is checked by itself\n")
    second.write_bytes(made(repository(tmp_path / "linux2"), BLANK, WRONG)[1])
    code, out, err = judged(second, capsys)
    assert code == 1 and out.startswith("patch 2/2: mm/mprotect: name the range\n")
    assert re.fullmatch("mmlint: .* by itself\nmmlint: nothing is sent; .*\n", err)


def test_what_could_not_be_seen_has_not_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The base of the series is fetched between two mails, which changes no ref."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    theirs, mine = repository(tmp_path / "theirs"), tmp_path / "mine"
    git(tmp_path, "clone", "-q", str(theirs), str(mine))
    text = (theirs / "mm/mprotect.c").read_text()
    for line in ("\ttlb_change_page_size(tlb, PAGE_SIZE);\n", "\tflush_tlb_batched_pending(vma->vm_mm);\n"):
        text = text.replace(line, f"{line}\tmore++;\n", 1)
    commit(theirs, "theirs", {"mm/mprotect.c": (None, text)})
    git(theirs, "tag", "-f", "base")
    commit(theirs, "one", {"mm/vmalloc.c": (None, (theirs / "mm/vmalloc.c").read_text() + "\n/* x */\n")})
    commit(theirs, "two", {"mm/mprotect.c": (PLAIN, SWAPPED)})
    mails = git(theirs, "format-patch", "--base=base", "-o", str(tmp_path / "out"), "base").split()
    monkeypatch.chdir(mine)
    assert [main(["hook", "sendemail-validate", mail]) for mail in mails] == [0, 0]
    assert "not analysed" in capsys.readouterr().out
    git(mine, "fetch", "-q", str(theirs), "base")
    assert main(["hook", "sendemail-validate", mails[1]]) == 1
    assert "[wrong-range]" in capsys.readouterr().out
