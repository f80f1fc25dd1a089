"""Erase a person from every table, and leave what the law and the ledger need: a keyed hash, and counts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from newsletter.domain import subscribers
from newsletter.store import people, tables


def forget(connection: sa.Connection, subscriber: int, keyed_hash: people.KeyedHash, now: datetime) -> None:
    """Erase a subscriber, in the caller's transaction; nothing when there is none."""
    row = tables.subscriber.c
    key = connection.scalar(sa.select(row.email_key).where(row.id == subscriber))
    if key is None:
        return
    _keep_hash(connection, key, keyed_hash, now)
    _blank_deliveries(connection, subscriber)
    _blank_reports(connection, subscriber)
    # Consent, labels and what imports filled go with the row.
    connection.execute(sa.delete(tables.subscriber).where(row.id == subscriber))


def _keep_hash(connection: sa.Connection, key: str, keyed_hash: people.KeyedHash, now: datetime) -> None:
    people.suppress(connection, key, keyed_hash, reason=subscribers.ERASED, now=now)
    suppression = tables.suppression
    connection.execute(
        sa.update(suppression)
        .where(suppression.c.value_hash == keyed_hash(key))
        .values(value=None, reason=subscribers.ERASED)
    )


def _blank_deliveries(connection: sa.Connection, subscriber: int) -> None:
    delivery = tables.delivery
    # By mailing and subscriber, as the index has them: the ledger is not read from end to end.
    mine = sa.and_(
        delivery.c.mailing_id.in_(sa.select(tables.mailing.c.id)), delivery.c.subscriber_id == subscriber
    )
    # Servers like to repeat the address in their replies.
    connection.execute(sa.update(delivery).where(mine).values(email="", name="", reply=""))


def _blank_reports(connection: sa.Connection, subscriber: int) -> None:
    event, report = tables.event, tables.report
    mine = event.c.subscriber_id == subscriber
    # Applied already; the events keep what they said of everybody else.
    connection.execute(
        sa.update(report)
        .where(report.c.id.in_(sa.select(event.c.report_id).where(mine)), report.c.applied_at.is_not(None))
        .values(body=b"")
    )
    connection.execute(sa.update(event).where(mine).values(detail=""))
