"""What somebody may ask of us about themselves: everything we know, or to be forgotten."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from newsletter import ports
from newsletter.domain import deliveries, feedback, numbering
from newsletter.domain.letters import Letter
from newsletter.domain.subscribers import Subscriber
from newsletter.subscribing.registrar import Registrar


class Letters(Protocol):
    """What was written to somebody about their subscription."""

    def of(self, subscriber: int) -> Sequence[Letter]:
        """Return the letters to a subscriber, oldest first."""
        ...


class Reports(Protocol):
    """What providers and mail servers told."""

    def about(self, subscriber: int) -> Sequence[feedback.Told]:
        """Return what was reported about a subscriber, oldest first."""
        ...


def data(
    directory: ports.Directory,
    registrar: Registrar,
    letters: Letters,
    reports: Reports,
    *,
    person: Subscriber,
) -> Mapping[str, Any]:
    """Return everything that is kept about one person (GDPR articles 15 and 20); `plain` makes JSON of it."""
    return {
        "subscriber": person,
        "suppressed": directory.is_suppressed(person.email),
        "history": list(directory.history(person.id)),
        "deliveries": [delivered(number, each) for number, each in registrar.deliveries(person.id)],
        "letters": [_put(each) for each in letters.of(person.id)],
        "reports": list(reports.about(person.id)),
    }


def plain(value: object) -> object:
    """Return a record as an object of its fields and a time in ISO 8601: what JSON has no word for."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _put(letter: Letter) -> Mapping[str, Any]:
    """Return what is kept of one letter, in words that a person can read."""
    return {
        "letter": letter.kind,
        "asked_at": letter.asked_at,
        "address": letter.address,
        "state": letter.state,
        "at": letter.settled_at,
        "reply": letter.reply,
    }


def delivered(number: numbering.IssueNumber, each: deliveries.Delivery) -> Mapping[str, Any]:
    """Return what the ledger says of one delivery, in words that a person can read."""
    return {
        "issue": str(number),
        "email": each.email,
        "state": each.state,
        "at": each.settled_at,
        "reply": each.reply,
        "unsubscribed_at": each.unsubscribed_at,
    }
