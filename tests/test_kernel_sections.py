"""Every section of real kernels, with the verdict that a reader of the source comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmlint.facts.analysis import analyse_file, mentions_section
from mmlint.facts.sections import Section, Status, Verdict
from mmlint.kernel import load_vocabulary
from mmlint.source import Source
from tests.kernels import kernel

TARGET = "lazy_mmu_mode_enable_for_pte_range"

# (file, function): the proposed calls in the order of the text.
CONVERTED_6_12 = {
    ("mm/madvise.c", "madvise_cold_or_pageout_pte_range"): ["mm, addr, end, start_pte", "mm, addr, end, start_pte"],
    ("mm/madvise.c", "madvise_free_pte_range"): ["mm, addr, end, start_pte", "mm, addr, end, start_pte"],
    ("mm/memory.c", "copy_pte_range"): ["src_mm, addr, end, src_pte"],
    ("mm/memory.c", "zap_pte_range"): ["mm, addr, end, start_pte"],
    ("mm/memory.c", "remap_pte_range"): ["mm, addr, end, mapped_pte"],
    ("mm/memory.c", "apply_to_pte_range"): ["mm, addr, end, mapped_pte"],
    ("mm/migrate_device.c", "migrate_vma_collect_pmd"): ["mm, addr, end, ptep"],
    ("mm/mprotect.c", "change_pte_range"): ["vma->vm_mm, addr, end, pte"],
    ("mm/mremap.c", "move_ptes"): ["mm, old_addr, old_end, old_pte"],
}
CONVERTED_6_1 = {
    ("mm/memory.c", "copy_pte_range"): ["src_mm, addr, end, src_pte"],
    ("mm/memory.c", "zap_pte_range"): ["mm, addr, end, start_pte"],
    ("mm/memory.c", "remap_pte_range"): ["mm, addr, end, mapped_pte"],
    ("mm/memory.c", "apply_to_pte_range"): ["mm, addr, end, mapped_pte"],
    ("mm/migrate_device.c", "migrate_vma_collect_pmd"): ["mm, addr, end, ptep"],
    ("mm/mprotect.c", "change_pte_range"): ["vma->vm_mm, addr, end, pte"],
    ("mm/mremap.c", "move_ptes"): ["mm, old_addr, old_end, old_pte"],
}
# Sites that get no proposal: verdict and reason.
LEFT_6_12 = {
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "__flush_hash_table_range"): (
        Verdict.UNSUITABLE,
        "the PTE pointer is not mapped in this function: it comes from find_init_mm_pte()",
    ),
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "flush_hash_table_pmd_range"): (
        Verdict.UNSUITABLE,
        "the page table is mapped inside the section",
    ),
    ("arch/powerpc/mm/book3s64/subpage_prot.c", "hpte_flush_range"): (
        Verdict.UNSUITABLE,
        "no variable holds the end of the walk",
    ),
    ("arch/x86/xen/enlighten_pv.c", "xen_end_context_switch"): (
        Verdict.UNSUITABLE,
        "no PTE pointer is used in the section",
    ),
    ("arch/x86/xen/mmu_pv.c", "xen_flush_lazy_mmu"): (
        Verdict.UNSUITABLE,
        "the function leaves its caller's mode and enters it again",
    ),
    ("fs/proc/task_mmu.c", "pagemap_scan_pmd_entry"): (
        Verdict.REFUTED,
        "lazy MMU mode is entered before the page-table lock is taken",
    ),
    ("mm/vmscan.c", "walk_pte_range"): (
        Verdict.MULTI_RANGE,
        "'end' is set anew inside the section: it covers several ranges",
    ),
    ("mm/vmscan.c", "walk_pmd_range_locked"): (Verdict.UNSUITABLE, "no PTE pointer is used in the section"),
    ("mm/vmscan.c", "lru_gen_look_around"): (
        Verdict.UNSUITABLE,
        "the PTE pointer is not mapped in this function: it comes from pvmw->pte",
    ),
}
CONVERTED_7_3 = {
    ("fs/proc/task_mmu.c", "pagemap_scan_pmd_entry"): ["vma->vm_mm, start, end, start_pte"],
    ("mm/madvise.c", "madvise_cold_or_pageout_pte_range"): ["mm, addr, end, start_pte", "mm, addr, end, start_pte"],
    ("mm/madvise.c", "madvise_free_pte_range"): ["mm, addr, end, start_pte", "mm, addr, end, start_pte"],
    ("mm/memory.c", "copy_pte_range"): ["src_mm, addr, end, src_pte"],
    ("mm/memory.c", "zap_pte_range"): ["mm, addr, end, start_pte"],
    ("mm/memory.c", "remap_pte_range"): ["mm, addr, end, mapped_pte"],
    ("mm/memory.c", "apply_to_pte_range"): ["mm, addr, end, mapped_pte"],
    ("mm/mprotect.c", "change_pte_range"): ["vma->vm_mm, addr, end, pte"],
    ("mm/mremap.c", "move_ptes"): ["mm, old_addr, old_end, old_ptep"],
    ("mm/vmalloc.c", "vmap_pte_range"): ["&init_mm, addr, end, pte"],
    ("mm/vmalloc.c", "vunmap_pte_range"): ["&init_mm, addr, end, pte"],
    ("mm/vmalloc.c", "vmap_pages_pte_range"): ["&init_mm, addr, end, pte"],
}
# The madvise walkers of 6.1 split a folio with the mode on and the lock dropped, as they did upstream until 2023.
RELEASED = (Verdict.REFUTED, "the page-table lock is released while lazy MMU mode is on")
LEFT_6_1 = {
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "__flush_hash_table_range"): LEFT_6_12[
        "arch/powerpc/mm/book3s64/hash_tlb.c", "__flush_hash_table_range"
    ],
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "flush_hash_table_pmd_range"): LEFT_6_12[
        "arch/powerpc/mm/book3s64/hash_tlb.c", "flush_hash_table_pmd_range"
    ],
    ("arch/powerpc/mm/book3s64/subpage_prot.c", "hpte_flush_range"): LEFT_6_12[
        "arch/powerpc/mm/book3s64/subpage_prot.c", "hpte_flush_range"
    ],
    ("arch/x86/kernel/paravirt.c", "paravirt_end_context_switch"): (
        Verdict.UNSUITABLE,
        "no PTE pointer is used in the section",
    ),
    ("arch/x86/kernel/paravirt.c", "paravirt_flush_lazy_mmu"): LEFT_6_12["arch/x86/xen/mmu_pv.c", "xen_flush_lazy_mmu"],
    ("mm/madvise.c", "madvise_cold_or_pageout_pte_range"): RELEASED,
    ("mm/madvise.c", "madvise_free_pte_range"): RELEASED,
    ("mm/vmscan.c", "walk_pte_range"): (Verdict.UNSUITABLE, "the page table is mapped inside the section"),
    ("mm/vmscan.c", "walk_pmd_range_locked"): LEFT_6_12["mm/vmscan.c", "walk_pmd_range_locked"],
    ("mm/vmscan.c", "lru_gen_look_around"): LEFT_6_12["mm/vmscan.c", "lru_gen_look_around"],
}
NO_POINTER = (Verdict.UNSUITABLE, "no PTE pointer is used in the section")
LEFT_7_3 = {
    ("arch/arm64/mm/mmu.c", "range_split_to_ptes"): NO_POINTER,
    ("arch/arm64/mm/mmu.c", "split_kernel_leaf_mapping"): NO_POINTER,
    ("arch/arm64/mm/pageattr.c", "update_range_prot"): NO_POINTER,
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "__flush_hash_table_range"): LEFT_6_12[
        "arch/powerpc/mm/book3s64/hash_tlb.c", "__flush_hash_table_range"
    ],
    ("arch/powerpc/mm/book3s64/hash_tlb.c", "flush_hash_table_pmd_range"): LEFT_6_12[
        "arch/powerpc/mm/book3s64/hash_tlb.c", "flush_hash_table_pmd_range"
    ],
    ("arch/powerpc/mm/book3s64/subpage_prot.c", "hpte_flush_range"): LEFT_6_12[
        "arch/powerpc/mm/book3s64/subpage_prot.c", "hpte_flush_range"
    ],
    ("mm/migrate_device.c", "migrate_vma_collect_pmd"): (
        Verdict.UNSUITABLE,
        "the walk does not start at 'start', where the PTE pointer was mapped",
    ),
    ("mm/tests/lazy_mmu_mode_kunit.c", "lazy_mmu_mode_active"): (
        Verdict.UNSUITABLE,
        "the section lies in another one, where a range is ignored",
    ),
    ("mm/userfaultfd.c", "move_present_ptes"): (
        Verdict.UNSUITABLE,
        "the PTE pointer is not mapped in this function: it comes from src_pte",
    ),
    ("mm/vmscan.c", "walk_pte_range"): LEFT_6_12["mm/vmscan.c", "walk_pte_range"],
    ("mm/vmscan.c", "walk_pmd_range_locked"): LEFT_6_12["mm/vmscan.c", "walk_pmd_range_locked"],
    ("mm/vmscan.c", "lru_gen_look_around"): LEFT_6_12["mm/vmscan.c", "lru_gen_look_around"],
}
CONVERTED = {"6.1": CONVERTED_6_1, "6.12": CONVERTED_6_12, "7.3": CONVERTED_7_3}
LEFT = {"6.1": LEFT_6_1, "6.12": LEFT_6_12, "7.3": LEFT_7_3}
Sites = dict[tuple[str, str], list[Section]]


def sections_of(tree: Path) -> Sites:
    """All sections under the folders of a tree that can have any, by file and function."""
    vocabulary = load_vocabulary()
    found: Sites = {}
    for folder in ("arch", "drivers/xen", "fs", "include", "kernel", "mm"):
        for path in sorted((tree / folder).rglob("*.[ch]")):
            data = path.read_bytes()
            if not mentions_section(data, vocabulary):
                continue
            name = str(path.relative_to(tree))
            facts = analyse_file(Source(name, data), vocabulary)
            assert facts.skipped == ()
            for function in facts.functions:
                assert function.unmatched == ()
                if function.sections:
                    found[name, function.name] = list(function.sections)
    return found


@pytest.fixture(scope="module", params=sorted(CONVERTED))
def tree(request: pytest.FixtureRequest) -> tuple[str, Sites]:
    version = str(request.param)
    return version, sections_of(kernel(version))


def test_convertible_calls(tree: tuple[str, Sites]) -> None:
    version, sites = tree
    proposals = {
        place: [section.proposal.call for section in sections if section.proposal is not None]
        for place, sections in sites.items()
        if any(section.proposal is not None for section in sections)
    }
    expected = CONVERTED[version]
    assert proposals == {place: [f"{TARGET}({arguments})" for arguments in calls] for place, calls in expected.items()}


def test_sites_left_alone(tree: tuple[str, Sites]) -> None:
    version, sites = tree
    left = {
        place: (section.verdict, section.reason)
        for place, sections in sites.items()
        for section in sections
        if section.proposal is None
    }
    assert left == LEFT[version]


def test_evidence_of_every_proposal(tree: tuple[str, Sites]) -> None:
    _, sites = tree
    for place, sections in sites.items():
        for section in sections:
            if section.proposal is None:
                continue
            for obligation in section.obligations:
                assert obligation.status in (Status.PROVEN, Status.ASSUMED), (place, obligation)
                assert obligation.because, (place, obligation.name)


def test_two_ranges_are_never_safe(tree: tuple[str, Sites]) -> None:
    version, sites = tree
    several = {
        place: [(item.ptep, item.hinted) for item in section.ranges]
        for place, sections in sites.items()
        for section in sections
        if section.proposal is not None and len(section.ranges) > 1
    }
    assert several == {
        ("mm/memory.c", "copy_pte_range"): [("src_pte", True), ("dst_pte", False)],
        ("mm/mremap.c", "move_ptes"): [("old_pte", True), ("new_pte", False)]
        if version != "7.3"
        else [("old_ptep", True), ("new_ptep", False)],
    }
    for place in several:
        assert all(section.proposal and not section.proposal.safe for section in sites[place])
