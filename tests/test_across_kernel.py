"""Faults put into functions that the walkers of a real kernel run, two and more calls deep, are found with their chains.

Each fault stands right behind the opening brace of the last function of a chain. All of the chain is compared: the
place and the text of every step, the steps' lines being those of the calls in the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from mmlint.diagnostic import Diagnostic, Level
from mmlint.source import Source
from mmlint.syntax.functions import FileReader
from tests.kernels import kernel
from tests.overlay import Kernel

RULES = ("raw-pte-access", "sleep-in-section", "nested-section", "range-ignored", "read-back-in-section")
MEMORY, MADVISE, VMSCAN = "mm/memory.c", "mm/madvise.c", "mm/vmscan.c"
INTERNAL, INLINE = "mm/internal.h", "include/linux/mm_inline.h"
SECTION = "lazy MMU mode is entered here"
# What is put in: an access of the pte pointer that the function gets, where it gets one; what sleeps; a section.
ACCESS = "(void)pte_val(*{0});(void)READ_ONCE(*{0});"
SLEEPERS = ("kfree(kmalloc(8, GFP_KERNEL));", "mutex_lock(&planted);mutex_unlock(&planted);")
SLEPT = ("kmalloc() with GFP_KERNEL", "mutex_lock()")
NESTED = "arch_enter_lazy_mmu_mode();arch_leave_lazy_mmu_mode();"


class Chain(NamedTuple):
    """A walker and the functions that its section runs, each called by the one before it: path and name."""

    walker: tuple[str, str]
    steps: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return " > ".join(name for _, name in (self.walker, *self.steps))


def chain(*places: str) -> Chain:
    """A chain from "path:name", the path being left out where it is that of the one before."""
    found: list[tuple[str, str]] = []
    for place in places:
        path, _, name = place.rpartition(":")
        found.append((path or found[-1][0], name))
    return Chain(found[0], tuple(found[1:]))


COPY, ZAP = f"{MEMORY}:copy_pte_range", f"{MEMORY}:zap_pte_range"
COLD, FREE = f"{MADVISE}:madvise_cold_or_pageout_pte_range", f"{MADVISE}:madvise_free_pte_range"
RMAP = ("include/linux/rmap.h:folio_remove_rmap_pte", "mm/rmap.c:folio_remove_rmap_ptes")
CHAINS = (
    chain(COPY, "copy_nonpresent_pte"),
    chain(COPY, "copy_nonpresent_pte", "try_restore_exclusive_pte"),
    chain(COPY, "copy_nonpresent_pte", "try_restore_exclusive_pte", "restore_exclusive_pte"),
    chain(COPY, "copy_nonpresent_pte", "mm/swapfile.c:swap_duplicate", "__swap_duplicate"),
    chain(COPY, "copy_present_ptes", "__copy_present_ptes"),
    chain(COPY, "copy_present_ptes", "copy_present_page"),
    chain(COPY, "copy_present_ptes", f"{INTERNAL}:folio_pte_batch"),
    chain(COPY, "copy_present_ptes", "copy_present_page", "mm/rmap.c:folio_add_new_anon_rmap"),
    chain(ZAP, "zap_present_ptes", "zap_present_folio_ptes"),
    chain(ZAP, "zap_present_ptes", f"{INTERNAL}:folio_pte_batch"),
    chain(ZAP, "zap_install_uffd_wp_if_needed", f"{INLINE}:pte_install_uffd_wp_if_needed"),
    chain(ZAP, f"{INTERNAL}:swap_pte_batch"),
    chain(ZAP, "zap_present_ptes", "zap_present_folio_ptes", "mm/mmu_gather.c:__tlb_remove_folio_pages"),
    chain(ZAP, "mm/swapfile.c:free_swap_and_cache_nr", "__swap_entries_free"),
    chain(ZAP, *RMAP, "__folio_remove_rmap"),
    chain(f"{MEMORY}:remap_pte_range", "include/linux/pgtable.h:pfn_modify_allowed"),
    chain("fs/proc/task_mmu.c:pagemap_scan_pmd_entry", "make_uffd_wp_pte"),
    chain(COLD, "madvise_folio_pte_batch", f"{INTERNAL}:folio_pte_batch"),
    chain(COLD, f"{VMSCAN}:folio_isolate_lru", f"{INLINE}:lruvec_del_folio"),
    chain(COLD, f"{MEMORY}:vm_normal_folio", "vm_normal_page"),
    chain(FREE, "madvise_folio_pte_batch", f"{INTERNAL}:folio_pte_batch"),
    chain(FREE, f"{INTERNAL}:swap_pte_batch"),
    chain("mm/migrate_device.c:migrate_vma_collect_pmd", *RMAP),
    chain("mm/mprotect.c:change_pte_range", f"{MEMORY}:vm_normal_folio", "vm_normal_page"),
    chain("mm/mprotect.c:change_pte_range", "can_change_pte_writable"),
    chain("mm/mremap.c:move_ptes", "move_soft_dirty_pte"),
    chain(f"{VMSCAN}:walk_pte_range", "get_pfn_folio"),
    chain(f"{VMSCAN}:walk_pte_range", "folio_update_gen"),
    chain(f"{VMSCAN}:lru_gen_look_around", "get_pfn_folio"),
    chain(f"{VMSCAN}:walk_pmd_range_locked", "get_pfn_folio"),
)
# Functions that others run for every entry of a range: where they are passed on, and by whom.
CALLBACKS = (
    ("mm/vmalloc.c:vmap_pfn_apply", "vmap_pfn", "apply_to_page_range"),
    ("mm/kasan/shadow.c:kasan_depopulate_vmalloc_pte", "kasan_release_vmalloc", "apply_to_existing_page_range"),
    ("drivers/xen/xlate_mmu.c:remap_pte_fn", "xen_xlate_remap_gfn_array", "apply_to_page_range"),
    ("drivers/gpu/drm/i915/i915_mm.c:remap_sg", "remap_io_sg", "apply_to_page_range"),
    ("drivers/xen/gntdev.c:find_grant_ptes", "gntdev_mmap", "apply_to_page_range"),
    ("kernel/bpf/arena.c:existing_page_cb", "arena_map_free", "apply_to_existing_page_range"),
)
# Sections do not run these.
NOT_REACHED = (
    (MEMORY, "wp_page_copy"), (MEMORY, "do_swap_page"), (MEMORY, "do_anonymous_page"), (MEMORY, "insert_page"),
    ("mm/hugetlb.c", "copy_hugetlb_page_range"), (MADVISE, "madvise_vma_behavior"), (VMSCAN, "shrink_folio_list"),
    (VMSCAN, "try_to_shrink_lruvec"), ("mm/rmap.c", "try_to_unmap_one"), ("mm/gup.c", "follow_page_pte"),
    ("mm/khugepaged.c", "__collapse_huge_page_isolate"), ("mm/ksm.c", "write_protect_page"),
    ("mm/mprotect.c", "mprotect_fixup"), ("mm/mremap.c", "move_vma"), ("fs/proc/task_mmu.c", "smaps_pte_entry"),
    ("mm/swapfile.c", "unuse_pte"), ("mm/vmalloc.c", "vmap_pte_range"), ("mm/page_vma_mapped.c", "check_pte"),
)  # fmt: skip


# Functions of 6.12 that may be called in a section, and some that may not: names of the vocabulary and others.
QUIET = """
    read_lock(&l);read_unlock(&l) | write_lock(&l);write_unlock(&l) | spin_lock(&l);spin_unlock(&l) |
    spin_lock_irqsave(&l, f);spin_unlock_irqrestore(&l, f) | local_lock(&l.x);local_unlock(&l.x) |
    local_lock_irqsave(&l.x, f);local_unlock_irqrestore(&l.x, f) | down_read_trylock(&s);up_read(&s) |
    mutex_trylock(&m) | mutex_unlock(&m) | bit_spin_lock(0, &w);bit_spin_unlock(0, &w) |
    folio_trylock(folio);folio_unlock(folio) | trylock_page(page);unlock_page(page) | queue_work(q, &w) |
    schedule_work(&w) | wake_up(&q) | mod_timer(&t, 1) | call_rcu(&r, fn) | kmem_cache_free(c, p) | kfree(p) |
    p = kmalloc(8, GFP_ATOMIC) | p = kmalloc(8, GFP_NOWAIT) | p = kmem_cache_alloc(c, GFP_ATOMIC) |
    xa_store(&x, 1, p, GFP_ATOMIC) | xa_load(&x, 1) | xa_erase(&x, 1) | idr_alloc(&i, p, 0, 1, GFP_ATOMIC) |
    radix_tree_lookup(&r, 1) | printk("x") | pr_err("x") | WARN_ON(1) | dump_page(page, "x") | complete(&c) |
    up_read(&s) | up_write(&s) | put_page(page) | folio_put(folio) | get_page(page) | folio_get(folio) |
    mmget_not_zero(mm) | mmgrab(mm) | mmdrop(mm) | fput(file) | get_file(file) | flush_tlb_range(vma, a, b) |
    flush_tlb_page(vma, a) | tlb_remove_page(tlb, page) | inc_mm_counter(mm, 1) | add_mm_counter(mm, 1, 2) |
    get_random_u32() | ktime_get() | udelay(1) | find_vma(mm, a) | kfree_rcu(p, rcu) |
    percpu_counter_add(&p, 1) | smp_call_function_single(0, fn, p, 1) | on_each_cpu(fn, p, 1) |
    irq_work_queue(&w) | folio_mark_dirty(folio) | set_page_dirty(page) | folio_mark_accessed(folio) |
    folio_remove_rmap_pte(folio, page, vma) | folio_add_lru(folio) | lru_add_drain() | mlock_folio(folio) |
    munlock_vma_folio(folio, vma) | free_swap_and_cache_nr(entry, 1) | free_swap_and_cache(entry) |
    swap_duplicate(entry) | pte_free(mm, p) | pmd_none(*pmd) | update_mmu_cache(vma, a, pte) |
    flush_cache_page(vma, a, 1) | flush_dcache_page(page) | flush_dcache_folio(folio) | clear_highpage(page) |
    clear_user_highpage(page, a) | copy_user_highpage(page, page, a, vma) | kmap_local_page(page) |
    kunmap_local(p) | kmap_atomic(page) | mem_cgroup_uncharge(folio) | __mem_cgroup_uncharge(folio) |
    count_vm_event(PGFAULT) | count_memcg_event_mm(mm, 1) | mod_lruvec_page_state(page, 1, 1) |
    deferred_split_folio(folio, true) | list_add(&a, &b) | rb_erase(&n, &r) | kthread_queue_work(w, x) |
    tasklet_schedule(&t) | hrtimer_start(&t, 1, 2) | hrtimer_cancel(&t) | del_timer_sync(&t) |
    srcu_read_lock(&s) | rcu_read_lock() | seqcount_begin(&s) | write_seqlock(&s);write_sequnlock(&s) |
    task_lock(tsk);task_unlock(tsk) | send_sig(9, tsk, 0) | force_sig(9) | lock_page_memcg(page) |
    page_cgroup_ino(page) | vm_normal_page(vma, a, pte) | vm_normal_folio(vma, a, pte) |
    pagefault_disable();err = get_user(x, p);pagefault_enable() | copy_from_user_nofault(p, p, 8) |
    copy_from_kernel_nofault(p, p, 8) | __copy_from_user_inatomic(p, p, 8) |
    mmu_notifier_invalidate_secondary_tlbs(mm, a, b) | mmu_notifier_arch_invalidate_secondary_tlbs(mm, a, b) |
    mmu_notifier_clear_young(mm, a, b) | mmu_notifier_invalidate_range_start_nonblock(&range) |
    remove_migration_pte(folio, vma, a, p) | page_add_file_rmap(page, vma, false) |
    folio_add_file_rmap_pte(folio, page, vma) | folio_dup_file_rmap_pte(folio, page) | uncharge_folio(folio, p) |
    ptep_clear_flush(vma, a, pte) | memcg_kmem_charge_page(page, GFP_ATOMIC, 0) | alloc_pages(GFP_ATOMIC, 0) |
    __get_free_page(GFP_NOWAIT) | free_page(a) | __free_pages(page, 0) | free_pages_and_swap_cache(p, 1) |
    release_pages(p, 1) | zap_huge_pmd(tlb, vma, pmd, a) |
    mas_preallocate(&mas, p, GFP_NOWAIT) | mas_store_gfp(&mas, p, GFP_ATOMIC) | mas_store_prealloc(&mas, p) |
    mtree_store(&t, 1, p, GFP_ATOMIC) | mtree_load(&t, 1) | xa_reserve(&x, 1, GFP_NOWAIT) | ihold(inode) |
    kmem_cache_alloc_node(c, GFP_NOWAIT, 0) | kmem_cache_alloc_bulk(c, GFP_ATOMIC, 1, p) | igrab(inode) | dget(d) |
    alloc_pages_exact(8, GFP_NOWAIT) | bio_alloc(b, 1, 0, GFP_NOWAIT) | sg_alloc_table(t, 1, GFP_ATOMIC) |
    obj_cgroup_charge(o, GFP_NOWAIT, 8) | get_user_pages_fast_only(a, 1, 0, p) | __copy_from_user_inatomic(p, p, 8) |
    percpu_ref_get(&r) | percpu_ref_put(&r) | percpu_ref_kill(&r) | wake_up_all(&q) | put_task_struct(t) |
    percpu_up_read(&s) | dma_fence_signal(f) | dma_fence_put(f)
