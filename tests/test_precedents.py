"""Faults of the kinds that the kernel's history knows, put back into its real walkers, are found where they stand.

The faults stand in tests/precedents.py; the file without the fault has no finding of the rule. What is said of each, to
the column, and the chain of its evidence stand in tests/precedents.txt, with lines that count from the function.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.diagnostic import Diagnostic
from mmlint.rule import load_rules
from mmlint.source import Source
from mmlint.syntax.functions import FileReader
from tests.kernels import kernel
from tests.mutation import convert_to_generic
from tests.precedents import (
    AS_SHIPPED,
    BESIDE,
    GENERIC_LAYER,
    HERE,
    PGTABLE,
    PRECEDENTS,
    RANGED,
    TASK_MMU,
    spoiled,
)
from tests.told import told

# These report no fault, or have tests of their own below.
ELSEWHERE = {"api-definition", "multi-range-section", "unranged-walker"}
GOLDEN = Path(__file__).parent / "precedents.txt"
# Findings of these belong to no function.
OF_THE_FILE = {"superseded-name"}
EACH = [(rule, file) for rule, faults in PRECEDENTS.items() for file in dict.fromkeys(f.file for f in faults)]


class Kernel:
    """Linux 6.12 in two spellings: as it is, and as a tree with the generic layer."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self.tree, self.folder = tree, folder
        self.check = make_checker(Settings()).check
        self._data: dict[tuple[str, bool], bytes] = {}
        self._clean: dict[tuple[str, bool], tuple[Diagnostic, ...]] = {}
        for name, header in (("old", (tree / PGTABLE).read_bytes()), ("generic", GENERIC_LAYER)):
            (folder / name / PGTABLE).parent.mkdir(parents=True)
            (folder / name / PGTABLE).write_bytes(header)

    def data(self, file: str, old: bool) -> bytes:
        """A file of the tree."""
        if (file, old) not in self._data:
            data = (self.tree / file).read_bytes()
            self._data[file, old] = data if old else convert_to_generic(Source(file, data))
        return self._data[file, old]

    def clean(self, file: str, old: bool) -> tuple[Diagnostic, ...]:
        """What is said of a file as it is."""
        if (file, old) not in self._clean:
            self._clean[file, old] = self.findings(file, old, self.data(file, old))
        return self._clean[file, old]

    def findings(self, file: str, old: bool, data: bytes) -> tuple[Diagnostic, ...]:
        """What is said of a copy of the file with this text."""
        if old and file in BESIDE:
            return self._beside(file, data)
        copy = self.folder / ("old" if old else "generic") / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
        report = self.check(Source(str(copy), copy.read_bytes()))
        assert report.skipped == ()
        return report.diagnostics

    def _beside(self, file: str, data: bytes) -> tuple[Diagnostic, ...]:
        folder = self.folder / "beside"
        for name, text in (
            (PGTABLE, self.data(PGTABLE, True)),
            (BESIDE[file], self.data(BESIDE[file], True)),
            (file, data),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text)
        return self.check(Source(str(folder / file), data)).diagnostics


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    return Kernel(kernel("6.12"), tmp_path_factory.mktemp("linux"))


def marked(data: bytes) -> list[tuple[str, int]]:
    """The function and the line of each HERE."""
    source = Source("", data)
    functions = {d.span: d.name for d in FileReader(source).definitions()}
    starts = [match.start() for match in re.finditer(re.escape(HERE.encode()), data)]
    return [(name, source.line(at)) for at in starts for span, name in functions.items() if span.start <= at < span.end]


def found(rule: str, diagnostics: Sequence[Diagnostic]) -> list[tuple[str, int]]:
    """The function and the line of each finding of a rule."""
    return sorted((d.function, d.location.line) for d in diagnostics if d.rule == rule)


def test_every_rule_has_its_precedents() -> None:
    assert {loaded.rule.name for loaded in load_rules()} == PRECEDENTS.keys() | ELSEWHERE
    for rule, faults in PRECEDENTS.items():
        assert len({fault.function for fault in faults}) >= 2, rule
    assert ELSEWHERE - AS_SHIPPED.keys() == {"api-definition"}


def test_what_is_said_of_each(linux: Kernel) -> None:
    assert told(linux.tree) == GOLDEN.read_text()


