"""What may be asked of a provider, and what a provider draws messages from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from newsletter.domain import deliveries, messages


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a provider can carry, declared before anything is planned."""

    #: Whether it takes `Message.raw`; otherwise `Message.parts` is filled.
    raw: bool = True
    #: Whether `Message.parts` is wanted although it takes `Message.raw`.
    parts: bool = False
    #: Bytes of one message; 0: not known.
    max_bytes: int = 0
    #: Messages that it may hold at once without having answered.
    in_flight: int = 1
    #: Messages of one call; with more than one the window grows to `in_flight`, so that calls are full.
    batch: int = 1
    #: Whether addresses outside ASCII can be mailed (RFC 6531).
    utf8_addresses: bool = False
    #: Headers, in lower case, that it does not set as we ask.
    refuses: frozenset[str] = frozenset()
    #: Whether a repeated hand-over of the same message is recognised and not sent twice.
    idempotent: bool = False


class Feed(Protocol):
    """What a provider draws messages from, and gives receipts to.

    ``take`` and ``give`` never block and cost no turn of the event loop: a provider calls them
    from its transport's callbacks.
    """

    def take(self) -> messages.Message | None:
        """Return the next message to hand over, or None when none may go now."""
        ...

    def give(self, receipt: deliveries.Receipt) -> None:
        """Take the answer for one message. Exactly one receipt belongs to every message taken."""
        ...

    def put_back(self, message: messages.Message) -> None:
        """Take back a message that nobody can have taken: it was not handed over, or not to its end."""
        ...

    async def ready(self) -> bool:
        """Wait until `take` may return a message; False when there will be no more."""
        ...


class Provider(Protocol):
    """SMTP or an email API: hands messages over and answers for each."""

    @property
    def limits(self) -> Limits:
        """What it can carry; after `probe` the server's own word."""
        ...

    async def probe(self) -> str:
        """Connect, authenticate and leave again; return what it said of itself.

        Raises:
            ProviderError: it cannot be reached, or refuses us.
        """
        ...

    async def send(self, feed: Feed) -> None:
        """Draw messages from the feed until it is dry, and give a receipt for each one taken.

        Raises:
            ProviderError: nothing can be handed over; every message taken has its receipt all the same.
        """
        ...
