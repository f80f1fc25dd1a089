"""A new sender starts small, and every day a little less so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.domain.warmup import Allowance, WarmUp, midnight

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CAP = WarmUp(start=500, growth=1.25)


def allowance(first: datetime | None = None, used: int = 0) -> Allowance:
    return Allowance(CAP, first=first, used=used, now=NOON, zone=UTC)


def test_the_cap_grows_day_by_day_and_never_overflows() -> None:
    assert [CAP.cap(day) for day in range(4)] == [500, 625, 781, 976]
    assert CAP.cap(100_000) == 10**9


def test_what_was_used_today_is_gone_and_comes_back_at_midnight() -> None:
    found = allowance(first=NOON - timedelta(hours=1), used=499)
    assert found.left(NOON) == 1
    found.spend()
    assert found.left(NOON) == 0
    assert found.left(NOON + timedelta(hours=11, minutes=59)) == 0
    assert found.resets_at == NOON + timedelta(hours=12)
    assert found.left(NOON + timedelta(hours=12)) == 625


def test_days_count_from_the_first_message_ever() -> None:
    assert allowance(first=NOON - timedelta(days=3)).left(NOON) == 976
    assert allowance(first=None).left(NOON) == 500


def test_a_clock_that_is_set_back_gives_nothing_twice() -> None:
    found = allowance(used=500)
    assert found.left(NOON - timedelta(days=1)) == 0


def test_the_day_is_that_of_the_place() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert midnight(datetime(2026, 3, 1, 16, 0, tzinfo=UTC), tokyo) == datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
    found = Allowance(CAP, first=None, used=500, now=NOON, zone=tokyo)
    assert found.resets_at == datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
