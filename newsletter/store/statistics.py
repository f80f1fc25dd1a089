"""Count the list in every way that matters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from newsletter.domain import rolls, subscribers
from newsletter.store import people, tables

_ROW = tables.subscriber.c
_ACTIVE = _ROW.status == subscribers.Status.ACTIVE.value
#: As many of each as are worth looking at.
_MOST = 15
_MONTH = {
    "sqlite": "strftime('%Y-%m', {0} / 1000000, 'unixepoch')",
    "postgresql": "to_char(to_timestamp({0} / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM')",
}


def count(connection: sa.Connection) -> rolls.Statistics:
    """Return the list in numbers, on one state of the data."""
    number = sa.func.count()
    month = _MONTH[connection.dialect.name]
    consent = tables.consent.c
    first = sa.select(sa.func.min(consent.id)).group_by(consent.subscriber_id)
    off = sorted(status.value for status in subscribers.OFF)
    said = consent.source.startswith(subscribers.WHY)
    why = sa.func.substr(consent.source, len(subscribers.WHY) + 1)
    joined, left = sa.text(month.format("joined_at")), sa.text(month.format("at"))
    return rolls.Statistics(
        statuses=_counted(connection, sa.select(_ROW.status, number).group_by(_ROW.status)),
        joined=_by_month(
            connection, sa.select(joined, number).select_from(tables.subscriber).group_by(joined)
        ),
        left=_by_month(
            connection,
            sa.select(left, number)
            .select_from(tables.consent)
            .where(consent.status.in_(off), consent.id.not_in(first), sa.not_(said))
            .group_by(left),
        ),
        sources=_counted(
            connection, sa.select(consent.how, number).where(consent.id.in_(first)).group_by(consent.how)
        ),
        reasons=_counted(connection, sa.select(why, number).where(said).group_by(why)),
        topics=_labels(connection, people.TOPIC),
        tags=_labels(connection, people.TAG),
        languages=_most(connection, _ROW.language),
        domains=_most(connection, _ROW.domain),
    )


def _counted(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> dict[str, int]:
    rows = connection.execute(query).all()
    return {row[0]: row[1] for row in sorted(rows, key=lambda row: (-row[1], row[0]))}


def _by_month(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> dict[str, int]:
    return dict(sorted(_counted(connection, query).items()))


def _most(connection: sa.Connection, column: sa.Column[Any]) -> dict[str, int]:
    number = sa.func.count().label("number")
    query = sa.select(column, number).where(_ACTIVE).group_by(column)
    return _counted(connection, query.order_by(number.desc(), column).limit(_MOST))


def _labels(connection: sa.Connection, kind: str) -> dict[str, int]:
    label, labelling, number = tables.label.c, tables.labelling.c, sa.func.count().label("number")
    query = (
        sa.select(label.name, number)
        .join(tables.labelling, labelling.label_id == label.id)
        .join(tables.subscriber, _ROW.id == labelling.subscriber_id)
        .where(label.kind == kind, _ACTIVE)
        .group_by(label.name)
    )
    return _counted(connection, query.order_by(number.desc(), label.name).limit(_MOST))
