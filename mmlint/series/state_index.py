"""Definitions of a tree for every state of a series: the base is read once, and over it the files that were changed.

    index = StateIndex(base_index, tree, folders)      # one for each state
    view = LoggedIndex(index, recorder)                # one for each file that is analysed

A view writes down which names an analysis looked up, which definitions it read and which files, so that the result is
kept while all of these stay the same, however the files around them change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmlint.facts.index import NameIndex, Place, read_names
from mmlint.series.state_tree import Recorder, StateTree


def in_folder(path: str, folder: str) -> bool:
    """True when ``path`` lies below ``folder``, in which ``*`` is any one name."""
    parts = [part for part in folder.split("/") if part]
    return bool(re.match("".join("[^/]+/" if part == "*" else re.escape(part) + "/" for part in parts), path))


class StateIndex:
    """The definitions of one state. ``base`` is the index of the base; its files are those of ``folders``."""

    def __init__(self, base: NameIndex, tree: StateTree, folders: Sequence[str]) -> None:
        self._base = base
        self._tree = tree
        self._folders = folders
        covered = [path for path in tree.changed if self._rank(path) is not None]
        self._changed = frozenset(covered)
        self._own = NameIndex(tree, [path for path in covered if tree.changed[path] and path.endswith((".c", ".h"))])
        self._places: dict[str, tuple[Place, ...]] = {}
        self._names: dict[tuple[frozenset[str], StateTree], frozenset[str]] = {}

    def _rank(self, path: str) -> int | None:
        return next((number for number, folder in enumerate(self._folders) if in_folder(path, folder)), None)

    def places(self, name: str) -> tuple[Place, ...]:
        """Definitions of that name, in the order in which an index of the whole state has them."""
        known = self._places.get(name)
        if known is None:
            own = self._own.places(name) if self._changed else ()
            known = tuple(place for place in self._base.places(name) if place.path not in self._changed)
            if own:
                known = tuple(sorted((*known, *own), key=lambda place: (self._rank(place.path) or 0, place.path)))
            self._places[name] = known
        return known

    def names_in(self, paths: frozenset[str], other: StateTree) -> frozenset[str]:
        """The names that some files define, in this state or in another."""
        key = (paths, other)
        if key not in self._names:
            self._names[key] = _names(self._tree, paths) | _names(other, paths)
        return self._names[key]

    def text(self, place: Place) -> bytes:
        """The bytes of a definition."""
        return self._tree.read(place.path)[place.start : place.end]


def _names(tree: StateTree, paths: frozenset[str]) -> frozenset[str]:
    def read(path: str) -> bytes:
        try:
            return tree.read(path)
        except OSError:
            return b""

    names: set[str] = set()
    for path in paths:
        if tree.has(path):
            found = tree.names.get(path)
            if found is None:
                listed = read_names([path], read).names.split(b"\n")
                found = tree.names[path] = frozenset(name.decode("utf-8", "surrogateescape") for name in listed)
            names |= found
    return frozenset(names)


Meaning = tuple[tuple[str, bool, bool], ...]


def meaning(places: Sequence[Place]) -> Meaning:
    """What a name means, wherever in its files that stands."""
    return tuple((place.path, place.macro, place.static) for place in places)


class LoggedIndex(NameIndex):
    """An index for the analysis of one file, with everything that it gives out on record."""

    def __init__(self, index: StateIndex, recorder: Recorder) -> None:
        super().__init__(recorder, ())
        self._index = index
        self._recorder = recorder

    def places(self, name: str) -> tuple[Place, ...]:
        found = self._index.places(name)
        self._recorder.names[name] = meaning(found)
        return found

    def text(self, place: Place) -> bytes:
        text = self._index.text(place)
        same = [other for other in self._index.places(place.name) if other.path == place.path]
        number = same.index(place) if place in same else 0
        self._recorder.texts.setdefault(place.path, {})[place.name, number] = text
        return text


def still_holds(recorder: Recorder, tree: StateTree, index: StateIndex) -> bool:
    """True when every question of the record has the same answer in another state."""
    for path, identity in recorder.reads.items():
        if tree.identity(path) != identity:
            return False
    for folder, listed in recorder.listings.items():
        if tree.files(folder) != listed:
            return False
    for needles, hits in recorder.searches.items():
        if tree.search(needles) != hits:
            return False
    moved = tree.moved(recorder.tree)
    if not moved:
        return True
    touched = index.names_in(moved, recorder.tree) & recorder.names.keys()
    return all(meaning(index.places(name)) == recorder.names[name] for name in touched) and all(
        _same_texts(index, path, recorder.texts[path]) for path in sorted(moved & recorder.texts.keys())
    )


def _same_texts(index: StateIndex, path: str, texts: dict[tuple[str, int], bytes]) -> bool:
    for (name, number), text in texts.items():
        same = [place for place in index.places(name) if place.path == path]
        if number >= len(same) or index.text(same[number]) != text:
            return False
    return True
