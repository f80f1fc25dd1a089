"""What carries mailings out: providers, senders, the queue, single mails of the house."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib.util
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from newsletter.domain import deliveries, errors
from newsletter.wiring.editing import Editing

if TYPE_CHECKING:
    import asyncio

    from newsletter import ports
    from newsletter.providers import dkim
    from newsletter.queues.local import LocalQueue
    from newsletter.queues.postgres import PostgresQueue
    from newsletter.sending import alarms, auditing, notes, plan, proofs
    from newsletter.sending.duty import Duty
    from newsletter.sending.sender import Sender

_log = logging.getLogger(__name__)
#: Processes that share a mailing on PostgreSQL, unless told otherwise.
_MACHINES = 16
_Result = TypeVar("_Result")


class Delivery(Editing):
    """The rooms of the staff who send."""

    @cached_property
    def planner(self) -> plan.Planner:
        """Return what makes mailings out of orders."""
        return self.planner_of(self.ledger)

    def planner_of(self, ledger: ports.Ledger) -> plan.Planner:
        """Return what makes mailings out of orders, in a ledger of one's own."""
        from newsletter.sending import plan

        skip = self.settings.delivery.skip_approval
        return plan.Planner(
            ledger=ledger,
            clearance=self.clearance,
            skip_approval=skip,
            require_fitness=self._require_fitness,
        )

    def _require_fitness(self, order: plan.Order) -> None:
        from newsletter.sending import fitness

        limits = self.carrier(order.provider).limits
        if self.settings.provider(order.provider).kind == "smtp":
            # What a server takes is known when it is met.
            limits = dataclasses.replace(limits, utf8_addresses=True)
        fitness.require(order.proof.templates, limits, self.publication, self.signer, now=self.now())

    @cached_property
    def audit(self) -> auditing.Audit:
        """Return what checks the ledger of a mailing."""
        from newsletter.sending import auditing

        return auditing.Audit(ledger=self.ledger, publication=self.publication, signer=self.signer)

    def provider(self, name: str = "") -> ports.Provider:
        """Return a provider of the settings, by default the one that delivers.

        Raises:
            ProviderError: it cannot be set up.
        """
        made, key = self.bare_provider(name), self.dkim_key
        if key is None or self.settings.provider(name).kind != "smtp":
            return made
        from newsletter.providers import dkim

        return dkim.Signed(made, key)

    def bare_provider(self, name: str = "") -> ports.Provider:
        """Return a provider of the settings with nothing around it.

        Raises:
            ProviderError: it cannot be set up.
        """
        from newsletter.providers import registry

        options = self.settings.provider(name)
        return registry.build(options.kind, options.plain(self.workspace.root), clock=self.now)

    @cached_property
    def dkim_key(self) -> dkim.Key | None:
        """Return the key that our own mail server's mail is signed with; None where others sign.

        Raises:
            ProviderError: it cannot be read.
        """
        settings = self.settings.dkim
        if not settings.key_file:
            return None
        from newsletter.providers import dkim

        return dkim.read_key(
            self.workspace.root / settings.key_file,
            domain=settings.domain or self.publication.sender.domain,
            selector=settings.selector,
        )

    def sender(self, provider: str, *, wait: bool = False) -> Sender:
        """Return this process's part in a mailing, by a provider of the settings.

        Raises:
            ProviderError: it cannot be set up.
        """
        return self._sender(self.ledger, self.carrier(provider), wait=wait)

    def carrier(self, name: str) -> ports.Provider:
        """Return what carries a mailing: a provider, behind the default one those of `delivery.fallback`.

        Raises:
            ProviderError: one of them cannot be set up.
        """
        others = self.settings.delivery.fallback if name == self.settings.delivery.provider else ()
        if not others:
            return self.provider(name)
        from newsletter.providers import failover

        line = dict.fromkeys((name, *others))
        return failover.FailOver([failover.Named(name=each, provider=self.provider(each)) for each in line])

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Carry work out on the event loop that the settings name.

        Raises:
            WorkspaceError: this machine does not have it.
        """
        import asyncio

        with contextlib.closing(work), asyncio.Runner(loop_factory=self.loop_factory) as runner:
            return runner.run(work)

    @property
    def loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop] | None:
        """Return what makes the event loop of the settings; None: asyncio's own.

        Raises:
            WorkspaceError: this machine does not have it.
        """
        if self.settings.delivery.event_loop == "asyncio":
            return None
        try:
            import uvloop
        except ImportError:
            raise errors.WorkspaceError(
                'delivery.event_loop is "uvloop", which this machine does not have',
                hint='install uvloop, which there is not for Windows, or set event_loop = "asyncio"',
            ) from None
        return uvloop.new_event_loop

    def queue(self) -> LocalQueue | PostgresQueue:
        """Return the queue of a service: it sends what is due while it runs.

        Raises:
            StoreError: the parts that PostgreSQL needs are not installed.
        """
        conninfo = self.database.conninfo
        senders = self.settings.delivery.senders or (_MACHINES if conninfo else 1)
        make_duty = functools.partial(self._duty, senders)
        if not conninfo:
            from newsletter.queues.local import LocalQueue

            return LocalQueue(make_duty, loop_factory=self.loop_factory)
        self._require_queue()
        from newsletter.queues.postgres import PostgresQueue

        return PostgresQueue(
            conninfo, make_duty, senders=senders, rng=self.rng, loop_factory=self.loop_factory
        )

    def call_senders(self, mailing: int, *, at: datetime | None = None) -> None:
        """Tell the services of many machines that there is something to send; they would see it later."""
        if not self.database.conninfo:
            return
        try:
            self.queue().put(mailing, at=at)
        except errors.StoreError as error:
            _log.warning("%s; %s", error, error.hint, extra={"action": "call"})

    def at_work(self, mailing: int) -> list[ports.Lease]:
        """Return who is sending a mailing this moment."""
        from newsletter.sending import sharing

        return sharing.at_work(self.ledger, mailing, now=self.now())

    def _duty(self, senders: int) -> Duty:
        from newsletter.sending import duty

        return duty.Duty(
            self.ledger,
            lambda mailing: self.sender(mailing.provider),
            terms=duty.Terms(max_late=self.settings.delivery.max_late, senders=senders),
            clock=self.now,
            alarm=self.alarm.ring,
        )

    def upgrade(self) -> tuple[str, str]:
        """Bring the database, and the queue in it, to the tables of this version; return the old and the new.

        Raises:
            StoreError: it cannot be made or written, or belongs to a newer version.
        """
        old, new = self.database.upgrade()
        if self.database.conninfo:
            self._require_queue()
            from newsletter.queues import schema

            schema.upgrade(self.database.conninfo)
        return old, new

    def require_current(self) -> None:
        """Make sure that the database, and the queue in it, have the tables of this version.

        Raises:
            StoreError: it was never made, is older, or is newer.
        """
        self.database.require_current()
        if self.database.conninfo:
            self._require_queue()
            from newsletter.queues import schema

            schema.require_current(self.database.conninfo)

    @staticmethod
    def _require_queue() -> None:
        if importlib.util.find_spec("procrastinate") is None:
            raise errors.StoreError(
                "the queue in PostgreSQL needs procrastinate, which is not installed",
                hint="pip install 'newsletter[postgres]'",
            )

    @cached_property
    def alarm(self) -> alarms.Alarm:
        """Return what tells the staff that a mailing paused."""
        from newsletter.sending import alarms

        return alarms.Alarm(staff=self.settings.people.staff, postman=self.messenger)

    def rehearsal(self) -> tuple[Sender, ports.Ledger, Path]:
        """Return a sender that writes to a folder, the ledger in memory that it keeps, and the folder."""
        from newsletter.providers import registry
        from newsletter.store.memory_ledger import MemoryLedger

        ledger = MemoryLedger(self.directory)
        folder = self.workspace.root / "outbox"
        outbox = registry.build("outbox", {"path": folder})
        return self._sender(ledger, outbox, wait=False), ledger, folder

    def _sender(self, ledger: ports.Ledger, provider: ports.Provider, *, wait: bool) -> Sender:
        from newsletter.domain import retries, warmup
        from newsletter.domain.deliveries import AfterCrash
        from newsletter.sending import dispatch, owners, pacing, sender, watching, window

        delivery = self.settings.delivery
        options = dispatch.Options(
            window=delivery.window,
            wait=wait,
            policy=retries.Policy(
                delays=delivery.retry,
                give_up=delivery.give_up,
                after_crash=AfterCrash(delivery.after_crash),
            ),
            rates=pacing.Rates(domains=delivery.domain_rates),
            warm_up=warmup.WarmUp(**delivery.warm_up.model_dump()) if delivery.warm_up else None,
            zone=self.settings.schedule.timezone,
            limits=watching.Limits(in_a_row=delivery.pause_after, dead_share=delivery.pause_when_dead),
        )
        around = window.Surroundings(now=self.now, steady=time.monotonic, rng=self.rng, owner=owners.own())
        return sender.Sender(ledger, provider, self.publication, self.signer, options=options, around=around)

    def require_provider(self, name: str) -> None:
        """Make sure that the settings describe a provider.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.settings.providers:
            known = ", ".join(self.settings.providers) or "none"
            raise errors.UsageError(
                f"there is no [providers.{name}]", hint=f"newsletter.toml describes: {known}"
            )

    def send_trial(self, proof: proofs.Proof, addressees: Sequence[str]) -> list[deliveries.Receipt]:
        """Send an issue to editors through the provider, and return its answers in the order of the messages.

        Raises:
            AddressError: an address cannot be mailed.
            ProviderError: nothing can be handed over.
        """
        import asyncio

        from newsletter.providers import tray

        provider = self.provider()
        letters = tray.Tray(self.press.trials(proof, addressees, now=self.now(), raw=provider.limits.raw))
        asyncio.run(provider.send(letters))
        return sorted(letters.receipts)

    @cached_property
    def messenger(self) -> notes.Messenger:
        """Return what sends single mails of the house's own."""
        from newsletter.providers import tray
        from newsletter.sending import notes

        return notes.Messenger(
            self.provider(), self.publication.sender, tray=tray.Tray, clock=self.now, new_id=self.new_id
        )
