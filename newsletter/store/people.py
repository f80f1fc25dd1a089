"""Subscribers out of their rows and back: the mapping that everything about people shares."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.domain import addresses, intake, subscribers
from newsletter.store import tables

TOPIC, TAG = "topic", "tag"
KeyedHash = Callable[[str], str]

_PAGE = 1000


def values(subscriber: subscribers.Subscriber, now: datetime) -> dict[str, Any]:
    """Return a subscriber as columns, labels and id aside."""
    return {
        "email": subscriber.email,
        "email_key": addresses.key(subscriber.email),
        "domain": addresses.domain(subscriber.email),
        "status": subscriber.status.value,
        "name": subscriber.name,
        "language": subscriber.language,
        "timezone": subscriber.timezone,
        "joined_at": subscriber.joined_at,
        "changed_at": now,
        "paused_until": subscriber.paused_until,
        "attributes": dict(subscriber.attributes) or sa.null(),
    }


def one(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> subscribers.Subscriber | None:
    """Return the subscriber that a condition names, or None."""
    rows = connection.execute(sa.select(tables.subscriber).where(condition)).all()
    return next(_with_labels(connection, rows), None)


def stream(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[subscribers.Subscriber]:
    """Yield the subscribers that a query over their table selects, a page in memory at a time."""
    rows = connection.execution_options(stream_results=True, yield_per=_PAGE).execute(query)
    for page in rows.partitions():
        yield from _with_labels(connection, page)


def every(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[subscribers.Subscriber]:
    """Yield the subscribers that a query over their table selects, all of them in memory."""
    return _with_labels(connection, connection.execute(query).all())


def _with_labels(connection: sa.Connection, rows: Iterable[sa.Row[Any]]) -> Iterator[subscribers.Subscriber]:
    page = list(rows)
    labels = _labels(connection, [row.id for row in page])
    for row in page:
        mine = labels.get(row.id, ())
        yield subscribers.Subscriber(
            id=row.id,
            email=row.email,
            status=subscribers.Status(row.status),
            joined_at=row.joined_at,
            name=row.name,
            language=row.language,
            timezone=row.timezone,
            topics=tuple(name for kind, name in mine if kind == TOPIC),
            tags=tuple(name for kind, name in mine if kind == TAG),
            attributes=row.attributes or {},
            paused_until=row.paused_until,
        )


def _labels(connection: sa.Connection, ids: list[int]) -> Mapping[int, list[tuple[str, str]]]:
    if not ids:
        return {}
    label, labelling = tables.label.c, tables.labelling.c
    query = (
        sa.select(labelling.subscriber_id, label.kind, label.name)
        .join(tables.label, label.id == labelling.label_id)
        .where(labelling.subscriber_id.in_(ids))
        .order_by(labelling.subscriber_id, label.name)
    )
    # A plain connection: the options of a streaming one would go on to this query.
    found = connection.execution_options(stream_results=False).execute(query).all()
    return {
        key: [(kind, name) for _, kind, name in group]
        for key, group in itertools.groupby(found, key=lambda row: row[0])
    }


def set_labels(connection: sa.Connection, subscriber: subscribers.Subscriber) -> None:
    """Give a subscriber exactly the topics and tags of the record."""
    wanted = {(TOPIC, name) for name in subscriber.topics} | {(TAG, name) for name in subscriber.tags}
    ids = {label_id(connection, kind, name) for kind, name in sorted(wanted)}
    mine = tables.labelling.c.subscriber_id == subscriber.id
    connection.execute(sa.delete(tables.labelling).where(mine, tables.labelling.c.label_id.not_in(ids)))
    for number in sorted(ids):
        connection.execute(_LABEL, {"label": number, "subscriber": subscriber.id})


def label_id(connection: sa.Connection, kind: str, name: str) -> int:
    """Return the id of a topic or tag, made on first use."""
    connection.execute(_NEW_LABEL, {"kind": kind, "name": name})
    found = sa.select(tables.label.c.id).where(tables.label.c.kind == kind, tables.label.c.name == name)
    return int(connection.execute(found).scalar_one())


def wording_id(connection: sa.Connection, words: str, now: datetime) -> int | None:
    """Return the id of words that were agreed to, kept on first use; None for no words."""
    if not words:
        return None
    connection.execute(_NEW_WORDING, {"words": words, "now": now})
    found = sa.select(tables.wording.c.id).where(tables.wording.c.words == words)
    return int(connection.execute(found).scalar_one())


def append(connection: sa.Connection, subscriber: int, record: subscribers.ConsentRecord) -> None:
    """Append a consent record to a subscriber's history."""
    connection.execute(
        sa.insert(tables.consent).values(
            subscriber_id=subscriber,
            status=record.status.value,
            at=record.at,
            how=record.how.value,
            source=record.source,
            wording_id=wording_id(connection, record.wording, record.at),
            ip=record.ip,
        )
    )


def history(connection: sa.Connection, subscriber: int) -> list[subscribers.ConsentRecord]:
    """Return a subscriber's consent records, oldest first."""
    consent, run = tables.consent.c, tables.import_run.c
    query = (
        sa.select(tables.consent, tables.wording.c.words, run.source.label("file"), run.parts)
        .join(tables.wording, tables.wording.c.id == consent.wording_id, isouter=True)
        .join(tables.import_run, run.id == consent.import_id, isouter=True)
        .where(consent.subscriber_id == subscriber)
        .order_by(consent.id)
    )
    return [
        subscribers.ConsentRecord(
            status=subscribers.Status(row.status),
            at=row.at,
            how=subscribers.How(row.how),
            source=_place(row) if row.import_id else row.source,
            wording=row.words or "",
            ip=row.ip,
        )
        for row in connection.execute(query)
    ]


def _place(row: sa.Row[Any]) -> str:
    parts = [(offset, name) for offset, name in row.parts]
    source = intake.Source(name=row.file, wording=row.words or "", now=row.at, parts=parts)
    return source.place(row.line, row.import_id)


# Both databases take the same words here, and SQLAlchemy has no common construct for them.
_NEW_LABEL = sa.text("INSERT INTO label (kind, name) VALUES (:kind, :name) ON CONFLICT DO NOTHING")
_LABEL = sa.text(
    "INSERT INTO labelling (label_id, subscriber_id) VALUES (:label, :subscriber) ON CONFLICT DO NOTHING"
)
_NEW_WORDING = sa.text(
    "INSERT INTO wording (words, first_used_at) VALUES (:words, :now) ON CONFLICT DO NOTHING"
).bindparams(sa.bindparam("now", type_=tables.wording.c.first_used_at.type))


def suppress(
    connection: sa.Connection, value: str, keyed_hash: KeyedHash, *, reason: str, now: datetime
) -> None:
    """Never mail this address key, or this domain, again. The first reason stays."""
    row = {"value": value, "hash": keyed_hash(value), "reason": reason, "at": now}
    connection.execute(_SUPPRESS, row)


_SUPPRESS = sa.text(
    "INSERT INTO suppression (value, value_hash, reason, at) VALUES (:value, :hash, :reason, :at)"
    " ON CONFLICT DO NOTHING"
).bindparams(sa.bindparam("at", type_=tables.suppression.c.at.type))
