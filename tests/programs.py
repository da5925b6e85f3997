"""Random C functions whose behaviour the language defines, for `tests.machine` and a compiler to run.

Operands of an operator without a sequence point get disjoint sets of things to touch, so no program depends on an order
that C leaves open. Loops end because each test of one calls ``tick()``.
"""

from __future__ import annotations

from random import Random

PRELUDE = """\
#include <stdio.h>
static int fuel, g[8], count, seen[4096];
static int note(int x) { if (count < 4096) seen[count++] = x; return (x * 3 + 1) & 7; }
static int tick(void) { return --fuel > 0; }
static int lock_cell(int x) { note(x + 100); return x; }
static void unlock_cell(int *x) { note(*x + 200); }
static void free_note(int *x) { note(*x); }
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define guard(n) int JOIN(held_, __COUNTER__) __attribute__((cleanup(unlock_##n))) = lock_##n
#define __free(n) __attribute__((cleanup(free_##n)))
#define likely(x) (x)
#define READ_ONCE(x) (*(volatile int *)&(x))
#define WRITE_ONCE(x, v) ((x) = (v))
#define fallthrough __attribute__((fallthrough))
struct pair { int a, b; };
"""
THINGS = frozenset({"x", "y", "z", "s.a", "s.b", "g", "note"})
NUMBERS = ("x", "y", "z", "s.a", "s.b")


