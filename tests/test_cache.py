"""The file of the cache: whatever happens to it, a run finds what it would find without one, and says nothing but a note."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mmlint import cache, cache_key
from mmlint.cache import NAME, Cache, cache_folder, open_cache
from mmlint.cli import main
from tests.cache_tree import make_tree
from tests.test_architecture import loaded_by

ROOT = Path(__file__).resolve().parent.parent
Capture = pytest.CaptureFixture[str]
NOTE = "mmlint: note: the cache could not be read; it is made anew\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small tree, which is the current folder."""
    make_tree(tmp_path / "tree")
    monkeypatch.chdir(tmp_path / "tree")
    return tmp_path / "tree"


def found(capsys: Capture, *words: str) -> tuple[int, str]:
    """Exit code and output of a check that has nothing to say on standard error."""
    code = main(["check", "--format", "json", *words, "."])
    shown = capsys.readouterr()
    assert shown.err == ""
    return code, shown.out


def kept() -> dict[str, int]:
    """How many results of each kind there are."""
    with open_cache() as opened:
        return {kind: count for kind, count, _ in opened.info().kinds}


def file() -> Path:
    folder = cache_folder()
    assert folder
    return Path(folder) / NAME


# ------------------------------------------------------------ what is kept


def test_what_is_put_is_found_by_the_next_run_and_no_other_key() -> None:
    with open_cache() as first:
        first.put("report", b"one", b"\0data\xff")
        assert first.get("report", b"one") == b"\0data\xff"
        assert first.get("scan", b"one") is None
    with open_cache() as second:
        assert second.get("report", b"one") == b"\0data\xff"
        assert second.get("report", b"two") is None
        second.put("report", b"one", b"new")
    with open_cache() as third:
        assert (third.get("report", b"one"), third.info().kinds) == (b"new", (("report", 1, 3),))


def test_folder_and_file_are_the_users_alone(cache_home: Path) -> None:
    before = os.umask(0)
    try:
        with open_cache() as opened:
            opened.put("report", b"one", b"data")
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (cache_home / "mmlint", file().parent, file())]
    assert modes == [0o700, 0o700, 0o600]


def test_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 4000)
    for number in range(6):
        monkeypatch.setattr(time, "time", lambda now=number: 1e9 + now * 200_000.0)
        with open_cache() as opened:
            # Who asks for it keeps it.
            assert opened.get("report", b"0") == (b"0" * 999 if number else None)
            opened.put("report", b"%d" % number, b"%d" % number * 999)
    with open_cache() as opened:
        assert [n for n in range(6) if opened.get("report", b"%d" % n)] == [0, 3, 4, 5]


def test_what_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 4000)
    with open_cache() as opened:
        opened.put("report", b"large", bytes(1000))
        opened.put("report", b"small", bytes(999))
    with open_cache() as opened:
        assert (opened.get("report", b"large"), opened.get("report", b"small")) == (None, bytes(999))


