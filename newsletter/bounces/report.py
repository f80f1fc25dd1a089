"""What a mail that came back says: the records the rest of the house works with."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from newsletter.domain.events import Cause

#: Hard: the address is dead. Soft: anything else, the benefit of the doubt included.
Verdict = Literal["hard", "soft"]


class Kind(enum.StrEnum):
    """What sort of mail came in."""

    #: At least one recipient was given up on.
    BOUNCE = "bounce"
    #: A warning: the other side is still trying.
    DELAYED = "delayed"
    #: A notice of success.
    DELIVERED = "delivered"
    #: A feedback report: the reader called it spam, or asked through it to be left alone.
    COMPLAINT = "complaint"
    #: A holiday notice or another robot (RFC 3834).
    AUTO_REPLY = "auto-reply"
    #: Somebody used the mailto: form of List-Unsubscribe.
    UNSUBSCRIBE = "unsubscribe"
    #: A person wrote back.
    REPLY = "reply"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """What is said about one recipient."""

    #: The address we mailed: Original-Recipient (RFC 3464 §2.3.1) where it is given, as written.
    address: str
    #: Final-Recipient where it differs: what an alias or a forwarding led to.
    final_address: str = ""
    #: RFC 3463 status, “5.1.1”; empty when none is given.
    status: str = ""
    #: SMTP reply code; 0 when none is given.
    reply_code: int = 0
    #: The other server's words, on one line.
    diagnostic: str = ""
    cause: Cause = Cause.OTHER
    #: Means something for bounces and warnings alone.
    verdict: Verdict = "soft"
    #: False: only delayed, the other side is still trying.
    given_up: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What one incoming mail means."""

    kind: Kind
    recipients: tuple[Recipient, ...] = ()
    #: The token in the address the mail came to (``bounce+TOKEN@…``); its signature is not checked here.
    token: str = ""
    #: The token of a mailed unsubscription (its subject), or that of the returned List-Unsubscribe.
    unsubscribe_token: str = ""
    #: Message-ID of the returned message, with its angle brackets.
    message_id: str = ""
    #: URIs of the returned List-Unsubscribe field.
    list_unsubscribe: tuple[str, ...] = ()
    #: Feedback-Type of a complaint (RFC 5965 §7.3): abuse, fraud, not-spam, opt-out, …
    feedback_type: str = ""
    sender: str = ""
    subject: str = ""
