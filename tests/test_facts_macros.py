"""Macros that write the variables of their caller, or leave it; and what architectures a chain may pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmlint.cli import main
from mmlint.facts.macros import dialect_for
from mmlint.flow.dialect import DEFAULT_DIALECT

PGTABLE = """\
static inline void lazy_mmu_mode_enable(void) {}
static inline void lazy_mmu_mode_disable(void) {}
static inline void lazy_mmu_mode_enable_for_pte_range(struct mm_struct *mm, unsigned long addr, unsigned long end,
		pte_t *ptep) {}
pte_t ptep_get(pte_t *ptep);
"""
WALK = """\
static int walk(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	pte_t *start_pte, *pte;
	spinlock_t *ptl;

	start_pte = pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	BEFORE
	lazy_mmu_mode_enable_for_pte_range(walk->mm, addr, end, start_pte);
	for (; addr != end; pte++, addr += PAGE_SIZE) {
		INSIDE
		set_pte_at(walk->mm, addr, pte, ptep_get(pte));
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(start_pte, ptl);
	return 0;
}

static const struct mm_walk_ops ops = {
	.pmd_entry = walk,
};
"""


def lay(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_c", ".c").replace("_h", ".h")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def findings(root: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, int]]:
    main(["check", "--no-cache", "--level", "warning", "--format", "json", str(root / "mm")])
    shown = json.loads(capsys.readouterr().out)
    assert shown["coverage"]["sections"] == 1
    return [(found["rule"], found["path"].rpartition("/")[2], found["line"]) for found in shown["diagnostics"]]


@pytest.mark.parametrize("place", ["in the file", "in a header"])
@pytest.mark.parametrize(
    ("macro", "before", "inside", "expected"),
    [
        ("NEXT(p) do { (p)++; } while (0)", "NEXT(start_pte);", "", [("wrong-ptep", "walk.c", 16)]),
        ("NEXT(p) (p += 1)", "NEXT(start_pte);", "", [("wrong-ptep", "walk.c", 16)]),
        (
            "NEXT(a) ((a) = PAGE_ALIGN((a) + 1))",
            "NEXT(addr);",
            "",
            [("crosses-page-table", "walk.c", 16), ("wrong-ptep", "walk.c", 16)],
        ),
        ("BAIL() do { if (stop()) return 0; } while (0)", "", "BAIL();", [("missing-disable", "walk.c", 18)]),
        ("SAME(p) ((p) == (p) && (p)->pte)", "SAME(start_pte);", "", []),
        ("FILL(p, v) do { (v)->x = 1; *(v) = 2; } while (0)", "FILL(start_pte, walk);", "", []),
        ("WAIT() do { again: if (busy()) goto again; } while (0)", "", "WAIT();", []),
    ],
)
def test_a_macro_writes_its_arguments_or_leaves(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    place: str,
    macro: str,
    before: str,
    inside: str,
    expected: list[tuple[str, str, int]],
) -> None:
    define = f"#define {macro}\n"
    own, shared = (define, "\n") if place == "in the file" else ("\n", define)
    head = "#include <linux/pgtable.h>\n#include <linux/walk.h>\n\n\n\n" + own
    text = head + WALK.replace("BEFORE", before or ";").replace("INSIDE", inside or ";")
    lay(tmp_path, Kconfig="", include__linux__pgtable_h=PGTABLE, include__linux__walk_h=shared, mm__walk_c=text)
    assert findings(tmp_path, capsys) == expected


@pytest.mark.parametrize("place", ["in the file", "in a header"])
@pytest.mark.parametrize(
    ("inner", "outer", "before", "inside", "expected"),
    [
        ("STEP(p) do { (p)++; } while (0)", "NEXT(q) STEP(q)", "NEXT(start_pte);", "", ["wrong-ptep"]),
        ("STEP(n, p) ((p) += (n))", "NEXT(q) do { STEP(1, (q)); } while (0)", "NEXT(start_pte);", "", ["wrong-ptep"]),
        ("STEP(p) (*(p) = 0)", "NEXT(q) STEP(q)", "NEXT(start_pte);", "", []),
        ("STEP(p) ((p) + 1)", "NEXT(q) STEP(q)", "NEXT(start_pte);", "", []),
        ("STEP() do { if (stop()) return 0; } while (0)", "NEXT() STEP()", "", "NEXT();", ["missing-disable"]),
        ("STEP() stop()", "NEXT() do { if (STEP()) break; } while (0)", "", "NEXT();", []),
        ("NEXT(p) AGAIN(p)", "AGAIN(p) NEXT(p)", "NEXT(start_pte);", "", []),
    ],
)
def test_a_macro_writes_or_leaves_by_another(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    place: str,
    inner: str,
    outer: str,
    before: str,
    inside: str,
    expected: list[str],
) -> None:
    own = f"#define {outer}\n"
    own, shared = (f"{own}#define {inner}\n", "\n") if place == "in the file" else (own, f"#define {inner}\n")
    text = "#include <linux/pgtable.h>\n#include <linux/walk.h>\n\n\n" + own
    text += WALK.replace("BEFORE", before or ";").replace("INSIDE", inside or ";")
    lay(tmp_path, Kconfig="", include__linux__pgtable_h=PGTABLE, include__linux__walk_h=shared, mm__walk_c=text)
    assert [rule for rule, _, _ in findings(tmp_path, capsys)] == expected


def test_a_macro_that_jumps_is_not_analysed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "#define BAIL() do { if (stop()) goto out; } while (0)\n" + WALK.replace("BEFORE", ";").replace(
        "INSIDE", "BAIL();"
    ).replace("\treturn 0;\n}", "out:\n\treturn 0;\n}")
    lay(tmp_path, Kconfig="", include__linux__pgtable_h=PGTABLE, mm__walk_c=text)
    main(["check", "--no-cache", "--format", "json", str(tmp_path / "mm")])
    skipped = json.loads(capsys.readouterr().out)["coverage"]["skipped"]
    assert [(one["function"], one["reason"]) for one in skipped] == [("walk", "jump in the macro BAIL()")]


@pytest.mark.parametrize(
    ("macros", "jumps"),
    [
        ("#define LEAVE(l) goto l\n#define OUT() do { LEAVE(out); } while (0)", True),
        ("#define LEAVE(l) goto l\n#define OUT() ({ __label__ done; LEAVE(done); done: 0; })", False),
        ("#define LEAVE(l) goto l\n#define BY(m) LEAVE(m)\n#define OUT() do { BY(out); } while (0)", True),
        ("#define LEAVE(l) goto l\n#define BY(m) LEAVE(m)\n#define OUT() ({ BY(done); done: 0; })", False),
    ],
)
def test_macros_that_jump_by_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], macros: str, jumps: bool
) -> None:
    text = WALK.replace("BEFORE", ";").replace("INSIDE", "OUT();").replace("\treturn 0;\n}", "out:\n\treturn 0;\n}")
    lay(tmp_path, Kconfig="", include__linux__pgtable_h=PGTABLE, mm__walk_c=f"{macros}\n{text}")
    main(["check", "--no-cache", "--format", "json", str(tmp_path / "mm")])
    skipped = json.loads(capsys.readouterr().out)["coverage"]["skipped"]
    assert [one["reason"] for one in skipped] == (["jump in the macro OUT()"] if jumps else [])


def test_known_names_keep_their_roles() -> None:
    texts = {"likely": [b"#define likely(x) (x)++"], "next": [b"#define next(x) (x)++"]}
    dialect = dialect_for(DEFAULT_DIALECT, ["likely", "next"], texts.__getitem__)
    assert dialect.outputs - DEFAULT_DIALECT.outputs == {"next"}
    assert dialect_for(DEFAULT_DIALECT, ["likely"], texts.__getitem__) is DEFAULT_DIALECT


ARCH_HELPER = """\
void arch_note(pte_t *ptep)
{
	OTHER
}
"""


@pytest.mark.parametrize(("home", "expected"), [("toy1", []), ("toy2", [("raw-pte-access", "note.c", 3)])])
def test_an_architecture_does_not_run_the_code_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], home: str, expected: list[tuple[str, str, int]]
) -> None:
    walk = """\
static void walk(pmd_t *pmd, unsigned long addr)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);

	lazy_mmu_mode_enable();
	generic_note(pte);
	lazy_mmu_mode_disable();
}
"""
    enters = "static inline void arch_enter_lazy_mmu_mode(void) {}\n"
    lay(
        tmp_path,
        Kconfig="",
        include__linux__pgtable_h=PGTABLE,
        mm__note_c="void generic_note(pte_t *ptep)\n{\n\tarch_note(ptep);\n}\n",
        arch__toy1__mm__note_c=ARCH_HELPER.replace("OTHER", "ptep_get(ptep);"),
        arch__toy2__mm__note_c=ARCH_HELPER.replace("OTHER", "if (ptep->pte) cpu_relax();"),
        arch__toy1__include__asm__pgtable_h=enters,
        arch__toy2__include__asm__pgtable_h=enters,
    )
    path = tmp_path / "arch" / home / "mm" / "walk.c"
    path.write_text(walk, encoding="utf-8")
    main(["check", "--no-cache", "--format", "json", str(path)])
    shown = json.loads(capsys.readouterr().out)
    found = [(one["rule"], one["path"].rpartition("/")[2], one["line"]) for one in shown["diagnostics"]]
    assert [one for one in found if one[0] == "raw-pte-access"] == expected
