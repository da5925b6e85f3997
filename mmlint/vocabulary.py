"""The kernel's vocabulary as typed records: what role a name plays.

The analysis knows no kernel function by name; it asks a `Vocabulary`, which `mmlint.kernel` reads from
rules/kernel/*.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Generation(NamedTuple):
    """One generation of the API. ``nesting`` tells whether sections may nest in it."""

    name: str
    enter: str
    leave: str
    pause: str = ""
    resume: str = ""
    nesting: bool = False
    source: str = ""


class Ranged(NamedTuple):
    """One spelling of the ranged call and of its architecture hook."""

    name: str
    hook: str
    default: bool = False
    source: str = ""


class MapCall(NamedTuple):
    """A call that gives a pte pointer; numbers are argument indices, -1 where there is none."""

    name: str
    addr: int
    mm: int = -1
    pmd: int = -1
    lock: int = -1
    held: bool = False
    fails: bool = False
    kernel: bool = False
    allocates: bool = False
    usually_kernel: bool = False


class UnmapCall(NamedTuple):
    """A call that gives a pte pointer back, and releases the lock where it has one."""

    name: str
    pte: int
    lock: int = -1


class LockPointer(NamedTuple):
    """A call that gives the lock of the table that argument ``pmd`` points to, owned by argument ``mm``."""

    name: str
    pmd: int
    mm: int = -1


class LevelCall(NamedTuple):
    """A step down the page table: the owner is argument ``mm``, or that of argument ``parent``, or init_mm."""

    name: str
    mm: int = -1
    parent: int = -1
    kernel: bool = False


class Callback(NamedTuple):
    """A function pointer field whose functions get [addr, end) inside one page table, or a ``wide``r range."""

    struct: str
    field: str
    addr: int
    end: int
    text: str
    source: str = ""
    wide: bool = False


class Applies(NamedTuple):
    """A call that runs argument ``function`` on every entry of a range, inside a section.

    That function gets the entry as its argument ``pte``.
    """

    name: str
    function: int
    pte: int = 0


class Bound(NamedTuple):
    """A call whose result ends the page table of argument ``addr``, or argument ``end`` where that comes first."""

    name: str
    addr: int
    end: int
    text: str


class Wider(NamedTuple):
    """An end that may lie in another PTE table: the result of a call, or a field ("struct.field")."""

    name: str
    text: str


class Equal(NamedTuple):
    """Two field paths ("struct.field") that name one object by the kernel's own rules."""

    left: str
    right: str
    text: str
    source: str = ""


class Locks(NamedTuple):
    """Names of lock functions by what they do to their first argument."""

    acquire: frozenset[str]
    release: frozenset[str]
    try_: frozenset[str]
    double_acquire: frozenset[str]
    double_release: frozenset[str]
    guards: frozenset[str]
    asserts: frozenset[str]
    queries: frozenset[str]


class Arithmetic(NamedTuple):
    """Names of constants and pure functions that the value analysis computes with."""

    page_size: frozenset[str]
    page_shift: frozenset[str]
    page_mask: frozenset[str]
    pmd_size: frozenset[str]
    pmd_mask: frozenset[str]
    entry_index: frozenset[str]
    smaller: frozenset[str]
    larger: frozenset[str]
    kernel_mm: str


class Macros(NamedTuple):
    """Macros by their meaning for control flow and values."""

    transparent: frozenset[str]
    asserts: frozenset[str]
    noreturn: frozenset[str]
    reads: frozenset[str]
    writes: frozenset[str]
    outputs: frozenset[str]
    swaps: frozenset[str]
    pure: frozenset[str]


class Sleepers(NamedTuple):
    """Functions that may sleep: always, or by the GFP flags in an argument.

    They sleep when one of ``flags`` is among them and none of ``clearing`` is taken out; those of ``optional`` may
    leave the flags out, and sleep then. ``guards`` are the classes whose ``guard(class)(lock)`` sleeps. ``faulting``
    functions do not in a function that calls one of ``not_faulting``, or has a guard of that class.
    """

    always: frozenset[str]
    gfp: Mapping[str, int]
    flags: frozenset[str]
    clearing: frozenset[str]
    optional: frozenset[str]
    guards: frozenset[str]
    faulting: frozenset[str]
    not_faulting: frozenset[str]


