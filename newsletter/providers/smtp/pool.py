"""The connections of one mailing: opened as the feed has work, renewed when lost, closed when it is dry."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from dataclasses import dataclass

from newsletter import ports
from newsletter.domain import deliveries, errors, messages
from newsletter.domain.replies import Stage
from newsletter.domain.verdicts import Kind, Verdict
from newsletter.providers.smtp import connection
from newsletter.providers.smtp.by_chunks import ByChunks
from newsletter.providers.smtp.by_data import ByData
from newsletter.providers.smtp.connection import Connection
from newsletter.providers.smtp.dialogue import Dialogue, Leftovers
from newsletter.providers.smtp.options import SmtpOptions
from newsletter.providers.smtp.terms import Terms

#: A message whose envelope was lost with its connection this often waits for its next turn in the ledger.
_MOST_RETURNS = 3
_ENVELOPE = (Stage.MAIL, Stage.RCPT, Stage.DATA)
_UNKNOWN = Verdict(kind=Kind.UNKNOWN, reason="handed over, and no answer came")
_LOST = Verdict(kind=Kind.RETRY, reason="the connection was lost before the message was handed over")


@dataclass
class Lessons:
    """What a server announces and does badly: learned by meeting it."""

    pipelining: bool = True
    chunking: bool = True
    #: Sessions in a row that broke off in the first envelope.
    suspicions: int = 0

    def take(self, talk: Dialogue, link: Connection) -> None:
        """Learn from a session that broke off."""
        if isinstance(talk, ByData) and not talk.pipelining:
            return
        if talk.accepted:
            self.suspicions = 0
        elif talk.stage in _ENVELOPE:
            self.suspicions += 1
        if link.out_of_step or self.suspicions >= 2:
            self.suspicions = 0
            if isinstance(talk, ByChunks):
                self.chunking = False
            else:
                self.pipelining = False


class Pool:
    """Sends what one feed has over up to ``options.connections`` connections."""

    def __init__(
        self, options: SmtpOptions, feed: ports.Feed, *, lessons: Lessons, context: ssl.SSLContext | None
    ) -> None:
        self._options = options
        self._feed = feed
        self._lessons = lessons
        self._context = context
        self._live: dict[Connection, Dialogue] = {}
        self._rounds = connection.Rounds()
        self._slots: dict[int, asyncio.Task[None]] = {}
        #: Slots that are not yet in a session: closing need not wait for them.
        self._outside: set[int] = set()
        self._failures: Counter[int] = Counter()
        self._returns: Counter[int] = Counter()
        self._returned = False
        self._reached = False
        self._proven = False
        self._closing = False
        self._error: Exception | None = None
        self._halted = False
        self._serving: asyncio.Task[None] | None = None
        #: Set when somebody looked for a message in vain, or something changed: time to ask the feed.
        self._asking = asyncio.Event()
        #: Set while the feed may have messages.
        self._work = asyncio.Event()

    async def run(self) -> None:
        """Send until the feed is dry.

        Raises:
            ProviderError: nothing more can be handed over; everything taken has its receipt or is back.
        """
        try:
            while True:
                self._returned = self._closing = False
                await self._until_dry()
                await self._finish()
                if self._error is not None:
                    raise self._error
                if not self._returned:
                    return
        finally:
            await self._break_off()

    async def _until_dry(self) -> None:
        self._serving = asyncio.create_task(self._serve())
        await asyncio.wait({self._serving})
        if not self._serving.cancelled():
            self._serving.result()

    async def _serve(self) -> None:
        """Keep connections drawing until the feed says that there will be no more."""
        while not self._halted and await self._feed.ready():
            self._asking.clear()
            self._work.set()
            self._staff()
            for link, talk in tuple(self._live.items()):
                if talk.hungry:
                    link.pump()
            await asyncio.sleep(0)
            await self._asking.wait()
            self._work.clear()

    def _staff(self) -> None:
        """Open one connection first, and the others once the server took a message."""
        wanted = self._options.connections if self._proven else 1
        for number in range(wanted):
            task = self._slots.get(number)
            if task is None:
                self._slots[number] = asyncio.create_task(self._slot(number))

    async def _finish(self) -> None:
        """Let every session come to its end; whoever is still on the way to one turns back."""
        self._closing = True
        for talk in self._live.values():
            talk.close()
        for link in tuple(self._live):
            link.pump()
        await self._break_off(only_outside=True)
        if self._slots:
            await asyncio.wait(self._slots.values())
        self._slots.clear()

    async def _break_off(self, *, only_outside: bool = False) -> None:
        tasks = [task for number, task in self._slots.items() if not only_outside or number in self._outside]
        if self._serving is not None:
            tasks.append(self._serving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- one slot: session after session -----------------------------------------------------------

    async def _slot(self, number: int) -> None:
        try:
            while not self._closing and not self._halted:
                self._outside.add(number)
                self._work.clear()
                self._asking.set()
                await self._work.wait()
                await self._pause(number)
                if not await self._attempt(number):
                    return
        except Exception as error:
            self._halt(error)

    async def _attempt(self, number: int) -> bool:
        """Open and serve one session; return whether the slot should go on."""
        try:
            await self._session(number)
        except errors.ProviderRefusedError as error:
            if not self._live:
                self._halt(error)
            return False
        except errors.ProviderError as error:
            self._failures[number] += 1
            spent = self._failures[number] >= self._options.attempts
            if not self._live and (spent or not self._reached):
                self._halt(error)
                return False
        return True

    async def _pause(self, number: int) -> None:
        failures = self._failures[number]
        if failures:
            await asyncio.sleep(self._options.pause(failures, slot=number))

    async def _session(self, number: int) -> None:
        link = await connection.dial(self._options, self._context)
        self._reached = True
        try:
            await link.log_in(self._context)
            if await self._carry(number, link):
                await link.leave()
        finally:
            link.transport.abort()

    async def _carry(self, number: int, link: Connection) -> bool:
        """Serve one session; return whether it came to its own end."""
        talk = self._dialogue(link.terms)
        self._live[link] = talk
        self._outside.discard(number)
        try:
            await link.carry(
                talk, rounds=self._rounds, on_hunger=self._asking.set, on_first_taken=self._on_first_taken
            )
        finally:
            del self._live[link]
            idle = talk.idle
            self._return(talk.leftovers(unsent=link.unsent), why=link.lost)
        if talk.accepted:
            self._failures[number] = 0
        if talk.stop is not None:
            self._halt(self._refused(talk.stop))
        elif link.lost:
            self._lessons.take(talk, link)
            if not (talk.accepted or (idle and talk.hungry)):
                raise errors.ProviderError(f"{self._options.server}: {link.lost}")
        return idle and not link.lost

    def _dialogue(self, terms: Terms) -> Dialogue:
        options, lessons = self._options, self._lessons
        pipelining = terms.pipelining and options.pipelining and lessons.pipelining
        if pipelining and terms.chunking and lessons.chunking and options.window:
            return ByChunks(self._feed, terms, window=options.window, most=options.per_connection)
        return ByData(self._feed, terms, pipelining=pipelining, most=options.per_connection)

    def _on_first_taken(self) -> None:
        if not self._proven:
            self._proven = True
            self._asking.set()

    # -- what becomes of a session -----------------------------------------------------------------

    def _return(self, leftovers: Leftovers, *, why: str) -> None:
        """Give every message that a session leaves behind its receipt, or give it back."""
        for message in leftovers.doubtful:
            self._feed.give(deliveries.Receipt(message.delivery, _UNKNOWN, why))
        for message in leftovers.untouched:
            self._give_back(message, why)

    def _give_back(self, message: messages.Message, why: str) -> None:
        self._returns[message.delivery] += 1
        if self._returns[message.delivery] >= _MOST_RETURNS:
            del self._returns[message.delivery]
            self._feed.give(deliveries.Receipt(message.delivery, _LOST, why))
            return
        self._feed.put_back(message)
        self._returned = True
        self._asking.set()

    def _refused(self, receipt: deliveries.Receipt) -> errors.ProviderRefusedError:
        verdict = receipt.verdict
        said = "" if receipt.reply == verdict.reason else f" (“{receipt.reply}”)"
        return errors.ProviderRefusedError(f"{self._options.server}: {verdict.reason}{said}")

    def _halt(self, error: Exception) -> None:
        """End the mailing: hand nothing more over, and wait only for answers that are due."""
        if self._error is None:
            self._error = error
        self._halted = True
        if self._serving is not None:
            self._serving.cancel()
        for talk in self._live.values():
            talk.halt()
        for link in tuple(self._live):
            link.pump()
