"""The list of findings that were judged and accepted, each with the reason.

    # fingerprint      rule             path          reason
    7f0c2b1d9e3a4c55   unranged-walker  mm/vmscan.c   # several tables at once; see the cover letter of v3

One entry a line; blank lines and lines that begin with ``#`` are comments; a path with blanks stands in double quotes.
Paths are relative to the folder of the list, so that it holds wherever in the tree mmlint is run. An entry holds
for one finding of one text: when the code or the message changes, the finding is back and the entry is told as unused.
A crash (``internal-error``) cannot be accepted.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmlint.atomic import WriteError, rewrite
from mmlint.config import UsageError
from mmlint.diagnostic import Diagnostic, Level, Suppressed, fingerprinted
from mmlint.source import Source

NAME: Final = ".mmlint-suppressions"
UNUSED: Final = "unused-suppression"
# What stands for the tool, not for the code.
NEVER: Final = frozenset({"internal-error", UNUSED})
_FORM: Final = "write FINGERPRINT RULE PATH # REASON"
_ENTRY: Final = re.compile(
    r"""(?P<fingerprint>\S+) [ \t]+ (?P<rule>\S+) [ \t]+ (?P<path>"(?:[^"\\]|\\.)*"|[^\s"\#][^\#]*?)
        [ \t]* (?:\#[ \t]*(?P<reason>.*?))? [ \t]*$""",
    re.VERBOSE,
)
_HEAD: Final = "# Findings that were judged and are accepted: fingerprint, rule, path, # reason\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list; ``line`` counts from 1."""

    fingerprint: str
    rule: str
    path: str
    reason: str
    line: int

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.fingerprint, self.rule, self.path)


@dataclass(frozen=True)
class SuppressionList:
    """A list as it was read: its own text, and its entries in order."""

    source: Source
    entries: tuple[Entry, ...]

    @property
    def folder(self) -> str:
        """What the paths of the entries are relative to."""
        return os.path.dirname(os.path.realpath(self.source.path))  # noqa: PTH120


@dataclass(frozen=True, slots=True)
class Applied:
    """What a list did: the findings that remain, those that it suppresses, and the entries that it did not need."""

    remaining: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...]
    unused: tuple[Entry, ...]


def read_list(path: Path) -> SuppressionList:
    """The list in ``path``. Raises UsageError: file, line, and remedy; never with what stands in the file.

    A configuration names the list, and may come with a tree: whatever it leads to is neither waited for nor printed.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: not a regular file; give a list of suppressions")
        data = path.read_bytes()
    except OSError as error:
        how = "`mmlint check --write-suppressions FILE --reason TEXT`"
        raise UsageError(f"{path}: {error.strerror}; give a list that exists, or make one with {how}") from error
    source = Source(str(path), data)
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    entries = (_entry(path, number, line.rstrip("\r")) for number, line in enumerate(lines, start=1))
    return SuppressionList(source, tuple(entry for entry in entries if entry))


def _entry(path: Path, number: int, line: str) -> Entry | None:
    text = line.strip(" \t")
    if not text or text.startswith("#"):
        return None
    found = _ENTRY.match(text)
    if found is None:
        raise UsageError(f"{path}:{number}: not an entry; {_FORM}")
    fingerprint, rule = found["fingerprint"], found["rule"]
    if not re.fullmatch(r"[0-9a-f]{16}", fingerprint):
        raise UsageError(f"{path}:{number}: the first word is no fingerprint; copy the 16 digits of --format json")
    if rule in NEVER:
        raise UsageError(f"{path}:{number}: {rule} cannot be suppressed; delete the line")
    if not found["reason"]:
        raise UsageError(f"{path}:{number}: the entry has no reason; {_FORM}")
    try:
        return Entry(fingerprint, rule, _unquoted(found["path"]), found["reason"], number)
    except ValueError as error:
        raise UsageError(f"{path}:{number}: the path is not quoted as JSON is; {_FORM}") from error


def apply_list(
    accepted: SuppressionList, diagnostics: Sequence[Diagnostic], expected: Callable[[Entry], bool]
) -> Applied:
    """Take out of ``diagnostics`` what the list accepts.

    ``expected`` tells whether the finding of an entry would have been seen in this run: only then is it unused.
    """
    entries = {entry.key: entry for entry in accepted.entries}
    used: set[tuple[str, str, str]] = set()
    remaining, suppressed = [], []
    for diagnostic, key in zip(diagnostics, keys_of(diagnostics, accepted.folder), strict=True):
        if key in entries and diagnostic.rule not in NEVER:
            used.add(key)
            suppressed.append(Suppressed(diagnostic, entries[key].reason))
        else:
            remaining.append(diagnostic)
    unused = tuple(entry for entry in accepted.entries if entry.key not in used and expected(entry))
    return Applied(tuple(remaining), tuple(suppressed), unused)


def unused_findings(accepted: SuppressionList, unused: Iterable[Entry]) -> list[Diagnostic]:
    """A note for each entry that nothing needs any more."""
    found = []
    for entry in unused:
        span = accepted.source.line_span(entry.line)
        message = f"nothing is suppressed: {entry.rule} is not found there in {entry.path}; delete the entry"
        found.append(Diagnostic(UNUSED, Level.NOTE, accepted.source.locate(span), "", message))
    return fingerprinted(found)


def covered(entry: Entry, folder: str, paths: Iterable[str], skipped: Collection[str]) -> bool:
    """True when a run over ``paths`` saw all of the entry's file; ``skipped`` are files it did not read in full."""
    place = os.path.join(folder, entry.path)  # noqa: PTH118
    if any(_absolute(path) == place for path in skipped):
        return False
    roots = [_absolute(path) for path in paths]
    return any(place == root or place.startswith(root.rstrip("/") + "/") for root in roots)


