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

from mmlint.facts.sections import FunctionFacts, Verdict
from mmlint.fix import apply_edits
from mmlint.source import Source
from tests.kernels import kernel
from tests.mutation import LOOPS, VOCABULARY, Walker, convert, facts_of, faults, nodes_of, walkers
from tests.test_mutants import KERNEL_FILES, SAMPLE_FILES, SAMPLES

Rewriting = Callable[[Walker], bytes]

# ---------------------------------------------------------------- writing a function anew


class Writer:
    """Writes the function of a walker anew, node by node; what a node is not rewritten to stays as it is."""

    def __init__(self, walker: Walker) -> None:
        self.walker = walker
        self.count = 0

    def file(self) -> bytes:
        """The whole file with the function rewritten."""
        span, root = self.walker.function.span, self.walker.function.tree.root_node
        before = self.walker.data[: self.walker.start(root)]
        after = self.walker.data[self.walker.end(root) :]
        assert self.walker.start(root) >= span.start and self.walker.end(root) <= span.end
        return before + self.write(root).encode() + after

    def write(self, node: Node) -> str:
        """The text of a node."""
        return self.special(node) or self.plain(node)

    def special(self, node: Node) -> str:
        """Another text for the node, or empty."""
        raise NotImplementedError

    def plain(self, node: Node) -> str:
        """The node as it is, with its children written."""
        position, pieces = self.walker.start(node), []
        for child in node.children:
            pieces += [self._between(position, self.walker.start(child)), self.write(child)]
            position = self.walker.end(child)
        return "".join([*pieces, self._between(position, self.walker.end(node))])

    def _between(self, start: int, end: int) -> str:
        return self.walker.data[start:end].decode()

    def part(self, node: Node, name: str) -> str:
        """A child by its field, written; empty where there is none."""
        child = node.child_by_field_name(name)
        return self.write(child) if child is not None else ""


@dataclass(frozen=True, slots=True)
class Jumps:
    """What stands for break and continue; None leaves them."""

    out: str | None = None
    on: str | None = None


class LoopWriter(Writer):
    """Writes each loop in another form: "while", "goto" or "for"."""

    def __init__(self, walker: Walker, form: str) -> None:
        super().__init__(walker)
        self.form = form
        self.jumps = Jumps()

    def special(self, node: Node) -> str:
        if node.type == "break_statement" and self.jumps.out:
            return f"goto {self.jumps.out};"
        if node.type == "continue_statement" and self.jumps.on:
            return f"goto {self.jumps.on};"
        if node.type == "switch_statement":
            return self._under(node, replace(self.jumps, out=None))
        if node.type not in LOOPS:
            return ""
        is_macro = self.walker.start(node) in self.walker.function.loops
        return self._under(node, Jumps()) if is_macro or not self._wanted(node) else self._loop(node)

    def _wanted(self, node: Node) -> bool:
        forms = {"while": ("for_statement",), "for": ("do_statement", "while_statement"), "goto": LOOPS}
        return node.type in forms[self.form]

    def _under(self, node: Node, jumps: Jumps) -> str:
        before, self.jumps = self.jumps, jumps
        text = self.plain(node)
        self.jumps = before
        return text

    def _loop(self, node: Node) -> str:
        self.count += 1
        on, out = f"on_{self.count}", f"out_{self.count}"
        head, step, condition = (
            self.part(node, "initializer"),
            self.part(node, "update"),
            self.part(node, "condition") or "1",
        )
        head = head if head.endswith(";") else f"{head};"
        body = node.child_by_field_name("body")
        assert body is not None
        again = f"again_{self.count}"
        inner = self._under_body(body, Jumps(out if self.form == "goto" else None, on))
        if self.form == "while":
            return f"{{ {head} while ({condition}) {{ {inner} {on}: ; {step}; }} }}"
        test_first = node.type != "do_statement"
        if self.form == "for":
            test = f"if (!{condition}) break;"
            return f"for (;;) {{ {test if test_first else ''} {inner} {on}: ; {'' if test_first else test} }}"
        if not test_first:
            return f"{{ {again}: ; {inner} {on}: ; if ({condition}) goto {again}; {out}: ; }}"
        return f"{{ {head} {again}: ; if (!({condition})) goto {out}; {inner} {on}: ; {step}; goto {again}; {out}: ; }}"

    def _under_body(self, body: Node, jumps: Jumps) -> str:
        before, self.jumps = self.jumps, jumps
        text = self.write(body)
        self.jumps = before
        return text