class Program:
    """Writes one function ``int name(int x, int y)``."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.labels = 0
        self.fresh = 0

    def function(self, name: str) -> str:
        """The text of the function."""
        body = "".join(self.statement(3, False) for _ in range(self.random.randint(3, 7)))
        out = f"out:\n\tnote({self.number(THINGS - {'note'}, 1)});\n" if self.labels else ""
        return (
            f"int {name}(int x, int y)\n{{\n\tint z = y, *p = &g[2];\n\tstruct pair s = {{ .a = x, .b = 3 }};\n\n"
            f"{body}{out}\treturn (x ^ y ^ z ^ s.a ^ s.b ^ g[1] ^ *p) & 255;\n}}\n"
        )

    # Expressions. Each value is kept in 0..15.

    def split(self, things: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Two disjoint parts."""
        left = frozenset(thing for thing in sorted(things) if self.random.random() < 0.5)
        return left, things - left

    def number(self, things: frozenset[str], depth: int) -> str:
        """An expression that touches nothing but these things."""
        choices = ["constant", "name", "cell"]
        if depth > 0:
            choices += ["binary", "compare", "logic", "choose", "comma", "assign", "step", "not", "call", "block"]
        kind = self.random.choice(choices)
        return str(getattr(self, f"_{kind}")(things, depth - 1))

    def _constant(self, _things: frozenset[str], _depth: int) -> str:
        return self.random.choice(("0", "1", "2", "0x7", "010", "3"))

    def _name(self, things: frozenset[str], depth: int) -> str:
        names = [name for name in NUMBERS if name in things]
        return self.random.choice(names) if names else self._constant(things, depth)

    def _cell(self, things: frozenset[str], depth: int) -> str:
        if "g" not in things:
            return self._name(things, depth)
        inner = self.number(things - {"g"}, depth)
        cells = ("*p", "g[({}) & 7]", "READ_ONCE(g[({}) & 7])", "*(g + (({}) & 7))")
        return self.random.choice(cells).format(inner)

    def _binary(self, things: frozenset[str], depth: int) -> str:
        left, right = self.split(things)
        op = self.random.choice("+-*&|^")
        return f"((({self.number(left, depth)}) {op} ({self.number(right, depth)})) & 15)"

    def _compare(self, things: frozenset[str], depth: int) -> str:
        left, right = self.split(things)
        op = self.random.choice(("==", "!=", "<", "<=", ">", ">="))
        return f"(({self.number(left, depth)}) {op} ({self.number(right, depth)}))"

    def _logic(self, things: frozenset[str], depth: int) -> str:
        op = self.random.choice(("&&", "||"))
        parts = [f"({self.number(things, depth)})" for _ in range(self.random.randint(2, 3))]
        return f"(likely({f' {op} '.join(parts)}))"

    def _choose(self, things: frozenset[str], depth: int) -> str:
        condition, first, second = (self.number(things, depth) for _ in range(3))
        return self.random.choice((f"(({condition}) ? ({first}) : ({second}))", f"(({condition}) ?: ({second}))"))

    def _comma(self, things: frozenset[str], depth: int) -> str:
        return f"(({self.number(things, depth)}), ({self.number(things, depth)}))"

    def _not(self, things: frozenset[str], depth: int) -> str:
        return self.random.choice(("(!({}))", "((~({})) & 15)", "((-({})) & 15)")).format(self.number(things, depth))

    def _assign(self, things: frozenset[str], depth: int) -> str:
        names = [name for name in NUMBERS if name in things]
        if not names:
            return self._cell(things, depth)
        name = self.random.choice(names)
        value = self.number(things - {name}, depth)
        if self.random.random() < 0.2:
            return f"WRITE_ONCE({name}, {value})"
        return f"({name} {self.random.choice(('=', '=', '^=', '|=', '&='))} {value})"

    def _step(self, things: frozenset[str], depth: int) -> str:
        names = [name for name in NUMBERS if name in things]
        if not names:
            return self._constant(things, depth)
        name = self.random.choice(names)
        if "g" in things and self.random.random() < 0.3:
            name = f"g[({self.number(things - {'g', name}, depth)}) & 7]"
        return f"(({self.random.choice(('{}++', '{}--', '++{}', '--{}')).format(name)}) & 15)"

    def _call(self, things: frozenset[str], depth: int) -> str:
        if "note" not in things:
            return self._binary(things, depth)
        return f"note({self.number(things, depth)})"

    def _block(self, things: frozenset[str], depth: int) -> str:
        if "note" not in things:
            return self._constant(things, depth)
        self.fresh += 1
        name = self.random.choice(("x", f"v{self.fresh}"))
        value = self.number(things - {name}, depth)
        # tree-sitter takes (f(({ ... }))) & x for a cast; the graph would call that not modelled.
        return f"(0 | ({{ int {name} = {value}; note({name}); {name} + 1; }}))"

    # Statements.

    def statement(self, depth: int, looping: bool) -> str:
        """One statement, with a line of its own."""
        choices = ["effect", "effect", "move"]
        if depth > 0:
            choices += ["if", "while", "do", "for", "switch", "block", "scope"]
            choices += ["leave"] * (2 if looping else 1)
        kind = self.random.choice(choices)
        return str(getattr(self, f"_{kind}_statement")(depth - 1, looping))

    def _several(self, depth: int, looping: bool) -> str:
        return "".join(self.statement(depth, looping) for _ in range(self.random.randint(1, 3)))

    def _effect_statement(self, _depth: int, _looping: bool) -> str:
        return f"\t{self.number(THINGS, 3)};\n"

    def _move_statement(self, _depth: int, _looping: bool) -> str:
        value = self.number(THINGS - {"g"}, 1)
        return self.random.choice(("\tp = g + 3;\n\t*p++ = {};\n", "\tp = &g[5];\n\t*--p = {};\n")).format(value)

    def _if_statement(self, depth: int, looping: bool) -> str:
        text = f"\tif ({self.number(THINGS, 3)}) {{\n{self._several(depth, looping)}\t}}"
        for _ in range(self.random.randint(0, 2)):
            text += f" else if ({self.number(THINGS, 2)}) {{\n{self._several(depth, looping)}\t}}"
        return text + f" else\n\t{self._effect_statement(depth, looping)}"

    def _while_statement(self, depth: int, _looping: bool) -> str:
        return f"\twhile (tick() && ({self.number(THINGS, 2)})) {{\n{self._several(depth, True)}\t}}\n"

    def _do_statement(self, depth: int, _looping: bool) -> str:
        condition = self.random.choice(("0", f"tick() && ({self.number(THINGS, 2)})"))
        return f"\tdo {{\n{self._several(depth, True)}\t}} while ({condition});\n"

    def _for_statement(self, depth: int, _looping: bool) -> str:
        self.fresh += 1
        name = f"i{self.fresh}"
        step = self.random.choice((f"{name}++", f"{name}++, {self.number(THINGS, 1)}"))
        return f"\tfor (int {name} = 0; {name} < 3 && tick(); {step}) {{\n{self._several(depth, True)}\t}}\n"

    def _switch_statement(self, depth: int, looping: bool) -> str:
        text = f"\tswitch (({self.number(THINGS, 2)}) & 7) {{\n"
        for label in self.random.sample(("case 0:", "case 1 ... 2:", "case 3:\n\tcase 4:", "default:"), 3):
            leave = self.random.choice(("\t\tbreak;\n", "\t\tfallthrough;\n", ""))
            text += f"\t{label}\n{self._effect_statement(depth, looping)}{leave if leave[2:3] == 'b' else ''}"
        return text + "\t\t;\n\t}\n"

    def _block_statement(self, depth: int, looping: bool) -> str:
        return f"\t{{\n\tint y = {self.number(THINGS - {'y'}, 2)};\n{self._several(depth, looping)}\t}}\n"

    def _scope_statement(self, depth: int, looping: bool) -> str:
        self.fresh += 1
        value, name = self.number(THINGS, 1), f"w{self.fresh}"
        held = (f"\tint {name} = {value};\n\tguard(cell)({name});\n", f"\tint {name} __free(note) = {value};\n")
        return f"\t{{\n{self.random.choice(held)}{self._several(depth, looping)}\t}}\n"

    def _leave_statement(self, _depth: int, looping: bool) -> str:
        choices = ["return x;", "goto out;"] + (["break;", "continue;"] * 3 if looping else [])
        leave = self.random.choice(choices)
        self.labels += leave == "goto out;"
        return f"\tif ({self.number(THINGS, 2)})\n\t\t{leave}\n"
