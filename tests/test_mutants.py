"""Every converted call is verified, and every way to spoil it is found.

The plain sections of the sample tree and of Debian's 6.12 are converted; then one call at a time is given a fault, as
text. The verdict of that call has to change, for the right reason, and no other verdict may.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from tree_sitter import Node

from mmlint.diagnostic import Edit
from mmlint.facts.sections import Verdict
from mmlint.fix import apply_edits
from mmlint.source import Source
from tests.kernels import kernel
from tests.mutation import (
    VOCABULARY,
    Mutator,
    Walker,
    analyse,
    convert,
    convert_to_generic,
    facts_of,
    faults,
    mutants,
    sections_of,
    survives,
    walkers,
)

SAMPLES = Path(__file__).resolve().parent.parent / "fixtures" / "linux"
# Files by the number of calls that their proposals give.
SAMPLE_FILES = {
    "fs/proc/task_mmu.c": 1,
    "mm/madvise.c": 4,
    "mm/memory.c": 4,
    "mm/mprotect.c": 1,
    "mm/mremap.c": 1,
    "mm/vmalloc.c": 3,
}
KERNEL_FILES = {"mm/madvise.c": 4, "mm/memory.c": 4, "mm/migrate_device.c": 1, "mm/mprotect.c": 1, "mm/mremap.c": 1}
# Walkers that differ in what can go wrong: no saved start, two tables, a second call behind a re-map, kernel tables.
CLOSELY = (
    ("mm/mprotect.c", "change_pte_range", 0),
    ("mm/memory.c", "copy_pte_range", 0),
    ("mm/madvise.c", "madvise_free_pte_range", 1),
    ("mm/vmalloc.c", "vmap_pte_range", 0),
)


@cache
def converted(path: Path) -> tuple[Walker, ...]:
    """The converted calls of a file."""
    return tuple(walkers(Source("/".join(path.parts[-2:]), path.read_bytes())))


# ---------------------------------------------------------------- mutators


def before(name: str, text: str, *expected: str, alone: bool = True) -> Mutator:
    """Statements right before the call."""
    return Mutator(name, expected, lambda w: [[w.before(w.call, w.fill(text))]], alone)


def given(name: str, *expected: str, **arguments: str) -> Mutator:
    """Other arguments."""
    return Mutator(name, expected, lambda w: [w.given(**arguments)])


def around(name: str, text: str, *expected: str, alone: bool = False) -> Mutator:
    """Something else in the place of the call's statement."""
    return Mutator(name, expected, lambda w: [[w.replace(w.statement(w.call), w.fill(text))]], alone)


def mapped(name: str, role: str, text: str, *expected: str) -> Mutator:
    """Another argument of the map call; its own text is {x}."""

    def make(walker: Walker) -> list[list[Edit]]:
        edits = []
        for call in walker.map_calls:
            callee = walker.text(call).partition("(")[0]
            index = getattr(VOCABULARY.maps[callee], role)
            if index >= 0:
                argument = walker.arguments_of(call)[index]
                edits.append([walker.replace(argument, text.format(x=walker.text(argument)))])
        return edits

    return Mutator(name, expected, make, alone=False)


def is_kernel(walker: Walker) -> bool:
    """True for a walker over kernel tables alone."""
    return "init_mm" in walker.argument("mm")


def only(mutator: Mutator, user: bool) -> Mutator:
    """The mutator for walkers over user tables, or for those over kernel tables, alone."""
    make = mutator.make
    return Mutator(mutator.name, mutator.expected, lambda w: make(w) if is_kernel(w) is not user else [], mutator.alone)


def in_the_section(walker: Walker, text: str) -> Edit:
    """The edit that puts a statement into the loop of the walk, or behind a call that stands in it."""
    loop = walker.loop
    assert loop is not None
    if walker.start(loop) < walker.section.call.start:
        return walker.behind(walker.call, text)
    body = loop.child_by_field_name("body")
    assert body is not None and body.type == "compound_statement"
    return walker.insert(walker.start(body) + 1, " " + text)


def a_return(walker: Walker) -> list[list[Edit]]:
    head = walker.data[walker.function.span.start : walker.function.name_span.start]
    text = "return;" if b"void" in head.split() else "return 0;"
    return [[in_the_section(walker, f"if (signal_pending(current)) {text}")]]


def a_goto(walker: Walker) -> list[list[Edit]]:
    leave = in_the_section(walker, "if (signal_pending(current)) goto mutant_out;")
    return [[leave, walker.behind(walker.leaves[-1], "mutant_out: ;")]]


