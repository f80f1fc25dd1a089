"""Tell what a mail that came back means in the words that providers' webhooks are told in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from newsletter.bounces.report import Kind, Recipient, Report
from newsletter.domain.events import Event
from newsletter.domain.events import Kind as EventKind

_KINDS: Mapping[Kind, EventKind] = {
    Kind.BOUNCE: EventKind.BOUNCED,
    Kind.DELAYED: EventKind.DEFERRED,
    Kind.DELIVERED: EventKind.DELIVERED,
    Kind.COMPLAINT: EventKind.COMPLAINED,
    Kind.AUTO_REPLY: EventKind.AUTO_REPLIED,
    Kind.UNSUBSCRIBE: EventKind.UNSUBSCRIBED,
}
#: A reader who asks to be left alone through the mailbox provider has not called it spam (RFC 6650 §5.2).
_OPT_OUT = frozenset({"opt-out", "opt-out-list"})


def events(report: Report, *, at: datetime, key: str) -> Iterator[Event]:
    """Yield an event for each recipient, or a single one where none is named; none for a person's reply.

    ``key`` names the mail, so that reading it twice tells the same events twice.
    """
    kind = _KINDS.get(report.kind)
    if kind is None:
        return
    if report.feedback_type in _OPT_OUT:
        kind = EventKind.UNSUBSCRIBED
    message_id = report.message_id.strip("<>")
    for recipient in report.recipients or (None,):
        yield _event(kind, recipient, at=at, key=key, message_id=message_id)


def _event(kind: EventKind, recipient: Recipient | None, *, at: datetime, key: str, message_id: str) -> Event:
    if recipient is None:
        return Event(kind=kind, at=at, key=key, message_id=message_id)
    if kind is EventKind.BOUNCED and not recipient.given_up:
        kind = EventKind.DEFERRED
    return Event(
        kind=kind,
        at=at,
        key=f"{key} {recipient.address.lower()}",
        recipient=recipient.address,
        message_id=message_id,
        hard=kind is EventKind.BOUNCED and recipient.verdict == "hard",
        cause=recipient.cause,
        detail=recipient.diagnostic,
    )
