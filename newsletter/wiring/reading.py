"""What readers meet: joining, letters about a subscription, and what we know of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.domain import deliveries, errors
from newsletter.domain.diagnoses import Diagnosis
from newsletter.domain.subscribers import Subscriber
from newsletter.wiring.standing import Standing

if TYPE_CHECKING:
    from newsletter.domain.diagnoses import Diagnosis
    from newsletter.queues import errands
    from newsletter.queues.clockwork import Clockwork
    from newsletter.store.letters import StoredLetters
    from newsletter.subscribing import joining, leaving, mailroom, rounds
    from newsletter.subscribing.letters import Written

_log = logging.getLogger(__name__)
#: How often the rounds are gone.
_ROUNDS = timedelta(hours=1)


class Reading(Standing):
    """The rooms where readers are known."""

    @cached_property
    def letters(self) -> StoredLetters:
        """Return the letters to people about their subscription.

        Raises:
            StoreError: the database is unreachable, or not migrated to this version.
        """
        from newsletter.store.letters import StoredLetters

        self.database.require_current()
        return StoredLetters(self.database)

    @cached_property
    def mailroom(self) -> mailroom.Mailroom:
        """Return what works the letters off."""
        from newsletter.sending import owners
        from newsletter.subscribing import letters, mailroom

        writer = letters.Writer(self.publication, self.theme, self.signer, latest=self._latest)
        around = mailroom.Surroundings(now=self.now, rng=self.rng, owner=owners.own(), dead=owners.is_dead)
        return mailroom.Mailroom(self.letters, writer, self._carry, around=around)

    @cached_property
    def errand(self) -> errands.Errand:
        """Return what has the letters worked off beside the public pages, at once when it is called."""
        from newsletter.queues import errands
        from newsletter.subscribing import mailroom

        return errands.Errand(self.mailroom.work_off, name="letters", rest=mailroom.REST)

    @cached_property
    def hall(self) -> joining.Hall:
        """Return where people come in."""
        from newsletter.domain import allowances
        from newsletter.subscribing import joining

        is_kept = self.settings.web.visitor_addresses == "truncated"
        keep = allowances.truncated if is_kept else allowances.nothing
        return joining.Hall(self.directory, self.letters, self.limiter, self.signer, keep=keep)

    def examine_forms(self) -> Diagnosis:
        """Look whether the public forms were used up within a day."""
        from newsletter.subscribing import joining

        return joining.examine(self.limiter, now=self.now())

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
        return rounds.Rounds(waiting, self.limiter, self.directory, self.letters)

    def keep_watch(self, queue: Clockwork, remind: Callable[[], None] | None) -> None:
        """Have the clock of a service do what is due, the rounds among it."""
        from newsletter.queues import triggers

        super().keep_watch(queue, remind)
        queue.every(triggers.every(_ROUNDS), self.in_turn("rounds", _ROUNDS, self._go_rounds), name="rounds")

    def _go_rounds(self) -> None:
        """Go the rounds; a database that does not answer is asked again next time."""
        try:
            self.rounds.go(now=self.now())
            self.errand.call()
        except errors.NewsletterError as error:
            _log.error("rounds: %s", error, extra={"action": "rounds"})

    def examine_letters(self) -> Diagnosis:
        """Say whether letters about subscriptions come through.

        Raises:
            StoreError: the database is unreachable, or not migrated to this version.
        """
        from newsletter.subscribing import mailroom

        return mailroom.examine(self.letters, now=self.now())

    def data(self, person: Subscriber) -> Mapping[str, object]:
        """Return everything that is kept about one person."""
        from newsletter.subscribing import privacy

        return privacy.data(self.directory, self.registrar, self.letters, self.feedback_book, person=person)

    def _carry(self, written: Mapping[int, Written]) -> Sequence[deliveries.Receipt]:
        from newsletter.sending.notes import Note
        from newsletter.subscribing import mailroom

        notes = {
            number: Note(
                to=each.to,
                name=each.name,
                subject=each.subject,
                text=each.text,
                key=f"letter.{self.signer.keyed_hash(f'letter {number}')[:20]}",
                at=each.letter.asked_at,
            )
            for number, each in written.items()
        }
        return self.messenger.carry(notes, patience=mailroom.PATIENCE)

    def _latest(self) -> str:
        """Return the address of the newest issue that went out."""
        out = (mailing.number for mailing in self.ledger.mailings() if mailing.is_public)
        sent = max(out, default=None)
        return f"{self.publication.url}/issues/{sent.slug}" if sent else ""
