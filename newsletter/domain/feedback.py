"""What a reported event means for delivery, subscriber and mailing: pure decisions with their defaults.

A provider's “permanent” is not “this address is dead”: policy, content and reputation are the mailing's
fault and never cost a subscriber.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.domain import events, subscribers
from newsletter.domain.deliveries import State
from newsletter.domain.events import Cause, Event, Kind
from newsletter.domain.subscribers import Status

#: Under this name mails stand among the reports of providers; none can be named so in the settings.
MAIL = "returned mail"
_STATES = {
    Kind.DELIVERED: State.DELIVERED,
    Kind.BOUNCED: State.BOUNCED,
    Kind.COMPLAINED: State.COMPLAINED,
    Kind.REJECTED: State.REJECTED,
}
#: Which later states an event may put in place of earlier ones.
_OPEN = frozenset({State.SENT, State.SENDING, State.UNKNOWN, State.DELIVERED, State.BOUNCED, State.REJECTED})
#: What is held against the mailing, not against who it went to.
BLAMED = frozenset({Cause.POLICY, Cause.CONTENT, Cause.REPUTATION, Cause.AUTHENTICATION, Cause.TOO_BIG})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """From when on an address is given up, and a mailing stopped."""

    #: Soft bounces in a row, over at least so many issues and days.
    soft_limit: int = 5
    soft_issues: int = 3
    soft_days: int = 14
    #: How much later a second “no such domain” must come: name servers fail, domains do not.
    domain_hours: int = 24
    #: A mailing pauses when more than this share of at least so many comes back for good …
    hard_share: float = 0.05
    hard_floor: int = 200
    #: … or more than this share of at least so many complains: Gmail's and Yahoo's own limit.
    complaint_share: float = 0.003
    complaint_floor: int = 1000


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the world sent us, as it came."""

    id: int
    #: Name of the provider in the settings, or `MAIL`.
    provider: str
    received_at: datetime
    #: A webhook's body, or a mail.
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was made of a report."""

    report: Report
    events: Sequence[Event] = ()
    #: Why nothing could be made of it; empty: something was.
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Past:
    """An earlier event about the same subscriber."""

    kind: Kind
    at: datetime
    mailing: int
    hard: bool = False
    cause: Cause = Cause.OTHER


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was reported about a person, as it is told to them."""

    kind: Kind
    at: datetime
    cause: Cause
    #: The provider's or the server's words.
    detail: str
    #: Opened or clicked by a proxy or a scanner, not by a person.
    machine: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of delivery and subscriber before the event."""

    state: State
    mailing: int
    status: Status
    #: Events about the same delivery, and about the same subscriber.
    of_delivery: Sequence[Past] = ()
    of_subscriber: Sequence[Past] = ()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What follows from an event; the empty decision changes nothing."""

    #: Where the delivery moves.
    state: State | None = None
    #: Where the subscriber moves.
    status: Status | None = None
    #: Why the address must not be mailed again; empty: it may.
    suppress: str = ""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How a mailing fares."""

    sent: int
    hard: int
    complaints: int
    #: Refusals that are the mailing's fault.
    blamed: int = 0


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What some reports came to."""

    #: Events that were new, and those that were known already.
    new: int = 0
    known: int = 0
    #: Events that name no delivery of ours.
    foreign: int = 0
    #: Mailings that events were about.
    mailings: frozenset[int] = frozenset()


def decide(event: Event, standing: Standing, policy: Policy) -> Decision:
    """Say what an event means; its signature or token is taken to be valid."""
    reason = _reason(event, standing, policy)
    return Decision(
        state=_state(event, standing),
        status=_status(event, standing.status, given_up=bool(reason)),
        suppress=reason,
    )


def breaker(figures: Figures, policy: Policy) -> str:
    """Return why a mailing must pause, or an empty text."""
    if figures.hard > policy.hard_share * max(figures.sent, policy.hard_floor):
        return f"{figures.hard} of {figures.sent} addresses do not exist: is this the right list?"
    if figures.complaints > policy.complaint_share * max(figures.sent, policy.complaint_floor):
        return (
            f"{figures.complaints} of {figures.sent} readers called it spam: mailbox providers stop at 0.3 %"
        )
    return ""


def _state(event: Event, standing: Standing) -> State | None:
    new = _STATES.get(event.kind)
    if new is None or standing.state not in _OPEN or new is standing.state:
        return None
    return new if all(_supersedes(event, past) for past in standing.of_delivery) else None


def _supersedes(event: Event, past: Past) -> bool:
    """Say whether an event outweighs an earlier one, whichever arrived first."""
    if past.kind not in _STATES:
        return True
    if past.kind is Kind.BOUNCED and not past.hard and event.kind is Kind.DELIVERED:
        return event.at > past.at
    if event.kind is Kind.BOUNCED and not event.hard and past.kind is Kind.DELIVERED:
        return event.at >= past.at
    return events.rank(event.kind) >= events.rank(past.kind)


def _status(event: Event, old: Status, *, given_up: bool) -> Status | None:
    if event.kind is Kind.COMPLAINED:
        return None if old is Status.COMPLAINED else Status.COMPLAINED
    if old in subscribers.OFF:
        return None
    if event.kind is Kind.UNSUBSCRIBED:
        return Status.UNSUBSCRIBED
    return Status.BOUNCED if given_up else None


def _reason(event: Event, standing: Standing, policy: Policy) -> str:
    if event.kind is Kind.COMPLAINED:
        return "complained"
    if event.kind is not Kind.BOUNCED:
        return ""
    if not event.hard or event.cause not in events.DEAD:
        return _worn_out(event, standing, policy)
    if event.cause is Cause.BAD_DOMAIN and not _domain_gone_before(event, standing, policy):
        return ""
    return f"bounced: {event.cause}"


def _domain_gone_before(event: Event, standing: Standing, policy: Policy) -> bool:
    earlier = timedelta(hours=policy.domain_hours)
    return any(
        past.kind is Kind.BOUNCED and past.cause is Cause.BAD_DOMAIN and event.at - past.at >= earlier
        for past in standing.of_subscriber
    )


def _worn_out(event: Event, standing: Standing, policy: Policy) -> str:
    """Count soft bounces since the last delivery, one an issue at most."""
    if event.cause in BLAMED or event.cause is Cause.SUPPRESSED:
        return ""
    mailings = {standing.mailing: event.at}
    for past in sorted(standing.of_subscriber, key=lambda each: each.at, reverse=True):
        if past.kind in {Kind.DELIVERED, Kind.OPENED, Kind.CLICKED}:
            break
        if past.kind is Kind.BOUNCED and past.cause not in BLAMED and past.cause is not Cause.SUPPRESSED:
            mailings[past.mailing] = min(past.at, mailings.get(past.mailing, past.at))
    days = (event.at - min(mailings.values())).days
    enough = len(mailings) >= max(policy.soft_limit, policy.soft_issues) and days >= policy.soft_days
    return f"bounced: {len(mailings)} issues in a row came back" if enough else ""
