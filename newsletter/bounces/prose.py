"""Read reports written for people, before and beside RFC 3464: who failed, and what is said about each."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter.bounces import phrases, spotting

_MAX_LINES = 600
_MAX_LINE = 600
_MAX_BLOCK = 1600
_MAX_ABOVE = 12
#: More than marks and an enumeration.
_SAYING = re.compile(r"\w{3}")

#: Outlook repeats an address as a link: user@example.org<mailto:user@example.org>
_MAILTO = re.compile(r"(?<=[\w.])\s?<mailto:[^<>\s]{1,300}>", re.IGNORECASE)
#: How mailers announce the returned message, after dashes and stars.
_ANNOUNCEMENTS = phrases.listed(
    """
    this is a copy of; below this line is; below is a copy; below the next line is; enclosed is a copy;
    attachment is a copy; the attachment contains; included is a copy; here is a copy;
    a copy of the original; the header of the; header of the; the header and top; header and top;
    original message; original mail; original e-mail; your original m; the text of your; text of your;
    unsent message; returned mail; returned message; message follows; message header; message text;
    message contents; original mail as follows; undelivered message; forwarded message;
    start of returned message; non-delivered information follows; mensaje original; transcript of message;
    your message reads; your message begins; your message follows; cabecalhos originais;
    oorspronkelijke berichtkoppen; oorspronkelijk bericht; ursprungliche nachricht; en-tetes de message;
    message d'origine; message original; encabezados de mensajes originales;
    intestazioni del messaggio originale; messaggio originale
    """
)
_FIRST_LINES = re.compile(r"the first \d{1,4} lines ")
_RULES = "-=_*|+> \t"
#: The header of a returned message that nothing announces.
_TRACE = (
    "from mailer-daemon ",
    "received: from",
    "received: by",
    "received: (",
    "received:from",
    "received:by",
    "return-path: <",
    "return-path:<",
    "x-received:",
    "dkim-signature:",
)

#: A name without a domain: alone below “… the following …:”, or before the words of the phquery server.
_BARE = re.compile(
    r"\s{1,20}([A-Za-z][\w.-]{0,63})(?:\s{2,20}no matches to .{0,60}|\s\([^()]{1,80}\))?\s{0,10}",
    re.IGNORECASE,
)
_BARE_ABOVE = re.compile(
    r".{0,300}(?:following(?: recipients?| address\S*)?|undeliverable to|accepting mail from .{1,200}):\s*",
    re.IGNORECASE,
)
_NAME_AT = re.compile(r"e?mailing (?:to )?NAME@([\w-]{1,63}(?:\.[\w-]{1,63}){1,6})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One recipient and the words said about it."""

    address: str
    words: str
    #: What a transcript says before it comes to the recipient.
    before: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prose:
    """A report for people, read."""

    findings: tuple[Finding, ...]
    #: What is said before anybody is named.
    lead: str
    #: The report without the returned message.
    text: str
    #: The returned message where it was pasted below the report.
    returned: str


def read(text: str) -> Prose:
    """Find the failed recipients and what is said about each."""
    lines = text.split("\n", _MAX_LINES)[:_MAX_LINES]
    end = _end_of_report(lines)
    report = [_MAILTO.sub("", line[:_MAX_LINE]).rstrip() for line in lines[:end]]
    returned = "\n".join(lines[end:])
    body = "\n".join(report)
    if "@" not in body:
        return Prose(findings=(), lead="", text=body, returned=returned)
    marks = spotting.spot(report)
    lead = "\n".join(report[: marks[0].line])[-_MAX_BLOCK:] if marks else ""
    return Prose(findings=_shared(_blocks(report, marks)), lead=lead, text=body, returned=returned)


def bare_names(text: str, sender: str) -> tuple[Finding, ...]:
    """Complete recipients given without a domain: with the domains the text teaches, or the reporter's."""
    lines = [line for line in text[:4000].split("\n") if line.strip()]
    names = [
        found[1]
        for above, line in itertools.pairwise(lines)
        if len(above) < 400
        and len(line) < 120
        and _BARE_ABOVE.fullmatch(above)
        and (found := _BARE.fullmatch(line))
    ]
    own = spotting.clean_address(next(iter(spotting.ADDRESS.findall(sender)), "")).rpartition("@")[2]
    domains = [domain.rstrip(".") for domain in _NAME_AT.findall(text[:4000])] or [own]
    return tuple(
        Finding(address=f"{name}@{domain}", words=text)
        for name in names
        for domain in dict.fromkeys(domains)
        if domain
    )


def _shared(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Let those who are only listed share what is said about the next."""
    shared: list[Finding] = []
    for finding in reversed(findings):
        listed = not finding.before and not _SAYING.search(finding.words.replace(finding.address, ""))
        words = f"{finding.words}\n{shared[-1].words}" if listed and shared else finding.words
        shared.append(replace(finding, words=words[:_MAX_BLOCK]))
    return tuple(reversed(shared))


def _end_of_report(lines: Sequence[str]) -> int:
    """Return the line where the returned message begins: the report has named somebody before that."""
    named = False
    for number, line in enumerate(lines):
        if named and _begins_returned(line[:200]):
            return number
        named = named or "@" in line
    return len(lines)


def _begins_returned(line: str) -> bool:
    head = phrases.fold(line.lstrip(_RULES))
    announced = head.startswith(_ANNOUNCEMENTS) or _FIRST_LINES.match(head)
    return bool(announced) or line.removeprefix(">").lower().startswith(_TRACE)


def _blocks(lines: Sequence[str], marks: Sequence[spotting.Mark]) -> tuple[Finding, ...]:
    """Give every recipient its own line, and those up to the next one or, in a transcript, from the last."""
    found: dict[str, Finding] = {}
    for position, mark in enumerate(marks):
        finding = found.get(mark.address.lower(), Finding(address=mark.address, words=""))
        words, before = finding.words, finding.before
        if mark.words_above and not (
            position and marks[position - 1].address.lower() == mark.address.lower()
        ):
            last = marks[position - 1].line + 1 if position else 0
            before = "\n".join([before, *lines[max(last, mark.line - _MAX_ABOVE) : mark.line + 1]])[
                -_MAX_BLOCK:
            ].strip()
            words = f"{words}\n{lines[mark.line]}"
        else:
            after = marks[position + 1].line if position + 1 < len(marks) else len(lines)
            words = "\n".join([words, *lines[mark.line : max(after, mark.line + 1)]])
        found[mark.address.lower()] = Finding(
            address=finding.address, words=words[:_MAX_BLOCK].strip(), before=before
        )
    return tuple(found.values())
