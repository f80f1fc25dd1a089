"""Subscribers, their consent, and every move between their statuses."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class Status(enum.StrEnum):
    """What we may do with a subscriber's address."""

    #: Asked for it, not confirmed yet.
    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


#: Statuses that nothing but the person can raise to active again.
OFF = frozenset({Status.UNSUBSCRIBED, Status.BOUNCED, Status.COMPLAINED})


#: Why an address is suppressed whose person asked to be forgotten: only that person can lift it.
ERASED = "erased at their own wish"


class How(enum.StrEnum):
    """By which way a consent record came about."""

    FORM = "form"
    IMPORT = "import"
    API = "api"
    ONE_CLICK = "one-click"
    PAGE = "page"
    MAIL = "mail"
    STAFF = "staff"
    FEEDBACK = "feedback"


@dataclass(frozen=True, kw_only=True)
class ConsentRecord:
    """Who agreed to what, when, how, from where: append-only."""

    status: Status
    at: datetime
    how: How
    #: File and row, page, reply, person: what a dispute would ask for.
    source: str = ""
    #: The words that were agreed to.
    wording: str = ""
    #: Truncated by setting; empty when off.
    ip: str = ""


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """Somebody on the list."""

    #: 0 before the directory has given one.
    id: int = 0
    #: As the person writes it.
    email: str
    status: Status
    joined_at: datetime
    name: str = ""
    language: str = ""
    timezone: str = ""
    #: Chosen by the subscriber.
    topics: tuple[str, ...] = ()
    #: Put there by staff.
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    paused_until: datetime | None = None

    @property
    def first_name(self) -> str:
        """The first word of the name, or nothing."""
        return self.name.split()[0] if self.name.split() else ""


@dataclass(frozen=True, kw_only=True)
class Move:
    """A subscriber after a change, with the consent record that explains it."""

    subscriber: Subscriber
    record: ConsentRecord
    #: The status that the decision was made upon; it must still be so when the move is applied.
    was: Status


def move(subscriber: Subscriber, record: ConsentRecord) -> Move:
    """Give a subscriber the status of a consent record."""
    after = dataclasses.replace(subscriber, status=record.status)
    return Move(subscriber=after, record=record, was=subscriber.status)


#: How firm a status is against mail. An import may only make it firmer.
FIRMNESS = {
    Status.ACTIVE: 0,
    Status.PENDING: 0,
    Status.BOUNCED: 1,
    Status.UNSUBSCRIBED: 2,
    Status.COMPLAINED: 3,
}


def may_import(old: Status | None, new: Status) -> bool:
    """Say whether an import may set a status: it never raises consent.

    It does not make an active subscriber pending either: somebody else's doubt undoes no confirmation.
    """
    return old is None or old == new or FIRMNESS[new] > FIRMNESS[old]


def raises_consent(old: Status, new: Status) -> bool:
    """Say whether a status asks for more than we have: what an import holds back."""
    rank = {Status.ACTIVE: 2, Status.PENDING: 1}
    return rank.get(new, 0) > rank.get(old, 0)


#: Why somebody says they left, as the consent record keeps it.
REASONS = frozenset({"often", "content", "unread", "unasked", "other"})
WHY = "reason: "

#: Ways by which only the person leaves.
OWN_WILL = frozenset({How.ONE_CLICK, How.PAGE, How.MAIL})


#: Who has gone by their own will: leaving again changes nothing.
GONE = frozenset({Status.UNSUBSCRIBED, Status.COMPLAINED})


def leave(subscriber: Subscriber, record: ConsentRecord) -> Move | None:
    """Take a subscriber off the list; None when they are off it by their own will already."""
    if subscriber.status in GONE:
        return None
    return move(subscriber, record)


def is_reason(record: ConsentRecord) -> bool:
    """Say whether a record only tells why its person left."""
    return record.source.startswith(WHY)


def say_why(
    subscriber: Subscriber, history: Sequence[ConsentRecord], reason: str, now: datetime
) -> Move | None:
    """Add to the record of a leaving why it was; None when nobody left by their own will, or it was said."""
    last = history[-1] if history else None
    if last is None or subscriber.status is not Status.UNSUBSCRIBED:
        return None
    if last.how not in OWN_WILL or is_reason(last) or reason not in REASONS:
        return None
    return move(
        subscriber,
        ConsentRecord(status=Status.UNSUBSCRIBED, at=now, how=How.PAGE, source=f"{WHY}{reason}"),
    )


def come_back(subscriber: Subscriber, history: Sequence[ConsentRecord], record: ConsentRecord) -> Move | None:
    """Undo the last leaving: restore the status before it, whatever that was, and no more.

    None when the last thing that happened was not that person's leaving by link, page or mail.
    """
    moves = [each for each in history if not is_reason(each)]
    if subscriber.status is not Status.UNSUBSCRIBED or len(moves) < 2:
        return None
    last, before = moves[-1], moves[-2]
    if last.status is not Status.UNSUBSCRIBED or last.how not in OWN_WILL:
        return None
    return move(subscriber, dataclasses.replace(record, status=before.status))
