"""Real kernel code: every function of mm/ is found and read, and the trees say what the text says.

Needs a kernel tree (see `tests.kernels`); the comparison with ctags needs ctags.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import tree_sitter

from mmlint.source import Source
from mmlint.syntax.functions import ParsedFunction, read_functions
from mmlint.syntax.words import ASM, ASM_QUALIFIERS, ATTRIBUTE_CALLS, KEYWORDS, TYPEOF
from tests.kernels import kernel

KEYWORD_NODES = {
    b"if": "if_statement",
    b"while": "while_statement",
    b"for": "for_statement",
    b"do": "do_statement",
    b"return": "return_statement",
    b"goto": "goto_statement",
    b"break": "break_statement",
    b"continue": "continue_statement",
    b"switch": "switch_statement",
    b"case": "case_statement",
    b"default": "case_statement",
}
KEYWORD = re.compile(rb"\b(?:" + b"|".join(KEYWORD_NODES) + rb")\b")
CALL = re.compile(rb"\b([A-Za-z_]\w*)\s*\(")
NO_CALL = KEYWORDS | TYPEOF | ATTRIBUTE_CALLS | ASM | ASM_QUALIFIERS
# Macro calls that ctags takes for functions.
CTAGS_MISTAKES = {"__init", "INTERVAL_TREE_DEFINE", "subsys_initcall", "postcore_initcall"}


def mm_files(tree: Path) -> list[Path]:
    return sorted([*tree.glob("mm/*.c"), *tree.glob("mm/*/*.c"), tree / "fs/proc/task_mmu.c"])


@cache
def functions_of(path: Path) -> tuple[Source, list[ParsedFunction]]:
    source = Source(str(path), path.read_bytes())
    return source, read_functions(source)


def mm_functions(version: str) -> Iterator[tuple[Source, ParsedFunction]]:
    for path in mm_files(kernel(version)):
        source, functions = functions_of(path)
        for function in functions:
            yield source, function


def nodes(tree: tree_sitter.Tree, *kinds: str) -> Iterator[tree_sitter.Node]:
    pending = [tree.root_node]
    while pending:
        node = pending.pop()
        if node.type in kinds:
            yield node
        pending += node.children


@pytest.mark.parametrize(("version", "functions", "texts"), [("6.12", 6_500, 6_890), ("6.1", 6_000, 6_300)])
def test_all_of_mm_is_read_without_an_error(version: str, functions: int, texts: int) -> None:
    found = list(mm_functions(version))
    failed = [
        f"{source.path}:{source.line(function.span.start)}: {function.name}"
        for source, function in found
        if function.blanked or not function.ok
    ]
    assert failed == []
    assert len(found) >= texts
    assert len({(source.path, function.span.start) for source, function in found}) >= functions


def test_nothing_moves() -> None:
    for source, function in mm_functions("6.12"):
        data = source.data[function.span.start : function.span.end]
        newlines = [offset for offset, byte in enumerate(data) if byte == 10]
        for text in (function.masked, function.text):
            assert len(text) == len(data)
            assert [offset for offset, byte in enumerate(text) if byte == 10] == newlines
        assert data.startswith(b"{", function.body.start - function.span.start) and data.endswith(b"}")


def test_every_control_keyword_is_a_statement() -> None:
    checked = 0
    for source, function in mm_functions("6.12"):
        hidden = {offset for offset, note in function.notes if note.endswith("in argument")}
        body, start = function.body.start - function.span.start, function.span.start
        expected = {
            (match.start(), KEYWORD_NODES[match.group()])
            for match in KEYWORD.finditer(function.masked, body)
            if start + match.start() not in hidden
        }
        found = {(node.start_byte, node.type) for node in nodes(function.tree, *KEYWORD_NODES.values())}
        loops = {offset - start for offset in function.loops}
        tail_of_do = {(offset, kind) for offset, kind in expected - found if kind == "while_statement"}
        assert expected - found == tail_of_do, f"{source.path}: {function.name}"
        assert {offset for offset, _ in found - expected} <= loops, f"{source.path}: {function.name}"
        dos = sum(1 for _ in nodes(function.tree, "do_statement"))
        assert len(tail_of_do) <= dos
        checked += len(expected)
    assert checked > 30_000


def called_name(call: tree_sitter.Node) -> int:
    """Offset of the last name of what is called: ``c`` of ``a->b.c(...)``."""
    callee = call.child_by_field_name("function")
    assert callee is not None
    name = callee.child_by_field_name("field") if callee.type == "field_expression" else callee
    assert name is not None
    return name.start_byte


def test_every_call_is_a_call() -> None:
    lost: set[bytes] = set()
    checked = 0
    for _, function in mm_functions("6.12"):
        start = function.span.start
        calls = {called_name(node) for node in nodes(function.tree, "call_expression")}
        loops = {offset - start for offset in function.loops}
        for match in CALL.finditer(function.masked, function.body.start - start):
            if match.group(1) not in NO_CALL:
                checked += 1
                if match.start() not in calls | loops:
                    lost.add(match.group(1))
    assert checked > 40_000
    assert lost <= {b"DECLARE_BITMAP"}, "not even this one, where it has an initialiser"


def test_loop_macros_are_loops() -> None:
    names = set()
    for _, function in mm_functions("6.12"):
        for offset in function.loops:
            match = re.compile(rb"\w+").match(function.masked, offset - function.span.start)
            assert match is not None
            names.add(match.group().decode())
    assert len(names) > 80
    known = re.compile(r"for_|each|_iter|scoped_guard")
    assert sorted(name for name in names if not known.search(name)) == []


@pytest.mark.skipif(shutil.which("ctags") is None, reason="NO CTAGS: install it to compare the functions found")
def test_no_function_is_lost_against_ctags() -> None:
    tree = kernel("6.12")
    files = mm_files(tree)
    command = ["ctags", "-x", "--c-kinds=f", *map(str, files)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, errors="replace").stdout
    rows = [line.split(None, 4) for line in output.splitlines()]
    listed = {(row[3], row[0], int(row[2])) for row in rows}
    ours = {
        (str(path), function.name.split(":")[0], source.line(function.name_span.start))
        for path in files
        for source, functions in [functions_of(path)]
        for function in functions
    }
    assert len(listed) > 6_400
    assert {name for _, name, _ in listed - ours} <= CTAGS_MISTAKES
