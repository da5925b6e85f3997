"""What following the calls of a section comes to: chains to sleepers, to accesses, to other sections, and open ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from mmlint.facts.effects import Access
from mmlint.facts.file import FileAnalysis
from mmlint.facts.index import Place
from mmlint.facts.sections import Evidence, Incident
from mmlint.flow import ir


class Sleep(NamedTuple):
    """A chain to a call that may sleep: the call in the section, what it runs, the sleeper, its flag, the steps."""

    start: ir.Call
    first: str
    sleeper: str
    flag: str
    steps: tuple[Evidence, ...]
    arch: str = ""


class DirectAccess(NamedTuple):
    """A chain to a direct access in another function."""

    start: ir.Call
    place: Place
    analysis: FileAnalysis
    access: Access
    steps: tuple[Evidence, ...]


class Entering(NamedTuple):
    """A chain to another enable: the function that has it, and its call."""

    start: ir.Call
    place: Place
    analysis: FileAnalysis
    op: ir.Call
    steps: tuple[Evidence, ...]
    arch: str = ""


class ReadBack(NamedTuple):
    """A chain to an entry that is read and written under a lock."""

    start: ir.Call
    place: Place
    analysis: FileAnalysis
    incident: Incident
    steps: tuple[Evidence, ...]
    arch: str = ""


class Unresolved(NamedTuple):
    """A call that could not be followed, and why; ``entry`` where it gets a pte pointer of the section.

    ``caller`` is the function that makes it, None for the section itself.
    """

    start: ir.Call
    name: str
    why: str
    entry: bool
    steps: tuple[Evidence, ...]
    caller: Place | None = None


@dataclass
class Found:
    """What following the calls of a section came to."""

    sleeps: list[Sleep] = field(default_factory=list)
    accesses: list[DirectAccess] = field(default_factory=list)
    enters: list[Entering] = field(default_factory=list)
    resumes: list[Entering] = field(default_factory=list)
    read_backs: list[ReadBack] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    # What was looked at, True where a pte pointer reaches it; who calls whom, None being the section.
    looked_at: dict[Place, bool] = field(default_factory=dict)
    edges: dict[tuple[Place | None, Place], None] = field(default_factory=dict)
