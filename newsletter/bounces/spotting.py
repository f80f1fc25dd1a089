"""Spot the recipients in the lines of a report: mailers put them in a few well-known places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

#: An address as mailers print it; wide enough for RFC 6531, never across brackets or blanks.
_BREAKS = r"\s<>()\[\]:;,\"\\|（）【】《》「」：；，、。"
_ATOM = rf"[^{_BREAKS}@]{{1,128}}@[^{_BREAKS}@]{{1,255}}"
ADDRESS = re.compile(rf"(?<![^{_BREAKS}'`=]){_ATOM}")
_QUOTED = re.compile(r"\s{0,20}<(\"[^\"\n]{1,100}\"@[^\s<>]{1,255})>")
#: The address stands alone on its line, or begins it.
_ALONE = re.compile(
    rf"[\s*•·>\-]{{0,20}}(?:\d{{1,3}}[.)] )?[\"'<\[(]{{0,2}}(?:smtp[:;] ?|rfc822; ?|mailto:)?({_ATOM})"
    r"[\"'>\])]{0,2}[.,;:]?\s*",
    re.IGNORECASE,
)
#: A name and the address in brackets, as a header has them: Ann Example <ann@example.org>
_WITH_NAME = re.compile(
    rf"\s{{0,20}}(?:\"[^\"<>@\n]{{1,60}}\"|(?:[^\W\da-z_][\w.'-]{{0,30}} ){{1,4}}) ?<({_ATOM})>:?\s*"
)
_LEADING = re.compile(
    rf"(?:[\s*•·]{{0,20}}|[\s>]{{0,4}}---- "
    rf"|\s{{0,8}}>>> (?:[^\s<>]{{1,100}} )?)[\"'<\[]{{0,2}}({_ATOM})[\"'>\]]{{0,2}}"
    r"(?:$|\s{0,4}:|\.\.\.|\s{1,8}[(\[]|\s{0,8}:?\s{1,4}(?=\S))(.*)",
    re.IGNORECASE,
)
#: 550 <user@example.org>... User unknown (sendmail) · 554 user@example.org: …
_REPLY = re.compile(rf"[\s<>]{{0,8}}[45]\d\d[ -](?:[45]\.\d\.\d{{1,3}} )?<?({_ATOM})>?(?:\.\.\.|[:;]|\s)(.*)")
#: sendmail, below the address an alias led to: (expanded from: user@example.org)
_EXPANDED = re.compile(rf"\s{{1,20}}\(expanded from: <?({_ATOM})>?\)", re.IGNORECASE)
#: IMail (SMTP32) has the reason and the recipient on one line.
_IMAIL = re.compile(
    r"(?:undeliverable +to|unknown (?:user|host):|invalid final delivery userid:"
    r"|delivery failed \d{1,4} attempts:"
    rf"|user mailbox exceeds allowed size:)\s{{1,4}}({_ATOM})",
    re.IGNORECASE,
)
#: Words that lead up to the recipient on the same line.
_LEADS = (
    r"\brecipient|\brcpt ?to|failed (?:address|recipient)|undeliverable|error-for|addressed to",
    r"generated (?:from|by)|mail(?:ing)? to|message to|was addressed|deliver(?:ed|y)? to",
    r"deliver(?:y|ing)? (?:your |the |of )?(?:e?mail|message) to|mailbox|unknown (?:user|host)",
    r"delivery failed[^:]{0,40}|user ?id|allowed size|is full|violation for|dda:smtp=",
    r"following recipients? returned [a-z ]{1,20}errors?|of this mailing list|to (?:this|the) address",
    r"gateway for|reach the following recipient|address rejected|account|user|address|sorry|e-?mail|sent to",
    r"message-id in|empf[aä]nger|zustellung an|destinat[aá]ri[oa]s?|destinataires?|ontvangers?",
    r"geadresseerden?|mottagare|modtager|odbiorc\w|получател\w|адрес\w{0,3}|宛先|受信者|送信先|收件人|接收者",
)
_NAMED = re.compile(
    rf"(?:{'|'.join(_LEADS)})[\s:：,;'\"<\[(（=|]{{0,12}}(?:smtp:|rfc822; ?)?(?<![\w.+-])({_ATOM})",
    re.IGNORECASE,
)
_MAX_LINES = 300
#: Lines of a pasted header that name the sender or the mail itself.
_OTHER_FIELD = re.compile(
    r"\s{0,8}(?:>\s?)?(?:from|sender|reply-to|return-path|message-id|mail from|received|subject|cc|sent|date"
    r"|envelope-from|original sender|errors-to|x-[\w-]{1,40})\s{0,4}:",
    re.IGNORECASE,
)
#: What comes after these words is a helper's address, or the sender's own.
_HELPER = re.compile(
    r"\b(?:contact|assistance|questions|write to|help desk|e-?mail me|please (?:reply|forward)|abuse@"
    r"|reporting-mta|support team|accepting mail from)\b",
    re.IGNORECASE,
)
_TO = re.compile(
    rf"\s{{0,8}}(?:to|rcpt to|recipient)\s{{0,4}}:\s{{0,12}}[\"'<\[]{{0,2}}(?:smtp:)?({_ATOM})", re.IGNORECASE
)
_SERVICE = re.compile(
    r"(?:mailer-daemon|postmaster|abuse|support|helpdesk|majordomo|listserv)@", re.IGNORECASE
)
_ERROR_LINE = re.compile(
    r"(?<!\d)[45]\d\d(?!\d)|unknown|fail|reject|error|undeliver|not (?:found|exist|deliver)", re.IGNORECASE
)


class Mark(NamedTuple):
    """A line that names a recipient."""

    line: int
    address: str
    #: A transcript tells first and names the recipient in the reply that closes: the words stand above.
    words_above: bool = False


def spot(lines: Sequence[str]) -> list[Mark]:
    """Return the recipients of the best kind there is: on their own lines, in a phrase, near an error."""
    return _on_lines(lines) or _in_phrases(lines) or _in_details(lines) or _near_errors(lines)


def only_one(text: str, own: frozenset[str]) -> str:
    """Return the one address in a text that is neither ours, nor a service's or a helper's; else nothing."""
    found: set[str] = set()
    for line in text.split("\n")[:_MAX_LINES]:
        if "@" in line and not _OTHER_FIELD.match(line):
            for match in ADDRESS.finditer(line):
                if not _HELPER.search(line, 0, match.start()) and not _SERVICE.match(match[0]):
                    found.add(clean_address(match[0]).lower())
    named = found - own - {""}
    return named.pop() if len(named) == 1 else ""


def clean_address(text: str) -> str:
    """Strip what clings to an address in prose; empty when it is none."""
    address = text.strip().strip("<>'\"`[](){}*").rstrip(".,;:!?").removeprefix("mailto:")
    local, at, domain = address.rpartition("@")
    if not local or not domain or len(address) > 320 or domain[0] in ".-" or " " in domain:
        return ""
    return address if at and address.isprintable() else ""


def _on_lines(lines: Sequence[str]) -> list[Mark]:
    marks = []
    for number, line in enumerate(lines):
        if "@" not in line or _OTHER_FIELD.match(line):
            continue
        reply = _REPLY.match(line)
        found = reply or _IMAIL.match(line) or _ALONE.fullmatch(line) or _EXPANDED.match(line)
        found = found or _WITH_NAME.fullmatch(line)
        found = found or _LEADING.match(line) or _QUOTED.match(line)
        address = clean_address(found[1]) if found else ""
        if address and not (_SERVICE.match(address) and _is_sentence(lines, number)):
            marks.append(Mark(number, address, words_above=found is reply))
    return marks


def _is_sentence(lines: Sequence[str], number: int) -> bool:
    """Say whether a line only continues the sentence before it: “… please contact / <postmaster@…>”."""
    before = lines[number - 1].rstrip() if number else ""
    return bool(before) and before[-1:] not in ".:;)>-"


def _in_phrases(lines: Sequence[str]) -> list[Mark]:
    marks = []
    for number, line in enumerate(lines):
        if "@" not in line or (_OTHER_FIELD.match(line) and "RCPT" not in line):
            continue
        for found in _NAMED.finditer(line):
            address = clean_address(found[1])
            if address and not _HELPER.search(line, 0, found.start(1)):
                marks.append(Mark(number, address))
    return marks


def _in_details(lines: Sequence[str]) -> list[Mark]:
    """Take the To: line of “message details”."""
    found = [(number, _TO.match(line)) for number, line in enumerate(lines) if "@" in line]
    marks = [Mark(number, clean_address(match[1])) for number, match in found if match]
    return [mark for mark in marks if mark.address]


def _near_errors(lines: Sequence[str]) -> list[Mark]:
    marks = []
    for number, line in enumerate(lines):
        if "@" in line and _ERROR_LINE.search(line) and not _OTHER_FIELD.match(line):
            for found in ADDRESS.finditer(line):
                if not _HELPER.search(line, 0, found.start()):
                    marks.append(Mark(number, clean_address(found[0])))
    return [mark for mark in marks if mark.address]
