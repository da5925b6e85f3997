"""Which names a rule may use, and what is said of the others.

    objection("re.compile")     ->  None
    objection("os.system")      ->  Objection(Level.ERROR, "'os.system' is beyond what a rule may import")
    objection("re.sys.exit")    ->  Objection(Level.ERROR, "'sys' is not a name that re offers")

A rule turns facts into diagnostics, so it needs the interface for rules and a few modules that only compute. What
one of them merely happens to import is not part of the offer: `dataclasses.sys` would be a way to everything.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Final

from mmlint.diagnostic import Level

STANDARD: Final = ("__future__", "collections.abc", "dataclasses", "enum", "itertools", "re", "typing")
# What the packaged rules are written against; other modules of mmlint may change from day to day.
INTERFACE: Final = ("mmlint.diagnostic", "mmlint.facts.sections", "mmlint.rule", "mmlint.source")
_PACKAGE: Final = Path(__file__).resolve().parent

_REACHING: Final = {
    "dataclasses.make_dataclass": "makes code from text",
    "mmlint.rule.load_rules": "runs other modules",
    "typing.get_type_hints": "runs text as code",
}
_BUILTINS: Final = {
    "__import__": "imports what nobody sees",
    "breakpoint": "stops the run",
    "compile": "makes code from text",
    "delattr": "changes what others use",
    "eval": "runs text as code",
    "exec": "runs text as code",
    "exit": "ends the run",
    "getattr": "hides what it reads, unless the name is a literal",
    "globals": "gives away everything that the module knows",
    "help": "reads from the terminal",
    "input": "reads from the terminal",
    "locals": "gives away everything that the function knows",
    "open": "opens files",
    "quit": "ends the run",
    "setattr": "changes what others use",
    "vars": "gives away what an object holds",
}
# What may run while the module is loaded: it makes values and has no effect.
LOADABLE: Final = frozenset(
    {
        "builtins.frozenset",
        "builtins.int",
        "builtins.len",
        "builtins.max",
        "builtins.min",
        "builtins.range",
        "builtins.str",
        "builtins.tuple",
        "dataclasses.dataclass",
        "dataclasses.field",
        "enum.auto",
        "mmlint.rule.Rule",
        "re.compile",
        "re.escape",
        "typing.NewType",
        "typing.TypeVar",
    }
)
DECORATORS: Final = LOADABLE | {
    "builtins.classmethod",
    "builtins.property",
    "builtins.staticmethod",
    "enum.unique",
    "typing.final",
    "typing.overload",
}


@dataclass(frozen=True, slots=True)
class Objection:
    """What is held against a name, and how grave it is."""

    level: Level
    message: str


def objection(name: str) -> Objection | None:
    """What is held against the use of an imported name, spelled from its root; None when nothing is."""
    module = _home(name)
    if not module:
        return Objection(Level.ERROR, f"'{name}' is beyond what a rule may import")
    if name == module:
        return Objection(Level.ERROR, f"the module {module} is used as a value, so nobody sees what is taken from it")
    return _membership(module, name.removeprefix(f"{module}.").split(".")[0])


def import_objection(module: str, name: str = "") -> Objection | None:
    """What is held against ``import module``, or against ``from module import name``."""
    full = f"{module}.{name}" if name else module
    if _home(full) == full:
        return _internal(full)
    if not name or _home(module) != module:
        return Objection(Level.ERROR, f"'{module}' is not among the modules that a rule may import")
    if name == "*":
        return Objection(Level.ERROR, f"every name of {module} is imported, so nobody sees which are used")
    return _membership(module, name) or _internal(module)


def builtin_objection(name: str) -> Objection | None:
    """What is held against the use of a built-in name."""
    if name == "print":
        return Objection(Level.WARNING, "'print' writes into the output; a rule says everything in its diagnostics")
    return Objection(Level.ERROR, f"'{name}' {_BUILTINS[name]}") if name in _BUILTINS else None


def _home(name: str) -> str:
    """The permitted module that a name comes from, or empty; the name may be that of the module."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        if module in STANDARD or (end > 1 and parts[0] == "mmlint" and _file(module)):
            return module
    return ""


def _membership(module: str, name: str) -> Objection | None:
    reaching = _REACHING.get(f"{module}.{name}")
    if reaching:
        return Objection(Level.ERROR, f"'{name}' {reaching}")
    if name not in _offered(module):
        return Objection(Level.ERROR, f"'{name}' is not a name that {module} offers")
    return None


def _internal(module: str) -> Objection | None:
    if module in STANDARD or module in INTERFACE:
        return None
    return Objection(Level.WARNING, f"{module} is not part of the interface for rules")


def _file(module: str) -> Path | None:
    parts = module.split(".")[1:]
    file = _PACKAGE.joinpath(*parts).with_suffix(".py")
    return file if all(part.isidentifier() for part in parts) and file.is_file() else None


@lru_cache(maxsize=64)
def _offered(module: str) -> frozenset[str]:
    """The public names that a module defines itself; one of mmlint is read, not imported."""
    file = _file(module) if module.startswith("mmlint.") else None
    if file:
        return frozenset(name for name in _defined(ast.parse(file.read_bytes())) if not name.startswith("_"))
    home = import_module(module)
    names = {*getattr(home, "__all__", ()), *getattr(home, "all_feature_names", ())}
    return frozenset(names or (name for name in vars(home) if not name.startswith("_")))


def _defined(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return names
