"""A plain section whose range a callee would lose gets no range: the fix would be told to have lost it."""

from __future__ import annotations

import pytest

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.source import Source

TEXT = """\
static void rest(void)
{
	LEAVE();
	cond_resched();
	ENTER();
}

static int rest_if(bool tired)
{
	if (tired)
		rest();
	return 0;
}

static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	pte_t *pte, *start_pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		set_pte_at(walk->mm, addr, pte, ptep_get(pte));
		CALL;
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
	return 0;
}

static const struct mm_walk_ops ops = {
	.pmd_entry = walk,
};
"""
KNOWN = "the range is known: lazy_mmu_mode_enable_for_pte_range(walk->mm, addr, end, start_pte)"
ANOTHER = "lazy_mmu_mode_enable_for_pte_range(walk->mm, addr, end, start_pte)"


@pytest.mark.parametrize(
    ("leave", "enter", "call", "proposed"),
    [
        ("lazy_mmu_mode_disable", "lazy_mmu_mode_enable", "rest()", False),
        ("lazy_mmu_mode_disable", "lazy_mmu_mode_enable", "rest_if(addr & 1)", False),
        ("lazy_mmu_mode_pause", "lazy_mmu_mode_resume", "rest()", False),
        ("lazy_mmu_mode_disable", "lazy_mmu_mode_enable", "other(addr)", True),
    ],
)
def test_a_callee_that_enters_again(leave: str, enter: str, call: str, proposed: bool) -> None:
    text = TEXT.replace("LEAVE", leave).replace("ENTER", enter).replace("CALL", call)
    checker = make_checker(Settings())
    found = [
        (d.rule, d.location.line, d.location.column, d.message)
        for d in checker.check(Source("walk.c", text.encode())).diagnostics
    ]
    assert found == [("unranged-walker", 23, 2, KNOWN)] * proposed
    # With a range, the range is lost where none was proposed.
    ranged = text.replace("lazy_mmu_mode_enable();\n\tfor", f"{ANOTHER};\n\tfor")
    rules = [d.rule for d in checker.check(Source("walk.c", ranged.encode())).diagnostics]
    assert rules == ["range-ignored"] * (not proposed)
