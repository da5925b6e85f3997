"""What a rule module is made of: definitions and nothing else, with a ``check`` that can be called as rules are called.

    SEEN = []                               'SEEN' is mutable and outlives the call
    for name in NAMES: ...                  this is done while the module is loaded
    def check(function): return []          'check' is no generator: it never yields

Functions, classes, imports and constants are definitions. Whether a generator yields the right things is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import libcst as cst

from mmlint.diagnostic import Level
from mmlint.rule_file import RuleFile, flat

CHECKS = ("check", "check_file")

Report = Callable[[cst.CSTNode, Level, str, str], None]
_Statement = cst.BaseSmallStatement | cst.BaseCompoundStatement
_MUTABLE = cst.List | cst.Dict | cst.Set | cst.ListComp | cst.DictComp | cst.SetComp | cst.GeneratorExp
_DEFINING = (
    cst.Import | cst.ImportFrom | cst.FunctionDef | cst.ClassDef | cst.Assign | cst.AnnAssign | cst.Pass | cst.TypeAlias
)


class _Yields(cst.CSTVisitor):
    """Whether a function yields by itself, not through a function inside it."""

    found = False

    def visit_Yield(self, node: cst.Yield) -> bool:  # noqa: N802, ARG002 - names of libcst
        self.found = True
        return False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802, ARG002
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:  # noqa: N802, ARG002
        return False


def look_at_shape(file: RuleFile, report: Report) -> None:
    """Report (node, level, message, function) for each statement that a rule module should not have."""
    checks = 0
    for statement in file.statements():
        _look_at(file, statement, report)
        if isinstance(statement, cst.FunctionDef) and statement.name.value in CHECKS:
            checks += 1
            _look_at_check(statement, report)
        for target in _targets(statement):
            if isinstance(target, cst.Name) and target.value in CHECKS:
                checks += 1
                report(target, Level.ERROR, f"'{target.value}' is not written as a function of this file", "")
    if not checks:
        report(file.module, Level.ERROR, "neither 'check' nor 'check_file' is defined", "")


def _look_at(file: RuleFile, statement: _Statement, report: Report) -> None:
    if isinstance(statement, cst.ClassDef):
        for inner in flat(statement.body.body):
            _look_at(file, inner, report)
    elif isinstance(statement, cst.FunctionDef):
        _look_at_defaults(statement, report)
    elif isinstance(statement, cst.Assign | cst.AnnAssign):
        names = [file.text(target) for target in _targets(statement)]
        for value in _mutable(statement.value) if names != ["__all__"] else ():
            report(value, Level.WARNING, f"'{', '.join(names)}' is mutable and outlives the call", "")
    elif not isinstance(statement, _DEFINING) and not _is_harmless(file, statement):
        report(statement, Level.ERROR, "this is done while the module is loaded; a rule module only defines", "")


def _is_harmless(file: RuleFile, statement: _Statement) -> bool:
    """True for imports under TYPE_CHECKING, and for expressions: what these use is judged elsewhere."""
    if isinstance(statement, cst.If) and file.meaning(statement.test) == "typing.TYPE_CHECKING":
        return not statement.orelse and all(
            isinstance(s, cst.Import | cst.ImportFrom) for s in flat(statement.body.body)
        )
    return isinstance(statement, cst.Expr)


def _look_at_defaults(function: cst.FunctionDef, report: Report) -> None:
    parameters = function.params
    for parameter in (*parameters.posonly_params, *parameters.params, *parameters.kwonly_params):
        for value in _mutable(parameter.default):
            message = f"the default of '{parameter.name.value}' is mutable and outlives the call"
            report(value, Level.WARNING, message, function.name.value)


def _look_at_check(function: cst.FunctionDef, report: Report) -> None:
    name = function.name
    parameters = function.params
    positional = (*parameters.posonly_params, *parameters.params)
    others = (*parameters.kwonly_params, parameters.star_arg, parameters.star_kwarg)
    is_plain = all(isinstance(other, cst.MaybeSentinel | None) for other in others)
    if len(positional) != 1 or positional[0].default or not is_plain:
        report(name, Level.ERROR, f"'{name.value}' has to take the facts as its one parameter", name.value)
    if function.asynchronous:
        report(name, Level.ERROR, f"'{name.value}' is asynchronous", name.value)
    yields = _Yields()
    function.body.visit(yields)
    if not yields.found:
        report(name, Level.ERROR, f"'{name.value}' is no generator: it never yields", name.value)


def _targets(statement: _Statement) -> list[cst.BaseExpression]:
    if isinstance(statement, cst.Assign):
        return [target.target for target in statement.targets]
    return [statement.target] if isinstance(statement, cst.AnnAssign) else []


def _mutable(value: cst.BaseExpression | None) -> Iterable[cst.BaseExpression]:
    """The displays, comprehensions and generators that stay alive in a value."""
    if isinstance(value, _MUTABLE):
        yield value
    elif isinstance(value, cst.Tuple):
        for element in value.elements:
            yield from _mutable(element.value)
    elif isinstance(value, cst.IfExp):
        yield from (*_mutable(value.body), *_mutable(value.orelse))
    elif isinstance(value, cst.NamedExpr):
        yield from _mutable(value.value)
