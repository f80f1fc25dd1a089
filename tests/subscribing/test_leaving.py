"""Leaving is final and repeatable; its undoing gives back what it took, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.domain import subscribers
from newsletter.domain.letters import Kind
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store.memory import MemoryDirectory
from newsletter.subscribing import leaving

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def person(directory: MemoryDirectory, status: Status = Status.ACTIVE) -> int:
    record = ConsentRecord(status=status, at=NOW, how=How.FORM)
    return directory.add(Subscriber(email="ada@example.org", status=status, joined_at=NOW), record).id


def statuses(directory: MemoryDirectory, number: int) -> list[Status]:
    return [record.status for record in directory.history(number)]


def leave(directory: MemoryDirectory, number: int, how: How = How.ONE_CLICK) -> Subscriber | None:
    return leaving.leave(directory, number, how=how, source="vol-2-23", now=NOW)


def come_back(directory: MemoryDirectory, number: int) -> Subscriber | None:
    return leaving.come_back(directory, number, source="undo", now=NOW + timedelta(minutes=1))


@pytest.mark.parametrize("before", [Status.ACTIVE, Status.PENDING, Status.BOUNCED])
def test_whoever_leaves_is_off_the_list_and_the_record_says_how(before: Status) -> None:
    directory = MemoryDirectory()
    number = person(directory, before)
    left = leave(directory, number)
    assert left is not None
    assert left.status is Status.UNSUBSCRIBED
    assert directory.get(number) == left
    last = directory.history(number)[-1]
    assert (last.how, last.source, last.at) == (How.ONE_CLICK, "vol-2-23", NOW)


@pytest.mark.parametrize("before", [Status.UNSUBSCRIBED, Status.COMPLAINED])
def test_leaving_twice_is_leaving_once(before: Status) -> None:
    directory = MemoryDirectory()
    number = person(directory, before)
    again = leave(directory, number)
    assert again is not None
    assert again.status is before
    assert statuses(directory, number) == [before]


def test_nobody_leaves_by_an_id_that_nobody_has() -> None:
    assert leave(MemoryDirectory(), 7) is None
    assert come_back(MemoryDirectory(), 7) is None


@pytest.mark.parametrize("before", [Status.ACTIVE, Status.PENDING, Status.BOUNCED])
@pytest.mark.parametrize("how", [How.ONE_CLICK, How.PAGE, How.MAIL])
def test_coming_back_restores_what_the_leaving_took(before: Status, how: How) -> None:
    directory = MemoryDirectory()
    number = person(directory, before)
    leave(directory, number, how)
    back = come_back(directory, number)
    assert back is not None
    assert back.status is before
    assert statuses(directory, number) == [before, Status.UNSUBSCRIBED, before]


def test_coming_back_twice_is_coming_back_once() -> None:
    directory = MemoryDirectory()
    number = person(directory)
    leave(directory, number)
    come_back(directory, number)
    come_back(directory, number)
    assert statuses(directory, number) == [Status.ACTIVE, Status.UNSUBSCRIBED, Status.ACTIVE]


@pytest.mark.parametrize("how", [How.STAFF, How.IMPORT, How.API, How.FEEDBACK])
def test_an_undo_link_does_not_undo_what_the_person_did_not_do(how: How) -> None:
    directory = MemoryDirectory()
    number = person(directory)
    leave(directory, number, how)
    back = come_back(directory, number)
    assert back is not None
    assert back.status is Status.UNSUBSCRIBED


@pytest.mark.parametrize("since", [Status.COMPLAINED, Status.BOUNCED])
def test_whoever_complained_since_stays_off_the_list(since: Status) -> None:
    directory = MemoryDirectory()
    number = person(directory)
    left = leave(directory, number)
    assert left is not None
    directory.apply(subscribers.move(left, ConsentRecord(status=since, at=NOW, how=How.FEEDBACK)))
    back = come_back(directory, number)
    assert back is not None
    assert back.status is since


class Hurried(MemoryDirectory):
    """A directory in which somebody complains between our look and our write."""

    def __init__(self) -> None:
        super().__init__()
        self.complain = False

    def apply(self, move: subscribers.Move, *, letter: Kind | None = None) -> bool:
        if self.complain:
            self.complain = False
            found = self.get(move.subscriber.id)
            assert found is not None
            said = ConsentRecord(status=Status.COMPLAINED, at=NOW, how=How.FEEDBACK)
            super().apply(subscribers.move(found, said))
        return super().apply(move, letter=letter)


def test_a_complaint_that_arrives_meanwhile_is_not_undone() -> None:
    directory = Hurried()
    number = person(directory)
    leave(directory, number)
    directory.complain = True
    back = come_back(directory, number)
    assert back is not None
    assert back.status is Status.COMPLAINED
