"""What ``mmlint dump parse`` prints: counts over many files, or the text and the tree of one function.

    files                           162
    functions                     6,589
    ...

A text counts as failed before repair when repair had to blank something, after repair when even that did not help.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter

from mmlint.source import Source
from mmlint.syntax.functions import FileReader, ParsedFunction, read_functions


@dataclass(slots=True)
class _Counts:
    files: int = 0
    functions: int = 0
    texts: int = 0
    failed: int = 0
    lost: int = 0
    details: list[str] = field(default_factory=list)


def parse_summary(paths: Sequence[Path]) -> str:
    """Counts of files, functions and errors, then a line for each function with errors and each unreadable file.

    Of a folder, all ``.c`` and ``.h`` files below it are read.
    """
    counts = _Counts()
    for path in _c_files(paths):
        try:
            source = Source(str(path), path.read_bytes())
        except OSError as error:
            counts.details.append(f"{path}: {error.strerror}")
            continue
        _count(source, counts)
    rows = (
        ("files", counts.files),
        ("functions", counts.functions),
        ("distinct texts", counts.texts),
        ("texts with errors before repair", counts.failed),
        ("texts with errors after repair", counts.lost),
    )
    lines = [f"{name:<32}{count:>9,}" for name, count in rows]
    return "".join(f"{line}\n" for line in lines + counts.details)


def _c_files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*.[ch]") if file.is_file() and not file.is_symlink())
        else:
            yield path


def _count(source: Source, counts: _Counts) -> None:
    reader = FileReader(source)
    counts.files += 1
    counts.functions += len({definition.span.start for definition in reader.definitions()})
    for definition in reader.definitions():
        function = reader.parse(definition)
        counts.texts += 1
        if function.ok and not function.blanked:
            continue
        counts.failed += 1
        counts.lost += not function.ok
        state = "repaired" if function.ok else "not readable"
        counts.details.append(f"{source.path}:{source.line(function.span.start)}: {function.name}: {state}")


def dump_parse(source: Source, function_name: str) -> str:
    """Every text of a function as it was parsed, with its tree. Raises LookupError when there is no such function."""
    functions = read_functions(source, lambda name, _: name == function_name.encode())
    if not functions:
        raise LookupError(f"no function {function_name} in {source.path}")
    return "\n".join(_dump(source, function) for function in functions)


def _dump(source: Source, function: ParsedFunction) -> str:
    lines = [f"{source.path}:{source.line(function.span.start)}: {function.name}"]
    lines += [f"configuration: {configuration.describe()}" for configuration in function.configurations]
    lines += [f"loop macro: line {source.line(offset)}" for offset in sorted(function.loops)]
    lines += [f"note: line {source.line(offset)}: {text}" for offset, text in function.notes]
    lines += [f"not analysed: {source.text(span)}" for span in function.blanked]
    if not function.ok:
        lines.append("not readable")
    lines += function.text.decode("utf-8", "backslashreplace").split("\n")
    lines += _tree_lines(source, function)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _tree_lines(source: Source, function: ParsedFunction) -> Iterator[str]:
    """One line per named node: indentation, field, kind, position, and the text of leaves."""
    cursor = function.tree.walk()
    depth = 0
    while True:
        node = cursor.node
        if node is not None and (node.is_named or node.is_missing):
            yield _node_line(source, function, node, cursor.field_name, depth)
        if cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            depth -= 1


def _node_line(
    source: Source, function: ParsedFunction, node: tree_sitter.Node, field_name: str | None, depth: int
) -> str:
    line, column = source.position(function.span.start + min(node.start_byte, len(function.masked)))
    name = f"{field_name}: " if field_name else ""
    missing = " MISSING" if node.is_missing else ""
    text = ""
    if not node.named_child_count and node.text:
        text = " " + " ".join(node.text.decode("utf-8", "backslashreplace").split())
    return f"{'  ' * depth}{name}{node.type}{missing} {line}:{column}{text}"
