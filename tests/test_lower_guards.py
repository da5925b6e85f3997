"""Graphs of what runs at the end of a scope: guard(), CLASS(), scoped_guard(), __free()."""

from __future__ import annotations

from tests.lowering import golden, shown


def test_a_guard_is_left_with_its_scope() -> None:
    body = """
        guard(mutex)(&p->lock);
        g();
        """
    expected = """
        b0:
            3  guard(mutex, &p->lock)
            4  g()
            3  guard.exit(mutex, &p->lock)
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_guard_is_left_on_every_way_out() -> None:
    body = """
        while (a) {
            guard(mutex)(&p->lock);
            if (g(1))
                continue;
            if (g(2))
                break;
            if (g(3))
                goto out;
            if (g(4))
                return g(5);
            h();
        }
        out:
            return 0;
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b3 b10
            3  if a then b2 else b11
        b2: from b1
            4  guard(mutex, &p->lock)
            5  t1 = g(1)
            5  if t1 then b3 else b4
        b3: from b2
            4  guard.exit(mutex, &p->lock)
            6  goto b1
        b4: from b2
            7  t3 = g(2)
            7  if t3 then b5 else b6
        b5: from b4
            4  guard.exit(mutex, &p->lock)
            8  goto b11
        b6: from b4
            9  t5 = g(3)
            9  if t5 then b7 else b8
        b7: from b6
            4  guard.exit(mutex, &p->lock)
           10  goto b11
        b8: from b6
           11  t6 = g(4)
           11  if t6 then b9 else b10
        b9: from b8
           12  t7 = g(5)
            4  guard.exit(mutex, &p->lock)
           12  return t7
        b10: from b8
           13  h()
            4  guard.exit(mutex, &p->lock)
               goto b1
        b11: from b1 b5 b7
           16  return 0
        """
    assert shown(body) == golden(expected)


def test_guards_are_left_in_reverse_order() -> None:
    body = """
        guard(rcu)();
        {
            guard(mutex)(&p->lock);
            return g();
        }
        """
    expected = """
        b0:
            3  guard(rcu)
            5  guard(mutex, &p->lock)
            6  t2 = g()
            5  guard.exit(mutex, &p->lock)
            3  guard.exit(rcu)
            6  return t2
        """
    assert shown(body) == golden(expected)


def test_a_goto_back_over_a_guard_leaves_it() -> None:
    body = """
        again:
            guard(mutex)(&p->lock);
            if (g())
                goto again;
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b2
            4  guard(mutex, &p->lock)
            5  t1 = g()
            5  if t1 then b2 else b3
        b2: from b1
            4  guard.exit(mutex, &p->lock)
            6  goto b1
        b3: from b1
            4  guard.exit(mutex, &p->lock)
            7  end
        """
    assert shown(body) == golden(expected)


def test_a_class_declares_a_variable() -> None:
    body = """
        CLASS(fd, file)(a);

        return use(file);
        """
    expected = """
        b0:
            3  t0 = CLASS(fd, file, a)
            3  file = t0
            5  t1 = use(file)
            3  guard.exit(fd, file, a)
            5  return t1
        """
    assert shown(body) == golden(expected)


def test_a_scoped_guard_runs_its_body_once() -> None:
    body = """
        scoped_guard(mutex, &p->lock) {
            if (a)
                break;
            if (b)
                return 1;
            g();
        }
        h();
        """
    expected = """
        b0:
            3  guard(mutex, &p->lock)
            4  if a then b1 else b2
        b1: from b0
            3  guard.exit(mutex, &p->lock)
            5  goto b5
        b2: from b0
            6  if b then b3 else b4
        b3: from b2
            3  guard.exit(mutex, &p->lock)
            7  return 1
        b4: from b2
            8  g()
            3  guard.exit(mutex, &p->lock)
               goto b5
        b5: from b1 b4
           10  h()
           11  end
        """
    assert shown(body) == golden(expected)


def test_a_conditional_guard_may_skip_its_body() -> None:
    body = """
        scoped_guard(mutex_try, &p->lock)
            g();
        h();
        """
    expected = """
        b0:
            3  t0 = guard(mutex_try, &p->lock)
            3  if t0 then b1 else b2
        b1: from b0
            4  g()
            3  guard.exit(mutex_try, &p->lock)
               goto b2
        b2: from b0 b1
            5  h()
            6  end
        """
    assert shown(body) == golden(expected)


def test_what_is_freed_at_the_end_of_a_scope() -> None:
    body = """
        struct s *v __free(kfree) = g();
        int w __cleanup(drop);

        if (!v)
            return 1;
        h(v);
        """
    expected = """
        b0:
            3  t0 = g()
            3  v = t0
            4  declare w
            6  if v then b1 else b2
        b1: from b0
            8  h(v)
            4  drop(&w)
            3  free.kfree(v)
            9  end
        b2: from b0
            4  drop(&w)
            3  free.kfree(v)
            7  return 1
        """
    assert shown(body) == golden(expected)
