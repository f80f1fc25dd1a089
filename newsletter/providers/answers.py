"""What goes to an email API and what comes back, and what any answer means whoever gives it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from newsletter.domain import deliveries, messages
from newsletter.domain.verdicts import Kind, Scope, Verdict

#: Seconds beyond which nobody waits. “Retry-After: Fri, 31 Dec 9999” is written for never.
_FAR_OFF = 30 * 86400.0


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """What can be set about every email API."""

    #: Calls under way at once.
    connections: int = 2
    #: Seconds the API may take for one answer.
    timeout: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, ready to go out."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    method: str = "POST"


def json_list(items: Iterable[Mapping[str, Any]]) -> bytes:
    """Write a list of objects as JSON, each in bytes before the next is written.

    As one text, tens of megabytes would take four bytes a character for the sake of one emoji.
    """
    write = json.JSONEncoder(ensure_ascii=False).encode
    return b"[" + b",".join([write(item).encode() for item in items]) + b"]"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One response, read whole."""

    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the call as a whole was taken."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON, or None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What an answer says of the messages of a call."""

    receipts: Sequence[deliveries.Receipt] = ()
    #: Batches to hand over anew, because the call was refused for the sake of others in it.
    again: Sequence[Sequence[messages.Message]] = ()


def accounted(batch: Sequence[messages.Message], parsed: Parsed) -> list[deliveries.Receipt]:
    """Return exactly one receipt for every message that is not handed over again.

    Whatever an answer leaves out, or says twice, is unknown rather than lost or believed. Receipts hold
    nothing that cannot be written down.
    """
    found: dict[int, deliveries.Receipt] = {}
    for receipt in parsed.receipts:
        found.setdefault(receipt.delivery, _writable(receipt))
    again = {message.delivery for rest in parsed.again for message in rest}
    silent = Verdict(kind=Kind.UNKNOWN, reason="the answer does not mention this message")
    return [
        found.get(message.delivery) or deliveries.Receipt(message.delivery, silent, silent.reason)
        for message in batch
        if message.delivery not in again
    ]


def _writable(receipt: deliveries.Receipt) -> deliveries.Receipt:
    _, verdict, reply, provider_id = receipt
    if (reply + provider_id + verdict.reason).isprintable():
        return receipt
    return receipt._replace(
        verdict=replace(verdict, reason=printable(verdict.reason)),
        reply=printable(reply),
        provider_id=printable(provider_id),
    )


def printable(text: str) -> str:
    """Take out what a ledger cannot hold: PostgreSQL refuses NUL, and half a surrogate pair has no UTF-8."""
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def everyone(
    batch: Sequence[messages.Message], verdict: Verdict, answer: Answer, *, provider_id: str = ""
) -> Parsed:
    """Give every message of a batch the same receipt."""
    words = f"{answer.status} {said(answer)}".strip()
    return Parsed(receipts=[deliveries.Receipt(each.delivery, verdict, words, provider_id) for each in batch])


def split(batch: Sequence[messages.Message], answer: Answer, reason: str) -> Parsed:
    """Halve a batch that was refused as a whole; a single message is refused itself."""
    if len(batch) == 1:
        return everyone(batch, Verdict(kind=Kind.REJECT, reason=reason), answer)
    middle = len(batch) // 2
    return Parsed(again=(batch[:middle], batch[middle:]))


def refusal(answer: Answer) -> Verdict | None:
    """Return what a status means whoever says it; None where only the adapter can tell.

    502 and 504 come from a gateway whose backend may have taken the call: unknown. 500 and 503 are
    the provider's own word that it did not.
    """
    wait = retry_after(answer.headers)
    match answer.status:
        case 401 | 402 | 403:
            return Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason=said(answer) or "the key is refused")
        case 408 | 425 | 429 | 500 | 503:
            return Verdict(kind=Kind.RETRY, scope=Scope.MAILING, retry_after=wait, reason=said(answer))
        case 502 | 504 | 520 | 522 | 524:
            return Verdict(kind=Kind.UNKNOWN, reason=f"a gateway answered {answer.status}")
        case status if 300 <= status < 400:
            return Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason="the API answers with a redirect")
        case _:
            return None


def refused(answer: Answer) -> bool:
    """Say whether an answer means that whoever asked is not known, or may not ask."""
    return answer.status in {401, 403}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (RFC 9110 §10.2.3): seconds, or an HTTP date counted from the answer's own Date."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        wait = float(text)
    except ValueError:
        until, since = http_date(text), http_date(headers.get("date", ""))
        if until is None or since is None:
            return None
        wait = (until - since).total_seconds()
    return min(max(0.0, wait), _FAR_OFF)


def http_date(text: str) -> datetime | None:
    """Read an HTTP date (RFC 9110 §5.6.7), or None where it is none."""
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def said(answer: Answer) -> str:
    """Return the provider's own words, at most 200 characters on one line."""
    plain = answer.json()
    words: object = ""
    if isinstance(plain, dict):
        words = next((plain[key] for key in ("message", "Message", "error") if plain.get(key)), "")
        first = plain.get("errors")
        if not words and isinstance(first, list) and first and isinstance(first[0], dict):
            words = first[0].get("message", "")
    text = words if isinstance(words, str) and words else answer.body[:400].decode("utf-8", "replace")
    return " ".join(printable(text).split())[:200]


def mailbox(name: str, address: str) -> str:
    """Write ``"Name" <address>`` for an API that encodes it itself (RFC 5322 §3.4)."""
    if not name:
        return address
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def own_headers(parts: messages.Parts) -> dict[str, str]:
    """Return the headers that an API is asked to set: Reply-To has a field of its own, Date is the API's."""
    return {name: value for name, value in parts.headers.items() if name not in {"Reply-To", "Date"}}


def opened(message: messages.Message) -> messages.Parts:
    """Return the parts of a message that was merged for an API without raw MIME."""
    assert message.parts is not None, "limits.raw is false"
    return message.parts


def template_of(parts: messages.Parts) -> messages.Rendered:
    """Return what a message was merged from, for an API that takes one body and many values."""
    assert parts.template is not None, "a merged message knows its template"
    return parts.template.rendered
