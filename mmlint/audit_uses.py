"""What a rule file imports, uses, calls while it is loaded, and changes: the part of an audit that follows names.

    import os as o                                  'os' is not among the modules that a rule may import
    HOME = o.environ                                'os.environ' is beyond what a rule may import
    def check(function): exec(function.name)        'exec' runs text as code

Names are followed through imports and aliases of imports. A value that is put into a variable, a container or an argument
is not followed; for this, a bare module or a bare ``exec`` is held against the file wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from mmlint.audit_names import DECORATORS, LOADABLE, Objection, builtin_objection, import_objection, objection
from mmlint.diagnostic import Level
from mmlint.rule_file import BUILTIN, RuleFile, dotted

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
            self._object(alias.name, import_objection(_full_name(alias.name)))
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: N802
        if node.relative or node.module is None:
            self._report(node, Level.ERROR, "a relative import has no package to refer to")
        elif isinstance(node.names, cst.ImportStar):
            self._object(node, import_objection(_full_name(node.module), "*"))
        else:
            found = [
                (alias.name, import_objection(_full_name(node.module), _full_name(alias.name))) for alias in node.names
            ]
            # One complaint about the module is enough, however many names are taken from it.
            if len({against for _, against in found}) == 1 and found[0][1] == import_objection(_full_name(node.module)):
                self._object(node.module, found[0][1])
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
        is_reading = self._file.meaning(node.func) == f"{BUILTIN}getattr"
        if is_reading and _reads_a_plain_name(node):
            for argument in node.args:
                argument.visit(self)
            return False
        if is_reading:
            self._report(node, Level.ERROR, "'getattr' with a name that is not a plain literal hides what it reads")
            for argument in node.args:
                argument.visit(self)
            return False
        if not self._bodies and not self._is_among(node.func, LOADABLE) and not self._objections(node.func):
            self._report(node, Level.ERROR, f"'{self._file.text(node.func)}' is called while the module is loaded")
        return True

    def visit_Decorator(self, node: cst.Decorator) -> None:  # noqa: N802
        called = isinstance(node.decorator, cst.Call)
        if not self._bodies and not called and not self._is_among(node.decorator, DECORATORS):
            text = self._file.text(node.decorator)
            self._report(node.decorator, Level.ERROR, f"'{text}' is called while the module is loaded")

    def visit_Global(self, node: cst.Global) -> bool:  # noqa: N802
        names = ", ".join(item.name.value for item in node.names)
        self._report(
            node, Level.WARNING, f"'{names}' is made to outlive the call; a rule keeps nothing from file to file"
        )
        return False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:  # noqa: N802
        self._changed(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:  # noqa: N802
        self._changed(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:  # noqa: N802
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
            self._report(target, Level.ERROR, f"'{self._file.text(target)}' is changed for everybody who uses it")
        elif any("." not in name for name in self._file.own_names(root)) and self._bodies:
            self._report(target, Level.WARNING, f"'{root.value}' is changed and outlives the call")

    def _use(self, node: cst.BaseExpression) -> bool:
        against = self._objections(node)
        for entry in against:
            self._report(node, entry.level, entry.message)
        return bool(against)

    def _objections(self, node: cst.BaseExpression) -> list[Objection]:
        found = []
        for name in self._file.names(node):
            builtin = name.removeprefix(BUILTIN) if name.startswith(BUILTIN) else ""
            found.append(builtin_objection(builtin.split(".")[0]) if builtin else objection(name))
        return [entry for entry in dict.fromkeys(found) if entry]

    def _is_among(self, node: cst.BaseExpression, names: frozenset[str]) -> bool:
        return self._file.meaning(node) in names

    def _spelling(self, name: cst.Name) -> None:
        if not name.value.isascii():
            self._report(
                name, Level.ERROR, f"'{name.value}' is not ASCII, and Python may read another name than you do"
            )
        elif name.value.startswith("__") and name.value.endswith("__") and name.value not in _HARMLESS:
            self._report(name, Level.ERROR, f"'{name.value}' leads into the interpreter")

    def _object(self, node: cst.CSTNode, against: Objection | None) -> None:
        if against:
            self._report(node, against.level, against.message)


_HARMLESS = frozenset({"__all__", "__doc__", "__name__", "__post_init__", "__slots__"})


def _full_name(node: cst.BaseExpression) -> str:
    return ".".join(name.value for name in dotted(node))


def _reads_a_plain_name(call: cst.Call) -> bool:
    """True for ``getattr(x, "name")``: positional arguments, and a literal without underscores at both ends."""
    if len(call.args) < 2 or any(argument.star or argument.keyword for argument in call.args):
        return False
    name = call.args[1].value
    return (
        isinstance(name, cst.SimpleString) and isinstance(name.evaluated_value, str) and name.evaluated_value[:1] != "_"
    )