class Calls(NamedTuple):
    """What the analysis across functions knows.

    ``folders`` are searched for callees, "*" being any one folder; definitions in ``accessors`` (folders and files) may
    touch entries as they like. ``atomic`` names, and those with one of ``prefixes``, may be called anywhere and are not
    looked into. ``answers`` are results in a section; ``blocking`` functions tell whether GFP flags allow sleeping;
    ``conditional`` ones sleep where that argument holds. Parameters whose type is one of ``modes`` select what happens.
    """

    folders: tuple[str, ...]
    accessors: tuple[str, ...]
    atomic: frozenset[str]
    prefixes: tuple[str, ...]
    answers: Mapping[str, int]
    blocking: frozenset[str]
    conditional: Mapping[str, int]
    modes: frozenset[str]


@dataclass(frozen=True)
class Vocabulary:
    """All kernel knowledge of the tool. ``target`` is the ranged spelling to propose."""

    generations: tuple[Generation, ...]
    ranged: tuple[Ranged, ...]
    implementation: frozenset[str]
    maps: Mapping[str, MapCall]
    unmaps: Mapping[str, UnmapCall]
    levels: Mapping[str, LevelCall]
    lock_pointers: Mapping[str, LockPointer]
    locks: Locks
    reads: Mapping[str, int]
    updates: Mapping[str, int]
    read_updates: Mapping[str, int]
    carries: Mapping[str, int]
    derives: Mapping[str, int]
    locked_reads: Mapping[str, str]
    lookups: frozenset[str]
    raw_reads: Mapping[str, int]
    raw_writes: Mapping[str, int]
    upper: frozenset[str]
    callbacks: tuple[Callback, ...]
    applies: tuple[Applies, ...]
    bounds: Mapping[str, Bound]
    wider: Mapping[str, Wider]
    stable: frozenset[str]
    types: Mapping[str, str]
    equals: tuple[Equal, ...]
    arithmetic: Arithmetic
    macros: Macros
    sleepers: Sleepers
    calls: Calls
    target: str = ""

    @cached_property
    def levels_above(self) -> frozenset[str]:
        """Pointers to entries of the tables above, as a cast names them without spaces."""
        return frozenset(f"{name}*" for name in self.upper)

    def raw_arguments(self, name: str) -> tuple[int, ...]:
        """The arguments through which a function reads or writes memory as it is."""
        found = (self.raw_reads.get(name, -1), self.raw_writes.get(name, -1))
        return tuple(index for index in found if index >= 0)

    @cached_property
    def enters(self) -> frozenset[str]:
        """Plain enables of every generation."""
        return frozenset(g.enter for g in self.generations)

    @cached_property
    def declared(self) -> tuple[tuple[str, str], ...]:
        """What a header may declare, oldest first: (name, generation), the generation empty for ranged names."""
        plain = [(generation.enter, generation.name) for generation in self.generations]
        return (*plain, *((ranged.name, "") for ranged in self.ranged))

    @cached_property
    def leaves(self) -> frozenset[str]:
        return frozenset(g.leave for g in self.generations)

    @cached_property
    def pauses(self) -> frozenset[str]:
        return frozenset(g.pause for g in self.generations if g.pause)

    @cached_property
    def resumes(self) -> frozenset[str]:
        return frozenset(g.resume for g in self.generations if g.resume)

    @cached_property
    def ranged_enters(self) -> frozenset[str]:
        return frozenset(r.name for r in self.ranged)

    @cached_property
    def hooks(self) -> Mapping[str, str]:
        """The ranged call for each architecture hook."""
        return {ranged.hook: ranged.name for ranged in self.ranged}

    @cached_property
    def api_names(self) -> frozenset[str]:
        """Every name whose own definition implements the API."""
        calls = self.enters | self.leaves | self.pauses | self.resumes | self.ranged_enters
        return calls | frozenset(self.hooks) | self.implementation
