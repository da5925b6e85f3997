"""What helpers write of what they are given the address of, and what is said of the structure behind it then."""

from __future__ import annotations

import pytest

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.facts.analysis import analyse_file
from mmlint.facts.file import FileAnalysis
from mmlint.facts.readers import members_written
from mmlint.facts.sections import Verdict
from mmlint.kernel import load_vocabulary
from mmlint.source import Source

VOCABULARY = load_vocabulary()
WALK = """\
static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	pte_t *pte, *start_pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable_for_pte_range(walk->mm, addr, end, start_pte);
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		if (look(&start_pte))
			break;
		set_pte_at(walk->mm, addr, pte, ptep_get(pte));
	}
	if (start_pte) {
		lazy_mmu_mode_disable();
		pte_unmap_unlock(start_pte, ptl);
	}
	return 0;
}

static const struct mm_walk_ops ops = {
	.pmd_entry = walk,
};
"""
BODIES = {
    "return pte_young(ptep_get(*p));": True,
    "return *p == NULL || (*p) != last;": True,
    "return other && *p && pte_none(ptep_get((*p) + 1)); /* p = NULL */": True,
    "return s->p == *p;": True,
    "(*p)++; return 0;": False,
    "*p = NULL; return 0;": False,
    "*p += 1; return 0;": False,
    "return pte_none(ptep_get(++*p));": False,
    "kept = p; return 0;": False,
    "return move(p);": False,
    "return move(&*p);": False,
    "swap(*p, last); return 0;": False,
    "return p[0] == NULL;": False,
}


@pytest.mark.parametrize("body", BODIES)
def test_a_helper_reads_or_may_write(body: str) -> None:
    data = f"static int look(pte_t **p)\n{{\n\t{body}\n}}\n\n{WALK}".encode()
    source = Source("walk.c", data)
    assert (members_written(FileAnalysis(source, VOCABULARY), "look", 0) == frozenset()) is BODIES[body]
    (section,) = [section for function in analyse_file(source, VOCABULARY).functions for section in function.sections]
    # Where the pointer may be another one, the disable behind the test may not be reached.
    assert (section.verdict is Verdict.VERIFIED, not section.leaks) == (BODIES[body], BODIES[body])


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("const unsigned long *p", True),
        ("unsigned long const *p", True),
        ("char *const p", False),
        ("pte_t **p", False),
    ],
)
def test_a_pointer_to_const_is_not_written_through(parameter: str, expected: bool) -> None:
    text = f"static int look(int n, {parameter})\n{{\n\treturn n && other(p);\n}}\n"
    written = members_written(FileAnalysis(Source("a.c", text.encode()), VOCABULARY), "look", 1)
    assert written == (frozenset() if expected else None)


def test_what_is_not_defined_may_write() -> None:
    assert members_written(FileAnalysis(Source("a.c", b"int look(pte_t **p);\n"), VOCABULARY), "look", 0) is None


MEMBERS = {
    "return c->soft && c->in.n == n;": frozenset(),
    "if (!c || c == other || c->n)\n\t\treturn c->ops->f(n);\n\treturn 0;": frozenset(),
    "c->n++; --c->m; c->k |= 1; c->j = c->i; return 0;": frozenset("nmkj"),
    "spin_lock(&c->lock); return c->n && n;": frozenset({"lock"}),
    "return count(n, c) + count((n), c);": frozenset({"seen"}),
    "return again(c);": None,
    "c->in.n = 1; return 0;": None,
    "c->other->n = 1; return 0;": None,
    "c->v[n] = 1; return 0;": None,
    "swap(c->n, c->m); return 0;": None,
    "*c = none; return 0;": None,
    "kept = c; return 0;": None,
    "return (int)(c + 1);": None,
    "return c->count(n, c);": None,
    "return unknown(c);": None,
    "ADD(c->n, 1); return 0;": None,
    "ADD_TWO(n, c->n); return 0;": None,
    "return SUM(c->n, 1);": frozenset(),
    'asm volatile("" : "=m" (c->n)); return 0;': None,
}


