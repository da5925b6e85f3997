"""Everything that is found across functions in whole kernels at warning and above, read and followed in their sources.

Lines count from the function, so that a point release that changes others makes no difference.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic, Level
from mmlint.engine import run
from mmlint.source import Source
from mmlint.syntax.functions import FileReader
from tests.kernels import kernel

RULES = {"raw-pte-access", "sleep-in-section", "nested-section", "range-ignored", "read-back-in-section"}
# path function+line rule. In 6.1 entries are still read directly everywhere; its madvise walkers split folios with the
# mode on, and free_swap_and_cache() may come to vmalloc_to_page(). What 6.12 has left is a walker that splits a huge
# page, and two callbacks of kasan; 7.2 has one access, in a warning, and 7.3 none.
FOUND = {
    "6.12": """
        fs/proc/task_mmu.c pagemap_scan_pmd_entry+12 sleep-in-section
        mm/kasan/shadow.c kasan_populate_vmalloc_pte+17 read-back-in-section
        mm/kasan/shadow.c kasan_depopulate_vmalloc_pte+9 read-back-in-section
    """,
    "6.1": """
        drivers/gpu/drm/i915/gem/selftests/i915_gem_mman.c check_present_pte+2 raw-pte-access
        drivers/gpu/drm/i915/gem/selftests/i915_gem_mman.c check_present_pte+2 raw-pte-access
        drivers/gpu/drm/i915/gem/selftests/i915_gem_mman.c check_absent_pte+2 raw-pte-access
        drivers/gpu/drm/i915/gem/selftests/i915_gem_mman.c check_absent_pte+2 raw-pte-access
        drivers/xen/privcmd.c is_mapped_fn+2 raw-pte-access
        include/linux/mm_inline.h pte_install_uffd_wp_if_needed+7 raw-pte-access
        mm/kasan/shadow.c kasan_populate_vmalloc_pte+8 raw-pte-access
        mm/kasan/shadow.c kasan_populate_vmalloc_pte+17 raw-pte-access
        mm/kasan/shadow.c kasan_populate_vmalloc_pte+17 read-back-in-section
        mm/kasan/shadow.c kasan_depopulate_vmalloc_pte+5 raw-pte-access
        mm/kasan/shadow.c kasan_depopulate_vmalloc_pte+9 raw-pte-access
        mm/kasan/shadow.c kasan_depopulate_vmalloc_pte+9 read-back-in-section
        mm/madvise.c madvise_cold_or_pageout_pte_range+92 raw-pte-access
        mm/madvise.c madvise_cold_or_pageout_pte_range+117 sleep-in-section
        mm/madvise.c madvise_free_pte_range+27 raw-pte-access
        mm/madvise.c madvise_free_pte_range+70 sleep-in-section
        mm/memory.c restore_exclusive_pte+8 raw-pte-access
        mm/memory.c restore_exclusive_pte+11 raw-pte-access
        mm/memory.c restore_exclusive_pte+12 raw-pte-access
        mm/memory.c try_restore_exclusive_pte+3 raw-pte-access
        mm/memory.c copy_nonpresent_pte+5 raw-pte-access
        mm/memory.c copy_nonpresent_pte+22 raw-pte-access
        mm/memory.c copy_nonpresent_pte+23 raw-pte-access
        mm/memory.c copy_nonpresent_pte+42 raw-pte-access
        mm/memory.c copy_nonpresent_pte+44 raw-pte-access
        mm/memory.c copy_nonpresent_pte+77 raw-pte-access
        mm/memory.c copy_present_page+25 raw-pte-access
        mm/memory.c copy_present_pte+6 raw-pte-access
        mm/memory.c copy_pte_range+41 raw-pte-access
        mm/memory.c copy_pte_range+45 raw-pte-access
        mm/memory.c copy_pte_range+51 raw-pte-access
        mm/memory.c zap_pte_range+21 raw-pte-access
        mm/memory.c remap_pte_range+13 raw-pte-access
        mm/memory.c apply_to_pte_range+27 raw-pte-access
        mm/migrate_device.c migrate_vma_collect_pmd+65 raw-pte-access
        mm/mprotect.c change_pte_range+38 raw-pte-access
        mm/mremap.c move_ptes+47 raw-pte-access
        mm/vmalloc.c vmalloc_to_page+48 raw-pte-access
        mm/vmalloc.c vmap_pfn_apply+6 raw-pte-access
        mm/vmscan.c walk_pte_range+31 raw-pte-access
        mm/vmscan.c walk_pte_range+35 raw-pte-access
        mm/vmscan.c walk_pte_range+50 raw-pte-access
        mm/vmscan.c lru_gen_look_around+53 raw-pte-access
        mm/vmscan.c lru_gen_look_around+57 raw-pte-access
        mm/vmscan.c lru_gen_look_around+69 raw-pte-access
    """,
    "7.2": """
        mm/mremap.c move_ptes+70 raw-pte-access
    """,
    "7.3": """
    """,
}
# Architectures know their entries: these are notes. "lookup" is a function that finds the entry by itself.
DIRECT_6_12 = {
    ("arch/arm/kernel/efi.c", "set_permissions"),
    ("arch/arm/mm/pageattr.c", "change_page_range"),
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "__flush_hash_table_range"),
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "flush_hash_table_pmd_range"),
    ("arch/sparc/mm/tlb.c", "tlb_batch_pmd_scan"),
    ("arch/x86/kernel/cpu/sgx/encl.c", "sgx_encl_test_and_clear_young_cb"),
    ("arch/x86/mm/pat/set_memory.c", "slow_virt_to_phys"),
}
THP_CHAIN = (
    ("fs/proc/task_mmu.c", "lazy MMU mode is entered here"),
    ("fs/proc/task_mmu.c", "pagemap_scan_thp_entry() calls split_huge_pmd() here"),
    ("include/linux/huge_mm.h", "split_huge_pmd() calls __split_huge_pmd() here"),
    ("mm/huge_memory.c", "__split_huge_pmd() calls mmu_notifier_invalidate_range_start() here"),
)


@cache
def checked(version: str) -> tuple[Diagnostic, ...]:
    """What is found in a whole kernel, with paths that are relative to it."""
    return tuple(d for d in run([str(kernel(version))], Settings(cache=False)).diagnostics if d.rule in RULES)


@cache
def lines(path: str) -> dict[str, int]:
    """The lines on which the functions of a file begin."""
    source = Source(path, Path(path).read_bytes())
    return {d.name: source.line(d.name_span.start) for d in FileReader(source).definitions()}


def inside(version: str, path: str) -> str:
    """The path in the tree."""
    return str(Path(path).relative_to(kernel(version)))


@pytest.mark.parametrize("version", FOUND)
def test_what_is_found_in_a_whole_kernel(version: str) -> None:
    found = [
        f"{inside(version, d.path)} {d.function}+{d.location.line - lines(d.path)[d.function]} {d.rule}"
        for d in checked(version)
        if d.level >= Level.WARNING
    ]
    assert found == [line.strip() for line in FOUND[version].split("\n") if line.strip()]


def test_only_architectures_access_entries_directly() -> None:
    direct = [d for d in checked("6.12") if d.rule == "raw-pte-access"]
    assert {(inside("6.12", d.path), d.function) for d in direct} == DIRECT_6_12
    assert {d.level for d in direct} == {Level.NOTE}


def test_the_pagemap_walker_comes_to_a_sleeper() -> None:
    (sleep,) = [d for d in checked("6.12") if d.rule == "sleep-in-section" and d.level is Level.ERROR]
    assert sleep.message == (
        "pagemap_scan_thp_entry() may sleep while lazy MMU mode is on: "
        "it comes to mmu_notifier_invalidate_range_start()"
    )
    assert tuple((inside("6.12", note.location.path), note.message) for note in sleep.notes) == THP_CHAIN


def test_an_architecture_may_sleep_in_its_own_sections_and_where_it_has_none() -> None:
    asleep = [d for d in checked("7.3") if d.rule == "sleep-in-section"]
    assert {(inside("7.3", d.path), d.function) for d in asleep} == {
        ("arch/arm64/mm/mmu.c", "split_kernel_leaf_mapping"),
        ("arch/s390/kernel/uv.c", "uv_alloc_range_cb"),
    }
    assert {d.level for d in asleep} == {Level.NOTE}
