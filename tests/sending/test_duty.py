"""A service that sends what is due, holds what is overdue, and comes back to what could not go."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from newsletter import ports
from newsletter.domain import deliveries, errors
from newsletter.domain.deliveries import Mailing, MailingStatus, State
from newsletter.sending import duty, owners, sender
from tests.sending import samples
from tests.sending.conftest import Bench
from tests.sending.providers import BUSY, Memory

DUE = samples.NOW + timedelta(hours=1)


class Watchman:
    """A duty over a bench, with the provider that its senders use."""

    def __init__(self, bench: Bench, provider: Memory) -> None:
        self.bench, self.provider = bench, provider
        self.alarms: list[Mailing] = []
        #: How many were made.
        self.senders = 0
        self.duty = duty.Duty(
            bench.ledger,
            self._sender,
            terms=duty.Terms(max_late=timedelta(hours=6)),
            clock=bench.time.now,
            alarm=self.alarms.append,
        )

    def _sender(self, mailing: Mailing) -> sender.Sender:
        self.senders += 1
        return self.bench.sender(self.provider)

    async def look_at(self, moment: timedelta) -> None:
        self.bench.time.seconds = moment.total_seconds()
        self.duty.look()
        await self.duty.idle()


async def test_a_scheduled_mailing_goes_out_when_it_is_due_and_not_before(bench: Bench) -> None:
    mailing = bench.plan(3, due_at=DUE)
    watchman = Watchman(bench, Memory())
    assert [one.id for one in watchman.duty.scheduled()] == [mailing.id]
    await watchman.look_at(timedelta(minutes=59))
    assert bench.states(mailing) == {State.PLANNED: 3}
    await watchman.look_at(timedelta(hours=1))
    assert bench.states(mailing) == {State.SENT: 3}
    assert bench.ledger.get(mailing.id).status is MailingStatus.DONE
    assert watchman.duty.scheduled() == []


@pytest.mark.parametrize(
    ("late", "status"),
    [(timedelta(hours=6), MailingStatus.DONE), (timedelta(hours=6, seconds=1), MailingStatus.HELD)],
)
async def test_a_mailing_that_came_due_while_nobody_was_there_goes_out_or_is_held(
    bench: Bench, late: timedelta, status: MailingStatus
) -> None:
    mailing = bench.plan(3, due_at=DUE)
    await Watchman(bench, Memory()).look_at(timedelta(hours=1) + late)
    found = bench.ledger.get(mailing.id)
    assert found.status is status
    assert ("nobody was there" in found.reason) == (status is MailingStatus.HELD)


async def test_what_an_earlier_process_left_unfinished_goes_on_however_old_it_is(bench: Bench) -> None:
    mailing = bench.plan(3)
    await Watchman(bench, Memory()).look_at(timedelta(days=3))
    assert bench.states(mailing) == {State.SENT: 3}


@pytest.mark.parametrize("status", [MailingStatus.PAUSED, MailingStatus.HELD, MailingStatus.CANCELLED])
async def test_what_a_person_stopped_stays_stopped(bench: Bench, status: MailingStatus) -> None:
    mailing, watchman = bench.plan(3), Watchman(bench, Memory())
    bench.ledger.set_status(mailing.id, status, now=samples.NOW)
    await watchman.look_at(timedelta(hours=1))
    assert watchman.provider.sent == []


async def test_a_mailing_that_another_process_is_sending_is_left_to_it(bench: Bench) -> None:
    mailing, watchman = bench.plan(3), Watchman(bench, Memory())
    bench.ledger.turn(mailing.id, samples.lease("elsewhere:1:1"), [], limit=1, now=samples.NOW)
    await watchman.look_at(timedelta(minutes=1))
    assert watchman.provider.sent == []
    await watchman.look_at(timedelta(minutes=6))
    assert bench.states(mailing) == {State.SENT: 3}


async def test_a_provider_that_is_down_is_tried_again_after_a_rest(bench: Bench) -> None:
    mailing, probes = bench.plan(3), 0

    def probe() -> str:
        nonlocal probes
        probes += 1
        if probes < 3:
            raise errors.ProviderError("127.0.0.1:25 cannot be reached")
        return "up"

    watchman = Watchman(bench, Memory(probe=probe))
    await watchman.look_at(timedelta(0))
    await watchman.look_at(timedelta(seconds=29))
    assert probes == 1
    await watchman.look_at(timedelta(seconds=30))
    await watchman.look_at(timedelta(seconds=89))
    assert probes == 2
    assert bench.ledger.get(mailing.id).status is MailingStatus.SENDING
    await watchman.look_at(timedelta(seconds=90))
    assert bench.states(mailing) == {State.SENT: 3}


async def test_a_provider_that_refuses_us_pauses_the_mailing(bench: Bench) -> None:
    mailing = bench.plan(3)

    def probe() -> str:
        raise errors.ProviderRefusedError("535 bad credentials")

    watchman = Watchman(bench, Memory(probe=probe))
    await watchman.look_at(timedelta(0))
    found = bench.ledger.get(mailing.id)
    assert (found.status, found.reason) == (MailingStatus.PAUSED, "535 bad credentials")
    assert watchman.alarms == [found]


async def test_a_service_that_stops_leaves_the_mailing_to_the_next_start(bench: Bench) -> None:
    mailing = bench.plan(500)
    watchman = Watchman(bench, Memory())
    watchman.duty.look()
    while State.SENT not in bench.states(mailing):
        await asyncio.sleep(0)
    await watchman.duty.stop()
    states = bench.states(mailing)
    assert set(states) == {State.SENT, State.PLANNED}
    assert bench.ledger.get(mailing.id).status is MailingStatus.SENDING
    watchman.duty.look()
    await watchman.duty.idle()
    assert bench.states(mailing) == states
    again = Watchman(bench, Memory())
    await again.look_at(timedelta(minutes=1))
    assert bench.states(mailing) == {State.SENT: 500}
    assert len(again.provider.sent) == states[State.PLANNED]


async def test_retries_that_come_due_are_served(bench: Bench) -> None:
    mailing = bench.plan(1)
    first = Watchman(bench, Memory(lambda message: BUSY))
    await first.look_at(timedelta(0))
    second = Watchman(bench, Memory())
    await second.look_at(timedelta(minutes=4))
    assert bench.states(mailing) == {State.PLANNED: 1}
    await second.look_at(timedelta(minutes=5))
    assert bench.states(mailing) == {State.SENT: 1}


# -- with others -------------------------------------------------------------------------------


def gone() -> str:
    """Return a process of this machine that cannot exist: pids are positive."""
    return f"{owners.own().rsplit(':', 2)[0]}:0:1"


async def test_a_mailing_whose_sender_died_with_everything_in_the_air_is_taken_up(bench: Bench) -> None:
    mailing = bench.plan(3)
    bench.ledger.turn(mailing.id, samples.lease(gone()), [], limit=3, now=samples.NOW)
    await Watchman(bench, Memory()).look_at(timedelta(0))
    assert bench.states(mailing) == {State.SENT: 3}
    assert bench.ledger.get(mailing.id).status is MailingStatus.DONE


async def test_a_mailing_whose_sender_died_just_before_its_end_is_ended(bench: Bench) -> None:
    mailing = bench.plan(1)
    lease = samples.lease(gone())
    [claimed] = bench.ledger.turn(mailing.id, lease, [], limit=1, now=samples.NOW).claimed
    sent = deliveries.Outcome(claimed.id, State.SENT, samples.NOW, 1, merged_at=samples.NOW)
    bench.ledger.turn(mailing.id, lease, [sent], limit=1, now=samples.NOW)
    await Watchman(bench, Memory()).look_at(timedelta(0))
    assert bench.ledger.get(mailing.id).status is MailingStatus.DONE


async def test_what_a_silent_sender_of_another_machine_holds_comes_back_after_its_lease(bench: Bench) -> None:
    mailing = bench.plan(3)
    bench.ledger.turn(mailing.id, samples.lease("elsewhere:1:1"), [], limit=3, now=samples.NOW)
    watchman = Watchman(bench, Memory())
    await watchman.look_at(timedelta(minutes=4))
    assert bench.states(mailing) == {State.SENDING: 3}
    await watchman.look_at(timedelta(minutes=5))
    assert bench.states(mailing) == {State.SENT: 3}


async def test_a_process_that_is_at_a_mailing_leaves_a_second_share_to_others(bench: Bench) -> None:
    mailing, answered = bench.plan(3), asyncio.Event()

    class Waiting(Memory):
        async def send(self, feed: ports.Feed) -> None:
            await answered.wait()
            await super().send(feed)

    watchman = Watchman(bench, Waiting())
    first = asyncio.create_task(watchman.duty.join(mailing.id))
    while not watchman.senders:
        await asyncio.sleep(0)
    assert not await watchman.duty.join(mailing.id)
    answered.set()
    assert await first
    assert bench.states(mailing) == {State.SENT: 3}
    assert await watchman.duty.join(mailing.id)


async def test_whoever_asked_for_a_share_may_be_broken_off_and_the_sender_goes_on(bench: Bench) -> None:
    mailing, watchman = bench.plan(3), Watchman(bench, Memory())
    asking = asyncio.create_task(watchman.duty.join(mailing.id))
    while not watchman.senders:
        await asyncio.sleep(0)
    asking.cancel()
    await watchman.duty.idle()
    assert bench.states(mailing) == {State.SENT: 3}
