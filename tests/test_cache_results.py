"""With the cache, what is found is what is found without it, whatever happens to the files in between."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from mmlint import checker, engine, files, remembered
from mmlint.cache import open_cache
from mmlint.cli import main
from mmlint.disk import DiskTree
from mmlint.recorded import RecordedTree
from mmlint.source import Source
from tests.cache_tree import BODIES, CALLS, SIZE, edit, function, make_tree, walker

Capture = pytest.CaptureFixture[str]
COMMANDS = (["check", "--format", "json"], ["sections", "--format", "json"], ["check", "-q"], ["fix", "--unsafe"])
# The clock of a file system on Linux ticks every 10 ms at most.
TICK = 0.02


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small tree, whose files are remembered as those of a large one are, and soon after they were written."""
    make_tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "_WORTH_REMEMBERING", 0)
    monkeypatch.setattr(remembered, "_TICK", int(TICK * 1e9))
    return tmp_path


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are judged, as they come."""
    paths: list[str] = []
    check = checker.Checker.check

    def noted(self: checker.Checker, source: Source, processes: int = 1) -> checker.FileReport:
        paths.append(source.path)
        return check(self, source, processes=processes)

    monkeypatch.setattr(checker.Checker, "check", noted)
    return paths


def settled() -> None:
    """Wait until what was written is older than the clock of the file system is coarse."""
    time.sleep(2 * TICK)


def output(capsys: Capture, *words: str) -> tuple[int, str, str]:
    code = main([*words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("seed", range(4))
def test_any_edit_is_seen(tree: Path, capsys: Capture, seed: int) -> None:
    dice = random.Random(seed)
    told, found = [], set()
    for step in range(25):
        told.append(edit(tree, dice) if step else "made")
        if dice.random() < 0.7:
            settled()
        command = dice.choice(COMMANDS)
        paths = dice.choice((["."], ["."], ["mm"], ["mm/walk.c"]))
        if not all(Path(path).exists() for path in paths):
            continue
        with_cache = output(capsys, *command, *paths)
        assert with_cache == output(capsys, *command, "--no-cache", *paths), told
        found.add(with_cache)
    assert len(found) > 8, "the edits changed what is found"


def test_nothing_is_judged_twice(tree: Path, capsys: Capture, judged: list[str]) -> None:
    settled()
    first = output(capsys, "check", "--format", "json", ".")
    assert sorted(judged) == ["drivers/gpu/walk.c", "include/linux/pgtable.h", "mm/other.c", "mm/walk.c"]
    del judged[:]
    assert output(capsys, "check", "--format", "json", ".") == first
    assert judged == []
    (tree / "mm/walk.c").touch()
    assert output(capsys, "check", "--format", "json", ".") == first
    assert judged == [], "the content counts"
    assert output(capsys, "check", "-q", "mm/walk.c")[0] == 0
    assert judged == [], "the same file alone"
    output(capsys, "check", "-q", "--select", "wrong-mm", "mm/walk.c")
    output(capsys, "check", "-q", f"{tree}/mm/walk.c")
    assert judged == ["mm/walk.c", f"{tree}/mm/walk.c"], "other rules, another path"


@pytest.mark.parametrize(
    ("path", "name", "judges"),
    [
        ("include/linux/far.h", b"far_one", "mm/walk.c"),
        ("mm/deep.c", b"deep_one", "mm/other.c"),
        ("drivers/gpu/near.h", b"near_one", "drivers/gpu/walk.c"),
    ],
)
def test_a_callee_in_another_file_counts(
    tree: Path, capsys: Capture, judged: list[str], path: str, name: bytes, judges: str
) -> None:
    output(capsys, "check", "--format", "json", ".")
    del judged[:]
    text = function(name, BODIES[3], path.endswith(".h"))
    (tree / path).write_bytes(text)
    _, found, _ = output(capsys, "check", "-q", ".")
    assert judges in judged
    assert "might_sleep() may sleep while" in found or "it comes to might_sleep()" in found


def test_a_header_that_is_added_beside_a_file_counts(tree: Path, capsys: Capture) -> None:
    (tree / "drivers/gpu/walk.c").write_bytes(walker(b"drive", b"odd(pte);"))
    _, before, _ = output(capsys, "check", "-q", ".")
    assert "might_sleep" not in before
    (tree / "drivers/gpu/odd.h").write_bytes(function(b"odd", BODIES[3], True))
    _, after, _ = output(capsys, "check", "-q", ".")
    assert "odd() may sleep while lazy MMU mode is on: it comes to might_sleep()" in after


def test_a_file_that_changes_while_mmlint_runs_is_relied_upon_by_nothing(tree: Path) -> None:
    with open_cache() as cache:
        recorded = RecordedTree(DiskTree(str(tree)), str(tree), ("include/linux", "mm"), cache)
        assert {"mm/deep.c", "include/linux/far.h"} < set(recorded.state.paths)
        recorded.read("mm/deep.c")
        assert recorded.log == {}
        before = (tree / "mm/deep.c").read_bytes()
        (tree / "mm/deep.c").write_bytes(b"int other;\n")
        recorded.read("mm/deep.c")
        assert not recorded.answers(recorded.log)
        (tree / "mm/deep.c").write_bytes(before)
        again = RecordedTree(DiskTree(str(tree)), str(tree), ("include/linux", "mm"), cache)
        assert again.state.signature == recorded.state.signature
        assert not again.answers(recorded.log)


def test_what_was_asked_of_a_tree_is_asked_again(tree: Path) -> None:
    with open_cache() as cache:
        recorded = RecordedTree(DiskTree(str(tree)), str(tree), ("mm",), cache)
        recorded.read("include/linux/far.h")
        recorded.files("drivers/gpu")
        recorded.search((b"near_one", b"deep_one"))
        with pytest.raises(FileNotFoundError):
            recorded.read("none.h")
        log = recorded.log
        assert len(log) == 4

        def holds() -> bool:
            return RecordedTree(DiskTree(str(tree)), str(tree), ("mm",), cache).answers(log)

        assert holds()
        changes = {
            "none.h": b"",
            "include/linux/far.h": b"int far;\n",
            "drivers/gpu/new.c": b"int x;\n",
            "fs/new.c": b"near_one",
        }
        for path, data in changes.items():
            old = (tree / path).read_bytes() if (tree / path).exists() else None
            (tree / path).parent.mkdir(exist_ok=True)
            (tree / path).write_bytes(data)
            assert not holds(), path
            (tree / path).unlink()
            if old is not None:
                (tree / path).write_bytes(old)
            assert holds(), path


def test_a_section_in_a_file_that_had_none_is_seen_at_once(tree: Path, capsys: Capture) -> None:
    settled()
    output(capsys, "check", "-q", ".")
    plain = tree / "drivers/net/plain.c"
    before = plain.stat()
    plain.write_bytes(walker(b"added", CALLS[2]).ljust(SIZE - 1) + b"\n")
    os.utime(plain, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = plain.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    _, found, _ = output(capsys, "sections", "-q", ".")
    assert "drivers/net/plain.c" in found


def test_explain_and_graph_take_what_was_kept(tree: Path, capsys: Capture, judged: list[str]) -> None:
    words = (["explain", "mm/walk.c:12"], ["graph", "mm/walk.c:12"])
    settled()
    fresh = [output(capsys, *command, "--no-cache") for command in words]
    assert "walk()" in fresh[0][1]
    assert "far_one" in fresh[1][1]
    assert [output(capsys, *command) for command in words] == fresh
    assert len(judged) == 4
    assert [output(capsys, *command) for command in words] == fresh
    assert len(judged) == 4
    (tree / "include/linux/far.h").write_bytes(function(b"far_one", BODIES[1], True))
    assert output(capsys, *words[1])[1] != fresh[1][1]


def test_what_was_just_written_is_not_relied_upon(tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_TICK", 3_600_000_000_000)
    output(capsys, "check", "-q", ".")
    looked: list[int] = []
    scan = files.scan

    def counted(paths: Sequence[str], needles: tuple[bytes, ...], processes: int = 1) -> files.Found:
        looked.append(len(paths))
        return scan(paths, needles, processes)

    monkeypatch.setattr(remembered, "scan", counted)
    output(capsys, "check", "-q", ".")
    assert looked == [sum(1 for _ in tree.rglob("*.[ch]"))]
