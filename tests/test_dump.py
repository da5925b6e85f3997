"""Golden dumps: the graph of a function and the state before each of its ops, as `mmlint dump` prints them.

``tests/golden/NAME.c`` holds one function NAME, ``NAME.cfg`` and ``NAME.state`` the two dumps.
`python -m tests.test_dump` writes them anew; read the difference before you commit it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mmlint.facts.dump import dump_cfg, dump_state
from mmlint.kernel import load_vocabulary
from mmlint.source import Source

GOLDEN = Path(__file__).resolve().parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.c"))
DUMPS = {"cfg": dump_cfg, "state": dump_state}


def dumped(name: str, kind: str) -> str:
    path = GOLDEN / f"{name}.c"
    return DUMPS[kind](Source(path.name, path.read_bytes()), name, load_vocabulary())


@pytest.mark.parametrize("kind", sorted(DUMPS))
@pytest.mark.parametrize("name", NAMES)
def test_dump(name: str, kind: str) -> None:
    assert dumped(name, kind) == (GOLDEN / f"{name}.{kind}").read_text(encoding="utf-8")


def test_no_dump_without_its_function() -> None:
    stems = {path.stem for path in GOLDEN.iterdir()}
    assert stems == set(NAMES)
    assert NAMES == ["either", "remap", "suspended", "walk"]


@pytest.mark.parametrize("dump", [dump_cfg, dump_state])
def test_unknown_function(dump: object) -> None:
    assert callable(dump)
    with pytest.raises(KeyError, match="nobody"):
        dump(Source("walk.c", (GOLDEN / "walk.c").read_bytes()), "nobody", load_vocabulary())


if __name__ == "__main__":
    for each in NAMES:
        for suffix in DUMPS:
            (GOLDEN / f"{each}.{suffix}").write_text(dumped(each, suffix), encoding="utf-8")
