"""What all senders by one provider share: the places of its rate, and the messages of its day."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from newsletter.domain import buckets
from newsletter.store import columns
from newsletter.store.tables import budget

_SECOND = 1_000_000
_CATCH_UP = int(buckets.CATCH_UP * _SECOND)

# One statement, so that two senders who ask at once stand in line at the row and nowhere else. On PostgreSQL
# its own clock counts, as those of many machines differ; the row is locked before the expression is computed.
_BOOK = """
INSERT INTO budget (provider, booked_until, day, drawn) VALUES (:provider, {now} - :catch_up + :span, 0, 0)
ON CONFLICT (provider) DO UPDATE SET booked_until = :span + CASE
    WHEN budget.booked_until > {now} + :farthest THEN {now}
    WHEN budget.booked_until < {now} - :catch_up THEN {now} - :catch_up
    ELSE budget.booked_until END
RETURNING booked_until - {now}
"""
_CLOCKS = {
    "sqlite": ":now",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
}
_BOOKS = {name: sa.text(_BOOK.format(now=clock)) for name, clock in _CLOCKS.items()}

_NEW = sa.text(
    "INSERT INTO budget (provider, booked_until, day, drawn) VALUES (:provider, 0, 0, 0)"
    " ON CONFLICT (provider) DO NOTHING"
)


def book(connection: sa.Connection, provider: str, *, count: int, rate: float, now: datetime) -> float:
    """Take the next free places of a rate, and return the seconds until the first."""
    span = round(count / rate * _SECOND)
    row = {
        "provider": provider,
        "span": span,
        "catch_up": _CATCH_UP,
        "farthest": buckets.farthest(span, _SECOND),
        "now": columns.to_instant(now),
    }
    ahead = int(connection.execute(_BOOKS[connection.dialect.name], row).scalar_one())
    return (ahead - span) / _SECOND


def draw(connection: sa.Connection, provider: str, day: date, *, count: int, cap: int, used: int) -> int:
    """Take up to so many messages of a day's cap.

    Who is still at the day before, as machines are around midnight, draws on the day that has begun.
    """
    connection.execute(_NEW, {"provider": provider})
    mine = budget.c.provider == provider
    found = connection.execute(sa.select(budget.c.day, budget.c.drawn).where(mine).with_for_update()).one()
    today = day.toordinal()
    drawn = max(used, found.drawn) if found.day == today else used
    if found.day == today + 1:
        today, drawn = found.day, found.drawn
    granted = max(0, min(count, cap - drawn))
    connection.execute(sa.update(budget).where(mine).values(day=today, drawn=drawn + granted))
    return granted


def give_back(connection: sa.Connection, provider: str, day: date, *, count: int) -> None:
    """Give back messages of a day that were drawn and not sent."""
    mine = sa.and_(budget.c.provider == provider, budget.c.day == day.toordinal())
    connection.execute(sa.update(budget).where(mine).values(drawn=budget.c.drawn - count))
