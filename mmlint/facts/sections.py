"""Sections with their obligations and verdicts: the facts that rules and reports are made from.

A section runs from one enable call to the disables that end it. For a call (mm, addr, end, ptep) six things are owed:

    mm      mm owns the table that ptep points into
    ptep    ptep is the entry for addr
    range   addr and end are this walk's range: not empty, not swapped, end is where the walk ends
    table   [addr, end) stays in one page table
    paired  every path from the enable meets exactly one disable
    locked  the lock of every user page table used is held from the enable to the disable

Each has a status and evidence: lines in an order that a person can follow. For a plain call the obligations are those
of the proposed call; where nothing can be proposed they say why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from mmlint.diagnostic import Level, Skipped
from mmlint.source import Location, Source, Span

OBLIGATIONS = ("mm", "ptep", "range", "table", "paired", "locked")
ARGUMENTS = ("mm", "addr", "end", "ptep")


class Status(StrEnum):
    """What is known of an obligation. Only the first two allow a proposal."""

    PROVEN = "proven"
    ASSUMED = "assumed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What is said of a section; the words are part of the output contract."""

    CONVERTIBLE = "convertible"
    VERIFIED = "verified"
    REFUTED = "refuted"
    MULTI_RANGE = "multi-range"
    UNSUITABLE = "unsuitable"
    UNKNOWN = "unknown"


class Evidence(NamedTuple):
    """One line that a statement rests on. ``elsewhere`` is its place where that is not in the file under analysis."""

    span: Span
    text: str
    elsewhere: Location | None = None

    def placed(self, source: Source) -> Evidence:
        """Evidence from the file ``source`` as another file shows it."""
        return self if self.elsewhere else self._replace(elsewhere=source.locate(self.span))


class Obligation(NamedTuple):
    """One of `OBLIGATIONS`.

    ``contract`` marks an assumption that the vocabulary names (tlb->mm is vma->vm_mm, the pmd_entry contract): a fix
    that rests on nothing weaker is safe. ``fault`` is the message of the finding when the status is refuted or unknown
    on a ranged call, in lower case, naming the variable and the reason; ``replacement`` the one proven text for the
    argument at fault, or empty.
    """

    name: str
    status: Status
    because: tuple[Evidence, ...] = ()
    contract: bool = False
    fault: str = ""
    replacement: str = ""
    subject: Span | None = None


class Argument(NamedTuple):
    """An argument of a ranged call: source text and span."""

    name: str
    text: str
    span: Span


class Proposal(NamedTuple):
    """A ranged call that may stand for the plain one: the four argument texts and the callee."""

    callee: str
    mm: str
    addr: str
    end: str
    ptep: str
    safe: bool

    @property
    def call(self) -> str:
        """The call without a semicolon, on one line."""
        return f"{self.callee}({self.mm}, {self.addr}, {self.end}, {self.ptep})"


class Range(NamedTuple):
    """One run of entries that the section touches. ``hinted`` marks the one that the call names or would name."""

    mm: str
    addr: str
    end: str
    ptep: str
    line: int
    role: str
    hinted: bool = False


class Leak(NamedTuple):
    """A way out of the function with the mode still on: the exit and the path to it."""

    exit: Span
    message: str
    because: tuple[Evidence, ...]


class Outside(NamedTuple):
    """A section that is not inside the lock: where to point, what to say, and why."""

    subject: Span
    message: str
    because: tuple[Evidence, ...]


class AuditedFunction(NamedTuple):
    """A function that was looked at: where it is defined, and for which architecture, empty for generic code."""

    name: str
    path: str
    line: int
    arch: str = ""


class AuditedAccess(NamedTuple):
    """A direct access of an entry: its place and text, the function it is in, and the calls that lead there."""

    location: Location
    text: str
    function: str
    arch: str = ""
    through: str = ""


class OpenEnd(NamedTuple):
    """Something that gets a pte pointer of the section and could not be looked at: where it is, why, who calls it."""

    name: str
    location: Location
    why: str
    caller: str = ""


class AuditEdge(NamedTuple):
    """One function that runs in the section calls another one."""

    caller: str
    callee: str


