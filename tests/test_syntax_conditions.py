"""Conditions of #if: parsing, truth, solving."""

import pytest

from mmlint.syntax.conditions import TRUE, And, Atom, Condition, Constant, Not, Or, atoms, evaluate, parse, solve

A, B, C = Atom("A"), Atom("B"), Atom("C")


@pytest.mark.parametrize(
    ("keyword", "text", "condition"),
    [
        ("ifdef", " A", A),
        ("ifndef", " A ", Not(A)),
        ("elifndef", "A", Not(A)),
        ("ifdef", "", Atom("?")),
        ("if", " defined(A)", A),
        ("if", " defined A", A),
        ("if", " !defined(A) && B", And((Not(A), B))),
        ("if", "IS_ENABLED(A) || IS_MODULE(B)", Or((A, B))),
        ("if", "A && B || C", Or((And((A, B)), C))),
        ("if", "A && (B || C)", And((A, Or((B, C))))),
        ("if", "!(A || B)", Not(Or((A, B)))),
        ("if", "A > 2", Atom("A > 2")),
        ("if", "(A + 1) > 2 && B", And((Atom("( A + 1 ) > 2"), B))),
        ("if", "VERSION(1, 2) || B", Or((Atom("VERSION ( 1 , 2 )"), B))),
        ("if", "0", Constant(False)),
        ("if", "0x0UL", Constant(False)),
        ("if", "1", Constant(True)),
        ("elif", "A || \\\n B", Or((A, B))),
        ("if", "", TRUE),
        ("if", "A )", A),
    ],
)
def test_parse(keyword: str, text: str, condition: Condition) -> None:
    assert parse(keyword, text) == condition


def test_deep_nesting_becomes_an_atom_instead_of_a_crash() -> None:
    assert isinstance(parse("if", "!" * 50_000 + "A"), Not)
    assert atoms(parse("if", "(" * 5_000 + "A" + ")" * 5_000))


def test_evaluate_takes_the_default_for_what_is_not_assigned() -> None:
    condition = parse("if", "A && !B")
    assert evaluate(condition, {"B": False}, True)
    assert not evaluate(condition, {"B": False}, False)
    assert not evaluate(condition, {}, True)


def test_what_holds_in_the_kernel_is_fixed() -> None:
    assert evaluate(Atom("__KERNEL__"), {"__KERNEL__": False}, False)
    assert not evaluate(Atom("__ASSEMBLY__"), {"__ASSEMBLY__": True}, True)
    assert atoms(And((Atom("__KERNEL__"), A))) == {"A"}


@pytest.mark.parametrize(
    ("conjuncts", "base", "solution"),
    [
        ([A, Not(B)], {}, {"A": True, "B": False}),
        ([A], {"A": False}, None),
        ([A, Not(A)], {}, None),
        ([Not(Or((A, B)))], {}, {"A": False, "B": False}),
        ([Or((A, B)), Not(A)], {}, {"A": False, "B": True}),
        ([Or((A, B)), Not(And((A, B)))], {}, {"A": False, "B": True}),
        ([Constant(False)], {}, None),
        ([Not(Atom("__KERNEL__"))], {}, None),
        ([Or((A, B))], {"A": False, "B": False}, None),
    ],
)
def test_solve(conjuncts: list[Condition], base: dict[str, bool], solution: dict[str, bool] | None) -> None:
    assert solve(conjuncts, base) == solution
