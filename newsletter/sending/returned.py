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

MAIL = feedback.MAIL
#: Mailing and subscriber → delivery, 0 where there is none.
FindDelivery = Callable[[int, int], int]


def read(report: feedback.Report, signer: Signer, find: FindDelivery) -> Sequence[events.Event]:
    """Return the events that a mail tells of; a signed token in it names the delivery."""
    found = bounces.examine(report.body)
    key = f"mail {hashlib.sha256(report.body).hexdigest()[:32]}"
    delivery = _bounced(found.token, signer, find)
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
        """Keep and apply what is there; return the account and how many replies were handed on.

        Raises:
            ProviderError: a reply could not be handed on, and stays; everything else was taken in.
        """
        try:
            replies, failure = self._keep()
        finally:
            # POP3 removes what is done only when it is told good-bye.
            self._mailbox.close()
        account = self._desk.work_off()
        if failure is not None:
            raise failure
        return account, replies

    def _keep(self) -> tuple[int, errors.ProviderError | None]:
        """Keep what is there; return how many replies were handed on, and why one was not."""
        replies, failure = 0, None
        for incoming in self._mailbox.fetch():
            if not _is_for_people(bounces.examine(incoming.raw)):
                self._desk.keep([(MAIL, incoming.raw)])
            elif not self._claim(incoming.key):
                continue
            else:
                try:
                    self._forward(incoming.raw)
                except errors.ProviderError as error:
                    # It stays; what came after it is not its fault.
                    failure = failure or error
                    continue
                replies += 1
            incoming.done()
        return replies, failure


def _is_for_people(found: bounces.Report) -> bool:
    """Say whether somebody must read a mail: without a token only people know who asks to leave."""
    asks = found.kind is bounces.Kind.UNSUBSCRIBE and not found.unsubscribe_token
    return asks or found.kind is bounces.Kind.REPLY


def _bounced(token: str, signer: Signer, find: FindDelivery) -> int:
    """Return the delivery that a bounce address names, 0 where it is none of ours."""
    if not token:
        return 0
    try:
        subscriber, mailing = signer.read_bounce_token(token)
    except errors.TokenError:
        return 0
    return find(mailing, subscriber)


def _unsubscribed(token: str, signer: Signer, find: FindDelivery) -> int:
    """Return the delivery whose reader asks to be left alone, by the token in their mail."""
    try:
        numbers = signer.read(Purpose.LEAVE, token)
    except errors.TokenError:
        return 0
    return find(numbers[1], numbers[0]) if len(numbers) > 1 else 0
