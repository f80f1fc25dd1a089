"""The queue on PostgreSQL: what procrastinate leaves to us, and the tables it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from newsletter.domain import errors
from newsletter.domain.deliveries import State
from newsletter.queues import schema
from newsletter.store.database import Database
from tests.contract.test_queue import PATIENCE, Signalling, Town

_FUNCTIONS = """
SELECT proname, pg_get_function_identity_arguments(p.oid) FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = 'newsletter_queue' ORDER BY 1, 2
"""


@pytest.fixture
def town(postgres_database: Database) -> Iterator[Town]:
    schema.upgrade(postgres_database.conninfo)
    made = Town(postgres_database)
    yield made
    made.stop()
    made.ledger.close()


def run(town: Town, statement: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(town.database.conninfo, options=schema.OPTIONS, autocommit=True) as connection:
        found = connection.execute(statement.encode(), values or None)
        return found.fetchall() if found.description else []


def test_a_job_that_a_dead_worker_left_holds_up_nobody(town: Town) -> None:
    town.senders = 1
    mailing, provider = town.plan(3), Signalling()
    run(
        town,
        "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
        " VALUES (now() - interval '1 minute') RETURNING id)"
        " INSERT INTO procrastinate_jobs"
        " (queue_name, task_name, status, lock, queueing_lock, args, worker_id)"
        " SELECT 'mailings', 'share', 'doing', %s, %s, '{}', id FROM dead",
        *[f"mailing-{mailing.id}/0"] * 2,
    )
    town.machine(provider).start()
    assert provider.done.wait(PATIENCE)
    town.stop()
    assert town.states(mailing) == {State.SENT: 3}


def test_nothing_is_left_in_the_queue_when_a_mailing_is_done(town: Town) -> None:
    town.plan(3)
    providers = [Signalling(), Signalling()]
    for provider in providers:
        town.machine(provider).start()
    while not any(provider.done.wait(0.1) for provider in providers):
        pass
    town.stop()
    assert run(town, "SELECT * FROM procrastinate_jobs WHERE status = 'doing'") == []
    assert run(town, "SELECT * FROM procrastinate_workers") == []


def test_a_queue_that_lost_the_database_comes_back(town: Town) -> None:
    provider = Signalling()
    queue = town.machine(provider)
    queue.start()
    run(
        town,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'newsletter queue'",
    )
    mailing = town.plan(3)
    queue.put(mailing.id)
    assert provider.done.wait(PATIENCE)
    town.stop()
    assert town.states(mailing) == {State.SENT: 3}


def test_a_queue_without_its_tables_says_what_to_type(postgres_database: Database) -> None:
    town = Town(postgres_database)
    with pytest.raises(errors.StoreError, match="no tables yet") as caught:
        town.machine(Signalling()).start()
    assert "newsletter upgrade" in caught.value.hint
    town.stop()
    town.ledger.close()


def test_upgrading_twice_changes_nothing(town: Town) -> None:
    old, new = schema.upgrade(town.database.conninfo)
    assert old == new


def test_an_older_queue_is_brought_up_to_date(town: Town, postgres_database: Database) -> None:
    fresh = run(town, _FUNCTIONS)
    run(town, "DROP SCHEMA newsletter_queue CASCADE")
    run(town, "CREATE SCHEMA newsletter_queue")
    run(town, "CREATE TABLE version (migration text NOT NULL)")
    from procrastinate.schema import SchemaManager

    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    for file in files[:-4]:
        run(town, file.read_text())
    run(town, "INSERT INTO version VALUES (%s)", files[-5].stem)
    with pytest.raises(errors.StoreError, match="older procrastinate") as caught:
        schema.require_current(town.database.conninfo)
    assert "newsletter upgrade" in caught.value.hint
    assert schema.upgrade(town.database.conninfo) == (files[-5].stem, files[-1].stem)
    schema.require_current(town.database.conninfo)
    assert run(town, _FUNCTIONS) == fresh


def test_a_newer_queue_is_left_alone(town: Town) -> None:
    run(town, "UPDATE version SET migration = '99.00.00_01'")
    for act in (schema.upgrade, schema.require_current):
        with pytest.raises(errors.StoreError, match="newer procrastinate"):
            act(town.database.conninfo)


def test_a_server_that_is_not_there_is_said_so() -> None:
    with pytest.raises(errors.StoreError, match="cannot be reached"):
        schema.require_current("postgresql://postgres@/x?host=/nowhere")
