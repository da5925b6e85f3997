"""Rewriting that changes nothing must change no verdict.

Loops become other loops, names other names, arguments other spellings of the same value: a call that is verified stays
so, and the call that is proposed stays the same up to the names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from tree_sitter import Node

from mmlint.diagnostic import Edit
from mmlint.facts.sections import FunctionFacts, Verdict
from mmlint.fix import apply_edits
from mmlint.source import Source
from tests.kernels import kernel
from tests.mutation import LOOPS, Walker, convert, facts_of, faults, nodes_of, walkers
from tests.test_mutants import KERNEL_FILES, SAMPLE_FILES, SAMPLES

# ---------------------------------------------------------------- loops


@dataclass(frozen=True, slots=True)
class Jumps:
    """What stands for break and continue; None leaves them."""

    out: str | None = None
    on: str | None = None


@dataclass
class LoopWriter:
    """Writes a function with each loop in another form: "while", "goto" or "for"."""

    walker: Walker
    form: str
    count: int = 0

    def function(self) -> bytes:
        """The whole file with the function rewritten."""
        root = self.walker.function.tree.root_node
        text = self.write(root, Jumps())
        edit = Edit(self.walker.path, self.walker.function.span, self._whole(root, text))
        return apply_edits(self.walker.data, [edit])

    def _whole(self, root: Node, text: str) -> str:
        span = self.walker.function.span
        before = self.walker.data[span.start : self.walker.start(root)].decode()
        return before + text + self.walker.data[self.walker.end(root) : span.end].decode()

    def write(self, node: Node, jumps: Jumps) -> str:
        if node.type == "break_statement" and jumps.out:
            return f"goto {jumps.out};"
        if node.type == "continue_statement" and jumps.on:
            return f"goto {jumps.on};"
        if node.type in LOOPS and self.walker.start(node) not in self.walker.function.loops:
            written = self._loop(node)
            if written:
                return written
        if node.type in LOOPS:
            jumps = Jumps()
        elif node.type == "switch_statement":
            jumps = replace(jumps, out=None)
        return self._children(node, jumps)

    def _children(self, node: Node, jumps: Jumps) -> str:
        position, pieces = self.walker.start(node), []
        for child in node.children:
            pieces += [self._between(position, self.walker.start(child)), self.write(child, jumps)]
            position = self.walker.end(child)
        return "".join([*pieces, self._between(position, self.walker.end(node))])

    def _between(self, start: int, end: int) -> str:
        return self.walker.data[start:end].decode()

    def _loop(self, node: Node) -> str:
        if (self.form, node.type) in (("while", "while_statement"), ("while", "do_statement")):
            return ""
        if self.form == "for" and node.type != "do_statement":
            return ""
        self.count += 1
        number = self.count
        on = f"on_{number}"
        body = node.child_by_field_name("body")
        assert body is not None
        if self.form == "while":
            head, condition, step = self._for_parts(node)
            inner = self.write(body, Jumps(None, on))
            return f"{{ {head} while ({condition}) {{ {inner} {on}: ; {step}; }} }}"
        if self.form == "for":
            inner = self.write(body, Jumps(None, on))
            return f"for (;;) {{ {inner} {on}: ; if (!{self._part(node, 'condition')}) break; }}"
        return self._as_goto(node, self.write(body, Jumps(f"out_{number}", on)), number)

    def _as_goto(self, node: Node, inner: str, number: int) -> str:
        again, on, out = f"again_{number}", f"on_{number}", f"out_{number}"
        if node.type == "do_statement":
            condition = self._part(node, "condition")
            return f"{{ {again}: ; {inner} {on}: ; if ({condition}) goto {again}; {out}: ; }}"
        if node.type == "while_statement":
            head, condition, step = "", self._part(node, "condition"), ""
        else:
            head, condition, step = self._for_parts(node)
        test = f"if (!({condition})) goto {out};"
        return f"{{ {head} {again}: ; {test} {inner} {on}: ; {step}; goto {again}; {out}: ; }}"

    def _for_parts(self, node: Node) -> tuple[str, str, str]:
        head = self._part(node, "initializer")
        return (head if head.endswith(";") else f"{head};", self._part(node, "condition") or "1", self._part(node, "update"))

    def _part(self, node: Node, name: str) -> str:
        part = node.child_by_field_name(name)
        return self.walker.text(part) if part is not None else ""


# ---------------------------------------------------------------- the rest of a function


def renamed(walker: Walker) -> bytes:
    """Every parameter and local by another name."""
    span = walker.function.span
    names = sorted(local_names(walker), key=len, reverse=True)
    pattern = re.compile(rf"(?<!struct )(?<![.\w])(?<!->)({'|'.join(names)})\b".encode())
    text = pattern.sub(rb"eq_\1", walker.data[span.start : span.end])
    return walker.data[: span.start] + text + walker.data[span.end :]


def local_names(walker: Walker) -> set[str]:
    """The names that the function declares."""
    found = set()
    for node in walker.nodes:
        if node.type in ("declaration", "parameter_declaration"):
            for declarator in node.children_by_field_name("declarator"):
                found |= {walker.text(n) for n in _declared(declarator) if n.type == "identifier"}
    return found - {walker.facts.name, "LIST_HEAD"}


def _declared(declarator: Node) -> list[Node]:
    while declarator.type not in ("identifier", "parenthesized_declarator"):
        inner = declarator.child_by_field_name("declarator")
        if inner is None:
            break
        declarator = inner
    return nodes_of(declarator)[:1]


def commented(walker: Walker) -> bytes:
    """A comment before every token of the function's body."""
    leaves = [n for n in walker.nodes if not n.children and n.start_byte < n.end_byte and not _in_string(n)]
    tokens = [n for n in leaves if walker.start(n) > walker.function.body.start and n.type != "comment"]
    return apply_edits(walker.data, [walker.insert(walker.start(token), "/* ; } */") for token in tokens])


