"""Transactions by DATA (RFC 5321 §4.1.1.4): one message at a time, the next envelope behind the final dot.

Where the server pipelines (RFC 2920 §3.1), MAIL, RCPT and DATA go in one block; elsewhere each command
waits for the reply to the one before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

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
_RSET, _MAIL, _RCPT, _DATA, _CONTENT = Stage.RSET, Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.CONTENT
_RSET_LINE, _DATA_LINE = b"RSET\r\n", b"DATA\r\n"


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
        transaction, self._open, self._asked, self.eager = self._open, None, False, True
        assert transaction is not None
        self._awaited.append((_CONTENT, transaction))
        if transaction.refused:
            # The server wants content although it refused the recipient: an empty message ends that.
            self._reset = True
            return _DOT
        transaction.handed = True
        message, size = transaction.message, transaction.size
        content = message.pieces
        if not message.canonical:
            content = envelopes.content(message)
            size = sum(map(len, content))
        following = self._envelope() if self.pipelining and size <= _SHARES_BLOCK else b""
        self._ends_with_content = not following
        return b"".join((*content, _DOT, following))

    def _envelope(self) -> bytes:
        taken = self._take()
        if taken is None:
            return b""
        transaction, lines = taken
        self._open, self._ends_with_content = transaction, False
        if not self.pipelining:
            return self._begin(lines)
        if self._reset:
            self._reset, lines = False, _RSET_LINE + lines
            self._awaited.append((_RSET, None))
        self._awaited.extend(((_MAIL, transaction), (_RCPT, transaction), (_DATA, transaction)))
        self.eager = False
        return lines + _DATA_LINE

    def _begin(self, lines: bytes) -> bytes:
        if self._reset:
            self._reset = False
            self._unsaid.append((_RSET, _RSET_LINE))
        mail, rcpt = lines.splitlines(keepends=True)
        self._unsaid.extend(((_MAIL, mail), (_RCPT, rcpt), (_DATA, _DATA_LINE)))
        return self._command()

    def _command(self) -> bytes:
        stage, line = self._unsaid.popleft()
        self._awaited.append((stage, None if stage is _RSET else self._open))
        return line

    def answer_all(self, replies: Sequence[Reply]) -> None:
        """Take in replies in the order in which they came; raises what `answer` does."""
        awaited = self._awaited
        # Four replies awaited, the first of them that to content: an envelope without RSET stands behind it.
        if len(replies) == 4 == len(awaited) and awaited[0][0] is _CONTENT:
            taken, mail, rcpt, data = replies
            if taken.code == mail.code == rcpt.code == 250 and data.code == 354:
                transaction = awaited[0][1]
                assert transaction is not None
                self._settle(transaction, taken)
                awaited.clear()
                self._asked = True
                return
        super().answer_all(replies)

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
