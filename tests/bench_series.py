"""How long a series takes on a kernel in git, beside ``git am`` in a sparse work tree.

    python -m tests.bench --series --kernel ~/src/linux

The tree is put into a repository of its own in a temporary folder. Series of one patch and of several are checked: what
they have in common is paid once, and the rest is told for each patch. A patch that changes a file which nothing of
the tree reaches is told beside one that changes a walker, because a walker is analysed again.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.series.arrange import arrange
from mmlint.series.diff import parse_diff
from mmlint.series.git import PrivateGit, user_tree
from mmlint.series.mail import open_mail, read_mails
from mmlint.series.placing import place
from mmlint.series.states import Judge
from tests.series_samples import git, mbox

WALKERS = ("mm/mremap.c", "mm/mprotect.c", "mm/vmalloc.c", "fs/proc/task_mmu.c", "mm/madvise.c")
OTHERS = ("mm/slub.c", "net/core/dev.c", "fs/ext4/inode.c", "mm/percpu.c", "drivers/usb/core/hub.c")


def kernel_repository(kernel: Path, folder: Path) -> Path:
    """The kernel as a repository with one commit."""
    repository = folder / "linux"
    shutil.copytree(kernel, repository, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    git(repository, "init", "-q", "-b", "main")
    git(repository, "-c", "core.looseCompression=1", "add", "-A")
    git(repository, "commit", "-q", "-m", "base")
    git(repository, "repack", "-adq")
    return repository


def series(repository: Path, files: Sequence[str], box: Path) -> Path:
    """A mailbox with a patch for each file: a comment in its last function."""
    for path in files:
        file = repository / path
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
        at = text.rindex("\n}\n")
        file.write_text(text[:at] + "\n\t/* measured */" + text[at:], encoding="utf-8", errors="surrogateescape")
        git(repository, "commit", "-q", "-a", "-m", f"{path}: a comment")
    names = git(repository, "format-patch", "-o", str(box.parent / "out"), f"HEAD~{len(files)}").split()
    box.write_bytes(mbox(Path(name).read_bytes() for name in names))
    shutil.rmtree(box.parent / "out")
    git(repository, "reset", "-q", "--hard", f"HEAD~{len(files)}")
    return box


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def stages(repository: Path, box: Path) -> dict[str, list[float]]:
    """Seconds of each stage: the base with all patches applied, its analysis, and each state."""
    found: dict[str, list[float]] = {}
    with PrivateGit(user_tree(str(repository))) as store:
        start = time.perf_counter()
        order = arrange([open_mail(mail, store) for mail in read_mails(str(box), store)], str(box))
        changes = [parse_diff(letter.text) for letter in order.patches]
        _, space = place(store, order.patches, order.cover, changes, None)
        assert space is not None
        found["base and patches"] = [time.perf_counter() - start]
        judge = Judge(make_checker(Settings()), space, Settings().processes)
        found["analysis of the base"] = [timed(lambda: judge.reports(0))]
        states = range(1, len(order.patches) + 1)
        found["each patch"] = [timed(lambda k=k: (space.difference(k), judge.reports(k))) for k in states]  # type: ignore[misc]
    return found


def am(repository: Path, box: Path) -> float:
    """Seconds of ``git am`` in a sparse work tree, for each patch."""
    tree = repository.parent / "sparse"
    start = time.perf_counter()
    git(repository, "worktree", "add", "-q", "--no-checkout", str(tree), "HEAD")
    git(tree, "sparse-checkout", "set", "mm", "fs/proc", "net/core", "fs/ext4", "drivers/usb/core")
    git(tree, "checkout", "-q")
    ready = time.perf_counter()
    git(tree, "am", "-q", str(box))
    seconds = time.perf_counter() - ready
    git(repository, "worktree", "remove", "--force", str(tree))
    print(f"{'git am, sparse work tree':44}{ready - start:8.3f} once")
    return seconds


def measure_series(kernel: Path, runs: int) -> int:
    """Measure and print. Exit code 2 when there is no kernel tree."""
    if not (kernel / "mm/memory.c").is_file():
        print(f"{kernel}: no kernel tree; give one with KERNEL=path, or run tests/fetch_kernels.sh")
        return 2
    with tempfile.TemporaryDirectory(prefix="mmlint-bench-") as name:
        print("putting the kernel into git ...", file=sys.stderr)
        repository = kernel_repository(kernel, Path(name))
        for title, files in (("walkers", WALKERS), ("other files", OTHERS)):
            box = series(repository, files, Path(name) / "series.mbox")
            rows: dict[str, list[list[float]]] = {}
            for _ in range(runs):
                for stage, seconds in stages(repository, box).items():
                    rows.setdefault(stage, []).append(seconds)
            print(f"{title}: {', '.join(files)}")
            for stage, taken_by in rows.items():
                each = [statistics.median(column) for column in zip(*taken_by, strict=True)]
                print(f"  {stage:42}" + " ".join(f"{seconds:8.3f}" for seconds in each))
            taken = am(repository, box)
            print(f"  {'git am, for each patch':42}{taken / len(files):8.3f}")
    return 0
