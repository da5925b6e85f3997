"""Reads the kernel's vocabulary from rules/kernel/*.toml.

A mistake in the data is an error that names file, key and remedy.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmlint.vocabulary import (
    Applies,
    Arithmetic,
    Bound,
    Callback,
    Calls,
    Equal,
    Generation,
    LevelCall,
    LockPointer,
    Locks,
    Macros,
    MapCall,
    Ranged,
    Sleepers,
    UnmapCall,
    Vocabulary,
    Wider,
)


class VocabularyError(Exception):
    """The kernel data cannot be used: file, key, and what to do."""


def kernel_data() -> Path:
    """The folder of the packaged *.toml: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "rules" / "kernel", package.parent / "rules" / "kernel"):
        if folder.is_dir():
            return folder
    raise VocabularyError(f"{package}: rules/kernel is missing; reinstall mmlint")


class _Table:
    """A TOML table that names its file and key in every complaint."""

    def __init__(self, file: Path, key: str, data: object) -> None:
        if not isinstance(data, dict):
            raise VocabularyError(f"{file}: {key}: expected a table; write [{key}]")
        self.file, self.key, self.data = file, key, data

    def fail(self, name: str, remedy: str) -> VocabularyError:
        return VocabularyError(f"{self.file}: {self.key}.{name}: {remedy}")

    def check(self, known: set[str]) -> None:
        for name in self.data:
            if name not in known:
                raise self.fail(name, f"unknown key; known are {', '.join(sorted(known))}")

    def text(self, name: str, default: str | None = None) -> str:
        value = self.data.get(name, default)
        if not isinstance(value, str):
            raise self.fail(name, "expected a string")
        return value

    def flag(self, name: str) -> bool:
        value = self.data.get(name, False)
        if not isinstance(value, bool):
            raise self.fail(name, "expected true or false")
        return value

    def index(self, name: str, default: int | None = -1) -> int:
        value = self.data.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or (name in self.data and value < 0):
            raise self.fail(name, "expected an argument number, from 0")
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        value = self.data.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(name, "expected a list of names")
        return tuple(value)

    def names(self, name: str) -> frozenset[str]:
        return frozenset(self.strings(name))

    def tables(self, name: str) -> list[tuple[str, _Table]]:
        value = self.data.get(name, {})
        if not isinstance(value, dict):
            raise self.fail(name, f"expected tables [{name}.NAME]")
        return [(key, _Table(self.file, f"{name}.{key}", item)) for key, item in value.items()]

    def array(self, name: str) -> list[_Table]:
        value = self.data.get(name, [])
        if not isinstance(value, list):
            raise self.fail(name, f"expected an array of tables [[{name}]]")
        return [_Table(self.file, f"{name}[{i}]", item) for i, item in enumerate(value)]

    def indices(self, name: str) -> dict[str, int]:
        table = _Table(self.file, name, self.data.get(name, {}))
        return {key: table.index(key) for key in table.data}


def _read(folder: Path, name: str, known: set[str]) -> _Table:
    file = folder / name
    try:
        data: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise VocabularyError(f"{file}: {error.strerror}; reinstall mmlint or give a complete folder") from error
    except tomllib.TOMLDecodeError as error:
        raise VocabularyError(f"{file}: {error}; mend the TOML") from error
    table = _Table(file, "(top level)", data)
    table.check(known)
    return table


def _api(folder: Path) -> tuple[tuple[Generation, ...], tuple[Ranged, ...], frozenset[str]]:
    file = _read(folder, "api.toml", {"generation", "ranged", "api"})
    generations = []
    for table in file.array("generation"):
        table.check({"name", "enter", "leave", "pause", "resume", "nesting", "source"})
        texts = {key: table.text(key, "") for key in ("pause", "resume", "source")}
        generations.append(
            Generation(
                table.text("name"), table.text("enter"), table.text("leave"), nesting=table.flag("nesting"), **texts
            )
        )
    ranged = []
    for table in file.array("ranged"):
        table.check({"name", "hook", "default", "source"})
        ranged.append(Ranged(table.text("name"), table.text("hook"), table.flag("default"), table.text("source", "")))
    if not generations or not ranged:
        raise VocabularyError(f"{file.file}: [[generation]] and [[ranged]] may not be empty; add one")
    api = _Table(file.file, "api", file.data.get("api", {}))
    return tuple(generations), tuple(ranged), api.names("implementation")


