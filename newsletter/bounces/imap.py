"""Fetch mails by IMAP (RFC 9051, RFC 3501), and wait for new ones by IDLE (RFC 2177)."""

from __future__ import annotations

import contextlib
import functools
import imaplib
import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from newsletter.bounces import mailbox, servers
from newsletter.bounces.bell import Bell
from newsletter.domain import errors

#: RFC 2177: a client that idles for 29 minutes may be thrown out.
_MAX_IDLE = 28 * 60.0
#: A list of a hundred thousand mails is one line.
_MAX_LINE = 1_000_000
_UNTAGGED_NEWS = re.compile(rb"\* \d+ (?:EXISTS|RECENT)", re.IGNORECASE)


class _Session(imaplib.IMAP4):
    """An IMAP connection with a buffer of its own: IDLE has to look whether a line is waiting."""

    def __init__(self, server: servers.Server, bells: Sequence[Bell]) -> None:
        self._server = server
        self._bells = bells
        self._buffer = b""
        super().__init__(server.host, server.port or (993 if server.tls else 143), mailbox.SECONDS)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect, with TLS from the first byte if the address says so."""
        self.host, self.port = host, port
        self.sock = socket.create_connection((host, port), timeout)
        if self._server.tls:
            self.sock = self._server.tls_context().wrap_socket(self.sock, server_hostname=host)

    def read(self, size: int) -> bytes:
        """Return exactly so many bytes, or fewer at the end of the connection."""
        pieces, missing = [self._buffer[:size]], size - len(self._buffer)
        self._buffer = self._buffer[size:]
        while missing > 0 and (piece := self.sock.recv(min(missing, 65536))):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def readline(self) -> bytes:
        """Return a line, at most as long as imaplib takes one."""
        while (end := self._buffer.find(b"\n")) < 0 and len(self._buffer) < _MAX_LINE:
            piece = self.sock.recv(65536)
            if not piece:
                break
            self._buffer += piece
        end = end + 1 or len(self._buffer)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def send(self, data: Any) -> None:
        """Send everything."""
        self.sock.sendall(data)

    def shutdown(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        # imaplib opens a file of its own after STARTTLS.
        file = self.__dict__.get("_file")
        if file is not None:
            file.close()
        self.sock.close()

    def line_is_waiting(self, seconds: float) -> bool:
        """Say whether something can be read within so many seconds, and before the bell rings."""
        if b"\n" in self._buffer or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
            return True
        waited_for: list[socket.socket | Bell] = [self.sock, *self._bells]
        return self.sock in select.select(waited_for, [], [], max(0.0, seconds))[0]


class Imap:
    """A folder behind IMAP."""

    def __init__(
        self,
        server: servers.Server,
        *,
        folder: str = "INBOX",
        bell: Bell | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """Take the bell that ends a wait from another thread."""
        self._server = server
        self._folder = folder
        self._bells = [bell] if bell else []
        self._sleep = sleep or (bell.wait if bell else time.sleep)
        self._session: _Session | None = None
        self._validity = ""

    def fetch(self) -> Iterator[mailbox.Incoming]:
        """Yield every mail that is not marked as deleted."""
        with self._told("read"):
            session = self._session or self._open()
            session.noop()
            found = _checked(session.uid("SEARCH", "UNDELETED"))
        for uid in bytes(found[0] or b"").decode().split():
            with self._told("read"):
                raw = _read(session, uid)
            if raw is not None:
                key = f"imap {self._folder} {self._validity} {uid}"
                yield mailbox.Incoming(raw=raw, key=key, done=functools.partial(self._remove, uid))

    def tells(self) -> bool:
        """Say whether the server offers IDLE."""
        with self._told("watch"):
            session = self._session or self._open()
        return "IDLE" in session.capabilities

    def wait(self, seconds: float) -> bool:
        """Idle until the server tells of new mail; without IDLE, wait the whole time."""
        with self._told("watch"):
            session = self._session or self._open()
            if "IDLE" in session.capabilities:
                return _idle(session, min(seconds, _MAX_IDLE))
        self._sleep(seconds)
        return True

    def close(self) -> None:
        """Remove what is done and log out."""
        if self._session is not None:
            with self._told("close"):
                self._session.close()
                self._session.logout()
        self._session = None

    def _open(self) -> _Session:
        server = self._server
        self._session = session = _Session(server, self._bells)
        if not server.tls:
            if "STARTTLS" in session.capabilities:
                session.starttls(server.tls_context())
            elif server.must_be_secured:
                raise server.refuse_plain()
        _log_in(session, server)
        quoted = self._folder.replace("\\", "\\\\").replace('"', '\\"')
        _checked(session.select(f'"{quoted}"'))
        validity: Sequence[Any] = session.response("UIDVALIDITY")[1]
        self._validity = bytes(validity[-1] or b"").decode()
        return session

    def _remove(self, uid: str) -> None:
        session = self._session
        if session is None:
            raise errors.MailboxError(f"the mailbox of {self._server} was closed before the mail was done")
        with self._told("clear"):
            _checked(session.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)"))
            if "UIDPLUS" in session.capabilities:
                _checked(session.uid("EXPUNGE", uid))

    @contextlib.contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Tell failures in our words, and leave a broken connection behind."""
        try:
            with servers.told(self._server, doing, imaplib.IMAP4.error):
                yield
        except errors.MailboxError:
            session, self._session = self._session, None
            if session is not None:
                session.shutdown()
            raise


def _checked(answer: tuple[str, Sequence[Any]]) -> Sequence[Any]:
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(data[0] if data else kind)
    return data


def _read(session: _Session, uid: str) -> bytes | None:
    """Fetch one mail without marking it as seen; None: somebody else removed it meanwhile."""
    answer = _checked(session.uid("FETCH", uid, f"(BODY.PEEK[]<0.{mailbox.MAX_BYTES}>)"))
    return next((bytes(item[1]) for item in answer if isinstance(item, tuple)), None)


def _log_in(session: _Session, server: servers.Server) -> None:
    """Prefer AUTHENTICATE PLAIN: LOGIN can carry neither UTF-8 nor every quote (RFC 9051 §6.2.3)."""
    if "AUTH=PLAIN" in session.capabilities:
        secret = f"\0{server.user}\0{server.password}".encode()
        session.authenticate("PLAIN", lambda _: secret)
    else:
        session.login(server.user, server.password)
    # What is offered changes with the login; IDLE and UIDPLUS are often told only now.
    session.capabilities = tuple(bytes(_checked(session.capability())[-1]).decode().upper().split())


def _idle(session: _Session, seconds: float) -> bool:
    """Idle; say whether the server told of new mail. Afterwards the connection takes commands again."""
    deadline = time.monotonic() + seconds
    session.send(b"IDLE1 IDLE\r\n")
    news = False
    while not news and session.line_is_waiting(deadline - time.monotonic()):
        line = session.readline()
        if not line or line.startswith(b"IDLE1 "):
            raise imaplib.IMAP4.abort(line or b"the server hung up")
        news = bool(_UNTAGGED_NEWS.match(line))
    session.send(b"DONE\r\n")
    while line := session.readline():
        news = news or bool(_UNTAGGED_NEWS.match(line))
        if line.startswith(b"IDLE1 "):
            return news
    raise imaplib.IMAP4.abort("the server hung up")
