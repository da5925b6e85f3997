"""What lowering does with code that is deep, broken or beyond it: it says so, and never raises."""

from __future__ import annotations

import random
import re

import pytest

from mmlint.flow.dump import dump_graph
from mmlint.flow.ir import Binary, Graph, Switch, Unreachable
from mmlint.flow.lower import DEFAULT_DIALECT, lower
from mmlint.flow.verify import verify
from mmlint.source import Source
from mmlint.syntax.functions import read_functions
from tests.lowering import golden, graph_of, parsed, shown

MANY = 5000
DEEP = 3000
TOO_DEEP = {"expression nested too deeply", "statement nested too deeply"}


def lowered(statement: str) -> Graph:
    """The graph of a function with this statement, used in every way that an analysis uses it."""
    function, source = parsed(f"int f(int a)\n{{\n\t{statement}\n}}\n")
    graph = lower(function, DEFAULT_DIALECT)
    assert verify(graph) == []
    assert dump_graph(graph, source)
    hash(graph.blocks)
    return graph


@pytest.mark.parametrize(
    ("statement", "blocks"),
    [
        ("x = " + "(" * 2 * MANY + "a" + ")" * 2 * MANY + ";", 1),
        ("if (" + " || ".join(f"a{i}" for i in range(MANY)) + ") g();", MANY + 2),
        ("x = " + " && ".join(f"a{i}" for i in range(MANY)) + ";", MANY + 3),
        ("if (a) g();" + "".join(f" else if (a{i}) g();" for i in range(MANY)), 2 * MANY + 3),
        ("x = " + " : ".join(f"a{i} ? b{i}" for i in range(MANY)) + " : 0;", 2 * MANY + 2),
        ("x = " + " + ".join(f"a{i}" for i in range(MANY)) + ";", 1),
        ("g(), " * MANY + "h();", 1),
        ("".join(f"l{i}: " for i in range(MANY)) + "g();", 1),
        ("switch (a) {" + "".join(f"case {i}: g();" for i in range(MANY)) + "}", MANY + 2),
        ("if (" + "!" * 2 * MANY + "a) g();", 3),
    ],
    ids=["parentheses", "or", "and", "else-if", "conditional", "sum", "comma", "labels", "cases", "not"],
)
def test_long_code_is_lowered_in_full(statement: str, blocks: int) -> None:
    graph = lowered(statement)
    assert graph.unmodelled == ()
    assert len(graph.blocks) == blocks


@pytest.mark.parametrize(
    "statement",
    [
        "x = " + "1 + (" * DEEP + "a" + ")" * DEEP + ";",
        "x = " + "(" * DEEP + "a" + " + 1 + 2 + 3 + 4)" * DEEP + ";",
        "x = " + "g(" * DEEP + "a" + ")" * DEEP + ";",
        "x = " + "- " * DEEP + "a;",
        "x = " + "(int)" * DEEP + "a;",
        "x = " + "*" * DEEP + "a;",
        "x = a" + "->b" * DEEP + ";",
        "x = a" + ".b" * DEEP + ";",
        "x = a" + "[1]" * DEEP + ";",
        "a = " * DEEP + "0;",
        "x = " + "a ? " * DEEP + "b" + " : c" * DEEP + ";",
        "if (" + "a && (b || (" * DEEP + "c" + "))" * DEEP + ") g();",
        "int x[] = " + "{" * DEEP + "1" + "}" * DEEP + ";",
        "x = " + "({ " * DEEP + "a;" + " });" * DEEP,
        "if (a) " * DEEP + "g();",
        "while (a) " * DEEP + "g();",
        "{" * DEEP + "g();" + "}" * DEEP,
    ],
)
def test_deep_code_is_given_up_and_reported(statement: str) -> None:
    reasons = {reason for _, reason in lowered(statement).unmodelled}
    assert reasons
    assert reasons <= TOO_DEEP


def test_a_long_sum_is_cut_into_shallow_expressions() -> None:
    graph = lowered("x = " + " + ".join(f"a{i}" for i in range(MANY)) + ";")

    def depth(value: object) -> int:
        return 1 + max(depth(value.left), depth(value.right)) if isinstance(value, Binary) else 0

    depths = [depth(getattr(op, "value", None)) for op in graph.blocks[0].ops]
    assert len(depths) == MANY // 32 + 1
    assert max(depths) == 32


def test_a_computed_goto_may_go_to_every_label() -> None:
    graph = graph_of("\tgoto *p;\none:\n\tg();\ntwo:\n\th();\n")
    end = graph.blocks[0].terminator
    assert isinstance(end, Switch)
    assert sorted([block for _, _, block in end.cases]) == [1, 2]
    assert [reason for _, reason in graph.unmodelled] == ["computed goto"]


