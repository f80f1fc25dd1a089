"""Find our own marks in what came back: the token of the bounce address, Message-ID, List-Unsubscribe."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.bounces import parts

RETURNED = frozenset(
    {
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "text/rfc822-header",
        "message/rfc822-headers",
    }
    | {"message/global-headers", "message/partial"}
)
#: The envelope recipient as the delivering server noted it, the most telling field first.
_ENVELOPE = ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "to", "cc")
_TOKEN = re.compile(r"\b(bounces?|unsubscribe|leave)[+=]([A-Za-z0-9_-]{6,200})@", re.IGNORECASE)
_URI = re.compile(r"<\s*([^<>\s]{1,2000})\s*>")
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


def marks(mail: parts.Mail, pasted: str) -> Marks:
    """Look into the mail's own recipients and into the returned message, a part or pasted below."""
    headers = _returned_headers(mail, pasted)
    bounce, unsubscribe = _tokens(mail.headers)
    uris = tuple(uri for value in headers.all("list-unsubscribe") for uri in _URI.findall(value))[:8]
    if not unsubscribe:
        unsubscribe = next((found[2] for uri in uris if (found := _TOKEN.search(uri))), "")
    if not bounce:
        found = _TOKEN.search(headers.get("return-path"))
        bounce = found[2] if found else ""
    return Marks(
        bounce_token=bounce,
        unsubscribe_token=unsubscribe,
        message_id=_message_id(headers, pasted),
        list_unsubscribe=uris,
        to=tuple(headers.all("to")),
    )


def is_unsubscribe(headers: parts.Headers) -> bool:
    """Say whether a mail came to an unsubscribe address or carries the subject such links ask for."""
    if any(
        found[1].lower() != "bounce"
        for found in _all_tokens(headers)
        if not found[1].lower().startswith("bounce")
    ):
        return True
    first = headers.get("to").lower()
    return "unsubscribe@" in first or headers.get("subject").strip().lower() in (
        "unsubscribe",
        "leave",
        "remove",
    )


def _all_tokens(headers: parts.Headers) -> list[re.Match[str]]:
    values = [value for name in _ENVELOPE for value in headers.all(name)]
    return [found for value in values for found in _TOKEN.finditer(value[:2000])]


def _tokens(headers: parts.Headers) -> tuple[str, str]:
    bounce = unsubscribe = ""
    for found in _all_tokens(headers):
        if found[1].lower().startswith("bounce"):
            bounce = bounce or found[2]
        else:
            unsubscribe = unsubscribe or found[2]
    return bounce, unsubscribe


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
        if re.match(r">?[A-Za-z][\w-]{1,40}[ \t]?:[ \t]?\S", line):
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