def _in_string(node: Node) -> bool:
    outer: Node | None = node
    while outer is not None:
        if outer.type in ("string_literal", "char_literal", "concatenated_string") or outer.type.startswith("preproc"):
            return True
        outer = outer.parent
    return False


# ---------------------------------------------------------------- equivalents

Rewriting = Callable[[Walker], bytes]


def statement(text: str) -> Rewriting:
    """The call's statement as another: {call} is the call."""

    def rewrite(walker: Walker) -> bytes:
        call = walker.text(walker.call)
        filled = walker.fill(text) if walker.section.kind == "ranged" else text.format(call=call)
        return apply_edits(walker.data, [walker.replace(walker.statement(walker.call), filled)])

    return rewrite


def arguments(**changed: str) -> Rewriting:
    """The call with other arguments of the same value."""
    return lambda walker: apply_edits(walker.data, walker.given(**changed))


def disables(text: str) -> Rewriting:
    """Every disable as another statement: {call} is the call."""
    return lambda walker: apply_edits(
        walker.data, [walker.replace(walker.statement(leave), text.format(call=walker.text(leave))) for leave in walker.leaves]
    )


def in_loops(text: str) -> Rewriting:
    """A statement at the top of every loop."""

    def rewrite(walker: Walker) -> bytes:
        bodies = [n.child_by_field_name("body") for n in walker.nodes if n.type in LOOPS]
        edits = [walker.insert(walker.start(body) + 1, text) for body in bodies if body and body.type == "compound_statement"]
        return apply_edits(walker.data, edits)

    return rewrite


FUNCTION: dict[str, Rewriting] = {
    "for as while": lambda w: LoopWriter(w, "while").function(),
    "loops as goto": lambda w: LoopWriter(w, "goto").function(),
    "do as for": lambda w: LoopWriter(w, "for").function(),
    "comments": commented,
    "braces around disables": disables("{{ {call}; }}"),
    "disables in do": disables("do {{ {call}; }} while (0);"),
    "statements in loops": in_loops(" barrier(); if (unlikely(0)) return_nothing();"),
    "dead return in loops": in_loops(" if (0) return;"),
}
CALL: dict[str, Rewriting] = {
    "braces": statement("{{ {call}; }}"),
    "if (1)": statement("if (1) {{ {call}; }}"),
    "if (0) else": statement("if (0) return; else {call};"),
    "do while (0)": statement("do {{ {call}; }} while (0);"),
    "for once": statement("for (int eq_i = 0; eq_i < 1; eq_i++) {call};"),
    "statement expression": statement("({{ {call}; }});"),
    "behind a label": statement("goto eq_here; eq_here: {call};"),
    "in a switch": statement("switch (0) {{ default: {call}; }}"),
    "unused variable": statement("int eq_unused; {call};"),
    "barrier": statement("barrier(); {call}; barrier();"),
    "warning": statement("VM_WARN_ON(!mm); {call}; WARN_ON_ONCE(in_atomic());"),
    "printk": statement('if (unlikely(foo)) pr_debug("x"); {call};'),
    "loop that does nothing": statement("while (eq_busy()) cpu_relax(); {call};"),
    "shadowed elsewhere": statement("{{ pte_t *pte = NULL, *start_pte = pte; unsigned long addr = 0, end = 1; }} {call};"),
}
ARGUMENTS: dict[str, Rewriting] = {
    "lines": arguments(mm="\n\t\t\t{mm}", addr="\n{addr}\n", end="\\\n{end}", ptep="/* , */ {ptep} // )\n"),
    "parentheses": arguments(mm="({mm})", addr="(({addr}))", end="({end})", ptep="({ptep})"),
    "casts": arguments(mm="(struct mm_struct *){mm}", addr="(unsigned long){addr}", end="(u64){end}", ptep="(pte_t *){ptep}"),
    "casts there and back": arguments(addr="(unsigned long)(void *){addr}", ptep="(pte_t *)(void *){ptep}"),
    "elements": arguments(ptep="&{ptep}[0]", addr="{addr} + 0", end="{end} - 0"),
    "pages": arguments(ptep="{ptep} + 1 - 1", addr="{addr} + PAGE_SIZE - PAGE_SIZE", end="PAGE_SIZE * 0 + {end}"),
    "shifts": arguments(addr="{addr} + (1UL << PAGE_SHIFT) - PAGE_SIZE", ptep="&({ptep} - 1)[1]"),
    "pointer to pointer": arguments(ptep="*&{ptep}", addr="*&{addr}", end="*&{end}"),
    "choices": arguments(ptep="1 ? {ptep} : NULL", addr="0 ? 0 : {addr}", end="{end} ?: {end}"),
    "commas": arguments(ptep="(barrier(), {ptep})", addr="(0, {addr})", end="({{ {end}; }})"),
    "aliases": statement(
        "pte_t *eq_p = {ptep}; unsigned long eq_a = {addr}, eq_e = {end}; struct mm_struct *eq_m = {mm};"
        " lazy_mmu_mode_enable_for_pte_range(eq_m, eq_a, eq_e, eq_p);"
    ),
    "aliases that move alike": statement(
        "pte_t *eq_p = {ptep} + 1; unsigned long eq_a = {addr} + PAGE_SIZE, eq_e = {end}; eq_p--; eq_a -= PAGE_SIZE;"
        " lazy_mmu_mode_enable_for_pte_range({mm}, eq_a, eq_e, eq_p);"
    ),
    "moved there and back": statement(
        "{ptep}++; {addr} += PAGE_SIZE; eq_look({addr}); {ptep} -= 1; {addr} -= PAGE_SIZE; {call};"
    ),
}


