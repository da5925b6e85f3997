"""``completion``: a script for a shell, made from the tree of arguments."""

from __future__ import annotations

import argparse
import sys

from mmlint.cli import CLEAN
from mmlint.commands.arguments import make_parser
from mmlint.completion import script
from mmlint.rule import load_rules


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    names = [loaded.rule.name for loaded in load_rules()]
    sys.stdout.write(script(arguments.shell, make_parser(), names))
    return CLEAN
