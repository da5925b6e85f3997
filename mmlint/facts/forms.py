"""Functions and macros that are a short expression of their arguments.

static unsigned long same(unsigned long x) { return x; }        same(end) is end
#define BEHIND(x)  ((x) + PAGE_SIZE)                            BEHIND(addr) is addr + PAGE_SIZE
static struct mm_struct *mm_of(struct vm_area_struct *vma) { return vma->vm_mm; }

A call of one is that expression. Sums of arguments, numbers and pages are read, and one chain of members; whatever has
another statement, calls something or loses bits of its argument is none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mmlint.facts.objects import NARROW, SCALARS
from mmlint.flow import ir

if TYPE_CHECKING:
    from mmlint.facts.file import FileAnalysis

_HIDDEN = re.compile(rb"/\*.*?\*/|//[^\n]*|\\\n", re.S)
# More is no short expression, and not worth reading.
_MAX_BYTES = 400
_RETURN = re.compile(rb"\{\s*return\b([^;{}?,\"]*);\s*\}\s*\Z")
# ``{ type x = ...; return x; }``, and ``{ type x = ...; x; }`` as the value of a statement expression.
_LOCAL = re.compile(rb"\{\s*([\w\s*]+?)\b(\w+)\s*=(?!=)([^;{}?,\"]*);\s*(?:return\b)?\s*\(?\s*\2\s*\)?\s*;\s*\}\s*\Z")
_TYPEOF = re.compile(rb"\b(?:typeof|__typeof__|__typeof)\s*\([^()]*\)|\b__auto_type\b")
_MACRO = re.compile(rb"\s*#[ \t]*define[ \t]+\w+\(([^()]*)\)(.*)\Z", re.S)
_HEAD = re.compile(rb"([^;{}()]*)\b(\w+)\s*\(([^()]*)\)\s*\Z")
_NAMED = re.compile(rb"(?<!\w)\(\s*(\w+)\s*\)")
_SUM = re.compile(rb"\s*-?\s*\w+(?:\s*\*\s*\w+)?(?:\s*[-+]\s*\w+(?:\s*\*\s*\w+)?)*\s*\Z")
_TERM = re.compile(rb"([-+]?)\s*(\w+)(?:\s*\*\s*(\w+))?")
_CHAIN = re.compile(rb"\s*(\w+)((?:\s*->\s*\w+)+)\s*\Z")
_WORD = re.compile(rb"[A-Za-z_]\w*")
_QUALIFIERS = frozenset(
    ("const", "volatile", "static", "inline", "__inline", "__always_inline", "extern", "__must_check", "noinline")
)
_WIDE = SCALARS - NARROW

Operand = int | str


class Form(NamedTuple):
    """The sum of ``terms``: a sign and factors, each the index of an argument, a number as text or a constant's name.

    Or the members ``chain`` of the argument that the one term is.
    """

    arity: int
    terms: tuple[tuple[int, tuple[Operand, ...]], ...]
    chain: tuple[str, ...] = ()

    def of(self, arguments: tuple[ir.Expr, ...]) -> ir.Expr:
        """The expression for a call with these arguments."""
        total: ir.Expr | None = None
        for sign, factors in self.terms:
            term = _factor(factors[0], arguments)
            for factor in factors[1:]:
                term = ir.Binary("*", term, _factor(factor, arguments))
            if total is None:
                total = term if sign > 0 else ir.Unary("-", term)
            else:
                total = ir.Binary("+" if sign > 0 else "-", total, term)
        assert total is not None
        for member in self.chain:
            total = ir.Member(total, member, True)
        return total


def _factor(operand: Operand, arguments: tuple[ir.Expr, ...]) -> ir.Expr:
    if isinstance(operand, int):
        return arguments[operand]
    return ir.Const(int(operand)) if operand.isdecimal() else ir.Name(operand)


def form_of(analysis: FileAnalysis, name: str) -> Form | None:
    """The form that every definition has that a call of ``name`` may mean; None where there is none."""
    definitions = analysis.definitions.get(name, ())
    texts = [(definition.masked, False) for definition in definitions]
    if not texts:
        texts = [(analysis.source.text(macro.span).encode(), True) for macro in analysis.macros.get(name, ())]
    if not texts and analysis.graph is not None and not analysis.graph.is_known(name):
        places = analysis.graph.resolve(name, analysis.path)
        texts = [(analysis.graph.index.text(place), place.macro) for place in places]
    constants = analysis.vocabulary.arithmetic.page_size
    if not texts or not all(_may_be_one(text, macro) for text, macro in texts):
        return None
    found = {_read(text, name, macro, constants) for text, macro in texts}
    return found.pop() if len(found) == 1 else None


def _may_be_one(text: bytes, macro: bool) -> bool:
    """False for most definitions, by a glance."""
    if len(text) > _MAX_BYTES:
        return False
    return text.rstrip()[-1:] == b")" or b"*/" in text if macro else b"return" in text and text.count(b";") < 3


def _read(text: bytes, name: str, macro: bool, constants: frozenset[str]) -> Form | None:
    text = _HIDDEN.sub(b" ", text)
    if macro:
        head = _MACRO.match(text)
        if head is None:
            return None
        parameters = [part.strip().decode() for part in head.group(1).split(b",")]
        return _macro(head.group(2).strip(), parameters, constants)
    found = _RETURN.search(text)
    value = found.group(1) if found else None
    if found is None and (found := _LOCAL.search(text)) is not None:
        value = found.group(3) if _declared(found.group(1) + b" local") else None
    head = _HEAD.search(text, 0, found.start()) if found is not None else None
    if value is None or head is None or head.group(2) != name.encode():
        return None
    declared = [_declared(part) for part in head.group(3).split(b",")]
    result = _declared(head.group(1) + b" result")
    if result is None or None in declared:
        return None
    kinds = dict(one for one in declared if one is not None)
    form = _expression(value, list(kinds), constants)
    # Of a pointer to something else, a step is not one of entries.
    moved = form is not None and len(form.terms) > 1
    return None if moved and any(kind not in _WIDE | {"pte_t*"} for kind in kinds.values()) else form


def _declared(text: bytes) -> tuple[str, str] | None:
    """The name and the type of a parameter whose type holds every address; a pointer's type ends in a star."""
    words = [word.decode() for word in _WORD.findall(text)]
    type_ = " ".join(word for word in words[:-1] if word not in _QUALIFIERS)
    stars = text.count(b"*")
    if len(words) < 2 or b"[" in text or not (stars or type_ in _WIDE):
        return None
    return words[-1], type_ + "*" * stars


