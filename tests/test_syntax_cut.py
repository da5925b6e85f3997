"""Functions are found by their brackets."""

import pytest

from mmlint.source import Span
from mmlint.syntax.brackets import close_brace, close_paren
from mmlint.syntax.cut import cut, recut


def names(text: bytes) -> list[bytes]:
    return [outline.name for outline in cut(text).outlines]


def test_the_parts_of_an_outline() -> None:
    text = b";\n\nstatic int f(int a)\n\t__must_hold(x)\n{\n\treturn g(a);\n}\n"
    [outline] = cut(text).outlines
    assert text[outline.start : outline.end] == text[3:-1]
    assert text[outline.name_start : outline.name_end] == b"f" == outline.name
    assert text[outline.open : outline.close] == b"(int a)"
    assert text[outline.body : outline.end] == b"{\n\treturn g(a);\n}"
    assert not outline.macro
    assert outline.shifted(-3).start == 0 and outline.shifted(-3).end == outline.end - 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"int f(void) { return 1; } int g(void) { }", [b"f", b"g"]),
        (b"int f(void);\nextern int g(int);\n", []),
        (b"struct s { int a; };\nint f(void)\n{\n}\n", [b"f"]),
        (b"struct s f(void)\n{\n}\n", [b"f"]),
        (b"struct ops o = { .f = g(x) };\nint f(void)\n{\n}\n", [b"f"]),
        (b"int a[] = { 1, 2 };\nint f(int a[3])\n{\n}\n", [b"f"]),
        (b"enum e { A = F(1) };\nint f(void)\n{\n}\n", [b"f"]),
        (b"DEFINE_X(a)\nint f(void)\n{\n}\n", [b"f"]),
        (b"DEFINE_X(a) static int f(void)\n{\n}\n", [b"f"]),
        (b"__printf(1, 2) int f(void)\n{\n}\n", [b"f"]),
        (b"int f(void) __releases(x) __acquires(y)\n{\n}\n", [b"f"]),
        (b"static typeof(x) f(int a)\n{\n}\n", [b"f"]),
        (b"static int (*f(int a))(int)\n{\n}\n", [b"f"]),
        (b"static typeof(x)(f(int a))\n{\n}\n", [b"f"]),
        (b"SYSCALL_DEFINE2(dup, int, a, int, b)\n{\n}\n", [b"SYSCALL_DEFINE2:dup"]),
        (b"TEST_F(fixture, name)\n{\n}\n", [b"TEST_F:fixture"]),
        (b"struct pair { int a; } f(void)\n{\n}\n", [b"f"]),
        (b"MACRO(x) = {\n};\nint f(void)\n{\n}\n", [b"f"]),
        (b"}\n)\nint f(void)\n{\n}\n", [b"f"]),
        (b"int g((\nint h(void)\n{\n}\nint f(void)\n{\n}\n", [b"f"]),
        (b"int g(void)\n{\n\tif (x) {\n}\nint f(void)\n{\n}\n", [b"g", b"f"]),
        (b"int g(void)\n{\n\treturn 1; }\nstruct s {\n\tint a;\n};\nint f(void)\n{\n}\n", [b"g", b"f"]),
        (b"int f(void)\n{\nout:\n\treturn 1;\n}\nint g(void)\n{\n}\n", [b"f", b"g"]),
        (b"", []),
    ],
)
def test_cut(text: bytes, expected: list[bytes]) -> None:
    assert names(text) == expected


def test_a_macro_call_before_the_header_is_no_part_of_it() -> None:
    text = b"DEFINE_X(a) static int f(void)\n{\n}\n"
    [outline] = cut(text).outlines
    assert text[outline.start : outline.name_start] == b"static int "


def test_closing_brackets() -> None:
    assert close_paren(b"(a(b)c)d", 0) == 7
    assert close_paren(b"((a)", 0) == -1
    assert close_brace(b"x {a{b}c}d", 2) == 9
    assert close_brace(b"x {a{b}", 2) == -1


TEXT = b"int a(void)\n{\n}\nint x;\nint b(void)\n{\n    y;\n}\nint z;\nint c(void)\n{\n}\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"y;", b"z;", [b"a", b"b", b"c"]),
        (b"int x;", b"int q;", [b"a", b"b", b"c"]),
        (b"int b(void)", b"           ", [b"a", b"c"]),
        (b"int x;", b"f() {}", [b"a", b"f", b"b", b"c"]),
        (b"int z;", b"      ", [b"a", b"b", b"c"]),
        (b"    y;\n}", b"    y;\n ", [b"a", b"b"]),
    ],
)
def test_recut_agrees_with_cut(old: bytes, new: bytes, expected: list[bytes]) -> None:
    at = TEXT.index(old)
    changed = TEXT.replace(old, new)
    outlines = recut(changed, cut(TEXT), [Span(at, at + len(old))])
    assert outlines == cut(changed).outlines
    assert [outline.name for outline in outlines] == expected


def test_recut_without_changes_is_what_is_known() -> None:
    assert recut(TEXT, cut(TEXT), []) == cut(TEXT).outlines


def test_macro_call_before_a_macro_header() -> None:
    text = b'EXPORT_SYMBOL_NS(f, "MM")\n\nSYSCALL_DEFINE1(g, int, a)\n{\n}\n'
    (outline,) = cut(text).outlines
    assert outline.name == b"SYSCALL_DEFINE1:g"
    assert text[outline.start :].startswith(b"SYSCALL_DEFINE1")
