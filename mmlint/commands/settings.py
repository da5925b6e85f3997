"""From arguments and a configuration file to the settings that are in force, each with where it comes from.

The command line comes first, then the environment, then the file that MMLINT_CONFIG names or else the one found above
the current folder, then the defaults. A rule that ``--select`` names is looked for even where the file ignores it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from mmlint.config import Settings, UsageError
from mmlint.config_file import ConfigFile, Setting, Value, find_config, read_config
from mmlint.diagnostic import Level

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = "MMLINT_CONFIG"
NO_CACHE = "MMLINT_NO_CACHE"
COMMAND_LINE = "command line"


class Resolved(NamedTuple):
    """``origins`` tells for each key that is not at its default where it was set; ``config`` is the file, if any."""

    settings: Settings
    origins: Mapping[str, str]
    config: ConfigFile | None = None


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings in force. Raises UsageError."""
    return resolve(arguments).settings


def resolve(arguments: argparse.Namespace) -> Resolved:
    """The settings in force with their origins. Raises UsageError."""
    config = _config(arguments)
    values = dict(config.values) if config else {}
    if config:
        _check_rules(config, arguments)
    given = _given(arguments)
    if "select" in given and "ignore" not in given and "ignore" in values:
        values["ignore"] = Value(_set(values["ignore"].setting) - _set(given["select"]), values["ignore"].origin)
    origins = {key: value.origin for key, value in values.items()}
    found: dict[str, Setting] = {key: value.setting for key, value in values.items()}
    if os.environ.get(NO_CACHE):
        found["cache"], origins["cache"] = False, NO_CACHE
    found.update(given)
    origins.update(dict.fromkeys(given, COMMAND_LINE))
    if config and "suppressions" not in found:
        _beside(config, found, origins)
    fields = {key.replace("-", "_"): setting for key, setting in found.items()}
    settings = Settings(**fields, rules=_rule_folders(arguments))  # type: ignore[arg-type]
    return Resolved(settings, origins, config)


def _config(arguments: argparse.Namespace) -> ConfigFile | None:
    if getattr(arguments, "no_config", False):
        return None
    named = getattr(arguments, "config", None)
    named = named or os.environ.get(ENVIRONMENT)
    if named:
        from pathlib import Path

        return read_config(Path(named))
    return find_config(os.getcwd())  # noqa: PTH109 - pathlib costs more than the search


def _given(arguments: argparse.Namespace) -> dict[str, Setting]:
    """What the command line sets."""
    given: dict[str, Setting] = {}
    if getattr(arguments, "target", None):
        given["target"] = arguments.target
    for key in ("level", "fail-level"):
        name = getattr(arguments, key.replace("-", "_"), None)
        if name:
            given[key] = Level[name.upper()]
    for key in ("select", "ignore"):
        names = getattr(arguments, key, None)
        if names:
            given[key] = frozenset(name for text in names for name in text.split(",") if name)
    jobs = getattr(arguments, "jobs", None)
    if jobs is not None:
        if jobs < 0:
            raise UsageError(f"--jobs {jobs}: give the number of processes, or 0 for one per CPU")
        given["jobs"] = jobs
    if getattr(arguments, "no_cache", False):
        given["cache"] = False
    lists = [getattr(arguments, name, None) for name in ("suppressions", "write_suppressions")]
    if not any(lists):
        return given
    from pathlib import Path

    if all(lists) and Path(lists[0] or "").resolve() != Path(lists[1] or "").resolve():
        raise UsageError(f"--suppressions {lists[0]}: entries are added to {lists[1]}; give one of the two")
    given["suppressions"] = Path(lists[0] or lists[1] or "")
    return given


def _beside(config: ConfigFile, found: dict[str, Setting], origins: dict[str, str]) -> None:
    from mmlint.suppressions import NAME

    beside = config.path.parent / NAME
    if os.path.isfile(beside):  # noqa: PTH113
        found["suppressions"] = beside
        origins["suppressions"] = f"beside {config.path}"


def _check_rules(config: ConfigFile, arguments: argparse.Namespace) -> None:
    """Raise UsageError, with file and line, for a rule that there is not."""
    named = [(key, value) for key, value in config.values.items() if key in ("select", "ignore")]
    if not any(_set(value.setting) for _, value in named):
        return
    from mmlint.checker import INTERNAL_ERROR
    from mmlint.rule import load_rules
    from mmlint.series.model import SERIES_RULES
    from mmlint.suppressions import UNUSED

    known = {rule.rule.name for rule in load_rules(_rule_folders(arguments))} | {INTERNAL_ERROR, UNUSED, *SERIES_RULES}
    for key, value in named:
        for name in sorted(_set(value.setting) - known):
            raise UsageError(f"{value.origin}: {key}: {name}: there is no such rule; `mmlint rules list` names them")


def _rule_folders(arguments: argparse.Namespace) -> tuple[Path, ...]:
    folders = getattr(arguments, "rules", None)
    if not folders:
        return ()
    from mmlint.rule_commands import trusted_folders

    return trusted_folders(folders, getattr(arguments, "paths", None) or [os.curdir])


def _set(setting: Setting) -> frozenset[str]:
    assert isinstance(setting, frozenset)
    return setting