@dataclass(frozen=True, slots=True)
class _Tables:
    maps: dict[str, MapCall]
    unmaps: dict[str, UnmapCall]
    levels: dict[str, LevelCall]
    lock_pointers: dict[str, LockPointer]
    locks: Locks


def _tables(folder: Path) -> _Tables:
    file = _read(folder, "tables.toml", {"map", "unmap", "lock", "level", "lockptr"})
    maps = {}
    flags = ("held", "fails", "kernel", "allocates", "usually_kernel")
    for name, table in file.tables("map"):
        table.check({"mm", "pmd", "addr", "lock", *flags})
        maps[name] = MapCall(
            name,
            table.index("addr", None),
            table.index("mm"),
            table.index("pmd"),
            table.index("lock"),
            **{flag: table.flag(flag) for flag in flags},
        )
    unmaps = {}
    for name, table in file.tables("unmap"):
        table.check({"pte", "lock"})
        unmaps[name] = UnmapCall(name, table.index("pte", None), table.index("lock"))
    levels = {}
    for name, table in file.tables("level"):
        table.check({"mm", "parent", "kernel"})
        levels[name] = LevelCall(name, table.index("mm"), table.index("parent"), table.flag("kernel"))
    pointers = {}
    for name, table in file.tables("lockptr"):
        table.check({"mm", "pmd"})
        pointers[name] = LockPointer(name, table.index("pmd", None), table.index("mm"))
    lock = _Table(file.file, "lock", file.data.get("lock", {}))
    lock.check({"acquire", "release", "try", "double_acquire", "double_release", "guards", "asserts", "queries"})
    locks = Locks(
        lock.names("acquire"),
        lock.names("release"),
        lock.names("try"),
        lock.names("double_acquire"),
        lock.names("double_release"),
        lock.names("guards"),
        lock.names("asserts"),
        lock.names("queries"),
    )
    return _Tables(maps, unmaps, levels, pointers, locks)


@dataclass(frozen=True, slots=True)
class _Contracts:
    callbacks: tuple[Callback, ...]
    applies: tuple[Applies, ...]
    bounds: dict[str, Bound]
    wider: dict[str, Wider]
    stable: frozenset[str]
    types: dict[str, str]
    equals: tuple[Equal, ...]
    arithmetic: Arithmetic


def _contracts(folder: Path) -> _Contracts:
    known = {"callback", "applies", "bound", "wider", "stable", "types", "equal", "arithmetic"}
    file = _read(folder, "contracts.toml", known)
    callbacks = []
    for table in file.array("callback"):
        table.check({"struct", "field", "addr", "end", "text", "source", "wide"})
        callbacks.append(
            Callback(
                table.text("struct"),
                table.text("field"),
                table.index("addr", None),
                table.index("end", None),
                table.text("text"),
                table.text("source", ""),
                table.flag("wide"),
            )
        )
    applies = []
    for table in file.array("applies"):
        table.check({"name", "function", "pte"})
        applies.append(Applies(table.text("name"), table.index("function", None), table.index("pte", None)))
    bounds = {}
    for table in file.array("bound"):
        table.check({"name", "addr", "end", "text"})
        name = table.text("name")
        bounds[name] = Bound(name, table.index("addr", None), table.index("end", None), table.text("text"))
    wider = {}
    for table in file.array("wider"):
        table.check({"name", "text"})
        wider[table.text("name")] = Wider(table.text("name"), table.text("text"))
    stable = _Table(file.file, "stable", file.data.get("stable", {}))
    fields = frozenset(f"{struct}.{name}" for struct in stable.data for name in stable.names(struct))
    types = _Table(file.file, "types", file.data.get("types", {}))
    equals = []
    for table in file.array("equal"):
        table.check({"left", "right", "text", "source"})
        equals.append(Equal(table.text("left"), table.text("right"), table.text("text"), table.text("source", "")))
    arithmetic = _Table(file.file, "arithmetic", file.data.get("arithmetic", {}))
    sets = ("page_size", "page_shift", "page_mask", "pmd_size", "pmd_mask", "entry_index", "smaller", "larger")
    arithmetic.check({*sets, "kernel_mm"})
    return _Contracts(
        tuple(callbacks),
        tuple(applies),
        bounds,
        wider,
        fields,
        {key: types.text(key) for key in types.data},
        tuple(equals),
        Arithmetic(**{name: arithmetic.names(name) for name in sets}, kernel_mm=arithmetic.text("kernel_mm")),
    )


