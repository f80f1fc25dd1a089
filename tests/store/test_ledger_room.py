"""On SQLite a delivery keeps room for what settling it writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from newsletter import ports
from newsletter.domain import tokens
from newsletter.domain.deliveries import Claimed, Outcome, State
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.ledger import StoredLedger
from tests.sending import samples

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _sent(claimed: Claimed) -> Outcome:
    return Outcome(
        claimed.id,
        State.SENT,
        NOW + timedelta(seconds=1),
        claimed.attempts + 1,
        NOW,
        "250 2.0.0 Ok: queued as 4XyZ1abcDq",
        merged_at=NOW,
        digest=bytes(range(32)),
    )


def _pages(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.scalar(sa.text("PRAGMA page_count")) or 0)


def test_a_mailing_is_settled_in_the_pages_it_was_planned_in(sqlite_database: Database) -> None:
    hashed = tokens.Signer(samples.KEY).keyed_hash
    ledger = StoredLedger(sqlite_database, hashed)
    samples.people(StoredDirectory(sqlite_database, hashed), 600)
    mailing = ledger.plan(samples.draft())
    planned = _pages(sqlite_database)
    held, outcomes = ports.Lease(owner="here:1:1", until=NOW + ports.LEASE), list[Outcome]()
    while turn := ledger.turn(mailing.id, held, outcomes, limit=32, now=NOW).claimed:
        outcomes = [_sent(claimed) for claimed in turn]
    assert ledger.tally(mailing.id).states[State.SENT] == 600
    ledger.close()
    assert _pages(sqlite_database) <= planned + 1
