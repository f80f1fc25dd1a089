"""Audiences as conditions on the table of subscribers, every value a parameter, for both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from newsletter import ports
from newsletter.domain import audiences, membership
from newsletter.domain.subscribers import Status
from newsletter.store import tables

Condition = sa.ColumnElement[bool]
_PERSON = tables.subscriber.c


def condition(rule: audiences.Rule, dialect: str) -> Condition:
    """Return the condition that holds for the subscribers whom a rule includes."""
    match rule:
        case audiences.All(parts=parts):
            return sa.and_(*(condition(part, dialect) for part in parts))
        case audiences.Either(parts=parts):
            return sa.or_(*(condition(part, dialect) for part in parts))
        case audiences.Not(part=part):
            return sa.not_(condition(part, dialect))
        case audiences.Test():
            return sa.or_(*(_fits(rule, value, dialect) for value in rule.values))


def left_out(audience: ports.Audience, dialect: str) -> list[tuple[Condition, str]]:
    """Return who is left out of an audience, and the reason for each, in the order in which to ask.

    Raises:
        AudienceError: the rule or the exclusion cannot be understood.
    """
    found: list[tuple[Condition, str]] = []
    if audience.rule:
        for reason, clause in audiences.clauses(audiences.parse(audience.rule)).items():
            found.append((sa.not_(condition(clause, dialect)), reason))
    if audience.exclude:
        excluded = audiences.parse(audience.exclude)
        found.append((condition(excluded, dialect), f"excluded by {audience.exclude}"))
    return found


def reason(
    audience: ports.Audience, dialect: str, *, now: datetime, more: Sequence[tuple[Condition, str]] = ()
) -> sa.ColumnElement[str | None]:
    """Return why a subscriber is left out of an audience, or NULL for one who is in."""
    reasons: list[tuple[Condition, Any]] = [
        (_PERSON.status != Status.ACTIVE.value, _PERSON.status),
        (_PERSON.paused_until > now, sa.literal("paused")),
        (_SUPPRESSED, sa.literal("suppressed")),
        *((failed, sa.literal(why)) for failed, why in (*left_out(audience, dialect), *more)),
    ]
    return sa.case(*reasons, else_=sa.null())


_SUPPRESSED = sa.exists().where(tables.suppression.c.value.in_([_PERSON.email_key, _PERSON.domain]))


def _fits(test: audiences.Test, value: str, dialect: str) -> Condition:
    if test.field == "attr":
        return _attribute(test, value, dialect)
    if test.field == "joined":
        return _joined(*membership.period(test.operator, value))
    if test.field in ("topic", "tag"):
        return labelled(test.field, value)
    return _PLAIN[test.field](value)


_PLAIN: Mapping[str, Callable[[str], Condition]] = {
    "id": lambda value: _PERSON.id == int(value),
    "language": lambda value: sa.or_(
        _PERSON.language == value, _PERSON.language.startswith(f"{value}-", autoescape=True)
    ),
    "status": lambda value: _PERSON.status == value,
    "timezone": lambda value: _PERSON.timezone == value,
    "email": lambda value: _like(_PERSON.email_key, value),
    "domain": lambda value: _like(_PERSON.domain, value),
}


def labelled(kind: str, name: str) -> Condition:
    """Return the condition that holds for who has a topic or tag."""
    label, labelling = tables.label.c, tables.labelling.c
    number = sa.select(label.id).where(label.kind == kind, label.name == name).scalar_subquery()
    return sa.exists().where(labelling.label_id == number, labelling.subscriber_id == _PERSON.id)


def _like(column: sa.Column[Any], value: str) -> Condition:
    if "*" not in value:
        return column == value
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return column.like(escaped, escape="\\")


def _joined(since: Any, until: Any) -> Condition:
    bounds = []
    if since is not None:
        bounds.append(_PERSON.joined_at >= since)
    if until is not None:
        bounds.append(_PERSON.joined_at < until)
    return sa.and_(*bounds)


def _attribute(test: audiences.Test, value: str, dialect: str) -> Condition:
    """Compare as `membership` does; an attribute that is not there is false, not unknown."""
    kind, text, size = (_sqlite_json if dialect == "sqlite" else _postgresql_json)(test.name)
    found: sa.ColumnElement[Any]
    if test.operator == ":":
        found = sa.and_(kind.not_in(["object", "array", "null"]), text == value)
    elif (number := membership.number(value)) is not None:
        found = sa.case((kind == "number", _compared(test, size, number)), else_=sa.false())
    else:
        found = sa.and_(kind == "string", _compared(test, text, value))
    return sa.func.coalesce(found, sa.false(), type_=sa.Boolean())


def _compared(test: audiences.Test, found: sa.ColumnElement[Any], value: Any) -> Condition:
    return found.op(test.operator, is_comparison=True, return_type=sa.Boolean())(value)


Json = tuple[sa.ColumnElement[str], sa.ColumnElement[str], sa.ColumnElement[float]]


def _sqlite_json(name: str) -> Json:
    """Return an attribute's kind in the words of PostgreSQL, its text, and its number."""
    path = sa.literal(f'$."{name}"')
    raw = sa.func.json_type(_PERSON.attributes, path)
    names = {"integer": "number", "real": "number", "text": "string", "true": "boolean", "false": "boolean"}
    kind = sa.case(names, value=raw, else_=raw)
    found = sa.func.json_extract(_PERSON.attributes, path)
    text = sa.case((kind == "boolean", raw), else_=sa.cast(found, sa.Text))
    return kind, text, found


def _postgresql_json(name: str) -> Json:
    found = sa.cast(_PERSON.attributes, postgresql.JSONB)[name]
    kind = sa.func.jsonb_typeof(found)
    # Bytewise, as SQLite and Python compare.
    text = sa.collate(found.astext, "C")
    return kind, text, sa.cast(found.astext, sa.Numeric)
