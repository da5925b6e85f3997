"""``cache``: where the cache lies and what it holds, or an end of it.

folder   /home/me/.cache/mmlint/results
size     1.4 MiB
reports  102 in 0.9 MiB
...
"""

from __future__ import annotations

import argparse

from mmlint.cache import cache_folder, open_cache, remove
from mmlint.cli import CLEAN
from mmlint.commands.output import print_lines
from mmlint.config import UsageError
from mmlint.report.terminal import shown

_MEANING = {
    "contents": "files of a tree",
    "names": "definitions of a tree",
    "passed": "series that went through a hook",
    "report": "reports of files",
    "scan": "which files hold a section",
    "search": "searches of a tree",
    "series": "bases of patch series",
}


def run(arguments: argparse.Namespace) -> int:
    """Show or delete it. Raises UsageError."""
    folder = cache_folder()
    if folder is None:
        raise UsageError("there is no cache: neither XDG_CACHE_HOME nor HOME is an absolute path; set one of them")
    if arguments.action == "clear":
        try:
            removed = remove(folder)
        except OSError as error:
            raise UsageError(f"{folder}: {error.strerror or error}; delete the folder yourself") from error
        print_lines([shown(f"{folder}: deleted" if removed else f"{folder}: there was nothing")])
        return CLEAN
    with open_cache() as cache:
        info = cache.info() if cache.is_open else None
    if info is None:
        print_lines([shown(f"{folder}: not used: it cannot be opened, or others can write into it")])
        return CLEAN
    rows = [("folder", shown(folder)), ("size", _bytes(info.size))]
    rows += [(kind, f"{count} in {_bytes(size)}: {_MEANING.get(kind, kind)}") for kind, count, size in info.kinds]
    print_lines(f"{name:9} {text}" for name, text in rows)
    return CLEAN


def _bytes(count: int) -> str:
    return f"{count / 1024:.1f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"
