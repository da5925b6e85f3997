"""``make demo``: what mmlint finds in a tree, what it would change, and what it says of calls that are wrong.

Without an argument the tree is fixtures/linux, whose walkers have the shapes of the kernel's own, and the wrong calls
are other fixtures; with one it is a kernel tree, of which fs/proc and mm are looked at.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mmlint.cli import main

ROOT = Path(__file__).resolve().parent.parent
FAULTS = (
    "inconsistent-ptep/inconsistent-ptep.c",
    "missing-disable/faulty.c",
    "wrong-mm/kernel_tables.c",
    "wrong-ptep/moved.c",
    "wrong-range/wrong-range.c",
)
_BOLD, _PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "")


def show(title: str, folder: Path, *arguments: str) -> None:
    """Run one command in a folder, under a heading that says what to type."""
    os.chdir(folder)
    print(f"\n{_BOLD}== {title}\n   {folder}$ mmlint {' '.join(arguments)}{_PLAIN}\n", flush=True)
    main(arguments)
    sys.stderr.flush()


def demo(kernel: Path | None) -> int:
    """The commands, one after the other. Exit code 2 when there is no such tree."""
    tree = (kernel or ROOT / "fixtures" / "linux").resolve()
    paths = [path for path in ("fs/proc", "mm") if (tree / path).is_dir()]
    if not paths:
        print(f"{tree}: no kernel tree; give the folder that holds mm/", file=sys.stderr)
        return 2
    show("Every section, with the ranged call that is proven for it, or why there is none", tree, "sections", *paths)
    audited = ["mm/memory.c", "mm/mprotect.c"]
    show(
        "What runs in some of them, and whether it dereferences an entry", tree, "sections", "--audit-access", *audited
    )
    show("The change, ready for git apply (one file of it)", tree, "fix", "mm/madvise.c")
    if kernel:
        show("What it reports, without the evidence", tree, "check", "--quiet", *paths)
    else:
        show("What it says of wrong calls", ROOT / "fixtures", "check", "--quiet", *FAULTS)
    print(f"\n{_BOLD}== Why it believes so: mmlint explain PATH:LINE. What a rule means: mmlint explain RULE.{_PLAIN}")
    return 0


if __name__ == "__main__":
    raise SystemExit(demo(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
