"""When issues are due: every so many days, weeks or months from a first date, at an hour in a time zone."""

from __future__ import annotations

import calendar
import enum
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class Unit(enum.Enum):
    """What a cadence counts in."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """The rhythm of a publication."""

    every: int
    unit: Unit
    #: The date of the first issue; every other date is counted from it, so that no delay shifts the rhythm.
    first: date
    #: Local time in `zone`.
    at: time
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"a cadence of {self.every} {self.unit.value} never comes round")

    def day(self, index: int) -> date:
        """Return the date of the issue `index` steps after the first; a month too short ends it earlier."""
        if self.unit is Unit.MONTHS:
            months = self.first.month - 1 + index * self.every
            year, month = self.first.year + months // 12, months % 12 + 1
            return date(year, month, min(self.first.day, calendar.monthrange(year, month)[1]))
        days = self.every * (7 if self.unit is Unit.WEEKS else 1)
        return self.first + timedelta(days=days * index)

    def next_after(self, day: date) -> date:
        """Return the first date of the cadence later than `day`."""
        if day < self.first:
            return self.first
        index = self._steps_before(day)
        while self.day(index) <= day:
            index += 1
        return self.day(index)

    def _steps_before(self, day: date) -> int:
        """Return a number of steps that surely does not lead beyond `day`."""
        longest = {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 31}[self.unit] * self.every
        return (day - self.first).days // longest

    def moment(self, day: date) -> datetime:
        """Return the instant at which the issue of `day` is due, in the cadence's zone."""
        return datetime.combine(day, self.at, tzinfo=self.zone)