"""
SLEEPY = """
    mutex_lock_interruptible(&m) | kmap(page) | flush_work(&w) | vfree(p) | get_user_pages(a, 1, 0, p) |
    alloc_pages(GFP_KERNEL, 0) | kvmalloc(8, GFP_KERNEL) | kzalloc(8, GFP_KERNEL) |
    kmem_cache_create("x", 1, 1, 0, p) | wait_event(q, x) | usleep_range(1, 2) | msleep(1) | synchronize_rcu() |
    percpu_down_read(&s) | percpu_down_write(&s) | anon_vma_lock_write(v) | anon_vma_lock_read(v) | mmput(mm) |
    filemap_write_and_wait(m) | read_mapping_folio(m, 1, f) | folio_lock(folio) | lock_page(page) |
    rt_mutex_lock(&m) | ww_mutex_lock(&m, c) | copy_from_user(p, p, 8) | schedule_timeout(1) |
    wait_for_completion(&c) | wait_for_completion_io(&c) | kthread_stop(t) | cancel_delayed_work_sync(&w) |
    alloc_percpu(int) | idr_preload(GFP_KERNEL) | xa_alloc(&x, p, p, l, GFP_KERNEL) | vmalloc(8) |
    pte_alloc(mm, pmd) | pmd_alloc(mm, pud, a) | split_folio(folio) | split_huge_pmd(vma, pmd, a) |
    migrate_pages(l, f, g, 1, 2, 3, p) | i_mmap_lock_read(m) | mmap_write_lock(mm) | mmap_read_lock(mm) |
    vm_munmap(a, b) | do_munmap(mm, a, b, p) | unmap_mapping_range(m, a, b, 1) | rmap_walk(folio, p) |
    try_to_unmap(folio, 0) | folio_wait_writeback(folio) | handle_mm_fault(vma, a, 0, p) |
    stop_machine(fn, p, p) | drain_all_pages(z) | lru_add_drain_all() | flush_workqueue(q) | rcu_barrier() |
    down_write(&s) | yield() | might_sleep() | cond_resched() | cond_resched_lock(&l) |
    cond_resched_rwlock_read(&l) | add_swap_count_continuation(entry, GFP_KERNEL) |
    mem_cgroup_charge(folio, mm, GFP_KERNEL) | ksm_madvise(vma, a, b, 1, p) | flush_delayed_work(&w) |
    wait_on_page_bit(page, 1) | wait_on_bit(p, 1, 2) | down(&s) | guard(mutex)(&m) | tlb_flush_mmu(tlb) |
    vm_flags_set(vma, 1) | iput(inode) | dput(dentry) | path_put(&path) | __fput_sync(file) | filp_close(file, p) |
    kernel_read(file, p, 8, p) | submit_bio(bio) | submit_bio_wait(bio) | sync_dirty_buffer(bh) | sb_bread(sb, 1) |
    sb_start_write(sb) | mnt_want_write(mnt) | write_inode_now(inode, 1) | get_user_pages_fast(a, 1, 0, p) |
    pin_user_pages_fast(a, 1, 0, p) | hmm_range_fault(r) | handle_userfault(vmf, 1) | wait_event_lock_irq(q, x, l) |
    percpu_ref_switch_to_atomic_sync(&r) | mempool_create(1, f, f, p) | lock_sock(sk) | dma_fence_wait(fence, 1) |
    mas_preallocate(&mas, p, GFP_KERNEL) | mas_store_gfp(&mas, p, GFP_KERNEL) | vma_iter_prealloc(&vmi, vma) |
    mtree_store(&t, 1, p, GFP_KERNEL) | mtree_insert_range(&t, 1, 2, p, GFP_KERNEL) | kvfree(p) |
    xa_reserve(&x, 1, GFP_KERNEL) | xa_store_range(&x, 1, 2, p, GFP_KERNEL) | kvmalloc_node(8, GFP_KERNEL, 0) |
    kmem_cache_alloc_node(c, GFP_KERNEL, 0) | kmem_cache_alloc_bulk(c, GFP_KERNEL, 1, p) | vma_link(mm, vma) |
    alloc_pages_exact(8, GFP_KERNEL) | __folio_alloc(GFP_KERNEL, 0, 0, p) | bio_alloc(b, 1, 0, GFP_NOIO) |
    sg_alloc_table(t, 1, GFP_KERNEL) | percpu_ref_init(&r, f, 0, GFP_KERNEL) | __copy_to_user(p, p, 8) |
    obj_cgroup_charge(o, GFP_KERNEL, 8) | __put_user(x, p) | strnlen_user(p, 8) | kvasprintf(GFP_KERNEL, p, args)
