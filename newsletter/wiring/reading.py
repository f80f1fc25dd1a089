"""What readers meet: joining, letters about a subscription, and what we know of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.domain import deliveries, errors
from newsletter.domain.subscribers import Subscriber
from newsletter.wiring.standing import Standing

if TYPE_CHECKING:
    from newsletter.queues.local import LocalQueue
    from newsletter.store.allowances import StoredLimiter
    from newsletter.subscribing import joining, leaving, letters, rounds

_log = logging.getLogger(__name__)
#: How often the rounds are gone.
_ROUNDS = timedelta(hours=1)


class Reading(Standing):
    """The rooms where readers are known."""

    @cached_property
    def letters(self) -> letters.MailLetters:
        """Return what writes to people about their subscription."""
        from newsletter.subscribing import letters

        return letters.MailLetters(self.publication, self.theme, self.signer, self._mail, latest=self._latest)

    @cached_property
    def limiter(self) -> StoredLimiter:
        """Return what counts how often forms were used."""
        from newsletter.store.allowances import StoredLimiter

        return StoredLimiter(self.database, self.signer.keyed_hash)

    @cached_property
    def hall(self) -> joining.Hall:
        """Return where people come in."""
        from newsletter.subscribing import joining

        return joining.Hall(self.directory, self.letters, self.limiter, self.signer)

    @cached_property
    def exit(self) -> leaving.Exit:
        """Return where people go out."""
        from newsletter.store.exits import StoredExit

        self.database.require_current()
        return StoredExit(self.database)

    @cached_property
    def rounds(self) -> rounds.Rounds:
        """Return what is done every so often about people who did not confirm."""
        from newsletter.store.waiting import StoredWaiting
        from newsletter.subscribing import rounds

        waiting = StoredWaiting(self.database)
        return rounds.Rounds(waiting, self.limiter, self.directory, self.letters, self.signer)

    def keep_watch(self, queue: LocalQueue, remind: Callable[[], None]) -> None:
        """Have the clock of a service do what is due, the rounds among it."""
        from newsletter.queues import triggers

        super().keep_watch(queue, remind)
        queue.every(triggers.every(_ROUNDS), self._go_rounds, name="rounds")

    def _go_rounds(self) -> None:
        """Go the rounds; a database that does not answer is asked again next time."""
        try:
            self.rounds.go(now=self.now())
        except errors.NewsletterError as error:
            _log.error("rounds: %s", error, extra={"action": "rounds"})

    def data(self, person: Subscriber) -> Mapping[str, object]:
        """Return everything that is kept about one person."""
        from newsletter.subscribing import privacy

        return privacy.data(self.directory, self.registrar, person)

    def _mail(self, *, to: str, name: str, subject: str, text: str) -> None:
        from newsletter.sending.notes import Note

        self.messenger.send(Note(to=to, name=name, subject=subject, text=text))

    def _latest(self) -> str:
        """Return the address of the newest issue that went out."""
        out = (mailing.number for mailing in self.ledger.mailings() if mailing.status in deliveries.PUBLIC)
        sent = max(out, default=None)
        return f"{self.publication.url}/issues/{sent.slug}" if sent else ""
