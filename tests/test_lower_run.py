"""Graphs do what their C does: random programs run by a small machine and by the system's compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from mmlint.flow.lower import DEFAULT_DIALECT, lower
from mmlint.flow.verify import verify
from mmlint.source import Source
from mmlint.syntax.functions import read_functions
from tests.machine import CELLS, Machine
from tests.programs import PRELUDE, Program

FUNCTIONS = 100
ARGUMENTS = ((0, 0), (1, 7), (5, 2))
COMPILER = shutil.which("cc")


def written_programs(seed: int) -> str:
    random = Random(seed)
    return "".join(Program(random).function(f"f{index}") for index in range(FUNCTIONS))


def compiled_results(text: str, folder: Path) -> list[list[int]]:
    assert COMPILER is not None
    runs = "".join(
        f"\tfuel = 40; count = 0; for (int i = 0; i < {CELLS}; i++) g[i] = i;\n"
        f'\tr = f{index}({x}, {y}); printf("%d", r);\n'
        '\tfor (int i = 0; i < count; i++) printf(" %d", seen[i]);\n\tputchar(10);\n'
        for index in range(FUNCTIONS)
        for x, y in ARGUMENTS
    )
    source, program = folder / "programs.c", folder / "programs"
    source.write_text(f"{PRELUDE}{text}int main(void)\n{{\n\tint r;\n{runs}\treturn 0;\n}}\n")
    subprocess.run([COMPILER, "-w", "-O0", "-fwrapv", "-o", str(program), str(source)], check=True)
    output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    return [[int(word) for word in line.split()] for line in output.splitlines()]


def machine_results(text: str) -> list[list[int]]:
    results = []
    for function in read_functions(Source("programs.c", text.encode())):
        graph = lower(function, DEFAULT_DIALECT)
        assert (function.ok, graph.unmodelled, verify(graph)) == (True, (), []), function.name
        for arguments in ARGUMENTS:
            machine = Machine(graph)
            results.append([machine.run(*arguments), *machine.log])
    return results


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_graph_does_what_the_compiled_function_does(seed: int, tmp_path: Path) -> None:
    text = written_programs(seed)
    expected = compiled_results(text, tmp_path)
    assert len(expected) == FUNCTIONS * len(ARGUMENTS)
    assert len({tuple(result) for result in expected}) > FUNCTIONS
    found = machine_results(text)
    for number, (wanted, got) in enumerate(zip(expected, found, strict=True)):
        assert got == wanted, f"f{number // len(ARGUMENTS)}{ARGUMENTS[number % len(ARGUMENTS)]}"