def test_another_version_finds_nothing(tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    del tree
    first = found(capsys)
    assert kept()["report"] == 4
    monkeypatch.setattr(cache_key, "version", lambda: b"another")
    assert found(capsys) == first
    assert kept()["report"] == 8


def test_version_is_made_of_all_sources_and_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = {Path(path).relative_to(ROOT).as_posix() for path in cache_key._sources()}
    assert {"mmlint/facts/chains.py", "rules/wrong_mm.py", "rules/kernel/calls.toml"} <= names
    rule = tmp_path / "rule.py"
    rule.write_bytes(b"a = 1\n")
    monkeypatch.setattr(cache_key, "_sources", lambda: [str(rule)])
    one = cache_key.version.__wrapped__()
    assert cache_key.version.__wrapped__() == one
    rule.write_bytes(b"a = 2\n")
    assert cache_key.version.__wrapped__() != one


def test_parts_of_a_key_do_not_run_together() -> None:
    assert cache_key.key("ab", "c") != cache_key.key("a", "bc") != cache_key.key("abc", "")


# ------------------------------------------------------------ where it lies


@pytest.mark.parametrize("value", [None, "", "relative/folder", "."])
def test_home_is_taken_where_the_variable_names_no_folder(
    value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is None:
        monkeypatch.delenv("XDG_CACHE_HOME")
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_folder() == f"{tmp_path}/.cache/mmlint/results"
    with open_cache() as opened:
        opened.put("report", b"one", b"data")
    assert (tmp_path / ".cache/mmlint/results" / NAME).is_file()


def test_without_a_home_there_is_none(tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    del tree
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "relative")
    assert cache_folder() is None
    assert found(capsys) == found(capsys, "--no-cache")
    assert main(["cache", "info"]) == 2
    assert "set one of them" in capsys.readouterr().err


def _others_may_write(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.mkdir()
    folder.chmod(0o777)


def _home_is_open(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.parent.parent.chmod(0o777)


def _a_file_is_there(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"no folder")


def _cache_is_linked_twice(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / NAME).write_bytes(b"")
    (folder / "second").hardlink_to(folder / NAME)


def _cache_is_a_link(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / "elsewhere").write_bytes(b"")
    (folder / NAME).symlink_to("elsewhere")


def _cache_is_a_pipe(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    os.mkfifo(folder / NAME)


def _cache_is_a_folder(folder: Path) -> None:
    (folder / NAME).mkdir(parents=True, mode=0o700)


def _others_may_write_the_file(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / NAME).write_bytes(b"")
    (folder / NAME).chmod(0o666)


UNFIT: list[Callable[[Path], None]] = [
    _others_may_write,
    _home_is_open,
    _a_file_is_there,
    _cache_is_linked_twice,
    _cache_is_a_link,
    _cache_is_a_pipe,
    _cache_is_a_folder,
    _others_may_write_the_file,
]


@pytest.mark.parametrize("spoil", UNFIT)
def test_what_is_not_the_users_alone_is_not_used(tree: Path, capsys: Capture, spoil: Callable[[Path], None]) -> None:
    del tree
    folder = file().parent
    spoil(folder)
    before = {path: path.lstat().st_size for path in folder.parent.rglob("*")}
    assert found(capsys) == found(capsys, "--no-cache")
    assert not open_cache().is_open
    assert {path: path.lstat().st_size for path in folder.parent.rglob("*")} == before
    assert main(["cache", "info"]) == 0
    assert "not used" in capsys.readouterr().out


def test_of_somebody_else_is_not_used(tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    del tree
    found(capsys)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert not open_cache().is_open
    assert found(capsys) == found(capsys, "--no-cache")


def test_in_a_home_that_cannot_be_written_there_is_none(
    tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    del tree

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "makedirs", refuse)
    assert found(capsys) == found(capsys, "--no-cache")
    assert not open_cache().is_open


# ------------------------------------------------------------ what may be wrong with it


def _zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _garbage(path: Path) -> None:
    path.write_bytes(b"\x7fELF garbage " * 4000)


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 7])


def _one_page(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:4096])


def _no_pages_behind_the_head(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


def _sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def _another_schema(path: Path) -> None:
    _sql(path, "PRAGMA user_version=7")


def _another_program(path: Path) -> None:
    _sql(path, "PRAGMA application_id=1")


def _no_table(path: Path) -> None:
    _sql(path, "DROP TABLE results")


def _other_columns(path: Path) -> None:
    _sql(path, "DROP TABLE results", "CREATE TABLE results (kind, key)")


BROKEN: list[Callable[[Path], None]] = [
    _zeroed,
    _garbage,
    _half,
    _one_page,
    _no_pages_behind_the_head,
    _another_schema,
    _another_program,
    _no_table,
    _other_columns,
]


@pytest.mark.parametrize("spoil", BROKEN)
def test_a_broken_file_is_thrown_away_and_made_anew(tree: Path, capsys: Capture, spoil: Callable[[Path], None]) -> None:
    del tree
    first = found(capsys)
    spoil(file())
    code = main(["check", "--format", "json", "."])
    shown = capsys.readouterr()
    assert ((code, shown.out), shown.err) == (first, NOTE)
    assert found(capsys) == first
    assert kept()["report"] == 4


def _others_data(path: Path) -> None:
    _sql(path, "UPDATE results SET data = (SELECT data FROM results WHERE kind = 'names') WHERE kind = 'report'")


def _swapped(path: Path) -> None:
    _sql(
        path,
        "CREATE TEMP TABLE other AS SELECT * FROM results WHERE kind = 'report'",
        "UPDATE results SET (data, digest) = (SELECT data, digest FROM other WHERE key > results.key"
        " UNION ALL SELECT data, digest FROM other ORDER BY 2 LIMIT 1) WHERE kind = 'report'",
    )


def _no_bytes(path: Path) -> None:
    _sql(path, "UPDATE results SET data = 17, digest = 'x', used = 'never'")


def _empty_data(path: Path) -> None:
    _sql(path, "UPDATE results SET data = x''")


@pytest.mark.parametrize("spoil", [_others_data, _swapped, _no_bytes, _empty_data])
def test_rows_that_do_not_fit_their_digest_are_as_none(
    tree: Path, capsys: Capture, spoil: Callable[[Path], None]
) -> None:
    del tree
    first = found(capsys)
    spoil(file())
    assert found(capsys) == first
    assert found(capsys) == first


def test_any_byte_may_be_wrong(tree: Path, capsys: Capture) -> None:
    del tree
    first = found(capsys)
    data = file().read_bytes()
    for place in [*range(0, 116, 9), *range(116, len(data), len(data) // 40)]:
        file().write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        code = main(["check", "--format", "json", "."])
        shown = capsys.readouterr()
        assert (code, shown.out) == first, place
        assert shown.err in ("", NOTE), place


@pytest.mark.parametrize("text", [b"", b"\xe9", b"cos\nsystem\n(S'true'\ntR.", b"\x80\x05cposix\nsystem\n."])
def test_nothing_that_is_read_is_executed(
    tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    """Even bytes with the right digest give only reports."""
    del tree
    first = found(capsys)
    ran: list[str] = []
    monkeypatch.setattr(os, "system", ran.append)
    connection = sqlite3.connect(file())
    import marshal

    rows = connection.execute("SELECT key FROM results WHERE kind = 'report'").fetchall()
    for (place,) in rows:
        data = marshal.dumps(({}, text))
        digest = cache._digest("report", place, data)
        connection.execute("UPDATE results SET data = ?, digest = ? WHERE key = ?", (data, digest, place))
    connection.commit()
    connection.close()
    assert found(capsys) == first
    assert ran == []


# ------------------------------------------------------------ others at work


def test_one_that_is_locked_is_not_waited_for(tree: Path, capsys: Capture) -> None:
    del tree
    first = found(capsys)
    holder = sqlite3.connect(file(), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    assert found(capsys) == first
    assert time.monotonic() - start < 10
    holder.execute("ROLLBACK")
    holder.close()
    assert kept()["report"] == 4


def test_a_full_disk_keeps_nothing_and_breaks_nothing(
    tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    del tree
    monkeypatch.setattr(cache, "PAGES", 4)
    with open_cache() as opened:
        for number in range(40):
            opened.put("report", b"%d" % number, bytes(4000))
    assert found(capsys) == found(capsys, "--no-cache")
    assert kept() == {}


WRITER = """\
import sys
from mmlint.cache import open_cache
for number in range(30):
    with open_cache() as cache:
        assert cache.get("report", b"shared") in (None, b"shared" * 5000)
        cache.put("report", b"shared", b"shared" * 5000)
        cache.put("report", b"%s %d" % (sys.argv[1].encode(), number), bytes(20_000))
"""


def start(code: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *words], cwd=ROOT, stderr=subprocess.PIPE)


def test_many_write_at_once_and_one_is_killed() -> None:
    writers = [start(WRITER, str(number)) for number in range(4)]
    victim = start(WRITER.replace("range(30)", "range(100_000)"), "victim")
    time.sleep(0.4)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    for writer in writers:
        assert (writer.communicate()[1], writer.returncode) == (b"", 0)
    with open_cache() as opened:
        assert opened.get("report", b"shared") == b"shared" * 5000
    connection = sqlite3.connect(file())
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_run_that_is_killed_while_it_writes_leaves_what_was_there() -> None:
    with open_cache() as opened:
        opened.put("report", b"old", b"data")
    code = """\
import os, sqlite3
from mmlint import cache
opened = cache.open_cache()
opened.put("report", b"old", b"half")
opened._connection.set_trace_callback(lambda words: words == "COMMIT" and os.kill(os.getpid(), 9))
opened.close()
"""
    victim = start(code)
    assert (victim.communicate()[1], victim.returncode) == (b"", -signal.SIGKILL)
    with open_cache() as opened:
        assert opened.get("report", b"old") == b"data"


def test_a_fork_has_a_connection_of_its_own() -> None:
    with open_cache() as opened:
        opened.put("report", b"one", b"data")
    parent = open_cache()
    assert parent.get("report", b"one") == b"data"
    child = os.fork()
    if child == 0:
        right = parent.get("report", b"one") == b"data" and parent.get("report", b"two") is None
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    parent.put("report", b"two", b"more")
    parent.close()
    with open_cache() as opened:
        assert opened.get("report", b"two") == b"more"


# ------------------------------------------------------------ the command and the switches


@pytest.mark.parametrize("switch", ["--no-cache", "MMLINT_NO_CACHE", "cache = false"])
def test_it_can_be_switched_off(tree: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    if switch.startswith("MM"):
        monkeypatch.setenv(switch, "1")
    elif switch.startswith("c"):
        (tree / ".mmlint.toml").write_text(switch)
    assert main(["check", "-q", ".", *([switch] if switch.startswith("-") else [])]) in (0, 1)
    capsys.readouterr()
    assert not file().parent.exists()


def test_clear_deletes_the_file_and_nothing_else(tree: Path, capsys: Capture) -> None:
    del tree
    found(capsys)
    beside = file().parent.parent / "kernels"
    beside.mkdir()
    assert main(["cache", "info"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"folder    {file().parent}\nsize ")
    assert "\nreport    4 in " in told
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == f"{file().parent}: deleted\n"
    assert (file().exists(), beside.is_dir()) == (False, True)
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == f"{file().parent}: there was nothing\n"


def test_a_file_without_a_section_opens_no_cache(cache_home: Path) -> None:
    loaded = loaded_by("from mmlint.cli import main; assert main(['check', 'mmlint/__init__.py']) == 0")
    assert "mmlint.cache" in loaded
    assert not loaded & {"sqlite3", "hashlib", "mmlint.cache_key", "mmlint.remembered"}
    assert not cache_home.exists()


def test_a_cache_that_is_none_finds_and_keeps_nothing() -> None:
    with Cache(None) as none:
        none.put("report", b"one", b"data")
        assert (none.is_open, none.get("report", b"one"), none.info()) == (False, None, (0, ()))
