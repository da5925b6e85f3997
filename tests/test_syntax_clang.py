"""The trees against clang's, which sees the preprocessed code: the same statements and calls at the same bytes.

Needs the package libclang; the comparison on kernel code also needs a kernel tree and Debian's linux-headers.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tree_sitter

from mmlint.source import Source
from mmlint.syntax.functions import ParsedFunction, read_functions
from tests.kernels import kernel, kernel_headers

cindex: Any = pytest.importorskip(
    "clang.cindex", reason="NO LIBCLANG: pip install 'libclang==18.*' to compare with clang"
)

STATEMENTS = {
    "IF_STMT": ("if_statement", b"if"),
    "WHILE_STMT": ("while_statement", b"while"),
    "FOR_STMT": ("for_statement", b"for"),
    "DO_STMT": ("do_statement", b"do"),
    "RETURN_STMT": ("return_statement", b"return"),
    "GOTO_STMT": ("goto_statement", b"goto"),
    "BREAK_STMT": ("break_statement", b"break"),
    "CONTINUE_STMT": ("continue_statement", b"continue"),
    "SWITCH_STMT": ("switch_statement", b"switch"),
    "CASE_STMT": ("case_statement", b"case"),
    "DEFAULT_STMT": ("case_statement", b"default"),
}
KINDS = {kind for kind, _ in STATEMENTS.values()}
CALL = re.compile(rb"[A-Za-z_]\w*\s*\(")
FIXTURE = b"""\
#define for_each_item(p, list) for (p = (list); p; p = p->next)
#define scoped_hold(l) for (int once = hold(l); once; once = 0)
#define WARN_ON(x) ({ int w = !!(x); if (w) report(#x); w; })
#define current get_current()
#define __init __attribute__((cold))
#define __must_hold(x)
#define DECLARE_COUNT(name) int name
#define INITIALISED(name) int name = count
#define likely(x) __builtin_expect(!!(x), 1)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define SIZE_OF(type) sizeof(type)
struct item { struct item *next; int value; int (*act)(int); };
int hold(void *l), count;
void report(const char *text), release(void *l);
struct item *get_current(void);

static int __init walk(struct item *list, int limit) __must_hold(list)
{
	struct item *p, *q = current;
	DECLARE_COUNT(seen);

	for_each_item(p, list)
		if (p->value > limit && !WARN_ON(p == q))
			goto out;
	for_each_item (p, list) {
		for_each_item(q, p)
			hold(q);
		if (likely(p->value)) continue;
		else break;
	}
	scoped_hold(list)
		seen = min(hold(p), SIZE_OF(struct item));
	do {
		release(q);
	} while (hold(q));
	switch (seen) {
	case 1 ... 3:
		return hold(list);
	case 4:
	case 5: {
		seen = ({ int z = hold(p); z; });
		break;
	}
	default:
		while (p->act(seen))
			seen++;
	}
out:
	return p ? p->act(p->value) : hold(
		list);
}