def removed_disables(walker: Walker) -> list[list[Edit]]:
    return [[walker.without(leave)] for leave in walker.leaves]


def doubled_disables(walker: Walker) -> list[list[Edit]]:
    return [[walker.behind(leave, walker.text(walker.statement(leave)))] for leave in walker.leaves]


def conditional_disables(walker: Walker) -> list[list[Edit]]:
    return [[walker.before(leave, "if (signal_pending(current))")] for leave in walker.leaves]


def early_enable(walker: Walker) -> list[list[Edit]]:
    """The call before the statement that maps, on the level of the call."""
    statement = walker.statement(walker.call)
    maps = walker.statement(walker.map_calls[0])
    outer: Node | None = maps
    while outer is not None and (outer.parent is None or outer.parent.id != _block(statement).id):
        outer = outer.parent
    return [[walker.without(walker.call), walker.before(outer or maps, walker.text(statement))]]


def _block(statement: Node) -> Node:
    assert statement.parent is not None
    return statement.parent


def late_disables(walker: Walker) -> list[list[Edit]]:
    """Each disable behind the unlock that follows it."""
    edits = []
    for leave in walker.leaves:
        unlocks = [u for u in walker.calls(["pte_unmap_unlock"]) if walker.start(u) > walker.end(leave)]
        if unlocks:
            edits.append([walker.without(leave), walker.behind(unlocks[0], walker.text(walker.statement(leave)))])
    return edits


def unlocked_meanwhile(walker: Walker) -> list[list[Edit]]:
    """The lock let go for a moment."""
    unlocks = walker.calls(["pte_unmap_unlock"])
    lock = walker.text(walker.arguments_of(unlocks[-1])[1]) if unlocks else ""
    text = f"spin_unlock({lock}); cond_resched(); spin_lock({lock});"
    return [[in_the_section(walker, text)]] if lock else []


def other_owner(declaration: str, argument: str) -> Mutator:
    """An mm of the right type from another object."""
    make = lambda w: [[w.at_top(declaration), *w.given(mm=argument)]]  # noqa: E731
    return only(Mutator(f"mm of {declaration}", ("mm",), make), user=True)


