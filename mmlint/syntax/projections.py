"""Which ``#if`` arms are compiled together: projections of a file.

A projection is a truth assignment to the atoms of all conditions. `covering` gives a few that together take every arm:
everything true, everything false, then assignments packed greedily until nothing is left out. Arms are taken once each,
not in all combinations; `combinations` varies the conditionals inside one function for that. An arm that no assignment
reaches (``#ifdef X`` under ``#ifndef X``) is forced.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import product

from mmlint.source import Span
from mmlint.syntax.conditions import Assignment, Condition, Not, atoms, evaluate, solve
from mmlint.syntax.directives import Arm, Conditional, Directives
from mmlint.syntax.mask import blanks

_MAX_PROJECTIONS = 40
_MAX_PATH = 100
_MAX_COMBINED_ATOMS = 4


@dataclass(frozen=True)
class Projection:
    """``assignment`` for some atoms, ``default`` for the others; ``taken`` are the arms that this compiles."""

    assignment: Assignment
    default: bool
    taken: frozenset[Arm] = field(repr=False)


def project(directives: Directives, assignment: Assignment, default: bool, forced: Collection[Arm] = ()) -> Projection:
    """The projection under an assignment; an arm in ``forced`` is taken whatever its condition says."""
    taken: set[Arm] = set()
    for conditional in directives.conditionals:
        if conditional.parent is None or conditional.parent in taken:
            arm = _choose(conditional, assignment, default, forced)
            if arm is not None:
                taken.add(arm)
    return Projection(assignment, default, frozenset(taken))


def _choose(conditional: Conditional, assignment: Assignment, default: bool, forced: Collection[Arm]) -> Arm | None:
    for arm in conditional.arms:
        if arm in forced:
            return arm
    for arm in conditional.arms:
        if evaluate(arm.condition, assignment, default):
            return arm
    return None


def covering(directives: Directives) -> list[Projection]:
    """Projections that together take every arm that can be taken; the first has every atom true."""
    guard = directives.include_guard
    base = {} if guard is None else {guard: False}
    result = [project(directives, base, True)]
    covered = set(result[0].taken)
    nothing = project(directives, base, False)
    if not nothing.taken <= covered:
        result.append(nothing)
        covered |= nothing.taken
    missing = [
        (arm, path)
        for arm, path in _reachable_arms(directives)
        if arm not in covered and (arm.implied or directives.masked[arm.start : arm.end].strip())
    ]
    while missing and len(result) < _MAX_PROJECTIONS:
        assignment, packed = _pack(base, [path for _, path in missing])
        if packed:
            projection = project(directives, assignment, True)
        elif missing[0][0].implied:
            missing.pop(0)
            continue
        else:
            projection = project(directives, base, True, frozenset(ancestry(missing[0][0])))
        result.append(projection)
        left = [(arm, path) for arm, path in missing if arm not in projection.taken]
        missing = left if len(left) < len(missing) else left[1:]
    return result


def _pack(base: Assignment, paths: list[list[Condition]]) -> tuple[Assignment, bool]:
    """An assignment that satisfies as many of the paths as fit, and whether it satisfies any."""
    assignment, packed = base, False
    for path in paths:
        extended = solve(path, assignment)
        if extended is not None:
            assignment, packed = extended, True
    return assignment, packed


def ancestry(arm: Arm | None) -> Iterator[Arm]:
    """The arm and the arms around it, innermost first."""
    while arm is not None:
        yield arm
        arm = arm.conditional.parent


def dead_arms(directives: Directives) -> list[Arm]:
    """Arms that no configuration compiles, as in ``#if 0``, and those inside them."""
    dead: dict[Arm, None] = {}
    for conditional in directives.conditionals:
        for arm in conditional.arms:
            never = not atoms(arm.condition) and not evaluate(arm.condition, {}, True)
            if never or conditional.parent in dead:
                dead[arm] = None
    return list(dead)


def _reachable_arms(directives: Directives) -> list[tuple[Arm, list[Condition]]]:
    """Arms in the order of the text with what must hold for each; without those in ``#if 0`` and the like."""
    dead = set(dead_arms(directives))
    result = []
    for conditional in directives.conditionals:
        for arm in conditional.arms:
            if arm in dead:
                continue
            path = _path(arm)
            if len(path) <= _MAX_PATH:
                result.append((arm, path))
    return sorted(result, key=lambda reachable: reachable[0].start)


def _path(arm: Arm) -> list[Condition]:
    """The conditions under which an arm is compiled, outermost first."""
    path: list[Condition] = []
    for around in ancestry(arm):
        level: list[Condition] = []
        for sibling in around.conditional.arms:
            if sibling is around or len(level) > _MAX_PATH:
                break
            level.append(Not(sibling.condition))
        path = [*level, around.condition, *path]
        if len(path) > _MAX_PATH:
            break
    return path


