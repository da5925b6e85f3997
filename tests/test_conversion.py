"""``fix --series``: patches that git makes and git takes, and a cover letter that leaves no section out."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from mmlint import __version__
from mmlint.cli import main
from mmlint.config import Settings
from mmlint.engine import run
from tests.series_of_two import IDENTITY, git

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "fixtures/linux"


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample tree in a folder, which is the current one."""
    folder = tmp_path / "linux"
    shutil.copytree(SAMPLE, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def repository(tree: Path) -> Path:
    """The sample tree as one commit."""
    git(tree, "init", "-q", "-b", "main")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "base")
    return tree


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and ".git" not in file.parts
    }


def applied(tree: Path, patches: Path, place: Path) -> dict[str, bytes]:
    """What the tree is after ``git am`` of the patches, in a repository made of a copy of it."""
    shutil.copytree(tree, place, ignore=shutil.ignore_patterns(".git"))
    git(place, "init", "-q")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "base")
    git(place, "am", "-q", *(str(file) for file in sorted(patches.glob("*.patch"))[1:]))
    return content(place)


def test_series_applies_and_is_what_fix_does(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = git(repository, "status", "--porcelain"), git(repository, "count-objects"), content(repository)
    assert main(["fix", "--series", "../patches", "."]) == 1
    printed = capsys.readouterr()
    assert printed.err == "12 fixes shown in 5 files\n2 more with --unsafe, each to be confirmed by a person\n"
    patches = tmp_path / "patches"
    assert printed.out.split() == [f"../patches/{file.name}" for file in sorted(patches.iterdir())]
    assert [file.name[:4] for file in sorted(patches.iterdir())] == ["0000", "0001", "0002", "0003", "0004", "0005"]
    assert (git(repository, "status", "--porcelain"), git(repository, "count-objects"), content(repository)) == before
    made = applied(repository, patches, tmp_path / "copy")
    main(["fix", "--in-place", "-q", "."])
    assert made == content(repository)
    subjects = git(tmp_path / "copy", "log", "--reverse", "--format=%s%n%an <%ae>").splitlines()[2:]
    name = "lazy_mmu_mode_enable_for_pte_range"
    areas = ("fs/proc/task_mmu", "mm/madvise", "mm/memory", "mm/mprotect", "mm/vmalloc")
    assert subjects == [line for area in areas for line in (f"{area}: use {name}()", "Zoë Author <zoe@example.org>")]


def test_series_applies_to_files_with_other_line_ends(repository: Path, tmp_path: Path) -> None:
    """git am takes the carriage returns of a mail away, unless they are encoded."""
    for path in ("mm/memory.c", "mm/vmalloc.c"):
        (repository / path).write_bytes((repository / path).read_bytes().replace(b"\n", b"\r\n"))
    git(repository, "commit", "-qam", "line ends")
    assert main(["fix", "--series", "../patches", "."]) == 1
    made = applied(repository, tmp_path / "patches", tmp_path / "copy")
    main(["fix", "--in-place", "-q", "."])
    assert made == content(repository)
    assert made["mm/memory.c"].count(b"lazy_mmu_mode_enable_for_pte_range(mm, addr, end, start_pte);\r\n") == 1


def test_cover_letter_lists_every_section(repository: Path, tmp_path: Path) -> None:
    main(["fix", "--series", "../patches", "."])
    text = next((tmp_path / "patches").glob("0000-*")).read_text()
    assert "\nSubject: [PATCH 0/5] treewide: use lazy_mmu_mode_enable_for_pte_range()\n" in text
    assert text.endswith(
        f"\nbase-commit: {git(repository, 'rev-parse', 'HEAD').strip()}\n-- \nmmlint {__version__}\n\n"
    )
    assert "*** " not in text
    assert re.search(r"^From: Zo.* <zoe@example\.org>$", text, re.MULTILINE)
    assert "\nDate: Wed, 25 Mar 2026 08:41:00 +0100\n" in text
    body = text.partition("\n\n")[2].partition("\nZoë Author (5):")[0]
    joined = re.sub(r"\n {6}", " ", body)
    report = run(["."], Settings())
    sections = [
        f"{section_file(file.source.path)}: {section.function}()"
        for file in report.facts
        for function in file.functions
        for section in function.sections
    ]
    listed = re.findall(r"^  (\S+: \w+\(\))", joined, re.MULTILINE)
    assert sorted(listed) == sorted(sections)
    assert len(listed) == 23
    headings = re.findall(r"^(\w.*):$", joined, re.MULTILINE)
    assert headings == [
        "Changed by this series",
        "Could name their range, after a look by a person; not touched here",
        "Have more ranges than one call can name; not touched here",
        "Have no range to name",
    ]
    assert "\n  mm/memory.c: zap_pte_range(): (mm, addr, end, start_pte)\n" in joined
    assert "\n  mm/memory.c: copy_pte_range(): to be confirmed: the section updates a second range\n" in joined
    assert max(map(len, body.split("\n"))) <= 72


@pytest.mark.usefixtures("repository")
def test_call_that_the_tree_does_not_have_is_told(tmp_path: Path) -> None:
    main(["fix", "--series", "../patches", "--target", "mm_batch_begin", "mm/mprotect.c"])
    (cover,) = (tmp_path / "patches").glob("0000-*")
    assert (
        "\n\nmm_batch_begin() is not declared in include/linux/pgtable.h of this\n"
        "tree: what adds it has to come first.\n\n"
    ) in cover.read_text()
    main(["fix", "--series", "../others", "mm/mprotect.c"])
    (cover,) = (tmp_path / "others").glob("0000-*")
    assert "of this tree" not in cover.read_text()


def section_file(path: str) -> str:
    return path.removeprefix("./")


def test_same_tree_same_bytes(repository: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        main(["fix", "--series", f"../{name}", "."])
    assert content(tmp_path / "one") == content(tmp_path / "two")
    main(["fix", "--series", str(tmp_path / "three"), str(repository)])
    assert content(tmp_path / "three") == content(tmp_path / "one")


def test_a_tree_that_is_no_repository(tree: Path, tmp_path: Path) -> None:
    assert main(["fix", "--series", "../patches", "mm/mprotect.c", "mm/vmalloc.c"]) == 1
    assert not (tree / ".git").exists()
    patches = tmp_path / "patches"
    text = next(patches.glob("0000-*")).read_text()
    assert "base-commit" not in text
    assert "\nThe patches apply to a work tree that is no commit: no base can be\nnamed.\n" in text
    assert "\nSubject: [PATCH 0/2] mm: use " in text
    made = applied(tree, patches, tmp_path / "copy")
    main(["fix", "--in-place", "-q", "mm/mprotect.c", "mm/vmalloc.c"])
    assert made == content(tree)


def test_changes_that_are_not_committed_are_not_made_again(repository: Path, tmp_path: Path) -> None:
    file = repository / "mm/mprotect.c"
    file.write_bytes(b"/* \xe9 not committed */\r\n" + file.read_bytes())
    main(["fix", "--series", "../patches", "mm/mprotect.c"])
    (patch,) = (tmp_path / "patches").glob("0001-*")
    assert b"not committed" not in patch.read_bytes()
    assert b"base-commit" not in next((tmp_path / "patches").glob("0000-*")).read_bytes()
    made = applied(repository, tmp_path / "patches", tmp_path / "copy")
    main(["fix", "--in-place", "-q", "mm/mprotect.c"])
    assert made["mm/mprotect.c"] == file.read_bytes()


def test_nothing_of_the_tree_configures_git(repository: Path, tmp_path: Path) -> None:
    for key, value in (
        ("format.signOff", "true"),
        ("format.headers", "Cc: all@example.org\n"),
        ("format.subjectPrefix", "EVIL"),
        ("diff.external", "touch ../executed"),
        ("core.fsmonitor", "touch ../executed"),
        ("core.hooksPath", "hooks"),
        ("diff.noprefix", "true"),
    ):
        git(repository, "config", key, value)
    (repository / ".gitattributes").write_text("*.c diff=evil filter=evil\n")
    git(repository, "config", "filter.evil.clean", "touch ../executed; cat")
    git(repository, "config", "diff.evil.textconv", "touch ../executed; cat")
    assert main(["fix", "--series", "../patches", "."]) == 1
    assert not (tmp_path / "executed").exists()
    for file in (tmp_path / "patches").iterdir():
        text = file.read_text()
        assert not re.search(r"Signed-off-by|EVIL|Cc: all", text)
        assert "\n+++ b/" in text or file.name.startswith("0000")


def test_author_has_to_be_known(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in IDENTITY:
        if name.endswith(("NAME", "EMAIL")):
            monkeypatch.delenv(name)
    assert main(["fix", "--series", "../patches", "mm/mprotect.c"]) == 2
    assert capsys.readouterr().err == (
        "mmlint: error: --series: git knows no author; set user.name and user.email with git config\n"
    )
    assert not (tree.parent / "patches").exists()


def test_nothing_to_change_makes_no_folder(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--series", "../patches", "mm/vmscan.c"]) == 0
    assert capsys.readouterr().out == ""
    assert not (tree.parent / "patches").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--in-place", "mm"], "--series: it makes patches with messages from files"),
        (["--commit-message", "mm"], "--series: it makes patches with messages from files"),
        (["-"], "--series: it makes patches with messages from files"),
        (["mm/mprotect.c", "../other/mm/mprotect.c"], "--series: mm/mprotect.c does not lie in "),
        (["mm/mprotect.c", "link.c"], "--series: two of the paths lead to one file; give each file once"),
    ],
)
def test_what_does_not_fit_is_refused(
    arguments: list[str], complaint: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tree, tree.parent / "other")
    (tree / "link.c").symlink_to("mm/mprotect.c")
    assert main(["fix", "--series", "../patches", *arguments]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tree.parent / "patches").exists()


def test_a_folder_that_is_not_empty_is_left_alone(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--series", ".", "mm/mprotect.c"]) == 2
    assert "--series .: it is there, and not empty; name a new folder" in capsys.readouterr().err
    assert content(tree) == content(SAMPLE)


def test_what_could_not_be_read_is_in_the_cover_letter(tree: Path) -> None:
    text = (tree / "mm/vmalloc.c").read_text()
    broken = text.replace("static void vunmap_pte_range(", "static void vunmap_pte_range() ) (", 1)
    (tree / "mm/vmalloc.c").write_text(broken)
    assert main(["fix", "--series", "../patches", "mm/mprotect.c", "mm/vmalloc.c"]) == 2
    cover = next((tree.parent / "patches").glob("0000-*")).read_text()
    assert "\nCould not be read, and may hold more:\n\n  mm/vmalloc.c: vunmap_pmd_range() was not analysed: " in cover


def test_send_email_takes_the_series(repository: Path, tmp_path: Path) -> None:
    if not (Path(git(repository, "--exec-path").strip()) / "git-send-email").exists():
        pytest.skip("git send-email IS NOT INSTALLED: it is not tried")
    main(["fix", "--series", "../patches", "."])
    patches = sorted(str(file) for file in (tmp_path / "patches").iterdir())
    told = git(
        repository,
        "send-email",
        "--dry-run",
        "--quiet",
        "--to=l@example.org",
        "--suppress-cc=all",
        "--confirm=never",
        *patches,
    )
    assert len(re.findall(r"^Dry-Sent \[PATCH [0-5]/5\] ", told, re.MULTILINE)) == 6
