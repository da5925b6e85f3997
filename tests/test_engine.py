"""Finding files, scanning them, working in several processes, and surviving what goes wrong."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mmlint import checker as checker_module
from mmlint import engine, files
from mmlint.checker import Checker, make_checker
from mmlint.config import Settings, UsageError
from mmlint.diagnostic import Diagnostic, Level, Skipped
from mmlint.engine import needles, run
from mmlint.facts.file import FileAnalysis, Solved
from mmlint.facts.sections import FileFacts, FunctionFacts
from mmlint.files import find_files, scan
from mmlint.kernel import load_vocabulary
from mmlint.parallel import Died, spread
from mmlint.rule import LoadedRule, Rule
from mmlint.source import Source
from mmlint.vocabulary import Vocabulary
from tests.cache_tree import BODIES, CALLS, function, make_tree, walker
from tests.samples import PLAIN, function_of, plain_section

SECTION = PLAIN.encode()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small tree, which is the current folder."""
    for name in ("mm/walk.c", "mm/walk.h", "mm/sub/deep.c", "fs/other.c"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SECTION)
    (tmp_path / "mm/notes.txt").write_bytes(SECTION)
    (tmp_path / "mm/.hidden.c").write_bytes(SECTION)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/x.c").write_bytes(SECTION)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """An analysis that finds the one section of `PLAIN`."""
    module = ModuleType("mmlint.facts.analysis")

    def analyse_file(source: Source, *_: object) -> FileFacts:
        return FileFacts(source, (function_of(source, plain_section(source)),), 1)

    def mentions_section(data: bytes, _: Vocabulary) -> bool:
        return b"lazy_mmu_mode_enable()" in data

    module.__dict__.update(analyse_file=analyse_file, mentions_section=mentions_section)
    monkeypatch.setitem(sys.modules, "mmlint.facts.analysis", module)
    yield module


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["."], ["fs/other.c", "mm/sub/deep.c", "mm/walk.c", "mm/walk.h"]),
        (["mm"], ["mm/sub/deep.c", "mm/walk.c", "mm/walk.h"]),
        (["./mm//"], ["mm/sub/deep.c", "mm/walk.c", "mm/walk.h"]),
        (["mm/walk.c", "mm", "./mm/walk.c"], ["mm/sub/deep.c", "mm/walk.c", "mm/walk.h"]),
        (["mm/notes.txt"], ["mm/notes.txt"]),
        (["mm/.hidden.c", ".git"], [".git/x.c", "mm/.hidden.c"]),
        (["mm/../fs"], ["mm/../fs/other.c"]),
    ],
)
def test_paths_are_shown_as_they_were_given(paths: list[str], expected: list[str]) -> None:
    found = find_files(paths)
    assert (list(found.files), found.skipped) == (expected, ())


def test_absolute_paths_stay_absolute(tree: Path) -> None:
    assert find_files([f"{tree}/fs/"]).files == (f"{tree}/fs/other.c",)


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("path", ["none", "mm/none.c", "mm/walk.c/x", "\0"])
def test_missing_path_is_a_usage_error(path: str) -> None:
    with pytest.raises(UsageError, match="give files or folders that exist"):
        find_files([path])
    (skipped,) = find_files(["mm", path]).skipped
    assert (skipped.path, skipped.function, skipped.line) == (path, "", 1)


def test_neither_file_nor_folder(tree: Path) -> None:
    os.mkfifo(tree / "mm/pipe.c")
    with pytest.raises(UsageError, match=r"pipe\.c: neither a file nor a folder"):
        find_files(["mm/pipe.c"])
    assert "mm/pipe.c" not in find_files(["mm"]).files


def test_links_are_followed_once_and_not_in_circles(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "out.c").write_bytes(SECTION)
    (outside / "back").symlink_to(tree)
    (outside / "self").symlink_to(outside)
    (tree / "mm/loop").symlink_to("..")
    (tree / "mm/link.c").symlink_to("walk.c")
    (tree / "mm/first").symlink_to(outside)
    (tree / "mm/second").symlink_to(outside)
    (tree / "mm/single.c").symlink_to(outside / "out.c")
    found = find_files(["."])
    assert sorted(path for path in found.files if path not in find_files(["fs"]).files) == [
        "mm/first/out.c",
        "mm/sub/deep.c",
        "mm/walk.c",
        "mm/walk.h",
    ]
    assert find_files(["fs"]).files == ("fs/other.c",)


def test_link_to_what_the_walk_leaves_out_is_followed(tree: Path) -> None:
    (tree / "fs/shown.c").symlink_to("../mm/.hidden.c")
    (tree / "fs/named.c").symlink_to("../mm/notes.txt")
    assert find_files(["."]).files[:3] == ("fs/named.c", "fs/other.c", "fs/shown.c")


def test_link_to_nothing_is_told(tree: Path) -> None:
    (tree / "mm/gone.c").symlink_to("nowhere.c")
    (tree / "mm/gone").symlink_to("nowhere")
    assert find_files(["mm"]).skipped == (Skipped("mm/gone.c", "", 1, "No such file or directory"),)


def test_scan_finds_needles_across_reads(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BUFFER", 32)
    for position in range(70):
        (tree / f"at{position}.c").write_bytes(b"." * position + b"needle" + b"." * (100 - position))
        (tree / f"no{position}.c").write_bytes(b"." * position + b"needl" + b"." * position)
    found = scan(find_files(["."]).files, (b"needle",))
    assert found.files == tuple(sorted(f"at{position}.c" for position in range(70)))


def test_scan_of_several_needles_and_empty_files(tree: Path) -> None:
    (tree / "empty.c").write_bytes(b"")
    (tree / "one.c").write_bytes(b"one")
    (tree / "two.c").write_bytes(b"two")
    assert scan(["empty.c", "one.c", "two.c"], (b"one", b"two")).files == ("one.c", "two.c")


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_scan_is_the_same_in_any_number_of_processes(
    tree: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(files, "_WORTH_SPREADING", 1)
    for position in range(40):
        (tree / f"{position:02}.c").write_bytes(b"needle" if position % 3 else b"none")
    paths = [f"{position:02}.c" for position in range(40)] + ["gone.c"]
    found = scan(paths, (b"needle",), processes)
    assert found.files == tuple(f"{position:02}.c" for position in range(40) if position % 3)
    assert found.skipped == (Skipped("gone.c", "", 1, "No such file or directory"),)


def test_needles_are_what_all_names_share() -> None:
    vocabulary = load_vocabulary()
    names = vocabulary.enters | vocabulary.leaves | vocabulary.pauses | vocabulary.resumes | vocabulary.ranged_enters
    assert all(needles("")[0] in name.encode() for name in names)
    runners = b"_page_range("
    assert all(runners in f"{applies.name}(".encode() for applies in vocabulary.applies)
    assert needles("") == needles("lazy_mmu_mode_enable_somehow") == (b"lazy_mmu_mode", runners)
    assert needles("mm_batch_begin") == (b"lazy_mmu_mode", b"mm_batch_begin", runners)


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_spread_keeps_the_order(processes: int) -> None:
    assert spread(lambda item: item * item, range(17), processes) == [item * item for item in range(17)]
    assert spread(lambda item: item, [], processes) == []


def test_death_takes_only_its_own_item() -> None:
    def work(item: int) -> int:
        if item == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert spread(work, range(6), 2) == [0, 1, 2, Died("the process that looked at it died (SIGKILL)"), 4, 5]


@pytest.mark.parametrize("processes", [1, 2])
def test_exception_takes_only_its_own_item(processes: int) -> None:
    reason = "looking at it failed: ZeroDivisionError: integer division or modulo by zero"
    assert spread(lambda item: 1 // item, [1, 0, 1, 1], processes) == [1, Died(reason), 1, 1]


def test_result_that_cannot_travel_is_a_death() -> None:
    lost = Died("the process that looked at it died (exit code 1)")
    assert spread(lambda item: (lambda: item) if item else 0, [0, 1, 0], 2) == [0, lost, 0]


@pytest.mark.usefixtures("by_hand", "tree")
def test_run_counts_what_it_saw() -> None:
    report = run(["mm"], Settings(jobs=1))
    coverage = report.coverage
    assert (coverage.files, coverage.functions, coverage.sections, coverage.skipped) == (3, 3, 3, ())
    assert [(d.path, d.rule, d.level) for d in report.diagnostics] == [
        (path, "unranged-walker", Level.NOTE) for path in ("mm/sub/deep.c", "mm/walk.c", "mm/walk.h")
    ]
    assert len({d.fingerprint for d in report.diagnostics} - {""}) == 3


@pytest.mark.usefixtures("by_hand")
def test_result_does_not_depend_on_jobs_or_order(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_WORTH_SPREADING", 1)
    expected = run(["."], Settings(jobs=1))
    assert len(expected.diagnostics) == 4
    for jobs in (2, 3, 8):
        assert run(["."], Settings(jobs=jobs)) == expected
    assert run(["mm", "fs", str(tree / ".")[len(str(tree)) :] or "."], Settings(jobs=2)) == expected


LARGE = b"".join(walker(name, call) for name, call in zip((b"walk", b"other", b"third"), CALLS, strict=False))


@pytest.mark.parametrize("jobs", [2, 3, 8])
def test_functions_of_one_file_are_shared_out(
    tree: Path, monkeypatch: pytest.MonkeyPatch, cache_home: Path, jobs: int
) -> None:
    make_tree(tree)
    (tree / "mm/near.h").write_bytes(function(b"near_one", BODIES[1], True))
    (tree / "include/linux/far.h").write_bytes(function(b"far_one", BODIES[3], True))
    (tree / "mm/walk.c").write_bytes(LARGE)
    expected = run(["mm/walk.c"], Settings(jobs=1, cache=False))
    assert expected.coverage.sections == 3
    assert {(d.rule, d.function) for d in expected.diagnostics} == {
        ("raw-pte-access", "near_one"),
        ("sleep-in-section", "other"),
        *(("unranged-walker", name) for name in ("walk", "other", "third")),
    }
    monkeypatch.setattr(engine, "WORTH_SHARING", 0)
    forks: list[int] = []
    fork = os.fork

    def counted() -> int:
        forks.append(fork())
        return forks[-1]

    monkeypatch.setattr(os, "fork", counted)
    assert run(["mm/walk.c"], Settings(jobs=jobs, cache=False)) == expected
    assert len(forks) == min(jobs, 4), "three functions, and what they have others run"
    assert run(["mm/walk.c"], Settings(jobs=jobs)) == expected
    assert cache_home.exists()
    assert run(["mm/walk.c"], Settings(jobs=1)) == expected, "from the cache"


@pytest.mark.parametrize(
    ("how", "message", "raised"),
    [
        ("raise", "the analysis failed: RecursionError: too deep", "raised in test_engine.py, fail()"),
        (
            "die",
            "the analysis failed: RuntimeError: the process that looked at it died (SIGKILL)",
            "raised in checker.py",
        ),
    ],
)
def test_a_fault_in_one_function_is_told_of_its_file(
    tree: Path, monkeypatch: pytest.MonkeyPatch, how: str, message: str, raised: str
) -> None:
    from mmlint.facts import analysis

    function, own = analysis._function, os.getpid()

    def fail(file: FileAnalysis, name: str, texts: list[Solved], audit: bool, wanted: bool) -> FunctionFacts:
        if name == "other" and how == "raise":
            raise RecursionError("too deep")
        if name == "other" and os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(file, name, texts, audit, wanted)

    (tree / "mm/walk.c").write_bytes(LARGE)
    monkeypatch.setattr(engine, "WORTH_SHARING", 0)
    monkeypatch.setattr(analysis, "_function", fail)
    report = run(["mm/walk.c"], Settings(jobs=2, cache=False))
    (crash,) = report.diagnostics
    assert (crash.rule, crash.message) == ("internal-error", message)
    assert crash.notes[0].message.startswith(raised)
    assert report.coverage.skipped == (Skipped("mm/walk.c", "", 1, "the analysis failed"),)


@pytest.mark.usefixtures("by_hand", "tree")
def test_selected_and_ignored_rules() -> None:
    assert run(["mm"], Settings(select=frozenset({"wrong-mm"}))).diagnostics == ()
    assert run(["mm"], Settings(ignore=frozenset({"unranged-walker"}))).diagnostics == ()
    assert len(run(["mm"], Settings(select=frozenset({"unranged-walker"}))).diagnostics) == 3
    with pytest.raises(UsageError, match="wrong-name: there is no such rule; `mmlint rules list` names them"):
        run(["mm"], Settings(ignore=frozenset({"wrong-name"})))


@pytest.mark.usefixtures("by_hand")
def test_file_without_section_is_read_but_not_analysed(tree: Path) -> None:
    (tree / "mm/none.c").write_bytes(b"int lazy_mmu_mode_count;\n")
    report = run(["mm/none.c"], Settings())
    assert (report.coverage.files, report.coverage.functions, report.facts) == (1, 0, ())


@pytest.mark.usefixtures("tree")
def test_crash_of_the_analysis_is_an_error_and_the_rest_goes_on(by_hand: ModuleType) -> None:
    analyse = by_hand.analyse_file

    def fail(source: Source, *given: object) -> FileFacts:
        if source.path == "mm/walk.c":
            raise RecursionError("too deep")
        facts: FileFacts = analyse(source, *given)
        return facts

    by_hand.__dict__["analyse_file"] = fail
    report = run(["mm"], Settings())
    (crash,) = (d for d in report.diagnostics if d.rule == "internal-error")
    assert (crash.path, crash.level, crash.location.line) == ("mm/walk.c", Level.ERROR, 1)
    assert crash.message == "the analysis failed: RecursionError: too deep"
    assert crash.notes[0].message.startswith("raised in test_engine.py, fail(); this is a fault of mmlint")
    assert report.coverage.skipped == (Skipped("mm/walk.c", "", 1, "the analysis failed"),)
    assert len(report.diagnostics) == 3


@pytest.mark.usefixtures("tree")
def test_death_of_the_analysis_is_an_error(by_hand: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    analyse = by_hand.analyse_file

    def die(source: Source, *given: object) -> FileFacts:
        if source.path == "mm/walk.c":
            os.kill(os.getpid(), signal.SIGKILL)
        facts: FileFacts = analyse(source, *given)
        return facts

    by_hand.__dict__["analyse_file"] = die
    monkeypatch.setattr(engine, "_WORTH_SPREADING", 1)
    report = run(["mm"], Settings(jobs=2))
    (crash,) = (d for d in report.diagnostics if d.rule == "internal-error")
    assert crash.message == "the process that looked at it died (SIGKILL)"
    assert len(report.diagnostics) == 3


def failing(_: FunctionFacts | FileFacts) -> Iterator[Diagnostic]:
    raise ZeroDivisionError("by zero")
    yield


@pytest.mark.usefixtures("by_hand", "tree")
def test_crash_of_a_rule_names_rule_and_function_and_the_others_run() -> None:
    rule = LoadedRule(
        Rule(name="bad-rule", level=Level.NOTE, summary="x"), failing, failing, "doc", Path("bad_rule.py")
    )
    rules = make_checker(Settings()).rules
    report = Checker(load_vocabulary(), (rule, *rules)).check(Source("mm/walk.c", SECTION))
    assert [d.rule for d in report.diagnostics] == ["internal-error", "unranged-walker", "internal-error"]
    crash = report.diagnostics[0]
    assert crash.message == "the rule bad-rule failed on walk(): ZeroDivisionError: by zero"
    assert (crash.level, crash.function, crash.location.line) == (Level.ERROR, "walk", 1)
    assert report.diagnostics[2].message == "the rule bad-rule failed: ZeroDivisionError: by zero"


@pytest.mark.usefixtures("by_hand", "tree")
def test_file_that_cannot_be_read_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    open_file = os.open

    def refuse(path: str, *arguments: int) -> int:
        if path == "mm/walk.c":
            raise PermissionError(13, "Permission denied")
        return open_file(path, *arguments)

    monkeypatch.setattr(os, "open", refuse)
    report = run(["mm"], Settings())
    assert report.coverage.skipped == (Skipped("mm/walk.c", "", 1, "Permission denied"),)
    assert len(report.diagnostics) == 2


def test_target_is_proposed() -> None:
    assert make_checker(Settings(target="lazy_mmu_mode_enable_with_ptes")).vocabulary.target.endswith("_with_ptes")
    assert checker_module.INTERNAL_ERROR == "internal-error"
