"""What a database's own error means to a person: by code, never by its prose."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import exc

from newsletter.domain import errors

_MIGRATE = "run `newsletter upgrade`"

#: SQLite's primary result code → what it means, and what to do (https://www.sqlite.org/rescode.html).
_SQLITE = {
    sqlite3.SQLITE_BUSY: ("{name} is locked by another process", "wait for it to finish, then try again"),
    sqlite3.SQLITE_LOCKED: ("{name} is locked by another process", "wait for it to finish, then try again"),
    sqlite3.SQLITE_FULL: (
        "the disk with {name} is full",
        "free some space, then try again: nothing was lost",
    ),
    sqlite3.SQLITE_CANTOPEN: ("{name} cannot be opened", "does its folder exist, and may you write to it?"),
    sqlite3.SQLITE_READONLY: ("{name} is read-only", "may you write to the file and its folder?"),
    sqlite3.SQLITE_PERM: ("{name} is read-only", "may you write to the file and its folder?"),
    sqlite3.SQLITE_IOERR: ("{name} cannot be read or written", "look at the disk: is it full or failing?"),
    sqlite3.SQLITE_NOTADB: ("{name} is not a database", "look at `database.url` in newsletter.toml"),
    sqlite3.SQLITE_CORRUPT: ("{name} is damaged", "restore it from a backup"),
}

#: SQLSTATE → the same (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_POSTGRESQL = {
    "42P01": ("{name} does not have the tables of this version", _MIGRATE),
    "42703": ("{name} does not have the tables of this version", _MIGRATE),
    "55P03": ("{name} is locked by another process", "wait for it to finish, then try again"),
    "40P01": ("another process wanted the same rows of {name} at the same time", "try again"),
    "53100": ("the disk of {name} is full", "free some space, then try again: nothing was lost"),
    "53300": ("{name} takes no more connections", "close some, or raise its max_connections"),
    "57P01": ("{name} was shut down", "start it, then try again"),
    "57P03": ("{name} is just starting or stopping", "try again in a moment"),
    "25006": ("{name} is read-only", "connect to the primary server"),
    "42501": ("this user may not do that in {name}", "grant it the rights on the schema"),
}


def explain(error: exc.DBAPIError, name: str) -> errors.StoreError:
    """Return the `StoreError` that says what a driver's error means for the database so named."""
    message, hint = _meaning(error.orig)
    said = str(error.orig).strip().partition("\n")[0]
    return errors.StoreError(f"{message.format(name=name)} ({said})", hint=hint)


def _meaning(cause: Any) -> tuple[str, str]:
    if isinstance(cause, sqlite3.Error):
        # The low byte is the primary code. sqlite3 sets none on errors of its own.
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_ERROR:
            # The generic code; the schema is the only thing that can differ from what we wrote.
            return "{name} does not have the tables of this version", _MIGRATE
        return _SQLITE.get(code, ("{name} refused", "run `newsletter doctor`"))
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return "{name} cannot be reached", "is the server running, and `database.url` right?"
    return _POSTGRESQL.get(state, ("{name} refused", "run `newsletter doctor`"))
