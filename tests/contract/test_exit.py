"""What every exit promises: many leave at once as they would one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from newsletter import ports
from newsletter.domain import tokens
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.exits import StoredExit
from newsletter.store.ledger import StoredLedger
from newsletter.store.memory import MemoryDirectory
from newsletter.store.memory_ledger import MemoryLedger
from newsletter.subscribing.leaving import Departed, Departure, Exit, OneByOne
from tests.sending import samples

NOW = samples.NOW
LATER = NOW + timedelta(hours=1)


@dataclass
class Scene:
    """A list and a ledger, with the way out of them."""

    directory: ports.Directory
    ledger: ports.Ledger
    exit: Exit

    def add(self, local: str, status: Status = Status.ACTIVE) -> Subscriber:
        person = Subscriber(email=f"{local}@example.org", status=status, joined_at=NOW, topics=("trade",))
        return self.directory.add(person, ConsentRecord(status=status, at=NOW, how=How.STAFF))

    def leave(self, *wanted: tuple[int, int]) -> Sequence[Departed]:
        wishes = [Departure(subscriber=who, mailing=which, how=How.ONE_CLICK) for who, which in wanted]
        return self.exit.take(wishes, now=LATER)

    def status(self, person: Subscriber) -> Status:
        found = self.directory.get(person.id)
        assert found is not None
        return found.status


@pytest.fixture(params=["memory", "sqlite_database", "postgres_database"])
def scene(request: pytest.FixtureRequest) -> Scene:
    if request.param == "memory":
        directory = MemoryDirectory()
        ledger = MemoryLedger(directory)
        return Scene(directory, ledger, OneByOne(directory, ledger))
    database: Database = request.getfixturevalue(request.param)
    hashed = tokens.Signer(samples.KEY).keyed_hash
    return Scene(StoredDirectory(database, hashed), StoredLedger(database, hashed), StoredExit(database))


def test_each_who_leaves_is_returned_with_how_they_stood_and_has_one_record(scene: Scene) -> None:
    ada, ben = scene.add("ada"), scene.add("ben", Status.PENDING)
    mailing = scene.ledger.plan(samples.draft())
    first, second = scene.leave((ada.id, mailing.id), (ben.id, 0))
    assert first == Departed(ada.email, Status.ACTIVE, Status.UNSUBSCRIBED)
    assert second == Departed(ben.email, Status.PENDING, Status.UNSUBSCRIBED)
    for person, source in ((ada, f"mailing {mailing.id}"), (ben, "own page")):
        assert scene.status(person) is Status.UNSUBSCRIBED
        *_, record = scene.directory.history(person.id)
        assert record == ConsentRecord(status=Status.UNSUBSCRIBED, at=LATER, how=How.ONE_CLICK, source=source)


def test_the_ledger_notes_by_which_mailing_somebody_left_and_the_first_time_stays(scene: Scene) -> None:
    ada, ben = scene.add("ada"), scene.add("ben")
    mailing = scene.ledger.plan(samples.draft())
    scene.leave((ada.id, mailing.id))
    scene.exit.take(
        [Departure(subscriber=ada.id, mailing=mailing.id, how=How.PAGE)], now=LATER + timedelta(days=1)
    )
    noted = {each.subscriber: each.unsubscribed_at for each in scene.ledger.deliveries(mailing.id)}
    assert noted == {ada.id: LATER, ben.id: None}


def test_leaving_twice_in_one_batch_or_two_is_leaving_once(scene: Scene) -> None:
    ada = scene.add("ada")
    twice = scene.leave((ada.id, 0), (ada.id, 0))
    assert [each.before for each in twice] == [Status.ACTIVE, Status.UNSUBSCRIBED]
    assert {each.now for each in twice} == {Status.UNSUBSCRIBED}
    (again,) = scene.leave((ada.id, 0))
    assert again.before is Status.UNSUBSCRIBED
    assert len(scene.directory.history(ada.id)) == 2


def test_who_complained_or_is_not_known_is_left_as_they_are(scene: Scene) -> None:
    cross, bounced = scene.add("cross", Status.COMPLAINED), scene.add("gone", Status.BOUNCED)
    one, two, three = scene.leave((cross.id, 0), (bounced.id, 0), (999_999, 0))
    assert (one.before, scene.status(cross)) == (Status.COMPLAINED, Status.COMPLAINED)
    assert (two.before, scene.status(bounced)) == (Status.BOUNCED, Status.UNSUBSCRIBED)
    assert three == Departed()
    assert len(scene.directory.history(cross.id)) == 1


def test_nobody_leaves_is_nothing_to_do(scene: Scene) -> None:
    assert list(scene.leave()) == []
