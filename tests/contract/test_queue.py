"""What every queue promises: a mailing that is due comes to those who send, once, whoever puts it in."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvloop

from newsletter import ports
from newsletter.domain import messages, numbering, tokens, verdicts
from newsletter.domain.deliveries import Mailing, MailingStatus, State
from newsletter.queues import schema
from newsletter.queues.clockwork import Clockwork
from newsletter.queues.local import LocalQueue
from newsletter.queues.postgres import PostgresQueue
from newsletter.sending import dispatch, duty, sender, window
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.ledger import StoredLedger
from tests.sending import samples
from tests.sending.conftest import PUBLICATION
from tests.sending.providers import Memory

SIGNER = tokens.Signer(samples.KEY)
PATIENCE = 30.0


def now() -> datetime:
    return datetime.now(UTC)


class Signalling(Memory):
    """Says when it has sent something, and waits with its first claim in hand until it may."""

    def __init__(self, gate: Callable[[], object] = lambda: None, **fields: Any) -> None:
        super().__init__(**fields)
        self.done = threading.Event()
        self._gate = gate

    async def send(self, feed: ports.Feed) -> None:
        await feed.ready()
        await asyncio.to_thread(self._gate)
        await super().send(feed)
        if self.sent:
            self.done.set()


@dataclass
class Town:
    """One database, and machines with a queue each."""

    database: Database
    senders: int = 2
    #: None: asyncio's own.
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    queues: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = StoredLedger(self.database, SIGNER.keyed_hash)
        self.directory = StoredDirectory(self.database, SIGNER.keyed_hash)

    def plan(self, count: int, number: int = 23, **fields: Any) -> Mailing:
        template = samples.template(number=numbering.IssueNumber(2, number))
        samples.people(self.directory, count)
        return self.ledger.plan(samples.draft(templates={"en": template}, **fields))

    def machine(self, provider: Memory) -> Any:
        """Return the queue of one more machine."""
        owner = f"machine-{len(self.queues)}:1:1"
        ledger = StoredLedger(self.database, SIGNER.keyed_hash)

        def sender_for(mailing: Mailing) -> sender.Sender:
            around = window.Surroundings(now=now, steady=time.monotonic, rng=random.Random(5), owner=owner)
            options = dispatch.Options(window=8)
            return sender.Sender(ledger, provider, PUBLICATION, SIGNER, options=options, around=around)

        terms = duty.Terms(max_late=timedelta(hours=6), senders=self.senders)
        queue = self._queue(lambda: duty.Duty(ledger, sender_for, terms=terms, clock=now))
        self.queues.append(queue)
        return queue

    def _queue(self, make_duty: Callable[[], duty.Duty]) -> Clockwork:
        if self.database.is_sqlite:
            return LocalQueue(make_duty, loop_factory=self.loop_factory)
        return PostgresQueue(
            self.database.conninfo,
            make_duty,
            senders=self.senders,
            rng=random.Random(len(self.queues)),
            loop_factory=self.loop_factory,
        )

    def states(self, mailing: Mailing) -> dict[State, int]:
        return {state: number for state, number in self.ledger.tally(mailing.id).states.items() if number}

    def stop(self) -> None:
        for queue in self.queues:
            queue.stop()
        self.queues.clear()


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    if not database.is_sqlite:
        schema.upgrade(database.conninfo)
    made = Town(database)
    yield made
    made.stop()
    made.ledger.close()


def test_what_is_due_at_the_start_is_sent(town: Town) -> None:
    mailing, provider = town.plan(20), Signalling()
    town.machine(provider).start()
    assert provider.done.wait(PATIENCE)
    town.stop()
    assert town.states(mailing) == {State.SENT: 20}
    assert town.ledger.get(mailing.id).status is MailingStatus.DONE


def test_mailings_are_sent_on_the_event_loop_that_was_asked_for(town: Town) -> None:
    made = []

    def factory() -> asyncio.AbstractEventLoop:
        made.append(uvloop.new_event_loop())
        return made[-1]

    town.loop_factory = factory
    mailing, provider = town.plan(20), Signalling()
    town.machine(provider).start()
    assert provider.done.wait(PATIENCE)
    town.stop()
    assert town.states(mailing) == {State.SENT: 20}
    [loop] = made
    assert loop.is_closed()


def test_a_scheduled_mailing_is_sent_at_its_time(town: Town) -> None:
    due = now() + timedelta(seconds=0.5)
    mailing, provider = town.plan(3, now=samples.NOW, due_at=due), Signalling()
    town.machine(provider).start()
    assert provider.done.wait(PATIENCE)
    assert now() >= due
    town.stop()
    assert town.states(mailing) == {State.SENT: 3}


def test_what_is_put_in_later_is_sent(town: Town) -> None:
    provider = Signalling()
    queue = town.machine(provider)
    queue.start()
    mailing = town.plan(3)
    queue.put(mailing.id)
    queue.put(mailing.id)
    assert provider.done.wait(PATIENCE)
    town.stop()
    assert town.states(mailing) == {State.SENT: 3}


def test_what_nobody_knows_or_wants_any_more_is_put_in_without_harm(town: Town) -> None:
    provider = Signalling()
    cancelled = town.plan(3)
    town.ledger.set_status(cancelled.id, MailingStatus.CANCELLED, now=samples.NOW)
    queue = town.machine(provider)
    queue.start()
    queue.put(cancelled.id)
    queue.put(4711)
    wanted = town.plan(0, 24)
    queue.put(wanted.id)
    assert provider.done.wait(PATIENCE)
    town.stop()
    assert town.states(cancelled) == {State.PLANNED: 3}
    assert town.states(wanted) == {State.SENT: 3}


def test_two_machines_send_a_mailing_together_and_nobody_gets_it_twice(town: Town) -> None:
    mailing = town.plan(200)
    both = threading.Barrier(2, timeout=PATIENCE)
    providers = [Signalling(both.wait), Signalling(both.wait)]
    for provider in providers:
        town.machine(provider).start()
    assert all(provider.done.wait(PATIENCE) for provider in providers)
    town.stop()
    assert town.states(mailing) == {State.SENT: 200}
    sent = [address for provider in providers for address in provider.recipients]
    assert len(sent) == len(set(sent)) == 200


def test_a_machine_that_starts_later_joins_in(town: Town) -> None:
    mailing, begun, joined = town.plan(100), threading.Event(), threading.Event()

    def wait_for_the_other() -> None:
        begun.set()
        joined.wait(PATIENCE)

    town.machine(Signalling(wait_for_the_other)).start()
    assert begun.wait(PATIENCE)
    second = Signalling(joined.set)
    town.machine(second).start()
    assert second.done.wait(PATIENCE)
    town.stop()
    assert town.states(mailing) == {State.SENT: 100}


def test_no_more_machines_share_a_mailing_than_may(town: Town) -> None:
    town.senders = 1
    mailing, looked = town.plan(100), threading.Event()
    first, second = Signalling(lambda: looked.wait(PATIENCE)), Signalling()
    town.machine(first).start()
    while not town.ledger.senders(mailing.id):
        looked.wait(0.01)
    # The start of a queue is its first look.
    town.machine(second).start()
    looked.set()
    assert first.done.wait(PATIENCE)
    town.stop()
    assert (len(first.sent), len(second.sent)) == (100, 0)


def test_what_a_machine_leaves_in_the_middle_of_it_the_next_one_sends(town: Town) -> None:
    mailing = town.plan(100)

    def answer(_message: messages.Message) -> verdicts.Verdict:
        if len(first.sent) == 20:
            threading.Thread(target=queue.stop).start()
        return verdicts.ACCEPTED

    first, second = Signalling(answer=answer), Signalling()
    queue = town.machine(first)
    queue.start()
    assert first.done.wait(PATIENCE)
    queue.stop()
    town.machine(second).start()
    if town.ledger.get(mailing.id).status is not MailingStatus.DONE:
        assert second.done.wait(PATIENCE)
    town.stop()
    assert town.states(mailing) == {State.SENT: 100}
    assert set(first.recipients).isdisjoint(second.recipients)


def test_a_queue_with_nothing_to_do_starts_and_stops(town: Town) -> None:
    provider = Signalling()
    town.machine(provider).start()
    town.stop()
    assert provider.sent == []
