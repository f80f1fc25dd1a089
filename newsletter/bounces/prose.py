"""Find the failed recipients in reports written for people, before and beside RFC 3464."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_MAX_LINES = 600
_MAX_LINE = 600
_MAX_BLOCK = 1600
_MAX_ABOVE = 12

#: An address as mailers print it; wide enough for RFC 6531, never across brackets or blanks.
_ATOM = r"[^\s<>()\[\]:;,\"\\@]{1,128}@[^\s<>()\[\]:;,\"\\@]{1,255}"
ADDRESS = re.compile(rf"(?<![^\s<>()\[\]:;,\"\\'`=]){_ATOM}")
#: Outlook repeats an address as a link: user@example.org<mailto:user@example.org>
_MAILTO = re.compile(r"(?<=[\w.])\s?<mailto:[^<>\s]{1,300}>", re.IGNORECASE)
_QUOTED = re.compile(r"<((?:\"[^\"\n]{1,100}\"|[^\s<>\"]{1,128})@[^\s<>]{1,255})>")

#: Where the report ends and the returned message begins.
_END = re.compile(
    r"[-=_*|+>\s]{0,80}(?:this is a copy of (?:the|your) message|below (?:this line is|is|the next line is) a copy"
    r"|enclosed is a copy|attachment is a copy|included is a copy|here is a copy|a copy of the original"
    r"|(?:the )?header(?: and top \d+ lines)? of the (?:original )?message|the first \d+ lines of your"
    r"|original (?:message|mail|e-mail)|(?:the )?text of your|your original m|unsent message|returned m(?:ail|essage)"
    r"|message (?:headers?|text|header) follows?|original mail as follows|undelivered message|forwarded message"
    r"|start of returned message|message contents|non-delivered information follows|mensaje original"
    r"|transcript of message|your message (?:reads|begins|follows))[^\n]{0,80}",
    re.IGNORECASE,
)
#: The header of a returned message that nothing announces.
_TRACE = re.compile(r">?(?:From MAILER-DAEMON |Received ?: ?\(?(?:from|by|qmail)|Return-Path: ?<|X-Received:|DKIM-Signature:)", re.IGNORECASE)

#: The address stands alone on its line, or begins it.
_ALONE = re.compile(
    rf"[\s*•·>\-]{{0,20}}[\"'<\[(]{{0,2}}(?:smtp:|rfc822; ?|mailto:)?({_ATOM})[\"'>\])]{{0,2}}[.,;:]?\s*", re.IGNORECASE
)
_LEADING = re.compile(
    rf"(?:[\s*•·]{{0,20}}|[\s>]{{0,4}}---- |\s{{0,8}}>>> (?:[^\s<>]{{1,100}} )?)[\"'<\[]{{0,2}}({_ATOM})[\"'>\]]{{0,2}}"
    r"(?:$|\s{0,4}:|\.\.\.|\s{1,8}[(\[]|\s{0,8}:?\s{1,4}(?=\S))(.*)",
    re.IGNORECASE,
)
#: 550 <user@example.org>... User unknown (sendmail) · 554 user@example.org: …
_REPLY = re.compile(rf"[\s<>]{{0,8}}[45]\d\d[ -](?:[45]\.\d\.\d{{1,3}} )?<?({_ATOM})>?(?:\.\.\.|[:;]|\s)(.*)")
#: sendmail, below the address an alias led to: (expanded from: user@example.org)
_EXPANDED = re.compile(rf"\s{{1,20}}\(expanded from: <?({_ATOM})>?\)", re.IGNORECASE)
#: A name without a domain: alone below “… the following …:”, or before the words of the phquery server.
_BARE = re.compile(r"\s{1,20}([A-Za-z][\w.-]{0,63})(?:\s{2,20}no matches to .{0,60})?\s{0,10}", re.IGNORECASE)
_BARE_ABOVE = re.compile(r".{0,300}(?:following(?: recipients?| address\S*)?|accepting mail from .{1,200}):\s*", re.IGNORECASE)
_NAME_AT = re.compile(r"e?mailing (?:to )?NAME@([\w-]{1,63}(?:\.[\w-]{1,63}){1,6})")
#: Words that lead up to the recipient on the same line.
_NAMED = re.compile(
    r"(?:\brecipient|\brcpt ?to|failed (?:address|recipient)|undeliverable(?: address)?|error-for|addressed to"
    r"|generated from|mail(?:ing)? to|message to|mail (?:is )?addressed to|message addressed to|e?mail to|was addressed"
    r"|deliver(?:ed|y)?(?: (?:mail|your mail|your message|message|the message|of email))? to|(?:local )?mailbox"
    r"|delivering your mail to|unknown user|unknown host|delivery failed[^:]{0,40}|user ?id|allowed size|mailbox is full"
    r"|violation for|dda:smtp=|following recipients? returned [a-z ]{1,20}errors?|of this mailing list|to this address|to the address"
    r"|could not be delivered to|gateway for|reach the following recipient|address rejected|account|user|address)"
    rf"[\s:,;'\"<\[(]{{0,12}}(?:smtp:|rfc822; ?)?(?<![\w.+-])({_ATOM})",
    re.IGNORECASE,
)
#: Lines that name the sender, the helper or the mail itself.
_NOT_RECIPIENT = re.compile(
    r"\s{0,8}(?:>\s?)?(?:from|sender|reply-to|return-path|message-id|mail from|received|subject|cc|sent|date|envelope-from"
    r"|original sender|errors-to|x-[\w-]{1,40})\s{0,4}:|.{0,200}?\b(?:contact|assistance|questions|write to|help desk"
    r"|e-?mail me|please (?:reply|forward)|abuse@|reporting-mta|support team|accepting mail from)\b",
    re.IGNORECASE,
)
_TO = re.compile(rf"\s{{0,8}}(?:to|rcpt to|recipient)\s{{0,4}}:\s{{0,12}}[\"'<\[]{{0,2}}(?:smtp:)?({_ATOM})", re.IGNORECASE)
_SERVICE = re.compile(r"(?:mailer-daemon|postmaster|abuse|support|helpdesk|majordomo|listserv)@", re.IGNORECASE)
_ERROR_LINE = re.compile(r"(?<!\d)[45]\d\d(?!\d)|unknown|fail|reject|error|undeliver|not (?:found|exist|deliver)", re.IGNORECASE)


class _Mark(NamedTuple):
    line: int
    address: str
    #: A transcript tells first and names the recipient in the reply that closes: the words stand above.
    words_above: bool = False


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
    marks = _strong(report) or _named(report) or _loose(report)
    return Prose(findings=_blocks(report, marks), text=body, returned=returned)


def bare_names(text: str, sender: str) -> tuple[Finding, ...]:
    """Complete recipients given without a domain: with the domains the text teaches, or else the reporter's own."""
    lines = [line for line in text[:4000].split("\n") if line.strip()]
    names = [
        found[1]
        for above, line in itertools.pairwise(lines)
        if len(above) < 400 and len(line) < 120 and _BARE_ABOVE.fullmatch(above) and (found := _BARE.fullmatch(line))
    ]
    own = clean_address(next(iter(ADDRESS.findall(sender)), "")).rpartition("@")[2]
    domains = [domain.rstrip(".") for domain in _NAME_AT.findall(text[:4000])] or [own]
    return tuple(
        Finding(address=f"{name}@{domain}", words=text) for name in names for domain in dict.fromkeys(domains) if domain
    )


