"""Equal values are one object, whatever way they are made."""

from __future__ import annotations

import pickle

import pytest

from mmlint.flow.interned import Interned
from mmlint.flow.ir import Const, Deref, Name, Temp


class Pair(metaclass=Interned):
    """A pair with a default."""

    left: str
    right: int = 7


def test_equal_values_are_one_object() -> None:
    assert Pair("a") is Pair("a", 7) is Pair(left="a") is Pair("a", right=7)
    assert Pair("a") is not Pair("a", 8)
    assert pickle.loads(pickle.dumps(Pair("a", 9))) is Pair("a", 9)
    assert repr(Pair("a")) == "Pair(left='a', right=7)"


def test_values_of_two_kinds_differ_though_their_fields_agree() -> None:
    assert len({Const(1), Temp(1), Name("x"), Deref(Name("x"))}) == 4


@pytest.mark.parametrize("values", [(), ("a", 1, 2)])
def test_fields_that_do_not_fit_are_told(values: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match=r"^Pair\(\) (misses 'left'|takes left, right)$"):
        Pair(*values)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^Pair\(\) takes left, right$"):
        Pair("a", other=1)  # type: ignore[call-arg]
