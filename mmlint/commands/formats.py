"""The formats of ``check`` and ``series``: names, what each is for, and who renders it.

A renderer is named here and imported when it is wanted: some need what takes longer to load than a file to check.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Format(NamedTuple):
    """``renderer`` is a module of `mmlint.report` and a function of it, empty for text; ``folder`` marks several files.

    ``of_series`` marks a format that tells of patches, and has nothing to tell of a plain check.
    """

    about: str
    renderer: str = ""
    folder: bool = False
    of_series: bool = False


TEXT: Final = "text"
FORMATS: Final[dict[str, Format]] = {
    TEXT: Format("the lines of gcc, for people and editors"),
    "terse": Format("the terse lines of checkpatch", "terse:render"),
    "json": Format("one document, for programs", "json:render"),
    "jsonl": Format("an object a line", "jsonl:render"),
    "sarif": Format("SARIF 2.1.0, with proofs, for viewers and GitHub", "sarif:render"),
    "rdjson": Format("reviewdog, one document", "rdjson:render"),
    "rdjsonl": Format("reviewdog, an object a line", "rdjson:render_lines"),
    "github": Format("workflow commands of GitHub Actions", "github:render"),
    "github-summary": Format("a page for $GITHUB_STEP_SUMMARY", "github_summary:render"),
    "gitlab": Format("GitLab's code quality report", "gitlab:render"),
    "junit": Format("JUnit's XML", "junit:render"),
    "checkstyle": Format("Checkstyle's XML", "checkstyle:render"),
    "patchwork": Format("checks for patchwork, an object for each patch", "patchwork:render"),
    "b4": Format("the lines that b4's check commands take", "b4_check:render"),
    "b4-json": Format("the JSON that b4 review's check commands take", "b4_check:render_json"),
    "b4-review": Format("a folder of remarks that b4 review merges", "b4_review:render", folder=True, of_series=True),
    "mail": Format("an mbox of replies to the author, as drafts", "mail:render", of_series=True),
    "fixup": Format("a folder of fixup patches for git am", "fixup:render", folder=True, of_series=True),
}
