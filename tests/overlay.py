"""A kernel tree with some files replaced, as a copy of it would be, of which only those files are read anew.

kernel = Kernel(tree)                                        # the definitions of the tree, read once
kernel.check({"mm/memory.c": data}, ["mm/memory.c"])         # what is found in the file, in such a copy
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmlint.checker import Checker, make_checker
from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic, fingerprinted
from mmlint.disk import DiskTree
from mmlint.facts.callgraph import CallGraph
from mmlint.facts.index import NameIndex, Place
from mmlint.source import Source
from mmlint.tree import Tree, api_in


class OverlayTree:
    """A `mmlint.tree.Tree`: ``base`` with the files of ``changed`` in the place of its own."""

    def __init__(self, base: Tree, changed: Mapping[str, bytes]) -> None:
        self.base, self.changed = base, changed

    def read(self, path: str) -> bytes:
        return self.changed[path] if path in self.changed else self.base.read(path)

    def files(self, folder: str) -> Sequence[str]:
        return self.base.files(folder)

    def search(self, needles: tuple[bytes, ...]) -> Sequence[str]:
        found = {path for path in self.base.search(needles) if path not in self.changed}
        return sorted(found | {p for p, data in self.changed.items() if any(needle in data for needle in needles)})

    def shown(self, path: str) -> str:
        return path


class OverlayIndex(NameIndex):
    """The definitions of an overlay tree: those of the base, and those of the changed files."""

    def __init__(self, tree: OverlayTree, base: NameIndex) -> None:
        super().__init__(tree, ())
        self._base, self._changed = base, tree.changed
        self._own_files = NameIndex(tree, sorted(tree.changed))

    def places(self, name: str) -> tuple[Place, ...]:
        kept = [place for place in self._base.places(name) if place.path not in self._changed]
        return tuple(sorted((*kept, *self._own_files.places(name)), key=lambda place: (place.path, place.start)))


class Kernel:
    """One kernel, to be checked with changes."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self._disk = DiskTree(str(tree), relative=False)
        self._checker: Checker = make_checker(Settings(jobs=1))
        self._index = NameIndex(self._disk, self._checker.vocabulary.calls.folders)

    def read(self, path: str) -> bytes:
        """A file as it is in the tree."""
        return self._disk.read(path)

    def check(self, changed: Mapping[str, bytes], paths: Sequence[str]) -> list[Diagnostic]:
        """What is found in ``paths`` where the files ``changed`` have other texts."""
        tree = OverlayTree(self._disk, changed)
        api = api_in(tree, self._checker.vocabulary)
        vocabulary = self._checker.vocabulary_for(api)
        graph = CallGraph(tree, vocabulary, api, OverlayIndex(tree, self._index))
        found: dict[object, Diagnostic] = {}
        for path in paths:
            report = self._checker.check(Source(path, tree.read(path)), tree, graph)
            assert report.facts is not None
            for d in report.diagnostics:
                found.setdefault((d.rule, d.path, d.location.span, d.message), d)
        return fingerprinted(found.values())
