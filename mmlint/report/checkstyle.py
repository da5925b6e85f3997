"""The XML of Java's Checkstyle, which reviewdog, Jenkins and many more read.

    <checkstyle version="8.0">
      <file name="mm/walk.c">
        <error line="4" column="2" severity="error" message="it is so" source="mmlint.wrong-mm" />

It has no place for evidence, for suppressed findings and for a summary. Columns count UTF-16 code units.
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree

from mmlint.diagnostic import Diagnostic, Level
from mmlint.report.outcome import Outcome
from mmlint.report.terminal import shown

_SEVERITIES: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "info"}


def render(outcome: Outcome) -> str:
    """One document with a final newline. A file that holds a section is named, also when nothing was found in it."""
    root = ElementTree.Element("checkstyle", version="8.0")
    files = {facts.source.path: list[Diagnostic]() for facts in outcome.report.facts}
    for diagnostic in outcome.with_unread():
        files.setdefault(diagnostic.path, []).append(diagnostic)
    for path in sorted(files):
        file = ElementTree.SubElement(root, "file", name=shown(path))
        for diagnostic in files[path]:
            region = outcome.sources.region(diagnostic.location)
            attributes = {
                "line": str(region.line),
                "column": str(region.column),
                "severity": _SEVERITIES[diagnostic.level],
                "message": outcome.said(diagnostic),
                "source": f"mmlint.{diagnostic.rule}",
            }
            if not region.column:
                del attributes["column"]
            ElementTree.SubElement(file, "error", attributes)
    return document(root)


def document(root: ElementTree.Element) -> str:
    """The text of an XML document, indented, with a final newline."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
