"""Helpers that only read what they are given the address of, and those that may write it."""

from __future__ import annotations

import pytest

from mmlint.facts.analysis import analyse_file
from mmlint.facts.file import FileAnalysis
from mmlint.facts.readers import only_reads
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
    assert only_reads(FileAnalysis(source, VOCABULARY), "look", 0) is BODIES[body]
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
    assert only_reads(FileAnalysis(Source("a.c", text.encode()), VOCABULARY), "look", 1) is expected


def test_what_is_not_defined_may_write() -> None:
    assert not only_reads(FileAnalysis(Source("a.c", b"int look(pte_t **p);\n"), VOCABULARY), "look", 0)
