"""What staff do with the list as a whole, on both databases."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter import ports
from newsletter.domain import audiences, errors, intake, subscribers, tokens
from newsletter.domain.deliveries import State
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store import tables
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.ledger import StoredLedger
from newsletter.store.registrar import StoredRegistrar
from newsletter.subscribing import leaving
from tests.sending import samples

NOW = samples.NOW
LATER = NOW + timedelta(hours=1)
EVERYBODY = audiences.parse("email:*")


hashed = tokens.Signer(samples.KEY).keyed_hash


@pytest.fixture
def directory(database: Database) -> StoredDirectory:
    return StoredDirectory(database, hashed)


@pytest.fixture
def registrar(database: Database) -> StoredRegistrar:
    return StoredRegistrar(database)


Add = Callable[..., Subscriber]


@pytest.fixture
def add(directory: StoredDirectory) -> Add:
    def call(local: str, status: Status = Status.ACTIVE, **fields: Any) -> Subscriber:
        joined = fields.pop("joined_at", NOW)
        person = Subscriber(email=f"{local}@example.org", status=status, joined_at=joined, **fields)
        return directory.add(person, ConsentRecord(status=status, at=joined, how=How.FORM))

    return call


# -- audiences ---------------------------------------------------------------------------------


def test_a_review_counts_everybody_active_and_shows_a_few(
    directory: StoredDirectory, registrar: StoredRegistrar, add: Add
) -> None:
    for name in ("a", "b", "c"):
        add(name, tags=("press",))
    add("d")
    add("e", tags=("press",), language="ja")
    add("f", tags=("press",), paused_until=LATER)
    add("g", Status.UNSUBSCRIBED, tags=("press",))
    add("h", tags=("press",))
    directory.suppress("h@example.org", reason="asked", now=NOW)
    audience = ports.Audience(name="press", rule="tag:press", exclude="language:ja")
    included, *others = registrar.review(audience, now=NOW, samples=2)
    assert (included.reason, included.count, included.samples) == ("", 3, ["a@example.org", "b@example.org"])
    assert {group.reason: (group.count, *group.samples) for group in others} == {
        "not tag:press": (1, "d@example.org"),
        "excluded by language:ja": (1, "e@example.org"),
        "paused": (1, "f@example.org"),
        "suppressed": (1, "h@example.org"),
    }
    assert list(registrar.left_out(audience, now=NOW)) == [
        ("d@example.org", "not tag:press"),
        ("e@example.org", "excluded by language:ja"),
        ("f@example.org", "paused"),
        ("h@example.org", "suppressed"),
    ]


# -- changes in bulk ---------------------------------------------------------------------------


def test_tags_are_put_on_and_taken_off_whomever_a_rule_selects(
    directory: StoredDirectory, registrar: StoredRegistrar, add: Add
) -> None:
    add("a", tags=("old", "kept"))
    add("b", tags=("new",))
    add("c", topics=("old",))
    rule = audiences.parse("tag in (old, new)")
    assert registrar.label(rule, add=["new", "newer"], remove=["old"], now=LATER) == 2
    assert [person.tags for person in directory.list()] == [("kept", "new", "newer"), ("new", "newer"), ()]
    assert [person.topics for person in directory.list()][2] == ("old",)
    assert registrar.label(audiences.parse("tag:new"), add=["new", "newer"], remove=["old"], now=LATER) == 0


def test_a_rule_that_speaks_of_the_tags_it_changes_is_settled_first(
    directory: StoredDirectory, registrar: StoredRegistrar, add: Add
) -> None:
    add("a")
    add("b", tags=("seen",))
    rule = audiences.parse("not tag:seen")
    assert registrar.label(rule, add=["seen", "new"], now=LATER) == 1
    assert [person.tags for person in directory.list()] == [("new", "seen"), ("seen",)]


def test_fields_and_attributes_are_set_for_whomever_a_rule_selects(
    directory: StoredDirectory, registrar: StoredRegistrar, add: Add
) -> None:
    add("a", attributes={"country": "US", "vip": True})
    add("b", name="Bob")
    changes = {"language": "ja", "attr.country": "Ä'\"", "attr.seats": 3, "attr.vip": None, "name": ""}
    assert registrar.amend(EVERYBODY, changes, now=LATER) == 2
    for person in directory.list():
        assert (person.name, person.language) == ("", "ja")
        assert person.attributes == {"country": "Ä'\"", "seats": 3}
    assert registrar.amend(EVERYBODY, {"attr.country": None, "attr.seats": None}, now=LATER) == 2
    assert [person.attributes for person in directory.list()] == [{}, {}]
    assert list(directory.list(rule=audiences.parse("attr.country:x"))) == []


# -- undoing an import -------------------------------------------------------------------------


SOURCE = intake.Source(name="fair.csv", wording="at the fair", now=LATER)
AFTER = LATER + timedelta(hours=1)


def take_in(directory: StoredDirectory, *rows: intake.Row) -> int:
    return directory.take_in(rows, SOURCE, write=True).run


def test_an_undone_import_takes_back_exactly_what_it_added(
    directory: StoredDirectory, registrar: StoredRegistrar, add: Add
) -> None:
    before = [
        add("known", tags=("old",)),
        add("named", name="Named", attributes={"a": 1}),
        add("firm"),
    ]
    run = take_in(
        directory,
        intake.Row(2, "known@example.org", Status.ACTIVE, "Filled", "ja", tags=("fair", "old")),
        intake.Row(3, "named@example.org", Status.ACTIVE, "Other", attributes={"b": 1}),
        intake.Row(4, "firm@example.org", Status.UNSUBSCRIBED),
        intake.Row(5, "new@example.org", Status.ACTIVE, "New", tags=("fair",), attributes={"c": 1}),
    )
    undone = registrar.undo(run, now=AFTER)
    assert undone == intake.Undone(removed=1, kept=0, restored=1, emptied=1, unlabelled=1)
    assert list(directory.list()) == sorted(before, key=lambda person: person.email)
    history = directory.history(before[2].id)
    assert [record.status for record in history] == [Status.ACTIVE, Status.UNSUBSCRIBED, Status.ACTIVE]
    assert history[-1].source == f"undoing of import {run}"


def test_whoever_did_anything_since_stays_as_they_are(
    directory: StoredDirectory, registrar: StoredRegistrar, add: Add
) -> None:
    add("known")
    run = take_in(
        directory,
        intake.Row(2, "known@example.org", Status.UNSUBSCRIBED, "Filled"),
        intake.Row(3, "left@example.org", Status.ACTIVE),
        intake.Row(4, "renamed@example.org", Status.ACTIVE),
        intake.Row(5, "still@example.org", Status.ACTIVE),
    )
    left, renamed, known = (directory.find(f"{name}@example.org") for name in ("left", "renamed", "known"))
    assert left
    assert renamed
    assert known
    record = ConsentRecord(status=Status.UNSUBSCRIBED, at=AFTER, how=How.ONE_CLICK)
    directory.apply(subscribers.move(left, record))
    directory.save(dataclasses.replace(renamed, name="Renamed"), now=AFTER)
    complaint = ConsentRecord(status=Status.COMPLAINED, at=AFTER, how=How.FEEDBACK)
    directory.apply(subscribers.move(known, complaint))
    undone = registrar.undo(run, now=AFTER)
    assert (undone.removed, undone.kept, undone.restored, undone.emptied) == (1, 2, 0, 0)
    assert [(person.email[:5], person.status, person.name) for person in directory.list()] == [
        ("known", Status.COMPLAINED, "Filled"),
        ("left@", Status.UNSUBSCRIBED, ""),
        ("renam", Status.ACTIVE, "Renamed"),
    ]


def test_whoever_was_written_to_stays(
    database: Database, directory: StoredDirectory, registrar: StoredRegistrar
) -> None:
    run = take_in(directory, intake.Row(2, "ada@example.org", Status.ACTIVE))
    ledger = StoredLedger(database, hashed)
    ledger.plan(samples.draft())
    ledger.close()
    assert registrar.undo(run, now=AFTER).kept == 1
    assert directory.find("ada@example.org") is not None


def test_an_import_is_undone_once(directory: StoredDirectory, registrar: StoredRegistrar) -> None:
    run = take_in(directory, intake.Row(2, "ada@example.org", Status.ACTIVE))
    (written,) = registrar.imports()
    assert (written.id, written.source, written.wording) == (run, "fair.csv", "at the fair")
    assert written.counts["new"] == 1
    registrar.undo(run, now=AFTER)
    assert registrar.imports()[0].undone_at == AFTER
    with pytest.raises(errors.ImportFileError, match="was undone on"):
        registrar.undo(run, now=AFTER)
    with pytest.raises(errors.ImportFileError, match="there is no import 99"):
        registrar.undo(99, now=AFTER)


# -- one person --------------------------------------------------------------------------------


def test_every_delivery_to_a_person_is_known_with_its_issue(
    database: Database, registrar: StoredRegistrar, add: Add
) -> None:
    ada = add("ada")
    add("bob")
    ledger = StoredLedger(database, hashed)
    ledger.plan(samples.draft())
    ledger.close()
    [(number, delivery)] = registrar.deliveries(ada.id)
    assert (number, delivery.email, delivery.state) == (samples.NUMBER, "ada@example.org", State.PLANNED)


def test_no_table_knows_whoever_was_forgotten(
    database: Database, directory: StoredDirectory, registrar: StoredRegistrar, add: Add
) -> None:
    ada = add("ada", name="Ada Lovelace", attributes={"secret": "Ada's"}, tags=("press",))
    add("bob")
    ledger = StoredLedger(database, hashed)
    mailing = ledger.plan(samples.draft())
    ledger.close()
    directory.suppress("ada@example.org", reason="ada complained", now=NOW)
    with database.writing() as connection:
        mine = tables.delivery.c.subscriber_id == ada.id
        connection.execute(sa.update(tables.delivery).where(mine).values(reply="550 <ada@example.org> no"))
        report = connection.execute(
            sa.insert(tables.report)
            .values(provider="smtp", received_at=NOW, applied_at=NOW, body=b"ada@example.org bounced")
            .returning(tables.report.c.id)
        ).scalar_one()
        event = {"report_id": report, "provider": "smtp", "key": "1", "kind": "bounced", "at": NOW}
        event |= {"delivery_id": 1, "mailing_id": mailing.id, "subscriber_id": ada.id, "hard": True}
        event |= {"cause": "", "machine": False, "detail": "ada@example.org is full"}
        connection.execute(sa.insert(tables.event).values(**event))
    directory.forget(ada.id, now=LATER)
    with database.reading() as connection:
        for table in tables.metadata.sorted_tables:
            for found in connection.execute(sa.select(table)):
                assert "ada" not in repr(tuple(found)).lower(), table.name
        total = connection.scalar(sa.select(sa.func.count()).select_from(tables.delivery))
    assert total == 2, "the account of the mailing keeps its count"
    assert len(registrar.deliveries(ada.id)) == 1


# -- numbers -----------------------------------------------------------------------------------


def test_the_list_is_counted_in_every_way(
    directory: StoredDirectory, registrar: StoredRegistrar, add: Add
) -> None:
    add("a", joined_at=datetime(2026, 1, 31, 23, tzinfo=UTC), topics=("security",), language="ja")
    add("b", joined_at=datetime(2026, 2, 1, tzinfo=UTC), topics=("security", "economy"), tags=("press",))
    gone = add("c", joined_at=datetime(2026, 2, 2, tzinfo=UTC), topics=("economy",))
    record = ConsentRecord(status=Status.UNSUBSCRIBED, at=datetime(2026, 3, 1, tzinfo=UTC), how=How.PAGE)
    directory.apply(subscribers.move(gone, record))
    leaving.say_why(directory, gone.id, reason="often", now=datetime(2026, 3, 1, 1, tzinfo=UTC))
    source = dataclasses.replace(SOURCE, now=datetime(2026, 3, 5, tzinfo=UTC))
    directory.take_in([intake.Row(2, "d@example.com", Status.BOUNCED)], source, write=True)
    found = registrar.statistics()
    assert found.statuses == {"active": 2, "bounced": 1, "unsubscribed": 1}
    assert found.joined == {"2026-01": 1, "2026-02": 2, "2026-03": 1}
    assert found.left == {"2026-03": 1}
    assert found.reasons == {"often": 1}
    assert found.sources == {"form": 3, "import": 1}
    assert found.topics == {"security": 2, "economy": 1}
    assert found.tags == {"press": 1}
    assert found.languages == {"": 1, "ja": 1}
    assert found.domains == {"example.org": 2}
