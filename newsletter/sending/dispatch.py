"""Dispatch: what one sender hands over and gets back, turn by turn of the ledger's group commit.

At any moment at most `Options.window` deliveries are claimed and not settled: waiting in the queue,
in the air, or answered and not committed. That is what a killed process leaves in doubt.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter import ports
from newsletter.domain import buckets, deliveries, errors, messages, retries
from newsletter.domain.deliveries import Claimed, MailingStatus, Outcome, State
from newsletter.domain.verdicts import Kind, Scope
from newsletter.sending import pacing, watching
from newsletter.sending.merging import Merging

#: Seconds between two looks at the ledger when there is nothing to record: a pause is seen by then.
_TICK = 1.0
#: Seconds that let others on the event loop have their turn.
_AT_ONCE = 0.001
#: Seconds that an answer waits for others before it is committed.
_LINGER = 0.1
#: A delivery whose domain must wait longer than this goes back to the ledger instead of holding a place.
_HORIZON = 1.0
#: And comes back after so long at the latest, as rates change.
_LONGEST_PUT_OFF = 900.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a sender goes about its mailing."""

    #: Deliveries that may be in doubt at once.
    window: int = 64
    #: Wait for deliveries that are to be tried again, until all are settled.
    wait: bool = False
    #: Seconds for which a database that cannot be written is tried again.
    patience: float = 60.0
    policy: retries.Policy = field(default_factory=retries.Policy)
    limits: watching.Limits = field(default_factory=watching.Limits)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Time, chance and who we are, as `wiring` knows them."""

    now: Callable[[], datetime]
    #: Seconds of a clock that never goes back.
    steady: Callable[[], float]
    rng: random.Random
    #: This process, as `ports.Lease.owner` has it.
    owner: str


class Dispatch:
    """`ports.Feed` over the ledger: merges what is claimed, settles what is answered."""

    def __init__(
        self,
        ledger: ports.Ledger,
        merging: Merging,
        paces: pacing.Pacing,
        *,
        mailing: int,
        options: Options,
        around: Surroundings,
    ) -> None:
        self._ledger, self._merging, self._paces = ledger, merging, paces
        self._mailing, self._options, self._around = mailing, options, around
        self._batch = max(1, options.window // 4)
        self._watch = watching.Watch(options.limits)
        self._queue: deque[Claimed] = deque()
        self._air: dict[int, tuple[Claimed, datetime, bytes]] = {}
        self._outcomes: list[Outcome] = []
        #: The Date of messages merged in this turn.
        self._dated = around.now().replace(microsecond=0)
        #: On the steady clock: when the ledger was last asked, and when to claim again after it ran dry.
        self._asked_at = around.steady() - _TICK
        self._claim_at = 0.0
        self._trouble_since: float | None = None
        #: Until when deliveries that we put off ourselves come back.
        self._put_off_until = around.now()
        self._next_due: datetime | None = None
        #: Whether everything in the queue waits for its domain, so that others may be claimed past it.
        self._stuck = False
        #: Whether the last turn gave all it was asked for, so that there may be more.
        self._more = False
        self._closing = False
        #: Whether it was closed: everything that had an answer is settled.
        self.closed = False
        self._changed = asyncio.Event()
        self._flushing: asyncio.TimerHandle | None = None
        #: What became of deliveries so far, by state; planned are those that will be tried again.
        self.counts: Counter[State] = Counter()
        #: Why the mailing was stopped, in words for people.
        self.stopped = ""
        #: The status that another process gave the mailing meanwhile.
        self.status = MailingStatus.SENDING
        #: The database's error that ended it.
        self.failure: errors.StoreError | None = None

    @property
    def next_due(self) -> datetime | None:
        """When the next delivery will be due, where the ledger ran dry before the mailing's end."""
        return self._next_due

    # What a provider calls

    def take(self) -> messages.Message | None:
        """Return the next message to hand over, or None when none may go now."""
        if self._closing:
            return None
        if not self._queue:
            self._refill()
            if not self._queue:
                return None
        if not self._paces.idle and not self._may_go():
            if self._stuck:
                self._refill()
            if not self._stuck or not self._may_go():
                return None
        claimed = self._queue.popleft()
        try:
            message, digest = self._merging.merge(claimed, self._dated)
        except errors.RenderError as error:
            self._refuse(claimed, str(error))
            return self.take()
        self._air[claimed.id] = (claimed, self._dated, digest)
        return message

    def give(self, receipt: deliveries.Receipt) -> None:
        """Take the answer for one message; a second one for the same message is not believed."""
        held = self._air.pop(receipt.delivery, None)
        if held is None:
            return
        claimed, dated, digest = held
        now = self._around.now()
        verdict = receipt.verdict
        if verdict.kind is Kind.ACCEPTED:
            outcome = Outcome(
                claimed.id,
                State.SENT,
                now,
                claimed.attempts + 1,
                claimed.first_tried or now,
                receipt.reply,
                receipt.provider_id,
                None,
                "",
                dated,
                digest,
            )
        else:
            settled = retries.settle(claimed, receipt, self._options.policy, now=now, rng=self._around.rng)
            outcome = settled._replace(merged_at=dated, digest=digest)
        self.counts[outcome.state] += 1
        self._learn(claimed, receipt, outcome)
        self._record(outcome)

    def put_back(self, message: messages.Message) -> None:
        """Take back a message of which not one byte of content was handed over."""
        held = self._air.pop(message.delivery, None)
        if held is not None:
            self._queue.appendleft(held[0])
            self._changed.set()

    async def ready(self) -> bool:
        """Wait until `take` may return a message; False when there will be no more."""
        while True:
            wait = self._patience()
            if wait is None:
                return False
            if wait <= 0:
                return True
            self._changed.clear()
            timer = asyncio.get_running_loop().call_later(wait, self._changed.set)
            try:
                await self._changed.wait()
            finally:
                timer.cancel()

    # What the sender calls

    def stop(self, reason: str) -> None:
        """Hand nothing more over; what is in the air may still be answered."""
        self.stopped = self.stopped or reason
        self._closing = True
        self._changed.set()

    def close(self) -> None:
        """Settle what was answered and give back what was never handed over.

        Raises:
            StoreError: the database could not be written; the deliveries concerned become unknown later.
        """
        self._closing = self.closed = True
        if self._flushing is not None:
            self._flushing.cancel()
        now = self._around.now()
        released = [retries.release(claimed, now=now) for claimed in self._queue]
        self._queue.clear()
        outcomes, self._outcomes = self._outcomes + released, []
        self._ledger.turn(self._mailing, self._lease(now), outcomes, limit=0, now=now)

    # Turns of the group commit

    def _refill(self) -> None:
        """Have a turn if it is worth one: enough answers to commit, or nothing else to wait for."""
        free = self._options.window - len(self._queue) - len(self._air)
        steady = self._around.steady()
        nothing_yet = steady < self._claim_at and (self._air or not self._outcomes or self._in_trouble)
        if nothing_yet or (free < self._batch and self._air):
            return
        self._turn(free)

    def _turn(self, limit: int) -> None:
        now, steady = self._around.now(), self._around.steady()
        outcomes, self._outcomes = self._outcomes, []
        self._asked_at = steady
        try:
            turn = self._ledger.turn(self._mailing, self._lease(now), outcomes, limit=limit, now=now)
        except errors.StoreError as error:
            self._outcomes = outcomes
            self._endure(error, steady)
            return
        self._trouble_since = None
        self._dated = now.replace(microsecond=0)
        self._queue.extend(turn.claimed)
        self._paces.saw(claimed.email for claimed in turn.claimed)
        self.counts[State.SKIPPED] += turn.skipped
        if turn.status is not MailingStatus.SENDING:
            self.status = turn.status
            self.stop(f"the mailing was {turn.status}")
        elif limit > 0:
            dry = len(turn.claimed) + turn.skipped < limit
            self._more = not dry
            self._next_due = turn.next_due if dry else None
            self._claim_at = steady + self._until(turn.next_due, now) if dry else 0.0
        if self._queue:
            self._changed.set()

    def _until(self, due: datetime | None, now: datetime) -> float:
        """Return the seconds after which to ask a dry ledger again."""
        if due is None:
            return _TICK
        # Never at once: on PostgreSQL the due ones may be in another sender's hands this moment.
        return min(_TICK, max(_LINGER, (due - now).total_seconds()))

    def _endure(self, error: errors.StoreError, steady: float) -> None:
        """Try a database in trouble again for a while; nothing new is handed over meanwhile."""
        self._trouble_since = steady if self._trouble_since is None else self._trouble_since
        self._claim_at = steady + _TICK
        if steady - self._trouble_since >= self._options.patience:
            self.failure = error
            self.stop(str(error))

    def _lease(self, now: datetime) -> ports.Lease:
        return ports.Lease(owner=self._around.owner, until=now + ports.LEASE)

    def _record(self, outcome: Outcome) -> None:
        """Keep an outcome for the next turn, which comes soon whatever happens."""
        self._outcomes.append(outcome)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(_LINGER, self._flush)
        if not self._air or len(self._outcomes) >= self._batch:
            self._changed.set()

    def _flush(self) -> None:
        self._flushing = None
        if self._outcomes and not (self._in_trouble and self._around.steady() < self._claim_at):
            self._turn(0)
        if self._outcomes:
            self._flushing = asyncio.get_running_loop().call_later(_TICK, self._flush)

    @property
    def _in_trouble(self) -> bool:
        return self._trouble_since is not None

    def _look(self) -> None:
        """Ask the ledger, if that is due."""
        if not self._queue:
            self._refill()
        elif self._around.steady() - self._asked_at >= _TICK:
            self._turn(0)

    def _patience(self) -> float | None:
        """Return the seconds after which `take` is worth a try (0: now), or None when all is over."""
        if not self._closing:
            self._look()
        if self._closing:
            return None
        if self._queue:
            wait = self._wait_of_next()
            if self._stuck:
                self._refill()
                wait = self._wait_of_next()
            return wait
        if self._more and not self._air:
            return _AT_ONCE
        if self._air or self._outcomes or self._in_trouble:
            return _TICK
        if self._next_due is None or not self._worth_waiting(self._next_due):
            return None
        return max(_LINGER, min(_TICK, self._claim_at - self._around.steady()))

    def _worth_waiting(self, due: datetime) -> bool:
        soon = self._around.now() + timedelta(seconds=_TICK)
        return self._options.wait or due <= max(self._put_off_until, soon)

    # Pace

    def _may_go(self) -> bool:
        """Bring a delivery that may go now to the head of the queue, and count it; False where none may."""
        now = self._around.steady()
        if self._wait_of_next() > 0:
            return False
        self._paces.spend(self._queue[0].email, now)
        return True

    def _wait_of_next(self) -> float:
        """Return the seconds until the next message may go, after a look at every domain in the queue."""
        if self._paces.idle:
            return 0.0
        now = self._around.steady()
        soonest = _TICK
        ahead: Counter[buckets.Yielding] = Counter()
        for _ in range(len(self._queue)):
            pace = self._paces.slow(self._queue[0].email)
            if pace is None or (wait := pace.wait(now, ahead=ahead[pace])) <= 0:
                self._stuck = False
                return min(_TICK, self._paces.wait(now))
            claimed = self._queue.popleft()
            if wait > _HORIZON or ahead.total() >= self._batch:
                self._put_off(claimed, pace.book(now, ahead=ahead[pace]))
            else:
                ahead[pace] += 1
                soonest = min(soonest, wait)
                self._queue.append(claimed)
        self._stuck = True
        return soonest if self._queue else _AT_ONCE

    def _put_off(self, claimed: Claimed, wait: float) -> None:
        """Give a delivery back until its domain's turn, so that it holds up no other."""
        now = self._around.now()
        due = now + timedelta(seconds=min(wait, _LONGEST_PUT_OFF))
        self._put_off_until = max(self._put_off_until, due)
        self._record(retries.release(claimed, now=now, not_before=due))

    # What answers teach

    def _learn(self, claimed: Claimed, receipt: deliveries.Receipt, outcome: Outcome) -> None:
        verdict = receipt.verdict
        if verdict.kind is not Kind.ACCEPTED or not self._paces.idle:
            self._paces.note(claimed.email, receipt, self._around.steady())
        if verdict.kind is Kind.STOP and verdict.scope is not Scope.DOMAIN:
            self.stop(f"{verdict.reason}: “{receipt.reply}”" if receipt.reply else verdict.reason)
        elif reason := self._watch.look(verdict.kind, outcome.reply):
            self.stop(reason)

    def _refuse(self, claimed: Claimed, reason: str) -> None:
        """Settle a delivery whose message cannot be written."""
        now = self._around.now()
        outcome = Outcome(
            delivery=claimed.id,
            state=State.FAILED,
            at=now,
            attempts=claimed.attempts + 1,
            first_tried=claimed.first_tried or now,
            reply=reason,
            merged_at=self._dated,
        )
        self.counts[State.FAILED] += 1
        self._record(outcome)
