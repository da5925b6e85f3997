"""Plain text for people: colour where it is wanted, counts in words, and nothing that a file name could smuggle in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, NamedTuple, TextIO

_CODES: Final = {"bold": "1", "red": "1;31", "magenta": "1;35", "cyan": "1;36", "green": "32", "yellow": "33"}


class Pen(NamedTuple):
    """Writes text in a colour, or plainly."""

    colour: bool = False

    def __call__(self, style: str, text: str) -> str:
        return f"\033[{_CODES[style]}m{text}\033[0m" if self.colour and style else text


def wants_colour(stream: TextIO, environment: Mapping[str, str] = os.environ, choice: str = "auto") -> bool:
    """True where colour is asked for, and for a terminal that can show it.

    ``choice`` is that of --color; then NO_COLOR comes before FORCE_COLOR, and that before the terminal.
    """
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    return bool(environment.get("FORCE_COLOR")) or (stream.isatty() and environment.get("TERM") != "dumb")


def shown(text: str) -> str:
    """The text with every character that does not print written as an escape: paths and C text are hostile."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(ord(character)) for character in text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def counted(number: int, noun: str) -> str:
    """Such as "1 warning", "2 warnings", "2 fixes"."""
    ending = "" if number == 1 else "es" if noun.endswith("x") else "s"
    return f"{number} {noun}{ending}"
