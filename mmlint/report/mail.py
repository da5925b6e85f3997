"""Replies to the patches of a series, as a person would write them: an mbox of drafts, which mmlint never sends.

    mmlint series x.mbx --format mail >replies.mbox     (then: mutt -f replies.mbox)

There is a reply for each patch that there is something to say of, to its author alone; the last one has what concerns
the whole series. The hunks are quoted as far as they matter, and a comment stands below its line. There is no From:
whoever sends a reply has read it, and signs it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Final

from mmlint import __version__
from mmlint.report.outcome import Outcome, clean
from mmlint.report.quoting import excerpts
from mmlint.report.review import Review, paragraph, questions_of, review_of, sentence
from mmlint.report.terminal import shown
from mmlint.series.model import Patch, SeriesReport, Site

# What mailsplit knows as the kind of mbox whose lines that begin with From are quoted.
_SEPARATOR: Final = "From mboxrd@z Thu Jan  1 00:00:00 1970\n"
_POLICY: Final = SMTP.clone(linesep="\n", max_line_length=998)
_COULD: Final = "convertible"
_MOST: Final = 20
_SIGNATURE: Final = f"mmlint {__version__} (written by a tool; whoever sends it has read it)"


def render(outcome: Outcome) -> str:
    """The mbox; empty when there is nothing to say to anybody."""
    assert outcome.series is not None
    series = outcome.series
    questions = questions_of(outcome.rules)
    reviews = [(patch, review_of(series, patch.position, questions, most=_MOST)) for patch in series.patches]
    told = [(patch, review) for patch, review in reviews if review.count]
    mails = []
    for patch, review in told:
        body = _body(patch, review)
        if patch is told[-1][0]:
            body += _paragraphs(unknown(series), of_the_series(series))
        body += ["", *closing(series, review.rules), "", "-- ", _SIGNATURE]
        mails.append(_SEPARATOR + _quoted(_mail(patch, body)) + "\n")
    return "".join(mails)


def _body(patch: Patch, review: Review) -> list[str]:
    if not review.comments:
        return _paragraphs(*review.elsewhere)[1:]
    lines = [_attribution(patch), *excerpts(patch, review.comments)]
    if lines[-1] == "":
        lines.pop()
    return lines + _paragraphs(*review.elsewhere)


def _attribution(patch: Patch) -> str:
    name = parseaddr(patch.author)[0] or patch.author or "the author"
    return f"On {shown(patch.date)}, {shown(name)} wrote:" if patch.date else f"{shown(name)} wrote:"


def unknown(series: SeriesReport) -> list[str]:
    """What could not be seen, for the author to know; paragraphs, each but the first below a blank line."""
    lines: list[str] = []
    for told in (*series.base.unseen, *series.remarks):
        lines += ["", *paragraph(f"{sentence(_of_mine(told, series.base.tree)).rstrip('.')}.")]
    reasons: dict[str, list[str]] = {}
    for skipped in series.skipped:
        what = f"{clean(skipped.path)}: {skipped.function}()" if skipped.function else clean(skipped.path)
        reasons.setdefault(skipped.reason, []).append(what)
    for reason, code in reasons.items():
        lines += ["", *paragraph(f"I could not look into the following ({reason}), so it is not covered:"), ""]
        lines += [line for entry in dict.fromkeys(code) for line in paragraph(entry, "  ", "      ")]
    return lines[1:]


def _of_mine(told: str, tree: str) -> str:
    """Without the name of the tree, which is of the disk of whoever sends the reply."""
    told = told.replace(f"{tree} is another tree", "my tree is another one")
    return told.replace(tree, "my tree") if "/" in tree else told


def of_the_series(series: SeriesReport) -> list[str]:
    """How far the conversion goes; as `unknown`. A series that converts little hears of its own files only."""
    conversion = series.conversion
    if conversion is None:
        return []
    own = [site for site in conversion.converted if site.patch]
    files = {site.path for site in own}
    whole = len(own) >= sum(site.verdict == _COULD for site in conversion.left)
    sites = [site for site in conversion.left if whole or site.path in files]
    lines = paragraph(_converted(own)) if own else []
    if sites:
        head = "These are left plain:" if whole else "In the files that it converts, these are left plain:"
        lines += [*[""] * bool(lines), *paragraph(head), ""]
        could = list(dict.fromkeys(f"{site.function}()" for site in sites if site.verdict == _COULD))
        if could:
            lines += paragraph(f"could name their range as well: {', '.join(could)}", "  ", "      ")
        for entry in dict.fromkeys(_left(site) for site in sites if site.verdict != _COULD):
            lines += paragraph(entry, "  ", "      ")
    return lines


def _converted(calls: Sequence[Site]) -> str:
    good = sum(site.verdict == "verified" for site in calls)
    holds = "mm owns the page table, ptep is the entry for addr, and the range stays within that table"
    if good == len(calls):
        which = {1: "the ranged call", 2: "both ranged calls"}.get(good, f"all {good} ranged calls")
        return f"I followed the arguments of {which} of the series, and they hold: {holds}."
    if len(calls) == 1:
        return f"I cannot say of the ranged call of the series that its arguments hold: {holds}."
    hold = f"{good or 'none'} {'holds' if good == 1 else 'hold'}"
    return f"Of the {len(calls)} ranged calls of the series, {hold} as far as I can follow them: {holds}."


def _left(site: Site) -> str:
    return f"{clean(site.path)}, {site.function}(): {site.reason or site.verdict}"


def closing(series: SeriesReport, rules: Sequence[str]) -> list[str]:
    """How to see the same, and how not to see it again."""
    base = series.base.revision[:12] if series.base.revision else ""
    first = series.patches[0].message_id if series.patches else ""
    option = f"--base {base} " if base else ""
    if first:
        command = f"b4 am -o - {shown(first.strip('<>'))} | mmlint series {option}-"
    else:
        command = f"mmlint series {option}FILE"
    return [
        *paragraph("This shows the same, with all of the evidence:"),
        "",
        f"  {command}",
        "",
        *paragraph(f"{_rules(rules)} Should I be wrong somewhere, please tell me."),
    ]


def _rules(rules: Sequence[str]) -> str:
    if len(rules) == 1:
        return f"mmlint explain {rules[0]} says what is behind it, and --ignore {rules[0]} leaves it out."
    names = f"{', '.join(rules[:-1])} and {rules[-1]}"
    return f"mmlint explain RULE says what is behind {names}, and --ignore RULE leaves one out."


def _paragraphs(*parts: list[str]) -> list[str]:
    return [line for part in parts if part for line in ("", *part)]


def _mail(patch: Patch, body: list[str]) -> str:
    mail = EmailMessage(_POLICY)
    address = _address(patch.author)
    if address:
        mail["To"] = address
    subject = shown(patch.subject)
    mail["Subject"] = subject if re.match(r"re:", subject, re.IGNORECASE) else f"Re: {subject}"
    if re.fullmatch(r"<[!-;=?-~]+>", patch.message_id):
        mail["In-Reply-To"] = patch.message_id
        mail["References"] = patch.message_id
    text = "".join(f"{line}\n" for line in body)
    long = any(len(line) > 300 for line in body)
    mail.set_content(text, cte="quoted-printable" if long else "8bit")
    return mail.as_bytes().decode("utf-8", "replace")


def _address(author: str) -> Address | None:
    name, address = parseaddr(author)
    try:
        return Address(shown(name), addr_spec=address) if "@" in address else None
    except (MessageError, ValueError, IndexError):
        return None


def _quoted(mail: str) -> str:
    return re.sub(r"^(>*From )", r">\1", mail, flags=re.MULTILINE)
