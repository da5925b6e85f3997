"""The command line: arguments in, exit code out; what a command needs is imported when it runs.

Exit codes: 0 nothing at or above ``--fail-level`` (for ``fix``: nothing to change), 1 findings (for ``fix``: a diff),
2 the usage or the input is bad or something could not be read, 130 interrupted, 141 the reader of the output went away.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NoReturn

from mmlint import __version__
from mmlint.rule_commands import add_rule_commands, trusted_folders

if TYPE_CHECKING:
    from mmlint.config import Settings
    from mmlint.engine import Report
    from mmlint.report.terminal import Pen
    from mmlint.source import Source

CLEAN, FINDINGS, BAD, INTERRUPTED, NO_READER = 0, 1, 2, 130, 141

Command = Callable[[argparse.Namespace], int]


class _ArgumentError(Exception):
    """The arguments cannot be understood."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of ending the process, so that `main` returns in every case."""

    def error(self, message: str) -> NoReturn:
        raise _ArgumentError(f"{message}; see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Never raises, short of a fault in this very module."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The interpreter flushes once more when it ends; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return NO_READER
    except KeyboardInterrupt:
        return INTERRUPTED


def _dispatch(argv: Sequence[str]) -> int:
    try:
        arguments = _parser().parse_args(argv)
    except _ArgumentError as error:
        return _complain(error)
    except SystemExit as request:
        return int(request.code or 0)
    from mmlint.config import UsageError
    from mmlint.kernel import VocabularyError

    command: Command = arguments.command
    try:
        return command(arguments)
    except (UsageError, VocabularyError) as error:
        return _complain(error)


def _complain(error: Exception) -> int:
    print(f"mmlint: error: {error}", file=sys.stderr)
    return BAD


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mmlint",
        description="Find the lazy MMU mode sections of Linux page-table walkers, and check or propose their ranges.",
    )
    parser.add_argument("--version", action="version", version=f"mmlint {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_check(commands)
    _add_fix(commands)
    _add_sections(commands)
    explain = commands.add_parser("explain", help="what a rule means, or what is known of the section at a place")
    explain.add_argument("subject", metavar="RULE|PATH:LINE")
    _add_target(explain)
    explain.set_defaults(command=_explain)
    add_rule_commands(commands)
    _add_dump(commands)
    return parser


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    check = commands.add_parser("check", help="report what is wrong, and what can be improved")
    check.add_argument("--format", choices=("text", "json"), default="text")
    check.add_argument(
        "--fail-level",
        choices=("note", "warning", "error"),
        default="warning",
        help="the least level that makes the exit code 1 (default: warning)",
    )
    _add_selection(check)
    _add_run(check)
    check.set_defaults(command=_check)


def _add_fix(commands: argparse._SubParsersAction[_Parser]) -> None:
    fix = commands.add_parser("fix", help="print the repairs as a diff, or make them")
    fix.add_argument("--in-place", action="store_true", help="write the files instead of printing a diff")
    fix.add_argument("--unsafe", action="store_true", help="also what a person has to confirm")
    fix.add_argument("--commit-message", action="store_true", help="print a commit message, not the diff")
    _add_selection(fix)
    _add_run(fix)
    fix.set_defaults(command=_fix)


def _add_sections(commands: argparse._SubParsersAction[_Parser]) -> None:
    sections = commands.add_parser("sections", help="list every section and what is known of it")
    sections.add_argument("--format", choices=("text", "json"), default="text")
    sections.add_argument("-v", "--verbose", action="store_true", help="with the proof sheet of each section")
    _add_rule_folders(sections)
    _add_run(sections)
    sections.set_defaults(command=_sections, select=["internal-error"], ignore=[])


def _add_dump(commands: argparse._SubParsersAction[_Parser]) -> None:
    dumps = commands.add_parser("dump", help="what the analysis sees").add_subparsers(metavar="WHAT", required=True)
    for what, text in (
        ("parse", "the syntax tree of a function, or how well files parse"),
        ("cfg", "the control-flow graph of a function"),
        ("state", "what is known before and after each operation"),
    ):
        dump = dumps.add_parser(what, help=text)
        if what == "parse":
            dump.add_argument("--summary", action="store_true", help="count the functions that could be read in PATHs")
            dump.add_argument("subjects", metavar="FILE:FUNCTION|PATH", nargs="+")
        else:
            dump.add_argument("subjects", metavar="FILE:FUNCTION", nargs=1)
        dump.set_defaults(command=_dump, what=what, summary=False, target="")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files, or folders of *.c and *.h (default: .)")
    parser.add_argument("--jobs", metavar="N", type=int, default=0, help="processes (default: one per CPU)")
    parser.add_argument("-q", "--quiet", action="store_true", help="no evidence, no summary")
    _add_target(parser)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--select", metavar="RULE", action="append", default=[], help="only this rule (repeatable)")
    parser.add_argument("--ignore", metavar="RULE", action="append", default=[], help="not this rule (repeatable)")
    _add_rule_folders(parser)


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", metavar="NAME", default="", help="the ranged enable to propose")


def _add_rule_folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rules", metavar="FOLDER", action="append", default=[], help="a folder of further rules; it is executed"
    )


