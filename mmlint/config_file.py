"""The configuration file: found above the current folder, read with care, every value with the line it stands on.

    # .mmlint.toml, or the table [tool.mmlint] of pyproject.toml
    fail-level = "error"
    ignore = ["unranged-walker"]
    suppressions = "tools/accepted.txt"

The search goes from the current folder upwards and stops at the first file that configures mmlint. What lies elsewhere
in the tree under check is never read, and no file can name rule folders or commands: it may say what is shown, not what
is executed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from mmlint.config import UsageError
from mmlint.diagnostic import Level

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = ".mmlint.toml"
PROJECT: Final = "pyproject.toml"
# What a file may not decide, with the reason; all else that is unknown is a slip of the pen.
_FORBIDDEN: Final = {
    "rules": "rules are executed, so a file cannot name them; give --rules on the command line",
    "config": "a file cannot name another one; give --config on the command line",
}

# Most projects do not configure mmlint, and to parse what they say costs more than to look for the words.
_MAY_CONFIGURE: Final = re.compile(rb"""tool[\s"'.]*mmlint|\btool["']?\s*[\]=]""")

Setting: TypeAlias = "str | int | Level | Path | frozenset[str]"


class Value(NamedTuple):
    """What a key was set to, and where: "path:line", or the path alone where the line is not known."""

    setting: Setting
    origin: str


class ConfigFile(NamedTuple):
    """A file that was read: the path as the user should see it, and the keys it sets."""

    path: Path
    values: Mapping[str, Value]


def find_config(folder: str) -> ConfigFile | None:
    """The configuration that holds in the absolute ``folder``, if there is one.

    Raises UsageError for one that cannot be used.
    """
    above, below = folder, ""
    while above != below:
        for name in (NAME, PROJECT):
            path = os.path.join(above, name)  # noqa: PTH118 - pathlib costs more than the search
            if os.path.isfile(path):  # noqa: PTH113 - a folder of that name is no configuration
                found = _found(name if above == folder else path, required=name == NAME)
                if found is not None:
                    return found
        above, below = os.path.dirname(above), above  # noqa: PTH120
    return None


def _found(path: str, required: bool) -> ConfigFile | None:
    from pathlib import Path

    return _read(Path(path), required)


def read_config(path: Path) -> ConfigFile:
    """The configuration in ``path``. Raises UsageError: file, line where it is known, key, and remedy."""
    found = _read(path, required=True)
    assert found is not None
    return found


def _read(path: Path, required: bool) -> ConfigFile | None:
    """The settings of a file; None for a pyproject.toml without any, unless that is an error."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; give a file that can be read, or --no-config") from error
    in_project = path.name == PROJECT
    if in_project and not required and not _MAY_CONFIGURE.search(data):
        return None
    text, table = _parse(path, data)
    if in_project:
        tool = table.get("tool")
        own = tool.get("mmlint") if isinstance(tool, dict) else None
        if own is None and not required:
            return None
        if not isinstance(own, dict):
            raise UsageError(f"{path}: there is no table [tool.mmlint]; write one, or give another file")
        table = own
    return ConfigFile(path, {key: _value(path, text, key, raw) for key, raw in table.items()})


def _parse(path: Path, data: bytes) -> tuple[str, dict[str, object]]:
    import tomllib

    try:
        text = data.decode("utf-8")
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: not UTF-8; save the file as UTF-8, or give --no-config") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        place = f"{path}:{found.group(1)}" if found else f"{path}"
        fault = str(error)[: found.start()] if found else str(error)
        raise UsageError(f"{place}: not TOML: {fault}; mend the file, or give --no-config") from error


def _value(path: Path, text: str, key: str, raw: object) -> Value:
    line = _line_of(text, key, in_project=path.name == PROJECT)
    place = f"{path}:{line}" if line else str(path)
    if key not in _READERS:
        raise UsageError(f"{place}: {key}: {_remedy(key)}")
    try:
        return Value(_READERS[key](path, raw), place)
    except ValueError as error:
        raise UsageError(f"{place}: {key}: {error}") from error


def _remedy(key: str) -> str:
    if key in _FORBIDDEN:
        return _FORBIDDEN[key]
    if key.replace("_", "-").lower() in _READERS:
        return f"there is no such key; write {key.replace('_', '-').lower()}"
    return f"there is no such key; there are {', '.join(_READERS)}"


def _line_of(text: str, key: str, in_project: bool) -> int:
    """The line (from 1) that sets a key, or 0 where that is written in an unusual way."""
    spelled = rf"(?:{re.escape(key)}|\"{re.escape(key)}\"|'{re.escape(key)}')"
    inside = not in_project
    for number, line in enumerate(text.split("\n"), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\[\]]*?)\s*\]", line):
            name = re.sub(r"\s*\.\s*", ".", header.group(1))
            if re.fullmatch(rf"(?:tool\.mmlint\.)?{spelled}", name):
                return number
            inside = in_project and name == "tool.mmlint"
        elif inside and re.match(rf"\s*{spelled}\s*[=.]", line):
            return number
    return 0


def _target(path: Path, raw: object) -> str:
    del path
    if not isinstance(raw, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", raw):
        raise ValueError(f'{_quoted(raw)} is no name for a function; write "lazy_mmu_mode_enable_for_pte_range"')
    return raw


def _level(path: Path, raw: object) -> Level:
    del path
    names = [str(level) for level in Level]
    if raw not in names:
        raise ValueError(f"{_quoted(raw)} is no level; write {_either(names)}")
    return Level[str(raw).upper()]


def _names(path: Path, raw: object) -> frozenset[str]:
    del path
    if not isinstance(raw, list) or not all(isinstance(name, str) and name for name in raw):
        raise ValueError(f'{_quoted(raw)} is no list of rules; write ["wrong-mm", "wrong-ptep"]')
    return frozenset(raw)


def _jobs(path: Path, raw: object) -> int:
    del path
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 0:
        raise ValueError(f"{_quoted(raw)} is no number of processes; write 0 for one per CPU, or 1, 2, ...")
    return raw


def _switch(path: Path, raw: object) -> bool:
    del path
    if not isinstance(raw, bool):
        raise ValueError(f"{_quoted(raw)} is neither true nor false; write one of them")
    return raw


def _file(path: Path, raw: object) -> Path:
    if not isinstance(raw, str) or not raw or "\0" in raw:
        raise ValueError(f'{_quoted(raw)} is no file name; write "accepted.txt", relative to this file')
    return path.parent / raw


def _quoted(raw: object) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    return f'"{raw}"' if isinstance(raw, str) else str(raw)


def _either(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names[:-1]) + f' or "{names[-1]}"'


_READERS: Final[Mapping[str, Callable[[Path, object], Setting]]] = {
    "target": _target,
    "level": _level,
    "fail-level": _level,
    "select": _names,
    "ignore": _names,
    "suppressions": _file,
    "jobs": _jobs,
    "cache": _switch,
}
KEYS: Final = tuple(_READERS)
