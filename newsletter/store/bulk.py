"""Change everybody whom a rule selects, in one go."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from newsletter.domain import audiences
from newsletter.store import audience_sql, people, tables

_ROW = tables.subscriber.c
_ATTRIBUTE = "attr."


def label(
    connection: sa.Connection,
    rule: audiences.Rule,
    *,
    add: Collection[str],
    remove: Collection[str],
    now: datetime,
) -> int:
    """Put tags on and take tags off, in the caller's transaction; return how many people were changed."""
    wanted = [people.label_id(connection, people.TAG, name) for name in sorted(set(add))]
    unwanted = [people.label_id(connection, people.TAG, name) for name in sorted(set(remove) - set(add))]
    lacking = [sa.not_(_has(number)) for number in wanted]
    having = [_has(number) for number in unwanted]
    selected = audience_sql.condition(rule, connection.dialect.name)
    # Whom the rule selects is settled before the labels that it may speak of are changed.
    chosen = sa.select(_ROW.id).where(selected, sa.or_(sa.false(), *lacking, *having))
    connection.exec_driver_sql("CREATE TEMPORARY TABLE chosen (id BIGINT PRIMARY KEY)")
    try:
        connection.execute(sa.insert(_CHOSEN).from_select(["id"], chosen))
        for number in wanted:
            connection.execute(_LABEL, {"label": number})
        labelling = tables.labelling
        everyone = labelling.c.subscriber_id.in_(sa.select(_CHOSEN.c.id))
        connection.execute(sa.delete(labelling).where(labelling.c.label_id.in_(unwanted), everyone))
        return _touch(connection, now)
    finally:
        connection.exec_driver_sql("DROP TABLE chosen")


def _touch(connection: sa.Connection, now: datetime) -> int:
    mine = _ROW.id.in_(sa.select(_CHOSEN.c.id))
    return connection.execute(sa.update(tables.subscriber).where(mine).values(changed_at=now)).rowcount


def _has(number: int) -> sa.Exists:
    labelling = tables.labelling.c
    return sa.exists().where(labelling.label_id == number, labelling.subscriber_id == _ROW.id)


_CHOSEN = sa.table("chosen", sa.column("id"))
_LABEL = sa.text(
    "INSERT INTO labelling (label_id, subscriber_id)"
    " SELECT :label, id FROM chosen WHERE true ON CONFLICT DO NOTHING"
)


def amend(connection: sa.Connection, rule: audiences.Rule, changes: Mapping[str, Any], now: datetime) -> int:
    """Set fields of everybody whom a rule selects, in the caller's transaction; return how many."""
    dialect = connection.dialect.name
    plain = {name: value or "" for name, value in changes.items() if not name.startswith(_ATTRIBUTE)}
    attributes = {
        name.removeprefix(_ATTRIBUTE): value for name, value in changes.items() if name not in plain
    }
    values: dict[str, Any] = {**plain, "changed_at": now}
    if attributes:
        values["attributes"] = (_sqlite if dialect == "sqlite" else _postgresql)(attributes)
    selected = audience_sql.condition(rule, dialect)
    return connection.execute(sa.update(tables.subscriber).where(selected).values(**values)).rowcount


def _sqlite(attributes: Mapping[str, Any]) -> sa.ColumnElement[Any]:
    found: sa.ColumnElement[Any] = sa.func.coalesce(_ROW.attributes, sa.text("'{}'"), type_=sa.Text())
    for name, value in attributes.items():
        path = f'$."{name}"'
        if value is None:
            found = sa.func.json_remove(found, path)
        else:
            found = sa.func.json_set(found, path, sa.func.json(json.dumps(value, ensure_ascii=False)))
    return sa.func.nullif(found, "{}")


def _postgresql(attributes: Mapping[str, Any]) -> sa.ColumnElement[Any]:
    empty = sa.cast(sa.literal("{}", sa.Text()), postgresql.JSONB)
    gone = [name for name, value in attributes.items() if value is None]
    kept = {name: value for name, value in attributes.items() if value is not None}
    found: sa.ColumnElement[Any] = sa.func.coalesce(
        sa.cast(_ROW.attributes, postgresql.JSONB), empty, type_=postgresql.JSONB()
    )
    found = found.op("||")(sa.cast(sa.literal(kept, sa.JSON()), postgresql.JSONB))
    for name in gone:
        found = found.op("-")(sa.cast(sa.literal(name), sa.Text()))
    return sa.func.nullif(found, empty, type_=postgresql.JSONB())
