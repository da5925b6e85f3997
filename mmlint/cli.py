"""The command line: one command runs, and an exit code comes out.

    main(["check", "--level", "warning", "mm"])  ->  1

Exit codes: 0 nothing at or above ``--fail-level`` (for ``fix``: nothing to change), 1 findings (for ``fix``: a diff),
2 the usage or the input is bad or something could not be read, 130 interrupted, 141 the reader of the output went away.

The arguments are described in `mmlint.commands.arguments`; each command is a module of `mmlint.commands`, imported when
it runs.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

CLEAN, FINDINGS, BAD, INTERRUPTED, NO_READER = 0, 1, 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Never raises, short of a fault in mmlint itself."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    collecting = gc.isenabled()
    # Next to nothing of a run is garbage before it ends; to look for some takes a tenth of the time.
    gc.disable()
    try:
        code = _dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _drop_output()
        return NO_READER
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # What a command reads and writes it answers for itself; this is the output, such as on a full disk.
        _drop_output()
        return _complain(f"{error.filename or 'the output'}: {error.strerror or error}")
    finally:
        if collecting:
            gc.enable()


def _dispatch(argv: Sequence[str]) -> int:
    if argv[:1] == ["kbuild"] and argv[1:] not in (["-h"], ["--help"]):
        # make gives the compiler's options, and runs this once for each file.
        from mmlint.commands.kbuild import run

        return run(argv[1:])
    from mmlint.commands.arguments import ArgumentError, make_parser

    try:
        arguments = make_parser(argv[0] if argv else "").parse_args(argv)
    except ArgumentError as error:
        return _complain(str(error))
    except SystemExit as request:
        return int(request.code or 0)
    try:
        return int(arguments.command(arguments))
    except Exception as error:
        if not is_the_users(error):
            raise
        return _complain(str(error))


def is_the_users(error: Exception) -> bool:
    """True for an error that says what the user can do about it."""
    from mmlint.config import UsageError
    from mmlint.kernel import VocabularyError

    return isinstance(error, UsageError | VocabularyError)


def _complain(fault: str) -> int:
    from mmlint.report.terminal import shown

    print(f"mmlint: error: {shown(fault)}", file=sys.stderr)
    return BAD


def _drop_output() -> None:
    """The interpreter flushes once more when it ends; let that go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
