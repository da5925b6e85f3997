"""The ranged call as a header defines it: mentions of older names, and remarks on the definition itself.

    static inline void lazy_mmu_mode_enable_for_pte_range(struct mm_struct *mm,
                    unsigned long addr, unsigned long end, pte_t *ptep)

Asked of a definition: its stub has the same parameters, the fallback of its hook is there, its kernel-doc names every
parameter and says what happens when not every entry is visited, when it is nested and when it is paused, and its
continuation lines are indented by two tabs.
"""

from __future__ import annotations

import re

from mmlint.facts.file import FileAnalysis
from mmlint.facts.sections import Evidence, Mention, Remark
from mmlint.source import Span
from mmlint.syntax.functions import Definition
from mmlint.vocabulary import Ranged

_TYPES = ("struct mm_struct *", "unsigned long", "unsigned long", "pte_t *")
_NAME = re.compile(r"(\w+)\s*$")
_TOPICS = (
    (
        "not every entry is visited",
        re.compile(r"not all|not every|bail|part of|partial|subset|need not|any order|or at all"),
    ),
    ("it is nested in another section", re.compile(r"nest|already (?:on|enabled|active)|outer")),
    ("the mode is paused", re.compile(r"paus")),
)


def mentions_of(analysis: FileAnalysis) -> tuple[Mention, ...]:
    """Every spelling of the ranged call or its hook that is not the one in force."""
    source, vocabulary = analysis.source, analysis.vocabulary
    current = next(ranged for ranged in vocabulary.ranged if ranged.name == vocabulary.target)
    names = {}
    for ranged in vocabulary.ranged:
        if ranged is not current:
            names[ranged.name] = (current.name, ranged.source)
            names[ranged.hook] = (current.hook, ranged.source)
    pattern = re.compile(
        rb"(?<![A-Za-z0-9_])(?:" + b"|".join(n.encode() for n in sorted(names)) + rb")(?![A-Za-z0-9_])"
    )
    found = []
    for match in pattern.finditer(source.data):
        name = match.group().decode()
        here, origin = names[name]
        safe = not (_defines(analysis, name) and _defines(analysis, here))
        found.append(Mention(Span(*match.span()), name, here, safe, origin))
    return tuple(found)


def _defines(analysis: FileAnalysis, name: str) -> bool:
    macro = rb"^[ \t]*#[ \t]*define[ \t]+" + name.encode() + rb"\b"
    return name in analysis.definitions or re.search(macro, analysis.source.data, re.MULTILINE) is not None


def remarks_on(analysis: FileAnalysis) -> tuple[Remark, ...]:
    """What is amiss in the definitions of ranged calls in this file."""
    remarks: list[Remark] = []
    for ranged in analysis.vocabulary.ranged:
        definitions = analysis.definitions.get(ranged.name, [])
        distinct = list({definition.span: definition for definition in definitions}.values())
        if distinct:
            remarks += _parameters(distinct) + _fallback(analysis, ranged, distinct)
            remarks += _documentation(analysis, distinct)
        hooks = {definition.span: definition for definition in analysis.definitions.get(ranged.hook, [])}
        # Two tabs are what generic headers are asked for; an architecture has its own style.
        for definition in [*distinct, *hooks.values()] if not analysis.is_arch else ():
            remarks += _continuation(analysis, definition)
    return tuple(sorted(remarks, key=lambda remark: (remark.subject, remark.message)))


def _parameter_list(definition: Definition) -> list[tuple[str, str]]:
    """(type, name) of each parameter, types with single blanks."""
    header = definition.masked[
        definition.name_span.end - definition.span.start : definition.body.start - definition.span.start
    ]
    inner = header.decode("utf-8", "backslashreplace").strip().removeprefix("(").rpartition(")")[0]
    parameters = []
    for text in inner.split(","):
        words = " ".join(text.split())
        name = _NAME.search(words)
        parameters.append((words[: name.start()].strip() if name else words, name.group(1) if name else ""))
    return parameters