@pytest.mark.parametrize("body", MEMBERS)
def test_members_that_a_helper_writes(body: str) -> None:
    text = f"""\
#define SUM(a, b)	((a) + (b))
#define ADD(a, b)	((a) += (b))
#define ADD_TWO(a, b)	do {{ ADD(b, a); }} while (0)

static int count(int n, struct ctx *c)
{{
	c->seen = n;
	return c->n;
}}

static int again(struct ctx *c)
{{
	return again(c);
}}

static int look(int n, struct ctx *c)
{{
	{body}
}}
"""
    analysis = FileAnalysis(Source("a.c", text.encode()), VOCABULARY)
    assert members_written(analysis, "look", 1) == MEMBERS[body]


IN_SECTION = """\
struct ctx {
	bool soft;
	gfp_t gfp;
	int seen;
	pte_t *ptep;
	pte_t copy;
};

static int doze(struct ctx *c)
{
	c->seen++;
	if (!c->soft)
		cond_resched();
	return c->seen;
}

static int nod(int n, struct ctx *c)
{
	return n && doze(c);
}

static void *take(struct ctx *c)
{
	return kmalloc(c->seen, c->gfp);
}

static int peek(struct ctx *c)
{
	return pte_none(*c->ptep);
}

static void put_copy(struct ctx *c)
{
	c->copy = ptep_get(c->ptep);
	c->ptep = &c->copy;
}

static void put_copy_below(struct ctx *c)
{
	put_copy(c);
}

static void step(struct ctx *c)
{
	c->ptep++;
}

static void use_copy(pte_t **where, pte_t *copy)
{
	*copy = ptep_get(*where);
	*where = copy;
}

static void put_first(pte_t **list, pte_t *copy)
{
	list[0] = copy;
}

static void advance(pte_t **where)
{
	*where = *where + 1;
}

static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct ctx c = { .soft = true, .gfp = GFP_KERNEL };
	pte_t *pte, *start_pte, *p, copy, *two[2];
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable_for_pte_range(walk->mm, addr, end, start_pte);
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		set_pte_at(walk->mm, addr, pte, ptep_get(pte));
		c.ptep = p = pte;
		BODY
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
	return 0;
}
"""
SLEEPS = "doze() may sleep while lazy MMU mode is on: it comes to cond_resched()"
BELOW = "nod() may sleep while lazy MMU mode is on: it comes to cond_resched()"
TAKES = "take() may sleep while lazy MMU mode is on: it comes to kmalloc() with GFP_KERNEL"
READS = "'*c->ptep' reads the entry directly while lazy MMU mode is on: that takes ptep_get()"
LOCAL = "'*p' reads the entry directly while lazy MMU mode is on: that takes ptep_get()"
CASES = {
    # A flag is the same in each round: what a helper counts in the structure leaves it.
    "doze(&c);": [],
    "nod(1, &c);": [],
    "c.soft = false;\n\t\tdoze(&c);": [(78, 3, SLEEPS)],
    "c.soft = false;\n\t\tnod(1, &c);\n\t\tc.soft = true;": [(78, 3, BELOW)],
    "take(&c);": [(77, 3, TAKES)],
    "nod(1, &c);\n\t\ttake(&c);": [(78, 3, TAKES)],
    "c.gfp = GFP_NOWAIT;\n\t\ttake(&c);": [],
    # A pointer that a helper moves stays in the table; one that it is told to replace, or that may be any, is another.
    "step(&c);\n\t\tpeek(&c);": [(29, 18, READS)],
    "put_copy(&c);\n\t\tpeek(&c);": [],
    "put_copy_below(&c);\n\t\tpeek(&c);": [],
    "memcpy(&c, walk->private, sizeof(c));\n\t\tpeek(&c);": [],
    "advance(&p);\n\t\tif (pte_none(*p))\n\t\t\tbreak;": [(78, 16, LOCAL)],
    "two[0] = pte;\n\t\tput_first(two, &copy);\n\t\tif (pte_none(*two[0]))\n\t\t\tbreak;": [],
    "use_copy(&p, &copy);\n\t\tif (pte_none(*p))\n\t\t\tbreak;": [],
}


@pytest.mark.parametrize("body", CASES)
def test_a_structure_that_helpers_are_handed(body: str) -> None:
    text = IN_SECTION.replace("BODY", body)
    report = make_checker(Settings()).check(Source("walk.c", text.encode()))
    assert report.skipped == ()
    assert [(d.location.line, d.location.column, d.message) for d in report.diagnostics] == CASES[body]