def _macro(body: bytes, parameters: list[str], constants: frozenset[str]) -> Form | None:
    if not (body.startswith(b"(") and _matching(body) == len(body) - 1):
        return None
    local = _LOCAL.fullmatch(_TYPEOF.sub(b"unsigned long", body[1:-1].strip()))
    if local is not None:
        body = b"(" + local.group(3) + b")" if _declared(local.group(1) + b" local") else b"()"
    words = [word.decode() for word in _WORD.findall(body)]
    # Each argument stands once and in parentheses, so that it is what the caller means, and is evaluated.
    if any(words.count(name) != 1 for name in parameters):
        return None
    inner = body[1:-1]
    alone = inner.strip() == parameters[0].encode() and len(parameters) == 1
    if not alone and any(not re.search(rb"\(\s*" + name.encode() + rb"\s*\)", inner) for name in parameters):
        return None
    return _expression(inner, parameters, constants)


def _matching(text: bytes) -> int:
    """Where the parenthesis is closed that the text begins with, or -1."""
    depth = 0
    for position, byte in enumerate(text):
        depth += (byte == ord("(")) - (byte == ord(")"))
        if not depth:
            return position
    return -1


def _expression(text: bytes, parameters: list[str], constants: frozenset[str]) -> Form | None:
    text = text.strip()
    while (plain := _NAMED.sub(rb"\1", text)) != text or (text.startswith(b"(") and _matching(text) == len(text) - 1):
        text = plain if plain != text else text[1:-1].strip()
    chain = _CHAIN.match(text)
    if chain is not None and chain.group(1).decode() in parameters:
        members = tuple(word.decode() for word in _WORD.findall(chain.group(2)))
        return Form(len(parameters), ((1, (parameters.index(chain.group(1).decode()),)),), members)
    if not _SUM.match(text):
        return None
    terms = []
    for sign, *factors in _TERM.findall(text):
        operands = [_operand(word.decode(), parameters, constants) for word in factors if word]
        if None in operands:
            return None
        terms.append((-1 if sign == b"-" else 1, tuple(operand for operand in operands if operand is not None)))
    used = any(isinstance(operand, int) for _, operands in terms for operand in operands)
    return Form(len(parameters), tuple(terms)) if used else None


def _operand(word: str, parameters: list[str], constants: frozenset[str]) -> Operand | None:
    if word in parameters:
        return parameters.index(word)
    return word if word in constants or (word.isdecimal() and (word == "0" or word[0] != "0")) else None
