"""Reports and events in a database: kept first, then applied once, whatever comes twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.domain import events, feedback
from newsletter.domain.deliveries import State
from newsletter.domain.events import Cause, Kind
from newsletter.store import applying, people, tables
from newsletter.store.database import Database

_REPORT, _EVENT, _DELIVERY = tables.report.c, tables.event.c, tables.delivery.c
_CLOSE = (
    sa.update(tables.report)
    .where(_REPORT.id == sa.bindparam("which"))
    .values(applied_at=sa.bindparam("at"), problem=sa.bindparam("why"))
)
_PAGE = 500


class StoredFeedback:
    """`sending.feedback.Book` over SQLite or PostgreSQL."""

    def __init__(
        self, database: Database, keyed_hash: people.KeyedHash, message_key: applying.MessageKey
    ) -> None:
        """Take the database, the hash of suppressed addresses, and the key that Message-IDs are made of."""
        self._database = database
        self._hash = keyed_hash
        self._message_key = message_key

    def keep(self, reports: Sequence[tuple[str, bytes]], *, now: datetime) -> None:
        """Write reports before anything is made of them."""
        rows = [{"provider": name, "received_at": now, "body": body} for name, body in reports]
        with self._database.writing() as connection:
            connection.execute(sa.insert(tables.report), rows)

    def waiting(self, *, limit: int) -> Sequence[feedback.Report]:
        """Return reports of which nothing was made yet, oldest first."""
        query = sa.select(tables.report).where(_REPORT.applied_at.is_(None)).order_by(_REPORT.id).limit(limit)
        with self._database.reading() as connection:
            return [_report(row) for row in connection.execute(query)]

    def since(self, at: datetime) -> Iterator[feedback.Report]:
        """Yield every report that came at or after a time, oldest first."""
        last = 0
        while True:
            later = sa.and_(_REPORT.received_at >= at, _REPORT.id > last)
            query = sa.select(tables.report).where(later).order_by(_REPORT.id).limit(_PAGE)
            with self._database.reading() as connection:
                page = [_report(row) for row in connection.execute(query)]
            if not page:
                return
            yield from page
            last = page[-1].id

    def apply(
        self,
        readings: Sequence[feedback.Reading],
        decide: applying.Decide,
        *,
        now: datetime,
        again: bool = False,
    ) -> feedback.Applied:
        """Record events and what follows from them, in one transaction."""
        with self._database.writing() as connection:
            application = applying.Application(connection, decide, self._hash, self._message_key)
            applied = application.take(readings, now=now, again=again)
            done = [
                {"which": each.report.id, "at": now, "why": each.problem[:500].replace("\x00", "")}
                for each in readings
            ]
            connection.execute(_CLOSE, done)
            if application.of_erased:
                mine = _REPORT.id.in_(sorted(application.of_erased))
                connection.execute(sa.update(tables.report).where(mine).values(body=b""))
        return applied

    def figures(self, mailing: int) -> feedback.Figures:
        """Count how a mailing fares; a delivery counts once."""
        told = sa.select(_EVENT.kind, _EVENT.cause, sa.func.count(sa.distinct(_EVENT.delivery_id))).where(
            _EVENT.mailing_id == mailing,
            (_EVENT.kind == Kind.COMPLAINED.value) | (_EVENT.kind == Kind.BOUNCED.value),
            (_EVENT.hard.is_(True)) | (_EVENT.kind == Kind.COMPLAINED.value),
        )
        out = [State.SENT, State.DELIVERED, State.BOUNCED, State.COMPLAINED]
        sent = sa.select(sa.func.count()).where(
            _DELIVERY.mailing_id == mailing, _DELIVERY.state.in_([state.value for state in out])
        )
        with self._database.reading() as connection:
            rows = connection.execute(told.group_by(_EVENT.kind, _EVENT.cause)).all()
            return _figures(rows, int(connection.scalar(sent) or 0))

    def delivery(self, mailing: int, subscriber: int) -> int:
        """Return the id of a delivery, 0 where there is none."""
        query = sa.select(_DELIVERY.id).where(
            _DELIVERY.mailing_id == mailing, _DELIVERY.subscriber_id == subscriber
        )
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def reasons(self) -> Mapping[int, str]:
        """Return what was last reported against subscribers: the kind, its cause, and the words of it."""
        told = [Kind.BOUNCED.value, Kind.COMPLAINED.value]
        query = (
            sa.select(_EVENT.subscriber_id, _EVENT.kind, _EVENT.cause, _EVENT.at, _EVENT.detail)
            .where(_EVENT.kind.in_(told), _EVENT.subscriber_id > 0)
            .order_by(_EVENT.at)
        )
        with self._database.reading() as connection:
            return {
                row.subscriber_id: f"{row.kind} on {row.at:%Y-%m-%d}, {row.cause}: {row.detail}".rstrip(": ")
                for row in connection.execute(query)
            }

    def about(self, subscriber: int) -> Sequence[feedback.Told]:
        """Return what was reported about a subscriber, oldest first."""
        query = sa.select(tables.event).where(_EVENT.subscriber_id == subscriber)
        with self._database.reading() as connection:
            return [
                feedback.Told(
                    kind=Kind(row.kind),
                    at=row.at,
                    cause=Cause(row.cause),
                    detail=row.detail,
                    machine=row.machine,
                )
                for row in connection.execute(query.order_by(_EVENT.at, _EVENT.id))
            ]

    def tally(self) -> Mapping[tuple[str, str], int]:
        """Count events by provider and kind."""
        query = sa.select(_EVENT.provider, _EVENT.kind, sa.func.count()).group_by(
            _EVENT.provider, _EVENT.kind
        )
        with self._database.reading() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def _report(row: sa.Row[Any]) -> feedback.Report:
    return feedback.Report(id=row.id, provider=row.provider, received_at=row.received_at, body=row.body)


def _figures(rows: Sequence[Sequence[Any]], sent: int) -> feedback.Figures:
    bounced = {Cause(row[1]): row[2] for row in rows if row[0] == Kind.BOUNCED.value}
    return feedback.Figures(
        sent=sent,
        hard=sum(count for cause, count in bounced.items() if cause in events.DEAD),
        complaints=sum(row[2] for row in rows if row[0] == Kind.COMPLAINED.value),
        blamed=sum(count for cause, count in bounced.items() if cause in feedback.BLAMED),
    )