PTEP = ("ptep",)
RANGE = ("range", "table")
MUTATORS = (
    before("ptep++", "{ptep}++;", *PTEP),
    before("ptep += 2", "{ptep} += 2;", *PTEP),
    before("addr += PAGE_SIZE", "{addr} += PAGE_SIZE;", *PTEP),
    before("other table", "{ptep} = pte_offset_map(other_pmd, {addr} + PMD_SIZE);", *PTEP),
    before("next entry locked", "{ptep} = pte_offset_map_lock({mm}, pmd, {addr} + PAGE_SIZE, &ptl);", *PTEP),
    given("ptep + 1", *PTEP, ptep="{ptep} + 1"),
    given("ptep - 1", *PTEP, ptep="{ptep} - 1"),
    given("&ptep[1]", *PTEP, ptep="&{ptep}[1]"),
    given("addr + PAGE_SIZE", *PTEP, addr="{addr} + PAGE_SIZE"),
    given("addr - PAGE_SIZE", *PTEP, addr="{addr} - PAGE_SIZE"),
    given("addr and end swapped", "range", addr="{end}", end="{addr}"),
    given("addr twice", "range", end="{addr}"),
    given("end twice", "range", addr="{end}"),
    only(given("&init_mm", "mm", mm="&init_mm"), user=True),
    given("current->mm", "mm", mm="current->mm"),
    Mutator("dst_mm", ("mm",), lambda w: [w.given(mm="dst_mm")] if w.argument("mm") == "src_mm" else []),
    given("end + PMD_SIZE", *RANGE, end="{end} + PMD_SIZE"),
    given("end + PAGE_SIZE", *RANGE, end="{end} + PAGE_SIZE"),
    Mutator("return", ("leak",), a_return, alone=False),
    Mutator("goto", ("leak",), a_goto, alone=False),
    Mutator("disable removed", ("leak",), removed_disables, alone=False),
    Mutator("disable doubled", ("unmatched",), doubled_disables, alone=False),
    only(Mutator("enable before the map", ("outside",), early_enable, alone=False), user=True),
    only(Mutator("enable before the kernel map", PTEP, early_enable, alone=False), user=False),
    Mutator("disable behind the unlock", ("outside",), late_disables, alone=False),
)
MORE = (
    before("--ptep", "--{ptep};", *PTEP),
    before("ptep += n", "{ptep} += get_count();", *PTEP),
    before("ptep moved on one path", "if (get_count()) {ptep}++;", *PTEP),
    before("addr on one path", "if (get_count()) {addr} += PAGE_SIZE;", *PTEP),
    before("other table of that address", "{ptep} = pte_offset_map(other_pmd, {addr});", "ptep", "mm"),
    before("table of other_mm", "{ptep} = pte_offset_map_lock(other_mm, pmd, {addr}, &ptl);", "mm", "ptep"),
    given("end - PAGE_SIZE", *RANGE, end="{end} - PAGE_SIZE"),
    Mutator("disable on one path", ("leak",), conditional_disables, alone=False),
)
FURTHER = (
    before("addr &= PMD_MASK", "{addr} &= PMD_MASK;", *PTEP),
    before("addr |= PAGE_SIZE", "{addr} |= PAGE_SIZE;", *PTEP),
    before("ptep in a loop", "while (get_count()) {ptep}++;", *PTEP),
    before("ptep by address", "advance(&{ptep});", *PTEP, alone=False),
    before("addr by address", "advance(&{addr});", *PTEP),
    before("swap", "swap({addr}, {end});", *PTEP, *RANGE, alone=False),
    before("swap there and elsewhere", "swap({addr}, {end}); swap({addr}, other);", *PTEP, *RANGE, alone=False),
    before("swapped pointers", "swap({ptep}, other_pte);", *PTEP, alone=False),
    around(
        "element of another address",
        "{{ unsigned long r[2]; r[0] = {addr}; r[1] = {end}; r[get_count()] = other;"
        " lazy_mmu_mode_enable_for_pte_range({mm}, r[0], {end}, {ptep}); }}",
        *PTEP,
        alone=True,
    ),
    around(
        "element of the next entry",
        "{{ pte_t *q[2]; q[0] = {ptep}; q[1] = {ptep} + 1;"
        " lazy_mmu_mode_enable_for_pte_range({mm}, {addr}, {end}, q[1]); }}",
        *PTEP,
        alone=True,
    ),
    around(
        "element of an array that a call gets",
        "{{ pte_t *q[2]; q[0] = {ptep}; advance(q); lazy_mmu_mode_enable_for_pte_range({mm}, {addr}, {end}, q[0]); }}",
        *PTEP,
        alone=True,
    ),
    given("range from the next entry on", "range", addr="{addr} + PAGE_SIZE", ptep="{ptep} + 1"),
    given("larger of two ends", *RANGE, end="max({end}, {end} + PAGE_SIZE)"),
    given("smaller of two ends", *RANGE, end="min({end}, {end} - PAGE_SIZE)"),
    given("half of addr, the smaller", *PTEP, addr="min_t(int, {addr}, {addr})"),
    given("half of addr, the larger", *PTEP, addr="max_t(some_type, {addr}, {addr})"),
    given("smaller of two addresses", *PTEP, addr="min({addr}, {addr} - PAGE_SIZE)"),
    before("get_user", "get_user({addr}, (unsigned long __user *)data);", *PTEP),
    before("do_div", "do_div({addr}, 2);", *PTEP),
    before("WRITE_ONCE", "WRITE_ONCE({addr}, 0);", *PTEP),
    before("through a pointer to ptep", "pte_t **pp = &{ptep}; (*pp)++;", *PTEP, alone=False),
    before("a call with that", "pte_t **pp = &{ptep}; advance(pp);", *PTEP, alone=False),
    before("through a pointer to addr", "unsigned long *pa = &{addr}; *pa += PAGE_SIZE;", *PTEP, alone=False),
    before("an element of that", "unsigned long *pa = &{addr}; pa[0] += PAGE_SIZE;", *PTEP, alone=False),
    before("a call with that one", "unsigned long *pa = &{addr}; step(pa);", *PTEP, alone=False),
    before("one of two", "unsigned long *pa = get() ? &{addr} : &other; *pa += PAGE_SIZE;", *PTEP, alone=False),
    before("in a struct", "struct it it = {{ .p = &{ptep} }}; it_next(&it);", *PTEP, alone=False),
    before("asm", 'asm volatile("add %0" : "+r" ({ptep}));', *PTEP),
    before("NULL", "{ptep} = NULL;", *PTEP),
    before("unmapped", "pte_unmap({ptep});", *PTEP),
    before("end far away", "{end} = {addr} + 2 * PMD_SIZE;", *RANGE, alone=False),
    before("end moved", "{end} += PMD_SIZE;", *RANGE, alone=False),
    before("end unknown", "{end} = get_end();", *RANGE, alone=False),
    around("shadowed ptep", "{{ pte_t *{ptep} = other_pte; {call}; }}", *PTEP, alone=True),
    around("shadowed addr", "{{ unsigned long {addr} = 0; {call}; }}", *PTEP, alone=True),
    around("enable on one path", "if (get_count()) {call};", "unmatched"),
    around("enable doubled", "{call}; {call};", "leak"),
    around("paused", "{call}; lazy_mmu_mode_pause();", "leak", "paired", "locked"),
    around("return in an expression", "{call}; use(({{ if (get_count()) return 0; 1; }}));", "leak"),
    Mutator("unlocked meanwhile", ("outside",), unlocked_meanwhile, alone=False),
    given("++ptep", *PTEP, ptep="++{ptep}"),
    given("statement expression", *PTEP, ptep="({{ {ptep}++; {ptep}; }})"),
    given("comma", *PTEP, ptep="({ptep}++, {ptep})"),
    given("one of two entries", *PTEP, ptep="get_count() ? {ptep} : {ptep} + 1"),
    given("one byte on", *PTEP, ptep="(pte_t *)((char *){ptep} + 1)"),
    given("one entry on, as a number", *PTEP, ptep="(pte_t *)((unsigned long){ptep} + sizeof(pte_t))"),
    given("no pointer", *PTEP, ptep="NULL"),
    given("the entry itself", *PTEP, ptep="*{ptep}"),
    given("the pointer's address", *PTEP, ptep="&{ptep}"),
    given("addr advanced", *PTEP, addr="{addr} += PAGE_SIZE"),
    given("one of two addresses", *PTEP, addr="get_count() ? {addr} : {end}"),
    given("half of addr", *PTEP, addr="(u32){addr}"),
    given("addr as int", *PTEP, addr="(int){addr}"),
    given("table of addr", *PTEP, addr="{addr} & PMD_MASK"),
    given("offset of addr", *PTEP, addr="{addr} & ~PAGE_MASK"),
    given("frame of addr", *PTEP, addr="{addr} >> PAGE_SHIFT"),
    given("addr + len", *PTEP, addr="{addr} + len"),
    given("addr 0", *PTEP, addr="0"),
    given("half of end", *RANGE, end="(unsigned int){end}"),
    given("end 0", *RANGE, end="0"),
    given("end ULONG_MAX", *RANGE, end="ULONG_MAX"),
    given("length", *RANGE, end="{end} - {addr}"),
    given("end of another", *RANGE, end="other_end"),
    given("end of the larger table", *RANGE, end="pud_addr_end({addr}, {end})"),
    given("larger end", *RANGE, end="max({end}, {addr} + PMD_SIZE)"),
    given("one of two ends", *RANGE, end="get_count() ? {end} : {end} + PMD_SIZE"),
    given("no mm", "mm", mm="NULL"),
    given("an mm with a reference", "mm", mm="get_task_mm(current)"),
    given("one of two mms", "mm", mm="get_count() ? {mm} : current->mm"),
    given("undeclared VMA", "mm", mm="other_vma->vm_mm"),
    other_owner("struct vm_area_struct *other = find_vma(current->mm, 0);", "other->vm_mm"),
    other_owner("struct mmu_gather *other = other_tlb();", "other->mm"),
    other_owner("struct mm_walk *other = other_walk();", "other->mm"),
    mapped("mapped at the next", "addr", "{x} + PAGE_SIZE", *PTEP),
    mapped("mapped at the table", "addr", "{x} & PMD_MASK", *PTEP),
    mapped("mapped at another", "addr", "other_addr", *PTEP),
    mapped("mapped for another", "mm", "other_mm", "mm"),
    mapped("mapped for current", "mm", "current->mm", "mm"),
    mapped("mapped in the next table", "pmd", "{x} + 1", "ptep", "mm"),
)


