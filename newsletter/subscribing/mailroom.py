"""The mailroom: letters that wait are put into words, handed over, and accounted for."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from newsletter import ports
from newsletter.domain import deliveries, diagnoses, errors, letters, verdicts
from newsletter.domain.letters import Letter
from newsletter.subscribing.letters import Writer, Written

_log = logging.getLogger(__name__)
#: Letters that are claimed and handed over together: as many a killed process leaves in doubt.
BATCH = 20
#: How long one hand-over may take; the claim holds for longer, so that nobody else hands over the same.
PATIENCE = timedelta(minutes=4)
LEASE = PATIENCE + timedelta(minutes=1)
#: Between two looks for letters that other processes put down, or left behind.
LOOK = timedelta(seconds=10)
#: After a provider that takes nothing at present.
REST = timedelta(seconds=30)
#: How long the oldest may wait before somebody should look, and how far back failures are told of.
_STUCK, _LATELY = timedelta(minutes=15), timedelta(days=7)
#: How long one can read what became of a letter.
KEPT = timedelta(days=40)


class Book(Protocol):
    """Letters, from the act that calls for them until they are settled."""

    def put(self, letter: Letter) -> None:
        """Put a letter down that no other change calls for."""
        ...

    def claim(
        self, lease: ports.Lease, *, dead: Callable[[str], bool], limit: int, now: datetime
    ) -> Sequence[Letter]:
        """Make due letters the owner's until the lease is over, oldest first; no two are given the same.

        Those of an owner who is dead are due again.
        """
        ...

    def addressees(self, wanted: Sequence[Letter]) -> Mapping[int, letters.Addressee]:
        """Return by the id of each letter whom it is for; nothing for whom nobody knows any more."""
        ...

    def settle(self, owner: str, outcomes: Sequence[deliveries.Outcome]) -> None:
        """Write what claimed letters came to; one whose lease is over and that is somebody else's is left."""
        ...

    def next_due(self) -> datetime | None:
        """Return when the next letter is due, or a claim is over; None where none waits."""
        ...

    def of(self, subscriber: int) -> Sequence[Letter]:
        """Return the letters to a subscriber, oldest first."""
        ...

    def standing(self, *, since: datetime) -> letters.Standing:
        """Say how the letters stand, and what could not be brought since a time."""
        ...

    def prune(self, before: datetime) -> int:
        """Delete letters that were settled before a moment; return how many there were."""
        ...


class Carry(Protocol):
    """Hands letters in words over to a provider."""

    def __call__(self, written: Mapping[int, Written]) -> Sequence[deliveries.Receipt]:
        """Return one receipt for each, by the letter's id.

        Raises:
            ProviderError: there is no provider to hand them to.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the mailroom stands in."""

    now: ports.Clock
    rng: random.Random
    #: Name of this process, and what says that another one is gone.
    owner: str
    dead: Callable[[str], bool]


class Mailroom:
    """Works the letters off; many processes may, and no letter is handed over by two."""

    def __init__(self, book: Book, writer: Writer, carry: Carry, *, around: Surroundings) -> None:
        self._book = book
        self._writer, self._carry = writer, carry
        self._around = around

    def work_off(self) -> timedelta:
        """Hand over every letter that is due; return how long to rest before the next look.

        Raises:
            StoreError: the database does not answer; nothing is lost.
        """
        while batch := self._claim():
            if not self._bring(batch):
                return REST
        due = self._book.next_due()
        return LOOK if due is None else min(max(due - self._around.now(), timedelta()), LOOK)

    def _claim(self) -> Sequence[Letter]:
        now = self._around.now()
        lease = ports.Lease(owner=self._around.owner, until=now + LEASE)
        return self._book.claim(lease, dead=self._around.dead, limit=BATCH, now=now)

    def _bring(self, batch: Sequence[Letter]) -> bool:
        """Hand letters over and settle them; False when the provider takes nothing at present."""
        outcomes: list[deliveries.Outcome] = []
        written: dict[int, Written] = {}
        addressees = self._book.addressees(batch)
        for letter in batch:
            words = self._words(letter, addressees.get(letter.id))
            if isinstance(words, Written):
                written[letter.id] = words
            else:
                outcomes.append(words)
        receipts = self._receipts(written)
        by_id = {letter.id: letter for letter in batch}
        outcomes += [self._settled(by_id[receipt.delivery], receipt) for receipt in receipts]
        self._book.settle(self._around.owner, outcomes)
        return not receipts or any(not _is_trouble(receipt) for receipt in receipts)

    def _words(self, letter: Letter, addressee: letters.Addressee | None) -> Written | deliveries.Outcome:
        why = letters.why_not(letter, addressee) if addressee else "erased since"
        if addressee is None or why:
            return letters.skip(letter, why, now=self._around.now())
        try:
            return self._writer.write(letter, addressee.person)
        except errors.RenderError as error:
            # A template of the workspace's own that is broken may be mended within the day.
            _log.error("a letter could not be written: %s", error, extra={"action": "letter"})
            retry = verdicts.Verdict(kind=verdicts.Kind.RETRY)
            return self._settled(letter, deliveries.Receipt(letter.id, retry, str(error)))

    def _receipts(self, written: Mapping[int, Written]) -> Sequence[deliveries.Receipt]:
        try:
            return self._carry(written) if written else []
        except errors.NewsletterError as error:
            retry = verdicts.Verdict(kind=verdicts.Kind.RETRY, scope=verdicts.Scope.MAILING)
            return [deliveries.Receipt(number, retry, str(error)) for number in written]

    def _settled(self, letter: Letter, receipt: deliveries.Receipt) -> deliveries.Outcome:
        outcome = letters.settle(letter, receipt, now=self._around.now(), rng=self._around.rng)
        if outcome.state is not deliveries.State.SENT:
            # Neither address nor reply: a reply likes to repeat the address.
            _log.warning(
                "letter %d (%s) to subscriber %d is %s after %d tries",
                letter.id,
                letter.kind.value,
                letter.subscriber,
                outcome.state.value,
                outcome.attempts,
                extra={"action": "letter"},
            )
        return outcome


def examine(book: Book, *, now: datetime) -> diagnoses.Diagnosis:
    """Say whether letters come through."""
    concern = diagnoses.Concern("letters")
    found = book.standing(since=now - _LATELY)
    oldest, last = found.oldest, found.last_failed
    if oldest is not None and now - oldest.asked_at > _STUCK:
        why = f": {oldest.reply}" if oldest.reply else ""
        fix = "see what is said of the provider" if oldest.attempts else "newsletter serve sends them"
        since = f"{oldest.asked_at:%Y-%m-%d %H:%M} UTC"
        return concern.doubtful(f"{found.waiting:,} wait, the oldest since {since}{why}", fix)
    if last is not None:
        said = f"{found.failed:,} did not come through in {_LATELY.days} days, the last: {last.reply}"
        return concern.doubtful(said, "newsletter subscriber show ADDRESS lists the letters to a person")
    return concern.holds(f"{found.waiting:,} wait" if found.waiting else "none waits")


def _is_trouble(receipt: deliveries.Receipt) -> bool:
    """Say whether an answer tells of the provider rather than of one recipient."""
    verdict = receipt.verdict
    return verdict.kind is verdicts.Kind.STOP or (
        verdict.scope is verdicts.Scope.MAILING and verdict.kind is not verdicts.Kind.ACCEPTED
    )
