"""Leave the list, and undo it: repeatable, and never more than was asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from newsletter import ports
from newsletter.domain import subscribers
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber


def leave(
    directory: ports.Directory, subscriber: int, *, how: How, source: str, now: datetime
) -> Subscriber | None:
    """Take a subscriber off the list and return them as they are now; None when nobody has that id.

    Leaving twice is leaving once: who is off the list already is returned unchanged.
    """
    record = ConsentRecord(status=Status.UNSUBSCRIBED, at=now, how=how, source=source)
    return _moved(directory, subscriber, lambda person: subscribers.leave(person, record))


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


def _moved(
    directory: ports.Directory, number: int, decide: Callable[[Subscriber], subscribers.Move | None]
) -> Subscriber | None:
    """Decide upon a subscriber's present state, and again whenever somebody else moved it meanwhile."""
    while person := directory.get(number):
        move = decide(person)
        if move is None or directory.apply(move):
            return person if move is None else move.subscriber
    return None
