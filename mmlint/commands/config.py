"""``config``: the settings that are in force, and where each comes from.

configuration  /home/me/linux/.mmlint.toml
target         the tree's own                 default
level          note                           default
fail-level     error                          /home/me/linux/.mmlint.toml:1
...
"""

from __future__ import annotations

import argparse

from mmlint.cli import CLEAN
from mmlint.commands.output import print_lines
from mmlint.commands.settings import Resolved, resolve
from mmlint.config_file import KEYS
from mmlint.report.terminal import counted, shown
from mmlint.suppressions import read_list


def run(arguments: argparse.Namespace) -> int:
    """Print the settings. Raises UsageError."""
    resolved = resolve(arguments)
    print_lines(shown(line) for line in lines(resolved))
    return CLEAN


def lines(resolved: Resolved) -> list[str]:
    """One line for the file, and one for each key: name, value, origin."""
    settings = resolved.settings
    values = {
        "target": settings.target or "the tree's own",
        "level": str(settings.level),
        "fail-level": str(settings.fail_level),
        "select": ", ".join(sorted(settings.select)) or "all rules",
        "ignore": ", ".join(sorted(settings.ignore)) or "none",
        "suppressions": _suppressions(resolved),
        "jobs": str(settings.jobs) if settings.jobs else f"{settings.processes}, one per CPU",
        "cache": "yes" if settings.cache else "no",
    }
    path = str(resolved.config.path) if resolved.config else "none"
    width = max(map(len, values.values()))
    rows = [f"{key:14} {values[key]:{width}}  {resolved.origins.get(key, 'default')}" for key in KEYS]
    return [f"{'configuration':14} {path}", *rows]


def _suppressions(resolved: Resolved) -> str:
    path = resolved.settings.suppressions
    if path is None:
        return "none"
    count = len(read_list(path).entries)
    return f"{path} ({counted(count, 'entry') if count == 1 else f'{count} entries'})"
