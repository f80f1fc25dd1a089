"""Small IMAP and POP3 servers in a thread, to read mail from for real."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

PATIENCE = 60.0


class Store:
    """The mails of one account, and what a test wants of the server."""

    def __init__(self, *mails: bytes, offers: str = "IMAP4rev1 IDLE UIDPLUS") -> None:
        self.mails = dict(enumerate(mails, start=1))
        self.offers = offers
        self.password = "secret"
        #: Marked as deleted, and still there.
        self.marked: set[int] = set()
        self.log: list[str] = []
        #: Arrives as soon as somebody idles.
        self.on_idle: bytes | None = None
        #: Connections that idle, and who is told when that changes or a command comes.
        self.idling: list[ImapHandler] = []
        self.changed = threading.Condition(threading.RLock())
        #: Commands upon which the server hangs up.
        self.hang_up_on = ""
        self.tls: ssl.SSLContext | None = None

    def arrive(self, raw: bytes) -> None:
        """Have a mail come, and tell whoever idles."""
        with self.changed:
            self.mails[max(self.mails, default=0) + 1] = raw
            for handler in self.idling:
                handler.tell_count()

    def hang_up(self) -> None:
        """Break the connections that idle."""
        with self.changed:
            for handler in self.idling:
                handler.connection.shutdown(socket.SHUT_RDWR)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds of the connections or the log."""
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), self.log


