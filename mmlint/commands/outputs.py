"""Where results go: one format on standard output, and any number into files.

    mmlint check --format terse --output sarif=mmlint.sarif --output junit=mmlint.xml mm

Everything is rendered before the first file is written, and each file is then replaced as a whole. ``FORMAT=-`` is the
same as ``--format FORMAT``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mmlint.commands.formats import FORMATS, TEXT
from mmlint.config import UsageError

if TYPE_CHECKING:
    from mmlint.report.outcome import Outcome

STDOUT = "-"


class Output(NamedTuple):
    """A format, and the file or folder that it goes to."""

    name: str
    path: str


def outputs_of(arguments: argparse.Namespace, series: bool = False) -> list[Output]:
    """What the arguments ask for, the one for standard output last.

    Raises UsageError for a format that there is not, or that does not fit, and for two outputs to one place.
    """
    found = [_output(text) for text in arguments.output or ()]
    printed = [output for output in found if output.path == STDOUT]
    if arguments.format or not printed:
        printed.append(Output(arguments.format or TEXT, STDOUT))
    if len(printed) > 1:
        names = " and ".join(output.name for output in printed)
        raise UsageError(f"standard output cannot hold both {names}; send one of them to a file")
    written = [output for output in found if output.path != STDOUT]
    places: dict[str, Output] = {}
    for output in written:
        twin = places.setdefault(os.path.realpath(output.path), output)
        if twin is not output:
            raise UsageError(f"--output {output.name}={output.path}: {twin.name} goes there; name another file")
    for output in (*written, *printed):
        if FORMATS[output.name].of_series and not series:
            raise UsageError(f"{output.name}: it tells of patches, and here are none; use it with mmlint series")
        if FORMATS[output.name].folder and output.path == STDOUT:
            raise UsageError(f"{output.name}: it is several files; give --output {output.name}=FOLDER")
    return [*written, *printed]


def _output(text: str) -> Output:
    name, equals, path = text.partition("=")
    if name not in FORMATS:
        raise UsageError(f"--output {text}: there is no format {name!r}; the formats are {', '.join(FORMATS)}")
    if not equals or not path:
        raise UsageError(f"--output {text}: where to is missing; give {name}=FILE")
    if "\0" in path:
        raise UsageError(f"--output {text}: no file has that name; give {name}=FILE")
    return Output(name, path)


def only_text(outputs: Sequence[Output]) -> bool:
    """True when nothing but text on standard output is asked for."""
    return outputs == [Output(TEXT, STDOUT)]


def write_outputs(outputs: Sequence[Output], outcome: Outcome) -> None:
    """Render all but text on standard output, then write the files, then print. Raises UsageError."""
    rendered = [(output, _rendered(output.name, outcome)) for output in outputs if output != Output(TEXT, STDOUT)]
    for output, content in rendered:
        if isinstance(content, bytes):
            _write(output, content)
        else:
            _write_folder(output, content)


def _rendered(name: str, outcome: Outcome) -> bytes | Mapping[str, bytes]:
    from importlib import import_module

    if name == TEXT:
        return _bytes(_text(outcome))
    module, _, function = FORMATS[name].renderer.partition(":")
    content: str | Iterable[str] | Mapping[str, bytes] = getattr(import_module(f"mmlint.report.{module}"), function)(
        outcome
    )
    return content if isinstance(content, Mapping) else _bytes(content)


def _text(outcome: Outcome) -> Iterable[str]:
    from mmlint.report.terminal import Pen

    if outcome.series is not None:
        from mmlint.report.series_text import render_lines

        return render_lines(outcome.series, Pen(), outcome.quiet, outcome.everything)
    from mmlint.report.text import render

    return render(outcome.report, Pen(), outcome.quiet)


def _bytes(content: str | Iterable[str]) -> bytes:
    text = content if isinstance(content, str) else "".join(f"{line}\n" for line in content)
    return text.encode("utf-8", "backslashreplace")


def _write(output: Output, content: bytes) -> None:
    if output.path == STDOUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return
    from mmlint.atomic import WriteError, write

    try:
        write(output.path, content)
    except WriteError as error:
        raise UsageError(f"--output {output.name}={output.path}: {error}") from error


def _write_folder(output: Output, files: Mapping[str, bytes]) -> None:
    from mmlint.atomic import WriteError, write_folder

    try:
        write_folder(output.path, files)
    except WriteError as error:
        raise UsageError(f"--output {output.name}={output.path}: {error}") from error
