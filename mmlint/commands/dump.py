"""``dump``: what the analysis sees of a function, for whoever works on mmlint or doubts it."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmlint.cli import CLEAN
from mmlint.commands.output import print_lines
from mmlint.config import UsageError
from mmlint.files import read
from mmlint.source import Source


def run(arguments: argparse.Namespace) -> int:
    """Print the dump and return the exit code. Raises UsageError."""
    if arguments.summary:
        from mmlint.syntax.summary import parse_summary

        print_lines([parse_summary([Path(subject) for subject in arguments.subjects]).rstrip("\n")])
        return CLEAN
    for subject in arguments.subjects:
        print_lines([_dumped(arguments.what, *_source_and_function(subject)).rstrip("\n")])
    return CLEAN


def _source_and_function(subject: str) -> tuple[Source, str]:
    path, colon, function = subject.rpartition(":")
    if not colon or not path or not function:
        raise UsageError(f"{subject}: expected FILE:FUNCTION, such as mm/memory.c:zap_pte_range")
    try:
        return Source(path, read(path)), function
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}; give a file that exists") from error


def _dumped(what: str, source: Source, function: str) -> str:
    try:
        if what == "parse":
            from mmlint.syntax.summary import dump_parse

            return dump_parse(source, function)
        from mmlint.facts.dump import dump_cfg, dump_state
        from mmlint.kernel import load_vocabulary

        return (dump_cfg if what == "cfg" else dump_state)(source, function, load_vocabulary())
    except LookupError as error:
        raise UsageError(f"{source.path}: it defines no function {function}(); spell it as the file does") from error