"""


@cache
def tree() -> Kernel:
    return Kernel(kernel("6.12"))


class Function(NamedTuple):
    """A definition in a file of the tree: where it begins, its body's brace, the end, and its pte parameter."""

    path: str
    start: int
    brace: int
    end: int
    pointer: str

    def line(self, offset: int) -> int:
        return tree().read(self.path).count(b"\n", 0, offset) + 1

    def calls(self, callee: str) -> list[int]:
        """The lines of its calls of a function."""
        pattern = re.compile(rb"\b" + callee.encode() + rb"\s*\(")
        return [self.line(match.start()) for match in pattern.finditer(_code(self.path), self.brace, self.end)]


@cache
def _code(path: str) -> bytes:
    """A file without what its comments say."""
    comment = re.compile(rb"/\*.*?\*/", re.S)
    return comment.sub(lambda match: re.sub(rb"[^\n]", b" ", match.group()), tree().read(path))


@cache
def function(path: str, name: str) -> Function:
    """A function or macro of the tree by its name."""
    data = tree().read(path)
    reader = FileReader(Source(path, data))
    for definition in (*reader.definitions(), *reader.macros()):
        if definition.name == name:
            span = definition.span
            brace = max(data.find(b"{", definition.name_span.end, span.end), definition.name_span.end)
            pointer = re.search(rb"\bpte_t \*(\w+)", data[definition.name_span.end : brace])
            return Function(path, span.start, brace, span.end, pointer.group(1).decode() if pointer else "")
    raise AssertionError(f"{path} has no {name}()")


