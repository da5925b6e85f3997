"""Graphs of switch, goto, labels, return and of dead code; names in nested scopes."""

from __future__ import annotations

from tests.lowering import golden, shown


def test_switch_falls_through() -> None:
    body = """
        switch (a) {
        case 1:
            g();
            fallthrough;
        case 2:
        case 3:
            h();
            break;
        default:
            i();
        }
        j();
        """
    expected = """
        b0:
            3  switch a: 1 b1, 2 b2, 3 b2, default b3
        b1: from b0
            5  g()
               goto b2
        b2: from b0 b1
            9  h()
           10  goto b4
        b3: from b0
           12  i()
               goto b4
        b4: from b2 b3
           14  j()
           15  end
        """
    assert shown(body) == golden(expected)


def test_switch_without_default() -> None:
    body = """
        switch (g()) {
        case A:
            return 1;
        case -1:
            return 2;
        }
        return 3;
        """
    expected = """
        b0:
            3  t0 = g()
            3  switch t0: A b1, -1 b2, default b3
        b1: from b0
            5  return 1
        b2: from b0
            7  return 2
        b3: from b0
            9  return 3
        """
    assert shown(body) == golden(expected)


def test_a_range_of_cases() -> None:
    body = """
        switch (a) {
        case 1 ... 3:
            return 1;
        case A + 1:
            return 2;
        case BIT(3):
            return 3;
        }
        """
    expected = """
        b0:
            3  switch a: 1...3 b1, `A + 1` b2, `BIT(3)` b3, default b4
        b1: from b0
            5  return 1
        b2: from b0
            7  return 2
        b3: from b0
            9  return 3
        b4: from b0
           11  end
        """
    assert shown(body) == golden(expected)


def test_a_case_inside_a_loop_inside_a_switch() -> None:
    body = """
        switch (a) {
        case 0:
            while (g()) {
        case 1:
                h();
            }
        }
        """
    expected = """
        b0:
            3  switch a: 0 b2, 1 b1, default b3
        b1: from b0 b2
            7  h()
               goto b2
        b2: from b0 b1
            5  t0 = g()
            5  if t0 then b1 else b3
        b3: from b0 b2
           10  end
        """
    assert shown(body) == golden(expected)


def test_continue_in_a_switch_belongs_to_the_loop() -> None:
    body = """
        while (a) {
            switch (b) {
            case 1:
                continue;
            default:
                break;
            }
            g();
        }
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b3 b5
            3  if a then b2 else b6
        b2: from b1
            4  switch b: 1 b3, default b4
        b3: from b2
            6  goto b1
        b4: from b2
            8  goto b5
        b5: from b4
           10  g()
               goto b1
        b6: from b1
           12  end
        """
    assert shown(body) == golden(expected)


def test_goto_forward_and_back() -> None:
    body = """
        again:
            a = g();
            if (a < 0)
                goto out;
            if (a)
                goto again;
            h();
        out:
            return a;
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b4
            4  t0 = g()
            4  a = t0
            5  if a < 0 then b2 else b3
        b2: from b1
            6  goto b6
        b3: from b1
            7  if a then b4 else b5
        b4: from b3
            8  goto b1
        b5: from b3
            9  h()
               goto b6
        b6: from b2 b5
           11  return a
        """
    assert shown(body) == golden(expected)


def test_two_labels_at_one_place() -> None:
    body = """
            if (a)
                goto one;
            goto two;
        one:
        two:
            g();
        """
    expected = """
        b0:
            3  if a then b1 else b2
        b1: from b0
            4  goto b3
        b2: from b0
            5  goto b3
        b3: from b1 b2
            8  g()
            9  end
        """
    assert shown(body) == golden(expected)


def test_dead_code_is_left_out() -> None:
    body = """
        return a;
        g();
        """
    expected = """
        b0:
            3  return a
        """
    assert shown(body) == golden(expected)


def test_a_label_makes_code_live_again() -> None:
    body = """
            goto out;
            g();
        out:
            h();
        """
    expected = """
        b0:
            3  goto b1
        b1: from b0
            6  h()
            7  end
        """
    assert shown(body) == golden(expected)


def test_a_label_in_a_dead_branch_is_reached() -> None:
    body = """
            if (0) {
        fail:
                a = -1;
            }
            if (b)
                goto fail;
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b3
            7  if b then b2 else b4
        b2: from b1
            8  goto b3
        b3: from b2
            5  a = -1
               goto b1
        b4: from b1
            9  end
        """
    assert shown(body) == golden(expected)


def test_blocks_may_shadow_names() -> None:
    body = """
        int c = 1;
        {
            int c = a;
            {
                int c = b;
                use(c);
            }
            use(c);
        }
        use(c);
        """
    expected = """
        b0:
            3  c = 1
            5  c'1 = a
            7  c'2 = b
            8  use(c'2)
           10  use(c'1)
           12  use(c)
           13  end
        """
    assert shown(body) == golden(expected)


def test_a_later_declaration_has_its_own_number() -> None:
    body = """
        {
            int c = 1;
            use(c);
        }
        {
            int c = 2;
            use(c);
        }
        use(c);
        """
    expected = """
        b0:
            4  c = 1
            5  use(c)
            8  c'1 = 2
            9  use(c'1)
           11  use(c'2)
           12  end
        """
    assert shown(body) == golden(expected)


def test_a_declaration_sees_its_own_name() -> None:
    body = "int n = sizeof(n), m = n;\n"
    expected = """
        b0:
            3  n = `sizeof(n)`
            3  m = n
            4  end
        """
    assert shown(body) == golden(expected)


def test_return_without_a_value() -> None:
    body = """
        if (a)
            return;
        g();
        """
    expected = """
        b0:
            3  if a then b1 else b2
        b1: from b0
            4  return
        b2: from b0
            5  g()
            6  end
        """
    assert shown(body) == golden(expected)


def test_the_empty_statement() -> None:
    body = """
        ;
        { }
        """
    expected = """
        b0:
            5  end
        """
    assert shown(body) == golden(expected)
