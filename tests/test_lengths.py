"""A length that another function computes keeps a range in its page table, where that is so on every way out."""

from __future__ import annotations

import pytest

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.source import Source

FILE = """\
enum level { PTES, TABLES };

static unsigned long rest_of(enum level level, unsigned long addr, unsigned long end, unsigned long other)
{
	unsigned long next, extent, size, mask;

	switch (level) {
	case PTES:
		size = PMD_SIZE;
		mask = PMD_MASK;
		break;
	default:
		size = PUD_SIZE;
		mask = PUD_MASK;
		break;
	}
BODY
}

static void change(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl;
	pte_t *start_pte, *pte;

	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	for (; addr < end; pte++, addr += PAGE_SIZE)
		pte_clear(mm, addr, pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
}

void change_all(struct mm_struct *mm, unsigned long addr, unsigned long end, unsigned long other)
{
	unsigned long extent;

	for (; addr < end; addr += extent, other += extent) {
		pmd_t *pmd = pmd_off(mm, addr);

		extent = CALL;
		change(mm, pmd, addr, addr + extent);
	}
}
"""
BODY = """
	next = (addr + size) & mask;
	extent = next - addr;
	if (extent > end - addr)
		extent = end - addr;
	next = (other + size) & mask;
	if (extent > next - other)
		extent = next - other;
	return extent;"""
CALL = "rest_of(PTES, addr, end, other)"
SHOWN = {
    "the smallest of three": (BODY, CALL),
    "compared the other way": (BODY.replace("extent > end - addr", "end - addr < extent"), CALL),
    "returned at once": ("\n\tnext = (addr + size) & mask;\n\treturn next - addr;", CALL),
    "where the address is the other one": (BODY, CALL.replace("addr, end, other", "other, end, addr")),
    "on each arm": (
        "\n\tnext = ((addr + size) & mask) - addr;\n\tif (next < end - addr)\n\t\treturn next;\n\treturn end - addr;",
        CALL,
    ),
}
NOT_SHOWN = {
    "the larger": (BODY.replace("extent > end - addr", "extent < end - addr"), CALL),
    "of a larger table": (BODY, CALL.replace("PTES", "TABLES")),
    "of a level that is not known": (BODY, CALL.replace("PTES", "(enum level)other")),
    "of another address": (SHOWN["returned at once"][0], CALL.replace("addr, end, other", "other, end, addr")),
    "of the next entry": (BODY, CALL.replace("addr, end", "addr + PAGE_SIZE, end")),
    "twice as much": (BODY, CALL + " * 2"),
    "one more": (BODY.replace("return extent", "return extent + PAGE_SIZE"), CALL),
    "one arm without": (BODY.replace("return extent;", "if (other)\n\t\treturn end - addr;\n\treturn extent;"), CALL),
    "of a function elsewhere": (BODY, CALL.replace("rest_of", "rest_of_all")),
}


def status_of(body: str, call: str) -> tuple[str, list[str]]:
    """The obligation that the range stays in one page table: its status, and the lines that it rests on."""
    text = FILE.replace("BODY", body).replace("CALL", call)
    facts = make_checker(Settings()).check(Source("change.c", text.encode())).facts
    assert facts is not None
    (section,) = next(function for function in facts.functions if function.name == "change").sections
    table = section.obligation("table")
    return str(table.status), [step.text for step in table.because]


@pytest.mark.parametrize("case", SHOWN)
def test_it_is_shown(case: str) -> None:
    status, lines = status_of(*SHOWN[case])
    assert (status, lines) == (
        "proven",
        [
            "rest_of() returns no more than what is left of the page table",
            "change_all() calls it with addr + extent as end",
        ],
    )


@pytest.mark.parametrize("case", NOT_SHOWN)
def test_it_is_not_shown(case: str) -> None:
    assert status_of(*NOT_SHOWN[case])[0] in ("assumed", "refuted", "unknown")


IN_A_STRUCTURE = """\
static void change(struct mm_struct *mm, struct control *control, unsigned long extent, pmd_t *pmd)
{
	unsigned long addr = control->addr, end = addr + extent;
	spinlock_t *ptl;
	pte_t *start_pte, *pte;

	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable();
	for (; addr < end; pte++, addr += PAGE_SIZE)
		pte_clear(mm, addr, pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
}

void change_all(struct mm_struct *mm, struct control *control, pmd_t *pmd)
{
	change(mm, control, control->extent, pmd);
}
"""


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (
            "addr + extent",
            "control->addr and extent come by different ways, and what is called in between may write control->addr",
        ),
        ("addr + control->extent", "nothing relates addr and end to a page table"),
    ],
)
def test_what_comes_in_a_structure_and_beside_it_is_not_followed(end: str, reason: str) -> None:
    source = Source("walk.c", IN_A_STRUCTURE.replace("addr + extent", end).encode())
    report = make_checker(Settings()).check(source)
    assert report.facts is not None
    (section,) = next(function for function in report.facts.functions if function.name == "change").sections
    table = section.obligation("table")
    told = f"[addr, end) is taken to stay in one page table: {reason}"
    assert (str(table.status), [step.text for step in table.because]) == ("assumed", [told])
