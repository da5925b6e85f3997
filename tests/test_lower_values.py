"""Graphs of values: literals, names, memory, addresses, casts, calls."""

from __future__ import annotations

from tests.lowering import golden, shown


def test_literals_are_constants() -> None:
    body = "use(10, 0x10UL, 010, 0b11, 1.5, true, false, NULL);\n"
    expected = """
        b0:
            3  use(10, 16, 8, 3, `1.5`, 1, 0, 0)
            4  end
        """
    assert shown(body) == golden(expected)


def test_a_string_is_opaque() -> None:
    body = 'use("text", "two " "parts");\n'
    expected = """
        b0:
            3  use(`"____"`, `"____" "_____"`)
            4  end
        """
    assert shown(body) == golden(expected)


def test_sizeof_and_its_kind_are_not_evaluated() -> None:
    body = """
        use(sizeof(*p), sizeof(struct s), sizeof(p->x[g()]));
        use(offsetof(struct s, x), __alignof__(int), __builtin_constant_p(g()));
        """
    expected = """
        b0:
            3  use(`sizeof(*p)`, `sizeof(struct s)`, `sizeof(p->x[g()])`)
            4  use(`offsetof(struct s, x)`, `__alignof__(int)`, `__builtin_constant_p(g())`)
            5  end
        """
    assert shown(body) == golden(expected)


def test_names_are_read_in_place() -> None:
    body = "use(a, PAGE_SIZE, f, current);\n"
    expected = """
        b0:
            3  use(a, PAGE_SIZE, f, current)
            4  end
        """
    assert shown(body) == golden(expected)


def test_every_access_through_a_pointer_is_a_load() -> None:
    body = "return *q + p->x + q[a] + (*p).y + p->in.z;\n"
    expected = """
        b0:
            3  load t0 = *q
            3  load t1 = p->x
            3  load t2 = q[a]
            3  load t3 = p->y
            3  load t4 = p->in.z
            3  return (((t0 + t1) + t2) + t3) + t4
        """
    assert shown(body) == golden(expected)


def test_a_chain_of_pointers_is_a_chain_of_loads() -> None:
    body = "return p->next->next->x;\n"
    expected = """
        b0:
            3  load t0 = p->next
            3  load t1 = t0->next
            3  load t2 = t1->x
            3  return t2
        """
    assert shown(body) == golden(expected)


def test_the_base_of_an_index_is_a_value() -> None:
    body = "return p->table[a].x;\n"
    expected = """
        b0:
            3  load t0 = p->table
            3  load t1 = t0[a].x
            3  return t1
        """
    assert shown(body) == golden(expected)


def test_a_member_of_a_local_struct_is_a_load() -> None:
    body = """
        struct s v;
        return v.x + v.in.y;
        """
    expected = """
        b0:
            3  declare v
            4  load t0 = v.x
            4  load t1 = v.in.y
            4  return t0 + t1
        """
    assert shown(body) == golden(expected)


def test_parts_of_a_local_array() -> None:
    body = """
        int v[4], w[2][3];
        v[1] = w[a][b];
        return v[0];
        """
    expected = """
        b0:
            3  declare v
            3  declare w
            4  load t0 = w[a]
            4  load t1 = t0[b]
            4  store v[1] = t1
            5  load t2 = v[0]
            5  return t2
        """
    assert shown(body) == golden(expected)


def test_an_address_does_not_load_the_place_it_names() -> None:
    body = "use(&p->x, &*p, &q[a], &a, &p->next->x, &(p->x));\n"
    expected = """
        b0:
            3  load t0 = p->next
            3  use(&p->x, p, &q[a], &a, &t0->x, &p->x)
            4  end
        """
    assert shown(body) == golden(expected)


def test_star_and_ampersand_cancel() -> None:
    body = """
        *&a = *&p->x;
        (&v)->x = 1;
        """
    expected = """
        b0:
            3  load t0 = p->x
            3  a = t0
            4  store v.x = 1
            5  end
        """
    assert shown(body) == golden(expected)


def test_arithmetic_keeps_the_shape_of_the_text() -> None:
    body = "return a + b * 2 - (a | ~b) % -a;\n"
    expected = """
        b0:
            3  return (a + (b * 2)) - ((a | ~b) % -a)
        """
    assert shown(body) == golden(expected)


def test_minus_folds_into_a_constant_and_plus_goes_away() -> None:
    body = "return -1 + +a + !0 + -(-2);\n"
    expected = """
        b0:
            3  return ((-1 + a) + 1) + 2
        """
    assert shown(body) == golden(expected)


def test_casts_keep_their_type_as_written() -> None:
    body = "return (unsigned   long)a + (struct s *)p + *(int *)p;\n"
    expected = """
        b0:
            3  load t0 = *((int *)p)
            3  return ((unsigned long)a + (struct s *)p) + t0
        """
    assert shown(body) == golden(expected)


def test_a_type_name_in_parentheses_makes_a_cast() -> None:
    body = "return (u64)-1 + (pgoff_t)(a + b) + (pte_t)*q + (u64)-a + (phys_addr_t)&a;\n"
    expected = """
        b0:
            3  t0 = (u64)(-1)
            3  load t1 = *q
            3  return (((t0 + (pgoff_t)(a + b)) + (pte_t)t1) + (u64)(-a)) + (phys_addr_t)(&a)
        """
    assert shown(body) == golden(expected)


def test_a_variable_in_parentheses_is_no_type() -> None:
    body = "return (a) - 1 + (PAGE_SIZE) - 1;\n"
    expected = """
        b0:
            3  return ((a - 1) + PAGE_SIZE) - 1
        """
    assert shown(body) == golden(expected)


def test_the_result_of_a_call_is_a_temporary() -> None:
    body = "return g(h(a), p->x);\n"
    expected = """
        b0:
            3  t0 = h(a)
            3  load t1 = p->x
            3  t2 = g(t0, t1)
            3  return t2
        """
    assert shown(body) == golden(expected)


def test_a_member_of_what_a_call_gives() -> None:
    body = "return g(a)->x + g(a).y;\n"
    expected = """
        b0:
            3  t0 = g(a)
            3  load t1 = t0->x
            3  t2 = g(a)
            3  load t3 = t2.y
            3  return t1 + t3
        """
    assert shown(body) == golden(expected)


def test_a_call_through_a_pointer() -> None:
    body = """
        fn(a);
        (*fn)(a);
        p->ops->run(p, a);
        (*p->run)(a);
        (b ? fn : g)(a);
        """
    expected = """
        b0:
            3  (*fn)(a)
            4  (*fn)(a)
            5  load t2 = p->ops
            5  load t3 = t2->run
            5  (*t3)(p, a)
            6  load t5 = p->run
            6  (*t5)(a)
            7  if b then b1 else b2
        b1: from b0
            7  t7 = fn
               goto b3
        b2: from b0
            7  t7 = g
               goto b3
        b3: from b1 b2
            7  (*t7)(a)
            8  end
        """
    assert shown(body, "int f(int (*fn)(int), struct s *p, int a, int b)") == golden(expected)


def test_a_name_in_parentheses_is_still_called_by_name() -> None:
    body = """
        (g)(a);
        return (free)(p);
        """
    expected = """
        b0:
            3  g(a)
            4  t1 = free(p)
            4  return t1
        """
    assert shown(body) == golden(expected)
