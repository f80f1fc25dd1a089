"""On duty: carry out whatever mailing is due, hold what is overdue, and come back to what could not go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter import ports
from newsletter.domain import errors
from newsletter.domain.deliveries import Mailing, MailingStatus
from newsletter.sending import owners, sender, sharing

_log = logging.getLogger(__name__)
#: After a failure to reach the provider or the database: doubled each time, up to the longest.
_REST = timedelta(seconds=30)
_LONGEST_REST = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What was agreed about mailings that go out by themselves."""

    #: How late a scheduled mailing may begin, as after a service that was down.
    max_late: timedelta
    #: How many processes share a mailing, at most.
    senders: int = 1


class Duty:
    """Looks for due mailings and carries each out, one task a mailing."""

    def __init__(
        self,
        ledger: ports.Ledger,
        sender_for: Callable[[Mailing], sender.Sender],
        *,
        terms: Terms,
        clock: ports.Clock,
        alarm: Callable[[Mailing], object] = lambda mailing: None,
    ) -> None:
        """Take what was agreed; ``alarm`` is called, in a thread, with a mailing that paused by itself."""
        self._ledger, self._sender_for = ledger, sender_for
        self._terms, self._clock, self._alarm = terms, clock, alarm
        self._running: dict[int, tuple[sender.Sender, asyncio.Task[None]]] = {}
        self._failures: dict[int, int] = {}
        self._rest_until: dict[int, datetime] = {}
        #: Mailing → senders that are gone, and whose deliveries were taken back.
        self._buried: dict[int, set[str]] = {}
        self._stopping = False

    def scheduled(self) -> list[Mailing]:
        """Return the mailings whose time is to come."""
        return [one for one in self._ledger.mailings() if one.status is MailingStatus.SCHEDULED]

    def look(self) -> None:
        """Begin every mailing that waits for a sender."""
        for mailing in self.waiting():
            if mailing.id not in self._running:
                self._begin(mailing)

    def waiting(self) -> list[Mailing]:
        """Return the mailings that are due and could do with one more sender, as far as this process knows.

        Before that, what dead senders left is taken back, and what is overdue is held.
        """
        if self._stopping:
            return []
        now = self._clock()
        self._take_back(now)
        return [mailing for mailing in self._ledger.due(now) if self._is_wanting(mailing, now)]

    def at_work(self, mailing: Mailing) -> int:
        """Count those who are sending a mailing, here or elsewhere."""
        return len(sharing.at_work(self._ledger, mailing.id, now=self._clock()))

    async def join(self, number: int) -> bool:
        """Carry out a share of a mailing until there is nothing more to do for this process.

        Return False where another process is needed for it: this one is at it already, or takes a rest.
        """
        now = self._clock()
        mailing = next((one for one in self._ledger.due(now) if one.id == number), None)
        if self._stopping or mailing is None:
            return True
        if number in self._running or now < self._rest_until.get(number, now):
            return False
        if self._is_wanting(mailing, now):
            # Whoever asked may be broken off, and the sender goes on.
            await asyncio.shield(self._begin(mailing))
        return True

    async def stop(self) -> None:
        """Let every sender finish what is in the air; what is open goes on after the next start."""
        self._stopping = True
        for working, _ in self._running.values():
            working.stop(sender.BY_SYSTEM)
        tasks = [task for _, task in self._running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=sender.DRAIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing that was begun is under way."""
        while self._running:
            await asyncio.wait([task for _, task in self._running.values()])

    def _is_wanting(self, mailing: Mailing, now: datetime) -> bool:
        if now < self._rest_until.get(mailing.id, now):
            return False
        if self._is_overdue(mailing, now):
            self._hold(mailing, now)
            return False
        return self.at_work(mailing) < self._terms.senders

    def _is_overdue(self, mailing: Mailing, now: datetime) -> bool:
        due = mailing.due_at if mailing.status is MailingStatus.SCHEDULED else None
        return due is not None and now - due > self._terms.max_late

    def _take_back(self, now: datetime) -> None:
        """Take back what was in the air with senders that are gone, once for each of them.

        Their leases stay in the ledger, and tell the same at every look.
        """
        for mailing in self._ledger.mailings():
            if mailing.status is not MailingStatus.SENDING:
                self._buried.pop(mailing.id, None)
                continue
            leases = self._ledger.senders(mailing.id)
            gone = {one.owner for one in leases if one.until <= now or owners.is_dead(one.owner)}
            if mailing.id in self._running:
                # A machine that slept: its own sender renews the lease at its next turn.
                gone.discard(owners.own())
            if gone - self._buried.get(mailing.id, set()) and not self._recover(mailing):
                continue
            self._buried[mailing.id] = gone

    def _recover(self, mailing: Mailing) -> bool:
        try:
            self._sender_for(mailing).recover(mailing.id)
        except errors.ProviderError as error:
            _log.error("issue %s: %s", mailing.number, error, extra={"action": "recover"})
            return False
        return True

    def _hold(self, mailing: Mailing, now: datetime) -> None:
        reason = f"it was due on {mailing.due_at:%Y-%m-%d at %H:%M} UTC, when nobody was there to send it"
        self._ledger.set_status(mailing.id, MailingStatus.HELD, reason=reason, now=now)
        _log.warning("issue %s is held: %s", mailing.number, reason, extra={"action": "hold"})

    def _begin(self, mailing: Mailing) -> asyncio.Task[None]:
        working = self._sender_for(mailing)
        task = asyncio.create_task(self._carry_out(working, mailing))
        self._running[mailing.id] = working, task
        task.add_done_callback(lambda _: self._running.pop(mailing.id))
        return task

    async def _carry_out(self, working: sender.Sender, mailing: Mailing) -> None:
        await self._send(working, mailing)
        try:
            found = self._ledger.get(mailing.id)
        except errors.StoreError:
            return
        if found.status is MailingStatus.PAUSED and working.paused:
            await asyncio.to_thread(self._alarm, found)

    async def _send(self, working: sender.Sender, mailing: Mailing) -> None:
        extra = {"action": "send"}
        _log.info("issue %s: sending", mailing.number, extra=extra)
        try:
            result = await working.send(mailing.id, resume=False)
        except (errors.ProviderRefusedError, errors.MailingError, errors.RenderError) as error:
            working.paused = True
            self._pause(mailing, str(error))
        except (errors.ProviderError, errors.StoreError) as error:
            self._put_off(mailing, str(error))
        else:
            self._failures.pop(mailing.id, None)
            if result.resumes_at is not None:
                self._rest_until[mailing.id] = result.resumes_at
            states = ", ".join(f"{number} {state}" for state, number in result.tally.states.items() if number)
            _log.info("issue %s is %s: %s", mailing.number, result.mailing.status, states, extra=extra)

    def _pause(self, mailing: Mailing, reason: str) -> None:
        """Leave a mailing to a person."""
        _log.error("issue %s is paused: %s", mailing.number, reason, extra={"action": "pause"})
        try:
            self._ledger.set_status(mailing.id, MailingStatus.PAUSED, reason=reason, now=self._clock())
        except errors.NewsletterError as error:
            _log.error("issue %s: %s", mailing.number, error, extra={"action": "pause"})

    def _put_off(self, mailing: Mailing, reason: str) -> None:
        """Try a mailing again later, when the provider or the database may be back."""
        failures = self._failures[mailing.id] = self._failures.get(mailing.id, 0) + 1
        rest = min(_REST * 2 ** min(failures - 1, 10), _LONGEST_REST)
        self._rest_until[mailing.id] = self._clock() + rest
        minutes = rest.total_seconds() / 60
        _log.warning(
            "issue %s goes on in %.1f min: %s", mailing.number, minutes, reason, extra={"action": "put off"}
        )
