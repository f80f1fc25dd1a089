"""Leaving by link, many at once: one transaction for whoever presses the button at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from newsletter.domain import subscribers
from newsletter.domain.letters import Kind, Letter
from newsletter.store import letters, people, tables
from newsletter.store.database import Database
from newsletter.subscribing.leaving import Departed, Departure

_ROW = tables.subscriber.c
_NOTE = tables.delivery.c
_MOVE = (
    sa.update(tables.subscriber)
    .where(_ROW.id == sa.bindparam("who"))
    .values(status=sa.bindparam("status"), changed_at=sa.bindparam("at"))
)
_MARK = (
    sa.update(tables.delivery)
    .where(
        _NOTE.mailing_id == sa.bindparam("mailing"),
        _NOTE.subscriber_id == sa.bindparam("who"),
        _NOTE.unsubscribed_at.is_(None),
    )
    .values(unsubscribed_at=sa.bindparam("at"))
)


class StoredExit:
    """`subscribing.leaving.Exit` over SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, wanted: Sequence[Departure], *, now: datetime) -> Sequence[Departed]:
        """Let them leave, in the order of their wishes."""
        with self._database.writing() as connection:
            known = _known(connection, {each.subscriber for each in wanted})
            moves: list[subscribers.Move] = []
            found = [_departed(each, known, moves, now) for each in wanted]
            _write(connection, moves)
            # In one order for all, so that two machines cannot wait for each other.
            marks = sorted({(each.mailing, each.subscriber) for each in wanted if each.mailing})
            if marks:
                rows = [{"mailing": mailing, "who": who, "at": now} for mailing, who in marks]
                connection.execute(_MARK, rows)
            return found


def _known(connection: sa.Connection, ids: set[int]) -> dict[int, subscribers.Subscriber]:
    # Held until the end: a decision upon a status must still be true when it is written.
    query = sa.select(tables.subscriber).where(_ROW.id.in_(ids)).order_by(_ROW.id).with_for_update()
    return {person.id: person for person in people.every(connection, query)}


def _departed(
    wish: Departure,
    known: dict[int, subscribers.Subscriber],
    moves: list[subscribers.Move],
    now: datetime,
) -> Departed:
    person = known.get(wish.subscriber)
    if person is None:
        return Departed(None, None)
    move = subscribers.leave(person, wish.record(now))
    if move is not None:
        moves.append(move)
        known[wish.subscriber] = move.subscriber
    return Departed(known[wish.subscriber], person.status)


def _write(connection: sa.Connection, moves: Sequence[subscribers.Move]) -> None:
    if not moves:
        return
    connection.execute(
        _MOVE,
        [
            {"who": move.subscriber.id, "status": move.subscriber.status.value, "at": move.record.at}
            for move in moves
        ],
    )
    rows = [
        {
            "subscriber_id": move.subscriber.id,
            "status": move.record.status.value,
            "at": move.record.at,
            "how": move.record.how.value,
            "source": move.record.source,
        }
        for move in moves
    ]
    connection.execute(sa.insert(tables.consent), rows)
    goodbyes = [
        Letter(kind=Kind.GOODBYE, subscriber=move.subscriber.id, asked_at=move.record.at)
        for move in moves
        if move.was not in subscribers.OFF
    ]
    letters.insert(connection, goodbyes)
