"""The manual page in roff, made from the help texts and the summaries of the rules.

    page(make_parser(), [("wrong-mm", "error", "the mm is not ..."), ...], {"EXAMPLES": "..."})

Whatever comes from a text is escaped, so that no word of it is a request of roff.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mmlint import __version__

RuleLine = tuple[str, str, str]


def page(parser: argparse.ArgumentParser, rules: Sequence[RuleLine], closing: Mapping[str, str]) -> str:
    """The page. ``rules`` are name, level and summary; ``closing`` are headings with literal texts for the end."""
    return "\n".join([*_lines(parser, rules, closing), ""])


def _lines(parser: argparse.ArgumentParser, rules: Sequence[RuleLine], closing: Mapping[str, str]) -> Iterator[str]:
    yield f'.TH MMLINT 1 "" "mmlint {__version__}" "User Commands"'
    yield ".SH NAME"
    yield "mmlint \\- check the lazy MMU mode sections of Linux page\\-table walkers"
    yield ".SH SYNOPSIS"
    yield ".nh"
    for number, (words, _, command) in enumerate(c for c in _commands(parser, ()) if len(c[0]) == 1):
        if number:
            yield ".br"
        yield " ".join([f"\\fBmmlint {escaped(words[0])}\\fR", "[\\fIOPTION\\fR ...]", *_operands(command)])
    yield ".hy"
    yield ".SH DESCRIPTION"
    yield from _paragraph(parser.description or "")
    yield ".SH OPTIONS"
    yield from _arguments(parser)
    yield ".SH COMMANDS"
    for words, text, command in _commands(parser, ()):
        yield from _command(words, text, command)
    yield ".SH RULES"
    for name, level, summary in rules:
        yield ".TP"
        yield f'.BR {escaped(name)} " ({level})"'
        yield from _paragraph(summary)
    for title, text in closing.items():
        yield f".SH {title}"
        yield from _literal(text)


def _commands(
    parser: argparse.ArgumentParser, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, child in action.choices.items():
                yield (*words, name), texts.get(name, ""), child
                yield from _commands(child, (*words, name))


def _command(words: Sequence[str], text: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f".SS {escaped(' '.join(['mmlint', *words]))}"
    yield from _paragraph(parser.description or f"{text[:1].upper()}{text[1:]}.")
    yield from _arguments(parser)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction | argparse._HelpAction):
            continue
        yield ".TP"
        yield _argument(action)
        yield from _paragraph((action.help or "").replace("%%", "%"))


def _argument(action: argparse.Action) -> str:
    metavar = str(action.metavar or "|".join(map(str, action.choices or ())) or action.dest.upper())
    if not action.option_strings:
        return f".I {escaped(metavar)}"
    names = ", ".join(f"\\fB{escaped(name)}\\fR" for name in action.option_strings)
    return names if action.nargs == 0 else f"{names} \\fI{escaped(metavar)}\\fR"


def _operands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.option_strings:
            continue
        name = f"\\fI{escaped(str(action.metavar or action.dest))}\\fR"
        yield {"*": f"[{name} ...]", "+": f"{name} ..."}.get(str(action.nargs), name)


def _paragraph(text: str) -> Iterable[str]:
    lines = [escaped(re.sub(r"\s+", " ", line).strip()) for line in text.strip().split("\n")]
    return lines if any(lines) else [""]


def _literal(text: str) -> Iterator[str]:
    yield ".nf"
    for line in text.split("\n"):
        yield escaped(line)
    yield ".fi"


def escaped(text: str) -> str:
    """Text that roff prints as it is: backslashes, hyphens that are to be copied, and no line that begins a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\\&" + text if text.startswith((".", "'")) else text
