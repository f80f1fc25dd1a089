"""What every book of letters promises: put down with its act, given to one process, kept until settled."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from newsletter import ports
from newsletter.domain import deliveries, subscribers, tokens
from newsletter.domain.deliveries import State
from newsletter.domain.letters import Kind, Letter, Standing
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.exits import StoredExit
from newsletter.store.ledger import StoredLedger
from newsletter.store.letters import StoredLetters
from newsletter.store.memory import MemoryDirectory
from newsletter.store.memory_ledger import MemoryLedger
from newsletter.subscribing.leaving import Departure, Exit, OneByOne
from newsletter.subscribing.mailroom import Book
from tests.sending import samples

NOW = samples.NOW
SOON = NOW + timedelta(minutes=5)
HERE, THERE = "here:1:1", "there:2:2"


@dataclass
class Scene:
    """A list with its letters."""

    directory: ports.Directory
    ledger: ports.Ledger
    exit: Exit
    book: Book

    def add(self, local: str, status: Status = Status.ACTIVE, letter: Kind | None = None) -> Subscriber:
        person = Subscriber(email=f"{local}@example.org", status=status, joined_at=NOW)
        return self.directory.add(person, ConsentRecord(status=status, at=NOW, how=How.STAFF), letter=letter)

    def put(self, person: Subscriber, kind: Kind = Kind.MANAGE, *, minutes: int = 0) -> None:
        at = NOW + timedelta(minutes=minutes)
        self.book.put(Letter(kind=kind, subscriber=person.id, asked_at=at))

    def claim(
        self, owner: str = HERE, *, minutes: int = 0, limit: int = 9, dead: str = ""
    ) -> Sequence[Letter]:
        now = NOW + timedelta(minutes=minutes)
        lease = ports.Lease(owner=owner, until=now + timedelta(minutes=5))
        return self.book.claim(lease, dead=lambda name: name == dead, limit=limit, now=now)

    def settle(self, owner: str, letter: Letter, state: State, *, again: datetime | None = None) -> None:
        outcome = deliveries.Outcome(
            delivery=letter.id, state=state, at=SOON, attempts=1, reply="as told", not_before=again
        )
        self.book.settle(owner, [outcome])


@pytest.fixture(params=["memory", "sqlite_database", "postgres_database"])
def scene(request: pytest.FixtureRequest) -> Scene:
    if request.param == "memory":
        directory = MemoryDirectory()
        ledger = MemoryLedger(directory)
        return Scene(directory, ledger, OneByOne(directory, ledger), directory.letters)
    database: Database = request.getfixturevalue(request.param)
    hashed = tokens.Signer(samples.KEY).keyed_hash
    return Scene(
        StoredDirectory(database, hashed),
        StoredLedger(database, hashed),
        StoredExit(database),
        StoredLetters(database),
    )


# -- put down ----------------------------------------------------------------------------------


def test_a_letter_comes_back_as_it_was_put_down(scene: Scene) -> None:
    ada = scene.add("ada")
    wanted = Letter(kind=Kind.READDRESS, subscriber=ada.id, asked_at=NOW, address="ada@new.example.org")
    scene.book.put(wanted)
    (found,) = scene.book.of(ada.id)
    assert (found.kind, found.subscriber, found.asked_at, found.address) == (
        Kind.READDRESS,
        ada.id,
        NOW,
        "ada@new.example.org",
    )
    assert (found.state, found.attempts, found.not_before) == (State.PLANNED, 0, NOW)


def test_a_new_subscriber_s_letter_is_put_down_with_them(scene: Scene) -> None:
    ben = scene.add("ben", Status.PENDING, Kind.CONFIRM)
    (letter,) = scene.book.of(ben.id)
    assert (letter.kind, letter.asked_at) == (Kind.CONFIRM, NOW)
    assert list(scene.book.of(scene.add("cy").id)) == []


def test_a_move_that_is_not_made_calls_for_no_letter(scene: Scene) -> None:
    ben = scene.add("ben", Status.PENDING)
    record = ConsentRecord(status=Status.ACTIVE, at=NOW, how=How.FORM)
    move = subscribers.move(ben, record)
    assert scene.directory.apply(move, letter=Kind.WELCOME)
    assert not scene.directory.apply(move, letter=Kind.WELCOME)
    assert [letter.kind for letter in scene.book.of(ben.id)] == [Kind.WELCOME]


def test_whoever_leaves_is_owed_one_goodbye_and_whoever_was_off_the_list_none(scene: Scene) -> None:
    ada, ben = scene.add("ada"), scene.add("ben", Status.BOUNCED)
    wishes = [
        Departure(subscriber=who, mailing=0, how=How.ONE_CLICK) for who in (ada.id, ada.id, ben.id, 999)
    ]
    for _ in range(2):
        scene.exit.take(wishes, now=NOW)
    assert [letter.kind for letter in scene.book.of(ada.id)] == [Kind.GOODBYE]
    assert list(scene.book.of(ben.id)) == []


def test_who_is_forgotten_takes_their_letters_along(scene: Scene) -> None:
    ada, ben = scene.add("ada"), scene.add("ben")
    scene.put(ada)
    scene.put(ben)
    (first, _) = scene.claim()
    scene.directory.forget(ada.id, now=NOW)
    scene.settle(HERE, first, State.SENT)
    assert list(scene.book.of(ada.id)) == []
    assert scene.book.standing(since=NOW).waiting == 1


def test_a_letter_s_addressee_is_told_as_they_stand_now(scene: Scene) -> None:
    ada, ben, cy, gone = (scene.add(local) for local in ("ada", "ben", "cy", "gone"))
    for person in (ada, ben, cy, gone):
        scene.put(person)
    wanted = Letter(kind=Kind.READDRESS, subscriber=ada.id, asked_at=NOW, address="Ada@barred.example.net")
    scene.book.put(wanted)
    scene.directory.suppress("BEN@example.org", reason="complained", now=NOW)
    scene.directory.suppress("barred.example.net", reason="asked by phone", now=NOW)
    record = ConsentRecord(status=Status.UNSUBSCRIBED, at=NOW, how=How.PAGE)
    scene.directory.apply(subscribers.move(cy, record))
    scene.directory.forget(gone.id, now=NOW)
    found = scene.book.addressees([*(each for who in (ada, ben, cy) for each in scene.book.of(who.id))])
    assert [(each.person.email, each.person.status, each.suppressed) for each in found.values()] == [
        (ada.email, Status.ACTIVE, ""),
        (ada.email, Status.ACTIVE, "asked by phone"),
        (ben.email, Status.ACTIVE, "complained"),
        (cy.email, Status.UNSUBSCRIBED, ""),
    ]
    lost = Letter(id=99, kind=Kind.MANAGE, subscriber=gone.id, asked_at=NOW)
    assert scene.book.addressees([lost]) == {}
    assert scene.book.addressees([]) == {}


# -- claimed and settled -----------------------------------------------------------------------


def test_due_letters_are_given_oldest_first_and_to_one_only(scene: Scene) -> None:
    ada = scene.add("ada")
    for kind, minutes in ((Kind.MANAGE, 2), (Kind.GOODBYE, 1), (Kind.WELCOME, 60)):
        scene.put(ada, kind, minutes=minutes)
    claimed = scene.claim(minutes=3)
    assert [letter.kind for letter in claimed] == [Kind.GOODBYE, Kind.MANAGE]
    assert list(scene.claim(THERE, minutes=3)) == []
    assert {letter.state for letter in scene.book.of(ada.id)} == {State.SENDING, State.PLANNED}


def test_no_more_are_claimed_than_asked_for(scene: Scene) -> None:
    ada = scene.add("ada")
    for _ in range(3):
        scene.put(ada)
    assert [len(scene.claim(limit=2)) for _ in range(3)] == [2, 1, 0]


def test_what_was_sent_is_over_and_what_is_to_be_tried_again_comes_when_it_is_due(scene: Scene) -> None:
    ada = scene.add("ada")
    scene.put(ada)
    scene.put(ada)
    one, two = scene.claim()
    scene.settle(HERE, one, State.SENT)
    scene.settle(HERE, two, State.PLANNED, again=NOW + timedelta(minutes=20))
    assert scene.book.next_due() == NOW + timedelta(minutes=20)
    assert list(scene.claim(minutes=19)) == []
    (again,) = scene.claim(minutes=20)
    assert (again.id, again.attempts, again.first_tried, again.reply) == (two.id, 1, NOW, "as told")
    sent = scene.book.of(ada.id)[0]
    assert (sent.state, sent.settled_at) == (State.SENT, SOON)


def test_a_dead_process_s_letters_are_due_at_once_and_a_silent_one_s_when_its_lease_is_over(
    scene: Scene,
) -> None:
    ada = scene.add("ada")
    scene.put(ada)
    (lost,) = scene.claim(HERE)
    assert list(scene.claim(THERE, minutes=4)) == []
    assert scene.book.next_due() == SOON
    (found,) = scene.claim(THERE, minutes=5)
    assert (found.id, found.attempts, found.first_tried) == (lost.id, 0, NOW)
    (again,) = scene.claim(HERE, minutes=6, dead=THERE)
    assert again.id == lost.id


def test_who_lost_a_claim_settles_nothing(scene: Scene) -> None:
    ada = scene.add("ada")
    scene.put(ada)
    (lost,) = scene.claim(HERE)
    (taken,) = scene.claim(THERE, minutes=5)
    scene.settle(HERE, lost, State.FAILED)
    assert scene.book.of(ada.id)[0].state is State.SENDING
    scene.settle(THERE, taken, State.SENT)
    scene.settle(THERE, taken, State.FAILED)
    assert scene.book.of(ada.id)[0].state is State.SENT


def test_how_letters_stand_is_told(scene: Scene) -> None:
    ada = scene.add("ada")
    assert scene.book.standing(since=NOW) == Standing()
    assert scene.book.next_due() is None
    for minutes in (2, 1, 0):
        scene.put(ada, minutes=minutes)
    first, second, third = scene.claim(minutes=2)
    scene.settle(HERE, first, State.FAILED)
    scene.settle(HERE, second, State.SKIPPED)
    found = scene.book.standing(since=NOW)
    assert (found.waiting, found.oldest and found.oldest.id) == (1, third.id)
    assert (found.failed, found.last_failed and found.last_failed.id) == (1, first.id)
    assert scene.book.standing(since=SOON + timedelta(seconds=1)).failed == 0


def test_many_processes_share_the_letters_and_none_is_given_twice(postgres_database: Database) -> None:
    hashed = tokens.Signer(samples.KEY).keyed_hash
    book = StoredLetters(postgres_database)
    directory = StoredDirectory(postgres_database, hashed)
    scene = Scene(directory, StoredLedger(postgres_database, hashed), StoredExit(postgres_database), book)
    ada = scene.add("ada")
    for _ in range(60):
        scene.put(ada)
    given: dict[str, list[int]] = {f"machine{number}:1:1": [] for number in range(4)}

    def work(owner: str) -> None:
        while claimed := scene.claim(owner, limit=3):
            given[owner] += [letter.id for letter in claimed]
            for letter in claimed:
                scene.settle(owner, letter, State.SENT)

    workers = [threading.Thread(target=work, args=(owner,)) for owner in given]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    every = [number for numbers in given.values() for number in numbers]
    assert sorted(every) == sorted(letter.id for letter in book.of(ada.id))
    assert len(every) == 60