def append(path: Path, diagnostics: Sequence[Diagnostic], reason: str) -> int:
    """Add an entry for each of ``diagnostics`` and return how many; the file is made where there is none.

    Raises UsageError, and leaves the file as it was, when it is not a list or cannot be written.
    """
    exists = os.path.lexists(path)
    accepted = read_list(path) if exists else SuppressionList(Source(str(path), b""), ())
    before = accepted.source.data
    known = {entry.key for entry in accepted.entries}
    keys = [key for key in keys_of(diagnostics, accepted.folder) if key[1] not in NEVER and key not in known]
    if not keys:
        return 0
    head = b"" if exists else _HEAD.encode()
    gap = b"\n" if before and not before.endswith(b"\n") else b""
    lines = "".join(f"{fingerprint} {rule} {_quoted(file)} # {reason}\n" for fingerprint, rule, file in keys)
    try:
        if not exists:
            path.touch(exist_ok=False)
        rewrite(str(path), before, before + gap + head + lines.encode("utf-8", "surrogateescape"), [str(path)])
    except (OSError, WriteError) as error:
        if not exists:
            path.unlink(missing_ok=True)
        raise UsageError(f"{getattr(error, 'strerror', None) or error}; nothing was written to {path}") from error
    return len(keys)


def keys_of(diagnostics: Sequence[Diagnostic], folder: str) -> list[tuple[str, str, str]]:
    """Fingerprint, rule and path of each finding, as they are when mmlint is run in ``folder``."""
    moved = [d._replace(location=d.location._replace(path=_relative(d.path, folder))) for d in diagnostics]
    order = sorted(range(len(moved)), key=lambda number: moved[number].sort_key)
    keys = [("", "", "")] * len(moved)
    for number, diagnostic in zip(order, fingerprinted(moved), strict=True):
        keys[number] = (diagnostic.fingerprint, diagnostic.rule, diagnostic.path)
    return keys


def _relative(path: str, folder: str) -> str:
    """``path`` below ``folder``, or as it is when it lies elsewhere."""
    place, prefix = _absolute(path), folder.rstrip("/") + "/"
    return place.removeprefix(prefix) if place.startswith(prefix) else path


def _absolute(path: str) -> str:
    """The path without links in its folders; the file itself may be one, and keeps its name."""
    folder, name = os.path.split(path.rstrip("/") or "/")
    if name in ("", ".", ".."):
        return os.path.realpath(path)
    return os.path.join(os.path.realpath(folder or os.curdir), name)  # noqa: PTH118


def _quoted(path: str) -> str:
    if re.fullmatch(r"[^\s\"#][^\s#]*", path) and path.isprintable():
        return path
    import json

    return json.dumps(path)


def _unquoted(path: str) -> str:
    """Raises ValueError."""
    if not path.startswith('"'):
        return path
    import json

    text = json.loads(path)
    return str(text)
