"""Completion scripts for bash, zsh and fish, made from the tree of arguments.

    script("bash", make_parser(), ["wrong-mm", ...])   ->  the text of a script

All that is known when the script is made is written into it; completing runs nothing but the shell. Names of rules are
offered where a rule is wanted, files and folders where a path is.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_FILES: Final = ("PATH", "FILE", "INPUT", "FILE:FUNCTION", "FILE:FUNCTION|PATH")
_FOLDERS: Final = ("FOLDER", "DIR")
_RULES: Final = ("RULE", "NAME...")


@dataclass(frozen=True, slots=True)
class Option:
    """An option with all its spellings. ``wants`` is "", "files", "folders", "text", or the words to choose from."""

    names: tuple[str, ...]
    text: str
    wants: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A command: the words that lead to it, what it may be followed by, and what its operands are (as of an option)."""

    words: tuple[str, ...]
    text: str
    options: tuple[Option, ...]
    commands: tuple[tuple[str, str], ...]
    wants: tuple[str | tuple[str, ...], ...]


def script(shell: str, parser: argparse.ArgumentParser, rules: Sequence[str]) -> str:
    """The completion script for a shell. Raises KeyError for a shell that is not known."""
    nodes = list(walk(parser, (), "", tuple(rules)))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](nodes)


def walk(parser: argparse.ArgumentParser, words: tuple[str, ...], text: str, rules: tuple[str, ...]) -> Iterator[Node]:
    """Every command of a tree, the root first, with its options and operands."""
    options = []
    operands: list[str | tuple[str, ...]] = []
    commands: list[tuple[str, str]] = []
    below: list[tuple[str, argparse.ArgumentParser, str]] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts = {choice.dest: choice.help or "" for choice in action._choices_actions}
            commands = [(name, texts.get(name, "")) for name in action.choices]
            below = [(name, child, texts.get(name, "")) for name, child in action.choices.items()]
        elif action.option_strings:
            if action.help != argparse.SUPPRESS:
                options.append(Option(tuple(action.option_strings), _plain(action.help), _wants(action, rules)))
        else:
            operands.append(_wants(action, rules))
    yield Node(words, text, tuple(options), tuple(commands), tuple(operands))
    for name, child, about in below:
        yield from walk(child, (*words, name), about, rules)


def _wants(action: argparse.Action, rules: tuple[str, ...]) -> str | tuple[str, ...]:
    if action.nargs == 0:
        return ""
    if action.choices:
        return tuple(str(choice) for choice in action.choices)
    metavar = str(action.metavar or "")
    if metavar in _RULES:
        return rules
    if metavar == "RULE|PATH:LINE":
        return (*rules, "files")
    return "files" if metavar in _FILES else "folders" if metavar in _FOLDERS else "text"


def _plain(text: str | None) -> str:
    return re.sub(r"\s+", " ", (text or "").replace("%%", "%"))


def _bash(nodes: Iterable[Node]) -> str:
    lines = [
        "# bash completion for mmlint; made by `mmlint completion bash`",
        "_mmlint() {",
        '\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path="" word words="" kind=""',
        "\tlocal i",
        "\tfor ((i = 1; i < COMP_CWORD; i++)); do",
        "\t\tword=${COMP_WORDS[i]}",
        '\t\tcase "$path $word" in',
    ]
    known = list(nodes)
    paths = [" " + " ".join(node.words) for node in known if node.words]
    lines += [f"\t\t{_quoted(path)}) path={_quoted(path)} ;;" for path in paths]
    lines += ["\t\tesac", "\tdone", '\tcase "$path" in']
    for node in known:
        path = " " + " ".join(node.words) if node.words else ""
        lines.append(f"\t{_quoted(path)})")
        lines.append('\t\tcase "$prev" in')
        for option in node.options:
            if option.wants:
                lines.append(f"\t\t{'|'.join(option.names)}) {_bash_wants(option.wants)} ;;")
        names = [name for option in node.options for name in option.names]
        lines += ["\t\t*)", f"\t\t\tif [[ $cur == -* ]]; then words={_quoted(' '.join(names))}"]
        offered = " ".join(name for name, _ in node.commands)
        operand = f"words={_quoted(offered)}" if offered else _bash_wants(_together(node.wants))
        lines += [f"\t\t\telse {operand}; fi ;;", "\t\tesac ;;"]
    lines += [
        "\tesac",
        '\tCOMPREPLY=($(compgen -W "$words" -- "$cur"))',
        '\tcase "$kind" in',
        '\tfiles) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$cur")) ;;',
        '\tfolders) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$cur")) ;;',
        "\tesac",
        "}",
        "complete -F _mmlint mmlint",
    ]
    return "\n".join(lines) + "\n"