#ifdef OTHER
static void other(void)
{
	if (count)
		release(0);
}
#else
int other(void)
{
	for (;;) {
		INITIALISED(local);
		if (local) return 1;
#ifdef NEVER
		release(0);
		continue;
#endif
		asm volatile("nop" : : "r" (hold(0)) : "memory");
	}
}
#endif
"""


@dataclass(frozen=True)
class Shape:
    """What both parsers must agree on, as offsets in the file."""

    statements: frozenset[tuple[int, str]]
    calls: frozenset[int]


def file_offset(location: Any, path: str) -> int:
    """Where something is written in the file, or -1 when that is another file.

    For the body of a macro this is where the macro is used, for its arguments where they stand.
    """
    file, offset = ctypes.c_void_p(), ctypes.c_uint()
    line, column = ctypes.c_uint(), ctypes.c_uint()
    cindex.conf.lib.clang_getFileLocation(
        location, ctypes.byref(file), ctypes.byref(line), ctypes.byref(column), ctypes.byref(offset)
    )
    name = cindex.conf.lib.clang_getFileName(file) if file else ""
    return offset.value if name == path else -1


def clang_shapes(path: str, data: bytes, arguments: list[str]) -> dict[int, Shape]:
    """Offset of the opening brace -> shape, for every function definition of the file."""
    cindex.conf.lib.clang_getFileName.argtypes = [ctypes.c_void_p]
    cindex.conf.lib.clang_getFileLocation.argtypes = [cindex.SourceLocation, *[ctypes.c_void_p] * 4]
    unit = cindex.Index.create().parse(path, args=arguments, unsaved_files=[(path, data.decode())])
    errors = [diagnostic.spelling for diagnostic in unit.diagnostics if diagnostic.severity >= 3]
    assert errors == []
    shapes = {}
    for cursor in unit.cursor.get_children():
        if cursor.kind.name != "FUNCTION_DECL" or not cursor.is_definition():
            continue
        for child in cursor.get_children():
            if child.kind.name == "COMPOUND_STMT":
                body = file_offset(child.extent.start, path)
                if body >= 0 and data[body : body + 1] == b"{":
                    shapes[body] = clang_shape(child, path, data)
    return shapes


def clang_shape(body: Any, path: str, data: bytes) -> Shape:
    statements, calls = set(), set()
    for cursor in body.walk_preorder():
        kind = cursor.kind.name
        if kind in STATEMENTS:
            offset = file_offset(cursor.extent.start, path)
            node, word = STATEMENTS[kind]
            if re.match(word + rb"\b", data[offset:]):
                statements.add((offset, node))
        elif kind == "CALL_EXPR":
            offset = file_offset(cursor.extent.start, path)
            if CALL.match(data, offset):
                calls.add(offset)
    return Shape(frozenset(statements), frozenset(calls))


def nodes(tree: tree_sitter.Tree) -> Iterator[tree_sitter.Node]:
    pending = [tree.root_node]
    while pending:
        node = pending.pop()
        yield node
        pending += node.children


def our_shape(function: ParsedFunction) -> Shape:
    start = function.span.start
    statements = {
        (start + node.start_byte, node.type)
        for node in nodes(function.tree)
        if node.type in KINDS and start + node.start_byte not in function.loops
    }
    calls = {start + node.start_byte for node in nodes(function.tree) if node.type == "call_expression"}
    return Shape(frozenset(statements), frozenset(calls | function.loops))


def differences(source: Source, expected: dict[int, Shape]) -> tuple[list[str], int]:
    """Functions of which no text has clang's statements and calls, and how many were compared."""
    ours: dict[int, list[ParsedFunction]] = {}
    for function in read_functions(source):
        ours.setdefault(function.body.start, []).append(function)
    wrong = []
    for body, shape in sorted(expected.items()):
        shapes = [our_shape(function) for function in ours.get(body, [])]
        if not any(each.statements == shape.statements and each.calls >= shape.calls for each in shapes):
            wrong.append(f"line {source.line(body)}")
    return wrong, len(expected)


def test_the_fixture_reads_as_clang_reads_it() -> None:
    source = Source("fixture.c", FIXTURE)
    shapes = clang_shapes("fixture.c", FIXTURE, ["-std=gnu11", "-Wno-everything"])
    assert len(shapes) == 2
    walk = next(shape for body, shape in shapes.items() if b"for_each_item(q" in FIXTURE[body : body + 400])
    assert len(walk.statements) == 15 and len(walk.calls) == 10
    assert differences(source, shapes) == ([], 2)


def test_a_different_shape_is_noticed() -> None:
    shapes = clang_shapes("fixture.c", FIXTURE, ["-std=gnu11", "-Wno-everything"])
    changed = FIXTURE.replace(b"else break;", b"           ")
    assert differences(Source("fixture.c", changed), shapes)[0] == [f"line {FIXTURE[: min(shapes)].count(10) + 1}"]


def kernel_arguments(tree: Path, common: Path, amd64: Path) -> list[str]:
    """Flags of the kernel's build for amd64, with the generated headers of Debian's package."""
    folders = [
        tree / "arch/x86/include",
        amd64 / "arch/x86/include/generated",
        tree / "include",
        amd64 / "include",
        tree / "arch/x86/include/uapi",
        amd64 / "arch/x86/include/generated/uapi",
        tree / "include/uapi",
        amd64 / "include/generated/uapi",
        common / "include",
    ]
    included = ["compiler-version.h", "kconfig.h", "compiler_types.h"]
    return [
        "-nostdinc",
        *[f"-I{folder}" for folder in folders],
        *[part for name in included for part in ("-include", str(tree / "include/linux" / name))],
        *("-D__KERNEL__", "-DCC_USING_FENTRY", "-std=gnu11", "-fshort-wchar", "-funsigned-char"),
        *('-DKBUILD_MODFILE="x"', '-DKBUILD_BASENAME="x"', '-DKBUILD_MODNAME="x"', "-D__KBUILD_MODNAME=x"),
        *("-m64", "-mcmodel=kernel", "-Wno-everything"),
    ]


@pytest.mark.parametrize(
    ("name", "functions"), [("mm/madvise.c", 29), ("mm/mprotect.c", 15), ("mm/mremap.c", 20), ("mm/vmalloc.c", 130)]
)
def test_kernel_code_reads_as_clang_reads_it(name: str, functions: int) -> None:
    tree = kernel("6.12")
    path = tree / name
    data = path.read_bytes()
    shapes = clang_shapes(str(path), data, kernel_arguments(tree, *kernel_headers("6.12")))
    wrong, compared = differences(Source(name, data), shapes)
    assert wrong == []
    assert compared >= functions
