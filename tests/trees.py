"""Fixtures that are small kernel trees, each judged as a whole.

    fixtures/RULE/tree*/...            /* expect: RULE[, RULE] */ on each line of whatever file that has findings
    fixtures/RULE/tree*.expect         the whole output of `mmlint check` on it, to the letter
    fixtures/RULE/tree*.fixed/...      the files that safe fixes change, after them, without the marks

The two last stand beside the tree, so that nothing in it is taken for a part of the kernel that is none.
"""

from __future__ import annotations

import shutil
from collections import Counter
from functools import cache
from pathlib import Path

from mmlint.config import Settings
from mmlint.diagnostic import Applicability
from mmlint.engine import Report, run
from mmlint.fix import apply_edits
from mmlint.report.terminal import Pen
from mmlint.report.text import render
from tests.goldens import ROOT, expected, without_marks

Mark = tuple[str, int, str]


def trees() -> list[str]:
    """The fixture trees, relative to the root of the project."""
    found = (ROOT / "fixtures").glob("*/tree*/include/linux/pgtable.h")
    return sorted(str(file.parents[2].relative_to(ROOT)) for file in found)


def c_files(tree: str) -> list[str]:
    """The C files of a tree, relative to the root of the project."""
    return sorted(str(file.relative_to(ROOT)) for file in (ROOT / tree).rglob("*.[ch]"))


@cache
def report(tree: str) -> Report:
    """What a run over the whole tree comes to; the current folder has to be the root."""
    return run([tree], Settings(jobs=1))


def marked(tree: str) -> Counter[Mark]:
    """Path, line and rule of each mark."""
    return Counter((path, line, rule) for path in c_files(tree) for line, rule in expected(path))


def found(result: Report) -> Counter[Mark]:
    """The same of each finding."""
    return Counter((d.path, d.location.line, d.rule) for d in result.diagnostics)


def repaired(tree: str, copy: Path) -> dict[str, bytes]:
    """The files of a tree that its safe fixes change, all made at once in ``copy`` and judged again there.

    Paths are relative to the tree. Raises AssertionError where something can still be fixed, or reads worse.
    """
    shutil.copytree(ROOT / tree, copy)
    before = run([str(copy)], Settings(jobs=1))
    edits = {
        edit for d in before.diagnostics if d.fix and d.fix.applicability is Applicability.SAFE for edit in d.fix.edits
    }
    changed = {}
    for path in sorted({edit.path for edit in edits}):
        file = Path(path)
        file.write_bytes(apply_edits(file.read_bytes(), [edit for edit in edits if edit.path == path]))
        changed[str(file.relative_to(copy))] = without_marks(file.read_bytes())
    after = run([str(copy)], Settings(jobs=1))
    fixable = [d for d in after.diagnostics if d.fix and d.fix.applicability is Applicability.SAFE]
    assert (after.coverage.skipped, fixable) == ((), [])
    assert found(after) <= found(before)
    return changed


def goldens(tree: str, folder: Path) -> dict[str, bytes]:
    """Path and content of each golden file that the tree should have; ``folder`` is for a copy of it."""
    text = "".join(line + "\n" for line in render(report(tree), Pen()))
    files = {f"{tree}.expect": text.encode()}
    for path, data in repaired(tree, folder / tree).items():
        files[f"{tree}.fixed/{path}"] = data
    return files
