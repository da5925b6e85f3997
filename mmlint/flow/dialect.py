"""What lowering has to know of the kernel's macros: which names are not ordinary calls.

``likely(x)`` is x, ``BUG_ON(x)`` is a branch to a call that never returns, ``READ_ONCE(p->x)`` is a read of p->x.
A name that is not listed is an ordinary call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache


class Role(Enum):
    """How a call is lowered."""

    TRANSPARENT = auto()
    ASSERT = auto()
    NORETURN = auto()
    READ = auto()
    WRITE = auto()
    OUTPUT = auto()
    SWAP = auto()
    RETURN = auto()
    JUMP = auto()
    UNEVALUATED = auto()
    GENERIC = auto()


@dataclass(frozen=True, slots=True)
class Dialect:
    """Names of macros and functions by role.

    ``transparent``: the value is the one argument, also inside ``&&`` and ``||``. ``asserts``: control goes on only
    when the first argument is zero. ``noreturn``: control does not come back. ``reads``: the value is that of the
    argument, read once. ``writes``: (place, value) is an assignment. ``outputs``: macros that write the plain variables
    they are given. ``swaps``: two places exchange their values. ``returns``: macros that may return from the function
    that calls them, writing such variables too. ``jumps``: macros that go to a label of their caller.
    """

    transparent: frozenset[str] = field(default_factory=frozenset)
    asserts: frozenset[str] = field(default_factory=frozenset)
    noreturn: frozenset[str] = field(default_factory=frozenset)
    reads: frozenset[str] = field(default_factory=frozenset)
    writes: frozenset[str] = field(default_factory=frozenset)
    outputs: frozenset[str] = field(default_factory=frozenset)
    swaps: frozenset[str] = field(default_factory=frozenset)
    returns: frozenset[str] = field(default_factory=frozenset)
    jumps: frozenset[str] = field(default_factory=frozenset)


DEFAULT_DIALECT = Dialect(
    transparent=frozenset({"likely", "unlikely", "unlikely_notrace", "likely_notrace"}),
    asserts=frozenset({"BUG_ON", "VM_BUG_ON", "VM_BUG_ON_PAGE", "VM_BUG_ON_FOLIO", "VM_BUG_ON_VMA", "VM_BUG_ON_MM"}),
    noreturn=frozenset({"BUG", "panic", "do_exit", "make_task_dead", "unreachable", "__builtin_unreachable"}),
    reads=frozenset({"READ_ONCE", "__READ_ONCE", "data_race"}),
    writes=frozenset({"WRITE_ONCE", "__WRITE_ONCE"}),
    swaps=frozenset({"swap"}),
    outputs=frozenset(
        {
            "get_user",
            "__get_user",
            "unsafe_get_user",
            "local_irq_save",
            "raw_local_irq_save",
            "local_save_flags",
            "spin_lock_irqsave",
            "spin_trylock_irqsave",
            "raw_spin_lock_irqsave",
            "read_lock_irqsave",
            "write_lock_irqsave",
            "va_start",
            "va_copy",
        }
    ),
)

# Operands of these are never run; the normalised text has turned some of them into calls.
_UNEVALUATED = (
    "sizeof",
    "offsetof",
    "__builtin_offsetof",
    "_Alignof",
    "alignof",
    "__alignof__",
    "__alignof",
    "typeof",
    "__typeof__",
    "__builtin_constant_p",
    "__builtin_types_compatible_p",
    "__same_type",
    "_Static_assert",
    "static_assert",
)


@lru_cache(maxsize=16)
def roles(dialect: Dialect) -> dict[bytes, Role]:
    """Role by name, for names that have one; a name with two roles has the later one of `Role`."""
    listed = (
        (Role.TRANSPARENT, dialect.transparent),
        (Role.ASSERT, dialect.asserts),
        (Role.NORETURN, dialect.noreturn),
        (Role.READ, dialect.reads),
        (Role.WRITE, dialect.writes),
        (Role.OUTPUT, dialect.outputs),
        (Role.SWAP, dialect.swaps),
        (Role.RETURN, dialect.returns),
        (Role.JUMP, dialect.jumps),
        (Role.UNEVALUATED, _UNEVALUATED),
        (Role.GENERIC, ("_Generic",)),
    )
    return {name.encode(): role for role, names in listed for name in names}
