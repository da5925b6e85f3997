"""A series of two patches over a part of the sample tree, made by git: one call with its ends swapped, one with another pointer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FILES = ("include/linux/pgtable.h", "mm/madvise.c", "mm/mprotect.c", "mm/vmalloc.c", "mm/vmscan.c")
PLAIN = "lazy_mmu_mode_enable();"
CALL = "lazy_mmu_mode_enable_for_pte_range({});"
IDENTITY = {
    **{f"GIT_{who}_NAME": "Zoë Author" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "zoe@example.org" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_DATE": "2026-03-25T08:41:00+0100" for who in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class Series(NamedTuple):
    """The repository, its base, and the mails of the two patches in one mbox."""

    tree: Path
    base: str
    mbox: Path


def git(folder: Path, *words: str, data: bytes = b"") -> str:
    """What git prints, with a fixed identity and no configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *words], cwd=folder, input=data, check=True, capture_output=True, env={**kept, **IDENTITY}
    )
    return done.stdout.decode()


def replaced(file: Path, *texts: tuple[str, str]) -> None:
    """Replace the first of each text; it has to be there."""
    data = file.read_bytes().decode()
    for old, new in texts:
        assert old in data, old
        data = data.replace(old, new, 1)
    file.write_bytes(data.encode())


def make_series(folder: Path) -> Series:
    """Make it below ``folder``; the work tree of the repository is at its base."""
    tree = folder / "linux"
    for name in FILES:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "fixtures/linux" / name, tree / name)
    git(tree, "init", "-q", "-b", "main")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "base")
    base = git(tree, "rev-parse", "HEAD").strip()
    replaced(tree / "mm/mprotect.c", (PLAIN, CALL.format("vma->vm_mm, end, addr, pte")))
    git(tree, "commit", "-qam", "mm/mprotect: name the range\n\nFor the sake of it.")
    replaced(
        tree / "mm/madvise.c",
        (PLAIN, CALL.format("mm, addr, end, start_pte")),
        (PLAIN, CALL.format("mm, addr, end, start_pte")),
        (PLAIN, CALL.format("mm, addr, end, start_pte")),
        (PLAIN, CALL.format("mm, addr, end, pte")),
    )
    git(tree, "commit", "-qam", "mm/madvise: name the ranges\n\nFor the sake of it.")
    mails = git(tree, "format-patch", "--stdout", "-v2", "--thread", f"--base={base}", base)
    for number in (1, 2):
        old = next(line for line in mails.split("\n") if line.startswith("Message-Id: <") and "@t" not in line)
        mails = mails.replace(old.split(" ")[1], f"<{number}@t>")
    git(tree, "checkout", "-q", base)
    mbox = folder / "v2.mbox"
    mbox.write_text(mails, encoding="utf-8")
    return Series(tree, base, mbox)
