"""A report made by hand with everything that a renderer has to cope with.

The file has a byte order of troubles on one line: a tab, letters of two and of four bytes, and CRLF at its end.
"""

from __future__ import annotations

from mmlint.diagnostic import (
    Applicability,
    Diagnostic,
    Edit,
    Fix,
    Level,
    Note,
    Skipped,
    Suppressed,
    fingerprinted,
)
from mmlint.engine import Coverage, Report
from mmlint.facts.sections import FileFacts, Obligation, Status, Verdict
from mmlint.report.outcome import Origin, Outcome
from mmlint.report.sources import Sources
from mmlint.source import Location, Source, Span
from tests.samples import function_of, plain_section, source_of, span_of

TEXT = (
    "static void walk(struct mm_struct *mm)\r\n"
    "{\r\n"
    "\tpte = pte_offset_map_lock(mm, pmd, addr, &ptl);\r\n"
    "\t/* Maß 𝔘 */ lazy_mmu_mode_enable();\r\n"
    "\tlazy_mmu_mode_disable();\r\n"
    "}\r\n"
)
SOURCE = source_of(TEXT)
CALL = span_of(SOURCE, "lazy_mmu_mode_enable()")
PTE = span_of(SOURCE, "pte =")
# A note in a file that cannot be read.
ELSEWHERE = Location("include/none.h", Span(40, 44), 7, 3, 7, 7)
HOSTILE = "'\x1b]<&\"'|`%\n::error::\udcff' is odd"
HOSTILE_PATH = "mm/a,b:%<&\"'\n\udcff.c"


def finding(
    level: Level = Level.ERROR, rule: str = "wrong-mm", message: str = "it is so", fixed: bool = True
) -> Diagnostic:
    notes = (Note(SOURCE.locate(PTE), "'pte' is mapped here"), Note(ELSEWHERE, "so says the caller"))
    fix = Fix("pass it", Applicability.SAFE, (Edit("mm/walk.c", CALL, "enable(mm)"),)) if fixed else None
    return Diagnostic(rule, level, SOURCE.locate(CALL), "walk", message, notes, fix)


def hostile() -> Diagnostic:
    location = Source(HOSTILE_PATH, b"x").locate(Span(0, 1))
    return Diagnostic("a-rule", Level.WARNING, location, "f\x07", HOSTILE)


def outcome_of(
    *diagnostics: Diagnostic,
    skipped: tuple[Skipped, ...] = (),
    suppressed: tuple[Suppressed, ...] = (),
    origins: dict[str, Origin] | None = None,
    quiet: bool = False,
    fail_level: Level = Level.WARNING,
) -> Outcome:
    """``origins`` has rules for keys."""
    proven = plain_section(SOURCE)
    open_one = plain_section(SOURCE, Obligation("table", Status.UNKNOWN))._replace(
        verdict=Verdict.UNKNOWN, proposal=None, reason="the end is not known"
    )
    facts = FileFacts(SOURCE, (function_of(SOURCE, proven, open_one),), 1, skipped)
    found = tuple(fingerprinted(diagnostics))
    report = Report(found, (facts,), Coverage(3, 1, 2, skipped), suppressed, below=4)
    by_fingerprint = {d.fingerprint: origins[d.rule] for d in found if origins and d.rule in origins}
    return Outcome(report, Sources(report), fail_level, quiet=quiet, origins=by_fingerprint)


def full(quiet: bool = False) -> Outcome:
    """An error with a fix, a note, one finding that was accepted, a function and a file that were not analysed."""
    (accepted,) = fingerprinted([finding(Level.WARNING, "a-rule", "accepted")])
    return outcome_of(
        finding(),
        finding(Level.NOTE, "wrong-range", "the range is known", fixed=False),
        skipped=(Skipped("mm/gone.c", "", 1, "Permission denied"), Skipped("mm/walk.c", "other", 5, "syntax error")),
        suppressed=(Suppressed(accepted, "as it was"),),
        quiet=quiet,
    )


def empty() -> Outcome:
    """No file was found to hold a section."""
    report = Report((), (), Coverage(2, 0, 0, ()))
    return Outcome(report, Sources(report))


# Everything that can be wrong with the bytes of a path, a message and a name.
def hostile_outcome() -> Outcome:
    return outcome_of(hostile(), skipped=(Skipped(HOSTILE_PATH, "g\x00", 1, "<&\x1b"),))


FINGERPRINT = full().report.diagnostics[0].fingerprint
