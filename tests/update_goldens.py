"""``python -m tests.update_goldens``: write the golden files of the fixtures and precedents anew, never in CI."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.goldens import ROOT, fixtures, goldens
from tests.kernels import FOLDER
from tests.told import told
from tests.trees import goldens as goldens_of_tree
from tests.trees import trees


def main() -> int:
    """Write what differs, remove what is stale, and say so. Exit code 2 in CI."""
    if os.environ.get("CI"):
        print("update_goldens: not in CI: a golden file is blessed by a person who has read it", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    wanted = {path: data for fixture in fixtures() for path, data in goldens(fixture).items()}
    with tempfile.TemporaryDirectory() as folder:
        for tree in trees():
            wanted.update(goldens_of_tree(tree, Path(folder)))
    there = {str(p.relative_to(ROOT)) for suffix in ("expect", "fixed.c", "unsafe.c") for p in _glob(suffix)}
    if (FOLDER / "linux-source-6.12").is_dir():
        precedents = "tests/precedents.txt"
        there.add(precedents)
        wanted[precedents] = told(FOLDER / "linux-source-6.12").encode()
    for path in sorted(there - wanted.keys()):
        (ROOT / path).unlink()
        print(f"removed {path}")
    for path, data in sorted(wanted.items()):
        if not (ROOT / path).exists() or (ROOT / path).read_bytes() != data:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_bytes(data)
            print(f"wrote {path}")
    return 0


def _glob(suffix: str) -> list[Path]:
    fixed = (ROOT / "fixtures").glob("*/tree*.fixed/**/*.[ch]") if suffix == "expect" else ()
    return sorted([*(ROOT / "fixtures").glob(f"*/**/*.{suffix}"), *fixed])


if __name__ == "__main__":
    raise SystemExit(main())
