"""``kbuild``: the checker of a kernel build, run once for each file with the options of the compiler.

    make C=2 CHECK="mmlint kbuild" CF="--mmlint-level=warning" mm/

A file that does not name the API is let go before anything is imported. The rest is checked as by ``check``, and told
on standard error in the format of gcc, because that is where make's readers look. The exit code is 0 whatever is found,
since another one stops the build, unless CF has ``--mmlint-error``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# mmlint.engine has it as well; importing that costs more than the search.
NEEDLES = (b"lazy_mmu_mode", b"_page_range(")
_OWN = "--mmlint-"


def run(arguments: Sequence[str]) -> int:
    """Check the file that the last argument names. ``arguments`` are those behind ``kbuild``."""
    own = [argument for argument in arguments[:-1] if argument.startswith(_OWN)]
    path = arguments[-1] if arguments else ""
    if not path or path.startswith("-"):
        return _failed("kbuild: no file is given; run make C=1 CHECK='mmlint kbuild'", own)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs more than the read
            data = file.read()
    except (OSError, ValueError) as error:
        return _failed(f"{path}: {getattr(error, 'strerror', None) or error}", own)
    if not any(needle in data for needle in NEEDLES):
        return 0
    return _check(path, data, own)


def _check(path: str, data: bytes, own: list[str]) -> int:
    from mmlint.cli import is_the_users
    from mmlint.commands.arguments import ArgumentError, make_parser
    from mmlint.commands.check import exit_code
    from mmlint.commands.run import at_level, without_suppressed
    from mmlint.commands.settings import settings_of
    from mmlint.engine import run_on
    from mmlint.report.terminal import Pen, shown
    from mmlint.report.text import render_findings
    from mmlint.source import Source

    try:
        arguments = make_parser("kbuild").parse_args(["kbuild", *own, "--", path])
        name = _from_the_top(path)
        settings = settings_of(arguments)
        report = run_on(Source(name, data), settings)
        if settings.suppressions is not None:
            report = without_suppressed(report, settings, [name])
    except ArgumentError as error:
        return _failed(str(error), own)
    except Exception as error:
        if not is_the_users(error):
            raise
        return _failed(str(error), own)
    report = at_level(report, settings.level)
    for line in render_findings(report, Pen()):
        sys.stderr.write(line + "\n")
    if report.suppressed:
        sys.stderr.write(f"{shown(name)}: {len(report.suppressed)} suppressed\n")
    return exit_code(report, settings) if arguments.mmlint_error else 0


def _from_the_top(path: str) -> str:
    """The path from the top of the kernel tree, which make gives as $srctree, and go there; else as it was given.

    A build in another folder (``make O=``) gives absolute paths, and runs where no configuration of the tree is found.
    """
    tree = os.environ.get("srctree")  # noqa: SIM112 - so make calls it
    place = os.path.realpath(path)
    if tree and tree != os.curdir and place.startswith(os.path.realpath(tree) + "/"):
        os.chdir(tree)
        return os.path.relpath(place)
    return path


def _failed(fault: str, own: list[str]) -> int:
    from mmlint.report.terminal import shown

    print(f"mmlint: error: {shown(fault)}", file=sys.stderr)
    return 2 if f"{_OWN}error" in own else 0
