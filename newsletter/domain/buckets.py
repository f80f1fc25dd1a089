"""Pacing as arithmetic: exact token buckets, and rates that yield to a receiver who says “slower”.

Times are seconds of any steady clock, handed in.
"""

from __future__ import annotations

from collections.abc import Callable

#: Seconds of lateness that are caught up; 0.25 s in a minute is 0.4 % of any rate.
CATCH_UP = 0.25
#: Slower than one message a minute, a domain is rather left for the retry schedule.
SLOWEST = 1 / 60
_HALVE = 0.5
#: Share of the rate before the first refusal that is won back in a second of success.
_WIN_BACK = 1 / 30


class Bucket:
    """A token bucket kept as the time at which it would be full again (the GCRA form)."""

    __slots__ = ("_full_at", "_interval", "_rate")

    def __init__(self, rate: float, *, now: float) -> None:
        """Take messages a second, more than 0."""
        self._full_at = now
        self.rate = rate

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if rate <= 0:
            raise ValueError(f"a rate is more than 0, not {rate}")
        self._rate = rate
        self._interval = 1 / rate

    def wait(self, now: float) -> float:
        """Return the seconds until a message may go; 0: now."""
        return max(0.0, self._full_at - CATCH_UP - now)

    def spend(self, now: float) -> None:
        """Count one message."""
        self._full_at = max(self._full_at, now) + self._interval


class Shared:
    """One sender's part of a rate that several share: it books places some at a time."""

    __slots__ = ("_book", "_interval", "_left", "_next_at", "_page")

    def __init__(self, rate: float, book: Callable[[int], float]) -> None:
        """Take what books so many places, and returns the seconds until the first."""
        self._book, self._interval = book, 1 / rate
        # As many as may be late by CATCH_UP: what a sender takes with it when it dies is no more.
        self._page = max(1, int(rate * CATCH_UP))
        self._left, self._next_at = 0, 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until a message may go; 0: now."""
        if not self._left:
            self._next_at = now + self._book(self._page)
            self._left = self._page
        return max(0.0, self._next_at - now)

    def spend(self, _now: float) -> None:
        """Count one message."""
        self._left -= 1
        self._next_at += self._interval


def farthest(span: float, second: float = 1) -> float:
    """Return how far ahead places can be given away, when one sender takes so long a span of them at a time.

    What lies farther was booked by a clock that was wrong.
    """
    return max(60 * second, 64 * span)


class Yielding:
    """The pace towards one group of receivers: halved when they refuse for haste, won back step by step.

    Additive increase, multiplicative decrease, as Postfix and TCP have it.
    """

    __slots__ = ("_booked", "_bucket", "_ceiling", "_peak", "_shut_until")

    def __init__(self, *, now: float, ceiling: float = 0, pace: float = 0) -> None:
        """Take the rate that is never exceeded (0: none), and the pace so far where there is none."""
        self._ceiling = ceiling
        #: The rate to win back.
        self._peak = ceiling or max(pace, 1.0)
        self._bucket = Bucket(ceiling, now=now) if ceiling else None
        self._shut_until = self._booked = now

    @property
    def rate(self) -> float:
        """Messages a second; 0: as fast as they come."""
        return self._bucket.rate if self._bucket else 0.0

    def cap(self, ceiling: float) -> None:
        """Take another rate that is never exceeded: how many share it has changed."""
        self._ceiling = self._peak = ceiling
        if self._bucket:
            self._bucket.rate = min(ceiling, self._bucket.rate)

    def wait(self, now: float, *, ahead: int = 0) -> float:
        """Return the seconds until a message may go that has so many others before it; 0: now."""
        shut = max(0.0, self._shut_until - now)
        if self._bucket is None:
            return shut
        return max(shut, self._bucket.wait(now)) + ahead / self._bucket.rate

    def book(self, now: float, *, ahead: int) -> float:
        """Take the next free place behind all that were booked before; return the seconds until then."""
        place = max(self._booked, now + self.wait(now, ahead=ahead))
        self._booked = place + (1 / self._bucket.rate if self._bucket else 0.0)
        return place - now

    def spend(self, now: float) -> None:
        """Count one message."""
        if self._bucket:
            self._bucket.spend(now)

    def refused(self, now: float, *, shut_for: float = 0) -> None:
        """Halve the rate, and let nothing go for some seconds.

        One halving for all that were in the air together: none while it is still shut.
        """
        if now < self._shut_until:
            return
        if self._bucket is None:
            self._bucket = Bucket(self._peak, now=now)
        self._bucket.rate = max(SLOWEST, self._bucket.rate * _HALVE)
        self._shut_until = now + shut_for

    def accepted(self) -> None:
        """Win back a little; at the former pace the limit falls."""
        if self._bucket is None:
            return
        # One step for each message, so that a second of success at this rate wins a thirtieth of the peak.
        raised = self._bucket.rate + self._peak * _WIN_BACK / max(self._bucket.rate, 1.0)
        self._bucket.rate = min(raised, self._peak)
        if raised >= self._peak and not self._ceiling:
            self._bucket = None
