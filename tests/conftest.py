"""Fixtures that more than one room needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from newsletter.store.database import Database
from tests import postgres

# How long an example takes says how busy the machine is, and nothing about what is tested.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL server of our own."""
    with postgres.running() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def _migrated_template(postgres_cluster: postgres.Cluster) -> str:
    url = postgres_cluster.create()
    database = Database(url)
    database.upgrade()
    database.close()
    return url.partition("/@/")[2] or url.split("/")[3].partition("?")[0]


@pytest.fixture
def postgres_url(postgres_cluster: postgres.Cluster, _migrated_template: str) -> str:
    """A migrated database of one's own in the server."""
    return postgres_cluster.create(template=_migrated_template)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database in a file."""
    database = Database("sqlite:///subscribers.db", folder=tmp_path)
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """A migrated PostgreSQL database."""
    database = Database(postgres_url)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database, on each of the two kinds in turn."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found = request.getfixturevalue(name)
    assert isinstance(found, Database)
    return found
