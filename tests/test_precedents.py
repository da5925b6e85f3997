"""Faults of the kinds that the kernel's history knows, put back into its real walkers, are found where they stand.

Each fault is a textual change of one function of Linux 6.12, in its own spelling or in a tree with the generic layer's
names and every range that is proposed. The file without the fault has no finding of the rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from mmlint.checker import Checker, make_checker
from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic
from mmlint.rule import load_rules
from mmlint.source import Source
from mmlint.syntax.functions import FileReader
from tests.kernels import kernel
from tests.mutation import convert

HERE = "/* here */"
RANGED = "lazy_mmu_mode_enable_for_pte_range"
GENERIC_LAYER = "static inline void lazy_mmu_mode_enable(void) {}\n"
MADVISE, MEMORY, MPROTECT, MREMAP = "mm/madvise.c", "mm/memory.c", "mm/mprotect.c", "mm/mremap.c"
TASK_MMU = "fs/proc/task_mmu.c"
COLD = "madvise_cold_or_pageout_pte_range"
SPLIT_UNLOCKED = """lazy_mmu_mode_disable();
				pte_unmap_unlock(start_pte, ptl);
				start_pte = NULL;
				err = split_folio(folio);"""


@dataclass(frozen=True, slots=True)
class Fault:
    """Pairs of a text that stands in a function once, and what to put there. HERE marks the lines of the findings.

    An ``old`` file keeps the spelling of 6.12; others are converted first.
    """

    file: str
    function: str
    changes: tuple[tuple[str, str], ...]
    old: bool = False


def fault(file: str, function: str, *changes: tuple[str, str], old: bool = False) -> Fault:
    return Fault(file, function, changes, old)


def around(before: str, text: str, after: str) -> tuple[str, str]:
    return text, f"{before}\n{text}\n{after}"


def nested(file: str, function: str, update: str) -> Fault:
    enter, leave = f"arch_enter_lazy_mmu_mode(); {HERE}", "arch_leave_lazy_mmu_mode();"
    return fault(file, function, around(enter, update, leave), old=True)


def inside_plain(file: str, function: str, arguments: str) -> Fault:
    call = f"{RANGED}({arguments});"
    twice = around("lazy_mmu_mode_disable();", "lazy_mmu_mode_disable();", "")
    return fault(file, function, (call, f"lazy_mmu_mode_enable();\n{call} {HERE}"), twice)


def renamed(file: str, function: str, arguments: str, name: str) -> Fault:
    return fault(file, function, (f"{RANGED}({arguments})", f"{name}({arguments}) {HERE}"))


PRECEDENTS = {
    # vmap_pages_pte_range(), fea18c686320; the madvise cold walker until January 2024.
    "missing-disable": (
        fault(MEMORY, "remap_pte_range", ("err = -EACCES;\n\t\t\tbreak;", f"return -EACCES; {HERE}")),
        fault(MADVISE, "madvise_free_pte_range", ("if (nr_swap)\n", f"if (!nr)\nreturn 0; {HERE}\nif (nr_swap)\n")),
        fault(MPROTECT, "change_pte_range", ("nid = folio_nid(folio);", f"if (!pages)\nreturn pages; {HERE}")),
        fault(MREMAP, "move_ptes", ("lazy_mmu_mode_disable();", "if (!force_flush)\nlazy_mmu_mode_disable();"),
              ("return err;", f"return err; {HERE}")),
    ),
    "unmatched-disable": (
        fault(MEMORY, "zap_pte_range", ("if (need_resched())", "if (need_resched() && !++nr)\nlazy_mmu_mode_disable();\n"
                                        "if (!nr)"), ("lazy_mmu_mode_disable();", f"lazy_mmu_mode_disable(); {HERE}")),
    ),
    # pagemap_scan_pmd_entry(), ad449d856bd7, which 6.12 does not have.
    "section-outside-lock": (
        fault(MPROTECT, "change_pte_range", around("", "pte_unmap_unlock(pte - 1, ptl);", "lazy_mmu_mode_disable();"),
              ("\tlazy_mmu_mode_disable();\n\tpte", "\n\tpte")),
    ),
    # The converted madvise_free_pte_range() of the series.
    "inconsistent-ptep": (
    ),
}
