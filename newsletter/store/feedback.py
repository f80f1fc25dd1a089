"""Reports and events in a database: kept first, then applied once, whatever comes twice."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.domain import addresses, events, feedback, subscribers
from newsletter.domain.deliveries import State
from newsletter.domain.events import Cause, Event, Kind
from newsletter.store import people, tables
from newsletter.store.database import Database

_REPORT, _EVENT, _DELIVERY, _MAILING = tables.report.c, tables.event.c, tables.delivery.c, tables.mailing.c
#: Mailing and subscriber → key of the Message-ID.
MessageKey = Callable[[int, int], str]
Decide = Callable[[Event, feedback.Standing], feedback.Decision]
#: As many events of one person as can matter to a decision.
_MEMORY = 200
_PAGE = 500


class StoredFeedback:
    """`sending.feedback.Book` over SQLite or PostgreSQL."""

    def __init__(self, database: Database, keyed_hash: people.KeyedHash, message_key: MessageKey) -> None:
        """Take the database, the hash of suppressed addresses, and the key that Message-IDs are made of."""
        self._database = database
        self._hash = keyed_hash
        self._message_key = message_key

    def keep(self, reports: Sequence[tuple[str, bytes]], *, now: datetime) -> None:
        """Write reports before anything is made of them."""
        rows = [{"provider": name, "received_at": now, "body": body} for name, body in reports]
        with self._database.writing() as connection:
            connection.execute(sa.insert(tables.report), rows)

    def waiting(self, *, limit: int) -> Sequence[feedback.Report]:
        """Return reports of which nothing was made yet, oldest first."""
        query = sa.select(tables.report).where(_REPORT.applied_at.is_(None)).order_by(_REPORT.id).limit(limit)
        with self._database.reading() as connection:
            return [_report(row) for row in connection.execute(query)]

    def since(self, at: datetime) -> Iterator[feedback.Report]:
        """Yield every report that came at or after a time, oldest first."""
        last = 0
        while True:
            later = sa.and_(_REPORT.received_at >= at, _REPORT.id > last)
            query = sa.select(tables.report).where(later).order_by(_REPORT.id).limit(_PAGE)
            with self._database.reading() as connection:
                page = [_report(row) for row in connection.execute(query)]
            if not page:
                return
            yield from page
            last = page[-1].id

    def apply(
        self,
        report: feedback.Report,
        found: Sequence[Event],
        decide: Decide,
        *,
        now: datetime,
        again: bool = False,
    ) -> feedback.Applied:
        """Record events and what follows from them, in one transaction."""
        with self._database.writing() as connection:
            transaction = _Application(connection, report, decide, self._hash, self._message_key)
            for event in found:
                transaction.take(event, again=again, now=now)
            connection.execute(
                sa.update(tables.report).where(_REPORT.id == report.id).values(applied_at=now, problem="")
            )
        return transaction.applied

    def close(self, report: int, problem: str, *, now: datetime) -> None:
        """Note that nothing could be made of a report, and why."""
        with self._database.writing() as connection:
            connection.execute(
                sa.update(tables.report)
                .where(_REPORT.id == report)
                .values(applied_at=now, problem=problem[:500])
            )

    def figures(self, mailing: int) -> feedback.Figures:
        """Count how a mailing fares; a delivery counts once."""
        told = sa.select(_EVENT.kind, _EVENT.cause, sa.func.count(sa.distinct(_EVENT.delivery_id))).where(
            _EVENT.mailing_id == mailing,
            (_EVENT.kind == Kind.COMPLAINED.value) | (_EVENT.kind == Kind.BOUNCED.value),
            (_EVENT.hard.is_(True)) | (_EVENT.kind == Kind.COMPLAINED.value),
        )
        out = [State.SENT, State.DELIVERED, State.BOUNCED, State.COMPLAINED]
        sent = sa.select(sa.func.count()).where(
            _DELIVERY.mailing_id == mailing, _DELIVERY.state.in_([state.value for state in out])
        )
        with self._database.reading() as connection:
            rows = connection.execute(told.group_by(_EVENT.kind, _EVENT.cause)).all()
            return _figures(rows, int(connection.scalar(sent) or 0))

    def delivery(self, mailing: int, subscriber: int) -> int:
        """Return the id of a delivery, 0 where there is none."""
        query = sa.select(_DELIVERY.id).where(
            _DELIVERY.mailing_id == mailing, _DELIVERY.subscriber_id == subscriber
        )
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def reasons(self) -> Mapping[int, str]:
        """Return what was last reported against subscribers: the kind, its cause, and the words of it."""
        told = [Kind.BOUNCED.value, Kind.COMPLAINED.value]
        query = (
            sa.select(_EVENT.subscriber_id, _EVENT.kind, _EVENT.cause, _EVENT.at, _EVENT.detail)
            .where(_EVENT.kind.in_(told), _EVENT.subscriber_id > 0)
            .order_by(_EVENT.at)
        )
        with self._database.reading() as connection:
            return {
                row.subscriber_id: f"{row.kind} on {row.at:%Y-%m-%d}, {row.cause}: {row.detail}".rstrip(": ")
                for row in connection.execute(query)
            }

    def tally(self) -> Mapping[tuple[str, str], int]:
        """Count events by provider and kind."""
        query = sa.select(_EVENT.provider, _EVENT.kind, sa.func.count()).group_by(
            _EVENT.provider, _EVENT.kind
        )
        with self._database.reading() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}


class _Application:
    """The events of one report, taken in one after the other in the caller's transaction."""

    def __init__(
        self,
        connection: sa.Connection,
        report: feedback.Report,
        decide: Decide,
        keyed_hash: people.KeyedHash,
        message_key: MessageKey,
    ) -> None:
        self._connection = connection
        self._report = report
        self._decide = decide
        self._hash = keyed_hash
        self._message_key = message_key
        self.applied = feedback.Applied()

    def take(self, event: Event, *, again: bool, now: datetime) -> None:
        """Record one event and what follows from it."""
        row = self._named(event)
        fresh = self._record(event, row)
        self._count(fresh=fresh, row=row)
        if row is not None and (fresh or again):
            self._follow(event, row, now)

    def _named(self, event: Event) -> sa.Row[Any] | None:
        """Return the delivery that an event names: by our number, the provider's id or our Message-ID."""
        if event.delivery:
            return self._delivery(_DELIVERY.id == event.delivery)
        if event.provider_id:
            found = self._delivery(_DELIVERY.provider_id == event.provider_id)
            if found is not None:
                return found
        return self._by_message_id(event)

    def _delivery(self, condition: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
        rows = self._connection.execute(sa.select(tables.delivery).where(condition).limit(2)).all()
        # Some providers give a whole batch one id, which then names nobody.
        return rows[0] if len(rows) == 1 else None

    def _by_message_id(self, event: Event) -> sa.Row[Any] | None:
        """Find the delivery whose Message-ID was given back together with its address.

        The key in it is keyed from mailing and subscriber: nobody can make one up.
        """
        issue, _, rest = event.message_id.partition(".")
        key = rest.partition("@")[0]
        volume, _, number = issue.removeprefix("v").partition("n")
        if not (key and volume.isdigit() and number.isdigit() and event.recipient):
            return None
        mailings = sa.select(_MAILING.id).where(
            _MAILING.volume == int(volume), _MAILING.number == int(number)
        )
        same = sa.func.lower(_DELIVERY.email) == addresses.key(event.recipient)
        query = sa.select(tables.delivery).where(_DELIVERY.mailing_id.in_(mailings), same)
        for row in self._connection.execute(query):
            if hmac.compare_digest(self._message_key(row.mailing_id, row.subscriber_id), key):
                return row
        return None

    def _record(self, event: Event, row: sa.Row[Any] | None) -> bool:
        known = self._connection.scalar(
            sa.select(_EVENT.id).where(_EVENT.provider == self._report.provider, _EVENT.key == event.key)
        )
        values = {
            "kind": event.kind.value,
            "at": event.at,
            "delivery_id": row.id if row is not None else 0,
            "mailing_id": row.mailing_id if row is not None else 0,
            "subscriber_id": row.subscriber_id if row is not None else 0,
            "hard": event.hard,
            "cause": event.cause.value,
            "machine": event.machine,
            "detail": event.detail,
        }
        if known is not None:
            self._connection.execute(sa.update(tables.event).where(_EVENT.id == known).values(**values))
            return False
        own = {"report_id": self._report.id, "provider": self._report.provider, "key": event.key}
        self._connection.execute(sa.insert(tables.event).values(**own, **values))
        return True

    def _follow(self, event: Event, row: sa.Row[Any], now: datetime) -> None:
        person = people.one(self._connection, tables.subscriber.c.id == row.subscriber_id)
        status = person.status if person else subscribers.Status.UNSUBSCRIBED
        past = self._past(_EVENT.subscriber_id == row.subscriber_id, event)
        own = self._past(_EVENT.delivery_id == row.id, event)
        standing = feedback.Standing(
            state=State(row.state), mailing=row.mailing_id, status=status, of_delivery=own, of_subscriber=past
        )
        decision = self._decide(event, standing)
        if decision.state is not None:
            values = {"state": decision.state.value, "reply": event.detail or row.reply}
            self._connection.execute(
                sa.update(tables.delivery).where(_DELIVERY.id == row.id).values(**values)
            )
        # The person may have changed their address since: the report is about the one that was mailed.
        if person is not None and addresses.key(person.email) == addresses.key(row.email):
            self._move(person, decision, event, row, now)
        if decision.suppress and row.email:
            key = addresses.key(row.email)
            people.suppress(self._connection, key, self._hash, reason=decision.suppress, now=now)

    def _past(self, condition: sa.ColumnElement[bool], event: Event) -> list[feedback.Past]:
        others = sa.or_(_EVENT.key != event.key, _EVENT.provider != self._report.provider)
        query = sa.select(tables.event).where(condition, others).order_by(_EVENT.at.desc()).limit(_MEMORY)
        return [_past(row) for row in self._connection.execute(query)]

    def _move(
        self,
        person: subscribers.Subscriber,
        decision: feedback.Decision,
        event: Event,
        row: sa.Row[Any],
        now: datetime,
    ) -> None:
        if decision.status is None:
            return
        source = (
            f"{self._report.provider}, delivery {row.id}: {decision.suppress or event.kind} {event.detail}"
        )
        record = subscribers.ConsentRecord(
            status=decision.status, at=now, how=subscribers.How.FEEDBACK, source=source.strip()
        )
        self._connection.execute(
            sa.update(tables.subscriber)
            .where(tables.subscriber.c.id == person.id)
            .values(status=decision.status.value, changed_at=now)
        )
        people.append(self._connection, person.id, record)

    def _count(self, *, fresh: bool, row: sa.Row[Any] | None) -> None:
        before = self.applied
        self.applied = feedback.Applied(
            new=before.new + fresh,
            known=before.known + (not fresh),
            foreign=before.foreign + (row is None),
            mailings=before.mailings | ({row.mailing_id} if row is not None else set()),
        )


def _report(row: sa.Row[Any]) -> feedback.Report:
    return feedback.Report(id=row.id, provider=row.provider, received_at=row.received_at, body=row.body)


def _past(row: sa.Row[Any]) -> feedback.Past:
    return feedback.Past(
        kind=events.Kind(row.kind), at=row.at, mailing=row.mailing_id, hard=row.hard, cause=Cause(row.cause)
    )


def _figures(rows: Sequence[Sequence[Any]], sent: int) -> feedback.Figures:
    bounced = {Cause(row[1]): row[2] for row in rows if row[0] == Kind.BOUNCED.value}
    return feedback.Figures(
        sent=sent,
        hard=sum(count for cause, count in bounced.items() if cause in events.DEAD),
        complaints=sum(row[2] for row in rows if row[0] == Kind.COMPLAINED.value),
        blamed=sum(count for cause, count in bounced.items() if cause in feedback.BLAMED),
    )
