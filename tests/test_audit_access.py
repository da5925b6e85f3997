"""The audit of direct accesses: every section of a small tree, as text, as JSON and as a graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmlint.cli import main
from tests.kernels import kernel

HEADER = """\
static inline void lazy_mmu_mode_enable(void) {}
static inline void lazy_mmu_mode_disable(void) {}
pte_t ptep_get(pte_t *ptep);
"""
WALK = """\
// SPDX-License-Identifier: GPL-2.0-only
#include <linux/pgtable.h>
#include "entries.h"

static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
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

static const struct entry_ops near_ops = { .fn = entry_is_old };
struct entry_ops open_ops = { .fn = entry_is_old };
"""
ENTRIES = """\
static inline int entry_is_old(pte_t *ptep)
{
	return pte_none(ptep_get(ptep));
}

static inline int entry_is_bad(pte_t *ptep)
{
	return pte_none(*ptep);
}

static inline int entry_goes_on(pte_t *ptep)
{
	return entry_is_bad(ptep);
}

static inline void entry_is_kept(struct box *box, pte_t *ptep)
{
	box->ptep = ptep;
}

static inline void entry_through_void(void *where)
{
	entry_is_unknown(where);
}

struct box { pte_t *ptep; };

static inline int entry_in_a_box(struct box *box)
{
	return box->ptep != NULL;
}

static inline int entry_unboxed(struct box box)
{
	return pte_none(*box.ptep);
}

static inline int box_is_copied(struct box *box)
{
	struct box copy = *box;

	return copy.ptep != NULL;
}

static inline void box_is_kept(struct box *box)
{
	last_box = box;
}

static inline void box_goes_on(struct box *box)
{
	box_is_unknown(box);
}

static inline int entries_of(pte_t **list)
{
	return pte_none(*list[1]);
}

static inline struct box boxed(pte_t *ptep)
{
	struct box box = { .ptep = ptep };

	return box;
}

static inline struct box boxed_at_once(pte_t *ptep)
{
	return (struct box){ .ptep = ptep };
}

extern const struct entry_ops far_ops;
"""
RUNNER = """\
// SPDX-License-Identifier: GPL-2.0-only
#include <linux/pgtable.h>

static int run_pte_range(pmd_t *pmd, unsigned long addr, unsigned long end, pte_fn_t fn, void *data)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);
	int err = 0;

	lazy_mmu_mode_enable();
	do {
		err = fn(pte++, addr, data);
	} while (addr += PAGE_SIZE, !err && addr != end);
	lazy_mmu_mode_disable();
	return err;
}

int apply_to_page_range(struct mm_struct *mm, unsigned long addr, unsigned long size, pte_fn_t fn, void *data)
{
	return run_pte_range(pmd_off(mm, addr), addr, addr + size, fn, data);
}
"""
CALLER = """\
// SPDX-License-Identifier: GPL-2.0-only
#include <linux/pgtable.h>

static int first(pte_t *ptep, unsigned long addr, void *data)
{
	return ptep->pte != 0;
}

static int second(pte_t *ptep, unsigned long addr, void *data)
{
	return pte_none(ptep_get(ptep));
}