def planted(path: str, faults: dict[str, str]) -> bytes:
    """A file with texts right behind the braces of functions; lines stay where they are."""
    data = tree().read(path)
    for name, text in sorted(faults.items(), key=lambda item: -function(path, item[0]).brace):
        brace = function(path, name).brace
        assert data[brace : brace + 1] == b"{"
        data = data[: brace + 1] + text.encode() + data[brace + 1 :]
    return data


def told(diagnostics: list[Diagnostic], *rules: str) -> list[Diagnostic]:
    return [d for d in diagnostics if d.rule in (rules or RULES)]


@cache
def without_faults(path: str) -> frozenset[str]:
    return frozenset(d.fingerprint for d in told(tree().check({}, [path])))


def new(diagnostics: list[Diagnostic], path: str) -> list[Diagnostic]:
    """What the file without faults does not have."""
    return [d for d in told(diagnostics) if d.fingerprint not in without_faults(path)]


def steps_of(found: Chain) -> Iterator[tuple[str, list[int], str]]:
    """Path, possible lines and text of every call between the functions of a chain."""
    for (path, caller), (_, callee) in zip(found.steps, found.steps[1:], strict=False):
        yield path, function(path, caller).calls(callee), f"{caller}() calls {callee}() here"


def matches(diagnostic: Diagnostic, path: str, name: str, expected: list[tuple[str, list[int], str]]) -> None:
    """The notes are a section of the walker, and what is expected, step by step."""
    first, *rest = diagnostic.notes
    walker = function(path, name)
    enters = walker.calls("arch_enter_lazy_mmu_mode")
    assert (first.location.path, first.message) == (path, SECTION)
    assert first.location.line in enters
    assert [(note.location.path, note.message) for note in rest] == [(p, text) for p, _, text in expected]
    for note, (_, lines, _) in zip(rest, expected, strict=True):
        assert note.location.line in lines, note


