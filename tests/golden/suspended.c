/* While paused nothing else counts; the function ends as it began. */
static void suspended(pmd_t *pmd, unsigned long addr)
{
	lazy_mmu_mode_pause();
	lazy_mmu_mode_enable();
	lazy_mmu_mode_resume();
	lazy_mmu_mode_disable();
	lazy_mmu_mode_enable();
}