class Audit(NamedTuple):
    """Whether anything in a section dereferences an entry directly.

    ``verdict`` is "clean", "not clean" or "unresolved". ``accessors`` are the calls that the vocabulary allows.
    """

    verdict: str
    functions: tuple[AuditedFunction, ...] = ()
    accesses: tuple[AuditedAccess, ...] = ()
    open_ends: tuple[OpenEnd, ...] = ()
    accessors: tuple[str, ...] = ()
    edges: tuple[AuditEdge, ...] = ()


class Section(NamedTuple):
    """One enable call and what is known of it.

    ``kind`` is "plain" or "ranged"; ``call`` the span of the call expression without its semicolon. ``inconsistent`` is
    the spelling that the sibling calls use where this call's ptep is equal in value but spelled otherwise.
    """

    function: str
    kind: str
    callee: str
    call: Span
    text: str
    verdict: Verdict
    reason: str
    obligations: tuple[Obligation, ...]
    arguments: tuple[Argument, ...] = ()
    proposal: Proposal | None = None
    ranges: tuple[Range, ...] = ()
    leaks: tuple[Leak, ...] = ()
    outside: Outside | None = None
    inconsistent: str = ""
    inconsistent_because: tuple[Evidence, ...] = ()
    configuration: str = ""
    audit: Audit | None = None

    def obligation(self, name: str) -> Obligation:
        """The obligation of that name. Raises KeyError when there is none."""
        for obligation in self.obligations:
            if obligation.name == name:
                return obligation
        raise KeyError(name)


class Unmatched(NamedTuple):
    """A disable that no enable of this function pairs with, on a path that already closed its section."""

    call: Span
    message: str
    because: tuple[Evidence, ...]
    configuration: str = ""


class Incident(NamedTuple):
    """Something that must not happen where it stands: inside a section, or to it.

    ``kind`` is one of `INCIDENTS`; ``at_most`` bounds the rule's own level. ``replacement`` is the text to put in the
    place of ``subject``, or empty. ``elsewhere`` is the place of the subject in another file, ``owner`` the function
    around it where that is not the one that is judged.
    """

    kind: str
    subject: Span
    message: str
    because: tuple[Evidence, ...]
    at_most: Level = Level.ERROR
    replacement: str = ""
    configuration: str = ""
    elsewhere: Location | None = None
    owner: str = ""


INCIDENTS = ("sleep", "direct", "nested", "lost", "pause", "lockless", "hook", "readback")


@dataclass(frozen=True)
class FunctionFacts:
    """Everything known of one function that opens or closes a section.

    ``leaks`` are ways out with a section open that a called function has entered.
    """

    source: Source
    name: str
    span: Span
    sections: tuple[Section, ...]
    unmatched: tuple[Unmatched, ...] = ()
    incidents: tuple[Incident, ...] = ()
    leaks: tuple[Leak, ...] = ()

    def of_kind(self, kind: str) -> tuple[Incident, ...]:
        """The incidents of one kind, in the order of the text."""
        return tuple(incident for incident in self.incidents if incident.kind == kind)


class Mention(NamedTuple):
    """A spelling of the ranged API other than the one in force, anywhere in the file, and what it is called here.

    ``safe`` is False where the file defines both names: renaming would make one of them call itself. ``source`` says
    where the spelling comes from.
    """

    span: Span
    name: str
    current: str
    safe: bool = True
    source: str = ""


class Remark(NamedTuple):
    """Something amiss in the definition of the ranged call. ``edits`` are spans with their new texts, or none.

    ``is_text`` tells of its documentation and layout: what is compiled is as it should be. ``is_absence`` tells that
    something is amiss because it stands nowhere in the file.
    """

    function: str
    subject: Span
    message: str
    because: tuple[Evidence, ...] = ()
    edits: tuple[tuple[Span, str], ...] = ()
    is_text: bool = False
    is_absence: bool = False


@dataclass(frozen=True)
class FileFacts:
    """One file: the functions with sections in file order, how many functions were looked at, what was skipped."""

    source: Source
    functions: tuple[FunctionFacts, ...]
    looked_at: int
    skipped: tuple[Skipped, ...] = ()
    mentions: tuple[Mention, ...] = ()
    remarks: tuple[Remark, ...] = ()