@pytest.mark.parametrize("number", range(len(CHAINS)), ids=[c.name for c in CHAINS])
def test_what_a_walker_runs_is_found_with_its_chain(number: int) -> None:
    case = CHAINS[number]
    (path, walker), (last_path, last) = case.walker, case.steps[-1]
    sleeper, slept = SLEEPERS[number % 2], SLEPT[number % 2]
    target = function(last_path, last)
    access = ACCESS.format(target.pointer) if target.pointer else ""
    # A new section behind the sleeper would hide it: sections do not nest in this tree.
    changed = {last_path: planted(last_path, {last: access + sleeper + NESTED})}
    found = new(tree().check(changed, [path]), path)
    brace = [target.line(target.brace)]
    steps = list(steps_of(case))
    first = case.steps[0][1]
    called = function(path, walker).calls(first)

    raw = [d for d in told(found, "raw-pte-access") if d.path == last_path and d.location.line == brace[0]]
    assert sorted(d.message.split(" reads")[0] for d in raw) == (
        [f"'*{target.pointer}'", f"'READ_ONCE(*{target.pointer})'"] if target.pointer else []
    )
    for diagnostic in raw:
        assert (diagnostic.function, diagnostic.level) == (last, Level.WARNING)
        # An access is told once, with the first section of the file that leads to it.
        if diagnostic.notes[0].location.line in function(path, walker).calls("arch_enter_lazy_mmu_mode"):
            matches(diagnostic, path, walker, steps)

    own = [d for d in found if d.function == walker]
    wanted = f"{first}() may sleep while lazy MMU mode is on: it comes to {slept}"
    asleep = [d for d in told(own, "sleep-in-section") if d.message == wanted]
    assert {d.location.line for d in asleep} == {line for line in called if line in _in_section(path, walker)}
    for diagnostic in asleep:
        matches(diagnostic, path, walker, [*steps, (last_path, brace, f"{last}() calls {slept} here")])

    nested = [d for d in told(own, "nested-section") if d.message.startswith(f"{first}() enters a section")]
    assert {d.location.line for d in nested} == {d.location.line for d in asleep}
    for diagnostic in nested:
        matches(diagnostic, path, walker, [*steps, (last_path, brace, f"{last}() enters a section here")])


