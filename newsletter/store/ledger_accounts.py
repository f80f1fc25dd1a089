"""What the ledger can tell of a mailing: states, domains, refusals, and its deliveries one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.domain import deliveries
from newsletter.domain.deliveries import State
from newsletter.store import ledger_rows
from newsletter.store.tables import delivery, mailing

_PAGE = 1000
#: States whose reply says what went wrong.
_REFUSED = [state.value for state in (State.PLANNED, State.REJECTED, State.FAILED, State.UNKNOWN)]


def tally(connection: sa.Connection, number: int) -> deliveries.Tally:
    """Count the deliveries of a mailing by state."""
    row = delivery.c
    counts = connection.execute(
        sa.select(row.state, sa.func.count(), sa.func.count(row.unsubscribed_at))
        .where(row.mailing_id == number)
        .group_by(row.state)
    ).all()
    next_try = connection.scalar(
        sa.select(sa.func.min(row.not_before)).where(
            row.mailing_id == number, row.state == State.PLANNED.value, row.not_before.is_not(None)
        )
    )
    return deliveries.Tally(
        mailing=ledger_rows.get(connection, number),
        states={State(state): number for state, number, _ in counts},
        next_try=next_try,
        unsubscribed=sum(left for _, _, left in counts),
    )


def subscribers(connection: sa.Connection, number: int) -> int:
    """Count the different subscribers that the deliveries of a mailing are for."""
    query = sa.select(sa.func.count(sa.distinct(delivery.c.subscriber_id)))
    return int(connection.scalar(query.where(delivery.c.mailing_id == number)) or 0)


def domains(connection: sa.Connection, number: int) -> list[tuple[str, State, int]]:
    """Count deliveries by the recipient's domain and state, biggest first."""
    row, count = delivery.c, sa.func.count().label("count")
    query = (
        sa.select(row.domain, row.state, count)
        .where(row.mailing_id == number)
        .group_by(row.domain, row.state)
        .order_by(count.desc(), row.domain, row.state)
    )
    return [(domain, State(state), count) for domain, state, count in connection.execute(query)]


def errors(connection: sa.Connection, number: int) -> list[tuple[str, int]]:
    """Return replies of refusals and how often each came, most frequent first."""
    row, count = delivery.c, sa.func.count().label("count")
    query = (
        sa.select(row.reply, count)
        .where(row.mailing_id == number, row.state.in_(_REFUSED), row.reply != "")
        .group_by(row.reply)
        .order_by(count.desc(), row.reply)
    )
    return [(reply, count) for reply, count in connection.execute(query)]


def handed_over(connection: sa.Connection, provider: str, since: datetime) -> tuple[int, datetime | None]:
    """Count messages handed to a provider since a time, and say when the first ever was."""
    row = delivery.c
    query = (
        sa.select(sa.func.count().filter(row.merged_at >= since), sa.func.min(row.first_tried_at))
        .join(mailing, mailing.c.id == row.mailing_id)
        .where(mailing.c.provider == provider)
    )
    count, first = connection.execute(query).one()
    return count, first


def stream(
    connection: sa.Connection, number: int, *, states: Sequence[State], domain: str, email: str
) -> Iterator[deliveries.Delivery]:
    """Yield deliveries of a mailing by id, a page in memory at a time."""
    row = delivery.c
    conditions: list[Any] = [row.mailing_id == number]
    if states:
        conditions.append(row.state.in_([state.value for state in states]))
    if domain:
        conditions.append(row.domain == domain.lower())
    if email:
        conditions.append(sa.func.lower(row.email) == email.lower())
    last = 0
    while True:
        query = sa.select(delivery).where(*conditions, row.id > last).order_by(row.id).limit(_PAGE)
        page = connection.execute(query).all()
        for found in page:
            yield ledger_rows.to_delivery(found)
        if len(page) < _PAGE:
            return
        last = page[-1].id
