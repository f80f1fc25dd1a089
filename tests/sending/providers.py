"""A provider in memory, whose answers a test decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from newsletter import ports
from newsletter.domain import deliveries, messages
from newsletter.domain.verdicts import ACCEPTED, Kind, Scope, Verdict

Answer = Callable[[messages.Message], Verdict | None]

BUSY = Verdict(kind=Kind.RETRY, reason="busy")
SLOWER = Verdict(kind=Kind.RETRY, scope=Scope.DOMAIN, reason="slower, please")
DEAD = Verdict(kind=Kind.SUPPRESS, reason="no such user")
LOST = Verdict(kind=Kind.UNKNOWN, reason="the connection broke")
STOP = Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason="our credentials were refused")


class Memory:
    """Keeps what it is handed and answers at once; None puts the message back, once."""

    def __init__(
        self,
        answer: Answer = lambda message: ACCEPTED,
        *,
        in_flight: int = 4,
        limits: ports.Limits | None = None,
        probe: Callable[[], str] = lambda: "memory",
    ) -> None:
        self.limits = limits or ports.Limits(in_flight=in_flight)
        self.sent: list[messages.Message] = []
        self._answer = answer
        self._in_flight = in_flight
        self._probe = probe

    async def probe(self) -> str:
        return self._probe()

    async def send(self, feed: ports.Feed) -> None:
        while await feed.ready():
            hand: list[messages.Message] = []
            while len(hand) < self._in_flight and (message := feed.take()) is not None:
                hand.append(message)
            await asyncio.sleep(0)
            for message in hand:
                verdict = self._answer(message)
                if verdict is None:
                    feed.put_back(message)
                    continue
                self.sent.append(message)
                feed.give(deliveries.Receipt(message.delivery, verdict, f"250 {verdict.reason}", "m-1"))

    @property
    def recipients(self) -> list[str]:
        """Return who was mailed, in order."""
        return [message.recipient for message in self.sent]
