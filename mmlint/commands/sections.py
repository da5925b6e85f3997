"""``sections``: every section with its verdict."""

from __future__ import annotations

import argparse
import sys

from mmlint.cli import BAD, CLEAN
from mmlint.commands.output import pen, print_lines
from mmlint.commands.run import report_of
from mmlint.commands.settings import settings_of


def run(arguments: argparse.Namespace) -> int:
    """List, and return the exit code. Raises UsageError."""
    from mmlint.checker import INTERNAL_ERROR

    # No rule is asked; a crash of the analysis is told all the same.
    settings = settings_of(arguments)._replace(
        select=frozenset({INTERNAL_ERROR}), ignore=frozenset(), suppressions=None, audit=arguments.audit_access
    )
    report = report_of(arguments, settings)
    if arguments.format == "json":
        from mmlint.report.json import render_sections

        sys.stdout.write(render_sections(report))
    elif arguments.audit_access:
        from mmlint.report.audit_text import render

        print_lines(render(report, pen(arguments), arguments.verbose, arguments.quiet))
    else:
        from mmlint.report.sections_text import render

        print_lines(render(report, pen(arguments), arguments.verbose, arguments.quiet))
    return BAD if report.coverage.skipped else CLEAN
