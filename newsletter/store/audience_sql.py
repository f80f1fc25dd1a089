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
    audience: ports.Audience, dialect: str, *, now: datetime, more: Reasons = ()
) -> sa.ColumnElement[str | None]:
    """Return why a subscriber is left out of an audience, or NULL for one who is in."""
    asked = _reasons(audience, dialect, now, more)
    return sa.case(*((failed, sa.literal(why)) for failed, why in asked), else_=sa.null())


def tally(
    connection: sa.Connection, audience: ports.Audience, *, now: datetime, more: Reasons = ()
) -> dict[str, int]:
    """Count subscribers by why they are left out; those who are in under an empty text."""
    asked = _reasons(audience, connection.dialect.name, now, more)
    # The limit keeps the reason from being worked out again for every count; grouping would sort.
    numbered = sa.case(*((failed, number) for number, (failed, _) in enumerate(asked, 1)), else_=0)
    found = sa.select(numbered.label("reason")).select_from(tables.subscriber).limit(_ALL).subquery()
    counts = [sa.func.count().filter(found.c.reason == number) for number in range(len(asked) + 1)]
    row = connection.execute(sa.select(*counts)).one()
    counted: dict[str, int] = {}
    for why, number in zip(["", *(why for _, why in asked)], row, strict=True):
        counted[why] = counted.get(why, 0) + number
    return {why: number for why, number in counted.items() if number or not why}


def _reasons(
    audience: ports.Audience, dialect: str, now: datetime, more: Reasons
) -> Sequence[tuple[Condition, str]]:
    others = [status.value for status in Status if status is not Status.ACTIVE]
    return [
        *((_PERSON.status == status, status) for status in others),
        (_PERSON.paused_until > now, "paused"),
        (sa.or_(_PERSON.email_key.in_(_SUPPRESSED), _PERSON.domain.in_(_SUPPRESSED)), "suppressed"),
        *left_out(audience, dialect),
        *more,
    ]


Reasons = Sequence[tuple[Condition, str]]
_SUPPRESSED = sa.select(tables.suppression.c.value).where(tables.suppression.c.value.is_not(None))
#: More than any list will ever have.
_ALL = 1 << 60


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
