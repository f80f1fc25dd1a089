"""What a reply or an event means for a delivery."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What is to be done about one delivery."""

    ACCEPTED = "accepted"
    #: A temporary refusal: try again later.
    RETRY = "retry"
    #: This address is dead: refuse it and never mail it again.
    SUPPRESS = "suppress"
    #: This message was refused for this recipient; the address is not to blame.
    REJECT = "reject"
    #: Nothing will get through: our credentials, our message, our reputation, our limits.
    STOP = "stop"
    #: Handed over, and no answer came.
    UNKNOWN = "unknown"


class Scope(enum.StrEnum):
    """Whom a verdict concerns beside the delivery itself."""

    RECIPIENT = "recipient"
    #: Every recipient of the same domain: slow down, or stop that domain's mail.
    DOMAIN = "domain"
    #: The whole mailing or account.
    MAILING = "mailing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a reply or an event means."""

    kind: Kind
    scope: Scope = Scope.RECIPIENT
    #: Seconds the other side asked us to wait; None: our own schedule decides.
    retry_after: float | None = None
    #: One short phrase for people: “mailbox full”.
    reason: str = ""


ACCEPTED = Verdict(kind=Kind.ACCEPTED)
