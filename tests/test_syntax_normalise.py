"""Each rewriting rule: a snippet, what it is turned into, and that tree-sitter then reads it without an error."""

import pytest

from mmlint.syntax.cut import cut
from mmlint.syntax.mask import mask
from mmlint.syntax.normalise import Normalised, normalise
from mmlint.syntax.parser import FunctionParser, is_clean

HEADER, END = "void f(void)\n{\n", "\n}"
PARSER = FunctionParser()


def normalised(text: str) -> Normalised:
    """The only function of a text, rewritten; it must be readable."""
    masked = mask(text.encode())
    [outline] = cut(masked).outlines
    source = masked[outline.start : outline.end]
    result = normalise(source, outline.shifted(-outline.start))
    assert len(result.text) == len(source)
    assert is_clean(PARSER.parse(result.text)), result.text.decode()
    return result


def rewrite(statements: str) -> str:
    """Statements of a function body, rewritten."""
    return normalised(HEADER + statements + END).text.decode()[len(HEADER) : -len(END)]


def rewrite_header(header: str) -> str:
    """A function header, rewritten, without the blanks at its end."""
    return normalised(header + "\n{\n}").text.decode()[: -len("\n{\n}")].rstrip()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("static int f(int a)", "static int f(int a)"),
        ("static __always_inline int f(void)", "static                 int f(void)"),
        ("struct foo __init *f(int a) __releases(&lock)", "struct foo        *f(int a)"),
        ("struct foo *__odd f(int a)", "struct foo *      f(int a)"),
        ("static ODD foo_t f(int a)", "static     foo_t f(int a)"),
        ("foo_t __odd f(int a)", "foo_t       f(int a)"),
        ("__s32 __odd f(int a)", "__s32       f(int a)"),
        ("unsigned long __odd f(int a)", "unsigned long       f(int a)"),
        ("__printf(1, 2) void f(int a)", "               void f(int a)"),
        ("typeof(x) f(int a)", "typeof    f(int a)"),
        ("typeof(x) (f(int a))", "typeof    (f(int a))"),
        ("static __init f(void)", "              int f()"),
        ("struct pair {\n\tint a;\n} f(void)", "struct pair  \n\t      \n  f(void)"),
        ("int (*f(int a))(int)", "int (*f(int a))(int)"),
        ("void f(char __user *a, struct foo __odd *b)", "void f(char        *a, struct foo       *b)"),
        ("void f(int a __maybe_unused, int b[] __odd)", "void f(int a               , int b[]      )"),
        ("SYSCALL_DEFINE2(dup, int, old, char __user *, new)", "long            dup( int  old, char        *  new)"),
        ("SYSCALL_DEFINE0(fork)", "int ALL_DEFINE0(    )"),
        ("SYSCALL_DEFINE2(64bit, int, old, SC_ARG64(x))", "long            _4bit( int  old, SC_ARG64(x))"),
        ("BPF_CALL_1(probe, u32, n)", "long       probe( u32  n)"),
        ("TEST_F(fixture, name)", "int f()"),
    ],
)
def test_headers(before: str, after: str) -> None:
    assert rewrite_header(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("switch (x) {\ncase 1 ... 9: g();\n}", "switch (x) {\ncase 1  |  9: g();\n}"),
        ("switch (x) {\ncase A ? 1 : 2: g();\n}", "switch (x) {\ncase A ? 1 : 2: g();\n}"),
        ("goto *table[i];", "goto  table   ;"),
        ("goto *(target + 1);", "goto __target___1_;"),
        ("if likely(x) return;", "if       (x) return;"),
        ("while unlikely (x) g();", "while          (x) g();"),
        ("{ g(); out: }", "{ g(); out:;}"),
        ("{ g(); out:}", "{ g(); out;}"),
        ("BEGIN\nreturn;", "BEGI;\nreturn;"),
        ("BEGIN \nx = 1;", "BEGIN;\nx = 1;"),
        ("{ END }", "{ END;}"),
        ("noreturn(x);", "Noreturn(x);"),
        ("__try = 1;", "A_try = 1;"),
    ],
)
def test_statements(before: str, after: str) -> None:
    assert rewrite(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("for_each_x(x)\n\tg(x);", "while     (x)\n\tg(x);"),
        ("for_each_x (x) {\n\tg(x);\n}", "while      (x) {\n\tg(x);\n}"),
        ("for_each_x(x) g(x);", "while     (x) g(x);"),
        ("for_each_x()\n\tg();", "while(1)    \n\tg();"),
        ("for_each_x(x)\n\t*x = 1;", "while     (x)\n\t*x = 1;"),
        (
            "for_each_x(x)\n\tfor_each_y(y)\n\t\tif (z)\n\t\t\tg(y);",
            "while     (x)\n\twhile     (y)\n\t\tif (z)\n\t\t\tg(y);",
        ),
        ("if (a)\n\tfor_each_x(x)\n\t\tg(x);\nelse\n\th();", "if (a)\n\twhile     (x)\n\t\tg(x);\nelse\n\th();"),
        ("walk(x, struct foo *)\n\tg(x);", "if  (x, Struct_foo_ )\n\tg(x);"),
        ("scoped_guard(mutex, &lock)\n\tg(x);", "if          (mutex, &lock)\n\tg(x);"),
        ("do {\n\tg();\n} while_each_x(x, y);", "do {\n\tg();\n} while       (x, y);"),
        ("forever {\n\tg();\n}", "for(;;) {\n\tg();\n}"),
        ("DEFINE_X(x)\ng(x);", "DEFINE_X,x;\ng(x);"),
        ("DEFINE_X(x) \ng(x);", "DEFINE_X(x);\ng(x);"),
        ("DEFINE_X()\ng(x);", "DEFINE_X ;\ng(x);"),
        ("{ LOCK(a) }", "{ LOCK(a);}"),
        ("if (x)\n\tLOCK(a)\nelse\n\tg();", "if (x)\n\tLOCK,a;\nelse\n\tg();"),
        ("static DEFINE_X(x, 1);", "       DEFINE_X(x, 1);"),
        ("static DECLARE_X(x, 4) = { 0 };", "       int       x     = { 0 };"),
        ("DECLARE_X(x, 4) = { 0 };", "int       x     = { 0 };"),
        ("PER_TYPE(u8) x;", "PER_TYPE     x;"),
        ("__aligned(8) u8 x[4];", "             u8 x[4];"),
        ("f(g(a * b));", "f(g(a / b));"),
        ("f(g(a * b), c);", "f(g(a * b), c);"),
        ("struct s { STRUCT_GROUP(a, b); int x; } v;", "struct s { int CT_GROUP      ; int x; } v;"),
        ("guard(mutex)(&lock);", "guard(mutex)(&lock);"),
        ("g(x);\n\th(y);", "g(x);\n\th(y);"),
    ],
)
def test_macros(before: str, after: str) -> None:
    assert rewrite(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("g(struct foo *, 1);", "g(Struct_foo_ , 1);"),
        ("g(const struct foo *p, 1);", "g(Const_struct_foo__p, 1);"),
        ("g(unsigned\n  long);", "g(Unsigned\n      );"),
        ("g(u32 odd, x);", "g(U32_odd, x);"),
        ("g(u8 *, x);", "g(u8  , x);"),
        ("g(u8 * const);", "g(u8        );"),
        ("g(return -1);", "g(Return__1);"),
        ("g(x = 1, goto out);", "g(x = 1, Goto_out);"),
        ("g(if (x) y = 1);", "g(If__x__y___1);"),
        ("g(, x);", "g(  x);"),
        ("g(a,, b);", "g(a,  b);"),
        ("g(a, );", "g(a  );"),
        ("g(x, <=, +);", "g(x, __, _);"),
        ("g(.x = 1, .y = { 2, 3 });", "g( x = 1,  y = ( 2, 3 ));"),
        ("g([ID] = x);", "g( ID  = x);"),
        ("g(a; b; c);", "g(a, b, c);"),
        ("g(a : b);", "g(a , b);"),
        ("g(x ? a : b);", "g(x ? a : b);"),
        ("g({ 1, 2 });", "g(( 1, 2 ));"),
        ("g({ h(); });", "g({ h(); });"),
        ("g(({ int y = 1; y; }));", "g(({ int y = 1; y; }));"),
        ("g(each(x) { h(); return; });", "g(each(x) , h(), Return   );"),
        ("g((struct foo){ 1 }, 2);", "g((struct foo){ 1 }, 2);"),
        ("g(FIELD(a) FIELD(b));", "g(FIELD(a),FIELD(b));"),
        ("g(a * b, (struct foo *)c, *d, sizeof(struct foo));", "g(a * b, (struct foo *)c, *d, sizeof(struct foo));"),
    ],
)
def test_arguments(before: str, after: str) -> None:
    assert rewrite(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("typeof(*p) q;", "typeof     q;"),
        ("typeof(x) q odd = 1;", "typeof    q     = 1;"),
        ("x = offsetof(struct foo, bar);", "x = Offsetof(Struct_foo, bar);"),
        ("x = __alignof__(struct foo);", "x = O_alignof__(Struct_foo);"),
        ("x = __alignof__ *p > 4;", "x = sizeof      *p > 4;"),
        ("x = _Generic(y, int: a, default: b);", "x = _generic(y, Int, a, Default, b);"),
        ("int a[4] __odd(8) = { 0 };", "int a[4]          = { 0 };"),
        ("int g(int) odd;", "int g(Int)    ;"),
        ("int g(int) odd(1, 2);", "int g(Int)          ;"),
        ("int a[] = { ENTRY(1) ENTRY(2) };", "int a[] = { ENTRY(1),ENTRY(2) };"),
        ("struct foo a[] = { ENTRY(1) .x = 2 };", "struct foo a[] = { ENTRY(1),.x = 2 };"),
        ("struct foo *a[] = { &x, A_OPS B_OPS &y };", "struct foo *a[] = { &x, A_OPS,B_OPS &y };"),
        ("int (__odd *g)(int);", "int (      *g)(int);"),
        ("struct foo __odd *p;", "struct foo       *p;"),
        ("struct foo ODD *p;", "struct foo     *p;"),
        ("void *__odd x;", "void *      x;"),
        ("u32 __odd x;", "u32       x;"),
        ("static __odd __u32 x;", "static       __u32 x;"),
        ("u32 x __odd(3);", "u32 x         ;"),
        ("x = (u32 __odd)y;", "x = (u32      )y;"),
        ("x = (struct foo __odd *)y;", "x = (struct foo       *)y;"),
        ("x = timeout MULTIPLIER;", "x = timeout           ;"),
        ("auto x = g();", "Auto x = g();"),
        ("int x __attribute__((unused));", "int x                        ;"),
        ("void *p __free(kfree) = g();", "void *p               = g();"),
        ("__volatile__ int x;", "             int x;"),
        ("p->__user = 1;", "p->__user = 1;"),
        ("struct s { int : 3; u8 : 1; } v;", "struct s { int    ; u8    ; } v;"),
        ("struct s { int a : 2, : 5; } v;", "struct s { int a : 2     ; } v;"),
        ("x = &&out;", "x =  &out;"),
    ],
)
def test_declarations(before: str, after: str) -> None:
    assert rewrite(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('g(LEVEL "x" PRIx64 "y");', 'g(      "_"        "_");'),
        ('g(PREFIX(1) "x" NAME(2), y);', 'g(          "_"        , y);'),
        ('return PREFIX(1) "x";', 'return           "_";'),
        ("x = 64 K;", "x = _4_K;"),
        ("g(10baseT_Full);", "g(_0baseT_Full);"),
        ("x = 0x10UL + 1.5e3f + 'a' + 0b11;", "x = 0x10UL + 1.5e3f + '_' + 0b11;"),
    ],
)
def test_literals(before: str, after: str) -> None:
    assert rewrite(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('asm volatile("nop");', 'asm volatile(""   );'),
        (
            'asm volatile(ALT("a") : "=r" (x) : [y] "r" (y) : "memory");',
            'asm volatile(""       : "__" (x) : [y] "_" (y) : "______");',
        ),
        ('asm volatile("a" : OUT(x) : "r" (y));', 'asm volatile(""                    );'),
        ('asm volatile("a" : : : "b", CLOBBERS);', 'asm volatile(""                     );'),
        ('asm_volatile_goto("x" : : "i" (k) : : out);', 'asm goto         (""  : : "_" (k) : : out);'),
        ('asm_inline volatile("x");', 'asm        volatile("" );'),
        ('asm __inline volatile("x");', 'asm          volatile("" );'),
        ('register long x asm("r0") = 1;', "register long x           = 1;"),
    ],
)
def test_assembly(before: str, after: str) -> None:
    assert rewrite(before) == after


def test_loops_are_the_offsets_of_the_macros() -> None:
    text = HEADER + "for_each_x(x)\n\tscoped_guard(a)\n\t\tdo { g(); } for_each_y(y);" + END
    offsets = tuple(text.index(name) for name in ("for_each_x", "scoped_guard", "for_each_y"))
    assert normalised(text).loops == offsets


def test_notes_are_hidden_control_flow() -> None:
    text = HEADER + "g(return -1);\ng(goto out);\ng(a; b);\ngoto *p;\nh(default: 1);" + END
    expected = (
        (text.index("return"), "return in argument"),
        (text.index("goto"), "goto in argument"),
        (text.index(";", text.index("g(a")), "statements in argument"),
        (text.index("goto *"), "computed goto"),
    )
    assert normalised(text).notes == expected


@pytest.mark.parametrize("word", ["offsetof x", "typeof x", "asm x", "case", "g(offsetof x, sizeof y)", "default", "]"])
def test_odd_words_come_to_an_end(word: str) -> None:
    masked = f"{HEADER}{word}{END}".encode()
    [outline] = cut(masked).outlines
    assert len(normalise(masked, outline).text) == len(masked)
