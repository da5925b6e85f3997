"""Conditions of ``#if`` as formulas over atoms.

    #if defined(CONFIG_A) && !IS_ENABLED(CONFIG_B)     ->  And((Atom("CONFIG_A"), Not(Atom("CONFIG_B"))))
    #if CONFIG_PGTABLE_LEVELS > 3                      ->  Atom("CONFIG_PGTABLE_LEVELS > 3")

Three forms of one name are the same atom: ``defined(X)``, ``IS_ENABLED(X)`` and plain ``X``. Any arithmetic is an atom
of its own, so ``N > 2`` and ``N > 3`` are taken to be independent. What cannot be read at all becomes one atom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

Assignment = Mapping[str, bool]

# What holds whenever the kernel itself is compiled; these are never varied.
FIXED: Final = {
    "__KERNEL__": True,
    "__ASSEMBLER__": False,
    "__ASSEMBLY__": False,
    "__CHECKER__": False,
    "__DTS__": False,
    "__GENKSYMS__": False,
    "__SPARSE__": False,
    "__cplusplus": False,
}


@dataclass(frozen=True, slots=True)
class Constant:
    """A number: zero is false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Atom:
    """A symbol, or the text of a comparison that is not looked into."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    operand: Condition


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Condition, ...]


Condition = Constant | Atom | Not | And | Or
TRUE: Final = Constant(True)


def evaluate(condition: Condition, assignment: Assignment, default: bool) -> bool:
    """The truth value; atoms that ``assignment`` does not name have the value ``default``."""
    match condition:
        case Atom(name):
            fixed = FIXED.get(name)
            return assignment.get(name, default) if fixed is None else fixed
        case Not(operand):
            return not evaluate(operand, assignment, default)
        case And(parts):
            return all(evaluate(part, assignment, default) for part in parts)
        case Or(parts):
            return any(evaluate(part, assignment, default) for part in parts)
        case Constant(value):
            return value


@lru_cache(maxsize=8192)
def atoms(condition: Condition) -> frozenset[str]:
    """Names of the atoms that can be varied."""
    match condition:
        case Atom(name):
            return frozenset() if name in FIXED else frozenset((name,))
        case Not(operand):
            return atoms(operand)
        case And(parts) | Or(parts):
            return frozenset().union(*map(atoms, parts))
        case Constant():
            return frozenset()


def solve(conjuncts: Iterable[Condition], base: Assignment, limit: int = 10) -> dict[str, bool] | None:
    """An extension of ``base`` under which all conjuncts hold, or None.

    Forced values are propagated; for what then remains, the combinations of the first ``limit`` atoms are tried.
    """
    conjuncts = list(conjuncts)
    assignment = dict(base)
    open_ended: list[Condition] = []
    if not all(_force(conjunct, True, assignment, open_ended) for conjunct in conjuncts):
        return None
    if not open_ended:
        return assignment
    free = sorted(frozenset().union(*map(atoms, open_ended)) - assignment.keys())[:limit]
    for bits in range(1 << len(free)):
        attempt = assignment | {name: not bits >> index & 1 for index, name in enumerate(free)}
        if all(evaluate(conjunct, attempt, True) for conjunct in conjuncts):
            return attempt
    return None


def _force(condition: Condition, value: bool, assignment: dict[str, bool], open_ended: list[Condition]) -> bool:
    """Enter into ``assignment`` what follows from condition == value; False when it contradicts."""
    match condition:
        case Constant(constant):
            return constant == value
        case Not(operand):
            return _force(operand, not value, assignment, open_ended)
        case Atom(name):
            fixed = FIXED.get(name)
            return (assignment.setdefault(name, value) if fixed is None else fixed) == value
        case And(parts) | Or(parts):
            if isinstance(condition, And) == value:
                return all(_force(part, value, assignment, open_ended) for part in parts)
            open_ended.append(condition)
            return True


_TOKEN = re.compile(r"\s*(defined\b|&&|\|\||!(?!=)|\(|\)|\w+|[^\w\s])")
_CONTINUATION = re.compile(r"\\[ \t\r]*\n")
_KCONFIG_TESTS = frozenset(("IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE", "IS_MODULE"))
_MAX_DEPTH = 60


@lru_cache(maxsize=8192)
def parse(keyword: str, text: str) -> Condition:
    """The condition of a directive: ``keyword`` is if, ifdef, elif, ..., ``text`` what follows it."""
    text = _CONTINUATION.sub(" ", text).strip()
    if keyword.endswith("def"):
        atom = Atom(text.split()[0] if text else "?")
        return Not(atom) if keyword.endswith("ndef") else atom
    return _Parser(_TOKEN.findall(text)).disjunction(0)


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0

    def peek(self, ahead: int = 0) -> str:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else ""

    def disjunction(self, depth: int) -> Condition:
        parts = [self.conjunction(depth)]
        while self.peek() == "||":
            self.position += 1
            parts.append(self.conjunction(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def conjunction(self, depth: int) -> Condition:
        parts = [self.operand(depth)]
        while self.peek() == "&&":
            self.position += 1
            parts.append(self.operand(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def operand(self, depth: int) -> Condition:
        token = self.peek()
        if not token:
            return TRUE
        if depth > _MAX_DEPTH:
            return self.opaque(self.position)
        if token == "!":
            self.position += 1
            return Not(self.operand(depth + 1))
        if token == "(":
            return self.group(depth)
        if token == "defined" or (token in _KCONFIG_TESTS and self.peek(1) == "("):
            return self.test()
        if self.peek(1) in ("", "&&", "||", ")"):
            self.position += 1
            return Constant(token.rstrip("uUlL") not in ("0", "0x0")) if token[0].isdigit() else Atom(token)
        return self.opaque(self.position)

    def group(self, depth: int) -> Condition:
        start = self.position
        self.position += 1
        inner = self.disjunction(depth + 1)
        if self.peek() == ")" and self.peek(1) in ("", "&&", "||", ")"):
            self.position += 1
            return inner
        self.position = start
        return self.opaque(start)

    def test(self) -> Condition:
        """``defined(X)``, ``defined X`` or ``IS_ENABLED(X)``."""
        ahead = 2 if self.peek(1) == "(" else 1
        name = self.peek(ahead) or "?"
        self.position += 4 if ahead == 2 else 2
        return Atom(name)

    def opaque(self, start: int) -> Condition:
        """Everything up to the next ``&&``, ``||`` or closing bracket, as one atom."""
        depth = 0
        while token := self.peek():
            if token == "(":
                depth += 1
            elif token == ")":
                if depth == 0:
                    break
                depth -= 1
            elif depth == 0 and token in ("&&", "||"):
                break
            self.position += 1
        return Atom(" ".join(self.tokens[start : self.position]))
