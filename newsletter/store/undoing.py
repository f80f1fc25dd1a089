"""Take back what an import added, where nothing happened to it since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.domain import errors, intake
from newsletter.store import columns, tables, undo_sql


def imports(connection: sa.Connection) -> list[intake.Import]:
    """Return every import, newest first."""
    run = tables.import_run
    query = (
        sa.select(run, tables.wording.c.words)
        .join(tables.wording, tables.wording.c.id == run.c.wording_id)
        .order_by(run.c.id.desc())
    )
    return [
        intake.Import(
            id=row.id,
            at=row.at,
            source=row.source,
            wording=row.words,
            counts=row.counts,
            undone_at=row.undone_at,
        )
        for row in connection.execute(query)
    ]


def undo(connection: sa.Connection, number: int, now: datetime) -> intake.Undone:
    """Take an import back, in the caller's transaction."""
    run = tables.import_run
    found = connection.execute(sa.select(run.c.at, run.c.undone_at).where(run.c.id == number)).one_or_none()
    if found is None:
        raise errors.ImportFileError(
            f"there is no import {number}", hint="`newsletter subscriber import --list` shows them"
        )
    if found.undone_at:
        raise errors.ImportFileError(f"import {number} was undone on {found.undone_at:%Y-%m-%d}")
    given = {
        "run": number,
        "at": columns.to_instant(found.at),
        "now": columns.to_instant(now),
        "source": f"undoing of import {number}",
    }
    restored = _restore(connection, given)
    emptied = _empty(connection, given)
    removed = _count(connection, undo_sql.REMOVE, given)
    kept = int(connection.execute(sa.text(undo_sql.KEPT), {"run": number}).scalar_one())
    unlabelled = _count(connection, undo_sql.UNLABEL, given)
    connection.execute(sa.update(run).where(run.c.id == number).values(undone_at=now))
    return intake.Undone(
        removed=removed, kept=kept, restored=restored, emptied=emptied, unlabelled=unlabelled
    )


def _count(connection: sa.Connection, statement: str, given: dict[str, Any]) -> int:
    text = sa.text(statement)
    return connection.execute(text, {key: given[key] for key in text.compile().params}).rowcount


def _restore(connection: sa.Connection, given: dict[str, Any]) -> int:
    """Give back the status that this import had made firmer, where that was the last thing to happen."""
    restored = _count(connection, undo_sql.RESTORE_RECORD, given)
    if restored:
        _count(connection, undo_sql.RESTORE_STATUS, given)
    return restored


def _empty(connection: sa.Connection, given: dict[str, Any]) -> int:
    return _count(connection, undo_sql.EMPTY, given)
