"""Polynomials are a commutative ring; PTE pointers move in pages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmlint.flow.values import ONE, PAGE, PAGE_POLY, ZERO, Entry, Poly, Symbol, is_null

PAGE_SIZE = 4096
NAMES = ("a", "b", "c")
A, B, C = (Poly.symbol(Symbol(name)) for name in NAMES)
SYMBOLS = [*(Symbol(name) for name in NAMES), PAGE]
MONOMIALS = st.lists(st.sampled_from(SYMBOLS), max_size=2).map(lambda symbols: tuple(sorted(symbols)))
POLYS = st.dictionaries(MONOMIALS, st.integers(-9, 9), max_size=4).map(lambda terms: Poly(terms.items()))
LINEAR = POLYS.filter(lambda poly: all(len(monomial) < 2 for monomial, _ in poly.terms))
SIXTEEN = sum((Poly.symbol(Symbol(f"x{i}")) for i in range(16)), ZERO)
SQUARES = Poly(((Symbol(name), Symbol(name)), 1) for name in NAMES)
NUMBERS = st.fixed_dictionaries({name: st.integers(-99, 99) for name in NAMES})


def evaluate(poly: Poly, numbers: Mapping[str, int]) -> int:
    """The number that a polynomial is for these numbers."""
    total = 0
    for monomial, factor in poly.terms:
        for symbol in monomial:
            factor *= PAGE_SIZE if symbol == PAGE else numbers[symbol]
        total += factor
    return total


def product(left: Poly, right: Poly) -> Poly:
    """A product that is small enough to be kept."""
    result = left.times(right)
    assert result is not None
    return result


# ---------------------------------------------------------------- the ring


@given(POLYS, POLYS, POLYS)
def test_addition_is_associative_and_commutative(a: Poly, b: Poly, c: Poly) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert hash(a + b) == hash(b + a)


@given(POLYS)
def test_zero_and_one_are_neutral(a: Poly) -> None:
    assert a + ZERO == ZERO + a == a
    assert a.times(ONE) == ONE.times(a) == a
    assert a.times(ZERO) == ZERO.times(a) == ZERO


@given(POLYS, POLYS)
def test_subtraction_is_addition_of_the_negative(a: Poly, b: Poly) -> None:
    assert a - b == a + -b == -(b - a)
    assert a - a == ZERO
    negative = -a
    assert -negative == a


@given(LINEAR, LINEAR, LINEAR)
def test_multiplication_is_associative_commutative_and_distributive(a: Poly, b: Poly, c: Poly) -> None:
    # Three linear factors may have a product that is too large, then it is so in either order. Two never have.
    assert product(a, b).times(c) == a.times(product(b, c))
    assert product(a, b) == product(b, a)
    assert product(a, b + c) == product(a, b) + product(a, c)


@given(POLYS, POLYS)
@example(A + B + C + ONE, (A + B + C + PAGE_POLY + ONE).times(A + C + ONE) or ZERO)
@example(SIXTEEN, A)
@example(SIXTEEN + Poly.const(1), A)
@example(SQUARES, A.times(B) or ZERO)
def test_a_product_is_kept_up_to_three_factors_and_sixteen_terms(a: Poly, b: Poly) -> None:
    whole: dict[tuple[str, ...], int] = {}
    for left, x in a.terms:
        for right, y in b.terms:
            monomial = tuple(sorted((*left, *right)))
            whole[monomial] = whole.get(monomial, 0) + x * y
    terms = {monomial: factor for monomial, factor in whole.items() if factor}
    small = len(terms) <= 16 and all(len(monomial) <= 3 for monomial in terms)
    both = a.times(b)
    assert (both is not None) is small
    assert both is None or dict(both.terms) == terms


@given(POLYS, POLYS, NUMBERS)
def test_the_operators_mean_what_they_do_to_numbers(a: Poly, b: Poly, numbers: dict[str, int]) -> None:
    x, y = evaluate(a, numbers), evaluate(b, numbers)
    assert evaluate(a + b, numbers) == x + y
    assert evaluate(a - b, numbers) == x - y
    assert evaluate(-a, numbers) == -x
    both = a.times(b)
    if both is not None:
        assert evaluate(both, numbers) == x * y


@given(POLYS)
def test_terms_are_sorted_and_none_is_zero(a: Poly) -> None:
    assert list(a.terms) == sorted(a.terms)
    assert all(factor for _, factor in a.terms)
    assert Poly(reversed(a.terms)) == Poly((*a.terms, ((), 0))) == a


def test_products_that_grow_too_large_are_not_kept() -> None:
    assert product(product(A, B), C).terms == ((("a", "b", "c"), 1),)
    assert product(A, B).times(product(A, B)) is None
    sums = [sum((Poly.symbol(Symbol(f"{name}{i}")) for i in range(5)), ZERO) for name in "xy"]
    assert sums[0].times(sums[1]) is None


# ---------------------------------------------------------------- questions


@given(st.integers(-(2**63), 2**64))
def test_a_number_is_known_as_one(number: int) -> None:
    assert Poly.const(number).as_const() == number
    assert is_null(Poly.const(number)) is (number == 0)


@given(POLYS, NUMBERS)
def test_what_is_known_of_a_value_is_so(a: Poly, numbers: dict[str, int]) -> None:
    constant, symbol = a.as_const(), a.as_symbol()
    if constant is not None:
        assert evaluate(a, numbers) == constant
    if symbol is not None:
        assert a == Poly.symbol(symbol)
    assert set(a.symbols()) == {symbol for monomial, _ in a.terms for symbol in monomial}


def test_a_sum_or_a_multiple_is_neither_number_nor_symbol() -> None:
    for poly in (A + ONE, A + B, A + A, -A, product(A, B)):
        assert (poly.as_const(), poly.as_symbol()) == (None, None)
    assert A.as_symbol() == "a"
    assert (A - A).as_const() == 0


# ---------------------------------------------------------------- pages


@given(POLYS)
def test_pages_divide_what_they_multiplied(a: Poly) -> None:
    pages = a.times(PAGE_POLY)
    assert pages is not None
    assert pages.without_page() == a


@given(POLYS)
def test_division_by_pages_is_exact_or_none(a: Poly) -> None:
    quotient = a.without_page()
    if quotient is None:
        assert any(PAGE not in monomial for monomial, _ in a.terms)
    else:
        assert product(quotient, PAGE_POLY) == a


@pytest.mark.parametrize("poly", [ONE, A, A + PAGE_POLY, PAGE_POLY + ONE])
def test_what_is_no_number_of_pages_is_not_divided(poly: Poly) -> None:
    assert poly.without_page() is None


# ---------------------------------------------------------------- entries


def test_entries_are_equal_by_table_and_address() -> None:
    table, other = Symbol("T1"), Symbol("T2")
    assert Entry(table, A + PAGE_POLY - PAGE_POLY) == Entry(table, A)
    assert hash(Entry(table, A + B)) == hash(Entry(table, B + A))
    different = [Entry(table, A + PAGE_POLY), Entry(other, A), A]
    assert [value for value in different if value == Entry(table, A)] == []
    assert not is_null(Entry(table, ZERO))


def test_an_entry_moves_with_its_address() -> None:
    table, count = Symbol("T1"), Poly.symbol(Symbol("nr"))
    moved = Entry(table, A + product(count, PAGE_POLY))
    assert (moved.address - A).without_page() == count
    assert str(moved) == "entry(T1, PAGE_SIZE * nr + a)"


# ---------------------------------------------------------------- makers and text


def test_makers_are_those_of_all_symbols() -> None:
    first, second = (Symbol(name, frozenset((f"call@{name}",))) for name in ("x", "y"))
    sum_ = Poly.symbol(first) + product(Poly.symbol(second), A)
    assert sum_.makers == {"call@x", "call@y"}
    assert (sum_ - Poly.symbol(first)).makers == {"call@y"}
    assert A.makers == frozenset()
    assert Entry(first, Poly.symbol(second)).makers == {"call@x", "call@y"}


@given(POLYS, POLYS)
def test_equal_values_have_one_text_and_different_ones_two(a: Poly, b: Poly) -> None:
    assert (str(a) == str(b)) is (a == b)


@pytest.mark.parametrize(
    ("poly", "text"),
    [
        (ZERO, "0"),
        (A - B, "a - b"),
        (-A, "-a"),
        (A + Poly.const(-2), "a - 2"),
        (product(Poly.const(2), A) + ONE, "2 * a + 1"),
        (PAGE_POLY + A, "PAGE_SIZE + a"),
    ],
)
def test_values_are_written_as_people_do(poly: Poly, text: str) -> None:
    assert str(poly) == text


def test_for_a_person_steps_in_pages_come_behind_what_they_are_added_to() -> None:
    steps = product(Poly.symbol(Symbol("nr")), PAGE_POLY)
    assert (str(A + PAGE_POLY), (A + PAGE_POLY).label) == ("PAGE_SIZE + a", "a + PAGE_SIZE")
    assert (A + steps - ONE).label == "a + nr * PAGE_SIZE - 1"
    assert (PAGE_POLY - A).label == "-a + PAGE_SIZE"
