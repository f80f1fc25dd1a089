"""Mailings from the plan to the last receipt, through a provider in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from newsletter import ports
from newsletter.domain import deliveries, errors, messages, numbering, retries, warmup
from newsletter.domain.deliveries import AfterCrash, MailingStatus, State
from newsletter.domain.verdicts import ACCEPTED, Kind, Scope, Verdict
from newsletter.sending import owners, pacing, sender, watching
from tests.sending import samples
from tests.sending.conftest import Bench
from tests.sending.providers import BUSY, DEAD, LOST, SLOWER, STOP, Memory


def to(address: str, verdict: Verdict | None) -> dict[str, Verdict | None]:
    return {address: verdict}


def by(answers: dict[str, Verdict | None]) -> Memory:
    """Return a provider that has its own answer for some addresses."""
    return Memory(lambda message: answers.get(message.recipient, ACCEPTED))


async def test_everybody_gets_one_message_and_one_receipt(bench: Bench) -> None:
    mailing, provider = bench.plan(200), Memory()
    result = await bench.sender(provider).send(mailing.id)
    assert Counter(provider.recipients) == {f"reader{n}@example.net": 1 for n in range(1, 201)}
    assert bench.states(mailing) == {State.SENT: 200}
    assert (result.mailing.status, result.stopped, result.tally.total) == (MailingStatus.DONE, "", 200)
    assert result.counts[State.SENT] == 200
    assert bench.ledger.senders(mailing.id) == []


async def test_what_was_handed_over_is_recorded_by_date_and_hash(bench: Bench) -> None:
    mailing, provider = bench.plan(2), Memory()
    await bench.sender(provider).send(mailing.id)
    rows = list(bench.ledger.deliveries(mailing.id))
    assert {row.merged_at for row in rows} == {samples.NOW}
    assert {(row.attempts, row.provider_id) for row in rows} == {(1, "m-1")}
    digests = {row.digest for row in rows}
    assert len(digests) == 2
    assert all(digest is not None and len(digest) == 32 for digest in digests)


async def test_a_refused_recipient_costs_nobody_else_theirs(bench: Bench) -> None:
    mailing = bench.plan(5)
    provider = by(to("reader2@example.net", DEAD) | to("reader3@example.net", BUSY))
    result = await bench.sender(provider).send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 3, State.REJECTED: 1, State.PLANNED: 1}
    assert bench.directory.is_suppressed("reader2@example.net") == "no such user"
    assert result.mailing.status is MailingStatus.SENDING
    assert result.tally.next_try is not None
    assert (result.tally.next_try - samples.NOW).total_seconds() == 300


async def test_what_was_put_off_goes_when_its_time_has_come(bench: Bench) -> None:
    mailing, tries = bench.plan(1), []

    def answer(message: messages.Message) -> Verdict:
        tries.append(message.message_id)
        return BUSY if len(tries) == 1 else ACCEPTED

    await bench.sender(Memory(answer)).send(mailing.id)
    early = await bench.sender(Memory(answer)).send(mailing.id)
    assert len(tries) == 1
    assert early.tally.open == 1
    bench.time.seconds = 300
    late = await bench.sender(Memory(answer)).send(mailing.id)
    assert late.mailing.status is MailingStatus.DONE
    assert tries[0] == tries[1]


async def test_a_message_put_back_goes_later(bench: Bench) -> None:
    mailing, seen = bench.plan(3), Counter[str]()

    def answer(message: messages.Message) -> Verdict | None:
        seen[message.recipient] += 1
        return (
            None if message.recipient == "reader1@example.net" and seen[message.recipient] < 3 else ACCEPTED
        )

    await bench.sender(Memory(answer)).send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 3}
    assert [row.attempts for row in bench.ledger.deliveries(mailing.id)] == [1, 1, 1]


async def test_nobody_is_mailed_who_left_since_the_plan(bench: Bench) -> None:
    gone, dead, fine = samples.people(bench.directory, 3)
    mailing, provider = bench.ledger.plan(samples.draft()), Memory()
    samples.leave(bench.directory, gone)
    bench.directory.suppress(dead.email, reason="complained", now=samples.NOW)
    result = await bench.sender(provider).send(mailing.id)
    assert provider.recipients == [fine.email]
    assert bench.states(mailing) == {State.SENT: 1, State.SKIPPED: 2}
    assert result.counts[State.SKIPPED] == 2
    assert result.mailing.status is MailingStatus.DONE


async def test_a_whole_window_of_people_who_left_does_not_end_the_mailing(bench: Bench) -> None:
    gone = samples.people(bench.directory, 40)
    last = samples.person(bench.directory, "last@example.org")
    mailing, provider = bench.ledger.plan(samples.draft()), Memory()
    for one in gone:
        samples.leave(bench.directory, one)
    await bench.sender(provider, window=8).send(mailing.id)
    assert provider.recipients == [last.email]
    assert bench.states(mailing) == {State.SKIPPED: 40, State.SENT: 1}


@pytest.mark.parametrize("window", [1, 2, 7, 64, 1000])
async def test_never_more_than_the_window_is_in_doubt(bench: Bench, window: int) -> None:
    mailing, most = bench.plan(150), 0

    def answer(message: messages.Message) -> Verdict:
        nonlocal most
        most = max(most, bench.ledger.tally(mailing.id).states[State.SENDING])
        return ACCEPTED

    await bench.sender(Memory(answer, in_flight=50), window=window).send(mailing.id)
    assert 1 <= most <= window
    assert bench.states(mailing) == {State.SENT: 150}


# -- stopping ----------------------------------------------------------------------------------


async def test_a_provider_that_says_stop_pauses_the_mailing_and_loses_nobody(bench: Bench) -> None:
    mailing = bench.plan(100)
    result = await bench.sender(by(to("reader3@example.net", STOP)), window=8).send(mailing.id)
    assert result.mailing.status is MailingStatus.PAUSED
    assert "our credentials were refused" in result.mailing.reason
    assert result.stopped == result.mailing.reason
    states = bench.states(mailing)
    assert set(states) == {State.SENT, State.PLANNED}
    assert sum(states.values()) == 100
    assert states[State.SENT] < 10
    provider = Memory()
    await bench.sender(provider).send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 100}
    assert len(provider.sent) == states[State.PLANNED]


async def test_failures_in_a_row_pause_the_mailing(bench: Bench) -> None:
    mailing = bench.plan(100)
    limits = watching.Limits(in_a_row=10)
    result = await bench.sender(Memory(lambda message: BUSY), limits=limits).send(mailing.id)
    assert result.mailing.status is MailingStatus.PAUSED
    assert "10 failures in a row" in result.mailing.reason
    assert bench.states(mailing) == {State.PLANNED: 100}


async def test_too_many_dead_addresses_pause_the_mailing(bench: Bench) -> None:
    mailing, count = bench.plan(400), Counter[str]()

    def answer(message: messages.Message) -> Verdict:
        count["all"] += 1
        return DEAD if count["all"] % 10 == 0 else ACCEPTED

    result = await bench.sender(Memory(answer)).send(mailing.id)
    assert result.mailing.status is MailingStatus.PAUSED
    assert "addresses were refused as dead" in result.mailing.reason
    assert 200 <= count["all"] < 300


async def test_a_pause_by_another_process_is_seen_within_a_window(bench: Bench) -> None:
    mailing = bench.plan(300)

    def answer(message: messages.Message) -> Verdict:
        if message.recipient == "reader20@example.net":
            bench.ledger.set_status(mailing.id, MailingStatus.PAUSED, reason="a wrong name", now=samples.NOW)
        return ACCEPTED

    provider = Memory(answer)
    result = await bench.sender(provider, window=16).send(mailing.id)
    assert 20 <= len(provider.sent) <= 20 + 2 * 16
    assert (result.mailing.status, result.mailing.reason) == (MailingStatus.PAUSED, "a wrong name")
    assert bench.states(mailing) == {State.SENT: len(provider.sent), State.PLANNED: 300 - len(provider.sent)}


@pytest.mark.parametrize(
    ("reason", "status"),
    [(sender.BY_HAND, MailingStatus.PAUSED), (sender.BY_SYSTEM, MailingStatus.SENDING)],
)
async def test_a_stop_settles_what_is_in_the_air_and_gives_back_the_rest(
    bench: Bench, reason: str, status: MailingStatus
) -> None:
    mailing = bench.plan(300)

    def answer(message: messages.Message) -> Verdict:
        if message.recipient == "reader20@example.net":
            working.stop(reason)
        return ACCEPTED

    provider = Memory(answer)
    working = bench.sender(provider)
    result = await working.send(mailing.id)
    assert 20 <= len(provider.sent) <= 24
    assert bench.states(mailing) == {State.SENT: len(provider.sent), State.PLANNED: 300 - len(provider.sent)}
    assert (result.mailing.status, result.stopped) == (status, reason)
    assert bench.ledger.senders(mailing.id) == []
    again = Memory()
    await bench.sender(again).send(mailing.id)
    assert Counter(provider.recipients + again.recipients).most_common(1)[0][1] == 1
    assert bench.states(mailing) == {State.SENT: 300}


async def test_a_sender_broken_off_leaves_only_what_was_in_the_air(bench: Bench) -> None:
    mailing = bench.plan(100)

    class Silent(Memory):
        async def send(self, feed: ports.Feed) -> None:
            await feed.ready()
            for _ in range(5):
                assert feed.take() is not None
            await asyncio.Event().wait()

    working = asyncio.create_task(bench.sender(Silent(), owner="here:7:7").send(mailing.id))
    while State.SENDING not in bench.states(mailing):
        await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert bench.states(mailing) == {State.SENDING: 5, State.PLANNED: 95}
    assert [one.owner for one in bench.ledger.senders(mailing.id)] == ["here:7:7"]


# -- what a dead sender leaves -----------------------------------------------------------------


@pytest.mark.parametrize("after_crash", AfterCrash)
async def test_what_a_dead_sender_left_in_the_air_is_resent_or_held(
    bench: Bench, after_crash: AfterCrash
) -> None:
    mailing = bench.plan(10)
    # A process of this machine that cannot exist: pids are positive.
    host = owners.own().rsplit(":", 2)[0]
    dead = samples.lease(f"{host}:0:1")
    lost = bench.ledger.turn(mailing.id, dead, [], limit=4, now=samples.NOW).claimed
    provider = Memory()
    policy = retries.Policy(after_crash=after_crash)
    result = await bench.sender(provider, policy=policy).send(mailing.id)
    assert result.recovered == 4
    if after_crash is AfterCrash.RESEND:
        assert bench.states(mailing) == {State.SENT: 10}
    else:
        assert bench.states(mailing) == {State.SENT: 6, State.UNKNOWN: 4}
        assert not {one.email for one in lost} & set(provider.recipients)
    assert result.mailing.status is MailingStatus.DONE


async def test_a_living_sender_of_another_machine_keeps_what_it_claimed(bench: Bench) -> None:
    mailing = bench.plan(10)
    bench.ledger.turn(mailing.id, samples.lease("elsewhere:1:1"), [], limit=4, now=samples.NOW)
    provider = Memory()
    result = await bench.sender(provider).send(mailing.id)
    assert len(provider.sent) == 6
    assert bench.states(mailing) == {State.SENT: 6, State.SENDING: 4}
    assert result.mailing.status is MailingStatus.SENDING


async def test_a_connection_that_breaks_leaves_its_message_to_the_policy(bench: Bench) -> None:
    mailing = bench.plan(3)
    hold = retries.Policy(after_crash=AfterCrash.HOLD)
    await bench.sender(by(to("reader2@example.net", LOST)), policy=hold).send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 2, State.UNKNOWN: 1}


# -- before the first message ------------------------------------------------------------------


async def test_a_provider_that_cannot_be_reached_leaves_the_ledger_untouched(bench: Bench) -> None:
    mailing = bench.plan(3)

    def probe() -> str:
        raise errors.ProviderError("127.0.0.1:25 cannot be reached")

    with pytest.raises(errors.ProviderError, match="cannot be reached"):
        await bench.sender(Memory(probe=probe)).send(mailing.id)
    assert bench.states(mailing) == {State.PLANNED: 3}
    assert bench.ledger.senders(mailing.id) == []


async def test_a_provider_that_breaks_off_leaves_nothing_in_the_air(bench: Bench) -> None:
    mailing = bench.plan(30)

    class Breaking(Memory):
        async def send(self, feed: ports.Feed) -> None:
            await feed.ready()
            for _ in range(3):
                message = feed.take()
                assert message is not None
                feed.give(deliveries.Receipt(message.delivery, ACCEPTED))
            message = feed.take()
            assert message is not None
            feed.put_back(message)
            raise errors.ProviderError("127.0.0.1:25 closed the connection")

    with pytest.raises(errors.ProviderError, match="closed the connection"):
        await bench.sender(Breaking()).send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 3, State.PLANNED: 27}
    assert bench.ledger.get(mailing.id).status is MailingStatus.SENDING


async def test_a_provider_that_will_not_have_us_pauses_the_mailing_with_its_reason(bench: Bench) -> None:
    mailing = bench.plan(3)

    class Refusing(Memory):
        async def send(self, feed: ports.Feed) -> None:
            raise errors.ProviderRefusedError("535 5.7.8 bad credentials")

    with pytest.raises(errors.ProviderRefusedError):
        await bench.sender(Refusing()).send(mailing.id)
    paused = bench.ledger.get(mailing.id)
    assert (paused.status, paused.reason) == (MailingStatus.PAUSED, "535 5.7.8 bad credentials")
    assert bench.states(mailing) == {State.PLANNED: 3}


async def test_a_message_over_the_servers_size_is_refused_before_the_first_is_sent(bench: Bench) -> None:
    mailing = bench.plan(3)
    provider = Memory(limits=ports.Limits(max_bytes=500))
    with pytest.raises(errors.MailingError, match="the server takes 500"):
        await bench.sender(provider).send(mailing.id)
    assert provider.sent == []
    assert bench.states(mailing) == {State.PLANNED: 3}


@pytest.mark.parametrize("status", [MailingStatus.DONE, MailingStatus.CANCELLED])
async def test_what_is_over_is_not_sent_again(bench: Bench, status: MailingStatus) -> None:
    mailing, provider = bench.plan(3), Memory()
    bench.ledger.set_status(mailing.id, status, now=samples.NOW)
    with pytest.raises(errors.MailingError, match="already"):
        await bench.sender(provider).send(mailing.id)
    assert provider.sent == []


# -- languages and names -----------------------------------------------------------------------


async def test_everybody_gets_the_edition_in_their_language(bench: Bench) -> None:
    for language in ("ja", "ja-JP", "en", "", "fr"):
        samples.person(bench.directory, f"x{language}@example.org", language=language)
    frozen = {"en": samples.template("en"), "ja": samples.template("ja")}
    mailing, provider = bench.ledger.plan(samples.draft(templates=frozen)), Memory()
    await bench.sender(provider).send(mailing.id)
    japanese = {one.recipient for one in provider.sent if b"Content-Language: ja" in one.raw}
    assert japanese == {"xja@example.org", "xja-JP@example.org"}
    assert len(provider.sent) == 5


async def test_a_name_that_no_header_can_hold_fails_alone(bench: Bench) -> None:
    samples.person(bench.directory, "evil@example.org", name="Eve\r\nBcc: all@example.org")
    mailing = bench.plan(2)
    provider = Memory()
    await bench.sender(provider).send(mailing.id)
    assert len(provider.sent) + bench.states(mailing).get(State.FAILED, 0) == 3
    assert not any(b"\r\nBcc:" in one.raw for one in provider.sent)


# -- pace --------------------------------------------------------------------------------------


class Ticking(Memory):
    """Moves the clock on whenever the feed has nothing, so that waiting takes no time."""

    def __init__(self, bench: Bench, **fields: object) -> None:
        super().__init__(**fields)  # type: ignore[arg-type]  # passed through as given
        self.bench = bench
        self.at: list[tuple[float, str]] = []

    async def send(self, feed: ports.Feed) -> None:
        while True:
            ready = asyncio.ensure_future(feed.ready())
            for _ in range(3):
                await asyncio.sleep(0)
            while not ready.done():
                self.bench.time.seconds += 0.01
                # The feed sleeps on the loop's clock; its event wakes it on ours.
                feed._changed.set()  # type: ignore[attr-defined]  # the one thing a test cannot wait for
                for _ in range(3):
                    await asyncio.sleep(0)
            if not ready.result():
                return
            while (message := feed.take()) is not None:
                self.at.append((self.bench.time.seconds, message.recipient))
                verdict = self._answer(message)
                assert verdict is not None
                feed.give(deliveries.Receipt(message.delivery, verdict, verdict.reason))


async def test_a_rate_is_held_over_the_whole_mailing(bench: Bench) -> None:
    mailing = bench.plan(600)
    provider = Ticking(bench)
    await bench.sender(provider).send(mailing.id, rate=20)
    assert bench.states(mailing) == {State.SENT: 600}
    assert provider.at[-1][0] == pytest.approx(30, rel=0.01, abs=0.3)


async def test_senders_share_the_rate_of_their_provider(bench: Bench) -> None:
    other = {"en": samples.template(number=numbering.IssueNumber(2, 24))}
    first, second = bench.plan(300), bench.plan(0, templates=other)
    providers = [Ticking(bench), Ticking(bench)]
    sendings = [
        bench.sender(provider, owner=f"here:{place}:1").send(mailing.id, rate=20)
        for place, (provider, mailing) in enumerate(zip(providers, (first, second), strict=True))
    ]
    await asyncio.gather(*sendings)
    assert bench.states(first) == {State.SENT: 300}
    assert bench.states(second) == {State.SENT: 300}
    assert max(provider.at[-1][0] for provider in providers) == pytest.approx(30, rel=0.01, abs=0.3)


async def test_senders_divide_the_rate_of_a_domain(bench: Bench) -> None:
    samples.people(bench.directory, 60, host="slow.example")
    mailing = bench.ledger.plan(samples.draft())
    for other in ("there:2:2", "elsewhere:3:3"):
        bench.ledger.turn(mailing.id, samples.lease(other), [], limit=0, now=samples.NOW)
    provider, rates = Ticking(bench), pacing.Rates(domains={"slow.example": 6.0})
    await bench.sender(provider, window=16, rates=rates).send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 60}
    assert provider.at[-1][0] == pytest.approx(30, rel=0.1)


async def test_senders_share_the_cap_of_a_day(bench: Bench) -> None:
    mailing, cap = bench.plan(100), warmup.WarmUp(start=31, growth=1)
    providers = [Memory(), Memory()]
    sendings = [
        bench.sender(provider, owner=f"here:{place}:1", window=4, warm_up=cap).send(mailing.id)
        for place, provider in enumerate(providers)
    ]
    await asyncio.gather(*sendings)
    assert [len(provider.sent) > 0 for provider in providers] == [True, True]
    assert sum(len(provider.sent) for provider in providers) == 31


async def test_a_slow_domain_never_holds_up_the_others(bench: Bench) -> None:
    samples.people(bench.directory, 60, host="slow.example")
    samples.people(bench.directory, 200, host="fast.example")
    mailing = bench.ledger.plan(samples.draft())
    provider = Ticking(bench)
    rates = pacing.Rates(domains={"slow.example": 2.0})
    await bench.sender(provider, window=16, rates=rates).send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 260}
    fast = [when for when, address in provider.at if address.endswith("fast.example")]
    slow = [when for when, address in provider.at if address.endswith("slow.example")]
    assert max(fast) < 3
    assert max(slow) == pytest.approx(30, rel=0.1)


async def test_a_domain_that_says_slower_is_left_alone_for_a_while(bench: Bench) -> None:
    samples.people(bench.directory, 30, host="touchy.example")
    samples.people(bench.directory, 30, host="calm.example")
    mailing = bench.ledger.plan(samples.draft())
    first: list[str] = []

    def answer(message: messages.Message) -> Verdict:
        if message.recipient.endswith("touchy.example") and not first:
            first.append(message.recipient)
            return SLOWER
        return ACCEPTED

    provider = Ticking(bench, answer=answer)
    await bench.sender(provider).send(mailing.id)
    assert bench.states(mailing) == {State.SENT: 59, State.PLANNED: 1}
    after = [when for when, address in provider.at if address.endswith("touchy.example")][1:]
    assert min(after) >= 5
    assert max(when for when, address in provider.at if address.endswith("calm.example")) < 5


async def test_a_new_sender_hands_over_no_more_than_the_days_cap(bench: Bench) -> None:
    mailing = bench.plan(100)
    cap = warmup.WarmUp(start=30, growth=1.5)
    provider = Memory()
    first = await bench.sender(provider, warm_up=cap).send(mailing.id)
    assert len(provider.sent) == 30
    assert first.mailing.status is MailingStatus.SENDING
    assert first.stopped == "the 30 messages of the day are sent"
    assert first.resumes_at == samples.NOW.replace(hour=0) + timedelta(days=1)
    bench.time.seconds = 3600
    again = await bench.sender(provider, warm_up=cap).send(mailing.id)
    assert len(provider.sent) == 30
    assert again.tally.open == 70
    bench.time.seconds = 86400
    await bench.sender(provider, warm_up=cap).send(mailing.id)
    assert len(provider.sent) == 30 + 45
    bench.time.seconds = 2 * 86400
    last = await bench.sender(provider, warm_up=cap).send(mailing.id)
    assert last.mailing.status is MailingStatus.DONE
    assert bench.states(mailing) == {State.SENT: 100}


async def test_a_refusal_that_asks_for_no_wait_is_met_at_once_no_more_than_once(bench: Bench) -> None:
    mailing = bench.plan(1)
    provider = Memory(lambda message: Verdict(kind=Kind.RETRY, retry_after=0, reason="429"))
    result = await bench.sender(provider).send(mailing.id)
    assert len(provider.sent) == 2
    assert result.tally.next_try == samples.NOW + timedelta(minutes=15)


@pytest.mark.parametrize(("calls", "status"), [(2, MailingStatus.DONE), (3, MailingStatus.PAUSED)])
async def test_a_call_that_is_refused_as_a_whole_is_one_failure(
    bench: Bench, calls: int, status: MailingStatus
) -> None:
    mailing = bench.plan(100)
    refusals: list[Verdict] = []
    for _ in range(calls):
        refusals += [Verdict(kind=Kind.RETRY, scope=Scope.MAILING, retry_after=0, reason="429")] * 25
    provider = Memory(lambda message: refusals.pop() if refusals else ACCEPTED, in_flight=25)
    limits = watching.Limits(in_a_row=3)
    result = await bench.sender(provider, limits=limits).send(mailing.id)
    assert result.mailing.status is status


async def test_who_leaves_while_the_next_day_is_waited_for_is_not_mailed(bench: Bench) -> None:
    people = samples.people(bench.directory, 5)
    mailing = bench.ledger.plan(samples.draft())
    provider = Memory()
    cap = warmup.WarmUp(start=2, growth=1)
    sending = asyncio.create_task(bench.sender(provider, warm_up=cap, wait=True).send(mailing.id))
    async with asyncio.timeout(30):
        while bench.states(mailing) != {State.SENT: 2, State.PLANNED: 3}:
            bench.time.seconds += 1
            await asyncio.sleep(0.01)
        samples.leave(bench.directory, people[-1])
        bench.time.seconds += 86400
        result = await sending
    assert result.mailing.status is MailingStatus.DONE
    assert bench.states(mailing) == {State.SENT: 4, State.SKIPPED: 1}
    assert people[-1].email not in provider.recipients


async def test_names_that_no_header_can_hold_pause_a_mailing_that_has_nothing_else(bench: Bench) -> None:
    for number in range(1500):
        samples.person(bench.directory, f"reader{number}@example.net", name="Ada\x07")
    mailing = bench.ledger.plan(samples.draft())
    result = await bench.sender(Memory()).send(mailing.id)
    assert "50 failures in a row" in result.stopped
    assert result.mailing.status is MailingStatus.PAUSED
    assert bench.states(mailing)[State.FAILED] == 50


class Stalled(Memory):
    """Takes all it can get, and answers nothing before a test says so."""

    def __init__(self) -> None:
        super().__init__(in_flight=64)
        self.taken, self.answering = asyncio.Event(), asyncio.Event()

    async def send(self, feed: ports.Feed) -> None:
        assert await feed.ready()
        hand = [message for _ in range(self._in_flight) if (message := feed.take()) is not None]
        self.taken.set()
        await self.answering.wait()
        for message in hand:
            feed.give(deliveries.Receipt(message.delivery, ACCEPTED, "250 ok"))


async def test_a_sender_whose_server_does_not_answer_for_long_is_not_taken_for_dead(bench: Bench) -> None:
    mailing, provider = bench.plan(5), Stalled()
    sending = asyncio.create_task(bench.sender(provider).send(mailing.id))
    await provider.taken.wait()
    bench.time.seconds += (ports.LEASE * 2).total_seconds()
    now = bench.time.now()
    async with asyncio.timeout(30):
        while bench.ledger.senders(mailing.id)[0].until <= now:
            await asyncio.sleep(0.01)
    resend = AfterCrash.RESEND
    assert bench.ledger.recover(mailing.id, dead=lambda owner: False, after_crash=resend, now=now) == 0
    provider.answering.set()
    await sending
    assert bench.states(mailing) == {State.SENT: 5}
