"""From bytes to parsed functions: configurations, macros, repair, the summary."""

import re
from pathlib import Path

import pytest

from mmlint.source import Source, Span
from mmlint.syntax.functions import FileReader, ParsedFunction, read_functions
from mmlint.syntax.parser import FunctionParser, is_clean
from mmlint.syntax.repair import repair
from mmlint.syntax.summary import dump_parse, parse_summary

FILE = b"""\
/* f is not here: int f(void) { } */
static int __init first(struct foo *a)
{
	for_each_x(a)
		second(a, struct foo *, ");");	/* } */
	return 0;
}

#ifdef CONFIG_A
void second(void)
{
#ifdef CONFIG_B
	b();
#endif
#if CONFIG_N > 1
	n();
#else
	m();
#endif
}
#endif

#define walk(x) do {	\\
	if (x##_a)	\\
		go(#x);	\\
} while (0)
#define EMPTY
#define LIMIT 3
"""


def source(data: bytes) -> Source:
    return Source("file.c", data)


def only(data: bytes) -> ParsedFunction:
    [function] = read_functions(source(data))
    return function


def test_a_parsed_function_points_into_the_file() -> None:
    function = read_functions(source(FILE))[0]
    span, body = function.span, function.body
    assert FILE[span.start : span.end].startswith(b"static int __init first(") and FILE[span.end - 1 : span.end] == b"}"
    assert FILE[body.start : body.end].startswith(b"{\n\tfor_each_x") and body.end == span.end
    assert FILE[function.name_span.start : function.name_span.end] == b"first" == function.name.encode()
    assert (function.ok, function.blanked, function.notes, function.variants) == (True, (), (), 1)
    assert [configuration.describe() for configuration in function.configurations] == [""]


def test_loops_have_their_name_in_the_masked_text_and_a_node_in_the_tree() -> None:
    function = read_functions(source(FILE))[0]
    [offset] = function.loops
    inside = offset - function.span.start
    assert function.masked[inside:].startswith(b"for_each_x(a)")
    assert function.text[inside:].startswith(b"while     (a)")
    node = function.tree.root_node.descendant_for_byte_range(inside, inside + 1)
    assert node is not None and node.parent is not None
    assert node.parent.type == "while_statement"


def test_masked_text_is_projected_but_not_rewritten() -> None:
    function = read_functions(source(FILE))[0]
    assert b'second(a, struct foo *, "__");\t       \n' in function.masked
    assert b'second(a, Struct_foo_ , "__");\t       \n' in function.text


def test_every_text_of_a_function_has_its_configurations() -> None:
    functions = read_functions(source(FILE), lambda name, text: name == b"second" and b"b" in text)
    described = {tuple(f.describe() for f in function.configurations): function for function in functions}
    assert set(described) == {
        ("CONFIG_A set, CONFIG_B set, CONFIG_N > 1 true",),
        ("CONFIG_A set, CONFIG_B set, CONFIG_N > 1 false",),
    }
    both = [function for function in read_functions(source(FILE)) if function.name == "second"]
    assert [function.variants for function in both] == [4, 4, 4, 4]
    assert {re.sub(rb"\s+", b"", function.masked) for function in both} == {
        b"voidsecond(void){b();n();}",
        b"voidsecond(void){b();m();}",
        b"voidsecond(void){n();}",
        b"voidsecond(void){m();}",
    }


def test_one_text_lists_all_its_configurations() -> None:
    data = b"int f(void)\n{\n#if A || B\n\tg();\n#endif\n}\n"
    functions = read_functions(source(data))
    assert [[each.describe() for each in function.configurations] for function in functions] == [
        ["A set, B set", "A set, B not set", "A not set, B set"],
        ["A not set, B not set"],
    ]


def test_arms_with_different_headers_are_different_definitions() -> None:
    data = b"#if A\nint f(int a)\n#else\nint f(long a)\n#endif\n{\n}\n"
    functions = read_functions(source(data))
    assert [function.span.start for function in functions] == [data.index(b"int f(int"), data.index(b"int f(long")]
    assert {function.span.end for function in functions} == {len(data) - 1}
    assert [function.ok for function in functions] == [True, True]


def test_wanted_is_a_pattern_or_a_predicate() -> None:
    assert [function.name for function in read_functions(source(FILE), re.compile(rb"\bfor_each_x\b"))] == ["first"]
    assert read_functions(source(FILE), re.compile(rb"is not here")) == []
    assert len(read_functions(source(FILE), lambda name, _: name == b"second")) == 4


