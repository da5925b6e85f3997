"""What a graph says of its function: parameters, variables, types, scopes, spans."""

from __future__ import annotations

import pytest

from mmlint.flow.ir import Assign, Branch, Call, Declare, Graph, Load, Name, Return, Store
from mmlint.flow.lower import DEFAULT_DIALECT, Dialect, lower
from mmlint.flow.verify import verify
from mmlint.source import Source, Span
from mmlint.syntax.functions import FileReader, read_functions
from tests.lowering import graph_of, parsed


def variables(graph: Graph) -> list[tuple[str, int, str, int, int]]:
    """Name, number of the declaration, type, stars, index of the parameter."""
    return [(v.name.name, v.name.scope, v.type, v.pointers, v.parameter) for v in graph.variables.values()]


def test_parameters_have_types_and_places() -> None:
    header = "static int f(const struct mm_struct *mm, unsigned long addr, pte_t **ptep, int list[], void (*fn)(int))"
    graph = graph_of("", header)
    assert [name.name for name in graph.parameters] == ["mm", "addr", "ptep", "list", "fn"]
    assert variables(graph) == [
        ("mm", 0, "struct mm_struct", 1, 0),
        ("addr", 0, "unsigned long", 0, 1),
        ("ptep", 0, "pte_t", 2, 2),
        ("list", 0, "int", 1, 3),
        ("fn", 0, "function", 1, 4),
    ]


def test_attributes_are_no_part_of_a_type() -> None:
    graph = graph_of("", "static __always_inline void f(struct page __user *p, const char __user * __user *q)")
    assert variables(graph) == [("p", 0, "struct page", 1, 0), ("q", 0, "char", 2, 1)]


def test_a_parameter_without_a_name_keeps_its_place() -> None:
    graph = graph_of("", "int f(int, struct s *p)")
    assert [(v.type, v.pointers, v.parameter) for v in graph.variables.values()] == [("int", 0, 0), ("struct s", 1, 1)]
    assert len(graph.parameters) == 2


def test_void_is_no_parameter() -> None:
    assert graph_of("", "int f(void)").parameters == ()


@pytest.mark.parametrize(
    ("header", "type_", "pointers"),
    [
        ("int f(void)", "int", 0),
        ("static inline struct page *f(void)", "struct page", 1),
        ("static const char **f(void)", "char", 2),
        ("static noinline unsigned long f(void)", "unsigned long", 0),
        ("static vm_fault_t f(void)", "vm_fault_t", 0),
    ],
)
def test_the_returned_type(header: str, type_: str, pointers: int) -> None:
    graph = graph_of("", header)
    assert (graph.return_type, graph.return_pointers) == (type_, pointers)


def test_a_system_call_has_its_parameters() -> None:
    function, _ = parsed("SYSCALL_DEFINE2(munlock, unsigned long, start, size_t, len)\n{\n\treturn start + len;\n}\n")
    graph = lower(function, DEFAULT_DIALECT)
    assert variables(graph) == [("start", 0, "unsigned long", 0, 0), ("len", 0, "size_t", 0, 1)]


def test_locals_have_types() -> None:
    body = (
        "\tconst struct s *const p = 0, v;\n\tunsigned long long n;\n\tint a[2][3], *b[4], (*c)(int), (*d[2])(void);\n"
        "\tstatic volatile bool e;\n\ttypeof(p->x) *g;\n\tstruct { int x; } h;\n\t__u64 i;\n"
    )
    assert variables(graph_of(body, "void f(void)")) == [
        ("p", 0, "struct s", 1, -1),
        ("v", 0, "struct s", 0, -1),
        ("n", 0, "unsigned long long", 0, -1),
        ("a", 0, "int", 1, -1),
        ("b", 0, "int", 2, -1),
        ("c", 0, "function", 1, -1),
        ("d", 0, "function", 2, -1),
        ("e", 0, "bool", 0, -1),
        ("g", 0, "typeof(p->x)", 1, -1),
        ("h", 0, "struct", 0, -1),
        ("i", 0, "__u64", 0, -1),
    ]


def test_a_scope_runs_from_the_declarator_to_the_end_of_the_block() -> None:
    text = "void f(int a)\n{\n\tint b = a;\n\tfor (int c = 0; c < a; c++)\n\t\tg(c);\n\t{ int d; h(d); }\n}\n"
    function, source = parsed(text)
    graph = lower(function, DEFAULT_DIALECT)
    scopes = {v.name.name: source.text(v.scope) for v in graph.variables.values()}
    assert scopes == {
        "a": text[text.index("{") :].rstrip("\n"),
        "b": text[text.index(" = a") :].rstrip("\n"),
        "c": " = 0; c < a; c++)\n\t\tg(c);",
        "d": "; h(d); }",
    }


def test_a_shadowing_parameter_has_a_number_of_its_own() -> None:
    graph = graph_of("\t{ int a = 1; g(a); }\n\th(a);\n", "void f(int a)")
    assert variables(graph) == [("a", 0, "int", 0, 0), ("a", 1, "int", 0, -1)]


