"""The API generation is read from the tree, and the proposed name follows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.kernel import load_vocabulary
from mmlint.source import Source
from mmlint.tree import TreeApi, api_in, api_of

WALKER = b"""static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	spinlock_t *ptl;
	pte_t *start, *pte;

	start = pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
	for (; addr != end; pte++, addr += PAGE_SIZE)
		pte_clear(walk->mm, addr, pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start, ptl);
	return 0;
}
"""
PARAMETERS = "(struct mm_struct *mm, unsigned long addr,\n\t\tunsigned long end, pte_t *ptep)"
PLAIN = "static inline void lazy_mmu_mode_enable(void) {}\n"
KNOWN = f"static inline void lazy_mmu_mode_enable_for_pte_range{PARAMETERS} {{}}\n"
HEADERS = {
    "#define arch_enter_lazy_mmu_mode()	do {} while (0)": ("arch", ""),
    "static inline void lazy_mmu_mode_enable(void) {}": ("generic", ""),
    "static inline void lazy_mmu_mode_enable(void) {}\n"
    "static inline void lazy_mmu_mode_enable_with_ptes(struct mm_struct *mm) {}": (
        "generic",
        "lazy_mmu_mode_enable_with_ptes",
    ),
    "static inline void lazy_mmu_mode_enable(void) {}\nvoid lazy_mmu_mode_enable_with_ptes(void);": ("generic", ""),
    "struct nothing;": ("", ""),
    # A name of which the vocabulary has not heard, by its parameters; beside one that it knows, it is the newer one.
    f"{PLAIN}void lazy_mmu_mode_enable_batch{PARAMETERS};\n": ("generic", "lazy_mmu_mode_enable_batch"),
    f"{PLAIN}void lazy_mmu_mode_enable_batch{PARAMETERS};\n{KNOWN}": ("generic", "lazy_mmu_mode_enable_batch"),
    # The architecture's hook, a helper, other parameters, something that is no enable.
    f"{PLAIN}{KNOWN}void arch_enter_lazy_mmu_mode_batch{PARAMETERS};\n"
    f"void __lazy_mmu_mode_enable_batch{PARAMETERS};\n"
    "void lazy_mmu_mode_enable_some(struct mm_struct *mm, pte_t *ptep, unsigned long addr, unsigned long end);\n"
    f"void lazy_mmu_mode_disable_batch{PARAMETERS};\n": ("generic", "lazy_mmu_mode_enable_for_pte_range"),
}


def make_tree(folder: Path, header: str) -> Path:
    (folder / "include/linux").mkdir(parents=True)
    (folder / "include/linux/pgtable.h").write_text(header, encoding="utf-8")
    (folder / "mm").mkdir()
    file = folder / "mm/walk.c"
    file.write_bytes(WALKER)
    return file


@pytest.mark.parametrize("header", HEADERS)
def test_generation_of_a_tree(tmp_path: Path, header: str) -> None:
    file = make_tree(tmp_path, header)
    generation, ranged = HEADERS[header]
    assert api_of(str(file), load_vocabulary()) == TreeApi(str(tmp_path.resolve()), generation, ranged)


def test_a_file_in_no_tree(tmp_path: Path) -> None:
    assert api_of(str(tmp_path / "walk.c"), load_vocabulary()) == TreeApi()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", "lazy_mmu_mode_enable_with_ptes"),
        ("lazy_mmu_mode_enable_pte", "lazy_mmu_mode_enable_pte"),
        ("lazy_mmu_mode_enable_somehow", "lazy_mmu_mode_enable_somehow"),
    ],
)
def test_proposed_name(tmp_path: Path, target: str, expected: str) -> None:
    file = make_tree(tmp_path, list(HEADERS)[2])
    report = make_checker(Settings(target=target)).check(Source(str(file), WALKER))
    assert report.facts is not None
    (section,) = report.facts.functions[0].sections
    assert section.proposal is not None
    assert section.proposal.call == f"{expected}(walk->mm, addr, end, start)"


def test_default_name_outside_a_tree(tmp_path: Path) -> None:
    report = make_checker(Settings()).check(Source(str(tmp_path / "walk.c"), WALKER))
    assert report.facts is not None
    (section,) = report.facts.functions[0].sections
    assert section.proposal is not None
    assert section.proposal.callee == "lazy_mmu_mode_enable_for_pte_range"


class Texts:
    """A tree of texts."""

    def __init__(self, **files: str) -> None:
        self._files = {name.replace("__", "/") + ".h": text.encode() for name, text in files.items()}

    def read(self, path: str) -> bytes:
        if path not in self._files:
            raise FileNotFoundError(path)
        return self._files[path]

    def files(self, folder: str) -> list[str]:
        return sorted(path for path in self._files if path.startswith(f"{folder}/" if folder else ""))

    def search(self, needles: tuple[bytes, ...]) -> list[str]:
        return [path for path in self.files("") if any(needle in self._files[path] for needle in needles)]

    def shown(self, path: str) -> str:
        return path


@pytest.mark.parametrize("header", HEADERS)
def test_generation_of_a_tree_that_is_not_on_disk(header: str) -> None:
    assert api_in(Texts(include__linux__pgtable=header), load_vocabulary()) == TreeApi("", *HEADERS[header])
    report = make_checker(Settings()).check(Source("mm/walk.c", WALKER), Texts(include__linux__pgtable=header))
    assert report.facts is not None
    (section,) = report.facts.functions[0].sections
    assert section.proposal is not None
    assert section.proposal.callee == HEADERS[header][1] or not HEADERS[header][1]


def test_a_tree_without_the_header_tells_nothing() -> None:
    assert api_in(Texts(), load_vocabulary()) == TreeApi()
