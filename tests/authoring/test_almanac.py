"""The almanac: numbers, deadlines and clashes of the issues to come."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.authoring import almanac, icalendar
from newsletter.domain import cadence, errors
from tests.authoring.test_shelf import put

RULE = cadence.parse(
    every="2 weeks", on="Friday", timezone="America/New_York", first=datetime.date(2026, 1, 9)
)
NOW = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)


def upcoming(
    folder: Path, rule: almanac.Almanac, today: str, until: str, **options: Any
) -> list[almanac.IssueDay]:
    return almanac.upcoming(
        rule,
        folder,
        today=datetime.date.fromisoformat(today),
        until=datetime.date.fromisoformat(until),
        yearly=options.get("yearly", False),
    )


def test_issues_on_the_shelf_come_first_and_numbers_go_on_from_the_last(tmp_path: Path) -> None:
    put(tmp_path, "1.9", day="2026-11-13")
    put(tmp_path, "1.10", day="2026-11-27", status="draft")
    days = upcoming(tmp_path, almanac.Almanac(rule=RULE), "2026-11-20", "2026-12-31")
    assert [(str(day.number), str(day.day), day.status) for day in days] == [
        ("1.10", "2026-11-27", "draft"),
        ("1.11", "2026-12-11", ""),
        ("1.12", "2026-12-25", ""),
    ]


def test_a_new_year_opens_a_volume_where_volumes_are_years(tmp_path: Path) -> None:
    put(tmp_path, "1.26", day="2026-12-25")
    days = upcoming(tmp_path, almanac.Almanac(rule=RULE), "2026-12-28", "2027-02-01", yearly=True)
    assert [str(day.number) for day in days] == ["2.1", "2.2"]
    days = upcoming(tmp_path, almanac.Almanac(rule=RULE), "2026-12-28", "2027-02-01")
    assert [str(day.number) for day in days] == ["1.27", "1.28"]


def test_deadlines_stand_at_the_hour_of_sending_on_both_sides_of_a_change_of_clocks(tmp_path: Path) -> None:
    rule = dataclasses.replace(RULE, first=datetime.date(2026, 3, 9), weekday=0)
    (day,) = upcoming(tmp_path, almanac.Almanac(rule=rule), "2026-03-09", "2026-03-09")
    assert day.goes_out.isoformat() == "2026-03-09T09:00:00-04:00"
    assert day.approve_by.isoformat() == "2026-03-08T09:00:00-04:00"
    assert day.draft_by.isoformat() == "2026-03-07T09:00:00-05:00"
    assert day.collect_until.isoformat() == "2026-03-06T09:00:00-05:00"


def test_a_holiday_is_told_of(tmp_path: Path) -> None:
    rule = almanac.Almanac(rule=RULE, countries=("US", "JP"))
    days = upcoming(tmp_path, rule, "2026-12-20", "2026-12-31")
    assert [day.clashes for day in days] == [("Christmas Day (US)",)]


@pytest.mark.parametrize(("where", "day"), [("before", "2026-12-24"), ("after", "2026-12-28")])
def test_a_holiday_is_evaded_to_a_working_day(tmp_path: Path, where: str, day: str) -> None:
    rule = almanac.Almanac(rule=RULE, countries=("US",), on_holiday=where)
    (found,) = upcoming(tmp_path, rule, "2026-12-20", "2026-12-31")
    assert (str(found.day), found.clashes) == (day, ("moved from Fri 25 Dec: Christmas Day (US)",))
    following = upcoming(tmp_path, rule, "2026-12-29", "2027-01-10")
    assert [str(one.day) for one in following] == ["2027-01-08"]


def test_a_skipped_week_in_a_row_of_holidays_neither_hangs_nor_lands_in_it(tmp_path: Path) -> None:
    # Golden Week: 29 April, 3 to 6 May 2026.
    weekly = cadence.parse(every="1 week", on="Monday", first=datetime.date(2026, 4, 27))
    weekly = dataclasses.replace(weekly, skip=(cadence.span("2026-04-30..2026-05-02"),))
    rule = almanac.Almanac(rule=weekly, countries=("JP",), on_holiday="before")
    days = upcoming(tmp_path, rule, "2026-04-26", "2026-05-12")
    assert [str(day.day) for day in days] == ["2026-04-27", "2026-04-28", "2026-05-11"]
    skipped = dataclasses.replace(weekly, skip=(cadence.span("2026-04-28..2026-05-08"),))
    rule = almanac.Almanac(rule=skipped, countries=("JP",), on_holiday="after")
    days = upcoming(tmp_path, rule, "2026-04-26", "2026-05-12")
    assert [str(day.day) for day in days] == ["2026-04-27", "2026-05-11"]


def test_a_day_with_no_working_day_near_it_stays_and_says_why(tmp_path: Path) -> None:
    rule = dataclasses.replace(RULE, skip=(cadence.span("2026-12-10..2026-12-24"),))
    days = upcoming(
        tmp_path,
        almanac.Almanac(rule=rule, countries=("US",), on_holiday="before"),
        "2026-12-20",
        "2026-12-31",
    )
    assert [(str(day.day), day.clashes) for day in days] == [("2026-12-25", ("Christmas Day (US)",))]


def test_an_issue_on_an_unusual_day_is_told_of(tmp_path: Path) -> None:
    put(tmp_path, "1.10", day="2026-11-26")
    (day, *_) = upcoming(tmp_path, almanac.Almanac(rule=RULE, countries=("US",)), "2026-11-20", "2026-11-30")
    assert day.clashes == ("Thanksgiving Day (US)", "not a day of the schedule")


def test_without_a_first_day_the_last_issue_is_counted_from_and_without_both_it_is_an_error(
    tmp_path: Path,
) -> None:
    rule = almanac.Almanac(rule=dataclasses.replace(RULE, first=None))
    with pytest.raises(errors.NewsletterError, match="no first day"):
        upcoming(tmp_path, rule, "2026-11-20", "2026-12-31")
    put(tmp_path, "1.9", day="2026-11-13")
    days = upcoming(tmp_path, rule, "2026-11-20", "2026-12-05")
    assert [str(day.day) for day in days] == ["2026-11-27"]


def test_a_country_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.NewsletterError, match="“XX”"):
        upcoming(tmp_path, almanac.Almanac(rule=RULE, countries=("XX",)), "2026-11-20", "2026-12-31")


@given(
    every=st.integers(1, 30),
    first=st.dates(datetime.date(2024, 1, 1), datetime.date(2027, 1, 1)),
    where=st.sampled_from(["before", "after"]),
)
def test_moved_days_stay_in_order_and_no_day_has_two_issues(
    every: int, first: datetime.date, where: str
) -> None:
    rule = cadence.parse(every=f"{every} days", first=first)
    evading = almanac.Almanac(rule=rule, countries=("US", "JP"), on_holiday=where)
    days = [day for day, _ in itertools.islice(evading.days(first), 40)]
    assert all(earlier < later for earlier, later in itertools.pairwise(days))


def test_the_calendar_file_is_what_rfc_5545_asks_for(tmp_path: Path) -> None:
    put(tmp_path, "1.9", day="2026-11-27")
    days = upcoming(tmp_path, almanac.Almanac(rule=RULE), "2026-11-20", "2026-12-31")
    title = "港; Two Harbours, \\ Digest of everything that is told on either shore"
    data = icalendar.dumps(days, title=title, domain="example.org", now=NOW)
    lines = data.split(b"\r\n")
    assert data.endswith(b"END:VCALENDAR\r\n")
    assert max(map(len, lines)) <= 75
    assert b"\n" not in data.replace(b"\r\n", b"")
    whole = data.decode().replace("\r\n ", "")
    assert "SUMMARY:港\\; Two Harbours\\, \\\\ Digest" in whole
    assert whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") == 4 * len(days)
    assert "UID:v1n9-send@example.org\r\nDTSTAMP:20261120T120000Z\r\nDTSTART:20261127T140000Z" in whole
    uids = [line for line in whole.split("\r\n") if line.startswith("UID:")]
    assert len(set(uids)) == len(uids)