int use_both(struct mm_struct *mm, unsigned long addr)
{
	int err = apply_to_page_range(mm, addr, PAGE_SIZE, first, NULL);

	return err ? err : apply_to_page_range(mm, addr, PAGE_SIZE, second, NULL);
}
"""


def tree_with(folder: Path, call: str, **files: str) -> Path:
    """A small kernel; ``call`` is what the walker does with each entry."""
    texts = {"include/linux/pgtable.h": HEADER, "mm/walk.c": WALK.replace("CALL", call), "mm/entries.h": ENTRIES}
    for name, text in {**texts, **{key.replace("__", "/") + ".c": text for key, text in files.items()}}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def audit_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = main(["sections", "--audit-access", *arguments])
    assert code == 0
    return capsys.readouterr().out


CASES = {
    "entry_is_old(pte);": ("clean", ["entry_is_old"], [], []),
    "entry_is_bad(pte);": ("not clean", ["entry_is_bad"], [("mm/entries.h", 8, "*ptep", "walk > entry_is_bad")], []),
    "entry_goes_on(pte);": (
        "not clean",
        ["entry_goes_on", "entry_is_bad"],
        [("mm/entries.h", 8, "*ptep", "walk > entry_goes_on > entry_is_bad")],
        [],
    ),
    "if (pte_none(*pte)) break;": ("not clean", [], [("mm/walk.c", 15, "*pte", "")], []),
    "entry_is_unknown(pte);": ("unresolved", [], [], [("entry_is_unknown()", 15, "no definition is found")]),
    "entry_is_kept(walk->private, pte);": (
        "unresolved",
        ["entry_is_kept"],
        [],
        [("entry_is_kept()", 18, "the pointer is stored where others may find it")],
    ),
    "walk->private->fn(pte);": ("unresolved", [], [], [("a pointer in walk()", 15, "a call through a pointer")]),
    "pte_clear(walk->mm, addr, pte);": ("clean", [], [], []),
    "entry_in_a_box(&(struct box){ .ptep = NULL });": ("clean", [], [], []),
    "{ struct box box = { .ptep = pte }; entry_in_a_box(&box); }": ("clean", ["entry_in_a_box"], [], []),
    "{ struct box box; box.ptep = pte; entry_unboxed(box); }": (
        "not clean",
        ["entry_unboxed"],
        [("mm/entries.h", 35, "*box.ptep", "walk > entry_unboxed")],
        [],
    ),
    "entry_in_a_box(&(struct box){ .ptep = pte });": ("clean", ["entry_in_a_box"], [], []),
    "{ struct box box = { pte }; entry_in_a_box(&box); }": (
        "unresolved",
        ["entry_in_a_box"],
        [],
        [("entry_in_a_box()", 15, "a structure with the pointer in it is handed over")],
    ),
    "{ struct box box = { .ptep = pte }; box_is_copied(&box); }": (
        "unresolved",
        ["box_is_copied"],
        [],
        [("box_is_copied()", 15, "a structure with the pointer in it is handed over")],
    ),
    "{ struct box box = { .ptep = pte }; box_is_kept(&box); }": (
        "unresolved",
        ["box_is_kept"],
        [],
        [("box_is_kept()", 15, "a structure with the pointer in it is handed over")],
    ),
    "{ struct box box = { .ptep = pte }; box_goes_on(&box); }": (
        "unresolved",
        ["box_goes_on"],
        [],
        [("box_is_unknown()", 52, "no definition is found")],
    ),
    "{ struct box box = { .ptep = pte }; box_is_unknown(&box); }": (
        "unresolved",
        [],
        [],
        [("box_is_unknown()", 15, "no definition is found")],
    ),
    "{ pte_t *two[2] = { pte, pte }; entries_of(two); }": (
        "not clean",
        ["entries_of"],
        [("mm/entries.h", 57, "*list[1]", "walk > entries_of")],
        [],
    ),
    # Which of the elements the callee reads is not followed: it may be the copy.
    "{ pte_t copy, *two[2] = { pte, &copy }; entries_of(two); }": (
        "unresolved",
        [],
        [],
        [("entries_of()", 15, "an array is handed over, of which some elements are the pointer")],
    ),
    "{ struct box box = boxed(pte); entry_unboxed(box); }": (
        "unresolved",
        ["boxed"],
        [],
        [("boxed()", 64, "it returns a structure with the pointer in it")],
    ),
    "{ struct box box = boxed_at_once(pte); entry_unboxed(box); }": (
        "unresolved",
        ["boxed_at_once"],
        [],
        [("boxed_at_once()", 69, "it returns a structure with the pointer in it")],
    ),
    "far_ops.fn(pte);": ("unresolved", [], [], [("a pointer in walk()", 15, "a call through a pointer")]),
    "near_ops.fn(pte);": ("clean", ["entry_is_old"], [], []),
    "near_ops.other(pte);": ("unresolved", [], [], [("a pointer in walk()", 15, "a call through a pointer")]),
    "open_ops.fn(pte);": (
        "unresolved",
        ["entry_is_old"],
        [],
        [("a pointer in walk()", 15, "a call through a pointer")],
    ),
    "shared_entry = pte;": ("unresolved", [], [], [("walk()", 15, "the pointer is stored where others may find it")]),
    'asm volatile("" : : "r" (pte));': ("unresolved", [], [], [("asm()", 15, "assembly is given the pointer")]),
    "entry_through_void(&pte);": (
        "unresolved",
        ["entry_through_void"],
        [],
        [("entry_is_unknown()", 23, "no definition is found")],
    ),
    "if (test_bit(0, (unsigned long *)pte)) break;": (
        "not clean",
        [],
        [("mm/walk.c", 15, "test_bit(0, (unsigned long *)pte)", "")],
        [],
    ),
    "xchg(&pte->pte, 0);": ("not clean", [], [("mm/walk.c", 15, "xchg(&pte->pte, 0)", "")], []),
    "xchg(&walk->action, 0);": ("clean", [], [], []),
}


@pytest.mark.parametrize("call", CASES)
def test_what_is_known_of_a_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    monkeypatch.chdir(tree_with(tmp_path, call))
    (section,) = json.loads(audit_of(capsys, "--format", "json", "."))["sections"]
    audit = section["audit"]
    verdict, functions, accesses, ends = CASES[call]
    assert audit["verdict"] == verdict
    assert [function["name"] for function in audit["functions"]] == functions
    assert [(a["path"], a["line"], a["text"], a["through"]) for a in audit["accesses"]] == accesses
    assert [(end["name"], end["line"], end["reason"]) for end in audit["unresolved"]] == ends


MANY = """\
int from_many(BODY
}
"""
READS = "pte_t *ptep)\n{\n\treturn pte_none(ptep_get(ptep));"
FINDS = "unsigned long addr)\n{\n\tpte_t *ptep = virt_to_kpte(addr);\n\n\treturn pte_none(*ptep);"
COUNTS = "unsigned long addr)\n{\n\treturn addr != 0;"
TOO_MANY = [("from_many()", 15, "it has too many definitions")]


@pytest.mark.parametrize(
    ("call", "body", "folder", "expected"),
    [
        ("from_many(pte);", READS, "mm", ("unresolved", 0, [], TOO_MANY)),
        ("from_many(addr);", FINDS, "mm", ("unresolved", 0, [], TOO_MANY)),
        ("from_many(addr);", COUNTS, "mm", ("clean", 0, [], [])),
        # Each architecture has one.
        ("from_many(pte);", READS, "arch/toy{}/mm", ("clean", 30, [], [])),
        ("from_many(addr);", FINDS, "arch/toy{}/mm", ("not clean", 30, ["*ptep"] * 30, [])),
        ("from_many(addr);", COUNTS, "arch/toy{}/mm", ("clean", 0, [], [])),
    ],
)
def test_a_name_with_many_definitions(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    call: str,
    body: str,
    folder: str,
    expected: tuple[str, int, list[str], list[tuple[str, int, str]]],
) -> None:
    files = {f"{folder.format(i)}/many{i}": MANY.replace("BODY", body) for i in range(30)}
    monkeypatch.chdir(tree_with(tmp_path, call, **files))
    (section,) = json.loads(audit_of(capsys, "--format", "json", "mm/walk.c"))["sections"]
    audit = section["audit"]
    ends = [(end["name"], end["line"], end["reason"]) for end in audit["unresolved"]]
    accesses = [access["text"] for access in audit["accesses"]]
    assert (audit["verdict"], len(audit["functions"]), accesses, ends) == expected
    assert main(["check", "--no-cache", "--level", "warning", "mm/walk.c"]) == 0


WALKED = """\
static int one(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return pte_none(*ptep);
}