def clean_address(text: str) -> str:
    """Strip what clings to an address in prose; empty when it is none."""
    address = text.strip().strip("<>'\"`[](){}*").rstrip(".,;:!?").removeprefix("mailto:")
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or len(address) > 320 or domain[0] in ".-" or " " in domain:
        return ""
    return address


def _end_of_report(lines: Sequence[str]) -> int:
    said = False
    for number, line in enumerate(lines):
        if said and (_TRACE.match(line) or (len(line) < 200 and _END.match(line))):
            return number
        said = said or "@" in line
    return len(lines)


def _strong(lines: Sequence[str]) -> list[_Mark]:
    marks = []
    for number, line in enumerate(lines):
        if "@" not in line or _NOT_RECIPIENT.match(line):
            continue
        reply = _REPLY.match(line)
        found = reply or _ALONE.fullmatch(line) or _EXPANDED.match(line) or _LEADING.match(line) or _quoted(line)
        address = clean_address(found[1]) if found else ""
        if address and not (_SERVICE.match(address) and _is_sentence(lines, number)):
            marks.append(_Mark(number, address, words_above=found is reply))
    return marks


def _quoted(line: str) -> re.Match[str] | None:
    found = _QUOTED.match(line.lstrip())
    return found if found and found[1].startswith('"') else None


def _is_sentence(lines: Sequence[str], number: int) -> bool:
    """Say whether a line only continues the sentence before it: “… please contact / <postmaster@…>”."""
    before = lines[number - 1].rstrip() if number else ""
    return bool(before) and before[-1:] not in ".:;)>-"


def _named(lines: Sequence[str]) -> list[_Mark]:
    marks = []
    for number, line in enumerate(lines):
        if "@" not in line or (_NOT_RECIPIENT.match(line) and "RCPT" not in line):
            continue
        for found in _NAMED.finditer(line):
            address = clean_address(found[1])
            if address:
                marks.append(_Mark(number, address))
    return marks


def _loose(lines: Sequence[str]) -> list[_Mark]:
    """Take a To: line of the details, or else any address that an error is told about."""
    marks = []
    for number, line in enumerate(lines):
        if found := _TO.match(line):
            marks.append(_Mark(number, clean_address(found[1])))
    if any(mark.address for mark in marks):
        return [mark for mark in marks if mark.address]
    for number, line in enumerate(lines):
        if "@" in line and _ERROR_LINE.search(line) and not _NOT_RECIPIENT.match(line):
            marks.extend(_Mark(number, clean_address(found[0])) for found in ADDRESS.finditer(line))
    return [mark for mark in marks if mark.address]


def _blocks(lines: Sequence[str], marks: Sequence[_Mark]) -> tuple[Finding, ...]:
    """Give every recipient the lines that belong to it: its own, and those up to the next or from the last one."""
    found: dict[str, Finding] = {}
    for position, mark in enumerate(marks):
        finding = found.get(mark.address.lower(), Finding(address=mark.address, words=""))
        words, before = finding.words, finding.before
        if mark.words_above and not (position and marks[position - 1].address.lower() == mark.address.lower()):
            last = marks[position - 1].line + 1 if position else 0
            before = "\n".join([before, *lines[max(last, mark.line - _MAX_ABOVE) : mark.line + 1]])[-_MAX_BLOCK:].strip()
            words = f"{words}\n{lines[mark.line]}"
        else:
            after = marks[position + 1].line if position + 1 < len(marks) else len(lines)
            words = "\n".join([words, *lines[mark.line : max(after, mark.line + 1)]])
        found[mark.address.lower()] = Finding(address=finding.address, words=words[:_MAX_BLOCK].strip(), before=before)
    return tuple(found.values())
