"""Which of the mails are the series, and in what order: the newest revision, by its numbers, without the answers.

order = arrange(letters)
order.patches, order.cover, order.remarks
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mmlint.config import UsageError
from mmlint.series.mail import Letter


@dataclass(slots=True)
class Order:
    """The letters of the patches in the order of application, the cover letter, and what has to be told."""

    patches: list[Letter] = field(default_factory=list)
    cover: Letter | None = None
    remarks: list[str] = field(default_factory=list)


def arrange(letters: Sequence[Letter], where: str) -> Order:
    """Choose and sort. Raises UsageError when no patch is there, or two claim the same place."""
    order = Order()
    seen: set[str] = set()
    unique = []
    for letter in letters:
        if letter.message_id and letter.message_id in seen:
            continue
        seen.add(letter.message_id)
        unique.append(letter)
    covers = [letter for letter in unique if letter.mail.is_cover or _is_cover(letter)]
    patches = [letter for letter in unique if letter.has_diff and letter not in covers]
    originals = [letter for letter in patches if not letter.subject.is_reply]
    if originals:
        dropped = len(patches) - len(originals)
        if dropped:
            replies = count_of(dropped, "reply", "replies")
            order.remarks.append(f"{replies} with a diff: not taken for a patch of the series")
        patches = originals
    if not patches:
        raise UsageError(f"{where}: no patch is there; {_why_none(letters)}")
    newest = max(letter.subject.revision for letter in patches)
    chosen = [letter for letter in patches if letter.subject.revision == newest]
    chosen = _one_total(chosen, order)
    counted = [letter for letter in chosen if letter.subject.counted]
    if counted:
        _fill(counted, patches, order)
        if len(counted) < len(chosen):
            rest = len(chosen) - len(counted)
            others = count_of(rest, "patch", "patches")
            order.remarks.append(f"{others} without a number: not taken for a part of the series")
        order.patches = sorted(counted, key=lambda letter: letter.subject.number)
        _account(order, where)
    else:
        order.patches = chosen
    _tell_of_others(order, patches)
    matching = [letter for letter in covers if letter.mail.is_cover or letter.subject.revision == newest]
    order.cover = matching[-1] if matching else None
    return order


def _is_cover(letter: Letter) -> bool:
    """A cover letter may hold a diff: that against the revision before it."""
    subject = letter.subject
    return subject.counted and subject.number == 0 and not subject.is_reply


def _why_none(letters: Sequence[Letter]) -> str:
    if any(letter.subject.counted and letter.subject.number == 0 for letter in letters):
        return "it is a cover letter; give the patches as well"
    return "give mails that hold a diff which is not quoted"


def _one_total(chosen: list[Letter], order: Order) -> list[Letter]:
    """The letters of one series, where several of a revision lie in one mailbox."""
    totals: dict[int, list[Letter]] = {}
    for letter in chosen:
        if letter.subject.counted:
            totals.setdefault(letter.subject.total, []).append(letter)
    if len(totals) < 2:
        return chosen
    total = max(totals, key=lambda t: (len(totals[t]), t))
    others = sum(len(letters) for t, letters in totals.items() if t != total)
    order.remarks.append(f"{count_of(others, 'patch', 'patches')} of another series in the same mailbox: not looked at")
    return totals[total]


def _tell_of_others(order: Order, patches: Sequence[Letter]) -> None:
    """A word on patches of a lower revision that the newest one has none of: they are of another series."""
    newest = max(letter.subject.revision for letter in order.patches)
    titles = {letter.subject.title for letter in order.patches}
    for revision in sorted({letter.subject.revision for letter in patches if letter.subject.revision < newest}):
        others = [letter for letter in patches if letter.subject.revision == revision]
        if titles.isdisjoint(letter.subject.title for letter in others):
            count = count_of(len(others), "patch", "patches")
            order.remarks.append(f"{count} of v{revision}, of which v{newest} has none: not looked at")


def _fill(counted: list[Letter], patches: Sequence[Letter], order: Order) -> None:
    """A revision of some patches only takes the others from the one before it, when it answers that one."""
    have = {letter.subject.number for letter in counted}
    total, newest = counted[0].subject.total, counted[0].subject.revision
    missing = set(range(1, total + 1)) - have
    before = {
        letter.subject.number: letter
        for letter in sorted(patches, key=lambda letter: letter.subject.revision)
        if letter.subject.revision < newest and letter.subject.counted and letter.subject.total == total
    }
    answered = {reference for letter in counted for reference in letter.references}
    if not missing or not missing <= set(before) or not any(b.message_id in answered for b in before.values()):
        return
    counted += [before[number] for number in sorted(missing)]
    numbers = ", ".join(map(str, sorted(missing)))
    order.remarks.append(f"v{newest} is a part of the series: patches {numbers} are those of the revision before it")


def _account(order: Order, where: str) -> None:
    """Refuse two patches with one number, and tell of those that are missing."""
    numbers: dict[int, Letter] = {}
    for letter in list(order.patches):
        twin = numbers.setdefault(letter.subject.number, letter)
        if twin is letter:
            continue
        if twin.text != letter.text:
            raise UsageError(
                f"{where}: two mails are patch {letter.subject.number}/{letter.subject.total}: {twin.mail.where}, "
                f"{letter.mail.where}; give a mailbox with one of them"
            )
        order.patches.remove(letter)
    total = order.patches[0].subject.total
    missing = [number for number in range(1, total + 1) if number not in numbers]
    if missing:
        listed = ", ".join(map(str, missing))
        order.remarks.append(f"the series has {count_of(total, 'patch', 'patches')}; not there: {listed}")


def count_of(count: int, one: str, many: str) -> str:
    """Such as "1 patch", "2 patches"."""
    return f"{count} {one if count == 1 else many}"
