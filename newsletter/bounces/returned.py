"""Find our own marks in what came back: the token of the bounce address, Message-ID, List-Unsubscribe."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.bounces import parts

#: Content types of a returned message or of its header alone.
RETURNED = frozenset(
    {
        "message/rfc822",
        "message/global",
        "message/rfc822-headers",
        "message/global-headers",
        "message/partial",
        "text/rfc822-headers",
        "text/rfc822-header",
    }
)
#: The envelope recipient as the delivering server noted it, the most telling field first.
_ENVELOPE = ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "to", "cc")
_BOUNCE = re.compile(r"(?<![\w.+-])bounce\+([A-Za-z0-9_-]{6,200})@", re.IGNORECASE)
_UNSUBSCRIBE = re.compile(r"(?<![\w.+-])unsubscribe(?:\+[^@\s]{1,200})?@", re.IGNORECASE)
_MAILTO = re.compile(
    r"mailto:unsubscribe@[^?\s]{1,255}\?subject=([A-Za-z0-9_-]{6,200})(?![^&])", re.IGNORECASE
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
_URI = re.compile(r"<\s*([^<>\s]{1,2000})\s*>")
_FIELD = re.compile(r">?[A-Za-z][\w-]{1,40}[ \t]?:[ \t]?\S")
_MESSAGE_ID = re.compile(
    r"^[> \t|]{0,8}Message-ID[ \t]*:[ \t]*(?:\n[ \t]+)?(<[^<>\s]{3,300}>)", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """What of ours was found."""

    bounce_token: str
    unsubscribe_token: str
    message_id: str
    list_unsubscribe: tuple[str, ...]
    #: Addresses in the returned message's To.
    to: tuple[str, ...]
    #: Fields that name a discussion list which carried the returned message, or the report.
    lists: tuple[str, ...]


def marks(mail: parts.Mail, pasted: str) -> Marks:
    """Look into the mail's own recipients and into the returned message, a part or pasted below."""
    headers = _returned_headers(mail, pasted)
    uris = tuple(uri for value in headers.all("list-unsubscribe") for uri in _URI.findall(value))[:8]
    return Marks(
        bounce_token=_first(_BOUNCE, [*mail.headers.all(*_ENVELOPE), headers.get("return-path")]),
        unsubscribe_token=_token_in_subject(mail.headers) or _first(_MAILTO, uris),
        message_id=_message_id(headers, pasted),
        list_unsubscribe=uris,
        to=tuple(headers.all("to")),
        lists=tuple(
            each for source in (mail.headers, headers) for each in source.all("list-post", "x-beenthere")
        ),
    )


def is_unsubscribe(headers: parts.Headers) -> bool:
    """Say whether a mail came to the address of List-Unsubscribe, or asks for the same in its subject."""
    if any(_UNSUBSCRIBE.search(value[:2000]) for value in headers.all(*_ENVELOPE)):
        return True
    return headers.get("subject").strip().lower() == "unsubscribe"


def _token_in_subject(headers: parts.Headers) -> str:
    """Read what the mailto: form of List-Unsubscribe puts into the subject."""
    subject = headers.get("subject").strip()
    return subject if _TOKEN.fullmatch(subject) and is_unsubscribe(headers) else ""


def _first(pattern: re.Pattern[str], values: Iterable[str]) -> str:
    return next((found[1] for value in values if (found := pattern.search(value[:2000]))), "")


def _returned_headers(mail: parts.Mail, pasted: str) -> parts.Headers:
    for leaf in mail.leaves:
        if leaf.kind in RETURNED:
            headers, body = parts.read_headers(leaf.text.lstrip("\n"))
            if "from" in headers or "message-id" in headers or "to" in headers:
                return headers
            # A gateway's own headers may stand before the returned ones.
            inner, _ = parts.read_headers(body.lstrip("\n"))
            return inner
    return _pasted_headers(pasted)


def _pasted_headers(text: str) -> parts.Headers:
    """Read a returned header below its announcement: skip to the first line that looks like a field."""
    lines = text.split("\n")
    for number, line in enumerate(lines[:40]):
        if _FIELD.match(line):
            quoted = line.startswith(">")
            rest = [each.removeprefix(">") for each in lines[number:]] if quoted else lines[number:]
            headers, _ = parts.read_headers("\n".join(rest))
            return headers
    return parts.Headers([])


def _message_id(headers: parts.Headers, pasted: str) -> str:
    value = headers.get("message-id")
    if found := _URI.search(value):
        return f"<{found[1]}>"
    if value.strip():
        return f"<{value.split()[0][:300]}>"
    found = _MESSAGE_ID.search(pasted)
    return found[1] if found else ""
