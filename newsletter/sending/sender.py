"""Carry out a mailing: recover what a dead sender left, hand over until the ledger is dry, account for it."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter import ports
from newsletter.domain import deliveries, errors, publications, tokens, warmup
from newsletter.domain.deliveries import Mailing, MailingStatus, State
from newsletter.sending import dispatch, fitness, owners, pacing, sharing
from newsletter.sending.merging import Merging
from newsletter.sending.window import Surroundings, Window

#: Seconds for which messages in the air are waited for once somebody said stop.
DRAIN = 30.0
#: Why a sender was told to stop. By hand, the mailing stays paused; by the system, it goes on after it.
BY_HAND = "stopped by Ctrl-C"
BY_SYSTEM = "stopped by the system"


@dataclass(frozen=True, kw_only=True)
class Result:
    """How far a mailing has come when its sender leaves."""

    tally: deliveries.Tally
    #: What became of deliveries in this run.
    counts: Mapping[State, int]
    #: Deliveries in doubt that an earlier sender left behind.
    recovered: int = 0
    #: Why it ended before everybody was served; empty when it did not.
    stopped: str = ""
    #: When it may go on, where that is known.
    resumes_at: datetime | None = None

    @property
    def mailing(self) -> Mailing:
        """The mailing as it stands now."""
        return self.tally.mailing


class Sender:
    """One process's part in one mailing."""

    def __init__(
        self,
        ledger: ports.Ledger,
        provider: ports.Provider,
        publication: publications.Publication,
        signer: tokens.Signer,
        *,
        options: dispatch.Options,
        around: Surroundings,
    ) -> None:
        self._ledger, self._provider = ledger, provider
        self._publication, self._signer = publication, signer
        self._options, self._around = options, around
        self._feed: dispatch.Dispatch | None = None
        self._allowance: warmup.Allowance | None = None
        self._stopped = ""
        #: Whether it paused the mailing for a reason of its own, and not by a person's hand.
        self.paused = False

    @property
    def counts(self) -> Mapping[State, int]:
        """What became of deliveries so far."""
        return self._feed.counts if self._feed else {}

    def stop(self, reason: str) -> None:
        """Hand nothing more over, and wait for the answers to what is in the air."""
        self._stopped = reason
        if self._feed is not None:
            self._feed.stop(reason, pauses=reason != BY_SYSTEM)

    async def send(self, mailing: int, *, rate: float | None = None, resume: bool = True) -> Result:
        """Send everything that is due; ``rate`` goes before the mailing's own.

        Without ``resume`` a mailing that a person stopped is left alone.

        Raises:
            MailingError: the mailing is over, or a message is larger than the provider takes.
            ProviderError: the provider cannot be reached, or will not have us.
            StoreError: the database cannot be written; nothing is lost.
        """
        await self._provider.probe()
        self._require_fitness(mailing)
        found = self._ledger.begin(mailing, now=self._around.now(), resume=resume)
        if found.status is not MailingStatus.SENDING:
            return Result(
                tally=self._ledger.tally(mailing), counts={}, stopped=f"the mailing was {found.status}"
            )
        recovered = self._recover(mailing)
        window = self._window(mailing)
        feed = self._open(window, found, found.rate if rate is None else rate)
        # What lives now outlives the mailing; the collector need not look through it again and again.
        gc.freeze()
        try:
            await self._hand_over(feed, mailing)
        except errors.ProviderRefusedError as error:
            feed.stop(str(error))
            raise
        finally:
            gc.unfreeze()
            self._close(feed, window, mailing)
        return self._result(mailing, feed, recovered)

    async def _hand_over(self, feed: dispatch.Dispatch, mailing: int) -> None:
        """Have the provider draw from the feed, which hears meanwhile of the ledger and of other senders."""
        beside = [asyncio.create_task(feed.keep())]
        if self._options.rates.domains:
            counting = sharing.count(lambda: 1 + self._others(mailing), feed.share)
            beside.append(asyncio.create_task(counting))
        try:
            await self._provider.send(feed)
        finally:
            for task in beside:
                task.cancel()

    def _others(self, mailing: int) -> int:
        return sharing.others(self._ledger, mailing, self._around.owner, now=self._around.now())

    def _window(self, mailing: int) -> Window:
        options, limits = self._options, self._provider.limits
        # A batch that is cut to the window would cost a call for a handful of messages.
        size = max(options.window, limits.in_flight) if limits.batch > 1 else options.window
        return Window(self._ledger, mailing, size=size, patience=options.patience, around=self._around)

    def _open(self, window: Window, mailing: Mailing, rate: float) -> dispatch.Dispatch:
        rates = dataclasses.replace(self._options.rates, mailing=rate)
        account = sharing.Account(ledger=self._ledger, provider=mailing.provider, now=self._around.now)
        self._allowance = self._day(account)
        feed = dispatch.Dispatch(
            window,
            self._merging(mailing.id),
            pacing.Pacing(rates, now=self._around.steady(), book=account.booking(rate)),
            options=self._options,
            around=self._around,
            allowance=self._allowance,
        )
        self._feed = feed
        if self._stopped:
            self.stop(self._stopped)
        return feed

    def _day(self, account: sharing.Account) -> warmup.Allowance | None:
        """Return what is left of the day's cap, over all mailings by a provider."""
        warm_up, zone, now = self._options.warm_up, self._options.zone, self._around.now()
        if warm_up is None:
            return None
        history = self._ledger.handed_over(account.provider, since=warmup.midnight(now, zone))
        return warmup.Allowance(warm_up, account, history=history, now=now, zone=zone)

    def _merging(self, mailing: int) -> Merging:
        return Merging(
            self._ledger.template(mailing),
            self._publication,
            self._signer,
            mailing=mailing,
            raw=self._provider.limits.raw,
            parts=self._provider.limits.parts,
        )

    def recover(self, mailing: int) -> int:
        """Take back what dead senders left in the air; return how many deliveries that were.

        The mailing is done where nothing is open after that.
        """
        recovered = self._recover(mailing)
        self._finish(mailing)
        return recovered

    def _recover(self, mailing: int) -> int:
        return self._ledger.recover(
            mailing,
            dead=owners.is_dead,
            after_crash=self._options.policy.after_crash,
            now=self._around.now(),
        )

    def _close(self, feed: dispatch.Dispatch, window: Window, mailing: int) -> None:
        """Settle what can be settled, and pause the mailing where it stopped for a reason of its own."""
        try:
            feed.close()
            if self._allowance is not None:
                self._allowance.close()
        except errors.StoreError as error:
            raise window.failure or error from None
        if feed.pauses and window.status is MailingStatus.SENDING:
            reason, now = feed.stopped, self._around.now()
            self.paused = reason != BY_HAND
            self._ledger.set_status(mailing, MailingStatus.PAUSED, reason=reason, now=now)

    def _result(self, mailing: int, feed: dispatch.Dispatch, recovered: int) -> Result:
        return Result(
            tally=self._finish(mailing),
            counts=feed.counts,
            recovered=recovered,
            stopped=feed.stopped,
            resumes_at=feed.resumes_at,
        )

    def _finish(self, mailing: int) -> deliveries.Tally:
        """Close a mailing in which nothing is open any more; return how it stands."""
        self._ledger.finish(mailing, now=self._around.now())
        return self._ledger.tally(mailing)

    def _require_fitness(self, mailing: int) -> None:
        """Refuse what the provider cannot carry, by its own word, before the first message is sent."""
        fitness.require(
            self._ledger.template(mailing),
            self._provider.limits,
            self._publication,
            self._signer,
            now=self._around.now(),
        )


async def drain(sending: asyncio.Task[Result], *, seconds: float = DRAIN) -> None:
    """Wait for a sender that was told to stop; break it off when the answers do not come."""
    done, _ = await asyncio.wait({sending}, timeout=seconds)
    if not done:
        sending.cancel()
