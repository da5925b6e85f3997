"""Faults of the kinds that the kernel's history knows, to be put back into its real walkers.

Each is a textual change of one function of Linux 6.12, in its own spelling or in a tree with the names of the generic
layer and every range that is proposed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mmlint.source import Source
from mmlint.syntax.functions import FileReader

HERE = "/* here */"
RANGED = "lazy_mmu_mode_enable_for_pte_range"
GENERIC_LAYER = b"static inline void lazy_mmu_mode_enable(void) {}\n"
MADVISE, MEMORY, MPROTECT, MREMAP = "mm/madvise.c", "mm/memory.c", "mm/mprotect.c", "mm/mremap.c"
TASK_MMU, SHADOW, PGTABLE = "fs/proc/task_mmu.c", "mm/kasan/shadow.c", "include/linux/pgtable.h"
I915 = "drivers/gpu/drm/i915/i915_mm.c"
COLD, FREE = "madvise_cold_or_pageout_pte_range", "madvise_free_pte_range"
MARKED_RETURN = {"return err;": f"return err; {HERE}"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What to put in the place of texts that stand in a function once, white space aside.

    HERE marks the lines of the findings. An ``old`` file keeps the spelling of 6.12; others are converted first.
    """

    file: str
    function: str
    changes: dict[str, str]
    old: bool = False


def call(arguments: str, given: str, before: str = "", behind: str = "") -> dict[str, str]:
    """The ranged call with other arguments, or with something before and behind it."""
    return {f"{RANGED}({arguments});": f"{before}{RANGED}({given or arguments}); {HERE}{behind}"}


def nested(file: str, function: str, update: str) -> Fault:
    text = f"arch_enter_lazy_mmu_mode(); {HERE}\n{update}\narch_leave_lazy_mmu_mode();"
    return Fault(file, function, {update: text}, old=True)


def in_plain_section(file: str, function: str, arguments: str) -> Fault:
    disable = "lazy_mmu_mode_disable();"
    changes = call(arguments, "", before="lazy_mmu_mode_enable();\n") | {disable: f"{disable}\n{disable}"}
    return Fault(file, function, changes)


