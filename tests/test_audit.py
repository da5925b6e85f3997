"""The audit of rule files: each breach with its exact bytes, honest rules in silence, no file that it falls over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmlint.audit import RULE_AUDIT, audit, audit_files
from mmlint.audit_names import INTERFACE, STANDARD, builtin_objection, import_objection, objection
from mmlint.diagnostic import Level
from mmlint.rule import packaged_rules
from mmlint.rule_file import LARGEST, UnreadableRuleError
from mmlint.source import Source, Span

PATH = "rules/new_rule.py"
CLEAN = '''"""A fault, \u00e0 la carte."""

from collections.abc import Iterator

from mmlint.diagnostic import Diagnostic, Level
from mmlint.facts.sections import FunctionFacts
from mmlint.rule import Rule

RULE = Rule(name="new-rule", level=Level.NOTE, summary="\u00e9")


def check(function: FunctionFacts) -> Iterator[Diagnostic]:
    """Sections."""
    for section in function.sections:
        yield RULE.at(function, section.call, f"\u00e9 {section.text}")
'''
E, W = Level.ERROR, Level.WARNING
LOAD = "is called while the module is loaded"
DONE = "this is done while the module is loaded; a rule module only defines"
KEPT = "is mutable and outlives the call"
GETATTR = "'getattr' with a name that is not a plain literal hides what it reads"


def beyond(name: str) -> tuple[Level, str]:
    return E, f"'{name}' is beyond what a rule may import"


def foreign(name: str) -> tuple[Level, str]:
    return E, f"'{name}' is not among the modules that a rule may import"


def unmarked(text: str) -> tuple[bytes, list[Span]]:
    """The bytes of a text, and those between its brackets."""
    data, starts, spans = bytearray(), [], []
    for character in text:
        if character == "\u27e6":
            starts.append(len(data))
        elif character == "\u27e7":
            spans.append(Span(starts.pop(), len(data)))
        else:
            data += character.encode()
    assert not starts
    return bytes(data), sorted(spans)


def check_marks(text: str, expected: list[tuple[Level, str]], path: str = PATH) -> None:
    data, spans = unmarked(text)
    source = Source(path, data)
    found = audit(source)
    assert [(d.level, d.message) for d in found] == expected
    assert [d.location.span for d in found] == spans
    assert [d.location for d in found] == [source.locate(span) for span in spans]
    assert {d.rule for d in found} == {RULE_AUDIT}


def test_every_packaged_rule_is_clean() -> None:
    files = sorted(str(file) for file in packaged_rules().glob("*.py"))
    report = audit_files(files)
    assert (report.diagnostics, report.skipped) == ((), ())
    assert report.files == len(files) >= 19


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import ⟦os⟧ as o\n\ndef f(): ⟦o.system⟧('x')\n", [foreign("os"), beyond("os.system")]),
        ("import ⟦os.path⟧\nX = ⟦os.path.sep⟧\n", [foreign("os.path"), beyond("os.path.sep")]),
        ("import ⟦subprocess⟧, re, ⟦socket⟧\n", [foreign("subprocess"), foreign("socket")]),
        ("from ⟦os⟧ import system as s, path\ndef f(): g = ⟦s⟧\n", [foreign("os"), beyond("os.system")]),
        (
            "def f():\n    from ⟦shutil⟧ import rmtree\n    ⟦rmtree⟧('é')\n",
            [foreign("shutil"), beyond("shutil.rmtree")],
        ),
        ("from dataclasses import ⟦sys⟧\n", [(E, "'sys' is not a name that dataclasses offers")]),
        ("import dataclasses as d\ndef f(): ⟦d.sys.modules⟧\n", [(E, "'sys' is not a name that dataclasses offers")]),
        ("from mmlint.rule import ⟦Path⟧, replace\n", [(E, "'Path' is not a name that mmlint.rule offers")]),
        ("from mmlint.rule import ⟦load_rules⟧\n", [(E, "'load_rules' runs other modules")]),
        ("from typing import ⟦get_type_hints⟧\n", [(E, "'get_type_hints' runs text as code")]),
        ("from ⟦mmlint.files⟧ import read\n", [(W, "mmlint.files is not part of the interface for rules")]),
        ("import ⟦mmlint.engine⟧\n", [(W, "mmlint.engine is not part of the interface for rules")]),
        ("from ⟦mmlint.rules⟧ import Rule as R\n", [foreign("mmlint.rules")]),
        ("import ⟦mmlint⟧\n", [foreign("mmlint")]),
        ("from collections import abc, ⟦deque⟧\n", [foreign("collections")]),
        ("from ⟦re⟧ import *\n", [(E, "every name of re is imported, so nobody sees which are used")]),
        ("⟦from . import other⟧\n", [(E, "a relative import has no package to refer to")]),
        ("⟦from .x import other⟧\n", [(E, "a relative import has no package to refer to")]),
        (
            "import re\nX = ⟦re⟧\n",
            [(E, "the module re is used as a value, so nobody sees what is taken from it")],
        ),
    ],
)
def test_imports_and_what_is_used_of_them(text: str, expected: list[tuple[Level, str]]) -> None:
    check_marks(CLEAN + text, expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("⟦open⟧('é')", [(E, "'open' opens files")]),
        ("x = ⟦open⟧", [(E, "'open' opens files")]),
        ("⟦exec⟧(a)", [(E, "'exec' runs text as code")]),
        ("⟦eval⟧(a)", [(E, "'eval' runs text as code")]),
        ("⟦compile⟧(a, a, a)", [(E, "'compile' makes code from text")]),
        ("⟦__import__⟧('os')", [(E, "'__import__' imports what nobody sees")]),
        ("f'{a} é {⟦open⟧(a)}'", [(E, "'open' opens files")]),
        ("[⟦eval⟧ for x in a]", [(E, "'eval' runs text as code")]),
        ("lambda: ⟦eval⟧", [(E, "'eval' runs text as code")]),
        ("(⟦eval⟧)(a)", [(E, "'eval' runs text as code")]),
        ("⟦print⟧(a)", [(W, "'print' writes into the output; a rule says everything in its diagnostics")]),
        ("⟦getattr(a, a)⟧", [(E, GETATTR)]),
        ("⟦getattr(a, 'x' + a)⟧", [(E, GETATTR)]),
        ("⟦getattr(a, '__class__')⟧", [(E, GETATTR)]),
        ("⟦getattr(*a)⟧", [(E, GETATTR)]),
        ("⟦getattr(a, ⟦eval⟧)⟧", [(E, GETATTR), (E, "'eval' runs text as code")]),
        ("x = ⟦getattr⟧", [(E, "'getattr' hides what it reads, unless the name is a literal")]),
        ("⟦setattr⟧(a, 'x', 1)", [(E, "'setattr' changes what others use")]),
        (
            "a.⟦__class__⟧.⟦__mro__⟧",
            [(E, "'__class__' leads into the interpreter"), (E, "'__mro__' leads into the interpreter")],
        ),
        ("a().⟦__globals__⟧", [(E, "'__globals__' leads into the interpreter")]),
        ("⟦__builtins__⟧", [(E, "'__builtins__' leads into the interpreter")]),
        ("⟦ｅｘｅｃ⟧(a)", [(E, "'ｅｘｅｃ' is not ASCII, and Python may read another name than you do")]),
        ("⟦Rule.at⟧ = a", [(E, "'Rule' is changed for everybody who uses it")]),
        ("⟦Level.NOTE.x⟧ += 1", [(E, "'Level' is changed for everybody who uses it")]),
        ("x, ⟦RULE.level⟧ = a", [(W, "'RULE' is changed and outlives the call")]),
        ("del ⟦RULE.level⟧", [(W, "'RULE' is changed and outlives the call")]),
        ("⟦global RULE⟧", [(W, "'RULE' is made to outlive the call; a rule keeps nothing between calls")]),
    ],
)
def test_what_functions_do(body: str, expected: list[tuple[Level, str]]) -> None:
    text = f"{CLEAN}\n\ndef helper(a):\n    {body}\n"
    check_marks(text, expected)
    assert {d.function for d in audit(Source(PATH, unmarked(text)[0]))} == {"helper"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("⟦check(1)⟧", [(E, f"'check' {LOAD}")]),
        ("X = (1, ⟦len(1).x()⟧)", [(E, f"the result of an expression {LOAD}")]),
        ("X = ⟦sorted((1, 2))⟧", [(E, f"'sorted' {LOAD}")]),
        ("def f(x=⟦check(1)⟧): pass", [(E, f"'check' {LOAD}")]),
        ("def f() -> ⟦check(1)⟧: pass", [(E, f"'check' {LOAD}")]),
        ("@⟦check⟧\ndef f(): pass", [(E, f"'check' {LOAD}")]),
        ("@⟦check(1)⟧\ndef f(): pass", [(E, f"'check' {LOAD}")]),
        ("class A:\n    X = ⟦check(1)⟧", [(E, f"'check' {LOAD}")]),
        ("X = frozenset(⟦check(x)⟧ for x in (1, 2))", [(E, f"'check' {LOAD}")]),
        ("X = ⟦open⟧('x')", [(E, "'open' opens files")]),
        ("⟦for x in (1, 2):⟧\n    pass", [(E, DONE)]),
        ("⟦while RULE: pass⟧", [(E, DONE)]),
        ("⟦with RULE as x:⟧\n    pass", [(E, DONE)]),
        ("⟦try:⟧\n    import re\nexcept ImportError: pass", [(E, DONE)]),
        ("⟦if RULE:⟧\n    import re", [(E, DONE)]),
        ("from typing import TYPE_CHECKING\n⟦if TYPE_CHECKING:⟧\n    X = 1", [(E, DONE)]),
        ("X = 1; ⟦X += 1⟧", [(E, DONE)]),
        ("⟦assert RULE⟧", [(E, DONE)]),
        ("X = ⟦[]⟧", [(W, f"'X' {KEPT}")]),
        ("X = Y = ⟦{'é': 1}⟧", [(W, f"'X, Y' {KEPT}")]),
        ("X: object = ⟦{1}⟧", [(W, f"'X' {KEPT}")]),
        ("X = (1, ⟦[]⟧, (⟦{}⟧,))", [(W, f"'X' {KEPT}")] * 2),
        ("X = ⟦[x for x in (1, 2)]⟧", [(W, f"'X' {KEPT}")]),
        ("X = (⟦x for x in (1, 2)⟧)", [(W, f"'X' {KEPT}")]),
        ("X = ⟦[]⟧ if RULE else ⟦{}⟧", [(W, f"'X' {KEPT}")] * 2),
        ("X = (Y := ⟦[]⟧)", [(W, f"'X' {KEPT}")]),
        ("class A:\n    x = ⟦[]⟧", [(W, f"'x' {KEPT}")]),
        ("def f(x=⟦[]⟧, *, y=⟦{}⟧): pass", [(W, f"the default of 'x' {KEPT}"), (W, f"the default of 'y' {KEPT}")]),
    ],
)
def test_what_modules_do(text: str, expected: list[tuple[Level, str]]) -> None:
    check_marks(f"{CLEAN}\n\n{text}\n", expected)


PARAMETER = "'check' has to take the facts as its one parameter"
GENERATOR = "'check' is no generator: it never yields"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def ⟦check⟧(function): return []", [(E, GENERATOR)]),
        ("def ⟦check⟧(function):\n    def inner(): yield 1\n    return inner()", [(E, GENERATOR)]),
        ("def ⟦check⟧(function): return (lambda: (yield))", [(E, GENERATOR)]),
        ("def ⟦check⟧(): yield 1", [(E, PARAMETER)]),
        ("def ⟦check⟧(a, b): yield 1", [(E, PARAMETER)]),
        ("def ⟦check⟧(a=1): yield 1", [(E, PARAMETER)]),
        ("def ⟦check⟧(*a): yield 1", [(E, PARAMETER)]),
        ("def ⟦check⟧(a, **b): yield 1", [(E, PARAMETER)]),
        ("def ⟦check⟧(a, *, b): yield 1", [(E, PARAMETER)]),
        ("async def ⟦check⟧(a): yield 1", [(E, "'check' is asynchronous")]),
        ("def ⟦check_file⟧(a): pass", [(E, "'check_file' is no generator: it never yields")]),
        ("⟦check⟧ = lambda f: (yield)", [(E, "'check' is not written as a function of this file")]),
        ("⟦⟧", [(E, "neither 'check' nor 'check_file' is defined")]),
    ],
)
def test_checks_that_cannot_be_called(text: str, expected: list[tuple[Level, str]]) -> None:
    head = CLEAN[: CLEAN.index("def check")]
    check_marks(f"⟦⟧{head}" if text == "⟦⟧" else f"{head}{text}\n", expected)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "Level.NOTE",
            '⟦"note"⟧',
            "the level of RULE has to be one of Level.NOTE, Level.WARNING, Level.ERROR, not '\"note\"'",
        ),
        ('"new-rule"', '⟦"new-" "é"[:0]⟧', 'the name of RULE has to be a string, not \'"new-" "é"[:0]\''),
        ('"new-rule"', '⟦"old-rule"⟧', "the rule is called old-rule, so the file has to be called old_rule.py"),
        (
            "level=Level.NOTE",
            "⟦severity=Level.NOTE⟧",
            "Rule has no use for 'severity=Level.NOTE': it takes name, level, summary, fix, question, spelling",
        ),
        (
            "RULE = Rule",
            "RULE = ⟦None⟧\ndef other(): Rule",
            "RULE has to be Rule(...), with literals for its arguments",
        ),
    ],
)
def test_metadata_that_is_not_literal(before: str, after: str, message: str) -> None:
    check_marks(CLEAN.replace(before, after, 1), [(E, message)])


def test_missing_declarations_are_at_the_start_of_the_file() -> None:
    text = CLEAN[CLEAN.index("\n") :].replace("RULE = ", "RULES = ").replace("RULE.at", "RULES.at")
    check_marks(
        f"⟦⟧⟦⟧{text}",
        [
            (E, "RULE is missing: write RULE = Rule(name=..., level=..., summary=...)"),
            (E, "the documentation is missing: a rule begins with a docstring"),
        ],
    )


@pytest.mark.parametrize(
    "text",
    [
        "import re\nPATTERN = re.compile('x').pattern",
        "import re as r, collections.abc\nX: collections.abc.Iterator = r.escape('x')",
        "NAMES = frozenset({'a', 'b'})\nPAIRS = tuple([(1, 2)])",
        "__all__ = ['RULE', 'check']",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mmlint.source import Span",
        "from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass A:\n    x: int = field(default=1)",
        "import enum\nclass A(enum.Enum):\n    X = enum.auto()\n    def __str__(self): return 'x'",
        "from itertools import chain\ndef f(a): return list(chain(a, sorted(a)))",
        "def f(a):\n    seen = []\n    seen[0] = a.x = {}\n    return getattr(a, 'x', None), seen",
        "Kind = tuple[int, list[str]]",
        "def check_file(facts, /): yield from ()",
        "def f(open): return a.open(exec=1)",
        "'open' 'exec'  # os.system\n...",
        "from mmlint import diagnostic\ndef f() -> diagnostic.Level: ...",
        "X = 'naïve' if RULE else ('é',)",
    ],
)
def test_honest_rules_are_silent(text: str) -> None:
    assert audit(Source(PATH, f"{CLEAN}\n\n{text}\n".encode())) == ()


def test_spans_are_bytes_whatever_the_line_ends_and_the_mark_at_the_start() -> None:
    text = CLEAN.replace("\n", "\r\n") + "def f(a):\r\n\treturn 'é', ⟦open⟧\r\n"
    check_marks(text, [(E, "'open' opens files")])
    check_marks("\ufeff" + text, [(E, "'open' opens files")])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ⟦(1,⟧\n", "syntax error: '(' was never closed"),
        ("é = 'é'\ny = 'é' ⟦é⟧\n", "syntax error: invalid syntax"),
        ("def f():\n⟦x = 1⟧\n", "syntax error: expected an indented block after function definition on line 1"),
        ("⟦return 1⟧\n", "syntax error: 'return' outside function"),
        ("# coding: ⟦latin-1⟧\n", "another encoding than UTF-8 makes Python read what nobody sees"),
        (
            "#!/usr/bin/python\n# -*- coding: ⟦utf-7⟧ -*-\n",
            "another encoding than UTF-8 makes Python read what nobody sees",
        ),
        ("\ufeff# coding=⟦cp1252⟧\n", "another encoding than UTF-8 makes Python read what nobody sees"),
    ],
)
def test_syntax_errors_have_their_place(text: str, message: str) -> None:
    check_marks(text, [(E, message)])


def test_bytes_that_are_no_text() -> None:
    (finding,) = audit(Source(PATH, b"x = 1\ny = '\xe9'\n"))
    assert (finding.message, finding.location.span, finding.location.line) == ("the text is not UTF-8", Span(11, 12), 2)
    (finding,) = audit(Source(PATH, b"x = 1\ny = \0\n"))
    assert finding.message == "syntax error: a null byte"
    assert (finding.location.span, finding.location.line) == (Span(10, 11), 2)


def test_characters_that_do_not_print() -> None:
    message = "U+202E does not print: the text may not be what it looks like"
    check_marks(CLEAN + "# a \u27e6\u202e\u27e7 b\n", [(E, message)])


def test_findings_are_in_order_and_tell_the_function() -> None:
    text = CLEAN + "class A:\n    def f(self):\n        return lambda: open\n\n    x = eval\n"
    assert [(d.location.line, d.function) for d in audit(Source(PATH, text.encode()))] == [(18, "f"), (20, "")]


def test_unreadable_files_are_not_clean(tmp_path: Path) -> None:
    deep, large, pipe = tmp_path / "deep.py", tmp_path / "large.py", tmp_path / "pipe.py"
    deep.write_text(f"x = {'-' * 700}1\n")
    large.write_bytes(b"#" * (LARGEST + 1))
    os.mkfifo(pipe)
    report = audit_files([str(deep), str(large), str(pipe), str(tmp_path / "none.py")])
    assert report.diagnostics == ()
    assert [s.reason for s in report.skipped] == [
        "it is nested too deeply",
        "larger than a megabyte",
        "not a regular file",
        "No such file or directory",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x = a" + ".b" * 3000,
        "x = a" + ".b" * 600,
        "x = a" + "()" * 600,
        "x = " + "a + " * 600 + "a",
        "x = " + "-" * 600 + "a",
        "x = " + "-" * 20000 + "a",
        "if a: pass\n" + "elif a: pass\n" * 600,
        "x = " + "(" * 150 + ")" * 150,
    ],
    ids=lambda text: f"{text[:8]}-{len(text)}",
)
def test_depth_is_no_crash(text: str) -> None:
    for content in (text, CLEAN + text):
        try:
            found = audit(Source(PATH, content.encode()))
        except UnreadableRuleError as error:
            assert str(error) == "it is nested too deeply"
        else:
            assert found or content.startswith(CLEAN)


def test_fingerprints_tell_equal_findings_apart(tmp_path: Path) -> None:
    file = tmp_path / "new_rule.py"
    file.write_text(CLEAN + "def f(): open, open\n", encoding="utf-8")
    first, second = audit_files([str(file)]).diagnostics
    assert first.message == second.message
    assert first.fingerprint
    assert first.fingerprint != second.fingerprint


def test_permitted_modules_exist_and_offer_something() -> None:
    for module in (*STANDARD, *INTERFACE):
        assert import_objection(module) is None
        assert objection(f"{module}.no_such_name") is not None
    for name in ("re.compile", "itertools.chain", "__future__.annotations", "mmlint.rule.Rule", "collections.abc.Set"):
        assert objection(name) is None
    assert builtin_objection("len") is None


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_rules_are_audited_or_refused(data: st.DataObject) -> None:
    files = sorted(packaged_rules().glob("*.py"))
    content = data.draw(st.sampled_from(files)).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    damaged = content[:start] + content[start + data.draw(st.integers(0, 40)) :]
    try:
        found = audit(Source(PATH, damaged))
    except UnreadableRuleError:
        return
    for finding in found:
        assert 0 <= finding.location.span.start <= finding.location.span.end <= len(damaged)
        assert "\n" not in finding.message