def _parameters(definitions: list[Definition]) -> list[Remark]:
    first = definitions[0]
    given = _parameter_list(first)
    remarks = []
    names = [name for _, name in given]
    if [type_ for type_, _ in given] != list(_TYPES) or ("end" in names and names.index("end") != 2):
        message = f"{first.name}() does not take (mm, addr, end, ptep) as its callers give them"
        remarks.append(Remark(first.name, first.name_span, message))
    for other in definitions[1:]:
        if _parameter_list(other) != given:
            message = f"the definitions of {first.name}() disagree in their parameters"
            because = (Evidence(first.name_span, "the other definition"),)
            remarks.append(Remark(first.name, other.name_span, message, because))
    return remarks


def _fallback(analysis: FileAnalysis, ranged: Ranged, definitions: list[Definition]) -> list[Remark]:
    masked = analysis.reader.masked
    calls = [d for d in definitions if re.search(rb"\b" + ranged.hook.encode() + rb"\s*\(", d.masked)]
    if not calls or re.search(rb"#\s*ifndef\s+" + ranged.hook.encode() + rb"\b", masked):
        return []
    message = f"{ranged.hook}() has no fallback under #ifndef: architectures without the hook do not build"
    return [Remark(ranged.name, calls[0].name_span, message, is_absence=True)]


def _documentation(analysis: FileAnalysis, definitions: list[Definition]) -> list[Remark]:
    name = definitions[0].name
    data = analysis.source.data
    match = None
    for found in re.finditer(rb"/\*\*.*?\*/", data, re.DOTALL):
        if re.match(rb"/\*\*\s*\n\s*\*\s*" + name.encode() + rb"(?:\(\))?\s*[-:\n]", found.group()):
            match = found
            break
    if match is None and _stands_elsewhere(analysis, definitions):
        return []
    if match is None:
        message = f"{name}() has no kernel-doc"
        return [Remark(name, definitions[0].name_span, message, is_text=True, is_absence=True)]
    text = match.group().decode("utf-8", "backslashreplace")
    subject = Span(match.start(), match.start() + 3)
    missing = [f"'{parameter}'" for _, parameter in _parameter_list(definitions[0]) if f"@{parameter}:" not in text]
    remarks = []
    if missing:
        message = f"the kernel-doc of {name}() does not describe {', '.join(missing)}"
        remarks.append(Remark(name, subject, message, is_text=True))
    for topic, pattern in _TOPICS:
        if not pattern.search(text.lower()):
            message = f"the kernel-doc of {name}() does not say what happens when {topic}"
            remarks.append(Remark(name, subject, message, is_text=True))
    return remarks


def _stands_elsewhere(analysis: FileAnalysis, definitions: list[Definition]) -> bool:
    """True for the stub of a function that the file declares: the kernel-doc is where the function is."""
    declared = rb"^[a-z][^\n;{}()=#]*\b" + definitions[0].name.encode() + rb"\s*\([^;{}]*\)\s*;"
    stubs = all(not analysis.source.text(definition.body).strip("{} \t\n") for definition in definitions)
    return stubs and re.search(declared, analysis.reader.masked, re.MULTILINE) is not None


def _continuation(analysis: FileAnalysis, definition: Definition) -> list[Remark]:
    """Continuation lines of the parameter list that are not indented by two tabs."""
    source = analysis.source
    first, last = source.line(definition.name_span.start), source.line(definition.body.start)
    edits = []
    for number in range(first + 1, last + 1):
        span = source.line_span(number)
        text = source.text(span)
        indent = text[: len(text) - len(text.lstrip())]
        if text.strip() and not text.lstrip().startswith("{") and indent != "\t\t":
            edits.append((Span(span.start, span.start + len(indent)), "\t\t"))
    if not edits:
        return []
    message = f"the parameters of {definition.name}() are not continued with two tabs"
    return [Remark(definition.name, definition.name_span, message, (), tuple(edits), is_text=True)]
