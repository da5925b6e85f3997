"""Comments and literals are hidden, and nothing moves."""

import pytest

from mmlint.syntax.mask import mask


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        (b"a /* ) */ b", b"a         b"),
        (b"a /* 1\n\t2 */ b", b"a     \n\t     b"),
        (b"a // x\nb", b"a     \nb"),
        (b"a // x \\\n y\nb", b"a       \n  \nb"),
        (b"a /* open", b"a        "),
        (b"/* a **/ b /***/", b"         b      "),
        (b"a /**/ b */", b"a      b */"),
        (b'f("a\\"b)", c)', b'f("_____", c)'),
        (b'f("a", \'"\', "b")', b'f("_", \'_\', "_")'),
        (b"'\\'' '\\\\' '\\x1f'", b"'__' '__' '____'"),
        (b'"/*" a "*/"', b'"__" a "__"'),
        (b'"open\nnext"', b'"open\nnext"'),
        (b'"a\\\nb"', b'"_\\\n_"'),
        (b"#error don't\nx", b"#           \nx"),
        (b"  # warning it's \\\n a\nx", b"  #              \\\n  \nx"),
        (b"#include <a'b//c>\nx", b"#                \nx"),
        (b'#include "a.h"', b'#include "___"'),
        (b"a = b #error c", b"a = b #error c"),
        (b"#define A /* x\n y */ 1\nz", b"#define A    \\\n      1\nz"),
        (b"#define A \\\n /* x\n y */ 1\nz", b"#define A \\\n    \\\n      1\nz"),
        (b"caf\xc3\xa9 /* \xff */", b"caf\xc3\xa9        "),
        (b"", b""),
    ],
)
def test_mask(source: bytes, masked: bytes) -> None:
    assert mask(source) == masked


def test_a_backslash_at_the_end_of_the_file_is_no_line_before_the_first() -> None:
    assert mask(b"/* a\n b */ \\x") == b"    \n      \\x"


def test_many_directives_on_one_line_take_no_time() -> None:
    assert mask(b" x" + b"#include <a>" * 50_000).startswith(b" x#include <a>#include")
