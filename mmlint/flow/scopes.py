"""Names in scope while a function is lowered, and the calls that are due when a scope is left.

Declarations of one spelling are told apart by `Name.scope`. What ``guard()``, ``CLASS()`` and ``__free()`` run at the
end of a scope is a chain of `Cleanup`: a place in the function knows the innermost one, and leaving for another place
runs those that the other place does not have. A place whose chain has more than that cannot be jumped to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mmlint.flow.ir import Call, Expr, Name, Opaque, Variable
from mmlint.source import Span


@dataclass(frozen=True, slots=True)
class Cleanup:
    """``call`` is made when control leaves the scope that holds it, then ``outer`` is due.

    Without a call it is the border of a statement expression, which may be left but not entered by a jump.
    """

    call: Call | None
    outer: Cleanup | None


def can_reach(here: Cleanup | None, there: Cleanup | None) -> bool:
    """True when a jump from a place whose chain is ``here`` to one whose chain is ``there`` only leaves scopes."""
    while here is not None and here is not there:
        here = here.outer
    return here is there


def due(here: Cleanup | None, there: Cleanup | None) -> Iterator[Call]:
    """The calls that are made on the way; the target of each is still to be chosen."""
    while here is not None and here is not there:
        if here.call is not None:
            yield here.call
        here = here.outer


@dataclass(slots=True)
class _Scope:
    end: int
    shadowed: list[tuple[bytes, Name | None]]
    cleanups: Cleanup | None


class Scopes:
    """The names that can be used at the current place, innermost declaration first.

    ``locals`` maps spellings to variables, ``globals`` those met so far that no declaration explains.
    """

    def __init__(self) -> None:
        self.locals: dict[bytes, Name] = {}
        self.globals: dict[bytes, Expr] = {}
        self.variables: dict[Name, Variable] = {}
        self.cleanups: Cleanup | None = None
        self._scopes: list[_Scope] = []
        self._declared: dict[bytes, int] = {}

    def open(self, end: int) -> None:
        """Enter a scope that ends at file offset ``end``."""
        self._scopes.append(_Scope(end, [], self.cleanups))

    @property
    def outer_cleanups(self) -> Cleanup | None:
        """The chain at the start of the innermost scope."""
        return self._scopes[-1].cleanups

    def close(self) -> None:
        """Leave the innermost scope."""
        scope = self._scopes.pop()
        for spelling, before in reversed(scope.shadowed):
            if before is None:
                del self.locals[spelling]
            else:
                self.locals[spelling] = before
        self.cleanups = scope.cleanups

    def declare(
        self, spelling: bytes, type_: str, pointers: int, start: int, parameter: int = -1, array: bool = False
    ) -> Name:
        """A new variable of the innermost scope, usable from file offset ``start``."""
        scope = self._scopes[-1]
        name = self._fresh(spelling)
        self.variables[name] = Variable(name, type_, pointers, Span(start, max(start, scope.end)), parameter, array)
        scope.shadowed.append((spelling, self.locals.get(spelling)))
        self.locals[spelling] = name
        return name

    def unknown(self, spelling: bytes) -> Expr:
        """An identifier that no declaration explains; words that are no identifier (a type) are opaque."""
        known = self.globals.get(spelling)
        if known is None:
            text = " ".join(spelling.decode("ascii", "backslashreplace").split())
            known = self._fresh(spelling) if text.replace("$", "_").isidentifier() else Opaque(text)
            self.globals[spelling] = known
        return known

    def _fresh(self, spelling: bytes) -> Name:
        scope = self._declared.get(spelling, 0)
        self._declared[spelling] = scope + 1
        return Name(spelling.decode("ascii", "backslashreplace"), scope)
