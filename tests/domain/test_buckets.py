"""Rates hold exactly, whatever the moments at which somebody asks."""

from __future__ import annotations

import random

import pytest

from newsletter.domain import buckets


def run(bucket: buckets.Bucket, *, seconds: float, late: float, rng: random.Random) -> int:
    """Spend as fast as a bucket lets, waking up late by up to so many seconds; return how many went."""
    now, sent = 0.0, 0
    while now < seconds:
        while bucket.wait(now) <= 0:
            bucket.spend(now)
            sent += 1
        now += bucket.wait(now) + rng.uniform(0, late)
    return sent


@pytest.mark.parametrize("rate", [1, 7, 50, 333.3, 5000])
@pytest.mark.parametrize("late", [0, 0.001, 0.1])
def test_a_minute_holds_its_rate_within_a_hundredth(rate: float, late: float) -> None:
    sent = run(buckets.Bucket(rate, now=0), seconds=60, late=late, rng=random.Random(3))
    assert abs(sent - rate * 60) <= max(rate * 60 * 0.01, 1.5)


def test_slow_rates_are_exact_too() -> None:
    bucket = buckets.Bucket(1 / 60, now=0)
    assert run(bucket, seconds=3600, late=0.1, rng=random.Random(4)) == pytest.approx(60, abs=1)


def test_idle_time_is_not_saved_up() -> None:
    bucket = buckets.Bucket(100, now=0)
    sent = 0
    while bucket.wait(1000) <= 0:
        bucket.spend(1000)
        sent += 1
    assert sent <= 100 * buckets.CATCH_UP + 1


def test_a_new_rate_counts_from_the_next_message() -> None:
    bucket = buckets.Bucket(1, now=0)
    bucket.spend(0)
    bucket.rate = 1000
    assert bucket.wait(0) == pytest.approx(1 - buckets.CATCH_UP)
    bucket.spend(1)
    assert bucket.wait(1) == 0


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_is_more_than_nothing(rate: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        buckets.Bucket(rate, now=0)


def test_nobody_is_slowed_down_before_the_first_refusal() -> None:
    pace = buckets.Yielding(now=0)
    for _ in range(1000):
        assert pace.wait(0) == 0
        pace.spend(0)
    assert pace.rate == 0


def test_a_refusal_halves_the_pace_and_success_wins_it_back() -> None:
    pace = buckets.Yielding(now=0, pace=80)
    pace.refused(0)
    assert pace.rate == 40
    pace.refused(1)
    assert pace.rate == 20
    before = pace.rate
    for _ in range(20):
        pace.accepted()
    assert 22 < pace.rate < 24 > before
    for _ in range(20_000):
        pace.accepted()
    assert pace.rate == 0


def test_refusals_of_what_was_in_the_air_together_halve_once() -> None:
    pace = buckets.Yielding(now=0, pace=80)
    for _ in range(10):
        pace.refused(0, shut_for=5)
    assert pace.rate == 40
    assert pace.wait(0) == 5
    pace.refused(5, shut_for=5)
    assert pace.rate == 20


def test_a_pace_never_falls_to_nothing() -> None:
    pace = buckets.Yielding(now=0, pace=2)
    for second in range(50):
        pace.refused(second)
    assert pace.rate == buckets.SLOWEST


def test_a_ceiling_is_never_exceeded_and_never_lifted() -> None:
    pace = buckets.Yielding(now=0, ceiling=10)
    assert pace.rate == 10
    pace.refused(0)
    for _ in range(10_000):
        pace.accepted()
    assert pace.rate == 10


class Line:
    """The places of a rate, one after the other, as a ledger gives them away."""

    def __init__(self, rate: float) -> None:
        self.rate, self.now, self.free_from = rate, 0.0, 0.0

    def book(self, count: int) -> float:
        begin = max(self.free_from, self.now - buckets.CATCH_UP)
        self.free_from = begin + count / self.rate
        return begin - self.now


@pytest.mark.parametrize("senders", [1, 2, 5])
@pytest.mark.parametrize("rate", [1, 7, 50, 333.3, 5000])
@pytest.mark.parametrize("late", [0, 0.001, 0.1])
def test_senders_that_share_a_rate_hold_it_together_within_a_hundredth(
    senders: int, rate: float, late: float
) -> None:
    line, rng = Line(rate), random.Random(6)
    shares = [buckets.Shared(rate, line.book) for _ in range(senders)]
    wakes, sent = [0.0] * senders, 0
    while min(wakes) < 60:
        turn = wakes.index(min(wakes))
        line.now = wakes[turn]
        while (wait := shares[turn].wait(line.now)) <= 0:
            shares[turn].spend(line.now)
            sent += 1
        wakes[turn] += wait + rng.uniform(0, late)
    assert abs(sent - rate * 60) <= max(rate * 60 * 0.01, 1.5)


def test_a_rate_shared_with_more_goes_down_at_once_and_comes_back() -> None:
    pace = buckets.Yielding(now=0, ceiling=10)
    pace.cap(5)
    assert pace.rate == 5
    pace.cap(10)
    for _ in range(200):
        pace.accepted()
    assert pace.rate == 10
