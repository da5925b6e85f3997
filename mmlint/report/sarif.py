"""SARIF 2.1.0: the findings with their proofs, and what was proven, what is open, and what was not analysed.

A result is of kind ``fail`` for a finding; ``pass`` for a section that is proven, with its proof; ``open`` for one
whose range is not known, and for code that was not analysed, which is a notification of the tool as well; ``review``
for a section with several ranges, of which a person has to choose; ``notApplicable`` for one without a range.
``quiet`` leaves only what fails, what was suppressed, and what was not analysed.

Columns count UTF-16 code units. What GitHub reads is within one line, since it shows no alert that leaves the diff.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from mmlint import __version__
from mmlint.diagnostic import Level
from mmlint.report.explanation import PSEUDO_RULES
from mmlint.report.outcome import NOT_ANALYSED, Outcome, unread
from mmlint.report.sarif_results import SECTION, artifact, finding, not_analysed, section_result
from mmlint.report.terminal import shown
from mmlint.rule import LoadedRule, load_rules

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SHORT: Final = 1000
_SECTION_ABOUT: Final = """\
A section of the lazy MMU mode

Each section is judged by what it owes: the mm owns the page table, the pointer is the entry for the address, the range
is that of this walk and stays in one page table, every path meets one disable, and the lock is held throughout.
"""


def render(outcome: Outcome) -> str:
    """One document with a final newline. Raises RuleError for a folder of rules that cannot be loaded."""
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(outcome)]}, indent=1) + "\n"


def _run(outcome: Outcome) -> dict[str, Any]:
    report = outcome.report
    missed = unread(report.coverage.skipped, outcome.sources)
    results = [finding(diagnostic, outcome) for diagnostic in report.diagnostics]
    results += [finding(accepted.diagnostic, outcome, accepted.reason) for accepted in report.suppressed]
    results += [{**finding(gone, outcome), "baselineState": "absent"} for gone in outcome.fixed]
    results += [not_analysed(diagnostic, outcome) for diagnostic in missed]
    if not outcome.quiet:
        results += filter(None, (section_result(*pair, outcome) for pair in outcome.sections()))
    rules = _rules(load_rules(outcome.rules))
    positions = {rule["id"]: position for position, rule in enumerate(rules)}
    for result in results:
        if result["ruleId"] in positions:
            result["ruleIndex"] = positions[result["ruleId"]]
    notifications = [
        {
            "descriptor": {"id": NOT_ANALYSED},
            "level": "warning",
            "message": {"text": shown(entry.message)},
            "locations": [{"physicalLocation": {"artifactLocation": artifact(entry.path)}}],
        }
        for entry in report.coverage.skipped
    ]
    notifications += [{"level": "note", "message": {"text": shown(remark)}} for remark in outcome.remarks]
    return {
        "tool": {"driver": _driver(rules)},
        "columnKind": "utf16CodeUnits",
        "automationDetails": {"id": "mmlint/"},
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "the folder that mmlint was run in"}}},
        "invocations": [{"executionSuccessful": not missed, "toolExecutionNotifications": notifications}],
        "results": results,
        "properties": {
            "files": report.coverage.files,
            "functions": report.coverage.functions,
            "sections": report.coverage.sections,
            "below": report.below,
        },
    }


def _driver(rules: list[dict[str, Any]]) -> dict[str, Any]:
    missed = next(rule for rule in rules if rule["id"] == NOT_ANALYSED)
    notification = {key: missed[key] for key in ("id", "name", "shortDescription", "fullDescription", "help")}
    return {
        "name": "mmlint",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": rules,
        "notifications": [notification],
    }


def _rules(loaded: Iterable[LoadedRule]) -> list[dict[str, Any]]:
    rules = [_rule(rule.rule.name, rule.rule.level, rule.rule.summary, rule.documentation) for rule in loaded]
    for name, text in PSEUDO_RULES.items():
        _, _, documentation = text.partition("\n\n")
        head = text.partition("\n")[0]
        level = next(level for level in Level if f" {level}," in head)
        rules.append(_rule(name, level, documentation.partition(".")[0].replace("\n", " "), documentation))
    summary, _, documentation = _SECTION_ABOUT.partition("\n\n")
    rules.append(_rule(SECTION, Level.NOTE, summary, documentation))
    return rules


def _rule(name: str, level: Level, summary: str, documentation: str) -> dict[str, Any]:
    found = re.search(r"^## What it does\n+(.*?)(?=\n## |\Z)", documentation, re.DOTALL | re.MULTILINE)
    about = " ".join((found.group(1) if found else documentation).split())
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": about[:_SHORT]},
        "help": {"text": documentation.strip(), "markdown": documentation.strip()},
        "defaultConfiguration": {"level": str(level)},
        "properties": {
            "tags": ["correctness" if level > Level.NOTE else "performance", "lazy-mmu"],
            "precision": "very-high" if level is Level.ERROR else "high",
            "problem.severity": {Level.ERROR: "error", Level.WARNING: "warning"}.get(level, "recommendation"),
        },
    }
