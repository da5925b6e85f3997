"""Graphs of macros: loops, reads and writes, asm."""

from __future__ import annotations

from tests.lowering import golden, shown


def test_a_loop_macro_decides_before_each_round() -> None:
    body = """
        for_each_vma(vmi, vma)
            g(vma);
        h();
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b2
            3  t0 = for_each_vma(vmi, vma)
            3  if t0 then b2 else b3
        b2: from b1
            4  g(vma)
               goto b1
        b3: from b1
            5  h()
            6  end
        """
    assert shown(body) == golden(expected)


def test_a_loop_macro_may_write_its_arguments() -> None:
    body = """
        struct vm_area_struct *vma;
        struct list_head *head;

        list_for_each_entry(vma, &head, p->list) {
            if (g(vma))
                continue;
            if (vma->vm_end)
                break;
        }
        """
    expected = """
        b0:
            3  declare vma
            4  declare head
               goto b1
        b1: from b0 b3 b4
            6  load t0 = p->list
            6  t1 = list_for_each_entry(vma, &head, t0) writes vma, head
            6  if t1 then b2 else b6
        b2: from b1
            7  t2 = g(vma)
            7  if t2 then b3 else b4
        b3: from b2
            8  goto b1
        b4: from b2
            9  load t3 = vma->vm_end
            9  if t3 then b5 else b1
        b5: from b4
           10  goto b6
        b6: from b1 b5
           12  end
        """
    assert shown(body) == golden(expected)


def test_a_loop_macro_at_the_end_of_do() -> None:
    body = """
        struct vm_area_struct *vma;

        do {
            g(vma);
        } for_each_vma_again(vmi, vma);
        """
    expected = """
        b0:
            3  declare vma
               goto b1
        b1: from b0 b1
            6  g(vma)
            7  t1 = for_each_vma_again(vmi, vma) writes vma
            7  if t1 then b1 else b2
        b2: from b1
            8  end
        """
    assert shown(body) == golden(expected)


def test_a_loop_macro_without_arguments() -> None:
    body = """
        for_each_cpu_present() {
            g();
        }
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b2
            3  t0 = for_each_cpu_present()
            3  if t0 then b2 else b3
        b2: from b1
            4  g()
               goto b1
        b3: from b1
            6  end
        """
    assert shown(body) == golden(expected)


def test_a_macro_that_looks_like_a_condition() -> None:
    body = """
        if_enabled(a) {
            g();
        } else
            h();
        """
    expected = """
        b0:
            3  t0 = if_enabled(a) writes a
            3  if t0 then b1 else b2
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


def test_a_macro_with_a_name_only() -> None:
    body = """
        forever_loop {
            if (g())
                break;
        }
        """
    expected = """
        b0:
               goto b1
        b1: from b0 b2
            3  t0 = forever_loop()
            3  if t0 then b2 else b4
        b2: from b1
            4  t1 = g()
            4  if t1 then b3 else b1
        b3: from b2
            5  goto b4
        b4: from b1 b3
            7  end
        """
    assert shown(body) == golden(expected)


def test_a_macro_call_without_a_semicolon() -> None:
    body = """
        TRACE_POINT(a, p->x)
        g();
        """
    expected = """
        b0:
            3  load t0 = p->x
            3  TRACE_POINT(a, t0)
            4  g()
            5  end
        """
    assert shown(body) == golden(expected)


def test_likely_stands_for_its_argument() -> None:
    body = """
        a = likely(b) + unlikely(p->x);
        likely(g());
        """
    expected = """
        b0:
            3  load t0 = p->x
            3  a = b + t0
            4  g()
            5  end
        """
    assert shown(body) == golden(expected)


def test_a_read_through_a_macro_is_a_load() -> None:
    body = "a = READ_ONCE(p->x) + READ_ONCE(*q) + READ_ONCE(b) + data_race(g());\n"
    expected = """
        b0:
            3  load t0 = p->x
            3  load t1 = *q
            3  t2 = g()
            3  a = ((t0 + t1) + b) + t2
            4  end
        """
    assert shown(body) == golden(expected)


def test_a_write_through_a_macro_is_an_assignment() -> None:
    body = """
        WRITE_ONCE(p->x, a + 1);
        WRITE_ONCE(*q, g());
        WRITE_ONCE(a, b);
        """
    expected = """
        b0:
            3  store p->x = a + 1
            4  t0 = g()
            4  store *q = t0
            5  a = b
            6  end
        """
    assert shown(body) == golden(expected)


def test_macros_that_write_plain_variables() -> None:
    body = """
        va_copy(a, p->x);
        struct s s;
        int w[2];
        va_copy(s.x, q[1]);
        va_copy(w[0], p->in.x);
        spin_lock_irqsave(&p->lock, flags);
        """
    expected = """
        b0:
            3  load t0 = p->x
            3  va_copy(a, t0) writes a
            4  declare s
            5  declare w
            6  load t2 = s.x
            6  load t3 = q[1]
            6  va_copy(t2, t3) writes s
            7  load t5 = w[0]
            7  load t6 = p->in.x
            7  va_copy(t5, t6) writes w
            8  spin_lock_irqsave(&p->lock, flags)
            9  end
        """
    assert shown(body) == golden(expected)


def test_two_places_exchange_their_values() -> None:
    body = """
        swap(a, p->x);
        swap(a, b);
        """
    expected = """
        b0:
            3  t0 = a
            3  load t1 = p->x
            3  a = t1
            3  store p->x = t0
            4  t2 = a
            4  a = b
            4  b = t2
            5  end
        """
    assert shown(body) == golden(expected)


def test_asm_goto_may_go_to_its_labels() -> None:
    body = """
        asm goto("j" : : "r" (a) : : slow, out);
        g();
        slow:
        h();
        out:
        i();
        """
    expected = """
        b0:
            3  t0 = asm(a)
            3  switch t0: 1 b1, 2 b2, default b3
        b1: from b0
            3  goto b4
        b2: from b0
            3  goto b5
        b3: from b0
            4  g()
               goto b4
        b4: from b1 b3
            6  h()
               goto b5
        b5: from b2 b4
            8  i()
            9  end
        """
    assert shown(body) == golden(expected)


def test_asm_reads_and_writes_its_operands() -> None:
    body = """
        int c, d;

        asm volatile("x" : "=r" (c), "+m" (*q) : "r" (a), "i" (sizeof(d)) : "memory");
        asm("nop");
        """
    expected = """
        b0:
            3  declare c
            3  declare d
            5  t0 = asm(a, `sizeof(d)`) writes c
            5  store *q = t0
            6  asm()
            7  end
        """
    assert shown(body) == golden(expected)


def test_an_unused_result_is_marked() -> None:
    body = "g(g(a));\n"
    expected = """
        b0:
            3  t0 = g(a)
            3  g(t0)
            4  end
        """
    assert shown(body) == golden(expected)
