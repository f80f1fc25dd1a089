"""Letters in a database: put down with the act that calls for them, and worked off afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter import ports
from newsletter.domain import addresses, deliveries, letters
from newsletter.domain.deliveries import State
from newsletter.domain.letters import Addressee, Kind, Letter
from newsletter.store import people, tables
from newsletter.store.database import Database

_ROW = tables.letter.c
#: What the partial index is made for.
_OPEN = _ROW.settled_at.is_(None)
_FAILED = _ROW.state.in_([State.REJECTED.value, State.FAILED.value, State.UNKNOWN.value])
_PUT = sa.insert(tables.letter)
#: Only who claimed a letter settles it.
_SETTLE = (
    sa.update(tables.letter)
    .where(_ROW.id == sa.bindparam("which"), _ROW.owner == sa.bindparam("mine"), _OPEN)
    .values(
        state=sa.bindparam("state_now"),
        attempts=sa.bindparam("tries"),
        not_before=sa.bindparam("due", type_=_ROW.not_before.type),
        settled_at=sa.bindparam("done", type_=_ROW.settled_at.type),
        reply=sa.bindparam("said"),
        owner="",
    )
)


class StoredLetters:
    """`subscribing.mailroom.Book` over SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, letter: Letter) -> None:
        """Put a letter down that no other change calls for."""
        with self._database.writing() as connection:
            insert(connection, [letter])

    def claim(
        self, lease: ports.Lease, *, dead: Callable[[str], bool], limit: int, now: datetime
    ) -> Sequence[Letter]:
        """Make due letters the owner's until the lease is over, oldest first; no two are given the same."""
        with self._database.reading() as connection:
            if not _anything(connection, now):
                return []
        with self._database.writing() as connection:
            _release(connection, dead, now)
            due = (
                sa.select(tables.letter)
                .where(_OPEN, _ROW.not_before <= now)
                .order_by(_ROW.not_before, _ROW.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            found = [_letter(row) for row in connection.execute(due)]
            if not found:
                return []
            # Claimed, a letter is due again when the lease is over: nobody need look for the lost ones.
            claimed = {
                "state": State.SENDING.value,
                "owner": lease.owner,
                "not_before": lease.until,
                "first_tried_at": sa.func.coalesce(_ROW.first_tried_at, sa.literal(now, _ROW.asked_at.type)),
            }
            mine = _ROW.id.in_([letter.id for letter in found])
            connection.execute(sa.update(tables.letter).where(mine).values(claimed))
            return found

    def addressees(self, wanted: Sequence[Letter]) -> Mapping[int, Addressee]:
        """Return by the id of each letter whom it is for; nothing for whom nobody knows any more."""
        ids = {letter.subscriber for letter in wanted}
        with self._database.reading() as connection:
            query = sa.select(tables.subscriber).where(tables.subscriber.c.id.in_(ids))
            known = {person.id: person for person in people.every(connection, query)}
            to = {
                letter.id: letter.address or known[letter.subscriber].email
                for letter in wanted
                if letter.subscriber in known
            }
            barred = _barred(connection, to.values())
        return {
            letter.id: Addressee(known[letter.subscriber], barred[to[letter.id]])
            for letter in wanted
            if letter.id in to
        }

    def settle(self, owner: str, outcomes: Sequence[deliveries.Outcome]) -> None:
        """Write what claimed letters came to; one whose lease is over and that is somebody else's is left."""
        rows = [
            {
                "which": each.delivery,
                "mine": owner,
                "state_now": each.state.value,
                "tries": each.attempts,
                "due": each.not_before or each.at,
                "done": None if each.state is State.PLANNED else each.at,
                "said": each.reply,
            }
            for each in outcomes
        ]
        if rows:
            with self._database.writing() as connection:
                connection.execute(_SETTLE, rows)

    def next_due(self) -> datetime | None:
        """Return when the next letter is due, or a claim is over; None where none waits."""
        with self._database.reading() as connection:
            found: datetime | None = connection.scalar(sa.select(sa.func.min(_ROW.not_before)).where(_OPEN))
            return found

    def of(self, subscriber: int) -> Sequence[Letter]:
        """Return the letters to a subscriber, oldest first."""
        query = sa.select(tables.letter).where(_ROW.subscriber_id == subscriber).order_by(_ROW.id)
        with self._database.reading() as connection:
            return [_letter(row) for row in connection.execute(query)]

    def standing(self, *, since: datetime) -> letters.Standing:
        """Say how the letters stand, and what could not be brought since a time."""
        failed = sa.and_(_FAILED, _ROW.settled_at >= since)
        every = sa.select(tables.letter)
        with self._database.reading() as connection:
            return letters.Standing(
                waiting=_count(connection, _OPEN),
                oldest=_first(connection, every.where(_OPEN).order_by(_ROW.asked_at, _ROW.id)),
                failed=_count(connection, failed),
                last_failed=_first(connection, every.where(failed).order_by(_ROW.settled_at.desc())),
            )

    def prune(self, before: datetime) -> int:
        """Delete letters that were settled before a moment, without a trace; return how many there were."""
        old = _ROW.settled_at < before
        with self._database.reading() as connection:
            if _first(connection, sa.select(tables.letter).where(old)) is None:
                return 0
        with self._database.erasing() as connection:
            return connection.execute(sa.delete(tables.letter).where(old)).rowcount


def _barred(connection: sa.Connection, to: Iterable[str]) -> Mapping[str, str]:
    """Return why each address must not be mailed, or an empty text. Whoever was erased has left no value."""
    keys = {address: (addresses.key(address), addresses.domain(address)) for address in to}
    row = tables.suppression.c
    values = {value for both in keys.values() for value in both}
    rows = connection.execute(sa.select(row.value, row.reason).where(row.value.in_(values)))
    found = {row[0]: row[1] for row in rows}
    return {address: found.get(key) or found.get(domain) or "" for address, (key, domain) in keys.items()}


def insert(connection: sa.Connection, wanted: Sequence[Letter]) -> None:
    """Put letters down in the caller's transaction."""
    rows = [
        {
            "kind": letter.kind.value,
            "subscriber_id": letter.subscriber,
            "asked_at": letter.asked_at,
            "address": letter.address,
            "state": letter.state.value,
            "not_before": letter.not_before or letter.asked_at,
        }
        for letter in wanted
    ]
    if rows:
        connection.execute(_PUT, rows)


def _anything(connection: sa.Connection, now: datetime) -> bool:
    """Say whether a look is worth a writer's turn: something is due, or claimed by who may be dead."""
    worth = sa.or_(_ROW.not_before <= now, _ROW.owner != "")
    return connection.scalar(sa.select(_ROW.id).where(_OPEN, worth).limit(1)) is not None


def _release(connection: sa.Connection, dead: Callable[[str], bool], now: datetime) -> None:
    """Make the letters of owners due that are certainly gone."""
    owners = connection.scalars(sa.select(_ROW.owner).where(_OPEN, _ROW.owner != "").distinct()).all()
    gone = [owner for owner in owners if dead(owner)]
    if gone:
        theirs = sa.update(tables.letter).where(_OPEN, _ROW.owner.in_(gone))
        connection.execute(theirs.values(owner="", state=State.PLANNED.value, not_before=now))


def _count(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count(_ROW.id)).where(which)).scalar_one())


def _first(connection: sa.Connection, query: sa.Select[Any]) -> Letter | None:
    row = connection.execute(query.limit(1)).first()
    return _letter(row) if row else None


def _letter(row: sa.Row[Any]) -> Letter:
    return Letter(
        id=row.id,
        kind=Kind(row.kind),
        subscriber=row.subscriber_id,
        asked_at=row.asked_at,
        address=row.address,
        state=State(row.state),
        attempts=row.attempts,
        first_tried=row.first_tried_at,
        not_before=row.not_before,
        settled_at=row.settled_at,
        reply=row.reply,
    )
