"""The tree that the patch of the RFC thread applies to, without any of its text.

The walkers are those of fixtures/linux. Where a hunk needs other lines around its call, these come from the patch
itself when the test runs: nothing of the kernel is kept here. Blank lines bring each call to the line that the hunk
names.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmlint.series.model import FileChange, Hunk
from tests.series_samples import LINUX

HEADER = "include/linux/pgtable.h"
# What has to be said in other words first, so that the lines of the hunks fit: old and new text.
_REWORDED: Mapping[str, Sequence[tuple[str, str]]] = {
    "mm/madvise.c": (
        ("\tint nr;\n\n#ifdef", "\tint nr, err;\n\n#ifdef"),
        ("\tint nr, max_nr, nr_swap = 0;\n", "\tint nr, err, max_nr, nr_swap = 0;\n"),
        ("\t\t\tif (!madvise_split_folio(folio))\n\t\t\t\tnr = 0;\n", "\t\t\terr = madvise_split_folio(folio);\n"),
        ("\t\t\tif (!madvise_split_folio(folio))\n\t\t\t\tnr = 0;\n", "\t\t\terr = madvise_split_folio(folio);\n"),
    ),
    "mm/memory.c": (
        (
            "\t\tWARN_ON_ONCE(!pte_none(ptep_get(pte)));\n\t\tset_pte_at(mm, addr, pte, entry);\n",
            "\t\tset_pte_at(mm, addr, pte, pte_mkspecial(pfn_pte(pfn++, prot)));\n",
        ),
        (
            "\t\t\tpte_offset_map_lock(mm, pmd, addr, &ptl);\n\t}\n\tif (!pte)\n\t\treturn create ? -ENOMEM : -EINVAL;\n\n"
            "\tlazy_mmu_mode_enable();\n\tfor (; fn && addr != end; pte++, addr += PAGE_SIZE) {\n"
            "\t\tif (!create && pte_none(ptep_get(pte)))\n\t\t\tcontinue;\n\t\terr = fn(pte, addr, data);\n"
            "\t\tif (err)\n\t\t\tbreak;\n\t}\n",
            "\t\t\tpte_offset_map_lock(mm, pmd, addr, &ptl);\n\t\tif (!pte)\n\t\t\treturn -EINVAL;\n\t}\n\n"
            "\tlazy_mmu_mode_enable();\n\n\tif (fn) {\n\t\tdo {\n"
            "\t\t\tif (create || !pte_none(ptep_get(pte)))\n\t\t\t\terr = fn(pte, addr, data);\n"
            "\t\t} while (!err && (pte++, addr += PAGE_SIZE, addr != end));\n\t}\n",
        ),
        (
            "\t\t\tpte_alloc_map_lock(mm, pmd, addr, &ptl);\n\t} else {\n",
            "\t\t\tpte_alloc_map_lock(mm, pmd, addr, &ptl);\n\t\tif (!pte)\n\t\t\treturn -ENOMEM;\n\t} else {\n",
        ),
    ),
    "mm/mprotect.c": (
        ("\tlong pages = 0;\n\n\ttlb_", "\tbool is_private_single_threaded = false;\n\tlong pages = 0;\n\n\ttlb_"),
    ),
    "mm/vmalloc.c": (
        (
            "\t\tif (unlikely(!pte_none(ptep_get(pte))))\n\t\t\tBUG();\n",
            "\t\tif (unlikely(!pte_none(ptep_get(pte))))\n\t\t\tBUG();\n\t\t}\n",
        ),
        (
            "\tunsigned long size = PAGE_SIZE;\n\tpte_t *pte, ptent;\n\n",
            "\tpte_t *pte, ptent;\n\tunsigned long size = PAGE_SIZE;\n\n",
        ),
    ),
}
# For each plain enable of a file, in order: how many lines before it and after it make room for the hunk's own.
_ROOM: Mapping[str, Sequence[tuple[int, int]]] = {
    "fs/proc/task_mmu.c": ((3, 3),),
    "mm/madvise.c": ((3, 2), (3, 1), (3, 3), (3, 1)),
    "mm/memory.c": ((3, 3), (3, 1), (3, 4), (3, 3)),
    "mm/mprotect.c": ((3, 3),),
    "mm/mremap.c": ((3, 3),),
    "mm/vmalloc.c": ((3, 3), (3, 3), (3, 4)),
}


def build(folder: Path, changes: Sequence[FileChange]) -> Path:
    """fixtures/linux in ``folder``, made to fit ``changes``."""
    shutil.copytree(LINUX, folder)
    for change in changes:
        place = folder / change.path
        text = place.read_text(encoding="utf-8")
        for old, new in _REWORDED.get(change.path, ()):
            assert old in text, (change.path, old)
            text = text.replace(old, new, 1)
        fitted = _header(text, change) if change.path == HEADER else _walkers(text, change)
        place.write_text(fitted, encoding="utf-8")
    return folder


def _before(hunk: Hunk) -> list[str]:
    return [line.text.decode() for line in hunk.lines if line.kind in " -"]


def _walkers(text: str, change: FileChange) -> str:
    lines = text.split("\n")
    start = 0
    for hunk, (above, below) in zip(change.hunks, _ROOM[change.path], strict=True):
        at = next(n for n, line in enumerate(lines) if n >= start and line.strip() == "lazy_mmu_mode_enable();")
        wanted = _before(hunk)
        gap = hunk.old_start - 1 - (at - above)
        assert gap >= 0, (change.path, hunk.header)
        lines[at - above : at + below + 1] = [""] * gap + wanted
        start = hunk.old_start + len(wanted) - 1
    return "\n".join(lines)


def _header(text: str, change: FileChange) -> str:
    """The header without the ranged call, its first hunk before the disable, its second at the stubs."""
    first, second = change.hunks
    start = text.index("#ifndef arch_enter_lazy_mmu_mode_for_pte_range")
    end = text.index("/**\n * lazy_mmu_mode_disable()")
    above = text[:start].rstrip("\n").split("\n")
    below = text[end:].split("\n")
    # The enable ends with the two lines that the hunk begins with.
    head = above[:-2]
    head += [""] * (first.old_start - 1 - len(head)) + _before(first)
    at = below.index("#else")
    # Up to the closing brace of the resume, which the second hunk brings.
    middle = below[3 : at - 1]
    rest = below[at + 1 :]
    stub = next(n for n, line in enumerate(rest) if "resume" in line)
    body = head + middle
    return "\n".join(body + [""] * (second.old_start - 1 - len(body)) + _before(second) + rest[stub + 1 :])
