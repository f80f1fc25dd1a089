"""Leaving by link, many at once: one transaction for whoever presses the button at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from newsletter.domain import subscribers
from newsletter.domain.letters import Kind, Letter
from newsletter.domain.subscribers import Status
from newsletter.store import letters, tables
from newsletter.store.database import Database
from newsletter.subscribing.leaving import Departed, Departure

_ROW = tables.subscriber.c
_NOTE = tables.delivery.c
# Held until the end: a decision upon a status must still be true when it is written.
_KNOWN = (
    sa.select(_ROW.id, _ROW.email, _ROW.status)
    .where(_ROW.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(_ROW.id)
    .with_for_update()
)
_MOVE = (
    sa.update(tables.subscriber)
    .where(_ROW.id == sa.bindparam("who"))
    .values(status=sa.bindparam("status"), changed_at=sa.bindparam("at"))
)
_RECORD = sa.insert(tables.consent)
_MARK = (
    sa.update(tables.delivery)
    .where(
        _NOTE.mailing_id == sa.bindparam("mailing"),
        _NOTE.subscriber_id == sa.bindparam("who"),
        _NOTE.unsubscribed_at.is_(None),
    )
    .values(unsubscribed_at=sa.bindparam("at"))
)


class _Leaver(NamedTuple):
    """Somebody as they stand at the beginning, with the wish that takes them off the list, if it does."""

    email: str
    before: Status
    wish: Departure


class StoredExit:
    """`subscribing.leaving.Exit` over SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, wanted: Sequence[Departure], *, now: datetime) -> Sequence[Departed]:
        """Let them leave, in the order of their wishes."""
        with self._database.writing() as connection:
            standing = _standing(connection, {each.subscriber for each in wanted})
            leavers: dict[int, _Leaver] = {}
            found = [_departed(each, standing, leavers) for each in wanted]
            if leavers:
                _write(connection, leavers, now)
            # In one order for all, so that two machines cannot wait for each other.
            marks = sorted({(each.mailing, each.subscriber) for each in wanted if each.mailing})
            if marks:
                rows = [{"mailing": mailing, "who": who, "at": now} for mailing, who in marks]
                connection.execute(_MARK, rows)
            return found


def _standing(connection: sa.Connection, ids: set[int]) -> dict[int, tuple[str, Status]]:
    if not ids:
        return {}
    rows = connection.execute(_KNOWN, {"ids": list(ids)})
    return {row[0]: (row[1], Status(row[2])) for row in rows}


def _departed(
    wish: Departure, standing: dict[int, tuple[str, Status]], leavers: dict[int, _Leaver]
) -> Departed:
    if wish.subscriber not in standing:
        return Departed()
    email, before = standing[wish.subscriber]
    if before in subscribers.GONE:
        return Departed(email, before, before)
    leavers[wish.subscriber] = _Leaver(email, before, wish)
    standing[wish.subscriber] = email, Status.UNSUBSCRIBED
    return Departed(email, before, Status.UNSUBSCRIBED)


def _write(connection: sa.Connection, leavers: dict[int, _Leaver], now: datetime) -> None:
    """Write statuses, consent records and letters."""
    records = {who: leaver.wish.record(now) for who, leaver in leavers.items()}
    moves = [{"who": who, "status": record.status.value, "at": now} for who, record in records.items()]
    connection.execute(_MOVE, moves)
    rows = [
        {
            "subscriber_id": who,
            "status": record.status.value,
            "at": record.at,
            "how": record.how.value,
            "source": record.source,
        }
        for who, record in records.items()
    ]
    connection.execute(_RECORD, rows)
    owed = [who for who, leaver in leavers.items() if leaver.before not in subscribers.OFF]
    letters.insert(connection, [Letter(kind=Kind.GOODBYE, subscriber=who, asked_at=now) for who in owed])
