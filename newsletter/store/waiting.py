"""People who asked by the form and did not confirm: found again, and deleted when their time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from newsletter.domain import subscribers
from newsletter.store import people, tables
from newsletter.store.database import Database

_ROW = tables.subscriber.c
_MINE = tables.consent.c.subscriber_id == _ROW.id
_BY_FORM = tables.consent.c.how == subscribers.How.FORM.value
#: Whom staff put down or an import brought is for staff to decide about.
_WAITING = sa.and_(
    _ROW.status == subscribers.Status.PENDING.value,
    sa.exists().where(_MINE, _BY_FORM),
    ~sa.exists().where(_MINE, ~_BY_FORM),
)
#: Whoever asks again waits anew. Nobody asked before they joined, which spares a look at most of the list.
_asked_at = (
    sa.select(sa.func.max(tables.consent.c.at)).where(_MINE).correlate(tables.subscriber).scalar_subquery()
)


class StoredWaiting:
    """`subscribing.rounds.Waiting` over SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, first: datetime, last: datetime) -> Sequence[subscribers.Subscriber]:
        """Return who last asked by the form at or after ``first`` and before ``last``, in order."""
        query = (
            sa.select(tables.subscriber)
            .where(_WAITING, _ROW.joined_at < last, _asked_at >= first, _asked_at < last)
            .order_by(_ROW.joined_at, _ROW.id)
        )
        with self._database.reading() as connection:
            return list(people.stream(connection, query))

    def delete(self, before: datetime) -> int:
        """Delete who last asked by the form before a moment, without a trace; return how many there were."""
        old = sa.and_(_WAITING, _ROW.joined_at < before, _asked_at < before)
        with self._database.reading() as connection:
            if connection.scalar(sa.select(_ROW.id).where(old).limit(1)) is None:
                return 0
        with self._database.erasing() as connection:
            # Consent and labels go with the row.
            return connection.execute(sa.delete(tables.subscriber).where(old)).rowcount
