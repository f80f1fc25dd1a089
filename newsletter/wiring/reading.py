"""What readers meet: joining, letters about a subscription, and what we know of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.domain.subscribers import Subscriber
from newsletter.wiring.standing import Standing

if TYPE_CHECKING:
    from newsletter.subscribing import joining, letters


class Reading(Standing):
    """The rooms where readers are known."""

    @cached_property
    def letters(self) -> letters.MailLetters:
        """Return what writes to people about their subscription."""
        from newsletter.subscribing import letters

        return letters.MailLetters(self.publication, self.theme, self.signer, self._mail, latest=self._latest)

    @cached_property
    def hall(self) -> joining.Hall:
        """Return where people come in."""
        from newsletter.store.allowances import StoredLimiter
        from newsletter.subscribing import joining

        limiter = StoredLimiter(self.database, self.signer.keyed_hash)
        return joining.Hall(self.directory, self.letters, limiter, self.signer)

    def data(self, person: Subscriber) -> Mapping[str, object]:
        """Return everything that is kept about one person."""
        from newsletter.subscribing import privacy

        return privacy.data(self.directory, self.registrar, person)

    def _mail(self, *, to: str, name: str, subject: str, text: str) -> None:
        from newsletter.sending.notes import Note

        self.messenger.send(Note(to=to, name=name, subject=subject, text=text))

    def _latest(self) -> str:
        """Return the address of the newest issue that went out."""
        sent = max((mailing.number for mailing in self.ledger.mailings()), default=None)
        return f"{self.publication.url}/issues/{sent.slug}" if sent else ""
