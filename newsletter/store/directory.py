"""The directory in a database: subscribers, their consent records and the suppressions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from newsletter.domain import addresses, audiences, errors, intake, rolls, subscribers
from newsletter.domain.letters import Kind, Letter
from newsletter.store import audience_sql, directory_import, erasing, letters, people, tables
from newsletter.store.database import Database

_ROW = tables.subscriber.c


class StoredDirectory:
    """`ports.Directory` over SQLite or PostgreSQL."""

    def __init__(self, database: Database, keyed_hash: people.KeyedHash) -> None:
        """Take the database, and the keyed hash under which erased addresses are found again."""
        self._database = database
        self._hash = keyed_hash

    def add(
        self,
        subscriber: subscribers.Subscriber,
        record: subscribers.ConsentRecord,
        *,
        letter: Kind | None = None,
    ) -> subscribers.Subscriber:
        """Write a new subscriber with the record that explains it, and the letter that follows."""
        with self._database.writing() as connection:
            key = addresses.key(subscriber.email)
            if connection.scalar(sa.select(_ROW.id).where(_ROW.email_key == key)) is not None:
                raise _known(subscriber.email)
            try:
                made = connection.execute(
                    sa.insert(tables.subscriber)
                    .values(**people.values(subscriber, record.at))
                    .returning(_ROW.id)
                ).scalar_one()
            except sa.exc.IntegrityError as error:  # another process was faster
                raise _known(subscriber.email) from error
            found = dataclasses.replace(subscriber, id=made)
            people.set_labels(connection, found)
            people.append(connection, made, record)
            _put(connection, made, record, letter)
            return found

    def find(self, email: str) -> subscribers.Subscriber | None:
        """Return the subscriber with this address, whatever its case, or None."""
        with self._database.reading() as connection:
            return people.one(connection, _ROW.email_key == addresses.key(email))

    def get(self, subscriber: int) -> subscribers.Subscriber | None:
        """Return the subscriber with this id, or None."""
        with self._database.reading() as connection:
            return people.one(connection, _ROW.id == subscriber)

    def apply(self, move: subscribers.Move, *, letter: Kind | None = None) -> bool:
        """Set a status, append record and letter; False when the status changed since it was read."""
        after, record = move.subscriber, move.record
        unchanged = sa.and_(_ROW.id == after.id, _ROW.status == move.was.value)
        with self._database.writing() as connection:
            moved = connection.execute(
                sa.update(tables.subscriber)
                .where(unchanged)
                .values(status=after.status.value, changed_at=record.at)
            )
            if moved.rowcount:
                people.append(connection, after.id, record)
                _put(connection, after.id, record, letter)
            return bool(moved.rowcount)

    def save(self, subscriber: subscribers.Subscriber, *, now: datetime) -> None:
        """Write everything of a known subscriber but status, address and history."""
        values = people.values(subscriber, now)
        for kept in ("email", "email_key", "domain", "status", "joined_at"):
            del values[kept]
        with self._database.writing() as connection:
            connection.execute(sa.update(tables.subscriber).where(_ROW.id == subscriber.id).values(**values))
            people.set_labels(connection, subscriber)

    def readdress(self, subscriber: int, email: str, *, now: datetime) -> None:
        """Give a subscriber another address."""
        key, domain = addresses.key(email), addresses.domain(email)
        mine = sa.update(tables.subscriber).where(_ROW.id == subscriber)
        with self._database.writing() as connection:
            holder = connection.scalar(sa.select(_ROW.id).where(_ROW.email_key == key))
            if holder not in (None, subscriber):
                raise _known(email)
            connection.execute(mine.values(email=email, email_key=key, domain=domain, changed_at=now))

    def forget(self, subscriber: int, *, now: datetime) -> None:
        """Erase a person: what stays is a keyed hash that keeps the address off the list, and bare counts."""
        with self._database.erasing() as connection:
            erasing.forget(connection, subscriber, self._hash, now)

    def history(self, subscriber: int) -> Sequence[subscribers.ConsentRecord]:
        """Return the consent records of a subscriber, oldest first."""
        with self._database.reading() as connection:
            return people.history(connection, subscriber)

    def list(
        self,
        *,
        status: subscribers.Status | None = None,
        tag: str = "",
        text: str = "",
        rule: audiences.Rule | None = None,
    ) -> Iterator[subscribers.Subscriber]:
        """Yield subscribers by address, streamed."""
        query = sa.select(tables.subscriber).order_by(_ROW.email_key)
        if status:
            query = query.where(_ROW.status == status.value)
        if tag:
            query = query.where(audience_sql.labelled(people.TAG, tag))
        if text:
            wanted = _ROW.email_key.icontains(text, autoescape=True)
            query = query.where(wanted | _ROW.name.icontains(text, autoescape=True))
        with self._database.reading() as connection:
            if rule:
                query = query.where(audience_sql.condition(rule, connection.dialect.name))
            yield from people.stream(connection, query)

    def counts(self) -> Mapping[subscribers.Status, int]:
        """Count subscribers by status."""
        query = sa.select(_ROW.status, sa.func.count()).group_by(_ROW.status)
        with self._database.reading() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {status: found.get(status.value, 0) for status in subscribers.Status}

    def take_in(
        self,
        rows: Iterable[intake.Row],
        source: intake.Source,
        *,
        write: bool,
        tell: intake.Tell | None = None,
    ) -> intake.Counts:
        """Take in the rows of an import, in one transaction and flat memory; or only count."""
        ways = directory_import.Ways(keyed_hash=self._hash, write=write, tell=tell)
        return directory_import.take_in(self._database, rows, source, ways)

    def suppress(self, email: str, *, reason: str, now: datetime) -> None:
        """Never mail this address, or this domain, again. The first reason stays."""
        with self._database.writing() as connection:
            people.suppress(connection, addresses.key(email), self._hash, reason=reason, now=now)

    def is_suppressed(self, email: str) -> str:
        """Return the reason for which an address must not be mailed, or an empty text."""
        hashes = [self._hash(addresses.key(email)), self._hash(addresses.domain(email))]
        query = sa.select(tables.suppression.c.reason).where(tables.suppression.c.value_hash.in_(hashes))
        with self._database.reading() as connection:
            return str(connection.scalar(query.order_by(tables.suppression.c.id).limit(1)) or "")

    def suppressions(self) -> Iterator[rolls.Suppression]:
        """Yield every suppression, newest first."""
        row = tables.suppression.c
        query = sa.select(row.value, row.reason, row.at).order_by(row.at.desc(), row.id.desc())
        with self._database.reading() as connection:
            for found in connection.execution_options(stream_results=True, yield_per=1000).execute(query):
                yield rolls.Suppression(value=found.value or "", reason=found.reason, at=found.at)

    def lift(self, value: str) -> bool:
        """Take back the suppression of an address or domain; False when there is none."""
        suppression = tables.suppression
        mine = suppression.c.value_hash == self._hash(addresses.key(value))
        with self._database.writing() as connection:
            return bool(connection.execute(sa.delete(suppression).where(mine)).rowcount)


def _put(
    connection: sa.Connection, subscriber: int, record: subscribers.ConsentRecord, letter: Kind | None
) -> None:
    if letter is not None:
        letters.insert(connection, [Letter(kind=letter, subscriber=subscriber, asked_at=record.at)])


def _known(email: str) -> errors.AddressError:
    return errors.AddressError(
        f"{email} is on the list already", hint=f"look at it with `newsletter subscriber show {email}`"
    )
