"""Many reported events in one transaction: what they are about is looked up for all of them at once."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.domain import addresses, deliveries, events, feedback, subscribers
from newsletter.domain.deliveries import State
from newsletter.domain.events import Cause, Event
from newsletter.store import ledger_moves, people, tables

_EVENT, _DELIVERY, _MAILING = tables.event.c, tables.delivery.c, tables.mailing.c
#: Mailing and subscriber → key of the Message-ID.
MessageKey = Callable[[int, int], str]
Decide = Callable[[Event, feedback.Standing], feedback.Decision]
#: As many events of one person as can matter to a decision.
_MEMORY = 200
#: Values of one IN: SQLite takes 32,766 of a statement, and plans best for a few.
_VALUES = 500
#: Provider and key: what makes an event the same when it is told again.
_Name = tuple[str, str]

_MOVE = (
    sa.update(tables.delivery)
    .where(_DELIVERY.id == sa.bindparam("which"))
    .values(state=sa.bindparam("to"), reply=sa.bindparam("words"))
)
_CORRECT = sa.update(tables.event).where(_EVENT.id == sa.bindparam("which"))


class Application:
    """The events of some reports, taken in one after the other in the caller's transaction."""

    def __init__(
        self, connection: sa.Connection, decide: Decide, keyed_hash: people.KeyedHash, message_key: MessageKey
    ) -> None:
        self._connection = connection
        self._decide = decide
        self._hash = keyed_hash
        self._message_key = message_key
        #: Reports that told of somebody who was erased meanwhile.
        self.of_erased: set[int] = set()

    def take(
        self, readings: Sequence[feedback.Reading], *, now: datetime, again: bool = False
    ) -> feedback.Applied:
        """Record events and what follows from them; a known event is decided again only with ``again``."""
        told = [(reading.report, _clean(event)) for reading in readings for event in reading.events]
        rows = _Named(self._connection, [event for _, event in told], self._message_key)
        found = [(report, event, rows.of(event)) for report, event in told]
        known = self._known(told)
        self._look_up([row for _, _, row in found if row is not None])
        found = [(report, self._fit_to_keep(report, event, row), row) for report, event, row in found]
        fresh: dict[_Name, dict[str, Any]] = {}
        mended: dict[int, dict[str, Any]] = {}
        new = 0
        for report, event, row in found:
            name = (report.provider, event.key)
            values = {**_values(event, row), "report_id": report.id, "provider": name[0], "key": name[1]}
            is_new = name not in known and name not in fresh
            if name in known:
                mended[known[name]] = {**_values(event, row), "which": known[name]}
            else:
                # A key that comes twice is one event: what it said first stays its report's.
                fresh[name] = values if is_new else {**values, "report_id": fresh[name]["report_id"]}
            new += is_new
            if row is not None and (is_new or again):
                self._follow(report, event, row, now)
            self._remember(name, event, row)
        self._write(list(fresh.values()), list(mended.values()), now)
        return feedback.Applied(
            new=new,
            known=len(told) - new,
            foreign=sum(row is None for _, _, row in found),
            mailings=frozenset(row.mailing_id for _, _, row in found if row is not None),
        )

    def _known(self, told: Sequence[tuple[feedback.Report, Event]]) -> dict[_Name, int]:
        keys: dict[str, set[str]] = defaultdict(set)
        for report, event in told:
            keys[report.provider].add(event.key)
        return {
            (provider, row.key): row.id
            for provider, wanted in keys.items()
            for part in _parts(wanted)
            for row in self._connection.execute(
                sa.select(_EVENT.id, _EVENT.key).where(_EVENT.provider == provider, _EVENT.key.in_(part))
            )
        }

    def _fit_to_keep(self, report: feedback.Report, event: Event, row: sa.Row[Any] | None) -> Event:
        """Return an event, without words where the person it is about was erased: they repeat addresses."""
        if row is None or row.subscriber_id in self._people:
            return event
        self.of_erased.add(report.id)
        return replace(event, detail="")

    def _look_up(self, rows: Sequence[sa.Row[Any]]) -> None:
        """Fetch who the deliveries went to, and what was told of them before."""
        self._states = {row.id: (row.state, row.reply) for row in rows}
        self._moved: set[int] = set()
        self._taken: set[int] = set()
        persons = {row.subscriber_id for row in rows}
        self._people: dict[int, subscribers.Subscriber] = {}
        for part in _parts(persons):
            query = sa.select(tables.subscriber).where(tables.subscriber.c.id.in_(part))
            self._people |= {each.id: each for each in people.every(self._connection, query)}
        self._of_delivery = self._past(_EVENT.delivery_id, self._states.keys())
        self._of_person = self._past(_EVENT.subscriber_id, persons)

    def _past(
        self, column: sa.ColumnElement[int], wanted: Collection[int]
    ) -> defaultdict[int, dict[_Name, feedback.Past]]:
        """Fetch the latest events about each of some deliveries or people."""
        found: defaultdict[int, dict[_Name, feedback.Past]] = defaultdict(dict)
        latest = sa.func.row_number().over(partition_by=column, order_by=_EVENT.at.desc()).label("place")
        for part in _parts(wanted):
            ranked = sa.select(tables.event, column.label("whose"), latest).where(column.in_(part)).subquery()
            query = sa.select(ranked).where(ranked.c.place <= _MEMORY).order_by(ranked.c.at.desc())
            for row in self._connection.execute(query):
                found[row.whose][row.provider, row.key] = _past(row)
        return found

    def _remember(self, name: _Name, event: Event, row: sa.Row[Any] | None) -> None:
        """Let the next event of this group know of this one."""
        if row is not None:
            past = feedback.Past(
                kind=event.kind, at=event.at, mailing=row.mailing_id, hard=event.hard, cause=event.cause
            )
            self._of_delivery[row.id][name] = past
            self._of_person[row.subscriber_id][name] = past

    def _follow(self, report: feedback.Report, event: Event, row: sa.Row[Any], now: datetime) -> None:
        name = (report.provider, event.key)
        person = self._people.get(row.subscriber_id)
        state, reply = self._states[row.id]
        standing = feedback.Standing(
            state=State(state),
            mailing=row.mailing_id,
            status=person.status if person else subscribers.Status.UNSUBSCRIBED,
            of_delivery=_without(self._of_delivery[row.id], name),
            of_subscriber=_without(self._of_person[row.subscriber_id], name),
        )
        decision = self._decide(event, standing)
        if decision.state is not None:
            self._states[row.id] = (decision.state.value, event.detail or reply)
            self._moved.add(row.id)
            if decision.state in deliveries.TAKEN:
                self._taken.add(row.mailing_id)
        if person is not None and decision.status is not None and self._concerns(person, event, row):
            by_mail = event.kind is events.Kind.UNSUBSCRIBED and report.provider == feedback.MAIL
            source = f"{report.provider}, delivery {row.id}: {decision.suppress or event.kind} {event.detail}"
            record = subscribers.ConsentRecord(
                status=decision.status,
                at=now,
                how=subscribers.How.MAIL if by_mail else subscribers.How.FEEDBACK,
                source=source.strip(),
            )
            self._move(person, record)
        if decision.suppress and row.email:
            key = addresses.key(row.email)
            people.suppress(self._connection, key, self._hash, reason=decision.suppress, now=now)

    def _concerns(self, person: subscribers.Subscriber, event: Event, row: sa.Row[Any]) -> bool:
        """Say whether an event is about a person as they stand now."""
        if event.kind is not events.Kind.UNSUBSCRIBED:
            # They may have changed their address since: the report is about the one that was mailed.
            return addresses.key(person.email) == addresses.key(row.email)
        # A way to leave that was mailed to an earlier address is still theirs, until they join anew.
        own = (subscribers.How.FORM, subscribers.How.PAGE)
        return not any(
            record.status is subscribers.Status.ACTIVE and record.how in own and record.at > event.at
            for record in people.history(self._connection, person.id)
        )

    def _move(self, person: subscribers.Subscriber, record: subscribers.ConsentRecord) -> None:
        self._connection.execute(
            sa.update(tables.subscriber)
            .where(tables.subscriber.c.id == person.id)
            .values(status=record.status.value, changed_at=record.at)
        )
        people.append(self._connection, person.id, record)
        self._people[person.id] = replace(person, status=record.status)

    def _write(self, fresh: list[dict[str, Any]], mended: list[dict[str, Any]], now: datetime) -> None:
        if fresh:
            self._connection.execute(sa.insert(tables.event), fresh)
        if mended:
            self._connection.execute(_CORRECT, mended)
        if self._taken:
            ledger_moves.note_first(self._connection, self._taken, now)
        # In one order for all, so that two machines cannot wait for each other.
        moves = [(which, *self._states[which]) for which in sorted(self._moved)]
        if moves:
            self._connection.execute(
                _MOVE, [{"which": which, "to": state, "words": words} for which, state, words in moves]
            )


