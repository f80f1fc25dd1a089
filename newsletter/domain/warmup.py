"""Warm-up: how many messages a new sender may hand over on each day, until receivers know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """A daily cap that grows: 500 on the first day, a quarter more on each that follows."""

    start: int
    growth: float

    def cap(self, day: int) -> int:
        """Return how many messages may go on a day, the first of which is 0."""
        # Beyond a billion nobody counts, and a float would overflow in a few years.
        return int(min(self.start * self.growth ** min(day, 1000), 1e9))


class Allowance:
    """What is left of a day's cap, by the calendar of one place."""

    def __init__(
        self, warm_up: WarmUp, *, first: datetime | None, used: int, now: datetime, zone: tzinfo
    ) -> None:
        """Take when the sender handed over its first message ever, and how many since midnight."""
        self._warm_up, self._zone = warm_up, zone
        self._day = now.astimezone(zone).date()
        self._first: date = first.astimezone(zone).date() if first else self._day
        self._used = used

    def left(self, now: datetime) -> int:
        """Return how many messages may still go today."""
        today = now.astimezone(self._zone).date()
        # A clock that is set back gives nothing twice.
        if today > self._day:
            self._day, self._used = today, 0
        return max(0, self.cap - self._used)

    @property
    def cap(self) -> int:
        """How many messages may go today."""
        return self._warm_up.cap((self._day - self._first).days)

    @property
    def resets_at(self) -> datetime:
        """When the next day begins."""
        return datetime.combine(self._day + timedelta(days=1), time(), self._zone)

    def spend(self) -> None:
        """Count one message."""
        self._used += 1


def midnight(now: datetime, zone: tzinfo) -> datetime:
    """Return when the day began that it is in a place."""
    return datetime.combine(now.astimezone(zone).date(), time(), zone)
