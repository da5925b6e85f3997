"""How long a series takes on a kernel in git, beside ``git am`` in a sparse work tree.

    python -m tests.bench --series --kernel ~/src/linux

The tree is put into a repository of its own in a temporary folder. What the patches of a series have in common is paid
once, and the rest is told for each patch: without anything in the cache, and with what a series before has left there.
Patches of files that no section reaches are told beside patches of walkers, because a walker is analysed again. Of a
series, several are analysed at a time; so each is measured as a series of its own as well.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from mmlint.cache import Cache
from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.series.arrange import arrange
from mmlint.series.check import seldom_collected
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


def stages(repository: Path, box: Path, folder: Path, keep_all: bool) -> dict[str, float]:
    """The same as `measured`, in a process of its own, as a command has it."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measured, repository, box, folder, keep_all).result()


def measured(repository: Path, box: Path, folder: Path, keep_all: bool) -> dict[str, float]:
    """Seconds of each stage: base and patches, the names of the tree, what is said of the base and of each patch.

    The base is left in the cache in ``folder``, or, with ``keep_all``, every state.
    """
    found: dict[str, float] = {}
    with seldom_collected(), Cache(str(folder)) as cache, PrivateGit(user_tree(str(repository))) as store:
        start = time.perf_counter()
        order = arrange([open_mail(mail, store) for mail in read_mails(str(box), store)], str(box))
        changes = [parse_diff(letter.text) for letter in order.patches]
        _, space = place(store, order.patches, order.cover, changes, None)
        assert space is not None
        found["base found, patches applied"] = time.perf_counter() - start
        start = time.perf_counter()
        judge = Judge(make_checker(Settings()), space, Settings().processes, cache)
        judge.read()
        found["index read"] = time.perf_counter() - start
        start = time.perf_counter()
        judge.reports(0)
        found["base judged"] = time.perf_counter() - start
        if not keep_all:
            judge.keep()
        start = time.perf_counter()
        judge.prepare()
        for k in range(1, len(order.patches) + 1):
            space.difference(k)
            judge.reports(k)
        found["each patch"] = (time.perf_counter() - start) / len(order.patches)
        if keep_all:
            judge.keep()
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
    print(f"  {'sparse work tree':42}{ready - start:8.3f}")
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
            rows: dict[tuple[str, str], list[float]] = {}
            for run in range(runs):
                folder = Path(name) / f"cache-{title}-{run}"
                folder.mkdir(0o700)
                for kept in ("nothing kept", "base kept", "all kept"):
                    for stage, seconds in stages(repository, box, folder, kept == "base kept").items():
                        rows.setdefault((stage, kept), []).append(seconds)
            print(f"{title}: {', '.join(files)}")
            for (stage, kept), taken_by in rows.items():
                print(f"  {stage:28}{kept:14}{statistics.median(taken_by):8.3f}")
            taken = am(repository, box)
            print(f"  {'git am, for each patch':42}{taken / len(files):8.3f}")
            folder = Path(name) / f"cache-{title}-alone"
            folder.mkdir(0o700)
            for path in files:
                box = series(repository, (path,), Path(name) / "one.mbox")
                # The first of all finds nothing, the others the base.
                alone = [stages(repository, box, folder, keep_all=False) for _ in range(runs + 1)][1:]
                seconds = statistics.median(found["each patch"] for found in alone)
                print(f"  {'alone, base kept: ' + path:42}{seconds:8.3f}")
    return 0
