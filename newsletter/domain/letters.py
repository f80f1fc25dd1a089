"""Letters: the mails of the house's own about a subscription, kept as facts until a provider took them."""

from __future__ import annotations

import dataclasses
import enum
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from newsletter.domain import deliveries, retries, subscribers
from newsletter.domain.deliveries import State
from newsletter.domain.subscribers import Status, Subscriber
from newsletter.domain.verdicts import Kind as Verdict


class Kind(enum.StrEnum):
    """What a letter is about."""

    #: Asks whether it was them.
    CONFIRM = "confirm"
    #: Asks once more.
    REMIND = "remind"
    WELCOME = "welcome"
    #: Takes leave, with a way back.
    GOODBYE = "goodbye"
    #: Brings the link to their own page.
    MANAGE = "manage"
    #: Asks at a new address whether it is theirs.
    READDRESS = "readdress"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """The facts of one letter; it is put into words when it goes out."""

    #: 0 before it was put down.
    id: int = 0
    kind: Kind
    subscriber: int
    #: When it was called for: its links count from then.
    asked_at: datetime
    #: Where it goes when that is not the subscriber's own address.
    address: str = ""
    state: State = State.PLANNED
    #: Tries so far.
    attempts: int = 0
    first_tried: datetime | None = None
    not_before: datetime | None = None
    settled_at: datetime | None = None
    #: The provider's words, or why it does not go out after all.
    reply: str = ""


class Addressee(NamedTuple):
    """Whom a letter is for, as they stand now, and why its address must not be mailed; empty: it may."""

    person: Subscriber
    suppressed: str = ""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the letters stand as a whole."""

    #: How many wait for their first or their next try.
    waiting: int = 0
    #: The one that has waited longest.
    oldest: Letter | None = None
    #: How many could not be brought, lately.
    failed: int = 0
    #: The last of these.
    last_failed: Letter | None = None


#: Somebody sits before the mailbox: the first further tries come sooner than those of an issue. A server that
#: lists strangers grey wants to see them again after some minutes.
POLICY = retries.Policy(
    delays=tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120, 240)),
    give_up=timedelta(hours=24),
    # The Message-ID is the same: who got it twice is shown it once.
    after_crash=deliveries.AfterCrash.RESEND,
)

#: Statuses in which somebody may still be asked whether it was them.
_ASKABLE = frozenset({Status.PENDING, Status.UNSUBSCRIBED})
_FITTING = {
    Kind.CONFIRM: _ASKABLE,
    Kind.REMIND: frozenset({Status.PENDING}),
    Kind.WELCOME: frozenset({Status.ACTIVE}),
    Kind.GOODBYE: frozenset({Status.UNSUBSCRIBED}),
}


def why_not(letter: Letter, addressee: Addressee) -> str:
    """Return why a letter is not to go out any more, or an empty text; much may happen while it waits."""
    person, suppressed = addressee
    # Who was erased at their own wish may ask anew; nothing else lifts a suppression.
    if suppressed not in ("", subscribers.ERASED):
        return f"suppressed: {suppressed}"
    if person.status not in _FITTING.get(letter.kind, frozenset(Status)):
        return f"{person.status.value} since"
    return ""


def settle(
    letter: Letter, receipt: deliveries.Receipt, *, now: datetime, rng: random.Random
) -> deliveries.Outcome:
    """Return what a letter came to by its receipt."""
    if receipt.verdict.kind is Verdict.STOP:
        # Nothing gets through at present: a mailing would pause until a person looks; a letter comes again.
        receipt = receipt._replace(verdict=dataclasses.replace(receipt.verdict, kind=Verdict.RETRY))
    claimed = deliveries.Claimed(
        letter.id, letter.subscriber, "", "", "", letter.attempts, letter.first_tried or now
    )
    return retries.settle(claimed, receipt, POLICY, now=now, rng=rng)


def skip(letter: Letter, why: str, *, now: datetime) -> deliveries.Outcome:
    """Return the outcome of a letter that is not to go out after all."""
    return deliveries.Outcome(
        delivery=letter.id, state=State.SKIPPED, at=now, attempts=letter.attempts, reply=why
    )
