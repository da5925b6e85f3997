"""Whatever the analysis says of values holds in every run: random programs, interpreted.

A program is lowered and solved; then its graph is run on concrete numbers. At every block that the run enters, and at
every call it makes, one abstract state must describe the concrete one: there have to be numbers for the symbols such
that each place has its value. Two places with one value are thus equal in every run, and a pointer that is the entry for
an address points there.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from mmlint.facts.dataflow import Dataflow
from mmlint.facts.join import Join, JoinMemory
from mmlint.facts.observer import Observer
from mmlint.facts.state import EPOCH, Field, Key, State, place_text
from mmlint.flow import ir
from mmlint.flow.lower import DEFAULT_DIALECT, lower
from mmlint.flow.solver import NoFixpoint
from mmlint.flow.values import Entry, Poly, Symbol, Value
from mmlint.source import Source
from mmlint.syntax.functions import read_functions
from tests.concrete import CONSTANTS, NULL, PAGE_SIZE, VOCABULARY, Concrete, Pointer, Reference, Run, Struct, Stuck

# ---------------------------------------------------------------- does a state describe a run?

Row = dict[tuple[Symbol, ...], int]
PRIME = (1 << 61) - 1
HOLDS = {"eq": lambda n: n == 0, "ne": lambda n: n != 0, "lt": lambda n: n < 0, "le": lambda n: n <= 0}


class Equations:
    """Linear equations over monomials of symbols, solved as they come, in the numbers modulo a large prime."""

    def __init__(self, known: Mapping[str, int]) -> None:
        self.known = known
        self.rows: dict[tuple[Symbol, ...], Row] = {}

    def reduced(self, poly: Poly) -> Row:
        """The polynomial with known symbols and solved monomials replaced; () is the constant."""
        row: Row = {}
        for monomial, factor in poly.terms:
            unknown = tuple(symbol for symbol in monomial if symbol not in self.known)
            for symbol in monomial:
                factor *= self.known.get(symbol, 1)
            _add(row, unknown, factor)
        for pivot in [monomial for monomial in row if monomial in self.rows]:
            factor = row.pop(pivot)
            for monomial, number in self.rows[pivot].items():
                _add(row, monomial, factor * number)
        return {monomial: number for monomial, number in row.items() if number}

    def number(self, poly: Poly) -> int | None:
        """What the equations make of ``poly``, or None when they leave it open."""
        row = self.reduced(poly)
        if any(row.keys() - {()}):
            return None
        number = row.get((), 0)
        number -= PRIME if number > PRIME // 2 else 0
        return number if abs(number) < 1 << 56 else None

    def add(self, poly: Poly, number: int) -> bool:
        """Demand that ``poly`` is ``number``; False when that contradicts what came before."""
        row = self.reduced(poly)
        _add(row, (), -number)
        pivot = min((monomial for monomial in row if monomial), default=None)
        if pivot is None:
            return not row.get((), 0)
        inverse = pow(-row.pop(pivot), -1, PRIME)
        solved = {monomial: value * inverse % PRIME for monomial, value in row.items()}
        for other in self.rows.values():
            share = other.pop(pivot, 0)
            for monomial, value in solved.items() if share else ():
                _add(other, monomial, share * value)
        self.rows[pivot] = solved
        return True


def _add(row: Row, monomial: tuple[Symbol, ...], number: int) -> None:
    row[monomial] = (row.get(monomial, 0) + number) % PRIME


class Description:
    """The numbers for the symbols of a state that a run asks for, as far as they are known."""

    def __init__(self, state: State, run: Run, known: Mapping[str, int]) -> None:
        self.state = state
        self.run = run
        self.equations = Equations(known)
        self.objects: dict[Symbol, Concrete] = {}

    def fault(self) -> str:
        """Why the abstract state does not describe the run, or empty."""
        for place, value in self.state.values.items():
            concrete = None if isinstance(place, Field) or place == EPOCH else self.run.variables.get(place)
            if concrete is not None and not self.agrees(value, concrete):
                return f"{place_text(place)} is {concrete}, not {value}"
        return self._tables() or self._facts()

    def agrees(self, value: Value, concrete: Concrete) -> bool:
        if isinstance(concrete, Struct):
            return True
        if isinstance(value, Entry):
            if not isinstance(concrete, Pointer):
                return True
            if concrete == NULL and value.table[1:].isdecimal():
                return False
            return self._is_table(value.table, concrete.table) and self.equations.add(value.address, concrete.address)
        symbol = value.as_symbol()
        if isinstance(concrete, int) or concrete == NULL:
            number = concrete if isinstance(concrete, int) else 0
            known = self.objects.get(symbol) if symbol is not None else None
            return known is None and self.equations.add(value, number)
        if symbol is None:
            return value.as_const() is None
        return self.objects.setdefault(symbol, concrete) == concrete

    def _is_table(self, symbol: Symbol, table: int) -> bool:
        # What is known of a null pointer is known of its table: that it is 0.
        return self.equations.add(Poly.symbol(symbol), table + 1)

    def _tables(self) -> str:
        for symbol, table in sorted(self.state.tables.items()):
            mapped = self.run.mapped.get(symbol)
            if mapped is None or not self._is_table(symbol, mapped.table):
                return f"{symbol} is {mapped}"
            if not self.equations.add(table.address, mapped.address):
                return f"{symbol} is mapped at {mapped.address}, not {table.address}"
            if table.mm is not None and not table.kernel and mapped.mm and not self.agrees(table.mm, mapped.mm):
                return f"{symbol} belongs to {mapped.mm}, not {table.mm}"
            if table.lock and mapped.lock and not self.equations.add(Poly.symbol(table.lock), mapped.lock):
                return f"the lock of {symbol} is {mapped.lock}"
        return ""

    def _facts(self) -> str:
        for relation, poly in [*self.state.facts, *(("eq", poly) for poly in self.state.equalities)]:
            number = self.equations.number(poly)
            if number is not None and not HOLDS[relation](number):
                return f"{poly} is {number}, not {relation} 0"
        return ""


class States(Observer):
    """The states before each call, by (block, kid, call)."""

    def __init__(self) -> None:
        self.before: dict[tuple[int, int, ir.Call], list[State]] = {}

    def call(self, state: State, op: ir.Call) -> None:
        self.before.setdefault((self.block, self.kid, op), []).append(state.copy())


class Checked:
    """The one function of a text, lowered and solved. Raises NoFixpoint."""

    def __init__(self, text: str) -> None:
        source = Source("program.c", text.encode())
        (function,) = read_functions(source)
        self.graph = lower(function, DEFAULT_DIALECT)
        assert (function.ok, self.graph.unmodelled) == (True, ()), text
        self.dataflow = Dataflow(self.graph, VOCABULARY, text=source.text)
        self.states = States()
        self.dataflow.observe(self.states)

    def fault(self, random: Random) -> str:
        """Run once; what no state describes, or empty."""
        run = Run(self.graph, random, frozenset(self.dataflow.context.infallible))
        arguments = some_arguments(random)
        run.variables = {name: arguments[name.name] for name in self.graph.parameters}
        known = CONSTANTS | {name: number for name, number in arguments.items() if isinstance(number, int)}
        solution = self.dataflow.solution
        keys = list(solution.states[0])
        block: int | None = 0
        try:
            while block is not None:
                faults = {key: Description(solution.states[block][key], run, known).fault() for key in keys}
                keys = [key for key in keys if not faults[key]]
                if not keys:
                    return f"b{block}: {'; '.join(faults.values()) or 'not reached'}"
                if all(solution.states[block][key].doubtful for key in keys):
                    return f"b{block}: reached, but doubtful"
                for op in self.graph.blocks[block].ops:
                    fault = self._at_call(op, block, keys, run, known) if isinstance(op, ir.Call) else ""
                    if fault:
                        return fault
                    run.execute(op)
                before, block = block, run.following(self.graph.blocks[block].terminator)
                keys = [] if block is None else self._after(before, keys, block)
        except Stuck:
            pass
        return ""

    def _after(self, before: int, keys: list[Key], block: int) -> list[Key]:
        """The keys of a block's states that those of its predecessor lead to."""
        solution = self.dataflow.solution
        return [
            key for key in solution.states[block] if any((before, old) in solution.sources[block, key] for old in keys)
        ]

    def _at_call(self, op: ir.Call, block: int, keys: list[Key], run: Run, known: Mapping[str, int]) -> str:
        kids = self.dataflow.solution.kids[block]
        states = [state for key in keys for state in self.states.before.get((block, kids[key], op), ())]
        faults = [Description(state, run, known).fault() for state in states]
        return "" if "" in faults else f"before {op.callee}() at {op.span.start}: {'; '.join(faults) or 'no state'}"


