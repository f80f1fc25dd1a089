"""Mailings and deliveries out of their rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from newsletter.domain import deliveries, errors, numbering
from newsletter.store import tables

#: Mailings in which nothing more happens unless a person says so.
OVER = (deliveries.MailingStatus.CANCELLED, deliveries.MailingStatus.DONE)


def to_mailing(row: sa.Row[Any]) -> deliveries.Mailing:
    """Return a mailing out of its row."""
    return deliveries.Mailing(
        id=row.id,
        number=numbering.IssueNumber(row.volume, row.number),
        status=deliveries.MailingStatus(row.status),
        provider=row.provider,
        rate=row.rate,
        created_at=row.created_at,
        due_at=row.due_at,
        first_sent_at=row.first_sent_at,
        finished_at=row.finished_at,
        reason=row.reason,
        template_hash=row.template_hash,
        content_hash=row.content_hash,
        audience=row.audience["name"],
        planned=row.planned,
    )


def to_delivery(row: sa.Row[Any]) -> deliveries.Delivery:
    """Return a delivery out of its row."""
    return deliveries.Delivery(
        id=row.id,
        mailing=row.mailing_id,
        subscriber=row.subscriber_id,
        email=row.email,
        name=row.name,
        language=row.language,
        state=deliveries.State(row.state),
        attempts=row.attempts,
        reply=row.reply,
        provider_id=row.provider_id,
        not_before=row.not_before,
        merged_at=row.merged_at,
        digest=row.digest,
        settled_at=row.settled_at,
        unsubscribed_at=row.unsubscribed_at,
    )


def get(connection: sa.Connection, number: int) -> deliveries.Mailing:
    """Return a mailing by its id.

    Raises:
        MailingError: there is none.
    """
    return _one(connection, sa.select(tables.mailing), number)


def hold(connection: sa.Connection, number: int) -> deliveries.Mailing:
    """Return a mailing that nobody else changes before the transaction is over.

    Raises:
        MailingError: there is none.
    """
    # SQLite has no such words, and needs none: it has one writer.
    return _one(connection, sa.select(tables.mailing).with_for_update(), number)


def _one(connection: sa.Connection, query: sa.Select[Any], number: int) -> deliveries.Mailing:
    row = connection.execute(query.where(tables.mailing.c.id == number)).one_or_none()
    if row is None:
        raise errors.MailingError(f"there is no mailing {number}", hint="see `newsletter mailing status`")
    return to_mailing(row)
