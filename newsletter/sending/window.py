"""The window: what one sender has claimed and not settled, and the turns that move it on.

At any moment at most so many deliveries are waiting in the queue, in the air, or answered and not
committed. That is what a killed process leaves in doubt.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from newsletter import ports
from newsletter.domain import deliveries, errors, retries
from newsletter.domain.deliveries import Claimed, MailingStatus, Outcome

#: Seconds between two looks at the ledger when there is nothing to record: a pause is seen by then.
TICK = 1.0
#: Seconds that an answer waits for others before it is committed.
LINGER = 0.1


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Time, chance and who we are, as `wiring` knows them."""

    now: Callable[[], datetime]
    #: Seconds of a clock that never goes back.
    steady: Callable[[], float]
    rng: random.Random
    #: This process, as `ports.Lease.owner` has it.
    owner: str


class Window:
    """Deliveries between their claim and the commit of what they came to."""

    def __init__(
        self, ledger: ports.Ledger, mailing: int, *, size: int, patience: float, around: Surroundings
    ) -> None:
        """Take the most that may be in doubt, and the seconds that a broken database is tried again."""
        self._ledger, self._mailing, self._around = ledger, mailing, around
        self._size, self._patience = size, patience
        #: Answers that are worth a commit of their own.
        self.batch = max(1, size // 4)
        #: Claimed, in the order in which they are to go.
        self.queue: deque[Claimed] = deque()
        #: Handed over: with the Date and the digest of the message.
        self.air: dict[int, tuple[Claimed, datetime, bytes]] = {}
        #: Answered, or given back, and not committed.
        self.outcomes: list[Outcome] = []
        #: The Date of messages merged in this turn.
        self.dated = around.now().replace(microsecond=0)
        #: The status that the mailing had at the last turn.
        self.status = MailingStatus.SENDING
        #: Whether the last turn gave all it was asked for, so that there may be more.
        self.more = True
        #: When the next delivery will be due, where the ledger ran dry before the mailing's end.
        self.next_due: datetime | None = None
        #: The error of a database that stayed broken.
        self.failure: errors.StoreError | None = None
        self._trouble_since: float | None = None
        #: On the steady clock: when the ledger was last asked, and when to claim again after it ran dry.
        self._asked_at = around.steady() - TICK
        self._claim_at = 0.0

    @property
    def in_trouble(self) -> bool:
        """Whether the database could not be written the last time."""
        return self._trouble_since is not None

    @property
    def is_overdue(self) -> bool:
        """Whether the ledger was not asked for a while: another process may have paused the mailing."""
        return self._around.steady() - self._asked_at >= TICK

    @property
    def seconds_to_claim(self) -> float:
        """Seconds after which to claim again after the ledger ran dry."""
        return self._claim_at - self._around.steady()

    def refill(self) -> deliveries.Turn | None:
        """Have a turn if it is worth one: enough answers to commit, or nothing else to wait for."""
        free = self._size - len(self.queue) - len(self.air)
        waits = self.seconds_to_claim > 0 and (self.air or not self.outcomes or self.in_trouble)
        if waits or (free < self.batch and self.air):
            return None
        return self.turn(free)

    def flush(self) -> deliveries.Turn | None:
        """Commit the answers that are there, unless the database is being left alone for a moment."""
        if not self.outcomes or (self.in_trouble and self.seconds_to_claim > 0):
            return None
        return self.turn(0)

    def turn(self, limit: int) -> deliveries.Turn | None:
        """Settle the outcomes and claim up to ``limit`` more; None where the database is in trouble."""
        now, steady = self._around.now(), self._around.steady()
        outcomes, self.outcomes = self.outcomes, []
        self._asked_at = steady
        try:
            turn = self._ledger.turn(self._mailing, self._lease(now), outcomes, limit=limit, now=now)
        except errors.StoreError as error:
            self.outcomes = outcomes
            self._endure(error, steady)
            return None
        self._trouble_since = None
        self.dated = now.replace(microsecond=0)
        self.queue.extend(turn.claimed)
        self.status = turn.status
        if limit > 0 and turn.status is MailingStatus.SENDING:
            self.more = len(turn.claimed) + turn.skipped >= limit
            self.next_due = None if self.more else turn.next_due
            self._claim_at = 0.0 if self.more else steady + _until(turn.next_due, now)
        return turn

    def release(self) -> None:
        """Give back what was claimed and never handed over."""
        now = self._around.now()
        self.outcomes += [retries.release(claimed, now=now) for claimed in self.queue]
        self.queue.clear()

    def close(self) -> None:
        """Commit everything that has an answer, and leave what is in the air to a recovery.

        Raises:
            StoreError: the database cannot be written; the deliveries concerned become unknown later.
        """
        self.release()
        now = self._around.now()
        outcomes, self.outcomes = self.outcomes, []
        self._ledger.turn(self._mailing, self._lease(now), outcomes, limit=0, now=now)
        self._ledger.leave(self._mailing, self._around.owner)

    def _lease(self, now: datetime) -> ports.Lease:
        return ports.Lease(owner=self._around.owner, until=now + ports.LEASE)

    def _endure(self, error: errors.StoreError, steady: float) -> None:
        """Try a database in trouble again for a while; nothing new is handed over meanwhile."""
        self._trouble_since = steady if self._trouble_since is None else self._trouble_since
        self._claim_at = steady + TICK
        if steady - self._trouble_since >= self._patience:
            self.failure = error


def _until(due: datetime | None, now: datetime) -> float:
    """Return the seconds after which to ask a dry ledger again."""
    if due is None:
        return TICK
    # Never at once: on PostgreSQL the due ones may be in another sender's hands this moment.
    return min(TICK, max(LINGER, (due - now).total_seconds()))