def some_arguments(random: Random) -> dict[str, Concrete]:
    """Numbers for the parameters of a program; the pointers may point to one object."""
    return {
        "mm": 77,
        "pmd": 88,
        "addr": random.choice((0, 1, 2, 1 << 33)) * PAGE_SIZE,
        "end": random.choice((0, 1, 2, 1 << 33)) * PAGE_SIZE,
        "n": random.choice((-1, 0, 1, 2)),
        "r": random.choice((NULL, Pointer(0, PAGE_SIZE))),
        "a": Reference(1),
        "b": Reference(random.choice((1, 2))),
        "v": Reference(3),
    }


# ---------------------------------------------------------------- random programs

NUMBERS = ("x", "y", "z", "addr", "end", "n")
POINTERS = ("p", "q", "r")
LOCKS = ("ptl", "lock")
NARROW = ("k", "w")
HEAD = """\
int f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end, unsigned long n, pte_t *r, struct s *a,
	struct s *b, unsigned long *v)
{{
	unsigned long x = addr, y = end, z = n;
	unsigned long *i = &x;
	pte_t *p = NULL, *q = r;
	u32 w = 0;
	int k = 0;
	spinlock_t *ptl = NULL, *lock = NULL;
	struct s s, t;
{body}	pte_index(0);
	return 0;
}}
"""