@cache
def _in_section(path: str, name: str) -> range:
    """The lines between the first enable and the last disable of a function."""
    walker = function(path, name)
    return range(walker.calls("arch_enter_lazy_mmu_mode")[0], walker.calls("arch_leave_lazy_mmu_mode")[-1])


@pytest.mark.parametrize(("place", "caller", "applies"), CALLBACKS)
def test_callbacks_are_found_with_who_has_them_run(place: str, caller: str, applies: str) -> None:
    path, name = place.split(":")
    target = function(path, name)
    text = ACCESS.format(target.pointer) + SLEEPERS[1]
    found = new(tree().check({path: planted(path, {name: text})}, [path]), path)
    brace = target.line(target.brace)
    assert sorted((d.path, d.location.line, d.function, d.rule) for d in found) == [
        (path, brace, name, "raw-pte-access"),
        (path, brace, name, "raw-pte-access"),
        (path, brace, name, "sleep-in-section"),
    ]
    passed = f"{caller}() has {applies}() run {name}() in its section"
    for diagnostic in found:
        first, second = diagnostic.notes
        enter = function(MEMORY, "apply_to_pte_range").calls("arch_enter_lazy_mmu_mode")
        assert (first.location.path, [first.location.line], first.message) == (MEMORY, enter, SECTION)
        assert (second.location.path, second.message) == (path, passed)
        lines = function(path, caller).calls(applies)
        assert any(0 <= second.location.line - line <= 2 for line in lines)


