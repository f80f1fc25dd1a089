"""The mail transactions of one session as a machine without sockets: replies in, blocks of bytes out.

`Dialogue` holds what is the same however content travels; `newsletter.providers.smtp.by_data` speaks DATA,
`newsletter.providers.smtp.by_chunks` BDAT.
"""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter import ports
from newsletter.domain import deliveries, messages, replies, verdicts
from newsletter.domain.replies import Reply, Stage
from newsletter.domain.verdicts import Kind, Scope, Verdict
from newsletter.providers.smtp import envelopes
from newsletter.providers.smtp.terms import Terms

#: Where Postfix, Exim and Amazon SES put the id that their logs call the message by.
_QUEUE_ID = re.compile(r"(?:queued as |\bid=|^2\d\d (?:2\.0\.0 )?Ok )(\S+)").search
#: What nearly every Postfix says: nothing needs to be searched for.
_POSTFIX = "250 2.0.0 Ok: queued as "

# Members of an enumeration are looked up slowly, and these several times a message.
_CONTENT = Stage.CONTENT
#: What opens a transaction, and is answered with 250 nearly always.
_OPENING = (Stage.MAIL, Stage.RCPT, Stage.RSET)


def _queue_id(said: str) -> str:
    """Return the id in a server's answer to a message, or an empty text."""
    if said.startswith(_POSTFIX):
        return said[len(_POSTFIX) :].partition(" ")[0]
    return _found_id(said)


# A server without ids gives one answer again and again.
@functools.lru_cache(maxsize=64)
def _found_id(said: str) -> str:
    match = _QUEUE_ID(said)
    return match[1] if match else ""


class OutOfStepError(Exception):
    """A reply that cannot answer what we asked: the session has lost its place."""


class ClosingError(Exception):
    """The server said 421: it answers nothing more."""


@dataclass(slots=True, eq=False)
class Transaction:
    """One message on its way."""

    message: messages.Message
    #: Bytes of the message.
    size: int
    #: Whether its envelope was refused; its receipt is given then.
    refused: bool = False
    #: Whether its content was put into a block.
    handed: bool = False


@dataclass(frozen=True)
class Leftovers:
    """What a session that broke off leaves behind."""

    #: Content was handed over whole, and no answer came.
    doubtful: tuple[messages.Message, ...]
    #: The server cannot have taken them.
    untouched: tuple[messages.Message, ...]