def test_steps_are_done_once() -> None:
    reader = FileReader(source(FILE))
    assert reader.definitions() is reader.definitions()
    first = reader.definitions()[0]
    assert reader.parse(first) is reader.parse(first)


def test_macro_bodies_are_functions() -> None:
    reader = FileReader(source(FILE))
    walk, limit = reader.macros()
    assert (walk.name, limit.name) == ("walk", "LIMIT")
    assert FILE[walk.name_span.start : walk.name_span.end] == b"walk"
    assert FILE[walk.span.start : walk.span.end].startswith(b"#define walk(x)")
    assert FILE[walk.body.start : walk.body.end].endswith(b"} while (0)")
    parsed = reader.parse(walk)
    assert parsed.ok and parsed.text.startswith(b"int f(){")
    at = FILE.index(b"x##_a") - parsed.span.start
    assert parsed.text[at : at + 5] == b"x___a"
    assert parsed.text.endswith(b"} while (0);}")


def test_repair_blanks_a_group_and_says_so() -> None:
    data = b"int f(void)\n{\n\tg(a ! b);\n\th();\n}\n"
    function = only(data)
    assert function.ok
    assert [data[span.start : span.end] for span in function.blanked] == [b"a ! b"]
    assert b"h();" in function.text and b"g(1    );" in function.text


def test_repair_blanks_a_statement() -> None:
    data = b"int f(void)\n{\n\tx = = 1;\n\th();\n}\n"
    function = only(data)
    assert function.ok
    assert [data[span.start : span.end].strip() for span in function.blanked] == [b"x = = 1"]


def test_what_repair_cannot_read_is_not_ok() -> None:
    function = only(b"int f(int ! [ 3)\n{\n\tx;\n}\n")
    assert not function.ok


def test_repair_leaves_a_clean_text_alone() -> None:
    text = b"int f(void)\n{\n\tg();\n}"
    repaired = repair(FunctionParser(), text, 12)
    assert (repaired.text, repaired.blanked, repaired.ok) == (text, (), True)


@pytest.mark.parametrize("text", [b"int x;", b"int f(void) { } int g(void) { }", b"int f(void) { x }", b""])
def test_only_one_whole_function_is_clean(text: bytes) -> None:
    assert not is_clean(FunctionParser().parse(text))


def test_bytes_that_are_not_utf8_are_kept() -> None:
    data = b'/* \xff */ int f(void)\n{\n\tg("\xe9");\n}\n'
    assert only(data).span == Span(8, len(data) - 1)


def test_summary_counts_and_names_what_failed(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes(FILE)
    (tmp_path / "b.c").write_bytes(b"int f(void)\n{\n\tx = = 1;\n}\nint g(int ! [ 3)\n{\n\tx;\n}\n")
    (tmp_path / "c.txt").write_bytes(b"int f(void) { }")
    assert parse_summary([tmp_path, tmp_path / "none.c"]).splitlines() == [
        "files                                   2",
        "functions                               4",
        "distinct texts                          7",
        "texts with errors before repair         2",
        "texts with errors after repair          1",
        f"{tmp_path}/b.c:1: f: repaired",
        f"{tmp_path}/b.c:5: g: not readable",
        f"{tmp_path}/none.c: No such file or directory",
    ]


def test_dump_shows_text_and_tree() -> None:
    data = b"#if A\nint f(void)\n{\n\tfor_each_x(y)\n\t\tg(return);\n}\n#endif\n"
    assert dump_parse(source(data), "f").splitlines() == [
        "file.c:2: f",
        "configuration: A set",
        "loop macro: line 4",
        "note: line 5: return in argument",
        "int f(void)",
        "{",
        "\twhile     (y)",
        "\t\tg(Return);",
        "}",
        "translation_unit 2:1",
        "  function_definition 2:1",
        "    type: primitive_type 2:1 int",
        "    declarator: function_declarator 2:5",
        "      declarator: identifier 2:5 f",
        "      parameters: parameter_list 2:6",
        "        parameter_declaration 2:7",
        "          type: primitive_type 2:7 void",
        "    body: compound_statement 3:1",
        "      while_statement 4:2",
        "        condition: parenthesized_expression 4:12",
        "          identifier 4:13 y",
        "        body: expression_statement 5:3",
        "          call_expression 5:3",
        "            function: identifier 5:3 g",
        "            arguments: argument_list 5:4",
        "              identifier 5:5 Return",
    ]


def test_dump_of_an_unknown_function_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"no function nothing in file\.c"):
        dump_parse(source(FILE), "nothing")
