"""Definitions of a tree for every state of a series: the base is read once, and over it the files that were changed.

    index = StateIndex(base_index, tree, folders)      # one for each state
    view = LoggedIndex(index, recorder)                # one for each file that is analysed

A view writes down which names an analysis looked up, which definitions it read and which files, so that the result is
kept while all of these stay the same, however the files around them change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mmlint.cache_key import content
from mmlint.facts.index import NameIndex, Place, read_names
from mmlint.recorded import listing_digest
from mmlint.series.base_files import pattern
from mmlint.series.state_tree import Meaning, Recorder, StateTree


class Text(NamedTuple):
    """The bytes of a definition, what tells them from others, and its number among those of its name in the file."""

    data: bytes
    digest: bytes
    number: int


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
        self._names: dict[frozenset[str], frozenset[str]] = {}
        self._tables: dict[str, frozenset[bytes]] = {}
        self._texts: dict[Place, Text] = {}

    def _rank(self, path: str) -> int | None:
        return next((number for number, folder in enumerate(self._folders) if pattern(folder).match(path)), None)

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

    def load(self) -> None:
        """Find the definitions now: before processes fork."""
        self._base.load()
        self._own.load()

    def names_in(self, paths: frozenset[str]) -> frozenset[str]:
        """The names that some files define in this state."""
        if paths not in self._names:
            self._names[paths] = frozenset(name for path in paths for name in self._names_of(path))
        return self._names[paths]

    def _names_of(self, path: str) -> frozenset[str]:
        if not self._tree.has(path):
            return frozenset()
        listed = read_names([path], self._own.data).names.split(b"\n")
        return frozenset(name.decode("utf-8", "surrogateescape") for name in listed)

    def text(self, place: Place) -> Text:
        """A definition."""
        known = self._texts.get(place)
        if known is None:
            same = [other for other in self.places(place.name) if other.path == place.path]
            data = self._tree.read(place.path)[place.start : place.end]
            known = self._texts[place] = Text(data, content(data), same.index(place) if place in same else 0)
        return known

    def tables(self, path: str) -> frozenset[bytes]:
        """The variables of a file that have an initialiser in braces."""
        if path not in self._tables:
            self._tables[path] = self._own.tables(path)
        return self._tables[path]

    def functions_in(self, path: str, name: str) -> tuple[str, ...]:
        """The functions in the initialiser of such a variable."""
        return self._own.functions_in(path, name)

    def same_tables(self, path: str, asked: Mapping[str, bytes]) -> bool:
        """True where what was asked of the tables of a file has the same answers here."""
        return all(_told(self.functions_in(path, n) if n else self.tables(path)) == said for n, said in asked.items())


def _told(names: Iterable[str | bytes]) -> bytes:
    """What stands for an answer."""
    return content(repr(names if isinstance(names, tuple) else sorted(names)).encode())


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
        if name not in self._recorder.names:
            self._recorder.names[name] = meaning(found)
        return found

    def tables(self, path: str) -> frozenset[bytes]:
        found = self._index.tables(path)
        self._recorder.tables.setdefault(path, {})[""] = _told(found)
        return found

    def functions_in(self, path: str, name: str) -> tuple[str, ...]:
        found = self._index.functions_in(path, name)
        self._recorder.tables.setdefault(path, {})[name] = _told(found)
        return found

    def text(self, place: Place) -> bytes:
        text = self._index.text(place)
        self._recorder.texts.setdefault(place.path, {})[place.name, text.number] = text.digest
        return text.data


def still_holds(recorder: Recorder, tree: StateTree, index: StateIndex, but: str = "") -> bool:
    """True when every question of the record has the same answer in another state; ``but`` may have other contents.

    What was asked of the whole tree and the names that it shares with others count for that file, too.
    """
    for path, identity in recorder.reads.items():
        if tree.identity(path) != identity and path != but:
            return False
    for folder, listed in recorder.listings.items():
        if listing_digest(tree.files(folder)) != listed:
            return False
    for needles, hits in recorder.searches.items():
        if listing_digest(tree.search(needles)) != hits:
            return False
    moved = tree.moved(recorder.tree)
    if not moved:
        return True
    touched = index.names_in(moved) & recorder.names.keys()
    touched |= {name for path in moved for name in recorder.named_in.get(path, ())}
    read = sorted(moved & recorder.texts.keys() - {but})
    return (
        all(meaning(index.places(name)) == recorder.names[name] for name in touched)
        and all(_same_texts(index, path, recorder.texts[path]) for path in read)
        and all(index.same_tables(path, recorder.tables[path]) for path in sorted(moved & recorder.tables.keys()))
    )


def _same_texts(index: StateIndex, path: str, texts: dict[tuple[str, int], bytes]) -> bool:
    for (name, number), digest in texts.items():
        same = [place for place in index.places(name) if place.path == path]
        if number >= len(same) or index.text(same[number]).digest != digest:
            return False
    return True
