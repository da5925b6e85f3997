"""Rewrite one function so that tree-sitter-c can read it, without moving a byte.

    for_each_vma(vmi, vma)                  while       (vmi, vma)
            list_for_each(x, struct foo)            while        (x, Struct_foo)
                    count(x, return);                       count(x, Return);

One pass over the tokens; what stands where decides which rules apply. The rules live in `headers` (up to the body),
`statements` and `macros` (at the start of a statement), `arguments` (of calls), `declarations` (adjacent words),
`literals` and `assembly`. None of them knows a kernel function by name, but for the attributes in `words`.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmlint.syntax import arguments, assembly, declarations, headers, literals, macros, statements
from mmlint.syntax.cut import Outline
from mmlint.syntax.rewriting import Rewriting
from mmlint.syntax.scan import (
    BLOCK,
    CALL,
    FOR,
    GROUP,
    INDEX,
    INITIALISER,
    PARAMETERS,
    RECORD,
    STATEMENT_CONTEXTS,
    TOP,
    Context,
    Scan,
)
from mmlint.syntax.tokens import LITERAL, NUMBER, WORD, read_tokens
from mmlint.syntax.words import (
    ASM,
    CONTROLS,
    KEYWORDS,
    QUALIFIERS,
    QUERIES,
    RECORDS,
    RESERVED,
    STATEMENTS,
    TYPEOF,
)


@dataclass(frozen=True, slots=True)
class Normalised:
    """``text`` is as long as the original. ``loops`` are offsets of macros that became while or if, ``notes`` offsets
    of what the tree cannot show: "return in argument", "statements in argument", "computed goto".
    """

    text: bytes
    loops: tuple[int, ...]
    notes: tuple[tuple[int, str], ...]


def normalise(text: bytes, outline: Outline) -> Normalised:
    """The function ``text``, whose parts ``outline`` gives, rewritten."""
    rewriting = Rewriting(text)
    headers.header(rewriting, outline)
    scan = Scan(rewriting, read_tokens(rewriting, outline))
    index, count, kinds = 0, scan.tokens.count, scan.kinds
    while index < count:
        kind = kinds[index]
        if kind == WORD:
            index = _word(scan, index)
        elif kind in (LITERAL, NUMBER):
            scan.at_statement = scan.at_argument = False
            index = literals.string(scan, index) if kind == LITERAL else literals.number(scan, index)
        else:
            index = _PUNCTUATION.get(scan.texts[index], _operator)(scan, index)
    return Normalised(bytes(rewriting.buffer), tuple(scan.loops), tuple(scan.notes))


def _word(scan: Scan, index: int) -> int:
    word = scan.texts[index]
    if word in RESERVED:
        _unreserve(scan, index)
    if scan.at_argument:
        scan.at_argument = False
        after = arguments.type_or_statement(scan, index) or arguments.adjacent_words(scan, index)
        if after is not None:
            return after
    at_start = scan.at_statement
    if at_start:
        after = None
        if word in STATEMENTS:
            after = statements.keyword(scan, index)
        elif word not in KEYWORDS:
            after = macros.identifier(scan, index)
        if after is not None:
            return after
        scan.at_statement = False
        if word in QUALIFIERS:
            after = macros.qualified(scan, index)
            if after is not None:
                return after
    if word in _SPECIAL:
        after = _special_word(scan, index)
        if after is not None:
            return after
    return _adjacent_word(scan, index, at_start)


_SPECIAL = ASM | TYPEOF | QUERIES


def _special_word(scan: Scan, index: int) -> int | None:
    word = scan.texts[index]
    if word in ASM:
        return assembly.asm(scan, index)
    if word in TYPEOF:
        return declarations.typeof(scan, index)
    return declarations.type_query(scan, index) or declarations.generic(scan, index)


def _unreserve(scan: Scan, index: int) -> None:
    """``noreturn`` becomes ``Noreturn``: here it is a name, to tree-sitter a keyword."""
    start = scan.starts[index]
    first = scan.texts[index][:1]
    scan.rewriting.put(start, start + 1, first.upper() if first.islower() else b"A")


def _adjacent_word(scan: Scan, index: int, at_start: bool) -> int:
    """A word that is no statement: what stands before or behind it tells whether it is an attribute."""
    after = None
    before = scan.texts[scan.previous(index)] if index else b""
    if before == b"]":
        after = declarations.behind_array(scan, index)
    elif before == b")":
        if not at_start:
            after = declarations.behind_prototype(scan, index)
        if after is None and scan.texts[index] not in KEYWORDS:
            declarations.missing_comma(scan, index)
    elif before == b"(":
        after = declarations.in_pointer_declarator(scan, index)
    if after is None and scan.kinds[index + 1] == WORD:
        after = declarations.run_of_words(scan, index)
    if after is None and scan.context is RECORD:
        after = declarations.bit_field(scan, index, at_start)
    return index + 1 if after is None else after


def _open_paren(scan: Scan, index: int) -> int:
    context, statement_follows = GROUP, False
    before = scan.previous(index)
    if scan.context is TOP:
        context = PARAMETERS
    elif before >= 0 and scan.kinds[before] == WORD:
        word = scan.texts[before]
        if word in CONTROLS:
            context = FOR if word == b"for" else GROUP
            statement_follows = scan.context in STATEMENT_CONTEXTS
        elif word not in KEYWORDS:
            context = CALL
    scan.enter(context, statement_follows)
    return index + 1


def _open_brace(scan: Scan, index: int) -> int:
    context = _brace_context(scan, index)
    if context is INITIALISER and scan.context is CALL:
        before = scan.previous(index)
        is_value = scan.at_argument or scan.texts[before] == b"="
        if is_value and arguments.braces_as_argument(scan, index):
            return index + 1
        if scan.is_call_end(before) and arguments.block_as_argument(scan, index):
            return index + 1
    follows = context in STATEMENT_CONTEXTS and (scan.at_statement or scan.context is TOP)
    scan.enter(context, follows)
    scan.at_statement = context in STATEMENT_CONTEXTS
    return index + 1


def _brace_context(scan: Scan, index: int) -> Context:
    """What a brace opens; INITIALISER also for one that starts an argument."""
    before = scan.previous(index)
    if scan.context is TOP or scan.at_statement:
        return BLOCK
    if before >= 0 and scan.kinds[before] == WORD:
        return _named_brace_context(scan, before)
    if scan.context is CALL and scan.at_argument:
        return BLOCK if arguments.holds_statements(scan, index) else INITIALISER
    if before >= 0 and scan.texts[before] == b"(" and scan.context in (GROUP, CALL):
        return BLOCK
    return INITIALISER


def _named_brace_context(scan: Scan, before: int) -> Context:
    """A brace behind words: ``struct tag {``, ``enum tag {``, ``else {``."""
    while before >= 0 and scan.kinds[before] == WORD:
        word = scan.texts[before]
        if word in STATEMENTS:
            return BLOCK
        if word in RECORDS:
            return INITIALISER if word == b"enum" else RECORD
        before -= 1
    return INITIALISER if before < 0 else BLOCK


def _open_bracket(scan: Scan, index: int) -> int:
    if scan.at_argument and scan.context is CALL:
        arguments.index_as_argument(scan, index)
    scan.enter(INDEX)
    return index + 1


def _close(scan: Scan, index: int) -> int:
    if scan.context is CALL:
        arguments.end_of_arguments(scan, index)
    if scan.texts[index] == b"}":
        macros.do_loop(scan, index)
    scan.leave()
    return index + 1


def _semicolon(scan: Scan, index: int) -> int:
    if scan.context is CALL:
        return arguments.semicolon(scan, index)
    if scan.context in STATEMENT_CONTEXTS:
        scan.at_statement = True
    return index + 1


def _comma(scan: Scan, index: int) -> int:
    return arguments.comma(scan, index) if scan.context is CALL else index + 1


def _colon(scan: Scan, index: int) -> int:
    after = None
    if scan.context is CALL:
        after = arguments.colon(scan, index)
    elif index in scan.labels:
        scan.at_statement = scan.context in STATEMENT_CONTEXTS
        return index + 1
    elif scan.context is RECORD:
        after = declarations.unnamed_bit_field(scan, index)
    if after is None:
        return _operator(scan, index)
    return after


def _operator(scan: Scan, index: int) -> int:
    """Any other punctuation."""
    if scan.at_argument:
        after = arguments.designator(scan, index) or arguments.lone_operator(scan, index)
        if after is not None:
            return after
        scan.at_argument = False
    text = scan.texts[index]
    if text == b"&&":
        _label_address(scan, index)
    elif text == b"." and scan.context is INITIALISER:
        declarations.missing_comma(scan, index)
    scan.at_statement = False
    return index + 1


_NO_OPERAND = frozenset(
    b"( [ { , ; = == != <= >= < > + - * / % & | ^ ! ~ && || ? : += -= |= &= return case << >>".split()
)


def _label_address(scan: Scan, index: int) -> None:
    """``&&label`` becomes ``&label``."""
    before = scan.previous(index)
    if before >= 0 and scan.texts[before] in _NO_OPERAND:
        scan.rewriting.put(scan.starts[index], scan.starts[index] + 1, b" ")


_PUNCTUATION = {
    b"(": _open_paren,
    b"[": _open_bracket,
    b"{": _open_brace,
    b")": _close,
    b"]": _close,
    b"}": _close,
    b";": _semicolon,
    b",": _comma,
    b":": _colon,
}