# ---------------------------------------------------------------- tests


def check_conversion(folder: Path, files: dict[str, int]) -> None:
    """Converted with either API, every section is verified and nothing is found."""
    for name, count in files.items():
        source = Source(name, (folder / name).read_bytes())
        for conversion in (convert, convert_to_generic):
            facts = analyse(conversion(source), name)
            ranged = [section for section in sections_of(facts) if section.kind == "ranged"]
            assert (name, len(ranged), facts.skipped) == (name, count, ())
            for section in ranged:
                assert (name, section.verdict, faults(section)) == (name, Verdict.VERIFIED, [])
            assert [surplus for function in facts.functions for surplus in function.unmatched] == []


def test_converted_samples_are_verified() -> None:
    check_conversion(SAMPLES, SAMPLE_FILES)


def test_converted_kernel_files_are_verified() -> None:
    check_conversion(kernel("6.12"), KERNEL_FILES)


def survivors(calls: tuple[Walker, ...], mutators: tuple[Mutator, ...]) -> list[str]:
    """What became of the mutants that were not found; there have to be some mutants."""
    made = [mutant for walker in calls for mutant in mutants(walker, mutators)]
    assert len(made) >= len(calls) * len(mutators) * 0.8
    # What is done to a function rather than to a call is done once.
    once = {(mutant.data, mutant.mutator.name): mutant for mutant in reversed(made)}
    return [f"{mutant.name}: {fault}" for mutant in once.values() if (fault := survives(mutant))]


