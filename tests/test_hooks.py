"""The pre-commit hooks, with the real pre-commit on a real git repository: from the registry, and from wheels alone.

They need pre-commit (``pip install pre-commit``) and, for the environments that it builds, a registry or the wheels in
$MMLINT_WHEELS; what is missing is told by the skip.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BESIDE = Path(sys.executable).parent / "pre-commit"
PRE_COMMIT = shutil.which("pre-commit") or (str(BESIDE) if BESIDE.exists() else "")
# What a hook's environment is built from, besides mmlint itself.
WHEELS = ["hatchling", "tree-sitter>=0.25,<0.27", "tree-sitter-c>=0.24,<0.25", "setuptools", "wheel"]
SHIPPED = ["mmlint", "rules", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"]
PLAIN = "\tlazy_mmu_mode_enable();\n"

needs_pre_commit = pytest.mark.skipif(
    not PRE_COMMIT, reason="PRE-COMMIT IS NOT INSTALLED: THE HOOKS ARE NOT TRIED; pip install pre-commit"
)


def test_manifest_has_the_three_hooks() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^- id: (.+)$", text, re.MULTILINE) == ["mmlint", "mmlint-fix", "mmlint-series"]
    assert re.findall(r"^  entry: (.+)$", text, re.MULTILINE) == [
        "mmlint check",
        "mmlint fix --in-place",
        "mmlint hook pre-push",
    ]
    # One process sees all files: pre-commit would split them, and a caller may be in another share.
    assert text.count("  require_serial: true\n") == 2
    assert text.count("  types: [c]\n") == 2
    # What checks and changes files has no business in a push, where all hooks without stages run.
    assert re.findall(r"^  stages: (.+)$", text, re.MULTILINE) == [
        "[pre-commit, pre-merge-commit, manual]",
        "[pre-commit, pre-merge-commit, manual]",
        "[pre-push]",
    ]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def repository(folder: Path) -> Path:
    """A repository of everything in ``folder``, in one commit."""
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return folder


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as the repository of hooks, with what is in the work tree now."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return repository(folder)


@pytest.fixture
def kernel(tmp_path: Path, hooks: Path) -> Path:
    """fixtures/linux as a repository of its own that uses the hooks."""
    folder = tmp_path / "linux"
    shutil.copytree(ROOT / "fixtures/linux", folder)
    revision = git(hooks, "rev-parse", "HEAD").strip()
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: mmlint\n  - id: mmlint-fix\n"
    )
    return repository(folder)


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "MMLINT_", "FORCE_COLOR"))}
    return {**kept, "PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never", **more}


def pre_commit(folder: Path, variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [PRE_COMMIT, *arguments]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=300)


def install(folder: Path, variables: dict[str, str], missing: str) -> None:
    result = pre_commit(folder, variables, "install-hooks")
    if result.returncode and re.search(
        r"No matching distribution|Could not find a version|ConnectionError", result.stdout
    ):
        pytest.skip(f"{missing}: THE HOOKS ARE NOT TRIED")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, hooks: Path) -> dict[str, str]:
    """The environment of a pre-commit that has built the hooks with what pip finds by itself."""
    variables = environment(tmp_path_factory.mktemp("home"))
    folder = tmp_path_factory.mktemp("first") / "linux"
    folder.mkdir()
    revision = git(hooks, "rev-parse", "HEAD").strip()
    text = f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: mmlint\n"
    (folder / ".pre-commit-config.yaml").write_text(text)
    install(repository(folder), variables, "NO REGISTRY IS REACHED")
    return variables


@needs_pre_commit
def test_clean_tree_passes_and_wrong_call_fails(kernel: Path, built: dict[str, str]) -> None:
    clean = pre_commit(kernel, built, "run", "mmlint", "--all-files")
    assert (clean.returncode, clean.stdout.count("Passed")) == (0, 1), clean.stdout
    file = kernel / "mm/mprotect.c"
    wrong = "\tlazy_mmu_mode_enable_for_pte_range(vma->vm_mm, end, addr, pte);\n"
    file.write_text(file.read_text().replace(PLAIN, wrong))
    git(kernel, "add", "-A")
    failed = pre_commit(kernel, built, "run", "mmlint")
    assert failed.returncode == 1
    assert "- exit code: 1" in failed.stdout
    assert re.search(r"^mm/mprotect\.c:\d+:\d+: error: .* \[wrong-", failed.stdout, re.MULTILINE)
    git(kernel, "restore", "--staged", "--worktree", ".")
    assert "(no files to check)Skipped" in pre_commit(kernel, built, "run", "mmlint").stdout


@needs_pre_commit
def test_commit_is_stopped_and_the_fix_is_in_the_work_tree(kernel: Path, built: dict[str, str]) -> None:
    assert pre_commit(kernel, built, "install").returncode == 0
    before = git(kernel, "rev-parse", "HEAD")
    file = kernel / "mm/madvise.c"
    file.write_text(file.read_text() + "\n")
    git(kernel, "add", "-A")
    identity = {f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    commit = subprocess.run(
        ["git", "commit", "-m", "touch"],
        cwd=kernel,
        env={**built, **identity},
        capture_output=True,
        text=True,
        check=False,
    )
    assert commit.returncode == 1, commit.stderr
    assert "- files were modified by this hook" in commit.stderr
    assert git(kernel, "rev-parse", "HEAD") == before
    changed = git(kernel, "diff", "--name-only").split()
    assert changed == ["mm/madvise.c"]
    assert "lazy_mmu_mode_enable_for_pte_range(" in file.read_text()
    git(kernel, "add", "-A")
    again = pre_commit(kernel, built, "run")
    assert (again.returncode, again.stdout.count("Passed")) == (0, 2), again.stdout


@needs_pre_commit
def test_push_is_checked_as_a_series(kernel: Path, built: dict[str, str]) -> None:
    config = kernel / ".pre-commit-config.yaml"
    config.write_text(config.read_text() + "  - id: mmlint-series\n")
    git(kernel, "commit", "-qam", "the hook for series")
    base = git(kernel, "rev-parse", "HEAD").strip()
    file = kernel / "mm/mprotect.c"
    wrong = "\tlazy_mmu_mode_enable_for_pte_range(vma->vm_mm, end, addr, pte);\n"
    file.write_text(file.read_text().replace(PLAIN, wrong))
    git(kernel, "commit", "-qam", "mm/mprotect: name the range")
    # All hooks of the configuration: the two that look at files stand aside.
    stage = ("run", "--hook-stage", "pre-push")
    failed = pre_commit(kernel, built, *stage, "--from-ref", base, "--to-ref", "HEAD")
    assert failed.returncode == 1, failed.stdout
    assert re.findall(r"^- hook id: (.+)$", failed.stdout, re.MULTILINE) == ["mmlint-series"]
    assert "Passed" not in failed.stdout
    assert "patch 1/1: mm/mprotect: name the range" in failed.stdout
    assert re.search(r"^mm/mprotect\.c:\d+:\d+: error: .* \[wrong-range\]", failed.stdout, re.MULTILINE)
    passed = pre_commit(kernel, built, *stage, "--from-ref", f"{base}~1", "--to-ref", base)
    assert (passed.returncode, passed.stdout.count("Passed")) == (0, 1), passed.stdout


@needs_pre_commit
def test_wheels_in_a_folder_are_enough(kernel: Path, tmp_path: Path) -> None:
    wheels = os.environ.get("MMLINT_WHEELS") or str(tmp_path / "wheels")
    if not os.environ.get("MMLINT_WHEELS"):
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", "-d", wheels, *WHEELS]
        if subprocess.run(fetch, capture_output=True, check=False).returncode:
            pytest.skip("NO REGISTRY IS REACHED, AND $MMLINT_WHEELS NAMES NO FOLDER: THE OFFLINE HOOK IS NOT TRIED")
    offline = environment(tmp_path / "home", PIP_NO_INDEX="1", PIP_FIND_LINKS=wheels, PIP_DISABLE_PIP_VERSION_CHECK="1")
    install(kernel, offline, f"{wheels} LACKS A WHEEL")
    result = pre_commit(kernel, offline, "run", "mmlint", "--all-files", "--verbose")
    assert (result.returncode, result.stdout.count("Passed")) == (0, 1), result.stdout
    assert re.search(r"; \d+ sections? in \d+ functions? of \d+ files?; 0 not analysed", result.stdout)