class Projector:
    """Cuts projected texts out of a masked file: directive lines and untaken arms become blanks."""

    def __init__(self, directives: Directives) -> None:
        self.conditionals = directives.conditionals
        self._starts = [conditional.start for conditional in self.conditionals]
        plain = bytearray(directives.masked)
        for line in directives.lines:
            plain[line.start : line.end] = blanks(plain[line.start : line.end])
        self._plain = bytes(plain)

    def text(self, projection: Projection) -> bytes:
        """The whole file as the projection compiles it."""
        return self._blank_untaken(self._plain, 0, projection, self.conditionals)

    def slice(self, span: Span, projection: Projection) -> bytes:
        """The bytes of ``span`` alone, as the projection compiles it."""
        around = [arm.conditional for arm in ancestry(self.around(span.start))]
        plain = self._plain[span.start : span.end]
        return self._blank_untaken(plain, span.start, projection, around + self.inside(span))

    def inside(self, span: Span) -> list[Conditional]:
        """The conditionals that start in the span."""
        first = bisect_left(self._starts, span.start)
        return self.conditionals[first : bisect_left(self._starts, span.end)]

    def around(self, offset: int) -> Arm | None:
        """The innermost arm of a conditional that starts before the offset and ends behind it."""
        index = bisect_left(self._starts, offset) - 1
        conditional = self.conditionals[index] if index >= 0 else None
        while conditional is not None:
            if conditional.end > offset:
                return [arm for arm in conditional.arms if arm.start <= offset][-1]
            conditional = conditional.parent.conditional if conditional.parent else None
        return None

    def varies(self, span: Span) -> bool:
        """True when a conditional stands in or around the span."""
        return bool(self.inside(span)) or self.around(span.start) is not None

    @staticmethod
    def _blank_untaken(plain: bytes, shift: int, projection: Projection, conditionals: list[Conditional]) -> bytes:
        text = bytearray(plain)
        for conditional in conditionals:
            if conditional.parent is None or conditional.parent in projection.taken:
                for arm in conditional.arms:
                    if arm not in projection.taken:
                        start, end = max(arm.start - shift, 0), max(arm.end - shift, 0)
                        text[start:end] = blanks(text[start:end])
        return bytes(text)


@dataclass(frozen=True)
class Configuration:
    """What a text depends on: ``assignment`` has the atoms of the conditionals in and around it, in their order.

    All other atoms have the value ``default``; they make no difference to the text.
    """

    assignment: tuple[tuple[str, bool], ...]
    default: bool = field(compare=False)

    def describe(self) -> str:
        """``CONFIG_X set, CONFIG_Y not set``; empty when the text depends on nothing."""
        return ", ".join(_describe(atom, value) for atom, value in self.assignment)


def _describe(atom: str, value: bool) -> str:
    if atom.isidentifier():
        return f"{atom} {'set' if value else 'not set'}"
    return f"{atom} {'true' if value else 'false'}"


def configuration(projector: Projector, span: Span, projection: Projection) -> Configuration:
    """The part of a projection that matters for the text of ``span``."""
    around = list(ancestry(projector.around(span.start)))
    relevant = [arm.conditional for arm in reversed(around)]
    relevant += [
        conditional
        for conditional in projector.inside(span)
        if conditional.parent is None or conditional.parent in projection.taken
    ]
    names: dict[str, None] = {}
    for conditional in relevant:
        for arm in conditional.arms:
            names.update(dict.fromkeys(sorted(atoms(arm.condition))))
            if arm in projection.taken:
                break
    assignment = projection.assignment
    values = tuple((name, assignment.get(name, projection.default)) for name in names)
    return Configuration(values, projection.default)


def combinations(projector: Projector, span: Span, projection: Projection) -> Iterator[Projection]:
    """All ways to vary the conditionals that lie wholly inside a function, everything around it left as it is.

    Nothing when they have more than four atoms: `covering` has every arm of those once.
    """
    inner = [conditional for conditional in projector.inside(span) if conditional.end <= span.end]
    names = sorted({name for conditional in inner for arm in conditional.arms for name in atoms(arm.condition)})
    if not inner or len(names) > _MAX_COMBINED_ATOMS:
        return
    kept = projection.taken.difference(arm for conditional in inner for arm in conditional.arms)
    around = list(ancestry(projector.around(span.start)))
    for values in product((True, False), repeat=len(names)):
        assignment = {**projection.assignment, **dict(zip(names, values, strict=True))}
        default = projection.default
        if all(_choose(arm.conditional, assignment, default, ()) is arm for arm in around):
            yield _vary(inner, kept, assignment, default)


def _vary(inner: list[Conditional], kept: frozenset[Arm], assignment: Assignment, default: bool) -> Projection:
    taken = set(kept)
    for conditional in inner:
        if conditional.parent is None or conditional.parent in taken:
            arm = _choose(conditional, assignment, default, ())
            if arm is not None:
                taken.add(arm)
    return Projection(assignment, default, frozenset(taken))