@cache
def both(path: Path) -> tuple[tuple[Walker, ...], tuple[Walker, ...]]:
    """The converted and the plain sections of a file."""
    source = Source("/".join(path.parts[-2:]), path.read_bytes())
    return tuple(walkers(source, convert)), tuple(walkers(source, None))


def rewritten(walker: Walker, rewriting: Rewriting) -> FunctionFacts | str:
    """The facts of a rewritten walker, or what is wrong with them."""
    data = rewriting(walker)
    facts = facts_of(data, walker.facts.name)
    if facts is None:
        return "not analysed"
    if len(facts.sections) != len(walker.facts.sections):
        return f"{len(facts.sections)} sections"
    if facts.unmatched:
        return facts.unmatched[0].message
    if [i.kind for i in facts.incidents] != [i.kind for i in walker.facts.incidents]:
        return f"incidents: {[i.message for i in facts.incidents]}"
    return facts


def changed_verdict(walker: Walker, rewriting: Rewriting) -> str:
    """Why a rewritten ranged call is not verified any more, or empty."""
    facts = rewritten(walker, rewriting)
    if isinstance(facts, str):
        return facts
    for section in facts.sections:
        if section.verdict is not Verdict.VERIFIED or faults(section):
            return f"{section.verdict} ({', '.join(faults(section))}): {section.reason}"
    return ""


def changed_proposal(walker: Walker, rewriting: Rewriting) -> str:
    """How the proposal for a rewritten plain call differs, or empty."""
    facts = rewritten(walker, rewriting)
    if isinstance(facts, str):
        return facts
    for before, after in zip(walker.facts.sections, facts.sections, strict=True):
        wanted, proposed = (
            (section.proposal.call.replace("eq_", ""), section.proposal.safe) if section.proposal else None
            for section in (before, after)
        )
        if proposed != wanted:
            return f"{proposed} instead of {wanted}: {after.reason}"
    return ""


def changes(path: Path) -> list[str]:
    """What changes where nothing should, for a file."""
    ranged, plain = both(path)
    found = []
    for walker in ranged:
        once = walker.ordinal == 0
        rewritings = {**(FUNCTION if once else {}), **({"names": renamed} if once else {}), **CALL, **ARGUMENTS}
        found += [(f"{walker.name} {name}", changed_verdict(walker, r)) for name, r in rewritings.items()]
    for walker in plain:
        once = walker.ordinal == 0
        rewritings = {**(FUNCTION if once else {}), **({"names": renamed} if once else {}), **CALL}
        found += [(f"{walker.name} plain, {name}", changed_proposal(walker, r)) for name, r in rewritings.items()]
    assert len(found) > 20 * len(ranged)
    return [f"{name}: {fault}" for name, fault in found if fault]


@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_equivalents_change_nothing_in_the_samples(name: str) -> None:
    assert changes(SAMPLES / name) == []


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_equivalents_change_nothing_in_the_kernel(name: str) -> None:
    assert changes(kernel("6.12") / name) == []
