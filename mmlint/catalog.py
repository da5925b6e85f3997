"""What is known of rules without running them: metadata and documentation, read from the text of their modules.

    for entry in read_catalog():
        print(entry.rule.name, entry.rule.level, entry.section("Limits"))

Loading a module executes it, which nobody should have to do only to see a list. For this, metadata has to be written as
literals: ``RULE = Rule(name="wrong-mm", level=Level.ERROR, summary="...")`` with strings and names of `Level`. Whatever
has to be computed is refused, as is a file that `load_rules` would refuse for its name or for lack of documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Final

import libcst as cst

from mmlint.diagnostic import Level
from mmlint.rule import Rule, RuleError, packaged_rules
from mmlint.rule_file import RuleFile, RuleSyntaxError, UnreadableRuleError, parse, read_source, rule_modules
from mmlint.source import Span

CONSTRUCTOR: Final = "mmlint.rule.Rule"
_LEVEL: Final = "mmlint.diagnostic.Level."
_HEADING: Final = re.compile(r"^## +(.+?) *$", re.MULTILINE)
_KINDS: Final = {
    "str": (str, "a string"),
    "bool": (bool, "True or False"),
    "Level": (Level, "one of Level.NOTE, Level.WARNING, Level.ERROR"),
}


class NotLiteralError(Exception):
    """The file does not say in so many words what it is: why, and at which bytes."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule as its file describes it. ``documentation`` is the docstring without common indentation."""

    rule: Rule
    documentation: str
    path: Path

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """Headings and texts of the documentation, in order; what comes before the first heading has an empty one."""
        parts = _HEADING.split(self.documentation)
        return tuple((heading, text.strip("\n")) for heading, text in zip(["", *parts[1::2]], parts[::2], strict=True))

    def section(self, heading: str) -> str:
        """The text below a heading. Raises KeyError when there is no such heading."""
        return dict(self.sections)[heading]


def read_catalog(folders: Sequence[Path] = ()) -> tuple[Entry, ...]:
    """The packaged rules and those of ``folders``, by name. Raises RuleError for what is unreadable or twice there."""
    found: dict[str, Entry] = {}
    for folder in (packaged_rules(), *folders):
        for path in rule_modules(folder):
            entry = read_entry(path)
            twin = found.setdefault(entry.rule.name, entry)
            if twin is not entry:
                raise RuleError(f"{path}: rule {entry.rule.name} is also in {twin.path}; rename one of them")
    return tuple(found[name] for name in sorted(found))


def read_entry(path: Path) -> Entry:
    """One rule. Raises RuleError with the line at fault."""
    place = str(path)
    try:
        source = read_source(place)
        try:
            file = parse(source)
            return Entry(metadata(file), documentation(file), path)
        except (RuleSyntaxError, NotLiteralError) as error:
            place = f"{path}:{source.line(error.span.start)}"
            raise
    except (UnreadableRuleError, RuleSyntaxError, NotLiteralError) as error:
        raise RuleError(f"{place}: {error}; mend the module or move it away") from error


def documentation(file: RuleFile) -> str:
    """The docstring of the module. Raises NotLiteralError when there is none."""
    text = file.module.get_docstring()
    if not text:
        raise NotLiteralError("the documentation is missing: a rule begins with a docstring", Span(0, 0))
    return text


def metadata(file: RuleFile) -> Rule:
    """The object that ``RULE`` would be. Raises NotLiteralError."""
    target, call = _declaration(file)
    if not isinstance(call, cst.Call) or file.meaning(call.func) != CONSTRUCTOR:
        raise NotLiteralError("RULE has to be Rule(...), with literals for its arguments", file.span(call or target))
    arguments = _arguments(file, call)
    values = {name: _literal(file, name, arg.value) for name, arg in arguments.items()}
    try:
        rule = Rule(**values)  # type: ignore[arg-type]
    except ValueError as error:
        raise NotLiteralError(str(error), file.span(call)) from error
    stem = rule.name.replace("-", "_")
    if stem != Path(file.source.path).stem:
        message = f"the rule is called {rule.name}, so the file has to be called {stem}.py"
        raise NotLiteralError(message, file.span(arguments["name"].value))
    return rule


