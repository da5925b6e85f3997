"""``man``: the manual page, made from the help texts and the summaries of the rules."""

from __future__ import annotations

import argparse
import sys

from mmlint.cli import CLEAN
from mmlint.commands.arguments import make_parser
from mmlint.commands.texts import ENVIRONMENT, EXAMPLES, EXIT_CODES, FILES
from mmlint.manpage import page
from mmlint.rule import load_rules


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    del arguments
    closing = {"EXIT STATUS": EXIT_CODES[""], "ENVIRONMENT": ENVIRONMENT, "FILES": FILES, "EXAMPLES": EXAMPLES[""]}
    rules = [(loaded.rule.name, str(loaded.rule.level), loaded.rule.summary) for loaded in load_rules()]
    sys.stdout.write(page(make_parser(), rules, closing))
    return CLEAN
