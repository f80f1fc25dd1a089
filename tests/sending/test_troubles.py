"""A database in trouble, or a clock: the mailing waits or says why it cannot, and nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from newsletter import ports
from newsletter.domain import errors, messages, tokens
from newsletter.domain.deliveries import AfterCrash, State
from newsletter.domain.verdicts import ACCEPTED, Kind, Verdict
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.ledger import StoredLedger
from tests.sending import samples
from tests.sending.conftest import Bench
from tests.sending.providers import Memory


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Bench]:
    """A bench over a file, with a writer's patience of a moment."""
    database = Database("sqlite:///subscribers.db", folder=tmp_path, busy_seconds=0.05)
    database.upgrade()
    hashed = tokens.Signer(samples.KEY).keyed_hash
    ledger = StoredLedger(database, hashed)
    yield Bench(StoredDirectory(database, hashed), ledger)
    ledger.close()
    database.close()


#: An answer that does not fit in the room of its row.
_WORDY = Verdict(kind=Kind.ACCEPTED, reason="taken, " * 40)


def once_at(count: int, act: Callable[[], object]) -> Callable[[messages.Message], Verdict]:
    """Return an answer that does something when so many messages have come."""
    seen = 0

    def answer(_message: messages.Message) -> Verdict:
        nonlocal seen
        seen += 1
        if seen == count:
            act()
        return ACCEPTED

    return answer


async def test_a_database_locked_for_a_moment_is_waited_for(stored: Bench, tmp_path: Path) -> None:
    mailing = stored.plan(200)
    holder = sqlite3.connect(tmp_path / "subscribers.db", isolation_level=None, check_same_thread=False)
    refused = 0

    original = stored.ledger.turn

    def turn(*words: object, **named: object) -> object:
        nonlocal refused
        try:
            return original(*words, **named)  # type: ignore[arg-type]  # passed on as they came
        except errors.StoreError:
            refused += 1
            stored.time.seconds += 1
            if refused == 3:
                holder.execute("COMMIT")
            raise

    stored.ledger.turn = turn  # type: ignore[assignment,method-assign]  # to see the refusals and end them
    provider = Memory(once_at(50, lambda: holder.execute("BEGIN IMMEDIATE")))
    result = await stored.sender(provider, patience=30).send(mailing.id)
    holder.close()
    assert refused == 3
    assert stored.states(mailing) == {State.SENT: 200}
    assert len(provider.sent) == 200
    assert result.stopped == ""


async def test_a_database_that_stays_locked_stops_the_mailing_with_its_reason(
    stored: Bench, tmp_path: Path
) -> None:
    mailing = stored.plan(200)
    holder = sqlite3.connect(tmp_path / "subscribers.db", isolation_level=None)
    provider = Memory(once_at(50, lambda: holder.execute("BEGIN IMMEDIATE")))
    with pytest.raises(errors.StoreError, match="locked by another process"):
        await stored.sender(provider, patience=0, owner="here:1:1").send(mailing.id)
    holder.execute("COMMIT")
    holder.close()
    in_doubt = stored.states(mailing)[State.SENDING]
    assert 0 < in_doubt <= 64
    assert len(provider.sent) <= 50 + 64
    stored.ledger.recover(
        mailing.id,
        dead=lambda owner: True,
        after_crash=AfterCrash.RESEND,
        now=stored.time.now(),
    )
    again = Memory()
    await stored.sender(again).send(mailing.id)
    assert stored.states(mailing) == {State.SENT: 200}
    assert {*provider.recipients, *again.recipients} == {f"reader{n}@example.net" for n in range(1, 201)}


async def test_a_full_disk_stops_the_mailing_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    database = Database("sqlite:///subscribers.db", folder=tmp_path)
    database.upgrade()
    most = 0

    # SQLite says “full” to more pages than allowed exactly as it does to a full disk (rescode.html#full).
    @event.listens_for(database.engine, "connect")
    def limit(connection: sqlite3.Connection, _record: object) -> None:
        if most:
            connection.execute(f"PRAGMA max_page_count = {most}")

    hashed = tokens.Signer(samples.KEY).keyed_hash
    bench = Bench(StoredDirectory(database, hashed), StoredLedger(database, hashed))
    mailing = bench.plan(300)
    with database.reading() as connection:
        most = int(connection.scalar(sa.text("PRAGMA page_count")) or 0) + 1
    database.close()
    provider = Memory(lambda _message: _WORDY)
    with pytest.raises(errors.StoreError, match=r"disk with .* is full"):
        await bench.sender(provider, patience=0).send(mailing.id)
    assert 0 < len(provider.sent) < 300
    most = 0
    database.close()
    bench.ledger.close()  # type: ignore[attr-defined]  # the stored ledger holds a connection
    bench.time.seconds = ports.LEASE.total_seconds() + 1
    again = Memory(lambda _message: _WORDY)
    await bench.sender(again, owner="here:2:2").send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 300}
    assert {*provider.recipients, *again.recipients} == {f"reader{n}@example.net" for n in range(1, 301)}
    assert len(provider.sent) + len(again.sent) <= 300 + 64
    bench.ledger.close()  # type: ignore[attr-defined]  # as above
    database.close()


async def test_a_database_file_that_is_replaced_stops_the_mailing(stored: Bench, tmp_path: Path) -> None:
    mailing = stored.plan(200)
    path = tmp_path / "subscribers.db"

    def replace() -> None:
        path.rename(path.with_suffix(".away"))
        path.write_bytes(b"")

    provider = Memory(once_at(50, replace))
    with pytest.raises(errors.StoreError, match="was replaced while a mailing was being sent"):
        await stored.sender(provider, patience=0).send(mailing.id)
    assert len(provider.sent) <= 50 + 64
    stored.ledger.close()  # type: ignore[attr-defined]  # the stored ledger holds a connection
    path.unlink()
    path.with_suffix(".away").rename(path)
    assert sum(stored.states(mailing).values()) == 200


async def test_a_clock_set_back_an_hour_changes_nothing_but_the_dates(stored: Bench) -> None:
    mailing = stored.plan(200)

    def back() -> None:
        stored.time.offset = -3600

    provider = Memory(once_at(50, back))
    await stored.sender(provider).send(mailing.id)
    assert stored.states(mailing) == {State.SENT: 200}
    assert len(provider.sent) == 200