class Program:
    """Writes one function of walks, maps, locks and jumps; ``memory`` adds structs, arrays and globals.

    ``pte_index(0)`` is where runs are compared: it changes nothing.
    """

    def __init__(self, random: Random, memory: bool) -> None:
        self.random = random
        self.memory = memory
        self.labels = random.randint(0, 2)
        self.placed = 0

    def text(self) -> str:
        body = "".join(f"{self.statement(2, False)}\tpte_index(0);\n" for _ in range(self.random.randint(2, 7)))
        rest = "".join(f"l{label}:\n" for label in range(self.labels) if f"l{label}:\n" not in body)
        return HEAD.format(body=body + rest)

    def one_of(self, *choices: str) -> str:
        return self.random.choice(choices)

    def number(self) -> str:
        one, other = self.one_of(*NUMBERS), self.one_of(*NUMBERS)
        if self.memory and self.random.random() < 0.3:
            return self.one_of(self.cell(), self.cell(), self.cell(), self.narrowed())
        return self.one_of(
            one,
            one,
            f"{one} + PAGE_SIZE",
            f"{one} - PAGE_SIZE",
            f"{one} + {other} * PAGE_SIZE",
            f"{one} + {other}",
            f"{one} - {other}",
            f"({one} & PMD_MASK)",
            "get()",
            "PAGE_SIZE",
            f"(coin() ? {one} : {other})",
            f"min({one}, {other})",
            f"pmd_addr_end({one}, {other})",
        )

    def cell(self) -> str:
        index = self.one_of("0", "1", *NUMBERS)
        return self.one_of("a->f", "b->f", "a->g", "b->g", "*v", f"v[{index}]", "global", "*i", *NARROW)

    def narrowed(self) -> str:
        return self.one_of(f"(u32){self.one_of(*NUMBERS)}", f"(int){self.one_of(*NUMBERS)}")

    def condition(self) -> str:
        one, other, pointer = self.one_of(*NUMBERS), self.one_of(*NUMBERS), self.one_of(*POINTERS)
        return self.one_of(
            "coin()",
            "coin()",
            "coin()",
            f"{one} == {other}",
            f"{one} != {other}",
            f"{one} < {other}",
            f"{one} >= {other}",
            f"{one} == {other} + PAGE_SIZE",
            one,
            pointer,
            f"!{pointer}",
            f"coin() && {one} <= {other}",
            f"coin() || {pointer}",
        )

    def step(self) -> str:
        one, pointer, count = self.one_of(*NUMBERS), self.one_of(*POINTERS), self.one_of("1", "2", "n", "z")
        return self.one_of(
            f"{pointer}++",
            f"{pointer} += {count}",
            f"{pointer} -= n",
            f"{one} += {count} * PAGE_SIZE",
            f"{one} -= PAGE_SIZE",
            f"{one} += {self.one_of(*NUMBERS)}",
            f"{pointer} += {count}, {one} += {count} * PAGE_SIZE",
            f"{pointer} += {count}, {one} += PAGE_SIZE * {count}",
        )

    def map(self) -> str:
        address, lock = self.one_of(*NUMBERS, self.number()), self.one_of(*LOCKS)
        return self.one_of(
            f"pte_offset_map(pmd, {address})",
            f"pte_offset_map_lock(mm, pmd, {address}, &{lock})",
            f"pte_offset_map_nolock(mm, pmd, {address}, &{lock})",
            f"pte_offset_kernel(pmd, {address})",
        )

    def statement(self, depth: int, looping: bool) -> str:
        return self._placed(self.random.choice(self.kinds(depth, looping)), depth, looping)

    def kinds(self, depth: int, looping: bool) -> list[str]:
        """What may stand next."""
        choices = ["effect"] * 4 + ["set", "map", "keep", "give", "lock", "mode", "escape"]
        choices += ["cell"] * 3 * self.memory + ["branch"] * 3 * (depth > 0) + ["leave"] * (looping or self.labels > 0)
        return choices

    def _placed(self, kind: str, depth: int, looping: bool) -> str:
        text = str(getattr(self, f"_{kind}")(depth, looping))
        if self.placed < self.labels and self.random.random() < 0.2:
            self.placed += 1
            return f"l{self.placed - 1}:\n{text}"
        return text

    def block(self, depth: int, looping: bool) -> str:
        return "{\n" + "".join(self.statement(depth - 1, looping) for _ in range(self.random.randint(1, 3))) + "}"

    def _effect(self, _depth: int, _looping: bool) -> str:
        return f"\t{self.step()};\n"

    def _set(self, _depth: int, _looping: bool) -> str:
        pointer = self.one_of(*POINTERS)
        value = self.one_of(*POINTERS, f"{self.one_of(*POINTERS)} + 1", "NULL", "(coin() ? p : q)", "(q ? q : r)")
        return self.one_of(f"\t{self.one_of(*NUMBERS)} = {self.number()};\n", f"\t{pointer} = {value};\n")

    def _map(self, _depth: int, looping: bool) -> str:
        first, second = self.one_of(*POINTERS), self.one_of("", f"{self.one_of(*POINTERS)} = ")
        leave = self.one_of("break;", "continue;") if looping else "return 0;"
        return f"\t{second}{first} = {self.map()};\n{self.one_of('', f'	if (!{first}) {leave}' + chr(10))}"

    def _keep(self, _depth: int, _looping: bool) -> str:
        kept, address = self.one_of("q", "r"), self.one_of(*NUMBERS)
        return f"\t{kept} = p;\n\t{self.one_of('x', 'y')} = {address};\n\tp = pte_offset_map(pmd, {address});\n"

    def _give(self, _depth: int, _looping: bool) -> str:
        pointer = self.one_of(*POINTERS)
        return self.one_of(f"\tpte_unmap({pointer});\n", f"\tpte_unmap_unlock({pointer}, {self.one_of(*LOCKS)});\n")

    def _lock(self, _depth: int, _looping: bool) -> str:
        lock = self.one_of(*LOCKS)
        return self.one_of(
            f"\tspin_lock({lock});\n", f"\tspin_unlock({lock});\n", f"\tif (!spin_trylock({lock})) n++;\n"
        )

    def _mode(self, _depth: int, _looping: bool) -> str:
        return self.one_of("\tlazy_mmu_mode_enable();\n", "\tlazy_mmu_mode_disable();\n")

    def _escape(self, _depth: int, _looping: bool) -> str:
        return self.one_of(
            f"\tstep(&{self.one_of(*NUMBERS)});\n", f"\tmove(&{self.one_of(*POINTERS)});\n", "\tfill();\n"
        )

    def _cell(self, _depth: int, _looping: bool) -> str:
        place, name = self.cell(), self.one_of(*NUMBERS)
        value = name if place in NARROW else self.number()
        return self.one_of(f"\t{place} = {value};\n", f"\ti = &{name};\n")

    def _leave(self, _depth: int, looping: bool) -> str:
        jumps = [f"goto l{label};" for label in range(self.labels)] + ["break;", "continue;"] * looping
        return f"\tif ({self.condition()})\n\t\t{self.random.choice(jumps)}\n"

    def _branch(self, depth: int, looping: bool) -> str:
        condition, inner, outer = self.condition(), self.block(depth, True), self.block(depth, looping)
        return self.one_of(
            f"\tif ({condition}) {outer}\n",
            f"\tif ({condition}) {outer} else {self.block(depth, looping)}\n",
            f"\twhile ({condition}) {inner}\n",
            f"\tdo {inner} while ({condition});\n",
            f"\tdo {inner} while ({self.step()}, {condition});\n",
            f"\tfor (; {condition}; {self.step()}) {inner}\n",
            f"\t{{ unsigned long {self.one_of('x', 'y')} = {self.number()}; {outer} }}\n",
            f"\t{{ unsigned long u; {inner if looping else outer} z = u; }}\n",
            f"\tswitch ({self.one_of(*NUMBERS)}) {{\ncase 0: {outer} break;\ncase 1: n++;\ndefault: {self.step()};\n}}\n",
        )


