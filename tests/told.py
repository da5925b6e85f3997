"""What is said of the precedents, to the column: the text of tests/precedents.txt.

    missing-disable
      mm/memory.c
        remap_pte_range+24:4: error: lazy MMU mode is still on when the function returns: ...
            remap_pte_range+14:2: lazy MMU mode is entered here

Lines count from the function, so that a point release of the kernel that changes others makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic
from mmlint.source import Location, Source
from mmlint.syntax.functions import FileReader
from tests.mutation import convert_to_generic
from tests.precedents import AS_SHIPPED, BESIDE, GENERIC_LAYER, PGTABLE, PRECEDENTS, Fault, spoiled


class Copy:
    """A tree of a few files, in the spelling of 6.12 or with the generic layer."""

    def __init__(self, tree: Path, folder: Path, old: bool) -> None:
        self.tree, self.folder, self.old = tree, folder, old
        self._functions: dict[str, list[tuple[int, int, str]]] = {}
        self._write(PGTABLE, (tree / PGTABLE).read_bytes() if old else GENERIC_LAYER)

    def _write(self, file: str, data: bytes) -> None:
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_bytes(data)

    def judged(self, file: str, faults: list[Fault]) -> tuple[Diagnostic, ...]:
        """What is said of the file with the faults, beside the file that it needs."""
        for name in (file, BESIDE.get(file, file)):
            data = (self.tree / name).read_bytes()
            data = data if self.old else convert_to_generic(Source(name, data))
            for fault in faults if name == file else ():
                data = spoiled(data, fault)
            self._write(name, data)
        path = self.folder / file
        report = make_checker(Settings()).check(Source(str(path), path.read_bytes()))
        assert report.skipped == ()
        return report.diagnostics

    def place(self, location: Location, file: str) -> str:
        """Function, line behind its first, and column; the file where it is another one."""
        path = location.path
        if path not in self._functions:
            source = Source(path, Path(path).read_bytes())
            found = {
                (source.line(d.span.start), source.line(d.span.end), d.name) for d in FileReader(source).definitions()
            }
            self._functions[path] = sorted(found)
        other = "" if path.endswith(file) else f"{Path(path).relative_to(self.folder)}: "
        for first, last, name in self._functions[path]:
            if first <= location.line <= last:
                return f"{other}{name}+{location.line - first}:{location.column}"
        return f"{other}outside:{location.column}"


def told(tree: Path) -> str:
    """The whole text."""
    lines = []
    for rule in sorted(PRECEDENTS.keys() | AS_SHIPPED.keys()):
        lines += [rule, *(f"  {line}" for line in _of_rule(tree, rule))]
    return "".join(line + "\n" for line in lines)


def _of_rule(tree: Path, rule: str) -> Iterator[str]:
    for file in AS_SHIPPED.get(rule, ()):
        yield f"{file}, as it is"
        yield from _of_file(tree, rule, file, [], old=True)
    faults = PRECEDENTS.get(rule, [])
    for file, old in dict.fromkeys((fault.file, fault.old) for fault in faults):
        yield file
        yield from _of_file(tree, rule, file, [f for f in faults if (f.file, f.old) == (file, old)], old)


def _of_file(tree: Path, rule: str, file: str, faults: list[Fault], old: bool) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        copy = Copy(tree, Path(folder), old)
        found = [d for d in copy.judged(file, faults) if d.rule == rule]
        for diagnostic in sorted(found, key=lambda d: d.sort_key):
            yield f"  {copy.place(diagnostic.location, file)}: {diagnostic.level}: {diagnostic.message}"
            for note in diagnostic.notes:
                yield f"      {copy.place(note.location, file)}: {note.message}"
