"""What mmlint says: diagnostics with notes, and fixes made of byte edits.

A message names the variable and the reason, in lower case, without line numbers: lines move, and a message is part
of the fingerprint that recognises a finding in the next revision of a file.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from mmlint.source import Location, Span


class Level(IntEnum):
    """How bad it is: what corrupts memory is an error, what only costs speed a note."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Applicability(IntEnum):
    """How far a fix may be trusted; ordered, so that ``fix.applicability >= SAFE`` selects."""

    DISPLAY_ONLY = 1
    UNSAFE = 2
    SAFE = 3

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


class Edit(NamedTuple):
    """Replace the bytes of ``span`` in the file ``path`` by ``text``."""

    path: str
    span: Span
    text: str


class _Edits(NamedTuple):
    title: str
    applicability: Applicability
    edits: tuple[Edit, ...]


class Fix(_Edits):
    """Edits that belong together. Raises ValueError when there are none or two overlap."""

    __slots__ = ()

    def __new__(cls, title: str, applicability: Applicability, edits: tuple[Edit, ...]) -> Fix:
        if not edits:
            raise ValueError("a fix without edits")
        ordered = sorted(edits, key=lambda edit: (edit.path, edit.span))
        for left, right in itertools.pairwise(ordered):
            if left.path == right.path and left.span.end > right.span.start:
                raise ValueError(f"edits overlap at byte {right.span.start} of {right.path}")
        return super().__new__(cls, title, applicability, edits)


class Note(NamedTuple):
    """One step of the evidence: where it stands and what it shows."""

    location: Location
    message: str


class Diagnostic(NamedTuple):
    """One finding. ``fingerprint`` is empty until `fingerprinted` has seen all findings of a run."""

    rule: str
    level: Level
    location: Location
    function: str
    message: str
    notes: tuple[Note, ...] = ()
    fix: Fix | None = None
    fingerprint: str = ""

    @property
    def path(self) -> str:
        return self.location.path

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order of output: by file, place, rule, text."""
        return (self.path, self.location.span.start, self.location.span.end, self.rule, self.message)


class Skipped(NamedTuple):
    """Code that was not analysed, and why. It is never counted as clean."""

    path: str
    function: str
    line: int
    reason: str

    @property
    def message(self) -> str:
        """Such as "walk() was not analysed: syntax error"."""
        return f"{self.function}() was not analysed: {self.reason}" if self.function else f"not read: {self.reason}"


class Suppressed(NamedTuple):
    """A finding that was judged and accepted, and why. It is counted in every format."""

    diagnostic: Diagnostic
    reason: str


def fingerprinted(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted diagnostics with fingerprints that do not depend on lines.

    Findings that agree in rule, path, function and message are told apart by their order.
    """
    ordered = sorted(diagnostics, key=lambda d: d.sort_key)
    if not ordered:
        return []
    from hashlib import sha256

    seen: Counter[tuple[str, ...]] = Counter()
    result = []
    for diagnostic in ordered:
        identity = (diagnostic.rule, diagnostic.path, diagnostic.function, diagnostic.message)
        seen[identity] += 1
        text = "\0".join((*identity, str(seen[identity])))
        digest = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        result.append(diagnostic._replace(fingerprint=digest))
    return result