def unsound(random: Random, memory: bool, runs: int = 8) -> str:
    """A random program and what is wrong with its states, or empty; too hard a program is none."""
    return faults_of(Program(random, memory).text(), random, runs)


def faults_of(text: str, random: Random, runs: int) -> str:
    """The first fault of some runs of a program, with its text."""
    try:
        program = Checked(text)
    except NoFixpoint:
        return ""
    numbers = [random.randrange(1 << 30) for _ in range(runs)]
    faults = [fault for number in numbers if (fault := program.fault(Random(number)))]
    return f"{faults[0]}\n{text}" if faults else ""


@seed(20260415)
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.booleans())
def test_no_program_does_what_its_states_deny(random: Random, memory: bool) -> None:
    assert unsound(random, memory) == ""


@pytest.mark.parametrize("number", range(4))
def test_no_program_of_a_longer_list_does(number: int) -> None:
    random = Random(number)
    assert [fault for _ in range(60) if (fault := unsound(random, bool(number % 2)))] == []


# ---------------------------------------------------------------- programs that once had wrong states, or might have

PROGRAMS = {
    "a field written on one path": "x = a->f; if (n) a->f = 7; y = a->f;",
    "a field written through another pointer": "x = a->f; b->f = 7; y = a->f;",
    "elements": "v[n] = 1; v[end] = 2; x = v[n]; y = 1;",
    "element and object": "x = v[0]; *v = 5; y = v[0];",
    "element by number": "x = v[n]; v[1] = 5; y = v[n];",
    "a global and a call": "x = global; fill(); y = global;",
    "a global written on one path": "x = global; if (n) global = 5; y = global;",
    "a local read through a pointer": "i = &z; z = 1; x = *i; z = 2; y = *i;",
    "a local written through a pointer": "i = &z; z = 1; *i = 3; x = z; y = 1;",
    "one of two locals": "if (n) i = &x; else i = &y; x = 1; y = 2; *i = 5; z = 3;",
    "half an address": "x = (u32)addr; y = addr;",
    "half an address in a variable": "w = addr; x = w; y = addr;",
    "a map call again": "do { q = p; p = pte_offset_kernel(pmd, end); pte_index(0); } while (coin());",
    "a map call again, by label": "l: q = p; p = pte_offset_map(pmd, end); pte_index(0); if (coin()) goto l;",
    "a map call in a loop in a loop": (
        "do { p = pte_offset_kernel(pmd, x); q = p; do { p++; x += PAGE_SIZE; if (coin()) break; } while (coin());"
        " if (coin()) r = p; y = x; pte_index(0); } while (coin());"
    ),
    "a lock that makes the states differ": (
        "while (coin()) { q = p; y = x; p = pte_offset_map_lock(mm, pmd, end, &ptl); if (!p) break; x = get();"
        " pte_index(0); if (coin()) { pte_unmap_unlock(p, ptl); x = end; } }"
    ),
    "a mode that makes the states differ": (
        "while (coin()) { z = y; y = x; x = get(); pte_index(0); if (coin()) lazy_mmu_mode_enable();"
        " else lazy_mmu_mode_disable(); pte_index(0); }"
    ),
    "values of an older turn": "for (x = 0; x < 3; x++) { for (y = 0; y < 3; y++) { if (y == x) z = y; if (n == 1) n = z; } }",
    "into a loop": "if (coin()) goto l; while (coin()) { x = y; l: y = get(); pte_index(0); }",
    "a condition asked twice": "if (a->f) return 0; a->f = 1; if (a->f) y = 1;",
    "a condition on a struct asked twice": "s.f = n; if (s.f > 1) return 0; s.f = get(); if (s.f > 1) y = 1;",
    "a condition on another asked twice": "if (a->f > 1) return 0; b->f = 5; if (a->f > 1) y = 1;",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_states_of_a_small_program_hold(name: str) -> None:
    program = Checked(HEAD.format(body=f"\t{PROGRAMS[name]}\n"))
    assert {program.fault(Random(number)) for number in range(200)} == {""}


def test_a_wrong_state_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "forget", lambda _state, _maker, _site: None)
    program = Checked(HEAD.format(body=f"\t{PROGRAMS['a map call again, by label']}\n"))
    assert any(program.fault(Random(number)) for number in range(50))


