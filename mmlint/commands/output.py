"""Where the output goes, and how much of colour and source lines it can show."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmlint.engine import Report
    from mmlint.report.terminal import Pen


def pen(arguments: argparse.Namespace) -> Pen:
    """What writes colours on standard output, if they are wanted there."""
    from mmlint.report.terminal import Pen, wants_colour

    return Pen(wants_colour(sys.stdout, choice=arguments.color))


def print_findings(report: Report, arguments: argparse.Namespace) -> None:
    """The text of ``check``: with source lines for a person at a terminal, else the lines of gcc."""
    if not arguments.quiet and is_rich(arguments.color):
        try:
            from mmlint.report.rich_text import print_report
        except ImportError:
            pass
        else:
            print_report(report, sys.stdout, pen(arguments).colour)
            return
    from mmlint.report.text import render

    print_lines(render(report, pen(arguments), arguments.quiet))


def is_rich(choice: str, environment: Mapping[str, str] = os.environ) -> bool:
    """True where source lines are shown: on a terminal that is more than a line printer, or where it is asked for."""
    if choice == "always":
        return True
    if not sys.stdout.isatty():
        return choice == "auto" and bool(environment.get("FORCE_COLOR"))
    return environment.get("TERM") != "dumb"


def print_lines(lines: Iterable[str]) -> None:
    """Each line with its end."""
    for line in lines:
        sys.stdout.write(line + "\n")
