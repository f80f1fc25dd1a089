"""The strict reader of SMTP replies: bytes in, in pieces of any size, whole replies out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from newsletter.domain.replies import Reply

#: RFC 5321 §4.5.3.1.5 allows 512 octets; servers in use write more, none of them this much.
MOST_IN_LINE = 4096
#: An EHLO answer has a dozen lines.
MOST_LINES = 128
#: Replies are few and come again and again: the last ones are kept as they were read.
_MOST_KEPT = 256

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([\t\x20-\x7e\x80-\xff]*))?")


class ReplyError(Exception):
    """What came is no SMTP reply."""


class ReplyReader:
    """Cuts a stream into replies; keeps what is not whole yet."""

    def __init__(self) -> None:
        self._rest = b""
        #: The lines before the last of the reply that is being read.
        self._lines: list[str] = []
        self._code = b""
        self._kept: dict[bytes, Reply] = {}
        #: What stood behind the first line when replies came last that end with the answer to DATA, and which
        #: they were: from one message to the next only the first line changes, which names the message.
        self._behind: bytes | None = None
        self._behind_replies: Sequence[Reply] = ()

    @property
    def pending(self) -> bool:
        """Whether part of a reply has come."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> Sequence[Reply]:
        """Take bytes in and return the replies that are whole now.

        Raises:
            ReplyError: a line is over-long or no reply, a reply has too many lines or changes its code.
        """
        if self._rest or self._lines:
            return self._cut(self._rest + data)
        first, _, behind = data.partition(b"\r\n")
        if behind != self._behind:
            replies = self._cut(data)
            if len(replies) > 1 and replies[-1].code == 354:
                self._remember(behind, replies)
            return replies
        reply = self._kept.get(first) or _taken(first) or self._line(first)
        return (reply, *self._behind_replies) if reply else self._cut(behind)

    def _remember(self, behind: bytes, replies: Sequence[Reply]) -> None:
        """Keep what stood behind the first line, where every line was a reply by itself."""
        if not self.pending and behind.count(b"\r\n") == len(replies) - 1:
            self._behind, self._behind_replies = behind, replies[1:]

    def _cut(self, data: bytes) -> Sequence[Reply]:
        lines = data.split(b"\r\n")
        self._rest = lines.pop()
        if len(self._rest) > MOST_IN_LINE:
            raise ReplyError(f"a line of more than {MOST_IN_LINE} bytes")
        replies: list[Reply] = []
        for line in lines:
            reply = self._kept.get(line)
            if reply is None or self._lines:
                reply = self._line(line)
                if reply is None:
                    continue
            replies.append(reply)
        return replies

    def _line(self, line: bytes) -> Reply | None:
        """Take in one line; return the reply that it ends."""
        if not self._lines and (taken := _taken(line)):
            return self._end(taken, line)
        match = _LINE.fullmatch(line)
        if match is None or len(line) > MOST_IN_LINE:
            raise ReplyError(f"not a reply: {line[:80]!r}")
        code, separator, text = match.groups()
        words = (text or b"").decode("utf-8", "backslashreplace")
        if self._lines and code != self._code:
            raise ReplyError(f"a reply of two codes, {self._code.decode()} and {code.decode()}")
        if separator == b"-":
            self._begin_or_continue(code, words)
            return None
        return self._end(Reply(int(code), words), line)

    def _begin_or_continue(self, code: bytes, words: str) -> None:
        self._code = code
        self._lines.append(words)
        if len(self._lines) >= MOST_LINES:
            raise ReplyError(f"a reply of more than {MOST_LINES} lines")

    def _end(self, reply: Reply, line: bytes) -> Reply:
        if self._lines:
            whole = Reply(reply.code, "\n".join((*self._lines, reply.text)))
            self._lines.clear()
            return whole
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[line] = reply
        return reply


def _taken(line: bytes) -> Reply | None:
    """Read a 250 of printable ASCII, as nearly every message is taken with; None means to look closer."""
    if line[:4] != b"250 " or not line.isascii() or len(line) > MOST_IN_LINE:
        return None
    text = line[4:].decode()
    return Reply(250, text) if text.isprintable() else None
