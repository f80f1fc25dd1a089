"""Take in a file of people, set by set: rows are staged beside the list, compared, then written at once.

Staging holds no lock on the list, so that people can leave while a million rows are read; the
writing itself is one short transaction.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from newsletter.domain import addresses, intake, subscribers
from newsletter.store import columns, import_sql, people, tables
from newsletter.store.database import Database

#: Rows handed to the driver at once: enough to amortise the call, little enough to stay flat.
_CHUNK = 5000


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How rows are taken in."""

    #: Finds the erased again.
    keyed_hash: people.KeyedHash
    #: False: only count.
    write: bool
    #: Is told of every row that is left out.
    tell: intake.Tell | None = None


def take_in(
    database: Database,
    rows: Iterable[intake.Row],
    source: intake.Source,
    ways: Ways,
) -> intake.Counts:
    """Stage, compare and, with `Ways.write`, write the rows of an import."""
    with database.connected() as connection, _staging_tables(connection):
        with connection.begin():
            staging = _Staging(connection, source, ways)
            staging.load(rows)
            if not ways.write:
                return staging.compare()
        with database.begin_writing(connection):
            if not database.is_sqlite:
                # SQLite lets one writer in at a time; here the list is kept still while it is compared.
                connection.exec_driver_sql("LOCK TABLE subscriber IN SHARE ROW EXCLUSIVE MODE")
            counts = staging.write(staging.compare())
            if not database.is_sqlite:
                # A list that grew a hundredfold is planned for as it was until somebody counts it.
                connection.exec_driver_sql("ANALYZE subscriber, consent, labelling")
            return counts


@contextlib.contextmanager
def _staging_tables(connection: sa.Connection) -> Iterator[None]:
    with connection.begin():
        for statement in import_sql.create(connection.dialect.name):
            connection.exec_driver_sql(statement)
    try:
        yield
    finally:
        if connection.dialect.name == "sqlite":
            # The tables go with the connection, and faster than by being emptied.
            connection.invalidate()
        # The tables live as long as the connection, and the connection goes back to its pool.
        elif not connection.invalidated and not connection.closed:
            with connection.begin():
                for statement in import_sql.DROP:
                    connection.exec_driver_sql(statement)


