"""Fixtures with tokens and bytes changed at random: no crash, no hang, spans inside the file, the same output twice."""

from __future__ import annotations

import re
import time
from functools import cache

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from mmlint.checker import INTERNAL_ERROR, FileReport, make_checker
from mmlint.config import Settings
from mmlint.diagnostic import Applicability
from mmlint.files import read
from mmlint.fix import repair
from mmlint.report.excerpt import excerpt
from mmlint.source import Location, Source
from tests.goldens import ROOT, fixtures

CHECKER = make_checker(Settings())
SECONDS = 10.0
LINUX = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "fixtures/linux").rglob("*.[ch]"))
PATHS = [*fixtures(), *LINUX]
INSERTED = [
    *(
        b"{",
        b"}",
        b"(",
        b")",
        b"[",
        b"]",
        b";",
        b",",
        b"*",
        b"&",
        b"->",
        b"=",
        b"++",
        b"?",
        b":",
        b"#",
        b"\\\n",
        b'"',
        b"'",
    ),
    *(b"/*", b"*/", b"//", b"\0", b"\r\n", b"\xff", b"\n#if X\n", b"\n#else\n", b"\n#endif\n", b"\n#define A(x) x\n"),
    *(b"if (a)", b"else", b"do {", b"while (1)", b"goto out;", b"return;", b"switch (x) {", b"case 1:", b"({", b"})"),
    *(
        b"lazy_mmu_mode_enable();",
        b"lazy_mmu_mode_disable();",
        b"pte_unmap_unlock(pte, ptl);",
        b"mm",
        b"pte",
        b"addr",
        b"0",
    ),
    *(b"lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);", b"lazy_mmu_mode_enable_for_pte_range(", b"pte++;"),
]


@cache
def tokens(path: str) -> tuple[bytes, ...]:
    """The file cut into words, numbers, blanks and single signs; joined they are the file."""
    return tuple(re.findall(rb"\w+|\s+|[^\w\s]", read(str(ROOT / path))))


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A fixture after one to six changes of its tokens, and perhaps of its bytes."""
    path = draw(st.sampled_from(PATHS))
    pieces = list(tokens(path))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(pieces) - 1)))
        kind = draw(st.sampled_from(["delete", "insert", "double", "swap", "cut", "move"]))
        if kind == "delete":
            del pieces[place : place + draw(st.integers(1, 8))]
        elif kind == "insert":
            pieces.insert(place, draw(st.sampled_from(INSERTED)))
        elif kind == "double":
            pieces[place:place] = pieces[place : place + draw(st.integers(1, 30))]
        elif kind == "swap":
            other = draw(st.integers(0, max(0, len(pieces) - 1)))
            if pieces:
                pieces[place], pieces[other] = pieces[other], pieces[place]
        elif kind == "move":
            moved = pieces[place : place + 10]
            del pieces[place : place + 10]
            other = draw(st.integers(0, len(pieces)))
            pieces[other:other] = moved
        elif draw(st.integers(0, 3)) == 0:
            del pieces[place:]
    data = bytearray(b"".join(pieces))
    for _ in range(draw(st.integers(0, 3))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return path, bytes(data)


def locations(report: FileReport) -> list[Location]:
    found = [diagnostic.location for diagnostic in report.diagnostics]
    return found + [step.location for diagnostic in report.diagnostics for step in diagnostic.notes]


def judge(path: str, data: bytes) -> FileReport:
    """The report, after all that has to hold of it."""
    source = Source(str(ROOT / path), data)
    start = time.process_time()
    report = CHECKER.check(source)
    assert time.process_time() - start < SECONDS
    crashes = [f"{d.message}; {d.notes[0].message}" for d in report.diagnostics if d.rule == INTERNAL_ERROR]
    assert crashes == []
    for location in locations(report):
        assert location.span.end <= len(data)
        assert (location.line, location.column) == source.position(location.span.start)
        if location.path == source.path:
            assert len(excerpt(source, location.span, 80)) >= 2
    for skipped in report.skipped:
        assert skipped.reason
        assert 1 <= skipped.line <= data.count(b"\n") + 1
    return report


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_changed_fixtures_are_judged_without_a_crash(sample: tuple[str, bytes]) -> None:
    path, data = sample
    note(repr(data))
    report = judge(path, data)
    assert judge(path, data).diagnostics == report.diagnostics
    assert report.facts is not None
    result = repair(report.facts, report.diagnostics, CHECKER.check, Applicability.UNSAFE)
    assert result.changes <= bool(result.applied)


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300), st.sampled_from(INSERTED), st.binary(max_size=300))
def test_bytes_around_the_api_are_judged_without_a_crash(before: bytes, middle: bytes, after: bytes) -> None:
    judge("fixtures/linux/mm/x.c", before + b"lazy_mmu_mode_enable();" + middle + after)


def test_there_is_something_to_change() -> None:
    assert len(PATHS) > 30
    assert all(b"".join(tokens(path)) == read(str(ROOT / path)) for path in PATHS)
