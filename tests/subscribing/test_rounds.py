"""Who did not confirm is reminded once and then forgotten; whom staff put down is left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter import ports
from newsletter.domain import allowances, deliveries, subscribers, tokens
from newsletter.domain.deliveries import State
from newsletter.domain.letters import Kind, Letter
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store import tables
from newsletter.store.allowances import StoredLimiter
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.letters import StoredLetters
from newsletter.store.waiting import StoredWaiting
from newsletter.subscribing import joining, rounds

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SIGNER = tokens.Signer(b"k" * 32)


class Scene:
    """A list, and the rounds over it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.directory = StoredDirectory(database, SIGNER.keyed_hash)
        self.letters = StoredLetters(database)
        self.limiter = StoredLimiter(database, SIGNER.keyed_hash)

    def add(
        self, local: str, days: float, *, how: How = How.FORM, status: Status = Status.PENDING
    ) -> Subscriber:
        at = NOW - timedelta(days=days)
        person = Subscriber(email=f"{local}@example.org", status=status, joined_at=at, topics=("trade",))
        return self.directory.add(person, ConsentRecord(status=status, at=at, how=how, wording="Yes"))

    def go(self, now: datetime = NOW) -> rounds.Account:
        """Go the rounds as a process that has just begun."""
        limiter = StoredLimiter(self.database, SIGNER.keyed_hash)
        waiting = StoredWaiting(self.database)
        return rounds.Rounds(waiting, limiter, self.directory, self.letters).go(now=now)

    def reminders(self, person: Subscriber) -> list[datetime]:
        """Return when somebody was reminded."""
        return [each.asked_at for each in self.letters.of(person.id) if each.kind is Kind.REMIND]

    def names(self) -> list[str]:
        return [person.email.partition("@")[0] for person in self.directory.list()]


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def test_who_waited_three_days_is_reminded_once_ever(scene: Scene) -> None:
    asked = scene.add("due", 3.1)
    scene.add("early", 2.9)
    scene.add("late", 11)
    assert scene.go().reminded == 1
    assert scene.go().reminded == 0
    assert scene.reminders(asked) == [NOW]
    assert scene.go(NOW + timedelta(days=1)).reminded == 1  # “early”, a day later


