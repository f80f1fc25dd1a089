"""The almanac: issue days with their numbers, deadlines and clashes with holidays."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.authoring import shelf
from newsletter.domain import cadence, errors, numbering

#: A day is moved no further than this.
_FURTHEST = 10
_SATURDAY = 5


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """How long before an issue goes out each step is due."""

    collect: datetime.timedelta = datetime.timedelta(days=3)
    draft: datetime.timedelta = datetime.timedelta(days=2)
    approve: datetime.timedelta = datetime.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class IssueDay:
    """One issue to come, and when each step of it is due; every time in the publication's zone."""

    number: numbering.IssueNumber
    day: datetime.date
    #: Draft or ready; empty where there is no file yet.
    status: str
    collect_until: datetime.datetime
    draft_by: datetime.datetime
    approve_by: datetime.datetime
    goes_out: datetime.datetime
    #: What speaks against the day, or why it is not the usual one.
    clashes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Almanac:
    """The rule of a publication's days, with the holidays of its readers."""

    rule: cadence.Cadence
    #: Country codes.
    countries: tuple[str, ...] = ()
    #: ``warn``, ``before`` or ``after``.
    on_holiday: str = "warn"
    deadlines: Deadlines = Deadlines()

    def counted_from(self, day: datetime.date) -> Almanac:
        """Return the same almanac with a first day, unless it has one."""
        return Almanac(
            rule=self.rule.counted_from(day),
            countries=self.countries,
            on_holiday=self.on_holiday,
            deadlines=self.deadlines,
        )

    def days(self, since: datetime.date) -> Iterator[tuple[datetime.date, datetime.date]]:
        """Yield each day on which an issue comes out, and the usual day that it stands for.

        Raises:
            NewsletterError: the rule has no first day, or a country is not known.
        """
        last = datetime.date.min
        for usual in self.rule.days(since - datetime.timedelta(days=_FURTHEST)):
            moved = self.moved(usual)
            # A move never lands on, or beyond, the day of another issue.
            day = moved if last < moved < self.rule.next_after(usual) else usual
            last = max(last, day)
            if day >= since:
                yield day, usual

    def moved(self, usual: datetime.date) -> datetime.date:
        """Return the day on which the issue of a usual day comes out."""
        if self.on_holiday == "warn" or not self.holidays(usual):
            return usual
        step = datetime.timedelta(days=-1 if self.on_holiday == "before" else 1)
        day = usual
        for _ in range(_FURTHEST):
            day += step
            if self._is_working_day(day):
                return day
        return usual

    def holidays(self, day: datetime.date) -> list[str]:
        """Return the public holidays on a day, each with its country.

        Raises:
            NewsletterError: a country is not known.
        """
        return [f"{name} ({country})" for country in self.countries if (name := _holiday(country, day))]

    def plan(
        self, day: datetime.date, number: numbering.IssueNumber, *, status: str, clashes: Sequence[str] = ()
    ) -> IssueDay:
        """Return an issue day with its deadlines, each at the hour of sending by the wall clock."""
        wall = datetime.datetime.combine(day, self.rule.at)

        def before(length: datetime.timedelta) -> datetime.datetime:
            return _local(wall - length, self.rule)

        return IssueDay(
            number=number,
            day=day,
            status=status,
            collect_until=before(self.deadlines.collect),
            draft_by=before(self.deadlines.draft),
            approve_by=before(self.deadlines.approve),
            goes_out=self.rule.moment(day),
            clashes=tuple(clashes),
        )

    def _is_working_day(self, day: datetime.date) -> bool:
        return day.weekday() < _SATURDAY and not self.holidays(day) and not self.rule.is_skipped(day)


def upcoming(
    almanac: Almanac, folder: Path, *, today: datetime.date, until: datetime.date, yearly: bool
) -> list[IssueDay]:
    """Return the issues to come, those that lie on the shelf first by day, then those of the rule.

    Raises:
        NewsletterError: nothing says from which day to count.
    """
    numbered = [one for one in shelf.listing(folder) if one.number and one.date and not one.is_edition]
    last = numbered[-1] if numbered else None
    if last and last.date:
        almanac = almanac.counted_from(last.date)
    planned = list(_shelved(almanac, numbered, today, until))
    number, since = None, today
    if last and last.number and last.date:
        number, since = last.number, max(today, last.date + datetime.timedelta(days=1))
    year = last.date.year if last and last.date else since.year
    for day, usual in almanac.days(since):
        if day > until:
            break
        new_volume = yearly and day.year > year
        number = number.following(new_volume=new_volume) if number else numbering.IssueNumber(1, 1)
        year = day.year
        planned.append(almanac.plan(day, number, status="", clashes=_clashes(almanac, day, usual)))
    return planned


def _shelved(
    almanac: Almanac, numbered: Iterable[shelf.Listing], today: datetime.date, until: datetime.date
) -> Iterator[IssueDay]:
    for one in sorted(numbered, key=lambda one: (one.date or today, one.number)):
        if one.number is None or one.date is None or not today <= one.date <= until:
            continue
        day, usual = next(almanac.days(one.date), (None, None))
        clashes = _clashes(almanac, one.date, usual if usual and day == one.date else one.date)
        if day != one.date:
            clashes = (*clashes, "not a day of the schedule")
        yield almanac.plan(one.date, one.number, status=one.status, clashes=clashes)


def _clashes(almanac: Almanac, day: datetime.date, usual: datetime.date) -> tuple[str, ...]:
    found = almanac.holidays(day)
    if almanac.rule.is_skipped(day):
        found.append("a skipped day")
    if usual != day:
        found.append(f"moved from {usual:%a %d %b}: {', '.join(almanac.holidays(usual))}")
    return tuple(found)


def _holiday(country: str, day: datetime.date) -> str:
    return _year(country, day.year).get(day, "")


@functools.cache
def _year(country: str, year: int) -> dict[datetime.date, str]:
    import holidays

    try:
        found = holidays.country_holidays(country, years=[year], language="en_US")
    except (NotImplementedError, KeyError) as error:
        raise errors.NewsletterError(
            f"no holidays are known of “{country}”", hint="holidays in [schedule] takes codes such as US, JP"
        ) from error
    return {when: str(name) for when, name in found.items()}


def _local(wall: datetime.datetime, rule: cadence.Cadence) -> datetime.datetime:
    aware = wall.replace(tzinfo=rule.zone)
    return aware.astimezone(datetime.UTC).astimezone(rule.zone)
