/* Kernel or user table: two states, each with its own owner, and mm equal to &init_mm in one. */
static int either(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl;
	pte_t *pte;

	pte = mm == &init_mm ? pte_offset_kernel(pmd, addr) : pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return -EINVAL;
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, make_pte());
	lazy_mmu_mode_disable();
	if (mm != &init_mm)
		pte_unmap_unlock(pte, ptl);
	return 0;
}
