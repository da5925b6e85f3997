/* pte and addr advance alike: one symbol for both, whatever the step. */
static void walk(pmd_t *pmd, unsigned long addr, unsigned long end)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);
	int nr;

	lazy_mmu_mode_enable();
	do {
		nr = batch(pte, addr);
	} while (pte += nr, addr += nr * PAGE_SIZE, addr != end);
	lazy_mmu_mode_disable();
}
