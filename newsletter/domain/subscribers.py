"""Subscribers, their consent, and every move between their statuses."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class Status(enum.StrEnum):
    """What we may do with a subscriber's address."""

    #: Asked for it, not confirmed yet.
    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


#: Statuses that nothing but the person can raise to active again.
OFF = frozenset({Status.UNSUBSCRIBED, Status.BOUNCED, Status.COMPLAINED})


class How(enum.StrEnum):
    """By which way a consent record came about."""

    FORM = "form"
    IMPORT = "import"
    API = "api"
    ONE_CLICK = "one-click"
    PAGE = "page"
    MAIL = "mail"
    STAFF = "staff"
    FEEDBACK = "feedback"


@dataclass(frozen=True, kw_only=True)
class ConsentRecord:
    """Who agreed to what, when, how, from where: append-only."""

    status: Status
    at: datetime
    how: How
    #: File and row, page, reply, person: what a dispute would ask for.
    source: str = ""
    #: The words that were agreed to.
    wording: str = ""
    #: Truncated by setting; empty when off.
    ip: str = ""


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """Somebody on the list."""

    #: 0 before the directory has given one.
    id: int = 0
    #: As the person writes it.
    email: str
    status: Status
    joined_at: datetime
    name: str = ""
    language: str = ""
    timezone: str = ""
    #: Chosen by the subscriber.
    topics: tuple[str, ...] = ()
    #: Put there by staff.
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    paused_until: datetime | None = None

    @property
    def first_name(self) -> str:
        """The first word of the name, or nothing."""
        return self.name.split()[0] if self.name.split() else ""


@dataclass(frozen=True, kw_only=True)
class Move:
    """A subscriber after a change, with the consent record that explains it."""

    subscriber: Subscriber
    record: ConsentRecord


def move(subscriber: Subscriber, record: ConsentRecord) -> Move:
    """Give a subscriber the status of a consent record."""
    return Move(subscriber=dataclasses.replace(subscriber, status=record.status), record=record)


def may_import(old: Status | None, new: Status) -> bool:
    """Say whether an import may set a status: it never raises consent."""
    if old is None or old == new:
        return True
    rank = {Status.ACTIVE: 2, Status.PENDING: 1}
    return rank.get(new, 0) < rank.get(old, 0)