class _Staging:
    """Rows of one import on their way into the list."""

    def __init__(self, connection: sa.Connection, source: intake.Source, ways: Ways) -> None:
        self._connection = connection
        self._source = source
        self._hash = ways.keyed_hash
        self._tell = ways.tell
        self._dialect = connection.dialect.name
        self._staged = self._unique = self._suppressed = 0
        self._is_labelled = False
        self._erased = self._erased_hashes()
        #: Topic or tag → its id, or a negative stand-in for one that does not exist yet.
        self._labels = self._known_labels()

    def load(self, rows: Iterable[intake.Row]) -> None:
        """Stage the rows, and sort them."""
        rows = iter(self._not_erased(rows) if self._erased else rows)
        with _no_collection():
            while chunk := list(itertools.islice(rows, _CHUNK)):
                self._stage(chunk)
        if self._is_labelled:
            self._connection.exec_driver_sql(import_sql.INDEX_LABELS)
        self._unique = self._staged - import_sql.sort(self._connection)

    def _stage(self, chunk: list[intake.Row]) -> None:
        self._staged += len(chunk)
        bare: list[tuple[Any, ...]] = []
        full: list[tuple[Any, ...]] = []
        labels: list[tuple[Any, ...]] = []
        for row in chunk:
            line, email, status, name, language, timezone, topics, tags, attributes, joined_at = row
            if language or timezone or attributes or joined_at or not email.isascii():
                key = None if email.isascii() else email.casefold()
                full.append((line, email, _WORD[status], name, key, *_rest(row)))
            else:
                # The database folds ASCII by itself.
                bare.append((line, email, _WORD[status], name))
            if tags or topics:
                labels += [(email.casefold(), number) for number in self._labels_of(row)]
        self._is_labelled |= bool(labels)
        for table, staged in (("arriving", bare), ("arriving", full), ("arriving_label", labels)):
            if staged:
                import_sql.load(self._connection, table, staged)

    def compare(self) -> intake.Counts:
        """Count what the staged rows would do to the list as it now is."""
        left_out = 0
        if self._scalar(import_sql.IS_ANYTHING_SUPPRESSED):
            statement = import_sql.leave_out_suppressed(self._dialect)
            left_out = self._connection.exec_driver_sql(statement).rowcount
        if self._tell:
            self._tell_all(self._tell)
        changes = import_sql.changes(with_labels=self._is_labelled)
        known, held, changed = self._connection.exec_driver_sql(changes).one()
        return intake.Counts(
            new=self._unique - left_out - known,
            known=known,
            held=held or 0,
            changed=changed or 0,
            duplicate=self._staged - self._unique,
            suppressed=left_out + self._suppressed,
        )

    def _tell_all(self, tell: intake.Tell) -> None:
        """Tell of every row that is left out; the rows stay in the database."""
        for line, email, status, wanted in self._streamed(import_sql.HELD):
            tell(intake.LeftOut(line, email, "held", intake.held(status, wanted)))
        for line, email, reason in self._streamed(import_sql.suppressed(self._dialect)):
            tell(intake.LeftOut(line, email, "suppressed", reason))
        for line, email in self._streamed(import_sql.DUPLICATE):
            tell(intake.LeftOut(line, email, "duplicate", intake.DUPLICATE))

    def _streamed(self, statement: str) -> Iterator[Any]:
        options = {"stream_results": True, "yield_per": 1000}
        return iter(self._connection.execute(sa.text(statement), execution_options=options))

    def write(self, counts: intake.Counts) -> intake.Counts:
        """Write what was compared, inside the caller's transaction."""
        counts = replace(counts, run=self._record(counts))
        common = {
            "run": counts.run,
            "now": columns.to_instant(self._source.now),
            "wording": people.wording_id(self._connection, self._source.wording, self._source.now),
            "before": self._scalar("SELECT coalesce(max(id), 0) FROM subscriber"),
        }
        if counts.new:
            self._execute(import_sql.add(self._dialect), common)
            self._execute(import_sql.CONSENT_OF_NEW, common)
        if counts.changed:
            for statement in import_sql.CHANGE_KNOWN:
                self._execute(statement, common)
        if (counts.new or counts.changed) and self._is_labelled:
            self._make_labels()
            self._execute(import_sql.LABEL, common)
        return counts

    def _record(self, counts: intake.Counts) -> int:
        wording = people.wording_id(self._connection, self._source.wording, self._source.now)
        shown = {key: number for key, number in vars(counts).items() if key != "run"}
        made = sa.insert(tables.import_run).values(
            at=self._source.now,
            source=self._source.name,
            parts=[list(part) for part in self._source.parts],
            wording_id=wording,
            counts=shown,
        )
        return int(self._connection.execute(made.returning(tables.import_run.c.id)).scalar_one())

    def _not_erased(self, rows: Iterable[intake.Row]) -> Iterator[intake.Row]:
        for row in rows:
            if self._hash(addresses.key(row.email)) in self._erased:
                self._suppressed += 1
                if self._tell:
                    self._tell(intake.LeftOut(row.line, row.email, "suppressed", subscribers.ERASED))
            else:
                yield row

    def _erased_hashes(self) -> frozenset[str]:
        suppression = tables.suppression.c
        erased = sa.select(suppression.value_hash).where(suppression.value.is_(None))
        return frozenset(self._connection.scalars(erased))

    def _known_labels(self) -> dict[tuple[str, str], int]:
        label = tables.label.c
        query = sa.select(label.kind, label.name, label.id)
        return {(row.kind, row.name): row.id for row in self._connection.execute(query)}

    def _labels_of(self, row: intake.Row) -> Iterable[int]:
        wanted = {(people.TAG, name) for name in row.tags} | {(people.TOPIC, name) for name in row.topics}
        return [self._labels.setdefault(label, -len(self._labels) - 1) for label in sorted(wanted)]

    def _make_labels(self) -> None:
        for (kind, name), stand_in in self._labels.items():
            if stand_in < 0:
                real = people.label_id(self._connection, kind, name)
                self._execute(import_sql.NAME_LABEL, {"real": real, "stand_in": stand_in})

    def _scalar(self, statement: str) -> Any:
        return self._connection.exec_driver_sql(statement).scalar_one()

    def _execute(self, statement: str, parameters: dict[str, Any]) -> None:
        text = sa.text(statement)
        named = {key: parameters[key] for key in text.compile().params}
        self._connection.execute(text, named)


#: Status → its word as it is staged; an enum's own `value` is slower.
_WORD = {status: status.value for status in subscribers.Status}


def _rest(row: intake.Row) -> tuple[Any, ...]:
    return (
        row.language,
        row.timezone,
        columns.to_instant(row.joined_at) if row.joined_at else None,
        json.dumps(row.attributes, ensure_ascii=False) if row.attributes else None,
    )


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from looking for cycles among millions of tuples that have none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
