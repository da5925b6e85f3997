"""A patch as it is quoted in a reply: comments stand unquoted below the line that they are on.

    > @@ -733,7 +733,7 @@ static int madvise_free_pte_range(pmd_t *pmd, unsigned long addr,
    > -				lazy_mmu_mode_enable();
    > +				lazy_mmu_mode_enable_pte(mm, addr, end, pte);

    'pte' has the value of 'start_pte', ...

Quoted lines are never wrapped. b4 finds the comments of a reply by this form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mmlint.series.model import FileChange, Hunk, Patch

Comments = Mapping[int, Sequence[Sequence[str]]]
_CONTEXT: Final = 5
_GAP: Final = "> [...]"


def whole(patch: Patch, comments: Comments) -> Iterator[str]:
    """Every line of the text of the patch."""
    for number, line in enumerate(patch.text.rstrip(b"\n").split(b"\n"), start=1):
        yield quoted(line)
        yield from _below(comments.get(number, ()))


def excerpts(patch: Patch, comments: Comments) -> Iterator[str]:
    """The hunks that are commented on, each line with no more than five lines above it."""
    for change in patch.files:
        hunks = [hunk for hunk in change.hunks if any(line.in_patch in comments for line in hunk.lines)]
        if hunks:
            yield from _names(change)
        for hunk in hunks:
            yield from _hunk(hunk, comments)


def quoted(line: bytes) -> str:
    """A line of the patch as it is quoted."""
    return "> " + code(line)


def code(line: bytes) -> str:
    """A line of source as it is, without its end and without what does not print."""
    text = line.rstrip(b"\r").decode("utf-8", "replace")
    return "".join(sign if sign == "\t" or sign.isprintable() else "\ufffd" for sign in text)


def _names(change: FileChange) -> Iterator[str]:
    old = "/dev/null" if change.kind == "added" else f"a/{change.before}"
    new = "/dev/null" if change.kind == "deleted" else f"b/{change.path}"
    for name in (f"--- {old}", f"+++ {new}"):
        yield quoted(name.encode("utf-8", "surrogateescape"))


def _hunk(hunk: Hunk, comments: Comments) -> Iterator[str]:
    yield quoted(hunk.header.encode("utf-8", "surrogateescape"))
    told = 0
    for position, line in enumerate(hunk.lines):
        if line.in_patch not in comments:
            continue
        first = max(told, position - _CONTEXT)
        if first > told:
            yield _GAP
        for shown in hunk.lines[first : position + 1]:
            yield quoted(shown.kind.encode() + shown.text)
        yield from _below(comments[line.in_patch])
        told = position + 1


def _below(comments: Sequence[Sequence[str]]) -> Iterator[str]:
    for lines in comments:
        yield ""
        yield from lines
    if comments:
        yield ""
