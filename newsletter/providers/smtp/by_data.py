"""Transactions by DATA (RFC 5321 §4.1.1.4): one message at a time, the next envelope behind the final dot.

Where the server pipelines (RFC 2920 §3.1), MAIL, RCPT and DATA go in one block; elsewhere each command
waits for the reply to the one before.
"""

from __future__ import annotations

from collections import deque

from newsletter import ports
from newsletter.domain.replies import Reply, Stage
from newsletter.providers.smtp import dialogue, envelopes
from newsletter.providers.smtp.dialogue import Transaction
from newsletter.providers.smtp.terms import Terms

#: Up to this size a message and the next envelope share a block: it fits the socket's send buffer, which is
#: empty when content begins, and leaves whole. A longer one may leave in pieces; then nothing stands behind
#: the final dot, so that a loss shows whether the dot had left.
_SHARES_BLOCK = 128 * 1024
_DOT = b".\r\n"
# Members of an enumeration are looked up slowly, and these several times a message.
_MAIL, _RCPT, _DATA, _CONTENT = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.CONTENT


class ByData(dialogue.Dialogue):
    """The dialogue with a server that takes content by DATA."""

    def __init__(self, feed: ports.Feed, terms: Terms, *, pipelining: bool, most: int = 0) -> None:
        super().__init__(feed, terms, most=most)
        #: Whether commands go out together.
        self.pipelining = pipelining
        #: The transaction whose envelope is begun and whose content is not yet said.
        self._open: Transaction | None = None
        #: Whether the server has asked for its content.
        self._asked = False
        #: Commands of the open envelope that wait for their turn.
        self._unsaid: deque[tuple[Stage, bytes]] = deque()
        #: Whether a refused envelope may have left the server in mid-transaction: then the next MAIL would
        #: be refused to the next recipient's cost.
        self._reset = False

    @property
    def idle(self) -> bool:
        """Whether no transaction is under way."""
        return not self._awaited and self._open is None

    def next_block(self) -> bytes:
        """Return the next bytes to send, or none."""
        if self._halted:
            return b""
        if self._asked:
            return self._content()
        if self._open is None:
            return self._envelope() if self.pipelining or not self._awaited else b""
        return self._command() if self._unsaid and not self._awaited else b""

    def _content(self) -> bytes:
        transaction, self._open, self._asked = self._open, None, False
        assert transaction is not None
        self._awaited.append((_CONTENT, transaction))
        if transaction.refused:
            # The server wants content although it refused the recipient: an empty message ends that.
            self._reset = True
            return _DOT
        transaction.handed = True
        content = envelopes.content(transaction.message)
        if self.pipelining and sum(map(len, content)) <= _SHARES_BLOCK:
            following = self._envelope()
            self._ends_with_content = not following
            return b"".join((*content, _DOT, following))
        self._ends_with_content = True
        return b"".join((*content, _DOT))

    def _envelope(self) -> bytes:
        message = self._take()
        if message is None:
            return b""
        self._open = transaction = Transaction(message)
        self._ends_with_content = False
        mail, rcpt = envelopes.mail(message, self._terms), envelopes.rcpt(message, self._terms)
        reset, self._reset = self._reset, False
        if not self.pipelining:
            return self._begin(mail, rcpt, reset=reset)
        awaited = self._awaited
        if reset:
            awaited.append((Stage.RSET, None))
        awaited.append((_MAIL, transaction))
        awaited.append((_RCPT, transaction))
        awaited.append((_DATA, transaction))
        return b"%b%b\r\n%b\r\nDATA\r\n" % (b"RSET\r\n" if reset else b"", mail, rcpt)

    def _begin(self, mail: bytes, rcpt: bytes, *, reset: bool) -> bytes:
        if reset:
            self._unsaid.append((Stage.RSET, b"RSET\r\n"))
        self._unsaid.append((_MAIL, mail + b"\r\n"))
        self._unsaid.append((_RCPT, rcpt + b"\r\n"))
        self._unsaid.append((_DATA, b"DATA\r\n"))
        return self._command()

    def _command(self) -> bytes:
        stage, line = self._unsaid.popleft()
        self._awaited.append((stage, None if stage is Stage.RSET else self._open))
        return line

    def _answer(self, stage: Stage, transaction: Transaction, reply: Reply) -> None:
        if stage is _CONTENT:
            self._settle(transaction, reply)
        elif stage is _DATA:
            self._answer_data(transaction, reply)
        else:
            self._answer_envelope(stage, transaction, reply)
            if transaction.refused and self._unsaid:
                self._unsaid.clear()
                self._open, self._reset = None, True

    def _answer_data(self, transaction: Transaction, reply: Reply) -> None:
        if reply.code == 354:
            self._asked = True
            return
        self._expect(reply.code // 100 >= 4, reply, _DATA)
        if not transaction.refused:
            self._refuse(_DATA, transaction, reply)
        self._open, self._reset = None, True

    def _pending(self) -> list[Transaction]:
        pending = super()._pending()
        if self._open is not None and not self._open.refused and self._open not in pending:
            pending.append(self._open)
        return pending
