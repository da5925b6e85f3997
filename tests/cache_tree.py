"""A small kernel tree for the tests of the cache: sections whose findings hang on other files, near and far."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

HEADER = b"""\
static inline void lazy_mmu_mode_enable(void) {}
static inline void lazy_mmu_mode_disable(void) {}
pte_t ptep_get(pte_t *ptep);
"""
RANGED = (
    b"void lazy_mmu_mode_enable_for_pte_range(struct mm_struct *mm, unsigned long addr, unsigned long end,"
    b" pte_t *ptep);\n"
)
WALK = b"""\
#include <linux/pgtable.h>
#include "near.h"

static int NAME(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	spinlock_t *ptl;
	pte_t *start_pte, *pte;

	start_pte = pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	lazy_mmu_mode_enable();
	for (; addr != end; pte++, addr += PAGE_SIZE)
		CALL
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
	return 0;
}
"""
CLEAN = b"""\
INLINE int NAME(pte_t *ptep)
{
	return pte_none(ptep_get(ptep));
}
"""
# What a function of another file may be, each with something else to be said of a section that calls it.
BODIES = (
    CLEAN,
    CLEAN.replace(b"ptep_get(ptep)", b"*ptep"),
    CLEAN.replace(b"\treturn", b"\tmutex_lock(&lock);\n\treturn"),
    CLEAN.replace(b"\treturn", b"\tmight_sleep();\n\treturn"),
    CLEAN.replace(b"ptep_get(ptep)", b"ptep_get(ptep)   "),
    CLEAN.replace(b"\treturn", b"\tkmalloc(8, GFP_KERNEL);\n\treturn"),
    CLEAN.replace(b"\treturn", b"\tlazy_mmu_mode_enable();\n\tlazy_mmu_mode_disable();\n\treturn"),
    CLEAN.replace(b"pte_none(ptep_get(ptep))", b"deeper(ptep)"),
    CLEAN.replace(b"pte_none(ptep_get(ptep))", b"back_one(ptep)"),
)
# Those that call none of the others.
LAST = BODIES[:-2]
SIZE = 700
CALLS = (
    b"near_one(pte);",
    b"far_one(pte);",
    b"set_pte_at(walk->mm, addr, pte, entry);",
    b"deep_one(pte);",
    b"odd(pte);",
)


def function(name: bytes, body: bytes, inline: bool) -> bytes:
    """A definition of that name; all bodies of the same kind have much the same size."""
    return body.replace(b"INLINE int", b"static inline int" if inline else b"int").replace(b"NAME", name)


def walker(name: bytes, call: bytes) -> bytes:
    """A file with one section, which calls something."""
    return WALK.replace(b"NAME", name).replace(b"CALL", call)


def make_tree(folder: Path) -> None:
    """Write the tree."""
    files = {
        "include/linux/pgtable.h": HEADER,
        "include/linux/far.h": function(b"far_one", CLEAN, True) + function(b"deeper", BODIES[1], True),
        "mm/deep.c": function(b"deep_one", CLEAN, False),
        "mm/near.h": function(b"near_one", CLEAN, True),
        "mm/walk.c": walker(b"walk", CALLS[1]),
        "mm/other.c": walker(b"other", CALLS[3]),
        "drivers/gpu/near.h": function(b"near_one", BODIES[2], True),
        "drivers/gpu/walk.c": walker(b"drive", CALLS[0]),
        "drivers/net/plain.c": b"int plain;\n",
    }
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data.ljust(SIZE - 1) + b"\n")


def edit(folder: Path, dice: random.Random) -> str:
    """Change something in the tree, and say what."""
    changes: list[Callable[[Path, random.Random], str]] = [
        _callee,
        _callee,
        _callee,
        _walker,
        _same_size,
        _remove,
        _add,
        _header,
    ]
    return dice.choice(changes)(folder, dice)


def _write(path: Path, data: bytes, dice: random.Random) -> str:
    """Write a file: in its place or over it, at its old time or at a new one, and most of them of the same size."""
    data = data.ljust(SIZE - 1) + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat() if path.exists() else None
    renamed = dice.random() < 0.3
    target = path.with_name(path.name + ".new") if renamed else path
    target.write_bytes(data)
    kept = before is not None and dice.random() < 0.5
    if before is not None and kept:
        os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    if renamed:
        target.rename(path)
    return f"{path.name} written{', renamed' * renamed}{', at its old time' * kept}"


def _callee(folder: Path, dice: random.Random) -> str:
    name, path, inline = dice.choice(
        (
            (b"near_one", "mm/near.h", True),
            (b"near_one", "drivers/gpu/near.h", True),
            (b"far_one", "include/linux/far.h", True),
            (b"deep_one", "mm/deep.c", False),
        )
    )
    text = function(name, dice.choice(BODIES), inline)
    if path == "include/linux/far.h":
        text += function(b"deeper", dice.choice(LAST), True)
    return _write(folder / path, text, dice)


def _walker(folder: Path, dice: random.Random) -> str:
    path = dice.choice(("mm/walk.c", "mm/other.c", "drivers/gpu/walk.c", "drivers/net/plain.c"))
    data = walker(dice.choice((b"walk", b"other", b"drive")), dice.choice(CALLS))
    if dice.random() < 0.5:
        # A function that others may come back to.
        data += function(b"back_one", dice.choice(LAST), False)
    return _write(folder / path, data if dice.random() < 0.8 else b"int plain;\n", dice)


def _same_size(folder: Path, dice: random.Random) -> str:
    """Exchange two calls of the same length, or what is as long as they are."""
    path = folder / dice.choice(("mm/walk.c", "mm/other.c", "drivers/gpu/walk.c"))
    data = path.read_bytes() if path.exists() else walker(b"walk", CALLS[0])
    pairs = ((b"near_one", b"deep_one"), (b"lazy_mmu_mode_enable", b"lazy_mmu_mode_unable"), (b"pte++", b"++pte"))
    old, new = dice.choice(pairs)
    swapped = data.replace(old, new) if old in data else data.replace(new, old)
    return _write(path, swapped, dice)


def _remove(folder: Path, dice: random.Random) -> str:
    path = folder / dice.choice(("mm/near.h", "mm/deep.c", "drivers/gpu/near.h", "drivers/net/plain.c", "mm/other.c"))
    path.unlink(missing_ok=True)
    return f"{path.name} removed"


def _add(folder: Path, dice: random.Random) -> str:
    path = dice.choice(("mm/again.c", "lib/deep.c", "mm/sub/walk.c", "drivers/gpu/again.h", "fs/proc/walk.c"))
    inline = path.endswith(".h")
    data = function(dice.choice((b"deep_one", b"near_one", b"odd")), dice.choice(BODIES), inline)
    return _write(folder / path, walker(b"added", dice.choice(CALLS)) if "walk" in path else data, dice)


def _header(folder: Path, dice: random.Random) -> str:
    """Another generation of the API, with a ranged call or without; or something else that the header declares."""
    data = HEADER
    if dice.random() < 0.4:
        data = data.replace(b"lazy_mmu_mode_enable", b"arch_enter_lazy_mmu_mode")
        data = data.replace(b"lazy_mmu_mode_disable", b"arch_leave_lazy_mmu_mode")
    if dice.random() < 0.4:
        data += RANGED
    return _write(folder / "include/linux/pgtable.h", data + dice.choice((b"", b"int unrelated(void);\n")), dice)
