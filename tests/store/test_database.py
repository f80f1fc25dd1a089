"""Transactions hold, and what goes wrong is said in plain words."""

from __future__ import annotations

import sqlite3
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import insert, select

from newsletter.domain import errors
from newsletter.store import tables
from newsletter.store.database import Database

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)


def _add(connection: sa.Connection, email: str = "ada@example.org") -> None:
    values = {"email": email, "email_key": email, "domain": "example.org", "status": "active"}
    connection.execute(insert(tables.SubscriberRow).values(**values, joined_at=NOON, changed_at=NOON))
    consent = {"subscriber_id": 1, "status": "active", "how": "staff", "at": NOON}
    connection.execute(insert(tables.ConsentRow).values(**consent))


def _count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(tables.SubscriberRow)) or 0)


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def stumble() -> None:
        with database.writing() as connection:
            _add(connection)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        stumble()
    assert _count(database) == 0


def test_what_was_written_is_there_for_the_next_reader(database: Database) -> None:
    with database.writing() as connection:
        _add(connection)
    assert _count(database) == 1


def test_a_moment_comes_back_in_utc_to_the_microsecond(database: Database) -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    with database.writing() as connection:
        connection.execute(insert(tables.WordingRow).values(words="yes", first_used_at=tokyo))
    with database.reading() as connection:
        found = connection.scalar(select(tables.WordingRow.first_used_at))
    assert found == NOON
    assert found.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 2)
    with pytest.raises(Exception, match="without a zone"), database.writing() as connection:
        connection.execute(insert(tables.WordingRow).values(words="yes", first_used_at=naive))


@pytest.mark.parametrize("statement", ["UPDATE consent SET how = 'page'", "DELETE FROM consent"])
def test_consent_records_are_append_only(database: Database, statement: str) -> None:
    with database.writing() as connection:
        _add(connection)
    with pytest.raises(errors.StoreError, match="append-only"), database.writing() as connection:
        connection.execute(sa.text(statement))
    with database.reading() as connection:
        assert connection.scalar(select(tables.ConsentRow.how)) == "staff"


def test_consent_records_go_with_their_person(database: Database) -> None:
    with database.writing() as connection:
        _add(connection)
        connection.execute(sa.text("DELETE FROM subscriber"))
        assert connection.scalar(sa.text("SELECT count(*) FROM consent")) == 0


def test_an_id_is_never_given_twice(database: Database) -> None:
    with database.writing() as connection:
        _add(connection)
        connection.execute(sa.text("DELETE FROM subscriber"))
        values = {"email": "b@example.org", "email_key": "b@example.org", "domain": "", "status": "active"}
        connection.execute(insert(tables.SubscriberRow).values(**values, joined_at=NOON, changed_at=NOON))
        assert connection.scalar(select(tables.SubscriberRow.id)) == 2


def test_a_database_locked_by_another_process_says_so(sqlite_database: Database, tmp_path: Path) -> None:
    hurried = Database("sqlite:///subscribers.db", folder=tmp_path, busy_seconds=0.05)
    other = sqlite3.connect(tmp_path / "subscribers.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(errors.StoreError, match="locked by another process") as caught, hurried.writing():
            raise AssertionError("the lock was not respected")
        assert "try again" in caught.value.hint
        assert _count(hurried) == 0, "readers do not wait for writers"
    finally:
        other.close()
        hurried.close()


def test_a_database_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreError, match="there is no database at"):
        _count(Database("sqlite:///subscribers.db", folder=tmp_path))
    assert not (tmp_path / "subscribers.db").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreError, match="cannot be created"):
        Database("sqlite:///nowhere/subscribers.db", folder=tmp_path).upgrade()


def test_a_new_database_is_readable_by_its_owner_only(sqlite_database: Database, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "subscribers.db").stat().st_mode) == 0o600


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "subscribers.db").write_text("Dear reader, this is a letter and not a database at all." * 20)
    with pytest.raises(errors.StoreError, match="is not a database"):
        _count(Database("sqlite:///subscribers.db", folder=tmp_path))


def test_missing_tables_ask_for_the_upgrade(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sa.text("DROP TABLE suppression"))
    with (
        pytest.raises(errors.StoreError, match="tables of this version") as caught,
        database.reading() as connection,
    ):
        connection.execute(sa.select(tables.SuppressionRow))
    assert "newsletter upgrade" in caught.value.hint


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    database = Database("postgresql://ada:hunter2@127.0.0.1:1/news")
    with pytest.raises(errors.StoreError, match="cannot be reached") as caught:
        _count(database)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)


@pytest.mark.parametrize(("url", "words"), [("mysql://x/y", "mysql"), ("subscribers.db", "cannot be read")])
def test_another_kind_of_database_is_refused(url: str, words: str) -> None:
    with pytest.raises(errors.StoreError, match=words):
        Database(url)


def test_a_full_disk_says_so_and_nothing_is_half_written(sqlite_database: Database) -> None:
    def fill() -> None:
        with sqlite_database.writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1}")
            for number in range(10_000):
                _add(connection, f"{number}@example.org")

    with pytest.raises(errors.StoreError, match=r"the disk with .+ is full"):
        fill()
    sqlite_database.close()
    assert _count(sqlite_database) == 0
