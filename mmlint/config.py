"""Settings of a run, with their defaults.

    Settings(target="lazy_mmu_mode_enable_with_ptes", fail_level=Level.ERROR)

They come from the command line and from a configuration file above the current folder (`mmlint.config_file`); a tree
that is being judged configures its judge no further than that.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mmlint.diagnostic import Level

if TYPE_CHECKING:
    from pathlib import Path


class UsageError(Exception):
    """The user asked for something that cannot be done: what, and what to do instead. Exit code 2."""


class Settings(NamedTuple):
    """``target`` is the ranged name to propose, empty for the vocabulary's default; ``jobs`` 0 means one per CPU.

    ``select`` and ``ignore`` are names of rules; an empty ``select`` means all. Findings below ``level`` are not shown.
    ``suppressions`` is the list of findings that were judged and accepted, if there is one. ``audit`` looks at all
    that runs in each section. ``cache`` keeps what was found out, and takes what earlier runs kept.
    """

    target: str = ""
    fail_level: Level = Level.WARNING
    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    rules: tuple[Path, ...] = ()
    jobs: int = 0
    level: Level = Level.NOTE
    suppressions: Path | None = None
    audit: bool = False
    cache: bool = True

    @property
    def processes(self) -> int:
        """How many processes may run at a time."""
        return self.jobs or len(os.sched_getaffinity(0))

    def selects(self, rule: str) -> bool:
        """True when findings of ``rule`` are wanted."""
        return (not self.select or rule in self.select) and rule not in self.ignore
