"""What an analysis may want to know while a function is run over its final states.

The transfer functions call these methods with the state *before* the op takes effect. During the fixpoint iteration
nobody listens; afterwards each block is run once more with a listener.
"""

from __future__ import annotations

from mmlint.facts.state import State
from mmlint.flow.ir import Assign, Branch, Call, Op, Return, Store
from mmlint.flow.values import Entry, Symbol


class Observer:
    """Listens to nothing; subclasses override what they need. ``block`` and ``kid`` name the state's place."""

    block: int = 0
    kid: int = 0

    def call(self, state: State, op: Call) -> None:
        """Any call."""

    def enable(self, state: State, op: Call) -> None:
        """A plain or ranged enable that takes effect."""

    def reopened(self, state: State, op: Call) -> None:
        """An enable reached again while the section it opened is still open."""

    def resumed(self, state: State, op: Call, ranged: bool) -> None:
        """An enable, or a call that enters, undoes a disable of the caller's section, with a range or without."""

    def disable(self, state: State, op: Call) -> None:
        """A disable that ends the innermost section."""

    def pause(self, state: State, op: Call) -> None:
        """The mode is paused."""

    def resume(self, state: State, op: Call) -> None:
        """The mode is resumed."""

    def unopened(self, state: State, op: Call) -> None:
        """A disable on a path that opened no section in this function."""

    def surplus(self, state: State, op: Call) -> None:
        """A disable after the function's own section was closed."""

    def mapped(self, state: State, op: Call, table: Symbol, lock: bool) -> None:
        """A table is mapped, its lock taken at once or not."""

    def unlocked(self, state: State, op: Call, lock: Symbol) -> None:
        """A page-table lock is released."""

    def locked(self, state: State, op: Call, lock: Symbol) -> None:
        """A page-table lock is taken."""

    def touch(self, state: State, op: Op, argument: int, kind: str, entry: Entry) -> None:
        """A pte pointer is used: handed to a call (kind read, update, read_update, carry or unknown), or dereferenced
        (kind direct, argument -1).
        """

    def stored(self, state: State, op: Store | Assign, local: bool, entry: Entry) -> None:
        """A pte pointer is written to memory; ``local`` to an object of the function's own."""

    def branch(self, state: State, terminator: Branch) -> None:
        """A condition is evaluated."""

    def leave(self, state: State, terminator: Return) -> None:
        """The function returns."""
