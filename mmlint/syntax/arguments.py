"""Rules for the arguments of calls: macros take what no C function takes.

    sizeof_field(struct page, lru)    container_of(p, struct foo *, m)    WARN(x, return -1)    REDUCE(+, a,, b)

Each argument is made an expression: types and statements become one identifier, empty arguments lose their comma, lone
operators become ``_``. Control flow hidden that way is noted.
"""

from __future__ import annotations

from mmlint.syntax.scan import CALL, Scan
from mmlint.syntax.tokens import LITERAL, OPENING, PUNCTUATION, WORD
from mmlint.syntax.words import ASM, SIZEOF, STATEMENTS, TYPE_STARTS, TYPEOF

HIDDEN_STATEMENTS = "statements in argument"
_ARGUMENT_END = frozenset((b",", b")", b";", b"=", b"]", b"}"))


def type_or_statement(scan: Scan, index: int) -> int | None:
    """``f(struct foo *)`` and ``f(return x)``: a keyword makes the whole argument one identifier."""
    word = scan.texts[index]
    if word in STATEMENTS and word not in ASM:
        if word not in (b"case", b"default"):
            scan.note(index, f"{word.decode()} in argument")
        end = _argument_end(scan, index + 1)
        while scan.texts[end] == b"=":
            end = _argument_end(scan, end + 1)
    elif word in TYPE_STARTS or word in STATEMENTS:
        end = _argument_end(scan, index + 1)
    else:
        return None
    scan.identifier(index, end - 1)
    return end


def adjacent_words(scan: Scan, index: int) -> int | None:
    """``f(u32 __iomem, x)``: words without an operator between them become one identifier."""
    word, following = scan.texts[index], scan.texts[index + 1]
    if scan.kinds[index + 1] != WORD or word in SIZEOF or word in TYPEOF:
        return None
    if following in SIZEOF or following in STATEMENTS:
        return None
    end = index + 1
    while scan.kinds[end] == WORD:
        end += 1
    if scan.kinds[end] == LITERAL:
        return None
    scan.identifier(index, end - 1)
    return end


def _argument_end(scan: Scan, index: int) -> int:
    """The token at or behind ``index`` that ends an argument or the left side of an assignment."""
    while index < scan.tokens.count:
        if scan.kinds[index] == PUNCTUATION:
            text = scan.texts[index]
            if text in OPENING:
                if scan.partner[index] < 0:
                    return index
                index = scan.partner[index]
            elif text in _ARGUMENT_END:
                return index
        index += 1
    return index


def end_of_arguments(scan: Scan, index: int) -> None:
    """``f(a, )`` and ``f(struct foo *)``: a comma or stars before the closing bracket are dropped."""
    last = scan.previous(index)
    if last >= 0 and scan.texts[last] == b"," and scan.kinds[last] == PUNCTUATION:
        scan.rewriting.blank(scan.starts[last], scan.ends[last])
    scan.drop_stars_before(index)


def comma(scan: Scan, index: int) -> int:
    """``f(foo *, x)`` loses the star, ``f(, x)`` the comma."""
    scan.drop_stars_before(index)
    if scan.at_argument:
        scan.drop(index, index)
    scan.at_argument = True
    return index + 1


def semicolon(scan: Scan, index: int) -> int:
    """``f(a; b)``: statements in an argument are separated by commas instead."""
    scan.note(index, HIDDEN_STATEMENTS)
    _separate(scan, index)
    return index + 1


def colon(scan: Scan, index: int) -> int | None:
    """``f(a : b)``: a colon that belongs to no ``?`` separates arguments."""
    open_colons = 0
    before = index - 1
    while before >= 0:
        if scan.kinds[before] == PUNCTUATION:
            text = scan.texts[before]
            if scan.partner[before] >= 0 and text in (b")", b"]", b"}"):
                before = scan.partner[before]
            elif text in OPENING or text == b",":
                break
            elif text == b"?":
                open_colons += 1
            elif text == b":" and before not in scan.dropped:
                open_colons -= 1
        before -= 1
    if open_colons > 0:
        return None
    _separate(scan, index)
    return index + 1


def _separate(scan: Scan, index: int) -> None:
    """Turn a token into a comma; an empty argument needs none."""
    scan.rewriting.put(scan.starts[index], scan.ends[index], b",")
    scan.texts[index] = b","
    if scan.at_argument:
        scan.drop(index, index)
    scan.at_argument = True


def designator(scan: Scan, index: int) -> int | None:
    """``f(.x = 1)`` becomes ``f( x = 1)``."""
    if scan.texts[index] != b".":
        return None
    scan.drop(index, index)
    return index + 1


def lone_operator(scan: Scan, index: int) -> int | None:
    """``f(x, +)`` becomes ``f(x, _)``."""
    if scan.texts[index + 1] not in (b",", b")") or scan.kinds[index + 1] != PUNCTUATION:
        return None
    start, end = scan.starts[index], scan.ends[index]
    scan.rewriting.put(start, end, b"_" * (end - start))
    scan.at_argument = False
    scan.texts[index], scan.kinds[index] = b"_", WORD
    return index + 1


def index_as_argument(scan: Scan, index: int) -> None:
    """``f([ID] = x)`` becomes ``f( ID  = x)``."""
    closing = scan.partner[index]
    if closing > 0:
        scan.drop(index, index)
        scan.rewriting.blank(scan.starts[closing], scan.ends[closing])


def holds_statements(scan: Scan, index: int) -> bool:
    """True when the ``{`` that starts an argument opens a block, false when it opens an initialiser."""
    closing = scan.partner[index]
    inner = index + 1
    while 0 <= inner < closing:
        if scan.kinds[inner] == PUNCTUATION:
            text = scan.texts[inner]
            if text == b";":
                return True
            if text in OPENING and scan.partner[inner] > 0:
                if text == b"{" and scan.texts[inner - 1] == b")":
                    return True
                inner = scan.partner[inner]
        inner += 1
    return closing == index + 1


def block_as_argument(scan: Scan, index: int) -> bool:
    """``f(each(x) { g(); })`` becomes ``f(each(x) , g()   )``; False when nothing closes the brace."""
    closing = scan.partner[index]
    if closing <= 0:
        return False
    scan.note(index, HIDDEN_STATEMENTS)
    scan.rewriting.put(scan.starts[index], scan.ends[index], b",")
    scan.rewriting.put(scan.starts[closing], scan.ends[closing], b" ")
    scan.enter(CALL)
    return True


def braces_as_argument(scan: Scan, index: int) -> bool:
    """``f({ 1, 2 })`` becomes ``f(( 1, 2 ))``; False when nothing closes the brace."""
    closing = scan.partner[index]
    if closing <= 0:
        return False
    scan.rewriting.put(scan.starts[index], scan.ends[index], b"(")
    scan.rewriting.put(scan.starts[closing], scan.ends[closing], b")")
    scan.enter(CALL)
    return True