@pytest.mark.parametrize(("rule", "file"), EACH, ids=[f"{rule}-{Path(file).stem}" for rule, file in EACH])
def test_the_fault_is_found(linux: Kernel, rule: str, file: str) -> None:
    faults = [fault for fault in PRECEDENTS[rule] if fault.file == file]
    for old in sorted({fault.old for fault in faults}):
        assert found(rule, linux.clean(file, old)) == []
        data = linux.data(file, old)
        for fault in faults:
            data = spoiled(data, fault) if fault.old == old else data
        expected = sorted(marked(data))
        assert expected
        if rule in OF_THE_FILE:
            expected = [("", line) for _, line in expected]
        assert found(rule, linux.findings(file, old, data)) == expected


def test_the_fault_that_6_12_has(linux: Kernel) -> None:
    """pagemap_scan_pmd_entry() enters the mode before the lock is taken, mended by ad449d856bd7."""
    source = Source(TASK_MMU, linux.data(TASK_MMU, old=True))
    enable = source.line(source.data.index(b"arch_enter_lazy_mmu_mode()"))
    findings = found("section-outside-lock", linux.clean(TASK_MMU, old=True))
    assert findings == [("pagemap_scan_pmd_entry", enable)]


DEFINITION = """
#ifdef CONFIG_ARCH_HAS_LAZY_MMU_MODE
#ifndef arch_enter_lazy_mmu_mode_for_pte_range
static inline void arch_enter_lazy_mmu_mode_for_pte_range(struct mm_struct *mm,
		unsigned long addr, unsigned long end, pte_t *ptep)
{
	arch_enter_lazy_mmu_mode();
}
#endif

/**
 * lazy_mmu_mode_enable_for_pte_range() - Open a section for some entries.
 * @mm: address space that owns the page table
 * @addr: first address of the range
 * @end: address after the range, in the same page table
 * @ptep: entry for @addr
 *
 * Entries may be visited in any order, or not at all. The range is ignored in
 * a nested section, and lost when the mode is paused.
 */
static inline void lazy_mmu_mode_enable_for_pte_range(struct mm_struct *mm,
		unsigned long addr, unsigned long end, pte_t *ptep)
{
	arch_enter_lazy_mmu_mode_for_pte_range(mm, addr, end, ptep);
}
#else
static inline void lazy_mmu_mode_enable_for_pte_range(struct mm_struct *mm,
		unsigned long addr, unsigned long end, pte_t *ptep)
{
}
#endif
"""
# A text of the definition, what it becomes, and how the line of the finding begins, with its ordinal.
SPOILED_DEFINITIONS = {
    "stub": ("end, pte_t *ptep)\n{\n}", "end)\n{\n}", "static inline void lazy_mmu_mode", 1),
    "no fallback": ("#ifndef arch_enter", "#ifdef arch_enter", "static inline void lazy_mmu_mode", 0),
    "no kernel-doc": ("/**", "/*", "static inline void lazy_mmu_mode", 0),
    "no parameter": (" * @end: address after the range, in the same page table\n", "", "/**", 0),
    "nothing on nesting": (" * a nested section, and", " * any order and", "/**", 0),
    "indent": ("end, pte_t *ptep)\n{\n}", "end,\n\tpte_t *ptep)\n{\n}", "static inline void lazy_mmu_mode", 1),
}


def defined(linux: Kernel, definition: str) -> tuple[list[tuple[str, int]], Source]:
    """What is said of the header of 6.12 with a definition in it, and that header."""
    header = linux.data(PGTABLE, old=True)
    (end,) = (match.end() for match in re.finditer(rb"#define arch_flush_lazy_mmu_mode\(\).*\n#endif\n", header))
    source = Source(PGTABLE, header[:end] + definition.encode() + header[end:])
    return found("api-definition", linux.check(source).diagnostics), source


def test_the_definition_is_complete(linux: Kernel) -> None:
    assert defined(linux, DEFINITION)[0] == []


@pytest.mark.parametrize("case", SPOILED_DEFINITIONS)
def test_the_spoiled_definition_is_found(linux: Kernel, case: str) -> None:
    old, new, subject, ordinal = SPOILED_DEFINITIONS[case]
    assert DEFINITION.count(old) == 1
    findings, source = defined(linux, DEFINITION.replace(old, new))
    starts = [match.start() for match in re.finditer(re.escape(subject.encode()), source.data)]
    begins = source.data.index(b"#ifdef CONFIG_ARCH_HAS_LAZY_MMU_MODE")
    assert findings == [(RANGED, source.line([start for start in starts if start > begins][ordinal]))]
