"""When issues are due: the rhythm holds over years, month ends and changes of the clocks."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain import cadence, errors
from newsletter.domain.cadence import Cadence, Unit


def rhythm(
    every: int = 2, unit: Unit = Unit.WEEKS, first: date = date(2022, 1, 14), zone: str = "America/New_York"
) -> Cadence:
    return Cadence(every=every, unit=unit, first=first, at=time(9), zone=ZoneInfo(zone))


def take(days: object, count: int) -> list[date]:
    return list(itertools.islice(days, count))  # type: ignore[call-overload]  # any iterator of days


def test_every_two_weeks_stays_on_the_weekday_of_the_first_issue() -> None:
    assert rhythm().next_after(date(2022, 1, 13)) == date(2022, 1, 14)
    assert rhythm().next_after(date(2022, 1, 14)) == date(2022, 1, 28)
    assert rhythm().next_after(date(2026, 11, 20)) == date(2026, 11, 27)


def test_a_first_day_on_another_weekday_moves_to_the_one_named() -> None:
    rule = cadence.parse(every="2 weeks", on="Friday", first=date(2022, 1, 12))
    assert take(rule.days(date(2022, 1, 1)), 2) == [date(2022, 1, 14), date(2022, 1, 28)]


def test_a_month_too_short_ends_the_month_and_does_not_shift_the_rhythm() -> None:
    monthly = rhythm(every=1, unit=Unit.MONTHS, first=date(2026, 1, 31))
    assert take(monthly.days(date(2026, 1, 1)), 3) == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
    ]


def test_a_yearly_issue_of_29_february_comes_on_the_28th_in_other_years() -> None:
    rule = cadence.parse(every="1 year", first=date(2024, 2, 29))
    days = take(rule.days(date(2024, 1, 1)), 5)
    assert days == [
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2026, 2, 28),
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]


def test_the_last_friday_of_the_month_is_found_in_months_of_four_and_five() -> None:
    rule = cadence.parse(every="month", on="last Friday", first=date(2026, 1, 1))
    assert take(rule.days(date(2026, 1, 1)), 3) == [date(2026, 1, 30), date(2026, 2, 27), date(2026, 3, 27)]


def test_the_15th_of_every_third_month() -> None:
    rule = cadence.parse(every="3 months", on="15", first=date(2026, 1, 1))
    assert take(rule.days(date(2026, 2, 1)), 2) == [date(2026, 4, 15), date(2026, 7, 15)]


def test_the_hour_is_the_same_on_the_wall_on_both_sides_of_daylight_saving() -> None:
    winter, summer = rhythm().moment(date(2026, 3, 6)), rhythm().moment(date(2026, 3, 20))
    assert winter.astimezone(UTC) == datetime(2026, 3, 6, 14, tzinfo=UTC)
    assert summer.astimezone(UTC) == datetime(2026, 3, 20, 13, tzinfo=UTC)


def test_an_hour_that_the_clocks_skip_or_repeat_is_still_one_moment() -> None:
    rule = cadence.parse(every="1 day", at="02:30", timezone="America/New_York", first=date(2026, 1, 1))
    assert rule.moment(date(2026, 3, 8)).isoformat() == "2026-03-08T03:30:00-04:00"
    early = cadence.parse(every="1 day", at="01:30", timezone="America/New_York", first=date(2026, 1, 1))
    assert early.moment(date(2026, 11, 1)).isoformat() == "2026-11-01T01:30:00-04:00"


def test_skipped_days_are_left_out_and_do_not_shift_the_rhythm() -> None:
    rule = Cadence(
        every=1,
        unit=Unit.WEEKS,
        first=date(2026, 12, 18),
        at=time(9),
        zone=ZoneInfo("UTC"),
        skip=(cadence.span("2026-12-24..2027-01-02"),),
    )
    assert take(rule.days(date(2026, 12, 18)), 2) == [date(2026, 12, 18), date(2027, 1, 8)]


def test_a_rule_without_a_first_day_says_what_to_write() -> None:
    rule = cadence.parse(every="2 weeks", on="Friday")
    with pytest.raises(errors.NewsletterError, match="no first day") as caught:
        rule.next_after(date(2026, 1, 1))
    assert "first = 2026-01-09" in caught.value.hint
    assert rule.counted_from(date(2026, 1, 9)).next_after(date(2026, 1, 9)) == date(2026, 1, 23)


@pytest.mark.parametrize("text", ["sometimes", "0 weeks", "2", "-1 week", "2 fortnights"])
def test_an_interval_that_says_nothing_is_refused_by_name(text: str) -> None:
    with pytest.raises(errors.NewsletterError, match=text):
        cadence.interval(text)


@pytest.mark.parametrize(
    ("every", "on"),
    [
        ("2 weeks", "Freitag"),
        ("2 weeks", "last Friday"),
        ("10 days", "Friday"),
        ("1 month", "32"),
        ("1 month", "fifth Friday"),
    ],
)
def test_a_day_that_cannot_be_meant_is_refused(every: str, on: str) -> None:
    with pytest.raises(errors.NewsletterError, match=on):
        cadence.parse(every=every, on=on)


@pytest.mark.parametrize("at", ["9", "24:00", "09:60", "9am"])
def test_a_time_of_day_that_does_not_exist_is_refused(at: str) -> None:
    with pytest.raises(errors.NewsletterError, match=at):
        cadence.parse(every="1 week", at=at)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(errors.NewsletterError, match="no time zone"):
        cadence.parse(every="1 week", timezone=zone)


@pytest.mark.parametrize("text", ["Christmas", "2026-12-25..", "2026-02-30", "2027-01-02..2026-12-24"])
def test_a_span_that_is_none_is_refused(text: str) -> None:
    if text.endswith(".."):
        assert cadence.span(text) == cadence.span("2026-12-25")
        return
    with pytest.raises(errors.NewsletterError, match=text[:10]):
        cadence.span(text)


def test_a_cadence_that_never_comes_round_is_refused() -> None:
    with pytest.raises(ValueError, match="never"):
        rhythm(every=0)


@given(
    every=st.integers(1, 40),
    unit=st.sampled_from(Unit),
    first=st.dates(date(1990, 1, 1), date(2040, 1, 1)),
    day=st.dates(date(1980, 1, 1), date(2060, 1, 1)),
)
def test_the_next_day_is_the_nearest_later_one_of_the_rhythm(
    every: int, unit: Unit, first: date, day: date
) -> None:
    rule = rhythm(every, unit, first)
    following = rule.next_after(day)
    index = next(i for i in range(30_000) if rule.day(i) >= following)
    assert rule.day(index) == following > day
    assert index == 0 or rule.day(index - 1) <= day


@given(
    weekday=st.integers(0, 6),
    every=st.integers(1, 8),
    first=st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    zone=st.sampled_from(["America/New_York", "Asia/Tokyo", "Europe/London", "Australia/Lord_Howe", "UTC"]),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
)
def test_moments_come_on_the_weekday_in_order_at_the_hour_the_wall_shows(
    weekday: int, every: int, first: date, zone: str, hour: int, minute: int
) -> None:
    rule = cadence.parse(
        every=f"{every} weeks",
        on=cadence.WEEKDAYS[weekday].title(),
        at=f"{hour}:{minute:02}",
        timezone=zone,
        first=first,
    )
    days = take(rule.days(first), 30)
    assert all(day.weekday() == weekday for day in days)
    assert {later - earlier for earlier, later in itertools.pairwise(days)} == {timedelta(weeks=every)}
    moments = [rule.moment(day) for day in days]
    for day, moment in zip(days, moments, strict=True):
        wall = datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(zone))
        assert moment.timestamp() == wall.timestamp()
        exists = wall.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall.replace(
            tzinfo=None
        )
        assert not exists or (moment.date(), moment.hour, moment.minute) == (day, hour, minute)
