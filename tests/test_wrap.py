"""Calls are written the way mm/ writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmlint.source import Source, Span
from mmlint.wrap import fill_call, fits, width, wrap_call

CALLEE = "lazy_mmu_mode_enable_for_pte_range"


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [("", 0, 0), ("\t", 0, 8), ("\t", 7, 8), ("\t", 8, 16), ("  \tab", 0, 10), ("abc", 5, 8)],
)
def test_width_counts_tabs_to_the_next_multiple_of_eight(text: str, column: int, expected: int) -> None:
    assert width(text, column) == expected


@pytest.mark.parametrize(
    ("tabs", "arguments", "expected"),
    [
        (1, ("mm", "addr", "end", "pte"), [f"{CALLEE}(mm, addr, end, pte)"]),
        # 8 + 35 + 37 columns: the semicolon stands in column 80.
        (1, ("vma->vm_mm", "start", "end", "start_ptep2"), [f"{CALLEE}(vma->vm_mm, start, end, start_ptep2)"]),
        (
            1,
            ("vma->vm_mm", "start", "end", "start_ptep22"),
            [f"{CALLEE}(vma->vm_mm, start, end,", "\t\t\tstart_ptep22)"],
        ),
        (4, ("mm", "addr", "end", "start_pte"), [f"{CALLEE}(mm, addr,", "\t\t\t\t\t\tend, start_pte)"]),
        (
            5,
            ("walk->vma->vm_mm", "addr", "end", "start_pte"),
            [f"{CALLEE}(walk->vma->vm_mm,", "\t\t\t\t\t\t\taddr, end, start_pte)"],
        ),
        (
            7,
            ("walk->vma->vm_mm", "addr", "end", "start_pte"),
            [f"{CALLEE}(walk->vma->vm_mm,", "\t" * 9 + "addr,", "\t" * 9 + "end,", "\t" * 9 + "start_pte)"],
        ),
    ],
)
def test_call_is_filled_to_80_columns(tabs: int, arguments: tuple[str, ...], expected: list[str]) -> None:
    source = Source("x.c", b"\t" * tabs + b"f();\n")
    text = wrap_call(source, Span(tabs, tabs + 3), CALLEE, arguments)
    assert text.split("\n") == expected


def test_wrapped_call_has_the_line_ends_of_its_file() -> None:
    source = Source("x.c", b"\t\t\t\tf();\r\n")
    text = wrap_call(source, Span(4, 7), CALLEE, ("mm", "addr", "end", "start_pte"))
    assert text == f"{CALLEE}(mm, addr,\r\n\t\t\t\t\t\tend, start_pte)"


def test_indent_is_that_of_the_line_not_of_the_call() -> None:
    source = Source("x.c", b"\tif (start_pte && addr != end && walk->private) f();\n")
    call = Span(source.data.index(b"f("), source.data.index(b";"))
    lines = wrap_call(source, call, CALLEE, ("mm", "addr", "end", "pte")).split("\n")
    assert lines[1:] == ["\t\t\taddr, end, pte)"]


def test_comment_behind_the_call_takes_its_room() -> None:
    source = Source("x.c", b"\tf(); /* until the end of the walk */\n")
    assert "\n" in wrap_call(source, Span(1, 4), CALLEE, ("mm", "addr", "end", "pte"))


def test_call_in_the_last_line_without_newline() -> None:
    assert wrap_call(Source("x.c", b"\tf();"), Span(1, 4), "g", ("a", "b")) == "g(a, b)"


def test_call_without_arguments() -> None:
    assert fill_call("g", (), 0, "\t\t") == ["g()"]


def test_fits_looks_at_the_whole_line() -> None:
    source = Source("x.c", b"\tcall(addr, end);\n")
    span = Span(source.data.index(b"addr"), source.data.index(b","))
    assert fits(source, span, "a" * 60)
    assert not fits(source, span, "a" * 61)


def test_argument_over_two_lines_does_not_fit() -> None:
    source = Source("x.c", b"\tcall(a +\n\t\tb);\n")
    assert not fits(source, Span(source.data.index(b"a +"), source.data.index(b")")), "c")


@given(
    st.lists(st.text("abc->_&", min_size=1, max_size=30), min_size=1, max_size=6),
    st.integers(min_value=0, max_value=9),
)
def test_lines_are_full_and_say_the_same(arguments: list[str], tabs: int) -> None:
    continuation = "\t" * (tabs + 2)
    lines = fill_call("callee", tuple(arguments), 8 * tabs, continuation)
    assert " ".join(line.removeprefix(continuation) for line in lines) == f"callee({', '.join(arguments)})"
    for position, line in enumerate(lines):
        end = width(line, 0 if position else 8 * tabs)
        pieces = line.count(",") + (position == len(lines) - 1)
        assert end <= 80 or pieces == 1
