"""``explain``: the documentation of a rule, or the proof sheet of the section at a place."""

from __future__ import annotations

import argparse
import sys

from mmlint.cache import open_cache
from mmlint.checker import make_checker
from mmlint.cli import CLEAN
from mmlint.commands.output import pen, print_lines
from mmlint.commands.settings import settings_of
from mmlint.config import UsageError
from mmlint.report.explanation import PSEUDO_RULES, explain_place, explain_rule
from mmlint.rule import load_rules


def run(arguments: argparse.Namespace) -> int:
    """Explain, and return the exit code. Raises UsageError."""
    subject: str = arguments.subject
    path, _, line = subject.rpartition(":")
    at_place = bool(path) and line.isascii() and line.isdigit()
    # Rules of a folder may explain themselves, but not for a file of a tree that brings them.
    arguments.paths = [path] if at_place else []
    settings = settings_of(arguments)
    if at_place:
        with open_cache(settings.cache and not settings.rules) as cache:
            checker = make_checker(settings._replace(select=frozenset(), ignore=frozenset()), cache)
            print_lines(explain_place(path, int(line), checker, pen(arguments), arguments.quiet))
        return CLEAN
    rules = load_rules(settings.rules)
    rule = next((rule for rule in rules if rule.rule.name == subject), None)
    if rule:
        sys.stdout.write(explain_rule(rule, pen(arguments)))
    elif subject in PSEUDO_RULES:
        sys.stdout.write(PSEUDO_RULES[subject])
    else:
        raise _unknown(subject, [rule.rule.name for rule in rules])
    return CLEAN


def _unknown(subject: str, names: list[str]) -> UsageError:
    from difflib import get_close_matches

    from mmlint.checker import unknown_rule

    near = get_close_matches(subject, names, 1)
    hint = f" (did you mean {near[0]}?), or give PATH:LINE" if near else ", or give PATH:LINE"
    return UsageError(f"{unknown_rule(subject)}{hint}")