class _Handler(socketserver.StreamRequestHandler):
    server: Server

    def setup(self) -> None:
        if self.server.implicit_tls and self.server.store.tls:
            self.request = self.server.store.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.rfile.close()
        self.request.close()

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def start_tls(self) -> None:
        assert self.server.store.tls
        self.request = self.connection = self.server.store.tls.wrap_socket(self.request, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = socketserver._SocketWriter(self.connection)  # type: ignore[attr-defined]  # as setup() does

    def lines(self) -> Iterator[str]:
        while line := self.rfile.readline():
            text = line.decode().rstrip("\r\n")
            with self.server.store.changed:
                self.server.store.log.append(re.sub(r"^\S+ (?=[A-Z])", "", text))
                self.server.store.changed.notify_all()
            if self.server.store.hang_up_on and self.server.store.hang_up_on in text:
                return
            yield text


class ImapHandler(_Handler):
    """As much of RFC 3501 as a reader of one folder meets."""

    #: How many mails this connection was told of.
    told = 0

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.say("* OK ready")
            for line in self.lines():
                tag, _, rest = line.partition(" ")
                name, _, arguments = rest.partition(" ")
                if name == "UID":
                    name, _, arguments = arguments.partition(" ")
                getattr(self, f"do_{name.lower()}")(tag, arguments)
                if name == "LOGOUT":
                    return

    def do_capability(self, tag: str, _: str) -> None:
        self.say(f"* CAPABILITY {self.server.store.offers}")
        self.say(f"{tag} OK done")

    def do_starttls(self, tag: str, _: str) -> None:
        self.say(f"{tag} OK go on")
        self.start_tls()

    def do_login(self, tag: str, arguments: str) -> None:
        good = arguments == f'ann "{self.server.store.password}"'
        self.say(f"{tag} OK in" if good else f"{tag} NO wrong password")

    def do_authenticate(self, tag: str, _: str) -> None:
        self.say("+ ")
        self.rfile.readline()
        self.say(f"{tag} OK in")

    def do_select(self, tag: str, arguments: str) -> None:
        if arguments != '"INBOX"':
            self.say(f"{tag} NO no such folder")
            return
        self.tell_count()
        self.say("* OK [UIDVALIDITY 7] valid")
        self.say(f"{tag} OK [READ-WRITE] selected")

    def do_noop(self, tag: str, _: str) -> None:
        self.say(f"{tag} OK done")

    def do_search(self, tag: str, _: str) -> None:
        store = self.server.store
        self.say("* SEARCH " + " ".join(str(uid) for uid in store.mails if uid not in store.marked))
        self.say(f"{tag} OK done")

    def do_fetch(self, tag: str, arguments: str) -> None:
        uid = int(arguments.split(maxsplit=1)[0])
        if (raw := self.server.store.mails.get(uid)) is not None:
            self.wfile.write(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
        self.say(f"{tag} OK done")

    def do_store(self, tag: str, arguments: str) -> None:
        self.server.store.marked.add(int(arguments.split(maxsplit=1)[0]))
        self.say(f"{tag} OK done")

    def do_expunge(self, tag: str, arguments: str) -> None:
        self._remove({int(arguments)})
        self.say(f"{tag} OK done")

    def do_close(self, tag: str, _: str) -> None:
        self._remove(set(self.server.store.marked))
        self.say(f"{tag} OK done")

    def do_logout(self, tag: str, _: str) -> None:
        self.say("* BYE")
        self.say(f"{tag} OK done")

    def do_idle(self, tag: str, _: str) -> None:
        store = self.server.store
        if store.on_idle is not None:
            store.mails[max(store.mails, default=0) + 1] = store.on_idle
            # In one piece, as a fast server does.
            self.wfile.write(f"+ idling\r\n* {len(store.mails)} EXISTS\r\n".encode())
            assert self.rfile.readline() == b"DONE\r\n"
            self.say(f"{tag} OK idle is over")
            return
        with store.changed:
            self.say("+ idling")
            if len(store.mails) > self.told:
                self.tell_count()
            store.idling.append(self)
            store.changed.notify_all()
        try:
            line = self.rfile.readline()
        finally:
            with store.changed:
                store.idling.remove(self)
                store.changed.notify_all()
        if line:
            assert line == b"DONE\r\n"
            self.say(f"{tag} OK idle is over")

    def tell_count(self) -> None:
        """Tell how many mails there are."""
        self.told = len(self.server.store.mails)
        self.say(f"* {self.told} EXISTS")

    def _remove(self, uids: set[int]) -> None:
        for uid in uids & self.server.store.marked:
            del self.server.store.mails[uid]
            self.server.store.marked.discard(uid)


class Pop3Handler(_Handler):
    """As much of RFC 1939 as poplib needs."""

    def handle(self) -> None:
        store = self.server.store
        self.say("+OK ready")
        for line in self.lines():
            name, _, argument = line.partition(" ")
            if name == "QUIT":
                for number in store.marked:
                    del store.mails[number]
                store.marked.clear()
                self.say("+OK bye")
                return
            getattr(self, f"do_{name.lower()}")(argument)
        # RFC 1939 §3: a session that breaks off removes nothing.
        store.marked.clear()

    def do_capa(self, _: str) -> None:
        self.say("+OK")
        for offer in self.server.store.offers.split():
            self.say(offer)
        self.say(".")

    def do_stls(self, _: str) -> None:
        self.say("+OK go on")
        self.start_tls()

    def do_user(self, _: str) -> None:
        self.say("+OK")

    def do_pass(self, argument: str) -> None:
        self.say("+OK" if argument == self.server.store.password else "-ERR wrong password")

    def do_uidl(self, _: str) -> None:
        self.say("+OK")
        for number in self.server.store.mails:
            self.say(f"{number} unique-{number}")
        self.say(".")

    def do_retr(self, argument: str) -> None:
        self.say("+OK")
        for line in self.server.store.mails[int(argument)].split(b"\r\n"):
            self.wfile.write((b"." if line.startswith(b".") else b"") + line + b"\r\n")
        self.say(".")

    def do_dele(self, argument: str) -> None:
        self.server.store.marked.add(int(argument))
        self.say("+OK")


class Server(socketserver.ThreadingTCPServer):
    """One account behind a port."""

    allow_reuse_address = True
    daemon_threads = True
    implicit_tls = False

    def __init__(self, handler: type[_Handler], store: Store, host: str) -> None:
        self.store = store
        super().__init__((host, 0), handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a test that breaks a connection means to."""


@contextlib.contextmanager
def serving(
    handler: type[_Handler], store: Store, *, host: str = "127.0.0.1", implicit_tls: bool = False
) -> Iterator[Server]:
    """Serve an account for as long as the block lasts."""
    with Server(handler, store, host) as server:
        server.implicit_tls = implicit_tls
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
