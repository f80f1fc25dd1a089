"""What a ledger in memory keeps of a mailing, and what it reads out of that."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from newsletter import ports
from newsletter.domain import buckets, deliveries, numbering, subscribers
from newsletter.domain.deliveries import Delivery, Mailing, MailingStatus, State

_NOT_REACHED = frozenset({State.REJECTED, State.FAILED, State.SKIPPED})
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Row:
    """A delivery, with what only the ledger itself needs to know of it."""

    delivery: Delivery
    owner: str = ""
    first_tried: datetime | None = None


@dataclass
class Book:
    """A mailing with everything that it froze."""

    mailing: Mailing
    draft: ports.MailingDraft
    rows: dict[int, Row]
    #: Owner → until when its lease holds.
    leases: dict[str, datetime]


@dataclass
class Purse:
    """What all senders by one provider share."""

    booked_until: datetime = _NEVER
    day: date = date.min
    drawn: int = 0

    def book(self, *, count: int, rate: float, now: datetime) -> float:
        """Take the next free places of a rate, and return the seconds until the first."""
        span = count / rate
        begin = max(self.booked_until, now - timedelta(seconds=buckets.CATCH_UP))
        if (begin - now).total_seconds() > buckets.farthest(span):
            begin = now
        self.booked_until = begin + timedelta(seconds=span)
        return (begin - now).total_seconds()

    def draw(self, day: date, *, count: int, cap: int, used: int) -> int:
        """Take up to so many messages of a day's cap."""
        drawn = max(used, self.drawn) if self.day == day else used
        if self.day == day + timedelta(days=1):
            day, drawn = self.day, self.drawn
        granted = max(0, min(count, cap - drawn))
        self.day, self.drawn = day, drawn + granted
        return granted

    def give_back(self, day: date, *, count: int) -> None:
        """Give back messages of a day that were drawn and not sent."""
        if self.day == day:
            self.drawn -= count


def due(book: Book, now: datetime) -> list[Row]:
    """Return deliveries that may go now: first those whose time came again, then fresh ones."""
    waiting = [row for row in book.rows.values() if row.delivery.state is State.PLANNED]
    again = [(row.delivery.not_before, row) for row in waiting if row.delivery.not_before]
    due = sorted(
        ((when, row) for when, row in again if when <= now), key=lambda one: (one[0], one[1].delivery.id)
    )
    return [row for _, row in due] + [row for row in waiting if row.delivery.not_before is None]


def why_not(directory: ports.Directory, one: Delivery, now: datetime) -> str:
    """Return the reason for which a planned recipient is not mailed after all, or an empty text."""
    person = directory.get(one.subscriber)
    if person is None:
        return "erased since the plan"
    if why := directory.is_suppressed(person.email):
        return f"suppressed since the plan: {why}"
    if person.status is not subscribers.Status.ACTIVE:
        return f"{person.status.value} since the plan"
    return "paused since the plan" if person.paused_until and person.paused_until > now else ""


def is_alive(mailing: Mailing, number: numbering.IssueNumber) -> bool:
    """Say whether a mailing is one of an issue, and not cancelled."""
    return mailing.number == number and mailing.status is not MailingStatus.CANCELLED


def waits_to_begin(book: Book) -> bool:
    """Say whether a mailing was scheduled and has not begun, though somebody may have stopped it since."""
    waiting = book.mailing.status in (MailingStatus.SCHEDULED, *deliveries.STOPPED)
    rows = [row.delivery for row in book.rows.values()]
    fresh = all(one.state is State.PLANNED and one.not_before is None for one in rows)
    return waiting and book.mailing.due_at is not None and fresh


def is_reached(mailing: Mailing, one: Delivery) -> bool:
    """Say whether the recipient has the issue, will have it, or may have it."""
    if one.state is State.PLANNED:
        return mailing.status is not MailingStatus.CANCELLED
    return one.state not in _NOT_REACHED


def change(row: Row, **fields: object) -> None:
    """Write some fields of a delivery."""
    row.delivery = dataclasses.replace(row.delivery, **fields)  # type: ignore[arg-type]  # names checked by replace


def claimed(row: Row) -> deliveries.Claimed:
    """Return a delivery as a sender is given it."""
    one = row.delivery
    return deliveries.Claimed(
        one.id, one.subscriber, one.email, one.name, one.language, one.attempts, row.first_tried
    )
