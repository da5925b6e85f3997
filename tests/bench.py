"""``make bench``: how long mmlint takes, beside Coccinelle and ast-grep where they are installed.

    python -m tests.bench --kernel ~/src/linux --peers ~/peers --runs 7

Start-up and a file without sections are measured beside Python itself, six files of the series, mm/ and the whole tree
beside a search for the name, and beside the peers' conversion of the same files. The peers get the rule files
PEERS/coccinelle/convert-{old,new}-spelling.cocci and PEERS/ast-grep/convert-{old,new}-spelling.yml, and for the whole
tree a list of the files that name the API, without which they take minutes. The rows "again" have the cache of a run
before, in a folder of its own, the others have none. Times are medians of several runs, in turn, so that a busy machine
slows all of them; memory is the peak of the largest process.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kernels import FOLDER

# What each measurement runs: the second is a file that holds no section; those again have the cache of the run before.
SIX = ["fs/proc/task_mmu.c", "mm/madvise.c", "mm/memory.c", "mm/mprotect.c", "mm/mremap.c", "mm/vmalloc.c"]
SCOPES = {
    "start-up": ["--version"],
    "one file": ["check", "-q", "mm/slub.c"],
    "in a tree": ["check", "-q", "--no-cache", "mm/memory.c"],
    "and again": ["check", "-q", "mm/memory.c"],
    "six files": ["check", "-q", "--no-cache", "--fail-level", "error", *SIX],
    "mm/": ["sections", "--no-cache", "mm"],
    "whole tree": ["check", "-q", "--no-cache", "."],
    "tree again": ["check", "-q", "."],
}
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Job:
    """One command line of one tool."""

    tool: str
    scope: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Seconds of each run and the peak of memory in MiB."""

    seconds: tuple[float, ...]
    peak: float

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def jobs(kernel: Path, peers: Path | None) -> list[Job]:
    """What can be run here."""
    mmlint = [sys.executable, "-m", "mmlint"]
    found = [Job("mmlint", scope, [*mmlint, *words]) for scope, words in SCOPES.items()]
    new = "lazy_mmu_mode_enable(" in (kernel / "mm/madvise.c").read_text(encoding="utf-8")
    spelling, name = ("new", "lazy_mmu_mode_enable") if new else ("old", "arch_enter_lazy_mmu_mode")
    found += yardsticks(name)
    if peers is None:
        return found
    tools = {
        "coccinelle": [
            "spatch",
            "--very-quiet",
            "--sp-file",
            str(peers / f"coccinelle/convert-{spelling}-spelling.cocci"),
        ],
        "ast-grep": ["ast-grep", "scan", "-r", str(peers / f"ast-grep/convert-{spelling}-spelling.yml")],
    }
    for tool, command in tools.items():
        missing = [f"{command[0]} is not installed"] if not shutil.which(command[0]) else []
        missing += [f"there is no {command[-1]}"] if not Path(command[-1]).is_file() else []
        if missing:
            print(f"{tool} is left out: {', '.join(missing)}", file=sys.stderr)
            continue
        listed = f"grep -rlw --include='*.c' {name} . | xargs {shlex.join(command)}"
        folder = ["--dir", "mm", "-j", str(os.cpu_count())] if tool == "coccinelle" else ["mm"]
        found += [Job(tool, "six files", [*command, *SIX]), Job(tool, "mm/", [*command, *folder])]
        found += [Job(tool, "whole tree", ["sh", "-c", listed])]
    return found


def yardsticks(name: str) -> list[Job]:
    """What nobody can be faster than: Python itself, and a search for the name."""
    python = [sys.executable, "-c"]
    found = [Job("python", "start-up", [*python, "pass"]), Job("python", "one file", [*python, "import argparse, re"])]
    searches = {
        "git grep": ["git", "grep", "--no-index", "-lw", name, "--", "*.c"],
        "ripgrep": ["rg", "-l", "--type", "c", "--no-ignore", name, "."],
    }
    for tool, command in searches.items():
        if shutil.which(command[0]):
            found.append(Job(tool, "whole tree", command))
    return found


def once(command: Sequence[str], folder: Path, cache: Path) -> tuple[float, float]:
    """Seconds and peak MiB of one run, which keeps its results in ``cache``; its output is thrown away."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(ROOT)
        os.environ["XDG_CACHE_HOME"] = str(cache)
        # What is installed is compiled once.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.execvp(command[0], list(command))
    _, _, usage = os.wait4(child, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def measure(work: Sequence[Job], folder: Path, runs: int) -> dict[tuple[str, str], Measurement]:
    """Every job ``runs`` times in turn, after one that fills the caches of pages and of mmlint."""
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="mmlint-bench-") as cache:
        for run in range(runs + 1):
            for job in work:
                result = once(job.command, folder, Path(cache))
                if run:
                    results.setdefault((job.scope, job.tool), []).append(result)
    return {key: Measurement(tuple(s for s, _ in v), max(m for _, m in v)) for key, v in results.items()}


def machine() -> str:
    """What the numbers were measured on."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n"):
        if line.startswith("model name"):
            model = line.split(":")[1].strip()
            break
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} CPUs, Python {platform.python_version()}, load {load:.1f}"


def main() -> int:
    """Measure and print a table. Exit code 2 when there is no kernel tree."""
    parser = argparse.ArgumentParser(description="time mmlint beside its peers")
    parser.add_argument("--kernel", type=Path, default=FOLDER / "linux-source-6.12")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--series", action="store_true", help="a series on the kernel in git, beside git am")
    arguments = parser.parse_args()
    if arguments.series:
        from tests.bench_series import measure_series

        return measure_series(arguments.kernel, arguments.runs)
    if not (arguments.kernel / "mm/memory.c").is_file():
        print(f"{arguments.kernel}: no kernel tree; give one with KERNEL=path, or run tests/fetch_kernels.sh")
        return 2
    print(f"{machine()}\n{arguments.kernel}, median of {arguments.runs} runs\n")
    peers = arguments.peers.resolve() if arguments.peers else None
    results = measure(jobs(arguments.kernel, peers), arguments.kernel, arguments.runs)
    print(f"{'':12}{'':12}{'seconds':>9}{'from':>8}{'to':>8}{'MiB':>7}   against mmlint")
    for (scope, tool), result in sorted(results.items(), key=lambda item: [s for s, _ in results].index(item[0][0])):
        ratio = result.median / results[scope, "mmlint"].median
        spread = f"{min(result.seconds):8.3f}{max(result.seconds):8.3f}"
        row = f"{scope:12}{tool:12}{result.median:9.3f}{spread}{result.peak:7.0f}"
        print(row + (f"   {ratio:.2f} times the time" if tool != "mmlint" else ""))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
