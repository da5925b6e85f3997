"""Choose fixes, apply their edits, and look at the result before anybody else does.

    repair(report, checker.check, Applicability.SAFE)  ->  Repair(path, before, after, applied, waiting, refused)

Fixes of one file are applied from the top; one that overlaps another waits for the next round. Rounds go on until
nothing changes. A result that reads worse than what was there (a function that can no longer be analysed, a section
that is gone, a new error) is refused as a whole, as is one that does not settle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mmlint.checker import FileReport
from mmlint.diagnostic import Applicability, Diagnostic, Edit, Level
from mmlint.facts.sections import FileFacts
from mmlint.source import Source

ROUNDS: Final = 10


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of one file; ``after`` is ``before`` where nothing could be done.

    ``applied`` are the findings whose fixes were made, ``waiting`` counts those that overlap one and were left over,
    ``withheld`` those that are less safe than what was asked for. ``refused`` says why a repair was given up.
    """

    path: str
    before: bytes
    after: bytes
    applied: tuple[Diagnostic, ...] = ()
    waiting: int = 0
    withheld: int = 0
    refused: str = ""

    @property
    def changes(self) -> bool:
        return self.before != self.after


def repair(
    facts: FileFacts, diagnostics: Sequence[Diagnostic], check: Callable[[Source], FileReport], floor: Applicability
) -> Repair:
    """Apply every fix of ``floor`` or safer that is in this file; ``check`` judges each result."""
    path, before = facts.source.path, facts.source.data
    diagnostics = [d for d in diagnostics if d.path == path]
    report = FileReport(tuple(diagnostics), facts, facts.skipped)
    withheld = sum(1 for d in diagnostics if d.fix and d.fix.applicability < floor)
    data, applied = before, list[Diagnostic]()
    for _ in range(ROUNDS):
        # What a section of this file leads to elsewhere is repaired there.
        chosen, waiting = choose([d for d in report.diagnostics if d.path == path], floor, path)
        changed = apply_edits(data, [edit for d in chosen if d.fix for edit in d.fix.edits])
        if changed == data:
            return Repair(path, before, data, tuple(applied), waiting, withheld)
        result = check(Source(path, changed))
        fault = _worse(report, result)
        if fault:
            return Repair(path, before, before, withheld=withheld, refused=fault)
        data, report = changed, result
        applied.extend(chosen)
    return Repair(path, before, before, withheld=withheld, refused=f"the fixes do not settle within {ROUNDS} rounds")


def choose(diagnostics: Iterable[Diagnostic], floor: Applicability, path: str) -> tuple[list[Diagnostic], int]:
    """The fixes that can be made together, first by position, and how many have to wait for them."""
    wanted = [d for d in diagnostics if d.fix and d.fix.applicability >= floor]
    chosen: list[Diagnostic] = []
    taken: list[Edit] = []
    waiting = 0
    for diagnostic in sorted(wanted, key=lambda d: (min(e.span for e in d.fix.edits), d.sort_key) if d.fix else ()):
        edits = diagnostic.fix.edits if diagnostic.fix else ()
        if all(edit in taken for edit in edits):
            continue
        if any(edit.path != path or any(_overlaps(edit, other) for other in taken) for edit in edits):
            waiting += 1
            continue
        chosen.append(diagnostic)
        taken.extend(edits)
    return chosen, waiting


def _overlaps(left: Edit, right: Edit) -> bool:
    """True when the spans share a byte, or an insertion stands at an end of the other."""
    if left.span.start == left.span.end or right.span.start == right.span.end:
        return left.span.start <= right.span.end and right.span.start <= left.span.end
    return left.span.start < right.span.end and right.span.start < left.span.end


def apply_edits(data: bytes, edits: Iterable[Edit]) -> bytes:
    """``data`` with the edits made. Raises ValueError when two overlap or one reaches past the end."""
    pieces = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        if edit.span.start < position or edit.span.end > len(data):
            raise ValueError(f"edit of bytes {edit.span.start}..{edit.span.end} overlaps another or ends past the file")
        pieces += [data[position : edit.span.start], edit.text.encode("utf-8", "surrogateescape")]
        position = edit.span.end
    return b"".join([*pieces, data[position:]])


def _worse(before: FileReport, after: FileReport) -> str:
    """Why the second report reads worse than the first, or empty."""
    if after.facts is None:
        return "the result can no longer be analysed"
    if len(after.skipped) > len(before.skipped):
        return f"{after.skipped[-1].function}() could no longer be read"
    if before.facts is not None and _sections(after.facts) < _sections(before.facts):
        return "a section would be lost"
    if _errors(after) > _errors(before):
        return "the result would have a new error"
    return ""


def _sections(facts: FileFacts) -> int:
    # A leave and enter of the caller's section owes nothing, and may well become a pause and resume.
    return sum(bool(section.obligations) for function in facts.functions for section in function.sections)


def _errors(report: FileReport) -> int:
    return sum(1 for diagnostic in report.diagnostics if diagnostic.level >= Level.ERROR)
