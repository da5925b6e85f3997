"""Whether a file is worth an analysis: told from its bytes, without anything that reads C."""

from __future__ import annotations

from mmlint.vocabulary import Vocabulary

# What every spelling of the API has in common; a file without it has no section.
COMMON = b"lazy_mmu_mode"


def mentions_section(data: bytes, vocabulary: Vocabulary) -> bool:
    """True when the file may hold a section, or have a function run in one: some name of the API stands in it."""
    names = [name for name in calls_of(vocabulary) if COMMON.decode() not in name]
    names += [applies.name for applies in vocabulary.applies]
    return COMMON in data or any(name.encode() in data for name in names)


def calls_of(vocabulary: Vocabulary) -> list[str]:
    """What enters and leaves the mode, in the order of the names."""
    names = vocabulary.enters | vocabulary.ranged_enters | vocabulary.leaves
    return sorted(names | vocabulary.pauses | vocabulary.resumes | frozenset(vocabulary.hooks))