class _Named:
    """The deliveries that events name: by our number, the provider's id or our Message-ID."""

    def __init__(self, connection: sa.Connection, told: Sequence[Event], message_key: MessageKey) -> None:
        self._connection = connection
        self._message_key = message_key
        numbers = {event.delivery for event in told if event.delivery}
        ids = {event.provider_id for event in told if event.provider_id and not event.delivery}
        self._by_number = {row.id: row for row in self._rows(_DELIVERY.id, numbers)}
        self._by_id: dict[str, list[sa.Row[Any]]] = defaultdict(list)
        for row in self._rows(_DELIVERY.provider_id, ids):
            self._by_id[row.provider_id].append(row)

    def of(self, event: Event) -> sa.Row[Any] | None:
        """Return the delivery that an event is about, or None where it is none of ours."""
        if event.delivery:
            return self._by_number.get(event.delivery)
        # Some providers give a whole batch one id, which then names nobody.
        rows = self._by_id.get(event.provider_id, ())
        return rows[0] if len(rows) == 1 else self._by_message_id(event)

    def _rows(self, column: sa.ColumnElement[Any], wanted: Collection[Any]) -> Iterator[sa.Row[Any]]:
        for part in _parts(wanted):
            yield from self._connection.execute(sa.select(tables.delivery).where(column.in_(part)))

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


