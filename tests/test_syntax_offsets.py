"""Whatever the input, no byte moves and no newline is lost, and nothing raises or hangs."""

import random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mmlint.source import Source
from mmlint.syntax.cut import Outline, cut
from mmlint.syntax.functions import FileReader
from mmlint.syntax.mask import mask
from mmlint.syntax.normalise import normalise
from mmlint.syntax.parser import FunctionParser
from mmlint.syntax.repair import repair

TOKEN_LINES = """
( ) [ ] { } ; , : = * & && . -> ++ + - < >> ... ? ~ ! # ## \\ 0 1 0x1f 10baseT 1.5e3 "s" 's' "a\\"b" /* */ //
x y foo_t u32 int long unsigned struct union enum const static register volatile auto typedef inline
if else while for do switch case default goto return break continue asm __asm__ __volatile__ asm_volatile_goto
sizeof offsetof __alignof__ typeof _Generic __user __init __attribute__ __free __aligned __odd ODD MACRO
for_each_x scoped_guard forever noreturn __try SYSCALL_DEFINE2 DECLARE_X list_for_each f g
#if #ifdef #else #elif #endif #define #error #include <a.h> defined IS_ENABLED CONFIG_A CONFIG_B __KERNEL__
"""
TOKENS = TOKEN_LINES.split()
SPACES = ["", " ", " ", "\n", "\n\t", "\t", "\r\n", "\\\n", "\n{\n", "\n}\n"]
SOUP = st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from(SPACES)), max_size=60).map(
    lambda parts: "".join(token + space for token, space in parts).encode()
)
RELAXED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def assert_in_place(before: bytes, after: bytes) -> None:
    assert len(after) == len(before)
    assert [at for at, byte in enumerate(before) if byte == 10] == [at for at, byte in enumerate(after) if byte == 10]


@RELAXED
@given(st.one_of(SOUP, st.binary(max_size=200)))
def test_masking_moves_nothing(data: bytes) -> None:
    assert_in_place(data, mask(data))


@RELAXED
@given(SOUP)
@example(b"X(\n) = { 0 };")
@example(b"asm(\n\n")
@example(b"for_each_x(\n)\n\tg();")
def test_normalising_a_body_moves_nothing(body: bytes) -> None:
    text = b"int f(int a)\n{\n" + mask(body) + b"\n}\n"
    outline = Outline(0, 4, 5, 5, 12, 13, len(text), b"f", False)
    assert_in_place(text, normalise(text, outline).text)


@RELAXED
@given(SOUP, SOUP)
@example(b"", b"\n\nm\n(\n\n\n)")
def test_normalising_a_header_moves_nothing(lead: bytes, parameters: bytes) -> None:
    text = mask(lead) + b" f(" + mask(parameters) + b")\n{\n}\n"
    for outline in cut(text).outlines:
        source = text[outline.start : outline.end]
        assert_in_place(source, normalise(source, outline.shifted(-outline.start)).text)


@RELAXED
@given(SOUP)
def test_repair_moves_nothing(body: bytes) -> None:
    text = b"int f(int a)\n{\n" + mask(body) + b"\n}"
    assert_in_place(text, repair(FunctionParser(), text, 13).text)


def check_file(data: bytes) -> int:
    """Read everything of a file; returns the number of texts."""
    reader = FileReader(Source("soup.c", data))
    for definition in reader.definitions():
        function = reader.parse(definition)
        assert 0 <= function.span.start <= function.name_span.start <= function.body.start < function.span.end
        assert function.span.end <= len(data)
        source = data[function.span.start : function.span.end]
        assert_in_place(source, function.masked)
        assert_in_place(source, function.text)
        assert all(function.span.covers(span) for span in function.blanked)
        assert all(function.span.start <= offset < function.span.end for offset in function.loops)
        assert function.variants >= 1 and len(function.configurations) >= 1
    for macro in reader.macros():
        parsed = reader.parse(macro)
        assert_in_place(data[macro.span.start : macro.span.end], parsed.text[:-2])
    return len(reader.definitions())


@RELAXED
@given(SOUP, SOUP)
def test_reading_a_file_moves_nothing(first: bytes, second: bytes) -> None:
    check_file(b"int f(void)\n{\n" + first + b"\n}\n" + second + b"\nint g(void)\n{\n\tx;\n}\n")


WALKER = b"""
#ifdef CONFIG_A
static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
#else
static int walk(pmd_t *pmd, unsigned long addr, unsigned long end)
#endif
{
	pte_t __user *pte = pte_offset_map_lock(mm, pmd, addr, &ptl); /* may fail */

	for_each_pte(pte, addr, end)
		set_pte_at(mm, addr, pte, ({ pte_t x = ptep_get(pte); x; }));
#ifdef CONFIG_B
	pr_info("done %d\\n" PRIx, 'x');
#elif CONFIG_C > 2
	goto out;
#endif
	asm volatile(ALT("a") : "=r" (x) : : "memory");
out:
	return 0;
}
"""


def test_truncated_and_thinned_files_are_read_in_place() -> None:
    assert check_file(WALKER) == 6
    for end in range(0, len(WALKER), 7):
        check_file(WALKER[:end])
    chance = random.Random(0)
    for _ in range(200):
        at = chance.randrange(len(WALKER))
        check_file(WALKER[:at] + WALKER[at + chance.randrange(12) :])


def test_hostile_files_come_to_an_end() -> None:
    for data in (b"(" * 100_000, b"{" * 100_000, b"f(){" * 20_000, b"}" * 100_000, b"#" * 100_000, b'"' * 100_001):
        check_file(data)
    check_file(b"int f(void)\n{\n" + b"g(" * 2_000 + b")" * 2_000 + b";\n}\n")
    check_file(b"int f(void)\n{\n" + b"case case a ? " * 5_000 + b"\n}\n")
    check_file(b"int f(void)\n{\n" + b"x : " * 5_000 + b"\n}\n")
