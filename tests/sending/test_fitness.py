"""What a provider cannot carry is refused before anything goes out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from newsletter import ports
from newsletter.domain import errors, tokens
from newsletter.sending import fitness
from tests.sending import samples
from tests.sending.conftest import PUBLICATION, Bench
from tests.sending.providers import Memory

SIGNER = tokens.Signer(samples.KEY)


def require(limits: ports.Limits, **fields: Any) -> None:
    template = dataclasses.replace(samples.template(), **fields)
    fitness.require({"en": template}, limits, PUBLICATION, SIGNER, now=samples.NOW)


def test_a_provider_that_can_carry_everything_is_fit() -> None:
    for limits in (ports.Limits(), ports.Limits(raw=False), ports.Limits(parts=True, max_bytes=100_000)):
        require(limits)


@pytest.mark.parametrize("raw", [True, False])
def test_a_message_too_large_is_refused_in_either_form(raw: bool) -> None:
    with pytest.raises(errors.MailingError, match="takes 50"):
        require(ports.Limits(raw=raw, max_bytes=50))


def test_a_provider_without_our_unsubscribe_header_is_refused() -> None:
    with pytest.raises(errors.MailingError, match="List-Unsubscribe of ours"):
        require(ports.Limits(refuses=frozenset({"list-unsubscribe", "received"})))


def test_a_sender_outside_ascii_needs_a_provider_that_knows_them() -> None:
    limits = ports.Limits(utf8_addresses=True)
    require(limits, from_email="böte@example.org")
    with pytest.raises(errors.MailingError, match="ASCII"):
        require(dataclasses.replace(limits, utf8_addresses=False), from_email="böte@example.org")


async def test_a_sender_refuses_what_its_provider_cannot_carry(bench: Bench) -> None:
    mailing = bench.plan(3)
    provider = Memory(limits=ports.Limits(refuses=frozenset({"list-unsubscribe-post"})))
    with pytest.raises(errors.MailingError, match="one click"):
        await bench.sender(provider).send(mailing.id)
    assert provider.sent == []


@pytest.mark.parametrize(("limits", "most"), [((500, 1000), 500), ((1, 1000), 64)])
async def test_a_batch_provider_gets_full_batches_and_others_the_window(
    bench: Bench, limits: tuple[int, int], most: int
) -> None:
    batch, in_flight = limits
    mailing = bench.plan(600)
    hands: list[int] = []

    class Counting(Memory):
        async def send(self, feed: ports.Feed) -> None:
            drawn = 0
            while drawn < self.limits.in_flight // 2 and feed.take() is not None:
                drawn += 1
            hands.append(drawn)

    provider = Counting(limits=ports.Limits(batch=batch, in_flight=in_flight))
    await bench.sender(provider, window=64).send(mailing.id)
    assert hands == [most]


async def test_messages_come_in_both_forms_where_providers_want_different_ones(bench: Bench) -> None:
    mailing = bench.plan(2)
    provider = Memory(limits=ports.Limits(raw=True, parts=True))
    await bench.sender(provider).send(mailing.id)
    for message in provider.sent:
        assert message.raw
        assert message.parts is not None
        assert message.parts.headers["Message-ID"] == f"<{message.message_id}>"
