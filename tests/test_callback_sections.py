"""A callback that runs in the section of a walker must not enter one where sections do not nest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmlint.cli import main

WALKER = """\
static int run_pte_range(pmd_t *pmd, unsigned long addr, unsigned long end, pte_fn_t fn, void *data)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);
	int err;

	ENTER();
	err = fn(pte, addr, data);
	LEAVE();
	return err;
}

int apply_to_page_range(struct mm_struct *mm, unsigned long addr, unsigned long size, pte_fn_t fn, void *data)
{
	return run_pte_range(pmd_off(mm, addr), addr, addr + size, fn, data);
}
"""
CALLER = """\
static int one(pte_t *ptep, unsigned long addr, void *data)
{
	FIRST();
	SECOND();
	return 0;
}

int use(struct mm_struct *mm, unsigned long addr)
{
	return apply_to_page_range(mm, addr, PAGE_SIZE, one, NULL);
}
"""
OLD = ("arch_enter_lazy_mmu_mode", "arch_leave_lazy_mmu_mode")
NEW = ("lazy_mmu_mode_enable", "lazy_mmu_mode_disable")


@pytest.mark.parametrize(
    ("names", "inverse", "expected"),
    [(OLD, False, [("nested-section", 3)]), (OLD, True, []), (NEW, False, [])],
)
def test_a_section_in_a_callback(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    names: tuple[str, str],
    inverse: bool,
    expected: list[tuple[str, int]],
) -> None:
    enter, leave = names
    first, second = (leave, enter) if inverse else (enter, leave)
    files = {
        "Kconfig": "",
        "include/linux/pgtable.h": f"static inline void {enter}(void) {{}}\nstatic inline void {leave}(void) {{}}\n",
        "mm/memory.c": WALKER.replace("ENTER", enter).replace("LEAVE", leave),
        "lib/caller.c": CALLER.replace("FIRST", first).replace("SECOND", second),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    main(["check", "--no-cache", "--level", "warning", "--format", "json", str(tmp_path)])
    shown = json.loads(capsys.readouterr().out)["diagnostics"]
    found = [(one["rule"], one["line"]) for one in shown if one["path"].endswith("lib/caller.c")]
    assert [one for one in found if one[0] == "nested-section"] == expected
