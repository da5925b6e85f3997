"""The commands about rules as files: ``mmlint rules list | docs | audit | upgrade | new``.

    mmlint rules audit their/rules && mmlint check --rules their/rules mm

List, docs, audit and upgrade read rules with libcst and execute none; libcst is loaded when one of them runs, and by no
other command. Exit codes are those of ``fix`` for upgrade and those of ``check`` for the others.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from mmlint.audit import Audit
    from mmlint.catalog import Entry
    from mmlint.upgrade import Upgrade

CLEAN, FINDINGS, BAD = 0, 1, 2

_Parser = TypeVar("_Parser", bound=argparse.ArgumentParser)

_AUDIT = """\
Report what rule files do that rules must not: imports and built-in functions that reach outside, effects while the
module is loaded, state that is kept, metadata that is computed. Nothing is executed. This is an aid for whoever reviews
a rule, not a sandbox: a rule that is loaded with --rules runs with your rights, and one that wants to hide can."""


def add_rule_commands(commands: argparse._SubParsersAction[_Parser]) -> None:
    """Add ``rules`` and its commands."""
    rules = commands.add_parser("rules", help="the rules").add_subparsers(metavar="COMMAND", required=True)
    listing = rules.add_parser("list", help="names, levels and summaries")
    _add_folders(listing)
    listing.set_defaults(command=_list)
    docs = rules.add_parser("docs", help="a reference in Markdown")
    docs.add_argument("names", metavar="NAME", nargs="*", help="only these rules")
    _add_folders(docs)
    docs.set_defaults(command=_docs)
    audit = rules.add_parser("audit", help="review the files of rules before they are used", description=_AUDIT)
    audit.add_argument("paths", metavar="PATH", nargs="+", help="rule files, or folders of them")
    audit.add_argument("--format", choices=("text", "json"), default="text")
    audit.add_argument("-q", "--quiet", action="store_true", help="no summary")
    audit.set_defaults(command=_audit)
    upgrade = rules.add_parser("upgrade", help="bring rules to the present interface: print a diff, or write the files")
    upgrade.add_argument("paths", metavar="PATH", nargs="+", help="rule files, or folders of them")
    upgrade.add_argument("--in-place", action="store_true", help="write the files instead of printing a diff")
    upgrade.set_defaults(command=_upgrade)
    new = rules.add_parser("new", help="begin a rule and its fixture")
    new.add_argument("name", metavar="NAME", help="lower-case words joined by '-' that name the fault")
    new.add_argument("--folder", metavar="DIR", default=os.curdir, help="what gets rules/ and fixtures/ (default: .)")
    new.set_defaults(command=_new)


def trusted_folders(folders: Sequence[str], paths: Sequence[str]) -> tuple[Path, ...]:
    """The folders of ``--rules``. Raises UsageError for one in a tree under check: a tree does not bring its own judge.

    The tree of a path is the kernel tree around it, else the path itself.
    """
    from pathlib import Path

    from mmlint.config import UsageError

    for folder in folders:
        # A link in the tree that leads out of it is as little to be trusted as what is in the tree.
        places = (Path(folder).absolute(), Path(folder).resolve())
        for path in paths:
            root = _tree_around(Path(path).resolve())
            if places[1].is_dir() and any(place.is_relative_to(root) for place in places):
                raise UsageError(
                    f"{folder}: it is in the tree under check, {root}, and rules are executed; "
                    "keep rules that you trust outside of it"
                )
    return tuple(Path(folder) for folder in folders)


def _tree_around(path: Path) -> Path:
    from mmlint.tree import HEADER

    return next((folder for folder in (path, *path.parents) if (folder / HEADER).is_file()), path)


def _list(arguments: argparse.Namespace) -> int:
    entries = _catalog(arguments)
    from mmlint.catalog import listing

    sys.stdout.write(listing(entries))
    return CLEAN


def _docs(arguments: argparse.Namespace) -> int:
    entries = _catalog(arguments)
    from mmlint.catalog import reference
    from mmlint.checker import unknown_rule

    known = {entry.rule.name for entry in entries}
    for name in arguments.names:
        if name not in known:
            raise unknown_rule(name)
    sys.stdout.write(reference([e for e in entries if not arguments.names or e.rule.name in arguments.names]))
    return CLEAN


def _catalog(arguments: argparse.Namespace) -> tuple[Entry, ...]:
    _require_libcst()
    from pathlib import Path

    from mmlint.catalog import read_catalog

    return read_catalog(tuple(Path(folder) for folder in arguments.rules))


def _audit(arguments: argparse.Namespace) -> int:
    _require_libcst()
    from mmlint.audit import audit_files
    from mmlint.rule_file import rule_files

    audit = audit_files(rule_files(arguments.paths))
    if arguments.format == "json":
        from mmlint.engine import Coverage, Report
        from mmlint.report.json import render_check

        sys.stdout.write(render_check(Report(audit.diagnostics, (), Coverage(audit.files, 0, 0, audit.skipped))))
    else:
        _print(_audit_lines(audit, arguments.quiet))
    if audit.skipped:
        return BAD
    return FINDINGS if audit.diagnostics else CLEAN


def _audit_lines(audit: Audit, quiet: bool) -> Iterable[str]:
    from collections import Counter

    from mmlint.diagnostic import Level
    from mmlint.report.terminal import Pen, counted, wants_colour
    from mmlint.report.text import render_diagnostic, skipped_line

    pen = Pen(wants_colour(sys.stdout))
    for diagnostic in audit.diagnostics:
        yield from render_diagnostic(diagnostic, pen)
    for skipped in audit.skipped:
        yield skipped_line(skipped, pen)
    if not quiet:
        counts = Counter(diagnostic.level for diagnostic in audit.diagnostics)
        found = [counted(counts[level], str(level)) for level in sorted(Level, reverse=True) if counts[level]]
        yield f"{', '.join(found) or 'no findings'}; {counted(audit.files, 'rule file')}; {len(audit.skipped)} not read"


def _upgrade(arguments: argparse.Namespace) -> int:
    _require_libcst()
    from mmlint.report.diff import diff
    from mmlint.rule_file import rule_files

    upgrades, failures = _upgraded(rule_files(arguments.paths))
    for entry in upgrades:
        if not arguments.in_place:
            sys.stdout.buffer.write(diff(entry.path, entry.before, entry.after))
        elif entry.changes:
            failures += _write(entry, arguments.paths)
    for line in [*failures, *(line for entry in upgrades for line in _remarks(entry))]:
        print(line, file=sys.stderr)
    if failures:
        return BAD
    return FINDINGS if any(entry.changes or entry.left for entry in upgrades) else CLEAN


def _upgraded(paths: Sequence[str]) -> tuple[list[Upgrade], list[str]]:
    """What becomes of each file, and a line for each that cannot be upgraded."""
    from mmlint.report.terminal import shown
    from mmlint.rule_file import RuleSyntaxError, UnreadableRuleError, read_source
    from mmlint.upgrade import upgrade

    upgrades: list[Upgrade] = []
    failures: list[str] = []
    for path in paths:
        try:
            source = read_source(path)
            upgrades.append(upgrade(source))
        except UnreadableRuleError as error:
            failures.append(f"{shown(path)}: not upgraded: {error}")
        except RuleSyntaxError as error:
            failures.append(f"{shown(path)}:{source.line(error.span.start)}: not upgraded: {error}")
    return upgrades, failures


def _write(entry: Upgrade, roots: Iterable[str]) -> list[str]:
    from mmlint.atomic import WriteError, rewrite

    try:
        rewrite(entry.path, entry.before, entry.after, roots)
    except WriteError as error:
        return [str(error)]
    return []


def _remarks(entry: Upgrade) -> Iterable[str]:
    from mmlint.report.terminal import Pen, shown, wants_colour
    from mmlint.report.text import render_diagnostic

    for title in entry.applied:
        yield f"{shown(entry.path)}: {title}"
    for remark in entry.left:
        yield from render_diagnostic(remark, Pen(wants_colour(sys.stderr)))


def _new(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from mmlint.new_rule import write_rule
    from mmlint.report.terminal import shown
    from mmlint.rule import packaged_rules

    module, fixture = write_rule(arguments.name, Path(arguments.folder))
    own = "" if module.parent.resolve() == packaged_rules().resolve() else f"--rules {module.parent} "
    _print([shown(str(module)), shown(str(fixture)), shown(f"next: mmlint check {own}{fixture.parent}")])
    return CLEAN


def _require_libcst() -> None:
    try:
        import libcst  # noqa: F401 - asked for only to see whether it is there
    except ImportError as error:
        from mmlint.config import UsageError

        raise UsageError("this command reads rules with libcst, which is missing: pip install libcst") from error


def _add_folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rules", metavar="FOLDER", action="append", default=[], help="a folder of further rules; it is only read"
    )


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