def _declaration(file: RuleFile) -> tuple[cst.BaseExpression, cst.BaseExpression | None]:
    """The one place where RULE gets its value: the target and the value."""
    found: list[tuple[cst.BaseExpression, cst.BaseExpression | None]] = []
    for statement in file.statements():
        if isinstance(statement, cst.Assign):
            found += [(target.target, statement.value) for target in statement.targets if _is_rule(target.target)]
        elif isinstance(statement, cst.AnnAssign) and _is_rule(statement.target):
            found.append((statement.target, statement.value))
    if not found:
        raise NotLiteralError("RULE is missing: write RULE = Rule(name=..., level=..., summary=...)", Span(0, 0))
    if len(found) > 1:
        raise NotLiteralError("RULE is assigned a second time", file.span(found[1][0]))
    return found[0]


def _is_rule(target: cst.BaseExpression) -> bool:
    return isinstance(target, cst.Name) and target.value == "RULE"


def _arguments(file: RuleFile, call: cst.Call) -> dict[str, cst.Arg]:
    known = {entry.name: entry for entry in fields(Rule)}
    arguments: dict[str, cst.Arg] = {}
    for position, argument in enumerate(call.args):
        name = argument.keyword.value if argument.keyword else "".join(list(known)[position : position + 1])
        if argument.star or name not in known or name in arguments:
            text = file.text(argument)
            raise NotLiteralError(f"Rule has no use for '{text}': it takes {', '.join(known)}", file.span(argument))
        arguments[name] = argument
    for name, entry in known.items():
        if name not in arguments and entry.default is MISSING and entry.default_factory is MISSING:
            raise NotLiteralError(f"RULE lacks its {name}", file.span(call))
    return arguments


def _literal(file: RuleFile, name: str, value: cst.BaseExpression) -> object:
    kind, wanted = next(_KINDS[str(entry.type)] for entry in fields(Rule) if entry.name == name)
    read: object = None
    if isinstance(value, cst.SimpleString | cst.ConcatenatedString):
        read = value.evaluated_value
    elif file.meaning(value).startswith(_LEVEL):
        read = Level.__members__.get(file.meaning(value).removeprefix(_LEVEL))
    elif isinstance(value, cst.Name) and value.value in ("True", "False"):
        read = value.value == "True"
    if not isinstance(read, kind):
        raise NotLiteralError(f"the {name} of RULE has to be {wanted}, not '{file.text(value)}'", file.span(value))
    return read


def listing(entries: Iterable[Entry]) -> str:
    """A line for each rule: name, level, whether it has a fix, summary."""
    rules = [entry.rule for entry in entries]
    width = max((len(rule.name) for rule in rules), default=0)
    return "".join(
        f"{rule.name:{width}}  {rule.level!s:8} {'fix' if rule.fix != 'none' else '':4} {rule.summary}\n"
        for rule in rules
    )


def reference(entries: Sequence[Entry]) -> str:
    """The rules as a Markdown page: a table, then a section for each."""
    lines = ["# Rules", "", "| rule | level | fix | what it finds |", "|---|---|---|---|"]
    for entry in entries:
        rule = entry.rule
        summary = rule.summary.replace("|", "\\|")
        lines.append(f"| [{rule.name}](#{rule.name}) | {rule.level} | {rule.fix} | {summary} |")
    for entry in entries:
        lines += ["", f"## {entry.rule.name}"]
        for heading, text in entry.sections:
            lines += ["", f"### {heading}"] * bool(heading) + ["", text] * bool(text)
    return "\n".join(lines) + "\n"
