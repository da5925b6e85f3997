"""The verifier finds each kind of broken graph, and coverage each kind of lost source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmlint.flow.coverage import uncovered
from mmlint.flow.dump import dump_graph, format_expr
from mmlint.flow.ir import (
    AddressOf,
    Assign,
    Binary,
    Block,
    Branch,
    Call,
    Cast,
    Const,
    Declare,
    Deref,
    Expr,
    Graph,
    Index,
    Jump,
    Load,
    Member,
    Name,
    Op,
    Opaque,
    Return,
    Store,
    Switch,
    Temp,
    Terminator,
    Unary,
    Unreachable,
    Variable,
)
from mmlint.flow.lower import DEFAULT_DIALECT, lowered_spans
from mmlint.flow.verify import verify
from mmlint.source import Source, Span
from tests.lowering import parsed

HERE = Span(10, 20)
A, B, P = Name("a"), Name("b"), Name("p")
END = Return(None, HERE, implicit=True)


def graph(*blocks: tuple[list[Op], Terminator], variables: tuple[Variable, ...] = ()) -> Graph:
    """A graph of a function that takes bytes 0 to 100."""
    known = {variable.name: variable for variable in variables}
    return Graph("f", Span(0, 100), Span(5, 100), tuple(Block(tuple(ops), end) for ops, end in blocks), known)


def call(target: Temp, *arguments: Expr, callee: str | None = "g", pointer: Expr | None = None) -> Call:
    return Call(target, callee, pointer, arguments, (HERE,) * len(arguments), HERE, HERE)


def test_a_sound_graph_breaks_no_law() -> None:
    sound = graph(
        ([Declare(A, HERE), call(Temp(0), AddressOf(A), Binary("+", B, Const(1)))], Branch(Temp(0), 1, 2, HERE)),
        ([Load(Temp(1), Member(P, "x", True), HERE)], Jump(3, HERE)),
        ([Assign(Temp(1), Const(0), HERE)], Jump(3, HERE)),
        ([Store(Deref(P), Temp(1), HERE)], Switch(Temp(1), ((Const(1), Const(2), 4),), 5, HERE)),
        ([], Unreachable(HERE)),
        ([], Return(Unary("!", Cast("int", A)), HERE)),
        variables=(Variable(A, "int", 0, Span(12, 100)),),
    )
    assert verify(sound) == []


def test_a_graph_needs_an_entry() -> None:
    assert verify(graph()) == ["no entry block"]


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        (Jump(2, HERE), "b1: goes to b2, which is not there"),
        (Jump(-1, HERE), "b1: goes to b-1, which is not there"),
        (Branch(A, 1, 0, HERE), "b1: goes back to the entry"),
        (Switch(A, ((Const(1), Const(1), 7),), 1, HERE), "b1: goes to b7, which is not there"),
    ],
)
def test_targets_must_exist(end: Terminator, fault: str) -> None:
    assert verify(graph(([], Jump(1, HERE)), ([], end))) == [fault]


def test_every_block_must_be_reachable() -> None:
    assert verify(graph(([], END), ([], END))) == ["b1: cannot be reached"]


def test_blocks_stand_in_reverse_postorder() -> None:
    wrong = graph(([], Jump(2, HERE)), ([], END), ([], Jump(1, HERE)))
    assert verify(wrong) == ["b2: b1 stands before it without closing a loop"]


def test_a_loop_may_go_back() -> None:
    assert verify(graph(([], Jump(1, HERE)), ([], Branch(A, 1, 2, HERE)), ([], END))) == []


@pytest.mark.parametrize(
    "op",
    [
        Assign(A, B, Span(90, 101)),
        Call(Temp(0), "g", None, (A,), (Span(99, 120),), HERE, HERE),
        Call(Temp(0), "g", None, (), (), HERE, Span(100, 101)),
    ],
)
def test_spans_lie_in_the_function(op: Op) -> None:
    (fault,) = verify(graph(([op], END)))
    assert fault.endswith("lie outside the function")


def test_terminators_lie_in_the_function() -> None:
    assert verify(graph(([], Return(None, Span(100, 103))))) == ["b0: bytes 100 to 103 lie outside the function"]


def test_scopes_lie_in_the_function() -> None:
    assert verify(graph(([], END), variables=(Variable(A, "int", 0, Span(50, 101)),))) == [
        "a: its scope lies outside the function"
    ]


def test_every_argument_has_a_span() -> None:
    op = Call(Temp(0), "g", None, (A, B), (HERE,), HERE, HERE)
    assert verify(graph(([op], END))) == ["b0: g has 2 arguments and 1 spans"]


MEMBER = Member(P, "x", True)


@pytest.mark.parametrize(
    ("op", "fault"),
    [
        (Assign(A, MEMBER, HERE), "b0: Member read without a load"),
        (Assign(A, Binary("+", Deref(P), B), HERE), "b0: Deref read without a load"),
        (call(Temp(0), Cast("int", Index(P, A))), "b0: Index read without a load"),
        (Load(Temp(0), Member(MEMBER, "y", True), HERE), "b0: Member read without a load"),
        (Load(Temp(0), Index(P, Deref(P)), HERE), "b0: Deref read without a load"),
        (Store(Deref(MEMBER), A, HERE), "b0: Member read without a load"),
        (Assign(A, AddressOf(Member(MEMBER, "y", True)), HERE), "b0: Member read without a load"),
        (Load(Temp(0), A, HERE), "b0: Load of Name, which is no memory"),
        (Store(AddressOf(A), B, HERE), "b0: Store of AddressOf, which is no memory"),
        (Assign(A, Binary("&&", A, B), HERE), "b0: no such operator: &&"),
        (Assign(A, Unary("*", P), HERE), "b0: no such operator: *"),
        (call(Temp(0), callee=None), "b0: a call needs a name or a pointer, not both"),
        (call(Temp(0), pointer=P), "b0: a call needs a name or a pointer, not both"),
    ],
)
def test_expressions_are_pure(op: Op, fault: str) -> None:
    assert verify(graph(([op], END))) == [fault]


def test_places_inside_places_are_allowed() -> None:
    nested = Member(Index(Temp(0), A), "x", False)
    ops: list[Op] = [Assign(Temp(0), P, HERE), Load(Temp(1), nested, HERE), Assign(B, AddressOf(nested), HERE)]
    assert verify(graph((ops, END))) == []


@pytest.mark.parametrize(
    "end",
    [Branch(MEMBER, 1, 1, HERE), Switch(MEMBER, (), 1, HERE), Switch(A, ((MEMBER, A, 1),), 1, HERE)],
)
def test_terminators_are_pure(end: Terminator) -> None:
    assert verify(graph(([], end), ([], END))) == ["b0: Member read without a load"]


def test_a_temporary_is_defined_before_its_use() -> None:
    assert verify(graph(([Assign(A, Temp(3), HERE), Assign(Temp(3), B, HERE)], END))) == [
        "b0: t3 is used before it is defined"
    ]


def test_a_temporary_is_defined_on_every_path() -> None:
    blocks: list[tuple[list[Op], Terminator]] = [
        ([], Branch(A, 1, 2, HERE)),
        ([Assign(Temp(0), B, HERE)], Jump(2, HERE)),
        ([], Return(Temp(0), HERE)),
    ]
    assert verify(graph(*blocks)) == ["b2: t0 is used before it is defined"]
    blocks[0] = ([Assign(Temp(0), A, HERE)], blocks[0][1])
    assert verify(graph(*blocks)) == []


def test_a_temporary_of_an_older_round_is_not_enough() -> None:
    blocks: list[tuple[list[Op], Terminator]] = [
        ([], Jump(1, HERE)),
        ([call(Temp(1), Temp(0))], Branch(A, 2, 3, HERE)),
        ([Assign(Temp(0), A, HERE)], Jump(1, HERE)),
        ([], END),
    ]
    assert verify(graph(*blocks)) == ["b1: t0 is used before it is defined"]


def test_names_are_used_behind_their_declaration() -> None:
    variable = Variable(A, "int", 0, Span(30, 100))
    assert verify(graph(([call(Temp(0), A)], END), variables=(variable,))) == ["b0: a is used before its declaration"]
    assert verify(graph(([call(Temp(0), A)], END), variables=(variable._replace(parameter=0),))) == []


def test_what_is_declared_is_a_variable() -> None:
    assert verify(graph(([Declare(A, HERE)], END))) == ["b0: a is declared and no variable"]


def test_parameters_are_variables() -> None:
    assert verify(replace(graph(([], END)), parameters=(A,))) == ["a: a parameter that is no variable"]


# ---------------------------------------------------------------- printing


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Const(-3), "-3"),
        (Name("x", 2), "x'2"),
        (Temp(4), "t4"),
        (Opaque("sizeof(x)"), "`sizeof(x)`"),
        (AddressOf(Member(P, "x", True)), "&p->x"),
        (Deref(Binary("+", P, Const(1))), "*(p + 1)"),
        (Member(Deref(P), "x", False), "(*p).x"),
        (Index(Member(Temp(0), "x", False), Binary("+", A, B)), "t0.x[a + b]"),
        (Unary("-", Const(-1)), "-(-1)"),
        (Binary("*", Binary("+", A, B), Unary("~", A)), "(a + b) * ~a"),
        (Binary("-", Const(-1), Const(-2)), "-1 - -2"),
        (Cast("pte_t *", AddressOf(A)), "(pte_t *)(&a)"),
        (Index(Cast("int *", P), Const(0)), "((int *)p)[0]"),
    ],
)
def test_expressions_are_printed_as_c(expr: Expr, text: str) -> None:
    assert format_expr(expr) == text


def test_a_dump_shows_predecessors_lines_and_reports() -> None:
    source = Source("f.c", b"line 1\nline 2\nline 3\n" + b"x" * 90)
    shown = replace(
        graph(
            ([call(Temp(0), A, callee=None, pointer=P)], Branch(Temp(0), 1, 2, HERE)),
            ([Store(Deref(P), Const(1), Span(0, 4))], Jump(2, Span(7, 7))),
            ([], Switch(A, ((Const(1), Const(1), 3), (Const(2), Const(4), 4)), 4, Span(14, 15))),
            ([], Return(A, Span(14, 15))),
            ([], END),
        ),
        parameters=(A, P),
        unmodelled=((Span(14, 20), "asm operands"),),
    )
    assert dump_graph(shown, source) == (
        "f(a, p)\n"
        "b0:\n"
        "    2  t0 = (*p)(a)\n"
        "    2  if t0 then b1 else b2\n"
        "b1: from b0\n"
        "    1  store *p = 1\n"
        "       goto b2\n"
        "b2: from b0 b1\n"
        "    3  switch a: 1 b3, 2...4 b4, default b4\n"
        "b3: from b2\n"
        "    3  return a\n"
        "b4: from b2\n"
        "    2  end\n"
        "    3  unmodelled: asm operands\n"
    )


# ---------------------------------------------------------------- coverage

BODY = """\
int f(int a)
{
	static int once = now();
	int b = g(a), c[size()];

	a = likely(b);
	if (sizeof(h()) + a++)
		goto out;
	switch (a) { case BIT(1): break; }
	guard(mutex)(&lock);
	BUG_ON(i());
out:
	return (loff_t)(a);
	j();
}
"""


def test_coverage_accepts_a_full_lowering() -> None:
    function, _ = parsed(BODY)
    assert uncovered(function, lowered_spans(function, DEFAULT_DIALECT), DEFAULT_DIALECT) == []


def test_coverage_names_what_is_missing() -> None:
    function, _ = parsed(BODY)
    assert sorted(uncovered(function, frozenset(), DEFAULT_DIALECT)) == [
        "10: guard(mutex)(&lock)",
        "11: i()",
        "13: return (loff_t)(a);",
        "14: j()",
        "4: g(a)",
        "6: a = likely(b)",
        "7: a++",
        "8: goto out;",
        "9: break;",
    ]
