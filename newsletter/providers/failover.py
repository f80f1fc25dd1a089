"""Providers in an order: the next one takes over what the one before it certainly did not accept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter import ports
from newsletter.domain import deliveries, errors, messages
from newsletter.domain.verdicts import Kind, Scope, Verdict

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Named:
    """A provider, and its name in the settings."""

    name: str
    provider: ports.Provider


class FailOver:
    """Sends by the first provider that will have us, and goes on with the next where it stops."""

    def __init__(self, line: Sequence[Named]) -> None:
        """Take at least one provider."""
        self._line = list(line)
        self._first = 0

    @property
    def limits(self) -> ports.Limits:
        """What every one of them can carry."""
        all_ = [each.provider.limits for each in self._line]
        raw = any(limits.raw for limits in all_)
        return ports.Limits(
            raw=raw,
            # Messages come in both forms where the providers want different ones.
            parts=raw and any(not limits.raw or limits.parts for limits in all_),
            max_bytes=min((limits.max_bytes for limits in all_ if limits.max_bytes), default=0),
            in_flight=max(limits.in_flight for limits in all_),
            batch=max(limits.batch for limits in all_),
            utf8_addresses=all(limits.utf8_addresses for limits in all_),
            idempotent=all(limits.idempotent for limits in all_),
            refuses=frozenset[str]().union(*(limits.refuses for limits in all_)),
        )

    async def probe(self) -> str:
        """Ask them in their order; sending begins with the first that answers.

        Raises:
            ProviderError: none of them will have us; it is the first one's error.
        """
        troubles: list[errors.ProviderError] = []
        for place, each in enumerate(self._line):
            try:
                said = await each.provider.probe()
            except errors.ProviderError as error:
                troubles.append(error)
                _tell(each.name, error)
            else:
                self._first = place
                return said
        raise troubles[0]

    async def send(self, feed: ports.Feed) -> None:
        """Draw messages from the feed until it is dry.

        Raises:
            ProviderError: the last of them cannot go on.
        """
        *others, last = self._line[self._first :]
        for each in others:
            guarded = _Guarded(feed)
            try:
                await each.provider.send(guarded)
            except errors.ProviderError as error:
                _tell(each.name, error)
            else:
                if not guarded.refused:
                    return
                _tell(each.name, guarded.refused)
        await last.provider.send(feed)


class _Guarded:
    """Keeps back what a provider certainly did not accept, for the next one."""

    def __init__(self, feed: ports.Feed) -> None:
        self._feed = feed
        self._out: dict[int, messages.Message] = {}
        #: Why the provider takes no more; empty while it does.
        self.refused = ""

    def take(self) -> messages.Message | None:
        message = None if self.refused else self._feed.take()
        if message is not None:
            self._out[message.delivery] = message
        return message

    def give(self, receipt: deliveries.Receipt) -> None:
        message = self._out.pop(receipt.delivery, None)
        if message is not None and _will_not(receipt.verdict):
            self.refused = receipt.verdict.reason or receipt.reply or "it takes nothing"
            self._feed.put_back(message)
        else:
            self._feed.give(receipt)

    def put_back(self, message: messages.Message) -> None:
        self._out.pop(message.delivery, None)
        self._feed.put_back(message)

    async def ready(self) -> bool:
        return not self.refused and await self._feed.ready() and not self.refused


def _will_not(verdict: Verdict) -> bool:
    """Say whether a provider takes nothing of the mailing; in doubt, or asked to wait, it stays with it."""
    if verdict.scope is Scope.DOMAIN:
        return False
    out_of_reach = (
        verdict.kind is Kind.RETRY and verdict.scope is Scope.MAILING and verdict.retry_after is None
    )
    return verdict.kind is Kind.STOP or out_of_reach


def _tell(name: str, why: object) -> None:
    _log.warning("%s takes no more (%s): the next provider goes on", name, why, extra={"action": "failover"})