@pytest.mark.parametrize(
    "body",
    [
        "\tif (a)\n\t\tgoto in;\n\tguard(mutex)(&p->lock);\nin:\n\tg();\n",
        "\tif (a)\n\t\tgoto in;\n\tb = g() + ({ in: h(); });\n",
        "\tswitch (a) {\n\tcase 1:;\n\t\tguard(mutex)(&p->q->lock);\n\tcase 2:\n\t\tg();\n\t}\n",
    ],
    ids=["goto", "statement-expression", "case"],
)
def test_a_jump_into_a_scope_with_an_exit_is_reported(body: str) -> None:
    reasons = [reason for _, reason in graph_of(body).unmodelled]
    assert reasons == ["jump into the scope of a guard or into a statement expression"]


def test_a_goto_without_its_label_is_reported() -> None:
    graph = graph_of("\tgoto elsewhere;\n")
    assert isinstance(graph.blocks[0].terminator, Unreachable)
    assert [reason for _, reason in graph.unmodelled] == ["goto to a label that is not there: elsewhere"]


def test_break_outside_a_loop_is_reported() -> None:
    graph = graph_of("\tbreak;\n")
    assert [reason for _, reason in graph.unmodelled] == ["jump out of no loop"]


def test_a_block_as_an_argument_is_reported() -> None:
    function, source = parsed("void f(void)\n{\n\tMACRO(a, { g(); });\n}\n")
    graph = lower(function, DEFAULT_DIALECT)
    assert [(source.text(span), reason) for span, reason in graph.unmodelled] == [
        ("{ g(); }", "block in the argument of a macro")
    ]


def test_a_return_in_an_argument_is_reported() -> None:
    function, source = parsed("int f(void)\n{\n\tCHECK(a, return 1);\n\treturn 0;\n}\n")
    graph = lower(function, DEFAULT_DIALECT)
    assert [(source.text(span), reason) for span, reason in graph.unmodelled] == [("return", "return in argument")]


def test_a_choice_by_type_is_reported() -> None:
    graph = graph_of("\ta = _Generic(a, int: 1, default: g());\n")
    assert [reason for _, reason in graph.unmodelled] == ["choice by type"]


def test_operands_of_asm_that_were_lost_are_reported() -> None:
    graph = graph_of('\tasm volatile("x" : A(a) : "r" (b));\n')
    assert [reason for _, reason in graph.unmodelled] == ["asm operands"]


def test_unknown_values_are_never_equal() -> None:
    expected = """
        b0:
            3  a = `'_'`
            4  a = `'_'#2`
            5  end
        """
    assert shown("a = 'x';\na = 'y';\n") == golden(expected)


def test_a_function_that_cannot_be_parsed_is_reported() -> None:
    text = "int f(int a)\n{\n\tg();\n\ta = = ) 3 (;\n\th();\n}\n"
    for function in read_functions(Source("file.c", text.encode())):
        graph = lower(function, DEFAULT_DIALECT)
        assert verify(graph) == []
        assert "syntax that is not understood" in [reason for _, reason in graph.unmodelled]


PIECES = re.findall(
    r"\w+|\s+|[^\w\s]",
    """
    if (a) { g(); } else { goto out; } for (i = 0; i < 3; i++) { continue; } do { *p++ = a; } while (0);
    switch (a) { case 1 ... 3: break; default: return b; } guard(mutex)(&p->lock); struct s v = { .x = 1, [2] = 3 };
    for_each_vma(vmi, vma) { a = b ? c : d; } asm volatile("" : "=r"(a) : "r"(b)); x = ({ int y = 1; y; }); out: ;
    int *q __free(kfree) = (u64)-1 + sizeof(x) && !READ_ONCE(a->b[3]) || BUG_ON(c), scoped_guard(m) { } "s" '\\n' # ##
    """,
)


@pytest.mark.parametrize("seed", range(20))
def test_any_text_is_lowered_to_a_sound_graph(seed: int) -> None:
    random_ = random.Random(seed)
    lowered_functions = 0
    for _ in range(40):
        body = list(PIECES)
        for _ in range(random_.randint(1, 12)):
            place = random_.randrange(len(body))
            body[place : place + random_.randint(0, 3)] = random_.choices(PIECES, k=random_.randint(0, 2))
        source = Source("file.c", f"int f(int a)\n{{\n{''.join(body)}\n}}\n".encode())
        for function in read_functions(source):
            graph = lower(function, DEFAULT_DIALECT)
            assert verify(graph) == []
            assert dump_graph(graph, source).startswith(f"{function.name}(")
            lowered_functions += 1
    assert lowered_functions > 0
