"""The tree of conditionals and the projections that cover it."""

import pytest

from mmlint.source import Span
from mmlint.syntax.directives import Directives, read_directives
from mmlint.syntax.projections import Configuration, Projector, combinations, configuration, covering


def texts(source: bytes) -> list[list[bytes]]:
    """The words of each covering projection."""
    directives = read_directives(source)
    projector = Projector(directives)
    return [projector.text(projection).split() for projection in covering(directives)]


def test_the_tree_knows_arms_parents_and_defines() -> None:
    source = b"#ifdef A\n#define X \\\n 1\n#if B\nb\n#elif C\nc\n#else\nd\n#endif\n# endif /* */\n"
    directives = read_directives(source)
    outer, inner = directives.conditionals
    assert [source[span.start : span.end] for span in directives.defines] == [b"#define X \\\n 1"]
    assert [source[arm.start : arm.end] for arm in inner.arms] == [b"\nb\n", b"\nc\n", b"\nd\n"]
    assert inner.parent is outer.arms[0] and outer.parent is None
    assert [arm.implied for arm in outer.arms] == [False, True]
    assert source[outer.start : outer.end].startswith(b"#ifdef A") and outer.end == source.rindex(b"#") + 13


@pytest.mark.parametrize("source", [b"#else\na\n", b"#endif\n#endif\na", b"#elif X\na\n#endif"])
def test_stray_directives_are_ignored(source: bytes) -> None:
    assert read_directives(source).conditionals == []
    assert b"a" in texts(source)[0]


def test_a_missing_endif_closes_at_the_end() -> None:
    [conditional] = read_directives(b"#if A\na\n").conditionals
    assert conditional.end == 8 and conditional.arms[0].end == 8


def test_hashes_inside_a_line_are_no_directives() -> None:
    assert read_directives(b"a #if B\n#define F(x) #x\n").conditionals == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"a\n", [[b"a"]]),
        (b"#ifdef A\na\n#endif\nb", [[b"a", b"b"], [b"b"]]),
        (b"#ifdef A\na\n#else\nb\n#endif", [[b"a"], [b"b"]]),
        (b"#if 0\na\n#endif\nb", [[b"b"]]),
        (b"#ifdef __ASSEMBLY__\na\n#else\nb\n#endif", [[b"b"]]),
        (b"#ifndef X\n#define X\na\n#endif\n", [[b"a"]]),
        (b"#if A\na\n#elif B\nb\n#elif C\nc\n#endif", [[b"a"], [], [b"b"], [b"c"]]),
        (b"#if A && !B\na\n#endif\n#if !A && B\nb\n#endif", [[], [b"a"], [b"b"]]),
        (b"#ifndef A\n#ifdef A\na\n#endif\nb\n#endif", [[], [b"b"], [b"a", b"b"]]),
    ],
)
def test_covering_takes_every_arm(source: bytes, expected: list[list[bytes]]) -> None:
    assert texts(source) == expected


def test_projecting_keeps_length_and_newlines() -> None:
    source = b"#if A\n\ta\n#else\n\tb\n#endif\nc\n"
    directives = read_directives(source)
    projector = Projector(directives)
    first, second = covering(directives)
    assert projector.text(first) == b"     \n\ta\n     \n\t \n      \nc\n"
    assert projector.text(second) == b"     \n\t \n     \n\tb\n      \nc\n"
    assert projector.slice(Span(0, 27), first) == projector.text(first)[:27]


def parts(source: bytes) -> tuple[Directives, Projector]:
    directives = read_directives(source)
    return directives, Projector(directives)


def test_a_configuration_names_what_stands_in_and_around_the_span() -> None:
    source = b"#if A\n#if B\nx\n#endif\nfffff\n#if C\n#if D\ny\n#endif\n#endif\ng\n#endif\n"
    directives, projector = parts(source)
    everything, nothing, *_ = covering(directives)
    span = Span(source.index(b"fffff"), source.index(b"g\n"))
    assert configuration(projector, span, everything).describe() == "A set, C set, D set"
    assert configuration(projector, span, nothing) == Configuration((("A", False),), False)


def test_a_configuration_stops_at_the_arm_that_is_taken() -> None:
    source = b"f\n#if A\na\n#elif N > 2\nb\n#endif\n"
    directives, projector = parts(source)
    described = {configuration(projector, Span(0, 30), each).describe() for each in covering(directives)}
    assert described == {"A set", "A not set, N > 2 false", "A not set, N > 2 true"}


def test_text_without_conditionals_depends_on_nothing() -> None:
    directives, projector = parts(b"#if A\na\n#endif\nf\n")
    assert configuration(projector, Span(15, 16), covering(directives)[0]).describe() == ""


def test_combinations_vary_the_conditionals_inside_and_nothing_else() -> None:
    source = b"#if A\n(\n#if B\nb\n#endif\n#if C\nc\n#endif\n)\n#endif\n"
    directives, projector = parts(source)
    span = Span(source.index(b"("), source.index(b")") + 1)
    found = [projector.slice(span, each).split() for each in combinations(projector, span, covering(directives)[0])]
    assert found == [[b"(", b"b", b"c", b")"], [b"(", b"b", b")"], [b"(", b"c", b")"], [b"(", b")"]]


def test_combinations_contradicting_what_is_around_are_left_out() -> None:
    source = b"#if A\n(\n#if A\na\n#endif\n#if C\nc\n#endif\n)\n#endif\n"
    directives, projector = parts(source)
    span = Span(source.index(b"("), source.index(b")") + 1)
    found = [projector.slice(span, each).split() for each in combinations(projector, span, covering(directives)[0])]
    assert found == [[b"(", b"a", b"c", b")"], [b"(", b"a", b")"]]


def test_no_combinations_of_many_atoms_or_of_nothing() -> None:
    many = b"".join(b"#if A%d\na\n#endif\n" % index for index in range(5))
    for source in (many, b"a\n"):
        directives, projector = parts(source)
        assert list(combinations(projector, Span(0, len(source)), covering(directives)[0])) == []


@pytest.mark.parametrize(
    "source",
    [
        b"#if A\n" * 20_000,
        b"#if A\n" + b"#elif B\n" * 20_000,
        b"#if A\n#else\n" * 3_000 + b"#endif\n" * 3_000,
        b"".join(b"#if A%d || B%d\na\n#endif\n" % (index, index) for index in range(300)),
    ],
    ids=["nested", "elifs", "else nested", "many"],
)
def test_hostile_conditionals_come_to_an_end(source: bytes) -> None:
    assert covering(read_directives(source))
