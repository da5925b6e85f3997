"""What the author of a rule sees: `Rule`, ways to build diagnostics from facts, and the loader.

A rule is one module of rules/: its docstring is the documentation, ``RULE`` its metadata, ``check`` a pure generator.

    RULE = Rule(name="missing-disable", level=Level.ERROR, summary="a way out of the function leaves the mode on")

    def check(function: FunctionFacts) -> Iterator[Diagnostic]:
        for section in function.sections:
            for leak in section.leaks:
                yield RULE.at(function, leak.exit, leak.message, leak.because)

The stem of the file is the rule's name with ``_`` for ``-``; there is no list of rules to keep in step. Loading runs
the module, so rules come from the package or from a folder that the user names, never from the tree under check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Final

from mmlint.config import UsageError
from mmlint.diagnostic import Applicability, Diagnostic, Edit, Fix, Level, Note
from mmlint.facts.sections import Evidence, FileFacts, FunctionFacts, Obligation, Section, Status
from mmlint.source import Location, Source, Span
from mmlint.wrap import COLUMNS, LIMIT, fits, wrap_call

# The best that a rule offers; a finding may offer less.
FIXES: Final = ("none", "display-only", "unsafe", "safe")


class RuleError(UsageError):
    """A rule module cannot be used: file, fault, and what to do."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Metadata of a rule, all literals. Raises ValueError when the name or the fix is malformed.

    ``question`` is what a reviewer asks the author below the message: short, and rather a question than a command.
    ``spelling`` tells that only a name is amiss: what the rule finds works as it stands.
    """

    name: str
    level: Level
    summary: str
    fix: str = "none"
    question: str = ""
    spelling: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", self.name):
            raise ValueError(f"rule name {self.name!r} is not in kebab-case; use lower-case words joined by '-'")
        if self.fix not in FIXES:
            raise ValueError(f"fix {self.fix!r} of rule {self.name} is unknown; use one of {', '.join(FIXES)}")

    def at(
        self,
        function: FunctionFacts,
        span: Span,
        message: str,
        notes: Iterable[Evidence] = (),
        fix: Fix | None = None,
        level: Level | None = None,
        configuration: str = "",
    ) -> Diagnostic:
        """A finding at ``span``; ``level`` defaults to the rule's. Raises ValueError on an empty message."""
        if not message:
            raise ValueError(f"{self.name}: a finding without a message")
        location = function.source.locate(span)
        steps = [Note(locate(function.source, step), step.text) for step in notes]
        if configuration:
            steps.append(Note(location, f"only with {configuration}"))
        return Diagnostic(self.name, level or self.level, location, function.name, message, tuple(steps), fix)

    def broken_claims(self, function: FunctionFacts, name: str, behind: str = "") -> Iterator[Diagnostic]:
        """A finding for each ranged call that claims the obligation ``name`` where it is refuted, or not shown to hold.

        What nothing shows is a warning at most, and not told where the obligation ``behind`` is refuted: to know more,
        that has to be mended first. The fix puts the one proven text in the place of the argument at fault.
        """
        for section in function.sections:
            owed = {obligation.name: obligation for obligation in section.obligations}
            claim = owed.get(name)
            if section.kind != "ranged" or claim is None or not claim.fault:
                continue
            if claim.status not in (Status.REFUTED, Status.UNKNOWN):
                continue
            if behind in owed and (claim.status, owed[behind].status) == (Status.UNKNOWN, Status.REFUTED):
                continue
            level = self.level if claim.status is Status.REFUTED else min(self.level, Level.WARNING)
            yield self.at(
                function,
                claim.subject or section.call,
                claim.fault,
                claim.because,
                fix=_correction(function, section, claim),
                level=level,
                configuration=section.configuration,
            )

    def incidents(
        self, function: FunctionFacts, kind: str, title: str = "", applicability: Applicability = Applicability.SAFE
    ) -> Iterator[Diagnostic]:
        """A finding for each incident of a kind, at the rule's level or what the incident allows.

        ``title`` names the fix, with {} for its text; without a title there is no fix.
        """
        for incident in function.of_kind(kind):
            fix = None
            if incident.replacement and title:
                path = incident.elsewhere.path if incident.elsewhere else function.source.path
                edit = Edit(path, incident.subject, incident.replacement)
                fix = Fix(title.format(incident.replacement), applicability, (edit,))
            found = self.at(
                function,
                incident.subject,
                incident.message,
                incident.because,
                fix,
                min(self.level, incident.at_most),
                incident.configuration,
            )
            place, owner = incident.elsewhere or found.location, incident.owner or found.function
            yield found._replace(location=place, function=owner)

    def in_file(
        self,
        facts: FileFacts,
        span: Span,
        message: str,
        notes: Iterable[Evidence] = (),
        fix: Fix | None = None,
        function: str = "",
    ) -> Diagnostic:
        """A finding that belongs to the file rather than to one of its functions with sections."""
        steps = tuple(Note(locate(facts.source, step), step.text) for step in notes)
        return Diagnostic(self.name, self.level, facts.source.locate(span), function, message, steps, fix)


