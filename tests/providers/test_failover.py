"""Providers in an order: who takes over, and what never goes twice."""

from __future__ import annotations

import pytest

from newsletter import ports
from newsletter.domain import errors
from newsletter.domain.verdicts import ACCEPTED, Kind, Scope, Verdict
from newsletter.providers.failover import FailOver, Named
from newsletter.providers.tray import Tray
from tests.providers.letters import letters
from tests.sending.providers import BUSY, DEAD, LOST, SLOWER, STOP, Answer, Memory

OUT_OF_REACH = Verdict(kind=Kind.RETRY, scope=Scope.MAILING, reason="no connection")
LATER = Verdict(kind=Kind.RETRY, scope=Scope.MAILING, retry_after=30.0, reason="slow down")


class Broken(Memory):
    """Breaks off after a few messages."""

    async def send(self, feed: ports.Feed) -> None:
        for _ in range(3):
            message = feed.take()
            assert message is not None
            feed.put_back(message)
        raise errors.ProviderError("the server went away")


def refuse() -> str:
    raise errors.ProviderError("nobody is there")


def line(*providers: ports.Provider) -> FailOver:
    return FailOver([Named(name=f"p{number}", provider=each) for number, each in enumerate(providers)])


async def carried(*providers: ports.Provider, count: int = 20) -> dict[int, Kind]:
    tray = Tray(letters(count))
    await line(*providers).send(tray)
    assert (tray.waiting, tray.out) == (0, 0)
    return {one.delivery: one.verdict.kind for one in tray.receipts}


async def test_the_next_one_is_not_asked_while_the_first_takes_everything() -> None:
    first, second = Memory(), Memory()
    assert set((await carried(first, second)).values()) == {Kind.ACCEPTED}
    assert (len(first.sent), second.sent) == (20, [])


@pytest.mark.parametrize("verdict", [STOP, OUT_OF_REACH], ids=str)
async def test_what_was_certainly_not_accepted_goes_by_the_next_one(verdict: Verdict) -> None:
    answered: Answer = lambda message: ACCEPTED if message.delivery <= 5 else verdict  # noqa: E731
    first, second = Memory(answered), Memory()
    assert set((await carried(first, second)).values()) == {Kind.ACCEPTED}
    by_first = {one.delivery for one in first.sent if one.delivery <= 5}
    assert {one.delivery for one in second.sent} == set(range(1, 21)) - by_first


@pytest.mark.parametrize("verdict", [LOST, BUSY, DEAD, SLOWER, LATER], ids=str)
async def test_doubt_refusals_of_one_address_and_requests_to_wait_stay_with_the_first(
    verdict: Verdict,
) -> None:
    first, second = Memory(lambda message: verdict if message.delivery == 7 else ACCEPTED), Memory()
    found = await carried(first, second)
    assert found[7] is verdict.kind
    assert second.sent == []


async def test_a_domain_that_stops_our_mail_does_not_stop_the_provider() -> None:
    stop = Verdict(kind=Kind.STOP, scope=Scope.DOMAIN, reason="550 5.7.26")
    first, second = Memory(lambda message: stop), Memory()
    assert set((await carried(first, second)).values()) == {Kind.STOP}
    assert second.sent == []


async def test_a_provider_that_breaks_off_is_followed_by_the_next() -> None:
    second = Memory()
    assert set((await carried(Broken(), second)).values()) == {Kind.ACCEPTED}
    assert len(second.sent) == 20


async def test_the_last_one_s_word_stands() -> None:
    found = await carried(Memory(lambda message: STOP), Memory(lambda message: STOP))
    assert set(found.values()) == {Kind.STOP}
    with pytest.raises(errors.ProviderError, match="went away"):
        await line(Broken(), Broken()).send(Tray(letters(5)))


async def test_sending_begins_with_the_first_that_answers() -> None:
    first, second = Memory(probe=refuse), Memory()
    both = line(first, second)
    assert await both.probe() == "memory"
    tray = Tray(letters(5))
    await both.send(tray)
    assert (first.sent, len(second.sent)) == ([], 5)


async def test_where_none_answers_it_is_the_first_one_s_error() -> None:
    with pytest.raises(errors.ProviderError, match="nobody is there"):
        await line(Memory(probe=refuse), Memory(probe=refuse)).probe()


def test_what_all_can_carry_is_declared() -> None:
    raw = ports.Limits(raw=True, max_bytes=40, in_flight=4, utf8_addresses=True, idempotent=True)
    parts = ports.Limits(raw=False, max_bytes=10, in_flight=1000, batch=500, refuses=frozenset({"x"}))
    found = line(Memory(limits=raw), Memory(limits=parts)).limits
    assert found == ports.Limits(
        raw=True, parts=True, max_bytes=10, in_flight=1000, batch=500, refuses=frozenset({"x"})
    )
    assert not line(Memory(limits=parts), Memory(limits=parts)).limits.raw
