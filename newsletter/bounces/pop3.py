"""Fetch mails by POP3 (RFC 1939): a mail marked as done goes when the session ends well."""

from __future__ import annotations

import contextlib
import functools
import poplib
import time
from collections.abc import Callable, Iterator

from newsletter.bounces import mailbox, servers
from newsletter.domain import errors

#: RFC 5321 allows 1000 octets a line; real mails have longer ones, and poplib would break off at 2048.
setattr(poplib, "_MAXLINE", 1024 * 1024)  # noqa: B010 - not part of poplib's published names


class Pop3:
    """A mailbox behind POP3."""

    def __init__(self, server: servers.Server, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._server = server
        self._sleep = sleep
        self._session: poplib.POP3 | None = None

    def fetch(self) -> Iterator[mailbox.Incoming]:
        """Yield every mail; each look is a session of its own, which is how POP3 shows what is new."""
        self.close()
        session = self._open()
        with self._told("read"):
            names = [line.decode("latin-1").split() for line in session.uidl()[1]]
        for name in names:
            number = int(name[0])
            with self._told("read"):
                lines = session.retr(number)[1]
            raw = b"\r\n".join(lines)[: mailbox.MAX_BYTES]
            key = f"pop3 {name[-1]}"
            yield mailbox.Incoming(raw=raw, key=key, done=functools.partial(self._remove, number))

    def tells(self) -> bool:
        """Say no: the server answers and never speaks first."""
        return False

    def wait(self, seconds: float) -> bool:
        """Wait the whole time: POP3 cannot tell us."""
        self.close()
        self._sleep(seconds)
        return True

    def close(self) -> None:
        """End the session; the server removes what is done only now (RFC 1939 §6)."""
        if self._session is not None:
            with self._told("close"):
                self._session.quit()
        self._session = None

    def _open(self) -> poplib.POP3:
        server = self._server
        with self._told("open"):
            self._session = session = _connect(server)
            if not server.tls:
                if "STLS" in session.capa():
                    session.stls(server.tls_context())
                elif server.must_be_secured:
                    raise server.refuse_plain()
            session.user(server.user)
            session.pass_(server.password)
            return session

    def _remove(self, number: int) -> None:
        if self._session is None:
            raise errors.MailboxError(f"the mailbox of {self._server} was closed before the mail was done")
        with self._told("clear"):
            self._session.dele(number)

    @contextlib.contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Tell failures in our words, and leave a broken session behind."""
        try:
            with servers.told(self._server, doing, poplib.error_proto):
                yield
        except errors.MailboxError:
            session, self._session = self._session, None
            if session is not None:
                session.close()
            raise


def _connect(server: servers.Server) -> poplib.POP3:
    if not server.tls:
        return poplib.POP3(server.host, server.port or poplib.POP3_PORT, timeout=mailbox.SECONDS)
    port = server.port or poplib.POP3_SSL_PORT
    return poplib.POP3_SSL(server.host, port, timeout=mailbox.SECONDS, context=server.tls_context())
