"""Rules for words that stand next to each other, as only declarations have them.

    struct foo __rcu_ish *p;     static __cold_ish u32 x;     typeof(*p) q;     int a[4] __unused_ish;

C allows one type and one declared name in a run of words. What is more is an attribute that no list knows, and goes.
"""

from __future__ import annotations

from mmlint.syntax.scan import BLOCK, CALL, FOR, GROUP, INITIALISER, PARAMETERS, RECORD, Scan
from mmlint.syntax.tokens import LITERAL, OPENING, WORD
from mmlint.syntax.words import (
    ALIGNOF,
    KEYWORDS,
    QUALIFIERS,
    RECORDS,
    SIZEOF,
    STATEMENTS,
    TYPE_KEYWORDS,
    TYPEOF,
    TYPES,
    is_attribute_like,
)

_OPERATORS = frozenset(b"= == != <= >= < > + - / % | ^ ~ && || ? += -= |= &= << >>".split())
_DECLARATOR_CONTEXTS = frozenset((BLOCK, FOR, PARAMETERS, RECORD, GROUP))
_PROTOTYPE_CONTEXTS = frozenset((BLOCK, RECORD, FOR, CALL, GROUP))


def typeof(scan: Scan, index: int) -> int:
    """``typeof(*p) q attr`` becomes ``typeof     q``: without its argument, typeof is a type name."""
    closing = scan.partner[index + 1]
    if scan.texts[index + 1] != b"(" or closing < 0:
        return index + 1
    scan.drop(index + 1, closing)
    end = closing + 1
    names = []
    while scan.kinds[end] == WORD and scan.texts[end] not in STATEMENTS:
        if scan.texts[end] not in QUALIFIERS:
            names.append(end)
        end += 1
    for name in names[1:]:
        scan.drop(name, name)
    if len(names) > 1 and names[-1] == end - 1 and scan.texts[end] == b"(" and scan.partner[end] > 0:
        scan.rewriting.blank(scan.starts[end], scan.ends[scan.partner[end]])
        return scan.partner[end] + 1
    return end


def type_query(scan: Scan, index: int) -> int | None:
    """``offsetof(...)`` and ``__alignof__(...)`` become calls: their first letter changes. ``__alignof__ *p`` becomes
    ``sizeof      *p``.
    """
    word = scan.texts[index]
    if word != b"offsetof" and word not in ALIGNOF:
        return None
    if scan.texts[index + 1] != b"(":
        if word in ALIGNOF:
            scan.rewriting.put(scan.starts[index], scan.ends[index], b"sizeof")
        return None
    scan.rewriting.put(scan.starts[index], scan.starts[index] + 1, b"O")
    scan.texts[index] = b"Offsetof"
    return index + 1


def generic(scan: Scan, index: int) -> int | None:
    """``_Generic(x, int: a, default: b)`` becomes the call ``_generic(x, int, a, default, b)``."""
    closing = scan.partner[index + 1]
    if scan.texts[index] != b"_Generic" or scan.texts[index + 1] != b"(" or closing < 0:
        return None
    scan.rewriting.put(scan.starts[index], scan.starts[index] + 2, b"_g")
    inner = index + 2
    while inner < closing:
        if scan.texts[inner] in OPENING and scan.partner[inner] > 0:
            inner = scan.partner[inner]
        elif scan.texts[inner] == b":":
            scan.texts[inner] = b","
            scan.rewriting.put(scan.starts[inner], scan.ends[inner], b",")
        inner += 1
    return index + 1


def behind_array(scan: Scan, index: int) -> int | None:
    """``int a[4] attr(x);`` loses the word and its arguments."""
    before = scan.previous(index)
    if before < 0 or scan.texts[before] != b"]" or scan.texts[index] in KEYWORDS:
        return None
    if scan.context not in _DECLARATOR_CONTEXTS:
        return None
    scan.drop(index, index)
    if scan.texts[index + 1] == b"(" and scan.partner[index + 1] > 0:
        closing = scan.partner[index + 1]
        scan.rewriting.blank(scan.starts[index + 1], scan.ends[closing])
        return closing + 1
    return index + 1


def behind_prototype(scan: Scan, index: int) -> int | None:
    """``int f(int) attr(x);`` loses the attribute."""
    before = scan.previous(index)
    if scan.context not in _PROTOTYPE_CONTEXTS or scan.texts[index] in KEYWORDS:
        return None
    if not scan.is_call_end(before) or scan.partner[before] - 1 in scan.dropped:
        return None
    if scan.context is BLOCK and scan.texts[index + 1] == b"=":
        return None
    last = index
    if scan.texts[index + 1] == b"(" and scan.partner[index + 1] > 0:
        last = scan.partner[index + 1]
    if scan.texts[last + 1] not in (b";", b",", b")") or (scan.context is CALL and last > index):
        return None
    scan.drop(index, last)
    return last + 1


def missing_comma(scan: Scan, index: int) -> None:
    """``{ ENTRY(a) ENTRY(b) }`` and ``f(FIELD(a) FIELD(b))``: the macro brings its comma; one is put into the gap."""
    before = scan.previous(index)
    in_list = scan.context is INITIALISER or (scan.context is CALL and scan.texts[index + 1] == b"(")
    if in_list and scan.is_call_end(before):
        scan.rewriting.insert(scan.ends[before], scan.starts[index], b",")


