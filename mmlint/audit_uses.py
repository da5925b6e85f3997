"""What a rule file imports, uses, calls while it is loaded, and changes: the part of an audit that follows names.

    import os as o                                  'os' is not among the modules that a rule may import
    HOME = o.environ                                'os.environ' is beyond what a rule may import
    def check(function): exec(function.name)        'exec' runs text as code

Names are followed through imports and their aliases. A value that is put into a variable, a container or an argument is
not followed; for this, a bare module or a bare ``exec`` is held against the file wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import libcst as cst

from mmlint.audit_names import DECORATORS, LOADABLE, Objection, builtin_objection, import_objection, objection
from mmlint.diagnostic import Level
from mmlint.rule_file import BUILTIN, RuleFile, dotted, full_name

# Methods that classes define, and names that only describe.
_HARMLESS: Final = frozenset(
    {
        "__all__",
        "__bool__",
        "__contains__",
        "__doc__",
        "__eq__",
        "__hash__",
        "__init__",
        "__iter__",
        "__len__",
        "__lt__",
        "__name__",
        "__post_init__",
        "__repr__",
        "__slots__",
        "__str__",
    }
)

Report = Callable[[cst.CSTNode, Level, str, str], None]


class Uses(cst.CSTVisitor):
    """Reports (node, level, message, enclosing function) for each breach, in the order of the text."""

    def __init__(self, file: RuleFile, report: Report) -> None:
        super().__init__()
        self._file = file
        self._send = report
        self._bodies: list[str] = []

    def _report(self, node: cst.CSTNode, level: Level, message: str) -> None:
        self._send(node, level, message, next((name for name in reversed(self._bodies) if name), ""))

    def visit_FunctionDef_body(self, node: cst.FunctionDef) -> None:  # noqa: N802 - names of libcst
        self._bodies.append(node.name.value)

    def leave_FunctionDef_body(self, node: cst.FunctionDef) -> None:  # noqa: N802, ARG002
        self._bodies.pop()

    def visit_Lambda_body(self, node: cst.Lambda) -> None:  # noqa: N802, ARG002
        self._bodies.append("")

    def leave_Lambda_body(self, node: cst.Lambda) -> None:  # noqa: N802, ARG002
        self._bodies.pop()

    def visit_Import(self, node: cst.Import) -> bool:  # noqa: N802
        for alias in node.names:
            self._object(alias.name, import_objection(full_name(alias.name)))
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: N802
        if node.relative or node.module is None:
            self._report(node, Level.ERROR, "a relative import has no package to refer to")
            return False
        module = full_name(node.module)
        if isinstance(node.names, cst.ImportStar):
            self._object(node.module, import_objection(module, "*"))
            return False
        found = [(alias.name, import_objection(module, full_name(alias.name))) for alias in node.names]
        whole = import_objection(module)
        if all(against == whole for _, against in found):
            self._object(node.module, whole)
        else:
            for name, against in found:
                self._object(name, against)
        return False

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802
        if not self._use(node):
            self._spelling(node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:  # noqa: N802
        names = dotted(node)
        if not names:
            node.value.visit(self)
            self._spelling(node.attr)
        elif not self._use(node):
            for name in names:
                self._spelling(name)
        return False

    def visit_Call(self, node: cst.Call) -> bool:  # noqa: N802
        if self._file.meaning(node.func) == f"{BUILTIN}getattr":
            if not _reads_a_plain_name(node):
                self._report(node, Level.ERROR, "'getattr' with a name that is not a plain literal hides what it reads")
            for argument in node.args:
                argument.visit(self)
            return False
        if not self._bodies and self._file.meaning(node.func) not in LOADABLE and not self._objections(node.func):
            self._report(node, Level.ERROR, f"{_described(node.func)} is called while the module is loaded")
        return True

    def visit_Decorator(self, node: cst.Decorator) -> None:  # noqa: N802
        what = node.decorator
        if self._bodies or isinstance(what, cst.Call) or self._file.meaning(what) in DECORATORS:
            return
        if not self._objections(what):
            self._report(what, Level.ERROR, f"{_described(what)} is called while the module is loaded")

    def visit_Global(self, node: cst.Global) -> bool:  # noqa: N802
        names = ", ".join(item.name.value for item in node.names)
        self._report(node, Level.WARNING, f"'{names}' is made to outlive the call; a rule keeps nothing between calls")
        return False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:  # noqa: N802
        self._changed(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:  # noqa: N802
        self._changed(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:  # noqa: N802
        self._changed(node.target)

    def visit_For(self, node: cst.For) -> None:  # noqa: N802
        self._changed(node.target)

    def visit_Del(self, node: cst.Del) -> None:  # noqa: N802
        self._changed(node.target)

    def _changed(self, target: cst.BaseExpression) -> None:
        """Object to a change of what others use too, or of what the module keeps."""
        if isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._changed(element.value)
            return
        root = target
        while isinstance(root, cst.Attribute | cst.Subscript):
            root = root.value
        if root is target or not isinstance(root, cst.Name):
            return
        if self._file.names(root):
            self._report(target, Level.ERROR, f"'{root.value}' is changed for everybody who uses it")
        elif any("." not in name for name in self._file.own_names(root)):
            self._report(target, Level.WARNING, f"'{root.value}' is changed and outlives the call")

    def _use(self, node: cst.BaseExpression) -> bool:
        against = self._objections(node)
        for entry in against:
            self._report(node, entry.level, entry.message)
        return bool(against)

    def _objections(self, node: cst.BaseExpression) -> list[Objection]:
        found = []
        for name in self._file.names(node):
            if name.startswith(BUILTIN):
                found.append(builtin_objection(name.removeprefix(BUILTIN).split(".")[0]))
            else:
                found.append(objection(name))
        return [entry for entry in dict.fromkeys(found) if entry]

    def _spelling(self, name: cst.Name) -> None:
        text = name.value
        if not text.isascii():
            self._report(name, Level.ERROR, f"'{text}' is not ASCII, and Python may read another name than you do")
        elif text.startswith("__") and text.endswith("__") and text not in _HARMLESS:
            self._report(name, Level.ERROR, f"'{text}' leads into the interpreter")

    def _object(self, node: cst.CSTNode, against: Objection | None) -> None:
        if against:
            self._report(node, against.level, against.message)


def _described(node: cst.BaseExpression) -> str:
    return f"'{full_name(node)}'" if dotted(node) else "the result of an expression"


def _reads_a_plain_name(call: cst.Call) -> bool:
    """True for ``getattr(x, "name")``: positional arguments, and a literal that begins with no underscore."""
    if len(call.args) < 2 or any(argument.star or argument.keyword for argument in call.args):
        return False
    name = call.args[1].value
    value = name.evaluated_value if isinstance(name, cst.SimpleString) else ""
    return isinstance(value, str) and value[:1] not in ("", "_")
