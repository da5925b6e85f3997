"""Graphs of loops."""

from __future__ import annotations

from tests.lowering import golden, shown


def test_while() -> None:
    body = """
        while (a < b)
            a = g(a);
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b2
            3  if a < b then b2 else b3
        b2: from b1
            4  t0 = g(a)
            4  a = t0
               goto b1
        b3: from b1
            5  end
        """
    assert shown(body) == golden(expected)


def test_while_true_with_break_and_continue() -> None:
    body = """
        while (true) {
            if (g())
                continue;
            if (h())
                break;
            i();
        }
        j();
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b2 b6
            4  t0 = g()
            4  if t0 then b2 else b3
        b2: from b1
            5  goto b1
        b3: from b1
            6  t1 = h()
            6  if t1 then b4 else b6
        b4: from b3
            7  goto b5
        b5: from b4
           10  j()
           11  end
        b6: from b3
            8  i()
               goto b1
        """
    assert shown(body) == golden(expected)


def test_do_while() -> None:
    body = """
        do {
            if (g())
                continue;
            if (h())
                break;
            a++;
        } while (a != b);
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b6
            4  t0 = g()
            4  if t0 then b2 else b3
        b2: from b1
            5  goto b6
        b3: from b1
            6  t1 = h()
            6  if t1 then b4 else b5
        b4: from b3
            7  goto b7
        b5: from b3
            8  a = a + 1
               goto b6
        b6: from b2 b5
            9  if a != b then b1 else b7
        b7: from b4 b6
           10  end
        """
    assert shown(body) == golden(expected)


def test_do_once_has_no_back_edge() -> None:
    body = """
        do {
            if (a)
                break;
            g();
        } while (0);
        h();
        """
    expected = """
        b0:
            4  if a then b1 else b2
        b1: from b0
            5  goto b3
        b2: from b0
            6  g()
               goto b3
        b3: from b1 b2
            8  h()
            9  end
        """
    assert shown(body) == golden(expected)


def test_a_do_condition_with_steps() -> None:
    body = """
        do
            g(a);
        while (q++, a += 4, a != b);
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b1
            4  g(a)
            5  q = q + 1
            5  a = a + 4
            5  if a != b then b1 else b2
        b2: from b1
            6  end
        """
    assert shown(body) == golden(expected)


def test_for() -> None:
    body = """
        for (a = 0; a < b; a++) {
            if (g(a))
                continue;
            h();
        }
        """
    expected = """
        b0:
            3  a = 0
               goto b1
        b1: from b0 b5
            3  if a < b then b2 else b6
        b2: from b1
            4  t0 = g(a)
            4  if t0 then b3 else b4
        b3: from b2
            5  goto b5
        b4: from b2
            6  h()
               goto b5
        b5: from b3 b4
            3  a = a + 1
               goto b1
        b6: from b1
            8  end
        """
    assert shown(body) == golden(expected)


def test_for_with_a_declaration() -> None:
    body = """
        for (int i = 0, n = g(); i < n; i++, b--)
            h(i);
        """
    expected = """
        b0:
            3  i = 0
            3  t0 = g()
            3  n = t0
               goto b1
        b1: from b0 b2
            3  if i < n then b2 else b3
        b2: from b1
            4  h(i)
            3  i = i + 1
            3  b = b - 1
               goto b1
        b3: from b1
            5  end
        """
    assert shown(body) == golden(expected)


def test_for_ever() -> None:
    body = """
        for (;;)
            g();
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b1
            4  g()
               goto b1
        """
    assert shown(body) == golden(expected)


def test_nested_loops_leave_the_inner_one() -> None:
    body = """
        while (a) {
            while (b) {
                if (g())
                    break;
            }
            h();
        }
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b5
            3  if a then b2 else b6
        b2: from b1 b3
            4  if b then b3 else b5
        b3: from b2
            5  t0 = g()
            5  if t0 then b4 else b2
        b4: from b3
            6  goto b5
        b5: from b2 b4
            8  h()
               goto b1
        b6: from b1
           10  end
        """
    assert shown(body) == golden(expected)
