"""The one place where an email API is spoken to: time-outs, Retry-After, and “body sent, no answer”.

An adapter is two pure functions, `call` and `parse`; `HttpProvider` does everything that needs a network.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from newsletter import ports
from newsletter.domain import deliveries, errors, messages
from newsletter.domain.verdicts import Kind, Verdict
from newsletter.providers import answers, carriers
from newsletter.providers.answers import Answer, Call, Parsed

#: How often the same call is repeated where the provider recognises a repetition.
_REPEATS = 3
_STEP = 0.5


class Api(Protocol):
    """An email API as two pure functions and what it declares of itself."""

    #: As people know it: “Postmark”.
    name: str
    limits: ports.Limits
    #: Messages of one call, and their bytes in all.
    batch: int
    batch_bytes: int

    @property
    def options(self) -> answers.ApiOptions:
        """What was set about it."""
        ...

    def call(self, batch: Sequence[messages.Message], *, now: datetime) -> Call:
        """Write the request that hands over these messages."""
        ...

    def parse(self, batch: Sequence[messages.Message], answer: Answer) -> Parsed:
        """Read what the answer says of each of them."""
        ...

    def check(self, *, now: datetime) -> Call:
        """Write a request that changes nothing and tells whether we are known."""
        ...

    def stranger(self, answer: Answer) -> bool:
        """Say whether the answer to `check` is one to an unknown key; a key that may only send is known."""
        ...

    def pause(self, answer: Answer) -> float:
        """Return the seconds that an answer wants us to wait before the next call."""
        ...

    def rate(self, answer: Answer) -> float:
        """Return messages a second that the account allows, from the answer to `check`; 0: not said."""
        ...


@runtime_checkable
class Knocks(Protocol):
    """An API that answers `check` alike to an unknown key and to one that may only send."""

    def knock(self) -> Call:
        """Write a call of the sending endpoint without a message: refused for its key, or for its lack."""
        ...


@runtime_checkable
class Recognises(Protocol):
    """An API that answers a repeated call with a refusal of its own, and not as it answered the first."""

    def had_before(self, answer: Answer) -> bool:
        """Say whether an answer tells that the call was taken before."""
        ...


class HttpProvider:
    """Carries messages to an email API in batches, and answers for each one."""

    def __init__(
        self,
        api: Api,
        *,
        clock: ports.Clock,
        verify: Any = True,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tick: Callable[[], float] | None = None,
    ) -> None:
        self._api = api
        self._clock = clock
        self._verify = verify
        self._wait = wait
        self._gate = _Gate(wait, tick or _tick)

    @property
    def limits(self) -> ports.Limits:
        """What the API declares."""
        return self._api.limits

    @property
    def api(self) -> Api:
        """The API that is spoken to."""
        return self._api

    async def look(self) -> Answer:
        """Ask who we are, and return the whole answer.

        Raises:
            ProviderError: it cannot be reached, or does not know us.
        """
        async with self._carrier() as carrier:
            return await self._check(carrier)

    async def ask(self, call: Call) -> Answer:
        """Make one call that hands no message over.

        Raises:
            ProviderError: no answer came.
        """
        async with self._carrier() as carrier:
            answer = await self._ask(carrier, call)
        if isinstance(answer, Verdict):
            raise errors.ProviderError(
                f"{self._api.name} did not answer: {answer.reason}", hint="try again later"
            )
        return answer

    async def probe(self) -> str:
        """Ask who we are, and change nothing.

        Raises:
            ProviderError: it cannot be reached.
            ProviderRefusedError: it does not know us.
        """
        async with self._carrier() as carrier:
            answer = await self._check(carrier)
        if answers.refused(answer):
            return f"{self._api.name} knows the key, which may do no more than send: {answers.said(answer)}"
        if not answer.ok:
            return f"{self._api.name} answers {answer.status}: {answers.said(answer)}"
        return f"{self._api.name} answers {answer.status} and knows the key"

    async def send(self, feed: ports.Feed) -> None:
        """Draw batches from the feed until it is dry.

        Raises:
            ProviderError: the API cannot be reached at all, before the first message.
        """
        async with self._carrier() as carrier:
            rate = self._api.rate(await self._check(carrier))
            self._gate.set_rate(rate)
            await _together(self._work(carrier, feed) for _ in range(self._api.options.connections))

    async def _check(self, carrier: carriers.Carrier) -> Answer:
        answer = await self._ask(carrier, self._api.check(now=self._clock()))
        if isinstance(answer, Verdict):
            raise errors.ProviderError(
                f"{self._api.name} cannot be reached: {answer.reason}",
                hint=f"may this machine connect to {self._host()}, or is there a proxy or firewall between?",
            )
        if self._api.stranger(answer) and not await self._may_send(carrier):
            raise errors.ProviderRefusedError(
                f"{self._api.name} refuses our key ({answer.status}): {answers.said(answer)}",
                hint="mend the key in .env; newsletter doctor tells whether it is known",
            )
        return answer

    async def _may_send(self, carrier: carriers.Carrier) -> bool:
        """Tell a key that may do no more than send from an unknown one, where a call more tells."""
        if not isinstance(self._api, Knocks):
            return False
        answer = await carrier.ask(self._api.knock())
        return isinstance(answer, Answer) and answer.status == 400

    async def _work(self, carrier: carriers.Carrier, feed: ports.Feed) -> None:
        while await feed.ready():
            batch = self._draw(feed)
            if batch:
                await self._hand_over(carrier, feed, batch)

    def _draw(self, feed: ports.Feed) -> list[messages.Message]:
        """Take as many messages as one call may hold."""
        batch: list[messages.Message] = []
        size = 0
        try:
            while len(batch) < self._api.batch and (message := feed.take()) is not None:
                size += weight(message)
                if batch and (size > self._api.batch_bytes or not _alike(batch[0], message)):
                    feed.put_back(message)
                    break
                batch.append(message)
        except BaseException:
            for message in batch:
                feed.put_back(message)
            raise
        return batch

    async def _hand_over(
        self, carrier: carriers.Carrier, feed: ports.Feed, batch: Sequence[messages.Message]
    ) -> None:
        waiting: list[Sequence[messages.Message]] = [batch]
        try:
            while waiting:
                await self._gate.enter(len(waiting[-1]))
                waiting += await self._call(carrier, feed, waiting.pop())
        except asyncio.CancelledError:
            for message in (each for rest in waiting for each in rest):
                feed.put_back(message)
            raise

    async def _call(
        self, carrier: carriers.Carrier, feed: ports.Feed, batch: Sequence[messages.Message]
    ) -> Sequence[Sequence[messages.Message]]:
        """Make one call and give a receipt for each message of it; return what is to be handed over anew."""
        try:
            answer = await self._ask(carrier, self._api.call(batch, now=self._clock()))
        except asyncio.CancelledError:
            _give_all(feed, batch, Verdict(kind=Kind.UNKNOWN, reason="broken off before the answer came"))
            raise
        if isinstance(answer, Verdict):
            _give_all(feed, batch, answer)
            return ()
        self._gate.hold(self._api.pause(answer))
        parsed = self._api.parse(batch, answer)
        for receipt in answers.accounted(batch, parsed):
            feed.give(receipt)
        return parsed.again

    async def _ask(self, carrier: carriers.Carrier, call: Call) -> Answer | Verdict:
        """Post a call; a verdict instead of an answer where none came.

        Once a call may have been taken, only a yes tells of it: a refusal is one of the repetition.
        """
        reads = call.method == "GET"
        verdict, doubt = Verdict(kind=Kind.UNKNOWN), None
        for attempt in range(_REPEATS if self._api.limits.idempotent or reads else 1):
            if attempt:
                await self._wait(_STEP * 2**attempt)
            answer = await carrier.ask(call)
            if isinstance(answer, Verdict):
                verdict = answer
                doubt = answer if answer.kind is Kind.UNKNOWN else doubt
            elif doubt is None or reads or self._took(answer):
                return answer
        return doubt or verdict

    def _took(self, answer: Answer) -> bool:
        return answer.ok or (isinstance(self._api, Recognises) and self._api.had_before(answer))

    def _host(self) -> str:
        return urllib.parse.urlsplit(self._api.check(now=self._clock()).url).netloc

    def _carrier(self) -> carriers.Carrier:
        """Return what carries the calls: a plain lane where each message costs one, else httpx."""
        options = self._api.options
        if self._api.batch == 1:
            from newsletter.providers import lanes

            if lanes.suits(self._api.check(now=self._clock()).url):
                return lanes.LaneCarrier(timeout=options.timeout, verify=self._verify)
        return carriers.HttpxCarrier(
            connections=options.connections, timeout=options.timeout, verify=self._verify
        )


class _Gate:
    """Spaces calls to the account's rate, and holds them all when the provider asks for a pause."""

    def __init__(self, wait: Callable[[float], Awaitable[None]], tick: Callable[[], float]) -> None:
        self._wait = wait
        self._tick = tick
        self._each = 0.0
        self._free_at = 0.0

    def set_rate(self, rate: float) -> None:
        """Allow so many messages a second; 0: as many as there are."""
        self._each = 1 / rate if rate > 0 else 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody in for some seconds."""
        if seconds > 0:
            self._free_at = max(self._free_at, self._tick() + seconds)

    async def enter(self, count: int) -> None:
        """Wait for the turn of so many messages."""
        start = max(self._free_at, self._tick())
        self._free_at = start + count * self._each
        if start > self._tick():
            await self._wait(start - self._tick())


async def _together(jobs: Iterable[Coroutine[None, None, None]]) -> None:
    """Run jobs until all are done; where one fails, the others end before its error goes up."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _give_all(feed: ports.Feed, batch: Sequence[messages.Message], verdict: Verdict) -> None:
    for message in batch:
        feed.give(deliveries.Receipt(message.delivery, verdict, verdict.reason))


def _tick() -> float:
    return asyncio.get_running_loop().time()


def weight(message: messages.Message) -> int:
    """Return about how many bytes a message adds to a call."""
    if message.parts is None:
        return message.size
    return len(message.parts.html.encode()) + len(message.parts.text.encode()) + 2000


def _alike(first: messages.Message, other: messages.Message) -> bool:
    """Say whether two messages come from one template, and may share a call that states it once."""
    if first.parts is None or other.parts is None:
        return True
    return first.parts.template is other.parts.template