def _macros(folder: Path) -> Macros:
    file = _read(folder, "language.toml", {"macro"})
    table = _Table(file.file, "macro", file.data.get("macro", {}))
    sets = ("transparent", "asserts", "noreturn", "reads", "writes", "outputs", "swaps", "pure")
    table.check(set(sets))
    return Macros(*(table.names(name) for name in sets))


def _texts(file: _Table, name: str) -> dict[str, str]:
    table = _Table(file.file, name, file.data.get(name, {}))
    return {key: table.text(key) for key in table.data}


def _sleepers(folder: Path) -> Sleepers:
    file = _read(folder, "sleep.toml", {"sleep", "gfp", "flags", "optional"})
    sleep = _Table(file.file, "sleep", file.data.get("sleep", {}))
    sleep.check({"always", "guards", "faulting", "not_faulting"})
    flags = _Table(file.file, "flags", file.data.get("flags", {}))
    flags.check({"sleeping", "clearing"})
    optional = _Table(file.file, "optional", file.data.get("optional", {})).names("names")
    return Sleepers(
        sleep.names("always"),
        file.indices("gfp"),
        flags.names("sleeping"),
        flags.names("clearing"),
        optional,
        sleep.names("guards"),
        sleep.names("faulting"),
        sleep.names("not_faulting"),
    )


def _calls(folder: Path) -> Calls:
    known = {"search", "accessor", "atomic", "answer", "blocking", "conditional", "modes"}
    file = _read(folder, "calls.toml", known)

    def table(name: str, *keys: str) -> _Table:
        found = _Table(file.file, name, file.data.get(name, {}))
        found.check(set(keys))
        return found

    atomic = table("atomic", "names", "prefixes")
    return Calls(
        table("search", "folders").strings("folders"),
        table("accessor", "places").strings("places"),
        atomic.names("names"),
        atomic.strings("prefixes"),
        file.indices("answer"),
        table("blocking", "names").names("names"),
        file.indices("conditional"),
        table("modes", "types").names("types"),
    )


@lru_cache(maxsize=8)
def load_vocabulary(folder: Path | None = None, target: str = "") -> Vocabulary:
    """Read and check the vocabulary in ``folder`` (default: the packaged one).

    ``target`` is the ranged name to propose; empty means the one marked ``default``. Raises VocabularyError.
    """
    folder = folder or kernel_data()
    generations, ranged, implementation = _api(folder)
    tables = _tables(folder)
    kinds = {"read", "update", "read_update", "carry", "derive", "lockless", "lookup"}
    entries = _read(folder, "entries.toml", kinds | {"raw_read", "raw_write", "upper"})
    contracts = _contracts(folder)
    if not target:
        target = next((r.name for r in ranged if r.default), ranged[0].name)
    if not target.isidentifier():
        raise VocabularyError(f"{target!r} is no name for a function; give a C identifier")
    if target not in {r.name for r in ranged}:
        ranged = (*ranged, Ranged(target, "arch_enter_" + target.removeprefix("lazy_mmu_mode_"), source="settings"))
    return Vocabulary(
        generations,
        ranged,
        implementation,
        tables.maps,
        tables.unmaps,
        tables.levels,
        tables.lock_pointers,
        tables.locks,
        entries.indices("read"),
        entries.indices("update"),
        entries.indices("read_update"),
        entries.indices("carry"),
        entries.indices("derive"),
        _texts(entries, "lockless"),
        _Table(entries.file, "lookup", entries.data.get("lookup", {})).names("names"),
        entries.indices("raw_read"),
        entries.indices("raw_write"),
        _Table(entries.file, "upper", entries.data.get("upper", {})).names("types"),
        contracts.callbacks,
        contracts.applies,
        contracts.bounds,
        contracts.wider,
        contracts.stable,
        contracts.types,
        contracts.equals,
        contracts.arithmetic,
        _macros(folder),
        _sleepers(folder),
        _calls(folder),
        target,
    )
