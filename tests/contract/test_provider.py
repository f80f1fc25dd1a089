"""What every provider owes whoever feeds it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import pytest

from newsletter import ports
from newsletter.domain import deliveries, messages
from newsletter.domain.verdicts import Kind
from newsletter.providers import registry
from newsletter.providers.outbox import Outbox, OutboxOptions
from newsletter.providers.smtp.options import Security, SmtpOptions
from newsletter.providers.smtp.provider import Smtp
from newsletter.providers.tray import Tray
from newsletter.settings.providers import KINDS
from tests.providers.apis.harness import serving
from tests.providers.apis.test_email_apis import APIS, NOW
from tests.providers.apis.test_email_apis import letters as merged
from tests.providers.letters import letters
from tests.providers.scripted_smtp import ScriptedServer


class Subject(NamedTuple):
    """A provider with a way to see what arrived."""

    provider: ports.Provider
    #: The bytes that a server kept, or the recipients that a vendor took.
    arrived: Callable[[], Collection[bytes | str]]

    def letters(self, count: int) -> list[messages.Message]:
        """Messages in the form that the provider wants, numbered from 1."""
        if self.provider.limits.raw:
            return list(letters(count))
        return merged(self.provider, *(f"reader{number}@example.org" for number in range(1, count + 1)))

    def marks(self, sent: Sequence[messages.Message]) -> list[bytes | str]:
        """What should have arrived."""
        by_bytes = isinstance(self.provider, Outbox | Smtp)
        return sorted(one.raw if by_bytes else one.recipient for one in sent)


def _outbox(tmp_path: Path) -> Subject:
    provider = Outbox(OutboxOptions(path=tmp_path / "outbox"))
    return Subject(provider, lambda: [path.read_bytes() for path in (tmp_path / "outbox" / "new").glob("*")])


def _api(stack: AsyncExitStack, kind: str) -> Subject:
    speak, make = APIS[kind]
    vendor = speak()
    url = stack.enter_context(serving(vendor))
    # The registry's own door: options as the settings hand them down.
    options = {field.name: getattr(make(url).options, field.name) for field in fields(make(url).options)}
    return Subject(registry.build(kind, options, clock=lambda: NOW), lambda: vendor.taken)


async def _smtp(stack: AsyncExitStack, *offers: str) -> Subject:
    server = await stack.enter_async_context(ScriptedServer(offers=offers))
    options = SmtpOptions(host="127.0.0.1", port=server.port, security=Security.NONE, connections=3)
    return Subject(Smtp(options), lambda: [one.content for one in server.taken])


@pytest.fixture(params=["outbox", "smtp", "smtp-pipelining", "smtp-chunking", *registry.APIS])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """Each provider in turn."""
    made: dict[str, Callable[[AsyncExitStack], Awaitable[Subject]]] = {
        "smtp": lambda stack: _smtp(stack, "8BITMIME", "SMTPUTF8"),
        "smtp-pipelining": lambda stack: _smtp(stack, "PIPELINING", "SMTPUTF8"),
        "smtp-chunking": lambda stack: _smtp(stack, "PIPELINING", "CHUNKING", "SMTPUTF8"),
    }
    async with AsyncExitStack() as stack:
        if request.param in registry.APIS:
            yield _api(stack, request.param)
        else:
            yield _outbox(tmp_path) if request.param == "outbox" else await made[request.param](stack)


class Paced(Tray):
    """Lets no more than a few messages go at once, and then makes its taker wait."""

    def __init__(self, letters: list[messages.Message], *, burst: int) -> None:
        super().__init__(letters)
        self._burst = self._room = burst

    def take(self) -> messages.Message | None:
        if not self._room:
            return None
        self._room -= 1
        return super().take()

    async def ready(self) -> bool:
        if not self._room:
            await asyncio.sleep(0.001)
            self._room = self._burst
        return await super().ready()


class Failing(Tray):
    """Cannot keep the third receipt."""

    def give(self, receipt: deliveries.Receipt) -> None:
        if len(self.receipts) == 2:
            raise OSError("the ledger is gone")
        super().give(receipt)


async def test_every_message_taken_gets_exactly_one_receipt_and_arrives(subject: Subject) -> None:
    sent = subject.letters(200)
    tray = Tray(sent)
    await subject.provider.send(tray)
    assert sorted(one.delivery for one in tray.receipts) == [one.delivery for one in sent]
    assert {one.verdict.kind for one in tray.receipts} == {Kind.ACCEPTED}
    assert sorted(subject.arrived()) == subject.marks(sent)


async def test_a_feed_with_nothing_ends_at_once(subject: Subject) -> None:
    await subject.provider.send(Tray([]))


async def test_a_feed_that_makes_it_wait_is_waited_for(subject: Subject) -> None:
    tray = Paced(subject.letters(25), burst=4)
    await subject.provider.send(tray)
    assert len(tray.receipts) == 25


async def test_the_same_provider_can_send_again(subject: Subject) -> None:
    for number in (1, 2):
        await subject.provider.send(Tray(subject.letters(number)[-1:]))
    assert len(subject.arrived()) == 2


async def test_a_receipt_is_one_line_with_the_providers_words(subject: Subject) -> None:
    tray = Tray(subject.letters(1))
    await subject.provider.send(tray)
    (receipt,) = tray.receipts
    assert receipt.reply
    assert "\n" not in receipt.reply


async def test_an_error_of_the_feed_reaches_whoever_sends(subject: Subject) -> None:
    with pytest.raises(OSError, match="the ledger is gone"):
        await subject.provider.send(Failing(subject.letters(50)))


class Broken(Tray):
    """Has nothing to give but an error, from its fifth message on."""

    def take(self) -> messages.Message | None:
        if len(self.receipts) + self.out >= 4:
            raise OSError("the template is gone")
        return super().take()


async def test_an_error_of_the_feed_in_handing_out_reaches_whoever_sends(subject: Subject) -> None:
    tray = Broken(letters(50))
    with pytest.raises(OSError, match="the template is gone"):
        await subject.provider.send(tray)
    assert tray.out == 0


async def test_a_cancelled_send_leaves_no_message_without_an_answer(subject: Subject) -> None:
    tray = Paced(subject.letters(3000), burst=100)
    task = asyncio.create_task(subject.provider.send(tray))
    while len(tray.receipts) < 50:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tray.out == 0
    assert len(tray.receipts) + tray.waiting == 3000
    assert {one.verdict.kind for one in tray.receipts} <= {Kind.ACCEPTED, Kind.UNKNOWN}


async def test_probing_sends_nothing(subject: Subject) -> None:
    assert await subject.provider.probe()
    assert not subject.arrived()


async def test_its_limits_are_declared(subject: Subject) -> None:
    limits = subject.provider.limits
    assert limits.in_flight >= limits.batch >= 1
    assert not {"list-unsubscribe", "list-unsubscribe-post"} & limits.refuses


def test_every_kind_there_is_is_held_to_this_suite() -> None:
    assert {"smtp", "outbox", *registry.APIS} == set(registry.KINDS) == set(KINDS)
