"""Rules for a statement that starts with a macro: loops, guards, declarations, and calls without a semicolon.

    for_each_zone(zone)            while        (zone)            loops are recognised by their layout: what they
            count(zone);                   count(zone);           run stands on the same line or further right
    DEFINE_WAIT(wait)              DEFINE_WAIT(wait);
    DECLARE_BITMAP(map, N) = {0}   int            map     = {0}

A body that is indented wrongly is therefore taken wrongly.
"""

from __future__ import annotations

import re

from mmlint.syntax.scan import BLOCK, CALL, RECORD, Scan
from mmlint.syntax.statements import end_statement, label
from mmlint.syntax.tokens import NUMBER, WORD
from mmlint.syntax.words import ASM, ATTRIBUTE_CALLS, KEYWORDS, QUALIFIERS, STATEMENTS, TYPEOF

_RUNS_ONCE = re.compile(rb"(?:__)?(?:if|scoped|IF)|.*_guard\Z")
_LOOP_NAME = re.compile(rb"for_|foreach|each|_iter|while|until|walk", re.I)


def identifier(scan: Scan, index: int) -> int | None:
    """The rule for an identifier at the start of a statement, by what stands behind it."""
    following = scan.texts[index + 1]
    word = scan.texts[index]
    if following == b":" and scan.context is BLOCK:
        return label(scan, index)
    if following == b"(" and scan.partner[index + 1] > 0 and word not in TYPEOF and word not in ASM:
        return call(scan, index)
    if following == b"{" and scan.context is BLOCK:
        return endless_loop(scan, index)
    if following == b"}":
        end_statement(scan, scan.ends[index], scan.starts[index + 1], scan.ends[index] - 1)
    elif scan.kinds[index + 1] == WORD and scan.context is BLOCK:
        return lone_word(scan, index)
    return None


def lone_word(scan: Scan, index: int) -> int | None:
    """``MACRO`` on a line of its own gets a semicolon, unless the next line stands further right."""
    end, following = scan.ends[index], scan.starts[index + 1]
    word = scan.texts[index + 1]
    if word in STATEMENTS and word not in ASM:
        end_statement(scan, end, following, end - 1)
        return index + 1
    if not scan.rewriting.starts_new_line(end, following):
        return None
    column = scan.rewriting.column
    if column(following) <= column(scan.starts[index]) and end_statement(scan, end, following):
        return index + 1
    return None


def endless_loop(scan: Scan, index: int) -> int | None:
    """``forever {`` becomes ``for(;;){``."""
    start, end = scan.starts[index], scan.ends[index]
    if end - start < len(b"for(;;)"):
        return None
    scan.rewriting.put(start, end, b"for(;;)")
    return index + 1


def call(scan: Scan, index: int) -> int | None:
    """``MACRO(...)`` at the start of a statement, by what stands behind the brackets."""
    closing = scan.partner[index + 1]
    behind = scan.texts[closing + 1]
    if behind == b";":
        keep_product(scan, index)
        return record_member(scan, index) if scan.context is RECORD else None
    if scan.context is RECORD:
        return None
    if scan.texts[index] in ATTRIBUTE_CALLS and _starts_declaration(scan, closing + 1):
        scan.drop(index, closing)
        return closing + 1
    if _runs_what_follows(scan, index, closing + 1):
        if _declares(scan, index):
            scan.drop(index + 1, closing)
            scan.at_statement = False
            return closing + 1
        return loop(scan, index) or missing_semicolon(scan, index)
    if behind == b"=" and scan.texts[closing + 2] == b"{":
        declaration(scan, index)
        scan.at_statement = False
        return closing + 1
    if behind in (b"}", b"else"):
        return missing_semicolon(scan, index)
    return None


def keep_product(scan: Scan, index: int) -> None:
    """``f(g(a * b));`` would be read as a declaration with a macro type: the star becomes a slash."""
    inner, closing = index + 3, scan.partner[index + 1]
    if scan.kinds[inner - 1] != WORD or scan.texts[inner] != b"(" or scan.partner[inner] != closing - 1:
        return
    for star in range(inner + 2, closing - 1):
        if scan.texts[star] != b"*" or scan.texts[star + 1] in (b",", b")", b"*"):
            continue
        if scan.kinds[star - 1] in (WORD, NUMBER) or scan.texts[star - 1] in (b")", b"]"):
            scan.rewriting.put(scan.starts[star], scan.ends[star], b"/")


def record_member(scan: Scan, index: int) -> int | None:
    """``STRUCT_MACRO(...);`` in a struct becomes ``int T_MACRO     ;``."""
    start, end = scan.starts[index], scan.ends[index]
    if end - start < len(b"int x"):
        return None
    scan.rewriting.put(start, start + 4, b"int ")
    closing = scan.partner[index + 1]
    scan.rewriting.blank(scan.starts[index + 1], scan.ends[closing])
    scan.at_statement = False
    return closing + 1


def _runs_what_follows(scan: Scan, index: int, following: int) -> bool:
    """True when the statement behind a macro call may belong to it."""
    text, kind = scan.texts[following], scan.kinds[following]
    if kind == WORD:
        return text != b"else"
    if text == b"{":
        return True
    if text in (b"++", b"--", b"*", b"("):
        new_line = scan.rewriting.starts_new_line(scan.ends[following - 1], scan.starts[following])
        named = text in (b"++", b"--") or _LOOP_NAME.search(scan.texts[index]) is not None
        return new_line and named
    return False


