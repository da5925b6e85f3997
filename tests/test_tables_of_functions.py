"""Functions in tables that a section calls: what is surely called sleeps, what may be another one is not claimed."""

from __future__ import annotations

import pytest

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.source import Source

TEXT = """\
struct ops {
	int (*fn)(void *arg);
};

static int naps(void *arg)
{
	mutex_lock(arg);
	return 0;
}

static int quiet(void *arg)
{
	return arg != NULL;
}

DECLARED

static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	int kind = walk->private != NULL;
	pte_t *pte, *start_pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable_for_pte_range(walk->mm, addr, end, start_pte);
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		set_pte_at(walk->mm, addr, pte, ptep_get(pte));
		CALL(walk->private);
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
	return 0;
}
"""
SLEEPS = "naps() may sleep while lazy MMU mode is on: it comes to mutex_lock()"
SET = "static void set(void) { held.fn = quiet; }"
TABLES = {
    "the one of a constant": ("static const struct ops held = { .fn = naps };", "held.fn", True),
    "a variable that nobody sets": ("static struct ops held = { .fn = naps };", "held.fn", True),
    "a variable that is set": (f"static struct ops held = {{ .fn = naps }}; {SET}", "held.fn", False),
    "a variable of other files too": ("struct ops held = { .fn = naps };", "held.fn", False),
    "an element": ("static int (*const table[])(void *) = { quiet, naps };", "table[1]", True),
    "another element": ("static int (*const table[])(void *) = { quiet, naps };", "table[0]", False),
    "any element": ("static int (*const table[])(void *) = { quiet, naps };", "table[kind]", False),
    "any element, all of them the same": ("static int (*const table[])(void *) = { naps, naps };", "table[kind]", True),
    "any element but none": ("static int (*const table[])(void *) = { naps, NULL };", "table[kind]", True),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table(name: str) -> None:
    declared, called, sleeps = TABLES[name]
    report = make_checker(Settings()).check(
        Source("walk.c", TEXT.replace("DECLARED", declared).replace("CALL", called).encode())
    )
    assert report.skipped == ()
    found = [(d.rule, d.location.line, d.location.column, d.message) for d in report.diagnostics]
    assert found == [("sleep-in-section", 30, 3, SLEEPS)] * sleeps
