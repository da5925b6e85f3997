"""Begin a rule: a module with every heading of the documentation, and a fixture with a faulty and a clean function.

    write_rule("left-behind", Path("mine"))  ->  mine/rules/left_behind.py, mine/fixtures/left-behind/left-behind.c

What is written works as it stands, on a question of its own that is there to be replaced. Nothing is overwritten.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from mmlint.config import UsageError
from mmlint.rule import packaged_rules

# Names under which mmlint itself reports.
RESERVED: Final = ("internal-error", "rule-audit", "rule-upgrade", "unused-suppression")

_MODULE: Final = '''\
"""A function opens more than one section.

## What it does

Say what it looks for. As it stands, it reports every section of a function but the first.

## Why

Say what goes wrong where the rule is broken, for somebody who has to decide whether to change code.

## Example

    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);
    lazy_mmu_mode_disable();
    lazy_mmu_mode_enable_for_pte_range(mm, addr, end, pte);

## Limits

Say what it does not see, and where it may be wrong.

## Fix safety

There is no fix: say why, or offer one with `replace()` of mmlint.rule and set fix= below.

## Source

Say where this is known from: a commit, a document, a discussion.
"""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(
    name="@NAME@",
    level=Level.WARNING,
    summary="the function opens more than one section",
)


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Sections of a function after its first."""
    for section in function.sections[1:]:
        yield RULE.at(
            function,
            section.call,
            f"'{function.name}' has opened a section before this one",
            configuration=section.configuration,
        )
'''

_FIXTURE: Final = """\
// SPDX-License-Identifier: GPL-2.0-only
/* @NAME@: what is marked is found, and nothing else is. */
#include <linux/mm.h>

/* Faulty: the table is walked twice, each time in a section of its own. */
static void @STEM@_faulty(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
		unsigned long end)
{
	unsigned long next = addr;
	pte_t *start_pte, *pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable_for_pte_range(mm, addr, end, start_pte);
	for (; next != end; pte++, next += PAGE_SIZE)
		ptep_set_wrprotect(mm, next, pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);

	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable_for_pte_range(mm, addr, end, start_pte);	/* expect: @NAME@ */
	for (; addr != end; pte++, addr += PAGE_SIZE)
		pte_clear(mm, addr, pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
}

/* Clean: one section for both. */
static void @STEM@_clean(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
		unsigned long end)
{
	pte_t *start_pte, *pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!pte)
		return;
	lazy_mmu_mode_enable_for_pte_range(mm, addr, end, start_pte);
	for (; addr != end; pte++, addr += PAGE_SIZE)
		pte_clear(mm, addr, pte);
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
}

void @STEM@_walk(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
		unsigned long end)
{
	unsigned long next;

	do {
		next = pmd_addr_end(addr, end);
		@STEM@_faulty(mm, pmd, addr, next);
		@STEM@_clean(mm, pmd, addr, next);
	} while (pmd++, addr = next, addr != end);
}
"""


def write_rule(name: str, folder: Path) -> tuple[Path, Path]:
    """The module and the fixture, below ``folder``. Raises UsageError for a name that is bad or taken."""
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name):
        raise UsageError(f"{name}: not a name for a rule; use lower-case words joined by '-', such as missing-disable")
    stem = name.replace("-", "_")
    if name in RESERVED or (packaged_rules() / f"{stem}.py").exists():
        raise UsageError(f"{name}: mmlint has a rule of that name; choose another")
    module, fixture = folder / "rules" / f"{stem}.py", folder / "fixtures" / name / f"{name}.c"
    texts = {
        file: text.replace("@NAME@", name).replace("@STEM@", stem)
        for file, text in ((module, _MODULE), (fixture, _FIXTURE))
    }
    for file in texts:
        if file.exists() or file.is_symlink():
            raise UsageError(f"{file}: it exists; choose another name, or move it away")
    for file, text in texts.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}; give a folder that can be written to") from error
    return module, fixture
