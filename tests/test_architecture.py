"""The shape of the code: layers, sizes, and what starting costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "mmlint"
# A module imports only from its own layer or from those above it in this list.
LAYERS = [
    {"mmlint"},
    {"source", "diagnostic", "config"},
    {"config_file"},
    {"vocabulary"},
    {"kernel"},
    {"tree"},
    {"syntax"},
    {"flow"},
    {"facts"},
    {"wrap"},
    {"rule"},
    {"parallel", "files", "cache"},
    {"cache_key"},
    {"remembered"},
    {"disk"},
    {"recorded"},
    {"tree_names"},
    {"checker"},
    {"kept_reports"},
    {"engine"},
    {"fix", "atomic"},
    {"rule_file"},
    {"catalog"},
    {"audit_names", "audit_shape", "audit_uses"},
    {"audit", "upgrade_changes", "upgrade", "new_rule"},
    {"suppressions"},
    {"series"},
    {"report"},
    {"completion", "manpage"},
    {"rule_commands"},
    {"cli", "commands"},
    {"__main__"},
]
SOURCES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = [*SOURCES, *sorted((ROOT / "rules").glob("*.py")), *sorted((ROOT / "tests").glob("*.py"))]


def layer_of(module: str) -> int:
    name = module.split(".")[1] if "." in module else module
    (layer,) = (number for number, names in enumerate(LAYERS) if name in names)
    return layer


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path) -> list[str]:
    """Modules of mmlint that are imported at run time, anywhere in the file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: relative import"
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [module for module in found if module.split(".")[0] == "mmlint"]


def test_every_module_has_a_layer() -> None:
    assert len(SOURCES) > 40
    assert {layer_of(module_of(file)) for file in SOURCES} == set(range(len(LAYERS)))


@pytest.mark.parametrize("file", SOURCES, ids=[module_of(file) for file in SOURCES])
def test_imports_go_one_way(file: Path) -> None:
    own = layer_of(module_of(file))
    for imported in imports_of(file):
        assert layer_of(imported) <= own, f"{module_of(file)} imports {imported}"


@pytest.mark.parametrize("file", EVERYTHING, ids=[str(file.relative_to(ROOT)) for file in EVERYTHING])
def test_files_and_functions_are_small(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= (400 if file.is_relative_to(PACKAGE) or file.parent.name == "rules" else 600)
    tree = ast.parse(text)
    if text.strip():
        assert ast.get_docstring(tree), "a module says what it is"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, node.name


def loaded_by(code: str) -> set[str]:
    """Names of the modules that are loaded after ``code`` ran in a fresh interpreter."""
    text = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(result.stdout.split("\n"))


HEAVY = {"libcst", "rich", "pygls", "difflib", "concurrent.futures", "multiprocessing", "subprocess", "jinja2"}
# What a format needs is loaded with that format.
FORMATS = {"xml", "xml.etree", "email", "mmlint.commands.outputs", "mmlint.report.outcome", "mmlint.report.sources"}


def test_the_command_line_is_light() -> None:
    loaded = loaded_by("import mmlint.cli")
    assert "mmlint.cli" in loaded
    assert not loaded & {*HEAVY, "tree_sitter", "dataclasses", "inspect", "tomllib", "json", "mmlint.engine"}


def test_a_file_without_a_section_loads_no_parser() -> None:
    loaded = loaded_by("from mmlint.cli import main; assert main(['check', '--no-config', 'mmlint/__init__.py']) == 0")
    assert "mmlint.engine" in loaded
    assert not loaded & {*HEAVY, "tree_sitter", "mmlint.rule", "mmlint.facts.sections", "pickle", "json"}
    assert not loaded & {"dataclasses", "inspect", "pathlib", "hashlib", "shutil", "signal"}
    assert not loaded & {"tomllib", "mmlint.kernel", "mmlint.suppressions", "mmlint.rule_commands"}


def test_a_check_loads_nothing_heavy() -> None:
    loaded = loaded_by("from mmlint.cli import main; main(['check', 'fixtures/wrong-mm'])")
    assert "tree_sitter" in loaded
    assert not loaded & {*HEAVY, *FORMATS, "json"}