def test_a_local_is_not_the_global_of_its_name() -> None:
    graph = graph_of("\tg(x);\n\t{ int x = 1; g(x); }\n\tg(x);\n", "void f(void)")
    calls = [op for op in graph.blocks[0].ops if isinstance(op, Call)]
    assert [call.arguments for call in calls] == [(Name("x"),), (Name("x", 1),), (Name("x"),)]
    assert list(graph.variables) == [Name("x", 1)]


def test_a_class_is_a_variable() -> None:
    assert variables(graph_of("\tCLASS(fd, file)(3);\n", "void f(void)")) == [("file", 0, "class_fd_t", 0, -1)]


def test_spans_are_those_of_the_smallest_part() -> None:
    body = "\tint b, c = p->x + a;\n\n\tp->y = g(c, &b);\n\tif (!b)\n\t\treturn b;\n\tc++;\n"
    function, source = parsed(f"int f(struct s *p, int a)\n{{\n{body}}}\n")
    graph = lower(function, DEFAULT_DIALECT)
    found = [(type(op), source.text(op.span)) for block in graph.blocks for op in block.ops]
    assert found == [
        (Declare, "b"),
        (Load, "p->x"),
        (Assign, "c = p->x + a"),
        (Call, "g(c, &b)"),
        (Store, "p->y = g(c, &b)"),
        (Assign, "c++"),
    ]
    ends = [(type(block.terminator), source.text(block.terminator.span)) for block in graph.blocks]
    assert ends == [(Branch, "b"), (Return, "}"), (Return, "return b;")]


def test_a_call_knows_where_its_name_and_arguments_stand() -> None:
    function, source = parsed("void f(struct s *p)\n{\n\tg(p->x, (1),\n\t  &p);\n\tp->run(p);\n}\n")
    graph = lower(function, DEFAULT_DIALECT)
    calls = [op for op in graph.blocks[0].ops if isinstance(op, Call)]
    places = [(source.text(call.name_span), [source.text(span) for span in call.argument_spans]) for call in calls]
    assert places == [("g", ["p->x", "(1)", "&p"]), ("p->run", ["p"])]


def test_a_read_macro_has_the_span_of_the_whole_call() -> None:
    function, source = parsed("int f(struct s *p)\n{\n\treturn READ_ONCE(p->x);\n}\n")
    (op,) = lower(function, DEFAULT_DIALECT).blocks[0].ops
    assert isinstance(op, Load)
    assert source.text(op.span) == "READ_ONCE(p->x)"


def test_a_loop_macro_has_the_span_of_its_head() -> None:
    function, source = parsed("void f(void)\n{\n\tfor_each_vma(vmi, vma)\n\t\tg();\n}\n")
    (op,) = lower(function, DEFAULT_DIALECT).blocks[1].ops
    assert isinstance(op, Call)
    assert (source.text(op.span), source.text(op.name_span)) == ("for_each_vma(vmi, vma)", "for_each_vma")


def test_the_dialect_decides_what_a_name_means() -> None:
    function, _ = parsed("void f(int a)\n{\n\tMUST(a);\n\tdie();\n\tg(maybe(a));\n}\n")
    plain = lower(function, Dialect())
    assert [op.callee for block in plain.blocks for op in block.ops if isinstance(op, Call)] == [
        "MUST",
        "die",
        "maybe",
        "g",
    ]
    dialect = Dialect(frozenset({"maybe"}), asserts=frozenset({"MUST"}), noreturn=frozenset({"die"}))
    special = lower(function, dialect)
    assert [op.callee for block in special.blocks for op in block.ops if isinstance(op, Call)] == ["BUG", "die"]


def test_offsets_count_in_the_file() -> None:
    text = "int x;\n\nvoid g(void)\n{\n\th();\n}\n\nvoid f(void)\n{\n\ti();\n}\n"
    source = Source("file.c", text.encode())
    graphs = [lower(function, DEFAULT_DIALECT) for function in read_functions(source)]
    assert [(graph.name, source.text(graph.span)[:8], source.text(graph.body)) for graph in graphs] == [
        ("g", "void g(v", "{\n\th();\n}"),
        ("f", "void f(v", "{\n\ti();\n}"),
    ]
    start = text.index("i()")
    assert graphs[1].blocks[0].ops[0].span == Span(start, start + 3)


def test_the_body_of_a_macro_stays_inside_it() -> None:
    source = Source("file.h", b"#define give(p) \\\n\tdo { int a = p; return a; } while (0)\n#define back return 1\n")
    reader = FileReader(source)
    graphs = [lower(reader.parse(definition), DEFAULT_DIALECT) for definition in reader.macros()]
    assert [(graph.name, verify(graph)) for graph in graphs] == [("give", []), ("back", [])]
    assert [source.text(graph.blocks[0].terminator.span) for graph in graphs] == ["return a;", "return 1"]
