"""Transactions by BDAT (RFC 3030) where the server pipelines: a whole message a block, several in the air.

Every envelope begins with RSET: after a refused chunk the server may still be in mid-transaction, and the
messages behind it are on their way already.
"""

from __future__ import annotations

from newsletter import ports
from newsletter.domain.replies import Reply, Stage
from newsletter.providers.smtp import dialogue
from newsletter.providers.smtp.dialogue import Transaction
from newsletter.providers.smtp.terms import Terms

#: BDAT was announced and is not understood: some box on the way speaks another SMTP than the server.
_NOT_UNDERSTOOD = (500, 502, 504)
# Members of an enumeration are looked up slowly, and these several times a message.
_RSET, _MAIL, _RCPT, _CONTENT = Stage.RSET, Stage.MAIL, Stage.RCPT, Stage.CONTENT


class ByChunks(dialogue.Dialogue):
    """The dialogue with a server that takes content by BDAT."""

    def __init__(self, feed: ports.Feed, terms: Terms, *, window: int, most: int = 0) -> None:
        super().__init__(feed, terms, most=most)
        self._window = window
        self._in_air = 0
        self._fresh = True
        #: Whether a chunk was taken: until then no more than one is risked.
        self._proven = False

    def next_block(self) -> bytes:
        """Return the next bytes to send, or none."""
        if self._in_air >= (self._window if self._proven else 1) or self._halted:
            return b""
        taken = self._take()
        if taken is None:
            return b""
        transaction, lines = taken
        transaction.handed = True
        self._in_air += 1
        self._ends_with_content = True
        opening = b""
        if not self._fresh:
            opening = b"RSET\r\n"
            self._awaited.append((_RSET, None))
        self._fresh = False
        self._awaited.extend(((_MAIL, transaction), (_RCPT, transaction), (_CONTENT, transaction)))
        head = b"%b%bBDAT %d LAST\r\n" % (opening, lines, transaction.size)
        return b"".join((head, *transaction.message.pieces))

    def _answer(self, stage: Stage, transaction: Transaction, reply: Reply) -> None:
        if stage is _CONTENT:
            if reply.code in _NOT_UNDERSTOOD and not transaction.refused:
                transaction.handed = False
                self._expect(False, reply, stage)
            self._settle(transaction, reply)
            self._in_air -= 1
            self._proven = self._proven or reply.code // 100 == 2
        else:
            self._answer_envelope(stage, transaction, reply)

    def leftovers(self, *, unsent: bool) -> dialogue.Leftovers:
        """Say what becomes of messages without a receipt when the session is lost."""
        if self._closing:
            return dialogue.Leftovers((), tuple(one.message for one in self._pending()))
        return super().leftovers(unsent=unsent)
