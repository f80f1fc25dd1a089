"""A new sender starts small, and every day a little less so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from newsletter.domain.warmup import Allowance, WarmUp, midnight

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CAP = WarmUp(start=500, growth=1.25)


class Purse:
    """A day that this sender has to itself, or shares with another that takes as much."""

    def __init__(self, *, others: bool = False) -> None:
        self.drawn: dict[date, int] = {}
        self._others = others

    def draw(self, day: date, *, count: int, cap: int, used: int) -> int:
        drawn = max(used, self.drawn.get(day, 0))
        granted = max(0, min(count, cap - drawn))
        self.drawn[day] = drawn + granted * (2 if self._others else 1)
        return granted

    def give_back(self, day: date, *, count: int) -> None:
        self.drawn[day] -= count


def allowance(
    first: datetime | None = None, used: int = 0, *, purse: Purse | None = None, zone: tzinfo = UTC
) -> Allowance:
    return Allowance(CAP, purse or Purse(), history=(used, first), now=NOON, zone=zone)


def spend(found: Allowance, now: datetime) -> int:
    """Hand over as many as may go; return how many that was."""
    sent = 0
    while found.left(now):
        found.spend()
        sent += 1
    return sent


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
    assert spend(found, NOON + timedelta(hours=12)) == 625


def test_days_count_from_the_first_message_ever() -> None:
    assert spend(allowance(first=NOON - timedelta(days=3)), NOON) == 976
    assert spend(allowance(first=None), NOON) == 500


def test_a_clock_that_is_set_back_gives_nothing_twice() -> None:
    found = allowance(used=500)
    assert found.left(NOON - timedelta(days=1)) == 0


def test_the_day_is_that_of_the_place() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert midnight(datetime(2026, 3, 1, 16, 0, tzinfo=UTC), tokyo) == datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
    found = allowance(used=500, zone=tokyo)
    assert found.resets_at == datetime(2026, 3, 1, 15, 0, tzinfo=UTC)


def test_what_others_draw_is_gone_for_this_sender() -> None:
    assert spend(allowance(purse=Purse(others=True)), NOON) == 250


def test_what_a_sender_did_not_send_goes_back() -> None:
    purse = Purse()
    found = allowance(purse=purse)
    for _ in range(3):
        assert found.left(NOON)
        found.spend()
    found.close()
    found.close()
    assert purse.drawn == {NOON.date(): 3}
