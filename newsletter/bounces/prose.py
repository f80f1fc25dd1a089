"""Read reports written for people, before and beside RFC 3464: who failed, and what is said about each."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.bounces import spotting

_MAX_LINES = 600
_MAX_LINE = 600
_MAX_BLOCK = 1600
_MAX_ABOVE = 12

#: Outlook repeats an address as a link: user@example.org<mailto:user@example.org>
_MAILTO = re.compile(r"(?<=[\w.])\s?<mailto:[^<>\s]{1,300}>", re.IGNORECASE)
#: Where the report ends and the returned message begins.
_END = re.compile(
    r"[-=_*|+>\s]{0,80}(?:this is a copy of (?:the|your) message|below (?:this line is|is"
    r"|the next line is) a copy"
    r"|enclosed is a copy|attachment is a copy|included is a copy|here is a copy|a copy of the original"
    r"|(?:the )?header(?: and top \d+ lines)? of the (?:original )?message|the first \d+ lines of your"
    r"|original (?:message|mail|e-mail)|(?:the )?text of your|your original m|unsent message"
    r"|returned m(?:ail|essage)"
    r"|message (?:headers?|text|header) follows?|original mail as follows|undelivered message"
    r"|forwarded message"
    r"|start of returned message|message contents|non-delivered information follows|mensaje original"
    r"|transcript of message|your message (?:reads|begins|follows))[^\n]{0,80}",
    re.IGNORECASE,
)
#: The header of a returned message that nothing announces.
_TRACE = re.compile(
    r">?(?:From MAILER-DAEMON |Received ?: ?\(?(?:from|by|qmail)|Return-Path: ?<|X-Received:"
    r"|DKIM-Signature:)",
    re.IGNORECASE,
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
        return Prose(findings=(), text=body, returned=returned)
    return Prose(findings=_blocks(report, spotting.spot(report)), text=body, returned=returned)


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


def _end_of_report(lines: Sequence[str]) -> int:
    said = False
    for number, line in enumerate(lines):
        if said and (_TRACE.match(line) or (len(line) < 200 and _END.match(line))):
            return number
        said = said or "@" in line
    return len(lines)


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
