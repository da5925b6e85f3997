"""A function over many items in a few forked processes, results in the order of the items.

    spread(parse, files, processes=4)   ->  [parse(file) for file in files]

Only results travel, pickled through a pipe; the work and its items are inherited by the fork. A process that dies takes
only the item with it that killed it: the others of its share are done again, each in a process of its own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Died:
    """What stands for the result of an item whose process died."""

    reason: str


def spread(work: Callable[[Item], Result], items: Sequence[Item], processes: int) -> list[Result | Died]:
    """``[work(item) for item in items]``, in up to ``processes`` forked children. Never raises what ``work`` raises."""
    count = min(processes, len(items))
    if count < 2:
        return [_answer(work, item) for item in items]
    results: dict[int, Result | Died] = {}
    shares = [range(start, len(items), count) for start in range(count)]
    children: list[_Child[Item, Result]] = [_Child(work, [items[k] for k in share]) for share in shares]
    try:
        for share, child in zip(shares, children, strict=True):
            finished = child.results()
            answers = [_alone(work, items[k]) for k in share] if finished is None else finished
            results.update(zip(share, answers, strict=True))
    finally:
        for child in children:
            child.end()
    return [results[k] for k in range(len(items))]


def _answer(work: Callable[[Item], Result], item: Item) -> Result | Died:
    try:
        return work(item)
    except Exception as error:
        return Died(f"looking at it failed: {type(error).__name__}: {error}")


def _alone(work: Callable[[Item], Result], item: Item) -> Result | Died:
    child: _Child[Item, Result] = _Child(work, [item])
    try:
        answers = child.results()
    finally:
        child.end()
    return answers[0] if answers else Died(f"the process that looked at it died ({child.fate})")


class _Child(Generic[Item, Result]):
    """A forked process that works on a share of the items."""

    def __init__(self, work: Callable[[Item], Result], share: Sequence[Item]) -> None:
        self.fate = ""
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(writer)
            self._reader = reader
            return
        status = 1
        try:
            os.close(reader)
            import pickle

            answer = pickle.dumps([_answer(work, item) for item in share], pickle.HIGHEST_PROTOCOL)
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(answer)
            status = 0
        finally:
            # Nothing of the parent may run here: no clean-up, no flush of its output, no traceback.
            os._exit(status)

    def results(self) -> list[Result | Died] | None:
        """What the share came to, or None when the process did not finish it."""
        with os.fdopen(self._reader, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        if status:
            code = os.waitstatus_to_exitcode(status)
            self.fate = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return None
        import pickle

        results: list[Result | Died] = pickle.loads(answer)
        return results

    def end(self) -> None:
        """Kill and reap what still runs, after an interruption."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