def in_pointer_declarator(scan: Scan, index: int) -> int | None:
    """``int (attr *f)(int)`` loses the attribute."""
    texts, kinds = scan.texts, scan.kinds
    before = scan.previous(index)
    if before <= 0 or texts[before] != b"(" or texts[index + 1] != b"*" or kinds[index + 2] != WORD:
        return None
    if texts[index + 3] != b")" or texts[index + 4] != b"(":
        return None
    if (kinds[before - 1] != WORD or texts[before - 1] in STATEMENTS) and texts[before - 1] != b"*":
        return None
    scan.drop(index, index)
    return index + 1


def run_of_words(scan: Scan, index: int) -> int | None:
    """Drop what is more than a type and a name, words like ``__attr`` first. See the module docstring."""
    word = scan.texts[index]
    if scan.kinds[index + 1] != WORD or word in STATEMENTS or word in SIZEOF:
        return None
    end, types, names = _classify(scan, index)
    if end == index:
        return None
    following = scan.texts[end]
    if scan.kinds[end] == LITERAL or (scan.kinds[end] == WORD and following in TYPEOF):
        return end
    if word == b"auto" and not types and len(names) == 1:
        scan.rewriting.put(scan.starts[index], scan.starts[index] + 1, b"A")
    surplus = len(names) - _names_allowed(scan, index, end, bool(types))
    if scan.context is INITIALISER:
        _separate_entries(scan, index, end, types)
        return end
    if surplus <= 0:
        return end
    for name in _by_dispensability(scan, index, names)[:surplus]:
        scan.drop(name, name)
        if name == end - 1 and following == b"(" and scan.partner[end] > 0:
            scan.drop(end, scan.partner[end])
            return scan.partner[end] + 1
    return end


def _separate_entries(scan: Scan, index: int, end: int, types: int) -> None:
    """``{ A_OPS B_OPS &c }``: macros that bring their commas get some."""
    for word in range(index, end - 1):
        if not types:
            scan.rewriting.insert(scan.ends[word], scan.starts[word + 1], b",")


def _classify(scan: Scan, index: int) -> tuple[int, int, list[int]]:
    """The end of the run, how many words of it are types, and the words that are neither type nor qualifier."""
    texts, kinds = scan.texts, scan.kinds
    types, names = 0, []
    end = index
    while kinds[end] == WORD:
        word = texts[end]
        if word in STATEMENTS or word in SIZEOF or word == b"offsetof":
            break
        if word in RECORDS:
            types += 1
            if kinds[end + 1] == WORD and texts[end + 1] not in KEYWORDS:
                end += 1
        elif word in TYPES and (word in TYPE_KEYWORDS or not types):
            types += 1
        elif word not in QUALIFIERS:
            names.append(end)
        if word in TYPEOF and texts[end + 1] == b"(":
            break
        end += 1
    return end, types, names


def _names_allowed(scan: Scan, index: int, end: int, typed: bool) -> int:
    before = scan.previous(index)
    if before >= 0 and scan.texts[before] == b"*":
        return 1
    if before >= 0 and scan.texts[before] in _OPERATORS:
        return 0 if typed else 1
    following = scan.texts[end]
    in_cast = scan.context is GROUP and following == b")" and before >= 0 and scan.texts[before] == b"("
    if following == b"*" or in_cast:
        return 0 if typed else 1
    return 1 if typed else 2


def _by_dispensability(scan: Scan, index: int, names: list[int]) -> list[int]:
    """First what looks like an attribute, then macros in capitals, then the others, a declared name last."""
    before = scan.previous(index)
    others = names
    if before >= 0 and scan.texts[before] == b"*":
        others = names[::-1]
    attributes = [name for name in names if is_attribute_like(scan.texts[name])]
    capitals = [name for name in names if scan.texts[name].isupper()]
    return list(dict.fromkeys(attributes + capitals + others))


def bit_field(scan: Scan, index: int, at_start: bool) -> int | None:
    """``int : 3;`` in a struct loses the width, for the grammar wants a name."""
    if scan.context is not RECORD or scan.texts[index + 1] != b":":
        return None
    if not at_start and scan.texts[index] not in TYPES:
        return None
    end = _end_of_member(scan, index + 1)
    scan.rewriting.blank(scan.starts[index + 1], scan.ends[end - 1])
    return end


def unnamed_bit_field(scan: Scan, index: int) -> int | None:
    """``int a : 3, : 5;`` loses the second one."""
    before = scan.previous(index)
    if scan.context is not RECORD or before < 0 or scan.texts[before] != b",":
        return None
    end = _end_of_member(scan, index + 1)
    scan.rewriting.blank(scan.starts[before], scan.ends[end - 1])
    scan.dropped.add(index)
    return end


def _end_of_member(scan: Scan, index: int) -> int:
    while index < scan.tokens.count and scan.texts[index] not in (b";", b",", b"}"):
        index += 1
    return index