class Respeller(Writer):
    """Writes the nodes of some types in another way."""

    def __init__(self, walker: Walker, spellings: dict[str, Callable[[Writer, Node], str]]) -> None:
        super().__init__(walker)
        self.spellings = spellings

    def special(self, node: Node) -> str:
        spelling = self.spellings.get(node.type)
        text = spelling(self, node) if spelling else ""
        self.count += bool(text)
        return text


def long_step(writer: Writer, node: Node) -> str:
    """``x += y`` as ``x = x + (y)``."""
    operator, left = node.child_by_field_name("operator"), writer.part(node, "left")
    text = writer.walker.text(operator) if operator is not None else "="
    return f"{left} = {left} {text[:-1]} ({writer.part(node, 'right')})" if text in ("+=", "-=") else ""


def long_increment(writer: Writer, node: Node) -> str:
    """``x++`` as ``x += 1`` where nobody wants the value."""
    unused = node.parent is not None and node.parent.type in (
        "expression_statement",
        "for_statement",
        "comma_expression",
    )
    name = writer.part(node, "argument")
    return f"{name} {'-=' if '--' in writer.walker.text(node) else '+='} 1" if unused else ""


FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
DENIED = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}


def operator_of(writer: Writer, node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return writer.walker.text(operator) if operator is not None else ""


def flipped(writer: Writer, node: Node) -> str:
    """``x < y`` as ``y > x``."""
    operator = FLIPPED.get(operator_of(writer, node))
    return f"({writer.part(node, 'right')} {operator} {writer.part(node, 'left')})" if operator else ""


def denied(writer: Writer, node: Node) -> str:
    """``x < y`` as ``!(x >= y)``."""
    operator = DENIED.get(operator_of(writer, node))
    return f"(!({writer.part(node, 'left')} {operator} {writer.part(node, 'right')}))" if operator else ""


def difference(writer: Writer, node: Node) -> str:
    """``x == y`` as ``!(x - y)`` and ``x != y`` as ``x - y``, for numbers that are no pointers."""
    operator, sides = operator_of(writer, node), [writer.part(node, "left"), writer.part(node, "right")]
    if operator not in ("==", "!=") or any(not re.fullmatch(r"\w*(addr|end)", side) for side in sides):
        return ""
    return f"({'!' if operator == '==' else ''}({sides[0]} - {sides[1]}))"


def turned(writer: Writer, node: Node) -> str:
    """``if (x) A else B`` with the arms exchanged."""
    if "\n#" in writer.walker.text(node):
        return ""
    condition, then = writer.part(node, "condition"), writer.part(node, "consequence")
    otherwise = node.child_by_field_name("alternative")
    other = writer.write(otherwise).removeprefix("else") if otherwise is not None else ";"
    return f"if (!{condition}) {{ {other} }} else {{ {then} }}"


def nested(writer: Writer, node: Node) -> str:
    """``if (x && y) A`` as two."""
    condition = node.child_by_field_name("condition")
    inner = condition.named_children[0] if condition is not None and condition.named_children else None
    if inner is None or operator_of(writer, inner) != "&&" or node.child_by_field_name("alternative") is not None:
        return ""
    left, right = writer.part(inner, "left"), writer.part(inner, "right")
    return f"if ({left}) {{ if ({right}) {{ {writer.part(node, 'consequence')} }} }}"


def null_tested(writer: Writer, node: Node) -> str:
    """``!pte`` as ``pte == NULL``."""
    argument = writer.part(node, "argument")
    is_pointer = re.fullmatch(r"\w*ptep?", argument) and operator_of(writer, node) == "!"
    return f"({argument} == NULL)" if is_pointer else ""


def split_chain(writer: Writer, node: Node) -> str:
    """``a = b = map()`` as ``b = map(); a = b``."""
    inner = node.named_children[0] if node.named_children else None
    right = inner.child_by_field_name("right") if inner is not None and inner.type == "assignment_expression" else None
    if inner is None or right is None or right.type != "assignment_expression":
        return ""
    return f"{{ {writer.write(right)}; {writer.part(inner, 'left')} = {writer.part(right, 'left')}; }}"


def held_result(writer: Writer, node: Node) -> str:
    """A map call with its result in a variable of its own first."""
    callee = writer.part(node, "function")
    return f"({{ pte_t *eq_m = {writer.plain(node)}; eq_m; }})" if callee in VOCABULARY.maps else ""


def checked_result(writer: Writer, node: Node) -> str:
    """A map call with a choice that is none."""
    callee = writer.part(node, "function")
    return f"(eq_debug() ? {writer.plain(node)} : {writer.plain(node)})" if callee in VOCABULARY.maps else ""


def respelled(**spellings: Callable[[Writer, Node], str]) -> Rewriting:
    return lambda walker: Respeller(walker, spellings).file()


def replaced(old: str, new: str) -> Rewriting:
    """A word of the function by another text."""

    def rewrite(walker: Walker) -> bytes:
        span = walker.function.body
        text = re.sub(rb"\b" + old.encode() + rb"\b", new.encode(), walker.data[span.start : span.end])
        return walker.data[: span.start] + text + walker.data[span.end :]

    return rewrite


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


HELPERS = """
static inline unsigned long eq_same(unsigned long x)
{
	return x;
}
static unsigned long eq_later(unsigned long x)
{
	/* one page on */
	return (x) + PAGE_SIZE;
}
static unsigned long eq_sooner(const unsigned long x) { return x - 1 * PAGE_SIZE; }
static pte_t *eq_pointer(pte_t *ptep) { return ptep; }
#define EQ_SAME(x) (x)
#define EQ_BACK(x) \\
	((x) - PAGE_SIZE)
"""


def with_helpers(**changed: str) -> Rewriting:
    """The same, with functions and macros that the file defines for it."""
    return lambda walker: apply_edits(
        walker.data, [walker.insert(walker.function.span.start, HELPERS), *walker.given(**changed)]
    )


def disables(text: str) -> Rewriting:
    """Every disable as another statement: {call} is the call."""
    return lambda walker: apply_edits(
        walker.data,
        [walker.replace(walker.statement(leave), text.format(call=walker.text(leave))) for leave in walker.leaves],
    )


def in_loops(text: str) -> Rewriting:
    """A statement at the top of every loop."""

    def rewrite(walker: Walker) -> bytes:
        bodies = [n.child_by_field_name("body") for n in walker.nodes if n.type in LOOPS]
        edits = [
            walker.insert(walker.start(body) + 1, text) for body in bodies if body and body.type == "compound_statement"
        ]
        return apply_edits(walker.data, edits)

    return rewrite


FUNCTION: dict[str, Rewriting] = {
    "for as while": lambda w: LoopWriter(w, "while").file(),
    "loops as goto": lambda w: LoopWriter(w, "goto").file(),
    "while as for": lambda w: LoopWriter(w, "for").file(),
    "long steps": respelled(assignment_expression=long_step),
    "long increments": respelled(update_expression=long_increment),
    "flipped comparisons": respelled(binary_expression=flipped),
    "denied comparisons": respelled(binary_expression=denied),
    "differences": respelled(binary_expression=difference),
    "turned conditions": respelled(if_statement=turned),
    "nested conditions": respelled(if_statement=nested),
    "null tests": respelled(unary_expression=null_tested),
    "split chains": respelled(expression_statement=split_chain),
    "held results": respelled(call_expression=held_result),
    "two maps": respelled(call_expression=checked_result),
    "shifted pages": replaced("PAGE_SIZE", "(1UL << PAGE_SHIFT)"),
    "names": renamed,
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
    "shadowed elsewhere": statement(
        "{{ pte_t *pte = NULL, *start_pte = pte; unsigned long addr = 0, end = 1; }} {call};"
    ),
}
ARGUMENTS: dict[str, Rewriting] = {
    "lines": arguments(mm="\n\t\t\t{mm}", addr="\n{addr}\n", end="\\\n{end}", ptep="/* , */ {ptep} // )\n"),
    "parentheses": arguments(mm="({mm})", addr="(({addr}))", end="({end})", ptep="({ptep})"),
    "casts": arguments(
        mm="(struct mm_struct *){mm}", addr="(unsigned long){addr}", end="(u64){end}", ptep="(pte_t *){ptep}"
    ),
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
    "complements": arguments(addr="~~{addr}", end="-(-{end})"),
    "smaller and larger of equals": arguments(addr="max({addr}, {addr})", end="min({end}, min({end}, {end}))"),
    "smaller and larger": arguments(
        addr="max_t(unsigned long, {addr} - PAGE_SIZE, {addr})", end="umin({end}, {end} + 2 * PAGE_SIZE)"
    ),
    "swapped twice": statement("swap({addr}, {end}); swap({addr}, {end}); {call};"),
    "swapped into place": statement(
        "unsigned long eq_a = {end}, eq_e = {addr}; pte_t *eq_p = {ptep}, *eq_q = NULL; swap(eq_a, eq_e);"
        " swap(eq_p, eq_q); lazy_mmu_mode_enable_for_pte_range({mm}, eq_a, eq_e, eq_q);"
    ),
    "in arrays": statement(
        "pte_t *eq_q[2]; unsigned long eq_r[2]; eq_q[1] = {ptep}; eq_q[0] = NULL; eq_r[0] = {addr}; eq_r[1] = {end};"
        " eq_look(); lazy_mmu_mode_enable_for_pte_range({mm}, eq_r[0], *(eq_r + 1), eq_q[1]);"
    ),
    "swapped in an array": statement(
        "unsigned long eq_r[2]; eq_r[0] = {end}; eq_r[1] = {addr}; swap(eq_r[1], eq_r[0]);"
        " lazy_mmu_mode_enable_for_pte_range({mm}, eq_r[0], eq_r[1], {ptep});"
    ),
    "functions that return their argument": with_helpers(
        addr="eq_same({addr})", end="eq_later(eq_sooner({end}))", ptep="eq_pointer({ptep})"
    ),
    "macros that are their argument": with_helpers(addr="EQ_SAME({addr})", end="EQ_BACK({end} + PAGE_SIZE)"),
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


def changes(
    calls: tuple[Walker, ...], check: Callable[[Walker, Rewriting], str], *tables: dict[str, Rewriting]
) -> list[str]:
    """What changes where nothing should. What is done to a function is done at its first call."""
    found = []
    for walker in calls:
        for table in tables if walker.ordinal == 0 else tables[1:]:
            for name, rewriting in table.items():
                if rewriting(walker) != walker.data:
                    found.append((f"{walker.name} {walker.section.kind}: {name}", check(walker, rewriting)))
    assert len(found) >= len(FUNCTION) // 2
    return [f"{name}: {fault}" for name, fault in found if fault]


@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_equivalents_of_ranged_calls_in_the_samples(name: str) -> None:
    assert changes(both(SAMPLES / name)[0], changed_verdict, FUNCTION, CALL, ARGUMENTS) == []


@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_equivalents_of_plain_calls_in_the_samples(name: str) -> None:
    # Without the chain the pointer that the map call sets is the other one.
    table = {name: rewriting for name, rewriting in FUNCTION.items() if name != "split chains"}
    assert changes(both(SAMPLES / name)[1], changed_proposal, table) == []


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_equivalents_of_ranged_calls_in_the_kernel(name: str) -> None:
    assert changes(both(kernel("6.12") / name)[0], changed_verdict, FUNCTION) == []


def test_every_rewriting_is_possible_somewhere() -> None:
    calls = [walker for name in SAMPLE_FILES for walker in both(SAMPLES / name)[0]]
    unused = [n for n, r in {**FUNCTION, **CALL, **ARGUMENTS}.items() if all(r(w) == w.data for w in calls)]
    assert unused == []
