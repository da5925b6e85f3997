"""Structures and arrays with an initialiser, read from the text of a file: which functions stand in them.

static const struct mm_walk_ops cold_walk_ops = {
        .pmd_entry = madvise_cold_or_pageout_pte_range,
};

variable = read_variable(text, "cold_walk_ops")
functions_in(text, variable, ".pmd_entry")   ->  Held(("madvise_cold_or_pageout_pte_range",), sure=True)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mmlint.source import Span

_INITIALISER = re.compile(rb"\bstruct\s+(\w+)\s+\w+\s*(?:\[[^\]]*\]\s*)?=\s*\{")
# What stands behind the name where a global is declared.
_DECLARED = re.compile(rb"\s*(?:\[[^\]]*\]\s*)*(?:\)\s*\([^;{}=]*\)\s*)?(?:=\s*\{|;)")
_NO_TYPES = frozenset((b"return", b"goto", b"case", b"else", b"sizeof", b"typeof"))
_DESIGNATOR = re.compile(rb"\s*((?:\.\s*\w+\s*|\[[^\]]*\]\s*)+)=(?!=)")
_BLANK = re.compile(rb"\s*")
_BRACKET = re.compile(rb"[()\[\]{},]")
_STEP = re.compile(r"\.\w+|\[[^\]]*\]")
_CAST = re.compile(r"^\s*\(\s*[\w\s*]+\)\s*(?=\w|&)")
_NAMED = re.compile(r"[(&\s]*([A-Za-z_]\w*)[\s)]*")
_WORD = re.compile(rb"\w+")
_NEAR = 400
_ALONE = re.compile(rb"(?!\w)")
_PART = re.compile(rb"[\w.>]")
# The name in front of an initialiser, behind it what makes it an array, or one of functions.
_INITIALISED = re.compile(rb"(\w++)\s*+(?:\[[^\]\n]*+\]\s*+)*+(?:\)\s*+\([^;{}=)]*+\)\s*+)?\Z")
_FIELD = re.compile(rb"\.\s*(\w+)\s*=\s*&?\s*(\w+)\s*[,}]")


def members_of_structs(masked: bytes) -> dict[str, list[tuple[str, str, Span]]]:
    """Functions that stand in a struct's initialiser: (struct, field, place) by function."""
    found: dict[str, list[tuple[str, str, Span]]] = {}
    for match in _INITIALISER.finditer(masked):
        end = masked.find(b"\n}", match.end())
        for field in _FIELD.finditer(masked, match.end(), end + 2 if end >= 0 else len(masked)):
            place = (match.group(1).decode(), field.group(1).decode(), Span(*field.span(2)))
            found.setdefault(field.group(2).decode(), []).append(place)
    return found


class Held(NamedTuple):
    """Functions that a member of a global may hold, by name; ``sure`` where it can hold nothing else."""

    names: tuple[str, ...]
    sure: bool


class Variable(NamedTuple):
    """A global with its declarations: what it is initialised with by path, and whether that is all it can hold."""

    name: str
    elements: tuple[tuple[str, str], ...]
    constant: bool
    private: bool

    @property
    def functions(self) -> tuple[str, ...]:
        """What may be functions among the members."""
        return tuple(dict.fromkeys(name for _, value in self.elements if (name := _function(value))))


def functions_in(masked: bytes, variable: Variable, path: str) -> Held:
    """What the member ``path`` (".f", "[0]", "[*].in.f") of a global holds."""
    name = variable.name
    wanted = _steps(path)
    if wanted[0][0] == "." and any(there.startswith("[") for there, _ in variable.elements):
        # An array is a pointer to its first element.
        wanted = ["[0]", *wanted]
    values = [value for there, value in variable.elements if _may_be(_steps(there), wanted)]
    certain = variable.constant or variable.private
    if not variable.constant:
        values += _assigned(masked, name, wanted)
    # A structure without designators has its members in an order that only its declaration knows.
    unnamed = any(
        len(there) >= len(wanted) and any(a[0] != b[0] for a, b in zip(there, wanted, strict=False))
        for there in (_steps(path) for path, _ in variable.elements)
    )
    names = [_function(value) for value in values]
    found = tuple(dict.fromkeys(found for found in names if found))
    return Held(found, bool(found) and certain and not unnamed and None not in names)


