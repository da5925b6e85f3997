"""Where the functions and macros of a tree are defined, read from bytes without parsing.

    index = NameIndex(tree, ("include/linux", "mm", "arch/*/mm"))
    index.places("split_huge_pmd")   ->  (Place("include/linux/huge_mm.h", "split_huge_pmd", 8012, 8300, True), ...)
    index.text(place)                ->  the bytes of the definition, comments and all

A function is found by its opening brace in column 0, or behind ``static inline`` on whatever line it opens; a macro
by its ``#define name(``. What is found here is a hint: it is parsed before anything is claimed of it. The folders
bound the search, so that one file can be judged without reading a gigabyte; names that are defined elsewhere are not
found, and whoever asks has to say so.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import NamedTuple

from mmlint.facts.initialisers import read_variable, tables_in
from mmlint.tree import Tree

# Nothing of a word is given back (``*+``): to try its beginnings as names takes most of the time.
_NAMES = re.compile(rb"\b([A-Za-z_]\w*+)[ \t]*+\(")
# A macro with parameters, or one without that begins with a dereference, be it in brackets or in a call.
_MACRO = re.compile(rb"#[ \t]*+define[ \t]++([A-Za-z_]\w*+)(?:\(|([ \t])[ \t]*+(?:[\w!]*+\()*+(?:\*|\w++(?:->|\[)))")
# Words that stand before brackets in a header, and are no function's name.
_NO_NAMES = frozenset(
    (
        b"void",
        b"int",
        b"long",
        b"char",
        b"unsigned",
        b"struct",
        b"if",
        b"while",
        b"for",
        b"switch",
        b"return",
        b"defined",
    )
)
_STATIC = re.compile(rb"\bstatic\b")
_FILES = (".c", ".h")
# The longest header of a function, with its comment left out, that is looked for.
_HEADER = 1200
# A header begins behind the last of these.
_BEFORE_HEADER = (b"\n\n", b";\n", b"}\n", b"*/\n")
# What stands for the brace of a macro.
_NO_BRACE = -1
# What is put behind the name of a macro without parameters: it is no function.
_OBJECT = b" "


class Place(NamedTuple):
    """One definition: the file, the name, and its bytes from the header to one past the end."""

    path: str
    name: str
    start: int
    end: int
    macro: bool = False
    static: bool = False


class Table:
    """What some files define, in a shape that is quick to pass on and to keep.

    ``paths`` are the files, ``names`` all names, joined by newlines. ``rows`` has three numbers for each definition:
    that of its file in ``paths``, the start of the header, the brace; those of a name stand together, in the order of
    the files, and ``counts`` tells for each name how many numbers they are. What ``hidden`` files define is left out.
    """

    def __init__(
        self,
        paths: Sequence[str],
        names: bytes,
        counts: array[int],
        rows: array[int],
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self.paths = paths
        self.names = names
        self.counts = counts
        self.rows = rows
        self.hidden = hidden
        keys = names.split(b"\n") if names else []
        starts = accumulate(counts, initial=0)
        self._spans = dict(zip(keys, pairwise(starts), strict=True))

    def __reduce__(self) -> tuple[type[Table], tuple[object, ...]]:
        return Table, (self.paths, self.names, self.counts, self.rows, self.hidden)

    def definitions(self, name: bytes) -> Iterator[tuple[str, int, int]]:
        """(path, start of the header, brace) of each definition of a name."""
        start, end = self._spans.get(name, (0, 0))
        for row in range(start, end, 3):
            number, header, brace = self.rows[row : row + 3]
            path = self.paths[number]
            if path not in self.hidden:
                yield path, header, brace


def read_names(paths: Sequence[str], read: Callable[[str], bytes]) -> Table:
    """The definitions in some files; ``read`` gives the bytes of one."""
    found: dict[bytes, list[int]] = {}
    words, macros = _NAMES.findall, _MACRO.finditer
    for number, path in enumerate(paths):
        data = read(path)
        headers = {brace: start for start, brace in (*_inlines(data), *_functions(data))}
        for brace, start in headers.items():
            for name in set(words(data, start, brace)):
                if name not in _NO_NAMES:
                    found.setdefault(name, []).extend((number, start, brace))
        for macro in macros(data):
            name = macro.group(1) if macro.group(2) is None else macro.group(1) + _OBJECT
            found.setdefault(name, []).extend((number, macro.start(), _NO_BRACE))
    counts, rows = array("i", map(len, found.values())), array("i", chain.from_iterable(found.values()))
    return Table(paths, b"\n".join(found), counts, rows)


class Tables(NamedTuple):
    """The definitions of all files of a search, ``paths`` in their order; the tables hold them in any order."""

    paths: Sequence[str]
    tables: tuple[Table, ...]


class NameIndex:
    """The definitions in some folders of a tree; the files are read when the first name is asked for."""

    def __init__(
        self,
        tree: Tree,
        folders: Sequence[str],
        texts: NameIndex | None = None,
        tables: Callable[[], Tables] | None = None,
    ) -> None:
        """``folders`` may name single files too; the bytes of files are kept once, where ``texts`` keeps them.

        ``tables`` gives what is on record of the files in the folders; what has another text here is read anew.
        """
        self._tree = tree
        self._folders = folders
        self._read = tables or self._read_all
        self._tables: tuple[Table, ...] | None = None
        self._ranks: dict[str, int] = {}
        self._replaced: dict[str, Table] = {}
        self._places: dict[str, tuple[Place, ...]] = {}
        self._given: set[str] = set()
        self._texts: dict[str, bytes] = texts._texts if texts is not None else {}

    def places(self, name: str) -> tuple[Place, ...]:
        """Definitions of that name, in the order of the folders and files."""
        known = self._places.get(name)
        if known is None:
            if self._tables is None:
                self._tables = self._load()
            places = (self._place(name, *found) for found in self._definitions(name.encode()))
            known = self._places[name] = tuple(place for place in places if place is not None)
        return known

    def _definitions(self, name: bytes) -> list[tuple[str, int, int]]:
        replaced, ranks = self._replaced, self._ranks
        tables = self._tables or ()
        found = [row for table in tables for row in table.definitions(name) if row[0] not in replaced]
        found += [row for table in replaced.values() for row in table.definitions(name)]
        return sorted(found, key=lambda row: ranks[row[0]]) if len(found) > 1 else found

    def _place(self, name: str, path: str, start: int, brace: int) -> Place | None:
        data = self.data(path)
        if brace == _NO_BRACE:
            return Place(path, name, start, _macro_end(data, start), macro=True)
        define = data.rfind(b"#define", start, brace)
        if define >= 0:
            # Macros that stand before the function, without a blank line, are no part of its header.
            start = _macro_end(data, define)
            if name.encode() not in _NAMES.findall(data, start, brace):
                return None
        static = _STATIC.search(data, start, max(data.find(b"(", start, brace), start)) is not None
        return Place(path, name, start, _end(data, brace), static=static)

    def object_macros(self, name: str) -> tuple[Place, ...]:
        """Macros of that name that have no parameters and begin with a dereference."""
        return self.places(name + _OBJECT.decode())

    def text(self, place: Place) -> bytes:
        """The bytes of a definition."""
        return self.data(place.path)[place.start : place.end]

    def data(self, path: str) -> bytes:
        """The bytes of a file of the tree, empty for one that cannot be read."""
        known = self._texts.get(path)
        if known is None:
            try:
                known = self._tree.read(path)
            except OSError:
                known = b""
            self._texts[path] = known
        return known

    def tables(self, path: str) -> frozenset[bytes]:
        """The variables of a file that have an initialiser in braces."""
        return tables_in(self.data(path))

    def functions_in(self, path: str, name: str) -> tuple[str, ...]:
        """The functions in the initialiser of such a variable."""
        variable = read_variable(self.data(path), name)
        return variable.functions if variable is not None else ()

    def keep(self, path: str, data: bytes) -> bool:
        """Take ``data`` for the bytes of a file; False where others are in use already."""
        if self._tables is not None and path not in self._texts and path in self._ranks and data != self.data(path):
            return False
        self._given.add(path)
        return self._texts.setdefault(path, data) == data

    def load(self) -> None:
        """Find the definitions now, which the first question does otherwise."""
        if self._tables is None:
            self._tables = self._load()

    def _load(self) -> tuple[Table, ...]:
        paths, tables = self._read()
        self._ranks = {path: rank for rank, path in enumerate(paths)}
        if self._read != self._read_all:
            self._replaced = {path: read_names([path], self.data) for path in self._given if path in self._ranks}
        return tables

    def _read_all(self) -> Tables:
        paths = searched(self._tree, self._folders)
        return Tables(paths, (read_names(paths, self.data),))


def searched(tree: Tree, folders: Sequence[str]) -> list[str]:
    """The files of a search in order, each once."""
    listed = ([folder] if folder[-2:] in _FILES else tree.files(folder) for folder in folders)
    return list(dict.fromkeys(chain.from_iterable(listed)))


def _functions(data: bytes) -> Iterator[tuple[int, int]]:
    """(start of the header, brace) of functions whose brace stands in column 0."""
    find, rfind = data.find, data.rfind
    brace = find(b"\n{")
    while brace >= 0:
        start = max(0, brace - _HEADER) - 1
        for end in _BEFORE_HEADER:
            # Each looks only behind what was found before.
            start = max(rfind(end, start + 1, brace), start)
        yield start + 1, brace + 1
        brace = find(b"\n{", brace + 2)


def _inlines(data: bytes) -> Iterator[tuple[int, int]]:
    """The same for functions that open on the line of their header, such as ``static inline void f(void) {}``."""
    find = data.find
    start = find(b"\nstatic ")
    while start >= 0:
        brace = find(b"{", start, start + _HEADER)
        if brace >= 0 and data[brace - 1] == 0x20 and find(b"inline", start, brace) >= 0 > find(b";", start, brace):
            yield start + 1, brace
        start = find(b"\nstatic ", start + 8)


def _end(data: bytes, brace: int) -> int:
    """One past the end of a body: the brace that closes it, on its line or in column 0."""
    line = data.find(b"\n", brace)
    if line < 0:
        return len(data)
    closing = data.rfind(b"}", brace, line)
    if closing >= 0 and data.count(b"{", brace, line) == data.count(b"}", brace, line):
        return closing + 1
    closing = data.find(b"\n}", line)
    return closing + 2 if closing >= 0 else len(data)


def _macro_end(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    while end > 0 and data[end - 1 : end] == b"\\":
        end = data.find(b"\n", end + 1)
    return end if end >= 0 else len(data)