def _starts_declaration(scan: Scan, index: int) -> bool:
    return scan.kinds[index] == WORD and scan.texts[index] not in STATEMENTS


def _declares(scan: Scan, index: int) -> bool:
    """True for ``TYPE_MACRO(args) name;``."""
    following = scan.partner[index + 1] + 1
    if scan.rewriting.starts_new_line(scan.ends[following - 1], scan.starts[following]):
        return False
    if scan.kinds[following] != WORD or scan.texts[following] in KEYWORDS:
        return False
    ends_declarator = scan.texts[following + 1] in (b";", b"=", b",", b"[")
    return ends_declarator and not _LOOP_NAME.search(scan.texts[index])


def loop(scan: Scan, index: int) -> int | None:
    """``for_each_x(...) statement`` becomes ``while(...) statement``; a guard, or a short name, ``if(...)``."""
    start, end = scan.starts[index], scan.ends[index]
    closing = scan.partner[index + 1]
    if end - start < len(b"if") or not _encloses(scan, index, closing + 1):
        return None
    runs_once = _RUNS_ONCE.match(scan.texts[index]) or end - start < len(b"while")
    replacement = b"if" if runs_once else b"while"
    scan.loops.append(start)
    if closing > index + 2:
        scan.rewriting.put(start, end, replacement)
    else:
        end = scan.ends[closing]
        whole = replacement + b"(1)"
        if end - start >= len(whole) and not scan.rewriting.starts_new_line(start, end):
            scan.rewriting.put(start, end, whole)
    return _enter_call(scan, index)


def _encloses(scan: Scan, index: int, following: int) -> bool:
    """True when what follows a macro call is a block, on the same line, or further right."""
    if scan.texts[following] == b"{":
        return True
    if not scan.rewriting.starts_new_line(scan.ends[following - 1], scan.starts[following]):
        return True
    column = scan.rewriting.column
    return column(scan.starts[following]) > column(scan.starts[index])


def missing_semicolon(scan: Scan, index: int) -> int:
    """``MACRO(a, b)`` without semicolon: one is put behind it, or where there is no blank ``MACRO,a, b;``."""
    opening, closing = scan.starts[index + 1], scan.ends[scan.partner[index + 1]]
    following = scan.starts[scan.partner[index + 1] + 1]
    rewriting = scan.rewriting
    if not rewriting.insert(closing, following, b";"):
        arguments = rewriting.text[opening + 1 : closing - 1].strip()
        rewriting.put(opening, opening + 1, b"," if arguments else b" ")
        rewriting.put(closing - 1, closing, b";")
    return _enter_call(scan, index)


def _enter_call(scan: Scan, index: int) -> int:
    scan.enter(CALL, statement_follows=True)
    return index + 2


def declaration(scan: Scan, index: int) -> None:
    """``DECLARE_X(map, n) = { 0 };`` becomes ``int       map     = { 0 };``."""
    closing, name = scan.partner[index + 1], index + 2
    start = scan.starts[index]
    rewriting = scan.rewriting
    rewriting.blank(start, scan.ends[closing])
    if scan.kinds[name] == WORD and scan.texts[name] not in KEYWORDS and scan.starts[name] - start >= 4:
        rewriting.put(start, start + 3, b"int")
        rewriting.put(scan.starts[name], scan.ends[name], scan.texts[name])
    else:
        rewriting.put(start, start + 5, b"int _")


def qualified(scan: Scan, index: int) -> int | None:
    """``static DEFINE_X(args);`` loses the qualifiers: the macro makes the declaration."""
    name = index
    while scan.texts[name] in QUALIFIERS:
        name += 1
    if name == index or scan.context is not BLOCK or scan.kinds[name] != WORD:
        return None
    if scan.texts[name] in KEYWORDS or scan.texts[name] in TYPEOF:
        return None
    closing = scan.partner[name + 1]
    if scan.texts[name + 1] != b"(" or closing <= 0 or scan.texts[closing + 1] not in (b";", b"="):
        return None
    scan.drop(index, name - 1)
    if scan.texts[closing + 1] == b"=":
        declaration(scan, name)
        return closing + 1
    return name


def do_loop(scan: Scan, closing: int) -> None:
    """``do { ... } while_each_x(...);`` becomes ``do { ... } while       (...);``."""
    name = closing + 1
    if scan.context is not BLOCK or scan.partner[closing] <= 0:
        return
    if scan.texts[scan.partner[closing] - 1] != b"do" or scan.kinds[name] != WORD:
        return
    start, end = scan.starts[name], scan.ends[name]
    if scan.texts[name] == b"while" or scan.texts[name + 1] != b"(" or end - start < len(b"while"):
        return
    # After a brace that is wrong there may stand any call; a condition has the name of a loop.
    if not _LOOP_NAME.search(scan.texts[name]):
        return
    scan.rewriting.put(start, end, b"while")
    scan.loops.append(start)
    scan.texts[name] = b"do_while"
