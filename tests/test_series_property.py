"""Any series gives, after its last patch, what a check of the final tree gives, and leaves everything as it was.

Random edits of the sample tree are cut into patches, mailed in random encodings and order, and checked. A few examples
run always; MMLINT_SERIES_EXAMPLES=1000 asks for more.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic
from mmlint.engine import Report, run
from mmlint.series.model import SERIES_RULES
from tests.series_samples import LINUX, MPROTECT, PLAIN, SWAPPED, checked, git, mbox, recoded, repository

EXAMPLES = int(os.environ.get("MMLINT_SERIES_EXAMPLES", "12"))
FILES = sorted(str(p.relative_to(LINUX)) for p in LINUX.rglob("*.[ch]") if "asm/" not in str(p))
ENCODINGS = ("8bit", "quoted-printable", "quoted-printable-crlf", "base64", "base64-crlf", "crlf")
SNIPPETS = (
    "",
    "\t/* a comment: lazy_mmu_mode_enable() */",
    "\tlazy_mmu_mode_enable();",
    "\tlazy_mmu_mode_disable();",
    "\tpte++;",
    "\taddr += PAGE_SIZE;",
    "\tif (!pte)\n\t\treturn -EINVAL;",
    "\tcond_resched();",
    "\tspin_unlock(ptl);",
    "}",
    "{",
    "#ifdef CONFIG_X",
    "#endif",
    MPROTECT.rstrip("\n"),
    SWAPPED.rstrip("\n"),
    "\tlazy_mmu_mode_enable_with_ptes(mm, addr, end, pte);",
    "static void walk_\u00fc(void) {}",
    "From nobody Mon Sep 17 00:00:00 2001",
    "From here on",
    "-- ",
    "diff --git a/x b/x",
    "@@ -1 +1 @@",
    "x" * 1200,
)
REPLACED = (
    (PLAIN, MPROTECT),
    (PLAIN, SWAPPED),
    ("lazy_mmu_mode_enable", "lazy_mmu_mode_enable_with_ptes"),
    ("_for_pte_range", "_with_ptes"),
    ("_pte_range(", "_pte_walk("),
    ("\tlazy_mmu_mode_disable();\n", ""),
    ("start_pte", "pte"),
    ("pmd_addr_end", "min"),
)
file_edits = st.one_of(
    st.tuples(st.just("insert"), st.sampled_from(FILES), st.integers(0, 10_000), st.sampled_from(SNIPPETS)),
    st.tuples(st.just("delete"), st.sampled_from(FILES), st.integers(0, 10_000), st.integers(1, 6)),
    st.tuples(st.just("replace"), st.sampled_from(FILES), st.sampled_from(REPLACED), st.integers(1, 3)),
    st.tuples(
        st.just("rename"),
        st.sampled_from(FILES),
        st.sampled_from(("mm/new.c", "fs/new.c", "include/linux/new.h")),
        st.none(),
    ),
    st.tuples(st.just("remove"), st.sampled_from(FILES), st.none(), st.none()),
    st.tuples(st.just("cut the last newline"), st.sampled_from(FILES), st.none(), st.none()),
)
steps = st.lists(st.lists(file_edits, min_size=1, max_size=4), min_size=1, max_size=5)


def edit(folder: Path, kind: str, path: str, what: object, more: object) -> None:
    """One edit of the work tree; none where the file is gone."""
    place = folder / path
    if not place.is_file():
        return
    text = place.read_text(encoding="utf-8")
    lines = text.split("\n")
    if kind == "insert":
        assert isinstance(what, int) and isinstance(more, str)
        at = what % (len(lines) + 1)
        lines[at:at] = more.split("\n")
        place.write_text("\n".join(lines), encoding="utf-8")
    elif kind == "delete":
        assert isinstance(what, int) and isinstance(more, int)
        at = what % len(lines)
        del lines[at : at + more]
        place.write_text("\n".join(lines), encoding="utf-8")
    elif kind == "replace":
        assert isinstance(what, tuple) and isinstance(more, int)
        place.write_text(text.replace(what[0], what[1], more), encoding="utf-8")
    elif kind == "rename":
        target = folder / str(what)
        target.parent.mkdir(parents=True, exist_ok=True)
        place.rename(target)
    elif kind == "remove":
        place.unlink()
    else:
        place.write_text(text.rstrip("\n"), encoding="utf-8")


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("property") / "linux")


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def essence(report: Report) -> tuple[object, ...]:
    """All that is said of a tree."""
    sections = [
        (file.source.path, function.name, section.call, section.kind, section.verdict, section.reason, section.proposal)
        for file in report.facts
        for function in file.functions
        for section in function.sections
    ]
    return (report.diagnostics, tuple(sections), report.coverage.skipped)


def identity(diagnostic: Diagnostic) -> tuple[object, ...]:
    """A finding without its fingerprint, which is that of its first state."""
    return (diagnostic.path, diagnostic.location, diagnostic.rule, diagnostic.function, diagnostic.message)


def stamps(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Size, time and mode of everything in a folder."""
    found = {}
    for place in folder.rglob("*"):
        status = place.lstat()
        found[str(place)] = (status.st_size if place.is_file() else 0, status.st_mtime_ns, status.st_mode)
    return found


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 100,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps, seed=st.randoms(use_true_random=False), plain=st.booleans())
def test_last_state_is_the_final_tree(
    linux: Path, steps: list[list[tuple[str, str, object, object]]], seed: object, plain: bool
) -> None:
    import random

    assert isinstance(seed, random.Random)
    work = Path(tempfile.mkdtemp(prefix="property-", dir=linux.parent))
    try:
        git(linux, "checkout", "-q", "-f", "base")
        git(linux, "clean", "-qfdx")
        for number, edits in enumerate(steps):
            for kind, path, what, more in edits:
                edit(linux, kind, path, what, more)
            git(linux, "add", "-A")
            if git(linux, "diff", "--cached", "--raw"):
                git(linux, "commit", "-q", "-m", f"mm: step {number}\n\nFrom here on.")
        if git(linux, "rev-parse", "HEAD") == git(linux, "rev-parse", "base"):
            return
        # The tree as it is in the end, checked by itself.
        shutil.copytree(linux, work / "final", ignore=shutil.ignore_patterns(".git"))
        with inside(work / "final"):
            wanted = run(["."], Settings(jobs=1, cache=False))
        names = git(linux, "format-patch", "-o", str(work / "out"), "--binary", "base").split()
        mails = [recoded(Path(name).read_bytes(), seed.choice(ENCODINGS)) for name in names]
        git(linux, "checkout", "-q", "-f", "base")
        seed.shuffle(mails)
        (work / "series.mbox").write_bytes(mbox(mails, seed.choice(("git", "mboxrd", "b4"))))
        tree = linux
        if plain:
            tree = work / "plain"
            shutil.copytree(LINUX, tree)
        temporary = work / "temporary"
        temporary.mkdir()
        old, tempfile.tempdir = tempfile.tempdir, str(temporary)
        before = stamps(linux.parent)
        try:
            with inside(work), checked(work / "series.mbox", tree, Settings(jobs=1, cache=False)) as report:
                assert len(report.patches) == len(names)
                assert report.base.unseen == ()
                assert essence(report.final) == essence(wanted)
                # Every finding of the last state is told once, and nothing else is said to be there.
                followed = [f.final for f in report.findings if f.final and f.diagnostic.rule not in SERIES_RULES]
                assert sorted(map(identity, followed)) == sorted(map(identity, wanted.diagnostics))
        finally:
            tempfile.tempdir = old
        after = stamps(linux.parent)
        assert after.pop(str(temporary)) and before.pop(str(temporary))
        assert after == before
    finally:
        shutil.rmtree(work, ignore_errors=True)
