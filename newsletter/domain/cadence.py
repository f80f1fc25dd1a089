"""When a publication comes out: “every 2 weeks, on Friday, at 09:00 in New York”, as days and moments."""

from __future__ import annotations

import calendar
import dataclasses
import enum
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.domain import errors

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_EVERY = re.compile(r"(?:every\s+)?(?:(\d{1,3})\s+)?(day|week|month|year)s?", re.IGNORECASE)
_WORDS = {"daily": "1 day", "weekly": "1 week", "fortnightly": "2 weeks", "bi-weekly": "2 weeks"}
_WORDS |= {"biweekly": "2 weeks", "monthly": "1 month", "quarterly": "3 months", "yearly": "1 year"}


class Unit(enum.Enum):
    """What a cadence counts in."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True, kw_only=True)
class Span:
    """Days on which nothing comes out, both ends included."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """The rule by which issue days follow one another."""

    every: int
    unit: Unit
    #: The first issue; every other day is counted from it, so that no delay shifts the rhythm.
    first: date | None
    #: Local time in `zone`.
    at: time
    zone: ZoneInfo
    #: 0 is Monday; None: the weekday of the first issue, or with months its day.
    weekday: int | None = None
    #: Day of the month (31 is the last of shorter ones) instead of a weekday.
    day_of_month: int | None = None
    #: With months, which of the weekdays: 0 is the first, -1 the last.
    ordinal: int = 0
    skip: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"a cadence of {self.every} {self.unit.value} never comes round")

    def counted_from(self, day: date) -> Cadence:
        """Return the same rule with a first day, unless it has one."""
        return self if self.first else dataclasses.replace(self, first=day)

    def day(self, index: int) -> date:
        """Return the day ``index`` steps after the first, skipped or not.

        Raises:
            NewsletterError: the rule has no first day to count from.
        """
        first = self._first()
        if self.unit is not Unit.MONTHS:
            if self.weekday is not None:
                first += timedelta(days=(self.weekday - first.weekday()) % 7)
            return first + timedelta(days=self._step() * index)
        year, month = divmod(first.year * 12 + first.month - 1 + index * self.every, 12)
        return self._in_month(year, month + 1, first)

    def all_days(self, since: date) -> Iterator[date]:
        """Yield the issue days from ``since`` on, with those skipped."""
        first = self._first()
        behind = max(0, (since - first).days // (self._step()) - 1)
        for index in itertools.count(behind):
            try:
                day = self.day(index)
            except (OverflowError, ValueError):  # the calendar ends with the year 9999
                return
            if day >= max(since, first):
                yield day

    def days(self, since: date) -> Iterator[date]:
        """Yield the issue days from ``since`` on, without those skipped."""
        return (day for day in self.all_days(since) if not self.is_skipped(day))

    def next_after(self, day: date) -> date:
        """Return the first issue day later than ``day``.

        Raises:
            NewsletterError: the rule has no first day, or every later day is skipped.
        """
        for following in self.days(day + timedelta(days=1)):
            return following
        raise errors.NewsletterError(
            f"no issue day comes after {day}", hint="look at “skip” under [schedule]"
        )

    def moment(self, day: date) -> datetime:
        """Return the time of sending on a day.

        A wall-clock time that the clocks skip in spring is the same stretch later; one that comes twice in
        autumn is the first of the two (PEP 495).
        """
        wall = datetime.combine(day, self.at, tzinfo=self.zone)
        return wall.astimezone(UTC).astimezone(self.zone)

    def is_skipped(self, day: date) -> bool:
        """Whether nothing comes out on a day."""
        return any(day in span for span in self.skip)

    def _first(self) -> date:
        if self.first is None:
            raise errors.NewsletterError(
                "the schedule has no first day to count from",
                hint="write “first = 2026-01-09” (a day on which an issue comes out) under [schedule]",
            )
        return self.first

    def _step(self) -> int:
        """Return the longest number of days between two issues."""
        return self.every * {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 31}[self.unit]

    def _in_month(self, year: int, month: int, first: date) -> date:
        offset, length = calendar.monthrange(year, month)
        if self.weekday is None:
            return date(year, month, min(self.day_of_month or first.day, length))
        days = list(range(1 + (self.weekday - offset) % 7, length + 1, 7))
        return date(year, month, days[self.ordinal])


def parse(
    *, every: str, on: str = "", at: str = "09:00", timezone: str = "UTC", first: date | None = None
) -> Cadence:
    """Read a rule as the settings write it: ``every="2 weeks", on="Friday", at="09:00"``.

    ``on`` is a weekday; with months also a day of the month (“15”) or “last Friday”.

    Raises:
        NewsletterError: a part of the rule cannot be read.
    """
    count, unit = interval(every)
    weekday, day_of_month, ordinal = days_named(on, unit)
    return Cadence(
        every=count,
        unit=unit,
        first=first,
        at=_at(at),
        zone=_zone(timezone),
        weekday=weekday,
        day_of_month=day_of_month,
        ordinal=ordinal,
    )


def interval(text: str) -> tuple[int, Unit]:
    """Read “2 weeks”, “10 days”, “month” or “bi-weekly”.

    Raises:
        NewsletterError: it is no interval.
    """
    match = _EVERY.fullmatch(_WORDS.get(text.strip().lower(), text.strip()))
    count = int(match[1] or 1) if match else 0
    if match is None or not count:
        raise errors.NewsletterError(
            f"“{text}” is no interval", hint="write every = “2 weeks”, “10 days” or “1 month”"
        )
    unit = match[2].lower()
    return (count * 12, Unit.MONTHS) if unit == "year" else (count, Unit(f"{unit}s"))


def days_named(text: str, unit: Unit) -> tuple[int | None, int | None, int]:
    """Read “Friday”, “15” or “last Friday” as weekday, day of the month and ordinal.

    Raises:
        NewsletterError: it names no day that such an interval can come out on.
    """
    words = text.lower().split()
    if not words:
        return None, None, 0
    *before, name = words
    if unit is Unit.MONTHS and not before and name.isdigit() and 1 <= int(name) <= 31:
        return None, int(name), 0
    ordinal = _ORDINALS.get(before[0]) if len(before) == 1 and unit is Unit.MONTHS else 0
    weekday = next((i for i, day in enumerate(WEEKDAYS) if len(name) > 2 and day.startswith(name)), None)
    counts = unit is not Unit.DAYS and len(before) <= (unit is Unit.MONTHS)
    if weekday is not None and ordinal is not None and counts:
        return weekday, None, ordinal
    hint = {
        Unit.DAYS: "leave “on” out where the interval counts days",
        Unit.WEEKS: "write a weekday, as in on = “Friday”",
        Unit.MONTHS: "write on = “15”, “Friday” (the first) or “last Friday”",
    }[unit]
    raise errors.NewsletterError(f"“{text}” is no day for an interval in {unit.value}", hint=hint)


def span(text: str) -> Span:
    """Read a day or a range of days to skip: ``2026-12-25`` or ``2026-12-24..2027-01-02``.

    Raises:
        NewsletterError: it is neither.
    """
    start, _, end = (part.strip() for part in text.partition(".."))
    try:
        days = Span(start=date.fromisoformat(start), end=date.fromisoformat(end or start))
    except ValueError:
        raise errors.NewsletterError(
            f"“{text}” is not a day to skip", hint="write 2026-12-25, or 2026-12-24..2027-01-02"
        ) from None
    if days.end < days.start:
        raise errors.NewsletterError(f"“{text}” ends before it starts", hint=f"write {end}..{start}")
    return days


def _at(text: str) -> time:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise errors.NewsletterError(f"“{text}” is no time of day", hint="write at = “09:00”")
    return time(int(match[1]), int(match[2]))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise errors.NewsletterError(
            f"there is no time zone “{name}”", hint="write it as in America/New_York or Asia/Tokyo"
        ) from None
