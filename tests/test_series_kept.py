"""What is kept of the base of a series never shows in what is told, whatever the next base is and lies in the work tree."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from mmlint.cache import NAME
from mmlint.checker import Checker, FileReport
from mmlint.cli import main
from mmlint.facts.callgraph import CallGraph
from mmlint.facts.index import Place
from mmlint.series import states
from mmlint.series.below import dump_below, load_below
from mmlint.source import Source
from tests.cache_tree import BODIES, CALLS, HEADER, RANGED, edit, function, make_tree, walker
from tests.series_samples import git

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, as the current folder."""
    folder = tmp_path / "linux"
    folder.mkdir()
    make_tree(folder)
    git(folder, "init", "-q", "-b", "main")
    keep(folder, "base")
    monkeypatch.chdir(folder)
    return folder


def keep(folder: Path, title: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", title)


def change(folder: Path, path: str, data: bytes, title: str = "change") -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)
    keep(folder, title)


def told(capsys: Capture, source: str, *words: str) -> tuple[int, str, str]:
    code = main(["series", "--format", "json", "--all", *words, source])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are judged, as they come."""
    paths: list[str] = []
    check = states._check

    def noted(source: Source, graph: CallGraph, checker: Checker, processes: int) -> FileReport:
        paths.append(source.path)
        return check(source, graph, checker, processes)

    monkeypatch.setattr(states, "_check", noted)
    return paths


@pytest.mark.parametrize("seed", range(4))
def test_any_base_is_seen_as_it_is(tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    # Seeds 1 and 3 share the functions of a file out to processes, seeds 2 and 3 the files.
    monkeypatch.setattr(states, "WORTH_SHARING", 0 if seed & 1 else 1 << 30)
    monkeypatch.setattr(states, "_WORTH_SPREADING", 0 if seed & 2 else 1 << 30)
    dice = random.Random(seed)
    said, found = [], set()
    for number in range(18):
        said.append(edit(tree, dice))
        keep(tree, f"step {number}")
        count = int(git(tree, "rev-list", "--count", "main"))
        length = min(dice.choice((1, 1, 1, 2, 3)), count - 1)
        end = dice.randrange(count - length)
        dirty = dice.random() < 0.3
        if dirty:
            said.append("not committed: " + edit(tree, dice))
        words = (f"main~{end + length}..main~{end}", "--jobs", dice.choice(("1", "3")))
        with_cache = told(capsys, *words)
        assert with_cache == told(capsys, *words, "--no-cache"), (words, said)
        found.add(with_cache[1])
        if dirty:
            git(tree, "reset", "-q", "--hard")
            git(tree, "clean", "-qfdx")
    assert len(found) > 8, "the edits changed what is found"


BASE = ["drivers/gpu/walk.c", "include/linux/pgtable.h", "mm/other.c", "mm/walk.c"]


def test_a_base_is_judged_once(tree: Path, capsys: Capture, judged: list[str]) -> None:
    change(tree, "mm/walk.c", walker(b"walk", CALLS[2]), "mm/walk: set")
    first = told(capsys, "main~1..main")
    assert sorted(judged) == sorted([*BASE, "mm/walk.c"])
    del judged[:]
    assert told(capsys, "main~1..main") == first
    assert judged == []
    change(tree, "drivers/net/plain.c", b"int other;\n", "net: another")
    told(capsys, "main~1..main")
    assert judged == [], "the state after the patch is the next base"


def test_one_patch_of_a_series_is_another_one(tree: Path, capsys: Capture, judged: list[str]) -> None:
    """What the states of a series are is kept too: a new revision has most of them."""
    change(tree, "include/linux/far.h", function(b"far_one", BODIES[5], True), "far: allocate")
    change(tree, "mm/walk.c", walker(b"walk", CALLS[2]), "mm/walk: set")
    change(tree, "mm/other.c", walker(b"other", CALLS[1]), "mm/other: far")
    told(capsys, "main~3..main")
    git(tree, "reset", "-q", "--hard", "main~1")
    change(tree, "mm/other.c", walker(b"other", CALLS[4]), "mm/other: odd")
    del judged[:]
    again = told(capsys, "main~3..main")
    assert judged == ["mm/other.c"]
    assert again == told(capsys, "main~3..main", "--no-cache")
    git(tree, "reset", "-q", "--hard", "main~1")
    change(tree, "mm/other.c", walker(b"other", CALLS[1]), "mm/other: far")
    del judged[:]
    told(capsys, "main~3..main")
    assert judged == [], "the first revision is not forgotten"


def test_a_state_is_kept_with_what_it_changed(tree: Path, capsys: Capture) -> None:
    """Of two series that rename the call, the first mends a callee that sleeps as well."""
    (tree / "include/linux/far.h").write_bytes(function(b"far_one", BODIES[3], True))
    change(tree, "include/linux/pgtable.h", HEADER + RANGED, "mm: the call, and sleep")
    git(tree, "branch", "base")
    renamed = HEADER + RANGED.replace(b"_enable_for_pte_range", b"_enable_with_ptes")
    (tree / "include/linux/far.h").write_bytes(function(b"far_one", BODIES[0], True))
    change(tree, "include/linux/pgtable.h", renamed, "mm: rename the call, and do not sleep")
    assert sleeping(capsys) == ([("sleep-in-section", 1)], 0)
    git(tree, "reset", "-q", "--hard", "base")
    change(tree, "include/linux/pgtable.h", renamed, "mm: rename the call")
    assert sleeping(capsys) == ([("sleep-in-section", None)], 1)


def sleeping(capsys: Capture) -> tuple[list[tuple[str, int | None]], int]:
    """What is told of a sleeping callee, with the patch that repairs it; and how much of that is there at the end."""
    found = json.loads(told(capsys, "base..main")[1])["diagnostics"]
    found = [finding for finding in found if "might_sleep()" in finding["message"]]
    return [(f["rule"], f["repaired_by"]) for f in found], sum(f["final"] is not None for f in found)


@pytest.mark.parametrize(
    ("header", "again"),
    [
        (HEADER + b"int unrelated(void);\n", ["include/linux/pgtable.h"]),
        (HEADER + b"static inline void set_pte_at(void) {}\n", ["include/linux/pgtable.h", "mm/walk.c"]),
        (HEADER.replace(b"lazy_mmu_mode_enable", b"arch_enter_lazy_mmu_mode"), [*BASE]),
    ],
    ids=["something else", "what one section calls", "another generation"],
)
def test_of_the_header_only_what_it_declares_is_asked(
    tree: Path, capsys: Capture, judged: list[str], header: bytes, again: list[str]
) -> None:
    change(tree, "mm/walk.c", walker(b"walk", CALLS[2]), "mm/walk: set")
    change(tree, "drivers/net/plain.c", b"int other;\n", "net: another")
    told(capsys, "main~1..main")
    change(tree, "include/linux/pgtable.h", header, "mm: the header")
    del judged[:]
    found = told(capsys, "main~1..main")
    assert sorted(judged) == sorted(again)
    assert found == told(capsys, "main~1..main", "--no-cache")


@pytest.mark.parametrize(
    ("path", "data", "again"),
    [
        ("drivers/net/plain.c", b"int other;\n", []),
        ("lib/unrelated.c", function(b"unrelated", BODIES[1], False), []),
        ("include/linux/far.h", function(b"far_one", BODIES[2], True), ["mm/walk.c"]),
        ("mm/deep.c", function(b"deep_one", BODIES[1], False), ["mm/other.c"]),
        ("lib/deep.c", function(b"deep_one", BODIES[1], False), ["mm/other.c"]),
        ("drivers/gpu/near.h", function(b"near_one", BODIES[1], True), ["drivers/gpu/walk.c"]),
        ("drivers/gpu/again.h", function(b"near_one", BODIES[1], True), ["drivers/gpu/walk.c"]),
        ("mm/other.c", walker(b"other", CALLS[0]), ["mm/other.c"]),
        ("fs/walk.c", walker(b"fs_walk", CALLS[3]), ["fs/walk.c"]),
    ],
)
def test_what_another_base_changes_is_judged_again(
    tree: Path, capsys: Capture, judged: list[str], path: str, data: bytes, again: list[str]
) -> None:
    """The next base has a commit more; of the base, only what that commit concerns is looked at."""
    git(tree, "checkout", "-q", "-b", "series")
    change(tree, "drivers/net/plain.c", b"int plain; /* of the series */\n", "net: a comment")
    told(capsys, "series~1..series")
    git(tree, "checkout", "-q", "main")
    change(tree, path, data, "another base")
    git(tree, "checkout", "-q", "-b", "again")
    change(tree, "drivers/net/more.c", b"int more;\n", "net: more")
    del judged[:]
    with_cache = told(capsys, "again~1..again")
    assert judged == again
    assert with_cache == told(capsys, "again~1..again", "--no-cache")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_definition_that_is_gone_is_missed(
    tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    monkeypatch.setattr(states, "WORTH_SHARING", 0)
    monkeypatch.setattr(states, "_WORTH_SPREADING", 1 << 30)
    steps: list[tuple[str, bytes | None, bool]] = [
        ("lib/deep.c", function(b"deep_one", BODIES[3], False), True),
        ("lib/deep.c", None, False),
        ("include/linux/far.h", function(b"deep_one", BODIES[3], True), True),
    ]
    for number, (path, data, sleeps) in enumerate(steps):
        if data is None:
            (tree / path).unlink()
            keep(tree, "another base")
        else:
            change(tree, path, data, "another base")
        change(tree, "drivers/net/plain.c", b"int more%d;\n" % number)
        assert ("it comes to might_sleep()" in told(capsys, "main~1..main", "--jobs", jobs)[1]) is sleeps


TABLE = b"""\
int quiet(pte_t *ptep)
{
	return pte_none(ptep_get(ptep));
}
int loud(pte_t *ptep)
{
	might_sleep();
	return 0;
}
static const struct ops table = {
	.fn = NAME,
};
int deep_one(pte_t *ptep)
{
	return table.fn(ptep);
}
"""


def test_a_table_that_holds_another_function_is_seen(tree: Path, capsys: Capture, judged: list[str]) -> None:
    steps = [
        (TABLE.replace(b"NAME", b"quiet"), ["mm/other.c"], False),
        (TABLE.replace(b"NAME", b"quiet") + b"/* below */\n", [], False),
        (TABLE.replace(b"NAME", b"loud") + b"/* below */\n", ["mm/other.c"], True),
    ]
    for number, (data, again, sleeps) in enumerate(steps):
        change(tree, "mm/deep.c", data, "another base")
        change(tree, "drivers/net/plain.c", b"int more%d;\n" % number)
        del judged[:]
        found = told(capsys, "main~1..main")[1]
        assert ("it comes to might_sleep()" in found) is sleeps
        assert [path for path in judged if path == "mm/other.c"] == again


# What moves all that follows by more than its size.
LONG = b"/*\n" + b" * A long comment.\n" * 60 + b" */\n"
QUIET, SLEEPS, BACK = BODIES[0], BODIES[3], BODIES[-1]
# As long as what sleeps.
SLEEK = SLEEPS.replace(b"might_sleep", b"might_sleek")
DEEP = function(b"deep_one", BACK, False)
MAY = b"int deep_one(int more, pte_t *ptep)\n{\n\tif (more)\n\t\tback_one(ptep);\n\treturn 0;\n}\n"


def _back(body: bytes, inline: bool = False) -> bytes:
    return function(b"back_one", body, inline)


def _other(*more: bytes) -> bytes:
    """The file with the section: it calls deep_one(), and that calls back_one()."""
    return b"".join((*more, walker(b"other", CALLS[3])))


def _may(more: int) -> bytes:
    """The same, where what deep_one() is told decides."""
    return walker(b"other", b"deep_one(%d, pte);" % more)


def _sleeps_at_the_end(told: str) -> bool:
    found = json.loads(told)["diagnostics"]
    return any("it comes to might_sleep()" in f["message"] and f["final"] is not None for f in found)


def _gpu(body: bytes) -> bytes:
    """A header in a folder whose headers are looked for by the files there alone."""
    return function(b"near_one", body, True)


@pytest.mark.parametrize(
    ("before", "after", "sleeps"),
    [
        ({"mm/other.c": _other()}, {"mm/other.c": _other(LONG)}, False),
        ({"mm/other.c": _other()}, {"mm/other.c": _other(LONG, _back(SLEEPS))}, True),
        ({"mm/other.c": _other(_back(QUIET))}, {"mm/other.c": _other(LONG, _back(SLEEPS))}, True),
        ({"mm/other.c": _other(_back(SLEEK))}, {"mm/other.c": _other(_back(SLEEPS))}, True),
        ({"mm/other.c": _other(_back(SLEEPS))}, {"mm/other.c": _other(LONG, _back(SLEEPS))}, True),
        ({"mm/other.c": _other(_back(SLEEPS))}, {"mm/other.c": _other(LONG, _back(QUIET))}, False),
        ({"mm/other.c": _other()}, {"mm/other.c": _other(LONG), "mm/deep.c": LONG + DEEP}, False),
        (
            {"mm/other.c": _other()},
            {"mm/other.c": _other(LONG), "mm/deep.c": LONG + function(b"deep_one", SLEEPS, False)},
            True,
        ),
        (
            {"mm/other.c": _other(), "mm/back.c": _back(SLEEPS)},
            {"mm/other.c": _other(LONG), "mm/back.c": LONG + _back(SLEEPS)},
            True,
        ),
        (
            {"mm/deep.c": MAY, "mm/other.c": _may(0), "mm/back.c": _back(SLEEPS)},
            {"mm/other.c": _may(1), "mm/back.c": LONG + _back(SLEEPS)},
            True,
        ),
        (
            {"mm/deep.c": MAY, "mm/other.c": _may(0) + _back(SLEEPS)},
            {"mm/other.c": LONG + _may(1) + _back(SLEEPS)},
            True,
        ),
        ({"mm/other.c": _other()}, {"mm/other.c": _other(LONG), "mm/near.h": _back(SLEEPS, True)}, True),
        ({"mm/other.c": _other()}, {"mm/other.c": _other(LONG), "mm/back.c": _back(SLEEPS)}, True),
        ({"mm/other.c": _other(_back(QUIET))}, {"mm/other.c": _other(LONG), "mm/back.c": _back(SLEEPS)}, True),
        (
            {"drivers/gpu/near.h": _gpu(BACK), "drivers/gpu/late.h": b"int late;\n"},
            {"drivers/gpu/walk.c": LONG + walker(b"drive", CALLS[0]), "drivers/gpu/late.h": _back(SLEEPS, True)},
            True,
        ),
        (
            {"drivers/gpu/near.h": _gpu(BACK)},
            {"drivers/gpu/walk.c": LONG + walker(b"drive", CALLS[0]), "drivers/gpu/late.h": _back(SLEEPS, True)},
            True,
        ),
        (
            {"drivers/gpu/near.h": _gpu(BACK), "drivers/gpu/walk.h": walker(b"drive", CALLS[0])},
            {"drivers/gpu/walk.h": walker(b"drive", CALLS[0]) + _back(SLEEPS, True)},
            True,
        ),
    ],
)
def test_what_lies_below_another_version_of_a_file_is_that_of_its_state(
    tree: Path, capsys: Capture, before: dict[str, bytes], after: dict[str, bytes], sleeps: bool
) -> None:
    def written(files: dict[str, bytes], title: str) -> None:
        for path, data in files.items():
            (tree / path).write_bytes(data)
        keep(tree, title)

    written({"mm/deep.c": DEEP, **before}, "mm: a version")
    change(tree, "drivers/net/plain.c", b"int more;\n")
    told(capsys, "main~1..main")
    written(after, "mm: another version")
    found = told(capsys, "main~1..main")
    assert _sleeps_at_the_end(found[1]) is sleeps
    assert found == told(capsys, "main~1..main", "--no-cache")
    # What was found for the other version rests on what lay below the first.
    quiet = {"mm/deep.c": function(b"deep_one", QUIET, False), "drivers/gpu/near.h": _gpu(QUIET)}
    written(quiet if sleeps else {"mm/back.c": _back(SLEEPS)}, "mm: below")
    change(tree, "drivers/net/plain.c", b"int most;\n")
    found = told(capsys, "main~1..main")
    assert _sleeps_at_the_end(found[1]) is not sleeps
    assert found == told(capsys, "main~1..main", "--no-cache")


def test_what_lies_below_goes_by_the_version_of_each_file() -> None:
    """Between the version that was looked at and the one that is asked for may be states in which a report held."""
    deep, back, far = (Place(f"mm/{name}.c", name, 0, 80) for name in ("deep", "back", "far"))
    below = {deep: (1, (back,)), back: (1, ()), far: (2, (deep,))}
    data = dump_below(below, {"mm/deep.c": "1", "mm/back.c": "2", "mm/far.c": None}.get)
    assert load_below(data, {"mm/deep.c": "1", "mm/back.c": "2"}.get) == below
    assert load_below(data, {"mm/deep.c": "1", "mm/back.c": "3"}.get) == {far: (2, (deep,))}
    assert load_below(data, {"mm/deep.c": "2", "mm/back.c": "2"}.get) == {back: (1, ())}


def test_what_lies_below_another_version_of_a_file_is_not_looked_for_again(
    tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tree, "drivers/net/plain.c", b"int more;\n")
    told(capsys, "main~1..main")
    change(tree, "mm/other.c", _other(LONG), "mm: another version")
    looked: list[str] = []
    look = CallGraph._own_interest

    def noted(self: CallGraph, place: Place) -> int:
        looked.append(place.name)
        return look(self, place)

    monkeypatch.setattr(CallGraph, "_own_interest", noted)
    told(capsys, "main~1..main", "--jobs", "1")
    assert "deep_one" not in looked
    told(capsys, "main~1..main", "--jobs", "1", "--no-cache")
    assert "deep_one" in looked


def test_a_walker_that_is_gone_is_not_told(tree: Path, capsys: Capture) -> None:
    change(tree, "drivers/net/plain.c", b"int more;\n")
    assert "mm/other.c" in told(capsys, "main~1..main")[1]
    (tree / "mm/other.c").unlink()
    keep(tree, "mm: gone")
    change(tree, "drivers/net/plain.c", b"int most;\n")
    assert "mm/other.c" not in told(capsys, "main~1..main")[1]


def _modified(tree: Path) -> None:
    (tree / "mm/walk.c").write_bytes(walker(b"walk", CALLS[2]))
    (tree / "include/linux/far.h").write_bytes(function(b"far_one", BODIES[3], True))
    (tree / "mm/untracked.c").write_bytes(walker(b"untracked", CALLS[0]))


def _without_walkers(tree: Path) -> None:
    for path in ("mm/walk.c", "mm/other.c"):
        (tree / path).write_bytes(b"int nothing;\n")


def _assumed(tree: Path) -> None:
    git(tree, "update-index", "--assume-unchanged", "mm/walk.c")
    (tree / "mm/walk.c").write_bytes(b"int nothing;\n")


def _skipped(tree: Path) -> None:
    git(tree, "update-index", "--skip-worktree", "mm/walk.c", "include/linux/far.h")
    (tree / "mm/walk.c").unlink()
    (tree / "include/linux/far.h").write_bytes(b"\n")


def _gone(tree: Path) -> None:
    (tree / "mm/walk.c").unlink()
    (tree / "include/linux/far.h").unlink()


def _odd(tree: Path) -> None:
    """What stands where files should."""
    for path in ("mm/walk.c", "mm/other.c", "include/linux/far.h"):
        (tree / path).unlink()
    os.mkfifo(tree / "mm/walk.c")
    (tree / "mm/other.c").symlink_to("/dev/zero")
    (tree / "include/linux/far.h").mkdir()


def _elsewhere(tree: Path) -> None:
    git(tree, "checkout", "-q", "main~1")


def _converted(tree: Path) -> None:
    git(tree, "config", "core.autocrlf", "true")
    for path in ("mm/walk.c", "include/linux/far.h"):
        (tree / path).unlink()
    git(tree, "checkout", "-q", "--", ".")
    assert b"\r\n" in (tree / "mm/walk.c").read_bytes()


def _split(tree: Path) -> None:
    git(tree, "update-index", "--split-index")
    _modified(tree)


def _no_index(tree: Path) -> None:
    (tree / ".git/index").write_bytes(b"no index")
    _without_walkers(tree)


@pytest.mark.parametrize(
    "spoil",
    [
        _modified,
        _without_walkers,
        _assumed,
        _skipped,
        _gone,
        _odd,
        _elsewhere,
        _converted,
        _split,
        _no_index,
    ],
)
def test_the_work_tree_is_only_a_copy(tree: Path, capsys: Capture, spoil: Callable[[Path], None]) -> None:
    change(tree, "drivers/net/plain.c", b"int more;\n")
    wanted = told(capsys, "main~1..main", "--no-cache")
    assert wanted[1].count("drivers/gpu/walk.c") and wanted[1].count("mm/walk.c")
    spoil(tree)
    index = (tree / ".git/index").read_bytes()
    assert told(capsys, "main~1..main", "--no-cache") == wanted
    assert told(capsys, "main~1..main") == wanted
    assert told(capsys, "main~1..main") == wanted, "what was kept"
    assert (tree / ".git/index").read_bytes() == index


def test_a_bare_repository_has_no_work_tree(tree: Path, capsys: Capture) -> None:
    change(tree, "drivers/net/plain.c", b"int more;\n")
    git(tree, "format-patch", "-q", "-o", "../out", "main~1")
    git(tree.parent, "clone", "-q", "--bare", str(tree), "bare.git")
    (patch,) = (tree.parent / "out").iterdir()
    results = []
    for where in (str(tree), str(tree.parent / "bare.git")):
        code, out, _ = told(capsys, str(patch), "--tree", where)
        results.append((code, out.replace(where, "TREE")))
    assert results[0] == results[1]


@pytest.mark.parametrize("data", [b"", b"nothing", b"\xe9" * 40])
def test_what_was_kept_and_cannot_be_read_is_made_anew(
    tree: Path, capsys: Capture, cache_home: Path, data: bytes
) -> None:
    from mmlint.cache import _digest

    change(tree, "mm/walk.c", walker(b"walk", CALLS[2]))
    wanted = told(capsys, "main~1..main")
    connection = sqlite3.connect(cache_home / "mmlint/results" / NAME)
    rows = connection.execute("SELECT kind, key FROM results").fetchall()
    assert {kind for kind, _ in rows} >= {"series", "names"}
    for kind, key in rows:
        words = "UPDATE results SET digest = ?, data = ? WHERE kind = ? AND key = ?"
        connection.execute(words, (_digest(kind, key, data), data, kind, key))
    connection.commit()
    connection.close()
    assert told(capsys, "main~1..main") == wanted


def test_nothing_is_kept_for_rules_from_elsewhere(tree: Path, capsys: Capture, cache_home: Path) -> None:
    change(tree, "mm/walk.c", walker(b"walk", CALLS[2]))
    (tree.parent / "rules").mkdir()
    told(capsys, "main~1..main", "--rules", str(tree.parent / "rules"))
    assert not (cache_home / "mmlint/results" / NAME).exists()