def test_what_no_section_runs_is_not_reported() -> None:
    changed = {}
    for path in dict.fromkeys(path for path, _ in NOT_REACHED):
        names = [name for other, name in NOT_REACHED if other == path]
        texts = {name: _all_faults(function(path, name).pointer) for name in names}
        changed[path] = planted(path, texts)
    for path in dict.fromkeys((*changed, *(c.walker[0] for c in CHAINS))):
        assert new(tree().check(changed, [path]), path) == []


def _all_faults(pointer: str) -> str:
    access = ACCESS.format(pointer) if pointer else ""
    return access + "".join(SLEEPERS)


@pytest.mark.parametrize("case", CHAINS[::3], ids=lambda c: c.name)
def test_what_runs_while_the_mode_is_paused_is_not_reported(case: Chain) -> None:
    (path, _), (last_path, last) = case.walker, case.steps[-1]
    pointer = function(last_path, last).pointer
    inside = f"lazy_mmu_mode_pause();{_all_faults(pointer)}lazy_mmu_mode_resume();"
    assert _generic(path, last_path, planted(last_path, {last: inside})) == _own(path)
    assert _generic(path, last_path, planted(last_path, {last: _all_faults(pointer)})) > _own(path)


@cache
def _own(path: str) -> set[str]:
    return _generic(path, path, tree().read(path))


def _generic(path: str, changed_path: str, data: bytes) -> set[str]:
    """The findings in a file of a tree with the names of the generic layer."""
    header = "include/linux/pgtable.h"
    texts = {header: tree().read(header), path: tree().read(path), changed_path: data}
    old = re.compile(rb"\barch_(enter|leave)_lazy_mmu_mode\b")
    names = {b"enter": b"lazy_mmu_mode_enable", b"leave": b"lazy_mmu_mode_disable"}
    texts = {place: old.sub(lambda match: names[match.group(1)], text) for place, text in texts.items()}
    return {d.fingerprint for d in told(tree().check(texts, [path]))}


def _statements(text: str) -> list[str]:
    return [" ".join(statement.split()) for statement in text.split("|")]


def _planted_in_section(text: str) -> tuple[bytes, int]:
    """A file with statements in a section, one a line, and the line of the first."""
    path, enter = "mm/mprotect.c", b"arch_enter_lazy_mmu_mode();"
    data = tree().read(path)
    lines = "".join(f"\n{statement};" for statement in _statements(text)).encode()
    place = data.index(enter) + len(enter)
    return data[:place] + lines + data[place:], data.count(b"\n", 0, place) + 2


def test_what_does_not_sleep_is_not_said_to() -> None:
    data, _ = _planted_in_section(QUIET)
    found = told(tree().check({"mm/mprotect.c": data}, ["mm/mprotect.c"]), "sleep-in-section")
    assert [(d.message, [note.message for note in d.notes]) for d in found] == []


def test_what_sleeps_is_found_whatever_its_name() -> None:
    data, first = _planted_in_section(SLEEPY)
    found = told(tree().check({"mm/mprotect.c": data}, ["mm/mprotect.c"]), "sleep-in-section")
    lines = {d.location.line for d in found}
    assert [s for n, s in enumerate(_statements(SLEEPY), first) if n not in lines] == []


def test_copies_from_users_may_be_made_where_faults_are_disabled() -> None:
    copies = "pagefault_disable() | err = get_user(x, p) | err = copy_from_user(p, q, 8) | pagefault_enable()"
    data, _ = _planted_in_section(copies)
    assert told(tree().check({"mm/mprotect.c": data}, ["mm/mprotect.c"]), "sleep-in-section") == []
