"""Graphs of conditions, if and assertions."""

from __future__ import annotations

from tests.lowering import golden, shown


def test_if_without_else() -> None:
    body = """
        if (a)
            g();
        h();
        """
    expected = """
        b0:
            3  if a then b1 else b2
        b1: from b0
            4  g()
               goto b2
        b2: from b0 b1
            5  h()
            6  end
        """
    assert shown(body) == golden(expected)


def test_if_and_else() -> None:
    body = """
        if (a > b)
            g();
        else
            h();
        """
    expected = """
        b0:
            3  if a > b then b1 else b2
        b1: from b0
            4  g()
               goto b3
        b2: from b0
            6  h()
               goto b3
        b3: from b1 b2
            7  end
        """
    assert shown(body) == golden(expected)


def test_a_chain_of_else_if() -> None:
    body = """
        if (a)
            g(1);
        else if (b)
            g(2);
        else if (p->x)
            g(3);
        else
            g(4);
        h();
        """
    expected = """
        b0:
            3  if a then b1 else b2
        b1: from b0
            4  g(1)
               goto b7
        b2: from b0
            5  if b then b3 else b4
        b3: from b2
            6  g(2)
               goto b7
        b4: from b2
            7  load t2 = p->x
            7  if t2 then b5 else b6
        b5: from b4
            8  g(3)
               goto b7
        b6: from b4
           10  g(4)
               goto b7
        b7: from b1 b3 b5 b6
           11  h()
           12  end
        """
    assert shown(body) == golden(expected)


def test_a_condition_is_made_of_branches() -> None:
    body = """
        if (a && (b || !p) && likely(!(*q == 3)))
            g();
        """
    expected = """
        b0:
            3  if a then b1 else b5
        b1: from b0
            3  if b then b3 else b2
        b2: from b1
            3  if p then b5 else b3
        b3: from b1 b2
            3  load t0 = *q
            3  if t0 == 3 then b5 else b4
        b4: from b3
            4  g()
               goto b5
        b5: from b0 b2 b3 b4
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_condition_with_an_effect() -> None:
    body = """
        if ((a = g()) == 0 || b++)
            h();
        """
    expected = """
        b0:
            3  t0 = g()
            3  a = t0
            3  if a == 0 then b2 else b1
        b1: from b0
            3  t1 = b
            3  b = b + 1
            3  if t1 then b2 else b3
        b2: from b0 b1
            4  h()
               goto b3
        b3: from b1 b2
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_conditional_expression_as_condition() -> None:
    body = """
        if (a ? b : p->x)
            g();
        """
    expected = """
        b0:
            3  if a then b1 else b2
        b1: from b0
            3  if b then b3 else b4
        b2: from b0
            3  load t0 = p->x
            3  if t0 then b3 else b4
        b3: from b1 b2
            4  g()
               goto b4
        b4: from b1 b2 b3
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_comma_as_condition() -> None:
    body = """
        if (g(), a)
            h();
        """
    expected = """
        b0:
            3  g()
            3  if a then b1 else b2
        b1: from b0
            4  h()
               goto b2
        b2: from b0 b1
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_constant_condition_takes_its_arm() -> None:
    body = """
        if (0)
            g();
        if (1 || a)
            h();
        """
    expected = """
        b0:
            6  h()
            7  end
        """
    assert shown(body) == golden(expected)


def test_an_assertion_that_always_fails() -> None:
    body = """
        BUG();
        g();
        """
    expected = """
        b0:
            3  BUG()
            3  unreachable
        """
    assert shown(body) == golden(expected)


def test_an_assertion_is_a_branch() -> None:
    body = """
        BUG_ON(a && p->x);
        g();
        """
    expected = """
        b0:
            3  if a then b1 else b3
        b1: from b0
            3  load t0 = p->x
            3  if t0 then b2 else b3
        b2: from b1
            3  BUG()
            3  unreachable
        b3: from b0 b1
            4  g()
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_call_that_does_not_come_back() -> None:
    body = """
        if (a)
            panic("no");
        g();
        """
    expected = """
        b0:
            3  if a then b1 else b2
        b1: from b0
            4  panic(`"__"`)
            4  unreachable
        b2: from b0
            5  g()
            6  end
        """
    assert shown(body) == golden(expected)


def test_an_assertion_may_print_something() -> None:
    body = """
        VM_BUG_ON_FOLIO(p->x, g());
        h();
        """
    expected = """
        b0:
            3  g()
            3  load t1 = p->x
            3  if t1 then b1 else b2
        b1: from b0
            3  BUG()
            3  unreachable
        b2: from b0
            4  h()
            5  end
        """
    assert shown(body) == golden(expected)
