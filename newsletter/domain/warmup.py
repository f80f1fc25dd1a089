"""Warm-up: how many messages a new sender may hand over on each day, until receivers know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Protocol

#: Messages of a day that a sender draws at a time, at most.
_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """A daily cap that grows: 500 on the first day, a quarter more on each that follows."""

    start: int
    growth: float

    def cap(self, day: int) -> int:
        """Return how many messages may go on a day, the first of which is 0."""
        # Beyond a billion nobody counts, and a float would overflow in a few years.
        return int(min(self.start * self.growth ** min(day, 1000), 1e9))


class Purse(Protocol):
    """What all senders share of a day."""

    def draw(self, day: date, *, count: int, cap: int, used: int) -> int:
        """Take up to so many messages of a day; ``used`` is what it has seen as far as this sender knows."""
        ...

    def give_back(self, day: date, *, count: int) -> None:
        """Give back messages that were drawn and not sent."""
        ...


class Allowance:
    """What is left of a day's cap, by the calendar of one place; drawn some at a time from what all share."""

    def __init__(
        self,
        warm_up: WarmUp,
        purse: Purse,
        *,
        history: tuple[int, datetime | None],
        now: datetime,
        zone: tzinfo,
    ) -> None:
        """Take how many were handed over since midnight, and when the first ever was."""
        self._warm_up, self._purse, self._zone = warm_up, purse, zone
        self._used, first = history
        self._day = now.astimezone(zone).date()
        self._first: date = first.astimezone(zone).date() if first else self._day
        self._held = 0

    def left(self, now: datetime) -> int:
        """Return how many messages this sender may hand over before it must draw again; 0: none today."""
        today = now.astimezone(self._zone).date()
        # A clock that is set back gives nothing twice.
        if today > self._day:
            self._day, self._used, self._held = today, 0, 0
        if not self._held:
            # A sender that dies takes with it what it held: a hundredth of the day.
            page = max(1, min(_PAGE, self.cap // 100))
            self._held = self._purse.draw(self._day, count=page, cap=self.cap, used=self._used)
        return self._held

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
        self._held -= 1

    def close(self) -> None:
        """Give back what is left."""
        if self._held:
            self._purse.give_back(self._day, count=self._held)
            self._held = 0


def midnight(now: datetime, zone: tzinfo) -> datetime:
    """Return when the day began that it is in a place."""
    return datetime.combine(now.astimezone(zone).date(), time(), zone)
