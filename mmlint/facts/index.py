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
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mmlint.tree import Tree

_NAMES = re.compile(rb"([A-Za-z_]\w*)[ \t]*\(")
_MACRO = re.compile(rb"#[ \t]*define[ \t]+([A-Za-z_]\w*)\(")
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
# What stands for the brace of a macro.
_NO_BRACE = -1


class Place(NamedTuple):
    """One definition: the file, the name, and its bytes from the header to one past the end."""

    path: str
    name: str
    start: int
    end: int
    macro: bool = False
    static: bool = False


class NameIndex:
    """The definitions in some folders of a tree; the files are read when the first name is asked for."""

    def __init__(self, tree: Tree, folders: Sequence[str], texts: NameIndex | None = None) -> None:
        """``folders`` may name single files too; the bytes of files are kept once, where ``texts`` keeps them."""
        self._tree = tree
        self._folders = folders
        self._loaded = False
        # By name: the number of the file, the start of the header, the brace.
        self._found: dict[bytes, list[tuple[int, int, int]]] = {}
        self._paths: list[str] = []
        self._places: dict[str, tuple[Place, ...]] = {}
        self._texts: dict[str, bytes] = texts._texts if texts is not None else {}

    def places(self, name: str) -> tuple[Place, ...]:
        """Definitions of that name, in the order of the folders and files."""
        if not self._loaded:
            self._load()
        known = self._places.get(name)
        if known is None:
            known = tuple(self._place(name, *found) for found in self._found.get(name.encode(), ()))
            self._places[name] = known
        return known

    def _place(self, name: str, file: int, start: int, brace: int) -> Place:
        path = self._paths[file]
        data = self.data(path)
        if brace == _NO_BRACE:
            return Place(path, name, start, _macro_end(data, start), macro=True)
        static = _STATIC.search(data, start, max(data.find(b"(", start, brace), start)) is not None
        return Place(path, name, start, _end(data, brace), static=static)

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

    def keep(self, path: str, data: bytes) -> bool:
        """Take ``data`` for the bytes of a file; False where others are in use already."""
        return self._texts.setdefault(path, data) == data

    def _load(self) -> None:
        self._loaded = True
        paths = dict.fromkeys(
            path
            for folder in self._folders
            for path in ([folder] if folder[-2:] in _FILES else self._tree.files(folder))
        )
        found = self._found
        for number, path in enumerate(paths):
            data = self.data(path)
            self._paths.append(path)
            headers = {brace: start for start, brace in (*_inlines(data), *_functions(data))}
            for brace, start in headers.items():
                for name in {*_NAMES.findall(data, start, brace)} - _NO_NAMES:
                    found.setdefault(name, []).append((number, start, brace))
            for macro in _MACRO.finditer(data):
                found.setdefault(macro.group(1), []).append((number, macro.start(), _NO_BRACE))


def _functions(data: bytes) -> Iterator[tuple[int, int]]:
    """(start of the header, brace) of functions whose brace stands in column 0."""
    find, rfind = data.find, data.rfind
    brace = find(b"\n{")
    while brace >= 0:
        low = max(0, brace - _HEADER)
        start = max(
            rfind(b"\n\n", low, brace),
            rfind(b";\n", low, brace),
            rfind(b"}\n", low, brace),
            rfind(b"*/\n", low, brace),
            low - 1,
        )
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