class Dialogue:
    """Draws messages from a feed, says them to a server, and gives a receipt for each."""

    def __init__(self, feed: ports.Feed, terms: Terms, *, most: int = 0) -> None:
        self._feed = feed
        self._writer = envelopes.Writer(terms)
        #: How many more messages this session may take; below zero: no end.
        self._left = most or -1
        self._awaited: deque[tuple[Stage, Transaction | None]] = deque()
        self._closed = False
        self._halted = False
        #: Whether the server said 421 (RFC 5321 §3.8): it carries out nothing of what stands behind.
        self._closing = False
        #: Whether the last block ends with the end of a message.
        self._ends_with_content = False
        #: Whether there may be more to say before the next reply.
        self.eager = True
        #: Messages that the server took.
        self.accepted = 0
        #: Whether the feed had nothing when it was last asked.
        self.hungry = False
        #: The receipt that ends the whole mailing.
        self.stop: deliveries.Receipt | None = None

    @property
    def stage(self) -> Stage | None:
        """The stage whose reply is awaited first, or None."""
        return self._awaited[0][0] if self._awaited else None

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be said or awaited in this session."""
        if self._halted:
            return not any(transaction and transaction.handed for _, transaction in self._awaited)
        return (self._closed or not self._left) and self.idle

    @property
    def idle(self) -> bool:
        """Whether no transaction is under way."""
        return not self._awaited

    def close(self) -> None:
        """Take no more messages; what is under way goes on."""
        self._closed = True

    def halt(self) -> None:
        """Hand nothing more over; only answers to what was handed over are awaited."""
        self._closed = self._halted = True

    def next_block(self) -> bytes:
        """Return the next bytes to send, or none; the only place where messages are taken.

        Ask again while there is room to write, and whenever a reply came or the feed may have more.
        """
        raise NotImplementedError

    def answer_all(self, replies: Sequence[Reply]) -> None:
        """Take in replies in the order in which they came; raises what `answer` does."""
        awaited = self._awaited
        for reply in replies:
            # What nearly every envelope meets.
            if reply.code == 250 and awaited and awaited[0][0] in _OPENING:
                awaited.popleft()
            else:
                self.answer(reply)

    def answer(self, reply: Reply) -> None:
        """Take in one reply.

        Raises:
            OutOfStepError: it cannot be an answer to what was asked.
            ClosingError: the server closes.
        """
        if not self._awaited:
            raise self._unasked(reply)
        stage, transaction = self._awaited[0]
        self._closing = reply.code == 421
        if transaction is not None:
            self._answer(stage, transaction, reply)
        elif not self._closing:
            self._expect(reply.code // 100 == 2, reply, stage)
        self._awaited.popleft()
        if self._closing:
            raise ClosingError(str(reply))

    def leftovers(self, *, unsent: bool) -> Leftovers:
        """Say what becomes of messages without a receipt when the session is lost.

        With ``unsent`` the end of the last block had not left this machine.
        """
        pending = self._pending()
        cut = pending[-1] if unsent and self._ends_with_content and pending else None
        doubtful = [one for one in pending if one.handed and one is not cut]
        return Leftovers(
            doubtful=tuple(one.message for one in doubtful),
            untouched=tuple(one.message for one in pending if one not in doubtful),
        )

    def _pending(self) -> list[Transaction]:
        """List transactions that have no receipt, in the order they were begun."""
        found = {id(one): one for _, one in self._awaited if one is not None and not one.refused}
        return list(found.values())

    def _answer(self, stage: Stage, transaction: Transaction, reply: Reply) -> None:
        raise NotImplementedError

    def _answer_envelope(self, stage: Stage, transaction: Transaction, reply: Reply) -> None:
        """Take in the reply to MAIL or RCPT; a refusal gives the receipt at once."""
        if reply.code // 100 == 2 or transaction.refused:
            self._expect(reply.code // 100 != 3, reply, stage)
            return
        self._refuse(stage, transaction, reply)

    def _refuse(self, stage: Stage, transaction: Transaction, reply: Reply) -> None:
        """Give the receipt of a refused envelope, unless the session and not the recipient is at fault."""
        self._expect(reply.code // 100 != 3 and not replies.out_of_step(reply), reply, stage)
        if reply.code == 421 and stage is not Stage.RCPT:
            raise ClosingError(str(reply))
        transaction.refused = True
        self._give(transaction.message, replies.judge(reply, stage), str(reply))

    def _settle(self, transaction: Transaction, reply: Reply) -> None:
        """Take in the reply to a message's content."""
        if reply.code // 100 == 2 and not transaction.refused:
            self.accepted += 1
            said = str(reply)
            delivery = transaction.message.delivery
            self._feed.give(deliveries.Receipt(delivery, verdicts.ACCEPTED, said, _queue_id(said)))
            return
        self._expect(reply.code // 100 != 3, reply, _CONTENT)
        if not transaction.refused:
            self._give(transaction.message, replies.judge(reply, _CONTENT), str(reply))

    def _give(self, message: messages.Message, verdict: Verdict, reply: str) -> None:
        receipt = deliveries.Receipt(message.delivery, verdict, reply)
        if verdict.kind is Kind.STOP and verdict.scope is Scope.MAILING:
            self.stop = receipt
            self.halt()
        self._feed.give(receipt)

    def _take(self) -> tuple[Transaction, bytes] | None:
        """Take the next message that can be offered to this server, and write its MAIL and RCPT.

        Those that cannot be offered are refused.
        """
        while self._left and not self._closed:
            message = self._feed.take()
            if message is None:
                self.hungry = True
                return None
            self.hungry = False
            try:
                size = sum(map(len, message.pieces))
                lines = self._writer.write(message, size)
            except Exception:
                self._feed.put_back(message)
                raise
            if isinstance(lines, bytes):
                self._left -= 1
                return Transaction(message, size), lines
            self._give(message, lines, lines.reason)
        return None

    @staticmethod
    def _expect(fits: bool, reply: Reply, stage: Stage) -> None:
        if not fits:
            raise OutOfStepError(f"{stage.value} was answered with “{reply}”")

    @staticmethod
    def _unasked(reply: Reply) -> Exception:
        if reply.code == 421:
            return ClosingError(str(reply))
        return OutOfStepError(f"an answer to nothing: “{reply}”")
