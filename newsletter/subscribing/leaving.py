"""Leave the list, and undo it: repeatable, and never more than was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter import ports
from newsletter.domain import subscribers
from newsletter.domain.letters import Kind
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Somebody's wish to leave, as their link names it."""

    subscriber: int
    #: The mailing whose link it was; 0: none.
    mailing: int
    how: How

    def record(self, now: datetime) -> ConsentRecord:
        """Return the consent record of it."""
        source = f"mailing {self.mailing}" if self.mailing else "own page"
        return ConsentRecord(status=Status.UNSUBSCRIBED, at=now, how=self.how, source=source)


class Departed(NamedTuple):
    """How somebody stood before they left, and how they stand now; nothing of whom nobody knows."""

    email: str = ""
    before: Status | None = None
    now: Status | None = None


class Exit(Protocol):
    """Lets many leave in one transaction: statuses, records, the ledger's notes, letters of goodbye."""

    def take(self, wanted: Sequence[Departure], *, now: datetime) -> Sequence[Departed]:
        """Let them leave, in the order of their wishes.

        Raises:
            StoreError: the database does not answer, and nobody left.
        """
        ...


class OneByOne:
    """`Exit` over any directory and ledger, one after another."""

    def __init__(self, directory: ports.Directory, ledger: ports.Ledger) -> None:
        self._directory = directory
        self._ledger = ledger

    def take(self, wanted: Sequence[Departure], *, now: datetime) -> Sequence[Departed]:
        """Let them leave, in the order of their wishes."""
        return [self._take(each, now) for each in wanted]

    def _take(self, wish: Departure, now: datetime) -> Departed:
        before = self._directory.get(wish.subscriber)
        source = wish.record(now).source
        said = before is not None and before.status not in subscribers.OFF
        person = leave(
            self._directory,
            wish.subscriber,
            how=wish.how,
            source=source,
            letter=Kind.GOODBYE if said else None,
            now=now,
        )
        if wish.mailing:
            self._ledger.mark_unsubscribed(wish.mailing, wish.subscriber, now=now)
        if before is None or person is None:
            return Departed()
        return Departed(person.email, before.status, person.status)


def leave(
    directory: ports.Directory,
    subscriber: int,
    *,
    how: How,
    source: str,
    letter: Kind | None = None,
    now: datetime,
) -> Subscriber | None:
    """Take a subscriber off the list and return them as they are now; None when nobody has that id.

    Leaving twice is leaving once: who is off the list already is returned unchanged.
    """
    record = ConsentRecord(status=Status.UNSUBSCRIBED, at=now, how=how, source=source)
    return _moved(directory, subscriber, lambda person: subscribers.leave(person, record), letter=letter)


def come_back(
    directory: ports.Directory, subscriber: int, *, source: str, now: datetime
) -> Subscriber | None:
    """Undo the leaving that was the last thing to happen, and return the subscriber as they are now.

    It restores the status before that leaving and no more: who had never confirmed is pending
    again, and who has complained or bounced since stays off the list. None when nobody has that id.
    """
    record = ConsentRecord(status=Status.ACTIVE, at=now, how=How.PAGE, source=source)
    return _moved(
        directory,
        subscriber,
        lambda person: subscribers.come_back(person, directory.history(subscriber), record),
    )


def say_why(directory: ports.Directory, subscriber: int, *, reason: str, now: datetime) -> Subscriber | None:
    """Note why somebody left, once, and return them; None when nobody has that id."""
    return _moved(
        directory,
        subscriber,
        lambda person: subscribers.say_why(person, directory.history(subscriber), reason, now),
    )


def _moved(
    directory: ports.Directory,
    number: int,
    decide: Callable[[Subscriber], subscribers.Move | None],
    *,
    letter: Kind | None = None,
) -> Subscriber | None:
    """Decide upon a subscriber's present state, and again whenever somebody else moved it meanwhile."""
    while person := directory.get(number):
        move = decide(person)
        if move is None or directory.apply(move, letter=letter):
            return person if move is None else move.subscriber
    return None
