"""Graphs of declarations, and the variables that they make."""

from __future__ import annotations

from tests.lowering import golden, shown


def test_a_declaration_without_a_value() -> None:
    body = "int c, *d;\n"
    expected = """
        b0:
            3  declare c
            3  declare d
            4  end
        """
    assert shown(body) == golden(expected)


def test_an_initialised_variable_is_assigned() -> None:
    body = "int c = a, *d = &c, e = p->x;\n"
    expected = """
        b0:
            3  c = a
            3  d = &c
            3  load t0 = p->x
            3  e = t0
            4  end
        """
    assert shown(body) == golden(expected)


def test_an_initialiser_may_have_effects() -> None:
    body = "int c = g(b++), d = c ? 1 : 2;\n"
    expected = """
        b0:
            3  t0 = b
            3  b = b + 1
            3  t1 = g(t0)
            3  c = t1
            3  if c then b1 else b2
        b1: from b0
            3  t2 = 1
               goto b3
        b2: from b0
            3  t2 = 2
               goto b3
        b3: from b1 b2
            3  d = t2
            4  end
        """
    assert shown(body) == golden(expected)


def test_a_static_variable_keeps_its_value() -> None:
    body = """
        static int calls = 3;

        calls++;
        """
    expected = """
        b0:
            3  declare calls
            5  calls = calls + 1
            6  end
        """
    assert shown(body) == golden(expected)


def test_an_extern_declaration_is_no_local() -> None:
    body = """
        extern int limit;
        int g(int);

        return limit + g(a);
        """
    expected = """
        b0:
            6  t0 = g(a)
            6  return limit + t0
        """
    assert shown(body) == golden(expected)


def test_fields_of_a_struct_initialiser_are_stored() -> None:
    body = """
        struct s v = {
            .x = g(),
            .in.y = p->y,
            .in = { .z = 1 },
            .at[2] = b,
            w: a,
        };
        """
    expected = """
        b0:
            3  declare v
            4  t0 = g()
            4  store v.x = t0
            5  load t1 = p->y
            5  store v.in.y = t1
            6  store v.in.z = 1
            7  load t2 = v.at
            7  store t2[2] = b
            8  store v.w = a
           10  end
        """
    assert shown(body) == golden(expected)


def test_elements_without_a_name_have_a_place_of_their_own() -> None:
    body = """
        struct s v = { g(), a }, w = { 0 };
        int t[] = { 1, h(), [4] = i() };
        """
    expected = """
        b0:
            3  declare v
            3  t0 = g()
            3  store v.<0> = t0
            3  store v.<1> = a
            3  declare w
            4  declare t
            4  t1 = h()
            4  store t[1] = t1
            4  t2 = i()
            4  store t[4] = t2
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_struct_copied_from_memory() -> None:
    body = """
        struct s v = *p;
        struct s w = v;

        v = w;
        *p = v;
        """
    expected = """
        b0:
            3  load t0 = *p
            3  v = t0
            4  w = v
            6  v = w
            7  store *p = v
            8  end
        """
    assert shown(body) == golden(expected)


def test_an_array_of_characters() -> None:
    body = 'char text[] = "abc", *name = "def";\n'
    expected = """
        b0:
            3  declare text
            3  name = `"___"`
            4  end
        """
    assert shown(body) == golden(expected)


def test_types_and_typedefs_do_nothing() -> None:
    body = """
        typedef int number;
        struct local { int x; };
        enum { RED, GREEN };
        struct local v = { .x = GREEN };
        """
    expected = """
        b0:
            6  declare v
            6  store v.x = GREEN
            7  end
        """
    assert shown(body) == golden(expected)
