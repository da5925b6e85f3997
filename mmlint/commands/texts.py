"""Descriptions, examples and closing words of the commands: what ``--help`` and the manual page say beyond options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ABOUT: Final = """\
Find the lazy MMU mode sections of Linux page-table walkers, and check or propose the ranges they name. Neither a build
nor a .config is needed, and nothing of the tree is executed."""

EXAMPLES: Final[Mapping[str, str]] = {
    "": """\
mmlint sections mm                       every section, and the call that is proven for it
mmlint check mm fs/proc                  what is wrong, in the format of gcc
mmlint fix mm | git apply                make the proven repairs
mmlint explain mm/memory.c:1603          the proof for the section on that line
mmlint explain wrong-ptep                what a rule means""",
    "check": """\
mmlint check mm fs/proc
mmlint check --level warning --statistics .
mmlint check -g origin/master..HEAD
mmlint check - --stdin-filename mm/memory.c <new.c
mmlint check --output sarif=mmlint.sarif --output junit=mmlint.xml mm
mmlint check --format github --output github-summary="$GITHUB_STEP_SUMMARY" mm
mmlint check --write-suppressions .mmlint-suppressions --reason 'reviewed in v3' mm""",
    "fix": """\
mmlint fix mm                            print a diff
mmlint fix --in-place mm/madvise.c       write the file
mmlint fix --commit-message mm           a message for the change
mmlint fix --series patches .            a patch for each file, with a cover letter
git am --empty=drop patches/*.patch      apply them, without the cover letter""",
    "sections": """\
mmlint sections .
mmlint sections -v mm/mprotect.c         with proofs
mmlint sections --audit-access .         what runs in them, and how it accesses entries
mmlint sections --format json mm""",
    "graph": """\
mmlint graph mm/memory.c:1603 | dot -Tsvg >zap.svg
mmlint graph --format mermaid mm/memory.c:1603""",
    "series": """\
mmlint series v2.mbox                        mails, as git, b4 and lore write them
mmlint series --tree ~/src/linux out/*.patch
mmlint series origin/master..HEAD
b4 am -o - MSGID | mmlint series -
mmlint series v2.mbox --since-previous v1.mbox
mmlint series v2.mbox --output mail=replies.mbox --output fixup=fixes
mmlint series v2.mbox --output b4-review=.git/b4-review/$(git rev-parse HEAD)""",
    "explain": """\
mmlint explain wrong-mm
mmlint explain mm/memory.c:1603
mmlint explain -q mm/memory.c:1603       without the source lines""",
    "dump": """\
mmlint dump parse --summary mm
mmlint dump cfg mm/memory.c:zap_pte_range
mmlint dump state mm/memory.c:zap_pte_range""",
    "b4-check": """\
git config b4.prep-perpatch-check-cmd "mmlint b4-check"
git config b4.review-perpatch-check-cmd "mmlint b4-check --json" """.rstrip(),
    "hook": """\
printf '#!/bin/sh\\nexec mmlint hook pre-push "$@"\\n' >.git/hooks/pre-push && chmod +x .git/hooks/pre-push
mmlint hook pre-commit                       what is staged now""",
    "kbuild": """\
make C=2 CHECK="mmlint kbuild" mm/
make C=1 CHECK="mmlint kbuild" CF="--mmlint-level=warning --mmlint-error" """.rstrip(),
    "cache": """\
mmlint cache info
mmlint cache clear""",
    "config": """\
mmlint config
mmlint config --config /etc/mmlint.toml --level error""",
    "completion": """\
mmlint completion bash >~/.local/share/bash-completion/completions/mmlint
mmlint completion zsh >~/.zfunc/_mmlint      (with ~/.zfunc in $fpath)
mmlint completion fish >~/.config/fish/completions/mmlint.fish""",
    "man": "mmlint man | man -l -",
}

ABOUT_COMMAND: Final[Mapping[str, str]] = {
    "check": """\
Report what is wrong, and what can be improved: each finding with its evidence, then one line on what was looked at.
What mmlint could not read is told and never taken for clean.""",
    "fix": """\
Print the repairs that are proven as a diff that git apply takes, or make them. What a repair gives is analysed again
before it is shown; where it reads worse than before, nothing is changed.""",
    "sections": """\
List every section with its verdict: the ranged call that is proven for it, or the reason why there is none. With
--audit-access say instead, for each section, whether anything that runs in it dereferences a page table entry directly:
clean, not clean, or unresolved, with the functions that were looked at and those that could not be.""",
    "graph": """\
Draw the functions that get a pte pointer of a section, or find one by themselves: green are those that access entries
by ptep_get(), set_pte() and their like only, red those that dereference one or may sleep, yellow what could not be
looked at.""",
    "series": """\
Check a patch series as one object: apply it aside, judge the tree after every patch, and say which patch causes or
repairs what. Only what the author caused is shown, and everything that could not be seen is told. Neither the work tree
nor the index nor the objects of the repository are touched, and nothing is fetched.""",
    "explain": """\
Say what a rule means, or show the proof sheet of the section on a line, with the source around each piece of evidence.
On another line of a function it shows all sections of that function.""",
    "dump": "Show what the analysis sees of a function.",
    "b4-check": """\
Check one patch on standard input for b4's check commands: a line for each finding, and nothing at all for a patch that
is clean. With --json, and --series for the whole series, for those of b4 review.""",
    "hook": """\
Run as a hook of git: pre-commit checks what is staged, pre-push the commits that the remote does not have, and
sendemail-validate a mail before it is sent, with the others of its series that lie in the same folder. Only what the
author caused stops git.""",
    "kbuild": """\
Run as the checker of a kernel build. The last argument is the file, options of the compiler are ignored, findings go to
standard error in the format of gcc. A file that does not name the API costs next to nothing.""",
    "cache": """\
Show or delete what earlier runs found out. It is used again while nothing has changed that it was made from, and the
result is the same as without it. Nobody waits for it, and one that others could have written is not used.""",
    "config": "Print the settings that are in force, and where each comes from. It takes the options of check.",
    "completion": "Print a completion script for a shell.",
    "man": "Print the manual page.",
}

EXIT_CODES: Final[Mapping[str, str]] = {
    "": """\
0  nothing at or above --fail-level; for fix: nothing to change
1  findings; for fix: there is a diff
2  bad usage or input, or something could not be read
130, 141  interrupted; the reader of the output went away""",
    "check": """\
0  no finding at or above --fail-level, or --exit-zero
1  findings
2  bad usage or input, or something could not be read or analysed""",
    "fix": """\
0  nothing to change
1  there is a diff, or files were changed
2  bad usage or input, or something could not be read, repaired or written""",
    "sections": """\
0  all sections are listed
2  bad usage or input, or something could not be read or analysed""",
    "series": """\
0  the author caused nothing at or above --fail-level, or --exit-zero
1  findings
2  bad usage or input, the series does not apply, or something could not be seen or analysed""",
    "graph": """\
0  it is drawn
2  there is no such file or section""",
    "explain": """\
0  it is explained
2  there is no such rule, file or section""",
    "b4-check": "0  always: b4 reads the lines",
    "hook": """\
0  git may go on: nothing at or above --fail-level, or it could not be checked, which is told
1  findings
2  bad usage""",
    "cache": """\
0  it is told, or deleted
2  it cannot be deleted, or there is no home for it""",
    "kbuild": """\
0  always, unless CF has --mmlint-error, so that the build goes on
1  findings at or above the fail level (with --mmlint-error)
2  bad usage or input, or something was not read or analysed (with --mmlint-error)""",
}

ENVIRONMENT: Final = """\
MMLINT_CONFIG    a configuration file, as --config
MMLINT_NO_CACHE  when set, no cache, as --no-cache
XDG_CACHE_HOME   where the cache lies, when it is an absolute path
NO_COLOR         when set, no colour
FORCE_COLOR      when set, colour and source lines without a terminal too
COLUMNS          the width of the terminal"""

FILES: Final = """\
.mmlint.toml, or [tool.mmlint] in pyproject.toml
    Settings, in the current folder or above it, with the keys target, level,
    fail-level, select, ignore, suppressions, jobs and cache; the command line
    comes first. It names neither rule folders nor commands.
.mmlint-suppressions
    Beside the configuration, or --suppressions FILE: findings that were
    judged and accepted, one a line: FINGERPRINT RULE PATH # REASON
$XDG_CACHE_HOME/mmlint/results, or ~/.cache/mmlint/results
    What earlier runs found out; `mmlint cache clear` deletes it."""
