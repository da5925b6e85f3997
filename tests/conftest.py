"""What holds for all tests: the cache of the user is left alone, and no test finds what another kept."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def _caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def cache_home(_caches: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of caches of one test, in this process and those it starts; it is made when something is kept."""
    folder = _caches / str(abs(hash(request.node.nodeid)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.delenv("MMLINT_NO_CACHE", raising=False)
    return folder
