"""A rule file as text and as a tree: read with libcst, never executed.

    file = parse(read_source("rules/wrong_mm.py"))
    file.names(node)  ->  ("mmlint.rule.Rule",)       whatever the file calls it
    file.span(node)   ->  Span(962, 1091)             bytes of the file, as everywhere in mmlint

What Python itself would refuse is refused here too, with its place, and so is a file that is not UTF-8. Given up on are
files larger than a megabyte, and those nested more deeply than the interpreter's stack allows. Only the commands about
rules import this module.
"""

from __future__ import annotations

import re
import stat
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import libcst as cst
from libcst.metadata import (
    ByteSpanPositionProvider,
    CodeSpan,
    MetadataWrapper,
    QualifiedName,
    QualifiedNameSource,
    Scope,
    ScopeProvider,
)

from mmlint.config import UsageError
from mmlint.source import Source, Span

LARGEST: Final = 1 << 20
BUILTIN: Final = "builtins."
_BOM: Final = b"\xef\xbb\xbf"
_COOKIE: Final = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")

_Node = TypeVar("_Node", bound=cst.CSTNode)


class RuleSyntaxError(Exception):
    """Python does not take the file for a module: why, and at which bytes."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


class UnreadableRuleError(Exception):
    """The file was not read, so that nothing can be said of it: why."""


@contextmanager
def limited_depth() -> Iterator[None]:
    """Raises UnreadableRuleError where what is inside needs more of the stack than there is."""
    try:
        yield
    except (RecursionError, MemoryError) as error:
        raise UnreadableRuleError("it is nested too deeply") from error


@dataclass(frozen=True)
class RuleFile:
    """A rule file that was parsed; nodes are those of ``module``. Whatever is asked for raises UnreadableRuleError
    where it is nested too deeply for libcst.
    """

    source: Source
    _wrapper: MetadataWrapper = field(repr=False)
    _shift: int = 0

    @property
    def module(self) -> cst.Module:
        return self._wrapper.module

    @cached_property
    def _spans(self) -> Mapping[cst.CSTNode, CodeSpan]:
        with limited_depth():
            return self._wrapper.resolve(ByteSpanPositionProvider)

    @cached_property
    def _scopes(self) -> Mapping[cst.CSTNode, Scope | None]:
        with limited_depth():
            return self._wrapper.resolve(ScopeProvider)

    def span(self, node: cst.CSTNode) -> Span:
        """Bytes of a node, without the blanks, comments and parentheses around it."""
        place = self._spans[node]
        return Span(place.start + self._shift, place.start + self._shift + place.length)

    def head(self, node: cst.CSTNode) -> Span:
        """Bytes of a node up to the end of its first line."""
        span = self.span(node)
        return Span(span.start, min(span.end, self.source.line_span(self.source.line(span.start)).end))

    def text(self, node: cst.CSTNode) -> str:
        """Source text of a node."""
        return self.source.text(self.span(node))

    def names(self, node: cst.CSTNode) -> tuple[str, ...]:
        """What a name or a dotted name may stand for outside of this file, sorted.

        Names of modules are spelled from their root, built-in ones begin with `BUILTIN`.
        """
        return tuple(name.name for name in self._qualified(node) if name.source is not QualifiedNameSource.LOCAL)

    def own_names(self, node: cst.CSTNode) -> tuple[str, ...]:
        """What a name may stand for within this file, sorted; a name of the module has no dot."""
        return tuple(name.name for name in self._qualified(node) if name.source is QualifiedNameSource.LOCAL)

    def meaning(self, node: cst.CSTNode) -> str:
        """The one thing outside of this file that a name stands for; empty when there is none, or a choice."""
        names = self._qualified(node)
        return names[0].name if len(names) == 1 and names[0].source is not QualifiedNameSource.LOCAL else ""

    def _qualified(self, node: cst.CSTNode) -> list[QualifiedName]:
        """As QualifiedNameProvider, which asks for every node of the file and takes twice the time."""
        scope = self._scopes.get(node) if dotted(node) else None
        with limited_depth():
            return sorted(scope.get_qualified_names_for(node) if scope else (), key=lambda name: name.name)

    def every(self, kind: type[_Node]) -> Iterator[_Node]:
        """The nodes of a kind, outer ones before those inside them, in the order of the text."""
        waiting: list[cst.CSTNode] = [self.module]
        while waiting:
            node = waiting.pop()
            if isinstance(node, kind):
                yield node
            waiting += reversed(node.children)

    def statements(self) -> Iterator[cst.BaseSmallStatement | cst.BaseCompoundStatement]:
        """The statements of the module itself, in order."""
        yield from flat(self.module.body)


def flat(
    body: Sequence[cst.BaseStatement | cst.BaseSmallStatement],
) -> Iterator[cst.BaseSmallStatement | cst.BaseCompoundStatement]:
    """The statements of a body, those that share a line one by one."""
    for statement in body:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from statement.body
        elif isinstance(statement, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            yield statement


def dotted(node: cst.CSTNode) -> tuple[cst.Name, ...]:
    """The names of ``a.b.c``, or none when the node is anything but names and dots."""
    names: list[cst.Name] = []
    while isinstance(node, cst.Attribute):
        names.append(node.attr)
        node = node.value
    return (*reversed([*names, node]),) if isinstance(node, cst.Name) else ()


def full_name(node: cst.CSTNode) -> str:
    """The text of ``a.b.c``, or empty when the node is anything but names and dots."""
    return ".".join(name.value for name in dotted(node))


def parse(source: Source) -> RuleFile:
    """The file as a tree. Raises RuleSyntaxError and UnreadableRuleError."""
    shift = len(_BOM) if source.data.startswith(_BOM) else 0
    text = _decoded(source, source.data[shift:])
    with limited_depth():
        _let_python_judge(source, text, shift)
        try:
            module = cst.parse_module(text)
        except cst.ParserSyntaxError as error:
            raise UnreadableRuleError(f"libcst cannot read it: {error.message}") from error
        code = module.code
    if code != text:
        raise UnreadableRuleError("libcst does not give back the text that it was given")
    # The copy that is skipped is for trees in which a node stands twice, which a parser does not make.
    return RuleFile(source, MetadataWrapper(module, unsafe_skip_copy=True), shift)


def _decoded(source: Source, data: bytes) -> str:
    start = 0
    for line in data.split(b"\n", 2)[:2]:
        cookie = _COOKIE.match(line)
        if cookie and cookie[1].lower().replace(b"_", b"-") not in (b"utf-8", b"utf8"):
            offset = len(source.data) - len(data) + start
            span = Span(offset + cookie.start(1), offset + cookie.end(1))
            raise RuleSyntaxError("another encoding than UTF-8 makes Python read what nobody sees", span)
        start += len(line) + 1
    null = source.data.find(b"\0")
    if null >= 0:
        raise RuleSyntaxError("syntax error: a null byte", Span(null, null + 1))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        offset = len(source.data) - len(data) + error.start
        raise RuleSyntaxError("the text is not UTF-8", Span(offset, offset + 1)) from error


def _let_python_judge(source: Source, text: str, shift: int) -> None:
    """Compile, but do not run: the compiler's complaints have better places than those of libcst."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, source.path, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise RuleSyntaxError(f"syntax error: {error.msg}", _place(text, error, shift)) from error


