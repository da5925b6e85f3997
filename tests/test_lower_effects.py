"""Graphs of expressions that write or choose: assignments, steps, short circuit, statement expressions."""

from __future__ import annotations

from tests.lowering import golden, shown


def test_an_assignment_is_worth_what_was_assigned() -> None:
    body = """
        a = b = g();
        p->x = p->y = a + 1;
        """
    expected = """
        b0:
            3  t0 = g()
            3  b = t0
            3  a = b
            4  store p->y = a + 1
            4  store p->x = a + 1
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_compound_assignment_reads_then_writes() -> None:
    body = """
        a += b;
        p->x |= g();
        *q <<= a + 1;
        """
    expected = """
        b0:
            3  a = a + b
            4  t0 = g()
            4  load t1 = p->x
            4  store p->x = t1 | t0
            5  load t2 = *q
            5  store *q = t2 << (a + 1)
            6  end
        """
    assert shown(body) == golden(expected)


def test_steps() -> None:
    body = """
        a++;
        --b;
        b = a++ + --*q;
        use(p->x++);
        use(++p->x);
        """
    expected = """
        b0:
            3  a = a + 1
            4  b = b - 1
            5  t0 = a
            5  a = a + 1
            5  load t1 = *q
            5  store *q = t1 - 1
            5  b = t0 + (t1 - 1)
            6  load t2 = p->x
            6  store p->x = t2 + 1
            6  use(t2)
            7  load t4 = p->x
            7  store p->x = t4 + 1
            7  use(t4 + 1)
            8  end
        """
    assert shown(body) == golden(expected)


def test_star_and_step() -> None:
    body = "*q++ = *p->q++;\n"
    expected = """
        b0:
            3  t0 = q
            3  q = q + 1
            3  load t1 = p->q
            3  store p->q = t1 + 1
            3  load t2 = *t1
            3  store *t0 = t2
            4  end
        """
    assert shown(body) == golden(expected)


def test_an_assignment_as_an_operand() -> None:
    body = "use((a = g()) + 1);\n"
    expected = """
        b0:
            3  t0 = g()
            3  a = t0
            3  use(a + 1)
            4  end
        """
    assert shown(body) == golden(expected)


def test_the_comma_runs_from_left_to_right() -> None:
    body = "a = (g(), b++, b);\n"
    expected = """
        b0:
            3  g()
            3  b = b + 1
            3  a = b
            4  end
        """
    assert shown(body) == golden(expected)


def test_and_as_a_value() -> None:
    body = "a = b && g(a);\n"
    expected = """
        b0:
            3  if b then b1 else b3
        b1: from b0
            3  t1 = g(a)
            3  if t1 then b2 else b3
        b2: from b1
            3  t0 = 1
               goto b4
        b3: from b0 b1
            3  t0 = 0
               goto b4
        b4: from b2 b3
            3  a = t0
            4  end
        """
    assert shown(body) == golden(expected)


def test_or_with_not_as_a_value() -> None:
    body = "a = !(b || !p->x);\n"
    expected = """
        b0:
            3  if b then b3 else b1
        b1: from b0
            3  load t1 = p->x
            3  if t1 then b2 else b3
        b2: from b1
            3  t0 = 0
               goto b4
        b3: from b0 b1
            3  t0 = 1
               goto b4
        b4: from b2 b3
            3  a = !t0
            4  end
        """
    assert shown(body) == golden(expected)


def test_and_or_keep_their_order() -> None:
    body = "a = (b && p) || g(a) && !b;\n"
    expected = """
        b0:
            3  if b then b1 else b2
        b1: from b0
            3  if p then b4 else b2
        b2: from b0 b1
            3  t1 = g(a)
            3  if t1 then b3 else b5
        b3: from b2
            3  if b then b5 else b4
        b4: from b1 b3
            3  t0 = 1
               goto b6
        b5: from b2 b3
            3  t0 = 0
               goto b6
        b6: from b4 b5
            3  a = t0
            4  end
        """
    assert shown(body) == golden(expected)


def test_the_arms_of_a_conditional_assign_one_temporary() -> None:
    body = "a = b ? g(1) : p->x;\n"
    expected = """
        b0:
            3  if b then b1 else b2
        b1: from b0
            3  t1 = g(1)
            3  t0 = t1
               goto b3
        b2: from b0
            3  load t2 = p->x
            3  t0 = t2
               goto b3
        b3: from b1 b2
            3  a = t0
            4  end
        """
    assert shown(body) == golden(expected)


def test_a_chain_of_conditionals() -> None:
    body = "a = b ? 1 : p ? 2 : 3;\n"
    expected = """
        b0:
            3  if b then b1 else b2
        b1: from b0
            3  t0 = 1
               goto b5
        b2: from b0
            3  if p then b3 else b4
        b3: from b2
            3  t0 = 2
               goto b5
        b4: from b2
            3  t0 = 3
               goto b5
        b5: from b1 b3 b4
            3  a = t0
            4  end
        """
    assert shown(body) == golden(expected)


def test_a_conditional_without_a_middle() -> None:
    body = "a = g() ?: b;\n"
    expected = """
        b0:
            3  t1 = g()
            3  if t1 then b1 else b2
        b1: from b0
            3  t0 = t1
               goto b3
        b2: from b0
            3  t0 = b
               goto b3
        b3: from b1 b2
            3  a = t0
            4  end
        """
    assert shown(body) == golden(expected)


def test_a_conditional_for_its_effect_alone() -> None:
    body = """
        b ? g() : h();
        b && g();
        b || (h(), g());
        """
    expected = """
        b0:
            3  if b then b1 else b2
        b1: from b0
            3  g()
               goto b3
        b2: from b0
            3  h()
               goto b3
        b3: from b1 b2
            4  if b then b4 else b5
        b4: from b3
            4  g()
               goto b5
        b5: from b3 b4
            5  if b then b7 else b6
        b6: from b5
            5  h()
            5  g()
               goto b7
        b7: from b5 b6
            6  end
        """
    assert shown(body) == golden(expected)


def test_a_statement_expression() -> None:
    body = """
        a = ({
            int b = g();

            b++;
            b * 2;
        });
        """
    expected = """
        b0:
            4  t0 = g()
            4  b'1 = t0
            6  b'1 = b'1 + 1
            3  a = b'1 * 2
            9  end
        """
    assert shown(body) == golden(expected)


def test_a_statement_expression_for_its_effect_alone() -> None:
    body = "({ g(); h(); });\n"
    expected = """
        b0:
            3  g()
            3  h()
            4  end
        """
    assert shown(body) == golden(expected)


def test_a_compound_literal_is_a_variable_without_a_name_or_opaque() -> None:
    body = """
        p->v = (struct v){ .x = g(), .y = p->y };
        use(&(struct v){ a });
        use((v_t){ g() });
        """
    expected = """
        b0:
            3  declare <literal>
            3  t0 = g()
            3  store <literal>.x = t0
            3  load t1 = p->y
            3  store <literal>.y = t1
            3  store p->v = <literal>
            4  declare <literal>'1
            4  store <literal>'1.<0> = a
            4  use(&<literal>'1)
            5  g()
            5  use(`(v_t){ g() }`)
            6  end
        """
    assert shown(body) == golden(expected)


def test_an_unknown_identifier_and_a_type_as_argument() -> None:
    body = "use(list_entry(p, struct s, list), int, pte_t *);\n"
    expected = """
        b0:
            3  t0 = list_entry(p, `struct s`, list)
            3  use(t0, int, pte_t)
            4  end
        """
    assert shown(body) == golden(expected)


def test_void_casts_hide_a_result() -> None:
    body = """
        (void)g();
        (void)a;
        """
    expected = """
        b0:
            3  g()
            5  end
        """
    assert shown(body) == golden(expected)


def test_the_address_of_a_label_is_opaque() -> None:
    body = """
        void *where = &&out;

        use(where);
        out:
        return 0;
        """
    expected = """
        b0:
            3  where = `&&out`
            5  use(where)
            7  return 0
        """
    assert shown(body) == golden(expected)
