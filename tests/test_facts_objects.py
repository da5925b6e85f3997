"""Objects that are written as a whole, and their parts: what was known of a member does not outlive the write.

Each program is run by an interpreter, and every state of the analysis has to describe the run. The struct has the
members f and g, an inner struct ``in`` and an array ``v``.
"""

from __future__ import annotations

import re
from random import Random

import pytest

from mmlint.flow import ir
from tests.test_facts_state import HEAD, Checked, Program, faults_of

PROGRAMS = {
    # Read, not written before.
    "assigned": "y = s.f; s = t; z = s.f;",
    "assigned, written before": "s.f = 1; t.f = 2; y = s.f; s = t; z = s.f;",
    "assigned twice": "s = t; y = s.f; t.f = get(); s = t; z = s.f;",
    "assigned on one path": "y = s.f; if (n) s = t; z = s.f;",
    "assigned in a loop": "while (coin()) { y = s.f; s = t; z = s.f; t.f = get(); pte_index(0); }",
    "assigned from what is pointed to": "y = s.f; s = *a; z = s.f;",
    "assigned from a call": "y = s.f; s = get_s(); z = s.f;",
    "assigned from a literal": "y = s.f; s = (struct s){ .f = 1 }; z = s.f;",
    "assigned from its own member": "while (coin()) { s = wrap(s.f); y = s.f; pte_index(0); }",
    "declared in a loop": "while (coin()) { struct s u; y = u.f; pte_index(0); u.f = 5; z = u.f; }",
    "a member after the whole": "s = t; s.f = 5; y = s.f; t = s; z = t.f;",
    # By a call.
    "given to a call": "y = s.f; step(&s); z = s.f;",
    "a member given to a call": "y = s.f; step(&s.f); z = s.f;",
    "an inner member given to a call": "y = s.in.f; step(&s.in.f); z = s.in.f;",
    "an inner struct given to a call": "s.in.f = 1; step(&s.in); z = s.in.f;",
    "an array in it given to a call": "s.v[1] = 1; y = s.v[1]; step(s.v); z = s.v[1];",
    "set to zero": "y = s.f; memset(&s, 0, sizeof(s)); z = s.f;",
    "copied by a call": "s.f = 7; y = s.f; memcpy(&s, &t, sizeof(s)); z = s.f;",
    # Through pointers.
    "copied through pointers": "y = a->f; *a = *b; z = a->f;",
    "copied to what may be the same": "y = a->f; *b = s; z = a->f;",
    "written, then copied over": "a->f = 3; *b = t; y = a->f;",
    "copied to an element": "y = a->f; b[0] = *a; b[0] = s; z = a->f;",
    "through a pointer to it": "a = &s; y = s.f; *a = *b; z = s.f;",
    "a member through a pointer to it": "a = &s; y = s.f; a->f = 5; z = s.f;",
    "through one of two pointers": "if (n) a = &s; else a = &t; y = s.f; z = t.f; *a = *b; y = y - s.f; z = t.f;",
    "through a pointer to a member": "i = &s.f; y = s.f; *i = 5; z = s.f;",
    "through a pointer to another's member": "i = &a->f; y = a->f; *i = 5; z = a->f;",
    "a member behind a pointer to it": "i = &a->f; y = *i; a->f = 5; z = *i;",
    "a member of what may be the same, behind a pointer to it": "i = &a->f; y = *i; b->f = 5; z = *i;",
    "through a pointer to an element": "i = &s.v[1]; y = s.v[1]; *i = 5; z = s.v[1];",
    "through an array": "i = s.v; y = s.v[0]; *i = 5; z = s.v[0];",
    "an element after the whole": "i = s.v; y = *i; s = t; z = *i;",
    "through one of two pointers to members": "i = n ? &a->f : &b->f; y = a->f; *i = 5; z = a->f;",
    "behind one of two pointers to members": "i = n ? &a->f : &b->f; y = *i; a->f = 5; z = *i;",
    "a number behind one of two pointers": "i = coin() ? &x : &n; y = *i; x = 7; n = 8; z = *i;",
    "behind one of two pointers, the whole assigned": "a = n ? &s : &t; y = a->f; s = *b; z = a->f;",
    "behind one of two pointers to inner structs": "i = n ? &s.in.f : &a->in.f; y = *i; a->in = t.in; z = *i;",
    # Structs in structs.
    "inner, the whole assigned": "y = s.in.f; s = t; z = s.in.f;",
    "inner, written, the whole assigned": "s.in.f = 1; y = s.in.f; s = t; z = s.in.f;",
    "inner, assigned": "y = s.in.f; s.in = t.in; z = s.in.f;",
    "inner, assigned through a pointer": "y = a->in.f; b->in = t.in; z = a->in.f;",
    "inner, written before, assigned through a pointer": "a->in.f = 3; b->in = t.in; z = a->in.f;",
    "elements, the whole assigned": "s.v[1] = 5; y = s.v[1]; s = t; z = s.v[1];",
    # Arrays.
    "elements of a local array": "unsigned long e[2]; e[0] = n; e[1] = addr; y = e[0]; z = e[1];",
    "one element twice": "unsigned long e[2]; e[0] = n; y = e[0]; e[0] = addr; z = e[0];",
    "an element by a variable": "unsigned long e[2]; e[0] = n; y = e[0]; e[n] = addr; z = e[0];",
    "a local array, through a pointer to it": "unsigned long e[2]; i = e; e[0] = n; y = e[0]; *i = 5; z = e[0];",
    "a local array, through a pointer to an element": "unsigned long e[2]; i = &e[1]; e[0] = n; e[1] = addr; y = e[1]; *i = 5; z = e[1]; x = e[0];",
    "a local array, behind a pointer to it": "unsigned long e[2]; i = e; e[0] = n; y = *i; e[0] = addr; z = *i;",
    "a local array given to a call": "unsigned long e[2]; e[0] = n; y = e[0]; step(e); z = e[0];",
    "an element given to a call": "unsigned long e[2]; e[0] = n; e[1] = addr; y = e[0]; step(&e[1]); z = e[1];",
    "a local array and a call": "unsigned long e[2]; e[0] = n; y = e[0]; fill(); z = e[0];",
    "a local array in a loop": "while (coin()) { unsigned long e[2]; e[0] = n; y = e[0]; n = get(); z = e[0]; }",
    "a local array on one path": "unsigned long e[2]; e[0] = n; if (coin()) e[0] = addr; y = e[0]; z = n;",
    "a local array, a pointer elsewhere": "unsigned long e[2]; e[0] = n; y = e[0]; *v = 5; v[1] = 6; z = e[0];",
    "an initialised array": "unsigned long e[2] = { n, addr }; y = e[0]; z = e[1]; e[1] = 5; z = e[1];",
    "an initialised array in a loop": "while (coin()) { unsigned long e[] = { n }; y = e[0]; n = get(); z = e[0]; }",
    "an array initialised by index": "unsigned long e[] = { [1] = n, addr }; y = e[1]; z = e[2];",
    "swapped elements": "unsigned long e[2]; e[0] = n; e[1] = addr; swap(e[0], e[1]); y = e[0]; z = e[1];",
    "swapped members": "s.f = n; s.in.f = addr; swap(s.f, s.in.f); y = s.f; z = s.in.f; swap(y, z);",
    "swapped in a loop": "while (coin()) { swap(y, z); swap(a->f, b->f); y = a->f; pte_index(0); }",
    "swapped through one pointer": "a->f = n; swap(a->f, b->f); y = a->f; swap(*v, y); z = *v;",
    # Values that a loop renames.
    "a field written from a field": "while (coin()) { y = b->f + 1; a->f = y; n = a->f; z = b->f; pte_index(0); }",
    "a global through a pointer": "y = *v; global = 1; z = *v; global = 2; n = *v;",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_was_known_of_a_part_does_not_outlive_a_write(name: str) -> None:
    program = Checked(HEAD.format(body=f"\t{PROGRAMS[name]}\n"))
    assert {program.fault(Random(number)) for number in range(200)} == {""}


# A struct that is read before and after a write to one of its parts, and whether it is known to be the same.
COPIES = {
    "nothing is written": ("s = *a; t = *a;", True),
    "a member is written": ("s = *a; a->f = 1; t = *a;", False),
    "a member of what may be the same": ("s = *a; b->f = 1; t = *a;", False),
    "a member of an inner struct": ("s = *a; a->in.f = 1; t = *a;", False),
    "an element": ("s = *a; a->v[0] = 1; t = *a;", False),
    "an element of an array in an inner struct": ("c = a->in; a->in.v[0] = 1; d = a->in;", False),
    "an inner struct": ("s = *a; a->in = b->in; t = *a;", False),
    "the element of an array": ("s = a[1]; a[n].f = 1; t = a[1];", False),
    "a member through a pointer to it": ("i = &a->f; s = *a; *i = 1; t = *a;", False),
    "the whole is written, then a member": ("*a = *b; s = *a; a->f = 1; t = *a;", False),
    "the whole is written, then a member of another": ("*a = *b; s = *a; b->f = 1; t = *a;", False),
    "the whole is written": ("*a = *b; s = *a; t = *a;", True),
    "an inner struct, a member of it written": ("c = a->in; a->in.f = 1; d = a->in;", False),
    "an inner struct, a member of another's written": ("c = a->in; b->in.f = 1; d = a->in;", False),
    "an inner struct, a member beside it written": ("c = a->in; a->f = 1; d = a->in;", True),
    "a member of a local": ("s = *a; t.g = 1; t = *a;", True),
    "written on one path": ("s = *a; if (n) a->f = 1; t = *a;", False),
    "written in a loop": ("s = *a; while (coin()) a->f = n; t = *a;", False),
    "written by a call": ("s = *a; step(a); t = *a;", False),
    "a number behind a pointer stays": ("y = *v; a->f = 1; z = *v;", True),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_struct_is_another_when_a_part_of_it_was_written(name: str) -> None:
    body, same = COPIES[name]
    program = Checked(HEAD.format(body=f"\tstruct in c, d;\n\t{body}\n"))
    states = [
        state for (_, _, op), found in program.states.before.items() for state in found if op.callee == "pte_index"
    ]
    targets = {name: value for name, value in states[-1].values.items() if isinstance(name, ir.Name)}
    first, *_, last = (targets[ir.Name(target)] for target in re.findall(r"\b([stcdyz]) =", body))
    assert (first == last) is same


class Copies(Program):
    """Programs that read a place, write structs and their parts, and read the place again."""

    def kinds(self, depth: int, looping: bool) -> list[str]:
        return ["part"] * 2 + ["whole"] * 4 + ["read"] + ["branch"] * (depth > 0) + ["leave"] * looping

    def text(self) -> str:
        self.labels = 0
        place = self.cell()
        pointers = "".join(self._pointer(0, False) for _ in range(self.random.randint(0, 2)))
        writes = "".join(self.statement(1, False) for _ in range(self.random.randint(1, 4)))
        body = f"{pointers}\ty = {place};\n\tpte_index(0);\n{writes}\tz = {place};\n"
        if self.random.random() < 0.3:
            body = f"while (coin()) {{\n{body}\tpte_index(0);\n}}\n"
        return HEAD.format(body=body)

    def cell(self) -> str:
        return self.one_of("s.f", "s.f", "t.f", "a->f", "b->f", "*i", "s.in.f", "a->in.f", "s.v[0]", "s.v[n]", "i[1]")

    def _read(self, _depth: int, _looping: bool) -> str:
        return f"\tx = {self.cell()};\n"

    def _part(self, _depth: int, _looping: bool) -> str:
        return f"\t{self.cell()} = {self.one_of('1', 'x', 'y', 'y + 1', 'get()')};\n"

    def _pointer(self, _depth: int, _looping: bool) -> str:
        return (
            f"\t{self.one_of('a = &s;', 'b = coin() ? &s : &t;', 'i = &s.f;', 'i = &a->in.f;', 'i = s.v;', 'a = b;')}\n"
        )

    def _whole(self, depth: int, looping: bool) -> str:
        one, other = self.one_of("s", "t", "*a", "*b"), self.one_of("s", "t", "*a", "*b")
        called = self.one_of("step(&s);", "step(&s.f);", "step(&t.in);", "step(s.v);", "memset(&s, 0, sizeof(s));")
        inner = self.one_of("b->in = s.in;", "s.in = t.in;", "t.in = a->in;")
        copied = f"\t{one} = {other};\n"
        return self.one_of(copied, copied, f"\t{inner}\n", f"\t{called}\n", self._pointer(depth, looping))


@pytest.mark.parametrize("number", range(4))
def test_no_program_keeps_what_was_overwritten(number: int) -> None:
    random = Random(number)
    assert [fault for _ in range(60) if (fault := faults_of(Copies(random, True).text(), random, 10))] == []
