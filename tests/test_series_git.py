"""git at work beside the rest of a run, which ends with its folder."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmlint.parallel import begin
from mmlint.series.git import GitError, PrivateGit, UserTree

# More than a pipe holds.
LARGE = b"x" * 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PrivateGit]:
    """A store of its own, and an end to a test that waits for ever."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(30)
    try:
        with PrivateGit(UserTree(str(tmp_path), tmp_path)) as git:
            yield git
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_what_nobody_asks_for_ends_with_the_folder(store: PrivateGit) -> None:
    store.begin("cat-file", "blob", store.write_object("blob", LARGE))
    store.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_is_begun_gives_what_git_prints(store: PrivateGit) -> None:
    running = store.begin("cat-file", "blob", store.write_object("blob", LARGE))
    assert store.text("cat-file", "-t", store.write_object("blob", b"other")) == "blob"
    assert running.result() == LARGE
    with pytest.raises(GitError, match="bad file"):
        store.begin("cat-file", "blob", "0" * 40).result()


def test_the_folder_goes_while_processes_still_read(store: PrivateGit) -> None:
    """A child that was forked while git answers holds what the two talk through."""
    name = store.write_object("blob", LARGE)
    assert store.objects.ids([name]) == [name]
    answers = begin(lambda _: LARGE, [1, 2], 2)
    store.close()
    assert answers() == [LARGE, LARGE]
