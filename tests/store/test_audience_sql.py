"""A rule selects the same people in SQLite, in PostgreSQL and in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter import ports
from newsletter.domain import audiences, errors, membership
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store import audience_sql, tables
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def person(number: int, **fields: Any) -> Subscriber:
    values = {"email": f"p{number}@example.org", "status": Status.ACTIVE, "joined_at": NOON, **fields}
    return Subscriber(**values)


PEOPLE = [
    person(1, topics=("security",), tags=("press",), language="ja", attributes={"country": "US", "n": 3}),
    person(2, topics=("security", "economy"), language="ja-JP", attributes={"country": "JP", "n": 3.5}),
    person(3, tags=("press", "50%_off"), language="jav", attributes={"country": "us", "n": "3"}),
    person(4, email="Ann@Mail.example.com", attributes={"vip": True, "n": -1}),
    person(5, email="100%_x@example.com", attributes={"vip": False, "n": None, "list": [1], "o": {"a": 1}}),
    person(6, joined_at=NOON - timedelta(days=1), status=Status.UNSUBSCRIBED, timezone="Asia/Tokyo"),
    person(7, joined_at=datetime(2026, 1, 2, tzinfo=UTC), attributes={"since": "2020-05-01", "": 1}),
    person(8, joined_at=datetime(2026, 1, 3, tzinfo=UTC), attributes={"since": "2021", "a.b": "x", "Ä": "é"}),
    person(9, joined_at=datetime(2026, 1, 2, 23, 59, 59, 999999, tzinfo=UTC), attributes={"big": 10**14}),
]


@pytest.fixture
def people(database: Database) -> Sequence[Subscriber]:
    directory = StoredDirectory(database, lambda text: f"#{text}")
    record = ConsentRecord(status=Status.ACTIVE, at=NOON, how=How.STAFF)
    return [directory.add(each, record) for each in PEOPLE]


def selected(database: Database, rule: audiences.Rule) -> set[int]:
    dialect = "sqlite" if database.is_sqlite else "postgresql"
    query = sa.select(tables.subscriber.c.id).where(audience_sql.condition(rule, dialect))
    with database.reading() as connection:
        return set(connection.scalars(query))


RULES = {
    "topic:security": {1, 2},
    "tag:press": {1, 3},
    'tag:"50%_off"': {3},
    "tag:50": set(),
    "topic:press": set(),
    "not topic:security and tag:press": {3},
    "language:ja": {1, 2},
    "status:unsubscribed": {6},
    "timezone:Asia/Tokyo": {6},
    "email:ann@mail.example.com": {4},
    "email:*@example.com": {5},
    "email:100%_x@*": {5},
    "email:%": set(),
    "domain:*.example.com": {4},
    "domain:example.com": {5},
    "joined:2026-01-02": {1, 2, 3, 4, 5, 7, 9},
    "joined<2026-01-02": {6},
    "joined<=2026-01-01": {6},
    "joined>2026-01-02": {8},
    "joined>=2026-01-03": {8},
    "attr.country in (US, JP)": {1, 2},
    "not attr.country:US": {2, 3, 4, 5, 6, 7, 8, 9},
    "attr.n:3": {1, 3},
    "attr.n>=3": {1, 2},
    "attr.n<0": {4},
    "attr.n:None": set(),
    "attr.vip:true": {4},
    "attr.vip:false": {5},
    "attr.vip:1": set(),
    "attr.vip<2": set(),
    "attr.since>2020-12-31": {8},
    "attr.list:1": set(),
    "attr.o:a": set(),
    "attr.a.b:x": {8},
    "attr.Ä:é": {8},
    "attr.big:100000000000000": {9},
    "attr.nothing:x or topic:economy": {2},
}


@pytest.mark.parametrize("text", RULES)
def test_a_rule_selects_who_it_says(database: Database, people: Sequence[Subscriber], text: str) -> None:
    rule = audiences.parse(text)
    assert {each.id for each in people if membership.includes(rule, each)} == RULES[text], "in Python"
    assert selected(database, rule) == RULES[text], "in the database"


_FIELD = st.sampled_from(
    ["topic", "tag", "language", "status", "email", "domain", "timezone", "joined", "attr"]
)
_VALUES = {
    "status": st.sampled_from([status.value for status in Status]),
    "joined": st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"]),
}
_ANY = st.sampled_from(
    ["security", "press", "ja", "3", "-1", "3.5", "true", "US", "*", "*@*", "%", "_", "'", '$"', "é"]
)


@st.composite
def comparisons(draw: st.DrawFn) -> audiences.Rule:
    field = draw(_FIELD)
    ordered = field in audiences.ORDERED
    return audiences.Test(
        field=field,
        operator=draw(st.sampled_from([":", "<", "<=", ">", ">="])) if ordered else ":",
        values=tuple(draw(st.lists(_VALUES.get(field, _ANY), min_size=1, max_size=3))),
        text="",
        name=draw(st.sampled_from(["country", "n", "vip", "since", "", "a.b"])) if field == "attr" else "",
    )


def _combined(inner: st.SearchStrategy[audiences.Rule]) -> st.SearchStrategy[audiences.Rule]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        inner.map(lambda part: audiences.Not(part=part, text="")),
        parts.map(lambda these: audiences.All(parts=these, text="")),
        parts.map(lambda these: audiences.Either(parts=these, text="")),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=st.recursive(comparisons(), _combined, max_leaves=6))
def test_the_databases_agree_with_python_on_every_rule(
    database: Database, people: Sequence[Subscriber], rule: audiences.Rule
) -> None:
    assert selected(database, rule) == {each.id for each in people if membership.includes(rule, each)}


def test_who_is_left_out_is_told_the_first_reason(database: Database) -> None:
    audience = ports.Audience(name="x", rule="topic:security and not tag:press", exclude="language:ja")
    found = audience_sql.left_out(audience, "sqlite")
    assert [reason for _, reason in found] == ["not topic:security", "tag:press", "excluded by language:ja"]
    with pytest.raises(errors.AudienceError):
        audience_sql.left_out(ports.Audience(name="x", rule="topic"), "sqlite")
