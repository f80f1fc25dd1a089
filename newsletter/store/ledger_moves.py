"""Moves of whole mailings and of many deliveries at once: decisions, and what a crash left behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from newsletter.domain import deliveries, errors
from newsletter.domain.deliveries import AfterCrash, MailingStatus, State
from newsletter.store import ledger_rows
from newsletter.store.tables import delivery, lease, mailing

#: What a person may plan anew.
_AGAIN = frozenset({State.FAILED, State.REJECTED, State.UNKNOWN})


def require_open(found: deliveries.Mailing) -> None:
    """Make sure that a mailing is not over.

    Raises:
        MailingError: it was sent or cancelled.
    """
    if found.status in ledger_rows.OVER:
        word = "finished" if found.status is MailingStatus.DONE else "cancelled"
        raise errors.MailingError(
            f"the mailing of issue {found.number} is {word} already",
            hint=f"`newsletter mailing report {found.number}` shows what became of it",
        )


def set_status(
    connection: sa.Connection, number: int, status: MailingStatus, *, reason: str, now: datetime
) -> None:
    """Give a mailing a status; one that is over gets the time."""
    over = now if status in ledger_rows.OVER else None
    connection.execute(
        sa.update(mailing)
        .where(mailing.c.id == number)
        .values(status=status.value, reason=reason, finished_at=over)
    )


def plan_again(connection: sa.Connection, number: int, states: Sequence[State], *, now: datetime) -> int:
    """Plan deliveries of the given states anew, with their tries and time counted from the start.

    Raises:
        MailingError: deliveries of such a state cannot be planned again, or the mailing was cancelled.
    """
    if wrong := [state.value for state in states if state not in _AGAIN]:
        allowed = ", ".join(sorted(state.value for state in _AGAIN))
        raise errors.MailingError(
            f"deliveries that are {wrong[0]} cannot be planned again", hint=f"these can: {allowed}"
        )
    found = ledger_rows.hold(connection, number)
    if found.status is MailingStatus.CANCELLED:
        require_open(found)
    chosen = sa.and_(delivery.c.mailing_id == number, delivery.c.state.in_([s.value for s in states]))
    moved = connection.execute(
        sa.update(delivery)
        .where(chosen)
        .values(state=State.PLANNED.value, not_before=now, attempts=0, first_tried_at=None)
    ).rowcount
    if moved and found.status is MailingStatus.DONE:
        set_status(connection, number, MailingStatus.SENDING, reason="", now=now)
    return moved


def take_for_sent(connection: sa.Connection, number: int, *, now: datetime) -> int:
    """Believe that every unknown delivery arrived."""
    unknown = sa.and_(delivery.c.mailing_id == number, delivery.c.state == State.UNKNOWN.value)
    found = ledger_rows.hold(connection, number)
    moved = connection.execute(
        sa.update(delivery).where(unknown).values(state=State.SENT.value, settled_at=now)
    ).rowcount
    if moved and found.first_sent_at is None:
        note_first(connection, [number], now)
    return moved


def note_first(connection: sa.Connection, numbers: Collection[int], now: datetime) -> None:
    """Note that some message of each of these mailings was sent, where that is news."""
    news = sa.and_(mailing.c.id.in_(sorted(numbers)), mailing.c.first_sent_at.is_(None))
    connection.execute(sa.update(mailing).where(news).values(first_sent_at=now))


def recover(
    connection: sa.Connection,
    number: int,
    *,
    dead: Callable[[str], bool],
    after_crash: AfterCrash,
    now: datetime,
) -> int:
    """Move deliveries whose sender is gone to unknown, or plan them anew.

    Its lease stays: should the sender only have been slow, its receipts still find their rows.
    """
    row = delivery.c
    in_the_air = sa.select(row.lease_id).where(row.mailing_id == number, row.state == State.SENDING.value)
    senders = connection.execute(
        sa.select(lease).where(lease.c.mailing_id == number, lease.c.id.in_(in_the_air))
    ).all()
    gone = [sender.id for sender in senders if sender.until <= now or dead(sender.owner)]
    if not gone:
        return 0
    planned = after_crash is AfterCrash.RESEND
    return connection.execute(
        sa.update(delivery)
        .where(row.mailing_id == number, row.state == State.SENDING.value, row.lease_id.in_(gone))
        .values(
            state=State.PLANNED.value if planned else State.UNKNOWN.value,
            not_before=now if planned else None,
            attempts=row.attempts + 1,
            first_tried_at=sa.func.coalesce(row.first_tried_at, sa.literal(now, row.first_tried_at.type)),
            settled_at=now,
            reply="no answer: the sender ended before it came",
        )
    ).rowcount


def is_open(connection: sa.Connection, number: int) -> bool:
    """Say whether any delivery of a mailing is not settled."""
    return bool(connection.scalar(sa.select(sa.or_(*_open(number)))))


def due(connection: sa.Connection, now: datetime) -> list[deliveries.Mailing]:
    """Return mailings whose time has come, that have due deliveries left, or that nobody called done."""
    row = delivery.c
    ready = sa.exists().where(
        row.mailing_id == mailing.c.id,
        row.state == State.PLANNED.value,
        row.not_before.is_(None) | (row.not_before <= now),
    )
    scheduled = sa.and_(mailing.c.status == MailingStatus.SCHEDULED.value, mailing.c.due_at <= now)
    over = sa.and_(*(~part for part in _open(mailing.c.id)))
    going = sa.and_(mailing.c.status == MailingStatus.SENDING.value, ready | over)
    rows = connection.execute(sa.select(mailing).where(scheduled | going).order_by(mailing.c.id))
    return [ledger_rows.to_mailing(found) for found in rows]


def _open(number: int | sa.ColumnElement[int]) -> tuple[sa.ColumnElement[bool], ...]:
    """Return conditions of which one holds for a mailing with open deliveries, the quickest first."""
    row = delivery.c
    mine = row.mailing_id == number
    waiting = sa.exists().where(mine, row.state == State.PLANNED.value, row.not_before.is_not(None))
    open_ = sa.exists().where(mine, row.state.in_([State.PLANNED.value, State.SENDING.value]))
    return waiting, open_
