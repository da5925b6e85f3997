/* The state splits where a map call may fail; the disable belongs to one half only. */
static void remap(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	pte_t *start, *pte;
	spinlock_t *ptl;

	start = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!start)
		return;
	lazy_mmu_mode_enable();
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		if (!need_resched())
			continue;
		lazy_mmu_mode_disable();
		pte_unmap_unlock(start, ptl);
		start = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
		if (!start)
			break;
		lazy_mmu_mode_enable();
	}
	if (start) {
		lazy_mmu_mode_disable();
		pte_unmap_unlock(start, ptl);
	}
}