def _place(text: str, error: SyntaxError, shift: int) -> Span:
    """From where the compiler points to the end of that line."""
    ends = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    line = min(error.lineno or 1, len(ends)) - 1
    stop = ends[line + 1] if line + 1 < len(ends) else len(text)
    content = text[ends[line] : stop].rstrip("\r\n")
    before = content[: max((error.offset or 1) - 1, 0)]
    start = shift + len(text[: ends[line]].encode())
    return Span(start + len(before.encode()), start + len(content.encode()))


def rule_modules(folder: Path) -> list[Path]:
    """The modules that ``--rules FOLDER`` would load, in order. Raises UsageError."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; give a folder of rule modules") from error
    return [folder / name for name in names if name.endswith(".py") and not name.startswith("_")]


def rule_files(paths: Sequence[str]) -> tuple[str, ...]:
    """The files that ``paths`` mean, each once: a folder means its rule modules. Raises UsageError."""
    found: list[str] = []
    for path in paths:
        if Path(path).is_dir():
            modules = rule_modules(Path(path))
            if not modules:
                raise UsageError(f"{path}: no rule modules are there; give a folder of them, or a file")
            found += [str(module) for module in modules]
        elif Path(path).exists():
            found.append(path)
        else:
            raise UsageError(f"{path}: No such file or directory; give rule files, or folders of them")
    return tuple(dict.fromkeys(found))


def read_source(path: str) -> Source:
    """The bytes of a rule file. Raises UnreadableRuleError."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableRuleError("not a regular file")
        if status.st_size > LARGEST:
            raise UnreadableRuleError("larger than a megabyte")
        return Source(path, Path(path).read_bytes())
    except OSError as error:
        raise UnreadableRuleError(error.strerror or str(error)) from error
