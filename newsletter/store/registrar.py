"""What staff do with the list as a whole, in a database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter import ports
from newsletter.domain import audiences, deliveries, intake, numbering, rolls, subscribers
from newsletter.store import audience_sql, bulk, ledger_rows, statistics, tables, undoing
from newsletter.store.database import Database

_ROW = tables.subscriber.c
_ACTIVE = _ROW.status == subscribers.Status.ACTIVE.value
_INACTIVE = frozenset(status.value for status in subscribers.Status) - {subscribers.Status.ACTIVE.value}
_PAGE = 1000


class StoredRegistrar:
    """`subscribing.registrar.Registrar` over SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def review(self, audience: ports.Audience, *, now: datetime, samples: int = 0) -> Sequence[rolls.Group]:
        """Group the active subscribers by why they are left out of an audience; who is in comes first."""
        with self._database.reading() as connection:
            reason = audience_sql.reason(audience, connection.dialect.name, now=now)
            counted = audience_sql.tally(connection, audience, now=now)
            active = [(why, number) for why, number in counted.items() if why not in _INACTIVE]
            return [
                rolls.Group(
                    reason=why,
                    count=number,
                    samples=_samples(connection, reason, why, samples) if samples else (),
                )
                for why, number in sorted(active, key=lambda item: (item[0] != "", -item[1]))
            ]

    def left_out(self, audience: ports.Audience, *, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield address and reason of every active subscriber who is left out, streamed."""
        with self._database.reading() as connection:
            reason = audience_sql.reason(audience, connection.dialect.name, now=now)
            query = sa.select(_ROW.email, reason).where(_ACTIVE, reason.is_not(None)).order_by(_ROW.email_key)
            rows = connection.execution_options(stream_results=True, yield_per=_PAGE).execute(query)
            for row in rows:
                yield row[0], row[1]

    def label(
        self, rule: audiences.Rule, *, add: Collection[str] = (), remove: Collection[str] = (), now: datetime
    ) -> int:
        """Put tags on, and take tags off, everybody whom a rule selects; return how many were changed."""
        with self._database.writing() as connection:
            return bulk.label(connection, rule, add=add, remove=remove, now=now)

    def amend(self, rule: audiences.Rule, changes: Mapping[str, Any], *, now: datetime) -> int:
        """Set fields and attributes of everybody whom a rule selects; return how many."""
        with self._database.writing() as connection:
            return bulk.amend(connection, rule, changes, now)

    def imports(self) -> Sequence[intake.Import]:
        """Return every import, newest first."""
        with self._database.reading() as connection:
            return undoing.imports(connection)

    def undo(self, run: int, *, now: datetime) -> intake.Undone:
        """Take back what an import added, where nothing happened to it since."""
        with self._database.writing() as connection:
            return undoing.undo(connection, run, now)

    def deliveries(self, subscriber: int) -> Sequence[tuple[numbering.IssueNumber, deliveries.Delivery]]:
        """Return every delivery to a subscriber with the issue it carried, oldest first."""
        delivery, mailing = tables.delivery, tables.mailing
        query = (
            sa.select(delivery, mailing.c.volume, mailing.c.number)
            .where(delivery.c.mailing_id.in_(sa.select(mailing.c.id)), delivery.c.subscriber_id == subscriber)
            .join(mailing, mailing.c.id == delivery.c.mailing_id)
            .order_by(delivery.c.id)
        )
        with self._database.reading() as connection:
            return [
                (numbering.IssueNumber(row.volume, row.number), ledger_rows.to_delivery(row))
                for row in connection.execute(query)
            ]

    def statistics(self) -> rolls.Statistics:
        """Count the list in every way that matters."""
        with self._database.reading() as connection:
            return statistics.count(connection)


def _samples(
    connection: sa.Connection, reason: sa.ColumnElement[str | None], why: str, wanted: int
) -> Sequence[str]:
    fits = reason == why if why else reason.is_(None)
    return connection.scalars(
        sa.select(_ROW.email).where(_ACTIVE, fits).order_by(_ROW.id).limit(wanted)
    ).all()
