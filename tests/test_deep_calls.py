"""Functions that call one another through many levels are each judged, whatever the order of the file."""

from __future__ import annotations

import pytest

from mmlint.checker import make_checker
from mmlint.config import Settings
from mmlint.source import Source

COUNT = 300
FAULTY = (1, 15, 16, 17, 18, 33, 34, 200, COUNT)


def function(number: int) -> str:
    """It enters, calls the next one, and leaves; the faulty ones may return before."""
    leak = "\tif (pte_none(ptep_get(pte)))\n\t\treturn;\n" if number in FAULTY else ""
    following = f"\tf{number + 1}(pte);\n" if number < COUNT else ""
    return (
        f"static void f{number}(pte_t *pte)\n{{\n\tlazy_mmu_mode_enable();\n{leak}\tlazy_mmu_mode_disable();\n"
        f"{following}}}\n"
    )


@pytest.mark.parametrize("order", [1, -1])
def test_every_fault_is_found(order: int) -> None:
    text = "\n".join(function(number) for number in range(1, COUNT + 1)[::order])
    report = make_checker(Settings()).check(Source("deep.c", text.encode()))
    assert report.skipped == ()
    found = sorted((int(d.function[1:]), d.rule) for d in report.diagnostics)
    assert found == [(number, "missing-disable") for number in FAULTY]
