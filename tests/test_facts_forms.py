"""Functions and macros that are read as an expression of their arguments, and those that must not be."""

from __future__ import annotations

import pytest

from mmlint.facts.file import FileAnalysis
from mmlint.facts.forms import form_of
from mmlint.flow import ir
from mmlint.kernel import load_vocabulary
from mmlint.source import Source

VOCABULARY = load_vocabulary()
A, B = ir.Name("a"), ir.Name("b")
PAGE = ir.Name("PAGE_SIZE")

FORMS: dict[str, ir.Expr | None] = {
    "static inline unsigned long f(unsigned long x) { return x; }": A,
    "unsigned long f(const unsigned long x, int unused);\nunsigned long f(const unsigned long x) { return ((x)); }": A,
    "static pte_t *f(pte_t *p) { /* the next */ return p + 1; }": ir.Binary("+", A, ir.Const(1)),
    "static u64 f(u64 x) { return x - 2 * PAGE_SIZE; }": ir.Binary("-", A, ir.Binary("*", ir.Const(2), PAGE)),
    "static unsigned long f(unsigned long x, unsigned long y) { return x + y; }": ir.Binary("+", A, B),
    "static unsigned long f(unsigned long x, unsigned long y) { return y; }": B,
    "static unsigned long f(unsigned long x) { unsigned long y = x; return y; }": A,
    "static struct mm_struct *f(struct vm_area_struct *v) { return v->vm_mm; }": ir.Member(A, "vm_mm", True),
    "static struct mm_struct *f(struct mm_walk *w) { return w->vma->vm_mm; }": ir.Member(
        ir.Member(A, "vma", True), "vm_mm", True
    ),
    "#define f(x) (x)": A,
    "#define f(x) \\\n\t((x) + PAGE_SIZE)": ir.Binary("+", A, PAGE),
    "#define f(v) ((v)->vm_mm)": ir.Member(A, "vm_mm", True),
    "#define f(x) ({ typeof(x) y = (x); y; })": A,
    "#define f(x) ({ unsigned long y = (x); (y); })": A,
    # What loses bits, or may.
    "static unsigned long f(unsigned int x) { return x; }": None,
    "static int f(unsigned long x) { return x; }": None,
    "static unsigned long f(unsigned long x) { int y = x; return y; }": None,
    "static some_t f(some_t x) { return x; }": None,
    "#define f(x) ({ int y = (x); y; })": None,
    "#define f(x) ((int)(x))": None,
    # What does something else as well, or does not always do it.
    "static unsigned long f(unsigned long x) { count++; return x; }": None,
    "static unsigned long f(unsigned long x) { if (x) return 0; return x; }": None,
    "static unsigned long f(unsigned long x) { return x ? x : 1; }": None,
    "static unsigned long f(unsigned long x) { return g(x); }": None,
    "static unsigned long f(unsigned long x) { return x++; }": None,
    "static unsigned long f(unsigned long x) { return x + other; }": None,
    "static unsigned long f(unsigned long x) { return x | 1; }": None,
    "static unsigned long f(unsigned long x) { return 010 + x; }": None,
    "static unsigned long f(void) { return 1; }": None,
    "static unsigned long f(unsigned long *x) { return *x; }": None,
    "static unsigned long f(unsigned long x[]) { return x[0]; }": None,
    "static unsigned long f(struct s *s) { return s->a = 1; }": None,
    "static unsigned long f(struct s s) { return s.a; }": None,
    # A step of another pointer is not one of entries.
    "static void *f(void *p) { return p + 1; }": None,
    # Macros whose text is more than the value, or less.
    "#define f(x) x": None,
    "#define f(x) (x) + PAGE_SIZE": None,
    "#define f(x) (x + PAGE_SIZE)": None,
    "#define f(x) ((x) + (x) - (x))": None,
    "#define f(x, y) (x)": None,
    "#define f(x) do { } while (0)": None,
    # Two meanings.
    "#ifdef A\nstatic u64 f(u64 x) { return x; }\n#else\nstatic u64 f(u64 x) { return x + 1; }\n#endif": None,
    "#ifdef A\nstatic u64 f(u64 x) { return x; }\n#else\nstatic u64 f(u64 y) { return (y); }\n#endif": A,
}


@pytest.mark.parametrize("text", FORMS)
def test_a_call_is_the_expression_that_is_returned(text: str) -> None:
    form = form_of(FileAnalysis(Source("forms.c", f"{text}\n".encode()), VOCABULARY), "f")
    found = form.of((A, B)[: form.arity]) if form is not None else None
    assert found == FORMS[text]


def test_what_is_not_defined_has_no_form() -> None:
    assert form_of(FileAnalysis(Source("forms.c", b"void g(void) { }\n"), VOCABULARY), "f") is None