def _bash_wants(wants: str | tuple[str, ...]) -> str:
    if isinstance(wants, str):
        return f"kind={wants or 'text'}"
    words = [word for word in wants if word != "files"]
    kind = "kind=files; " if "files" in wants else ""
    return f"{kind}words={_quoted(' '.join(words))}"


def _together(wants: tuple[str | tuple[str, ...], ...]) -> str | tuple[str, ...]:
    return wants[0] if wants else "text"


def _zsh(nodes: Iterable[Node]) -> str:
    known = list(nodes)
    lines = ["#compdef mmlint", "# zsh completion for mmlint; made by `mmlint completion zsh`", ""]
    for node in known:
        lines += [f"{_zsh_name(node.words)}() {{", "\tlocal curcontext=$curcontext state line", "\tlocal -a commands"]
        lines.append("\t_arguments -C \\")
        for option in node.options:
            lines.append(f"\t\t{_zsh_option(option)} \\")
        if node.commands:
            lines += ["\t\t'1: :->command' \\", "\t\t'*:: :->arguments'"]
            entries = " ".join(_quoted(f"{_zsh_text(name)}:{text}") for name, text in node.commands)
            lines += ["\tcase $state in", "\tcommand)", f"\t\tcommands=({entries})"]
            lines += ["\t\t_describe -t commands command commands ;;", "\targuments)", "\t\tcase $line[1] in"]
            lines += [f"\t\t{name}) {_zsh_name((*node.words, name))} ;;" for name, _ in node.commands]
            lines += ["\t\tesac ;;", "\tesac"]
        else:
            wants = _together(node.wants)
            lines.append(f"\t\t{_quoted('*:' + _zsh_action(wants))}" if node.wants else "\t\t&& return")
        lines += ["}", ""]
    lines += ["if [[ $funcstack[1] == _mmlint ]]; then", '\t_mmlint "$@"', "else", "\tcompdef _mmlint mmlint", "fi"]
    return "\n".join(lines) + "\n"


def _zsh_name(words: Sequence[str]) -> str:
    return "_".join(["_mmlint", *words])


def _zsh_option(option: Option) -> str:
    text = _zsh_text(option.text).replace("[", "\\[").replace("]", "\\]")
    wants = ":" + _zsh_action(option.wants) if option.wants else ""
    specs = [_quoted(f"*{name}[{text}]{wants}") for name in option.names]
    return " \\\n\t\t".join(specs)


def _zsh_action(wants: str | tuple[str, ...]) -> str:
    if wants == "files":
        return "file:_files"
    if wants == "folders":
        return "folder:_files -/"
    if isinstance(wants, str):
        return "text: "
    words = " ".join(word for word in wants if word != "files")
    if "files" in wants:
        # The blank keeps _arguments from adding options that _alternative does not know.
        return f"rule or file: _alternative 'rules:rule:({words})' 'files:file:_files'"
    return f"choice:({words})"


def _zsh_text(text: str) -> str:
    return text.replace(":", "\\:")


def _fish(nodes: Iterable[Node]) -> str:
    known = list(nodes)
    lines = ["# fish completion for mmlint; made by `mmlint completion fish`", "complete -c mmlint -f"]
    for node in known:
        condition = _fish_condition(node)
        for name, text in node.commands:
            lines.append(f"complete -c mmlint -n {condition} -a {name} -d {_quoted(text)}")
        for option in node.options:
            lines.append(_fish_option(option, condition))
        for wants in node.wants[:1]:
            if wants == "files" or "files" in wants:
                lines.append(f"complete -c mmlint -n {condition} -F")
            words = [word for word in wants if word != "files"] if isinstance(wants, tuple) else []
            if words:
                lines.append(f"complete -c mmlint -n {condition} -a {_quoted(' '.join(words))}")
    return "\n".join(lines) + "\n"


def _fish_condition(node: Node) -> str:
    """When the command line so far has led to the command, and to none below it."""
    if not node.words:
        return "__fish_use_subcommand"
    seen = [f"__fish_seen_subcommand_from {word}" for word in node.words]
    if node.commands:
        seen.append("not __fish_seen_subcommand_from " + " ".join(name for name, _ in node.commands))
    return _quoted("; and ".join(seen))


def _fish_option(option: Option, condition: str) -> str:
    names = " ".join(
        f"-l {name.removeprefix('--')}" if name.startswith("--") else f"-s {name.removeprefix('-')}"
        for name in option.names
    )
    wants = ""
    if isinstance(option.wants, tuple):
        wants = f" -x -a {_quoted(' '.join(option.wants))}"
    elif option.wants in ("files", "folders"):
        wants = " -r -F" if option.wants == "files" else " -x -a '(__fish_complete_directories)'"
    elif option.wants:
        wants = " -x"
    return f"complete -c mmlint -n {condition} {names}{wants} -d {_quoted(option.text)}"


def _quoted(text: str) -> str:
    """In single quotes, for any of the three shells."""
    return "'" + text.replace("'", "'\\''") + "'"