# ---------------------------------------------------------------- laws of the join

SYMBOLS = [Poly.symbol(Symbol(name)) for name in ("a", "b")]
ADDRESSES = [*SYMBOLS, SYMBOLS[0] + Poly.const(4), Poly.const(0), Poly.const(4)]
VALUES: list[Value] = [
    *ADDRESSES,
    *(Entry(Symbol(name), address) for name in ("T1", "T2") for address in ADDRESSES[:3]),
]
PLACES = [ir.Name(name) for name in "pqrst"]


def states_of(values: list[Value]) -> st.SearchStrategy[State]:
    """States whose places have some of these values."""
    lists = st.lists(st.sampled_from(values), min_size=len(PLACES), max_size=len(PLACES))
    return lists.map(lambda chosen: State(dict(zip(PLACES, chosen, strict=True))))


STATES, NUMBERS_ONLY = states_of(VALUES), states_of(list(ADDRESSES))


def join(*states: State) -> State:
    return Join("b1", states, JoinMemory()).run()


def equal_pairs(*states: State) -> set[tuple[ir.Name, ir.Name]]:
    """Places that are equal in each of the states."""
    return {(p, q) for p in PLACES for q in PLACES if all(s.equal(s.values.get(p), s.values.get(q)) for s in states)}


def mixed_places(left: State, right: State) -> set[ir.Name]:
    """Places that hold a pointer on one side and a number on the other: a join tells them apart from all others."""
    return {p for p in PLACES if isinstance(left.values[p], Entry) is not isinstance(right.values[p], Entry)}