def _check(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    report = _run(arguments, settings)
    if arguments.format == "json":
        from mmlint.report.json import render_check

        sys.stdout.write(render_check(report))
    else:
        from mmlint.report.text import render

        _print(render(report, _pen(), arguments.quiet))
    if report.coverage.skipped:
        return BAD
    return FINDINGS if any(d.level >= settings.fail_level for d in report.diagnostics) else CLEAN


def _fix(arguments: argparse.Namespace) -> int:
    from mmlint.checker import make_checker
    from mmlint.diagnostic import Applicability
    from mmlint.fix import repair
    from mmlint.report.repairs import account, write

    settings = _settings(arguments)
    report = _run(arguments, settings)
    checker = make_checker(settings)
    floor = Applicability.UNSAFE if arguments.unsafe else Applicability.SAFE
    repairs = [
        repair(facts, [d for d in report.diagnostics if d.path == facts.source.path], checker.check, floor)
        for facts in report.facts
    ]
    failures = write(repairs, arguments.paths or [os.curdir]) if arguments.in_place else []
    if arguments.commit_message:
        from mmlint.report.commit_message import commit_message

        sys.stdout.write(commit_message(repairs, checker.rules))
    elif not arguments.in_place:
        from mmlint.report.diff import diff

        for change in repairs:
            sys.stdout.buffer.write(diff(change.path, change.before, change.after))
    lines = [*failures, *account(repairs, report, arguments.in_place, arguments.quiet)]
    print(*lines, sep="\n", end="\n" * bool(lines), file=sys.stderr)
    if report.coverage.skipped or failures or any(change.refused for change in repairs):
        return BAD
    return FINDINGS if any(change.changes for change in repairs) else CLEAN


def _sections(arguments: argparse.Namespace) -> int:
    report = _run(arguments, _settings(arguments))
    if arguments.format == "json":
        from mmlint.report.json import render_sections

        sys.stdout.write(render_sections(report))
    else:
        from mmlint.report.sections_text import render

        _print(render(report, _pen(), arguments.verbose, arguments.quiet))
    return BAD if report.coverage.skipped else CLEAN


def _explain(arguments: argparse.Namespace) -> int:
    from mmlint.checker import make_checker, unknown_rule
    from mmlint.config import Settings
    from mmlint.report.explanation import explain_place, explain_rule
    from mmlint.rule import load_rules

    subject: str = arguments.subject
    rule = next((rule for rule in load_rules() if rule.rule.name == subject), None)
    if rule:
        sys.stdout.write(explain_rule(rule))
        return CLEAN
    path, _, line = subject.rpartition(":")
    if not path or not line.isdecimal():
        raise unknown_rule(subject)
    settings = Settings(target=arguments.target)
    _print(explain_place(path, int(line), make_checker(settings), _pen()))
    return CLEAN


def _dump(arguments: argparse.Namespace) -> int:
    if arguments.summary:
        from pathlib import Path

        from mmlint.syntax.summary import parse_summary

        _print([parse_summary([Path(subject) for subject in arguments.subjects]).rstrip("\n")])
        return CLEAN
    for subject in arguments.subjects:
        _print([_dumped(arguments.what, *_source_and_function(subject)).rstrip("\n")])
    return CLEAN


def _source_and_function(subject: str) -> tuple[Source, str]:
    from mmlint.config import UsageError
    from mmlint.files import read
    from mmlint.source import Source

    path, colon, function = subject.rpartition(":")
    if not colon or not path or not function:
        raise UsageError(f"{subject}: expected FILE:FUNCTION, such as mm/memory.c:zap_pte_range")
    try:
        return Source(path, read(path)), function
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}; give a file that exists") from error


def _dumped(what: str, source: Source, function: str) -> str:
    from mmlint.config import UsageError

    try:
        if what == "parse":
            from mmlint.syntax.summary import dump_parse

            return dump_parse(source, function)
        from mmlint.facts.dump import dump_cfg, dump_state
        from mmlint.kernel import load_vocabulary

        return (dump_cfg if what == "cfg" else dump_state)(source, function, load_vocabulary())
    except LookupError as error:
        raise UsageError(f"{source.path}: it defines no function {function}(); spell it as the file does") from error


def _settings(arguments: argparse.Namespace) -> Settings:
    from mmlint.config import Settings, UsageError
    from mmlint.diagnostic import Level

    if arguments.jobs < 0:
        raise UsageError(f"--jobs {arguments.jobs}: give the number of processes, or 0 for one per CPU")
    return Settings(
        target=arguments.target,
        fail_level=Level[getattr(arguments, "fail_level", "warning").upper()],
        select=frozenset(arguments.select),
        ignore=frozenset(arguments.ignore),
        rules=trusted_folders(arguments.rules, getattr(arguments, "paths", None) or [os.curdir]),
        jobs=arguments.jobs,
    )


def _run(arguments: argparse.Namespace, settings: Settings) -> Report:
    from mmlint.engine import run

    return run(arguments.paths or [os.curdir], settings)


def _pen() -> Pen:
    from mmlint.report.terminal import Pen, wants_colour

    return Pen(wants_colour(sys.stdout))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
