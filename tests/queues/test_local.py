"""The queue of a service wakes up in time and sends beside the pages."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from newsletter.domain.deliveries import Mailing, State
from newsletter.queues.local import LocalQueue
from newsletter.sending import duty, sender
from tests.sending import samples
from tests.sending.conftest import Bench
from tests.sending.providers import Memory


def now() -> datetime:
    return datetime.now(UTC)


class Signalling(Memory):
    """Says when it has sent so many."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.done = threading.Event()
        self._wanted = wanted

    async def send(self, feed: object) -> None:
        await super().send(feed)  # type: ignore[arg-type]  # passed through as given
        if len(self.sent) >= self._wanted:
            self.done.set()


def queue_over(bench: Bench, provider: Memory) -> LocalQueue:
    def sender_for(mailing: Mailing) -> sender.Sender:
        return bench.sender(provider)

    return LocalQueue(
        lambda: duty.Duty(bench.ledger, sender_for, terms=duty.Terms(max_late=timedelta(hours=6)), clock=now)
    )


def test_what_is_due_at_the_start_is_sent_at_once(bench: Bench) -> None:
    mailing, provider = bench.plan(20), Signalling(20)
    queue = queue_over(bench, provider)
    queue.start()
    assert provider.done.wait(20)
    queue.stop()
    assert bench.states(mailing) == {State.SENT: 20}


def test_a_scheduled_mailing_is_sent_at_its_time(bench: Bench) -> None:
    due = now() + timedelta(seconds=0.3)
    mailing, provider = bench.plan(3, now=samples.NOW, due_at=due), Signalling(3)
    queue = queue_over(bench, provider)
    queue.start()
    assert provider.done.wait(20)
    queue.stop()
    assert now() >= due
    assert bench.states(mailing) == {State.SENT: 3}


def test_a_queue_with_nothing_to_do_stops_at_once(bench: Bench) -> None:
    queue = queue_over(bench, Memory())
    queue.start()
    queue.stop()