def test_a_fault_that_is_none_survives() -> None:
    (walker,) = converted(SAMPLES / "mm/mprotect.c")
    harmless = (before("nothing", ";", "ptep"), before("other fault", "{ptep}++;", "range"))
    assert [survives(mutant) for mutant in mutants(walker, harmless)] == [
        "nothing was found",
        "found as ptep instead of range: 'pte' is not the entry for 'addr': it is one entry ahead of it",
    ]


@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_faults_in_the_samples_are_found(name: str) -> None:
    assert survivors(converted(SAMPLES / name), MUTATORS + MORE) == []


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_faults_in_the_kernel_are_found(name: str) -> None:
    assert survivors(converted(kernel("6.12") / name), MUTATORS) == []


@pytest.mark.parametrize(("file", "function", "ordinal"), CLOSELY)
def test_devious_faults_are_found(file: str, function: str, ordinal: int) -> None:
    calls = tuple(w for w in converted(SAMPLES / file) if (w.facts.name, w.ordinal) == (function, ordinal))
    assert len(calls) == 1
    assert survivors(calls, FURTHER) == []


def unmade(folder: Path, files: dict[str, int], mutators: tuple[Mutator, ...]) -> dict[str, list[str]]:
    """The calls that a mutator cannot be applied to, by its name."""
    calls = [walker for name in files for walker in converted(folder / name)]
    found = {m.name: [f"{w.facts.name}[{w.ordinal}]" for w in calls if not m.make(w)] for m in mutators}
    return {name: names for name, names in found.items() if names}


def test_mutators_apply_to_all_but_these() -> None:
    kernel_tables = ["vmap_pte_range[0]", "vunmap_pte_range[0]", "vmap_pages_pte_range[0]"]
    found = unmade(SAMPLES, SAMPLE_FILES, MUTATORS + MORE)
    assert "copy_pte_range[0]" not in found.pop("dst_mm")
    assert len(found.pop("enable before the kernel map")) == 11
    assert found == {
        "&init_mm": kernel_tables,
        "enable before the map": kernel_tables,
        "disable behind the unlock": kernel_tables,
    }


def test_mutators_apply_to_all_but_these_in_the_kernel() -> None:
    found = unmade(kernel("6.12"), KERNEL_FILES, MUTATORS)
    assert {name: len(calls) for name, calls in found.items()} == {"dst_mm": 10, "enable before the kernel map": 11}


@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_a_fault_leaves_the_rest_of_the_file_alone(name: str) -> None:
    source = Source(name, (SAMPLES / name).read_bytes())
    whole = Source(name, convert(source))
    clean = [(s.function, s.verdict) for s in sections_of(analyse(whole.data))]
    for section in [section for section in sections_of(analyse(whole.data)) if section.kind == "ranged"]:
        ptep = next(argument for argument in section.arguments if argument.name == "ptep")
        data = apply_edits(whole.data, [Edit(name, ptep.span, f"{ptep.text} + 1")])
        after = [(s.function, s.verdict) for s in sections_of(analyse(data))]
        changed = [pair for pair, now in zip(clean, after, strict=True) if pair != now]
        assert changed == [(section.function, Verdict.VERIFIED)]


@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_a_variable_that_is_not_passed_may_move(name: str) -> None:
    moved = 0
    for walker in converted(SAMPLES / name):
        statement = walker.text(walker.statement(walker.map_calls[0]))
        for other in {"pte", "start_pte", "mapped_pte"} & set(statement.replace("=", " ").split()):
            if other != walker.argument("ptep"):
                moved += 1
                data = apply_edits(walker.data, [walker.before(walker.call, f"{other}++;")])
                facts = facts_of(data, walker.facts.name)
                assert facts is not None
                assert facts.sections[walker.ordinal].verdict is Verdict.VERIFIED, walker.name
    assert moved == {"mm/madvise.c": 4, "mm/memory.c": 3, "fs/proc/task_mmu.c": 1}.get(name, 0)
