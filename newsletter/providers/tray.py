"""A feed over a handful of messages, without a ledger: test mails and trials of a provider."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from newsletter.domain import deliveries, messages


class Tray:
    """Hands out each message once and keeps the receipts."""

    def __init__(self, letters: Iterable[messages.Message]) -> None:
        self._waiting = deque(letters)
        self._out: dict[int, messages.Message] = {}
        self._changed = asyncio.Event()
        #: The answers so far, in the order they came.
        self.receipts: list[deliveries.Receipt] = []

    @property
    def waiting(self) -> int:
        """How many messages nobody has taken."""
        return len(self._waiting)

    @property
    def out(self) -> int:
        """How many messages were taken and have no receipt."""
        return len(self._out)

    def take(self) -> messages.Message | None:
        """Return the next message, or None."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._out[message.delivery] = message
        return message

    def give(self, receipt: deliveries.Receipt) -> None:
        """Take the answer for one message.

        Raises:
            ValueError: no such message is out: it has a receipt already, or was never taken.
        """
        self._drop(receipt.delivery)
        self.receipts.append(receipt)

    def put_back(self, message: messages.Message) -> None:
        """Take back a message that was not handed over."""
        self._drop(message.delivery)
        self._waiting.appendleft(message)

    async def ready(self) -> bool:
        """Wait until there is a message to take; False once each has its receipt."""
        while not self._waiting and self._out:
            self._changed.clear()
            await self._changed.wait()
        return bool(self._waiting)

    def _drop(self, delivery: int) -> None:
        if self._out.pop(delivery, None) is None:
            raise ValueError(f"delivery {delivery} is not out")
        self._changed.set()
