"""Input that nobody should give: a clear word on it, the rest checked all the same, nothing half-written, and an end."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmlint import engine, files
from mmlint.cli import main
from mmlint.files import BINARY
from tests.test_cli import CONVERTIBLE, FAULTY

ROOT = Path(__file__).resolve().parent.parent
# What is promised to a user, in processor time.
SECONDS = 10.0
Capture = pytest.CaptureFixture[str]


def with_body(body: str) -> bytes:
    """A walker with ``body`` in its loop."""
    return CONVERTIBLE.replace("do {\n", f"do {{\n{body}\n").encode()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with one file that has a fault: whatever else is there, it has to be found."""
    (tmp_path / "zz_bad.c").write_text(FAULTY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def checked(capsys: Capture, *arguments: str) -> tuple[int, dict[str, list[str]], list[tuple[str, str]]]:
    """Exit code, the rules that were found in each file, and what was not read or analysed, of two equal runs."""
    outputs = []
    for _ in range(2):
        code = main(["check", "--format", "json", "--jobs", "1", *arguments])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    document = json.loads(outputs[0])
    found: dict[str, list[str]] = {}
    for diagnostic in document["diagnostics"]:
        found.setdefault(diagnostic["path"], []).append(diagnostic["rule"])
    return code, found, [(entry["path"], entry["reason"]) for entry in document["coverage"]["skipped"]]


CLEARLY_READ = ["unranged-walker"]
READ = {
    "crlf": CONVERTIBLE.replace("\n", "\r\n").encode(),
    "only carriage returns in a comment": b"/*\r\r\r*/" + CONVERTIBLE.encode(),
    "byte order mark": b"\xef\xbb\xbf" + CONVERTIBLE.encode(),
    "latin-1": b"/* \xe9\xff\xfe */\n" + CONVERTIBLE.encode(),
    "no final newline": CONVERTIBLE.rstrip().encode(),
    "a line of 10 MB: comment": b"/*" + b"x" * (10 << 20) + b"*/" + CONVERTIBLE.encode(),
    "a line of 10 MB: string": CONVERTIBLE.encode() + b'char *s = "' + b"a" * (10 << 20) + b'";\n',
    "10,000 nested parentheses": with_body("x = " + "(" * 10_000 + "1" + ")" * 10_000 + ";"),
    "10,000 nested parentheses in a condition": with_body("if " + "(" * 10_000 + "x" + ")" * 10_000 + " y();"),
    "20,000 operators": with_body("x = " + "1+" * 20_000 + "y;"),
    "100,000 lines of a macro": b"#define A \\\n" + b"x \\\n" * 100_000 + b"\n" + CONVERTIBLE.encode(),
}


@pytest.mark.parametrize("data", READ.values(), ids=READ)
def test_what_can_be_read_is_read(folder: Path, data: bytes, capsys: Capture) -> None:
    (folder / "x.c").write_bytes(data)
    assert checked(capsys, ".") == (1, {"x.c": CLEARLY_READ, "zz_bad.c": ["missing-disable"]}, [])


NOT_READ = {
    "binary": (bytes(range(256)) * 4096 + b"lazy_mmu_mode_enable();", BINARY),
    "NUL byte": (with_body("\0"), BINARY),
    "UTF-16": (CONVERTIBLE.encode("utf-16"), BINARY),
    "a brace that is left open": (with_body("{"), ""),
    "braces too many": (with_body("}}}}"), ""),
    "a brace too many behind do": (CONVERTIBLE.replace("do {\n", "do {\n\t}\n").encode(), ""),
    "10,000 braces left open": (with_body("{" * 10_000), ""),
    "10,000 parentheses left open": (with_body("x = " + "(" * 10_000), ""),
    "10,000 nested braces": (with_body("{" * 10_000 + "}" * 10_000), ""),
    "10,000 nested calls": (with_body("x = " + "f(" * 10_000 + "1" + ")" * 10_000 + ";"), ""),
    "a string that does not end": (with_body('"'), ""),
    "an #if that does not end": (b"#if 0\n" + CONVERTIBLE.encode(), "the #if here has no #endif"),
    "2,000 nested loops": (with_body("while (a) { " * 2000 + "b();" + "}" * 2000), ""),
}


@pytest.mark.parametrize(("data", "reason"), NOT_READ.values(), ids=NOT_READ)
def test_what_cannot_be_read_is_told_and_the_rest_goes_on(
    folder: Path, data: bytes, reason: str, capsys: Capture
) -> None:
    (folder / "x.c").write_bytes(data)
    code, found, skipped = checked(capsys, ".")
    assert (code, found) == (2, {"zz_bad.c": ["missing-disable"]})
    assert {path for path, _ in skipped} == {"x.c"}
    assert all(said == reason if reason else said for _, said in skipped)
    assert checked(capsys, "x.c")[0] == 2


# Functions and files of a size that nobody writes: analysed, or told as too large, but with an end.
LARGE = {
    "a line of 10 MB: comment": with_body("/*" + "x" * (10 << 20) + "*/"),
    "a line of 10 MB: statements": with_body("x = 1;" * ((10 << 20) // 6)),
    "100,000 #if in a function": with_body("\n#if A\nx();\n#endif\n" * 100_000),
    "100,000 #if before it": b"#if A\nint x;\n#endif\n" * 100_000 + CONVERTIBLE.encode(),
    "100,000 nested #if": with_body("\n#if A\n" * 100_000 + "x();" + "\n#endif\n" * 100_000),
    "100,000 #if left open": b"#if A\n" * 100_000 + CONVERTIBLE.encode(),
    "100,000 calls": with_body("foo(x);\n" * 100_000),
    "20,000 cases": with_body("switch (x) {" + "".join(f"case {n}: y();\n" for n in range(20_000)) + "}"),
}


@pytest.mark.parametrize("data", LARGE.values(), ids=LARGE)
def test_too_large_a_file_comes_to_an_end(folder: Path, data: bytes) -> None:
    (folder / "x.c").write_bytes(data)
    command = [sys.executable, "-m", "mmlint", "check", "--format", "json", "--jobs", "1", "."]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        result = subprocess.run(command, capture_output=True, env=environment, timeout=3 * SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.fail(f"no end within {3 * SECONDS} s")
    document = json.loads(result.stdout)
    assert "zz_bad.c" in [diagnostic["path"] for diagnostic in document["diagnostics"]]
    assert "internal-error" not in [diagnostic["rule"] for diagnostic in document["diagnostics"]]
    seen = [entry["path"] for entry in [*document["diagnostics"], *document["coverage"]["skipped"]]]
    assert "x.c" in seen
    assert result.returncode == (2 if document["coverage"]["skipped"] else 1)


def test_missing_path_and_empty_folder(folder: Path, capsys: Capture) -> None:
    (folder / "empty/deeper").mkdir(parents=True)
    (folder / "empty/notes.txt").write_text("x")
    for command in ("check", "fix", "sections"):
        for arguments, said in (
            (["none.c"], "none.c: No such file or directory; give files or folders that exist"),
            (["none", "none.c"], "none: No such file or directory; give files or folders that exist"),
            (["empty"], "empty: no *.c or *.h file is there; give files, or folders that hold some"),
            (["a" * 5000], "File name too long; give files or folders that exist"),
            (["a\0b"], "embedded null byte; give files or folders that exist"),
        ):
            assert main([command, *arguments]) == 2
            output = capsys.readouterr()
            assert (output.out, output.err.count("\n")) == ("", 1)
            assert output.err.endswith(f"{said}\n")
    assert main(["check", "empty", "zz_bad.c"]) == 1


def test_what_is_not_there_stops_nothing_else(folder: Path, capsys: Capture) -> None:
    os.mkfifo(folder / "pipe")
    code, found, skipped = checked(capsys, "none", "zz_bad.c", "a\0b", "pipe")
    assert (code, found) == (2, {"zz_bad.c": ["missing-disable"]})
    assert skipped == [
        ("a\0b", "embedded null byte"),
        ("none", "No such file or directory"),
        ("pipe", "neither a file nor a folder"),
    ]
    for command in ("check", "fix", "sections"):
        assert main([command, "none", "zz_bad.c"]) == 2
        output = capsys.readouterr()
        assert "none:1:1: note: not read: No such file or directory\n" in output.out + output.err


def test_empty_file_and_odd_names(folder: Path, capsys: Capture) -> None:
    (folder / "empty.c").touch()
    names = ["a b.c", "-x.c", "\u00e4.c", os.fsdecode(b"\xff\xfe.c"), "a\nb.c", "\x1b[2J.c", "'\".c"]
    for name in names:
        (folder / name).write_text(FAULTY)
    code, found, skipped = checked(capsys, ".")
    assert (code, sorted(found), skipped) == (1, sorted([*names, "zz_bad.c"]), [])
    assert main(["check", "--", *names]) == 1
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert output.count("[missing-disable]\n") == len(names)
    assert main(["fix", "--unsafe", "."]) == 0


def test_loops_of_links_end(folder: Path, capsys: Capture) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/up").symlink_to("..")
    (folder / "sub/self.c").symlink_to("self.c")
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    code, found, skipped = checked(capsys, ".")
    assert (code, list(found)) == (2, ["zz_bad.c"])
    assert skipped == [("sub/self.c", "Too many levels of symbolic links")]
    assert main(["check", "sub/self.c"]) == 2
    assert "Too many levels of symbolic links" in capsys.readouterr().err


def changing(what: Callable[[], object]) -> Callable[[str], bytes]:
    """A reader that finds that x.c has become something else after it was searched."""

    def read(path: str) -> bytes:
        if path == "x.c":
            what()
        return files.read(path)

    return read


@pytest.mark.parametrize("command", ["check", "fix", "sections"])
def test_file_that_vanishes_while_it_is_read(
    folder: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (folder / "x.c").write_text(CONVERTIBLE)
    monkeypatch.setattr(engine, "read", changing((folder / "x.c").unlink))
    assert main([command, "--jobs", "1", "."]) == 2
    output = capsys.readouterr()
    assert "x.c:1:1: note: not read: No such file or directory\n" in output.out + output.err
    assert command == "fix" or "zz_bad.c:" in output.out


def test_file_that_changes_while_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    (folder / "x.c").write_text(CONVERTIBLE)
    monkeypatch.setattr(engine, "read", changing(lambda: (folder / "x.c").write_text("int x;\n")))
    assert main(["check", "--jobs", "1", "."]) == 1
    (folder / "x.c").write_text(CONVERTIBLE)
    monkeypatch.setattr(engine, "read", changing(lambda: (folder / "x.c").write_bytes(b"\0" * 99)))
    assert main(["check", "--jobs", "1", "."]) == 1
    (folder / "x.c").write_text(CONVERTIBLE)
    monkeypatch.setattr(engine, "read", files.read)
    monkeypatch.setattr("mmlint.report.repairs.rewrite", _after_a_change(folder / "x.c"))
    capsys.readouterr()
    assert main(["fix", "--unsafe", "--in-place", "."]) == 2
    assert "mmlint: error: x.c: it has changed since it was read; run again\n" in capsys.readouterr().err
    assert (folder / "x.c").read_text() == "int changed;\n"


def _after_a_change(file: Path) -> Callable[..., None]:
    from mmlint.atomic import rewrite

    def change_and_rewrite(path: str, before: bytes, after: bytes, roots: list[str]) -> None:
        file.write_text("int changed;\n")
        rewrite(path, before, after, roots)

    return change_and_rewrite


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root reads everything; no setpriv")
def test_files_and_folders_without_permission(folder: Path) -> None:
    (folder / "x.c").write_text(CONVERTIBLE)
    (folder / "x.c").chmod(0)
    (folder / "closed").mkdir()
    (folder / "closed").chmod(0)
    for above in (folder, *folder.parents[:2]):
        above.chmod(0o755)
    (folder / "include/linux/pgtable.h").parent.mkdir(parents=True)
    (folder / "include/linux/pgtable.h").write_text("void arch_enter_lazy_mmu_mode(void);")
    (folder / "include/linux/pgtable.h").chmod(0)
    unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") if unprivileged else sys.executable
    if not _can_run([*unprivileged, str(python)]):
        pytest.skip("no Python that an unprivileged user can run")
    command = [*unprivileged, str(python), "-m", "mmlint", "check", "--jobs", "1", "."]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment(), cwd=folder)
    assert result.returncode == 2, result.stderr
    assert "closed:1:1: note: not read: Permission denied\n" in result.stdout
    assert "x.c:1:1: note: not read: Permission denied\n" in result.stdout
    assert "zz_bad.c:9:2: error: " in result.stdout
    single = subprocess.run([*command[:-1], "x.c"], capture_output=True, text=True, check=False, env=_environment())
    assert (single.returncode, "x.c:1:1: note: not read: Permission denied" in single.stdout) == (2, True)


def _environment() -> dict[str, str]:
    site = next(path for path in sys.path if path.endswith("site-packages"))
    kept = {name: os.environ[name] for name in ("PATH", "XDG_CACHE_HOME")}
    return {**kept, "PYTHONPATH": f"{ROOT}:{site}", "PYTHONDONTWRITEBYTECODE": "1"}


def _can_run(command: list[str]) -> bool:
    try:
        result = subprocess.run(
            [*command, "-c", "import mmlint.cli, tree_sitter, tree_sitter_c"],
            capture_output=True,
            check=False,
            env=_environment(),
        )
    except OSError:
        return False
    return result.returncode == 0


@pytest.mark.parametrize("call", ["fsync", "fdopen", "open"])
def test_full_disk_leaves_the_files_as_they_are(
    folder: Path, call: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for name in ("a.c", "b.c"):
        (folder / name).write_text(CONVERTIBLE)
    real = getattr(os, call)

    def full(first: object, *more: object, **named: object) -> object:
        writing = call != "open" or ".mmlint-" in str(first)
        if writing:
            if call == "fdopen":
                os.close(int(str(first)))
            raise OSError(28, "No space left on device")
        return real(first, *more, **named)

    monkeypatch.setattr(os, call, full)
    assert main(["fix", "--unsafe", "--in-place", "--jobs", "1", "."]) == 2
    monkeypatch.undo()
    errors = capsys.readouterr().err.splitlines()
    assert errors[:2] == [f"mmlint: error: {name}: No space left on device" for name in ("a.c", "b.c")]
    assert sorted(entry.name for entry in folder.iterdir()) == ["a.c", "b.c", "zz_bad.c"]
    assert [(folder / name).read_text() for name in ("a.c", "b.c")] == [CONVERTIBLE] * 2


def test_one_file_that_cannot_be_written_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for name in ("a.c", "b.c"):
        (folder / name).write_text(CONVERTIBLE)
    real = os.open

    def full(path: object, *more: int, **named: int) -> int:
        if ".a.c.mmlint-" in str(path):
            raise OSError(28, "No space left on device")
        return real(str(path), *more, **named)

    monkeypatch.setattr(os, "open", full)
    assert main(["fix", "--unsafe", "--in-place", "--jobs", "1", "."]) == 2
    monkeypatch.undo()
    assert "mmlint: error: a.c: No space left on device\n" in capsys.readouterr().err
    assert (folder / "a.c").read_text() == CONVERTIBLE
    assert re.search(r"lazy_mmu_mode_enable_\w+\(&init_mm, addr, end, pte\)", (folder / "b.c").read_text())
