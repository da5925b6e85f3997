"""A function escapes where its name stands for its address, and nowhere else."""

from __future__ import annotations

import pytest

from mmlint.facts.file import FileAnalysis
from mmlint.kernel import load_vocabulary
from mmlint.source import Source

VOCABULARY = load_vocabulary()
WALK = """\
static int walk(struct mm_struct *mm, unsigned long addr)
{
	return 0;
}

"""
# The place of the escape is between the brackets; without brackets there is none.
TEXTS = {
    "a call": "void f(void)\n{\n\twalk(mm, addr);\n}\n",
    "a pointer": "void f(void)\n{\n\trun(⟦walk⟧);\n}\n",
    "an ops struct": "struct ops o = {\n\t.walk = ⟦walk⟧,\n};\n",
    "a member": "void f(struct ops *o)\n{\n\to->walk = 0;\n\to->in.walk = 0;\n}\n",
    "a parameter": "void f(int walk)\n{\n\tif (walk)\n\t\tg(walk);\n}\n",
    "a callback parameter": "void f(int (*walk)(struct mm_struct *, unsigned long))\n{\n\trun(walk);\n\twalk(mm, 0);\n}\n",
    "a local": "void f(void)\n{\n\tint walk = 0;\n\n\tg(walk);\n}\n",
    "a local of an inner block": "void f(void)\n{\n\t{\n\t\tint walk = 0;\n\n\t\tg(walk);\n\t}\n\tg(⟦walk⟧);\n}\n",
    "before the local": "void f(void)\n{\n\tg(⟦walk⟧);\n\tint walk = 0;\n\tg(walk);\n}\n",
    "a parameter of another function": "void f(int walk)\n{\n\tg(walk);\n}\n\nvoid h(void)\n{\n\tg(⟦walk⟧);\n}\n",
    "a prototype": "int f(int (*walk)(int), unsigned long walk);\n",
    "a member's declaration": "struct ops {\n\tint (*walk)(int);\n\tint walk;\n\tstruct s *walk;\n};\n",
    "part of a word": "void f(void)\n{\n\tg(walker, do_walk, walk_all);\n}\n",
    "returned": "void *f(void)\n{\n\treturn ⟦walk⟧;\n}\n",
    "registered": "module_init(⟦walk⟧);\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_where_a_function_escapes(text: str) -> None:
    before, _, rest = text.partition("⟦")
    source = Source("x.c", (WALK + before + rest.replace("⟧", "")).encode())
    place = FileAnalysis(source, VOCABULARY).escapes("walk")
    start = len(WALK) + len(before)
    assert (place and (place.start, place.end)) == ((start, start + 4) if rest else None)


def test_a_function_that_cannot_be_read_hides_no_escape() -> None:
    text = "void f(int walk)\n{\n\tif (\n\tg(walk);\n}\n"
    source = Source("x.c", (WALK + text).encode())
    assert FileAnalysis(source, VOCABULARY).escapes("walk") is not None