static int other(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return pte_none(*ptep);
}

static const struct mm_walk_ops ones = {
	.pte_entry = one,
};

static const struct mm_walk_ops others = {
	.pte_entry	= other,
};

static void over_all(unsigned long start, unsigned long end)
{
	lazy_mmu_mode_enable();
	walk_kernel_range(start, end, &ones, NULL);
	lazy_mmu_mode_disable();
	walk_kernel_range(start, end, &others, NULL);
}
"""


def test_what_a_walk_is_handed_runs_in_the_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree_with(tmp_path, "entry_is_old(pte);", mm__all=WALKED))
    assert audit_of(capsys, "-q", "mm/all.c").splitlines() == [
        "mm/all.c:21: over_all(): not clean",
        "    looked at: one()",
        "    mm/all.c:3: *ptep",
        "        over_all > walk_kernel_range > one",
    ]


def test_a_chain_that_is_too_long_is_unresolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head = WALK[: WALK.index("static int walk")]
    steps = "".join(f"static void f{i}(pte_t *p) {{ f{i - 1}(p); }}\n" for i in range(1, 10))
    text = (
        head
        + "static int f0(pte_t *p)\n{\n\treturn pte_none(*p);\n}\n"
        + steps.replace(" {", "\n{").replace("}", "\n}")
    )
    tree = tree_with(tmp_path, "f9(pte);")
    (tree / "mm/walk.c").write_text(text + WALK[len(head) :].replace("CALL", "f9(pte);"), encoding="utf-8")
    monkeypatch.chdir(tree)
    (section,) = json.loads(audit_of(capsys, "--format", "json", "mm"))["sections"]
    assert section["audit"]["verdict"] == "unresolved"
    ends = [(end["name"], end["reason"]) for end in section["audit"]["unresolved"]]
    assert ends == [("f2()", "it is too many calls away from the section")]


def test_callbacks_are_looked_at_in_the_section_that_runs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree_with(tmp_path, "entry_is_old(pte);", mm__runner=RUNNER, lib__caller=CALLER))
    text = audit_of(capsys, "mm/runner.c")
    assert text.splitlines() == [
        "mm/runner.c:9: run_pte_range(): not clean",
        "    looked at: first(), second()",
        "    lib/caller.c:6: ptep->pte",
        "        run_pte_range > first",
        "",
        "    1  not clean   an entry is dereferenced directly",
        "2 functions looked at besides the sections; 1 section in 1 function of 1 file; 0 not analysed",
        "mmlint 0.1.0: mmlint sections --audit-access",
    ]


def test_without_a_tree_what_gets_the_pointer_is_unresolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "walk.c").write_text(WALK.replace("CALL", "entry_is_old(pte);"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert audit_of(capsys, "-q", "walk.c").splitlines() == [
        "walk.c:13: walk(): unresolved",
        "    walk.c:15: entry_is_old(): no definition is found: the file is in no",
        "        tree",
    ]


def test_sections_say_nothing_of_it_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree_with(tmp_path, "entry_is_old(pte);"))
    assert main(["sections", "--format", "json", "mm"]) == 0
    assert "audit" not in json.loads(capsys.readouterr().out)["sections"][0]


def test_the_graph_of_a_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree_with(tmp_path, "entry_goes_on(pte), entry_is_unknown(pte);"))
    assert main(["graph", "mm/walk.c:13"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        'digraph "walk() in mm/walk.c:13" {',
        '  rankdir=LR; node [fontname="monospace", style=filled];',
        '  n0 [label="walk()\\nmm/walk.c:13", shape=box, fillcolor="#c8e6c9"];',
        '  n1 [label="entry_goes_on()\\nmm/entries.h:11", shape=ellipse, fillcolor="#c8e6c9"];',
        '  n2 [label="entry_is_bad()\\nmm/entries.h:6\\n*ptep (mm/entries.h:8)", shape=ellipse, fillcolor="#ef9a9a"];',
        '  n3 [label="entry_is_unknown()\\nno definition is found\\ncalled at mm/walk.c:15", shape=ellipse, fillcolor="#fff59d"];',
        "  n0 -> n1;",
        "  n1 -> n2;",
        "  n0 -> n3;",
        "}",
    ]
    assert main(["graph", "--format", "mermaid", "mm/walk.c:13"]) == 0
    assert capsys.readouterr().out.splitlines()[:5] == [
        "flowchart LR",
        '  n0["walk()<br/>mm/walk.c:13"]:::clean',
        '  n1("entry_goes_on()<br/>mm/entries.h:11"):::clean',
        '  n2("entry_is_bad()<br/>mm/entries.h:6<br/>*ptep (mm/entries.h:8)"):::not_clean',
        '  n3("entry_is_unknown()<br/>no definition is found<br/>called at mm/walk.c:15"):::unresolved',
    ]


@pytest.mark.parametrize("place", ["mm/walk.c", "mm/walk.c:x", "mm/walk.c:1", "mm/none.c:3"])
def test_a_place_without_a_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    monkeypatch.chdir(tree_with(tmp_path, "entry_is_old(pte);"))
    assert main(["graph", place]) == 2
    assert capsys.readouterr().err.startswith(f"mmlint: error: {place.removesuffix(':3')}")


def test_the_audit_of_6_12(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Generic walkers are clean; what is not is an architecture's own, and named."""
    monkeypatch.chdir(kernel("6.12"))
    sections = json.loads(audit_of(capsys, "--format", "json", "mm", "fs/proc"))["sections"]
    verdicts = {(section["function"], section["audit"]["verdict"]) for section in sections}
    dirty = {name for name, verdict in verdicts if verdict == "not clean"}
    assert dirty == {"pagemap_scan_pmd_entry", "apply_to_pte_range", "walk_pmd_range_locked"}
    assert {name for name, verdict in verdicts if verdict == "unresolved"} == set()
    accesses = {(a["path"], a["function"], a["arch"]) for section in sections for a in section["audit"]["accesses"]}
    assert all(arch for _, _, arch in accesses)
    assert ("arch/x86/kernel/cpu/sgx/encl.c", "sgx_encl_test_and_clear_young_cb", "x86") in accesses


def test_without_a_tree_the_file_itself_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ENTRIES.replace("inline ", "") + WALK.replace('#include "entries.h"\n', "").replace(
        "CALL", "entry_goes_on(pte);"
    )
    (tmp_path / "walk.c").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert audit_of(capsys, "-q", "walk.c").splitlines() == [
        f"walk.c:{text[: text.index('lazy_mmu_mode_enable')].count(chr(10)) + 1}: walk(): not clean",
        "    looked at: entry_goes_on(), entry_is_bad()",
        "    walk.c:8: *ptep",
        "        walk > entry_goes_on > entry_is_bad",
    ]
