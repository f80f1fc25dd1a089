"""Dispatch: the feed that a provider draws from, merged, paced, settled and watched."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from newsletter.domain import buckets, deliveries, errors, messages, retries, warmup
from newsletter.domain.deliveries import Claimed, MailingStatus, Outcome, State
from newsletter.domain.verdicts import Kind, Scope, Verdict
from newsletter.sending import pacing, watching
from newsletter.sending.merging import Merging
from newsletter.sending.window import LINGER, TICK, Surroundings, Window

#: Seconds that let others on the event loop have their turn.
_AT_ONCE = 0.001
#: A delivery whose domain must wait longer than this goes back to the ledger instead of holding a place.
_HORIZON = 1.0
#: And comes back after so long at the latest, as rates change.
_LONGEST_PUT_OFF = 900.0
# Members of an enumeration are looked up slowly, and these for every message.
_ACCEPTED, _SENT = Kind.ACCEPTED, State.SENT
#: Makes an outcome of its fields, all of them in order: `Outcome` itself would take them one by one.
_outcome: Callable[[tuple[Any, ...]], Outcome] = functools.partial(tuple.__new__, Outcome)
_UNWRITABLE = Verdict(kind=Kind.REJECT, reason="the message cannot be written")


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
    rates: pacing.Rates = field(default_factory=pacing.Rates)
    #: The daily cap of a new sender; None: none.
    warm_up: warmup.WarmUp | None = None
    #: Where the day of that cap begins and ends.
    zone: tzinfo = UTC
    limits: watching.Limits = field(default_factory=watching.Limits)


class Dispatch:
    """`ports.Feed` over the ledger."""

    def __init__(
        self,
        window: Window,
        merging: Merging,
        paces: pacing.Pacing,
        *,
        options: Options,
        around: Surroundings,
        allowance: warmup.Allowance | None = None,
    ) -> None:
        self._window, self._merging, self._paces, self._allowance = window, merging, paces, allowance
        self._options, self._around = options, around
        self._watch = watching.Watch(options.limits)
        #: Whether everything in the queue waits for its domain, so that others may be claimed past it.
        self._stuck = False
        #: Whether nothing is claimed before the next day, as the messages of this one are sent.
        self._resting = False
        #: Until when deliveries that we put off ourselves come back.
        self._put_off_until = around.now()
        #: What was merged before it is asked for, by delivery, and the Date that all of it has.
        self._merged: dict[int, messages.Merged] = {}
        self._merged_for = window.dated
        self._closing = False
        self._changed = asyncio.Event()
        self._flushing: asyncio.TimerHandle | None = None
        self._counts: Counter[State] = Counter()
        self._accepted_count = 0
        #: Why it was stopped, in words for people; whether the mailing is to pause for that, and until when.
        self.stopped = ""
        self.pauses = False
        self.resumes_at: datetime | None = None

    @property
    def counts(self) -> Mapping[State, int]:
        """What became of deliveries so far, by state; planned are those that will be tried again."""
        return self._counts + Counter({State.SENT: self._accepted_count})

    # What a provider calls

    def take(self) -> messages.Message | None:
        """Return the next message to hand over, or None when none may go now."""
        window, allowance = self._window, self._allowance
        queue = window.queue
        while not self._closing:
            if not queue:
                self._refill()
                if not queue:
                    return None
            if allowance is not None and self._is_over_for_today():
                return None
            if not self._paces.idle and not self._may_go():
                return None
            claimed = queue.popleft()
            number = claimed[0]
            merged, dated = self._merged.pop(number, None), self._merged_for
            if merged is None:
                dated = window.dated
                try:
                    merged = self._merging.merge(claimed, dated)
                except errors.RenderError as error:
                    self._refuse(claimed, str(error))
                    continue
            if allowance is not None:
                allowance.spend()
            message, digest = merged
            window.air[number] = (claimed, dated, digest)
            return message
        return None

    def give(self, receipt: deliveries.Receipt) -> None:
        """Take the answer for one message; a second one for the same message is not believed."""
        number, verdict, reply, provider_id = receipt
        held = self._window.air.pop(number, None)
        if held is None:
            return
        claimed, dated, digest = held
        accepted = verdict.kind is _ACCEPTED
        if accepted:
            # What nearly all deliveries come to, without the detour of the others.
            now, attempts, first = self._around.now(), claimed[5], claimed[6]
            self._accepted_count += 1
            self._watch.pass_by()
            outcome = _outcome(
                (number, _SENT, now, attempts + 1, first or now, reply, provider_id, None, "", dated, digest)
            )
        else:
            outcome = self._refused(claimed, receipt)._replace(merged_at=dated, digest=digest)
            self._counts[outcome.state] += 1
        if not accepted or not self._paces.idle:
            self._paces.note(claimed.email, receipt, self._around.steady())
        self._record(outcome)

    def _refused(self, claimed: Claimed, receipt: deliveries.Receipt) -> Outcome:
        """Return what another answer makes of a delivery, and stop where it says so."""
        now, verdict = self._around.now(), receipt.verdict
        outcome = retries.settle(claimed, receipt, self._options.policy, now=now, rng=self._around.rng)
        if verdict.kind is Kind.STOP and verdict.scope is not Scope.DOMAIN:
            self.stop(f"{verdict.reason}: “{receipt.reply}”" if receipt.reply else verdict.reason)
        elif reason := self._watch.look(verdict, outcome.reply):
            self.stop(reason)
        return outcome

    def put_back(self, message: messages.Message) -> None:
        """Take back a message of which not one byte of content was handed over."""
        held = self._window.air.pop(message.delivery, None)
        if held is not None:
            self._window.queue.appendleft(held[0])
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

    def stop(self, reason: str, *, pauses: bool = True) -> None:
        """Hand nothing more over; what is in the air may still be answered."""
        if not self.stopped:
            self.stopped, self.pauses = reason, pauses
        self._closing = True
        self._changed.set()

    def close(self) -> None:
        """Settle what was answered and give back what was never handed over.

        Raises:
            StoreError: the database cannot be written; the deliveries concerned become unknown later.
        """
        self._closing = True
        if self._flushing is not None:
            self._flushing.cancel()
        self._window.close()

    async def keep(self) -> None:
        """Keep the lease and hear of a pause, until cancelled.

        A provider whose connections all wait for an answer asks for nothing, perhaps for longer than
        the lease holds: the final dot alone is given ten minutes.
        """
        while True:
            await asyncio.sleep(TICK)
            if self._window.is_overdue:
                self._after(self._window.turn(0))

    def share(self, senders: int) -> None:
        """Take so many senders to be at work on the mailing."""
        self._paces.share(senders)

    # Turns

    def _refill(self) -> None:
        self._resting = self._resting and self._is_over_for_today()
        if self._resting:
            return
        self._after(self._window.refill())

    def _after(self, turn: deliveries.Turn | None) -> None:
        """See what a turn brought, or that the database stayed broken."""
        if turn is None:
            if self._window.failure is not None:
                self.stop(str(self._window.failure))
            return
        self._paces.saw([claimed.email for claimed in turn.claimed])
        if turn.claimed and self._paces.idle and self._merging.light:
            self._merge_ahead(turn.claimed)
        self._counts[State.SKIPPED] += turn.skipped
        if turn.status is not MailingStatus.SENDING:
            self.stop(f"the mailing was {turn.status}", pauses=False)
        if self._window.queue:
            self._changed.set()

    def _merge_ahead(self, turn: Sequence[Claimed]) -> None:
        """Merge all that a turn brought: one kind of work at a time keeps the processor's caches warm."""
        dated = self._window.dated
        if dated != self._merged_for:
            self._merged, self._merged_for = {}, dated
        # Whoever takes a message that cannot be merged will meet the error.
        self._merged |= self._merging.merge_many(turn, dated)

    def _record(self, outcome: Outcome) -> None:
        """Keep an outcome for the next turn, which comes soon whatever happens."""
        window = self._window
        window.outcomes.append(outcome)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(LINGER, self._flush)
        if not window.air or len(window.outcomes) >= window.batch:
            self._changed.set()

    def _flush(self) -> None:
        self._flushing = None
        self._after(self._window.flush())
        if self._window.outcomes:
            self._flushing = asyncio.get_running_loop().call_later(TICK, self._flush)

    def _patience(self) -> float | None:
        """Return the seconds after which `take` is worth a try (0: now), or None when all is over."""
        if not self._closing:
            self._look()
        window = self._window
        tomorrow = bool(window.queue) and self._is_over_for_today()
        if self._closing:
            return None
        if window.queue:
            return TICK if tomorrow else self._wait_for_pace()
        if window.more and not (window.air or self._resting):
            return _AT_ONCE
        if window.air or window.outcomes or window.in_trouble or self._resting:
            return TICK
        if window.next_due is None or not self._is_worth_waiting():
            return None
        return max(LINGER, min(TICK, window.seconds_to_claim))

    def _look(self) -> None:
        """Ask the ledger, if that is due."""
        if not self._window.queue:
            self._refill()
        elif self._window.is_overdue:
            self._after(self._window.turn(0))

    def _is_worth_waiting(self) -> bool:
        due, soon = self._window.next_due, self._around.now() + timedelta(seconds=TICK)
        return self._options.wait or (due is not None and due <= max(self._put_off_until, soon))

    # Pace

    def _is_over_for_today(self) -> bool:
        """Say whether the day's cap is reached; leave then, or wait for tomorrow with nothing claimed."""
        allowance = self._allowance
        try:
            if allowance is None or allowance.left(self._around.now()):
                return False
        except errors.StoreError:
            # Nothing goes that was not drawn; whether the database stays away, the next turn finds out.
            return True
        if self._options.wait:
            self._rest()
        else:
            self.resumes_at = allowance.resets_at
            self.stop(f"the {allowance.cap:,} messages of the day are sent", pauses=False)
        return True

    def _rest(self) -> None:
        """Give back what is claimed: who leaves meanwhile is seen when it is claimed again."""
        self._resting = True
        queue, now = self._window.queue, self._around.now()
        self._merged.clear()
        while queue:
            self._record(retries.release(queue.popleft(), now=now))

    def _may_go(self) -> bool:
        """Bring a delivery that may go now to the head of the queue, and count it; False where none may."""
        if self._wait_for_pace() > 0 or not self._window.queue:
            return False
        self._paces.spend(self._window.queue[0].email, self._around.steady())
        return True

    def _wait_for_pace(self) -> float:
        """Return the seconds until the next message may go, others claimed past a queue that is stuck."""
        wait = self._wait_of_next()
        if self._stuck:
            self._refill()
            wait = self._wait_of_next()
        return wait

    def _wait_of_next(self) -> float:
        """Return the seconds until the next message may go, after a look at every domain in the queue."""
        if self._paces.idle:
            return 0.0
        now, queue = self._around.steady(), self._window.queue
        soonest = TICK
        ahead: Counter[buckets.Yielding] = Counter()
        for _ in range(len(queue)):
            pace = self._paces.slow(queue[0].email)
            if pace is None or (wait := pace.wait(now, ahead=ahead[pace])) <= 0:
                self._stuck = False
                return min(TICK, self._paces.wait(now))
            claimed = queue.popleft()
            if wait > _HORIZON or ahead.total() >= self._window.batch:
                self._put_off(claimed, pace.book(now, ahead=ahead[pace]))
            else:
                ahead[pace] += 1
                soonest = min(soonest, wait)
                queue.append(claimed)
        self._stuck = True
        return soonest if queue else _AT_ONCE

    def _put_off(self, claimed: Claimed, wait: float) -> None:
        """Give a delivery back until its domain's turn, so that it holds up no other."""
        now = self._around.now()
        due = now + timedelta(seconds=min(wait, _LONGEST_PUT_OFF))
        self._put_off_until = max(self._put_off_until, due)
        self._record(retries.release(claimed, now=now, not_before=due))

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
            merged_at=self._window.dated,
        )
        self._counts[State.FAILED] += 1
        self._record(outcome)
        if too_many := self._watch.look(_UNWRITABLE, reason):
            self.stop(too_many)
