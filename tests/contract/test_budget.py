"""What every ledger promises to all who send by one provider: together they keep to its rate and its day."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from newsletter import ports
from newsletter.domain import tokens
from newsletter.store.database import Database
from newsletter.store.ledger import StoredLedger
from newsletter.store.memory import MemoryDirectory
from newsletter.store.memory_ledger import MemoryLedger
from tests.sending import samples
from tests.sending.samples import NOW

TODAY = date(2026, 3, 1)
#: A message in a hundred seconds: how long the test itself takes is nothing beside it.
SLOW = 0.01
HASHED = tokens.Signer(samples.KEY).keyed_hash


@pytest.fixture(params=["memory", "sqlite_database", "postgres_database"])
def ledger(request: pytest.FixtureRequest) -> Iterator[ports.Ledger]:
    if request.param == "memory":
        yield MemoryLedger(MemoryDirectory())
        return
    stored = StoredLedger(request.getfixturevalue(request.param), HASHED)
    yield stored
    stored.close()


def book(ledger: ports.Ledger, count: int = 1, provider: str = "smtp", rate: float = SLOW) -> float:
    return ledger.book(provider, count=count, rate=rate, now=NOW)


def test_no_place_is_given_away_twice(ledger: ports.Ledger) -> None:
    waits = [book(ledger, count) for count in (1, 3, 2)]
    assert waits == pytest.approx([0, 100, 400], abs=5)


def test_each_provider_has_a_rate_of_its_own(ledger: ports.Ledger) -> None:
    book(ledger, 3)
    assert book(ledger, provider="relay") == pytest.approx(0, abs=5)


def test_senders_with_different_rates_stand_in_one_line(ledger: ports.Ledger) -> None:
    book(ledger, 1, rate=0.02)
    assert book(ledger) == pytest.approx(50, abs=5)


def test_places_that_a_wrong_clock_gave_away_are_forgotten(ledger: ports.Ledger) -> None:
    for _ in range(70):
        book(ledger)
    assert book(ledger) < 6500


def test_a_day_gives_no_more_than_its_cap(ledger: ports.Ledger) -> None:
    granted = [ledger.draw("smtp", TODAY, count=40, cap=100, used=0) for _ in range(4)]
    assert granted == [40, 40, 20, 0]
    assert ledger.draw("relay", TODAY, count=40, cap=100, used=0) == 40


def test_a_day_begins_with_what_was_handed_over_before_anybody_drew(ledger: ports.Ledger) -> None:
    assert ledger.draw("smtp", TODAY, count=40, cap=100, used=90) == 10
    assert ledger.draw("smtp", TODAY, count=40, cap=100, used=0) == 0


def test_a_new_day_begins_anew(ledger: ports.Ledger) -> None:
    ledger.draw("smtp", TODAY, count=100, cap=100, used=0)
    assert ledger.draw("smtp", TODAY + timedelta(days=1), count=40, cap=125, used=0) == 40


def test_a_clock_that_is_behind_at_midnight_opens_no_day_twice(ledger: ports.Ledger) -> None:
    before = TODAY - timedelta(days=1)
    assert ledger.draw("smtp", TODAY, count=60, cap=100, used=0) == 60
    assert ledger.draw("smtp", before, count=60, cap=80, used=0) == 20
    assert ledger.draw("smtp", TODAY, count=60, cap=100, used=0) == 20
    assert ledger.draw("smtp", before, count=60, cap=80, used=0) == 0


def test_a_day_that_a_wrong_clock_opened_far_ahead_is_forgotten(ledger: ports.Ledger) -> None:
    ledger.draw("smtp", TODAY + timedelta(days=365), count=100, cap=100, used=0)
    assert ledger.draw("smtp", TODAY, count=40, cap=100, used=0) == 40


def test_what_is_given_back_can_be_drawn_again_on_the_same_day_alone(ledger: ports.Ledger) -> None:
    ledger.draw("smtp", TODAY, count=100, cap=100, used=0)
    ledger.give_back("smtp", TODAY - timedelta(days=1), count=50)
    assert ledger.draw("smtp", TODAY, count=40, cap=100, used=0) == 0
    ledger.give_back("smtp", TODAY, count=7)
    assert ledger.draw("smtp", TODAY, count=40, cap=100, used=0) == 7


def test_many_who_ask_at_once_get_what_there_is_and_no_more(database: Database) -> None:
    granted, waits = [], []

    def sender() -> None:
        ledger = StoredLedger(database, HASHED)
        for _ in range(10):
            granted.append(ledger.draw("smtp", TODAY, count=3, cap=100, used=0))
            waits.append(round(book(ledger), -2))
        ledger.close()

    senders = [threading.Thread(target=sender) for _ in range(5)]
    for one in senders:
        one.start()
    for one in senders:
        one.join()
    assert sum(granted) == 100
    assert sorted(waits) == [100.0 * place for place in range(50)]
