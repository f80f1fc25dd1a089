"""Counts of what was done, shared by every process and kept over a restart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.domain import allowances
from newsletter.domain.letters import Letter
from newsletter.store import letters, people, tables
from newsletter.store.database import Database

#: Counts of past spans are of no use to anybody.
_KEPT = timedelta(days=40)

_TAKE = sa.text(
    "INSERT INTO allowance (what, span, times, last_at) VALUES (:what, :span, 1, :now)"
    " ON CONFLICT (what, span) DO UPDATE SET times = allowance.times + 1, last_at = :now RETURNING times"
).bindparams(sa.bindparam("now", type_=tables.allowance.c.last_at.type))


class StoredLimiter:
    """`joining.Limiter` over SQLite or PostgreSQL."""

    def __init__(self, database: Database, keyed_hash: people.KeyedHash) -> None:
        self._database = database
        self._hash = keyed_hash

    def take(self, what: str, allowance: allowances.Allowance, *, now: datetime) -> bool:
        """Count one more; False when that is more than may be."""
        with self._database.writing() as connection:
            return self._take(connection, what, allowance, now)

    def put(self, letter: Letter, counts: Mapping[str, allowances.Allowance], *, now: datetime) -> bool:
        """Count one more of each and put the letter down, both or neither; False where one was too many."""
        with self._database.writing() as connection:
            may = all(self._take(connection, what, each, now) for what, each in counts.items())
            if may:
                letters.insert(connection, [letter])
            return may

    def busiest(self, what: str, allowance: allowances.Allowance, *, spans: int, now: datetime) -> int:
        """Return the most that was counted in one of the latest spans."""
        row, latest = tables.allowance.c, allowance.window(now)
        mine = sa.and_(row.what == self._hash(what), row.span > latest - spans, row.span <= latest)
        with self._database.reading() as connection:
            return int(connection.scalar(sa.select(sa.func.max(row.times)).where(mine)) or 0)

    def forget(self, *, now: datetime) -> int:
        """Delete counts of spans that are over; those for ever stay. Return how many went."""
        row = tables.allowance.c
        old = sa.and_(row.span > 0, row.last_at < now - _KEPT)
        with self._database.writing() as connection:
            return connection.execute(sa.delete(tables.allowance).where(old)).rowcount

    def _take(
        self, connection: sa.Connection, what: str, allowance: allowances.Allowance, now: datetime
    ) -> bool:
        row = {"what": self._hash(what), "span": allowance.window(now), "now": now}
        return int(connection.execute(_TAKE, row).scalar_one()) <= allowance.times


class MemoryLimiter:
    """`joining.Limiter` of one process."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, int], int] = {}

    def take(self, what: str, allowance: allowances.Allowance, *, now: datetime) -> bool:
        """Count one more; False when that is more than may be."""
        key = what, allowance.window(now)
        self._times[key] = self._times.get(key, 0) + 1
        return self._times[key] <= allowance.times
