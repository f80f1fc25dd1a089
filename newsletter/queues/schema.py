"""The tables of the queue on PostgreSQL: procrastinate's own, in a schema of their own beside ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg

from newsletter.domain import errors

#: Where procrastinate's tables are, so that neither its names nor its history meet ours.
SCHEMA = "newsletter_queue"
#: What a connection to the queue begins with.
OPTIONS = f"-c search_path={SCHEMA}"
#: Any constant will do that nobody else uses as an advisory lock.
_LOCK = 0x6E657771
_UPGRADE = "run `newsletter upgrade`"


def upgrade(conninfo: str) -> tuple[str, str]:
    """Bring the queue's tables to what the installed procrastinate needs; return the old and new version.

    A version is the name of the newest of procrastinate's migrations that is in the database.

    Raises:
        StoreError: the database cannot be reached or written, or was used with a newer procrastinate.
    """
    with _connected(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        old, new = _found(connection), _known()[-1]
        _refuse_newer(old, new)
        if not old:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            connection.execute("CREATE TABLE version (migration text NOT NULL)")
            connection.execute("INSERT INTO version VALUES ('')")
            _execute(connection, _whole())
        else:
            for name in _known():
                if name > old:
                    _execute(connection, (_folder() / f"{name}.sql").read_text(encoding="utf-8"))
        connection.execute("UPDATE version SET migration = %s", (new,))
    return old, new


def require_current(conninfo: str) -> None:
    """Make sure that the queue's tables are those of the installed procrastinate.

    Raises:
        StoreError: they were never made, are older, or are newer.
    """
    with _connected(conninfo) as connection:
        old, new = _found(connection), _known()[-1]
    _refuse_newer(old, new)
    if not old:
        raise errors.StoreError("the queue in PostgreSQL has no tables yet", hint=_UPGRADE)
    if old < new:
        raise errors.StoreError(
            f"the queue in PostgreSQL is of an older procrastinate ({old}, needed {new})", hint=_UPGRADE
        )


def _refuse_newer(old: str, new: str) -> None:
    if old > new:
        raise errors.StoreError(
            f"the queue in PostgreSQL is of a newer procrastinate ({old}, known {new})",
            hint="pip install --upgrade procrastinate",
        )


@contextlib.contextmanager
def _connected(conninfo: str) -> Iterator[psycopg.Connection]:
    """Give a connection in a transaction."""
    try:
        with psycopg.connect(conninfo, options=OPTIONS, connect_timeout=10) as connection:
            yield connection
    except psycopg.Error as error:
        raise errors.StoreError(
            f"the queue in PostgreSQL cannot be reached: {' '.join(str(error).split())}",
            hint="is the server up, and may the user create a schema?",
        ) from error


def _found(connection: psycopg.Connection) -> str:
    """Return the version in the database; empty where there is none."""
    there = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.version",)).fetchone()
    if there is None or there[0] is None:
        return ""
    row = connection.execute("SELECT migration FROM version").fetchone()
    return str(row[0]) if row else ""


def _execute(connection: psycopg.Connection, statements: str) -> None:
    """Run a file of statements as it stands: without parameters, percent signs mean themselves."""
    connection.execute(statements.encode())


def _known() -> list[str]:
    return sorted(path.stem for path in _folder().glob("*.sql"))


def _folder() -> Path:
    from procrastinate import schema

    return Path(schema.SchemaManager.get_migrations_path())


def _whole() -> str:
    from procrastinate import schema

    return schema.SchemaManager.get_schema()
