"""What the fixtures are expected to give: marks in the C files, and golden files beside them.

    fixtures/RULE/name.c           /* expect: RULE[, RULE] */ on each line that has findings; no other line may have any
    fixtures/RULE/name.expect      the whole output of `mmlint check` on it, to the letter
    fixtures/RULE/name.fixed.c     the file after its safe fixes, where it has any, without the marks, now false
    fixtures/RULE/name.unsafe.c    the file after all its fixes, where that makes a difference

`python -m tests.update_goldens` writes the golden files anew; read the difference before you commit it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from mmlint.checker import FileReport, make_checker
from mmlint.config import Settings
from mmlint.diagnostic import Applicability
from mmlint.engine import run
from mmlint.files import read
from mmlint.fix import Repair, repair
from mmlint.report.terminal import Pen
from mmlint.report.text import render
from mmlint.source import Source

ROOT = Path(__file__).resolve().parent.parent
_MARK = re.compile(r"[ \t]*/\* expect: ([^*]*?) \*/")


def fixtures() -> list[str]:
    """The C files that stand for themselves, relative to the root of the project.

    fixtures/linux has no marks; fixtures/RULE/tree* are judged as a whole, see `tests.trees`.
    """
    files = [file.relative_to(ROOT) for file in (ROOT / "fixtures").glob("*/**/*.c") if file.name.count(".") == 1]
    return sorted(str(file) for file in files if file.parts[1] != "linux" and not file.parts[2].startswith("tree"))


def expected(path: str) -> list[tuple[int, str]]:
    """Line and rule of each mark."""
    marks = []
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").split("\n"), start=1):
        for mark in _MARK.finditer(line):
            marks += [(number, rule.strip()) for rule in mark.group(1).split(",")]
    return sorted(marks)


@cache
def checked(path: str) -> FileReport:
    """The report of a fixture, under its path from the root."""
    return make_checker(Settings()).check(Source(path, read(str(ROOT / path))))


def rendered(path: str) -> str:
    """The text of ``mmlint check``; the current folder has to be the root."""
    return "".join(line + "\n" for line in render(run([path], Settings(jobs=1)), Pen()))


def repaired(path: str, floor: Applicability) -> Repair:
    """The fixture after its fixes."""
    report = checked(path)
    assert report.facts is not None
    return repair(report.facts, report.diagnostics, make_checker(Settings()).check, floor)


def goldens(path: str) -> dict[str, bytes]:
    """Path and content of each golden file that the fixture should have."""
    stem = path.removesuffix(".c")
    files = {f"{stem}.expect": rendered(path).encode()}
    safe = repaired(path, Applicability.SAFE)
    everything = repaired(path, Applicability.UNSAFE)
    if safe.changes:
        files[f"{stem}.fixed.c"] = without_marks(safe.after)
    if everything.after != safe.after:
        files[f"{stem}.unsafe.c"] = without_marks(everything.after)
    return files


def without_marks(data: bytes) -> bytes:
    """The file without expectations, which are false once it is repaired."""
    return _MARK.sub("", data.decode("utf-8")).encode()
