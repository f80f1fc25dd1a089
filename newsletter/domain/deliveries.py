"""The ledger's words: mailings, deliveries, their states and the moves between them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from newsletter.domain import numbering, verdicts


class State(enum.StrEnum):
    """What we decided about one delivery."""

    #: Waiting for its turn (or, with ``not_before``, for its next try).
    PLANNED = "planned"
    #: Claimed: it may be in the provider's hands this moment.
    SENDING = "sending"
    #: The provider took it.
    SENT = "sent"
    #: The receiver's server took it.
    DELIVERED = "delivered"
    #: It came back.
    BOUNCED = "bounced"
    #: The reader called it spam.
    COMPLAINED = "complained"
    #: The provider refuses this recipient for good.
    REJECTED = "rejected"
    #: Attempts or time used up.
    FAILED = "failed"
    #: Handed over, and no answer came.
    UNKNOWN = "unknown"
    #: The subscriber left or was suppressed since the plan.
    SKIPPED = "skipped"


#: Every move there is; anything else is a bug in the caller.
MOVES: Mapping[State, frozenset[State]] = {
    # To sent: the receipt of a sender that was taken for dead, while nobody claimed the delivery anew.
    State.PLANNED: frozenset({State.SENDING, State.SKIPPED, State.FAILED, State.SENT}),
    State.SENDING: frozenset({State.SENT, State.REJECTED, State.FAILED, State.UNKNOWN, State.PLANNED}),
    # A delivery report may come after the bounce, or the other way round.
    State.SENT: frozenset({State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.REJECTED}),
    State.DELIVERED: frozenset({State.BOUNCED, State.COMPLAINED}),
    State.BOUNCED: frozenset({State.COMPLAINED, State.DELIVERED}),
    State.COMPLAINED: frozenset(),
    State.REJECTED: frozenset({State.PLANNED}),
    State.FAILED: frozenset({State.PLANNED}),
    State.UNKNOWN: frozenset(
        {
            State.PLANNED,
            State.SENT,
            State.DELIVERED,
            State.BOUNCED,
            State.COMPLAINED,
            State.REJECTED,
            State.FAILED,
        }
    ),
    State.SKIPPED: frozenset(),
}

#: States in which nothing more happens by itself.
SETTLED = frozenset(State) - {State.PLANNED, State.SENDING}
#: States in which somebody did not get the mailing, or may not have: a finished one exits with 3.
TROUBLED = frozenset({State.REJECTED, State.FAILED, State.UNKNOWN})
#: States of a message that the provider took for certain.
TAKEN = frozenset({State.SENT, State.DELIVERED, State.BOUNCED, State.COMPLAINED})


def may_move(old: State, new: State) -> bool:
    """Say whether a delivery may go from one state to the other."""
    return new in MOVES[old]


class MailingStatus(enum.StrEnum):
    """Where a mailing stands as a whole."""

    #: Planned for a time that has not come.
    SCHEDULED = "scheduled"
    SENDING = "sending"
    #: Stopped by a person or by itself; ``reason`` says why.
    PAUSED = "paused"
    #: Overdue beyond ``max_late`` when the service came up: a person decides.
    HELD = "held"
    CANCELLED = "cancelled"
    DONE = "done"


#: Mailings that go on when a person says so.
STOPPED = frozenset({MailingStatus.PAUSED, MailingStatus.HELD})


class AfterCrash(enum.StrEnum):
    """What becomes of deliveries that were in the air when the process died."""

    RESEND = "resend"
    HOLD = "hold"


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """One sending of one issue to one frozen audience."""

    id: int
    number: numbering.IssueNumber
    status: MailingStatus
    provider: str
    #: Messages a second; 0: as fast as the provider takes them.
    rate: float
    created_at: datetime
    #: When it is due; None: at once.
    due_at: datetime | None = None
    #: When the provider took the first of its messages, as far as we know; None before.
    first_sent_at: datetime | None = None
    finished_at: datetime | None = None
    #: Why it is paused, held or cancelled, in words for people.
    reason: str = ""
    #: sha-256 of the frozen message template, and of the content that was approved.
    template_hash: str = ""
    content_hash: str = ""
    audience: str = "everyone"
    #: Deliveries that were planned: what the sum of all states must come to.
    planned: int = 0

    @property
    def is_public(self) -> bool:
        """Whether its issue is no secret: it is done, or somebody has it and it was not cancelled."""
        is_out = self.first_sent_at is not None and self.status is not MailingStatus.CANCELLED
        return is_out or self.status is MailingStatus.DONE


class Claimed(NamedTuple):
    """One delivery handed to a sender: what is needed to merge and send it."""

    id: int
    subscriber: int
    #: As they were when the mailing was planned.
    email: str
    name: str
    language: str
    #: Tries before this one.
    attempts: int
    #: When the first of them was; None before any.
    first_tried: datetime | None = None


class Turn(NamedTuple):
    """What one turn of the group commit gave a sender."""

    #: The mailing's status at this moment: another process may have paused or cancelled it.
    status: MailingStatus
    claimed: list[Claimed]
    #: How many became skipped instead of claimed.
    skipped: int = 0
    #: Where fewer were due than asked for: when the next one will be; None: none is left to claim.
    next_due: datetime | None = None


class Outcome(NamedTuple):
    """What a claimed delivery came to, ready to be settled."""

    delivery: int
    state: State
    at: datetime
    #: Tries so far, this one included if there was one.
    attempts: int
    first_tried: datetime | None = None
    #: The provider's words, or ours.
    reply: str = ""
    #: The provider's own id of the message.
    provider_id: str = ""
    #: For planned: when the next try is due.
    not_before: datetime | None = None
    #: Set when the address must not be mailed again.
    suppress: str = ""
    #: The Date of the message and the digest of its bytes; None where none was handed over.
    merged_at: datetime | None = None
    digest: bytes | None = None


class Receipt(NamedTuple):
    """A provider's answer for one delivery."""

    delivery: int
    verdict: verdicts.Verdict
    #: The reply as it came, one line: “250 2.0.0 Ok: queued as 4Xy…”.
    reply: str = ""
    provider_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The ledger row: one mailing × one subscriber."""

    id: int
    mailing: int
    subscriber: int
    email: str
    state: State
    attempts: int
    #: As they were when the mailing was planned.
    name: str = ""
    language: str = ""
    reply: str = ""
    provider_id: str = ""
    not_before: datetime | None = None
    #: The Date of the message and the digest of its bytes, as last handed over.
    merged_at: datetime | None = None
    digest: bytes | None = None
    settled_at: datetime | None = None
    unsubscribed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Who will get a mailing, and who is left out and why."""

    number: numbering.IssueNumber
    audience: str
    included: int
    #: Reason → how many subscribers are left out for it.
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many deliveries of a mailing stand in each state."""

    mailing: Mailing
    states: Mapping[State, int]
    #: Earliest ``not_before`` among the planned ones that wait.
    next_try: datetime | None = None
    unsubscribed: int = 0

    @property
    def total(self) -> int:
        """How many deliveries the mailing has."""
        return sum(self.states.values())

    @property
    def open(self) -> int:
        """How many are not settled yet."""
        return sum(n for state, n in self.states.items() if state not in SETTLED)

    @property
    def troubled(self) -> int:
        """How many were refused, failed or are unknown."""
        return sum(self.states.get(state, 0) for state in TROUBLED)
