"""The schema's history leads to the tables that the code speaks of, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import autogenerate, command, config, script
from alembic.migration import MigrationContext

from newsletter import ports
from newsletter.domain import deliveries, errors, numbering, tokens
from newsletter.domain.deliveries import State
from newsletter.store import migrations, tables
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.ledger import StoredLedger
from tests.sending import samples


def _settings() -> config.Config:
    settings = config.Config()
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return settings


def test_the_migrations_end_where_the_tables_stand(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert autogenerate.compare_metadata(context, tables.metadata) == []


def test_head_names_the_newest_migration() -> None:
    assert script.ScriptDirectory.from_config(_settings()).get_current_head() == migrations.HEAD


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    assert database.upgrade() == (migrations.HEAD, migrations.HEAD)


def test_every_migration_can_be_taken_back(database: Database) -> None:
    settings = _settings()
    with database.writing() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, "base")
    with database.reading() as connection:
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    assert database.upgrade() == ("", migrations.HEAD)


def test_what_went_out_before_there_was_a_time_for_it_stays_public(database: Database) -> None:
    """Issues were public from the status alone before 0007."""
    settings = _settings()
    hashed = tokens.Signer(samples.KEY).keyed_hash
    directory, ledger = StoredDirectory(database, hashed), StoredLedger(database, hashed)
    samples.people(directory, 2)
    sent, unsent = (
        ledger.plan(samples.draft(templates={"en": samples.template(number=numbering.IssueNumber(2, each))}))
        for each in (1, 2)
    )
    lease = ports.Lease(owner="here:1:1", until=samples.NOW)
    _, second = ledger.turn(sent.id, lease, [], limit=2, now=samples.NOW).claimed
    taken = deliveries.Outcome(
        delivery=second.id, state=State.SENT, at=samples.NOW, attempts=1, merged_at=samples.NOW
    )
    ledger.turn(sent.id, lease, [taken], limit=0, now=samples.NOW)
    ledger.close()
    with database.writing() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, "0006")
    assert database.upgrade() == ("0006", migrations.HEAD)
    assert ledger.get(sent.id).first_sent_at == samples.NOW
    assert ledger.get(unsent.id).first_sent_at is None


def test_a_database_never_migrated_asks_for_the_upgrade(tmp_path: Path) -> None:
    (tmp_path / "subscribers.db").touch()
    with pytest.raises(errors.StoreError, match="has no tables yet") as caught:
        Database("sqlite:///subscribers.db", folder=tmp_path).require_current()
    assert "newsletter upgrade" in caught.value.hint


def test_a_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(errors.StoreError, match="newer version"):
        database.require_current()
    with pytest.raises(errors.StoreError, match="newer version"):
        database.upgrade()


def test_a_database_of_an_older_version_asks_for_the_upgrade(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(errors.StoreError, match="older version") as caught:
        database.require_current()
    assert "newsletter upgrade" in caught.value.hint
