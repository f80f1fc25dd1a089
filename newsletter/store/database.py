"""One database: its connections, its transactions, and what its errors mean to a person."""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from newsletter.domain import errors
from newsletter.store import failures, migrations

#: Seconds that a writer waits for another process to finish.
BUSY_SECONDS = 15.0

_UPGRADE = "run `newsletter upgrade`"
#: PostgreSQL shows each statement the newest state unless told otherwise; SQLite never does.
_SNAPSHOT = {"isolation_level": "REPEATABLE READ"}
#: Any constant will do that nobody else uses as an advisory lock.
_UPGRADE_LOCK = 0x6E657773


class Database:
    """SQLite or PostgreSQL, with short transactions that raise `StoreError` in plain words."""

    def __init__(self, url: str, *, folder: Path | None = None, busy_seconds: float = BUSY_SECONDS) -> None:
        """Take a URL; a relative SQLite path is taken from ``folder``. Nothing is opened yet."""
        parsed = _parse(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.path: Path | None = None
        if self.is_sqlite:
            self.path = ((folder or Path()) / (parsed.database or "subscribers.db")).absolute()
            parsed = parsed.set(database=str(self.path))
        self.engine = _engine(parsed, busy_seconds)
        # The same pool of connections, begun differently; _begin_sqlite reads the option.
        self._reader = self.engine if self.is_sqlite else self.engine.execution_options(**_SNAPSHOT)
        self._writer = self.engine.execution_options(writes=True)
        #: How PostgreSQL's own library names it, password and all; empty for SQLite.
        self.conninfo = "" if self.is_sqlite else _conninfo(parsed)
        #: What to call it in a message; never shows the password.
        self.name = str(self.path) if self.path else parsed.render_as_string(hide_password=True)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection on one consistent state of the data.

        Raises:
            StoreError: unreachable, locked or not migrated.
        """
        with self._translated(), self._reader.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that is committed at the end, or undone on any error.

        Raises:
            StoreError: unreachable, locked by another process, not migrated, or the disk is full.
        """
        with self._translated(), self._writer.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def erasing(self) -> Iterator[sa.Connection]:
        """Give a connection as `writing` does; what is deleted by it leaves no trace in the file either.

        Raises:
            StoreError: as for `writing`.
        """
        with self.writing() as connection:
            if self.is_sqlite:
                # Deleted rows are overwritten with zeros; otherwise their pages wait to be used again.
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            yield connection
        if self.is_sqlite:
            with contextlib.closing(self.engine.raw_connection()) as raw:
                # Outside a transaction, which SQLAlchemy would begin; the log holds older pages.
                raw.cursor().execute("PRAGMA secure_delete = OFF")
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextlib.contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """Give one connection for several transactions, for work that keeps temporary tables.

        Raises:
            StoreError: as for `reading` and `writing`.
        """
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @staticmethod
    @contextlib.contextmanager
    def begin_writing(connection: sa.Connection) -> Iterator[None]:
        """Run a writing transaction on a connection given by `connected`."""
        connection.execution_options(writes=True)
        try:
            with connection.begin():
                yield
        finally:
            connection.execution_options(writes=False)

    def require_current(self) -> None:
        """Make sure that the schema is the one this version was written for.

        Raises:
            StoreError: it was never made, is older, or is newer.
        """
        found = self.revision()
        if not found:
            raise errors.StoreError(f"{self.name} has no tables yet", hint=_UPGRADE)
        self._refuse_newer(found)
        if found < migrations.HEAD:
            raise errors.StoreError(
                f"{self.name} was made by an older version (schema {found}, needed {migrations.HEAD})",
                hint=_UPGRADE,
            )

    def revision(self) -> str:
        """Return the revision of the schema, or an empty text when there is none."""
        with self.reading() as connection:
            return _revision(connection)

    def upgrade(self) -> tuple[str, str]:
        """Bring the schema to the newest revision in one transaction; return the old and the new one.

        Raises:
            StoreError: the database cannot be made or written, or belongs to a newer version.
        """
        from alembic import command, config

        settings = config.Config()
        settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
        self._create()
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
            old = _revision(connection)
            self._refuse_newer(old)
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
        return old, migrations.HEAD

    def close(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()

    def _refuse_newer(self, found: str) -> None:
        if found > migrations.HEAD:
            raise errors.StoreError(
                f"{self.name} was made by a newer version (schema {found}, known {migrations.HEAD})",
                hint="upgrade the program: `pip install --upgrade newsletter`",
            )

    def _create(self) -> None:
        if self.path is None:
            return
        try:
            # It holds people's addresses: nobody else on the machine need read it.
            self.path.touch(mode=0o600)
        except OSError as error:
            raise errors.StoreError(
                f"{self.path} cannot be created ({error.strerror})",
                hint="does its folder exist, may you write there?",
            ) from error

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        if self.path and not self.path.exists():
            raise errors.StoreError(f"there is no database at {self.path}", hint=_UPGRADE)
        try:
            yield
        except exc.DBAPIError as error:
            raise failures.explain(error, self.name) from error


def _revision(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")


def _conninfo(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        raise errors.StoreError(
            "the database URL cannot be read", hint="write sqlite:///subscribers.db or postgresql://host/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql", "postgres"):
        raise errors.StoreError(
            f"{backend} is not a database that we can use", hint="use sqlite:/// or postgresql://"
        )
    return parsed.set(drivername="sqlite" if backend == "sqlite" else "postgresql+psycopg")


# SQLite finds a key by its bytes: an escaped é would not be found as é.
_json = functools.partial(json.dumps, ensure_ascii=False)


def _engine(url: sa.URL, busy_seconds: float) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": busy_seconds}, json_serializer=_json)
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return sa.create_engine(
            url,
            pool_pre_ping=True,
            json_serializer=_json,
            connect_args={"connect_timeout": 10, "application_name": "newsletter"},
        )
    except ModuleNotFoundError:
        raise errors.StoreError(
            "PostgreSQL needs a driver that is not installed", hint="pip install 'newsletter[postgres]'"
        ) from None


def _open_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # sqlite3 would open transactions by itself, late and without the lock; _begin_sqlite does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # In WAL mode NORMAL may lose the last commits at a power cut: a receipt lost is a mail sent twice.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later fails at once, without waiting, when another
    # process wrote in between; taking the write lock at the start makes it wait instead.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
