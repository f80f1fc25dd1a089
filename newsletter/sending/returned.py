"""Take in the mails that come back: keep each, act on it, and only then let it go from its mailbox."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence

from newsletter import bounces
from newsletter.bounces.mailbox import Mailbox
from newsletter.domain import errors, events, feedback
from newsletter.domain.tokens import Purpose, Signer
from newsletter.sending.feedback import Account, Desk

#: Under this name mails stand among the reports of providers; none can be named so in the settings.
MAIL = "returned mail"
#: Mailing and subscriber → delivery, 0 where there is none.
FindDelivery = Callable[[int, int], int]


def read(report: feedback.Report, signer: Signer, find: FindDelivery) -> Sequence[events.Event]:
    """Return the events that a mail tells of; a signed token in it names the delivery."""
    found = bounces.examine(report.body)
    key = f"mail {hashlib.sha256(report.body).hexdigest()[:32]}"
    delivery = _bounced(found.token, signer)
    if found.kind is bounces.Kind.UNSUBSCRIBE:
        delivery = _unsubscribed(found.unsubscribe_token, signer, find)
    told = bounces.events(found, at=report.received_at, key=key)
    return [dataclasses.replace(event, delivery=delivery) for event in told]


class Intake:
    """Empties a mailbox."""

    def __init__(
        self,
        mailbox: Mailbox,
        desk: Desk,
        forward: Callable[[bytes], None],
        *,
        claim: Callable[[str], bool] = lambda key: True,
    ) -> None:
        """Take the mailbox, where reports are applied, and who hands people's replies to the editors.

        ``claim`` says whether a reply, by its key, is ours to hand on, or another process is at it.
        """
        self._mailbox = mailbox
        self._desk = desk
        self._forward = forward
        self._claim = claim

    def take_in(self) -> tuple[Account, int]:
        """Keep and apply what is there; return the account and how many replies were handed on."""
        try:
            replies = self._keep()
        finally:
            # POP3 removes what is done only when it is told good-bye.
            self._mailbox.close()
        return self._desk.work_off(), replies

    def _keep(self) -> int:
        replies = 0
        for incoming in self._mailbox.fetch():
            if bounces.examine(incoming.raw).kind is bounces.Kind.REPLY:
                if not self._claim(incoming.key):
                    continue
                self._forward(incoming.raw)
                replies += 1
            else:
                self._desk.keep([(MAIL, incoming.raw)])
            incoming.done()
        return replies


def _bounced(token: str, signer: Signer) -> int:
    """Return the delivery that a bounce address names, 0 where it is none of ours."""
    try:
        return signer.read_local_part(Purpose.BOUNCE, token)[0] if token else 0
    except errors.TokenError:
        return 0


def _unsubscribed(token: str, signer: Signer, find: FindDelivery) -> int:
    """Return the delivery whose reader asks to be left alone, by the token in their mail."""
    try:
        numbers = signer.read(Purpose.LEAVE, token)
    except errors.TokenError:
        return 0
    return find(numbers[1], numbers[0]) if len(numbers) > 1 else 0
