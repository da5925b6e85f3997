"""Reports of files, kept for as long as everything is the same that they were made from.

    kept = KeptReports(cache, checker)
    report = kept.find(source)                     None where there is none, or something is not as it was
    kept.keep(source, report, log)                 ``log`` is what the analysis asked of the tree

A report is found again by the content of its file and of every file in the folders of rules/kernel/calls.toml, by the
rules, the settings, the paths, and mmlint itself. What else the analysis read, listed or searched in the tree is asked
again, and the report holds when the answers are the same. It is read back without anything of it being executed: only
the classes that reports are made of are known to the reader.
"""

from __future__ import annotations

import io
import marshal
import os
import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mmlint.cache import Cache
from mmlint.cache_key import content, key
from mmlint.checker import INTERNAL_ERROR, Checker, FileReport
from mmlint.recorded import Log
from mmlint.source import Source
from mmlint.tree import api_of

if TYPE_CHECKING:
    from mmlint.tree import TreeApi

_MODULES: Final = frozenset(("mmlint.source", "mmlint.diagnostic", "mmlint.facts.sections", "mmlint.checker"))


class KeptReports:
    """The reports that the ``cache`` has for a checker."""

    def __init__(self, cache: Cache, checker: Checker) -> None:
        self._cache = cache
        self._checker = checker

    def find(self, source: Source) -> FileReport | None:
        """The report of a file of the disk, where nothing has changed that it was made from."""
        place = self._place(source)
        data = self._cache.get("report", place)
        if data is None:
            return None
        try:
            log, text = marshal.loads(data)
            tree = self._checker.recorded(source.path)
            if log and (tree is None or not tree.answers(log)):
                return None
        except Exception:
            # Whatever may be wrong with it: the file is judged anew.
            return None
        return load_report(text, lambda: source)

    def keep(self, source: Source, report: FileReport, log: Log) -> None:
        """Keep a report, unless it tells of a fault of mmlint."""
        text = dump_report(report, source) if report.facts is not None else None
        if text is not None:
            self._cache.put("report", self._place(source), marshal.dumps((log, text)))

    def _place(self, source: Source) -> bytes:
        checker = self._checker
        api = api_of(source.path, checker.vocabulary)
        tree = checker.recorded(source.path)
        state = tree.state.signature if tree is not None else b""
        where = (source.path, *_where(source.path, api))
        settings = (checker.target, str(checker.audit), *(rule.rule.name for rule in checker.rules))
        return key("report", *where, api.generation, api.ranged, state, content(source.data), *settings)


def check_kept(source: Source, checker: Checker) -> FileReport:
    """The report of a file of the disk: that which the cache of the checker has, or a new one, which it gets."""
    if checker.cache is None or not checker.cache.is_open:
        return checker.check(source)
    kept = KeptReports(checker.cache, checker)
    report = kept.find(source)
    if report is None:
        report = checker.check(source)
        tree = checker.recorded(source.path)
        kept.keep(source, report, tree.log if tree is not None else {})
    return report


def _where(path: str, api: TreeApi) -> tuple[str, str, str]:
    """The tree, the place of the file in it, and the tree as it is shown."""
    place = os.path.realpath(path)
    return api.root, place, os.path.relpath(api.root) if api.root else ""


def dump_report(report: FileReport, source: Source) -> bytes | None:
    """A report without the bytes of its file; None for one that tells of a fault of mmlint, or of other files."""
    if any(diagnostic.rule == INTERNAL_ERROR for diagnostic in report.diagnostics):
        return None
    stream = io.BytesIO()
    try:
        _Writer(stream, source).dump(report)
    except pickle.PicklingError:
        return None
    return stream.getvalue()


def load_report(text: bytes, source: Callable[[], Source]) -> FileReport | None:
    """The report that was dumped; ``source`` gives its file, where it is needed. None for what is no report."""
    try:
        report = _Reader(text, source).load()
    except Exception:
        return None
    return report if isinstance(report, FileReport) else None


class _Writer(pickle.Pickler):
    """Leaves the file out, whose bytes need not be kept."""

    def __init__(self, stream: io.BytesIO, source: Source) -> None:
        super().__init__(stream, pickle.HIGHEST_PROTOCOL)
        self._source = source

    def persistent_id(self, obj: object) -> int | None:
        if not isinstance(obj, Source):
            return None
        if obj != self._source:
            raise pickle.PicklingError("another file")
        return 0


class _Reader(pickle.Unpickler):
    """Knows nothing but the classes of a report."""

    def __init__(self, text: bytes, source: Callable[[], Source]) -> None:
        super().__init__(io.BytesIO(text))
        self._source = source

    def persistent_load(self, pid: object) -> Source:
        del pid
        return self._source()

    def find_class(self, module_name: str, global_name: str) -> object:
        if module_name in _MODULES and "." not in global_name:
            found = super().find_class(module_name, global_name)
            if isinstance(found, type) and found.__module__ == module_name:
                return found
        raise pickle.UnpicklingError(f"{module_name}.{global_name}")
