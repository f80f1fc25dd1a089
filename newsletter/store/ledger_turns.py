"""The ledger's hot path: settle what came back and claim what goes next, in one commit.

Everything here runs once for every few dozen messages, on one connection kept open, and speaks
to the driver itself: SQLAlchemy's own work would cost as much as the database's.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from newsletter import ports
from newsletter.domain import deliveries, errors
from newsletter.domain.deliveries import MailingStatus, State
from newsletter.store import columns, failures, ledger_suppress, people
from newsletter.store.database import Database
from newsletter.store.ledger_sql import POSTGRESQL, SQLITE

#: A lease is written again when it has gained this much.
_RENEW = timedelta(seconds=15)
_SENT = State.SENT
_STATES = {state: state.value for state in State}


_Row = tuple[Any, ...]
#: Makes a claimed delivery of a row that has its fields: `Claimed` itself would take them one by one.
_claimed: Callable[[_Row], deliveries.Claimed] = functools.partial(tuple.__new__, deliveries.Claimed)


@dataclass
class _Batch:
    """What one turn is asked for, and what it found due."""

    mailing: int
    lease: int
    limit: int
    now: int
    status: MailingStatus
    #: First and last id of the mailing's deliveries.
    bounds: tuple[int, int]
    claimed: list[deliveries.Claimed] = field(default_factory=list)
    skipped: int = 0
    #: The last fresh delivery that was due, claimed or skipped.
    last: int = 0
    next_due: datetime | None = None


class Turns:
    """Turns of the group commit, on one connection of its own."""

    def __init__(self, database: Database, keyed_hash: people.KeyedHash) -> None:
        self._database = database
        self._hash = keyed_hash
        self._sql = SQLITE if database.is_sqlite else POSTGRESQL
        self._connection: sa.Connection | None = None
        self._inode = 0
        #: (mailing, owner) → id of the lease, and until when it was written to hold.
        self._leases: dict[tuple[int, str], tuple[int, datetime]] = {}
        #: Mailing → where its fresh deliveries begin. Whatever comes back to planned behind it has a
        #: ``not_before`` and is found by that. Not on PostgreSQL, where a sender passes over rows that
        #: another holds, and must find them again if that one dies.
        self._fresh_from: dict[int, int] = {}

    def close(self) -> None:
        """Close the connection; the next turn opens another."""
        connection, self._connection = self._connection, None
        self._leases.clear()
        self._fresh_from.clear()
        if connection is not None:
            with contextlib.suppress(exc.SQLAlchemyError):
                connection.close()

    def turn(
        self,
        mailing: int,
        lease: ports.Lease,
        outcomes: Sequence[deliveries.Outcome],
        *,
        limit: int,
        now: datetime,
    ) -> deliveries.Turn:
        """Settle and claim in one transaction, as `ports.Ledger.turn` says."""
        suppresses = any(outcome.suppress for outcome in outcomes)
        with self._transaction(through_core=suppresses) as driver:
            found = driver.execute(self._sql.status, (mailing,)).fetchone()
            if found is None:
                raise errors.MailingError(f"there is no mailing {mailing}")
            key = (mailing, lease.owner)
            held = self._hold(driver, key, lease)
            status, is_first, *bounds = found
            if outcomes:
                if is_first:
                    self._note_first(driver, mailing, outcomes)
                self._settle(driver, outcomes, held[0])
                if suppresses and self._connection:
                    ledger_suppress.apply(self._connection, mailing, outcomes, self._hash)
            instant = columns.to_instant(now)
            batch = _Batch(mailing, held[0], limit, instant, MailingStatus(status), tuple(bounds))
            if batch.status is MailingStatus.SENDING and limit > 0:
                self._claim(driver, batch)
        self._leases[key] = held
        if batch.last:
            self._fresh_from[mailing] = batch.last + 1
        return deliveries.Turn(batch.status, batch.claimed, batch.skipped, batch.next_due)

    def _claim(self, driver: Any, batch: _Batch) -> None:
        """Fill a batch with what is due, and write whose it is now and who is skipped."""
        mailing, limit, now = batch.mailing, batch.limit, batch.now
        again = driver.execute(self._sql.again, (now, mailing, now, limit)).fetchall()
        if again:
            going = self._passed(driver, batch, again)
            self._many(driver, self._sql.claim, [(batch.lease, row[0]) for row in going])
            batch.claimed += [_tried(row) for row in going]
        if len(again) < limit:
            fresh = self._claim_fresh(driver, batch, limit - len(again))
            if len(again) + fresh < limit:
                due = driver.execute(self._sql.next_due, (mailing,)).fetchone()[0]
                batch.next_due = None if due is None else columns.from_instant(due)

    def _claim_fresh(self, driver: Any, batch: _Batch, limit: int) -> int:
        """Claim deliveries that were never tried; return how many there were, those that stay too."""
        mailing, (begin, end) = batch.mailing, batch.bounds
        if self._database.is_sqlite:
            begin = max(begin, self._fresh_from.get(mailing, 0))
        rows = driver.execute(self._sql.fresh, (batch.now, begin, end, mailing, limit)).fetchall()
        if not rows:
            return 0
        going = self._passed(driver, batch, rows)
        batch.last = rows[-1][0]
        if self._sql.claim_fresh:
            driver.execute(self._sql.claim_fresh, (batch.lease, rows[0][0], batch.last, mailing))
        else:
            self._many(driver, self._sql.claim, [(batch.lease, row[0]) for row in going])
        batch.claimed += map(_claimed, going)
        return len(rows)

    def _passed(self, driver: Any, batch: _Batch, rows: list[_Row]) -> list[_Row]:
        """Return those who may still be mailed; skip the others, with the reason."""
        staying = [row[0] for row in rows if row[-1]]
        if not staying:
            return rows
        why = [_why(*driver.execute(self._sql.person, (number,)).fetchone()) for number in staying]
        skipped = [(reason, batch.now, number) for reason, number in zip(why, staying, strict=True)]
        self._many(driver, self._sql.skip, skipped)
        batch.skipped += len(staying)
        return [row for row in rows if not row[-1]]

    def _hold(self, driver: Any, key: tuple[int, str], lease: ports.Lease) -> tuple[int, datetime]:
        """Return the lease's id, written anew if it has gained enough."""
        held = self._leases.get(key)
        if held is not None and lease.until - held[1] < _RENEW:
            return held
        row = driver.execute(self._sql.hold, (*key, columns.to_instant(lease.until))).fetchone()
        return int(row[0]), lease.until

    def _note_first(self, driver: Any, mailing: int, outcomes: Sequence[deliveries.Outcome]) -> None:
        """Note when the first message was sent: before any delivery is written, as who plans anew does."""
        at = min((each.at for each in outcomes if each.state in deliveries.TAKEN), default=None)
        if at is not None:
            driver.execute(self._sql.note_first, (_instant(at), mailing))

    def _settle(self, driver: Any, outcomes: Sequence[deliveries.Outcome], lease: int) -> None:
        sent, tried, released = [], [], []
        dated: datetime | None = None
        merged: int | None = None
        for number, state, at, attempts, first, reply, known_as, due, _, merged_at, digest in outcomes:
            if merged_at is None:
                released.append((_STATES[state], _instant(due), number, lease))
                continue
            if merged_at is not dated:
                dated, merged = merged_at, _instant(merged_at)
            now = columns.to_instant(at)
            began = now if first is at else _instant(first)
            if state is _SENT:
                sent.append((attempts, began, reply, known_as, now, merged, digest, number, lease))
            else:
                again, word = _instant(due), _STATES[state]
                tried.append(
                    (word, attempts, began, reply, known_as, now, again, merged, digest, number, lease)
                )
        self._settle_sent(driver, sent)
        if tried:
            self._many(driver, self._sql.settle, tried)
        if released:
            self._many(driver, self._sql.release, released)

    def _settle_sent(self, driver: Any, sent: list[_Row]) -> None:
        """Settle what was sent; where somebody took us for dead meanwhile, as far as it still is ours."""
        if not sent:
            return
        if self._sql.sent and driver.cursor().executemany(self._sql.sent, sent).rowcount == len(sent):
            return
        self._many(driver, self._sql.settle, [(_STATES[_SENT], *row[:5], None, *row[5:]) for row in sent])

    def _many(self, driver: Any, statement: str, rows: Sequence[_Row]) -> None:
        if not self._sql.by_columns:
            driver.cursor().executemany(statement, rows)
        elif rows:
            driver.execute(statement, [list(column) for column in zip(*rows, strict=True)])

    @contextlib.contextmanager
    def _transaction(self, *, through_core: bool) -> Iterator[Any]:
        """Give the driver's connection in a writing transaction; Core can join it where it must."""
        connection = self._open()
        driver: Any = connection.connection.driver_connection
        try:
            if through_core:
                with self._database.begin_writing(connection):
                    yield driver
            else:
                if self._sql.begin:
                    driver.execute(self._sql.begin)
                yield driver
                driver.commit()
        except BaseException as error:
            self._undo(driver)
            if isinstance(error, exc.DBAPIError):
                raise failures.explain(error, self._database.name) from error
            if isinstance(error, connection.dialect.loaded_dbapi.Error):
                wrapped = exc.DBAPIError("", None, error)
                raise failures.explain(wrapped, self._database.name) from error
            raise

    def _undo(self, driver: Any) -> None:
        """Roll back; a connection that cannot even do that is thrown away."""
        self._leases.clear()
        try:
            driver.rollback()
        except Exception:  # whatever the driver says here
            if self._connection is not None:
                self._connection.invalidate()
            self.close()

    def _open(self) -> sa.Connection:
        path = self._database.path
        if path is not None:
            self._watch(path)
        if self._connection is None:
            try:
                self._connection = self._database.engine.connect()
            except exc.DBAPIError as error:
                raise failures.explain(error, self._database.name) from error
            if self._database.is_sqlite:
                # A mailing goes through its rows once: a large cache would only fill up.
                driver: Any = self._connection.connection.driver_connection
                driver.execute("PRAGMA cache_size = -4096")
        return self._connection

    def _watch(self, path: Any) -> None:
        """Make sure that the file is still the one we write to: an unlinked one takes writes for ever.

        Raises:
            StoreError: it was moved away or replaced.
        """
        try:
            inode = path.stat().st_ino
        except OSError as error:
            raise errors.StoreError(
                f"{path} cannot be reached: {error.strerror}", hint="put it back; nothing was lost"
            ) from error
        if self._connection is not None and inode != self._inode:
            raise errors.StoreError(
                f"{path} was replaced while a mailing was being sent",
                hint="stop the sender, put the former file back, then start it again",
            )
        self._inode = inode


def _instant(moment: datetime | None) -> int | None:
    return None if moment is None else columns.to_instant(moment)


def _why(status: str | None, suppressed: str | None) -> str:
    if suppressed is not None:
        return f"suppressed since the plan: {suppressed}"
    if status == "active":
        return "paused since the plan"
    return f"{status or 'erased'} since the plan"


def _tried(row: _Row) -> deliveries.Claimed:
    first = row[6]
    return _claimed((*row[:6], None if first is None else columns.from_instant(first)))