def locate(source: Source, step: Evidence) -> Location:
    """Where the evidence stands: in ``source`` unless it says otherwise."""
    return step.elsewhere or source.locate(step.span)


def replace(function: FunctionFacts, span: Span, text: str) -> Edit:
    """An edit of the function's own file."""
    return Edit(function.source.path, span, text)


def replace_call(function: FunctionFacts, section: Section, callee: str, arguments: Iterable[str]) -> Edit:
    """An edit that writes the section's call anew, wrapped the way mm/ wraps calls."""
    return replace(function, section.call, wrap_call(function.source, section.call, callee, tuple(arguments)))


def replace_argument(function: FunctionFacts, section: Section, span: Span, text: str) -> Edit:
    """An edit of one argument of the section's call; the call is wrapped anew where its line would become too long."""
    source = function.source
    one_line = b"\n" not in source.data[section.call.start : section.call.end]
    one_word = text.isidentifier() and source.text(span).isidentifier()
    columns = LIMIT if one_line and one_word else COLUMNS
    if any(argument.span == span for argument in section.arguments) and not fits(source, span, text, columns):
        texts = [text if argument.span == span else argument.text for argument in section.arguments]
        return replace_call(function, section, section.callee, texts)
    return replace(function, span, text)


def _correction(function: FunctionFacts, section: Section, claim: Obligation) -> Fix | None:
    if not claim.replacement or claim.subject is None:
        return None
    inside = [argument for argument in section.arguments if claim.subject.covers(argument.span)]
    if len(inside) == 2 and "/*" in function.source.text(section.call):
        return None
    if len(inside) == 2 and "\n" not in function.source.text(claim.subject):
        # They are swapped, which makes no line longer.
        edit = replace(function, claim.subject, claim.replacement)
    elif len(inside) == 2:
        other = dict(zip(inside, reversed(inside), strict=True))
        texts = [other.get(argument, argument).text for argument in section.arguments]
        edit = replace_call(function, section, section.callee, texts)
    else:
        edit = replace_argument(function, section, claim.subject, claim.replacement)
    return Fix(f"pass {claim.replacement}", Applicability.UNSAFE, (edit,))


Check = Callable[[FunctionFacts], Iterator[Diagnostic]]
FileCheck = Callable[[FileFacts], Iterator[Diagnostic]]


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule module ready to run: metadata, checks, documentation and the file they came from.

    A module has ``check``, ``check_file`` or both; what it lacks finds nothing.
    """

    rule: Rule
    check: Check
    check_file: FileCheck
    documentation: str
    path: Path


def packaged_rules() -> Path:
    """The folder of the rules: inside an installed package, or beside it in a checkout. Raises RuleError."""
    package = Path(__file__).resolve().parent
    for folder in (package / "rules", package.parent / "rules"):
        if folder.is_dir():
            return folder
    raise RuleError(f"{package}: the rules folder is missing; reinstall mmlint")


@lru_cache(maxsize=8)
def load_rules(folders: tuple[Path, ...] = ()) -> tuple[LoadedRule, ...]:
    """The packaged rules and those of ``folders``, by name. Raises RuleError."""
    loaded: dict[str, LoadedRule] = {}
    for folder in (packaged_rules(), *folders):
        for file in _modules(folder):
            rule = _load(file)
            twin = loaded.setdefault(rule.rule.name, rule)
            if twin is not rule:
                raise RuleError(f"{file}: rule {rule.rule.name} is also in {twin.path}; rename one of them")
    return tuple(loaded[name] for name in sorted(loaded))


def _modules(folder: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise RuleError(f"{folder}: {error.strerror}; give a folder of rule modules") from error
    return [folder / name for name in names if name.endswith(".py") and not name.startswith("_")]


def _load(file: Path) -> LoadedRule:
    module = _execute(file)
    rule, check, check_file = (getattr(module, name, None) for name in ("RULE", "check", "check_file"))
    if not isinstance(rule, Rule):
        raise RuleError(f"{file}: RULE is missing; write RULE = Rule(name=..., level=..., summary=...)")
    if rule.name.replace("-", "_") != file.stem:
        raise RuleError(f"{file}: it holds the rule {rule.name}; name the file {rule.name.replace('-', '_')}.py")
    if not callable(check) and not callable(check_file):
        raise RuleError(f"{file}: check is missing; write def check(function: FunctionFacts) -> Iterator[Diagnostic]")
    if not module.__doc__:
        raise RuleError(f"{file}: the documentation is missing; begin the module with a docstring")
    return LoadedRule(
        rule,
        check if callable(check) else _nothing,
        check_file if callable(check_file) else _nothing,
        module.__doc__,
        file,
    )


def _nothing(facts: FunctionFacts | FileFacts) -> Iterator[Diagnostic]:
    del facts
    return iter(())


def _execute(file: Path) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(f"mmlint._rules.{file.stem}", file)
    if spec is None or spec.loader is None:
        raise RuleError(f"{file}: not a Python module; rename it or move it away")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RuleError(f"{file}: {type(error).__name__}: {error}; mend the module or move it away") from error
    return module