@given(STATES)
def test_joining_a_state_with_itself_changes_nothing(state: State) -> None:
    assert join(state, state).values == state.values


@given(STATES, STATES)
def test_a_join_knows_only_what_both_know(left: State, right: State) -> None:
    assert equal_pairs(join(left, right)) <= equal_pairs(left, right)


@given(STATES, STATES)
def test_a_join_forgets_no_equality_between_numbers_or_pointers(left: State, right: State) -> None:
    common = {pair for pair in equal_pairs(left, right) if not mixed_places(left, right) & set(pair)}
    assert common <= equal_pairs(join(left, right))


@given(STATES, STATES, STATES)
def test_the_order_of_a_join_decides_names_only(one: State, two: State, three: State) -> None:
    orders = [join(one, two, three), join(three, one, two), join(two, one, three)]
    assert len({frozenset(equal_pairs(state)) for state in orders}) == 1


@given(STATES, STATES)
def test_what_a_join_leaves_alone_was_the_same_before(left: State, right: State) -> None:
    joined = join(left, right)
    for place in PLACES:
        if joined.values[place] in VALUES:
            assert left.equal(left.values[place], joined.values[place])
            assert right.equal(right.values[place], joined.values[place])


@given(NUMBERS_ONLY, NUMBERS_ONLY)
def test_a_loop_that_changes_nothing_settles(before: State, inside: State) -> None:
    # Pointers into another table do not find back.
    state = join(before, inside)
    for _ in PLACES:
        state = join(before, state)
    assert join(before, state).values == state.values == before.values
