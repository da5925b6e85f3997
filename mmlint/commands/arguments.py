"""The arguments of every command: one tree of argparse, from which help, completion and the manual page are made.

    make_parser("check").parse_args(["check", "mm"])   ->  a namespace whose ``command`` runs it

Only the command that is named is described, where it is one: building all takes longer than reading a file.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from mmlint import __version__
from mmlint.commands.formats import FORMATS
from mmlint.commands.texts import ABOUT, ABOUT_COMMAND, ENVIRONMENT, EXAMPLES, EXIT_CODES, FILES

ALL: Final = "*"
HOOKS: Final = ("pre-commit", "pre-push", "sendemail-validate")
LEVELS: Final = ("note", "warning", "error")
Command = Callable[[argparse.Namespace], int]
Commands = argparse._SubParsersAction  # argparse has no public name for it


class ArgumentError(Exception):
    """The arguments cannot be understood: why, and where help is."""


class _Help(argparse.HelpFormatter):
    """Fills the descriptions, and keeps the lines of examples and tables."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n  " in text else super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """Raises instead of ending the process; keeps the lines of examples; takes no abbreviations."""

    _printing = False

    def __init__(self, **options: object) -> None:
        options = {"allow_abbrev": False, "formatter_class": _Help, **options}
        super().__init__(**options)  # type: ignore[arg-type]

    def format_help(self) -> str:
        self._printing = True
        return super().format_help()

    def _get_formatter(self) -> argparse.HelpFormatter:
        # Each argument that is added is tried on a formatter; what the terminal is like matters when help is printed.
        return super()._get_formatter() if self._printing else _Help(self.prog, width=80)

    def parse_args(self, args: Sequence[str], namespace: None = None) -> argparse.Namespace:  # type: ignore[override]
        """The arguments of a command. Raises ArgumentError, which names the help of that command."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            command = "" if args[0] in unknown else f" {args[0]}"
            raise ArgumentError(f"unrecognized arguments: {' '.join(unknown)}; see {self.prog}{command} --help")
        return found

    def error(self, message: str) -> NoReturn:
        raise ArgumentError(f"{message}; see {self.prog} --help")


def make_parser(named: str = ALL) -> Parser:
    """The tree of commands; without the others where ``named`` is one, without their arguments where it is none."""
    parser = Parser(prog="mmlint", description=ABOUT, epilog=_closing(""))
    parser.add_argument("--version", action="version", version=f"mmlint {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (text, describe) in _COMMANDS.items():
        if named in _COMMANDS and named != name:
            continue
        if name == "rules" and named in (name, ALL):
            from mmlint.rule_commands import add_rule_commands

            add_rule_commands(commands)
            continue
        about = ABOUT_COMMAND.get(name)
        command = commands.add_parser(name, help=text, description=about, epilog=_closing(name))
        if named in (name, ALL):
            describe(command)
            if name not in ("dump", "cache"):
                command.set_defaults(command=_command(name))
    return parser


def _command(name: str) -> Command:
    def run(arguments: argparse.Namespace) -> int:
        from importlib import import_module

        command: Command = import_module(f"mmlint.commands.{name.replace('-', '_')}").run
        return command(arguments)

    return run


def _closing(name: str) -> str:
    """What stands below the options: examples, exit codes and, where the settings matter, environment and files."""
    parts = [("examples", EXAMPLES.get(name)), ("exit codes", EXIT_CODES.get(name))]
    if name in ("check", "series"):
        fitting = [(key, entry) for key, entry in FORMATS.items() if name == "series" or not entry.of_series]
        shown = [f"{key:15} {entry.about}" for key, entry in fitting]
        parts.insert(0, ("formats", "\n".join(shown)))
    if name in ("", "check", "config"):
        parts += [("environment", ENVIRONMENT), ("files", FILES)]
    return "\n\n".join(f"{title}:\n{_indented(text)}" for title, text in parts if text)


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.split("\n"))


def _check(parser: argparse.ArgumentParser) -> None:
    _add_paths(parser)
    parser.add_argument(
        "-g", "--git", metavar="RANGE", help="check commits as a series: A..B, or one commit; see mmlint series"
    )
    _add_selection(parser)
    output = parser.add_argument_group("output")
    _add_formats(output)
    output.add_argument("--statistics", action="store_true", help="count the findings of each rule at the end")
    _add_level(output)
    _add_output(output)
    exit_code = parser.add_argument_group("exit code")
    _add_fail_level(exit_code)
    exit_code.add_argument("--exit-zero", action="store_true", help="exit with 0 when there are findings")
    settings = _add_settings(parser)
    _add_jobs(settings)
    _add_cache(settings)
    _add_suppressions(settings)
    settings.add_argument(
        "--write-suppressions", metavar="FILE", help="accept the present findings: add them to this list, with --reason"
    )
    settings.add_argument("--reason", metavar="TEXT", help="why the findings are accepted")


def _fix(parser: argparse.ArgumentParser) -> None:
    _add_paths(parser)
    parser.add_argument("--in-place", action="store_true", help="write the files instead of printing a diff")
    parser.add_argument("--unsafe", action="store_true", help="also what a person has to confirm")
    parser.add_argument("--commit-message", action="store_true", help="print a commit message, not the diff")
    parser.add_argument("--series", metavar="DIR", help="write patches with a cover letter into a folder")
    parser.add_argument("-q", "--quiet", action="store_true", help="do not tell what went well")
    _add_selection(parser)
    settings = _add_settings(parser)
    _add_jobs(settings)
    _add_cache(settings)
    _add_suppressions(settings)


def _sections(parser: argparse.ArgumentParser) -> None:
    _add_paths(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--format", choices=("text", "json"), default="text", help="json for programs (default: text)")
    output.add_argument("-v", "--verbose", action="store_true", help="with the proof sheet of each section")
    output.add_argument(
        "--audit-access",
        action="store_true",
        help="say of each section whether anything that runs in it dereferences an entry directly",
    )
    _add_output(output)
    settings = _add_settings(parser)
    _add_jobs(settings)
    _add_cache(settings)
    _add_rule_folders(settings)


def _series(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        metavar="INPUT",
        nargs="+",
        help="an mbox, patches, a maildir or folder of them, a range of commits A..B, a copied thread; - is standard "
        "input",
    )
    where = parser.add_argument_group("tree")
    where.add_argument("--tree", metavar="DIR", help="the kernel tree: a folder, or a git repository (default: here)")
    where.add_argument("--base", metavar="REV", help="what the series applies to (default: found by the mails)")
    where.add_argument("--since-previous", metavar="INPUT", help="the previous revision: say what is fixed, open, new")
    _add_selection(parser)
    output = parser.add_argument_group("output")
    _add_formats(output)
    output.add_argument("--all", action="store_true", help="also what the author did not cause")
    output.add_argument("-v", "--verbose", action="store_true", help="list the sections and their ranges")
    _add_level(output)
    _add_output(output)
    exit_code = parser.add_argument_group("exit code")
    _add_fail_level(exit_code)
    exit_code.add_argument("--exit-zero", action="store_true", help="exit with 0 when there are findings")
    settings = _add_settings(parser)
    _add_jobs(settings)
    _add_cache(settings)
    _add_suppressions(settings)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="RULE|PATH:LINE", help="the name of a rule, or a line of a file")
    output = parser.add_argument_group("output")
    _add_output(output, quiet="the proof sheet without the source")
    settings = _add_settings(parser)
    _add_cache(settings)
    _add_rule_folders(settings)


def _graph(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("section", metavar="PATH:LINE", help="the section, as sections prints it")
    parser.add_argument(
        "--format", choices=("dot", "mermaid"), default="dot", help="dot for Graphviz (default), or mermaid"
    )
    settings = _add_settings(parser)
    _add_cache(settings)
    _add_rule_folders(settings)


def _dump(parser: argparse.ArgumentParser) -> None:
    dumps = parser.add_subparsers(metavar="WHAT", required=True, parser_class=Parser)
    for what, text in (
        ("parse", "the syntax tree of a function, or how well files parse"),
        ("cfg", "the control-flow graph of a function"),
        ("state", "what is known before and after each operation"),
    ):
        dump = dumps.add_parser(what, help=text)
        if what == "parse":
            dump.add_argument("--summary", action="store_true", help="count the functions that could be read in PATHs")
            dump.add_argument(
                "subjects", metavar="FILE:FUNCTION|PATH", nargs="+", help="a function; with --summary paths"
            )
        else:
            dump.add_argument("subjects", metavar="FILE:FUNCTION", nargs=1, help="such as mm/memory.c:zap_pte_range")
        dump.set_defaults(command=_command("dump"), what=what, summary=False)


def _kbuild(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="FILE", nargs=1, help="the file to check, after the options of the compiler")
    parser.add_argument("--mmlint-error", action="store_true", help="exit as check does, which stops the build")
    for name, metavar, text in (
        ("level", "LEVEL", "show only findings of this level or worse: note (default), warning or error"),
        ("fail-level", "LEVEL", "the least level that stops the build, with --mmlint-error (default: warning)"),
    ):
        parser.add_argument(f"--mmlint-{name}", dest=name.replace("-", "_"), metavar=metavar, choices=LEVELS, help=text)
    for name in ("select", "ignore"):
        parser.add_argument(
            f"--mmlint-{name}", dest=name, metavar="RULE", action="append", help=f"as --{name} of check"
        )
    for name, metavar in (("target", "NAME"), ("config", "FILE"), ("suppressions", "FILE")):
        parser.add_argument(f"--mmlint-{name}", dest=name, metavar=metavar, help=f"as --{name} of check")
    for name in ("config", "cache"):
        parser.add_argument(
            f"--mmlint-no-{name}", dest=f"no_{name}", action="store_true", help=f"as --no-{name} of check"
        )


def _b4_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the JSON of b4's review check commands")
    parser.add_argument("--series", action="store_true", help="the whole series that b4 review has checked out")
    _add_selection(parser)
    _add_level(parser)
    _add_fail_level(parser)
    _add_suppressions(_add_settings(parser))


def _hook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "hook", metavar="HOOK", choices=HOOKS, help="the hook: pre-commit, pre-push or sendemail-validate"
    )
    parser.add_argument("arguments", metavar="FILE", nargs="*", help="what git gives to the hook")
    _add_selection(parser)
    output = parser.add_argument_group("output")
    _add_level(output)
    _add_output(output)
    _add_fail_level(parser)
    _add_suppressions(_add_settings(parser))


def _config(parser: argparse.ArgumentParser) -> None:
    _add_selection(parser, folders=False)
    _add_level(parser)
    _add_fail_level(parser)
    settings = _add_settings(parser)
    _add_jobs(settings)
    _add_cache(settings)
    _add_suppressions(settings)


def _cache(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, parser_class=Parser)
    for name, text in (("info", "where it lies, and what is kept"), ("clear", "delete it")):
        action = actions.add_parser(name, help=text)
        action.set_defaults(command=_command("cache"), action=name)


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")


def _man(parser: argparse.ArgumentParser) -> None:
    del parser


def _add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="files, or folders of *.c and *.h; - is standard input (default: .)"
    )
    parser.add_argument("--stdin-filename", metavar="PATH", help="the name of what is read from standard input")


def _add_selection(parser: argparse.ArgumentParser, folders: bool = True) -> None:
    rules = parser.add_argument_group("rules")
    rules.add_argument("--select", metavar="RULE", action="append", help="only this rule (repeatable, or with commas)")
    rules.add_argument("--ignore", metavar="RULE", action="append", help="not this rule (repeatable, or with commas)")
    if folders:
        _add_rule_folders(rules)


def _add_rule_folders(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--rules", metavar="FOLDER", action="append", default=[], help="a folder of further rules; it is executed"
    )


def _add_output(group: argparse._ActionsContainer, quiet: str = "no evidence, no summary") -> None:
    group.add_argument("-q", "--quiet", action="store_true", help=quiet)
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="auto: on a terminal (default)"
    )


def _add_formats(group: argparse._ActionsContainer) -> None:
    group.add_argument("--format", metavar="FORMAT", choices=(*FORMATS,), help="what is printed (default: text)")
    group.add_argument(
        "--output",
        metavar="FORMAT=FILE",
        action="append",
        help="write a format into a file as well (repeatable); - as FILE is standard output",
    )


def _add_level(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--level",
        choices=LEVELS,
        help="show only findings of this level or worse, and count only these (default: note)",
    )


def _add_fail_level(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--fail-level", choices=LEVELS, help="the least level that makes the exit code 1 (default: warning)"
    )


def _add_settings(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    settings = parser.add_argument_group("settings")
    either = settings.add_mutually_exclusive_group()
    either.add_argument("--config", metavar="FILE", help="read the settings from this file")
    either.add_argument("--no-config", action="store_true", help="read no configuration")
    settings.add_argument("--target", metavar="NAME", help="the ranged enable to propose (default: the tree's own)")
    return settings


def _add_cache(settings: argparse._ActionsContainer) -> None:
    settings.add_argument("--no-cache", action="store_true", help="read everything anew, and keep nothing")


def _add_jobs(settings: argparse._ActionsContainer) -> None:
    settings.add_argument("--jobs", metavar="N", type=int, help="processes (default: one per CPU)")


def _add_suppressions(settings: argparse._ActionsContainer) -> None:
    settings.add_argument("--suppressions", metavar="FILE", help="findings that are accepted, each with a reason")


_COMMANDS: Final[dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]] = {
    "check": ("report what is wrong, and what can be improved", _check),
    "fix": ("print the repairs as a diff, or make them", _fix),
    "sections": ("list every section and what is known of it", _sections),
    "series": ("check a patch series, and say which patch causes what", _series),
    "explain": ("what a rule means, or what is known of the section at a place", _explain),
    "graph": ("draw what runs in a section", _graph),
    "rules": ("list, document, review and upgrade rules", _man),
    "config": ("the settings that are in force, and where they come from", _config),
    "b4-check": ("check a patch for b4: its check commands", _b4_check),
    "hook": ("check what git is about to commit, push or send", _hook),
    "cache": ("what earlier runs found out: show how much, or delete it", _cache),
    "kbuild": ("check a file from a kernel build: make CHECK=", _kbuild),
    "dump": ("what the analysis sees", _dump),
    "completion": ("a completion script for bash, zsh or fish", _completion),
    "man": ("the manual page", _man),
}
