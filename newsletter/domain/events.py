"""What the world reports about a mail after it was handed over, in one vocabulary for every provider."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class Kind(enum.StrEnum):
    """What happened."""

    #: The provider took it.
    ACCEPTED = "accepted"
    #: The receiver's server took it.
    DELIVERED = "delivered"
    #: The receiver's server put it off; the provider tries again.
    DEFERRED = "deferred"
    #: The receiver's server refused it.
    BOUNCED = "bounced"
    #: The reader called it spam.
    COMPLAINED = "complained"
    #: The provider did not even try.
    REJECTED = "rejected"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    #: An out-of-office note or the like: never counted.
    AUTO_REPLIED = "auto-replied"
    #: Something this version has no name for: kept, counted, never an error.
    UNKNOWN = "unknown"


class Cause(enum.StrEnum):
    """Why a mail bounced: what it says of the address, and what of the mail."""

    UNKNOWN_USER = "unknown user"
    BAD_DOMAIN = "bad domain"
    INACTIVE = "inactive"
    MAILBOX_FULL = "mailbox full"
    TOO_BIG = "too big"
    POLICY = "policy"
    CONTENT = "content"
    REPUTATION = "reputation"
    AUTHENTICATION = "authentication"
    #: Nobody took it before time ran out.
    EXPIRED = "expired"
    #: The way there: connections, loops, name servers.
    ROUTING = "routing"
    #: On the provider's own suppression list.
    SUPPRESSED = "suppressed"
    OTHER = "other"


#: Causes that say the address is dead. Everything else is the mail's fault, or nobody's.
DEAD = frozenset({Cause.UNKNOWN_USER, Cause.BAD_DOMAIN, Cause.INACTIVE})

#: Later in this order wins over earlier, whatever came first over the network.
RANK = (
    Kind.UNKNOWN,
    Kind.AUTO_REPLIED,
    Kind.OPENED,
    Kind.CLICKED,
    Kind.ACCEPTED,
    Kind.DEFERRED,
    Kind.DELIVERED,
    Kind.REJECTED,
    Kind.BOUNCED,
    Kind.UNSUBSCRIBED,
    Kind.COMPLAINED,
)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing the world reports about one message to one recipient."""

    kind: Kind
    at: datetime
    #: The same when the provider tells it again; unique within the provider.
    key: str
    recipient: str = ""
    #: Our own delivery id, where it was handed over with the message and came back signed; 0: not told.
    delivery: int = 0
    #: The provider's id of the message, as its receipt gave it.
    provider_id: str = ""
    #: Our own Message-ID without angle brackets, where the provider hands it back.
    message_id: str = ""
    #: Whether a bounce is for good.
    hard: bool = False
    cause: Cause = Cause.OTHER
    #: The provider's words.
    detail: str = ""
    #: Opened or clicked by a proxy or a scanner, not by a person.
    machine: bool = False


def rank(kind: Kind) -> int:
    """Return how much an event weighs against another of the same message."""
    return RANK.index(kind)
