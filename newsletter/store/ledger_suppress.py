"""What a receiver's refusal means for the person: no more mail, and a record that says why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from newsletter.domain import addresses, deliveries, subscribers
from newsletter.domain.subscribers import Status
from newsletter.store import people
from newsletter.store.tables import delivery, subscriber


def apply(
    connection: sa.Connection,
    mailing: int,
    outcomes: Sequence[deliveries.Outcome],
    keyed_hash: people.KeyedHash,
) -> None:
    """Suppress the addresses that outcomes name, in the caller's transaction."""
    for outcome in outcomes:
        if outcome.suppress:
            row = connection.execute(
                sa.select(delivery.c.subscriber_id, delivery.c.email).where(
                    delivery.c.id == outcome.delivery, delivery.c.mailing_id == mailing
                )
            ).one_or_none()
            if row is not None:
                _suppress(connection, row.subscriber_id, row.email, outcome, keyed_hash)


def _suppress(
    connection: sa.Connection,
    person: int,
    email: str,
    outcome: deliveries.Outcome,
    keyed_hash: people.KeyedHash,
) -> None:
    key = addresses.key(email)
    if key:
        people.suppress(connection, key, keyed_hash, reason=outcome.suppress, now=outcome.at)
    if _mark_bounced(connection, person, key, outcome.at):
        record = subscribers.ConsentRecord(
            status=Status.BOUNCED,
            at=outcome.at,
            how=subscribers.How.FEEDBACK,
            source=f"delivery {outcome.delivery}: {outcome.reply}",
        )
        people.append(connection, person, record)


def _mark_bounced(connection: sa.Connection, person: int, key: str, now: datetime) -> bool:
    """Take an active subscriber off the list, unless the address is another by now."""
    still = sa.and_(
        subscriber.c.id == person,
        subscriber.c.email_key == key,
        subscriber.c.status.in_([Status.ACTIVE.value, Status.PENDING.value]),
    )
    changed = connection.execute(
        sa.update(subscriber).where(still).values(status=Status.BOUNCED.value, changed_at=now)
    )
    return bool(changed.rowcount)