PRECEDENTS: dict[str, list[Fault]] = {
    # The cold walker of madvise until January 2024, vmap_pages_pte_range() until 2025 (fea18c686320).
    "missing-disable": [
        Fault(
            MADVISE,
            COLD,
            {
                "lazy_mmu_mode_disable(); pte_unmap_unlock(start_pte, ptl); cond_resched();": "pte_unmap_unlock(start_pte, ptl); cond_resched();",
                "pte_unmap_unlock(start_pte, ptl); } if (pageout) reclaim_pages(&folio_list); cond_resched(); return 0;": f"pte_unmap_unlock(start_pte, ptl);\n}}\nreturn 0; {HERE}",
            },
        ),
        Fault(MEMORY, "remap_pte_range", {"err = -EACCES; break;": f"return -EACCES; {HERE}"}),
        Fault(MPROTECT, "change_pte_range", {"if (target_node == nid) continue;": f"if (!nid) return 0; {HERE}"}),
        Fault(MREMAP, "move_ptes", {"lazy_mmu_mode_disable();": "if (len) lazy_mmu_mode_disable();"} | MARKED_RETURN),
    ],
    "unmatched-disable": [
        Fault(
            MADVISE,
            COLD,
            {
                "if (start_pte) { lazy_mmu_mode_disable(); pte_unmap_unlock(start_pte, ptl); }": f"lazy_mmu_mode_disable(); {HERE}\nif (start_pte) pte_unmap_unlock(start_pte, ptl);",
            },
        ),
        Fault(
            MEMORY,
            "remap_pte_range",
            {
                "err = -EACCES; break;": "err = -EACCES; lazy_mmu_mode_disable(); break;",
                "addr != end); lazy_mmu_mode_disable();": f"addr != end);\nlazy_mmu_mode_disable(); {HERE}",
            },
        ),
        Fault(
            MREMAP,
            "move_ptes",
            {
                "if (force_flush) flush_tlb_range": f"if (force_flush) lazy_mmu_mode_disable(); {HERE}\nflush_tlb_range",
            },
        ),
    ],
    # pagemap_scan_pmd_entry() until 2025 (ad449d856bd7).
    "section-outside-lock": [
        Fault(
            MEMORY,
            "zap_pte_range",
            {
                "lazy_mmu_mode_disable();": "",
                "pte_unmap_unlock(start_pte, ptl);": f"pte_unmap_unlock(start_pte, ptl);\nlazy_mmu_mode_disable(); {HERE}",
            },
        ),
        Fault(
            MPROTECT,
            "change_pte_range",
            {
                "lazy_mmu_mode_disable(); pte_unmap_unlock(pte - 1, ptl);": f"pte_unmap_unlock(pte - 1, ptl);\nlazy_mmu_mode_disable(); {HERE}",
            },
        ),
        Fault(
            MREMAP,
            "move_ptes",
            {
                f"{RANGED}(mm, old_addr, old_end, old_pte);": "",
                "old_pte = pte_offset_map_lock(": f"lazy_mmu_mode_enable(); {HERE}\nold_pte = pte_offset_map_lock(",
            },
        ),
    ],
    # The conversion of madvise_free_pte_range() as it was posted.
    "inconsistent-ptep": [
        Fault(MADVISE, COLD, {f"{RANGED}(mm, addr, end, start_pte); if": f"{RANGED}(mm, addr, end, pte); {HERE}\nif"}),
        Fault(MADVISE, FREE, {f"{RANGED}(mm, addr, end, start_pte); if": f"{RANGED}(mm, addr, end, pte); {HERE}\nif"}),
    ],
    # Stale pointers after a second mapping, in madvise and memory until 2022.
    "wrong-ptep": [
        Fault(
            MADVISE,
            FREE,
            {
                "start_pte = NULL;": "",
                "start_pte = pte; if (!start_pte) break;": "if (!pte) break;",
                f"{RANGED}(mm, addr, end, start_pte); if": f"{RANGED}(mm, addr, end, start_pte); {HERE}\nif",
            },
        ),
        Fault(MPROTECT, "change_pte_range", call("vma->vm_mm, addr, end, pte", "vma->vm_mm, addr, end, pte + 1")),
        Fault(MREMAP, "move_ptes", call("mm, old_addr, old_end, old_pte", "mm, old_addr, old_end, new_pte")),
    ],
    "wrong-mm": [
        Fault(MEMORY, "copy_pte_range", call("src_mm, addr, end, src_pte", "dst_mm, addr, end, src_pte")),
        Fault(MEMORY, "zap_pte_range", call("mm, addr, end, start_pte", "&init_mm, addr, end, start_pte")),
        Fault(MPROTECT, "change_pte_range", call("vma->vm_mm, addr, end, pte", "current->mm, addr, end, pte")),
    ],
    "wrong-range": [
        Fault(MEMORY, "copy_pte_range", call("src_mm, addr, end, src_pte", "src_mm, end, addr, src_pte")),
        Fault(MEMORY, "remap_pte_range", call("mm, addr, end, mapped_pte", "mm, addr, end - addr, mapped_pte")),
        Fault(MREMAP, "move_ptes", call("mm, old_addr, old_end, old_pte", "mm, old_addr, len, old_pte")),
    ],
    "crosses-page-table": [
        Fault(MEMORY, "zap_pte_range", call("mm, addr, end, start_pte", "mm, addr, vma->vm_end, start_pte")),
        Fault(MPROTECT, "change_pte_range", call("vma->vm_mm, addr, end, pte", "vma->vm_mm, addr, vma->vm_end, pte")),
        Fault(MREMAP, "move_ptes", call("mm, old_addr, old_end, old_pte", "mm, old_addr, vma->vm_end, old_pte")),
    ],
    "range-ignored": [
        in_plain_section(MEMORY, "remap_pte_range", "mm, addr, end, mapped_pte"),
        in_plain_section(MEMORY, "zap_pte_range", "mm, addr, end, start_pte"),
        Fault(
            MPROTECT,
            "change_pte_range",
            {
                "tlb_flush_pte_range(tlb, addr, PAGE_SIZE);": "{ lazy_mmu_mode_pause();\ntlb_flush_pte_range(tlb, addr, PAGE_SIZE);\n"
                f"lazy_mmu_mode_resume(); {HERE}\n}}",
            },
        ),
        Fault(
            MREMAP,
            "move_ptes",
            {
                "pte = move_soft_dirty_pte(pte);": f"lazy_mmu_mode_pause();\npte = move_soft_dirty_pte(pte);\nlazy_mmu_mode_resume(); {HERE}",
            },
        ),
    ],
    # A helper with a section of its own, called in one: set_ptes() until 2025 (691ee97e1a9d).
    "nested-section": [
        nested(MEMORY, "remap_pte_range", "set_pte_at(mm, addr, pte, pte_mkspecial(pfn_pte(pfn, prot)));"),
        nested(MPROTECT, "change_pte_range", "set_pte_at(vma->vm_mm, addr, pte, newpte);"),
        nested(MREMAP, "move_ptes", "set_pte_at(mm, new_addr, new_pte, pte);"),
    ],
    # Folios split in the section, in madvise until 2023.
    "sleep-in-section": [
        Fault(
            MADVISE,
            COLD,
            {
                "lazy_mmu_mode_disable(); pte_unmap_unlock(start_pte, ptl); start_pte = NULL; err = split_folio(folio);": "pte_unmap_unlock(start_pte, ptl); start_pte = NULL;\n"
                f"err = split_folio(folio); {HERE}\nlazy_mmu_mode_disable();",
            },
        ),
        Fault(MADVISE, FREE, {"folio_mark_lazyfree(folio);": f"folio_wait_writeback(folio); {HERE}"}),
        Fault(MEMORY, "zap_pte_range", {"if (need_resched()) break;": f"cond_resched(); {HERE}"}),
        Fault(
            MEMORY,
            "copy_pte_range",
            {
                "VM_WARN_ON_ONCE(!pte_present(ptent));": f"kmalloc(nr, GFP_KERNEL | __GFP_NOWARN); {HERE}",
            },
        ),
        Fault(MPROTECT, "change_pte_range", {"nid = folio_nid(folio);": f"folio_lock(folio); {HERE}\nnid = 0;"}),
        Fault(TASK_MMU, "pagemap_scan_pmd_entry", {"flush_tlb_range(": f"cond_resched(); {HERE}\nfree("}, old=True),
    ],
    # Conversions to ptep_get(): 5d89666bd998, c33c794828f2.
    "raw-pte-access": [
        Fault(
            MEMORY,
            "remap_pte_range",
            {
                "set_pte_at(mm, addr, pte, pte_mkspecial(pfn_pte(pfn, prot)));": f"*pte = pte_mkspecial(pfn_pte(pfn, prot)); {HERE}",
            },
        ),
        Fault(MEMORY, "zap_pte_range", {"ptep_get(pte);": f"pte[0]; {HERE}"}),
        Fault(MPROTECT, "change_pte_range", {"ptep_get(pte);": f"READ_ONCE(*pte); {HERE}"}),
        Fault(MREMAP, "move_ptes", {"if (pte_none(ptep_get(old_pte)))": f"if (!old_pte->pte) {HERE}\n"}),
        Fault(TASK_MMU, "pagemap_scan_pmd_entry", {"ptep_get(pte); unsigned": f"*pte; {HERE}\nunsigned"}, old=True),
    ],
    # Looks without the lock in mm/gup.c and mm/page_vma_mapped.c, 2026.
    "lockless-read": [
        Fault(
            MEMORY,
            "copy_pte_range",
            {
                "spin_lock_nested(src_ptl,": f"if (pte_none(ptep_get(src_pte))) {HERE}\nprogress++;\nspin_lock_nested(src_ptl,",
            },
        ),
        Fault(
            MEMORY,
            "zap_pte_range",
            {
                "start_pte = pte = pte_offset_map_lock(": f"pte = pte_offset_map(pmd, addr);\nif (pte && pte_none(ptep_get(pte))) {HERE}\nreturn addr;\n"
                "start_pte = pte = pte_offset_map_lock(",
            },
        ),
        Fault(
            MPROTECT,
            "change_pte_range",
            {
                "pte_unmap_unlock(pte - 1, ptl);": f"spin_unlock(ptl);\npages += pte_none(ptep_get(pte - 1)); {HERE}\npte_unmap(pte - 1);",
            },
        ),
        Fault(
            MREMAP,
            "move_ptes",
            {
                "pte_unmap_unlock(old_pte - 1, old_ptl);": f"spin_unlock(old_ptl);\nWARN_ON(!pte_none(ptep_get(old_pte - 1))); {HERE}\npte_unmap(old_pte - 1);",
            },
        ),
    ],
    "unbalanced-pause": [
        Fault(
            MEMORY,
            "apply_to_pte_range",
            {
                "err = fn(pte, addr, data); if (err) break;": "lazy_mmu_mode_pause();\nerr = fn(pte, addr, data);\nif (err)\nbreak;\nlazy_mmu_mode_resume();",
            }
            | MARKED_RETURN,
        ),
        Fault(
            MPROTECT,
            "change_pte_range",
            {
                "flush_tlb_batched_pending(vma->vm_mm);": "if (prot_numa)\nlazy_mmu_mode_pause();\n"
                f"flush_tlb_batched_pending(vma->vm_mm);\nlazy_mmu_mode_resume(); {HERE}",
            },
        ),
        Fault(
            MREMAP,
            "move_ptes",
            {
                "if (need_rmap_locks) drop_rmap_locks(vma);": f"if (need_rmap_locks)\nlazy_mmu_mode_pause();\ndrop_rmap_locks(vma);\nlazy_mmu_mode_resume(); {HERE}",
            },
        ),
        Fault(
            SHADOW,
            "kasan_populate_vmalloc_pte",
            {
                "spin_lock(&init_mm.page_table_lock);": f"lazy_mmu_mode_pause();\nif (!page)\nreturn -ENOMEM; {HERE}\nspin_lock(&init_mm.page_table_lock);",
                "spin_unlock(&init_mm.page_table_lock);": "spin_unlock(&init_mm.page_table_lock);\nlazy_mmu_mode_resume();",
            },
        ),
    ],
    "arch-hook-in-generic-code": [
        Fault(MEMORY, "zap_pte_range", {"lazy_mmu_mode_disable();": f"arch_leave_lazy_mmu_mode(); {HERE}"}),
        Fault(MPROTECT, "change_pte_range", {f"{RANGED}(": f"arch_enter_lazy_mmu_mode(); {HERE}\n("}),
        Fault(MREMAP, "move_ptes", {"lazy_mmu_mode_disable();": f"arch_leave_lazy_mmu_mode(); {HERE}"}),
    ],
    # The callbacks of kasan, still so in 6.12 (c519c3c0a113), and one of a driver made like them.
    "read-back-in-section": [
        Fault(
            I915,
            "remap_pfn",
            {
                "set_pte_at(r->mm, addr, pte, pte_mkspecial(pfn_pte(r->pfn, r->prot)));": "spin_lock(&r->mm->page_table_lock);\n"
                f"if (pte_none(ptep_get(pte))) {HERE}\n"
                "set_pte_at(r->mm, addr, pte, pte_mkspecial(pfn_pte(r->pfn, r->prot)));\nspin_unlock(&r->mm->page_table_lock);",
            },
            old=True,
        ),
        Fault(
            I915,
            "remap_sg",
            {
                "set_pte_at(r->mm, addr, pte, pte_mkspecial(pfn_pte(sgt_pfn(r), r->prot)));": "spin_lock(&r->mm->page_table_lock);\n"
                f"if (!pte_present(ptep_get(pte))) {HERE}\n"
                "set_pte_at(r->mm, addr, pte, pte_mkspecial(pfn_pte(sgt_pfn(r), r->prot)));\nspin_unlock(&r->mm->page_table_lock);",
            },
            old=True,
        ),
    ],
    "superseded-name": [
        Fault(MEMORY, "zap_pte_range", {RANGED: f"{HERE} lazy_mmu_mode_enable_pte"}),
        Fault(MEMORY, "copy_pte_range", {RANGED: f"{HERE} lazy_mmu_mode_enable_with_ptes"}),
        Fault(MPROTECT, "change_pte_range", {RANGED: f"{HERE} lazy_mmu_mode_enable_with_ptes"}),
        Fault(
            MREMAP,
            "move_ptes",
            {
                "if (need_rmap_locks) drop": f"/* After lazy_mmu_mode_enable_pte(). */ {HERE}\nif (need_rmap_locks)\ndrop",
            },
        ),
    ],
}
# What 6.12 itself shows, without any change: findings of these rules in these files, in its own spelling.
AS_SHIPPED = {
    "multi-range-section": [MEMORY, MREMAP, "mm/vmscan.c"],
    "read-back-in-section": [SHADOW],
    "section-outside-lock": [TASK_MMU],
    "unranged-walker": [MADVISE, MEMORY, MPROTECT, MREMAP, "mm/migrate_device.c"],
}
# A callback is judged beside the file that runs it.
BESIDE = {SHADOW: MEMORY, I915: MEMORY}


def spoiled(data: bytes, fault: Fault) -> bytes:
    """The file with the fault."""
    source = Source(fault.file, data)
    (span,) = {d.span for d in FileReader(source).definitions() if d.name == fault.function}
    text = source.text(span)
    for old, new in fault.changes.items():
        pattern = r"\s+".join(re.escape(word) for word in old.split())
        assert len(re.findall(pattern, text)) == 1, (fault.function, old)
        text = re.sub(pattern, new.replace("\\", r"\\"), text)
    return data[: span.start] + text.encode() + data[span.end :]