def _parts(wanted: Collection[Any]) -> Iterator[list[Any]]:
    ordered = sorted(wanted)
    for start in range(0, len(ordered), _VALUES):
        yield ordered[start : start + _VALUES]


def _without(found: dict[_Name, feedback.Past], name: _Name) -> list[feedback.Past]:
    return [past for each, past in found.items() if each != name]


def _values(event: Event, row: sa.Row[Any] | None) -> dict[str, Any]:
    return {
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


def _clean(event: Event) -> Event:
    """Take out what no database keeps in a text: one stranger's report must not hold up the rest."""
    texts = (event.key, event.recipient, event.provider_id, event.message_id, event.detail)
    if all(text.isprintable() for text in texts):
        return event
    key, recipient, provider_id, message_id, detail = (
        # PostgreSQL refuses NUL; half a surrogate pair, as JSON may escape it, has no UTF-8.
        text.replace("\x00", "").encode("utf-8", "replace").decode()
        for text in texts
    )
    return replace(
        event, key=key, recipient=recipient, provider_id=provider_id, message_id=message_id, detail=detail
    )


def _past(row: sa.Row[Any]) -> feedback.Past:
    return feedback.Past(
        kind=events.Kind(row.kind), at=row.at, mailing=row.mailing_id, hard=row.hard, cause=Cause(row.cause)
    )
