"""Counts that hold over processes: what may be done so often may not be done once more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter.domain import allowances, tokens
from newsletter.domain.allowances import Allowance
from newsletter.store.allowances import MemoryLimiter, StoredLimiter
from newsletter.store.database import Database
from newsletter.subscribing.joining import Limiter

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOURLY = Allowance(times=2, span=timedelta(hours=1))
HASH = tokens.Signer(b"k" * 32).keyed_hash


@pytest.fixture(params=["memory", "sqlite_database", "postgres_database"])
def limiter(request: pytest.FixtureRequest) -> Limiter:
    if request.param == "memory":
        return MemoryLimiter()
    return StoredLimiter(request.getfixturevalue(request.param), HASH)


def test_the_third_of_two_an_hour_is_refused_until_the_hour_is_over(limiter: Limiter) -> None:
    assert [limiter.take("a", HOURLY, now=NOW) for _ in range(3)] == [True, True, False]
    assert limiter.take("a", HOURLY, now=NOW + timedelta(hours=1))


def test_one_who_is_refused_does_not_hinder_another(limiter: Limiter) -> None:
    for _ in range(5):
        limiter.take("a", HOURLY, now=NOW)
    assert limiter.take("b", HOURLY, now=NOW)


def test_what_may_be_done_so_often_ever_may_never_be_done_again(limiter: Limiter) -> None:
    ever = Allowance(times=1)
    assert limiter.take("a", ever, now=NOW)
    assert not limiter.take("a", ever, now=NOW + timedelta(days=4000))


def test_the_count_holds_over_processes_and_names_nobody(sqlite_database: Database) -> None:
    StoredLimiter(sqlite_database, HASH).take("address ada@example.org", Allowance(times=1), now=NOW)
    assert not StoredLimiter(sqlite_database, HASH).take(
        "address ada@example.org", Allowance(times=1), now=NOW
    )
    with sqlite_database.reading() as connection:
        rows = connection.execute(sa.text("SELECT what FROM allowance")).scalars().all()
    assert len(rows) == 1
    assert "ada" not in rows[0]


def test_counts_of_past_spans_are_deleted_and_those_for_ever_stay(database: Database) -> None:
    limiter = StoredLimiter(database, HASH)
    limiter.take("a", HOURLY, now=NOW)
    limiter.take("a", Allowance(times=1), now=NOW)
    assert limiter.forget(now=NOW + timedelta(days=60)) == 1
    assert not limiter.take("a", Allowance(times=1), now=NOW + timedelta(days=60))


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_visitor_with_ipv6_counts_by_their_network(address: str, stands_for: str) -> None:
    assert allowances.visitor(address) == stands_for


@pytest.mark.parametrize(
    ("address", "kept"),
    [("192.0.2.7", "192.0.2.0/24"), ("2001:db8:1:2::1", "2001:db8:1::/48"), ("unix", "")],
)
def test_what_is_kept_of_an_address_names_no_person(address: str, kept: str) -> None:
    assert allowances.truncated(address) == kept


def test_the_busiest_span_of_late_is_known_and_older_ones_are_not_looked_at(database: Database) -> None:
    limiter = StoredLimiter(database, lambda text: f"#{text}")
    hourly = Allowance(times=2, span=timedelta(hours=1))
    for hours, times in ((0, 1), (3, 4), (30, 9)):
        for _ in range(times):
            limiter.take("everybody", hourly, now=NOW - timedelta(hours=hours))
    limiter.take("somebody", hourly, now=NOW)
    assert limiter.busiest("everybody", hourly, spans=24, now=NOW) == 4
    assert limiter.busiest("nobody", hourly, spans=24, now=NOW) == 0