def test_a_round_that_ends_before_the_letter_is_down_has_counted_nothing(scene: Scene) -> None:
    """The process is killed, or the database goes away, between the two."""
    due = [scene.add(name, 4) for name in ("first", "second")]
    written: list[str] = []

    def die(*given: Any) -> None:
        statement: str = given[2]
        if statement.startswith("INSERT INTO letter"):
            written.append(statement)
            if len(written) == 2:
                raise KeyboardInterrupt

    sa.event.listen(scene.database.engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        scene.go()
    sa.event.remove(scene.database.engine, "before_cursor_execute", die)
    assert [scene.reminders(each) for each in due] == [[NOW], []]
    later = NOW + timedelta(hours=1)
    assert scene.go(later).reminded == 1
    assert [scene.reminders(each) for each in due] == [[NOW], [later]]


@pytest.mark.parametrize("how", [How.STAFF, How.IMPORT, How.API])
def test_only_who_asked_by_the_form_is_reminded_or_deleted(scene: Scene, how: How) -> None:
    for days in (4, 40):
        scene.add(f"held{days}", days, how=how)
        scene.add(f"reader{days}", days, status=Status.ACTIVE)
        scene.add(f"gone{days}", days, status=Status.UNSUBSCRIBED)
    assert scene.go() == rounds.Account(reminded=0, deleted=0, forgotten=0)
    assert len(scene.names()) == 6


def test_who_never_confirmed_is_deleted_after_thirty_days_and_may_come_again(scene: Scene) -> None:
    old = scene.add("old", 30.1)
    scene.add("young", 29.9)
    assert scene.go().deleted == 1
    assert scene.names() == ["young"]
    assert scene.directory.history(old.id) == []
    # Deleted is not suppressed: nobody said no.
    assert scene.directory.is_suppressed("old@example.org") == ""
    scene.add("old", 0)


def ask(scene: Scene, at: datetime) -> list[str]:
    """Have Nora ask by the form; return whom that mailed."""
    hall = joining.Hall(scene.directory, scene.letters, scene.limiter, SIGNER)
    hall.ask(joining.Request(email="nora@example.org", wording="Yes"), now=at)
    person = scene.directory.find("nora@example.org")
    assert person is not None
    asked = [each for each in scene.letters.of(person.id) if each.kind is Kind.CONFIRM]
    return [person.email for each in asked if each.asked_at == at]


def test_whoever_asks_again_waits_anew_and_is_reminded_of_the_latest_request(scene: Scene) -> None:
    day = timedelta(days=1)
    assert ask(scene, NOW) == ask(scene, NOW + 2 * day) == ["nora@example.org"]
    assert scene.go(NOW + 3.5 * day).reminded == 0  # a day and a half after the latest request
    assert scene.go(NOW + 5.5 * day).reminded == 1
    assert scene.go(NOW + 31 * day).deleted == 0
    assert scene.go(NOW + 32.5 * day).deleted == 1
    assert scene.names() == []


def test_who_asked_again_on_the_last_day_confirms_when_the_first_thirty_days_are_over(scene: Scene) -> None:
    day = timedelta(days=1)
    ask(scene, NOW)
    assert ask(scene, NOW + 29 * day) == ["nora@example.org"]
    scene.go(NOW + 31 * day)
    person = scene.directory.find("nora@example.org")
    assert person is not None
    assert [record.at for record in scene.directory.history(person.id)] == [NOW, NOW + 29 * day]
    asked_at, mark = int((NOW + 29 * day).timestamp()), tokens.fingerprint(person.email)
    token = SIGNER.sign(tokens.Purpose.CONFIRM, person.id, asked_at, mark)
    hall = joining.Hall(scene.directory, scene.letters, scene.limiter, SIGNER)
    confirmed = hall.confirm(token, visitor="", wording="Yes", now=NOW + 58 * day)
    assert confirmed is not None
    assert confirmed.status is Status.ACTIVE


def test_a_request_that_nobody_is_mailed_for_does_not_keep_anybody_waiting(scene: Scene) -> None:
    day = timedelta(days=1)
    mailed = [ask(scene, NOW + number * 5 * day) for number in range(4)]
    assert [len(each) for each in mailed] == [1, 1, 1, 0]
    assert scene.go(NOW + 40.5 * day).deleted == 1  # thirty days after the third


def test_who_left_and_was_put_back_to_waiting_by_staff_is_not_deleted(scene: Scene) -> None:
    person = scene.add("back", 40)
    record = ConsentRecord(status=Status.PENDING, at=NOW - timedelta(days=35), how=How.STAFF)
    assert scene.directory.apply(subscribers.move(person, record))
    assert scene.go().deleted == 0


def test_a_suppressed_address_is_not_reminded(scene: Scene) -> None:
    due = scene.add("due", 4)
    scene.directory.suppress("due@example.org", reason="bounced", now=NOW)
    assert scene.go().reminded == 0
    assert scene.reminders(due) == []


def test_who_was_mailed_three_times_already_is_not_reminded(scene: Scene) -> None:
    scene.add("due", 4)
    for _ in range(3):
        scene.limiter.take("ever due@example.org", allowances.Allowances().address_ever, now=NOW)
    assert scene.go().reminded == 0


def test_letters_of_long_ago_are_let_go(scene: Scene) -> None:
    person = scene.add("reader", 50, status=Status.ACTIVE)
    lease = ports.Lease(owner="here:1:1", until=NOW)
    for days in (41, 39):
        asked_at = NOW - timedelta(days=days)
        scene.letters.put(Letter(kind=Kind.MANAGE, subscriber=person.id, asked_at=asked_at))
        (letter,) = scene.letters.claim(lease, dead=lambda owner: False, limit=9, now=asked_at)
        done = deliveries.Outcome(delivery=letter.id, state=State.SENT, at=asked_at, attempts=1)
        scene.letters.settle(lease.owner, [done])
    scene.letters.put(Letter(kind=Kind.MANAGE, subscriber=person.id, asked_at=NOW - timedelta(days=60)))
    assert scene.go().pruned == 1
    assert [each.state for each in scene.letters.of(person.id)] == [State.SENT, State.PLANNED]


def test_counts_of_long_ago_are_let_go_and_those_for_ever_stay(scene: Scene) -> None:
    hourly = allowances.Allowance(times=1, span=timedelta(hours=1))
    ever = allowances.Allowance(times=1)
    long_ago = NOW - timedelta(days=41)
    scene.limiter.take("visitor 192.0.2.1", hourly, now=long_ago)
    scene.limiter.take("visitor 192.0.2.1", hourly, now=NOW)
    scene.limiter.take("ever x@example.org", ever, now=long_ago)
    assert scene.go().forgotten == 1
    with scene.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.allowance)) == 2
    assert not scene.limiter.take("ever x@example.org", ever, now=NOW)


@pytest.mark.parametrize(
    ("keep", "kept"), [(allowances.truncated, "203.0.113.0/24"), (allowances.nothing, "")]
)
def test_no_more_of_a_visitor_s_address_is_recorded_than_the_settings_say(
    scene: Scene, keep: Callable[[str], str], kept: str
) -> None:
    hall = joining.Hall(scene.directory, scene.letters, scene.limiter, SIGNER, keep=keep)
    hall.ask(joining.Request(email="nora@example.org", visitor="203.0.113.7"), now=NOW)
    person = scene.directory.find("nora@example.org")
    assert person is not None
    assert [record.ip for record in scene.directory.history(person.id)] == [kept]
