"""A function over many items in a few forked processes, results in the order of the items.

    spread(parse, files, processes=4)   ->  [parse(file) for file in files]

Each process takes the next item when it is done with one, so give the longest first. Only results travel, pickled
through a pipe; the work and its items are inherited by the fork. A process that dies takes only the item with it that
killed it: the others that it had taken are done again, each in a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Died(NamedTuple):
    """What stands for the result of an item whose process died."""

    reason: str


class Raised(Died):
    """The same for an item whose work raised an exception."""


def spread(work: Callable[[Item], Result], items: Sequence[Item], processes: int) -> list[Result | Died]:
    """``[work(item) for item in items]``, in up to ``processes`` forked children. Never raises what ``work`` raises."""
    return begin(work, items, processes)()


def begin(work: Callable[[Item], Result], items: Sequence[Item], processes: int) -> Callable[[], list[Result | Died]]:
    """What gives the results when it is called, once; the children work from now on."""
    count = min(processes, len(items))
    if count < 2:
        return lambda: [_answer(work, item) for item in items]
    import gc

    # What is there already is of no interest to the collectors of the children.
    gc.freeze()
    shares = _shares(len(items))
    queue = _queue(len(shares))
    children = [_Child(work, items, shares, queue) for _ in range(count)]
    os.close(queue)
    return lambda: _collected(work, items, children)


def _collected(
    work: Callable[[Item], Result], items: Sequence[Item], children: Sequence[_Child[Item, Result]]
) -> list[Result | Died]:
    results: dict[int, Result | Died] = {}
    try:
        for child in children:
            results.update(child.results() or {})
    finally:
        for child in children:
            child.end()
    for lost in [k for k in range(len(items)) if k not in results]:
        results[lost] = _alone(work, items[lost])
    return [results[k] for k in range(len(items))]


def _shares(count: int) -> list[range]:
    """What is taken at a time: one item, or several where there are more than a byte can number."""
    shares = min(count, 256)
    return [range(start, count, shares) for start in range(shares)]


def _queue(count: int) -> int:
    """A pipe to read the numbers of shares from, a byte each: whoever reads one has it to himself."""
    reader, writer = os.pipe()
    os.write(writer, bytes(range(count)))
    os.close(writer)
    return reader


def _answer(work: Callable[[Item], Result], item: Item) -> Result | Died:
    try:
        return work(item)
    except Exception as error:
        return Raised(f"looking at it failed: {type(error).__name__}: {error}")


def _alone(work: Callable[[Item], Result], item: Item) -> Result | Died:
    queue = _queue(1)
    child = _Child(work, [item], [range(1)], queue)
    os.close(queue)
    try:
        answers = child.results()
    finally:
        child.end()
    return answers[0] if answers else Died(f"the process that looked at it died ({child.fate})")


class _Child(Generic[Item, Result]):
    """A forked process that works on shares of the items as long as there are any in the queue."""

    def __init__(
        self, work: Callable[[Item], Result], items: Sequence[Item], shares: Sequence[range], queue: int
    ) -> None:
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

            answers: dict[int, Result | Died] = {}
            while taken := os.read(queue, 1):
                answers.update((k, _answer(work, items[k])) for k in shares[taken[0]])
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(pickle.dumps(answers, pickle.HIGHEST_PROTOCOL))
            status = 0
        finally:
            # Nothing of the parent may run here: no clean-up, no flush of its output, no traceback.
            os._exit(status)

    def results(self) -> dict[int, Result | Died] | None:
        """What came of the items that it took, by number, or None when the process did not finish."""
        with os.fdopen(self._reader, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        if status:
            import signal

            code = os.waitstatus_to_exitcode(status)
            self.fate = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return None
        import pickle

        results: dict[int, Result | Died] = pickle.loads(answer)
        return results

    def end(self) -> None:
        """Kill and reap what still runs, after an interruption."""
        if self.pid:
            import signal

            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
