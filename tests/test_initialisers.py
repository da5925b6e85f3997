"""Which functions the globals of a file hold, read from its text."""

from __future__ import annotations

import pytest

from mmlint.facts.initialisers import Held, functions_in, read_variable, tables_in

OPS = b"""
static const struct ops plain = {
	.first = one,
	.second	= &two,
	.in = { .deep = three, },
	.count = 4,
};
static const struct ops rows[] = { { .first = one }, [3] = { .first = two }, { .first = NULL } };
static int (*const steps[])(int x) = { one, [LAST] = two };
static const entry_fn_t more[2] = { (entry_fn_t)one, two, };
static const struct ops unnamed = { one, two };
static struct ops written = { .first = one };
static struct ops shared = { .first = one };
struct ops seen = { .first = one };
static struct ops later;
extern const struct ops elsewhere;
static const struct ops computed = { .first = PICK(one, two) };
static const struct ops *pointer = &plain;

void f(void)
{
	written.first = two;
	later.first = one;
	later.second = pick();
	hand(&shared);
	later.first(1);
	rows[1].first(2);
}
"""
CASES = [
    ("plain", ".first", Held(("one",), True)),
    ("plain", ".second", Held(("two",), True)),
    ("plain", ".in.deep", Held(("three",), True)),
    ("plain", ".third", Held((), False)),
    ("plain", ".count", Held((), False)),
    ("rows", "[0].first", Held(("one",), True)),
    ("rows", ".first", Held(("one",), True)),
    ("rows", "[3].first", Held(("two",), True)),
    ("rows", "[*].first", Held(("one", "two"), True)),
    ("rows", "[4].first", Held((), False)),
    ("steps", "[0]", Held(("one", "two"), True)),
    ("steps", "[*]", Held(("one", "two"), True)),
    ("more", "[0]", Held(("one",), True)),
    ("more", "[1]", Held(("two",), True)),
    ("unnamed", ".first", Held((), False)),
    ("written", ".first", Held(("one", "two"), True)),
    ("shared", ".first", Held(("one",), False)),
    ("seen", ".first", Held(("one",), False)),
    ("later", ".first", Held(("one",), True)),
    ("later", ".second", Held((), False)),
    ("computed", ".first", Held((), False)),
]


@pytest.mark.parametrize(("name", "path", "held"), CASES)
def test_what_a_member_holds(name: str, path: str, held: Held) -> None:
    variable = read_variable(OPS, name)
    assert variable is not None
    assert functions_in(OPS, variable, path) == held


@pytest.mark.parametrize("name", ["elsewhere", "pointer", "unknown", "f", "first"])
def test_what_is_no_table_of_the_file(name: str) -> None:
    assert read_variable(OPS, name) is None


def test_the_tables_in_a_file() -> None:
    names = {"plain", "rows", "steps", "more", "unnamed", "written", "shared", "seen", "computed"}
    assert tables_in(OPS) - {b"in"} == {name.encode() for name in names}


def test_the_functions_of_a_table() -> None:
    variable = read_variable(OPS, "plain")
    assert variable is not None
    assert variable.functions == ("one", "two", "three")