def read_variable(masked: bytes, name: str) -> Variable | None:
    """The global of that name in the text of a file, None where it is not declared there."""
    elements: list[tuple[str, str]] = []
    constant, private, seen = True, True, False
    places = []
    for place in _places(masked, name):
        declared = _DECLARED.match(masked, place + len(name))
        head = masked[max(0, place - _NEAR) : place]
        head = head[max(head.rfind(mark) for mark in (b";", b"}", b"{", b"#")) + 1 :]
        words = set(_WORD.findall(head))
        if declared is None or len(words) < 1 or words & _NO_TYPES or b"extern" in words or b"=" in head:
            continue
        places.append(place)
        seen = True
        constant &= b"const" in words and (b"*" not in head or b"(" in head or head.rstrip().endswith(b"const"))
        private &= b"static" in words
        if declared.group().endswith(b"{"):
            elements += _elements(masked, declared.end(), "")[0]
    if not seen:
        return None
    if not constant:
        private &= all(
            place in places or masked[place + len(name) : place + len(name) + 1] in (b".", b"[")
            for place in _places(masked, name)
        )
    return Variable(name, tuple(elements), constant and bool(elements), private)


def _places(masked: bytes, name: str) -> list[int]:
    """Where a name stands that is no member."""
    word = name.encode()
    found = []
    place = masked.find(word)
    while place >= 0:
        end = place + len(word)
        # To look for the word and then around it is many times faster than one pattern over the file.
        if _ALONE.match(masked, end) and not _PART.match(masked, max(place - 1, 0), place):
            found.append(place)
        place = masked.find(word, end)
    return found


def _elements(text: bytes, start: int, path: str) -> tuple[list[tuple[str, str]], int]:
    """The values between two braces with their paths, and the end; ``start`` is behind the opening one."""
    found: list[tuple[str, str]] = []
    position, count = start, 0
    while position < len(text):
        designator = _DESIGNATOR.match(text, position)
        there = "".join(designator.group(1).decode().split()) if designator else f"[{count}]"
        position = designator.end() if designator else position
        index = re.fullmatch(r"\[(\d+)\]", there)
        count = int(index.group(1)) + 1 if index else count + 1
        value = _BLANK.match(text, position)
        position = value.end() if value else position
        if text[position : position + 1] == b"{":
            inner, position = _elements(text, position + 1, path + there)
            found += inner
        end = _end_of_value(text, position)
        written = text[position:end].strip()
        if written:
            found.append((path + there, written.decode("ascii", "backslashreplace")))
        position = end + 1
        if text[end : end + 1] != b",":
            break
    return found, position


def _end_of_value(text: bytes, start: int) -> int:
    depth = 0
    for match in _BRACKET.finditer(text, start):
        if match.group() in b"([{":
            depth += 1
        elif match.group() == b",":
            if not depth:
                return match.start()
        elif not depth:
            return match.start()
        else:
            depth -= 1
    return len(text)


def _assigned(masked: bytes, name: str, wanted: list[str]) -> list[str]:
    """What is assigned to a member elsewhere in the file."""
    pattern = re.compile(rb"(?<![\w.>&])" + name.encode() + rb"((?:\s*\[[^\]]*\]|\s*\.\s*\w+)+)\s*=(?!=)\s*([^;{}]*);")
    return [
        match.group(2).decode("ascii", "backslashreplace")
        for match in pattern.finditer(masked)
        if _may_be(_steps("".join(match.group(1).decode().split())), wanted)
    ]


def _steps(path: str) -> list[str]:
    return _STEP.findall(path)


def _may_be(there: list[str], wanted: list[str]) -> bool:
    return len(there) == len(wanted) and all(map(_same, there, wanted))


def _same(there: str, wanted: str) -> bool:
    if there[0] == "." or wanted[0] == ".":
        return there == wanted
    # What is no number on both sides may be equal.
    return there == wanted or not (there[1:-1].isdigit() and wanted[1:-1].isdigit())


def _function(value: str) -> str | None:
    """The name that a value is, empty for a null pointer, None where it may be any function."""
    found = _NAMED.fullmatch(_CAST.sub("", value).strip())
    if found is None:
        return "" if value.strip() == "0" else None
    return "" if found.group(1) == "NULL" else found.group(1)


def tables_in(data: bytes) -> frozenset[bytes]:
    """The variables of a file that have an initialiser in braces."""
    found = []
    place = data.find(b"= {")
    while place >= 0:
        name = _INITIALISED.search(data, max(0, place - 160), place)
        if name is not None:
            found.append(name.group(1))
        place = data.find(b"= {", place + 3)
    return frozenset(found)
