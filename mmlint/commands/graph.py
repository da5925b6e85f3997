"""``graph``: what runs in the section at a place, as a drawing for Graphviz or Mermaid."""

from __future__ import annotations

import argparse

from mmlint.cli import CLEAN
from mmlint.commands.output import print_lines
from mmlint.commands.settings import settings_of
from mmlint.config import UsageError


def run(arguments: argparse.Namespace) -> int:
    """Draw, and return the exit code. Raises UsageError."""
    from mmlint.cache import open_cache
    from mmlint.checker import make_checker
    from mmlint.report.explanation import section_at
    from mmlint.report.graph import graph_of, render_dot, render_mermaid

    path, _, line = arguments.section.rpartition(":")
    if not path or not (line.isascii() and line.isdigit()):
        raise UsageError(f"{arguments.section}: no place of a section; give PATH:LINE, as sections prints them")
    arguments.paths = [path]
    settings = settings_of(arguments)._replace(select=frozenset(), ignore=frozenset(), audit=True)
    with open_cache(settings.cache and not settings.rules) as cache:
        function, section = section_at(path, int(line), make_checker(settings, cache))
    render = render_mermaid if arguments.format == "mermaid" else render_dot
    print_lines(render(graph_of(function, section)))
    return CLEAN
