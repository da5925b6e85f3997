"""The diff of a patch: files and hunks, and the refusal of what no honest patch holds.

    for change in parse_diff(text):
        print(change.path, change.kind, len(change.hunks))

git applies the patch; this tells where its lines stand. A path that leads out of the tree or into a repository, a
symbolic link, a submodule, a hunk whose counts are wrong: each is refused with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mmlint.series.model import FileChange, Hunk, Line

MAX_HUNKS: Final = 50_000
# A copy makes a whole file of two lines, and each has to be judged.
MAX_COPIES: Final = 500
# No line of source is as long, and nobody reads one that is.
MAX_LINE: Final = 1 << 20
MAX_BINARY: Final = 64 << 20
_GIT: Final = re.compile(rb'^diff --git ("(?:[^"\\]|\\.)*"|\S.*?) ("(?:[^"\\]|\\.)*"|\S.*)$')
_HUNK: Final = re.compile(rb"^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_INDEX: Final = re.compile(rb"^index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: (\d{6}))?\s*$")
_BINARY: Final = re.compile(rb"^(?:literal|delta) (\d+)\s*$")
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)")
_CONTROL: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_NO_FILE: Final = b"/dev/null"


class PatchError(Exception):
    """The patch is refused: why, with its line, and what to do about it."""

    def __init__(self, why: str, remedy: str = "give the patch as git made it") -> None:
        super().__init__(why)
        self.remedy = remedy


@dataclass(slots=True)
class _File:
    old: str | None = None
    new: str | None = None
    kind: str = "modified"
    blobs: tuple[str, str] = ("", "")
    hunks: list[Hunk] = field(default_factory=list)

    def finished(self) -> FileChange | None:
        old, new = self.old, self.new
        kind = self.kind
        if kind == "modified" and old is None:
            kind = "added"
        elif kind == "modified" and new is None:
            kind = "deleted"
        path = new or old
        if path is None:
            return None
        before = old if old and old != path else ""
        return FileChange(path, before, kind, *self.blobs, tuple(self.hunks))


def parse_diff(text: bytes) -> tuple[FileChange, ...]:
    """What a patch does, in its own order. Raises PatchError."""
    if b"\0" in text:
        raise PatchError("it holds NUL bytes: no text")
    return tuple(_Reader(text).changes())


def has_diff(text: bytes) -> bool:
    """True when unquoted lines of a diff stand in ``text``."""
    found = re.search(rb"^(?:diff --git \S|--- \S[^\n]*\n\+\+\+ \S[^\n]*\n@@ -)", text, re.MULTILINE)
    return found is not None


class _Reader:
    def __init__(self, text: bytes) -> None:
        self.lines = text.split(b"\n")
        self.at = 0
        self.hunks = 0
        self.copies = 0
        self.strip = 1

    def changes(self) -> Iterator[FileChange]:
        file: _File | None = None
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.startswith(b"diff --git "):
                if file and (change := file.finished()):
                    yield change
                file = self._header(line)
                continue
            if line.startswith(b"--- ") and self._is_plain_header():
                if file and (file.hunks or (file.old, file.new) == (None, None)) and (change := file.finished()):
                    yield change
                    file = None
                file = file or _File()
                self._names(file)
                continue
            if line.startswith(b"@@ -") and file is not None:
                file.hunks.append(self._hunk(line))
                continue
            if line.startswith(b"GIT binary patch") and file is not None:
                file.kind = "binary"
            size = _BINARY.match(line) if file and file.kind == "binary" else None
            if size and (len(size[1]) > 12 or int(size[1]) > MAX_BINARY):
                raise self._too_much(f"a binary file of more than {MAX_BINARY >> 20} MiB")
            self.at += 1
        if file and (change := file.finished()):
            yield change

    def _is_plain_header(self) -> bool:
        following = self.lines[self.at + 1 : self.at + 3]
        return len(following) == 2 and following[0].startswith(b"+++ ") and following[1].startswith(b"@@ -")

    def _header(self, line: bytes) -> _File:
        found = _GIT.match(line.rstrip(b"\r"))
        if found is None:
            raise self._refused("a diff without names")
        file = _File()
        old, new = self._git_names(line.rstrip(b"\r"), found)
        file.old, file.new = old, new
        self.at += 1
        while self.at < len(self.lines):
            line = self.lines[self.at].rstrip(b"\r")
            if not self._extended(file, line):
                break
            self.at += 1
        return file

    def _git_names(self, line: bytes, found: re.Match[bytes]) -> tuple[str, str]:
        old, new = found.group(1), found.group(2)
        if not old.startswith(b'"'):
            # Names with blanks: both are the same but for their prefix.
            rest = line[len(b"diff --git ") :]
            for position in [m.start() for m in re.finditer(rb" ", rest)]:
                left, right = rest[:position], rest[position + 1 :]
                if left.split(b"/", 1)[1:] == right.split(b"/", 1)[1:]:
                    old, new = left, right
                    break
        if old == new:
            self.strip = 0
        return self._path(old), self._path(new)

    def _extended(self, file: _File, line: bytes) -> bool:
        """One line of the header that git writes below ``diff --git``; False when it is over."""
        index = _INDEX.match(line)
        if index:
            file.blobs = (index[1].decode(), index[2].decode())
            self._mode(index[3])
        elif line.startswith((b"old mode ", b"new mode ", b"new file mode ", b"deleted file mode ")):
            self._mode(line.rsplit(b" ", 1)[1])
            if line.startswith(b"new file"):
                file.old, file.kind = None, "added"
            elif line.startswith(b"deleted"):
                file.new, file.kind = None, "deleted"
            elif file.kind == "modified":
                file.kind = "mode"
        elif line.startswith((b"rename from ", b"copy from ")):
            file.old = self._path(line.split(b" from ", 1)[1], bare=True)
            file.kind = "renamed" if line.startswith(b"rename") else "copied"
            self.copies += file.kind == "copied"
            if self.copies > MAX_COPIES:
                raise self._too_much(f"more than {MAX_COPIES} copies of files")
        elif line.startswith((b"rename to ", b"copy to ")):
            file.new = self._path(line.split(b" to ", 1)[1], bare=True)
        elif line.startswith(b"Binary files "):
            file.kind = "binary"
        elif not line.startswith((b"similarity index ", b"dissimilarity index ")):
            return False
        return True

    def _names(self, file: _File) -> None:
        names = [self.lines[self.at + k][4:].split(b"\t")[0].rstrip(b"\r ") for k in (0, 1)]
        old, new = (None if name == _NO_FILE else self._path(name) for name in names)
        if old is not None or new is not None:
            file.old, file.new = old, new
        if file.kind == "mode":
            file.kind = "modified"
        self.at += 2

    def _mode(self, mode: bytes | None) -> None:
        what = {b"120000": "a symbolic link", b"160000": "a submodule"}.get(mode or b"")
        if what:
            raise self._refused(f"{what}; patches of these are not taken")

    def _path(self, name: bytes, bare: bool = False) -> str:
        """The path that git takes ``name`` for. Raises PatchError when it leads out of the tree."""
        if name.startswith(b'"') and name.endswith(b'"') and len(name) > 1:
            name = _ESCAPE.sub(_unescaped, name[1:-1])
        parts = name.split(b"/")
        if not bare and self.strip and len(parts) > 1:
            parts = parts[1:]
        shown = name.decode("utf-8", "backslashreplace")
        if name.startswith(b"/") or not all(parts):
            raise self._refused(f"{shown}: the path does not lie in the tree")
        for part in parts:
            if part in (b".", b".."):
                raise self._refused(f"{shown}: the path leads out of the tree")
            plain = part.lower().rstrip(b". ")
            if plain in (b".git", b"git~1", b".gitmodules") or b"\n" in part or len(part) > 255:
                raise self._refused(f"{shown}: no file of a tree has that path")
        return b"/".join(parts).decode("utf-8", "surrogateescape")

    def _hunk(self, header: bytes) -> Hunk:
        found = _HUNK.match(header)
        self.hunks += 1
        if found is None:
            raise self._refused("a hunk without line numbers")
        if self.hunks > MAX_HUNKS:
            raise self._too_much(f"more than {MAX_HUNKS:,} hunks")
        old_start, old_count, new_start, new_count = (int(g) if g is not None else 1 for g in found.groups())
        place = self.at + 1
        old, new, lines = old_start, new_start, []
        old_left, new_left = old_count, new_count
        while old_left > 0 or new_left > 0:
            self.at += 1
            line = self.lines[self.at] if self.at < len(self.lines) else None
            kind = (line[:1] or b" ") if line is not None else b""
            is_last = self.at + 1 >= len(self.lines) and not line
            if is_last or line is None or kind not in (b" ", b"-", b"+", b"\\", b"\r"):
                raise self._refused(f"the hunk of line {place} is shorter than its header says")
            if len(line) > MAX_LINE:
                raise self._too_much(f"a line of more than {MAX_LINE >> 20} MiB")
            if kind == b"\\":
                continue
            kind = b" " if kind == b"\r" else kind
            is_old, is_new = kind in b" -", kind in b" +"
            if (is_old and not old_left) or (is_new and not new_left):
                raise self._refused(f"the hunk of line {place} does not hold the lines that its header counts")
            lines.append(Line(kind.decode(), line[1:], old * is_old, new * is_new, self.at + 1))
            old, new = old + is_old, new + is_new
            old_left, new_left = old_left - is_old, new_left - is_new
        self.at += 1
        if self._goes_on():
            raise self._refused(f"the hunk of line {place} is longer than its header says")
        shown = header.decode("utf-8", "backslashreplace").rstrip("\r")
        return Hunk(old_start, old_count, new_start, new_count, shown, place, tuple(lines))

    def _goes_on(self) -> bool:
        """True when a line of a hunk follows."""
        line = self.lines[self.at] if self.at < len(self.lines) else b""
        removal = line[:1] == b"-" and not line.startswith((b"-- ", b"--- ")) and line.rstrip() != b"--"
        return bool(line.strip()) and (line[:1] in (b"+", b" ") or removal)

    def _refused(self, why: str) -> PatchError:
        return PatchError(f"line {self.at + 1} of the patch: {why}")

    def _too_much(self, what: str) -> PatchError:
        return PatchError(f"line {self.at + 1} of the patch: {what}", "give the patches without it")


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found.group(1)
    if code.isdigit():
        return bytes((int(code, 8) & 0xFF,))
    return _CONTROL.get(code, code)
