"""When issues are due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain.cadence import Cadence, Unit


def cadence(
    every: int = 2, unit: Unit = Unit.WEEKS, first: date = date(2022, 1, 14), zone: str = "America/New_York"
) -> Cadence:
    return Cadence(every=every, unit=unit, first=first, at=time(9), zone=ZoneInfo(zone))


def test_every_two_weeks_stays_on_the_weekday_of_the_first_issue() -> None:
    rhythm = cadence()
    assert rhythm.next_after(date(2022, 1, 13)) == date(2022, 1, 14)
    assert rhythm.next_after(date(2022, 1, 14)) == date(2022, 1, 28)
    assert rhythm.next_after(date(2026, 11, 20)) == date(2026, 11, 27)


def test_a_month_too_short_ends_the_month_and_does_not_shift_the_rhythm() -> None:
    rhythm = cadence(every=1, unit=Unit.MONTHS, first=date(2026, 1, 31))
    assert rhythm.next_after(date(2026, 1, 31)) == date(2026, 2, 28)
    assert rhythm.next_after(date(2026, 2, 28)) == date(2026, 3, 31)
    assert rhythm.next_after(date(2026, 12, 31)) == date(2027, 1, 31)


def test_the_hour_is_the_same_on_the_wall_across_daylight_saving() -> None:
    rhythm = cadence()
    winter, summer = rhythm.moment(date(2026, 1, 9)), rhythm.moment(date(2026, 7, 10))
    assert winter.astimezone(UTC) == datetime(2026, 1, 9, 14, tzinfo=UTC)
    assert summer.astimezone(UTC) == datetime(2026, 7, 10, 13, tzinfo=UTC)


def test_a_cadence_that_never_comes_round_is_refused() -> None:
    with pytest.raises(ValueError, match="never"):
        cadence(every=0)


@given(
    every=st.integers(1, 40),
    unit=st.sampled_from(Unit),
    first=st.dates(date(1990, 1, 1), date(2040, 1, 1)),
    day=st.dates(date(1980, 1, 1), date(2060, 1, 1)),
)
def test_the_next_date_is_the_nearest_later_one_of_the_rhythm(
    every: int, unit: Unit, first: date, day: date
) -> None:
    rhythm = cadence(every, unit, first)
    following = rhythm.next_after(day)
    index = next(i for i in range(30_000) if rhythm.day(i) >= following)
    assert rhythm.day(index) == following > day
    assert index == 0 or rhythm.day(index - 1) <= day
