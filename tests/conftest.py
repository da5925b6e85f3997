"""What holds for all tests: the cache of the user is left alone, and no test finds what another kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of all caches of the run; what a module sets up for its tests keeps its results here."""
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.delenv("MMLINT_NO_CACHE", raising=False)
        yield folder


@pytest.fixture(autouse=True)
def cache_home(caches: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of caches of one test, in this process and those it starts; it is made when something is kept."""
    folder = caches / str(abs(hash(request.node.nodeid)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder
